use super::Throttle;
use crate::error::{ErrorCode, Fault};

/// Where a [`Throttle`] keeps its record.
///
/// *Power loss:* an interrupted [`save`](Self::save) leaves the old or the new record, whole, and what
/// is loaded once stays. A `save` that returned is durable.
pub trait ThrottleStorage {
    /// Reads the record and returns its length, or `None` when there is none. A record that does not fit,
    /// or does not read, is an error: `None` must never stand for trouble.
    ///
    /// # Errors
    /// [`StorageError`] with the storage's own number.
    fn load(&mut self, record: &mut [u8; Throttle::LEN]) -> Result<Option<usize>, StorageError>;
    /// Replaces the record.
    ///
    /// # Errors
    /// [`StorageError`] with the storage's own number.
    fn save(&mut self, record: &[u8; Throttle::LEN]) -> Result<(), StorageError>;
}

/// A storage failed. Carries the number and the party of the storage's own error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("storage failed with code {code}")]
pub struct StorageError {
    code: u16,
    fault: Fault,
}

impl StorageError {
    /// Wraps the storage's error.
    pub fn of<E: ErrorCode + ?Sized>(error: &E) -> Self {
        Self {
            code: error.code(),
            fault: error.fault(),
        }
    }
}

impl ErrorCode for StorageError {
    fn code(&self) -> u16 {
        self.code
    }

    fn fault(&self) -> Fault {
        self.fault
    }
}
