//! ML-DSA-44 (FIPS 204) with an empty context, as COSE has it.

use super::{CryptoError, KeyType, Verify};

/// An ML-DSA-44 public key.
///
/// It is kept as the 1312 bytes that it travels as. A check expands it on the stack, which takes about
/// 100 KB there for as long as the check lasts.
///
/// ```
/// use iotsec_core::crypto::{CryptoError, KeyType, MlDsa44PublicKey, Verify};
///
/// let key = MlDsa44PublicKey::from_bytes(&[7; 1312])?;
/// assert_eq!(key.key_type(), KeyType::MlDsa44);
/// assert_eq!(key.verify(b"message", &[0; 2420]), Err(CryptoError::Signature));
/// # Ok::<(), CryptoError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct MlDsa44PublicKey([u8; MlDsa44PublicKey::LEN]);

impl MlDsa44PublicKey {
    /// Bytes of a public key.
    pub const LEN: usize = 1312;
    /// Bytes of a signature.
    pub const SIGNATURE_LEN: usize = 2420;

    /// Reads a public key. Every string of the right length is one (FIPS 204 §7.2).
    ///
    /// # Errors
    /// [`CryptoError::KeyLength`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CryptoError> {
        Ok(Self(bytes.try_into().map_err(|_| CryptoError::KeyLength)?))
    }
}

impl Verify for MlDsa44PublicKey {
    fn key_type(&self) -> KeyType {
        KeyType::MlDsa44
    }
    fn public_key(&self) -> &[u8] {
        &self.0
    }
    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        // Refuses other lengths, hints that are not canonical, and z out of range (FIPS 204 §7.3).
        let signature =
            ml_dsa::Signature::<ml_dsa::MlDsa44>::try_from(signature).map_err(|_| CryptoError::Signature)?;
        let key = ml_dsa::VerifyingKey::<ml_dsa::MlDsa44>::decode(&self.0.into());
        if key.verify_with_context(message, &[], &signature) {
            Ok(())
        } else {
            Err(CryptoError::Signature)
        }
    }
}

impl core::fmt::Debug for MlDsa44PublicKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("MlDsa44PublicKey(..)")
    }
}
