//! Reading the log: one record, and what is behind the log's end.

use embedded_storage::nor_flash::NorFlash;
use zeroize::Zeroize;

use crate::{
    KeyDomain, Store, StoreError, bytes,
    header::{COPY, FIRST, Found, Header, NEXT},
    layout::{ATTEMPTS, LAST_ATTEMPTS},
    place::Place,
    record::{self, Position},
};

impl Store<'_> {
    /// Reads and opens the record of an index entry; the value is then in the buffer.
    pub(crate) fn load<F: NorFlash>(&mut self, flash: &mut F, place: &Place) -> Result<(), StoreError> {
        if place.is_gone() {
            return Ok(());
        }
        if place.key().domain() == KeyDomain::User && self.is_user_key_lost() {
            return Err(StoreError::KeyLost);
        }
        if place.is_damaged() {
            return Err(StoreError::Tampered);
        }
        // The last word of the newest record may read right only now and then, and must not get lost any more.
        let last = self.doubtful.is_some_and(|last| place.position == last.position);
        let mut failed = None;
        for _ in 0..if last { LAST_ATTEMPTS } else { ATTEMPTS } {
            match self.read_record(flash, place.position, place.header) {
                Ok(()) => {}
                Err(StoreError::Tampered) => continue,
                Err(error) => return Err(error),
            }
            // What reads as it did when it failed fails again, and opening takes much longer than reading.
            let read = last.then(|| bytes::digest(self.buffer));
            if last && read == failed {
                continue;
            }
            match self.open_expected(place.position, place.header) {
                Err(StoreError::Tampered) => failed = read,
                done => return done,
            }
        }
        Err(StoreError::Tampered)
    }

    /// Opens what was read. The header is known, and what stands in flash must be the same.
    fn open_expected(&mut self, position: Position, expected: Header) -> Result<(), StoreError> {
        let bytes = self.buffer.first_chunk().ok_or(StoreError::Layout)?;
        let mut found = Found::at(position);
        let whole = found.open(bytes, self.suite.kdf, self.keys.header())?;
        // Whether it was a copy, or part of a transaction, does not matter any more.
        let plain = |header: Header| header.without(FIRST | NEXT | COPY);
        if !whole || plain(found.header) != plain(expected) {
            return Err(StoreError::Tampered);
        }
        self.open_record(position, expected)
    }

    /// Reads the header of the record at the position in `found`, and what it adds to the sum over the page. False when
    /// there is no whole one, or one that announces more than the page holds.
    pub(crate) fn find_at<F: NorFlash>(&self, flash: &mut F, found: &mut Found) -> Result<bool, StoreError> {
        let position = found.position;
        let room = self.layout.region().page_size().saturating_sub(position.offset);
        let mut bytes = [0; record::HEADER_LEN];
        if usize::try_from(room).unwrap_or(0) < bytes.len()
            || !self.layout.read(flash, self.layout.at(position), &mut bytes)?
        {
            return Ok(false);
        }
        Ok(found.open(&bytes, self.suite.kdf, self.keys.header())?
            && self.layout.record_len(found.header) <= room
            && (self.layout.has_user() || found.header.domain() == KeyDomain::Device))
    }

    /// Reads the record at `position` and opens its value in the buffer.
    pub(crate) fn open_at<F: NorFlash>(
        &mut self,
        flash: &mut F,
        position: Position,
        header: Header,
    ) -> Result<(), StoreError> {
        self.read_record(flash, position, header)?;
        self.open_record(position, header)
    }

    fn read_record<F: NorFlash>(
        &mut self,
        flash: &mut F,
        position: Position,
        header: Header,
    ) -> Result<(), StoreError> {
        let len = usize::try_from(self.layout.record_len(header)).unwrap_or(usize::MAX);
        let record = self.buffer.get_mut(..len).ok_or(StoreError::Layout)?;
        if self.layout.read(flash, self.layout.at(position), record)? {
            Ok(())
        } else {
            Err(StoreError::Tampered)
        }
    }

    fn open_record(&mut self, position: Position, header: Header) -> Result<(), StoreError> {
        record::open(header, position, &self.suite, &self.keys, self.buffer)
    }

    /// Leaves nothing in the buffer.
    #[inline(never)]
    pub(crate) fn wipe(&mut self) {
        self.buffer.zeroize();
    }

    /// The value that [`open_at`](Self::open_at) left in the buffer.
    pub(crate) fn value(&self) -> &[u8] {
        self.buffer.get(record::HEADER_LEN..).unwrap_or_default()
    }

    /// Refuses a page of the log that holds something behind `offset`, where a write was under way at most. Records have
    /// no gaps, so that it would begin right there.
    pub(crate) fn check_blank<F: NorFlash>(
        &self,
        flash: &mut F,
        sequence: u32,
        offset: u32,
    ) -> Result<(), StoreError> {
        let page = self.layout.flash_page(self.layout.page_of(sequence));
        // More than what fills up a word, which can look like erased bytes.
        let end = offset.saturating_add(self.layout.least_record());
        if self.layout.is_blank(flash, page, offset..end)? {
            Ok(())
        } else {
            Err(StoreError::Tampered)
        }
    }
}
