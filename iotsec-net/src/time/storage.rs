use iotsec_core::credential::StorageError;

use super::TrustedTime;

/// Where a [`TrustedTime`] keeps its floor.
///
/// *Power loss:* an interrupted [`save`](Self::save) leaves the old or the new record, whole, and what is loaded once
/// stays. A `save` that returned is durable.
pub trait TimeStorage {
    /// Reads the record and returns its length, or `None` when there is none. `None` must never stand for trouble: it
    /// takes the device back to the day its firmware was built.
    ///
    /// # Errors
    /// [`StorageError`] with the storage's own number.
    fn load(&mut self, record: &mut [u8; TrustedTime::LEN]) -> Result<Option<usize>, StorageError>;
    /// Replaces the record.
    ///
    /// # Errors
    /// [`StorageError`] with the storage's own number.
    fn save(&mut self, record: &[u8; TrustedTime::LEN]) -> Result<(), StorageError>;
}
