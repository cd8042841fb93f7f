//! The driver's side of a simulated flash, with the rules of the geometry.

use embedded_storage::nor_flash::{ErrorType, NorFlash, ReadNorFlash};

use super::{Operation, SimFlash, SimFlashError, StepUnit, Tear, Violation, in_memory};

impl ErrorType for SimFlash {
    type Error = SimFlashError;
}

impl ReadNorFlash for SimFlash {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), SimFlashError> {
        self.begin(Operation::Read, offset, bytes.len())?;
        self.stats.reads += 1;
        self.stats.bytes_read += as_count(bytes.len());
        let word = in_memory(self.geometry.word_size());
        self.cells.read(in_memory(offset), word, bytes, &self.power)
    }

    fn capacity(&self) -> usize {
        in_memory(self.geometry.capacity())
    }
}

impl NorFlash for SimFlash {
    const WRITE_SIZE: usize = 1;
    const ERASE_SIZE: usize = 1;

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), SimFlashError> {
        self.begin(Operation::Write, offset, bytes.len())?;
        if let Err(error) = self.check_write(offset, bytes.len()) {
            return Err(self.violate(error, Operation::Write, offset, bytes.len()));
        }
        self.stats.writes += 1;
        let from = in_memory(offset);
        let word = in_memory(self.geometry.word_size());
        let unit = match self.unit {
            StepUnit::Word => word,
            StepUnit::Byte => 1,
        };
        let wanted = bytes.len() / unit;
        let steps = usize::try_from(self.power.spend(as_count(wanted))).unwrap_or(wanted);

        if steps == wanted {
            self.program(from, bytes);
            return Ok(());
        }
        // All that the chip was programming together when the power went is undefined.
        let burst = in_memory(self.geometry.burst());
        let cut = from + steps * unit;
        let first = (cut / burst * burst).max(from);
        let end = (cut / burst * burst + burst).min(from + bytes.len());
        if self.tear == Tear::Clean {
            self.program(from, &bytes[..cut / word * word - from]);
            return Err(SimFlashError::PowerLost);
        }
        self.program(from, &bytes[..first - from]);
        let torn = &bytes[first - from..end - from];
        let progress = (cut - first, unit);
        self.cells
            .tear_write(first, torn, word, progress, self.tear, &self.power);
        self.programmed[first / word..end / word].fill(true);
        Err(SimFlashError::PowerLost)
    }

    fn erase(&mut self, from: u32, to: u32) -> Result<(), SimFlashError> {
        let len = in_memory(to.saturating_sub(from));
        self.begin(Operation::Erase, from, len)?;
        if to < from {
            return Err(self.violate(SimFlashError::OutOfBounds, Operation::Erase, from, len));
        }
        let Some(sectors) = self.geometry.sectors_between(from, to) else {
            return Err(self.violate(SimFlashError::NotAligned, Operation::Erase, from, len));
        };
        self.stats.erases += 1;
        self.most_erases = self.most_erases.max(self.stats.erases - self.marked.erases);
        let word = self.geometry.word_size();
        for sector in sectors {
            let (start, end) = self.geometry.sector(sector);
            let bytes = in_memory(start)..in_memory(end);
            let wanted = self.tear.erase_steps();
            let steps = self.power.spend(wanted);
            if steps < wanted && self.tear == Tear::Clean {
                return Err(SimFlashError::PowerLost);
            }
            self.wear[sector] += 1;
            self.stats.sectors_erased += 1;
            if steps < wanted {
                self.unfinished[sector] = true;
                self.cells
                    .tear_erase(bytes, in_memory(word), steps, self.tear, &self.power);
                return Err(SimFlashError::PowerLost);
            }
            self.unfinished[sector] = false;
            self.cells.erase(bytes);
            self.programmed[in_memory(start / word)..in_memory(end / word)].fill(false);
        }
        Ok(())
    }
}

impl SimFlash {
    fn begin(&mut self, operation: Operation, offset: u32, len: usize) -> Result<(), SimFlashError> {
        if self.power.is_lost() {
            return Err(SimFlashError::PowerLost);
        }
        let inside = in_memory(offset)
            .checked_add(len)
            .is_some_and(|end| end <= self.capacity());
        if !inside {
            return Err(self.violate(SimFlashError::OutOfBounds, operation, offset, len));
        }
        if self.faults.strike(operation) {
            return Err(SimFlashError::Injected);
        }
        Ok(())
    }

    fn violate(
        &mut self,
        error: SimFlashError,
        operation: Operation,
        offset: u32,
        len: usize,
    ) -> SimFlashError {
        self.violations.push(Violation {
            error,
            operation,
            offset,
            len,
        });
        error
    }

    fn sector_of(&self, offset: u32) -> usize {
        let (mut low, mut high) = (0, self.geometry.sector_count());
        while high - low > 1 {
            let middle = usize::midpoint(low, high);
            if self.geometry.sector(middle).0 <= offset {
                low = middle;
            } else {
                high = middle;
            }
        }
        low
    }

    fn program(&mut self, from: usize, bytes: &[u8]) {
        let word = in_memory(self.geometry.word_size());
        self.cells.set(from, bytes);
        self.programmed[from / word..(from + bytes.len()) / word].fill(true);
        self.stats.bytes_written += as_count(bytes.len());
    }

    fn check_write(&self, offset: u32, len: usize) -> Result<(), SimFlashError> {
        let word = in_memory(self.geometry.word_size());
        let from = in_memory(offset);
        if !from.is_multiple_of(word) || !len.is_multiple_of(word) {
            return Err(SimFlashError::NotAligned);
        }
        if len == 0 {
            return Ok(());
        }
        if self.programmed[from / word..(from + len) / word].contains(&true) {
            return Err(SimFlashError::Overwrite);
        }
        let last = offset + u32::try_from(len - 1).unwrap_or(u32::MAX);
        if self.unfinished[self.sector_of(offset)..=self.sector_of(last)].contains(&true) {
            return Err(SimFlashError::Unfinished);
        }
        Ok(())
    }
}

fn as_count(len: usize) -> u64 {
    u64::try_from(len).expect("hosts have at most 64 bits")
}
