//! What a flash was asked to do.

use std::ops::Sub;

/// Operations and bytes. Failed accesses count only for the part that was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Read operations.
    pub reads: u64,
    /// Bytes asked for in them.
    pub bytes_read: u64,
    /// Write operations.
    pub writes: u64,
    /// Bytes programmed by them; a torn word is not counted.
    pub bytes_written: u64,
    /// Erase operations.
    pub erases: u64,
    /// Sectors erased by them, which is more where a page is several sectors.
    pub sectors_erased: u64,
}

impl Sub for Stats {
    type Output = Self;
    fn sub(self, before: Self) -> Self {
        Self {
            reads: self.reads - before.reads,
            bytes_read: self.bytes_read - before.bytes_read,
            writes: self.writes - before.writes,
            bytes_written: self.bytes_written - before.bytes_written,
            erases: self.erases - before.erases,
            sectors_erased: self.sectors_erased - before.sectors_erased,
        }
    }
}
