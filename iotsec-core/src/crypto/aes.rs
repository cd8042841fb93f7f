//! AES in counter mode and AES key wrap.

use aes::cipher::{KeyIvInit, StreamCipher, StreamCipherSeek};
use aes_kw::KeyInit;

use super::{
    CryptoError, TAG_LEN,
    apart::apart,
    content::{ContentAlgorithm, ContentDecrypt, ContentEncrypt, KeyUnwrap, KeyWrap, KeyWrapAlgorithm},
};
use crate::secret::Secret;

/// How deep work with a key goes, in bytes of stack.
const DEPTH: usize = 1216;

macro_rules! counter_mode {
    ($(#[$doc:meta])* $name:ident, $cipher:ty) => {
        $(#[$doc])*
        #[derive(Default)]
        pub struct $name(Option<ctr::Ctr128BE<$cipher>>);

        impl $name {
            /// No key yet.
            pub const fn new() -> Self {
                Self(None)
            }

            // Dropped where it lies: what is taken out leaves its bytes behind.
            fn forget(&mut self) -> Result<(), CryptoError> {
                if self.0.is_none() {
                    return Err(CryptoError::Length);
                }
                self.0 = None;
                Ok(())
            }

            fn apply(&mut self, buffer: &mut [u8]) -> Result<(), CryptoError> {
                let cipher = self.0.as_mut().ok_or(CryptoError::Length)?;
                apart::<DEPTH, _>(|| cipher.try_apply_keystream(buffer)).map_err(|_| CryptoError::Length)
            }
        }

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }

        impl ContentDecrypt for $name {
            fn algorithm(&self) -> ContentAlgorithm {
                ContentAlgorithm::$name
            }
            fn start(&mut self, key: &[u8], iv: &[u8], aad: &[u8]) -> Result<(), CryptoError> {
                self.0 = None;
                if !aad.is_empty() {
                    return Err(CryptoError::Length);
                }
                apart::<DEPTH, _>(|| {
                    let cipher = ctr::Ctr128BE::new_from_slices(key, iv);
                    self.0 = Some(cipher.map_err(|_| CryptoError::KeyLength)?);
                    Ok(())
                })
            }
            fn seek(&mut self, position: u32) -> Result<(), CryptoError> {
                let cipher = self.0.as_mut().ok_or(CryptoError::Length)?;
                cipher.try_seek(position).map_err(|_| CryptoError::Length)
            }
            fn decrypt(&mut self, buffer: &mut [u8]) -> Result<(), CryptoError> {
                self.apply(buffer)
            }
            fn finish(&mut self, tag: &[u8]) -> Result<(), CryptoError> {
                self.forget()?;
                if tag.is_empty() { Ok(()) } else { Err(CryptoError::Tag) }
            }
        }

        impl ContentEncrypt for $name {
            fn encrypt(&mut self, buffer: &mut [u8]) -> Result<(), CryptoError> {
                self.apply(buffer)
            }
            fn tag(&mut self) -> Result<Option<[u8; TAG_LEN]>, CryptoError> {
                self.forget()?;
                Ok(None)
            }
        }
    };
}

counter_mode!(
    /// AES-128 in counter mode (COSE algorithm -65534): the 16-byte IV is the first counter block, and
    /// the whole block counts.
    Aes128Ctr,
    aes::Aes128
);
counter_mode!(
    /// AES-256 in counter mode (COSE algorithm -65532).
    Aes256Ctr,
    aes::Aes256
);

macro_rules! key_wrap {
    ($(#[$doc:meta])* $name:ident, $(#[$key_doc:meta])* $key:ident, $algorithm:ident, $cipher:ty, $len:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default)]
        pub struct $name;

        impl KeyWrap for $name {
            fn algorithm(&self) -> KeyWrapAlgorithm {
                KeyWrapAlgorithm::$algorithm
            }
            fn wrap(&self, kek: &[u8], key: &[u8], wrapped: &mut [u8]) -> Result<(), CryptoError> {
                check_lengths(key, wrapped)?;
                apart::<DEPTH, _>(|| {
                    let cipher = <$cipher>::new_from_slice(kek).map_err(|_| CryptoError::KeyLength)?;
                    cipher.wrap_key(key, wrapped).map_err(|_| CryptoError::KeyLength)?;
                    Ok(())
                })
            }
            fn unwrap(&self, kek: &[u8], wrapped: &[u8], key: &mut [u8]) -> Result<(), CryptoError> {
                check_lengths(key, wrapped)?;
                apart::<DEPTH, _>(|| {
                    let cipher = <$cipher>::new_from_slice(kek).map_err(|_| CryptoError::KeyLength)?;
                    cipher.unwrap_key(wrapped, key).map_err(|_| CryptoError::Tag)?;
                    Ok(())
                })
            }
        }

        $(#[$key_doc])*
        #[derive(Debug)]
        pub struct $key(Secret<$len>);

        impl $key {
            /// Takes the key over.
            pub const fn new(key: Secret<$len>) -> Self {
                Self(key)
            }
        }

        impl KeyUnwrap for $key {
            fn algorithm(&self) -> KeyWrapAlgorithm {
                KeyWrapAlgorithm::$algorithm
            }
            fn unwrap(&self, wrapped: &[u8], key: &mut [u8]) -> Result<(), CryptoError> {
                $name.unwrap(self.0.expose(), wrapped, key)
            }
        }
    };
}

key_wrap!(
    /// AES-128 key wrap (RFC 3394).
    Aes128KeyWrap,
    /// A 128-bit key-encryption key in memory.
    Aes128WrappingKey,
    Aes128,
    aes_kw::KwAes128,
    16
);
key_wrap!(
    /// AES-256 key wrap (RFC 3394).
    Aes256KeyWrap,
    /// A 256-bit key-encryption key in memory.
    Aes256WrappingKey,
    Aes256,
    aes_kw::KwAes256,
    32
);

/// RFC 3394 §2 wraps two or more blocks of eight bytes.
fn check_lengths(key: &[u8], wrapped: &[u8]) -> Result<(), CryptoError> {
    let fits = key.len() >= 16
        && key.len().is_multiple_of(8)
        && key.len().checked_add(KeyWrapAlgorithm::OVERHEAD) == Some(wrapped.len());
    if fits { Ok(()) } else { Err(CryptoError::KeyLength) }
}
