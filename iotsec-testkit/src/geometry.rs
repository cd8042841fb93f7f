//! The shape of a flash.

use iotsec_core::hal::{FlashError, Region};

/// Sectors, words and erased value of a simulated flash.
///
/// A *sector* is what the chip erases at once; sectors may be unequal. A *word* is what the chip
/// programs at once, and may be programmed once between erases. A *burst* is a run of words that are
/// programmed together, so that a power cut in one of them leaves all that were being written undefined.
///
/// ```
/// use iotsec_testkit::Geometry;
///
/// // A chip with pages of 2 KiB and words of 32 bytes, erased to zero.
/// let geometry = Geometry::new(&[2048; 16], 32).with_erased(0x00);
/// assert_eq!(geometry.capacity(), 32768);
/// // The 128 KiB page of an STM32F4 is five sectors at its start and one sector after that.
/// let region = Geometry::stm32f4(1).region(0, 256 * 1024)?;
/// assert_eq!((region.page_size(), region.page_count()), (128 * 1024, 2));
/// # Ok::<(), iotsec_core::hal::FlashError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// Where each sector starts, and the capacity at the end.
    bounds: Vec<u32>,
    word_size: u32,
    burst: u32,
    erased: u8,
}

impl Geometry {
    /// Sectors of `sectors[i]` bytes, programmed in words of `word_size` bytes, erased to 0xFF.
    ///
    /// # Panics
    /// When there is no sector, the word is not a power of two, or a sector is not a number of words.
    #[must_use]
    pub fn new(sectors: &[u32], word_size: u32) -> Self {
        assert!(!sectors.is_empty(), "a flash has at least one sector");
        assert!(word_size.is_power_of_two(), "a word is a power of two");
        let mut bounds = vec![0_u32];
        let mut end = 0_u32;
        for sector in sectors {
            assert!(
                *sector > 0 && sector % word_size == 0,
                "a sector is a number of words"
            );
            end = end.checked_add(*sector).expect("a flash ends below 4 GiB");
            bounds.push(end);
        }
        Self {
            bounds,
            word_size,
            burst: word_size,
            erased: 0xFF,
        }
    }

    /// The same with another erased value (0x00 on STM32L0 and L1).
    #[must_use]
    pub const fn with_erased(mut self, erased: u8) -> Self {
        self.erased = erased;
        self
    }

    /// The same, programming aligned runs of `burst` bytes together.
    ///
    /// # Panics
    /// When `burst` is not a number of words.
    #[must_use]
    pub const fn with_burst(mut self, burst: u32) -> Self {
        assert!(
            burst > 0 && burst.is_multiple_of(self.word_size),
            "a burst is a number of words"
        );
        self.burst = burst;
        self
    }

    /// nRF52840: `pages` of 4096 bytes, words of 4.
    #[must_use]
    pub fn nrf52840(pages: usize) -> Self {
        Self::new(&vec![4096; pages], 4)
    }

    /// STM32F4: four sectors of 16 KiB, one of 64 KiB, and `large` of 128 KiB; words of 4.
    #[must_use]
    pub fn stm32f4(large: usize) -> Self {
        let mut sectors = vec![16 * 1024; 4];
        sectors.push(64 * 1024);
        sectors.extend(std::iter::repeat_n(128 * 1024, large));
        Self::new(&sectors, 4)
    }

    /// STM32L4: `pages` of 2048 bytes, words of 8 with ECC.
    #[must_use]
    pub fn stm32l4(pages: usize) -> Self {
        Self::new(&vec![2048; pages], 8)
    }

    /// RP2040 as its boot ROM programs flash: `sectors` of 4096 bytes, pages of 256 bytes written once.
    #[must_use]
    pub fn rp2040(sectors: usize) -> Self {
        Self::new(&vec![4096; sectors], 256)
    }

    /// Serial NOR flash: `sectors` of 4096 bytes, single bytes writable, 256 of them programmed together.
    #[must_use]
    pub fn serial_nor(sectors: usize) -> Self {
        Self::new(&vec![4096; sectors], 1).with_burst(256)
    }

    /// A flash that is erased to zero, as on STM32L0 and L1: `pages` of 256 bytes, words of 4.
    #[must_use]
    pub fn erased_zero(pages: usize) -> Self {
        Self::new(&vec![256; pages], 4).with_erased(0x00)
    }

    /// No real chip: `pages` of 256 bytes, words of 4, so that a sweep over every step stays short.
    #[must_use]
    pub fn small(pages: usize) -> Self {
        Self::new(&vec![256; pages], 4)
    }

    /// One flash of every kind above with its name, each of at least `pages` pages.
    #[must_use]
    pub fn table(pages: usize) -> Vec<(&'static str, Self)> {
        vec![
            ("nRF52840", Self::nrf52840(pages)),
            ("STM32F4", Self::stm32f4(pages.saturating_sub(1))),
            ("STM32L4", Self::stm32l4(pages)),
            ("RP2040", Self::rp2040(pages)),
            ("serial NOR", Self::serial_nor(pages)),
            ("erased to zero", Self::erased_zero(pages)),
            ("small", Self::small(pages)),
        ]
    }

    /// Bytes in all.
    #[must_use]
    pub fn capacity(&self) -> u32 {
        self.bounds.last().copied().unwrap_or(0)
    }

    /// Number of sectors.
    #[must_use]
    pub const fn sector_count(&self) -> usize {
        self.bounds.len() - 1
    }

    /// Bytes in a write unit.
    #[must_use]
    pub const fn word_size(&self) -> u32 {
        self.word_size
    }

    /// Bytes that are programmed together.
    #[must_use]
    pub const fn burst(&self) -> u32 {
        self.burst
    }

    /// What an erased byte reads.
    #[must_use]
    pub const fn erased(&self) -> u8 {
        self.erased
    }

    /// First byte of sector number `sector` and the byte after its last.
    ///
    /// # Panics
    /// When there is no such sector.
    #[must_use]
    pub fn sector(&self, sector: usize) -> (u32, u32) {
        (self.bounds[sector], self.bounds[sector + 1])
    }

    /// The sectors from byte `from` to byte `to`, `None` unless both are sector bounds.
    #[must_use]
    pub fn sectors_between(&self, from: u32, to: u32) -> Option<std::ops::Range<usize>> {
        let first = self.bounds.binary_search(&from).ok()?;
        let end = self.bounds.binary_search(&to).ok()?;
        (first <= end).then_some(first..end)
    }

    /// The region of `len` bytes from `start`. Its page is the largest sector in it.
    ///
    /// # Errors
    /// [`FlashError::Geometry`] when the part does not consist of such pages, each of whole sectors.
    pub fn region(&self, start: u32, len: u32) -> Result<Region, FlashError> {
        let end = start.checked_add(len).ok_or(FlashError::Geometry)?;
        let sectors = self.sectors_between(start, end).ok_or(FlashError::Geometry)?;
        let page = sectors
            .map(|sector| self.sector(sector))
            .map(|(from, to)| to - from)
            .max()
            .ok_or(FlashError::Geometry)?;
        if !len.is_multiple_of(page) {
            return Err(FlashError::Geometry);
        }
        let pages = len / page;
        if (0..pages).any(|n| self.bounds.binary_search(&(start + n * page)).is_err()) {
            return Err(FlashError::Geometry);
        }
        Ok(Region::new(start, page, pages, self.word_size)?.with_erased(self.erased))
    }

    /// The region of `count` pages from page number `first`, a page being the largest sector.
    ///
    /// # Errors
    /// Those of [`region`](Self::region).
    pub fn pages(&self, first: u32, count: u32) -> Result<Region, FlashError> {
        let page = self
            .bounds
            .windows(2)
            .map(|pair| pair[1] - pair[0])
            .max()
            .unwrap_or(0);
        let at = |pages: u32| pages.checked_mul(page).ok_or(FlashError::Geometry);
        self.region(at(first)?, at(count)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_of_unequal_sectors_has_the_largest_as_its_page() {
        let geometry = Geometry::stm32f4(3);
        let region = geometry.region(0, geometry.capacity()).unwrap();
        assert_eq!((region.page_size(), region.page_count()), (128 * 1024, 4));
        let small = geometry.region(0, 64 * 1024).unwrap();
        assert_eq!((small.page_size(), small.page_count()), (16 * 1024, 4));
    }

    #[test]
    fn a_region_of_broken_pages_is_refused() {
        let geometry = Geometry::new(&[1024, 4096, 1024, 2048], 4);
        assert_eq!(geometry.region(0, 8192).err(), Some(FlashError::Geometry));
        assert_eq!(geometry.region(512, 512).err(), Some(FlashError::Geometry));
        assert_eq!(geometry.region(0, 0).err(), Some(FlashError::Geometry));
        assert!(geometry.region(1024, 4096).is_ok());
    }

    #[test]
    fn every_geometry_of_the_table_has_the_pages_that_were_asked_for() {
        for (name, geometry) in Geometry::table(4) {
            let region = geometry.pages(0, 4).unwrap();
            assert_eq!(region.page_count(), 4, "{name}");
            assert_eq!(region.erased(), geometry.erased(), "{name}");
        }
    }
}
