use iotsec_core::credential::StorageError;

use super::AnchorRotation;

/// Where an [`AnchorRotation`] keeps its record.
///
/// *Power loss:* an interrupted [`save`](Self::save) leaves the old or the new record, whole, and what is loaded once
/// stays. A `save` that returned is durable.
pub trait AnchorStorage {
    /// Reads the record and returns its length, or `None` when there is none. `None` must never stand for trouble: it
    /// makes the device forget what it could reach.
    ///
    /// # Errors
    /// [`StorageError`] with the storage's own number.
    fn load(&mut self, record: &mut [u8; AnchorRotation::MAX_LEN]) -> Result<Option<usize>, StorageError>;
    /// Replaces the record.
    ///
    /// # Errors
    /// [`StorageError`] with the storage's own number.
    fn save(&mut self, record: &[u8]) -> Result<(), StorageError>;
}
