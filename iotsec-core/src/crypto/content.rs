use super::{CryptoError, NONCE_LEN, TAG_LEN};
use crate::secret::Secret;

/// How a content is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ContentAlgorithm {
    /// AES-128 in counter mode (SP 800-38A, RFC 9459). Protects nothing against change, but any byte can
    /// be decrypted without those before it.
    Aes128Ctr,
    /// AES-256 in counter mode.
    Aes256Ctr,
    /// AES-128-GCM (SP 800-38D) with a 96-bit IV and a 128-bit tag.
    Aes128Gcm,
    /// ChaCha20-Poly1305 (RFC 8439).
    ChaCha20Poly1305,
}

impl ContentAlgorithm {
    /// Bytes of the longest key.
    pub const MAX_KEY_LEN: usize = 32;
    /// Bytes of the longest IV.
    pub const MAX_IV_LEN: usize = 16;

    /// Bytes of its key.
    pub const fn key_len(self) -> usize {
        match self {
            Self::Aes128Ctr | Self::Aes128Gcm => 16,
            Self::Aes256Ctr | Self::ChaCha20Poly1305 => 32,
        }
    }

    /// Bytes of its IV: the first counter block in counter mode, a nonce otherwise.
    pub const fn iv_len(self) -> usize {
        if self.is_authenticated() { NONCE_LEN } else { 16 }
    }

    /// Bytes of its tag, which follows the ciphertext.
    pub const fn tag_len(self) -> usize {
        if self.is_authenticated() { TAG_LEN } else { 0 }
    }

    /// Whether a changed ciphertext is noticed when its last byte has come. What is not must be covered
    /// by a digest, and what is has still been decrypted, unchecked, until then.
    pub const fn is_authenticated(self) -> bool {
        matches!(self, Self::Aes128Gcm | Self::ChaCha20Poly1305)
    }
}

/// Decrypts one long content that arrives in pieces.
///
/// What [`decrypt`](Self::decrypt) gives is not to be trusted before [`finish`](Self::finish) has said
/// so, and with [`ContentAlgorithm::is_authenticated`] false not before a digest over it was compared.
///
/// ```
/// use iotsec_core::crypto::{Aes128Ctr, ContentDecrypt, ContentEncrypt};
///
/// let mut text = *b"attack at dawn";
/// let mut cipher = Aes128Ctr::new();
/// cipher.start(&[1; 16], &[2; 16], &[])?; // never twice with the same key and IV to encrypt
/// cipher.encrypt(&mut text)?;
///
/// cipher.start(&[1; 16], &[2; 16], &[])?;
/// cipher.seek(10)?;
/// cipher.decrypt(&mut text[10..])?;
/// assert_eq!(&text[10..], b"dawn");
/// # Ok::<(), iotsec_core::crypto::CryptoError>(())
/// ```
pub trait ContentDecrypt {
    /// Which cipher this is.
    fn algorithm(&self) -> ContentAlgorithm;
    /// Starts at the first byte of a content, and forgets an earlier one.
    ///
    /// # Errors
    /// [`CryptoError::KeyLength`] for a key or IV of another length than [`ContentAlgorithm`] states;
    /// [`CryptoError::Length`] for associated data where the cipher has no place for them.
    fn start(&mut self, key: &[u8], iv: &[u8], aad: &[u8]) -> Result<(), CryptoError>;
    /// Goes to byte `position` of the content.
    ///
    /// # Errors
    /// [`CryptoError::Length`] from authenticated ciphers, which cannot, and before
    /// [`start`](Self::start).
    fn seek(&mut self, position: u32) -> Result<(), CryptoError>;
    /// Decrypts the next bytes in place.
    ///
    /// # Errors
    /// [`CryptoError::Length`] past the algorithm's limit and before [`start`](Self::start);
    /// [`CryptoError::Driver`] from hardware.
    fn decrypt(&mut self, buffer: &mut [u8]) -> Result<(), CryptoError>;
    /// Compares the tag (of no bytes in counter mode) and forgets the key.
    ///
    /// # Errors
    /// [`CryptoError::Tag`] unless all of key, IV, associated data and ciphertext are what was sealed.
    fn finish(&mut self, tag: &[u8]) -> Result<(), CryptoError>;
}

/// The other direction, for hosts.
pub trait ContentEncrypt: ContentDecrypt {
    /// Encrypts the next bytes in place.
    ///
    /// # Errors
    /// As [`ContentDecrypt::decrypt`].
    fn encrypt(&mut self, buffer: &mut [u8]) -> Result<(), CryptoError>;
    /// The tag of everything encrypted since the start, `None` in counter mode; forgets the key.
    ///
    /// # Errors
    /// [`CryptoError::Length`] before [`ContentDecrypt::start`].
    fn tag(&mut self) -> Result<Option<[u8; TAG_LEN]>, CryptoError>;
}

/// Which AES key wraps a key (RFC 3394).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyWrapAlgorithm {
    /// A key-encryption key of 128 bits.
    Aes128,
    /// A key-encryption key of 256 bits.
    Aes256,
}

impl KeyWrapAlgorithm {
    /// What wrapping adds to a key.
    pub const OVERHEAD: usize = 8;
}

/// AES key wrap (RFC 3394) under a key that was just derived.
pub trait KeyWrap {
    /// Which AES this is, and so how long the key-encryption key must be.
    fn algorithm(&self) -> KeyWrapAlgorithm;
    /// Wraps `key`, of at least two times eight bytes, into `wrapped`, which is
    /// [`KeyWrapAlgorithm::OVERHEAD`] bytes longer.
    ///
    /// # Errors
    /// [`CryptoError::KeyLength`] for other lengths.
    fn wrap(&self, kek: &[u8], key: &[u8], wrapped: &mut [u8]) -> Result<(), CryptoError>;
    /// Unwraps into `key`; on failure nothing of the key is in it.
    ///
    /// # Errors
    /// [`CryptoError::KeyLength`] for other lengths; [`CryptoError::Tag`] when `wrapped` was not made
    /// with this key-encryption key.
    fn unwrap(&self, kek: &[u8], wrapped: &[u8], key: &mut [u8]) -> Result<(), CryptoError>;
}

/// A key-encryption key that the device shares with its maker, in memory or behind a driver.
pub trait KeyUnwrap {
    /// What this key wraps with.
    fn algorithm(&self) -> KeyWrapAlgorithm;
    /// Unwraps into `key`, [`KeyWrapAlgorithm::OVERHEAD`] bytes shorter than `wrapped`; on failure
    /// nothing of the key is in it.
    ///
    /// # Errors
    /// As [`KeyWrap::unwrap`]; [`CryptoError::Driver`] from hardware.
    fn unwrap(&self, wrapped: &[u8], key: &mut [u8]) -> Result<(), CryptoError>;
}

/// The curve of a key agreement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AgreementCurve {
    /// P-256 (SP 800-56A); the public key is the 65-byte uncompressed point.
    P256,
    /// X25519 (RFC 7748); the public key has 32 bytes.
    X25519,
}

/// A private key for Diffie-Hellman key agreement, in memory or behind a driver.
///
/// A key agrees or signs, never both.
pub trait KeyAgreement {
    /// Its curve.
    fn curve(&self) -> AgreementCurve;
    /// The public half, in the form that [`AgreementCurve`] states.
    fn public_key(&self) -> &[u8];
    /// The shared secret with the holder of `peer`: the x coordinate of the shared point. Not uniform:
    /// derive keys from it, do not use it as one.
    ///
    /// # Errors
    /// [`CryptoError::PublicKey`] for a point in another form, not on the curve, or of small order, whose
    /// secret anybody knows; [`CryptoError::Driver`] from hardware.
    fn agree(&self, peer: &[u8]) -> Result<Secret<32>, CryptoError>;
}
