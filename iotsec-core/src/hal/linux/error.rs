use std::io;

use embedded_storage::nor_flash::{NorFlashError, NorFlashErrorKind};

use crate::{
    crypto::CryptoError,
    error::{ErrorCode, Fault},
    hal::RootKeyError,
};

/// Why a file or a partition could not be used.
///
/// ```
/// use iotsec_core::{error::{ErrorCode, Fault}, hal::linux::FileError};
///
/// let error = FileError::Permissions;
/// assert_eq!((error.code(), error.fault()), (1446, Fault::Misuse));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The operating system says so.
    #[error("{0}")]
    Io(io::ErrorKind),
    /// Another process has locked the file, or this one has it open already.
    #[error("in use by another process")]
    Busy,
    /// Outside the file, or across the border of two parts.
    #[error("outside the file")]
    OutOfBounds,
    /// Not of the length that it must have, or more than 4 GiB.
    #[error("size out of range")]
    Size,
    /// Not a multiple of the word or the page.
    #[error("not a multiple of word or page")]
    NotAligned,
    /// The group or others may read or write a file that keeps secrets.
    #[error("file is open to others")]
    Permissions,
    /// The word was written before and not erased since.
    #[error("word is not erased")]
    NotErased,
    /// The key in the file is weak.
    #[error(transparent)]
    RootKey(#[from] RootKeyError),
    /// No random bytes for a new key.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

impl From<io::Error> for FileError {
    fn from(error: io::Error) -> Self {
        Self::Io(error.kind())
    }
}

impl NorFlashError for FileError {
    fn kind(&self) -> NorFlashErrorKind {
        match self {
            Self::OutOfBounds => NorFlashErrorKind::OutOfBounds,
            Self::NotAligned => NorFlashErrorKind::NotAligned,
            _ => NorFlashErrorKind::Other,
        }
    }
}

impl ErrorCode for FileError {
    fn code(&self) -> u16 {
        match self {
            Self::Io(_) => 1441,
            Self::Busy => 1442,
            Self::OutOfBounds => 1443,
            Self::Size => 1444,
            Self::NotAligned => 1445,
            Self::Permissions => 1446,
            Self::NotErased => 1447,
            Self::RootKey(error) => error.code(),
            Self::Crypto(error) => error.code(),
        }
    }
    fn fault(&self) -> Fault {
        match self {
            Self::Io(_) | Self::Busy => Fault::Device,
            Self::RootKey(error) => error.fault(),
            Self::Crypto(error) => error.fault(),
            _ => Fault::Misuse,
        }
    }
}
