use embedded_storage::nor_flash::NorFlash;
use rand_core::TryCryptoRng;

use super::{KeyError, KeyHandle, KeySpec, Keyring, stored::Stored};
#[cfg(doc)]
use crate::StoreError;

impl Keyring<'_, '_> {
    /// Draws a new key under the same name, with the same type and usage. Writes once.
    ///
    /// An old one that checks or decrypts stays as the [`previous`](Self::previous) one, for what it was used for,
    /// until it is [retired](Self::retire); any other is gone at once. Returns the handle of the new one; all
    /// handles of the old one are stale.
    ///
    /// *Power loss:* the old key or the new one, which has the next number; [`open`](Self::open) says which.
    ///
    /// # Errors
    /// [`KeyError::NotRetired`] when there is a previous key already; [`KeyError::Stale`], [`KeyError::Exhausted`],
    /// [`KeyError::Algorithm`]; failures of entropy and store, such as [`StoreError::ValueTooLong`] when two keys
    /// are longer than a value can be. The old key is still there.
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
    /// let spec = KeySpec {
    ///     id: KeyId::new(KeyDomain::User, 7, 1),
    ///     kind: KeyKind::ChaCha20Poly1305,
    ///     usage: KeyUsage::ENCRYPT | KeyUsage::DECRYPT,
    /// };
    /// let suite = KeySuite { aead: &[&ChaCha20Poly1305], ..KeySuite::new(&HkdfSha256) };
    /// let mut keys = Keyring::new(&mut store, suite);
    /// let key = keys.generate(&mut flash, spec, &mut rng)?;
    /// let mut text = *b"before";
    /// let sealed = keys.encrypt(&mut flash, &key, b"", &mut text, &mut rng)?;
    ///
    /// let key = keys.rotate(&mut flash, key, &mut rng)?;
    /// assert_eq!(key.number(), 2);
    /// let previous = keys.previous(&mut flash, &key)?;
    /// keys.decrypt(&mut flash, &previous, b"", &sealed, &mut text)?;
    /// assert_eq!(&text, b"before");
    ///
    /// keys.retire(&mut flash, &key)?;
    /// assert!(keys.decrypt(&mut flash, &previous, b"", &sealed, &mut text).is_err());
    /// # Ok::<(), KeyError>(())
    /// ```
    #[allow(clippy::needless_pass_by_value, reason = "the token is used up")]
    pub fn rotate<F: NorFlash, R: TryCryptoRng + ?Sized>(
        &mut self,
        flash: &mut F,
        key: KeyHandle,
        rng: &mut R,
    ) -> Result<KeyHandle, KeyError> {
        let mut stored = Stored::of(&key);
        stored.load_present(self.store, flash, &key)?;
        stored.turn()?;
        self.draw(&mut stored, key.kind(), rng)?;
        stored.write(self.store, flash, key.id())?;
        Ok(KeyHandle {
            spec: key.spec,
            number: stored.number(),
        })
    }

    /// The key before this one, if it had `VERIFY` or `DECRYPT`, which are what is left of its usage.
    ///
    /// # Errors
    /// [`KeyError::NoPrevious`], [`KeyError::Stale`]; failures of the store.
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
    /// let id = KeyId::new(KeyDomain::User, 7, 1);
    /// let spec = KeySpec { id, kind: KeyKind::HmacSha256, usage: KeyUsage::SIGN | KeyUsage::VERIFY };
    /// let mut keys = Keyring::new(&mut store, KeySuite::new(&HkdfSha256));
    /// let key = keys.generate(&mut flash, spec, &mut rng)?;
    /// assert_eq!(keys.previous(&mut flash, &key), Err(KeyError::NoPrevious));
    ///
    /// let mac = keys.mac(&mut flash, &key, b"hello")?;
    /// let key = keys.rotate(&mut flash, key, &mut rng)?;
    /// let previous = keys.previous(&mut flash, &key)?;
    /// keys.verify(&mut flash, &previous, b"hello", &mac)?;
    /// assert_eq!(keys.mac(&mut flash, &previous, b"hello"), Err(KeyError::Usage));
    /// # Ok::<(), KeyError>(())
    /// ```
    pub fn previous<F: NorFlash>(&mut self, flash: &mut F, key: &KeyHandle) -> Result<KeyHandle, KeyError> {
        let mut stored = Stored::of(key);
        stored.load_present(self.store, flash, key)?;
        let number = stored.number().checked_sub(1).filter(|_| stored.has_previous());
        Ok(KeyHandle {
            spec: KeySpec {
                usage: key.usage().of_previous(),
                ..key.spec
            },
            number: number.ok_or(KeyError::NoPrevious)?,
        })
    }

    /// Destroys the previous key. Writes once. What [`Store::remove`](crate::Store::remove) says of the ciphertext
    /// holds.
    ///
    /// *Power loss:* the previous key is there or it is not; it does not come back later.
    ///
    /// # Errors
    /// As [`previous`](Self::previous). The previous key is still there.
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
    /// let id = KeyId::new(KeyDomain::User, 7, 1);
    /// let spec = KeySpec { id, kind: KeyKind::HmacSha256, usage: KeyUsage::VERIFY };
    /// let mut keys = Keyring::new(&mut store, KeySuite::new(&HkdfSha256));
    /// let key = keys.generate(&mut flash, spec, &mut rng)?;
    /// let key = keys.rotate(&mut flash, key, &mut rng)?;
    /// keys.retire(&mut flash, &key)?;
    /// assert_eq!(keys.retire(&mut flash, &key), Err(KeyError::NoPrevious));
    /// # Ok::<(), KeyError>(())
    /// ```
    pub fn retire<F: NorFlash>(&mut self, flash: &mut F, key: &KeyHandle) -> Result<(), KeyError> {
        let mut stored = Stored::of(key);
        stored.load_present(self.store, flash, key)?;
        stored.retire()?;
        stored.write(self.store, flash, key.id())
    }
}
