//! A NOR flash whose content is a file of the host.
//!
//! At power-on QEMU puts the file where the board has its flash, and images run there. Every word that is programmed
//! and every page that is erased goes to the file at once, one by one, so that killing QEMU leaves what a power cut
//! leaves. What was written since power-on is read from the file, everything else from where it is executed: what the
//! boot loader measures are the bytes that run.
//!
//! It refuses what a real flash cannot do: programming a word twice between erases, and unaligned access.

use core::sync::atomic::{AtomicU8, AtomicU32, Ordering::Relaxed};

use embedded_storage::nor_flash::{ErrorType, NorFlash, ReadNorFlash, check_erase, check_read, check_write};
use harness::{console, flash::Refused};
use semihosting::{
    fs::{File, OpenOptions},
    io::{Read, Seek, SeekFrom, Write},
};

use crate::{map::Map, memory, options::Cut};

/// The board.
pub const MAP: Map = match crate::map::find(env!("BOARD"), "") {
    Some(map) => map,
    None => panic!("the build script named one that there is"),
};

/// Bytes in an erase unit.
pub const PAGE: usize = MAP.page as usize;
/// Bytes in a write unit.
pub const WORD: usize = MAP.word as usize;

/// The word behind the flash.
const RESTARTS: u32 = MAP.flash + MAP.capacity();

/// Pages that were written since power-on. Cells that can be shared without `unsafe`, on cores without
/// compare-and-swap too: there is one thread.
static WRITTEN: [AtomicU8; MAP.page_count() as usize] =
    [const { AtomicU8::new(0) }; MAP.page_count() as usize];
/// Words programmed and pages erased since power-on, by this image.
static OPERATIONS: AtomicU32 = AtomicU32::new(0);

/// The flash.
pub struct Flash {
    file: File,
    cut: Option<Cut>,
}

impl Flash {
    /// The flash of the board; with `cut`, the power fails at one of the operations.
    pub fn new(cut: Option<Cut>) -> Self {
        match OpenOptions::new().read(true).write(true).open(c"flash.img") {
            Ok(file) => Self { file, cut },
            Err(_) => console::fail("no file flash.img to read and write"),
        }
    }

    /// After a restart under power, in the boot loader: the emulator has put back what the flash held when the power came,
    /// and a real flash holds what was written since. Counts the restarts in a word behind the flash, which is lost with
    /// the power.
    pub fn keep(&mut self) {
        let mut page = [0; PAGE];
        for at in 0..MAP.page_count() {
            let offset = at * MAP.page;
            if self.load(offset, &mut page).is_err() {
                console::fail("flash.img cannot be read")
            }
            memory::write_flash(MAP.flash + offset, &page);
        }
        memory::write_flash(RESTARTS, &(Self::restarts() + 1).to_le_bytes());
    }

    /// Starts since the power came, this one among them, where [`keep`](Self::keep) counts them.
    pub fn restarts() -> u32 {
        let mut count = [0; 4];
        memory::read_flash(RESTARTS, &mut count);
        u32::from_le_bytes(count)
    }

    /// Words programmed and pages erased since power-on, by this image.
    pub fn operations() -> u32 {
        OPERATIONS.load(Relaxed)
    }

    /// Reads from the file.
    fn load(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Refused> {
        let found = self.file.seek(SeekFrom::Start(offset.into()));
        found
            .and_then(|_| self.file.read_exact(bytes))
            .map_err(|_| Refused::Medium)
    }

    /// Counts an operation, and says what it becomes if the power fails in it.
    fn operate(&mut self) -> Option<Cut> {
        let count = OPERATIONS.load(Relaxed) + 1;
        OPERATIONS.store(count, Relaxed);
        self.cut.filter(|cut| cut.operation == count)
    }

    /// Goes to a place of the file, whose page is no longer what is executed.
    fn go(&mut self, offset: u32) -> Result<(), Refused> {
        if let Some(written) = WRITTEN.get(offset as usize / PAGE) {
            written.store(1, Relaxed);
        }
        let found = self.file.seek(SeekFrom::Start(offset.into()));
        found.map(drop).map_err(|_| Refused::Medium)
    }

    fn store(&mut self, bytes: &[u8]) -> Result<(), Refused> {
        self.file.write_all(bytes).map_err(|_| Refused::Medium)
    }

    /// Programs erased words of one page.
    fn program(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Refused> {
        self.go(offset)?;
        for word in bytes.chunks(WORD) {
            if let Some(cut) = self.operate() {
                let mut torn = [0xFF; WORD];
                for ((to, from), left) in torn.iter_mut().zip(word).zip(0..) {
                    *to = from | cut.part.rotate_left(left);
                }
                self.store(&torn)?;
                cut.happen()
            }
            self.store(word)?;
        }
        Ok(())
    }
}

impl ErrorType for Flash {
    type Error = Refused;
}

impl ReadNorFlash for Flash {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Refused> {
        check_read(self, offset, bytes.len())?;
        let pages = offset as usize / PAGE..(offset as usize + bytes.len()).div_ceil(PAGE);
        let written = WRITTEN.get(pages).unwrap_or_default();
        if written.iter().any(|page| page.load(Relaxed) != 0) {
            return self.load(offset, bytes);
        }
        memory::read_flash(MAP.flash + offset, bytes);
        Ok(())
    }

    fn capacity(&self) -> usize {
        MAP.capacity() as usize
    }
}

impl NorFlash for Flash {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = PAGE;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), Refused> {
        check_erase(self, from, to)?;
        for page in (from..to).step_by(PAGE) {
            self.go(page)?;
            let blank = [0xFF; 256];
            let cut = self.operate();
            let pieces = PAGE / blank.len();
            for _ in 0..cut.map_or(pieces, |cut| pieces * usize::from(cut.part) / 256) {
                self.store(&blank)?;
            }
            if let Some(cut) = cut {
                cut.happen()
            }
        }
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Refused> {
        check_write(self, offset, bytes.len())?;
        let (mut at, mut rest) = (offset, bytes);
        while !rest.is_empty() {
            let mut before = [0; 256];
            // No page ends in the middle.
            let len = rest.len().min(before.len() - at as usize % before.len());
            let (part, others) = rest.split_at(len);
            let before = before.get_mut(..len).unwrap_or_default();
            self.read(at, before)?;
            if before.iter().any(|byte| *byte != 0xFF) {
                console::number("a word is programmed twice, behind ", at);
                console::fail("the flash was used against its rules")
            }
            self.program(at, part)?;
            (at, rest) = (at + len as u32, others);
        }
        Ok(())
    }
}
