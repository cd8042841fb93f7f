//! Finding out what flash holds, and finishing what a power cut interrupted.

use embedded_storage::nor_flash::NorFlash;
use iotsec_core::hal::{CounterError, Region};
use rand_core::TryCryptoRng;
use zeroize::Zeroize;

use crate::{
    IndexEntry, KeyDomain, ReplayProtection, Store, StoreError, Suite,
    index::Index,
    layout::{FIRST_SEQUENCE, Layout, REREADS},
    log::Head,
    page::{self, Opened},
    record::{Kind, Position},
    replay::Replay,
    sealing::{Keys, SALT_LEN},
    store, user_key,
};

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
    /// - [`StoreError::Version`], [`StoreError::Geometry`] when it is one, of another shape.
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
        region: Region,
        suite: Suite<'a>,
        index: &'a mut [IndexEntry],
        buffer: &'a mut [u8],
        replay: ReplayProtection<'a>,
        rng: &mut R,
    ) -> Result<Self, StoreError> {
        let layout = store::check(flash, region, &suite, buffer)?;
        let wrapper = user_key::Wrapper::new(suite.aead, suite.root)?;
        let user = wrapper.read(flash, &layout)?;
        let mut newest = Newest::find(flash, &layout, &suite)?.ok_or(StoreError::Unformatted)?;
        if let Some(user) = &user {
            newest.keys.set_user(&suite, &user.key)?;
        }
        let mut store = Self {
            layout,
            suite,
            keys: newest.keys,
            salt: newest.salt,
            user_generation: store::FIRST_GENERATION,
            key_generation: user.map(|user| user.generation),
            index: Index::new(index, region.word_size()),
            buffer,
            head: Head::NONE,
            oldest: FIRST_SEQUENCE,
            scrub_until: None,
            doubtful: None,
            replay: Replay::begin(replay)?,
            limits: [None; 2],
        };
        let replayed = store.replay(flash, newest.sequence);
        store.buffer.zeroize();
        let expected = replayed?;
        store.replay.check(expected)?;
        if store.index.has_pending() {
            store.index.complete();
            match store.settle(flash) {
                // That would not pass by mounting again. What can be read is read, and who writes is told.
                Err(
                    StoreError::KeyLost
                    | StoreError::Exhausted
                    | StoreError::Counter(CounterError::Exhausted),
                ) => {}
                settled => settled?,
            }
        }
        // Of a key that is younger than what is in the log, the last word may have been cut short.
        let young = store.scrub_until.is_some() || store.head.sequence == FIRST_SEQUENCE;
        if young && !user_key::is_steady(flash, &store.layout)? {
            store.key_generation = None;
        }
        store.reconcile(flash, rng)?;
        Ok(store)
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
                .any(|place| place.key.domain() == KeyDomain::User);
            if in_use {
                // Replacing the key would destroy what it protects, if it can ever be read again.
                self.key_generation = None;
            } else {
                self.replace_user_key(flash, wanted, rng)?;
            }
        }
        Ok(())
    }

    /// Rebuilds the state in RAM from the log, whose newest page is `newest`, and returns what it says that the
    /// monotonic counter is at.
    fn replay<F: NorFlash>(&mut self, flash: &mut F, newest: u32) -> Result<u64, StoreError> {
        let (head, opened) = self.find_head(flash, newest)?;
        let pages = head.checked_sub(opened.oldest).ok_or(StoreError::Tampered)?;
        if pages.saturating_add(1) >= self.layout.data_pages() || opened.oldest < FIRST_SEQUENCE {
            return Err(StoreError::Tampered);
        }
        self.oldest = opened.oldest;
        let mut this = opened;
        if opened.oldest < head {
            this = self.opened(flash, opened.oldest)?.ok_or(StoreError::Tampered)?;
        }
        self.user_generation = this.generation;
        for sequence in opened.oldest..head {
            // The head of each page says where the one before ends.
            let next = sequence.saturating_add(1);
            let next = if next == head {
                opened
            } else {
                self.opened(flash, next)?.ok_or(StoreError::Tampered)?
            };
            self.replay_page(flash, sequence, &this, &next)?;
            this = next;
        }
        let expected = self.replay_head(flash, head, &opened)?;
        if self
            .doubtful
            .is_none_or(|(header, _)| header.kind != Kind::Commit)
        {
            self.index.abort();
        }
        Ok(expected)
    }

    /// The newest page that was opened to the end, and what its head says. That is `newest` or, if its head may have
    /// been cut short, the one before.
    fn find_head<F: NorFlash>(&mut self, flash: &mut F, newest: u32) -> Result<(u32, Opened), StoreError> {
        let mut head = newest;
        let mut opened = self.settled(flash, newest)?;
        if opened.is_none() {
            head = newest.saturating_sub(1);
            // The store's first page is complete when formatting is.
            if head < FIRST_SEQUENCE {
                return Err(StoreError::Unformatted);
            }
            opened = self.opened(flash, head)?;
        }
        let opened = opened.ok_or(StoreError::Tampered)?;
        // Behind the last number there is none, and no page that could have been robbed.
        if let Some(next) = head.checked_add(1) {
            self.check_robbed(flash, next)?;
        }
        Ok((head, opened))
    }

    /// What the head of page `sequence` says, if it says it for certain. With nothing behind the copies, its last
    /// word may have been cut short: it must read well several times.
    fn settled<F: NorFlash>(&mut self, flash: &mut F, sequence: u32) -> Result<Option<Opened>, StoreError> {
        let opened = self.opened(flash, sequence)?;
        let Some(found) = opened else { return Ok(None) };
        let start = self.start(&found);
        if self
            .header_at(
                flash,
                Position {
                    sequence,
                    offset: start,
                },
            )?
            .is_none()
        {
            for _ in 1..REREADS {
                if self.opened(flash, sequence)? != opened {
                    return Ok(None);
                }
            }
        }
        Ok(opened)
    }

    /// What the head of page `sequence` says; `None` when it is not there.
    fn opened<F: NorFlash>(&self, flash: &mut F, sequence: u32) -> Result<Option<Opened>, StoreError> {
        let page = self.layout.page_of(sequence);
        let raw = page::read(flash, &self.layout, page)?;
        match raw.filter(|raw| raw.sequence == sequence && raw.salt == self.salt) {
            Some(raw) => page::open(&raw, &self.layout, self.suite.aead, &self.keys.page),
            None => Ok(None),
        }
    }

    /// Where the copies end with which a page begins.
    pub(crate) fn start(&self, opened: &Opened) -> u32 {
        u32::from(opened.start).saturating_mul(self.layout.region().word_size())
    }

    /// Refuses a page without its head in which a record follows the copies: it was written after the head, which
    /// then was there once.
    ///
    /// Otherwise the page may hold anything. Several attempts to open it may have been cut, and a chip that
    /// programs a page before it erases it leaves no byte that could be relied on. Torn bits pass for a header once
    /// in some 65,536 times, so that only a record with its tag is one.
    fn check_robbed<F: NorFlash>(&mut self, flash: &mut F, sequence: u32) -> Result<(), StoreError> {
        let mut position = Position {
            sequence,
            offset: self.layout.head_len(),
        };
        while let Some((header, _)) = self.header_at(flash, position)? {
            if !header.copy {
                return match self.open_at(flash, position, &header) {
                    Ok(()) => Err(StoreError::Tampered),
                    Err(StoreError::Tampered | StoreError::KeyLost) => Ok(()),
                    Err(error) => Err(error),
                };
            }
            position.offset = position.offset.saturating_add(self.layout.record_len(&header));
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

/// The page with the highest sequence number whose head is whole, and the keys that it was sealed with.
struct Newest {
    sequence: u32,
    salt: [u8; SALT_LEN],
    keys: Keys,
}

impl Newest {
    fn find<F: NorFlash>(
        flash: &mut F,
        layout: &Layout,
        suite: &Suite<'_>,
    ) -> Result<Option<Self>, StoreError> {
        let mut newest: Option<Self> = None;
        // Backwards, as the pages were written forwards: few look newer than one that was seen.
        for page in (0..layout.data_pages()).rev() {
            let newer = |sequence| newest.as_ref().is_none_or(|known| sequence > known.sequence);
            if !newer(page::read_sequence(flash, layout, page)?) {
                continue;
            }
            let Some(raw) = page::read(flash, layout, page)?.filter(|raw| newer(raw.sequence)) else {
                continue;
            };
            match &mut newest {
                Some(known) if known.salt == raw.salt => {
                    if page::open(&raw, layout, suite.aead, &known.keys.page)?.is_some() {
                        known.sequence = raw.sequence;
                    }
                }
                // All pages of a store carry the same salt; another one is a remainder, or somebody's doing.
                _ => {
                    let keys = Keys::derive(suite, &raw.salt)?;
                    if page::open(&raw, layout, suite.aead, &keys.page)?.is_some() {
                        newest = Some(Self {
                            sequence: raw.sequence,
                            salt: raw.salt,
                            keys,
                        });
                    }
                }
            }
        }
        Ok(newest)
    }
}
