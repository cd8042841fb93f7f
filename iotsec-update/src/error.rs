//! Every reason for refusing an envelope, each with its stable number.

use iotsec_core::{
    cbor::CborError,
    cose::CoseError,
    error::{ErrorCode, Fault},
};

/// Where in the manifest something stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Section {
    /// Run before every other section.
    Shared,
    /// `suit-validate`.
    Validate,
    /// `suit-load`.
    Load,
    /// `suit-invoke`.
    Invoke,
    /// `suit-payload-fetch`.
    Fetch,
    /// `suit-install`.
    Install,
}

/// Why an envelope or its manifest was refused, or could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum UpdateError {
    /// The encoding is at fault, or a fixed format's key is missing or unknown.
    #[error(transparent)]
    Encoding(#[from] CborError),
    /// The only authentication block is at fault.
    #[error(transparent)]
    Cose(#[from] CoseError),

    // 20xx: envelope and limits
    /// Not a tagged SUIT envelope.
    #[error("not a tagged SUIT envelope")]
    NotAnEnvelope,
    /// More bytes than [`Limits::envelope`](crate::Limits::envelope), integrated payloads aside.
    #[error("envelope too large")]
    EnvelopeSize,
    /// Integrated payloads exceed [`Limits::integrated`](crate::Limits::integrated).
    #[error("integrated payloads too large")]
    IntegratedSize,
    /// More authentication blocks than [`Limits::blocks`](crate::Limits::blocks).
    #[error("too many authentication blocks")]
    Blocks,
    /// More components than [`Limits::components`](crate::Limits::components).
    #[error("too many components")]
    Components,
    /// More commands than [`Limits::commands`](crate::Limits::commands).
    #[error("too many commands")]
    Commands,
    /// Sequences nested deeper than [`Limits::depth`](crate::Limits::depth).
    #[error("command sequences nested too deeply")]
    Depth,

    // 203x: authentication
    /// The trust anchors are unusable: a threshold of zero or above the number of keys, or one key twice.
    #[error("trust anchors unusable")]
    TrustAnchors,
    /// No authentication block.
    #[error("envelope is not signed")]
    Unsigned,
    /// Fewer distinct trusted keys signed than the threshold asks for.
    #[error("too few trusted signatures")]
    Threshold,
    /// The signed digest is not that of this manifest.
    #[error("signed digest is of another manifest")]
    ManifestDigest,
    /// More signature checks than [`Limits::signature_checks`](crate::Limits::signature_checks).
    #[error("too many signature checks")]
    SignatureChecks,
    /// A digest that is not SHA-256 with all its 32 bytes.
    #[error("digest algorithm or length not accepted")]
    DigestAlgorithm,
}

impl ErrorCode for UpdateError {
    fn code(&self) -> u16 {
        match self {
            Self::Encoding(error) => error.code(),
            Self::Cose(error) => error.code(),
            _ => 2000,
        }
    }

    fn fault(&self) -> Fault {
        match self {
            Self::Encoding(error) => error.fault(),
            Self::Cose(error) => error.fault(),
            Self::TrustAnchors => Fault::Misuse,
            _ => Fault::Input,
        }
    }
}
