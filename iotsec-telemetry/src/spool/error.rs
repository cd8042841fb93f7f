use iotsec_core::{
    crypto::CryptoError,
    error::{ErrorCode, Fault},
    hal::FlashError,
};

use crate::error::{BatchError, RecordError};

/// Why the [`Spool`](crate::spool::Spool) refused. What it had acknowledged is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum SpoolError {
    /// The event was not recorded.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The batch could not be made, or the receipt is not that of the last one.
    #[error(transparent)]
    Batch(#[from] BatchError),
    /// The region is too small for the quotas, a page too small for what has to fit, a class has fewer than two
    /// pages, or a word is longer than 256 bytes.
    #[error("region too small for the spool")]
    Layout,
    /// The cipher does not survive a repeated nonce.
    #[error("cipher unsuitable for storage")]
    AeadUnsuitable,
    /// The flash holds something of this boot or a later one, so that event numbers would repeat.
    #[error("boot number not newer than the spool's")]
    Boot,
    /// The purpose is granted, but its key was not given with [`unlock`](crate::spool::Spool::unlock).
    #[error("key of the purpose not given")]
    Locked,
    /// Something may be left of a grant that has ended: call [`purge_step`](crate::spool::Spool::purge_step).
    #[error("purge not finished")]
    Unpurged,
    /// What was written does not read back. The event is counted as lost.
    #[error("flash does not hold what was written")]
    ReadBack,
    /// The flash driver failed. An event that was to be recorded is counted as lost.
    #[error(transparent)]
    Flash(#[from] FlashError),
    /// Key derivation or the cipher failed.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

impl ErrorCode for SpoolError {
    fn code(&self) -> u16 {
        match self {
            Self::Record(error) => error.code(),
            Self::Batch(error) => error.code(),
            Self::Layout => 4801,
            Self::AeadUnsuitable => 4802,
            Self::Boot => 4803,
            Self::Locked => 4804,
            Self::Unpurged => 4805,
            Self::ReadBack => 4806,
            Self::Flash(error) => error.code(),
            Self::Crypto(error) => error.code(),
        }
    }

    fn fault(&self) -> Fault {
        match self {
            Self::Record(error) => error.fault(),
            Self::Batch(error) => error.fault(),
            Self::Boot | Self::ReadBack => Fault::Device,
            Self::Flash(error) => error.fault(),
            Self::Crypto(error) => error.fault(),
            _ => Fault::Misuse,
        }
    }
}
