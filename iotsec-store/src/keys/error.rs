use iotsec_core::{
    crypto::CryptoError,
    error::{ErrorCode, Fault},
};

use crate::StoreError;

/// Why a key was not made, or not used.
///
/// ```
/// use iotsec_core::error::{ErrorCode, Fault};
/// use iotsec_store::{StoreError, keys::KeyError};
///
/// assert_eq!((KeyError::Usage.code(), KeyError::Usage.fault()), (3101, Fault::Misuse));
/// assert_eq!(KeyError::Usage.psa_status(), -133); // PSA_ERROR_NOT_PERMITTED
/// assert_eq!(KeyError::Store(StoreError::NotFound).psa_status(), -140); // PSA_ERROR_DOES_NOT_EXIST
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The key lacks the usage, or another key would get more than this one has.
    #[error("key may not be used for this")]
    Usage,
    /// The key is of another type than the operation is for.
    #[error("key is of another type")]
    Type,
    /// There is a value under this name.
    #[error("key exists already")]
    Exists,
    /// No usage, or one that a key of this type cannot have.
    #[error("usage does not fit the type of the key")]
    Policy,
    /// The [`KeySuite`](super::KeySuite) does not name the algorithm of this key.
    #[error("algorithm of the key is not there")]
    Algorithm,
    /// The bytes are no key of this type: another length, out of range, or all equal.
    #[error("key bytes refused")]
    Material,
    /// The stored value is of a version that this code does not know, or is no key.
    #[error("version of the stored key unknown")]
    Version,
    /// The stored key is of a type that this code does not know.
    #[error("type of the stored key unknown")]
    UnknownType,
    /// The stored key has a usage that keys of its type do not have.
    #[error("usage of the stored key unknown")]
    UnknownUsage,
    /// The stored value has not the length of a key of its type, or no number.
    #[error("stored key malformed")]
    Malformed,
    /// There is another key under this name than when the handle was made: rotated, retired, or made anew.
    #[error("key was replaced since")]
    Stale,
    /// The key before this one has to be retired first.
    #[error("previous key is not retired")]
    NotRetired,
    /// There is no previous key.
    #[error("no previous key")]
    NoPrevious,
    /// The number of keys is used up, after 2^32 - 1 under this name.
    #[error("number of the key used up")]
    Exhausted,
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A signature, a tag, an argument or entropy.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

const GENERIC_ERROR: i32 = -132;
const NOT_PERMITTED: i32 = -133;
const NOT_SUPPORTED: i32 = -134;
const INVALID_ARGUMENT: i32 = -135;
const INVALID_HANDLE: i32 = -136;
const BAD_STATE: i32 = -137;
const BUFFER_TOO_SMALL: i32 = -138;
const ALREADY_EXISTS: i32 = -139;
const DOES_NOT_EXIST: i32 = -140;
const INSUFFICIENT_STORAGE: i32 = -142;
const STORAGE_FAILURE: i32 = -146;
const HARDWARE_FAILURE: i32 = -147;
const INSUFFICIENT_ENTROPY: i32 = -148;
const INVALID_SIGNATURE: i32 = -149;
const DATA_CORRUPT: i32 = -152;
const DATA_INVALID: i32 = -153;

impl KeyError {
    /// The status that PSA Crypto 1.2 and PSA Secure Storage 1.0 have for it.
    pub const fn psa_status(&self) -> i32 {
        match self {
            Self::Usage => NOT_PERMITTED,
            Self::Type | Self::Policy | Self::Material => INVALID_ARGUMENT,
            Self::Exists => ALREADY_EXISTS,
            Self::Algorithm => NOT_SUPPORTED,
            Self::Version | Self::UnknownType | Self::UnknownUsage | Self::Malformed => DATA_INVALID,
            Self::Stale => INVALID_HANDLE,
            Self::NotRetired | Self::Exhausted => BAD_STATE,
            Self::NoPrevious => DOES_NOT_EXIST,
            Self::Store(error) => match error {
                StoreError::Full | StoreError::IndexFull | StoreError::ValueTooLong => INSUFFICIENT_STORAGE,
                StoreError::NotFound => DOES_NOT_EXIST,
                StoreError::Buffer => BUFFER_TOO_SMALL,
                StoreError::Tampered | StoreError::KeyLost => DATA_CORRUPT,
                StoreError::Unformatted | StoreError::Version | StoreError::Geometry | StoreError::Cipher => {
                    DATA_INVALID
                }
                StoreError::AeadUnsuitable | StoreError::Layout => INVALID_ARGUMENT,
                StoreError::Exhausted | StoreError::ReadBack | StoreError::Flash(_) => STORAGE_FAILURE,
                StoreError::Crypto(error) => crypto(error),
                StoreError::RootKey(_) | StoreError::Counter(_) => HARDWARE_FAILURE,
                StoreError::WriteOnce => NOT_PERMITTED,
                StoreError::Limit => INSUFFICIENT_STORAGE,
                StoreError::NotCounter => INVALID_ARGUMENT,
                StoreError::RolledBack => DATA_CORRUPT,
                StoreError::ReplayProtection | StoreError::NoUserDomain => NOT_SUPPORTED,
            },
            Self::Crypto(error) => crypto(error),
        }
    }
}

const fn crypto(error: &CryptoError) -> i32 {
    match error {
        CryptoError::Signature | CryptoError::Tag => INVALID_SIGNATURE,
        CryptoError::KeyLength | CryptoError::PublicKey | CryptoError::Length => INVALID_ARGUMENT,
        CryptoError::Entropy => INSUFFICIENT_ENTROPY,
        CryptoError::Driver => HARDWARE_FAILURE,
        _ => GENERIC_ERROR,
    }
}

impl ErrorCode for KeyError {
    fn code(&self) -> u16 {
        match self {
            Self::Usage => 3101,
            Self::Type => 3102,
            Self::Exists => 3103,
            Self::Policy => 3104,
            Self::Algorithm => 3105,
            Self::Material => 3106,
            Self::Version => 3107,
            Self::UnknownType => 3108,
            Self::UnknownUsage => 3109,
            Self::Malformed => 3110,
            Self::Stale => 3111,
            Self::NotRetired => 3112,
            Self::NoPrevious => 3113,
            Self::Exhausted => 3114,
            Self::Store(error) => error.code(),
            Self::Crypto(error) => error.code(),
        }
    }

    fn fault(&self) -> Fault {
        match self {
            Self::Material => Fault::Input,
            Self::Version | Self::UnknownType | Self::UnknownUsage | Self::Malformed | Self::Exhausted => {
                Fault::Device
            }
            Self::Store(error) => error.fault(),
            Self::Crypto(error) => error.fault(),
            _ => Fault::Misuse,
        }
    }
}
