//! The journal: which slot is active, how far the update in the other one is.
//!
//! An append-only log of checksummed records over two or more pages. Its byte table and what a
//! damaged or hostile journal can do are in `BOOT.md`.
//!
//! *Power loss:* the first record after a start opens a fresh page and repeats the whole state, because
//! the words behind the newest record may be half programmed although they read erased, and the newest
//! record itself may be hard to read. A page is erased only while another holds the newest record.

mod record;
mod state;

use embedded_storage::nor_flash::NorFlash;
use iotsec_core::hal::{FlashError, Region};

use crate::slot::{MAX_WORD, read_block, write_padded};
pub(crate) use record::{Image, Record};
#[allow(unreachable_pub, reason = "exported by `install`")]
pub use record::{ManifestId, State};
use record::{PROGRESS_LEN, RECORD_LEN, decode_progress, encode_progress};
pub(crate) use state::{Kept, MAX_STATE};

/// Where the log goes on.
#[derive(Debug)]
pub(crate) struct Journal {
    region: Region,
    serial: u32,
    /// The page with the newest whole record; not erased until there is a newer one.
    home: Option<u32>,
    /// The page that was used last, with or without success, and the next free byte in it.
    page: u32,
    offset: u32,
    /// The next record opens a page.
    fresh: bool,
}

impl Journal {
    /// Finds the newest whole record. A page that cannot be read counts as empty.
    #[inline(never)]
    pub(crate) fn mount<F: NorFlash>(flash: &mut F, region: Region) -> (Self, Option<Record>) {
        let mut newest: Option<(u32, u32, Record)> = None;
        let mut progress: Option<(u32, u32)> = None;
        for page in 0..region.page_count() {
            scan(flash, &region, page, &mut |entry| match entry {
                Entry::Record(serial, record) => {
                    if newest.is_none_or(|(_, best, _)| serial > best) {
                        newest = Some((page, serial, record));
                    }
                }
                Entry::Progress(serial, bytes) => {
                    if progress.is_none_or(|(best, _)| serial > best) {
                        progress = Some((serial, bytes));
                    }
                }
            });
        }
        let (home, mut serial) = newest.map_or((None, 0), |(page, serial, _)| (Some(page), serial));
        let record = newest.map(|(_, _, mut record)| {
            if let Some((later, bytes)) = progress.filter(|(later, _)| *later > serial) {
                record.progress = bytes;
                serial = later;
            }
            record
        });
        let journal = Self {
            region,
            serial,
            home,
            page: home.unwrap_or(region.page_count().saturating_sub(1)),
            offset: 0,
            fresh: true,
        };
        (journal, record)
    }

    /// Writes the whole state. At most one erase.
    pub(crate) fn append<F: NorFlash>(&mut self, flash: &mut F, record: &Record) -> Result<(), FlashError> {
        let space = self.region.align_up(RECORD_LEN).ok_or(FlashError::Geometry)?;
        if self.must_turn(space) {
            self.turn(flash)?;
        }
        let serial = self.next_serial()?;
        self.write(flash, space, &record.encode(serial))?;
        self.home = Some(self.page);
        self.serial = serial;
        Ok(())
    }

    /// Writes how many bytes of the image are in place, `record` being the whole state with that number.
    /// At most one erase.
    pub(crate) fn append_progress<F: NorFlash>(
        &mut self,
        flash: &mut F,
        record: &Record,
    ) -> Result<(), FlashError> {
        let space = self.progress_space()?;
        if self.must_turn(space) {
            return self.append(flash, record);
        }
        let serial = self.next_serial()?;
        self.write(flash, space, &encode_progress(serial, record.progress))?;
        self.serial = serial;
        Ok(())
    }

    /// Whether the next progress record needs a page erased.
    pub(crate) fn progress_erases(&self) -> bool {
        self.progress_space().is_ok_and(|space| self.must_turn(space))
    }

    /// Bytes that a progress record takes in flash.
    pub(crate) fn progress_space(&self) -> Result<u32, FlashError> {
        self.region.align_up(PROGRESS_LEN).ok_or(FlashError::Geometry)
    }

    fn must_turn(&self, space: u32) -> bool {
        self.fresh || self.offset.saturating_add(space) > self.region.page_size()
    }

    /// Goes to the next page but the one that holds the newest record, and erases it.
    fn turn<F: NorFlash>(&mut self, flash: &mut F) -> Result<(), FlashError> {
        self.fresh = true;
        let after = |page: u32| {
            page.saturating_add(1)
                .checked_rem(self.region.page_count())
                .unwrap_or(0)
        };
        let mut next = after(self.page);
        if Some(next) == self.home {
            next = after(next);
        }
        // Remembered before it is tried: a page that fails is passed over the next time.
        self.page = next;
        self.region.erase_page(flash, next)?;
        self.offset = 0;
        self.fresh = false;
        Ok(())
    }

    fn write<F: NorFlash>(&mut self, flash: &mut F, space: u32, bytes: &[u8]) -> Result<(), FlashError> {
        let at = self.region.page_size().checked_mul(self.page);
        let at = at
            .and_then(|at| at.checked_add(self.offset))
            .ok_or(FlashError::OutOfBounds)?;
        let written = write_padded(flash, &self.region, at, bytes);
        self.offset = self.offset.saturating_add(space);
        self.fresh = written.is_err();
        written
    }

    fn next_serial(&self) -> Result<u32, FlashError> {
        self.serial.checked_add(1).ok_or(FlashError::OutOfBounds)
    }
}

enum Entry {
    Record(u32, Record),
    Progress(u32, u32),
}

/// Reports the whole records of a page. Stops at the first erased place: records have no gaps.
fn scan<F: NorFlash>(flash: &mut F, region: &Region, page: u32, report: &mut dyn FnMut(Entry)) {
    let (Some(unit), Some(space)) = (region.align_up(PROGRESS_LEN), region.align_up(RECORD_LEN)) else {
        return;
    };
    let start = region.page_size().saturating_mul(page);
    let mut at = 0_u32;
    while at.saturating_add(unit) <= region.page_size() {
        let place = start.saturating_add(at);
        let mut step = unit;
        let mut block = [0; MAX_WORD];
        match read_block(flash, region, place, len(PROGRESS_LEN), &mut block) {
            Ok(head) if head.iter().all(|byte| *byte == region.erased()) => return,
            Ok(head) => {
                if let Some((serial, bytes)) = decode_progress(head) {
                    report(Entry::Progress(serial, bytes));
                } else if Record::is_record(head)
                    && at.saturating_add(space) <= region.page_size()
                    && let Some((serial, record)) = read_record(flash, region, place)
                {
                    report(Entry::Record(serial, record));
                    step = space;
                }
            }
            // A torn word of a flash with error correction.
            Err(_) => {}
        }
        at = at.saturating_add(step);
    }
}

/// Reads a record twice: a bit that a cut left between zero and one must not decide anything.
fn read_record<F: NorFlash>(flash: &mut F, region: &Region, place: u32) -> Option<(u32, Record)> {
    let mut read = || {
        let mut block = [0; MAX_WORD];
        let bytes = read_block(flash, region, place, len(RECORD_LEN), &mut block).ok()?;
        Record::decode(bytes)
    };
    let first = read()?;
    (read()? == first).then_some(first)
}

fn len(bytes: u32) -> usize {
    usize::try_from(bytes).unwrap_or(0)
}

#[cfg(test)]
mod tests;
