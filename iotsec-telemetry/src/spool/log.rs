//! A ring of pages that is written slot by slot: the part that classes and journal share.
//!
//! No word is written twice between erases, and a word whose programming was cut short may read as erased. So the
//! first write of a boot leaves out one slot for every boot since the last record that can be read: each of them
//! can have left no more than one such slot behind.

use embedded_storage::nor_flash::NorFlash;
use iotsec_core::{
    hal::{FlashError, Region},
    secret::Secret,
};

use super::{
    error::SpoolError,
    medium::{CLEAR_LEN, Found, Medium, Place},
    span::Span,
};
use crate::registry::REGISTRY_HASH_LEN;

/// Numbers in the head of a page.
pub(super) const HEAD: usize = 12;

/// Where a log lies, and how far it has come.
#[derive(Clone, Copy)]
pub(super) struct Log {
    /// Told apart from the others in the same region.
    pub(super) id: u8,
    first_page: u32,
    pages: u32,
    slot_len: u32,
    slots: u32,
    /// Sequence number of the newest page, from 1; 0 without a page. Page `s` is page `(s − 1) mod pages`.
    pub(super) newest: u32,
    /// Of the oldest page that may hold something.
    pub(super) oldest: u32,
    /// The slot of the newest page that is written next.
    pub(super) next: u32,
}

/// What the head of a page says.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    /// Number of the first event in the page.
    pub(super) start: u32,
    /// Events before this one have left the ring.
    pub(super) passed: u32,
    /// How many of them had not been acknowledged.
    pub(super) lost: u32,
    /// And when.
    pub(super) span: Span,
    /// The boot that opened the page.
    pub(super) boot: u32,
    /// The registry of the events in it.
    pub(super) registry: [u8; REGISTRY_HASH_LEN],
}

impl Head {
    fn to_numbers(self) -> [u32; HEAD] {
        let mut hash = [0; 4];
        for (number, bytes) in hash.iter_mut().zip(self.registry.as_chunks().0) {
            *number = u32::from_le_bytes(*bytes);
        }
        let [h0, h1, h2, h3] = hash;
        let [s0, s1, s2, s3] = self.span.to_numbers();
        [
            self.start,
            self.passed,
            self.lost,
            self.boot,
            s0,
            s1,
            s2,
            s3,
            h0,
            h1,
            h2,
            h3,
        ]
    }

    fn from_numbers(numbers: [u32; HEAD]) -> Self {
        let [start, passed, lost, boot, s0, s1, s2, s3, h0, h1, h2, h3] = numbers;
        let mut registry = [0; REGISTRY_HASH_LEN];
        let hash = [h0, h1, h2, h3].into_iter().flat_map(u32::to_le_bytes);
        for (to, from) in registry.iter_mut().zip(hash) {
            *to = from;
        }
        Self {
            start,
            passed,
            lost,
            span: Span::from_numbers([s0, s1, s2, s3]),
            boot,
            registry,
        }
    }
}

/// What the end of the newest page looks like.
pub(super) struct End<const N: usize> {
    /// The last slot that can be read, and its number.
    pub(super) last: Option<(u32, [u32; N])>,
    /// Slots behind it that hold something else.
    pub(super) torn: u32,
    /// The first slot behind everything that was written.
    pub(super) end: u32,
}

impl Log {
    /// `None` when a page has no room for `least` slots of `numbers`.
    pub(super) fn new(
        region: &Region,
        id: u8,
        first_page: u32,
        pages: u32,
        numbers: usize,
        least: u32,
    ) -> Option<Self> {
        let head_len = Medium::piece_len(region, CLEAR_LEN, HEAD);
        let slot_len = Medium::piece_len(region, 0, numbers);
        let room = region.page_size().checked_sub(head_len)?;
        let slots = room.checked_div(slot_len)?;
        (slots >= least && pages >= 2).then_some(Self {
            id,
            first_page,
            pages,
            slot_len,
            slots,
            newest: 0,
            oldest: 1,
            next: slots,
        })
    }

    /// Forgets what it holds.
    pub(super) const fn reset(&mut self) {
        self.newest = 0;
        self.oldest = 1;
        self.next = self.slots;
    }

    pub(super) const fn pages(&self) -> u32 {
        self.pages
    }

    pub(super) const fn slots(&self) -> u32 {
        self.slots
    }

    pub(super) const fn is_full(&self) -> bool {
        self.next >= self.slots
    }

    /// Slots of page `sequence` that may have been written.
    pub(super) const fn end_of(&self, sequence: u32) -> u32 {
        if sequence == self.newest && self.next < self.slots {
            self.next
        } else {
            self.slots
        }
    }

    /// The page of the region that is page `index` of the log.
    pub(super) const fn region_page(&self, index: u32) -> u32 {
        self.first_page.saturating_add(index)
    }

    pub(super) fn place(&self, region: &Region, sequence: u32, number: u32) -> Place {
        let index = sequence.saturating_sub(1).checked_rem(self.pages).unwrap_or(0);
        let start = self.region_page(index).saturating_mul(region.page_size());
        let offset = match number.checked_sub(1) {
            None => 0,
            Some(slot) => {
                Medium::piece_len(region, CLEAR_LEN, HEAD).saturating_add(slot.saturating_mul(self.slot_len))
            }
        };
        Place {
            at: start.saturating_add(offset),
            log: self.id,
            sequence,
            number,
        }
    }

    /// The place of slot `slot` of page `sequence`.
    pub(super) fn slot(&self, region: &Region, sequence: u32, slot: u32) -> Place {
        self.place(region, sequence, slot.saturating_add(1))
    }

    /// The head of page `sequence`, if it is there.
    pub(super) fn head<F: NorFlash>(
        &self,
        medium: &Medium<'_>,
        flash: &mut F,
        key: &Secret<32>,
        sequence: u32,
    ) -> Result<Option<Head>, SpoolError> {
        let place = self.place(&medium.region, sequence, 0);
        Ok(match medium.open::<F, HEAD>(flash, &place, key)? {
            Found::Good(numbers) => Some(Head::from_numbers(numbers)),
            _ => None,
        })
    }

    /// The head that stands in page `index`, whatever its sequence number.
    pub(super) fn head_at<F: NorFlash>(
        &self,
        medium: &Medium<'_>,
        flash: &mut F,
        key: &Secret<32>,
        index: u32,
    ) -> Result<Option<(u32, Head)>, SpoolError> {
        let mut clear = [0; MAX_READ];
        let page = self.region_page(index);
        let at = page.saturating_mul(medium.region.page_size());
        let len = medium
            .region
            .align_up(4)
            .and_then(|len| usize::try_from(len).ok());
        let bytes = len.and_then(|len| clear.get_mut(..len));
        let bytes = bytes.ok_or(SpoolError::Layout)?;
        if !medium.read(flash, at, bytes)? {
            return Ok(None);
        }
        let sequence = bytes.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes));
        let belongs = sequence
            .checked_sub(1)
            .and_then(|count| count.checked_rem(self.pages));
        if belongs != Some(index) || sequence == u32::MAX {
            return Ok(None);
        }
        let head = self.head(medium, flash, key, sequence)?;
        Ok(head.map(|head| (sequence, head)))
    }

    /// Finds the newest and the oldest page, and the head of the newest.
    pub(super) fn find<F: NorFlash>(
        &mut self,
        medium: &Medium<'_>,
        flash: &mut F,
        key: &Secret<32>,
    ) -> Result<Option<Head>, SpoolError> {
        self.reset();
        let mut newest: Option<Head> = None;
        for index in 0..self.pages {
            if let Some((sequence, head)) = self.head_at(medium, flash, key, index)?
                && sequence > self.newest
            {
                self.newest = sequence;
                newest = Some(head);
            }
        }
        self.oldest = self.first_in_window(self.newest);
        Ok(newest)
    }

    /// The first page that is not overwritten when page `newest` is the newest.
    const fn first_in_window(&self, newest: u32) -> u32 {
        let first = newest.saturating_add(1).saturating_sub(self.pages);
        if first == 0 { 1 } else { first }
    }

    /// Looks for the last thing that was written to the newest page.
    pub(super) fn end<F: NorFlash, const N: usize>(
        &self,
        medium: &Medium<'_>,
        flash: &mut F,
        key: &Secret<32>,
    ) -> Result<End<N>, SpoolError> {
        let mut found = End {
            last: None,
            torn: 0,
            end: 0,
        };
        for slot in (0..self.slots).rev() {
            let place = self.slot(&medium.region, self.newest, slot);
            let piece = medium.open::<F, N>(flash, &place, key)?;
            if found.end == 0 && !matches!(piece, Found::Blank) {
                found.end = slot.saturating_add(1);
            }
            match piece {
                Found::Blank => {}
                Found::Bad => found.torn = found.torn.saturating_add(1),
                Found::Good(numbers) => {
                    found.last = Some((slot, numbers));
                    break;
                }
            }
        }
        Ok(found)
    }

    /// Goes on writing in boot number `boot`, behind what boot number `last` wrote and others may have begun.
    pub(super) const fn resume(&mut self, end: u32, last: u32, boot: u32) {
        let next = end.saturating_add(boot.saturating_sub(last));
        self.next = if next < self.slots { next } else { self.slots };
    }

    /// The page that [`open_page`](Self::open_page) takes: its index, and the sequence number that it has so far.
    pub(super) const fn next_sequence(&self) -> u32 {
        self.newest.saturating_add(1)
    }

    /// The page that is overwritten next, if it may hold something.
    pub(super) fn victim(&self) -> Option<u32> {
        let victim = self.next_sequence().checked_sub(self.pages)?;
        (victim >= self.oldest).then_some(victim)
    }

    /// Erases the page behind the newest and makes it the newest.
    pub(super) fn open_page<F: NorFlash>(
        &mut self,
        medium: &Medium<'_>,
        flash: &mut F,
        key: &Secret<32>,
        head: &Head,
    ) -> Result<(), SpoolError> {
        let sequence = self.next_sequence();
        let place = self.place(&medium.region, sequence, 0);
        self.next = self.slots;
        let page = place.at.checked_div(medium.region.page_size());
        medium
            .region
            .erase_page(flash, page.ok_or(FlashError::Geometry)?)?;
        medium.write(flash, &place, key, head.to_numbers())?;
        self.newest = sequence;
        self.oldest = self.oldest.max(self.first_in_window(sequence));
        self.next = 0;
        Ok(())
    }

    /// Writes the next slot. A slot that fails closes the page.
    pub(super) fn append<F: NorFlash, const N: usize>(
        &mut self,
        medium: &Medium<'_>,
        flash: &mut F,
        key: &Secret<32>,
        numbers: [u32; N],
    ) -> Result<(), SpoolError> {
        let place = self.slot(&medium.region, self.newest, self.next);
        match medium.write(flash, &place, key, numbers) {
            Ok(()) => self.next = self.next.saturating_add(1),
            Err(error) => {
                self.next = self.slots;
                return Err(error);
            }
        }
        Ok(())
    }
}

/// The longest word.
const MAX_READ: usize = super::medium::MAX_PIECE;
