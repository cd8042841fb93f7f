use iotsec_core::{
    cbor::CborError,
    cose::CoseError,
    error::{ErrorCode, Fault},
};

/// A service's receipt was refused, or could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum DeletionError {
    /// Not a COSE_Sign1 with a CBOR map in it, or the signature is not of this key.
    #[error(transparent)]
    Cose(#[from] CoseError),
    /// Headers that a receipt does not have: it is something else, or was changed.
    #[error("not the headers of a service's receipt")]
    Headers,
    /// Of a version that this code does not know.
    #[error("receipt of an unknown version")]
    Version,
    /// It says what cannot be.
    #[error("receipt says what cannot be")]
    Content,
    /// It is for another request.
    #[error("receipt for another request")]
    Request,
    /// Neither an Ed25519 nor a P-256 key.
    #[error("type of key that signs no receipts")]
    Key,
}

impl From<CborError> for DeletionError {
    fn from(error: CborError) -> Self {
        Self::Cose(error.into())
    }
}

impl ErrorCode for DeletionError {
    fn code(&self) -> u16 {
        match self {
            Self::Cose(error) => error.code(),
            Self::Headers => 4861,
            Self::Version => 4862,
            Self::Content => 4863,
            Self::Request => 4864,
            Self::Key => 4865,
        }
    }

    fn fault(&self) -> Fault {
        match self {
            Self::Cose(error) => error.fault(),
            Self::Key => Fault::Misuse,
            _ => Fault::Input,
        }
    }
}
