//! The suite on RustCrypto and dalek: software, constant time on cores without data-dependent
//! multiplication or cache timing.

use core::iter::once;

use aes_gcm_siv::{AeadInOut, KeyInit};
use ed25519_dalek::Signer;
use hmac::Mac;
use rand_core::TryCryptoRng;
use sha2::Digest as _;

use super::{
    Aead, AeadAlgorithm, CryptoError, DIGEST_LEN, Digest, Kdf, KeyType, NONCE_LEN, SIGNATURE_LEN, Sign,
    TAG_LEN, Verify, WIDE_DIGEST_LEN, WideDigest, apart::apart, is_canonical_y,
};
use crate::{cose, secret::Secret};

/// How deep work with a secret goes, in bytes of stack.
mod depth {
    pub(super) const HMAC: usize = 944;
    pub(super) const HKDF: usize = 1120;
    pub(super) const ED25519: usize = if cfg!(target_arch = "arm") { 3680 } else { 4224 };
    pub(super) const CHACHA20_POLY1305: usize = 944;
    pub(super) const AES_256_GCM_SIV: usize = 2240;
}

/// An Ed25519 public key that is a canonical point outside the small subgroup.
///
/// Verification is strict (RFC 8032 §5.1.7): S < L, and no small-order R.
///
/// ```
/// use iotsec_core::{crypto::{Ed25519PublicKey, Ed25519SigningKey, Sign, Verify}, secret::Secret};
///
/// let key = Ed25519SigningKey::from_seed(&Secret::from_bytes([7; 32]));
/// let mut signature = [0; 64];
/// key.sign(b"hello", &mut signature)?;
/// let public = Ed25519PublicKey::from_bytes(key.public_key())?;
/// assert!(public.verify(b"hello", &signature).is_ok());
/// assert!(public.verify(b"hellO", &signature).is_err());
/// # Ok::<(), iotsec_core::crypto::CryptoError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ed25519PublicKey(ed25519_dalek::VerifyingKey);

impl Ed25519PublicKey {
    /// Reads a 32-byte public key.
    ///
    /// # Errors
    /// [`CryptoError::KeyLength`], or [`CryptoError::PublicKey`] for a point that is not on the
    /// curve, not canonically encoded, or weak.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CryptoError> {
        let bytes: &[u8; 32] = bytes.try_into().map_err(|_| CryptoError::KeyLength)?;
        let key = ed25519_dalek::VerifyingKey::from_bytes(bytes).map_err(|_| CryptoError::PublicKey)?;
        if key.is_weak() || !is_canonical_y(bytes) {
            return Err(CryptoError::PublicKey);
        }
        Ok(Self(key))
    }

    /// The public half of a COSE_Key.
    ///
    /// # Errors
    /// [`CryptoError::PublicKey`] for a key of another type, and as [`from_bytes`](Self::from_bytes).
    pub fn from_cose(key: &cose::Key<'_>) -> Result<Self, CryptoError> {
        match key.key_type() {
            KeyType::Ed25519 => Self::from_bytes(key.x()),
            _ => Err(CryptoError::PublicKey),
        }
    }
}

impl Verify for Ed25519PublicKey {
    fn key_type(&self) -> KeyType {
        KeyType::Ed25519
    }
    fn public_key(&self) -> &[u8] {
        self.0.as_bytes()
    }
    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        let bytes: &[u8; SIGNATURE_LEN] = signature.try_into().map_err(|_| CryptoError::Signature)?;
        let signature = ed25519_dalek::Signature::from_bytes(bytes);
        self.0
            .verify_strict(message, &signature)
            .map_err(|_| CryptoError::Signature)
    }
}

/// An Ed25519 private key; wiped on drop.
pub struct Ed25519SigningKey {
    key: ed25519_dalek::SigningKey,
    public: [u8; 32],
}

impl Ed25519SigningKey {
    /// The key of a 32-byte seed (RFC 8032 §5.1.5).
    pub fn from_seed(seed: &Secret<32>) -> Self {
        apart::<{ depth::ED25519 }, _>(|| {
            let key = ed25519_dalek::SigningKey::from_bytes(seed.expose());
            let public = key.verifying_key().to_bytes();
            Self { key, public }
        })
    }

    /// A fresh key.
    ///
    /// # Errors
    /// [`CryptoError::Entropy`] when the source fails.
    pub fn generate<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<Self, CryptoError> {
        Ok(Self::from_seed(&Secret::random(rng)?))
    }
}

impl core::fmt::Debug for Ed25519SigningKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Ed25519SigningKey(..)")
    }
}

impl Sign for Ed25519SigningKey {
    fn key_type(&self) -> KeyType {
        KeyType::Ed25519
    }
    fn public_key(&self) -> &[u8] {
        &self.public
    }
    fn sign(&self, message: &[u8], signature: &mut [u8; SIGNATURE_LEN]) -> Result<(), CryptoError> {
        apart::<{ depth::ED25519 }, _>(|| *signature = self.key.sign(message).to_bytes());
        Ok(())
    }
}

/// SHA-256 (FIPS 180-4).
#[derive(Clone, Default)]
pub struct Sha256(sha2::Sha256);

impl Sha256 {
    /// An empty hash.
    pub fn new() -> Self {
        Self::default()
    }

    /// The digest of the concatenation of `parts`.
    pub fn of(parts: &[&[u8]]) -> [u8; DIGEST_LEN] {
        let mut hash = Self::new();
        for part in parts {
            Digest::update(&mut hash, part);
        }
        hash.finish()
    }
}

impl core::fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Sha256(..)")
    }
}

impl Digest for Sha256 {
    fn reset(&mut self) {
        self.0.reset();
    }
    fn update(&mut self, bytes: &[u8]) {
        absorb(&mut self.0, bytes);
    }
    fn finish(&mut self) -> [u8; DIGEST_LEN] {
        squeeze(&mut self.0)
    }
}

/// SHA-512 (FIPS 180-4).
///
/// ```
/// use iotsec_core::crypto::{Sha512, WideDigest};
///
/// let mut hash = Sha512::new();
/// hash.update(b"abc");
/// assert_eq!(hash.finish()[..4], [0xDD, 0xAF, 0x35, 0xA1]);
/// ```
#[derive(Clone, Default)]
pub struct Sha512(sha2::Sha512);

impl Sha512 {
    /// An empty hash.
    pub fn new() -> Self {
        Self::default()
    }
}

impl core::fmt::Debug for Sha512 {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Sha512(..)")
    }
}

impl WideDigest for Sha512 {
    fn reset(&mut self) {
        self.0.reset();
    }
    fn update(&mut self, bytes: &[u8]) {
        sha2::Digest::update(&mut self.0, bytes);
    }
    fn finish(&mut self) -> [u8; WIDE_DIGEST_LEN] {
        self.0.finalize_reset().into()
    }
}

/// HKDF and HMAC over SHA-256.
#[derive(Clone, Copy, Debug, Default)]
pub struct HkdfSha256;

impl Kdf for HkdfSha256 {
    fn hkdf(&self, salt: &[u8], key: &[u8], info: &[&[u8]], out: &mut [u8]) -> Result<(), CryptoError> {
        if out.len() > HKDF_MAX_LEN {
            return Err(CryptoError::Length);
        }
        apart::<{ depth::HKDF }, _>(|| extract_and_expand(salt, key, info, out))
    }
    fn hmac(&self, key: &[u8], parts: &[&[u8]]) -> Result<[u8; DIGEST_LEN], CryptoError> {
        apart::<{ depth::HMAC }, _>(|| mac(key, &mut parts.iter().copied()))
    }
}

/// Bytes that HKDF-SHA-256 gives at most (RFC 5869 §2.3).
const HKDF_MAX_LEN: usize = 255 * DIGEST_LEN;

/// RFC 5869 §2.
fn extract_and_expand(salt: &[u8], key: &[u8], info: &[&[u8]], out: &mut [u8]) -> Result<(), CryptoError> {
    let prk = Secret::from_bytes(mac(salt, &mut once(key))?);
    let mut block = Secret::<DIGEST_LEN>::zero();
    let mut previous: &[u8] = &[];
    for (counter, out) in (1_u8..=255).zip(out.chunks_mut(DIGEST_LEN)) {
        let counter = [counter];
        let parts = once(previous)
            .chain(info.iter().copied())
            .chain(once(&counter[..]));
        *block.expose_mut() = mac(prk.expose(), &mut { parts })?;
        for (to, from) in out.iter_mut().zip(block.expose()) {
            *to = *from;
        }
        previous = block.expose();
    }
    Ok(())
}

// Out of line: each inlined copy is half a kilobyte.
#[inline(never)]
pub(super) fn mac(
    key: &[u8],
    parts: &mut dyn Iterator<Item = &[u8]>,
) -> Result<[u8; DIGEST_LEN], CryptoError> {
    let mut mac =
        <hmac::Hmac<sha2::Sha256> as KeyInit>::new_from_slice(key).map_err(|_| CryptoError::KeyLength)?;
    for part in parts {
        mac.update(part);
    }
    Ok(mac.finalize().into_bytes().into())
}

// Out of line, both: each inlined copy is a quarter of a kilobyte.
#[inline(never)]
fn absorb(hash: &mut sha2::Sha256, bytes: &[u8]) {
    sha2::Digest::update(hash, bytes);
}

#[inline(never)]
fn squeeze(hash: &mut sha2::Sha256) -> [u8; DIGEST_LEN] {
    hash.finalize_reset().into()
}

macro_rules! aead {
    ($(#[$doc:meta])* $name:ident, $cipher:ty, $depth:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default)]
        pub struct $name;

        impl Aead for $name {
            fn algorithm(&self) -> AeadAlgorithm {
                AeadAlgorithm::$name
            }
            fn seal(
                &self,
                key: &Secret<32>,
                nonce: &[u8; NONCE_LEN],
                aad: &[u8],
                buffer: &mut [u8],
            ) -> Result<[u8; TAG_LEN], CryptoError> {
                apart::<{ $depth }, _>(|| {
                    <$cipher>::new(key.expose().into())
                        .encrypt_inout_detached(nonce.into(), aad, buffer.into())
                        .map(Into::into)
                        .map_err(|_| CryptoError::Length)
                })
            }
            fn open(
                &self,
                key: &Secret<32>,
                nonce: &[u8; NONCE_LEN],
                aad: &[u8],
                buffer: &mut [u8],
                tag: &[u8; TAG_LEN],
            ) -> Result<(), CryptoError> {
                let done = apart::<{ $depth }, _>(|| {
                    <$cipher>::new(key.expose().into()).decrypt_inout_detached(
                        nonce.into(),
                        aad,
                        (&mut *buffer).into(),
                        tag.into(),
                    )
                });
                // GCM-SIV decrypts before it can check: what failed must not stay in the buffer.
                done.map_err(|_| {
                    zeroize::Zeroize::zeroize(buffer);
                    CryptoError::Tag
                })
            }
        }
    };
}

aead!(
    /// ChaCha20-Poly1305 (RFC 8439), for messages on the wire.
    ChaCha20Poly1305,
    chacha20poly1305::ChaCha20Poly1305,
    depth::CHACHA20_POLY1305
);
aead!(
    /// AES-256-GCM-SIV (RFC 8452), for storage: a nonce that repeats, because the flash was rolled
    /// back, reveals no more than that two records are equal.
    Aes256GcmSiv,
    Aes256GcmSivCipher,
    depth::AES_256_GCM_SIV
);

/// Software on processors of 32 bits, which have no instructions for AES as a rule.
#[cfg(target_pointer_width = "32")]
type Aes256GcmSivCipher = aes_gcm_siv::AesGcmSiv<super::wide_aes::WideAes256>;
#[cfg(not(target_pointer_width = "32"))]
type Aes256GcmSivCipher = aes_gcm_siv::Aes256GcmSiv;
