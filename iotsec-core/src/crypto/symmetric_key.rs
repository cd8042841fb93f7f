use super::{CryptoError, DIGEST_LEN, Kdf, KeyType, Verify};
use crate::secret::{Secret, ct_eq};

/// A shared key that checks a COSE_Mac0 (RFC 9052 §6.2) with HMAC 256/256, and makes one.
///
/// Whoever can check a MAC can make it. With one key in many devices, each of them, and whoever opens one of
/// them, can forge for all; with a key for each device, only for that device, and the signer has to keep them
/// all. A shared key is therefore never a trust anchor unless the maker names one, and it checks no
/// signature: not even bytes that are public elsewhere, such as a public key, are ever taken for a MAC key.
///
/// ```
/// use iotsec_core::{
///     crypto::{HkdfSha256, KeyType, SymmetricKey, Verify},
///     secret::Secret,
/// };
///
/// let secret = Secret::from_bytes(core::array::from_fn(|i| i as u8));
/// let key = SymmetricKey::new(&HkdfSha256, &secret)?;
/// let mac = key.mac(&[b"message"])?;
/// assert!(key.verify(b"message", &mac).is_ok());
/// assert!(key.verify(b"message", &mac[..31]).is_err());
/// assert_eq!(key.key_type(), KeyType::HmacSha256);
/// # Ok::<(), iotsec_core::crypto::CryptoError>(())
/// ```
pub struct SymmetricKey<'k> {
    kdf: &'k dyn Kdf,
    key: &'k Secret<32>,
    name: [u8; DIGEST_LEN],
}

/// Of messages that are checked, none begins like this: they are CBOR arrays.
const NAME: &[u8] = b"iotsec symmetric key name v1";

impl<'k> SymmetricKey<'k> {
    /// Uses `key` with HMAC of `kdf`.
    ///
    /// # Errors
    /// [`CryptoError::Entropy`] for a key whose bytes are all equal, as erased fuses are;
    /// [`CryptoError::Driver`] when hardware fails.
    pub fn new(kdf: &'k dyn Kdf, key: &'k Secret<32>) -> Result<Self, CryptoError> {
        if key.is_constant() {
            return Err(CryptoError::Entropy);
        }
        let name = kdf.hmac(key.expose(), &[NAME])?;
        Ok(Self { kdf, key, name })
    }

    /// HMAC-SHA-256 over the concatenation of `parts`.
    ///
    /// # Errors
    /// [`CryptoError::Driver`] when hardware fails.
    pub fn mac(&self, parts: &[&[u8]]) -> Result<[u8; DIGEST_LEN], CryptoError> {
        self.kdf.hmac(self.key.expose(), parts)
    }
}

impl Verify for SymmetricKey<'_> {
    fn key_type(&self) -> KeyType {
        KeyType::HmacSha256
    }
    /// A value that is the same for the same key and tells nothing of it.
    fn public_key(&self) -> &[u8] {
        &self.name
    }
    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        if ct_eq(&self.mac(&[message])?, signature) {
            Ok(())
        } else {
            Err(CryptoError::Signature)
        }
    }
}

impl core::fmt::Debug for SymmetricKey<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("SymmetricKey(..)")
    }
}
