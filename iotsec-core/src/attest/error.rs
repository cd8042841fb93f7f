use crate::{
    cbor::CborError,
    cose::CoseError,
    error::{ErrorCode, Fault},
};

/// Why a token could not be made, or was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum AttestError {
    /// Envelope, signature, or buffers.
    #[error(transparent)]
    Cose(#[from] CoseError),
    /// A nonce has neither 32, 48 nor 64 bytes.
    #[error("wrong length of nonce")]
    NonceLength,
    /// The token answers another nonce.
    #[error("token answers another nonce")]
    Nonce,
    /// A profile that this SDK does not know, or another one than the key's.
    #[error("attestation profile not known")]
    Profile,
    /// A type of key that no profile here is for.
    #[error("type of key not supported in tokens")]
    KeyType,
    /// A life cycle state that PSA does not define.
    #[error("life cycle state not defined")]
    Lifecycle,
    /// The instance identifier is not that of the key, or not an identifier of a key.
    #[error("instance identifier does not fit")]
    InstanceId,
    /// A boot seed has fewer than 8 or more than 32 bytes.
    #[error("wrong length of boot seed")]
    BootSeed,
    /// No software component, more than 16, a digest of a wrong length, or a text that is empty or too long.
    #[error("software component out of bounds")]
    Component,
    /// A certification reference that is not 13 digits, a hyphen and 5 digits, or a service without or with too much text.
    #[error("reference out of bounds")]
    Reference,
}

impl From<CborError> for AttestError {
    fn from(error: CborError) -> Self {
        Self::Cose(error.into())
    }
}

impl ErrorCode for AttestError {
    fn code(&self) -> u16 {
        match self {
            Self::Cose(error) => error.code(),
            Self::NonceLength => 1531,
            Self::Nonce => 1532,
            Self::Profile => 1533,
            Self::KeyType => 1534,
            Self::Lifecycle => 1535,
            Self::InstanceId => 1536,
            Self::BootSeed => 1537,
            Self::Component => 1538,
            Self::Reference => 1539,
        }
    }

    fn fault(&self) -> Fault {
        match self {
            Self::Cose(error) => error.fault(),
            Self::KeyType => Fault::Misuse,
            _ => Fault::Input,
        }
    }
}
