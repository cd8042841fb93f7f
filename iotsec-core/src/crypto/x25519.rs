//! X25519 key agreement (RFC 7748).

use rand_core::TryCryptoRng;

use super::{
    CryptoError,
    apart::apart,
    content::{AgreementCurve, KeyAgreement},
};
use crate::secret::Secret;

/// How deep work with a private key goes, in bytes of stack.
const DEPTH: usize = if cfg!(target_arch = "arm") { 2464 } else { 3008 };

/// An X25519 private key; wiped on drop.
///
/// ```
/// use iotsec_core::{crypto::{KeyAgreement, X25519Key}, secret::Secret};
///
/// let device = X25519Key::from_scalar(&Secret::from_bytes([1; 32]));
/// let maker = X25519Key::from_scalar(&Secret::from_bytes([2; 32]));
/// assert!(device.agree(maker.public_key())?.ct_eq(&maker.agree(device.public_key())?));
/// assert!(device.agree(&[0; 32]).is_err()); // a point of small order
/// # Ok::<(), iotsec_core::crypto::CryptoError>(())
/// ```
pub struct X25519Key {
    key: x25519_dalek::StaticSecret,
    public: [u8; 32],
}

impl X25519Key {
    /// The key of 32 bytes, clamped as RFC 7748 §5 says.
    pub fn from_scalar(scalar: &Secret<32>) -> Self {
        apart::<DEPTH, _>(|| {
            let key = x25519_dalek::StaticSecret::from(*scalar.expose());
            // By the ladder, as the agreement: the tables of the other way would cost kilobytes of flash.
            let public = x25519_dalek::x25519(*scalar.expose(), x25519_dalek::X25519_BASEPOINT_BYTES);
            Self { key, public }
        })
    }

    /// A fresh key.
    ///
    /// # Errors
    /// [`CryptoError::Entropy`] when the source fails.
    pub fn generate<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<Self, CryptoError> {
        Ok(Self::from_scalar(&Secret::random(rng)?))
    }
}

impl core::fmt::Debug for X25519Key {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("X25519Key(..)")
    }
}

impl KeyAgreement for X25519Key {
    fn curve(&self) -> AgreementCurve {
        AgreementCurve::X25519
    }
    fn public_key(&self) -> &[u8] {
        &self.public
    }
    fn agree(&self, peer: &[u8]) -> Result<Secret<32>, CryptoError> {
        let peer: [u8; 32] = peer.try_into().map_err(|_| CryptoError::PublicKey)?;
        apart::<DEPTH, _>(|| {
            let shared = self.key.diffie_hellman(&peer.into());
            // All zero exactly when the peer's point has small order (RFC 7748 §6.1).
            if !shared.was_contributory() {
                return Err(CryptoError::PublicKey);
            }
            Ok(Secret::from_bytes(*shared.as_bytes()))
        })
    }
}
