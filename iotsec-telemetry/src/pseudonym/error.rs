use iotsec_core::{
    crypto::CryptoError,
    error::{ErrorCode, Fault},
};

use crate::error::{BatchError, RecordError, StorageError};

/// There is no identifier, or a deletion could not be made due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum TrailError {
    /// The owner has not agreed to this purpose.
    #[error("no consent to this purpose")]
    NotConsented,
    /// Every place for a trail is taken: the service must acknowledge a deletion first.
    #[error("deletions wait to be acknowledged")]
    Full,
    /// So far from the epochs before that no request could name them all.
    #[error("epoch too far from those before")]
    Epoch,
    /// The receipt is for none of the requests that wait.
    #[error("receipt for no request that waits")]
    Unknown,
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// Cryptography or entropy failed.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

impl ErrorCode for TrailError {
    fn code(&self) -> u16 {
        match self {
            Self::NotConsented => 4851,
            Self::Full => 4852,
            Self::Epoch => 4853,
            Self::Unknown => 4854,
            Self::Storage(error) => error.code(),
            Self::Crypto(error) => error.code(),
        }
    }

    fn fault(&self) -> Fault {
        match self {
            Self::NotConsented => Fault::Misuse,
            Self::Full | Self::Epoch => Fault::Device,
            Self::Unknown => Fault::Input,
            Self::Storage(error) => error.fault(),
            Self::Crypto(error) => error.fault(),
        }
    }
}

/// A sensitive value was not sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// It is not declared so.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// It could not be sealed.
    #[error(transparent)]
    Batch(#[from] BatchError),
}

impl ErrorCode for SealError {
    fn code(&self) -> u16 {
        match self {
            Self::Record(error) => error.code(),
            Self::Batch(error) => error.code(),
        }
    }

    fn fault(&self) -> Fault {
        match self {
            Self::Record(error) => error.fault(),
            Self::Batch(error) => error.fault(),
        }
    }
}
