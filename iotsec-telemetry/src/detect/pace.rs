//! What keeps an attacker from flooding the queue through a detector.

use iotsec_core::hal::Millis;

/// Reports at once at most: enough to see how something grows.
pub(super) const BURST: u8 = 8;
/// Then one each hour.
pub(super) const REFILL: u32 = 3600;

/// Whole seconds of uptime; they last for 136 years.
pub(super) fn seconds(now: Millis) -> u32 {
    u32::try_from(now.0.checked_div(1000).unwrap_or_default()).unwrap_or(u32::MAX)
}

/// Lets [`BURST`] reports through, and one more for each [`REFILL`] that passes: whatever happens, a detector reports
/// at most 8 times and once for every hour that it has run.
#[derive(Clone, Debug)]
pub(super) struct Pace {
    spent: u8,
    since: u32,
}

impl Pace {
    pub(super) const fn new() -> Self {
        Self { spent: 0, since: 0 }
    }

    /// Whether one more report may go out now; if so, it is counted.
    pub(super) fn allows(&mut self, now: Millis) -> bool {
        let now = seconds(now);
        let refilled = now
            .saturating_sub(self.since)
            .checked_div(REFILL)
            .unwrap_or_default();
        if u32::from(self.spent) <= refilled {
            *self = Self { spent: 0, since: now };
        } else {
            self.spent = self
                .spent
                .saturating_sub(u8::try_from(refilled).unwrap_or(u8::MAX));
            self.since = self.since.saturating_add(refilled.saturating_mul(REFILL));
        }
        let allowed = self.spent < BURST;
        if allowed {
            self.spent = self.spent.saturating_add(1);
        }
        allowed
    }
}

/// Counts one thing that may go on, and says when to report it: at once, then whenever the count has doubled, within
/// the [`Pace`]. Something else is counted anew.
#[derive(Clone, Debug)]
pub(super) struct Repeats {
    key: u32,
    count: u32,
    report_at: u32,
    pace: Pace,
}

impl Repeats {
    pub(super) const fn new() -> Self {
        Self {
            key: 0,
            count: 0,
            report_at: 0,
            pace: Pace::new(),
        }
    }

    /// Counts `key` once more; the count, if it is time to report it.
    pub(super) fn seen(&mut self, key: u32, now: Millis) -> Option<u16> {
        if key != self.key {
            self.clear();
            self.key = key;
        }
        self.count = self.count.saturating_add(1);
        if self.count < self.report_at || !self.pace.allows(now) {
            return None;
        }
        self.report_at = self.count.saturating_mul(2);
        Some(u16::try_from(self.count).unwrap_or(u16::MAX))
    }

    /// Whether it was seen since it was last over.
    pub(super) const fn is_going_on(&self) -> bool {
        self.count > 0
    }

    /// It is over: the next time is the first again.
    pub(super) const fn clear(&mut self) {
        self.count = 0;
        self.report_at = 0;
    }
}

#[cfg(test)]
mod tests {
    use iotsec_testkit::SimRng;

    use super::*;

    #[test]
    fn eight_at_once_then_one_an_hour() {
        let mut pace = Pace::new();
        let reports = |pace: &mut Pace, from: u64, to: u64| {
            (from..to)
                .filter(|second| pace.allows(Millis::from_secs(*second)))
                .count()
        };
        assert_eq!(reports(&mut pace, 100, 1000), 8);
        assert_eq!(reports(&mut pace, 1000, 100 + 10 * 3600), 9);
        // After a quiet day there is room for a burst again, and for no more.
        assert_eq!(reports(&mut pace, 40 * 3600, 40 * 3600 + 900), 8);
    }

    #[test]
    fn no_choice_of_keys_and_moments_gets_more_through_than_the_pace() {
        for seed in 0..20 {
            let (mut rng, mut repeats) = (SimRng::new(seed), Repeats::new());
            let (mut now, mut reports) = (0, 0);
            while now < 30 * 86_400 {
                now += rng.below(300);
                reports += u32::from(
                    repeats
                        .seen(u32::try_from(rng.below(3)).unwrap(), Millis::from_secs(now))
                        .is_some(),
                );
                if rng.below(10) == 0 {
                    repeats.clear();
                }
            }
            let most = u32::from(BURST) + 30 * 24;
            assert!((most - 8..=most).contains(&reports), "seed {seed}: {reports}");
        }
    }

    #[test]
    fn what_goes_on_is_reported_when_it_has_doubled() {
        let mut repeats = Repeats::new();
        let counts: std::vec::Vec<_> = (0..20)
            .filter_map(|second| repeats.seen(7, Millis::from_secs(second)))
            .collect();
        assert_eq!(counts, [1, 2, 4, 8, 16]);
        assert_eq!(repeats.seen(8, Millis::from_secs(20)), Some(1));
    }
}
