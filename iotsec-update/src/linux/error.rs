//! Why an environment could not be used.

use std::io;

use iotsec_core::error::{ErrorCode, Fault};

/// Why an environment could not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum LinuxError {
    /// The operating system says so.
    #[error("{0}")]
    Io(io::ErrorKind),
    /// No room for a variable.
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

impl ErrorCode for LinuxError {
    fn code(&self) -> u16 {
        match self {
            Self::Io(_) => 2350,
            Self::Size => 2353,
            Self::NoEnvironment => 2354,
            Self::Full => 2355,
            Self::Value => 2356,
        }
    }
    fn fault(&self) -> Fault {
        match self {
            Self::Io(_) | Self::NoEnvironment | Self::Full => Fault::Device,
            Self::Size | Self::Value => Fault::Misuse,
        }
    }
}
