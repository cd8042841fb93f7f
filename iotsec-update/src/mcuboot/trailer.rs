//! The end of a slot, by which application and MCUboot speak to each other.

use embedded_storage::nor_flash::NorFlash;
use iotsec_core::hal::{FlashError, Region};

use super::{Admitted, Flag, Magic, Swap, TrailerError, TrailerState};

/// The last bytes of a slot. `M` is MCUboot's largest alignment (`MCUBOOT_BOOT_MAX_ALIGN`): 8, 16 or 32.
///
/// | from the end, `M` = 8 | 16 | 32 | bytes | field |
/// |---|---|---|---|---|
/// | 16 | 16 | 16 | 16 | magic |
/// | 24 | 32 | 64 | 1 | image_ok |
/// | 32 | 48 | 96 | 1 | copy_done |
/// | 40 | 64 | 128 | 1 | swap info: low half the kind of swap, high half the image's number |
/// | 48 | 80 | 160 | 4 | swap size, and before it MCUboot's record of a swap under way |
///
/// A field is padded with the erased value to `M` bytes; the magic for `M` = 32 has its padding in front.
///
/// ```
/// use iotsec_core::hal::Region;
/// use iotsec_testkit::{Geometry, SimFlash};
/// use iotsec_update::mcuboot::{Magic, Trailer};
///
/// let mut flash = SimFlash::new(Geometry::nrf52840(8));
/// let trailer = Trailer::new(Region::new(0, 4096, 8, 4)?, 8)?;
/// assert_eq!(trailer.read(&mut flash)?.magic, Magic::Unset);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trailer {
    region: Region,
    align: u32,
}

/// What is asked of MCUboot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Request {
    /// Start the image once; back unless it is confirmed.
    Test,
    /// Start the image from now on.
    Permanent,
}

const MAGIC_LEN: usize = 16;
/// Bytes of the largest alignment.
const MAX_ALIGN: usize = 32;

impl Trailer {
    /// The trailer of the slot `region`, for an MCUboot whose largest alignment is `align`.
    ///
    /// # Errors
    /// [`TrailerError::Geometry`].
    pub const fn new(region: Region, align: u32) -> Result<Self, TrailerError> {
        let fits = matches!(align, 8 | 16 | 32)
            && region.word_size() <= align
            && region.len().is_multiple_of(align)
            // All that is written lies in the last page.
            && region.page_size() >= 256;
        if fits {
            Ok(Self { region, align })
        } else {
            Err(TrailerError::Geometry)
        }
    }

    /// The slot.
    pub const fn region(&self) -> &Region {
        &self.region
    }

    /// Bytes that an image may have for MCUboot to start it in place.
    pub(super) const fn room(&self) -> u32 {
        self.below(3)
    }

    /// Reads what MCUboot would read.
    ///
    /// # Errors
    /// [`TrailerError::Flash`].
    pub fn read<F: NorFlash>(&self, flash: &mut F) -> Result<TrailerState, TrailerError> {
        let found = self.field::<F, MAGIC_LEN>(flash, self.magic_at())?;
        let magic = if found == self.magic() {
            Magic::Good
        } else if found.iter().all(|byte| *byte == self.region.erased()) {
            Magic::Unset
        } else {
            Magic::Bad
        };
        let [info] = self.field::<F, 1>(flash, self.below(3))?;
        let (swap, image) = match (info & 0x0F, info >> 4) {
            _ if info == self.region.erased() => (Swap::None, 0),
            (2, image) => (Swap::Test, image),
            (3, image) => (Swap::Permanent, image),
            (4, image) => (Swap::Revert, image),
            (_, _) => (Swap::None, 0),
        };
        Ok(TrailerState {
            magic,
            image_ok: self.flag(flash, self.below(1))?,
            copy_done: self.flag(flash, self.below(2))?,
            swap,
            image,
        })
    }

    /// Asks MCUboot to start `image`, which was read from this slot. A request that stands already costs
    /// nothing; otherwise the trailer's page is erased first.
    ///
    /// *Power loss:* no request, or the new one whole: the magic, which makes it count, is written last. A
    /// request for the same slot that stood before is dropped first, so that between a test and a permanent
    /// one there is none. What a cut leaves half written MCUboot ignores, and the next call erases.
    ///
    /// # Errors
    /// [`TrailerError`]; [`TrailerError::Used`] when the page cannot be erased because the image reaches
    /// into it, and is not erased. There is no request then.
    pub fn request<F: NorFlash>(
        &self,
        flash: &mut F,
        image: &Admitted,
        request: Request,
    ) -> Result<(), TrailerError> {
        self.request_behind(flash, image.image().size(), request, false)
    }

    /// Withdraws a request. Does nothing when there is none.
    ///
    /// *Power loss:* the request, or none.
    ///
    /// # Errors
    /// [`TrailerError`].
    pub fn withdraw<F: NorFlash>(&self, flash: &mut F, image_size: u32) -> Result<(), TrailerError> {
        // A word that a cut left unreadable is a use too.
        match self.read(flash).map(|state| state.magic) {
            Ok(Magic::Unset) => Ok(()),
            _ if image_size > self.page_at() => Err(TrailerError::Used),
            _ => Ok(self.erase(flash)?),
        }
    }

    /// Confirms the image that is running from this slot: MCUboot does not go back any more. Does nothing
    /// when there is nothing to confirm.
    ///
    /// *Power loss:* confirmed or not; with half the flag written MCUboot does not swap back, and with
    /// direct-XIP it goes back to the other slot.
    ///
    /// # Errors
    /// [`TrailerError::Damaged`] when the trailer is neither empty nor whole.
    pub fn confirm<F: NorFlash>(&self, flash: &mut F) -> Result<(), TrailerError> {
        let state = self.read(flash)?;
        match (state.magic, state.image_ok) {
            (Magic::Unset, _) | (Magic::Good, Flag::Set) => Ok(()),
            (Magic::Good, Flag::Unset) => self.set(flash, self.below(1)),
            (Magic::Bad, _) | (Magic::Good, Flag::Bad) => Err(TrailerError::Damaged),
        }
    }

    /// Sets copy_done and reads it back: the image is started now, and will not be again before it is confirmed.
    pub(super) fn note_start<F: NorFlash>(&self, flash: &mut F) -> Result<(), TrailerError> {
        self.set(flash, self.below(2))
    }

    /// [`request`](Self::request) for an image of which only the size is known. `started` sets copy_done
    /// too, by which direct-XIP knows an image that needs no trial.
    pub(super) fn request_behind<F: NorFlash>(
        &self,
        flash: &mut F,
        image_size: u32,
        request: Request,
        started: bool,
    ) -> Result<(), TrailerError> {
        if image_size > self.below(4) {
            return Err(TrailerError::Overlap);
        }
        let wanted = match request {
            Request::Test => Flag::Unset,
            Request::Permanent => Flag::Set,
        };
        let noted = match started {
            true => Flag::Set,
            false => Flag::Unset,
        };
        let stands = |state: &TrailerState| {
            state.magic == Magic::Good && state.image_ok == wanted && state.copy_done == noted
        };
        // What cannot be read is what a cut left on flash with ECC.
        if self.read(flash).is_ok_and(|state| stands(&state)) {
            return Ok(());
        }
        if image_size <= self.page_at() {
            self.erase(flash)?;
        } else if !self.is_erased(flash).unwrap_or(false) {
            return Err(TrailerError::Used);
        }
        if request == Request::Permanent {
            self.set(flash, self.below(1))?;
        }
        if started {
            self.set(flash, self.below(2))?;
        }
        self.write_magic(flash)?;
        if stands(&self.read(flash)?) {
            Ok(())
        } else {
            Err(TrailerError::ReadBack)
        }
    }

    const fn magic_at(&self) -> u32 {
        self.region.len().saturating_sub(16)
    }

    /// Where the `n`th field before the magic lies.
    const fn below(&self, n: u32) -> u32 {
        let magic = if self.align == 32 { 32 } else { 16 };
        let back = self.align.saturating_mul(n).saturating_add(magic);
        self.region.len().saturating_sub(back)
    }

    /// Where the page lies that all of this is in.
    const fn page_at(&self) -> u32 {
        self.region.len().saturating_sub(self.region.page_size())
    }

    fn erase<F: NorFlash>(&self, flash: &mut F) -> Result<(), FlashError> {
        let last = self.region.page_count().saturating_sub(1);
        self.region.erase_page(flash, last)
    }

    fn is_erased<F: NorFlash>(&self, flash: &mut F) -> Result<bool, FlashError> {
        let mut at = self.below(4);
        while at < self.region.len() {
            let mut field = [0; 8];
            self.read_at(flash, at, &mut field)?;
            if field.iter().any(|byte| *byte != self.region.erased()) {
                return Ok(false);
            }
            at = at.saturating_add(8);
        }
        Ok(true)
    }

    fn magic(&self) -> [u8; MAGIC_LEN] {
        match self.align {
            8 => [
                0x77, 0xC2, 0x95, 0xF3, 0x60, 0xD2, 0xEF, 0x7F, 0x35, 0x52, 0x50, 0x0F, 0x2C, 0xB6, 0x79,
                0x80,
            ],
            _ => {
                let [low, high, ..] = self.align.to_le_bytes();
                [
                    low, high, 0x2D, 0xE1, 0x5D, 0x29, 0x41, 0x0B, 0x8D, 0x77, 0x67, 0x9C, 0x11, 0x0F, 0x1F,
                    0x8A,
                ]
            }
        }
    }

    fn flag<F: NorFlash>(&self, flash: &mut F, at: u32) -> Result<Flag, FlashError> {
        let [byte] = self.field::<F, 1>(flash, at)?;
        Ok(match byte {
            // Erased first: so does MCUboot.
            byte if byte == self.region.erased() => Flag::Unset,
            1 => Flag::Set,
            _ => Flag::Bad,
        })
    }

    fn set<F: NorFlash>(&self, flash: &mut F, at: u32) -> Result<(), TrailerError> {
        let mut word = [self.region.erased(); MAX_ALIGN];
        let [first, ..] = &mut word;
        *first = 1;
        let len = usize::try_from(self.region.word_size()).map_err(|_| TrailerError::Geometry)?;
        self.region
            .write(flash, at, word.get(..len).ok_or(TrailerError::Geometry)?)?;
        match self.flag(flash, at)? {
            Flag::Set => Ok(()),
            Flag::Bad | Flag::Unset => Err(TrailerError::ReadBack),
        }
    }

    fn write_magic<F: NorFlash>(&self, flash: &mut F) -> Result<(), TrailerError> {
        let mut words = [self.region.erased(); MAX_ALIGN];
        for (to, from) in words.iter_mut().skip(MAGIC_LEN).zip(self.magic()) {
            *to = from;
        }
        // A word of 32 bytes takes the padding along.
        let len = self.region.word_size().max(16);
        let skip = usize::try_from(32_u32.saturating_sub(len)).map_err(|_| TrailerError::Geometry)?;
        let bytes = words.get(skip..).ok_or(TrailerError::Geometry)?;
        Ok(self
            .region
            .write(flash, self.region.len().saturating_sub(len), bytes)?)
    }

    fn field<F: NorFlash, const N: usize>(&self, flash: &mut F, at: u32) -> Result<[u8; N], FlashError> {
        let mut field = [0; N];
        self.read_at(flash, at, &mut field)?;
        Ok(field)
    }

    /// Reads within one alignment unit, in whole words.
    fn read_at<F: NorFlash>(&self, flash: &mut F, at: u32, out: &mut [u8]) -> Result<(), FlashError> {
        let word = self.region.word_size();
        let skip = at.checked_rem(word).ok_or(FlashError::Geometry)?;
        let from = at.saturating_sub(skip);
        let mut words = [0; MAX_ALIGN];
        let skip = usize::try_from(skip).map_err(|_| FlashError::Geometry)?;
        let wanted = skip.saturating_add(out.len());
        let whole = u32::try_from(wanted)
            .ok()
            .and_then(|len| self.region.align_up(len));
        let whole = whole.and_then(|len| usize::try_from(len).ok());
        let place = whole
            .and_then(|len| words.get_mut(..len))
            .ok_or(FlashError::Geometry)?;
        self.region.read(flash, from, place)?;
        for (to, from) in out.iter_mut().zip(words.iter().skip(skip)) {
            *to = *from;
        }
        Ok(())
    }
}
