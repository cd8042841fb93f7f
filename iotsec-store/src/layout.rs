//! Where things lie. All offsets count from the start of the region.

use iotsec_core::{crypto::TAG_LEN, hal::Region};

use crate::{StoreError, page, record};

/// One page for the key of each domain.
const KEY_PAGES: u32 = 2;
/// One to write, one to collect, one that is free.
const MIN_DATA_PAGES: u32 = 3;

#[derive(Clone, Copy)]
pub(crate) struct Layout {
    region: Region,
}

impl Layout {
    pub(crate) fn new(region: Region) -> Result<Self, StoreError> {
        let layout = Self { region };
        let enough = region.page_count() >= KEY_PAGES.saturating_add(MIN_DATA_PAGES);
        // The longest record must hold at least what the store itself writes.
        if !enough || layout.max_record() < layout.record_len(record::NOTE_LEN) {
            return Err(StoreError::Layout);
        }
        Ok(layout)
    }

    pub(crate) const fn region(&self) -> &Region {
        &self.region
    }

    /// The page of the region that holds a domain's key.
    pub(crate) fn key_page(domain: crate::KeyDomain) -> u32 {
        u32::from(domain.code())
    }

    pub(crate) const fn data_pages(&self) -> u32 {
        self.region.page_count().saturating_sub(KEY_PAGES)
    }

    /// The page of the region that is data page `page`.
    pub(crate) const fn flash_page(page: u32) -> u32 {
        page.saturating_add(KEY_PAGES)
    }

    /// The first byte of data page `page`.
    pub(crate) const fn start(&self, page: u32) -> u32 {
        Self::flash_page(page).saturating_mul(self.region.page_size())
    }

    /// The data page that comes after `page`; pages are used in a circle.
    pub(crate) const fn after(&self, page: u32) -> u32 {
        let next = page.saturating_add(1);
        if next >= self.data_pages() { 0 } else { next }
    }

    /// Bytes that a page header takes.
    pub(crate) fn header_len(&self) -> u32 {
        self.align(page::HEADER_LEN)
    }

    /// Bytes that a record with a value of `len` bytes takes.
    pub(crate) fn record_len(&self, len: usize) -> u32 {
        self.align(len.saturating_add(record::HEADER_LEN).saturating_add(TAG_LEN))
    }

    /// Bytes of a page for records, with room kept for the note that ends a collection.
    pub(crate) fn usable(&self) -> u32 {
        self.region
            .page_size()
            .saturating_sub(self.header_len())
            .saturating_sub(self.record_len(record::NOTE_LEN))
    }

    /// The longest record: half a page, so that a page that is not full of one key has room for another.
    pub(crate) fn max_record(&self) -> u32 {
        let half = self.usable() >> 1;
        half.saturating_sub(half.checked_rem(self.region.word_size()).unwrap_or(0))
    }

    /// Bytes of live records that the store can hold when its longest one has `longest` bytes.
    ///
    /// One page is always free. If the others hold no more than this, one of them has room for
    /// `longest` more bytes, and collecting page after page comes upon it.
    pub(crate) fn capacity(&self, longest: u32) -> u32 {
        let note = self.record_len(record::NOTE_LEN);
        let per_page = self.usable().saturating_sub(note).saturating_sub(longest);
        per_page.saturating_mul(self.data_pages().saturating_sub(1))
    }

    fn align(&self, len: usize) -> u32 {
        u32::try_from(len)
            .ok()
            .and_then(|len| self.region.align_up(len))
            .unwrap_or(u32::MAX)
    }
}
