use crate::{
    crypto::CryptoError,
    error::{ErrorCode, Fault},
};

/// Why a message could not be sealed or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum HpkeError {
    /// The cryptography refused: no randomness, no public key, or not what was sealed.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
    /// The output buffer is too small.
    #[error("output buffer too small")]
    Buffer,
    /// The cipher has no number in HPKE, or the key is on another curve.
    #[error("key or cipher does not belong to the suite")]
    Suite,
    /// Fewer bytes than an encapsulated key and a tag.
    #[error("sealed message truncated")]
    Truncated,
}

impl ErrorCode for HpkeError {
    fn code(&self) -> u16 {
        match self {
            Self::Crypto(error) => error.code(),
            Self::Buffer => 1701,
            Self::Suite => 1702,
            Self::Truncated => 1703,
        }
    }

    fn fault(&self) -> Fault {
        match self {
            Self::Crypto(error) => error.fault(),
            Self::Buffer | Self::Suite => Fault::Misuse,
            Self::Truncated => Fault::Input,
        }
    }
}
