use crate::{
    crypto::{CryptoError, DIGEST_LEN, Kdf},
    hal::{RootKey, RootKeyError},
    secret::Secret,
};

/// The device's own key in every verifier, so that a copied record cannot be attacked anywhere else.
///
/// ```
/// use iotsec_core::{credential::Pepper, crypto::HkdfSha256};
/// use iotsec_testkit::SimRootKey;
///
/// let pepper = Pepper::derive(&SimRootKey::new(1), &HkdfSha256)?;
/// assert_eq!(format!("{pepper:?}"), "Pepper(..)");
/// # Ok::<(), iotsec_core::hal::RootKeyError>(())
/// ```
pub struct Pepper<'k> {
    key: Secret<32>,
    kdf: &'k dyn Kdf,
}

impl<'k> Pepper<'k> {
    /// Derives the pepper from the device's root key, under a label of its own.
    ///
    /// # Errors
    /// Those of the root key.
    pub fn derive(root: &dyn RootKey, kdf: &'k dyn Kdf) -> Result<Self, RootKeyError> {
        let mut key = Secret::zero();
        root.derive(LABEL, &mut key)?;
        Self::new(key, kdf)
    }

    /// Takes a pepper that the factory drew for this unit, where the factory must make the verifier and
    /// cannot know the root key.
    ///
    /// # Errors
    /// [`RootKeyError::Weak`] when all bytes are equal.
    pub fn new(key: Secret<32>, kdf: &'k dyn Kdf) -> Result<Self, RootKeyError> {
        if key.is_constant() {
            return Err(RootKeyError::Weak);
        }
        Ok(Self { key, kdf })
    }

    pub(super) fn hmac(&self, parts: &[&[u8]]) -> Result<Secret<DIGEST_LEN>, CryptoError> {
        self.kdf.hmac(self.key.expose(), parts).map(Secret::from_bytes)
    }

    pub(super) fn kdf(&self) -> &'k dyn Kdf {
        self.kdf
    }
}

impl core::fmt::Debug for Pepper<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Pepper(..)")
    }
}

const LABEL: &[u8] = b"iotsec/credential/pepper/v1";
