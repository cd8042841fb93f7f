use std::io;

use crate::{
    crypto::CryptoError,
    error::{ErrorCode, Fault},
    hal::{RootKeyError, linux::FileError},
};

/// Why a TPM could not be used.
///
/// ```
/// use iotsec_core::{error::{ErrorCode, Fault}, hal::linux::tpm::TpmError};
///
/// // TPM_RC_HANDLE, first handle: no such NV index.
/// let error = TpmError::Refused(0x18B);
/// assert_eq!((error.code(), error.fault()), (1453, Fault::Device));
/// assert_eq!(error.to_string(), "TPM refuses, 0x18b");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum TpmError {
    /// The way to the TPM fails.
    #[error("{0}")]
    Io(io::ErrorKind),
    /// The answer is not one to this command.
    #[error("TPM answers nonsense")]
    Response,
    /// The response code of the TPM, which is not success.
    #[error("TPM refuses, {0:#x}")]
    Refused(u32),
    /// The file holds no key that was sealed here.
    #[error("sealed key malformed")]
    Sealed,
    /// The NV index is something else than a counter as it is made here.
    #[error("NV index is no counter")]
    NoCounter,
    /// The file with the sealed key could not be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// The key that was unsealed is weak.
    #[error(transparent)]
    RootKey(#[from] RootKeyError),
    /// No random bytes for a new key.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

impl From<io::Error> for TpmError {
    fn from(error: io::Error) -> Self {
        Self::Io(error.kind())
    }
}

impl ErrorCode for TpmError {
    fn code(&self) -> u16 {
        match self {
            Self::Io(_) => 1451,
            Self::Response => 1452,
            Self::Refused(_) => 1453,
            Self::Sealed => 1454,
            Self::NoCounter => 1455,
            Self::File(error) => error.code(),
            Self::RootKey(error) => error.code(),
            Self::Crypto(error) => error.code(),
        }
    }
    fn fault(&self) -> Fault {
        match self {
            Self::Io(_) | Self::Response | Self::Refused(_) | Self::NoCounter => Fault::Device,
            Self::Sealed => Fault::Input,
            Self::File(error) => error.fault(),
            Self::RootKey(error) => error.fault(),
            Self::Crypto(error) => error.fault(),
        }
    }
}
