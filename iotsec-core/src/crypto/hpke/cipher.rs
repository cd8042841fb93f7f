use crate::{
    crypto::{Aead, AeadAlgorithm, CryptoError, DIGEST_LEN, NONCE_LEN, TAG_LEN},
    secret::Secret,
};

/// A cipher that HPKE has a number for (RFC 9180 §7.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CipherId {
    /// AES-128-GCM.
    Aes128Gcm,
    /// ChaCha20-Poly1305.
    ChaCha20Poly1305,
}

impl CipherId {
    /// Its number.
    pub const fn number(self) -> u16 {
        match self {
            Self::Aes128Gcm => 1,
            Self::ChaCha20Poly1305 => 3,
        }
    }

    /// Bytes of its key.
    pub const fn key_len(self) -> usize {
        match self {
            Self::Aes128Gcm => 16,
            Self::ChaCha20Poly1305 => 32,
        }
    }

    /// Its key, from the front of what was derived.
    pub(super) fn key(self, derived: &Secret<DIGEST_LEN>) -> Result<&[u8], CryptoError> {
        derived
            .expose()
            .get(..self.key_len())
            .ok_or(CryptoError::KeyLength)
    }
}

/// Authenticated encryption for HPKE: every [`Aead`] that HPKE has a number for, and with feature `encryption`
/// [`Aes128Gcm`].
pub trait Cipher {
    /// Which cipher this is, if HPKE has it.
    fn id(&self) -> Option<CipherId>;
    /// Encrypts `buffer` under `key`, of [`CipherId::key_len`] bytes, and returns the tag.
    ///
    /// # Errors
    /// [`CryptoError::KeyLength`] for another length; [`CryptoError::Length`] beyond the cipher's limits;
    /// [`CryptoError::Driver`] from hardware.
    fn seal(
        &self,
        key: &[u8],
        nonce: &[u8; NONCE_LEN],
        aad: &[u8],
        buffer: &mut [u8],
    ) -> Result<[u8; TAG_LEN], CryptoError>;
    /// Decrypts `buffer`. On failure it holds nothing of the plaintext.
    ///
    /// # Errors
    /// [`CryptoError::Tag`] unless key, nonce, associated data, ciphertext and tag belong together; otherwise
    /// as [`seal`](Self::seal).
    fn open(
        &self,
        key: &[u8],
        nonce: &[u8; NONCE_LEN],
        aad: &[u8],
        buffer: &mut [u8],
        tag: &[u8; TAG_LEN],
    ) -> Result<(), CryptoError>;
}

impl<A: Aead> Cipher for A {
    fn id(&self) -> Option<CipherId> {
        match self.algorithm() {
            AeadAlgorithm::ChaCha20Poly1305 => Some(CipherId::ChaCha20Poly1305),
            AeadAlgorithm::Aes256GcmSiv | AeadAlgorithm::ChaCha20HmacSiv => None,
        }
    }
    fn seal(
        &self,
        key: &[u8],
        nonce: &[u8; NONCE_LEN],
        aad: &[u8],
        buffer: &mut [u8],
    ) -> Result<[u8; TAG_LEN], CryptoError> {
        Aead::seal(self, &Secret::from_slice(key)?, nonce, aad, buffer)
    }
    fn open(
        &self,
        key: &[u8],
        nonce: &[u8; NONCE_LEN],
        aad: &[u8],
        buffer: &mut [u8],
        tag: &[u8; TAG_LEN],
    ) -> Result<(), CryptoError> {
        Aead::open(self, &Secret::from_slice(key)?, nonce, aad, buffer, tag)
    }
}

/// AES-128-GCM (SP 800-38D), in software.
#[cfg(feature = "encryption")]
#[derive(Clone, Copy, Debug, Default)]
pub struct Aes128Gcm;

#[cfg(feature = "encryption")]
impl Cipher for Aes128Gcm {
    fn id(&self) -> Option<CipherId> {
        Some(CipherId::Aes128Gcm)
    }
    fn seal(
        &self,
        key: &[u8],
        nonce: &[u8; NONCE_LEN],
        aad: &[u8],
        buffer: &mut [u8],
    ) -> Result<[u8; TAG_LEN], CryptoError> {
        use crate::crypto::{Aes128GcmStream, ContentDecrypt, ContentEncrypt};

        let mut cipher = Aes128GcmStream::new();
        cipher.start(key, nonce, aad)?;
        cipher.encrypt(buffer)?;
        cipher.tag()?.ok_or(CryptoError::Algorithm)
    }
    fn open(
        &self,
        key: &[u8],
        nonce: &[u8; NONCE_LEN],
        aad: &[u8],
        buffer: &mut [u8],
        tag: &[u8; TAG_LEN],
    ) -> Result<(), CryptoError> {
        use crate::crypto::{Aes128GcmStream, ContentDecrypt};

        let mut cipher = Aes128GcmStream::new();
        cipher.start(key, nonce, aad)?;
        let opened = cipher.decrypt(buffer).and_then(|()| cipher.finish(tag));
        if opened.is_err() {
            zeroize::Zeroize::zeroize(buffer);
        }
        opened
    }
}
