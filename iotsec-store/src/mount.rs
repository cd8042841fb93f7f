//! Finding out what flash holds, and finishing what a power cut interrupted.

use embedded_storage::nor_flash::NorFlash;
use iotsec_core::hal::Region;
use rand_core::TryCryptoRng;
use zeroize::Zeroize;

use crate::{
    IndexEntry, KeyDomain, KeyId, Store, StoreError, Suite, domain_key,
    index::{Index, Place},
    layout::{FIRST_SEQUENCE, REREADS},
    log::{Head, Opened},
    page,
    record::{Header, Keys, Kind, NOTE_LEN, Position},
    store::{self, FIRST_GENERATION},
};

impl<'a> Store<'a> {
    /// Opens the store of a region.
    ///
    /// Reads the headers of every live record, in a number of reads that the size of the region bounds, and
    /// writes nothing, except to finish an erasure of the user domain that was interrupted; only for that
    /// is `rng` used. `index` needs an entry for each key in the store, and `buffer` must hold the longest
    /// record: its value and 28 bytes, rounded up to a word.
    ///
    /// *Power loss:* mount again.
    ///
    /// # Errors
    /// Nothing is lost by an error; mount again.
    /// - [`StoreError::Unformatted`] when this is not a store of this device: never formatted, formatting was
    ///   interrupted, or another root key.
    /// - [`StoreError::Version`], [`StoreError::Geometry`] when it is one, of another shape.
    /// - [`StoreError::Tampered`] when a page of the log, or a part of it, is not what was written.
    /// - [`StoreError::IndexFull`] and [`StoreError::Layout`] when `index` or `buffer` is too small.
    /// - Failures of flash (also after an interrupted formatting, where torn words fail when they are read),
    ///   cipher, entropy or root key.
    ///
    /// ```
    /// # use iotsec_core::crypto::{Aes256GcmSiv, HkdfSha256};
    /// # use iotsec_store::{IndexEntry, KeyDomain, KeyId, Store, StoreError, Suite};
    /// # use iotsec_testkit::{Geometry, SimFlash, SimRng, SimRootKey};
    /// # let mut flash = SimFlash::new(Geometry::nrf52840(8));
    /// # let region = flash.region()?;
    /// # let (mut rng, root) = (SimRng::new(1), SimRootKey::new(1));
    /// let suite = Suite { aead: &Aes256GcmSiv, kdf: &HkdfSha256, root: &root };
    /// let (mut index, mut buffer) = ([IndexEntry::EMPTY; 32], [0; 512]);
    /// let mounted = Store::mount(&mut flash, region, suite, &mut index, &mut buffer, &mut rng);
    /// let mut store = match mounted {
    ///     Err(StoreError::Unformatted) => {
    ///         Store::format(&mut flash, region, suite, &mut index, &mut buffer, &mut rng)?
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
        rng: &mut R,
    ) -> Result<Self, StoreError> {
        let layout = store::check(flash, region, &suite, buffer)?;
        let wrapper = domain_key::Wrapper::new(suite.aead, suite.root)?;
        let device = wrapper.read(flash, &layout, KeyDomain::Device)?;
        let device = device.ok_or(StoreError::Unformatted)?;
        let user = wrapper.read(flash, &layout, KeyDomain::User)?;
        let user_key_missing = user.is_none();
        let found = user.as_ref().map_or(0, |user| user.generation);
        let user = user.as_ref().map(|user| &user.key);
        let mut store = Self {
            layout,
            suite,
            keys: Keys::derive(&suite, &device.key, user)?,
            user_generation: FIRST_GENERATION,
            user_key_missing,
            index: Index::new(index),
            buffer,
            head: None,
            oldest: FIRST_SEQUENCE,
            scrub_until: None,
            doubtful: None,
        };
        let replayed = store.replay(flash);
        store.buffer.zeroize();
        replayed?;
        store.reconcile(flash, found, rng)?;
        Ok(store)
    }

    /// Brings the user domain's key, of generation `found`, and what the log says about it together.
    fn reconcile<F: NorFlash, R: TryCryptoRng + ?Sized>(
        &mut self,
        flash: &mut F,
        found: u32,
        rng: &mut R,
    ) -> Result<(), StoreError> {
        let wanted = self.user_generation;
        if found > wanted {
            // The key was replaced, so everything before is erased, whatever the log still shows.
            self.index.remove_domain(KeyDomain::User);
            self.scrub_until = self.head.map(|head| head.sequence);
            self.user_generation = found;
        } else if found < wanted {
            let in_use = self
                .index
                .iter()
                .any(|place| place.key.domain() == KeyDomain::User);
            if in_use {
                // Replacing the key would destroy what it protects, if it can ever be read again.
                self.user_key_missing = true;
            } else {
                self.replace_user_key(flash, wanted, rng)?;
            }
        }
        Ok(())
    }

    /// Rebuilds the state in RAM.
    fn replay<F: NorFlash>(&mut self, flash: &mut F) -> Result<(), StoreError> {
        let (head, aborted) = self.find_head(flash)?;
        if let Some((head, note)) = head {
            self.replay_log(flash, head, note)?;
        }
        match aborted {
            Some(sequence) => self.check_aborted(flash, sequence),
            None => Ok(()),
        }
    }

    /// Applies every page of the log, from the one with which it begins to the head.
    fn replay_log<F: NorFlash>(&mut self, flash: &mut F, head: u32, note: Opened) -> Result<(), StoreError> {
        let pages = head.checked_sub(note.oldest).ok_or(StoreError::Tampered)?;
        if pages.saturating_add(1) >= self.layout.data_pages() || note.oldest < FIRST_SEQUENCE {
            return Err(StoreError::Tampered);
        }
        self.oldest = note.oldest;
        for sequence in note.oldest..head {
            let page = self.layout.page_of(sequence);
            if self.header(flash, page)? != Some(sequence) {
                return Err(StoreError::Tampered);
            }
            // The note of each page says where the one before ends.
            let next = sequence.saturating_add(1);
            let note = if next == head {
                note
            } else {
                let opening = self.opening(flash, next)?;
                opening.ok_or(StoreError::Tampered)?.0
            };
            self.replay_page(flash, sequence, note)?;
        }
        self.user_generation = note.generation;
        self.replay_head(flash, head)
    }

    /// The newest page that was opened to the end, with the note that did it; and the page after it, if it
    /// was being opened.
    fn find_head<F: NorFlash>(&mut self, flash: &mut F) -> Result<(Option<Newest>, Option<u32>), StoreError> {
        let mut newest = None;
        for page in 0..self.layout.data_pages() {
            newest = newest.max(self.header(flash, page)?);
        }
        let (mut head, mut aborted) = (None, None);
        if let Some(sequence) = newest {
            match self.settled_opening(flash, sequence)? {
                Some(note) => head = Some((sequence, note)),
                None => {
                    // Nothing counts in this page, and the one before is the head.
                    aborted = newest;
                    if let Some(before) = sequence.checked_sub(1).filter(|before| *before >= FIRST_SEQUENCE) {
                        let opening = self.opening(flash, before)?;
                        let (note, _) = opening.ok_or(StoreError::Tampered)?;
                        head = Some((before, note));
                    }
                }
            }
        }
        let next = head.map_or(FIRST_SEQUENCE, |(sequence, _)| sequence.saturating_add(1));
        // A page that has its note but no header was robbed of it.
        if self.opening(flash, next)?.is_some() {
            return Err(StoreError::Tampered);
        }
        Ok((head, aborted))
    }

    /// Refuses a page without its note behind which a record follows: it was written after the note, which
    /// then was there once.
    ///
    /// Otherwise the page may hold anything. Several attempts to open it may have been cut, and a chip that
    /// programs a page before it erases it leaves no byte that could be relied on.
    fn check_aborted<F: NorFlash>(&mut self, flash: &mut F, sequence: u32) -> Result<(), StoreError> {
        let full = self.pages_used().saturating_add(1) >= self.layout.data_pages();
        let collected = (full || self.scrub_until.is_some()).then_some(self.oldest);
        let alive = self
            .index
            .iter()
            .filter(|place| Some(place.position.sequence) == collected);
        let copies = alive.fold(0u32, |sum, place| {
            sum.saturating_add(self.layout.record_len(usize::from(place.len)))
        });
        let note = self.layout.record_len(NOTE_LEN);
        let offset = self
            .layout
            .header_len()
            .saturating_add(copies)
            .saturating_add(note);
        match self.header_at(flash, Position { sequence, offset })? {
            Some(_) => Err(StoreError::Tampered),
            None => Ok(()),
        }
    }

    /// The note that opens page `sequence`, if it is there. A note with nothing behind it must read
    /// well several times: its last word may have been cut short.
    fn settled_opening<F: NorFlash>(
        &mut self,
        flash: &mut F,
        sequence: u32,
    ) -> Result<Option<Opened>, StoreError> {
        let opening = self.opening(flash, sequence)?;
        let Some((note, after)) = opening else {
            return Ok(None);
        };
        let behind = Position {
            sequence,
            offset: after,
        };
        if self.header_at(flash, behind)?.is_none() {
            for _ in 1..REREADS {
                if self.opening(flash, sequence)?.is_none() {
                    return Ok(None);
                }
            }
        }
        Ok(Some(note))
    }

    /// Applies the records of a page behind which the log goes on, up to where it said that this one ends.
    fn replay_page<F: NorFlash>(
        &mut self,
        flash: &mut F,
        sequence: u32,
        next: Opened,
    ) -> Result<(), StoreError> {
        let mut offset = self.layout.header_len();
        while offset < next.sure {
            let position = Position { sequence, offset };
            let header = self.header_at(flash, position)?.ok_or(StoreError::Tampered)?;
            self.apply(flash, &header, position)?;
            offset = offset.saturating_add(self.layout.record_len(usize::from(header.len)));
        }
        if offset != next.sure {
            return Err(StoreError::Tampered);
        }
        // The last one may have been cut short. If it was, it is here no more, or once more in the next
        // page.
        let position = Position { sequence, offset };
        if next.end > next.sure
            && let Some(header) = self.header_at(flash, position)?
            && self.is_whole(flash, position, &header, 1)?
        {
            self.apply(flash, &header, position)?;
        }
        Ok(())
    }

    /// Applies the records of the head. Its last one may have been cut short, and then does not count.
    fn replay_head<F: NorFlash>(&mut self, flash: &mut F, sequence: u32) -> Result<(), StoreError> {
        let mut offset = self.layout.header_len();
        let mut last: Option<(Header, Position)> = None;
        loop {
            let position = Position { sequence, offset };
            let Some(header) = self.header_at(flash, position)? else {
                break;
            };
            // Another record follows, so the one before was written to its end.
            if let Some((header, position)) = last.replace((header, position)) {
                self.apply(flash, &header, position)?;
            }
            offset = offset.saturating_add(self.layout.record_len(usize::from(header.len)));
        }
        let (mut sure, mut end) = (offset, offset);
        let mut torn = offset.saturating_add(self.layout.max_record());
        if let Some((header, position)) = last.filter(|(header, _)| header.kind != Kind::Opened) {
            sure = position.offset;
            if self.is_whole(flash, position, &header, REREADS)? {
                self.apply(flash, &header, position)?;
                self.doubtful = Some(header);
            } else {
                end = position.offset;
                torn = offset;
            }
        }
        self.check_blank(flash, sequence, torn)?;
        self.head = Some(Head {
            page: self.layout.page_of(sequence),
            sequence,
            sure,
            end,
            open: false,
        });
        Ok(())
    }

    /// Whether a record opens, each of `times` times that it is read.
    fn is_whole<F: NorFlash>(
        &mut self,
        flash: &mut F,
        position: Position,
        header: &Header,
        times: usize,
    ) -> Result<bool, StoreError> {
        if self.user_key_missing && header.kind == Kind::Put && header.domain == KeyDomain::User {
            // It cannot be opened, and must not be dropped either.
            return Ok(true);
        }
        for _ in 0..times {
            match self.open_at(flash, position, header) {
                Ok(()) => {}
                Err(StoreError::Tampered) => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    fn apply<F: NorFlash>(
        &mut self,
        flash: &mut F,
        header: &Header,
        position: Position,
    ) -> Result<(), StoreError> {
        let key = KeyId::from_name(header.domain, header.name);
        let damaged = Place {
            key,
            position,
            len: 0,
            damaged: true,
        };
        match header.kind {
            // `get` opens it.
            Kind::Put => self.index.set(Place {
                len: header.len,
                damaged: false,
                ..damaged
            })?,
            Kind::Damaged => self.index.set(damaged)?,
            Kind::Remove => match self.open_at(flash, position, header) {
                Ok(()) => self.index.remove(key),
                Err(StoreError::Tampered) => self.index.set(damaged)?,
                Err(error) => return Err(error),
            },
            // Read before, by `opening`.
            Kind::Opened => {}
            Kind::Erase => {
                self.open_at(flash, position, header)?;
                let generation = self.value().first_chunk().ok_or(StoreError::Layout)?;
                self.user_generation = u32::from_le_bytes(*generation);
                self.index.remove_domain(header.domain);
                self.scrub_until = Some(position.sequence);
            }
        }
        Ok(())
    }

    fn header<F: NorFlash>(&self, flash: &mut F, page: u32) -> Result<Option<u32>, StoreError> {
        page::read_header(flash, &self.layout, self.suite.aead, &self.keys.page, page)
    }
}

/// The sequence number of a page and the note that opened it.
type Newest = (u32, Opened);
