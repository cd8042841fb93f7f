//! Finding out what flash holds, and finishing what a power cut interrupted.

use embedded_storage::nor_flash::NorFlash;
use iotsec_core::{hal::CounterError, secret::Secret};
use rand_core::TryCryptoRng;

use crate::{
    IndexEntry, KeyDomain, ReplayProtection, Store, StoreError, StoreRegion, Suite,
    header::{COPY, Found},
    layout::{FIRST_SEQUENCE, REREADS},
    page::{self, Opened, Raw},
    record::{HEADER_LEN, Position},
    replay::Replay,
    sealing::SALT_LEN,
    store, user_key,
};

/// Bytes that a head takes: in words of up to 64 bytes, and in words of 256.
const SHORTEST_HEAD: u32 = 64;
const LONGEST_HEAD: u32 = 256;

impl<'a> Store<'a> {
    /// Opens the store of a region.
    ///
    /// Reads the headers of every live record, in a number of reads that the size of the region bounds, and writes
    /// nothing, except to finish an erasure of the user domain, or the commit of a transaction, that was interrupted.
    /// `rng` is used only for the former. A commit for which no page can be opened is left to the next write; its
    /// transaction counts all the same. So a store whose user key was lost mounts: its values of the device domain are
    /// there, those of the user domain answer [`StoreError::KeyLost`], and [`erase_user`](Self::erase_user) mends it.
    ///
    /// `index` needs an entry for each key in the store and each further chunk, and `buffer` must hold the longest
    /// record: its value and 24 bytes, rounded up to a word. `replay` is what the store was formatted with.
    ///
    /// *Power loss:* mount again.
    ///
    /// # Errors
    /// Nothing is lost by an error; mount again.
    /// - [`StoreError::Unformatted`] when this is not a store of this device: never formatted, formatting was
    ///   interrupted, or another root key.
    /// - [`StoreError::Cipher`] when it is sealed with another cipher than `suite` has: do not format, but mount it with
    ///   the one that it was formatted with.
    /// - [`StoreError::Version`], [`StoreError::Geometry`] when it is one, of another shape: do not format either, but
    ///   mount it as it was formatted. Of a store without a user domain ([`DeviceOnly`](crate::DeviceOnly)), a shape or a
    ///   cipher that is another shows by its records alone: one that never had any is `Unformatted`.
    /// - [`StoreError::Tampered`] when a page of the log, or a part of it, is not what was written.
    /// - [`StoreError::RolledBack`] when it is an earlier image of this store; [`StoreError::ReplayProtection`] when it
    ///   was formatted with another protection; [`StoreError::Counter`].
    /// - [`StoreError::IndexFull`] and [`StoreError::Layout`] when `index` or `buffer` is too small.
    /// - Failures of flash (also after an interrupted formatting, where torn words fail when they are read),
    ///   cipher, entropy or root key.
    ///
    /// ```
    /// # use iotsec_core::crypto::{Aes256GcmSiv, HkdfSha256};
    /// # use iotsec_store::{IndexEntry, KeyDomain, KeyId, ReplayProtection, Store, StoreError, Suite};
    /// # use iotsec_testkit::{Geometry, SimFlash, SimRng, SimRootKey};
    /// # let mut flash = SimFlash::new(Geometry::nrf52840(8));
    /// # let region = flash.region()?;
    /// # let (mut rng, root) = (SimRng::new(1), SimRootKey::new(1));
    /// let suite = Suite { aead: &Aes256GcmSiv, kdf: &HkdfSha256, root: &root };
    /// let (mut index, mut buffer) = ([IndexEntry::EMPTY; 32], [0; 512]);
    /// let replay = ReplayProtection::None;
    /// let mounted = Store::mount(&mut flash, region, suite, &mut index, &mut buffer, replay, &mut rng);
    /// let mut store = match mounted {
    ///     Err(StoreError::Unformatted) => {
    ///         let replay = ReplayProtection::None;
    ///         Store::format(&mut flash, region, suite, &mut index, &mut buffer, replay, &mut rng)?
    ///     }
    ///     mounted => mounted?,
    /// };
    /// store.put(&mut flash, KeyId::new(KeyDomain::Device, 0, 1), b"serial 4711")?;
    /// # Ok::<(), StoreError>(())
    /// ```
    pub fn mount<F: NorFlash, R: TryCryptoRng + ?Sized>(
        flash: &mut F,
        region: impl Into<StoreRegion>,
        suite: Suite<'a>,
        index: &'a mut [IndexEntry],
        buffer: &'a mut [u8],
        replay: ReplayProtection<'a>,
        rng: &mut R,
    ) -> Result<Self, StoreError> {
        let layout = store::check(flash, region.into(), &suite, buffer)?;
        let mut store = Self::new(layout, suite, index, buffer);
        store.read_log(flash, replay, rng)?;
        Ok(store)
    }

    /// Finds out what flash holds.
    fn read_log<F: NorFlash, R: TryCryptoRng + ?Sized>(
        &mut self,
        flash: &mut F,
        replay: ReplayProtection<'a>,
        rng: &mut R,
    ) -> Result<(), StoreError> {
        let mut user = Secret::zero();
        let mut named = false;
        if self.layout.has_user() {
            let wrap = user_key::derive_wrap_key(self.suite.root)?;
            match user_key::read(flash, &self.layout, (self.suite.aead, &wrap), &mut user) {
                // It counts only where no head opens: a bit that flips makes no other store of this one.
                Err(StoreError::Cipher) => named = true,
                found => self.key_generation = found?,
            }
        }
        let mut opened = Opened::EMPTY;
        let newest = self.find_newest(flash, &mut opened, named)?;
        if self.key_generation.is_some() {
            self.keys.set_user(&self.suite, &user)?;
        }
        self.replay = Replay::begin(replay)?;
        let replayed = self.replay(flash, newest, opened);
        self.wipe();
        self.replay.check(replayed?)?;
        if self.index.has_pending() {
            self.index.complete();
            match self.settle(flash) {
                // That would not pass by mounting again. What can be read is read, and who writes is told.
                Err(
                    StoreError::KeyLost
                    | StoreError::Exhausted
                    | StoreError::Counter(CounterError::Exhausted),
                ) => {}
                settled => settled?,
            }
        }
        if !self.layout.has_user() {
            return Ok(());
        }
        // Of a key that is younger than what is in the log, the last word may have been cut short.
        let young = self.scrub_until.is_some() || self.head.sequence == FIRST_SEQUENCE;
        if young && !user_key::is_steady(flash, &self.layout)? {
            self.key_generation = None;
        }
        self.reconcile(flash, rng)
    }

    /// Brings the user domain's key and what the log says about it together.
    fn reconcile<F: NorFlash, R: TryCryptoRng + ?Sized>(
        &mut self,
        flash: &mut F,
        rng: &mut R,
    ) -> Result<(), StoreError> {
        let (found, wanted) = (self.key_generation.unwrap_or(0), self.user_generation);
        if found > wanted {
            // The key was replaced, so everything before is erased, whatever the log still shows.
            self.index.remove_domain(KeyDomain::User);
            self.scrub_until = Some(self.head.sequence);
            self.user_generation = found;
        } else if found < wanted {
            let in_use = self
                .index
                .iter()
                .any(|place| place.key().domain() == KeyDomain::User);
            if in_use {
                // Replacing the key would destroy what it protects, if it can ever be read again.
                self.key_generation = None;
            } else {
                self.replace_user_key(flash, wanted, rng)?;
            }
        }
        Ok(())
    }

    /// Rebuilds the state in RAM from the log, whose newest page is `newest` and says `opened`, and returns what the log
    /// says that the monotonic counter is at.
    fn replay<F: NorFlash>(
        &mut self,
        flash: &mut F,
        newest: u32,
        mut opened: Opened,
    ) -> Result<u64, StoreError> {
        let head = self.find_head(flash, newest, &mut opened)?;
        let oldest = opened.oldest();
        let pages = head.checked_sub(oldest).ok_or(StoreError::Tampered)?;
        if pages.saturating_add(1) >= self.layout.data_pages() || oldest < FIRST_SEQUENCE {
            return Err(StoreError::Tampered);
        }
        self.oldest = oldest;
        let (mut this, mut before) = (Opened::EMPTY, Opened::EMPTY);
        let mut sequence = oldest;
        loop {
            if sequence == head {
                this = opened;
            } else {
                self.opened_before(flash, sequence, &mut this)?;
            }
            if sequence == oldest {
                self.user_generation = this.generation();
            } else {
                // The head of each page says where the one before ends.
                self.replay_page(flash, sequence.saturating_sub(1), &before, &this)?;
            }
            if sequence == head {
                break;
            }
            before = this;
            sequence = sequence.saturating_add(1);
        }
        let expected = self.replay_head(flash, head, &opened)?;
        if !self.is_commit_doubtful() {
            self.index.abort();
        }
        Ok(expected)
    }

    /// The newest page that was opened to the end, and what its head says. That is `newest` or, if its head may have
    /// been cut short, the one before.
    fn find_head<F: NorFlash>(
        &mut self,
        flash: &mut F,
        newest: u32,
        opened: &mut Opened,
    ) -> Result<u32, StoreError> {
        let mut head = newest;
        if !self.is_settled(flash, newest, opened)? {
            head = newest.saturating_sub(1);
            // The store's first page is complete when formatting is.
            if head < FIRST_SEQUENCE {
                return Err(StoreError::Unformatted);
            }
            if !self.opened(flash, head, opened)? {
                return Err(StoreError::Tampered);
            }
        }
        // Behind the last number there is none, and no page that could have been robbed.
        if let Some(next) = head.checked_add(1) {
            self.check_robbed(flash, next)?;
        }
        Ok(head)
    }

    /// Whether the head of page `sequence`, which was read once and said `found`, says it for certain. With nothing
    /// behind the copies, its last word may have been cut short: it must read well several times.
    fn is_settled<F: NorFlash>(
        &mut self,
        flash: &mut F,
        sequence: u32,
        found: &Opened,
    ) -> Result<bool, StoreError> {
        if !self.has_record(flash, sequence, self.start(found))? {
            for _ in 1..REREADS {
                let mut again = Opened::EMPTY;
                if !self.opened(flash, sequence, &mut again)? || again != *found {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Whether a record begins at `offset` of page `sequence`.
    #[inline(never)]
    fn has_record<F: NorFlash>(&self, flash: &mut F, sequence: u32, offset: u32) -> Result<bool, StoreError> {
        self.find_at(flash, &mut Found::at(Position { sequence, offset }))
    }

    /// Whether the head of page `sequence` is there; then `opened` is what it says.
    pub(crate) fn opened<F: NorFlash>(
        &self,
        flash: &mut F,
        sequence: u32,
        opened: &mut Opened,
    ) -> Result<bool, StoreError> {
        let mut raw = Raw::EMPTY;
        let at = self.layout.start(self.layout.page_of(sequence));
        let salt = self.keys.salt();
        Ok(page::read_clear(flash, &self.layout, at, &mut raw)?
            && raw.sequence() == sequence
            && raw.salt() == *salt
            && page::read_sealed(flash, &self.layout, sequence, salt, &mut raw)?
            && raw.open(opened, &self.layout, &self.suite, &self.keys)?)
    }

    /// What the head of page `sequence` says, before the newest, of which only what it must be is known.
    fn opened_before<F: NorFlash>(
        &self,
        flash: &mut F,
        sequence: u32,
        opened: &mut Opened,
    ) -> Result<(), StoreError> {
        let mut raw = Raw::EMPTY;
        if page::read_sealed(flash, &self.layout, sequence, self.keys.salt(), &mut raw)?
            && raw.open(opened, &self.layout, &self.suite, &self.keys)?
        {
            Ok(())
        } else {
            Err(StoreError::Tampered)
        }
    }

    /// The page with the highest sequence number whose head is whole; `opened` is what that says then. Derives the keys
    /// that it was sealed with.
    ///
    /// Where none is, a record behind one says that there is a store all the same, of another cipher or geometry: its
    /// header depends on neither. With a user domain, the page of its key vouches for the geometry and names the cipher,
    /// which torn bits may do too, and counts if there are heads.
    fn find_newest<F: NorFlash>(
        &mut self,
        flash: &mut F,
        opened: &mut Opened,
        named: bool,
    ) -> Result<u32, StoreError> {
        let (highest, page) = page::highest(flash, &self.layout)?;
        let mut page = self.layout.flash_page(page);
        let mut raw = Raw::EMPTY;
        let (mut newest, mut salt) = (0, [0; SALT_LEN]);
        let (mut derived, mut foreign, mut elsewhere) = (false, false, false);
        // From there backwards, as the pages were written forwards: few look newer than one that was seen.
        for _ in 0..self.layout.region().page_count() {
            if newest > 0 && newest >= highest {
                break;
            }
            let at = page.saturating_mul(self.layout.region().page_size());
            let readable = page::read_clear(flash, &self.layout, at, &mut raw)?;
            let sequence = raw.sequence();
            let belongs = self.layout.flash_page(self.layout.page_of(sequence)) == page;
            // What belongs nowhere counts only where nothing opens.
            if readable && sequence > newest && (belongs || newest == 0) {
                // All pages of a store carry the same salt; another one is a remainder, or somebody's doing.
                if !derived || raw.salt() != *self.keys.salt() {
                    self.keys.derive(&self.suite, &raw.salt())?;
                    derived = true;
                }
                if belongs
                    && page::read_sealed(flash, &self.layout, sequence, &raw.salt(), &mut raw)?
                    && raw.open(opened, &self.layout, &self.suite, &self.keys)?
                {
                    (newest, salt) = (sequence, raw.salt());
                } else if self.key_generation.is_none() {
                    let written = self.has_written(flash, at, sequence)?;
                    // The highest number is what a blank page shows.
                    let named = named & belongs & (sequence < u32::MAX);
                    if self.layout.has_user() {
                        foreign |= named | (written & belongs);
                        elsewhere |= written & !belongs;
                    } else {
                        let key = page == user_key::PAGE && raw.salt().starts_with(&user_key::MAGIC);
                        elsewhere |= written | key;
                    }
                }
            }
            page = page
                .checked_sub(1)
                .unwrap_or(self.layout.region().page_count().saturating_sub(1));
        }
        if newest == 0 {
            return Err(if elsewhere {
                StoreError::Geometry
            } else if foreign {
                StoreError::Cipher
            } else {
                StoreError::Unformatted
            });
        }
        if salt != *self.keys.salt() {
            self.keys.derive(&self.suite, &salt)?;
        }
        Ok(newest)
    }

    /// Whether a record of this device begins behind the place of a head in the page at `at`, whatever the geometry was,
    /// if its words had 256 bytes at most.
    fn has_written<F: NorFlash>(&self, flash: &mut F, at: u32, sequence: u32) -> Result<bool, StoreError> {
        let mut offset = SHORTEST_HEAD;
        let mut written = false;
        let longest = self.layout.head_len().max(LONGEST_HEAD);
        while !written && offset <= longest && offset < self.layout.region().page_size() {
            let mut header = [0; HEADER_LEN];
            let mut found = Found::at(Position { sequence, offset });
            written = self.layout.read(flash, at.saturating_add(offset), &mut header)?
                && found.open(&header, self.suite.kdf, self.keys.header())?;
            offset = offset.saturating_mul(2);
        }
        Ok(written)
    }

    /// Where the copies end with which a page begins.
    pub(crate) fn start(&self, opened: &Opened) -> u32 {
        u32::from(opened.start()).saturating_mul(self.layout.region().word_size())
    }

    /// Refuses a page without its head in which a record follows the copies: it was written after the head, which
    /// then was there once.
    ///
    /// Otherwise the page may hold anything. Several attempts to open it may have been cut, and a chip that
    /// programs a page before it erases it leaves no byte that could be relied on. Torn bits pass for a header once
    /// in some 65,536 times, so that only a record with its tag is one.
    fn check_robbed<F: NorFlash>(&mut self, flash: &mut F, sequence: u32) -> Result<(), StoreError> {
        let offset = self.layout.head_len();
        let mut found = Found::at(Position { sequence, offset });
        while self.find_at(flash, &mut found)? {
            let (header, position) = (found.header, found.position);
            if !header.has(COPY) {
                return match self.open_at(flash, position, header) {
                    Ok(()) => Err(StoreError::Tampered),
                    Err(StoreError::Tampered | StoreError::KeyLost) => Ok(()),
                    Err(error) => Err(error),
                };
            }
            found.position.offset = position.offset.saturating_add(self.layout.record_len(header));
        }
        Ok(())
    }
}

iotsec_core::claim! {
    provisions: ["5.4-1"],
    claims: "A changed bit, a missing page and what another device stored are noticed, and never taken for a value",
    code: [Store::mount],
    tests: [
        "iotsec-store::store::hostile::n26_every_flipped_bit_is_harmless_or_reported",
        "iotsec-store::store::hostile::n10_what_another_device_stored_is_worth_nothing_here",
        "iotsec-store::store::hostile::n24_a_missing_page_of_the_log_is_noticed",
    ],
}

iotsec_core::claim! {
    provisions: ["5.9-1", "5.9-2"],
    claims: "A write that is cut anywhere leaves the old value or the new one",
    code: [Store::mount],
    tests: ["iotsec-store::store::power_cut::n15_a_put_over_an_old_value_leaves_the_old_one_or_the_new_one"],
}

iotsec_core::claim! {
    provisions: ["5.5-3"],
    claims: "Ciphers are arguments: what was stored with one implementation is read with another, so that one can take the other's place",
    code: [Store::mount],
    tests: ["iotsec::suites::a_store_outlives_its_suite"],
}
