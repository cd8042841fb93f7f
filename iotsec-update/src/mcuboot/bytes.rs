//! Where an image is read from.

use embedded_storage::nor_flash::NorFlash;
use iotsec_core::hal::{FlashError, Region};

/// The bytes of a slot, or of an image file.
pub trait ImageBytes {
    /// How many there are; an image may end before them.
    fn size(&self) -> u32;
    /// Reads `out.len()` bytes from `at`.
    ///
    /// # Errors
    /// [`FlashError`].
    fn read(&mut self, at: u32, out: &mut [u8]) -> Result<(), FlashError>;
    /// All of them at once, where they are mapped into memory.
    fn mapped(&self) -> Option<&[u8]>;
}

/// Bytes in memory: a file, or flash that the processor can address.
#[derive(Clone, Copy, Debug)]
pub struct SliceBytes<'b>(pub &'b [u8]);

impl ImageBytes for SliceBytes<'_> {
    fn size(&self) -> u32 {
        u32::try_from(self.0.len()).unwrap_or(u32::MAX)
    }
    fn read(&mut self, at: u32, out: &mut [u8]) -> Result<(), FlashError> {
        let at = usize::try_from(at).map_err(|_| FlashError::OutOfBounds)?;
        let end = at.checked_add(out.len());
        let from = end.and_then(|end| self.0.get(at..end));
        out.copy_from_slice(from.ok_or(FlashError::OutOfBounds)?);
        Ok(())
    }
    fn mapped(&self) -> Option<&[u8]> {
        Some(self.0)
    }
}

/// A slot in flash, read through its driver.
#[derive(Debug)]
pub struct FlashBytes<'f, F> {
    flash: &'f mut F,
    region: Region,
}

impl<'f, F: NorFlash> FlashBytes<'f, F> {
    /// The slot at `region`. With MCUboot's swap-using-offset the secondary image begins in the second page
    /// of its slot: leave the first one out.
    pub const fn new(flash: &'f mut F, region: Region) -> Self {
        Self { flash, region }
    }
}

const BLOCK: usize = 256;

impl<F: NorFlash> ImageBytes for FlashBytes<'_, F> {
    fn size(&self) -> u32 {
        self.region.len()
    }
    fn read(&mut self, at: u32, out: &mut [u8]) -> Result<(), FlashError> {
        let word = self.region.word_size();
        let skip = at.checked_rem(word).ok_or(FlashError::Geometry)?;
        let mut from = at.checked_sub(skip).ok_or(FlashError::Geometry)?;
        let mut skip = usize::try_from(skip).map_err(|_| FlashError::Geometry)?;
        let mut rest = out;
        while !rest.is_empty() {
            let wanted = rest.len().saturating_add(skip).min(BLOCK);
            let whole = u32::try_from(wanted)
                .ok()
                .and_then(|len| self.region.align_up(len));
            let whole = whole.ok_or(FlashError::OutOfBounds)?;
            let mut block = [0; BLOCK];
            let whole_len = usize::try_from(whole).map_err(|_| FlashError::OutOfBounds)?;
            let bytes = block.get_mut(..whole_len).ok_or(FlashError::Geometry)?;
            self.region.read(self.flash, from, bytes)?;
            let read = bytes.get(skip..wanted).ok_or(FlashError::Geometry)?;
            let (now, later) = rest
                .split_at_mut_checked(read.len())
                .ok_or(FlashError::Geometry)?;
            now.copy_from_slice(read);
            rest = later;
            skip = 0;
            from = from.checked_add(whole).ok_or(FlashError::OutOfBounds)?;
        }
        Ok(())
    }
    fn mapped(&self) -> Option<&[u8]> {
        None
    }
}
