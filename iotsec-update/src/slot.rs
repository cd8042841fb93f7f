//! Where images and their envelopes live in flash.
//!
//! A slot is a region for the image of each component, which starts at the first byte of its region so that
//! it can run in place, and one for the SUIT envelope that makes them trustworthy. All components of a slot
//! are of one manifest: an update is all new or all old. The manifest region is self-describing, so that a
//! slot can be judged without the journal:
//!
//! | offset | bytes | field |
//! |---|---|---|
//! | 0 | 4 | magic `iSUM` |
//! | 4 | 1 | version, 1 |
//! | 5 | 3 | zero |
//! | 8 | 4 | bytes of the envelope, little-endian |
//! | 12 | 4 | CRC-32 of bytes 0 to 11, little-endian |
//! | 16, rounded up to a word | | the envelope |
//!
//! The first 16 bytes are programmed after the envelope: a cut leaves a slot without a manifest, never
//! one with half a manifest. The checksum is for torn words; what the envelope says counts only once its
//! signature was checked.

mod error;

use core::slice::from_ref;

use embedded_storage::nor_flash::NorFlash;
use iotsec_core::hal::{FlashError, Region, Slot};

use crate::{checksum::crc32, plan::MAX_COMPONENTS};
pub use error::{LayoutError, SlotError};

/// The regions of one slot, for `N` components.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotLayout<const N: usize = 1> {
    /// The stored envelope.
    pub manifest: Region,
    /// The images, in the order of [`DeviceIdentity::components`](crate::DeviceIdentity::components).
    pub images: [Region; N],
}

/// The two slots and the journal, checked to fit together.
///
/// ```
/// use iotsec_core::hal::Region;
/// use iotsec_update::slot::{LayoutError, SlotLayout, UpdateLayout};
///
/// let slot = |start| -> Result<_, LayoutError> {
///     Ok(SlotLayout {
///         manifest: Region::new(start, 4096, 1, 4)?,
///         images: [Region::new(start + 4096, 4096, 60, 4)?],
///     })
/// };
/// let journal = Region::new(0x90000, 4096, 2, 4)?;
/// assert!(UpdateLayout::new(slot(0x8000)?, slot(0x45000)?, journal).is_ok());
/// assert_eq!(
///     UpdateLayout::new(slot(0x8000)?, slot(0x9000)?, journal),
///     Err(LayoutError::Overlap),
/// );
/// # Ok::<(), LayoutError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UpdateLayout<const N: usize = 1> {
    a: SlotLayout<N>,
    b: SlotLayout<N>,
    journal: Region,
}

/// Largest write unit, in bytes.
pub const MAX_WORD: usize = 256;

/// Bytes that are read and hashed, or decoded, at once. More would gain nothing where the stack is large: while the end
/// of so little is being hashed, a processor that reorders its work has begun with the next.
pub(crate) const BLOCK: usize = MAX_WORD;

impl<const N: usize> UpdateLayout<N> {
    /// Slots `a` and `b` and the journal.
    ///
    /// The journal needs two pages. Three keep a whole older state even while one page is being erased
    /// and the newest record is one that a power cut left hard to read.
    ///
    /// # Errors
    /// [`LayoutError`].
    pub const fn new(a: SlotLayout<N>, b: SlotLayout<N>, journal: Region) -> Result<Self, LayoutError> {
        const { assert!(N > 0 && N <= MAX_COMPONENTS) };
        let groups: [&[Region]; 5] = [
            from_ref(&a.manifest),
            &a.images,
            from_ref(&b.manifest),
            &b.images,
            from_ref(&journal),
        ];
        let mut groups: &[&[Region]] = &groups;
        while let [group, others @ ..] = groups {
            let mut regions: &[Region] = group;
            while let [region, rest @ ..] = regions {
                if !region.word_size().is_power_of_two() || region.word_size() > 256 {
                    return Err(LayoutError::Word);
                }
                if overlaps(region, rest) || overlaps_any(region, others) {
                    return Err(LayoutError::Overlap);
                }
                regions = rest;
            }
            groups = others;
        }
        if journal.page_count() < 2 || journal.page_size() < 256 {
            return Err(LayoutError::Journal);
        }
        if a.manifest.len() <= 256 || b.manifest.len() <= 256 {
            return Err(LayoutError::Manifest);
        }
        Ok(Self { a, b, journal })
    }

    /// Checks every region against the driver.
    ///
    /// # Errors
    /// [`LayoutError::Flash`] with [`FlashError::Geometry`].
    pub fn check<F: NorFlash>(&self, flash: &F) -> Result<(), LayoutError> {
        for slot in [&self.a, &self.b] {
            slot.manifest.check(flash)?;
            for image in &slot.images {
                image.check(flash)?;
            }
        }
        Ok(self.journal.check(flash)?)
    }

    /// The regions of one slot.
    pub const fn slot(&self, slot: Slot) -> &SlotLayout<N> {
        match slot {
            Slot::A => &self.a,
            Slot::B => &self.b,
        }
    }

    /// The region of the journal.
    pub const fn journal(&self) -> Region {
        self.journal
    }
}

impl<const N: usize> SlotLayout<N> {
    /// Bytes of the largest envelope that fits.
    pub const fn envelope_capacity(&self) -> u32 {
        self.manifest.len().saturating_sub(header_space(&self.manifest))
    }

    /// The region of the component with this place, if there is one.
    pub(crate) fn image(&self, place: usize) -> Option<&Region> {
        self.images.get(place)
    }

    /// Puts an envelope and the images of its components into this slot, as a factory does.
    ///
    /// Nothing is checked here; the boot loader checks everything. Erases as many pages as it needs in
    /// one call. *Power loss:* leaves a slot without a manifest; do it again.
    ///
    /// # Errors
    /// [`SlotError`].
    pub fn provision<F: NorFlash>(
        &self,
        flash: &mut F,
        envelope: &[u8],
        images: [&[u8]; N],
    ) -> Result<(), SlotError> {
        self.manifest.erase_page(flash, 0)?;
        for (region, image) in self.images.iter().zip(images) {
            let size = u32::try_from(image.len()).map_err(|_| SlotError::TooLarge)?;
            if size > region.len() {
                return Err(SlotError::TooLarge);
            }
            erase_pages(flash, region, 0, size)?;
            write_padded(flash, region, 0, image)?;
        }
        self.store_envelope(flash, envelope, false)
    }

    /// Reads the stored envelope into `buffer`, which has room for whole words of the flash.
    ///
    /// # Errors
    /// [`SlotError::Empty`], [`SlotError::Corrupt`], [`SlotError::BufferTooSmall`], or of the flash.
    #[inline(never)]
    pub fn load_envelope<'b, F: NorFlash>(
        &self,
        flash: &mut F,
        buffer: &'b mut [u8],
    ) -> Result<&'b [u8], SlotError> {
        let len = self.envelope_len(flash)?;
        let whole = self
            .manifest
            .align_up(len)
            .and_then(|len| usize::try_from(len).ok());
        let bytes = whole.and_then(|whole| buffer.get_mut(..whole));
        let bytes = bytes.ok_or(SlotError::BufferTooSmall)?;
        let len = usize::try_from(len).map_err(|_| SlotError::BufferTooSmall)?;
        Ok(read_block(
            flash,
            &self.manifest,
            header_space(&self.manifest),
            len,
            bytes,
        )?)
    }

    /// Stores an envelope, header last. `clean` says that the whole region is erased already.
    pub(crate) fn store_envelope<F: NorFlash>(
        &self,
        flash: &mut F,
        envelope: &[u8],
        clean: bool,
    ) -> Result<(), SlotError> {
        let region = &self.manifest;
        let len = u32::try_from(envelope.len()).map_err(|_| SlotError::TooLarge)?;
        if len > self.envelope_capacity() {
            return Err(SlotError::TooLarge);
        }
        let body = header_space(region);
        if !clean {
            erase_pages(flash, region, 0, body.saturating_add(len))?;
        }
        write_padded(flash, region, body, envelope)?;
        Ok(write_padded(flash, region, 0, &header(len))?)
    }

    /// Whether exactly `envelope` is stored.
    pub(crate) fn holds_envelope<F: NorFlash>(&self, flash: &mut F, envelope: &[u8]) -> bool {
        let stored = self
            .envelope_len(flash)
            .ok()
            .and_then(|len| usize::try_from(len).ok());
        if stored != Some(envelope.len()) {
            return false;
        }
        let mut at = header_space(&self.manifest);
        for chunk in envelope.chunks(MAX_WORD) {
            let mut block = [0; MAX_WORD];
            match read_block(flash, &self.manifest, at, chunk.len(), &mut block) {
                Ok(read) if read == chunk => at = at.saturating_add(256),
                _ => return false,
            }
        }
        true
    }

    /// Bytes of the stored envelope, from a header that is whole.
    fn envelope_len<F: NorFlash>(&self, flash: &mut F) -> Result<u32, SlotError> {
        let mut block = [0; MAX_WORD];
        let read = read_block(flash, &self.manifest, 0, HEADER_LEN, &mut block)?;
        if read.iter().all(|byte| *byte == self.manifest.erased()) {
            return Err(SlotError::Empty);
        }
        let len = read
            .get(8..)
            .and_then(|rest| rest.first_chunk())
            .map(|bytes| u32::from_le_bytes(*bytes))
            .filter(|len| read == header(*len) && *len <= self.envelope_capacity());
        len.ok_or(SlotError::Corrupt)
    }

    /// Feeds the stored envelope to `update`.
    pub(crate) fn hash_envelope<F: NorFlash>(
        &self,
        flash: &mut F,
        update: &mut dyn FnMut(&[u8]),
    ) -> Result<(), SlotError> {
        let len = self.envelope_len(flash)?;
        let from = header_space(&self.manifest);
        Ok(read_range(
            flash,
            &self.manifest,
            from,
            from.saturating_add(len),
            update,
        )?)
    }
}

const fn overlaps(region: &Region, mut others: &[Region]) -> bool {
    while let [other, rest @ ..] = others {
        if region.overlaps(other) {
            return true;
        }
        others = rest;
    }
    false
}

const fn overlaps_any(region: &Region, mut groups: &[&[Region]]) -> bool {
    while let [group, rest @ ..] = groups {
        if overlaps(region, group) {
            return true;
        }
        groups = rest;
    }
    false
}

const HEADER_LEN: usize = 16;

/// Bytes that the header takes in flash.
const fn header_space(region: &Region) -> u32 {
    // Words are powers of two.
    if region.word_size() > 16 {
        region.word_size()
    } else {
        16
    }
}

fn header(len: u32) -> [u8; HEADER_LEN] {
    let [a, b, c, d] = len.to_le_bytes();
    let body = [b'i', b'S', b'U', b'M', 1, 0, 0, 0, a, b, c, d];
    let [e, f, g, h] = crc32(&body).to_le_bytes();
    [b'i', b'S', b'U', b'M', 1, 0, 0, 0, a, b, c, d, e, f, g, h]
}

/// Erases the pages that hold bytes `from..to`.
pub(crate) fn erase_pages<F: NorFlash>(
    flash: &mut F,
    region: &Region,
    from: u32,
    to: u32,
) -> Result<(), FlashError> {
    let first = from.checked_div(region.page_size()).ok_or(FlashError::Geometry)?;
    for page in first..to.div_ceil(region.page_size()) {
        region.erase_page(flash, page)?;
    }
    Ok(())
}

/// Programs `bytes` at a word boundary, filling up the last word with the erased value.
pub(crate) fn write_padded<F: NorFlash>(
    flash: &mut F,
    region: &Region,
    at: u32,
    bytes: &[u8],
) -> Result<(), FlashError> {
    let word = usize::try_from(region.word_size()).map_err(|_| FlashError::Geometry)?;
    let tail = bytes.len().checked_rem(word).ok_or(FlashError::Geometry)?;
    let (whole, tail) = bytes.split_at(bytes.len().saturating_sub(tail));
    if !whole.is_empty() {
        region.write(flash, at, whole)?;
    }
    if tail.is_empty() {
        return Ok(());
    }
    let mut last = [0; MAX_WORD];
    let last = last.get_mut(..word).ok_or(FlashError::Geometry)?;
    pad(last, tail, region.erased());
    let at = u32::try_from(whole.len())
        .ok()
        .and_then(|len| at.checked_add(len));
    region.write(flash, at.ok_or(FlashError::OutOfBounds)?, last)
}

/// Makes `block` the bytes and, behind them, the erased value.
pub(crate) fn pad(block: &mut [u8], bytes: &[u8], erased: u8) {
    for (index, to) in block.iter_mut().enumerate() {
        *to = bytes.get(index).copied().unwrap_or(erased);
    }
}

/// Reads at a word boundary in whole words, as many as `block` holds at most, and returns just what was asked for.
pub(crate) fn read_block<'b, F: NorFlash>(
    flash: &mut F,
    region: &Region,
    at: u32,
    len: usize,
    block: &'b mut [u8],
) -> Result<&'b [u8], FlashError> {
    let whole = u32::try_from(len).ok().and_then(|len| region.align_up(len));
    let whole = whole.and_then(|len| usize::try_from(len).ok());
    let bytes = whole
        .and_then(|len| block.get_mut(..len))
        .ok_or(FlashError::OutOfBounds)?;
    region.read(flash, at, bytes)?;
    bytes.get(..len).ok_or(FlashError::OutOfBounds)
}

/// Feeds bytes `from..to` to `update`, in blocks. `from` is a word boundary.
pub(crate) fn read_range<F: NorFlash>(
    flash: &mut F,
    region: &Region,
    from: u32,
    to: u32,
    update: &mut dyn FnMut(&[u8]),
) -> Result<(), FlashError> {
    let mut at = from;
    let mut block = [0; BLOCK];
    while at < to {
        let len = usize::try_from(to.saturating_sub(at)).map_or(BLOCK, |len| len.min(BLOCK));
        let read = read_block(flash, region, at, len, &mut block)?;
        update(read);
        at = u32::try_from(read.len()).map_or(to, |len| at.saturating_add(len));
    }
    Ok(())
}

/// Reads at any place.
pub(crate) fn read_at<F: NorFlash>(
    flash: &mut F,
    region: &Region,
    mut at: u32,
    mut out: &mut [u8],
) -> Result<(), FlashError> {
    while !out.is_empty() {
        let skip = at.checked_rem(region.word_size()).ok_or(FlashError::Geometry)?;
        let skipped = usize::try_from(skip).map_err(|_| FlashError::OutOfBounds)?;
        let len = out.len().min(MAX_WORD.saturating_sub(skipped));
        let (part, rest) = out.split_at_mut(len);
        let mut block = [0; MAX_WORD];
        let whole = skipped.saturating_add(len);
        let read = read_block(flash, region, at.saturating_sub(skip), whole, &mut block)?;
        for (to, from) in part.iter_mut().zip(read.iter().skip(skipped)) {
            *to = *from;
        }
        at = u32::try_from(len)
            .ok()
            .and_then(|len| at.checked_add(len))
            .ok_or(FlashError::OutOfBounds)?;
        out = rest;
    }
    Ok(())
}
