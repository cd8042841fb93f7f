//! Where things lie. All offsets count from the start of the region.

use embedded_storage::nor_flash::NorFlash;
use iotsec_core::{
    crypto::TAG_LEN,
    hal::{FlashError, Region},
};

use crate::{
    StoreError, page,
    record::{self, Position},
};

/// Of the page that is used first.
pub(crate) const FIRST_SEQUENCE: u32 = 1;
/// Reads before a failure is believed.
pub(crate) const ATTEMPTS: usize = 3;
/// The beginning of the device's key page, without which there is no store.
const KNOWN_PLACE: u32 = 0;
const KNOWN_LEN: usize = 4;
/// Reads before what an interrupted write may have left is believed.
pub(crate) const REREADS: usize = 8;

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

    /// The data page that has sequence number `sequence`, which count from 1.
    pub(crate) fn page_of(&self, sequence: u32) -> u32 {
        sequence
            .saturating_sub(FIRST_SEQUENCE)
            .checked_rem(self.data_pages())
            .unwrap_or(0)
    }

    /// Reads. `Ok(false)` when this very place cannot be read, as a torn word of flash with error correction;
    /// an error when the driver fails altogether. What cannot be read may be taken for torn and be dropped,
    /// so that the two are told apart with care: a place is bad when it fails right after another was read.
    pub(crate) fn read<F: NorFlash>(
        &self,
        flash: &mut F,
        at: u32,
        bytes: &mut [u8],
    ) -> Result<bool, FlashError> {
        let Err(mut error) = self.region.read(flash, at, bytes) else {
            return Ok(true);
        };
        for _ in 0..ATTEMPTS {
            let other = self.region.read(flash, KNOWN_PLACE, &mut [0; KNOWN_LEN]);
            match (other, self.region.read(flash, at, bytes)) {
                (_, Ok(())) => return Ok(true),
                (Ok(()), Err(_)) => return Ok(false),
                (Err(_), Err(again)) => error = again,
            }
        }
        Err(error)
    }

    /// The first byte of a record.
    pub(crate) fn at(&self, position: Position) -> u32 {
        self.start(self.page_of(position.sequence))
            .saturating_add(position.offset)
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

    /// Bytes of a page for values: what the page header and the note that opens the page leave.
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
    /// One page is always free. If all the others had no room for `longest` more bytes, they would hold
    /// more than this; so one of them has room, and since collecting moves the live records of one page
    /// to one page, collecting each page once comes upon it. The store's own records must find room too.
    pub(crate) fn capacity(&self, longest: u32) -> u32 {
        let longest = longest.max(self.record_len(record::NOTE_LEN));
        let per_page = self.usable().saturating_sub(longest);
        per_page.saturating_mul(self.data_pages().saturating_sub(1))
    }

    fn align(&self, len: usize) -> u32 {
        u32::try_from(len)
            .ok()
            .and_then(|len| self.region.align_up(len))
            .unwrap_or(u32::MAX)
    }
}
