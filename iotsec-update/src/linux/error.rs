//! Why a file, partition or environment could not be used.

use std::io;

use embedded_storage::nor_flash::{NorFlashError, NorFlashErrorKind};
use iotsec_core::error::{ErrorCode, Fault};

/// Why a file, partition or environment could not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum LinuxError {
    /// The operating system says so.
    #[error("{0}")]
    Io(io::ErrorKind),
    /// Another process has locked the file.
    #[error("in use by another process")]
    Busy,
    /// Outside the parts, or across the border of two.
    #[error("outside the parts")]
    OutOfBounds,
    /// More than 4 GiB together, or an environment without room for a variable.
    #[error("size out of range")]
    Size,
    /// Neither copy of the environment is whole.
    #[error("no copy of the environment is whole")]
    NoEnvironment,
    /// The variables do not fit the environment.
    #[error("environment is full")]
    Full,
    /// A name or value that an environment cannot hold.
    #[error("name or value malformed")]
    Value,
}

impl From<io::Error> for LinuxError {
    fn from(error: io::Error) -> Self {
        Self::Io(error.kind())
    }
}

impl NorFlashError for LinuxError {
    fn kind(&self) -> NorFlashErrorKind {
        match self {
            Self::OutOfBounds => NorFlashErrorKind::OutOfBounds,
            _ => NorFlashErrorKind::Other,
        }
    }
}

impl ErrorCode for LinuxError {
    fn code(&self) -> u16 {
        match self {
            Self::Io(_) => 2350,
            Self::Busy => 2351,
            Self::OutOfBounds => 2352,
            Self::Size => 2353,
            Self::NoEnvironment => 2354,
            Self::Full => 2355,
            Self::Value => 2356,
        }
    }
    fn fault(&self) -> Fault {
        match self {
            Self::Io(_) | Self::Busy | Self::NoEnvironment | Self::Full => Fault::Device,
            Self::OutOfBounds | Self::Size | Self::Value => Fault::Misuse,
        }
    }
}
