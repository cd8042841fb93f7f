//! A NOR flash simulated in memory.
//!
//! It refuses what a real one cannot do: programming a word twice between erases, and unaligned access.

use core::sync::atomic::{AtomicU8, Ordering::Relaxed};

use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash, check_erase, check_read, check_write,
};

/// Bytes in an erase unit.
pub const PAGE: usize = 1024;
/// Bytes in a write unit.
pub const WORD: usize = 4;
/// Bytes in the whole flash.
pub const CAPACITY: usize = 64 * 1024;

// Bytes that can be shared without `unsafe`. The section is not loaded and not zeroed at start.
#[allow(unsafe_code, reason = "the linker script defines this section")]
#[unsafe(link_section = ".storage")]
static CELLS: [AtomicU8; CAPACITY] = [const { AtomicU8::new(0) }; CAPACITY];

/// The simulated flash: 64 KiB, pages of 1 KiB, words of 4 bytes, erased bytes read 0xFF.
#[derive(Debug)]
pub struct SimulatedFlash(());

impl SimulatedFlash {
    /// A flash fresh from the factory: all erased.
    pub fn erased() -> Self {
        for cell in &CELLS {
            cell.store(0xFF, Relaxed);
        }
        Self(())
    }

    /// Puts bytes into erased flash, as whoever programmed the device before it was switched on.
    pub fn preload(&mut self, offset: u32, bytes: &[u8]) {
        for (byte, cell) in bytes.iter().zip(cells(offset, usize::MAX)) {
            cell.store(*byte, Relaxed);
        }
    }

    /// Changes a bit behind the back of whoever wrote it.
    pub fn flip_bit(&mut self, offset: u32) {
        for cell in cells(offset, 1) {
            cell.store(cell.load(Relaxed) ^ 1, Relaxed);
        }
    }
}

/// What a flash refuses here: this one, and those of the boards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Not a whole number of units.
    NotAligned,
    /// Beyond the end.
    OutOfBounds,
    /// A word that was programmed since its page was erased.
    Programmed,
    /// What holds its content cannot be read or written.
    Medium,
}

impl From<NorFlashErrorKind> for Refused {
    fn from(kind: NorFlashErrorKind) -> Self {
        match kind {
            NorFlashErrorKind::NotAligned => Self::NotAligned,
            _ => Self::OutOfBounds,
        }
    }
}

impl NorFlashError for Refused {
    fn kind(&self) -> NorFlashErrorKind {
        match self {
            Self::NotAligned => NorFlashErrorKind::NotAligned,
            Self::OutOfBounds => NorFlashErrorKind::OutOfBounds,
            Self::Programmed | Self::Medium => NorFlashErrorKind::Other,
        }
    }
}

impl ErrorType for SimulatedFlash {
    type Error = Refused;
}

impl ReadNorFlash for SimulatedFlash {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Refused> {
        check_read(self, offset, bytes.len())?;
        for (byte, cell) in bytes.iter_mut().zip(cells(offset, usize::MAX)) {
            *byte = cell.load(Relaxed);
        }
        Ok(())
    }

    fn capacity(&self) -> usize {
        CAPACITY
    }
}

impl NorFlash for SimulatedFlash {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = PAGE;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), Refused> {
        check_erase(self, from, to)?;
        for cell in cells(from, (to - from) as usize) {
            cell.store(0xFF, Relaxed);
        }
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Refused> {
        check_write(self, offset, bytes.len())?;
        if cells(offset, bytes.len()).any(|cell| cell.load(Relaxed) != 0xFF) {
            return Err(Refused::Programmed);
        }
        for (byte, cell) in bytes.iter().zip(cells(offset, usize::MAX)) {
            cell.store(*byte, Relaxed);
        }
        Ok(())
    }
}

fn cells(offset: u32, len: usize) -> impl Iterator<Item = &'static AtomicU8> {
    CELLS.iter().skip(offset as usize).take(len)
}
