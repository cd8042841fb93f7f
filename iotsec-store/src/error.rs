use iotsec_core::{
    crypto::CryptoError,
    error::{ErrorCode, Fault},
    hal::{CounterError, FlashError, RootKeyError},
};

/// Why the store refused.
///
/// No error loses data: what was stored before a call that fails is there after it.
///
/// ```
/// use iotsec_core::error::{ErrorCode, Fault};
/// use iotsec_store::StoreError;
///
/// assert_eq!((StoreError::Full.code(), StoreError::Full.fault()), (3005, Fault::Misuse));
/// assert_eq!(StoreError::Tampered.fault(), Fault::Input);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no store in this region, or formatting was interrupted.
    #[error("region holds no store")]
    Unformatted,
    /// The store was made by a format version that this code does not know.
    #[error("format version unknown")]
    Version,
    /// The store was made for another page or word size, or number of pages; or with a user domain where none is wanted
    /// now ([`DeviceOnly`](crate::DeviceOnly)), or the other way round. Where none is wanted, also another cipher, which
    /// nothing tells from that.
    #[error("store was made for another geometry")]
    Geometry,
    /// No value under this key.
    #[error("no value under this key")]
    NotFound,
    /// No room; removing always works. A value needs its length, 24 bytes, and what is missing to a word.
    #[error("store is full")]
    Full,
    /// The value is longer than [`Store::max_value_len`](crate::Store::max_value_len).
    #[error("value too long")]
    ValueTooLong,
    /// The caller's output buffer is shorter than the value.
    #[error("output buffer too small")]
    Buffer,
    /// Flash holds something that this device did not store under this key and in this place, or holds
    /// nothing legible where something was stored.
    #[error("stored value fails authentication")]
    Tampered,
    /// The key of the user domain is gone although nobody erased it. What it protected cannot be read, and is
    /// kept until [`Store::erase_user`](crate::Store::erase_user) gives it up.
    #[error("domain key lost")]
    KeyLost,
    /// More keys than the caller's index has entries.
    #[error("index is full")]
    IndexFull,
    /// The cipher does not survive a repeated nonce.
    #[error("cipher unsuitable for storage")]
    AeadUnsuitable,
    /// Fewer than four pages, or three without a user domain, or pages or the buffer too small for a record.
    #[error("region or buffer too small for a store")]
    Layout,
    /// The page counter is used up, after 2^32 pages.
    #[error("page counter used up")]
    Exhausted,
    /// What was written does not read back.
    #[error("flash does not hold what was written")]
    ReadBack,
    /// The value under this key was stored for good.
    #[error("value is write-once")]
    WriteOnce,
    /// The domain has no room left of what [`Store::set_limit`](crate::Store::set_limit) gave it.
    #[error("domain is at its limit")]
    Limit,
    /// A value is stored under this key, not a number that counts.
    #[error("not a counter")]
    NotCounter,
    /// The flash holds an earlier state of the store than the monotonic counter does.
    #[error("flash was rolled back")]
    RolledBack,
    /// The store was formatted with another kind of protection against replay.
    #[error("store was formatted with other replay protection")]
    ReplayProtection,
    /// The store is sealed with another cipher than the one given: AES-256-GCM-SIV and ChaCha20-HMAC-SIV do not open what
    /// the other sealed.
    #[error("store is sealed with another cipher")]
    Cipher,
    /// The store has no user domain: [`DeviceOnly`](crate::DeviceOnly).
    #[error("store has no user domain")]
    NoUserDomain,
    /// The monotonic counter failed. What was to be written may be written.
    #[error(transparent)]
    Counter(#[from] CounterError),
    /// The flash driver failed.
    #[error(transparent)]
    Flash(#[from] FlashError),
    /// Key derivation, entropy or the cipher failed.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
    /// The root key is unavailable or weak.
    #[error(transparent)]
    RootKey(#[from] RootKeyError),
}

impl ErrorCode for StoreError {
    fn code(&self) -> u16 {
        match self {
            Self::Unformatted => 3001,
            Self::Version => 3002,
            Self::Geometry => 3003,
            Self::NotFound => 3004,
            Self::Full => 3005,
            Self::ValueTooLong => 3006,
            Self::Buffer => 3007,
            Self::Tampered => 3008,
            Self::KeyLost => 3009,
            Self::IndexFull => 3010,
            Self::AeadUnsuitable => 3011,
            Self::Layout => 3012,
            Self::Exhausted => 3013,
            Self::ReadBack => 3014,
            Self::WriteOnce => 3015,
            Self::Limit => 3016,
            Self::NotCounter => 3017,
            Self::RolledBack => 3018,
            Self::ReplayProtection => 3019,
            Self::Cipher => 3020,
            Self::NoUserDomain => 3021,
            Self::Counter(error) => error.code(),
            Self::Flash(error) => error.code(),
            Self::Crypto(error) => error.code(),
            Self::RootKey(error) => error.code(),
        }
    }

    fn fault(&self) -> Fault {
        match self {
            Self::Tampered | Self::RolledBack => Fault::Input,
            Self::Counter(error) => error.fault(),
            Self::Unformatted | Self::Version | Self::KeyLost | Self::Exhausted | Self::ReadBack => {
                Fault::Device
            }
            Self::Flash(error) => error.fault(),
            Self::Crypto(error) => error.fault(),
            Self::RootKey(error) => error.fault(),
            _ => Fault::Misuse,
        }
    }
}
