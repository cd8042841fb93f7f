use std::{fs::File, io, os::unix::fs::FileExt};

/// Bytes behind a cache: what [`NorFile`](super::NorFile) needs of a file.
///
/// *Power loss:* what was written before the last [`sync`](Self::sync) that returned is there. Of what was
/// written since, any part is, in any order.
pub trait Medium {
    /// Reads all of `bytes` from `offset`, what was written last.
    ///
    /// # Errors
    /// Those of the operating system, also beyond the end.
    fn read_at(&mut self, offset: u64, bytes: &mut [u8]) -> io::Result<()>;
    /// Writes all of `bytes` at `offset`, into the cache at least.
    ///
    /// # Errors
    /// Those of the operating system; some of the bytes may be written then.
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// Waits until everything written is on the medium.
    ///
    /// # Errors
    /// Those of the operating system; some of it may be lost then.
    fn sync(&mut self) -> io::Result<()>;
}

/// `fdatasync` is the barrier: the length of the file never changes, and times do not matter.
impl Medium for File {
    fn read_at(&mut self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        self.read_exact_at(bytes, offset)
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.write_all_at(bytes, offset)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}
