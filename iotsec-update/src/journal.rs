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

use crate::slot::{MAX_WORD, pad, read_block};
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
    pub(crate) fn mount<F: NorFlash>(flash: &mut F, region: Region) -> (Self, Option<Record>) {
        let mut record = None;
        (Self::mount_into(flash, region, &mut record), record)
    }

    /// As [`mount`](Self::mount), into a place that has no record yet: records are large.
    #[inline(never)]
    pub(crate) fn mount_into<F: NorFlash>(
        flash: &mut F,
        region: Region,
        record: &mut Option<Record>,
    ) -> Self {
        let mut found = Found {
            page: None,
            serial: 0,
            record,
            progress: (0, 0),
        };
        for page in 0..region.page_count() {
            found.scan(flash, &region, page);
        }
        let (mut serial, (later, bytes)) = (found.serial, found.progress);
        if let Some(record) = found.record.as_mut().filter(|_| later > serial) {
            record.progress = bytes;
            serial = later;
        }
        let home = found.page;
        Self {
            region,
            serial,
            home,
            page: home.unwrap_or(region.page_count().saturating_sub(1)),
            offset: 0,
            fresh: true,
        }
    }

    /// Writes the whole state. At most one erase.
    pub(crate) fn append<F: NorFlash>(&mut self, flash: &mut F, record: &Record) -> Result<(), FlashError> {
        let space = self.region.align_up(RECORD_LEN).ok_or(FlashError::Geometry)?;
        if self.must_turn(space) {
            self.turn(flash)?;
        }
        let serial = self.next_serial()?;
        let mut bytes = [0; 160];
        record.encode_to(serial, &mut bytes);
        self.write(flash, space, &bytes)?;
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
            let next = page.saturating_add(1);
            if next < self.region.page_count() { next } else { 0 }
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

    /// Writes `bytes` and fills up the rest of `space` with the erased value.
    #[inline(never)]
    fn write<F: NorFlash>(&mut self, flash: &mut F, space: u32, bytes: &[u8]) -> Result<(), FlashError> {
        let at = self.region.page_size().checked_mul(self.page);
        let at = at
            .and_then(|at| at.checked_add(self.offset))
            .ok_or(FlashError::OutOfBounds)?;
        let mut block = [0; MAX_WORD];
        let block = block.get_mut(..len(space)).ok_or(FlashError::Geometry)?;
        pad(block, bytes, self.region.erased());
        let written = self.region.write(flash, at, block);
        self.offset = self.offset.saturating_add(space);
        self.fresh = written.is_err();
        written
    }

    fn next_serial(&self) -> Result<u32, FlashError> {
        self.serial.checked_add(1).ok_or(FlashError::OutOfBounds)
    }
}

/// The newest records that were found so far. Serial numbers start at 1, so zero stands for none.
struct Found<'r> {
    /// The page with the newest whole record, its serial number, and what it says.
    page: Option<u32>,
    serial: u32,
    record: &'r mut Option<Record>,
    /// Serial number and bytes of the newest progress record.
    progress: (u32, u32),
}

impl Found<'_> {
    /// Takes note of the records of a page. Stops at the first erased place: records have no gaps.
    // Out of line, as what it calls: so the large record stays where it is.
    #[inline(never)]
    fn scan<F: NorFlash>(&mut self, flash: &mut F, region: &Region, page: u32) {
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
                        if serial > self.progress.0 {
                            self.progress = (serial, bytes);
                        }
                    } else if Record::is_record(head)
                        && at.saturating_add(space) <= region.page_size()
                        && let Some(serial) = self.read(flash, region, place)
                    {
                        if serial > self.serial {
                            (self.page, self.serial) = (Some(page), serial);
                        }
                        step = space;
                    }
                }
                // A torn word of a flash with error correction.
                Err(_) => {}
            }
            at = at.saturating_add(step);
        }
    }

    /// Reads a record, and keeps it if it is newer. Twice: a bit that a cut left between zero and one must not decide
    /// anything.
    #[inline(never)]
    fn read<F: NorFlash>(&mut self, flash: &mut F, region: &Region, place: u32) -> Option<u32> {
        let (mut block, mut again) = ([0; MAX_WORD], [0; MAX_WORD]);
        let first = read_block(flash, region, place, len(RECORD_LEN), &mut block).ok()?;
        let second = read_block(flash, region, place, len(RECORD_LEN), &mut again).ok()?;
        if first != second {
            return None;
        }
        Record::decode(first, self.serial, self.record)
    }
}

fn len(bytes: u32) -> usize {
    usize::try_from(bytes).unwrap_or(0)
}

#[cfg(test)]
mod tests;
