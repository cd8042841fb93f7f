//! A monotonic counter in simulated hardware.

use iotsec_core::hal::{CounterError, MonotonicCounter};

use crate::Power;

/// A counter that tears as [`MonotonicCounter`] allows: a cut advance leaves the old or the new value.
///
/// ```
/// use iotsec_core::hal::{CounterError, MonotonicCounter};
/// use iotsec_testkit::SimCounter;
///
/// let mut counter = SimCounter::new();
/// counter.advance_to(5)?;
/// counter.advance_to(3)?;
/// assert_eq!((counter.read()?, counter.advances()), (5, 1));
/// counter.set_unreadable(true);
/// assert_eq!(counter.read(), Err(CounterError::Unreadable));
/// # Ok::<(), CounterError>(())
/// ```
#[derive(Debug)]
pub struct SimCounter {
    value: u64,
    limit: u64,
    unreadable: bool,
    advances: u64,
    power: Power,
}

impl SimCounter {
    /// At zero, with a power supply of its own.
    #[must_use]
    pub fn new() -> Self {
        Self {
            value: 0,
            limit: u64::MAX,
            unreadable: false,
            advances: 0,
            power: Power::new(),
        }
    }

    /// On the same supply as the rest of the device. One advance is one step.
    #[must_use]
    pub fn powered_by(mut self, power: &Power) -> Self {
        self.power = power.clone();
        self
    }

    /// Starting at `value`.
    #[must_use]
    pub const fn at(mut self, value: u64) -> Self {
        self.value = value;
        self
    }

    /// Unable to count beyond `limit`.
    #[must_use]
    pub const fn with_limit(mut self, limit: u64) -> Self {
        self.limit = limit;
        self
    }

    /// Breaks the counter, or mends it.
    pub const fn set_unreadable(&mut self, unreadable: bool) {
        self.unreadable = unreadable;
    }

    /// Times that the value was raised.
    #[must_use]
    pub const fn advances(&self) -> u64 {
        self.advances
    }

    /// The value, whatever the mode and the power.
    #[must_use]
    pub const fn value(&self) -> u64 {
        self.value
    }
}

impl Default for SimCounter {
    fn default() -> Self {
        Self::new()
    }
}

impl Clone for SimCounter {
    /// A snapshot on a power supply of its own; join it to another with [`powered_by`](Self::powered_by).
    fn clone(&self) -> Self {
        Self {
            power: self.power.fork(),
            ..*self
        }
    }
}

impl MonotonicCounter for SimCounter {
    fn read(&mut self) -> Result<u64, CounterError> {
        if self.unreadable || self.power.is_lost() {
            return Err(CounterError::Unreadable);
        }
        Ok(self.value)
    }

    fn advance_to(&mut self, value: u64) -> Result<(), CounterError> {
        if value <= self.read()? {
            return Ok(());
        }
        if value > self.limit {
            return Err(CounterError::Exhausted);
        }
        let whole = self.power.spend(1) == 1;
        if whole || self.power.chance() & 1 == 1 {
            self.value = value;
            self.advances += 1;
        }
        if whole {
            Ok(())
        } else {
            Err(CounterError::Unreadable)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_advance_leaves_the_old_or_the_new_value() {
        let mut seen = [0, 0];
        for seed in 0..64 {
            let mut counter = SimCounter::new().at(10);
            counter.power.reseed(seed);
            counter.power.cut_after(0);
            assert_eq!(counter.advance_to(20), Err(CounterError::Unreadable));
            assert_eq!(counter.read(), Err(CounterError::Unreadable));
            counter.power.restore();
            match counter.read() {
                Ok(10) => seen[0] += 1,
                Ok(20) => seen[1] += 1,
                other => panic!("{other:?}"),
            }
        }
        assert!(seen[0] > 10 && seen[1] > 10, "{seen:?}");
    }

    #[test]
    fn a_limit_is_reported_and_changes_nothing() {
        let mut counter = SimCounter::new().with_limit(3);
        assert_eq!(counter.advance_to(4), Err(CounterError::Exhausted));
        assert_eq!(counter.read(), Ok(0));
    }
}
