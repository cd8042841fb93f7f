//! littlefs, a file for each key.

use embedded_storage::nor_flash::{NorFlash as _, ReadNorFlash as _};
use littlefs2::{
    consts::{U1, U512},
    driver::Storage,
    fs::{Allocation, FileAllocation, Filesystem},
    io,
    path::PathBuf,
};

use super::workload::{Chip, Contender, KeyValue, MAX_VALUE_LEN, PAGE, Result};

pub(crate) const LITTLEFS: Contender = Contender {
    name: "littlefs2, not encrypted",
    transactions: false,
    create: |chip, case| match (case.pages, case.word) {
        (4, 4) => Ok(Box::new(Littlefs::<4, 4>::new(chip)?)),
        (8, 4) => Ok(Box::new(Littlefs::<8, 4>::new(chip)?)),
        (16, 4) => Ok(Box::new(Littlefs::<16, 4>::new(chip)?)),
        (8, 32) => Ok(Box::new(Littlefs::<8, 32>::new(chip)?)),
        _ => Err("not measured on this flash".into()),
    },
};

struct Driver<const PAGES: usize, const WORD: usize>(Chip);

impl<const PAGES: usize, const WORD: usize> Storage for Driver<PAGES, WORD> {
    const READ_SIZE: usize = WORD;
    const WRITE_SIZE: usize = WORD;
    const BLOCK_SIZE: usize = PAGE;
    const BLOCK_COUNT: usize = PAGES;
    /// In the middle of what its documentation suggests; with the default wear is not levelled.
    const BLOCK_CYCLES: isize = 500;
    type CACHE_SIZE = U512;
    type LOOKAHEAD_SIZE = U1;

    fn read(&mut self, offset: usize, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.0.borrow_mut().read(address(offset)?, bytes);
        read.map(|()| bytes.len()).map_err(|_| io::Error::IO)
    }

    fn write(&mut self, offset: usize, bytes: &[u8]) -> io::Result<usize> {
        let written = self.0.borrow_mut().write(address(offset)?, bytes);
        written.map(|()| bytes.len()).map_err(|_| io::Error::IO)
    }

    fn erase(&mut self, offset: usize, len: usize) -> io::Result<usize> {
        let erased = self
            .0
            .borrow_mut()
            .erase(address(offset)?, address(offset + len)?);
        erased.map(|()| len).map_err(|_| io::Error::IO)
    }
}

fn address(offset: usize) -> io::Result<u32> {
    u32::try_from(offset).map_err(|_| io::Error::INVALID)
}

struct Littlefs<const PAGES: usize, const WORD: usize> {
    chip: Chip,
    files: Filesystem<'static, Driver<PAGES, WORD>>,
}

/// A file system with caches of its own. They are never freed, as this program ends soon and it borrows them.
fn open<const PAGES: usize, const WORD: usize>(
    chip: &Chip,
) -> Result<Filesystem<'static, Driver<PAGES, WORD>>> {
    let caches = Box::leak(Box::new(Allocation::new()));
    named(Filesystem::mount(
        caches,
        Box::leak(Box::new(Driver(chip.clone()))),
    ))
}

impl<const PAGES: usize, const WORD: usize> Littlefs<PAGES, WORD> {
    fn new(chip: &Chip) -> Result<Self> {
        named(Filesystem::format(&mut Driver::<PAGES, WORD>(chip.clone())))?;
        Ok(Self {
            chip: chip.clone(),
            files: open(chip)?,
        })
    }
}

/// The error by its name, where it is one that comes up here: its own text does not tell.
fn named<T>(result: io::Result<T>) -> Result<T> {
    result.map_err(|error| match error {
        io::Error::NO_SPACE => "no space".into(),
        other => format!("error {}", other.code()).into(),
    })
}

fn path(key: u16) -> Result<PathBuf> {
    PathBuf::try_from(format!("{key:02}").as_str()).map_err(|_| "no such name".into())
}

impl<const PAGES: usize, const WORD: usize> KeyValue for Littlefs<PAGES, WORD> {
    fn put(&mut self, key: u16, value: &[u8]) -> Result<()> {
        named(self.files.write(&path(key)?, value))
    }

    fn get(&mut self, key: u16) -> Result<Vec<u8>> {
        let value = named(self.files.read::<MAX_VALUE_LEN>(&path(key)?))?;
        Ok(value.to_vec())
    }

    fn reopen(&mut self) -> Result<()> {
        self.files = open(&self.chip)?;
        Ok(())
    }

    fn ram(&self) -> usize {
        size_of::<Allocation<Driver<PAGES, WORD>>>() + size_of::<FileAllocation<Driver<PAGES, WORD>>>()
    }
}
