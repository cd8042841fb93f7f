use std::{io, path::Path};

use embedded_storage::nor_flash::{ErrorType, NorFlash, ReadNorFlash};
use iotsec_core::hal::{
    Region,
    linux::{FileError, LockedFile, Medium, NorFile},
};

use crate::{DeviceOnly, header, layout::Layout};

/// A [`NorFile`] for a [`Store`](crate::Store), the same bytes in the same file, that knows which of its writes need
/// not be on the medium at once.
///
/// The changes of a transaction count for nothing before its commit. They are left in the cache of the operating
/// system, as many as fill half a page, and reach the medium together; the commit is written after that. Everything
/// else is on the medium when the call returns.
///
/// *Power loss:* as for [`NorFile`]. Of the changes in the cache any part may be there, which a mount takes for a
/// transaction that was cut short.
///
/// *Errors:* those of [`NorFile`]. When the wait for the cache fails, changes that the store counts on may be lost: from
/// then on each write and erasure is [`FileError::Io`], until file and store are opened again.
///
/// ```
/// use iotsec_core::{crypto::{Aes256GcmSiv, HkdfSha256}, hal::Region};
/// use iotsec_store::{IndexEntry, KeyDomain, KeyId, ReplayProtection, Store, Suite, linux::{FileRootKey, NorFile, StoreFile}};
/// # use iotsec_testkit::SimRng;
///
/// # let folder = std::env::temp_dir().join(format!("iotsec-store-file-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// # let mut rng = SimRng::new(1);
/// # let root = FileRootKey::create(&folder.join("root-key"), &HkdfSha256, &mut rng)?;
/// # let suite = Suite { aead: &Aes256GcmSiv, kdf: &HkdfSha256, root: &root };
/// # let (mut index, mut buffer) = ([IndexEntry::EMPTY; 32], [0; 512]);
/// let region = Region::new(0, 4096, 16, 16)?;
/// let mut file = StoreFile::create(&folder.join("keys"), region)?;
/// let mut store = Store::format(&mut file, region, suite, &mut index, &mut buffer, ReplayProtection::None, &mut rng)?;
///
/// // Two times `fdatasync`, and not five times.
/// let mut change = store.transaction();
/// for number in 0..4 {
///     change.put(&mut file, KeyId::new(KeyDomain::Device, 1, number), b"one of four")?;
/// }
/// change.commit(&mut file)?;
///
/// // The bytes are those of a `NorFile`, which opens it just as well.
/// drop(file);
/// let mut file = StoreFile::of(NorFile::open(&folder.join("keys"), region)?)?;
/// let mut out = [0; 16];
/// assert_eq!(store.get(&mut file, KeyId::new(KeyDomain::Device, 1, 3), &mut out)?, b"one of four");
/// let _: NorFile = file.into_file();
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct StoreFile<M = LockedFile> {
    file: NorFile<M>,
    /// As many bytes behind its end may hold anything when a log is mounted.
    most: u32,
    cached: Option<Cached>,
    /// The cache was lost, or some of it: what the store believes to be in the file may not be.
    lost: bool,
}

/// Records, one behind the other, that are in the cache alone.
#[derive(Clone, Copy, Debug)]
struct Cached {
    start: u32,
    end: u32,
}

impl StoreFile {
    /// Makes a file of erased pages, and opens it.
    ///
    /// *Power loss:* no file, or the whole one.
    ///
    /// # Errors
    /// As [`NorFile::create`]; [`FileError::Size`] for a region that no store fits in.
    pub fn create(path: &Path, region: Region) -> Result<Self, FileError> {
        Self::of(NorFile::create(path, region)?)
    }

    /// Opens a file that [`create`](Self::create) or [`NorFile::create`] made for the same region.
    ///
    /// # Errors
    /// As [`NorFile::open`]; [`FileError::Size`] for a region that no store fits in.
    pub fn open(path: &Path, region: Region) -> Result<Self, FileError> {
        Self::of(NorFile::open(path, region)?)
    }
}

impl<M: Medium> StoreFile<M> {
    /// The same over a file that is open, or over [`NorFile::on`].
    ///
    /// # Errors
    /// [`FileError::Size`] for a region that no store fits in.
    pub fn of(file: NorFile<M>) -> Result<Self, FileError> {
        let layout = Layout::new(DeviceOnly(file.region()).into()).map_err(|_| FileError::Size)?;
        Ok(Self {
            file,
            most: layout.max_record(),
            cached: None,
            lost: false,
        })
    }

    /// The file below. What is in the cache stays there until that is synchronised.
    pub fn into_file(self) -> NorFile<M> {
        self.file
    }

    /// Waits until the cache is on the medium. What is lost of it is lost to the store too, which believes it written:
    /// nothing more is written then.
    fn settle(&mut self) -> Result<(), FileError> {
        if self.lost {
            return Err(FileError::Io(io::ErrorKind::Other));
        }
        if self.cached.is_some() {
            self.lost = true;
            self.file.sync()?;
            self.lost = false;
            self.cached = None;
        }
        Ok(())
    }

    /// What is cached when `len` bytes at `offset` are too; none if they must not be.
    fn with(&self, offset: u32, bytes: &[u8]) -> Option<Cached> {
        let end = offset.checked_add(u32::try_from(bytes.len()).ok()?)?;
        let start = match self.cached {
            Some(cached) if cached.end == offset => cached.start,
            Some(_) => return None,
            None => offset,
        };
        (end.checked_sub(start)? <= self.most).then_some(Cached { start, end })
    }

    /// Whether a page begins at `offset`: what stands there is no record.
    fn is_start(&self, offset: u32) -> bool {
        let region = self.file.region();
        offset
            .wrapping_sub(region.start())
            .checked_rem(region.page_size())
            == Some(0)
    }
}

impl<M> ErrorType for StoreFile<M> {
    type Error = FileError;
}

impl<M: Medium> ReadNorFlash for StoreFile<M> {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), FileError> {
        self.file.read(offset, bytes)
    }

    fn capacity(&self) -> usize {
        self.file.capacity()
    }
}

/// Words and pages are those of the region, and are checked by each call.
impl<M: Medium> NorFlash for StoreFile<M> {
    const WRITE_SIZE: usize = 1;
    const ERASE_SIZE: usize = 1;

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), FileError> {
        if self.is_start(offset) || !header::counts_later(bytes) {
            self.settle()?;
            return self.file.write(offset, bytes);
        }
        if self.with(offset, bytes).is_none() {
            self.settle()?;
        }
        // More than half a page is no record, and goes to the medium at once.
        let Some(cached) = self.with(offset, bytes) else {
            return self.file.write(offset, bytes);
        };
        self.file.write_cached(offset, bytes)?;
        self.cached = Some(cached);
        Ok(())
    }

    fn erase(&mut self, from: u32, to: u32) -> Result<(), FileError> {
        self.settle()?;
        self.file.erase(from, to)
    }
}
