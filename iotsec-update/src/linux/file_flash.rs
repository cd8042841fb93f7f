//! Partitions and files as a flash.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Seek, SeekFrom, Write},
    path::Path,
    vec,
    vec::Vec,
};

use embedded_storage::nor_flash::{ErrorType, NorFlash, ReadNorFlash};

use super::LinuxError;

/// A partition or a file.
#[derive(Debug)]
pub struct Part {
    file: File,
    len: u32,
    streamed: bool,
}

impl Part {
    /// Opens a block device or a file that exists, and locks it against other processes that do the same.
    ///
    /// # Errors
    /// [`LinuxError::Busy`] when it is locked; [`LinuxError::Size`] from 4 GiB; [`LinuxError::Io`].
    pub fn open(path: &Path) -> Result<Self, LinuxError> {
        let mut file = OpenOptions::new().read(true).write(true).open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(LinuxError::Busy),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        // A block device has no length but an end.
        let len = file.seek(SeekFrom::End(0))?;
        Ok(Self {
            file,
            len: u32::try_from(len).map_err(|_| LinuxError::Size)?,
            streamed: false,
        })
    }

    /// Makes a file of `len` erased bytes, for a journal where there is no partition for it, and opens it.
    ///
    /// *Power loss:* no file, or one that is too short: make it again.
    ///
    /// # Errors
    /// [`LinuxError::Io`], also when there is such a file.
    pub fn create(path: &Path, len: u32) -> Result<Self, LinuxError> {
        let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
        fill(&mut file, 0, len)?;
        file.sync_all()?;
        // The name is durable when its folder is.
        if let Some(folder) = path.parent() {
            let folder = if folder.as_os_str().is_empty() {
                Path::new(".")
            } else {
                folder
            };
            File::open(folder)?.sync_all()?;
        }
        drop(file);
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
/// [`Region`](iotsec_core::hal::Region)s in it. Erased bytes read 0xFF.
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
/// use iotsec_update::linux::{FileFlash, Part};
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
    /// [`LinuxError::Size`] above 4 GiB.
    pub fn new(parts: Vec<Part>) -> Result<Self, LinuxError> {
        let total: u64 = parts.iter().map(|part| u64::from(part.len)).sum();
        if u32::try_from(total).is_err() {
            return Err(LinuxError::Size);
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
    /// [`LinuxError::Io`]; some of it may be lost then.
    pub fn sync(&mut self) -> Result<(), LinuxError> {
        for (part, unsynced) in self.parts.iter().zip(&mut self.unsynced) {
            if *unsynced {
                part.file.sync_data()?;
                *unsynced = false;
            }
        }
        Ok(())
    }

    /// The part that holds `len` bytes at `offset`, and where in it.
    fn place(&self, offset: u32, len: usize) -> Result<(usize, u32), LinuxError> {
        let len = u32::try_from(len).map_err(|_| LinuxError::OutOfBounds)?;
        let mut at = offset;
        for (index, part) in self.parts.iter().enumerate() {
            if at < part.len || (at == part.len && len == 0) {
                let end = at.checked_add(len).ok_or(LinuxError::OutOfBounds)?;
                return if end <= part.len {
                    Ok((index, at))
                } else {
                    Err(LinuxError::OutOfBounds)
                };
            }
            at = at.checked_sub(part.len).ok_or(LinuxError::OutOfBounds)?;
        }
        Err(LinuxError::OutOfBounds)
    }

    /// Changes a part, after what lies before it in time is on the medium.
    fn change(
        &mut self,
        index: usize,
        change: impl FnOnce(&mut File) -> Result<(), LinuxError>,
    ) -> Result<(), LinuxError> {
        let streamed = self.parts.get(index).is_some_and(|part| part.streamed);
        if !streamed {
            self.sync()?;
        }
        let part = self.parts.get_mut(index).ok_or(LinuxError::OutOfBounds)?;
        if let Some(unsynced) = self.unsynced.get_mut(index) {
            *unsynced = true;
        }
        change(&mut part.file)?;
        if streamed { Ok(()) } else { self.sync() }
    }
}

impl ErrorType for FileFlash {
    type Error = LinuxError;
}

impl ReadNorFlash for FileFlash {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), LinuxError> {
        let (index, at) = self.place(offset, bytes.len())?;
        let part = self.parts.get_mut(index).ok_or(LinuxError::OutOfBounds)?;
        part.file.seek(SeekFrom::Start(at.into()))?;
        Ok(part.file.read_exact(bytes)?)
    }

    fn capacity(&self) -> usize {
        let total: u64 = self.parts.iter().map(|part| u64::from(part.len)).sum();
        usize::try_from(total).unwrap_or(usize::MAX)
    }
}

impl NorFlash for FileFlash {
    const WRITE_SIZE: usize = 1;
    const ERASE_SIZE: usize = 1;

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), LinuxError> {
        let (index, at) = self.place(offset, bytes.len())?;
        self.change(index, |file| {
            file.seek(SeekFrom::Start(at.into()))?;
            Ok(file.write_all(bytes)?)
        })
    }

    fn erase(&mut self, from: u32, to: u32) -> Result<(), LinuxError> {
        let len = to.checked_sub(from).ok_or(LinuxError::OutOfBounds)?;
        let count = usize::try_from(len).map_err(|_| LinuxError::OutOfBounds)?;
        let (index, at) = self.place(from, count)?;
        self.change(index, |file| fill(file, at, len))
    }
}

/// Erases a range.
fn fill(file: &mut File, at: u32, len: u32) -> Result<(), LinuxError> {
    const BLOCK: [u8; 4096] = [0xFF; 4096];
    file.seek(SeekFrom::Start(at.into()))?;
    let mut rest = usize::try_from(len).map_err(|_| LinuxError::Size)?;
    while rest > 0 {
        let now = rest.min(BLOCK.len());
        file.write_all(BLOCK.get(..now).unwrap_or(&BLOCK))?;
        rest = rest.saturating_sub(now);
    }
    Ok(())
}
