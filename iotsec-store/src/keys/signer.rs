use core::cell::{Cell, RefCell};

use embedded_storage::nor_flash::NorFlash;
use iotsec_core::crypto::{CryptoError, KeyType, SIGNATURE_LEN, Sign};

use super::{KeyError, KeyHandle, KeyUsage, Keyring, PublicBytes};

/// A stored key that signs for whatever takes a [`Sign`]. Made by [`Keyring::signer`].
///
/// The key is read for each signature and wiped after it. What the store has to say about a failure is in
/// [`error`](Self::error); the signature fails with [`CryptoError::Driver`].
///
/// ```
/// # use iotsec_core::{crypto::*, secret::Secret};
/// # use iotsec_store::{IndexEntry, KeyDomain, KeyId, ReplayProtection, Store, StoreError, Suite};
/// # use iotsec_store::keys::*;
/// # use iotsec_testkit::{Geometry, SimFlash, SimRng, SimRootKey};
/// # let mut flash = SimFlash::new(Geometry::nrf52840(8));
/// # let region = flash.region().unwrap();
/// # let (mut rng, root) = (SimRng::new(1), SimRootKey::new(1));
/// # let suite = Suite { aead: &Aes256GcmSiv, kdf: &HkdfSha256, root: &root };
/// # let (mut index, mut buffer) = ([IndexEntry::EMPTY; 32], [0; 512]);
/// # let mut store = Store::format(&mut flash, region, suite, &mut index, &mut buffer, ReplayProtection::None, &mut rng)?;
/// let id = KeyId::new(KeyDomain::Device, 7, 1);
/// let spec = KeySpec { id, kind: KeyKind::Ed25519, usage: KeyUsage::SIGN };
/// let suite = KeySuite { sign: &[&Algorithm::<Ed25519SigningKey>::NEW], ..KeySuite::new(&HkdfSha256) };
/// let mut keys = Keyring::new(&mut store, suite);
/// let key = keys.generate(&mut flash, spec, &mut rng)?;
///
/// let signer = keys.signer(&mut flash, &key)?;
/// let mut signature = [0; 64];
/// signer.sign(b"a report", &mut signature)?;
/// assert!(Ed25519PublicKey::from_bytes(signer.public_key())?.verify(b"a report", &signature).is_ok());
/// assert_eq!(signer.error(), None);
/// # Ok::<(), KeyError>(())
/// ```
pub struct StoredSigner<'s, 'a, F> {
    place: RefCell<(Keyring<'s, 'a>, &'s mut F)>,
    key: &'s KeyHandle,
    key_type: KeyType,
    public: PublicBytes,
    error: Cell<Option<KeyError>>,
}

impl<'s, 'a, F: NorFlash> StoredSigner<'s, 'a, F> {
    pub(super) fn new(
        mut keyring: Keyring<'s, 'a>,
        flash: &'s mut F,
        key: &'s KeyHandle,
    ) -> Result<Self, KeyError> {
        let key_type = key.kind().signature().ok_or(KeyError::Type)?;
        key.need(KeyUsage::SIGN)?;
        let public = keyring.public_key(flash, key)?;
        Ok(Self {
            place: RefCell::new((keyring, flash)),
            key,
            key_type,
            public,
            error: Cell::new(None),
        })
    }

    /// Why the last signature failed; `None` after one that did not.
    pub fn error(&self) -> Option<KeyError> {
        self.error.get()
    }
}

impl<F: NorFlash> Sign for StoredSigner<'_, '_, F> {
    fn key_type(&self) -> KeyType {
        self.key_type
    }
    fn public_key(&self) -> &[u8] {
        self.public.as_bytes()
    }
    fn sign(&self, message: &[u8], signature: &mut [u8; SIGNATURE_LEN]) -> Result<(), CryptoError> {
        // Nothing borrows it for longer than this call, so this cannot fail.
        let mut place = self.place.try_borrow_mut().map_err(|_| CryptoError::Driver)?;
        let (keyring, flash) = &mut *place;
        let done = keyring.sign(*flash, self.key, message, signature);
        self.error.set(done.err());
        done.map_err(|error| match error {
            KeyError::Crypto(error) => error,
            _ => CryptoError::Driver,
        })
    }
}

impl<F> core::fmt::Debug for StoredSigner<'_, '_, F> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("StoredSigner")
            .field("key", self.key)
            .finish_non_exhaustive()
    }
}
