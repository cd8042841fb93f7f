use crate::{
    crypto::{CryptoError, DIGEST_LEN, Kdf, MemoryHard},
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
    memory_hard: Option<&'k dyn MemoryHard>,
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
        Ok(Self {
            key,
            kdf,
            memory_hard: None,
        })
    }

    /// With a function for verifiers that are made at a [`MemoryCost`](super::MemoryCost).
    ///
    /// ```
    /// # use iotsec_testkit::{SimRng, SimRootKey};
    /// use iotsec_core::credential::{Exposure, MemoryCost, Pepper, UserPassword, Verifier};
    /// use iotsec_core::crypto::{Argon2Block, Argon2id, HkdfSha256};
    ///
    /// # let (root, mut rng) = (SimRootKey::new(1), SimRng::new(1));
    /// let mut memory = vec![Argon2Block::new(); 256];
    /// let function = Argon2id::new(&mut memory);
    /// let pepper = Pepper::derive(&root, &HkdfSha256)?.with_memory_hard(&function);
    /// let password = UserPassword::new("seven small otters swim", Exposure::Online, &[])?;
    /// let verifier = Verifier::for_user(&password, MemoryCost::DEVICE, &pepper, &mut rng)?;
    /// # let _ = verifier;
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn with_memory_hard(mut self, function: &'k dyn MemoryHard) -> Self {
        self.memory_hard = Some(function);
        self
    }

    pub(super) fn hmac(&self, parts: &[&[u8]]) -> Result<Secret<DIGEST_LEN>, CryptoError> {
        self.kdf.hmac(self.key.expose(), parts).map(Secret::from_bytes)
    }

    pub(super) const fn memory_hard(&self) -> Option<&'k dyn MemoryHard> {
        self.memory_hard
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
