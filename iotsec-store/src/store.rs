use embedded_storage::nor_flash::NorFlash;
use iotsec_core::{
    crypto::{Aead, Kdf, TAG_LEN},
    hal::{Region, RootKey},
};
use rand_core::TryCryptoRng;
use zeroize::Zeroize;

use crate::{
    IndexEntry, KeyDomain, KeyId, StoreError, domain_key,
    index::{Index, Place},
    layout::{FIRST_SEQUENCE, Layout},
    log::Head,
    record::{self, Header, Keys, Kind},
};

/// What the store computes with: a cipher, a key derivation function and the device's root key.
///
/// ```
/// use iotsec_core::{
///     crypto::{Aes256GcmSiv, HkdfSha256},
///     hal::DeviceRootKey,
///     secret::Secret,
/// };
/// use iotsec_store::Suite;
///
/// // On a device this comes from fuses, a PUF or a secure element.
/// let unique = Secret::from_bytes(*b"32 bytes that no one else knows!");
/// let root = DeviceRootKey::new(&unique, &HkdfSha256)?;
/// let suite = Suite { aead: &Aes256GcmSiv, kdf: &HkdfSha256, root: &root };
/// # let _ = suite;
/// # Ok::<(), iotsec_core::hal::RootKeyError>(())
/// ```
#[derive(Clone, Copy)]
pub struct Suite<'a> {
    /// Seals records. Must survive a repeated nonce, as AES-256-GCM-SIV does, since flash can be rolled
    /// back.
    pub aead: &'a dyn Aead,
    /// Derives keys and hides names.
    pub kdf: &'a dyn Kdf,
    /// The device's root key, from which the key is derived that wraps the domains' keys.
    pub root: &'a dyn RootKey,
}

impl core::fmt::Debug for Suite<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Suite")
            .field("aead", &self.aead.algorithm())
            .finish_non_exhaustive()
    }
}

/// A mounted store.
///
/// The flash is an argument of every call and must always be the one that was mounted. RAM is the
/// caller's: an [`IndexEntry`] for each key, and a buffer for one record, which is wiped after use.
///
/// *Power loss:* a call that returned `Ok` stays done. One that was interrupted has happened or has not, which
/// is final with the first write after the next [`mount`](Self::mount). A call that failed for any other
/// reason has not happened, unless it says otherwise; only if flash failed *and* the device restarts before
/// anything else is written can it turn out to have happened.
pub struct Store<'a> {
    pub(crate) layout: Layout,
    pub(crate) suite: Suite<'a>,
    pub(crate) keys: Keys,
    /// Generation that the user domain's key has, or is to have.
    pub(crate) user_generation: u32,
    /// The user domain has no key at present: its erasure is not finished, or the key was lost.
    pub(crate) user_key_missing: bool,
    pub(crate) index: Index<'a>,
    pub(crate) buffer: &'a mut [u8],
    /// The page that is written to; none before the first write.
    pub(crate) head: Option<Head>,
    /// Sequence number of the oldest page that still counts.
    pub(crate) oldest: u32,
    /// The page of the newest erasure, while what lies before it is still in flash.
    pub(crate) scrub_until: Option<u32>,
    /// The record that was the last one when the store was mounted, until it has been written once more.
    pub(crate) doubtful: Option<Header>,
}

impl<'a> Store<'a> {
    /// Makes an empty store, whatever the region held before. Erases every page.
    ///
    /// The region needs five pages or more, of 256 bytes to 128 KiB. `index` needs an entry for each key that
    /// is to be stored, and `buffer` the length of the longest value and 28 bytes, rounded up to a word; at
    /// least 84 bytes.
    ///
    /// *Power loss:* before the first page is erased, the old store; then, until the call is complete, no store:
    /// format again.
    ///
    /// # Errors
    /// [`StoreError::Layout`], [`StoreError::AeadUnsuitable`], or a failure of flash, entropy or root key.
    ///
    /// ```
    /// # use iotsec_core::crypto::{Aes256GcmSiv, HkdfSha256};
    /// # use iotsec_store::{IndexEntry, KeyDomain, KeyId, Scrub, Store, StoreError, Suite};
    /// # use iotsec_testkit::{Geometry, SimFlash, SimRng, SimRootKey};
    /// # let mut flash = SimFlash::new(Geometry::nrf52840(8));
    /// # let region = flash.region()?;
    /// # let (mut rng, root) = (SimRng::new(1), SimRootKey::new(1));
    /// # let suite = Suite { aead: &Aes256GcmSiv, kdf: &HkdfSha256, root: &root };
    /// # let (mut index, mut buffer) = ([IndexEntry::EMPTY; 32], [0; 512]);
    /// let mut store = Store::format(&mut flash, region, suite, &mut index, &mut buffer, &mut rng)?;
    /// assert_eq!(store.keys().count(), 0);
    /// store.put(&mut flash, KeyId::new(KeyDomain::Device, 0, 1), b"serial 4711")?;
    /// # Ok::<(), StoreError>(())
    /// ```
    pub fn format<F: NorFlash, R: TryCryptoRng + ?Sized>(
        flash: &mut F,
        region: Region,
        suite: Suite<'a>,
        index: &'a mut [IndexEntry],
        buffer: &'a mut [u8],
        rng: &mut R,
    ) -> Result<Self, StoreError> {
        let layout = check(flash, region, &suite, buffer)?;
        let wrapper = domain_key::Wrapper::new(suite.aead, suite.root)?;
        // The device's key goes first and comes last: without it there is no store.
        Self::destroy(flash, region)?;
        let mut create = |domain| wrapper.create(flash, &layout, domain, FIRST_GENERATION, rng, buffer);
        let user = create(KeyDomain::User)?;
        let device = create(KeyDomain::Device)?;
        Ok(Self {
            layout,
            suite,
            keys: Keys::derive(&suite, &device.key, Some(&user.key))?,
            user_generation: FIRST_GENERATION,
            user_key_missing: false,
            index: Index::new(index),
            buffer,
            head: None,
            oldest: FIRST_SEQUENCE,
            scrub_until: None,
            doubtful: None,
        })
    }

    /// The longest value that [`put`](Self::put) takes, in bytes: just under half a page, and 28 bytes
    /// less than the buffer.
    pub fn max_value_len(&self) -> usize {
        let page = usize::try_from(self.layout.max_record()).unwrap_or(usize::MAX);
        let word = usize::try_from(self.layout.region().word_size()).unwrap_or(usize::MAX);
        let room = self
            .buffer
            .len()
            .saturating_sub(self.buffer.len().checked_rem(word).unwrap_or(0));
        page.min(room)
            .saturating_sub(record::HEADER_LEN)
            .saturating_sub(TAG_LEN)
            .min(usize::from(u16::MAX))
    }

    /// The keys that have a value, in no particular order. Reads no flash.
    ///
    /// ```
    /// # use iotsec_core::crypto::{Aes256GcmSiv, HkdfSha256};
    /// # use iotsec_store::{IndexEntry, KeyDomain, KeyId, Scrub, Store, StoreError, Suite};
    /// # use iotsec_testkit::{Geometry, SimFlash, SimRng, SimRootKey};
    /// # let mut flash = SimFlash::new(Geometry::nrf52840(8));
    /// # let region = flash.region()?;
    /// # let (mut rng, root) = (SimRng::new(1), SimRootKey::new(1));
    /// # let suite = Suite { aead: &Aes256GcmSiv, kdf: &HkdfSha256, root: &root };
    /// # let (mut index, mut buffer) = ([IndexEntry::EMPTY; 32], [0; 512]);
    /// # let mut store = Store::format(&mut flash, region, suite, &mut index, &mut buffer, &mut rng)?;
    /// let wifi = KeyId::new(KeyDomain::User, 1, 1);
    /// store.put(&mut flash, wifi, b"correct horse battery")?;
    /// assert_eq!(store.keys().collect::<Vec<_>>(), [wifi]);
    /// assert!(store.contains(wifi));
    /// assert_eq!(store.value_len(wifi), Some(21));
    /// # Ok::<(), StoreError>(())
    /// ```
    pub fn keys(&self) -> impl Iterator<Item = KeyId> {
        self.index.iter().map(|place| place.key)
    }

    /// Whether `key` has a value. Reads no flash.
    pub fn contains(&self, key: KeyId) -> bool {
        self.index.find(key).is_some()
    }

    /// Bytes of the value under `key`; 0 for one that is damaged. Reads no flash.
    pub fn value_len(&self, key: KeyId) -> Option<usize> {
        self.index.find(key).map(|place| usize::from(place.len))
    }

    /// Reads the value under `key` into `out`, which may be longer. Reads one record.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Buffer`]; [`StoreError::Tampered`] when flash does not hold
    /// what was stored, also because its words cannot be read any more; [`StoreError::KeyLost`]; failures of
    /// flash and cipher. `out` is as it was.
    ///
    /// ```
    /// # use iotsec_core::crypto::{Aes256GcmSiv, HkdfSha256};
    /// # use iotsec_store::{IndexEntry, KeyDomain, KeyId, Scrub, Store, StoreError, Suite};
    /// # use iotsec_testkit::{Geometry, SimFlash, SimRng, SimRootKey};
    /// # let mut flash = SimFlash::new(Geometry::nrf52840(8));
    /// # let region = flash.region()?;
    /// # let (mut rng, root) = (SimRng::new(1), SimRootKey::new(1));
    /// # let suite = Suite { aead: &Aes256GcmSiv, kdf: &HkdfSha256, root: &root };
    /// # let (mut index, mut buffer) = ([IndexEntry::EMPTY; 32], [0; 512]);
    /// # let mut store = Store::format(&mut flash, region, suite, &mut index, &mut buffer, &mut rng)?;
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
        let place = self.index.find(key).ok_or(StoreError::NotFound)?;
        let out = out.get_mut(..usize::from(place.len)).ok_or(StoreError::Buffer)?;
        let read = self.load(flash, &place);
        if read.is_ok() {
            for (to, from) in out.iter_mut().zip(self.value()) {
                *to = *from;
            }
        }
        self.buffer.zeroize();
        read?;
        Ok(out)
    }

    /// Stores `value` under `key`, in place of what was there.
    ///
    /// Takes one write. When a page is full, and at the first write after a mount, it takes one erase more, and
    /// a write for each live record of the page that is collected; in a store that is almost full it may pass
    /// over several pages.
    ///
    /// *Power loss:* the old value or the new one.
    ///
    /// # Errors
    /// [`StoreError::ValueTooLong`], [`StoreError::Full`], [`StoreError::IndexFull`];
    /// [`StoreError::KeyLost`] in a domain whose key is lost or whose erasure is not finished, and in the other
    /// domain when a record whose key is lost is in the way; failures of flash and cipher. The old value is
    /// still there.
    ///
    /// ```
    /// # use iotsec_core::crypto::{Aes256GcmSiv, HkdfSha256};
    /// # use iotsec_store::{IndexEntry, KeyDomain, KeyId, Scrub, Store, StoreError, Suite};
    /// # use iotsec_testkit::{Geometry, SimFlash, SimRng, SimRootKey};
    /// # let mut flash = SimFlash::new(Geometry::nrf52840(8));
    /// # let region = flash.region()?;
    /// # let (mut rng, root) = (SimRng::new(1), SimRootKey::new(1));
    /// # let suite = Suite { aead: &Aes256GcmSiv, kdf: &HkdfSha256, root: &root };
    /// # let (mut index, mut buffer) = ([IndexEntry::EMPTY; 32], [0; 512]);
    /// # let mut store = Store::format(&mut flash, region, suite, &mut index, &mut buffer, &mut rng)?;
    /// let boots = KeyId::new(KeyDomain::Device, 2, 1);
    /// store.put(&mut flash, boots, &1_u32.to_le_bytes())?;
    /// store.put(&mut flash, boots, &2_u32.to_le_bytes())?;
    /// let mut out = [0; 4];
    /// assert_eq!(store.get(&mut flash, boots, &mut out)?, [2, 0, 0, 0]);
    ///
    /// let long = [0; 485];
    /// assert_eq!(store.max_value_len(), 512 - 28);
    /// assert_eq!(store.put(&mut flash, boots, &long), Err(StoreError::ValueTooLong));
    /// # Ok::<(), StoreError>(())
    /// ```
    pub fn put<F: NorFlash>(&mut self, flash: &mut F, key: KeyId, value: &[u8]) -> Result<(), StoreError> {
        if value.len() > self.max_value_len() {
            return Err(StoreError::ValueTooLong);
        }
        if key.domain() == KeyDomain::User && self.user_key_missing {
            return Err(StoreError::KeyLost);
        }
        if !self.index.has_room(key) {
            return Err(StoreError::IndexFull);
        }
        self.check_capacity(key, value.len())?;
        let len = u16::try_from(value.len()).map_err(|_| StoreError::ValueTooLong)?;
        let header = Header {
            kind: Kind::Put,
            domain: key.domain(),
            name: key.name(),
            len,
        };
        let position = self.append(flash, &header, value)?;
        self.index.set(Place {
            key,
            position,
            len,
            damaged: false,
        })
    }

    /// Removes the value under `key`. Works in a full store too.
    ///
    /// *Power loss:* the value is there or it is not; it does not come back later. Its ciphertext stays in
    /// flash until the page is collected.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::KeyLost`] as for [`put`](Self::put); failures of flash and
    /// cipher. The value is still there.
    ///
    /// ```
    /// # use iotsec_core::crypto::{Aes256GcmSiv, HkdfSha256};
    /// # use iotsec_store::{IndexEntry, KeyDomain, KeyId, Scrub, Store, StoreError, Suite};
    /// # use iotsec_testkit::{Geometry, SimFlash, SimRng, SimRootKey};
    /// # let mut flash = SimFlash::new(Geometry::nrf52840(8));
    /// # let region = flash.region()?;
    /// # let (mut rng, root) = (SimRng::new(1), SimRootKey::new(1));
    /// # let suite = Suite { aead: &Aes256GcmSiv, kdf: &HkdfSha256, root: &root };
    /// # let (mut index, mut buffer) = ([IndexEntry::EMPTY; 32], [0; 512]);
    /// # let mut store = Store::format(&mut flash, region, suite, &mut index, &mut buffer, &mut rng)?;
    /// let wifi = KeyId::new(KeyDomain::User, 1, 1);
    /// store.put(&mut flash, wifi, b"correct horse battery")?;
    /// store.remove(&mut flash, wifi)?;
    /// assert!(!store.contains(wifi));
    /// assert_eq!(store.remove(&mut flash, wifi), Err(StoreError::NotFound));
    /// # Ok::<(), StoreError>(())
    /// ```
    pub fn remove<F: NorFlash>(&mut self, flash: &mut F, key: KeyId) -> Result<(), StoreError> {
        if !self.contains(key) {
            return Err(StoreError::NotFound);
        }
        let header = Header {
            kind: Kind::Remove,
            domain: key.domain(),
            name: key.name(),
            len: 0,
        };
        self.append(flash, &header, &[])?;
        self.index.remove(key);
        Ok(())
    }

    /// Pages that hold records, alive or not; one more is always free.
    pub fn pages_in_use(&self) -> u32 {
        self.pages_used()
    }

    /// Pages that can hold records.
    pub fn data_pages(&self) -> u32 {
        self.layout.data_pages()
    }

    /// Refuses a value for which collecting could find no room.
    fn check_capacity(&self, key: KeyId, len: usize) -> Result<(), StoreError> {
        let others = self.index.iter().filter(|place| place.key != key);
        let lens = others.map(|place| usize::from(place.len)).chain([len]);
        let (live, longest) = lens.fold((0u32, 0u32), |(live, longest), len| {
            let record = self.layout.record_len(len);
            (live.saturating_add(record), longest.max(record))
        });
        if live > self.layout.capacity(longest) {
            Err(StoreError::Full)
        } else {
            Ok(())
        }
    }
}

impl core::fmt::Debug for Store<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Store")
            .field("keys", &self.keys().count())
            .finish_non_exhaustive()
    }
}

pub(crate) const FIRST_GENERATION: u32 = 1;

/// Checks everything that does not need flash contents.
pub(crate) fn check<F: NorFlash>(
    flash: &F,
    region: Region,
    suite: &Suite<'_>,
    buffer: &[u8],
) -> Result<Layout, StoreError> {
    if !suite.aead.algorithm().survives_nonce_reuse() {
        return Err(StoreError::AeadUnsuitable);
    }
    region.check(flash)?;
    let layout = Layout::new(region)?;
    let own = layout.record_len(record::NOTE_LEN).max(layout.header_len());
    let key = region
        .align_up(u32::try_from(domain_key::LEN).unwrap_or(u32::MAX))
        .unwrap_or(u32::MAX);
    let least = usize::try_from(own.max(key)).unwrap_or(usize::MAX);
    if buffer.len() < least || key > region.page_size() {
        return Err(StoreError::Layout);
    }
    Ok(layout)
}
