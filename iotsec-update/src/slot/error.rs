//! Why a layout or a slot is of no use.

use iotsec_core::{
    error::{ErrorCode, Fault},
    hal::FlashError,
};

/// Why a slot could not be read or filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum SlotError {
    /// From the flash.
    #[error(transparent)]
    Flash(#[from] FlashError),
    /// No envelope is stored.
    #[error("slot is empty")]
    Empty,
    /// The header of the manifest region is damaged.
    #[error("stored manifest is damaged")]
    Corrupt,
    /// The envelope or the image does not fit its region.
    #[error("does not fit the slot")]
    TooLarge,
    /// The stored envelope does not fit the buffer.
    #[error("buffer too small for the stored envelope")]
    BufferTooSmall,
}

impl SlotError {
    /// The number of a reason that has no other one in it.
    // Apart and out of line: so it is a table of numbers and not a branch for each.
    #[inline(never)]
    const fn number(&self) -> u16 {
        match self {
            Self::Flash(_) => 0,
            Self::Empty => 2511,
            Self::Corrupt => 2512,
            Self::TooLarge => 2513,
            Self::BufferTooSmall => 2514,
        }
    }
}

impl ErrorCode for SlotError {
    fn code(&self) -> u16 {
        match self {
            Self::Flash(error) => error.code(),
            _ => self.number(),
        }
    }
    fn fault(&self) -> Fault {
        match self {
            Self::Flash(error) => error.fault(),
            Self::Empty | Self::Corrupt => Fault::Device,
            Self::TooLarge | Self::BufferTooSmall => Fault::Misuse,
        }
    }
}

/// Why regions do not make a layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum LayoutError {
    /// From a region or the driver.
    #[error(transparent)]
    Flash(#[from] FlashError),
    /// Two regions share a byte.
    #[error("regions overlap")]
    Overlap,
    /// A write unit above [`MAX_WORD`](super::MAX_WORD).
    #[error("write unit too large")]
    Word,
    /// The journal has fewer than two pages, or pages below 256 bytes.
    #[error("journal too small")]
    Journal,
    /// A manifest region that holds no envelope.
    #[error("manifest region too small")]
    Manifest,
}

impl ErrorCode for LayoutError {
    fn code(&self) -> u16 {
        match self {
            Self::Flash(error) => error.code(),
            Self::Overlap => 2501,
            Self::Word => 2502,
            Self::Journal => 2503,
            Self::Manifest => 2504,
        }
    }
    fn fault(&self) -> Fault {
        Fault::Misuse
    }
}
