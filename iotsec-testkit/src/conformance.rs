//! A suite that a maker runs against a flash driver, before anything is built on it.
//!
//! It checks what this SDK relies on in [`NorFlash`]: erased bytes read the erased value, written bytes
//! read back, every word can be written by itself, neighbours stay as they are, and accesses that are
//! misaligned or out of bounds are refused and change nothing. It cannot cut the power; a driver that
//! caches or reorders writes passes here and loses data later.

use embedded_storage::nor_flash::NorFlash;
use iotsec_core::hal::Region;

/// What a driver got wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{rule:?} broken at offset {offset:#x}")]
pub struct NonConformance {
    /// The rule.
    pub rule: Rule,
    /// Where, counted from the start of the flash.
    pub offset: u32,
}

/// The rules, in the order in which they are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// The region has at least two pages and fits the constants and the capacity that the driver states.
    Geometry,
    /// A page can be erased, again and again, and each of its bytes then reads the erased value.
    Erase,
    /// A write succeeds, and what is written reads back, whatever the bytes.
    ReadBack,
    /// Every word can be written by itself, in any order, and no other byte changes.
    WordByWord,
    /// One write can cover several words, and pages; one erase can cover several pages.
    Range,
    /// An erase leaves the neighbouring pages as they are.
    Neighbours,
    /// A read of any length from any multiple of `READ_SIZE` gives the same bytes.
    ReadAnywhere,
    /// A write or an erase off the units that the driver states is refused; one off the units of the
    /// region is refused or does exactly what it says. A refused access changes nothing.
    Alignment,
    /// An access that ends beyond the capacity, or an erase that ends before it begins, is refused and
    /// changes nothing.
    Bounds,
    /// An empty read or write changes nothing.
    Empty,
}

/// Runs the suite on the first three pages of `region` (two if it has no more), whose contents are lost.
/// They end erased. Costs about two dozen erases of each.
///
/// # Errors
/// The first rule that the driver breaks. A driver error where success is due counts as breaking it.
///
/// ```
/// use embedded_storage::nor_flash::{
///     ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash, check_erase, check_read, check_write,
/// };
/// use iotsec_core::hal::Region;
/// use iotsec_testkit::conformance;
///
/// struct Ram([u8; 1024]);
///
/// impl ErrorType for Ram {
///     type Error = NorFlashErrorKind;
/// }
/// impl ReadNorFlash for Ram {
///     const READ_SIZE: usize = 1;
///     fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Self::Error> {
///         check_read(self, offset, bytes.len())?;
///         bytes.copy_from_slice(&self.0[offset as usize..][..bytes.len()]);
///         Ok(())
///     }
///     fn capacity(&self) -> usize {
///         self.0.len()
///     }
/// }
/// impl NorFlash for Ram {
///     const WRITE_SIZE: usize = 4;
///     const ERASE_SIZE: usize = 256;
///     fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Self::Error> {
///         check_write(self, offset, bytes.len())?;
///         self.0[offset as usize..][..bytes.len()].copy_from_slice(bytes);
///         Ok(())
///     }
///     fn erase(&mut self, from: u32, to: u32) -> Result<(), Self::Error> {
///         check_erase(self, from, to)?;
///         self.0[from as usize..to as usize].fill(0xFF);
///         Ok(())
///     }
/// }
///
/// let mut flash = Ram([0; 1024]);
/// let region = Region::of::<Ram>(0, 1024)?;
/// assert_eq!(conformance::check(&mut flash, &region), Ok(()));
/// # Ok::<(), iotsec_core::hal::FlashError>(())
/// ```
pub fn check<F: NorFlash>(flash: &mut F, region: &Region) -> Result<(), NonConformance> {
    let mut suite = Suite::new(flash, region)?;
    suite.erase()?;
    suite.read_back()?;
    suite.word_by_word()?;
    suite.range()?;
    suite.neighbours()?;
    suite.read_anywhere()?;
    suite.alignment()?;
    suite.bounds()?;
    suite.empty()?;
    suite.restart(Rule::Erase)
}

struct Suite<'a, F> {
    flash: &'a mut F,
    /// First byte of the tested pages in the flash.
    start: u32,
    page: usize,
    word: usize,
    erased: u8,
    /// What the tested pages must hold.
    expected: Vec<u8>,
}

type Checked = Result<(), NonConformance>;

impl<'a, F: NorFlash> Suite<'a, F> {
    fn new(flash: &'a mut F, region: &Region) -> Result<Self, NonConformance> {
        let start = region.start();
        let geometry = NonConformance {
            rule: Rule::Geometry,
            offset: start,
        };
        region.check(flash).map_err(|_| geometry)?;
        if region.page_count() < 2 {
            return Err(geometry);
        }
        let size = |value: u32| usize::try_from(value).map_err(|_| geometry);
        let page = size(region.page_size())?;
        let pages = size(region.page_count().min(3))?;
        Ok(Self {
            flash,
            start,
            page,
            word: size(region.word_size())?,
            erased: region.erased(),
            expected: vec![region.erased(); page * pages],
        })
    }

    fn erase(&mut self) -> Checked {
        for _ in 0..2 {
            self.restart(Rule::Erase)?;
        }
        self.fill(Rule::ReadBack, |_| 0x5A)?;
        self.restart(Rule::Erase)
    }

    fn read_back(&mut self) -> Checked {
        let patterns: [fn(usize) -> u8; 6] = [
            |_| 0x00,
            |_| 0xFF,
            |_| 0x55,
            |_| 0xAA,
            // Aliased address lines show in these two.
            |at| at.to_le_bytes()[0],
            |at| at.to_le_bytes()[1] ^ at.to_le_bytes()[0].rotate_left(4),
        ];
        for pattern in patterns {
            self.restart(Rule::ReadBack)?;
            self.fill(Rule::ReadBack, pattern)?;
        }
        Ok(())
    }

    fn word_by_word(&mut self) -> Checked {
        self.restart(Rule::WordByWord)?;
        let words = self.page / self.word;
        // Downwards, every second word; then the ones between.
        for word in (0..words)
            .rev()
            .step_by(2)
            .chain((0..words).rev().skip(1).step_by(2))
        {
            let at = word * self.word;
            let bytes: Vec<u8> = (at..at + self.word).map(pattern).collect();
            self.write(Rule::WordByWord, at, &bytes)?;
            // Looking at everything after every word would take the square of the page.
            let from = at.saturating_sub(self.word);
            self.compare(Rule::WordByWord, from, 3 * self.word)?;
        }
        self.compare_all(Rule::WordByWord)
    }

    fn range(&mut self) -> Checked {
        let all = self.expected.len();
        self.restart(Rule::Range)?;
        let bytes: Vec<u8> = (0..all - 2 * self.word).map(pattern).collect();
        self.write(Rule::Range, self.word, &bytes)?;
        self.compare_all(Rule::Range)?;
        let (from, to) = (self.address(0), self.address(all));
        self.flash
            .erase(from, to)
            .map_err(|_| self.broken(Rule::Range, 0))?;
        self.expected.fill(self.erased);
        self.compare_all(Rule::Range)
    }

    fn neighbours(&mut self) -> Checked {
        self.restart(Rule::Neighbours)?;
        self.fill(Rule::Neighbours, pattern)?;
        for page in [1, 0] {
            self.erase_page(Rule::Neighbours, page)?;
            self.compare_all(Rule::Neighbours)?;
        }
        Ok(())
    }

    fn read_anywhere(&mut self) -> Checked {
        self.restart(Rule::ReadAnywhere)?;
        self.fill(Rule::ReadAnywhere, pattern)?;
        let unit = F::READ_SIZE;
        for centre in [0, self.page, self.expected.len()] {
            for from in (centre.saturating_sub(4 * unit)..centre + 4 * unit).step_by(unit) {
                for len in (unit..=8 * unit).step_by(unit) {
                    if from.is_multiple_of(unit) && from + len <= self.expected.len() {
                        self.compare(Rule::ReadAnywhere, from, len)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn alignment(&mut self) -> Checked {
        self.restart(Rule::Alignment)?;
        let (word, page) = (self.word, self.page);
        for (at, len) in [(1, word), (word / 2, word), (0, word - 1), (0, word + 1)] {
            if at.is_multiple_of(word) && len.is_multiple_of(word) || at + len > page {
                continue;
            }
            let bytes: Vec<u8> = (at..at + len).map(pattern).collect();
            let stated = at.is_multiple_of(F::WRITE_SIZE) && len.is_multiple_of(F::WRITE_SIZE);
            let result = self.flash.write(self.address(at), &bytes);
            if result.is_ok() {
                self.require(stated, Rule::Alignment, at)?;
                self.expected[at..at + len].copy_from_slice(&bytes);
            }
            self.compare_all(Rule::Alignment)?;
            self.restart(Rule::Alignment)?;
        }
        self.fill(Rule::Alignment, pattern)?;
        for (from, to) in [(1, page + 1), (0, page - 1), (page / 2, page), (page, page + 1)] {
            let stated = from.is_multiple_of(F::ERASE_SIZE) && to.is_multiple_of(F::ERASE_SIZE);
            let result = self.flash.erase(self.address(from), self.address(to));
            if result.is_ok() {
                self.require(stated, Rule::Alignment, from)?;
                self.expected[from..to].fill(self.erased);
            }
            self.compare_all(Rule::Alignment)?;
        }
        Ok(())
    }

    fn bounds(&mut self) -> Checked {
        self.restart(Rule::Bounds)?;
        self.fill(Rule::Bounds, pattern)?;
        let back = self.flash.erase(self.address(self.page), self.address(0));
        self.require(back.is_err(), Rule::Bounds, 0)?;
        // A flash of 4 GiB has nothing beyond it.
        if let Ok(end) = u32::try_from(self.flash.capacity()) {
            let mut bytes = vec![0; self.word * 2];
            let word = u32::try_from(self.word).unwrap_or(u32::MAX);
            let page = u32::try_from(self.page).unwrap_or(u32::MAX);
            // The last one wraps around to the start.
            for offset in [end - word, end, u32::MAX / word * word] {
                let read = self.flash.read(offset, &mut bytes);
                let write = self.flash.write(offset, &bytes);
                let all = self.expected.len();
                self.require(read.is_err() && write.is_err(), Rule::Bounds, all)?;
            }
            for from in [end - page, end] {
                let erase = self.flash.erase(from, end.saturating_add(page));
                self.require(erase.is_err(), Rule::Bounds, self.expected.len())?;
            }
        }
        self.compare_all(Rule::Bounds)
    }

    fn empty(&mut self) -> Checked {
        let address = self.address(0);
        let read = self.flash.read(address, &mut []);
        let write = self.flash.write(address, &[]);
        self.require(read.is_ok() && write.is_ok(), Rule::Empty, 0)?;
        self.compare_all(Rule::Empty)
    }

    /// Erases all pages and checks that they are.
    fn restart(&mut self, rule: Rule) -> Checked {
        for page in 0..self.expected.len() / self.page {
            self.erase_page(rule, page)?;
        }
        self.compare_all(rule)
    }

    fn erase_page(&mut self, rule: Rule, page: usize) -> Checked {
        let (from, to) = (page * self.page, (page + 1) * self.page);
        self.flash
            .erase(self.address(from), self.address(to))
            .map_err(|_| self.broken(rule, from))?;
        self.expected[from..to].fill(self.erased);
        Ok(())
    }

    /// Writes a pattern over all pages, page by page, and reads it back.
    fn fill(&mut self, rule: Rule, pattern: impl Fn(usize) -> u8) -> Checked {
        for from in (0..self.expected.len()).step_by(self.page) {
            let bytes: Vec<u8> = (from..from + self.page).map(&pattern).collect();
            self.write(rule, from, &bytes)?;
        }
        self.compare_all(rule)
    }

    fn write(&mut self, rule: Rule, at: usize, bytes: &[u8]) -> Checked {
        self.flash
            .write(self.address(at), bytes)
            .map_err(|_| self.broken(rule, at))?;
        self.expected[at..at + bytes.len()].copy_from_slice(bytes);
        Ok(())
    }

    fn compare_all(&mut self, rule: Rule) -> Checked {
        self.compare(rule, 0, self.expected.len())
    }

    fn compare(&mut self, rule: Rule, from: usize, len: usize) -> Checked {
        let end = (from + len).min(self.expected.len());
        // Reads must begin and end on the unit of the driver; `from` always does.
        let end = end / F::READ_SIZE * F::READ_SIZE;
        let mut bytes = vec![!self.erased; end - from];
        self.flash
            .read(self.address(from), &mut bytes)
            .map_err(|_| self.broken(rule, from))?;
        match bytes
            .iter()
            .zip(&self.expected[from..end])
            .position(|(a, b)| a != b)
        {
            Some(differing) => Err(self.broken(rule, from + differing)),
            None => Ok(()),
        }
    }

    fn require(&self, holds: bool, rule: Rule, at: usize) -> Checked {
        if holds { Ok(()) } else { Err(self.broken(rule, at)) }
    }

    fn address(&self, at: usize) -> u32 {
        u32::try_from(at).map_or(u32::MAX, |at| self.start.saturating_add(at))
    }

    fn broken(&self, rule: Rule, at: usize) -> NonConformance {
        NonConformance {
            rule,
            offset: self.address(at),
        }
    }
}

/// Bytes that differ from page to page and from word to word, and are never 0x00 or 0xFF.
fn pattern(at: usize) -> u8 {
    let [low, high, top, ..] = at.to_le_bytes();
    let mixed = low.wrapping_mul(167) ^ high.wrapping_mul(59) ^ top;
    if matches!(mixed, 0x00 | 0xFF) { 0xC3 } else { mixed }
}

#[cfg(test)]
mod tests;
