//! Authenticated ciphers whose text arrives in pieces.

use aes::cipher::{BlockCipherEncrypt, KeyIvInit, StreamCipher, StreamCipherSeek};
use poly1305::universal_hash::{KeyInit, UniversalHash};
use zeroize::Zeroize;

use super::{
    CryptoError, NONCE_LEN, TAG_LEN,
    apart::apart,
    content::{ContentAlgorithm, ContentDecrypt, ContentEncrypt},
};
use crate::secret::{Secret, ct_eq};

/// ChaCha20-Poly1305 (RFC 8439, COSE algorithm 24) in pieces.
#[derive(Default)]
pub struct ChaCha20Poly1305Stream(Option<Running<chacha20::ChaCha20, poly1305::Poly1305>>);

/// AES-128-GCM (SP 800-38D, COSE algorithm 1) in pieces.
#[derive(Default)]
pub struct Aes128GcmStream(Option<Running<ctr::Ctr32BE<aes::Aes128>, ghash::GHash>>);

/// A cipher and a hash in the middle of a text.
struct Running<C, H> {
    cipher: C,
    hash: Padded<H>,
    aad_len: u64,
    text_len: u64,
    /// What the hash is masked with.
    mask: Secret<TAG_LEN>,
}

impl<C: StreamCipher, H: UniversalHash<BlockSize = BlockSize> + Clone> Running<C, H> {
    fn new(cipher: C, hash: H, aad: &[u8], mask: Secret<TAG_LEN>) -> Result<Self, CryptoError> {
        let aad_len = u64::try_from(aad.len()).map_err(|_| CryptoError::Length)?;
        let mut hash = Padded {
            hash,
            block: [0; BLOCK],
            fill: 0,
        };
        hash.update(aad);
        hash.pad();
        Ok(Self {
            cipher,
            hash,
            aad_len,
            text_len: 0,
            mask,
        })
    }

    fn apply(&mut self, buffer: &mut [u8], encrypt: bool) -> Result<(), CryptoError> {
        let len = u64::try_from(buffer.len()).map_err(|_| CryptoError::Length)?;
        let text_len = self.text_len.checked_add(len).filter(|len| *len <= MAX_TEXT);
        self.text_len = text_len.ok_or(CryptoError::Length)?;
        if !encrypt {
            self.hash.update(buffer);
        }
        self.cipher
            .try_apply_keystream(buffer)
            .map_err(|_| CryptoError::Length)?;
        if encrypt {
            self.hash.update(buffer);
        }
        Ok(())
    }

    /// Ends the text with its lengths.
    fn tag(&mut self, lengths: fn(u64) -> [u8; 8]) -> [u8; TAG_LEN] {
        self.hash.pad();
        self.hash.update(&lengths(self.aad_len));
        self.hash.update(&lengths(self.text_len));
        let mut tag = *self.mask.expose();
        for (byte, hashed) in tag.iter_mut().zip(self.hash.finish()) {
            *byte ^= hashed;
        }
        tag
    }
}

/// A hash of whole blocks that takes bytes.
struct Padded<H> {
    hash: H,
    block: [u8; BLOCK],
    fill: usize,
}

impl<H: UniversalHash<BlockSize = BlockSize> + Clone> Padded<H> {
    fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.fill == 0 {
                let (blocks, rest) = bytes.as_chunks::<BLOCK>();
                for block in blocks {
                    self.hash.update(&[(*block).into()]);
                }
                bytes = rest;
            }
            let room = self.block.get_mut(self.fill..).unwrap_or_default();
            let taken = room.len().min(bytes.len());
            for (to, from) in room.iter_mut().zip(bytes) {
                *to = *from;
            }
            self.fill = self.fill.saturating_add(taken);
            bytes = bytes.get(taken..).unwrap_or_default();
            if self.fill >= BLOCK {
                self.hash.update(&[self.block.into()]);
                self.fill = 0;
            }
        }
    }

    fn pad(&mut self) {
        if self.fill > 0 {
            for byte in self.block.iter_mut().skip(self.fill) {
                *byte = 0;
            }
            self.hash.update(&[self.block.into()]);
            self.fill = 0;
        }
    }

    fn finish(&self) -> [u8; BLOCK] {
        self.hash.clone().finalize().into()
    }
}

// `depth` is how deep work with a key goes, in bytes of stack.
macro_rules! stream_aead {
    ($name:ident, $algorithm:ident, $depth:literal, $start:ident, $lengths:expr) => {
        impl $name {
            /// No key yet.
            pub const fn new() -> Self {
                Self(None)
            }

            fn apply(&mut self, buffer: &mut [u8], encrypt: bool) -> Result<(), CryptoError> {
                let running = self.0.as_mut().ok_or(CryptoError::Length)?;
                apart::<$depth, _>(|| running.apply(buffer, encrypt))
            }

            fn end(&mut self) -> Result<[u8; TAG_LEN], CryptoError> {
                let running = self.0.as_mut().ok_or(CryptoError::Length)?;
                let tag = apart::<$depth, _>(|| running.tag($lengths));
                // Dropped where it lies: what is taken out leaves its bytes behind.
                self.0 = None;
                Ok(tag)
            }
        }

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }

        impl ContentDecrypt for $name {
            fn algorithm(&self) -> ContentAlgorithm {
                ContentAlgorithm::$algorithm
            }
            fn start(&mut self, key: &[u8], iv: &[u8], aad: &[u8]) -> Result<(), CryptoError> {
                self.0 = None;
                apart::<$depth, _>(|| {
                    self.0 = Some($start(key, iv, aad)?);
                    Ok(())
                })
            }
            fn seek(&mut self, _position: u32) -> Result<(), CryptoError> {
                Err(CryptoError::Length)
            }
            fn decrypt(&mut self, buffer: &mut [u8]) -> Result<(), CryptoError> {
                self.apply(buffer, false)
            }
            fn finish(&mut self, tag: &[u8]) -> Result<(), CryptoError> {
                if ct_eq(&self.end()?, tag) {
                    Ok(())
                } else {
                    Err(CryptoError::Tag)
                }
            }
        }

        impl ContentEncrypt for $name {
            fn encrypt(&mut self, buffer: &mut [u8]) -> Result<(), CryptoError> {
                self.apply(buffer, true)
            }
            fn tag(&mut self) -> Result<Option<[u8; TAG_LEN]>, CryptoError> {
                Ok(Some(self.end()?))
            }
        }
    };
}

stream_aead!(
    ChaCha20Poly1305Stream,
    ChaCha20Poly1305,
    1216,
    start_chacha,
    u64::to_le_bytes
);
stream_aead!(Aes128GcmStream, Aes128Gcm, 2448, start_gcm, |bytes| bytes
    .saturating_mul(8)
    .to_be_bytes());

/// RFC 8439 §2.6, §2.8.
fn start_chacha(
    key: &[u8],
    nonce: &[u8],
    aad: &[u8],
) -> Result<Running<chacha20::ChaCha20, poly1305::Poly1305>, CryptoError> {
    let mut cipher = chacha20::ChaCha20::new_from_slices(key, nonce).map_err(|_| CryptoError::KeyLength)?;
    let mut one_time = Secret::<32>::zero();
    let made = cipher.try_apply_keystream(one_time.expose_mut());
    let hash = poly1305::Poly1305::new(one_time.expose().into());
    made.map_err(|_| CryptoError::Length)?;
    // The text starts with the second block of the key stream.
    cipher.try_seek(64u32).map_err(|_| CryptoError::Length)?;
    Running::new(cipher, hash, aad, Secret::zero())
}

/// SP 800-38D §7.1, with a 96-bit IV.
fn start_gcm(
    key: &[u8],
    iv: &[u8],
    aad: &[u8],
) -> Result<Running<ctr::Ctr32BE<aes::Aes128>, ghash::GHash>, CryptoError> {
    let block = <aes::Aes128 as KeyInit>::new_from_slice(key).map_err(|_| CryptoError::KeyLength)?;
    let mut hash_key = Default::default();
    block.encrypt_block(&mut hash_key);
    let hash = ghash::GHash::new(&hash_key);
    hash_key.zeroize();
    let iv: &[u8; NONCE_LEN] = iv.try_into().map_err(|_| CryptoError::KeyLength)?;
    let mut first = [0; BLOCK];
    for (to, from) in first.iter_mut().zip(iv.iter().chain(&[0, 0, 0, 1])) {
        *to = *from;
    }
    let mut cipher =
        ctr::Ctr32BE::<aes::Aes128>::new_from_slices(key, &first).map_err(|_| CryptoError::KeyLength)?;
    let mut mask = Secret::zero();
    cipher
        .try_apply_keystream(mask.expose_mut())
        .map_err(|_| CryptoError::Length)?;
    Running::new(cipher, hash, aad, mask)
}

type BlockSize = aes::cipher::consts::U16;
const BLOCK: usize = 16;
/// Both ciphers end after 2^32 - 2 blocks of at least 16 bytes.
const MAX_TEXT: u64 = (1 << 36) - 32;
