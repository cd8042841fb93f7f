//! A part of a NOR flash.

use embedded_storage::nor_flash::{NorFlash, NorFlashError, NorFlashErrorKind};

use crate::error::{ErrorCode, Fault};

/// Reads before a failure is believed.
const ATTEMPTS: usize = 3;
/// Pages whose beginning is read to see whether the driver works.
const OTHER_PLACES: u32 = 8;
/// Bytes that a driver may want to be read at once.
const MAX_UNIT: usize = 64;

/// Why a flash operation failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum FlashError {
    /// Offset or length is not a multiple of the word or the page.
    #[error("flash access not aligned")]
    NotAligned,
    /// Outside the region or the flash.
    #[error("flash access out of bounds")]
    OutOfBounds,
    /// The driver reports a fault, which on ECC flash includes reading a torn word.
    #[error("flash driver failed")]
    Driver,
    /// The region's shape does not fit the flash.
    #[error("flash geometry does not fit")]
    Geometry,
}

impl ErrorCode for FlashError {
    fn code(&self) -> u16 {
        match self {
            Self::NotAligned => 1431,
            Self::OutOfBounds => 1432,
            Self::Driver => 1433,
            Self::Geometry => 1434,
        }
    }
    fn fault(&self) -> Fault {
        match self {
            Self::Driver => Fault::Device,
            _ => Fault::Misuse,
        }
    }
}

/// A run of equal pages in a flash, and how that flash is programmed.
///
/// The page and the word are values, not type parameters, so that a C driver, a file and a chip with
/// unequal sectors (take the largest as the page) all fit. Offsets count from the start of the region.
///
/// *Power loss:* what [`NorFlash`] says. An interrupted [`erase_page`](Self::erase_page) leaves that
/// page undefined; an interrupted [`write`](Self::write) leaves the words it covers undefined; nothing else
/// changes. Each word is written at most once between erases.
///
/// ```
/// use iotsec_core::hal::Region;
///
/// let region = Region::new(0x8000, 4096, 8, 4)?;
/// assert_eq!(region.len(), 32768);
/// assert_eq!(region.align_up(5), Some(8));
/// # Ok::<(), iotsec_core::hal::FlashError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    start: u32,
    page_size: u32,
    page_count: u32,
    word_size: u32,
    erased: u8,
}

impl Region {
    /// `page_count` pages of `page_size` bytes from `start`, programmed in words of `word_size` bytes;
    /// erased flash reads 0xFF.
    ///
    /// # Errors
    /// [`FlashError::Geometry`] for an empty region, one that ends beyond 2^32, a word that is not a
    /// power of two, or a page that is no multiple of the word.
    pub const fn new(
        start: u32,
        page_size: u32,
        page_count: u32,
        word_size: u32,
    ) -> Result<Self, FlashError> {
        if page_count == 0 || !word_size.is_power_of_two() || page_size == 0 {
            return Err(FlashError::Geometry);
        }
        if !page_size.is_multiple_of(word_size) || !start.is_multiple_of(word_size) {
            return Err(FlashError::Geometry);
        }
        match page_size.checked_mul(page_count) {
            Some(len) if start.checked_add(len).is_some() => {}
            _ => return Err(FlashError::Geometry),
        }
        Ok(Self {
            start,
            page_size,
            page_count,
            word_size,
            erased: 0xFF,
        })
    }

    /// The region of `len` bytes from `start` with the page and the word of the driver `F`.
    ///
    /// # Errors
    /// [`FlashError::Geometry`] when `len` is not a number of pages.
    pub fn of<F: NorFlash>(start: u32, len: u32) -> Result<Self, FlashError> {
        let page = u32::try_from(F::ERASE_SIZE).map_err(|_| FlashError::Geometry)?;
        let word = u32::try_from(F::WRITE_SIZE).map_err(|_| FlashError::Geometry)?;
        match (len.checked_div(page), len.checked_rem(page)) {
            (Some(count), Some(0)) => Self::new(start, page, count, word),
            _ => Err(FlashError::Geometry),
        }
    }

    /// The same region on a flash whose erased bytes read `erased`.
    #[must_use]
    pub const fn with_erased(mut self, erased: u8) -> Self {
        self.erased = erased;
        self
    }

    /// Checks the region against the driver: alignment to its units and capacity.
    ///
    /// # Errors
    /// [`FlashError::Geometry`] when it does not fit.
    pub fn check<F: NorFlash>(&self, flash: &F) -> Result<(), FlashError> {
        let fits = |value: u32, unit: usize| {
            usize::try_from(value).is_ok_and(|value| value.checked_rem(unit) == Some(0))
        };
        let end = self.start.checked_add(self.len()).ok_or(FlashError::Geometry)?;
        let inside = usize::try_from(end).is_ok_and(|end| end <= flash.capacity());
        let aligned = fits(self.start, F::ERASE_SIZE)
            && fits(self.page_size, F::ERASE_SIZE)
            && fits(self.word_size, F::WRITE_SIZE)
            && fits(self.word_size, F::READ_SIZE);
        if inside && aligned {
            Ok(())
        } else {
            Err(FlashError::Geometry)
        }
    }

    /// First byte, counted from the start of the flash.
    pub const fn start(&self) -> u32 {
        self.start
    }
    /// Bytes in the region.
    #[allow(clippy::len_without_is_empty, reason = "a region is never empty")]
    pub const fn len(&self) -> u32 {
        // `new` checked the product.
        self.page_size.saturating_mul(self.page_count)
    }
    /// Bytes in an erase unit.
    pub const fn page_size(&self) -> u32 {
        self.page_size
    }
    /// Number of erase units.
    pub const fn page_count(&self) -> u32 {
        self.page_count
    }
    /// Bytes in a write unit.
    pub const fn word_size(&self) -> u32 {
        self.word_size
    }
    /// What an erased byte reads.
    pub const fn erased(&self) -> u8 {
        self.erased
    }

    /// The next multiple of the word, `None` beyond 2^32.
    pub const fn align_up(&self, len: u32) -> Option<u32> {
        // `new` checked that words are powers of two.
        let rest = self.word_size.saturating_sub(1);
        match len.checked_add(rest) {
            Some(end) => Some(end & !rest),
            None => None,
        }
    }

    /// Whether two regions share a byte.
    pub const fn overlaps(&self, other: &Self) -> bool {
        let (a, b) = (self.start, other.start);
        a < b.saturating_add(other.len()) && b < a.saturating_add(self.len())
    }

    /// Reads `bytes.len()` bytes from `offset`.
    ///
    /// # Errors
    /// [`FlashError`] of bounds, alignment or the driver.
    pub fn read<F: NorFlash>(&self, flash: &mut F, offset: u32, bytes: &mut [u8]) -> Result<(), FlashError> {
        let at = self.at(offset, bytes.len())?;
        flash.read(at, bytes).map_err(from_driver)
    }

    /// Reads where words may be torn. `Ok(false)` when this very place cannot be read, as an interrupted write leaves it
    /// on flash with error correction; an error when the driver fails altogether. What cannot be read may be taken for
    /// torn and be dropped, so the two are told apart with care: a place is bad when it fails right after another was
    /// read.
    ///
    /// # Errors
    /// [`FlashError`] of bounds, alignment or the driver.
    pub fn read_place<F: NorFlash>(
        &self,
        flash: &mut F,
        offset: u32,
        bytes: &mut [u8],
    ) -> Result<bool, FlashError> {
        let Err(mut error) = self.read(flash, offset, bytes) else {
            return Ok(true);
        };
        for _ in 0..ATTEMPTS {
            let elsewhere = self.reads_elsewhere(flash);
            match (elsewhere, self.read(flash, offset, bytes)) {
                (_, Ok(())) => return Ok(true),
                (true, Err(_)) => return Ok(false),
                (false, Err(again)) => error = again,
            }
        }
        Err(error)
    }

    /// Whether the driver reads the beginning of any of the first pages: not all of them are torn.
    fn reads_elsewhere<F: NorFlash>(&self, flash: &mut F) -> bool {
        (0..self.page_count.min(OTHER_PLACES)).any(|page| {
            let at = page.saturating_mul(self.page_size);
            let mut known = [0; MAX_UNIT];
            let unit = known.get_mut(..F::READ_SIZE.max(4));
            unit.is_some_and(|unit| self.read(flash, at, unit).is_ok())
        })
    }

    /// Programs whole words at `offset`.
    ///
    /// # Errors
    /// [`FlashError`] of bounds, alignment or the driver.
    pub fn write<F: NorFlash>(&self, flash: &mut F, offset: u32, bytes: &[u8]) -> Result<(), FlashError> {
        let at = self.at(offset, bytes.len())?;
        let word = usize::try_from(self.word_size).map_err(|_| FlashError::Geometry)?;
        if offset.checked_rem(self.word_size) != Some(0) || bytes.len().checked_rem(word) != Some(0) {
            return Err(FlashError::NotAligned);
        }
        flash.write(at, bytes).map_err(from_driver)
    }

    /// Erases page number `page`.
    ///
    /// # Errors
    /// [`FlashError`] of bounds or the driver.
    pub fn erase_page<F: NorFlash>(&self, flash: &mut F, page: u32) -> Result<(), FlashError> {
        if page >= self.page_count {
            return Err(FlashError::OutOfBounds);
        }
        let from = self.start.saturating_add(page.saturating_mul(self.page_size));
        flash
            .erase(from, from.saturating_add(self.page_size))
            .map_err(from_driver)
    }

    fn at(&self, offset: u32, len: usize) -> Result<u32, FlashError> {
        let len = u32::try_from(len).map_err(|_| FlashError::OutOfBounds)?;
        match offset.checked_add(len) {
            Some(end) if end <= self.len() => self.start.checked_add(offset).ok_or(FlashError::OutOfBounds),
            _ => Err(FlashError::OutOfBounds),
        }
    }
}

#[allow(clippy::needless_pass_by_value, reason = "fits map_err")]
fn from_driver<E: NorFlashError>(error: E) -> FlashError {
    match error.kind() {
        NorFlashErrorKind::NotAligned => FlashError::NotAligned,
        NorFlashErrorKind::OutOfBounds => FlashError::OutOfBounds,
        _ => FlashError::Driver,
    }
}
