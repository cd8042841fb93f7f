//! Numbers that count up.

use embedded_storage::nor_flash::NorFlash;

use crate::{
    KeyId, Store, StoreError,
    header::Header,
    record::{COUNT_LEN, Kind},
};

impl Store<'_> {
    /// Counts up the number under `key` by one and returns it; the first time, one. A record of 16 bytes, where
    /// [`put`](Self::put) would take 28: for boots, tries, sequence numbers. It is authenticated by 32 bits, and its
    /// header by 16, where a value has 128.
    ///
    /// *Power loss:* the old number or the new one.
    ///
    /// # Errors
    /// [`StoreError::NotCounter`] when a value is stored under `key`; [`StoreError::Exhausted`] after 2^32 - 1;
    /// [`StoreError::Tampered`], and as [`put`](Self::put).
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
    /// let boots = KeyId::new(KeyDomain::Device, 2, 1);
    /// assert_eq!(store.increment(&mut flash, boots)?, 1);
    /// assert_eq!(store.increment(&mut flash, boots)?, 2);
    /// assert_eq!(store.count(&mut flash, boots)?, 2);
    /// # Ok::<(), StoreError>(())
    /// ```
    pub fn increment<F: NorFlash>(&mut self, flash: &mut F, key: KeyId) -> Result<u32, StoreError> {
        self.check_write(key)?;
        let count = self
            .count(flash, key)?
            .checked_add(1)
            .ok_or(StoreError::Exhausted)?;
        let header = Header::new(Kind::Count, key, COUNT_LEN);
        self.put_record(flash, header, &count.to_le_bytes())?;
        Ok(count)
    }

    /// The number under `key`; zero when it was never counted up. Reads one record.
    ///
    /// # Errors
    /// [`StoreError::NotCounter`] when a value is stored under `key`; [`StoreError::NoUserDomain`]; otherwise as
    /// [`get`](Self::get).
    pub fn count<F: NorFlash>(&mut self, flash: &mut F, key: KeyId) -> Result<u32, StoreError> {
        self.check_key_of(key.domain())?;
        let Some(place) = self.index.find(key, 0) else {
            return Ok(0);
        };
        if !place.header.is(Kind::Count) && !place.is_damaged() {
            return Err(StoreError::NotCounter);
        }
        let read = self.load(flash, &place);
        let count = self.value().first_chunk().copied().map(u32::from_le_bytes);
        self.wipe();
        read?;
        count.ok_or(StoreError::Layout)
    }
}
