use crate::{
    crypto::CryptoError,
    error::{ErrorCode, Fault},
};

/// Why an identity, or a request for one, could not be made or was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// A part of the subject is empty, longer than 64 bytes, or has a character that X.509 does not allow there.
    #[error("subject text not allowed")]
    Subject,
    /// The output buffer is too small.
    #[error("output buffer too small")]
    BufferFull,
    /// A key of a type that no certificate here is made for, or whose public half has the wrong length.
    #[error("type of key not supported in certificates")]
    KeyType,
    /// Not a certificate in DER, or one with bytes after it.
    #[error("certificate malformed")]
    Certificate,
    /// The certificate is for another key.
    #[error("certificate is for another key")]
    ForeignKey,
    /// The key failed.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

impl ErrorCode for IdentityError {
    fn code(&self) -> u16 {
        match self {
            Self::Subject => 1501,
            Self::BufferFull => 1502,
            Self::KeyType => 1503,
            Self::Certificate => 1504,
            Self::ForeignKey => 1505,
            Self::Crypto(error) => error.code(),
        }
    }

    fn fault(&self) -> Fault {
        match self {
            Self::Subject | Self::BufferFull | Self::KeyType => Fault::Misuse,
            Self::Certificate | Self::ForeignKey => Fault::Input,
            Self::Crypto(error) => error.fault(),
        }
    }
}
