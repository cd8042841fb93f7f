use core::marker::PhantomData;

use iotsec_core::{
    crypto::{
        Aead, AgreementCurve, AgreementKey, CryptoError, Kdf, KeyType, KeyWrap, SIGNATURE_LEN, SigningKey,
        VerifyingKey,
    },
    secret::Secret,
};

use super::{KeyError, KeyKind};

/// The algorithms that keys are used with. A key of another one is neither made nor used, and what is not named
/// here is not linked.
///
/// ```
/// use iotsec_core::crypto::{ChaCha20Poly1305, Ed25519PublicKey, Ed25519SigningKey, HkdfSha256};
/// use iotsec_store::keys::{Algorithm, KeySuite};
///
/// let suite = KeySuite {
///     sign: &[&Algorithm::<Ed25519SigningKey>::NEW],
///     verify: &[&Algorithm::<Ed25519PublicKey>::NEW],
///     aead: &[&ChaCha20Poly1305],
///     ..KeySuite::new(&HkdfSha256)
/// };
/// # let _ = suite;
/// ```
#[derive(Clone, Copy)]
pub struct KeySuite<'k> {
    /// HMAC and HKDF, for keys of these types and for the nonces of encryption.
    pub kdf: &'k dyn Kdf,
    /// Signs, and computes public keys.
    pub sign: &'k [&'k dyn SignAlgorithm],
    /// Checks signatures.
    pub verify: &'k [&'k dyn VerifyAlgorithm],
    /// Agrees on secrets.
    pub agree: &'k [&'k dyn AgreeAlgorithm],
    /// Encrypts and decrypts.
    pub aead: &'k [&'k dyn Aead],
    /// Unwraps keys.
    pub wrap: &'k [&'k dyn KeyWrap],
}

impl<'k> KeySuite<'k> {
    /// HMAC and HKDF keys, and nothing else.
    pub const fn new(kdf: &'k dyn Kdf) -> Self {
        Self {
            kdf,
            sign: &[],
            verify: &[],
            agree: &[],
            aead: &[],
            wrap: &[],
        }
    }

    pub(super) fn sign(&self, kind: KeyKind) -> Result<&'k dyn SignAlgorithm, KeyError> {
        let wanted = kind.signature().ok_or(KeyError::Type)?;
        find(self.sign, |it| it.key_type() == wanted)
    }

    pub(super) fn verify(&self, kind: KeyKind) -> Result<&'k dyn VerifyAlgorithm, KeyError> {
        let wanted = kind.signature().ok_or(KeyError::Type)?;
        find(self.verify, |it| it.key_type() == wanted)
    }

    pub(super) fn agree(&self, kind: KeyKind) -> Result<&'k dyn AgreeAlgorithm, KeyError> {
        let wanted = kind.curve().ok_or(KeyError::Type)?;
        find(self.agree, |it| it.curve() == wanted)
    }

    pub(super) fn aead(&self, kind: KeyKind) -> Result<&'k dyn Aead, KeyError> {
        let wanted = kind.aead().ok_or(KeyError::Type)?;
        find(self.aead, |it| it.algorithm() == wanted)
    }

    pub(super) fn wrap(&self, kind: KeyKind) -> Result<&'k dyn KeyWrap, KeyError> {
        let wanted = kind.wrap().ok_or(KeyError::Type)?;
        find(self.wrap, |it| it.algorithm() == wanted)
    }

    /// Refuses bytes that are no key of this type, and a type without its algorithm.
    pub(super) fn check(&self, kind: KeyKind, key: &Secret<32>) -> Result<(), KeyError> {
        let refused = |error| match error {
            CryptoError::PublicKey | CryptoError::KeyLength => KeyError::Material,
            error => KeyError::Crypto(error),
        };
        match kind {
            KeyKind::Ed25519 | KeyKind::P256 => self.sign(kind)?.public_key(key).map(drop).map_err(refused),
            KeyKind::X25519 | KeyKind::P256Agreement => {
                self.agree(kind)?.public_key(key).map(drop).map_err(refused)
            }
            KeyKind::Aes256GcmSiv | KeyKind::ChaCha20Poly1305 => self.aead(kind).map(drop),
            KeyKind::Aes128Wrap | KeyKind::Aes256Wrap => self.wrap(kind).map(drop),
            KeyKind::HmacSha256 | KeyKind::HkdfSha256 => Ok(()),
        }
    }
}

fn find<'k, T: ?Sized>(named: &'k [&'k T], is: impl Fn(&T) -> bool) -> Result<&'k T, KeyError> {
    let found = named.iter().find(|algorithm| is(algorithm));
    found.copied().ok_or(KeyError::Algorithm)
}

impl core::fmt::Debug for KeySuite<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("KeySuite(..)")
    }
}

/// A signature algorithm, under a key that was just read. [`Algorithm`] is one.
pub trait SignAlgorithm {
    /// What kind of key it works with.
    fn key_type(&self) -> KeyType;
    /// The public half of a key.
    ///
    /// # Errors
    /// [`CryptoError::PublicKey`] for bytes that are no key of this type.
    fn public_key(&self, secret: &Secret<32>) -> Result<PublicBytes, CryptoError>;
    /// Signs `message`.
    ///
    /// # Errors
    /// As [`public_key`](Self::public_key); [`CryptoError::Driver`] from hardware.
    fn sign(
        &self,
        secret: &Secret<32>,
        message: &[u8],
        signature: &mut [u8; SIGNATURE_LEN],
    ) -> Result<(), CryptoError>;
}

/// The other half of a signature algorithm. [`Algorithm`] is one.
pub trait VerifyAlgorithm {
    /// What kind of key it works with.
    fn key_type(&self) -> KeyType;
    /// Checks a signature over `message`.
    ///
    /// # Errors
    /// [`CryptoError::Signature`] unless the signature is genuine and canonical.
    fn verify(&self, public: &[u8], message: &[u8], signature: &[u8]) -> Result<(), CryptoError>;
}

/// A key agreement, under a key that was just read. [`Algorithm`] is one.
pub trait AgreeAlgorithm {
    /// Its curve.
    fn curve(&self) -> AgreementCurve;
    /// The public half of a key.
    ///
    /// # Errors
    /// [`CryptoError::PublicKey`] for bytes that are no key of this curve.
    fn public_key(&self, secret: &Secret<32>) -> Result<PublicBytes, CryptoError>;
    /// The shared secret with the holder of `peer`.
    ///
    /// # Errors
    /// [`CryptoError::PublicKey`] for a point that is malformed, not on the curve or of small order;
    /// [`CryptoError::Driver`] from hardware.
    fn agree(&self, secret: &Secret<32>, peer: &[u8]) -> Result<Secret<32>, CryptoError>;
}

/// The algorithm of the key type `K`: any [`SigningKey`], [`VerifyingKey`] or [`AgreementKey`].
///
/// ```
/// use iotsec_core::crypto::{Ed25519SigningKey, KeyType};
/// use iotsec_store::keys::{Algorithm, SignAlgorithm};
///
/// let algorithm: &dyn SignAlgorithm = &Algorithm::<Ed25519SigningKey>::NEW;
/// assert_eq!(algorithm.key_type(), KeyType::Ed25519);
/// ```
pub struct Algorithm<K>(PhantomData<fn() -> K>);

impl<K> Algorithm<K> {
    /// The algorithm.
    pub const NEW: Self = Self(PhantomData);
}

impl<K> core::fmt::Debug for Algorithm<K> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Algorithm")
    }
}

impl<K: SigningKey> SignAlgorithm for Algorithm<K> {
    fn key_type(&self) -> KeyType {
        K::KEY_TYPE
    }
    fn public_key(&self, secret: &Secret<32>) -> Result<PublicBytes, CryptoError> {
        PublicBytes::new(K::from_secret(secret)?.public_key())
    }
    fn sign(
        &self,
        secret: &Secret<32>,
        message: &[u8],
        signature: &mut [u8; SIGNATURE_LEN],
    ) -> Result<(), CryptoError> {
        K::from_secret(secret)?.sign(message, signature)
    }
}

impl<K: VerifyingKey> VerifyAlgorithm for Algorithm<K> {
    fn key_type(&self) -> KeyType {
        K::KEY_TYPE
    }
    fn verify(&self, public: &[u8], message: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        K::from_public(public)?.verify(message, signature)
    }
}

impl<K: AgreementKey> AgreeAlgorithm for Algorithm<K> {
    fn curve(&self) -> AgreementCurve {
        K::CURVE
    }
    fn public_key(&self, secret: &Secret<32>) -> Result<PublicBytes, CryptoError> {
        PublicBytes::new(K::from_secret(secret)?.public_key())
    }
    fn agree(&self, secret: &Secret<32>, peer: &[u8]) -> Result<Secret<32>, CryptoError> {
        K::from_secret(secret)?.agree(peer)
    }
}

const MAX_PUBLIC_LEN: usize = 65;

/// The bytes of a public key, in the form that [`KeyType`] and [`AgreementCurve`] state.
///
/// ```
/// use iotsec_store::keys::PublicBytes;
///
/// assert_eq!(PublicBytes::new(&[7; 32])?.as_bytes(), [7; 32]);
/// assert!(PublicBytes::new(&[7; 66]).is_err());
/// # Ok::<(), iotsec_core::crypto::CryptoError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicBytes {
    bytes: [u8; MAX_PUBLIC_LEN],
    len: usize,
}

impl PublicBytes {
    /// Copies `public`, of 65 bytes at most.
    ///
    /// # Errors
    /// [`CryptoError::KeyLength`] for more.
    pub fn new(public: &[u8]) -> Result<Self, CryptoError> {
        let (mut bytes, len) = ([0; MAX_PUBLIC_LEN], public.len());
        let place = bytes.get_mut(..len).ok_or(CryptoError::KeyLength)?;
        for (to, from) in place.iter_mut().zip(public) {
            *to = *from;
        }
        Ok(Self { bytes, len })
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}
