use iotsec_core::hal::Millis;

use super::pace::seconds;

/// Empty periods that are told one by one: enough to empty every sum.
const EMPTY_MAX: u32 = 48;

/// Counts what happens in periods of one length.
#[derive(Clone, Debug)]
pub(super) struct Periods {
    length: u32,
    began: u32,
    count: u32,
}

impl Periods {
    /// Periods of `length`, from a minute to a week; shorter and longer ones are brought into these bounds.
    pub(super) fn new(length: Millis, now: Millis) -> Self {
        Self {
            length: seconds(length).clamp(60, 7 * 86_400),
            began: seconds(now),
            count: 0,
        }
    }

    /// Counts in the present period, once [`finished`](Self::finished) has none left.
    pub(super) const fn add(&mut self, count: u32) {
        self.count = self.count.saturating_add(count);
    }

    /// The count of the oldest period that is over and not told yet. Of a long silence the end is left out.
    pub(super) fn finished(&mut self, now: Millis) -> Option<u32> {
        let now = seconds(now);
        let passed = now
            .saturating_sub(self.began)
            .checked_div(self.length)
            .unwrap_or_default();
        let skipped = passed.saturating_sub(EMPTY_MAX);
        match passed {
            0 => return None,
            // The skipped ones are empty: nothing was counted since the oldest of them.
            _ => {
                let told = skipped.saturating_add(1);
                self.began = self.began.saturating_add(told.saturating_mul(self.length));
            }
        }
        Some(core::mem::take(&mut self.count))
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    fn told(periods: &mut Periods, hour: u64) -> Vec<u32> {
        core::iter::from_fn(|| periods.finished(Millis::from_secs(hour * 3600))).collect()
    }

    #[test]
    fn each_period_is_told_once_and_silence_is_bounded() {
        let mut periods = Periods::new(Millis::from_secs(3600), Millis(0));
        periods.add(3);
        assert!(told(&mut periods, 0).is_empty());
        assert_eq!(told(&mut periods, 3), [3, 0, 0]);
        periods.add(5);
        let told = told(&mut periods, 10_000);
        assert_eq!((told.len(), told[0], told[1]), (48, 5, 0));
        periods.add(1);
        assert_eq!(periods.finished(Millis::from_secs(10_001 * 3600)), Some(1));
    }
}
