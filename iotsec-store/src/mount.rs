//! Finding out what flash holds, and finishing what a power cut interrupted.

use embedded_storage::nor_flash::NorFlash;
use iotsec_core::{hal::Region, secret::Secret};
use rand_core::TryCryptoRng;
use zeroize::Zeroize;

use crate::{
    IndexEntry, KeyDomain, KeyId, Store, StoreError, Suite, domain_key,
    index::{Index, Place},
    log::Head,
    page,
    record::{Header, Keys, Kind, Position},
    store::{self, FIRST_GENERATION, FIRST_SEQUENCE},
};

impl<'a> Store<'a> {
    /// Opens the store of a region.
    ///
    /// Reads every page once. An interrupted write is dropped; an interrupted erasure of a domain is
    /// finished, for which `rng` is needed. `index` and `buffer` must be as large as they were.
    ///
    /// *Power loss:* mount again.
    ///
    /// # Errors
    /// [`StoreError::Unformatted`], [`StoreError::Version`], [`StoreError::Geometry`] when this is not a store
    /// of this shape; [`StoreError::Tampered`] when a page of the log is gone;
    /// [`StoreError::IndexFull`]; failures of flash, entropy or root key. A wrong root key looks like
    /// [`StoreError::Unformatted`].
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
        let (user_key, user_generation) = match user {
            Some(user) => (user.key, user.generation),
            // Nothing is ever sealed with this one; `user_key_missing` sees to that.
            None => (Secret::random(rng)?, 0),
        };
        let domain_keys = [device.key, user_key];
        let mut store = Self {
            layout,
            suite,
            keys: Keys::derive(suite.kdf, &domain_keys)?,
            domain_keys,
            user_generation,
            user_key_missing,
            index: Index::new(index),
            buffer,
            head: None,
            oldest: FIRST_SEQUENCE,
            scrub_until: None,
        };
        let erased = store.replay(flash)?;
        store.buffer.zeroize();
        let generation = match (erased, store.head) {
            (Some(generation), _) => generation,
            // Nothing was written yet, so nothing is lost with the key.
            (None, None) => FIRST_GENERATION,
            (None, Some(_)) => 0,
        };
        if store.user_generation < generation {
            store.replace_user_key(flash, generation, rng)?;
        }
        Ok(store)
    }

    /// Rebuilds the state in RAM. Returns the key generation that the newest erasure asks for.
    fn replay<F: NorFlash>(&mut self, flash: &mut F) -> Result<Option<u32>, StoreError> {
        let Some((head, first)) = self.find_window(flash)? else {
            return Ok(None);
        };
        self.head = Some(head);
        let mut found = Found {
            oldest: FIRST_SEQUENCE,
            erased: None,
        };
        for sequence in first..=head.sequence {
            let page = self.page_of(sequence);
            self.replay_page(flash, page, sequence, &mut found)?;
        }
        // A page that counts is not there: its records would be missing without a trace.
        if first > found.oldest || found.oldest > head.sequence {
            return Err(StoreError::Tampered);
        }
        self.oldest = found.oldest;
        self.index.retain(|place| place.position.sequence >= found.oldest);
        if let Some((_, sequence)) = found.erased {
            self.scrub_until = Some(sequence).filter(|sequence| *sequence >= found.oldest);
        }
        Ok(found.erased.map(|(generation, _)| generation))
    }

    /// The head and the sequence number of the oldest page that follows on to it without a gap.
    ///
    /// The head is closed: a word whose programming was cut short can read as erased, and must not be
    /// programmed again. The first write after a mount opens a page.
    fn find_window<F: NorFlash>(&mut self, flash: &mut F) -> Result<Option<(Head, u32)>, StoreError> {
        let mut newest: Option<(u32, u32)> = None;
        for page in 0..self.layout.data_pages() {
            if let Some(sequence) = self.header(flash, page)
                && newest.is_none_or(|(_, other)| sequence > other)
            {
                newest = Some((page, sequence));
            }
        }
        let Some((page, sequence)) = newest else {
            return Ok(None);
        };
        let mut head = Head {
            page,
            sequence,
            tail: None,
        };
        self.head = Some(head);
        let pages = self.layout.data_pages();
        let mut first = sequence;
        for back in 1..pages {
            let Some(wanted) = sequence.checked_sub(back) else {
                break;
            };
            let page = self.page_of(wanted);
            if self.header(flash, page) != Some(wanted) {
                break;
            }
            first = wanted;
        }
        // All pages in one row: the head was opened, and the page it was to free has not been collected
        // to the end unless the note says so. Without the note the head holds nothing but copies.
        let all = sequence.saturating_sub(first).saturating_add(1) >= pages;
        if all {
            let mut found = Found {
                oldest: FIRST_SEQUENCE,
                erased: None,
            };
            self.replay_page(flash, page, sequence, &mut found)?;
            self.index.retain(|_| false);
            if found.oldest <= first {
                let before = sequence.saturating_sub(1);
                head = Head {
                    page: self.page_of(before),
                    sequence: before,
                    tail: None,
                };
            }
        }
        Ok(Some((head, first)))
    }

    /// Applies the records of a page in order. The last one may be torn, and then does not count.
    fn replay_page<F: NorFlash>(
        &mut self,
        flash: &mut F,
        page: u32,
        sequence: u32,
        found: &mut Found,
    ) -> Result<(), StoreError> {
        let mut offset = self.layout.header_len();
        let mut previous: Option<(Header, Position)> = None;
        loop {
            let position = Position { sequence, offset };
            let Some(header) = self.read_record(flash, page, position)? else {
                break;
            };
            // Another record follows, so the one before was written to its end; `get` checks it.
            if let Some((header, position)) = previous.take() {
                self.apply(&header, position, None, found)?;
            }
            // `apply` did not touch the buffer: it still holds the record at `position`.
            if header.kind == Kind::Put {
                previous = Some((header, position));
            } else if let Ok(value) = header.open(position, self.suite.aead, &self.keys, self.buffer) {
                let number = value.first_chunk().map(|bytes| u32::from_le_bytes(*bytes));
                self.apply(&header, position, number, found)?;
            }
            offset = offset.saturating_add(self.layout.record_len(usize::from(header.len)));
        }
        if let Some((header, position)) = previous
            && self.read_record(flash, page, position)?.is_some()
            && header
                .open(position, self.suite.aead, &self.keys, self.buffer)
                .is_ok()
        {
            self.apply(&header, position, None, found)?;
        }
        Ok(())
    }

    fn apply(
        &mut self,
        header: &Header,
        position: Position,
        number: Option<u32>,
        found: &mut Found,
    ) -> Result<(), StoreError> {
        let key = KeyId::from_name(header.domain, header.name);
        match header.kind {
            Kind::Put => self.index.set(Place {
                key,
                position,
                len: header.len,
                damaged: false,
            })?,
            Kind::Damaged => self.index.set(Place {
                key,
                position,
                len: 0,
                damaged: true,
            })?,
            Kind::Remove => self.index.remove(key),
            Kind::Oldest => {
                if let Some(number) = number {
                    found.oldest = found.oldest.max(number);
                }
            }
            Kind::Erase => {
                self.index.remove_domain(header.domain);
                if let Some(number) = number {
                    found.erased = Some((number, position.sequence));
                }
            }
        }
        Ok(())
    }

    fn header<F: NorFlash>(&self, flash: &mut F, page: u32) -> Option<u32> {
        page::read_header(flash, &self.layout, self.suite.aead, &self.keys.page, page)
    }
}

/// What the store's own records said.
struct Found {
    /// The newest [`Kind::Oldest`].
    oldest: u32,
    /// Generation and page of the newest [`Kind::Erase`].
    erased: Option<(u32, u32)>,
}
