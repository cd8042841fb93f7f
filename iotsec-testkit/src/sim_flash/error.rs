//! What a simulated flash refuses.

use embedded_storage::nor_flash::{NorFlashError, NorFlashErrorKind};

/// Why an access to a [`SimFlash`](crate::SimFlash) failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum SimFlashError {
    /// Not whole words, or not whole sectors.
    #[error("not aligned to the geometry")]
    NotAligned,
    /// Beyond the capacity.
    #[error("out of bounds")]
    OutOfBounds,
    /// A word that was programmed since its last erase, in whole or in part.
    #[error("word written twice between erases")]
    Overwrite,
    /// A write into a sector whose last erase was cut, however blank it reads.
    #[error("write into a sector whose erase did not finish")]
    Unfinished,
    /// The power is gone.
    #[error("power lost")]
    PowerLost,
    /// Reading a torn word of a flash with error correction.
    #[error("uncorrectable word")]
    Ecc,
    /// Asked for with [`SimFlash::fail`](crate::SimFlash::fail).
    #[error("injected failure")]
    Injected,
}

impl NorFlashError for SimFlashError {
    fn kind(&self) -> NorFlashErrorKind {
        match self {
            Self::NotAligned => NorFlashErrorKind::NotAligned,
            Self::OutOfBounds => NorFlashErrorKind::OutOfBounds,
            _ => NorFlashErrorKind::Other,
        }
    }
}

/// The three things that are done to a flash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// `read`.
    Read,
    /// `write`.
    Write,
    /// `erase`.
    Erase,
}

/// An access that a real flash forbids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Violation {
    /// The rule.
    pub error: SimFlashError,
    /// What was tried.
    pub operation: Operation,
    /// Where it began.
    pub offset: u32,
    /// Its bytes.
    pub len: usize,
}
