//! Several changes at once.

use embedded_storage::nor_flash::NorFlash;

use crate::{
    KeyId, Store, StoreError,
    header::{FIRST, Header, MAX_CHUNKS, NEXT, ONCE},
    place::Place,
    record::Kind,
    store::Total,
};

/// Changes that happen together or not at all, made by [`Store::transaction`].
///
/// Each change is written as it comes, and nobody sees it until [`commit`](Self::commit). A transaction that is dropped
/// has not happened; the room that it took comes back as pages are collected. Until then old and new values need room
/// side by side, in flash and in the index: one entry for each record, also for a removal.
///
/// *Power loss:* none of the changes, or, when `commit` was under way, all of them.
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
/// let ssid = KeyId::new(KeyDomain::User, 1, 1);
/// let password = KeyId::new(KeyDomain::User, 1, 2);
///
/// let mut change = store.transaction();
/// change.put(&mut flash, ssid, b"house")?;
/// change.put(&mut flash, password, b"correct horse battery")?;
/// change.commit(&mut flash)?;
///
/// let mut change = store.transaction();
/// change.remove(&mut flash, ssid)?;
/// drop(change);
/// assert!(store.contains(ssid));
/// # Ok::<(), StoreError>(())
/// ```
#[must_use = "nothing happens without `commit`"]
pub struct Transaction<'s, 'a> {
    store: &'s mut Store<'a>,
    begun: bool,
    /// A change was cut short, perhaps between two chunks of a value.
    failed: Option<StoreError>,
}

impl<'a> Store<'a> {
    /// Begins a [`Transaction`].
    pub fn transaction(&mut self) -> Transaction<'_, 'a> {
        self.index.abort();
        Transaction {
            store: self,
            begun: false,
            failed: None,
        }
    }
}

impl Transaction<'_, '_> {
    /// Will store `value` under `key`, in place of what is there.
    ///
    /// # Errors
    /// As [`Store::put`]. The transaction goes on without this change, but after a failure of flash or cipher.
    pub fn put<F: NorFlash>(&mut self, flash: &mut F, key: KeyId, value: &[u8]) -> Result<(), StoreError> {
        self.put_value(flash, key, value, false)
    }

    /// Will store `value` under `key` for good.
    ///
    /// # Errors
    /// As [`Store::put_once`], and as [`put`](Self::put).
    pub fn put_once<F: NorFlash>(
        &mut self,
        flash: &mut F,
        key: KeyId,
        value: &[u8],
    ) -> Result<(), StoreError> {
        self.put_value(flash, key, value, true)
    }

    /// Will remove the value under `key`.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when `key` has no value, nor is given one by this transaction;
    /// [`StoreError::WriteOnce`], [`StoreError::Full`], [`StoreError::IndexFull`]; failures of flash and cipher. As
    /// with [`put`](Self::put).
    pub fn remove<F: NorFlash>(&mut self, flash: &mut F, key: KeyId) -> Result<(), StoreError> {
        self.begin(flash)?;
        self.store.check_write(key)?;
        let changed = self.pending(key).next();
        if !changed.map_or_else(|| self.store.contains(key), |place| !place.is_gone()) {
            return Err(StoreError::NotFound);
        }
        let header = self.removal(key);
        self.check_room(key, 1)?;
        let mut added = Total::default();
        added.add(&self.store.layout, header);
        self.store.check_capacity(key, true, added)?;
        self.change(flash, header, &[])
    }

    /// Makes all changes count.
    ///
    /// *Power loss:* all of them or none.
    ///
    /// # Errors
    /// Failures of flash and cipher, also an earlier one: none of the changes counts, unless this was the first and the
    /// device restarts before anything else is written: then all of them may.
    pub fn commit<F: NorFlash>(self, flash: &mut F) -> Result<(), StoreError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        if !self.begun {
            return Ok(());
        }
        let header = Header::new(Kind::Commit, KeyId::from_id(0), 0);
        self.store.append(flash, header, &[])?;
        self.store.index.commit();
        self.store.replay.written()
    }

    pub(crate) fn put_value<F: NorFlash>(
        &mut self,
        flash: &mut F,
        key: KeyId,
        value: &[u8],
        once: bool,
    ) -> Result<(), StoreError> {
        self.begin(flash)?;
        self.store.check_write(key)?;
        let most = self.store.max_chunk_len();
        let count = value.len().div_ceil(most.max(1)).max(1);
        let count = u8::try_from(count).unwrap_or(u8::MAX);
        if count > MAX_CHUNKS {
            return Err(StoreError::ValueTooLong);
        }
        let part = |chunk: u8| {
            let from = usize::from(chunk).saturating_mul(most);
            let rest = value.get(from..).unwrap_or_default();
            rest.get(..most).unwrap_or(rest)
        };
        let header = |chunk: u8, member| {
            let len = u16::try_from(part(chunk).len()).unwrap_or(u16::MAX);
            let flags = if once { ONCE | member } else { member };
            Header::new(Kind::Put, key, len).for_chunk(chunk).with(flags)
        };
        self.check_room(key, usize::from(count))?;
        let mut added = Total::default();
        for chunk in 0..count {
            added.add(&self.store.layout, header(chunk, 0));
        }
        // A longer value that this transaction gave the key before must go by a record of its own: copies of its chunks
        // may outlive the one that shows where it ended.
        let longer = self.pending(key).any(|place| place.header.chunk() >= count);
        let removal = longer.then(|| self.removal(key));
        if let Some(removal) = removal {
            added.add(&self.store.layout, removal);
        }
        self.store.check_capacity(key, true, added)?;
        if let Some(removal) = removal {
            self.change(flash, removal, &[])?;
        }
        for chunk in (0..count).rev() {
            let header = header(chunk, member(self.begun));
            self.change(flash, header, part(chunk))?;
        }
        Ok(())
    }

    /// What says that this transaction leaves nothing under `key`.
    const fn removal(&self, key: KeyId) -> Header {
        Header::new(Kind::Remove, key, 0).with(member(self.begun))
    }

    fn begin<F: NorFlash>(&mut self, flash: &mut F) -> Result<(), StoreError> {
        if self.begun {
            Ok(())
        } else {
            self.store.begin(flash)
        }
    }

    /// Writes a record of the transaction, and has the index point to it.
    fn change<F: NorFlash>(&mut self, flash: &mut F, header: Header, value: &[u8]) -> Result<(), StoreError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        match self.store.append(flash, header, value) {
            Ok(position) => {
                self.begun = true;
                self.store.index.replace(&Place::of(header, position))
            }
            Err(error) => {
                self.failed = Some(error);
                Err(error)
            }
        }
    }

    /// Refuses what the index has no room for. What is pending under the same key makes room.
    fn check_room(&self, key: KeyId, entries: usize) -> Result<(), StoreError> {
        let room = self.store.index.room().saturating_add(self.pending(key).count());
        if room < entries {
            return Err(StoreError::IndexFull);
        }
        Ok(())
    }

    /// What this transaction is to do with `key`: put chunks, or remove it.
    fn pending(&self, key: KeyId) -> impl Iterator<Item = Place> {
        let index = self.store.index.iter();
        index.filter(move |place| place.key() == key && place.is_pending())
    }
}

/// How a record belongs to the transaction under way.
const fn member(begun: bool) -> u8 {
    if begun { NEXT } else { FIRST }
}

impl Drop for Transaction<'_, '_> {
    fn drop(&mut self) {
        self.store.index.abort();
    }
}

impl core::fmt::Debug for Transaction<'_, '_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Transaction(..)")
    }
}
