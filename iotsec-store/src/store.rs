use embedded_storage::nor_flash::NorFlash;
use iotsec_core::{
    crypto::{Aead, Kdf},
    hal::RootKey,
    secret::Secret,
};
use rand_core::TryCryptoRng;

use crate::{
    IndexEntry, KeyDomain, KeyId, ReplayLevel, ReplayProtection, StoreError, StoreRegion,
    header::{Header, MAX_CHUNKS},
    index::Index,
    layout::{FIRST_SEQUENCE, Layout},
    log::Head,
    place::Place,
    record::{self, Kind},
    replay::Replay,
    sealing::{Keys, SALT_LEN},
    user_key,
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
    /// Seals records: AES-256-GCM-SIV, or ChaCha20-HMAC-SIV where nothing computes AES and flash is short. Others do not
    /// survive a repeated nonce, and flash can be rolled back. A store keeps for its life the cipher that it was
    /// formatted with, in whichever implementation.
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
    /// Generation of the key that there is; none while its erasure is not finished, or when it was lost.
    pub(crate) key_generation: Option<u32>,
    pub(crate) index: Index<'a>,
    pub(crate) buffer: &'a mut [u8],
    /// The page that is written to.
    pub(crate) head: Head,
    /// Sequence number of the oldest page that still counts.
    pub(crate) oldest: u32,
    /// The page of the newest erasure, while what lies before it is still in flash.
    pub(crate) scrub_until: Option<u32>,
    /// The record that was the last one when the power went, until it has been written once more.
    pub(crate) doubtful: Option<Place>,
    pub(crate) replay: Replay<'a>,
    /// Bytes of records that a domain may have, by [`KeyDomain::code`]; [`NO_LIMIT`] for all that there are.
    pub(crate) limits: [u32; 2],
}

impl<'a> Store<'a> {
    /// Makes an empty store, whatever the region held before. Erases every page.
    ///
    /// The region needs four pages or more, or three without a user domain ([`DeviceOnly`](crate::DeviceOnly)), of 256
    /// bytes to 128 KiB and at most 65535 words. `index` needs an entry for each key that is to be stored, and `buffer`
    /// the length of the longest value, or of the longest chunk of it, and 24 bytes, rounded up to a word; at least 84
    /// bytes.
    ///
    /// *Power loss:* the old store as it was; or none, [`StoreError::Unformatted`] or [`StoreError::Tampered`], or
    /// [`StoreError::Cipher`] or [`StoreError::Geometry`], as before where the old one had another cipher or form, and
    /// perhaps where it had no user domain: format again.
    ///
    /// # Errors
    /// [`StoreError::Layout`], [`StoreError::AeadUnsuitable`], or a failure of flash, entropy or root key.
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
    /// let replay = ReplayProtection::None;
    /// let mut store = Store::format(&mut flash, region, suite, &mut index, &mut buffer, replay, &mut rng)?;
    /// assert_eq!(store.keys().count(), 0);
    /// store.put(&mut flash, KeyId::new(KeyDomain::Device, 0, 1), b"serial 4711")?;
    /// # Ok::<(), StoreError>(())
    /// ```
    pub fn format<F: NorFlash, R: TryCryptoRng + ?Sized>(
        flash: &mut F,
        region: impl Into<StoreRegion>,
        suite: Suite<'a>,
        index: &'a mut [IndexEntry],
        buffer: &'a mut [u8],
        replay: ReplayProtection<'a>,
        rng: &mut R,
    ) -> Result<Self, StoreError> {
        let layout = check(flash, region.into(), &suite, buffer)?;
        let mut store = Self::new(layout, suite, index, buffer);
        store.write_log(flash, replay, rng)?;
        Ok(store)
    }

    /// Erases what flash holds, and begins anew.
    fn write_log<F: NorFlash, R: TryCryptoRng + ?Sized>(
        &mut self,
        flash: &mut F,
        replay: ReplayProtection<'a>,
        rng: &mut R,
    ) -> Result<(), StoreError> {
        let wrap = user_key::derive_wrap_key(self.suite.root)?;
        self.replay = Replay::begin(replay)?;
        Self::destroy_all(flash, self.layout.store_region())?;
        let wrapper = (self.suite.aead, &wrap);
        let mut user = Secret::zero();
        if self.layout.has_user() {
            let generation = FIRST_GENERATION;
            user_key::create(
                flash,
                &self.layout,
                wrapper,
                generation,
                rng,
                self.buffer,
                &mut user,
            )?;
            self.key_generation = Some(generation);
        }
        let salt = Secret::<SALT_LEN>::random(rng)?;
        self.keys.derive(&self.suite, salt.expose())?;
        if self.key_generation.is_some() {
            self.keys.set_user(&self.suite, &user)?;
        }
        // The first page comes last: without it there is no store.
        self.open_page(flash, false)
    }

    /// One of which nothing is known yet.
    #[inline(never)]
    pub(crate) fn new(
        layout: Layout,
        suite: Suite<'a>,
        index: &'a mut [IndexEntry],
        buffer: &'a mut [u8],
    ) -> Self {
        Self {
            layout,
            suite,
            keys: Keys::new(),
            user_generation: FIRST_GENERATION,
            key_generation: None,
            index: Index::new(index, layout.region().word_size()),
            buffer,
            head: Head::NONE,
            oldest: FIRST_SEQUENCE,
            scrub_until: None,
            doubtful: None,
            replay: Replay::new(),
            limits: [NO_LIMIT; 2],
        }
    }

    /// The longest value that [`put`](Self::put) takes, in bytes: sixteen times what one record takes, which is just
    /// under half a page, 24 bytes less than the buffer, and at most 4095 bytes.
    pub fn max_value_len(&self) -> usize {
        self.max_chunk_len().saturating_mul(usize::from(MAX_CHUNKS))
    }

    /// The longest value that one record takes.
    pub(crate) fn max_chunk_len(&self) -> usize {
        let room = u32::try_from(self.buffer.len()).unwrap_or(u32::MAX);
        let rest = room.checked_rem(self.layout.region().word_size()).unwrap_or(0);
        let longest = self.layout.max_record().min(room.saturating_sub(rest));
        let overhead = Header::new(Kind::Put, KeyId::from_id(0), 0).record_len();
        let len = longest.saturating_sub(overhead).min(u32::from(record::MAX_LEN));
        usize::try_from(len).unwrap_or(0)
    }

    /// The keys that have a value, in no particular order. Reads no flash.
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
    /// let wifi = KeyId::new(KeyDomain::User, 1, 1);
    /// store.put(&mut flash, wifi, b"correct horse battery")?;
    /// assert_eq!(store.keys().collect::<Vec<_>>(), [wifi]);
    /// assert!(store.contains(wifi));
    /// assert_eq!(store.value_len(wifi), Some(21));
    /// # Ok::<(), StoreError>(())
    /// ```
    pub fn keys(&self) -> impl Iterator<Item = KeyId> {
        let first = self.index.counting().filter(|place| place.header.chunk() == 0);
        first.map(|place| place.key())
    }

    /// Whether `key` has a value. Reads no flash.
    pub fn contains(&self, key: KeyId) -> bool {
        self.index.find(key, 0).is_some()
    }

    /// Bytes of the value under `key`; 0 for one that is damaged. Reads no flash.
    pub fn value_len(&self, key: KeyId) -> Option<usize> {
        let (mut first, mut len) = (false, 0_usize);
        for place in self.index.chunks(key) {
            first |= place.header.chunk() == 0;
            len = len.saturating_add(usize::from(place.header.len()));
        }
        first.then_some(len)
    }

    /// What is noticed when an earlier image of the flash is put back.
    pub const fn replay_level(&self) -> ReplayLevel {
        self.replay.level()
    }

    /// Lets the records of a domain take at most `bytes`, 24 for each value and what fills up its last word
    /// included; `None` for no limit, as after mounting. What is there already stays. Of a domain that the store does not
    /// have it says nothing.
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
    /// store.set_limit(KeyDomain::User, Some(100));
    /// let (note, other) = (KeyId::new(KeyDomain::User, 1, 1), KeyId::new(KeyDomain::User, 1, 2));
    /// store.put(&mut flash, note, &[7; 60])?;
    /// assert_eq!(store.put(&mut flash, other, b"more"), Err(StoreError::Limit));
    /// store.put(&mut flash, note, &[7; 76])?;
    /// # Ok::<(), StoreError>(())
    /// ```
    pub const fn set_limit(&mut self, domain: KeyDomain, bytes: Option<u32>) {
        let bytes = match bytes {
            Some(bytes) => bytes,
            None => NO_LIMIT,
        };
        let [device, user] = &mut self.limits;
        match domain {
            KeyDomain::Device => *device = bytes,
            KeyDomain::User => *user = bytes,
        }
    }

    /// Pages that hold records, alive or not; one more is always free.
    pub fn pages_in_use(&self) -> u32 {
        self.pages_used()
    }

    /// Pages that can hold records.
    pub fn data_pages(&self) -> u32 {
        self.layout.data_pages()
    }

    /// Refuses records, `added`, for which collecting could find no room. Those that are there under `key` make room
    /// for them: all, or those that wait.
    pub(crate) fn check_capacity(&self, key: KeyId, waiting: bool, added: Total) -> Result<(), StoreError> {
        let domain = key.domain();
        let (mut own, mut others) = (added, Total::default());
        for place in self.index.iter() {
            if place.key() != key || waiting && !place.is_pending() {
                let total = if place.key().domain() == domain {
                    &mut own
                } else {
                    &mut others
                };
                total.add(&self.layout, place.header);
            }
        }
        let [device, user] = self.limits;
        let limit = match domain {
            KeyDomain::Device => device,
            KeyDomain::User => user,
        };
        if own.live > limit {
            return Err(StoreError::Limit);
        }
        if own.live.saturating_add(others.live) > self.layout.capacity(own.longest.max(others.longest)) {
            return Err(StoreError::Full);
        }
        Ok(())
    }
}

/// Bytes of records, and of the longest of them.
#[derive(Clone, Copy, Default)]
pub(crate) struct Total {
    live: u32,
    longest: u32,
}

impl Total {
    #[inline(never)]
    pub(crate) fn add(&mut self, layout: &Layout, header: Header) {
        let len = layout.record_len(header);
        self.live = self.live.saturating_add(len);
        self.longest = self.longest.max(len);
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
/// More than a region holds.
const NO_LIMIT: u32 = u32::MAX;

/// Checks everything that does not need flash contents.
pub(crate) fn check<F: NorFlash>(
    flash: &F,
    store_region: StoreRegion,
    suite: &Suite<'_>,
    buffer: &[u8],
) -> Result<Layout, StoreError> {
    if user_key::cipher(suite.aead) == user_key::NO_CIPHER {
        return Err(StoreError::AeadUnsuitable);
    }
    let region = store_region.region;
    region.check(flash)?;
    let layout = Layout::new(store_region)?;
    let own = layout.least_record().max(layout.head_len());
    let key = region.align_up(user_key::LEN_32).unwrap_or(u32::MAX);
    let least = usize::try_from(own.max(key)).unwrap_or(usize::MAX);
    if buffer.len() < least || key > region.page_size() {
        return Err(StoreError::Layout);
    }
    Ok(layout)
}
