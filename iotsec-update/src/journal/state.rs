//! The state of a decoder, in the journal.
//!
//! A run of units of 16 bytes or one word, whichever is more. The first begins with the head; each other
//! one begins with a byte of its own, so that nothing which a payload put into a state can pass for a
//! record, not even when the head is torn.

use embedded_storage::nor_flash::NorFlash;
use iotsec_core::hal::{FlashError, Region};

use super::{
    Journal, Record,
    record::{MAX_SERIAL, PROGRESS_LEN, RECORD_LEN},
};
use crate::{
    checksum::Crc,
    slot::{MAX_WORD, read_block},
};

const HEAD: u8 = b'D';
const BODY: u8 = b'd';
const VERSION: u8 = 1;

/// Bytes of the longest state that is kept.
pub(crate) const MAX_STATE: usize = 1024 + 64;

/// What the head says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Head {
    serial: u32,
    /// Bytes of the update that were in place.
    progress: u32,
    len: u16,
    crc: u32,
}

/// A state that was found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kept {
    place: u32,
    head: Head,
}

impl Kept {
    /// Bytes of the update that were in place.
    pub(crate) const fn progress(&self) -> u32 {
        self.head.progress
    }
}

impl Journal {
    /// Bytes that a state of `len` bytes takes in flash, if it fits a page behind a record.
    pub(crate) fn state_space(&self, len: usize) -> Option<u32> {
        let unit = self.region.align_up(PROGRESS_LEN)?;
        // Checked, although a unit has 16 bytes and more: the compiler has to see that nothing divides by zero.
        let (len, size) = (u32::try_from(len).ok()?, unit.checked_sub(1)?);
        let begun = u32::from(len.checked_rem(size)? != 0);
        let units = len.checked_div(size)?.checked_add(begun)?;
        let space = unit.checked_mul(units.checked_add(1)?)?;
        let both = space.checked_add(self.region.align_up(RECORD_LEN)?)?;
        (both <= self.region.page_size()).then_some(space)
    }

    /// Whether a state that takes `space` bytes needs a page erased.
    pub(crate) fn state_erases(&self, space: u32) -> bool {
        self.must_turn(space)
    }

    /// Writes how many bytes of the update are in place, with the state of the decoder at that place.
    /// `record` is the state of all before it, which a fresh page needs. At most one erase.
    ///
    /// *Power loss:* the state before this one, with the bytes that were in place then; with two pages and
    /// two cuts in a row, none.
    pub(crate) fn append_state<F: NorFlash>(
        &mut self,
        flash: &mut F,
        record: &mut Record,
        progress: u32,
        state: &[u8],
    ) -> Result<(), FlashError> {
        let space = self.state_space(state.len()).ok_or(FlashError::OutOfBounds)?;
        if self.must_turn(space) {
            self.turn(flash)?;
            self.append(flash, record)?;
        }
        let serial = self.next_serial()?;
        let mut head = Head {
            serial,
            progress,
            len: u16::try_from(state.len()).map_err(|_| FlashError::OutOfBounds)?,
            crc: 0,
        };
        let mut crc = head.crc(mark(record));
        crc.update(state);
        head.crc = crc.finish();
        self.write_part(flash, &head.encode())?;
        let unit = self.region.align_up(PROGRESS_LEN).unwrap_or(0);
        let size = usize::try_from(unit.saturating_sub(1)).unwrap_or(0);
        for part in state.chunks(size.max(1)) {
            let mut block = [0; MAX_WORD];
            let bytes = core::iter::once(BODY).chain(part.iter().copied());
            for (to, from) in block.iter_mut().zip(bytes) {
                *to = from;
            }
            let len = part.len().saturating_add(1);
            self.write_part(flash, block.get(..len).unwrap_or_default())?;
        }
        self.serial = serial;
        record.progress = progress;
        Ok(())
    }

    fn write_part<F: NorFlash>(&mut self, flash: &mut F, bytes: &[u8]) -> Result<(), FlashError> {
        let unit = self.region.align_up(PROGRESS_LEN).ok_or(FlashError::Geometry)?;
        self.write(flash, unit, bytes)
    }

    /// The newest state of the update that `record` tells of, if it is not older than what the record says
    /// is in place.
    pub(crate) fn find_state<F: NorFlash>(&mut self, flash: &mut F, record: &Record) -> Option<Kept> {
        let unit = self.region.align_up(PROGRESS_LEN)?;
        let mut newest: Option<Kept> = None;
        for page in 0..self.region.page_count() {
            let start = page.checked_mul(self.region.page_size())?;
            let mut at = 0_u32;
            while at.checked_add(unit)? <= self.region.page_size() {
                let place = start.checked_add(at)?;
                if let Some(head) = Head::check(flash, &self.region, place, mark(record))
                    && newest.is_none_or(|kept| head.serial > kept.head.serial)
                {
                    newest = Some(Kept { place, head });
                }
                at = at.checked_add(unit)?;
            }
        }
        let kept = newest?;
        let is_newest = kept.head.serial > self.serial;
        self.serial = self.serial.max(kept.head.serial);
        (is_newest || kept.head.progress == record.progress).then_some(kept)
    }

    /// Reads a state that was found.
    pub(crate) fn read_state<'o, F: NorFlash>(
        &self,
        flash: &mut F,
        kept: &Kept,
        out: &'o mut [u8; MAX_STATE],
    ) -> Option<&'o [u8]> {
        let mut filled: usize = 0;
        kept.head.each(flash, &self.region, kept.place, &mut |bytes| {
            for (to, from) in out.iter_mut().skip(filled).zip(bytes) {
                *to = *from;
            }
            filled = filled.saturating_add(bytes.len());
        })?;
        out.get(..usize::from(kept.head.len))
    }
}

/// Ties a state to the manifest it belongs to.
fn mark(record: &Record) -> [u8; 4] {
    let digest = record.staging.map_or([0; 32], |manifest| manifest.digest);
    let [a, b, c, d, ..] = digest;
    [a, b, c, d]
}

impl Head {
    /// Reads the head at `at`, and checks the whole run.
    fn check<F: NorFlash>(flash: &mut F, region: &Region, at: u32, mark: [u8; 4]) -> Option<Self> {
        let head = Self::read(flash, region, at)?;
        let mut crc = head.crc(mark);
        head.each(flash, region, at, &mut |bytes| crc.update(bytes))?;
        (crc.finish() == head.crc).then_some(head)
    }

    fn read<F: NorFlash>(flash: &mut F, region: &Region, at: u32) -> Option<Self> {
        let mut block = [0; MAX_WORD];
        let len = usize::try_from(PROGRESS_LEN).ok()?;
        let bytes = read_block(flash, region, at, len, &mut block).ok()?;
        let bytes: &[u8; 16] = bytes.first_chunk()?;
        let [HEAD, VERSION, a, b, rest @ ..] = *bytes else {
            return None;
        };
        let (numbers, _) = rest.as_chunks();
        let [serial, progress, crc] = *numbers else {
            return None;
        };
        let head = Self {
            serial: u32::from_le_bytes(serial),
            progress: u32::from_le_bytes(progress),
            len: u16::from_le_bytes([a, b]),
            crc: u32::from_le_bytes(crc),
        };
        (head.serial <= MAX_SERIAL && usize::from(head.len) <= MAX_STATE).then_some(head)
    }

    fn fields(&self) -> impl Iterator<Item = u8> {
        [HEAD, VERSION]
            .into_iter()
            .chain(self.len.to_le_bytes())
            .chain(self.serial.to_le_bytes())
            .chain(self.progress.to_le_bytes())
    }

    fn encode(&self) -> [u8; 16] {
        let mut out = [0; 16];
        for (to, from) in out.iter_mut().zip(self.fields().chain(self.crc.to_le_bytes())) {
            *to = from;
        }
        out
    }

    /// The checksum so far: of the mark and of the head without the checksum.
    fn crc(&self, mark: [u8; 4]) -> Crc {
        let mut crc = Crc::new();
        crc.update(&mark);
        for byte in self.fields() {
            crc.update(&[byte]);
        }
        crc
    }

    /// Feeds the state to `update`; `None` when a unit is not one of a body.
    fn each<F: NorFlash>(
        &self,
        flash: &mut F,
        region: &Region,
        mut at: u32,
        update: &mut dyn FnMut(&[u8]),
    ) -> Option<()> {
        let unit = region.align_up(PROGRESS_LEN)?;
        let size = usize::try_from(unit).ok()?.checked_sub(1)?;
        let mut left = usize::from(self.len);
        while left > 0 {
            at = at.checked_add(unit)?;
            let len = left.min(size);
            let mut block = [0; MAX_WORD];
            match read_block(flash, region, at, len.checked_add(1)?, &mut block).ok()? {
                [BODY, part @ ..] => update(part),
                _ => return None,
            }
            left = left.saturating_sub(len);
        }
        Some(())
    }
}
