//! Detectors for what must never happen even once.

use iotsec_core::{error::ErrorCode, hal::Millis};

use super::{ENTROPY, EntropyError, Finding, INTEGRITY, STORAGE_FAILED, STORAGE_WORN, pace::Repeats};

/// Notices that software is not what was signed: at once, and when it has been found twice as often.
///
/// State: 20 bytes, lost at a reboot.
///
/// ```
/// use iotsec_core::hal::Millis;
/// use iotsec_telemetry::detect::{INTEGRITY, IntegrityFailures};
///
/// let mut integrity = IntegrityFailures::new();
/// let finding = integrity.found(Some(0), 2401, Millis(0)).unwrap();
/// assert_eq!(finding.event(), &INTEGRITY);
/// ```
#[derive(Clone, Debug)]
pub struct IntegrityFailures(Repeats);

impl IntegrityFailures {
    /// Nothing was found yet.
    pub const fn new() -> Self {
        Self(Repeats::new())
    }

    /// A measurement differs in `component`, or in one that is not known; `error` is the number of the reason.
    pub fn found(&mut self, component: Option<u8>, error: u16, now: Millis) -> Option<Finding> {
        let component = component.unwrap_or(u8::MAX);
        let key = u32::from(component) << 16 | u32::from(error);
        self.0.seen(key, now)?;
        Some(Finding::new(&INTEGRITY, component, error))
    }

    /// A whole round of measurements found nothing.
    pub const fn intact(&mut self) {
        self.0.clear();
    }

    /// Whether something was found since then.
    pub const fn is_alarmed(&self) -> bool {
        self.0.is_going_on()
    }
}

impl Default for IntegrityFailures {
    fn default() -> Self {
        Self::new()
    }
}

/// Bytes in a row that may be the same: by chance more come once in 2⁶⁴ from a source of four bits of entropy a byte.
const SAME_MAX: u8 = 16;
/// How many bytes a window has (NIST SP 800-90B §4.4.2).
const WINDOW: u16 = 512;
/// How often the first byte of a window may come in it. By chance more come once in 2²⁰ windows, or more rarely, from a
/// source of one bit of entropy a byte; the test of this file computes it.
const FIRST_MAX: u16 = 310;
/// Notices that the source of randomness fails: when it says so, when one byte repeats, and when one byte comes far too
/// often (the two health tests of NIST SP 800-90B §4.4).
///
/// It finds sources that are broken, not sources that somebody knows.
///
/// State: 28 bytes, lost at a reboot.
///
/// ```
/// use iotsec_core::hal::Millis;
/// use iotsec_telemetry::detect::{ENTROPY, EntropyHealth};
///
/// let mut entropy = EntropyHealth::new();
/// let finding = entropy.drawn(&[0xA5; 32], Millis(0)).unwrap();
/// assert_eq!(finding.event(), &ENTROPY);
/// ```
#[derive(Clone, Debug)]
pub struct EntropyHealth {
    repeats: Repeats,
    last: u8,
    /// How often `last` came in a row.
    same: u8,
    first: u8,
    /// Bytes of this window.
    seen: u16,
    /// How often `first` came in it.
    firsts: u16,
}

impl EntropyHealth {
    /// Nothing was drawn yet.
    pub const fn new() -> Self {
        Self {
            repeats: Repeats::new(),
            last: 0,
            same: 0,
            first: 0,
            seen: 0,
            firsts: 0,
        }
    }

    /// The source reported a failure; `error` is its number.
    pub fn failed(&mut self, error: u16, now: Millis) -> Option<Finding> {
        let count = self.repeats.seen(error.into(), now)?;
        Some(Finding::new(&ENTROPY, error, count))
    }

    /// The source works again: what was drawn from it was good, or it was replaced.
    pub const fn recovered(&mut self) {
        self.repeats.clear();
    }

    /// Whether it failed since then.
    pub const fn is_alarmed(&self) -> bool {
        self.repeats.is_going_on()
    }

    /// Bytes of the source, as raw as they can be had, and used for nothing else: they leave traces here.
    pub fn drawn(&mut self, bytes: &[u8], now: Millis) -> Option<Finding> {
        let mut finding = None;
        for byte in bytes {
            if let Some(error) = self.judge(*byte) {
                finding = self.failed(error.code(), now).or(finding);
            }
        }
        finding
    }

    fn judge(&mut self, byte: u8) -> Option<EntropyError> {
        if self.same > 0 && byte == self.last {
            self.same = self.same.saturating_add(1);
        } else {
            self.last = byte;
            self.same = 1;
        }
        if self.seen == 0 {
            self.first = byte;
            self.firsts = 0;
        }
        self.firsts = self.firsts.saturating_add(u16::from(byte == self.first));
        self.seen = self.seen.saturating_add(1);
        let ended = self.seen >= WINDOW;
        if ended {
            self.seen = 0;
        }
        if self.same > SAME_MAX {
            // The next run begins anew.
            self.same = 0;
            Some(EntropyError::Stuck)
        } else if ended && self.firsts > FIRST_MAX {
            Some(EntropyError::Biased)
        } else {
            None
        }
    }
}

impl Default for EntropyHealth {
    fn default() -> Self {
        Self::new()
    }
}

/// Per cent of the erasures that a flash is made for, at which it is reported.
const WEAR_STEPS: [u8; 4] = [80, 90, 95, 100];

/// Notices that storage fails, at once, and that it wears out, at 80, 90, 95 and 100 per cent.
///
/// State: 24 bytes, lost at a reboot.
///
/// ```
/// use iotsec_core::hal::Millis;
/// use iotsec_telemetry::detect::{STORAGE_FAILED, STORAGE_WORN, StorageHealth};
///
/// let mut storage = StorageHealth::new();
/// assert_eq!(storage.failed(3107, Millis(0)).unwrap().event(), &STORAGE_FAILED);
/// assert!(storage.worn(79).is_none());
/// assert_eq!(storage.worn(83).unwrap().event(), &STORAGE_WORN);
/// assert!(storage.worn(89).is_none());
/// ```
#[derive(Clone, Debug)]
pub struct StorageHealth {
    repeats: Repeats,
    reported: u8,
}

impl StorageHealth {
    /// Nothing has failed yet.
    pub const fn new() -> Self {
        Self {
            repeats: Repeats::new(),
            reported: 0,
        }
    }

    /// A read or a write failed, or what was read was not authentic; `error` is the number of the reason.
    pub fn failed(&mut self, error: u16, now: Millis) -> Option<Finding> {
        let count = self.repeats.seen(error.into(), now)?;
        Some(Finding::new(&STORAGE_FAILED, error, count))
    }

    /// How much of its life is used up, in per cent: erasures of the page that was erased most, by how many it is made for.
    pub fn worn(&mut self, percent: u8) -> Option<Finding> {
        let percent = percent.min(100);
        let step = WEAR_STEPS.into_iter().rfind(|step| *step <= percent)?;
        if step <= self.reported {
            return None;
        }
        self.reported = step;
        Some(Finding::single(&STORAGE_WORN, percent))
    }
}

impl Default for StorageHealth {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use iotsec_testkit::SimRng;

    use super::*;

    #[test]
    fn a_component_that_stays_changed_is_reported_ever_more_rarely() {
        let mut integrity = IntegrityFailures::new();
        let reports = (0..100_000u64).filter(|round| {
            integrity
                .found(Some(1), 2401, Millis::from_secs(round * 60))
                .is_some()
        });
        assert_eq!(reports.count(), 17);
        assert!(
            integrity
                .found(Some(2), 2401, Millis::from_secs(6_000_001))
                .is_some()
        );
    }

    fn byte(rng: &mut SimRng, bound: u64) -> u8 {
        u8::try_from(rng.below(bound)).unwrap()
    }

    fn findings(entropy: &mut EntropyHealth, bytes: impl Iterator<Item = u8>) -> usize {
        bytes
            .filter(|byte| entropy.drawn(&[*byte], Millis(0)).is_some())
            .count()
    }

    #[test]
    fn ten_million_good_bytes_raise_no_alarm() {
        let (mut rng, mut entropy) = (SimRng::new(1), EntropyHealth::new());
        assert_eq!(
            findings(&mut entropy, (0..10_000_000).map(|_| byte(&mut rng, 256))),
            0
        );
    }

    /// What the limits are for: sources that are poor, not broken.
    #[test]
    fn a_source_of_one_bit_a_byte_passes_the_window_and_one_of_half_a_bit_does_not() {
        let (mut rng, mut entropy) = (SimRng::new(2), EntropyHealth::new());
        // Half of the bytes are zero, none follow each other often enough to be a run.
        let poor = (0..1_000_000).map(|place| {
            if place % 8 == 7 || rng.below(2) == 1 {
                1 + byte(&mut rng, 255)
            } else {
                0
            }
        });
        assert_eq!(findings(&mut entropy, poor), 0);
        let (mut rng, mut entropy) = (SimRng::new(3), EntropyHealth::new());
        let broken = (0..10_000).map(|place| {
            if place % 8 == 7 || rng.below(10) < 2 {
                1 + byte(&mut rng, 255)
            } else {
                0
            }
        });
        assert!(findings(&mut entropy, broken) > 0);
    }

    #[test]
    fn a_stuck_source_is_noticed_at_its_seventeenth_byte() {
        for byte in [0x00, 0xFF, 0x5A] {
            let mut entropy = EntropyHealth::new();
            assert!(entropy.drawn(&[byte; 16], Millis(0)).is_none());
            assert!(entropy.drawn(&[byte], Millis(0)).is_some());
        }
    }

    /// The smallest `c` for which more than `c` of 512 even coins come up once in 2²⁰, or more rarely. Exact: Pascal's
    /// triangle by halves, with 62 bits after the point.
    #[test]
    fn the_limit_of_a_window_is_that_of_the_standard() {
        let mut row = std::vec![0u64; 513];
        row[0] = 1 << 62;
        for _ in 0..512 {
            for place in (0..513).rev() {
                let left = if place == 0 { 0 } else { row[place - 1] };
                row[place] = row[place] / 2 + left / 2;
            }
        }
        let mut above = 0u64;
        let mut limit = 512;
        while above + row[limit] <= 1 << 42 {
            above += row[limit];
            limit -= 1;
        }
        assert_eq!(u16::try_from(limit), Ok(FIRST_MAX));
    }

    #[test]
    fn wear_is_reported_four_times_in_a_life() {
        let mut storage = StorageHealth::new();
        let reports = (0..=255).filter(|percent| storage.worn(*percent).is_some());
        assert_eq!(reports.count(), 4);
        // A reading that falls again is noise.
        assert!(storage.worn(80).is_none());
    }
}
