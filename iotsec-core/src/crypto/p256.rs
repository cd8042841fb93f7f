//! ECDSA on P-256, with raw signatures as COSE carries them (RFC 9053 §2.1), and key agreement.

use p256::ecdsa::signature::{Signer, Verifier, hazmat::PrehashVerifier};
use rand_core::TryCryptoRng;

use super::{
    AgreementCurve, CryptoError, DIGEST_LEN, Ed25519PublicKey, KeyAgreement, KeyType, SIGNATURE_LEN, Sign,
    Verify, apart::apart,
};
use crate::{cose, secret::Secret};

const POINT_LEN: usize = 65;
/// How deep work with a private key goes, in bytes of stack.
const DEPTH: usize = 3840;

/// A P-256 public key: a point on the curve, never the identity.
#[derive(Clone, Debug)]
pub struct P256PublicKey {
    key: p256::ecdsa::VerifyingKey,
    point: [u8; POINT_LEN],
}

impl P256PublicKey {
    /// Reads a SEC1 point, compressed (33 bytes) or not (65 bytes).
    ///
    /// # Errors
    /// [`CryptoError::PublicKey`] for a point that is not on the curve.
    pub fn from_sec1(bytes: &[u8]) -> Result<Self, CryptoError> {
        let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(bytes).map_err(|_| CryptoError::PublicKey)?;
        let point = point_of(&key)?;
        Ok(Self { key, point })
    }

    /// The public half of a COSE_Key.
    ///
    /// # Errors
    /// [`CryptoError::PublicKey`] for a key of another type or a point that is not on the curve.
    pub fn from_cose(key: &cose::Key<'_>) -> Result<Self, CryptoError> {
        let mut point = [4; POINT_LEN];
        let y = key.y().ok_or(CryptoError::PublicKey)?;
        for (to, from) in point.iter_mut().skip(1).zip(key.x().iter().chain(y)) {
            *to = *from;
        }
        Self::from_sec1(&point)
    }
}

/// A public key of either type, for devices that trust both.
#[derive(Clone, Debug)]
#[non_exhaustive]
#[allow(clippy::large_enum_variant, reason = "there is no heap to put it on")]
pub enum PublicKey {
    /// Ed25519.
    Ed25519(Ed25519PublicKey),
    /// ECDSA on P-256.
    P256(P256PublicKey),
}

impl PublicKey {
    /// The public half of a COSE_Key.
    ///
    /// # Errors
    /// [`CryptoError::PublicKey`] for a key that is not on its curve, or weak.
    pub fn from_cose(key: &cose::Key<'_>) -> Result<Self, CryptoError> {
        match key.key_type() {
            KeyType::Ed25519 => Ed25519PublicKey::from_cose(key).map(Self::Ed25519),
            KeyType::P256 => P256PublicKey::from_cose(key).map(Self::P256),
            _ => Err(CryptoError::PublicKey),
        }
    }

    fn inner(&self) -> &dyn Verify {
        match self {
            Self::Ed25519(key) => key,
            Self::P256(key) => key,
        }
    }
}

impl Verify for PublicKey {
    fn key_type(&self) -> KeyType {
        self.inner().key_type()
    }
    fn public_key(&self) -> &[u8] {
        self.inner().public_key()
    }
    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        self.inner().verify(message, signature)
    }
    fn verify_prehash(&self, digest: &[u8; DIGEST_LEN], signature: &[u8]) -> Result<(), CryptoError> {
        self.inner().verify_prehash(digest, signature)
    }
}

impl Verify for P256PublicKey {
    fn key_type(&self) -> KeyType {
        KeyType::P256
    }
    fn public_key(&self) -> &[u8] {
        &self.point
    }
    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        // `from_slice` takes r‖s of 64 bytes only and refuses zero and out-of-range values.
        let signature = p256::ecdsa::Signature::from_slice(signature).map_err(|_| CryptoError::Signature)?;
        self.key
            .verify(message, &signature)
            .map_err(|_| CryptoError::Signature)
    }
    fn verify_prehash(&self, digest: &[u8; DIGEST_LEN], signature: &[u8]) -> Result<(), CryptoError> {
        let signature = p256::ecdsa::Signature::from_slice(signature).map_err(|_| CryptoError::Signature)?;
        self.key
            .verify_prehash(digest, &signature)
            .map_err(|_| CryptoError::Signature)
    }
}

/// A P-256 private key; wiped on drop. Signatures are deterministic (RFC 6979).
pub struct P256SigningKey {
    key: p256::ecdsa::SigningKey,
    point: [u8; POINT_LEN],
}

impl P256SigningKey {
    /// The key of a 32-byte scalar.
    ///
    /// # Errors
    /// [`CryptoError::PublicKey`] for zero or a scalar that is not below the group order.
    pub fn from_scalar(scalar: &Secret<32>) -> Result<Self, CryptoError> {
        apart::<DEPTH, _>(|| {
            let key =
                p256::ecdsa::SigningKey::from_slice(scalar.expose()).map_err(|_| CryptoError::PublicKey)?;
            let point = point_of(key.verifying_key())?;
            Ok(Self { key, point })
        })
    }

    /// A fresh key, by rejection sampling.
    ///
    /// # Errors
    /// [`CryptoError::Entropy`] when the source fails.
    pub fn generate<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<Self, CryptoError> {
        // A draw misses the scalar range with a chance of 2^-32; eight misses in a row are a broken source.
        for _ in 0..8 {
            if let Ok(key) = Self::from_scalar(&Secret::random(rng)?) {
                return Ok(key);
            }
        }
        Err(CryptoError::Entropy)
    }
}

impl core::fmt::Debug for P256SigningKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("P256SigningKey(..)")
    }
}

impl Sign for P256SigningKey {
    fn key_type(&self) -> KeyType {
        KeyType::P256
    }
    fn public_key(&self) -> &[u8] {
        &self.point
    }
    fn sign(&self, message: &[u8], signature: &mut [u8; SIGNATURE_LEN]) -> Result<(), CryptoError> {
        apart::<DEPTH, _>(|| {
            let made: p256::ecdsa::Signature = self.key.sign(message);
            *signature = made.to_bytes().into();
        });
        Ok(())
    }
}

/// A P-256 private key for key agreement (SP 800-56A §5.7.1.2); wiped on drop.
///
/// ```
/// use iotsec_core::{crypto::{KeyAgreement, P256AgreementKey}, secret::Secret};
///
/// let device = P256AgreementKey::from_scalar(&Secret::from_bytes([1; 32]))?;
/// let maker = P256AgreementKey::from_scalar(&Secret::from_bytes([2; 32]))?;
/// assert!(device.agree(maker.public_key())?.ct_eq(&maker.agree(device.public_key())?));
/// # Ok::<(), iotsec_core::crypto::CryptoError>(())
/// ```
pub struct P256AgreementKey {
    key: p256::SecretKey,
    point: [u8; POINT_LEN],
}

impl P256AgreementKey {
    /// The key of a 32-byte scalar.
    ///
    /// # Errors
    /// [`CryptoError::PublicKey`] for zero or a scalar that is not below the group order.
    pub fn from_scalar(scalar: &Secret<32>) -> Result<Self, CryptoError> {
        apart::<DEPTH, _>(|| {
            let key = p256::SecretKey::from_slice(scalar.expose()).map_err(|_| CryptoError::PublicKey)?;
            let point = point_of(&key.public_key().into())?;
            Ok(Self { key, point })
        })
    }

    /// A fresh key, by rejection sampling.
    ///
    /// # Errors
    /// [`CryptoError::Entropy`] when the source fails.
    pub fn generate<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<Self, CryptoError> {
        // As for a signing key.
        for _ in 0..8 {
            if let Ok(key) = Self::from_scalar(&Secret::random(rng)?) {
                return Ok(key);
            }
        }
        Err(CryptoError::Entropy)
    }
}

impl core::fmt::Debug for P256AgreementKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("P256AgreementKey(..)")
    }
}

impl KeyAgreement for P256AgreementKey {
    fn curve(&self) -> AgreementCurve {
        AgreementCurve::P256
    }
    fn public_key(&self) -> &[u8] {
        &self.point
    }
    fn agree(&self, peer: &[u8]) -> Result<Secret<32>, CryptoError> {
        if peer.len() != POINT_LEN {
            return Err(CryptoError::PublicKey);
        }
        let peer = p256::PublicKey::from_sec1_bytes(peer).map_err(|_| CryptoError::PublicKey)?;
        apart::<DEPTH, _>(|| {
            let shared = p256::ecdh::diffie_hellman(self.key.to_nonzero_scalar(), peer.as_affine());
            Secret::from_slice(shared.raw_secret_bytes())
        })
    }
}

fn point_of(key: &p256::ecdsa::VerifyingKey) -> Result<[u8; POINT_LEN], CryptoError> {
    key.to_sec1_point(false)
        .as_bytes()
        .try_into()
        .map_err(|_| CryptoError::PublicKey)
}
