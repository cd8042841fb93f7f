//! Values: get, put, remove.

use embedded_storage::nor_flash::NorFlash;
use zeroize::Zeroize;

use crate::{
    KeyDomain, KeyId, Store, StoreError,
    header::{Header, MAX_CHUNKS, ONCE},
    place::Place,
    record::Kind,
    store::Total,
};

impl Store<'_> {
    /// Reads the value under `key` into `out`, which may be longer. Reads its record, or those of its chunks.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Buffer`]; [`StoreError::Tampered`] when flash does not hold
    /// what was stored, also because its words cannot be read any more; [`StoreError::KeyLost`]; failures of
    /// flash and cipher. `out` is as it was; of a value in several records, what was read already is wiped.
    ///
    /// ```
    /// # use iotsec_core::crypto::{Aes256GcmSiv, HkdfSha256};
    /// # use iotsec_store::{IndexEntry, KeyDomain, KeyId, ReplayProtection, Scrub, Store, StoreError, Suite};
    /// # use iotsec_testkit::{Geometry, SimFlash, SimRng, SimRootKey};
    /// # let mut flash = SimFlash::new(Geometry::nrf52840(8));
    /// # let region = flash.region()?;
    /// # let (mut rng, root) = (SimRng::new(1), SimRootKey::new(1));
    /// # let suite = Suite { aead: &Aes256GcmSiv, kdf: &HkdfSha256, root: &root };
    /// # let (mut index, mut buffer) = ([IndexEntry::EMPTY; 32], [0; 512]);
    /// # let replay = ReplayProtection::None;
    /// # let mut store = Store::format(&mut flash, region, suite, &mut index, &mut buffer, replay, &mut rng)?;
    /// let wifi = KeyId::new(KeyDomain::User, 1, 1);
    /// store.put(&mut flash, wifi, b"correct horse battery")?;
    ///
    /// let mut out = [0; 64];
    /// assert_eq!(store.get(&mut flash, wifi, &mut out)?, b"correct horse battery");
    /// assert_eq!(store.get(&mut flash, wifi, &mut out[..4]), Err(StoreError::Buffer));
    /// let other = KeyId::new(KeyDomain::User, 1, 2);
    /// assert_eq!(store.get(&mut flash, other, &mut out), Err(StoreError::NotFound));
    /// # Ok::<(), StoreError>(())
    /// ```
    pub fn get<'o, F: NorFlash>(
        &mut self,
        flash: &mut F,
        key: KeyId,
        out: &'o mut [u8],
    ) -> Result<&'o [u8], StoreError> {
        let len = self.value_len(key).ok_or(StoreError::NotFound)?;
        let out = out.get_mut(..len).ok_or(StoreError::Buffer)?;
        let mut at: usize = 0;
        for chunk in 0..MAX_CHUNKS {
            let Some(place) = self.index.find(key, chunk) else {
                break;
            };
            let read = self.load(flash, &place);
            let end = at.saturating_add(usize::from(place.header.len()));
            if read.is_ok() {
                let part = out.get_mut(at..end).unwrap_or_default();
                for (to, from) in part.iter_mut().zip(self.value()) {
                    *to = *from;
                }
            }
            self.wipe();
            if let Err(error) = read {
                out.get_mut(..at).unwrap_or_default().zeroize();
                return Err(error);
            }
            at = end;
        }
        Ok(out)
    }

    /// Stores `value` under `key`, in place of what was there.
    ///
    /// Takes one write; a value that is longer than a record takes one for each of up to sixteen chunks, and one more.
    /// When a page is full, and at the first write after a mount, it takes one erase more, and a write for each live
    /// record of the page that is collected; in a store that is almost full it may pass over several pages.
    ///
    /// *Power loss:* the old value or the new one.
    ///
    /// # Errors
    /// [`StoreError::ValueTooLong`], [`StoreError::Full`], [`StoreError::Limit`], [`StoreError::IndexFull`],
    /// [`StoreError::WriteOnce`]; [`StoreError::NoUserDomain`]; [`StoreError::KeyLost`] in a domain whose key is lost
    /// or whose erasure is not finished, and in the other domain when a record whose key is lost is in the way;
    /// failures of flash and cipher. The old value is still there, but after [`StoreError::Counter`].
    ///
    /// ```
    /// # use iotsec_core::crypto::{Aes256GcmSiv, HkdfSha256};
    /// # use iotsec_store::{IndexEntry, KeyDomain, KeyId, ReplayProtection, Scrub, Store, StoreError, Suite};
    /// # use iotsec_testkit::{Geometry, SimFlash, SimRng, SimRootKey};
    /// # let mut flash = SimFlash::new(Geometry::nrf52840(8));
    /// # let region = flash.region()?;
    /// # let (mut rng, root) = (SimRng::new(1), SimRootKey::new(1));
    /// # let suite = Suite { aead: &Aes256GcmSiv, kdf: &HkdfSha256, root: &root };
    /// # let (mut index, mut buffer) = ([IndexEntry::EMPTY; 32], [0; 512]);
    /// # let replay = ReplayProtection::None;
    /// # let mut store = Store::format(&mut flash, region, suite, &mut index, &mut buffer, replay, &mut rng)?;
    /// let boots = KeyId::new(KeyDomain::Device, 2, 1);
    /// store.put(&mut flash, boots, &1_u32.to_le_bytes())?;
    /// store.put(&mut flash, boots, &2_u32.to_le_bytes())?;
    /// let mut out = [0; 4];
    /// assert_eq!(store.get(&mut flash, boots, &mut out)?, [2, 0, 0, 0]);
    ///
    /// let long = [0; 16 * 488 + 1];
    /// assert_eq!(store.max_value_len(), 16 * (512 - 24));
    /// assert_eq!(store.put(&mut flash, boots, &long), Err(StoreError::ValueTooLong));
    /// # Ok::<(), StoreError>(())
    /// ```
    pub fn put<F: NorFlash>(&mut self, flash: &mut F, key: KeyId, value: &[u8]) -> Result<(), StoreError> {
        self.put_value(flash, key, value, false)
    }

    /// Stores `value` under `key` for good: it can be neither replaced nor removed, and goes only with its domain
    /// (`PSA_STORAGE_FLAG_WRITE_ONCE` of the PSA Secure Storage API).
    ///
    /// *Power loss:* no value or this one.
    ///
    /// # Errors
    /// [`StoreError::WriteOnce`] when `key` has such a value; otherwise as [`put`](Self::put).
    ///
    /// ```
    /// # use iotsec_core::crypto::{Aes256GcmSiv, HkdfSha256};
    /// # use iotsec_store::{IndexEntry, KeyDomain, KeyId, ReplayProtection, Store, StoreError, Suite};
    /// # use iotsec_testkit::{Geometry, SimFlash, SimRng, SimRootKey};
    /// # let mut flash = SimFlash::new(Geometry::nrf52840(8));
    /// # let region = flash.region()?;
    /// # let (mut rng, root) = (SimRng::new(1), SimRootKey::new(1));
    /// # let suite = Suite { aead: &Aes256GcmSiv, kdf: &HkdfSha256, root: &root };
    /// # let (mut index, mut buffer) = ([IndexEntry::EMPTY; 32], [0; 512]);
    /// # let replay = ReplayProtection::None;
    /// # let mut store = Store::format(&mut flash, region, suite, &mut index, &mut buffer, replay, &mut rng)?;
    /// let serial = KeyId::new(KeyDomain::Device, 0, 1);
    /// store.put_once(&mut flash, serial, b"4711")?;
    /// assert_eq!(store.put(&mut flash, serial, b"4712"), Err(StoreError::WriteOnce));
    /// assert_eq!(store.remove(&mut flash, serial), Err(StoreError::WriteOnce));
    /// # Ok::<(), StoreError>(())
    /// ```
    pub fn put_once<F: NorFlash>(
        &mut self,
        flash: &mut F,
        key: KeyId,
        value: &[u8],
    ) -> Result<(), StoreError> {
        self.put_value(flash, key, value, true)
    }

    fn put_value<F: NorFlash>(
        &mut self,
        flash: &mut F,
        key: KeyId,
        value: &[u8],
        once: bool,
    ) -> Result<(), StoreError> {
        if value.len() > self.max_chunk_len() {
            // The chunks count together or not at all.
            let mut transaction = self.transaction();
            transaction.put_value(flash, key, value, once)?;
            return transaction.commit(flash);
        }
        self.check_write(key)?;
        let len = u16::try_from(value.len()).map_err(|_| StoreError::ValueTooLong)?;
        let mut header = Header::new(Kind::Put, key, len);
        if once {
            header = header.with(ONCE);
        }
        self.put_record(flash, header, value)
    }

    /// Writes a record in the place of everything under its key.
    pub(crate) fn put_record<F: NorFlash>(
        &mut self,
        flash: &mut F,
        header: Header,
        value: &[u8],
    ) -> Result<(), StoreError> {
        let key = header.key();
        self.begin(flash)?;
        if !self.contains(key) && self.index.room() == 0 {
            return Err(StoreError::IndexFull);
        }
        let mut added = Total::default();
        added.add(&self.layout, header);
        self.check_capacity(key, false, added)?;
        let position = self.append(flash, header, value)?;
        self.index.replace(&Place::of(header, position))?;
        self.replay.written()
    }

    /// Removes the value under `key`. Works in a full store too.
    ///
    /// *Power loss:* the value is there or it is not; it does not come back later. Its ciphertext stays in
    /// flash until the page is collected.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::NoUserDomain`]; [`StoreError::KeyLost`] as for [`put`](Self::put);
    /// failures of flash and cipher. The value is still there.
    ///
    /// ```
    /// # use iotsec_core::crypto::{Aes256GcmSiv, HkdfSha256};
    /// # use iotsec_store::{IndexEntry, KeyDomain, KeyId, ReplayProtection, Scrub, Store, StoreError, Suite};
    /// # use iotsec_testkit::{Geometry, SimFlash, SimRng, SimRootKey};
    /// # let mut flash = SimFlash::new(Geometry::nrf52840(8));
    /// # let region = flash.region()?;
    /// # let (mut rng, root) = (SimRng::new(1), SimRootKey::new(1));
    /// # let suite = Suite { aead: &Aes256GcmSiv, kdf: &HkdfSha256, root: &root };
    /// # let (mut index, mut buffer) = ([IndexEntry::EMPTY; 32], [0; 512]);
    /// # let replay = ReplayProtection::None;
    /// # let mut store = Store::format(&mut flash, region, suite, &mut index, &mut buffer, replay, &mut rng)?;
    /// let wifi = KeyId::new(KeyDomain::User, 1, 1);
    /// store.put(&mut flash, wifi, b"correct horse battery")?;
    /// store.remove(&mut flash, wifi)?;
    /// assert!(!store.contains(wifi));
    /// assert_eq!(store.remove(&mut flash, wifi), Err(StoreError::NotFound));
    /// # Ok::<(), StoreError>(())
    /// ```
    pub fn remove<F: NorFlash>(&mut self, flash: &mut F, key: KeyId) -> Result<(), StoreError> {
        self.layout.check_domain(key.domain())?;
        let place = self.index.find(key, 0).ok_or(StoreError::NotFound)?;
        if place.is_once() {
            return Err(StoreError::WriteOnce);
        }
        self.begin(flash)?;
        let header = Header::new(Kind::Remove, key, 0);
        self.append(flash, header, &[])?;
        self.index.remove(key);
        self.replay.written()
    }

    /// Refuses a domain that the store does not have, or whose key is lost.
    pub(crate) fn check_key_of(&self, domain: KeyDomain) -> Result<(), StoreError> {
        self.layout.check_domain(domain)?;
        if domain == KeyDomain::User && self.is_user_key_lost() {
            return Err(StoreError::KeyLost);
        }
        Ok(())
    }

    /// Refuses to write under a key that must not be written under.
    pub(crate) fn check_write(&self, key: KeyId) -> Result<(), StoreError> {
        self.check_key_of(key.domain())?;
        match self.index.find(key, 0) {
            Some(place) if place.is_once() => Err(StoreError::WriteOnce),
            _ => Ok(()),
        }
    }
}

iotsec_core::claim! {
    provisions: ["5.4-1"],
    claims: "What is stored is encrypted under a key of the device: flash shows no key, no name, no value and no pattern",
    code: [Store::put],
    tests: ["iotsec-store::store::secrecy::n14_flash_shows_no_key_no_name_no_value_and_no_pattern"],
}
