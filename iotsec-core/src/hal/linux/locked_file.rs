use std::{
    fs::{File, OpenOptions, TryLockError},
    io,
    path::Path,
};

use super::{FileError, Medium};

/// A file or a block device that is locked against others that open it so.
///
/// The lock ends when this is dropped, also while a copy of the descriptor lives on: a thread that starts
/// another program has one for a moment, and closing the file alone would leave the lock to it.
#[derive(Debug)]
pub struct LockedFile {
    file: File,
}

impl LockedFile {
    /// Opens what exists, to be read and written.
    ///
    /// # Errors
    /// [`FileError::Busy`] when it is locked; [`FileError::Io`].
    pub(super) fn open(path: &Path) -> Result<Self, FileError> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { file }),
            Err(TryLockError::WouldBlock) => Err(FileError::Busy),
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }

    pub(super) const fn file(&mut self) -> &mut File {
        &mut self.file
    }
}

impl Medium for LockedFile {
    fn read_at(&mut self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        self.file.read_at(offset, bytes)
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.file.write_at(offset, bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync()
    }
}

impl Drop for LockedFile {
    fn drop(&mut self) {
        // Closing the last descriptor unlocks too, should this fail.
        self.file.unlock().ok();
    }
}

#[cfg(test)]
mod tests {
    use std::{env, format, fs, process};

    use super::*;

    #[test]
    fn a_copy_of_the_descriptor_does_not_keep_the_lock() {
        let path = env::temp_dir().join(format!("iotsec-locked-{}", process::id()));
        fs::write(&path, b"image").unwrap();
        let mut locked = LockedFile::open(&path).unwrap();
        assert_eq!(LockedFile::open(&path).err(), Some(FileError::Busy));
        // Shares the lock as that of a process does that was forked and has not started its program.
        let copy = locked.file().try_clone().unwrap();
        drop(locked);
        LockedFile::open(&path).unwrap();
        drop(copy);
        fs::remove_file(path).unwrap();
    }
}
