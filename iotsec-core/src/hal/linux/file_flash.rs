//! Partitions and files as a flash.

use std::{
    io::{self, Seek, SeekFrom},
    path::Path,
    vec,
    vec::Vec,
};

use embedded_storage::nor_flash::{ErrorType, NorFlash, ReadNorFlash};

use super::{
    FileError, LockedFile, Medium,
    file::{self, SHARED},
    nor_file,
};

/// What an erased byte reads.
const ERASED: u8 = 0xFF;

/// A partition or a file.
#[derive(Debug)]
pub struct Part {
    file: LockedFile,
    len: u32,
    streamed: bool,
}

impl Part {
    /// Opens a block device or a file that exists, and locks it against other processes that do the same.
    ///
    /// # Errors
    /// [`FileError::Busy`] when it is locked; [`FileError::Size`] from 4 GiB; [`FileError::Io`].
    pub fn open(path: &Path) -> Result<Self, FileError> {
        let mut file = LockedFile::open(path)?;
        // A block device has no length but an end.
        let len = file.file().seek(SeekFrom::End(0))?;
        Ok(Self {
            file,
            len: u32::try_from(len).map_err(|_| FileError::Size)?,
            streamed: false,
        })
    }

    /// Makes a file of `len` erased bytes, for a journal where there is no partition for it, and opens it.
    ///
    /// *Power loss:* no file, or the whole one.
    ///
    /// # Errors
    /// [`FileError::Io`], also when there is such a file.
    pub fn create(path: &Path, len: u32) -> Result<Self, FileError> {
        file::create(path, SHARED, |file| nor_file::erase(file, 0, len.into(), ERASED))?;
        Self::open(path)
    }

    /// Lets the operating system write when it likes, until something that is not streamed is written: for
    /// images, which are read back and hashed before anything relies on them. Without it every write waits
    /// for the medium.
    #[must_use]
    pub const fn streamed(mut self) -> Self {
        self.streamed = true;
        self
    }
}

/// Parts one behind the other, as a flash of bytes; pages and words are those of the
/// [`Region`](crate::hal::Region)s in it. Erased bytes read 0xFF.
///
/// *Power loss:* a write or an erase that has returned is on the medium, and everything before it. In
/// [streamed](Part::streamed) parts only once something was written elsewhere or [`sync`](Self::sync) has
/// returned; the journal's records are, so what a record relies on is there before the record. That holds
/// as far as the medium keeps what it has acknowledged. Reading back is answered by the operating system's
/// cache, not by the medium: the check that counts is that at the next boot.
///
/// ```
/// use embedded_storage::nor_flash::{NorFlash, ReadNorFlash};
/// use iotsec_core::hal::Region;
/// use iotsec_core::hal::linux::{FileFlash, Part};
///
/// # let folder = std::env::temp_dir().join(format!("iotsec-file-flash-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// // Slot A and slot B would be partitions, opened with `Part::open`.
/// let flash = FileFlash::new(vec![
///     Part::create(&folder.join("slot-a"), 0x10000)?.streamed(),
///     Part::create(&folder.join("slot-b"), 0x10000)?.streamed(),
///     Part::create(&folder.join("journal"), 0x3000)?,
/// ])?;
/// let journal = Region::new(flash.start(2).unwrap(), 4096, 3, 16)?;
/// assert_eq!((journal.start(), flash.capacity()), (0x20000, 0x23000));
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct FileFlash {
    parts: Vec<Part>,
    /// Parts that hold what the medium may not have yet.
    unsynced: Vec<bool>,
}

impl FileFlash {
    /// A flash of these parts, in this order.
    ///
    /// # Errors
    /// [`FileError::Size`] above 4 GiB.
    pub fn new(parts: Vec<Part>) -> Result<Self, FileError> {
        let total: u64 = parts.iter().map(|part| u64::from(part.len)).sum();
        if u32::try_from(total).is_err() {
            return Err(FileError::Size);
        }
        let unsynced = vec![false; parts.len()];
        Ok(Self { parts, unsynced })
    }

    /// Where part number `part` begins.
    pub fn start(&self, part: usize) -> Option<u32> {
        let before = self.parts.get(..=part)?.split_last()?.1;
        before.iter().try_fold(0_u32, |at, part| at.checked_add(part.len))
    }

    /// Waits until everything written is on the medium.
    ///
    /// # Errors
    /// [`FileError::Io`]; some of it may be lost then.
    pub fn sync(&mut self) -> Result<(), FileError> {
        for (part, unsynced) in self.parts.iter_mut().zip(&mut self.unsynced) {
            if *unsynced {
                part.file.sync()?;
                *unsynced = false;
            }
        }
        Ok(())
    }

    /// The part that holds `len` bytes at `offset`, and where in it.
    fn place(&self, offset: u32, len: usize) -> Result<(usize, u32), FileError> {
        let len = u32::try_from(len).map_err(|_| FileError::OutOfBounds)?;
        let mut at = offset;
        for (index, part) in self.parts.iter().enumerate() {
            if at < part.len || (at == part.len && len == 0) {
                let end = at.checked_add(len).ok_or(FileError::OutOfBounds)?;
                return if end <= part.len {
                    Ok((index, at))
                } else {
                    Err(FileError::OutOfBounds)
                };
            }
            at = at.checked_sub(part.len).ok_or(FileError::OutOfBounds)?;
        }
        Err(FileError::OutOfBounds)
    }

    /// Changes a part, after what lies before it in time is on the medium.
    fn change(
        &mut self,
        index: usize,
        change: impl FnOnce(&mut LockedFile) -> io::Result<()>,
    ) -> Result<(), FileError> {
        let streamed = self.parts.get(index).is_some_and(|part| part.streamed);
        if !streamed {
            self.sync()?;
        }
        let part = self.parts.get_mut(index).ok_or(FileError::OutOfBounds)?;
        if let Some(unsynced) = self.unsynced.get_mut(index) {
            *unsynced = true;
        }
        change(&mut part.file)?;
        if streamed { Ok(()) } else { self.sync() }
    }
}

impl ErrorType for FileFlash {
    type Error = FileError;
}

impl ReadNorFlash for FileFlash {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), FileError> {
        let (index, at) = self.place(offset, bytes.len())?;
        let part = self.parts.get_mut(index).ok_or(FileError::OutOfBounds)?;
        Ok(part.file.read_at(at.into(), bytes)?)
    }

    fn capacity(&self) -> usize {
        let total: u64 = self.parts.iter().map(|part| u64::from(part.len)).sum();
        usize::try_from(total).unwrap_or(usize::MAX)
    }
}

impl NorFlash for FileFlash {
    const WRITE_SIZE: usize = 1;
    const ERASE_SIZE: usize = 1;

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), FileError> {
        let (index, at) = self.place(offset, bytes.len())?;
        self.change(index, |file| file.write_at(at.into(), bytes))
    }

    fn erase(&mut self, from: u32, to: u32) -> Result<(), FileError> {
        let len = to.checked_sub(from).ok_or(FileError::OutOfBounds)?;
        let count = usize::try_from(len).map_err(|_| FileError::OutOfBounds)?;
        let (index, at) = self.place(from, count)?;
        self.change(index, |file| nor_file::erase(file, at.into(), len.into(), ERASED))
    }
}
