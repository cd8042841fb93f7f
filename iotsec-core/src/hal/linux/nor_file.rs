use std::{io, path::Path};

use embedded_storage::nor_flash::{ErrorType, NorFlash, ReadNorFlash};

use super::{
    FileError, LockedFile, Medium,
    file::{self, PRIVATE},
};
use crate::hal::Region;

/// Bytes that are filled or looked at in one go.
const BLOCK: usize = 4096;

/// A file that keeps secrets, as a NOR flash: for a key store on embedded Linux.
///
/// It begins as `region.start()` bytes that nobody uses, then the bytes of the region as they would lie in a
/// flash, and nothing else. Only the owner may read and write it, and only one process has it open. A page of
/// 4096 and a word of 16 bytes fit most media.
///
/// As on a flash with error correction a word is written once between two erasures: writing over a byte that
/// does not read erased is [`FileError::NotErased`], and changes nothing. A word whose bytes all look erased
/// counts as fresh.
///
/// *Power loss:* a call that has returned is on the medium. Of one that was interrupted any part is, of each
/// sector all or nothing. That holds as far as the medium keeps what it has acknowledged.
///
/// ```
/// use embedded_storage::nor_flash::{NorFlash, ReadNorFlash};
/// use iotsec_core::hal::{Region, linux::{FileError, NorFile}};
///
/// # let folder = std::env::temp_dir().join(format!("iotsec-nor-file-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// # let path = folder.join("keys");
/// let region = Region::new(0, 4096, 8, 16)?;
/// let mut flash = NorFile::create(&path, region)?;
/// flash.write(16, b"once, and durable")
///     .expect_err("seventeen bytes are no number of words");
/// flash.write(16, b"once and durable")?;
/// assert_eq!(flash.write(16, b"once and no more"), Err(FileError::NotErased));
/// assert_eq!(NorFile::open(&path, region).err(), Some(FileError::Busy));
/// drop(flash);
///
/// let mut bytes = [0; 16];
/// NorFile::open(&path, region)?.read(16, &mut bytes)?;
/// assert_eq!(&bytes, b"once and durable");
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct NorFile<M = LockedFile> {
    medium: M,
    region: Region,
}

impl NorFile {
    /// Makes a file of erased pages, preallocated, and opens it. Waits while another process makes one in the
    /// same folder.
    ///
    /// *Power loss:* no file, or the whole one.
    ///
    /// # Errors
    /// [`FileError::Io`], also when there is such a file; as [`open`](Self::open).
    pub fn create(path: &Path, region: Region) -> Result<Self, FileError> {
        file::create(path, PRIVATE, |file| {
            erase(file, 0, file_len(&region), region.erased())
        })?;
        Self::open(path, region)
    }

    /// Opens a file that [`create`](Self::create) made for the same region, and locks it against others that
    /// do the same.
    ///
    /// # Errors
    /// [`FileError::Permissions`] when the group or others may read or write it; [`FileError::Busy`] when it
    /// is locked; [`FileError::Size`] when it does not end where the region does; [`FileError::Io`], among
    /// others when it is missing or may not be written.
    pub fn open(path: &Path, region: Region) -> Result<Self, FileError> {
        let mut medium = LockedFile::open(path)?;
        file::check_private(medium.file())?;
        if medium.file().metadata()?.len() != file_len(&region) {
            return Err(FileError::Size);
        }
        Ok(Self { medium, region })
    }
}

impl<M: Medium> NorFile<M> {
    /// The same on something else than a file, for tests and for media of one's own; it must hold the region.
    pub const fn on(medium: M, region: Region) -> Self {
        Self { medium, region }
    }

    /// The pages of the file.
    pub const fn region(&self) -> Region {
        self.region
    }

    /// What lies below.
    pub const fn medium(&mut self) -> &mut M {
        &mut self.medium
    }

    /// Writes as [`NorFlash::write`] does, but does not wait for the medium. What is written is there, in any
    /// order, after the next [`sync`](Self::sync), write or erasure that succeeds.
    ///
    /// *Power loss:* any part of what was written since then, of each sector all or nothing.
    ///
    /// # Errors
    /// As [`NorFlash::write`].
    ///
    /// ```
    /// use embedded_storage::nor_flash::{NorFlash, ReadNorFlash};
    /// use iotsec_core::hal::{Region, linux::NorFile};
    ///
    /// # let folder = std::env::temp_dir().join(format!("iotsec-nor-file-cached-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder)?;
    /// # let path = folder.join("keys");
    /// let mut flash = NorFile::create(&path, Region::new(0, 4096, 8, 16)?)?;
    /// flash.write_cached(0, b"first of several")?;
    /// flash.write_cached(16, b"second of them: ")?;
    /// flash.sync()?;
    /// # std::fs::remove_dir_all(&folder)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn write_cached(&mut self, offset: u32, bytes: &[u8]) -> Result<(), FileError> {
        self.check(offset, bytes.len(), self.region.word_size())?;
        if !self.is_erased(offset, bytes.len())? {
            return Err(FileError::NotErased);
        }
        Ok(self.medium.write_at(offset.into(), bytes)?)
    }

    /// Waits until everything written is on the medium.
    ///
    /// # Errors
    /// [`FileError::Io`]: what [`write_cached`](Self::write_cached) wrote may be lost.
    pub fn sync(&mut self) -> Result<(), FileError> {
        Ok(self.medium.sync()?)
    }

    /// Refuses what does not lie in the region, or not on units of `unit` bytes.
    fn check(&self, offset: u32, len: usize, unit: u32) -> Result<(), FileError> {
        let len = u32::try_from(len).map_err(|_| FileError::OutOfBounds)?;
        let start = offset
            .checked_sub(self.region.start())
            .ok_or(FileError::OutOfBounds)?;
        match start.checked_add(len) {
            Some(end) if end <= self.region.len() => {}
            _ => return Err(FileError::OutOfBounds),
        }
        let on_unit = |number: u32| number.checked_rem(unit) == Some(0);
        if on_unit(start) && on_unit(len) {
            Ok(())
        } else {
            Err(FileError::NotAligned)
        }
    }

    fn is_erased(&mut self, offset: u32, len: usize) -> Result<bool, FileError> {
        let (mut at, mut rest) = (u64::from(offset), len);
        let mut block = [0; BLOCK];
        while rest > 0 {
            let now = rest.min(BLOCK);
            let bytes = block.get_mut(..now).unwrap_or_default();
            self.medium.read_at(at, bytes)?;
            if bytes.iter().any(|byte| *byte != self.region.erased()) {
                return Ok(false);
            }
            at = at.saturating_add(bytes.len().try_into().unwrap_or(u64::MAX));
            rest = rest.saturating_sub(now);
        }
        Ok(true)
    }
}

impl<M> ErrorType for NorFile<M> {
    type Error = FileError;
}

impl<M: Medium> ReadNorFlash for NorFile<M> {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), FileError> {
        self.check(offset, bytes.len(), 1)?;
        Ok(self.medium.read_at(offset.into(), bytes)?)
    }

    fn capacity(&self) -> usize {
        usize::try_from(file_len(&self.region)).unwrap_or(usize::MAX)
    }
}

/// Words and pages are those of the region, and are checked by each call.
impl<M: Medium> NorFlash for NorFile<M> {
    const WRITE_SIZE: usize = 1;
    const ERASE_SIZE: usize = 1;

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), FileError> {
        self.write_cached(offset, bytes)?;
        self.sync()
    }

    fn erase(&mut self, from: u32, to: u32) -> Result<(), FileError> {
        let len = to.checked_sub(from).ok_or(FileError::OutOfBounds)?;
        let count = usize::try_from(len).map_err(|_| FileError::OutOfBounds)?;
        self.check(from, count, self.region.page_size())?;
        erase(&mut self.medium, from.into(), len.into(), self.region.erased())?;
        self.sync()
    }
}

/// Where the region ends. `Region::new` checked the sum.
fn file_len(region: &Region) -> u64 {
    u64::from(region.start().saturating_add(region.len()))
}

/// Writes `len` erased bytes.
pub(super) fn erase<M: Medium>(medium: &mut M, from: u64, len: u64, erased: u8) -> io::Result<()> {
    let block = [erased; BLOCK];
    let (mut at, mut rest) = (from, len);
    while rest > 0 {
        let now = usize::try_from(rest).unwrap_or(BLOCK).min(BLOCK);
        let bytes = block.get(..now).unwrap_or(&block);
        medium.write_at(at, bytes)?;
        let now = u64::try_from(bytes.len()).unwrap_or(rest);
        at = at.saturating_add(now);
        rest = rest.saturating_sub(now);
    }
    Ok(())
}
