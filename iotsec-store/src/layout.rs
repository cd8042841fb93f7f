//! Where things lie. All offsets count from the start of the region.

use core::ops::Range;

use embedded_storage::nor_flash::NorFlash;
use iotsec_core::hal::{FlashError, Region};

use crate::{
    KeyDomain, KeyId, StoreError, StoreRegion,
    header::Header,
    page::HEAD_LEN,
    record::{self, Kind, Position},
};

/// Of the page that is used first.
pub(crate) const FIRST_SEQUENCE: u32 = 1;
/// Reads before a failure is believed.
pub(crate) const ATTEMPTS: usize = 3;
/// Reads after which the record that was written last counts. What it says is written once more before anything else.
pub(crate) const LAST_READS: usize = 2;
/// Reads before it is given up then. A record that reads right with a probability of `p` counts and is then lost with
/// one of `p^LAST_READS · (1 − p)^LAST_ATTEMPTS`, which is 2.3 in ten million where it is highest, at `p` = 1 in 769.
pub(crate) const LAST_ATTEMPTS: usize = 1536;
/// Reads before what an interrupted write may have left is believed.
pub(crate) const REREADS: usize = 8;

/// One to write, one to collect, one that is free.
const MIN_DATA_PAGES: u32 = 3;

#[derive(Clone, Copy)]
pub(crate) struct Layout {
    store_region: StoreRegion,
}

impl Layout {
    pub(crate) fn new(store_region: StoreRegion) -> Result<Self, StoreError> {
        let layout = Self { store_region };
        let region = layout.region();
        let enough = region.page_count() >= store_region.key_pages.saturating_add(MIN_DATA_PAGES);
        let words = region.page_size().checked_div(region.word_size());
        // The index has 16 bits for a word in a page.
        let countable = words.is_some_and(|words| u16::try_from(words).is_ok());
        // The longest record must hold at least what the store itself writes.
        if !enough || !countable || layout.max_record() < layout.least_record() {
            return Err(StoreError::Layout);
        }
        Ok(layout)
    }

    pub(crate) const fn region(&self) -> &Region {
        &self.store_region.region
    }

    pub(crate) const fn store_region(&self) -> StoreRegion {
        self.store_region
    }

    /// Whether there is a key of the user domain, and a page for it.
    pub(crate) const fn has_user(&self) -> bool {
        self.store_region.key_pages > 0
    }

    /// Refuses a domain that the store does not have.
    pub(crate) fn check_domain(&self, domain: KeyDomain) -> Result<(), StoreError> {
        if domain == KeyDomain::User && !self.has_user() {
            Err(StoreError::NoUserDomain)
        } else {
            Ok(())
        }
    }

    pub(crate) const fn data_pages(&self) -> u32 {
        // `new` checked that there are more.
        self.region()
            .page_count()
            .wrapping_sub(self.store_region.key_pages)
    }

    /// The page of the region that is data page `page`.
    pub(crate) const fn flash_page(&self, page: u32) -> u32 {
        page.wrapping_add(self.store_region.key_pages)
    }

    /// The first byte of data page `page`.
    pub(crate) const fn start(&self, page: u32) -> u32 {
        self.flash_page(page).saturating_mul(self.region().page_size())
    }

    /// The data page that has sequence number `sequence`, which count from 1.
    #[inline(never)]
    pub(crate) fn page_of(&self, sequence: u32) -> u32 {
        sequence
            .saturating_sub(FIRST_SEQUENCE)
            .checked_rem(self.data_pages())
            .unwrap_or(0)
    }

    /// As [`Region::read_place`].
    pub(crate) fn read<F: NorFlash>(
        &self,
        flash: &mut F,
        at: u32,
        bytes: &mut [u8],
    ) -> Result<bool, FlashError> {
        self.region().read_place(flash, at, bytes)
    }

    /// Whether page `page` of the region reads erased at `offsets`, as far as it goes.
    pub(crate) fn is_blank<F: NorFlash>(
        &self,
        flash: &mut F,
        page: u32,
        offsets: Range<u32>,
    ) -> Result<bool, FlashError> {
        let start = page.saturating_mul(self.region().page_size());
        let end = start.saturating_add(offsets.end.min(self.region().page_size()));
        let mut at = start.saturating_add(offsets.start);
        let mut chunk = [0; 64];
        while at < end {
            let len = usize::try_from(end.saturating_sub(at))
                .unwrap_or(usize::MAX)
                .min(chunk.len());
            let piece = chunk.get_mut(..len).unwrap_or_default();
            if !self.read(flash, at, piece)? || piece.iter().any(|byte| *byte != self.region().erased()) {
                return Ok(false);
            }
            at = at.saturating_add(u32::try_from(len).unwrap_or(u32::MAX));
        }
        Ok(true)
    }

    /// The first byte of a record.
    #[inline(never)]
    pub(crate) fn at(&self, position: Position) -> u32 {
        self.start(self.page_of(position.sequence))
            .saturating_add(position.offset)
    }

    /// The data page that comes after `page`; pages are used in a circle.
    pub(crate) const fn after(&self, page: u32) -> u32 {
        let next = page.saturating_add(1);
        if next >= self.data_pages() { 0 } else { next }
    }

    /// Bytes that the head of a page takes.
    #[inline(never)]
    pub(crate) fn head_len(&self) -> u32 {
        align(self.region(), u32::try_from(HEAD_LEN).unwrap_or(u32::MAX))
    }

    /// Bytes that a record takes.
    #[inline(never)]
    pub(crate) fn record_len(&self, header: Header) -> u32 {
        align(self.region(), header.record_len())
    }

    /// Bytes that a record with a value of `len` bytes takes.
    pub(crate) fn value_record_len(&self, len: u16) -> u32 {
        self.record_len(Header::new(Kind::Put, KeyId::from_id(0), len))
    }

    /// Bytes of the longest record that the store writes of itself.
    pub(crate) fn least_record(&self) -> u32 {
        self.value_record_len(record::ERASE_LEN)
    }

    /// Bytes of a page for records.
    pub(crate) fn usable(&self) -> u32 {
        self.region().page_size().saturating_sub(self.head_len())
    }

    /// The longest record: half a page, so that a page that is not full of one key has room for another.
    #[inline(never)]
    pub(crate) fn max_record(&self) -> u32 {
        let half = self.usable() >> 1;
        half.saturating_sub(half.checked_rem(self.region().word_size()).unwrap_or(0))
    }

    /// Bytes of live records that the store can hold when its longest one has `longest` bytes.
    ///
    /// One page is always free. If all the others had no room for `longest` more bytes, they would hold
    /// more than this; so one of them has room, and since collecting moves the live records of one page
    /// to one page, collecting each page once comes upon it. The store's own records must find room too.
    pub(crate) fn capacity(&self, longest: u32) -> u32 {
        let longest = longest.max(self.least_record());
        let per_page = self.usable().saturating_sub(longest);
        per_page.saturating_mul(self.data_pages().saturating_sub(1))
    }
}

/// `len`, filled up to a word.
fn align(region: &Region, len: u32) -> u32 {
    region.align_up(len).unwrap_or(u32::MAX)
}
