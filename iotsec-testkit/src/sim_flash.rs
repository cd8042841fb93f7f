//! A NOR flash that loses power.

mod driver;
mod error;
mod fault;
mod stats;
mod tear;
#[cfg(test)]
mod tests;

use iotsec_core::hal::{FlashError, Region};

use self::{fault::Faults, tear::Cells};
use crate::{Geometry, Power};
pub use error::{Operation, SimFlashError, Violation};
pub use stats::Stats;
pub use tear::{StepUnit, Tear};

/// A NOR flash in memory, with a [`Geometry`], a [`Power`] supply and chance.
///
/// It declares `READ_SIZE`, `WRITE_SIZE` and `ERASE_SIZE` of 1 and enforces the geometry at run time:
/// an access that a real flash forbids (misaligned, out of bounds, a word programmed twice, a page used
/// whose erase was cut) fails, changes nothing, and is remembered as a [`Violation`].
///
/// *Power loss:* when the budget of the supply ends inside a write, the word under way (with the burst it
/// belongs to) is torn as [`Tear`] says and the rest of the write does not happen. A sector erase has five
/// stages, and a cut leaves the sector in one of them: some bits programmed towards the opposite of
/// erased, a random half erased, three quarters erased, nearly all erased, all erased but not settled.
/// The operation returns [`SimFlashError::PowerLost`], as does everything after it until
/// [`power_on`](Self::power_on).
///
/// A clone is a snapshot on a power supply of its own.
///
/// ```
/// use embedded_storage::nor_flash::NorFlash;
/// use iotsec_testkit::{Geometry, SimFlash, SimFlashError};
///
/// let mut flash = SimFlash::new(Geometry::small(2));
/// flash.cut_after(1);
/// assert_eq!(flash.write(0, b"abcdEFGHijkl"), Err(SimFlashError::PowerLost));
/// flash.power_on();
/// assert_eq!(&flash.image()[..4], b"abcd"); // one word done
/// assert_eq!(&flash.image()[8..12], [0xFF; 4]); // the one after the torn word not begun
/// assert!(flash.write(4, b"EFGH").is_err(), "a torn word cannot be written again");
/// assert!(flash.violation().is_some());
/// ```
#[derive(Debug)]
pub struct SimFlash {
    geometry: Geometry,
    cells: Cells,
    /// Words that were programmed, in whole or in part, since their last erase.
    programmed: Vec<bool>,
    /// Sectors whose last erase was cut.
    unfinished: Vec<bool>,
    wear: Vec<u32>,
    power: Power,
    tear: Tear,
    unit: StepUnit,
    stats: Stats,
    marked: Stats,
    most_erases: u64,
    faults: Faults,
    violations: Vec<Violation>,
}

impl SimFlash {
    /// An erased flash on an endless power supply, tearing with [`Tear::Torn`].
    #[must_use]
    pub fn new(geometry: Geometry) -> Self {
        let words = in_memory(geometry.capacity() / geometry.word_size());
        let sectors = geometry.sector_count();
        Self {
            cells: Cells::new(in_memory(geometry.capacity()), geometry.erased()),
            programmed: vec![false; words],
            unfinished: vec![false; sectors],
            wear: vec![0; sectors],
            power: Power::new(),
            tear: Tear::Torn,
            unit: StepUnit::Word,
            stats: Stats::default(),
            marked: Stats::default(),
            most_erases: 0,
            faults: Faults::default(),
            violations: Vec::new(),
            geometry,
        }
    }

    /// A flash that holds `image`, whoever made it; the rest is erased.
    ///
    /// # Panics
    /// When the image is longer than the flash.
    #[must_use]
    pub fn from_image(geometry: Geometry, image: &[u8]) -> Self {
        let mut flash = Self::new(geometry);
        flash.tamper(0, image);
        flash
    }

    /// On the supply of another part of the same device.
    #[must_use]
    pub fn powered_by(mut self, power: &Power) -> Self {
        self.power = power.clone();
        self
    }

    /// With chance starting from `seed` instead of `IOTSEC_SEED`.
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        self.power.reseed(seed);
        self
    }

    /// With another way to tear.
    #[must_use]
    pub const fn with_tear(mut self, tear: Tear) -> Self {
        self.tear = tear;
        self
    }

    /// With another count of steps in a word.
    #[must_use]
    pub const fn with_unit(mut self, unit: StepUnit) -> Self {
        self.unit = unit;
        self
    }

    // Power

    /// The supply.
    #[must_use]
    pub const fn power(&self) -> &Power {
        &self.power
    }

    /// Lets `steps` more steps complete; the next one tears. See [`Power::cut_after`].
    pub fn cut_after(&mut self, steps: u64) {
        self.power.cut_after(steps);
    }

    /// Power is back, without a limit. What was torn stays torn.
    pub fn power_on(&mut self) {
        self.power.restore();
    }

    /// Whether the power is gone.
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.power.is_lost()
    }

    /// Steps completed by everything on this supply.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.power.steps()
    }

    // Faults other than power

    /// Makes the operations of one kind fail, without effect, whose number from now is in `range`:
    /// `0..1` is the next one, `3..u64::MAX` every one after three good ones.
    pub fn fail(&mut self, operation: Operation, range: std::ops::Range<u64>) {
        self.faults.set(operation, range);
    }

    /// Ends all failures set with [`fail`](Self::fail).
    pub fn mend(&mut self) {
        self.faults = Faults::default();
    }

    /// Changes bytes as an attacker with a programmer does. Costs no step and no wear, and breaks no rule.
    ///
    /// # Panics
    /// When the bytes do not fit in the flash.
    pub fn tamper(&mut self, offset: u32, bytes: &[u8]) {
        let from = in_memory(offset);
        let end = from + bytes.len();
        self.cells.set(from, bytes);
        let word = in_memory(self.geometry.word_size());
        for number in from / word..end.div_ceil(word) {
            self.programmed[number] |= !self.cells.is_erased(number * word..(number + 1) * word);
        }
    }

    /// Makes the bits of `mask` at `offset` read differently each time, until they are erased.
    ///
    /// # Panics
    /// When there is no such byte.
    pub fn make_unstable(&mut self, offset: u32, mask: u8) {
        self.cells.make_unstable(in_memory(offset), mask);
    }

    /// Makes reads of the word at `offset` fail, until it is erased.
    ///
    /// # Panics
    /// When there is no such word.
    pub fn poison(&mut self, offset: u32) {
        let word = in_memory(self.geometry.word_size());
        let from = in_memory(offset) / word * word;
        self.cells.poison(from..from + word);
        self.programmed[from / word] = true;
    }

    // What happened

    /// Its shape.
    #[must_use]
    pub const fn geometry(&self) -> &Geometry {
        &self.geometry
    }

    /// All of it as one region.
    ///
    /// # Errors
    /// Those of [`Geometry::region`].
    pub fn region(&self) -> Result<Region, FlashError> {
        self.geometry.region(0, self.geometry.capacity())
    }

    /// Every cell as it is, whatever the power and however torn.
    #[must_use]
    pub fn image(&self) -> &[u8] {
        self.cells.bytes()
    }

    /// Whether `needle` is anywhere in the raw flash. An empty needle is nowhere.
    #[must_use]
    pub fn contains(&self, needle: &[u8]) -> bool {
        !needle.is_empty() && self.image().windows(needle.len()).any(|window| window == needle)
    }

    /// Counts since the flash was made.
    #[must_use]
    pub const fn stats(&self) -> Stats {
        self.stats
    }

    /// Runs `work` and counts what it did.
    ///
    /// ```
    /// use embedded_storage::nor_flash::NorFlash;
    /// use iotsec_testkit::{Geometry, SimFlash};
    ///
    /// let mut flash = SimFlash::new(Geometry::nrf52840(2));
    /// let (result, stats) = flash.measure(|flash| flash.write(0, &[1; 64]));
    /// assert!(result.is_ok());
    /// assert_eq!((stats.writes, stats.bytes_written, stats.erases), (1, 64, 0));
    /// ```
    pub fn measure<R>(&mut self, work: impl FnOnce(&mut Self) -> R) -> (R, Stats) {
        let before = self.stats;
        let result = work(self);
        (result, self.stats - before)
    }

    /// Marks the beginning of a call, for [`most_erases`](Self::most_erases).
    pub const fn mark(&mut self) {
        self.marked = self.stats;
    }

    /// The most erase operations between two marks so far.
    #[must_use]
    pub const fn most_erases(&self) -> u64 {
        self.most_erases
    }

    /// Erases of each sector, finished or not.
    #[must_use]
    pub fn wear(&self) -> &[u32] {
        &self.wear
    }

    /// Everything that was done to this flash and that a real one forbids, oldest first.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// The first of them.
    #[must_use]
    pub fn violation(&self) -> Option<Violation> {
        self.violations.first().copied()
    }

    /// Forgets the violations, for a test that provokes them.
    pub fn forget_violations(&mut self) {
        self.violations.clear();
    }
}

impl Clone for SimFlash {
    fn clone(&self) -> Self {
        Self {
            geometry: self.geometry.clone(),
            cells: self.cells.clone(),
            programmed: self.programmed.clone(),
            unfinished: self.unfinished.clone(),
            wear: self.wear.clone(),
            power: self.power.fork(),
            tear: self.tear,
            unit: self.unit,
            stats: self.stats,
            marked: self.marked,
            most_erases: self.most_erases,
            faults: self.faults.clone(),
            violations: self.violations.clone(),
        }
    }
}

/// Addresses fit the host's memory, or the flash could not have been made.
fn in_memory(address: u32) -> usize {
    usize::try_from(address).expect("hosts have at least 32 bits")
}
