use iotsec_core::{
    cbor::CborError,
    cose::CoseError,
    error::{ErrorCode, Fault},
    hal::{CounterError, FlashError, RootKeyError},
};

/// Why a trust bundle, a statement or a downgrade token was refused, or could not be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// The encoding is at fault, or a map has an unknown key or misses one.
    #[error(transparent)]
    Encoding(#[from] CborError),
    /// Not a well-formed COSE_Sign, or the scratch buffer is smaller than the message.
    #[error(transparent)]
    Cose(#[from] CoseError),
    /// The flash failed.
    #[error(transparent)]
    Flash(#[from] FlashError),
    /// The counter failed. A counter that cannot be read is not zero.
    #[error(transparent)]
    Counter(#[from] CounterError),
    /// The root key failed.
    #[error(transparent)]
    RootKey(#[from] RootKeyError),

    // What a bundle says.
    /// Something else was signed: another kind of document, or another version of the format.
    #[error("not this kind of document, or another version of it")]
    Domain,
    /// Larger than [`TrustBundle::MAX_LEN`](super::TrustBundle::MAX_LEN).
    #[error("too many bytes")]
    Size,
    /// No key, or more than [`TrustBundle::MAX_KEYS`](super::TrustBundle::MAX_KEYS).
    #[error("no key, or too many")]
    Keys,
    /// One key twice, under one name or two.
    #[error("one key twice")]
    KeyTwice,
    /// A key that this device cannot use: unknown type, weak, or not on its curve.
    #[error("key refused")]
    KeyRefused,
    /// The private half of a key.
    #[error("private key in a public document")]
    PrivateKey,
    /// A role that is unknown, or no root or update role.
    #[error("unknown role, or a required one is missing")]
    Role,
    /// The keys of a role: none, more than eight, one twice or out of order, or one that is not there.
    #[error("keys of a role malformed")]
    RoleKeys,
    /// A threshold of zero, or above the number of keys.
    #[error("threshold of zero or out of reach")]
    Threshold,
    /// Revocations: none, more than [`TrustBundle::MAX_REVOKED`](super::TrustBundle::MAX_REVOKED), one
    /// twice or out of order.
    #[error("revocations malformed")]
    Revoked,
    /// A key that the same bundle revokes.
    #[error("key is revoked")]
    KeyRevoked,
    /// A revocation of the bundle before is missing.
    #[error("an earlier revocation was dropped")]
    RevocationDropped,
    /// TLS anchors: none, more than [`TrustBundle::MAX_TLS`](super::TrustBundle::MAX_TLS), or one of
    /// unknown kind or size.
    #[error("TLS anchors malformed")]
    TlsAnchors,
    /// Made for another vendor or another class of device.
    #[error("made for another product")]
    Product,
    /// Version zero, which no bundle has.
    #[error("version zero")]
    VersionZero,

    // Rotation and use.
    /// Too few keys of the present root signed it. It may be that the bundles in between are missing.
    #[error("too few signatures by the present root")]
    OldRoot,
    /// Too few keys of its own root signed it.
    #[error("too few signatures by its own root")]
    NewRoot,
    /// More signature checks than [`Trust::MAX_CHECKS`](super::Trust::MAX_CHECKS).
    #[error("too many signature checks")]
    SignatureChecks,
    /// Further ahead than the next version. Fetch the bundles in between.
    #[error("skips a version")]
    Skipped,
    /// An older version.
    #[error("older than the present bundle")]
    Rollback,
    /// The present version with another content: two bundles were signed as one.
    #[error("another bundle with the same version")]
    Conflict,
    /// The bundle has expired: nothing counts under it but the step to the next.
    #[error("trust bundle has expired")]
    Expired,
    /// The bundle has nobody in this role.
    #[error("nobody has this role")]
    RoleAbsent,
    /// Too few keys of the role signed.
    #[error("too few signatures by this role")]
    RoleThreshold,

    // The store.
    /// Nothing is stored. That is not version zero.
    #[error("no trust bundle is stored")]
    Missing,
    /// What is stored is damaged, or was not written by this device.
    #[error("stored trust bundle is damaged")]
    Corrupt,
    /// What is stored, or to be stored, is older than the counter says.
    #[error("trust bundle is below its counter")]
    BelowCounter,
    /// The region is too small for two bundles, or has words beyond 256 bytes.
    #[error("region cannot hold two trust bundles")]
    Region,
    /// The bundle does not fit half of the region.
    #[error("trust bundle too large for the region")]
    TooLarge,
    /// The caller's buffer cannot hold the stored bundle.
    #[error("buffer too small for the stored trust bundle")]
    BufferTooSmall,

    // Statements and tokens.
    /// The answer to another challenge.
    #[error("nonce is not the one that was sent")]
    Nonce,
    /// Made for another device.
    #[error("made for another device")]
    WrongDevice,
    /// Another manifest is installed than the one that the token starts from.
    #[error("not made for what is installed")]
    WrongStart,
    /// The token has expired.
    #[error("token has expired")]
    TokenExpired,
    /// The token has an expiry date and the device has no trusted time.
    #[error("token expires and there is no trusted time")]
    TimeUnknown,
}

impl ErrorCode for TrustError {
    fn code(&self) -> u16 {
        match self {
            Self::Encoding(error) => error.code(),
            Self::Cose(error) => error.code(),
            Self::Flash(error) => error.code(),
            Self::Counter(error) => error.code(),
            Self::RootKey(error) => error.code(),
            Self::Domain => 2201,
            Self::Size => 2202,
            Self::Keys => 2203,
            Self::KeyTwice => 2204,
            Self::KeyRefused => 2205,
            Self::PrivateKey => 2206,
            Self::Role => 2207,
            Self::RoleKeys => 2208,
            Self::Threshold => 2209,
            Self::Revoked => 2210,
            Self::KeyRevoked => 2211,
            Self::RevocationDropped => 2212,
            Self::TlsAnchors => 2213,
            Self::Product => 2214,
            Self::VersionZero => 2215,
            Self::OldRoot => 2220,
            Self::NewRoot => 2221,
            Self::SignatureChecks => 2222,
            Self::Skipped => 2223,
            Self::Rollback => 2224,
            Self::Conflict => 2225,
            Self::Expired => 2226,
            Self::RoleAbsent => 2227,
            Self::RoleThreshold => 2228,
            Self::Missing => 2240,
            Self::Corrupt => 2241,
            Self::BelowCounter => 2242,
            Self::Region => 2243,
            Self::TooLarge => 2244,
            Self::BufferTooSmall => 2245,
            Self::Nonce => 2260,
            Self::WrongDevice => 2261,
            Self::WrongStart => 2262,
            Self::TokenExpired => 2263,
            Self::TimeUnknown => 2264,
        }
    }

    fn fault(&self) -> Fault {
        match self {
            Self::Encoding(error) => error.fault(),
            Self::Cose(error) => error.fault(),
            Self::Flash(error) => error.fault(),
            Self::Counter(error) => error.fault(),
            Self::RootKey(error) => error.fault(),
            Self::Missing | Self::Corrupt | Self::BelowCounter | Self::TimeUnknown => Fault::Device,
            Self::Region | Self::TooLarge | Self::BufferTooSmall => Fault::Misuse,
            _ => Fault::Input,
        }
    }
}
