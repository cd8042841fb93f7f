//! Small dyn-safe traits for the algorithms, so that a secure element, a PSA driver or an
//! accelerator can take the place of software, and the RustCrypto suite that implements them.
//!
//! A key is an object: it knows its type, so a signature made for one algorithm can never be
//! checked with another. What is not named by the application is not linked.
//!
//! | suite | feature | what it has |
//! |---|---|---|
//! | RustCrypto and dalek | `rustcrypto` and its companions | everything, on every target |
//! | `crypto::ring` | `ring` | ChaCha20-Poly1305 and P-256, several times faster where Linux runs |
//! | `crypto::aws_lc` | `aws-lc` | likewise, and AES-256-GCM-SIV |

use crate::{
    error::{ErrorCode, Fault},
    secret::Secret,
};

mod content;
pub use content::{
    AgreementCurve, ContentAlgorithm, ContentDecrypt, ContentEncrypt, KeyAgreement, KeyUnwrap, KeyWrap,
    KeyWrapAlgorithm,
};

#[cfg(any(feature = "rustcrypto", feature = "argon2"))]
mod apart;
#[cfg(feature = "rustcrypto")]
mod rustcrypto;
#[cfg(feature = "rustcrypto")]
mod siv;
#[cfg(all(feature = "rustcrypto", any(test, target_pointer_width = "32")))]
mod wide_aes;
#[cfg(feature = "rustcrypto")]
pub use rustcrypto::{
    Aes256GcmSiv, ChaCha20Poly1305, Ed25519PublicKey, Ed25519SigningKey, HkdfSha256, Sha256, Sha512,
};
#[cfg(feature = "rustcrypto")]
pub use siv::ChaCha20HmacSiv;

#[cfg(feature = "ed25519-small")]
mod ed25519_small;
#[cfg(feature = "ed25519-small")]
pub use ed25519_small::Ed25519SmallPublicKey;

#[cfg(feature = "p256")]
mod p256;
#[cfg(feature = "p256")]
pub use p256::{P256AgreementKey, P256PublicKey, P256SigningKey, PublicKey};

#[cfg(feature = "aws-lc")]
pub mod aws_lc;
#[cfg(feature = "ring")]
pub mod ring;
#[cfg(any(feature = "ring", feature = "aws-lc"))]
mod ring_api;

#[cfg(feature = "x25519")]
mod x25519;
#[cfg(feature = "x25519")]
pub use x25519::X25519Key;

#[cfg(feature = "hpke")]
pub mod hpke;

#[cfg(feature = "argon2")]
mod argon2id;
#[cfg(feature = "argon2")]
pub use argon2id::{Argon2Block, Argon2id};

#[cfg(feature = "encryption")]
mod aes;
#[cfg(feature = "encryption")]
pub use aes::{Aes128Ctr, Aes128KeyWrap, Aes128WrappingKey, Aes256Ctr, Aes256KeyWrap, Aes256WrappingKey};
#[cfg(feature = "encryption")]
mod stream_aead;
#[cfg(feature = "encryption")]
pub use stream_aead::{Aes128GcmStream, ChaCha20Poly1305Stream};

#[cfg(feature = "lms")]
mod hss_lms;
#[cfg(feature = "lms")]
pub use hss_lms::HssLmsPublicKey;

#[cfg(feature = "ml-dsa")]
mod ml_dsa;
#[cfg(feature = "ml-dsa")]
pub use ml_dsa::MlDsa44PublicKey;

mod key_bytes;
pub use key_bytes::{AgreementKey, SigningKey, VerifyingKey};

mod symmetric_key;
pub use symmetric_key::SymmetricKey;

/// Bytes of an Ed25519 or a raw (r‖s) P-256 signature.
pub const SIGNATURE_LEN: usize = 64;
/// Bytes of a SHA-256 digest.
pub const DIGEST_LEN: usize = 32;
/// Bytes of a SHA-512 digest.
pub const WIDE_DIGEST_LEN: usize = 64;
/// Bytes of a nonce of every AEAD here.
pub const NONCE_LEN: usize = 12;
/// Bytes of a tag of every AEAD here.
pub const TAG_LEN: usize = 16;

/// What a key is, and so which signatures or MACs it can check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyType {
    /// Ed25519 (RFC 8032); the public key has 32 bytes.
    Ed25519,
    /// ECDSA on P-256 with SHA-256 (FIPS 186-5); the public key is the 65-byte uncompressed point.
    P256,
    /// HSS-LMS with SHA-256 (RFC 8554); the public key has 60 bytes. Every signature uses up a part of
    /// the private key, of which nothing may ever be used twice.
    HssLms,
    /// ML-DSA-44 (FIPS 204); the public key has 1312 bytes.
    MlDsa44,
    /// HMAC-SHA-256 with all 32 bytes (RFC 2104), a shared key: it checks MACs and no signature, and
    /// whoever checks could forge. In place of a public key stand 32 bytes derived from it.
    HmacSha256,
}

/// Why a cryptographic operation did not succeed.
///
/// Failures that touch secrets are one value each: nothing tells a wrong tag from a wrong key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum CryptoError {
    /// The signature does not verify under this key.
    #[error("signature does not verify")]
    Signature,
    /// The ciphertext, its associated data, nonce or key is not what was sealed.
    #[error("authenticated decryption failed")]
    Tag,
    /// A key has the wrong number of bytes.
    #[error("wrong key length")]
    KeyLength,
    /// A public key is malformed, weak, or not on the curve.
    #[error("public key refused")]
    PublicKey,
    /// The entropy source failed or is stuck.
    #[error("entropy source failed")]
    Entropy,
    /// More bytes were asked for, or given, than the algorithm allows.
    #[error("length out of the algorithm's range")]
    Length,
    /// A hardware driver behind one of the traits failed.
    #[error("cryptographic driver failed")]
    Driver,
    /// What is needed here was not given to the device.
    #[error("algorithm not available")]
    Algorithm,
}

impl ErrorCode for CryptoError {
    fn code(&self) -> u16 {
        match self {
            Self::Signature => 1201,
            Self::Tag => 1202,
            Self::KeyLength => 1203,
            Self::PublicKey => 1204,
            Self::Entropy => 1205,
            Self::Length => 1206,
            Self::Driver => 1207,
            Self::Algorithm => 1208,
        }
    }

    fn fault(&self) -> Fault {
        match self {
            Self::Signature | Self::Tag | Self::PublicKey => Fault::Input,
            Self::KeyLength | Self::Length | Self::Algorithm => Fault::Misuse,
            Self::Entropy | Self::Driver => Fault::Device,
        }
    }
}

/// A key that checks: a public key, or a [`SymmetricKey`].
pub trait Verify {
    /// What kind of key this is.
    fn key_type(&self) -> KeyType;
    /// Its bytes in the form that [`KeyType`] states. Two trust anchors are the same key exactly when
    /// type and bytes are equal, whatever key identifier they carry.
    fn public_key(&self) -> &[u8];
    /// Checks a signature over `message`.
    ///
    /// # Errors
    /// [`CryptoError::Signature`] unless the signature is genuine and canonical.
    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), CryptoError>;
    /// Checks a signature over a message of which only the SHA-256 is known, where the algorithm begins
    /// with that hash (ECDSA). So a message too large for memory can be hashed as it is read.
    ///
    /// # Errors
    /// [`CryptoError::Signature`] unless the signature is genuine and canonical, and for every algorithm
    /// that needs the message itself (Ed25519).
    fn verify_prehash(&self, digest: &[u8; DIGEST_LEN], signature: &[u8]) -> Result<(), CryptoError> {
        let _ = (digest, signature);
        Err(CryptoError::Signature)
    }
}

/// A private signing key, in memory or behind a driver.
pub trait Sign {
    /// What kind of key this is.
    fn key_type(&self) -> KeyType;
    /// The public half, in the form that [`KeyType`] states.
    fn public_key(&self) -> &[u8];
    /// Signs `message`.
    ///
    /// # Errors
    /// [`CryptoError::Driver`] when hardware fails.
    fn sign(&self, message: &[u8], signature: &mut [u8; SIGNATURE_LEN]) -> Result<(), CryptoError>;
}

/// Which authenticated cipher an [`Aead`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AeadAlgorithm {
    /// ChaCha20-Poly1305 (RFC 8439), COSE algorithm 24. A nonce must never repeat under one key.
    ChaCha20Poly1305,
    /// AES-256-GCM-SIV (RFC 8452). A repeated nonce reveals only that two messages are equal.
    Aes256GcmSiv,
    /// ChaCha20-HMAC-SIV, our own composition (`ChaCha20HmacSiv`), for storage where nothing computes AES. A repeated
    /// nonce reveals only that two messages are equal. COSE has no number for it.
    ChaCha20HmacSiv,
}

impl AeadAlgorithm {
    /// Whether a repeated nonce does no worse than to reveal that two messages are equal.
    pub const fn survives_nonce_reuse(self) -> bool {
        matches!(self, Self::Aes256GcmSiv | Self::ChaCha20HmacSiv)
    }
}

/// Authenticated encryption with associated data, in place.
pub trait Aead {
    /// Which cipher this is.
    fn algorithm(&self) -> AeadAlgorithm;
    /// Encrypts `buffer` and returns the tag.
    ///
    /// # Errors
    /// [`CryptoError::Length`] beyond the algorithm's limits; [`CryptoError::Driver`] from hardware.
    fn seal(
        &self,
        key: &Secret<32>,
        nonce: &[u8; NONCE_LEN],
        aad: &[u8],
        buffer: &mut [u8],
    ) -> Result<[u8; TAG_LEN], CryptoError>;
    /// Decrypts `buffer`. On failure the buffer holds nothing of the plaintext.
    ///
    /// # Errors
    /// [`CryptoError::Tag`] unless key, nonce, associated data, ciphertext and tag belong together.
    fn open(
        &self,
        key: &Secret<32>,
        nonce: &[u8; NONCE_LEN],
        aad: &[u8],
        buffer: &mut [u8],
        tag: &[u8; TAG_LEN],
    ) -> Result<(), CryptoError>;
}

/// A running SHA-256 hash.
pub trait Digest {
    /// Forgets everything fed so far.
    fn reset(&mut self);
    /// Feeds bytes. Any split of the same bytes gives the same digest.
    fn update(&mut self, bytes: &[u8]);
    /// The digest of the bytes fed since the last reset, and resets.
    fn finish(&mut self) -> [u8; DIGEST_LEN];
}

/// A running SHA-512 hash, for formats that others defined over it.
pub trait WideDigest {
    /// Forgets everything fed so far.
    fn reset(&mut self);
    /// Feeds bytes. Any split of the same bytes gives the same digest.
    fn update(&mut self, bytes: &[u8]);
    /// The digest of the bytes fed since the last reset, and resets.
    fn finish(&mut self) -> [u8; WIDE_DIGEST_LEN];
}

/// Key derivation and message authentication with HMAC-SHA-256.
pub trait Kdf {
    /// HKDF (RFC 5869), extract and expand. `info` is the concatenation of its parts: every part that
    /// can vary in length must be preceded by its length.
    ///
    /// # Errors
    /// [`CryptoError::Length`] when `out` is longer than 255 × 32 bytes.
    fn hkdf(&self, salt: &[u8], key: &[u8], info: &[&[u8]], out: &mut [u8]) -> Result<(), CryptoError>;
    /// HMAC-SHA-256 (RFC 2104) over the concatenation of `parts`, under the same rule.
    ///
    /// # Errors
    /// [`CryptoError::Driver`] when hardware fails.
    fn hmac(&self, key: &[u8], parts: &[&[u8]]) -> Result<[u8; DIGEST_LEN], CryptoError>;
}

/// Stretching of passwords that costs memory: Argon2id (RFC 9106), version 19, with one lane, no secret and no
/// associated data.
pub trait MemoryHard {
    /// 32 bytes from a password, with `kib` KiB of memory that is filled `passes` times.
    ///
    /// # Errors
    /// [`CryptoError::Length`] when there is less memory, or a salt of fewer than 8 bytes.
    fn stretch(&self, password: &[u8], salt: &[u8], kib: u32, passes: u16)
    -> Result<Secret<32>, CryptoError>;
}

/// Whether the y coordinate that an Ed25519 point is encoded by lies below the field's prime, 2^255 - 19
/// (RFC 8032 §5.1.3).
#[cfg(any(feature = "rustcrypto", feature = "ed25519-small"))]
fn is_canonical_y([first, middle @ .., last]: &[u8; 32]) -> bool {
    *first < 0xED || *last & 0x7F != 0x7F || middle.iter().any(|byte| *byte != 0xFF)
}
