use super::{AgreementCurve, CryptoError, KeyAgreement, KeyType, Sign, Verify};
use crate::secret::Secret;

/// A signing key that 32 secret bytes make: what a key store keeps.
///
/// ```
/// use iotsec_core::{crypto::{CryptoError, Ed25519SigningKey, Sign, SigningKey}, secret::Secret};
///
/// fn public_key<K: SigningKey>(secret: &Secret<32>) -> Result<Vec<u8>, CryptoError> {
///     Ok(K::from_secret(secret)?.public_key().to_vec())
/// }
/// assert_eq!(public_key::<Ed25519SigningKey>(&Secret::from_bytes([7; 32]))?.len(), 32);
/// # Ok::<(), CryptoError>(())
/// ```
pub trait SigningKey: Sign + Sized {
    /// What kind of key it makes.
    const KEY_TYPE: KeyType;
    /// The key of these bytes: the seed of Ed25519, the scalar of P-256.
    ///
    /// # Errors
    /// [`CryptoError::PublicKey`] for bytes that are no key of this type.
    fn from_secret(secret: &Secret<32>) -> Result<Self, CryptoError>;
}

/// A public key that its bytes make.
pub trait VerifyingKey: Verify + Sized {
    /// What kind of key it makes.
    const KEY_TYPE: KeyType;
    /// The key of these bytes, in the form that [`KeyType`] states.
    ///
    /// # Errors
    /// [`CryptoError::KeyLength`] or [`CryptoError::PublicKey`] for bytes that are no key of this type.
    fn from_public(bytes: &[u8]) -> Result<Self, CryptoError>;
}

/// A private key for key agreement that 32 secret bytes make.
pub trait AgreementKey: KeyAgreement + Sized {
    /// Its curve.
    const CURVE: AgreementCurve;
    /// The key of this scalar.
    ///
    /// # Errors
    /// [`CryptoError::PublicKey`] for a scalar that is out of range.
    fn from_secret(secret: &Secret<32>) -> Result<Self, CryptoError>;
}

#[cfg(feature = "rustcrypto")]
impl SigningKey for super::Ed25519SigningKey {
    const KEY_TYPE: KeyType = KeyType::Ed25519;
    fn from_secret(secret: &Secret<32>) -> Result<Self, CryptoError> {
        Ok(Self::from_seed(secret))
    }
}

#[cfg(feature = "rustcrypto")]
impl VerifyingKey for super::Ed25519PublicKey {
    const KEY_TYPE: KeyType = KeyType::Ed25519;
    fn from_public(bytes: &[u8]) -> Result<Self, CryptoError> {
        Self::from_bytes(bytes)
    }
}

#[cfg(feature = "ed25519-small")]
impl VerifyingKey for super::Ed25519SmallPublicKey {
    const KEY_TYPE: KeyType = KeyType::Ed25519;
    fn from_public(bytes: &[u8]) -> Result<Self, CryptoError> {
        Self::from_bytes(bytes)
    }
}

#[cfg(feature = "p256")]
impl SigningKey for super::P256SigningKey {
    const KEY_TYPE: KeyType = KeyType::P256;
    fn from_secret(secret: &Secret<32>) -> Result<Self, CryptoError> {
        Self::from_scalar(secret)
    }
}

#[cfg(feature = "p256")]
impl VerifyingKey for super::P256PublicKey {
    const KEY_TYPE: KeyType = KeyType::P256;
    fn from_public(bytes: &[u8]) -> Result<Self, CryptoError> {
        Self::from_sec1(bytes)
    }
}

#[cfg(feature = "p256")]
impl AgreementKey for super::P256AgreementKey {
    const CURVE: AgreementCurve = AgreementCurve::P256;
    fn from_secret(secret: &Secret<32>) -> Result<Self, CryptoError> {
        Self::from_scalar(secret)
    }
}

#[cfg(feature = "x25519")]
impl AgreementKey for super::X25519Key {
    const CURVE: AgreementCurve = AgreementCurve::X25519;
    fn from_secret(secret: &Secret<32>) -> Result<Self, CryptoError> {
        Ok(Self::from_scalar(secret))
    }
}
