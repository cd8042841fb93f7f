use iotsec_core::hal::Millis;

use super::{AUTH_BURST, Finding, pace::Pace};

/// A failure ages by one every so often: five within a minute fill the bucket.
const LEAK_SECONDS: u64 = 12;
/// A person who mistypes stays below; a program does not.
const THRESHOLD: u16 = 5;

/// Notices bursts of failed authentications on one interface, with a leaky bucket.
///
/// Every failure adds one, and one leaks out every 12 seconds, so that five failures at once or a lasting
/// rate above five a minute are noticed. A burst is reported at its fifth failure and then whenever its
/// count has doubled, until the bucket has run empty; in all at most eight times, and once more each hour.
/// What comes more slowly is for [`SlowFailures`](super::SlowFailures).
///
/// State: 40 bytes at most, lost at a reboot.
#[derive(Clone, Debug)]
pub struct FailureBurst {
    interface: u8,
    level: u16,
    /// Failures since the bucket was empty.
    count: u32,
    /// The count at which to report next.
    report_at: u32,
    leaked_at: u64,
    pace: Pace,
}

impl FailureBurst {
    /// For interface number `interface` of the product, 0 to 15.
    pub const fn new(interface: u8) -> Self {
        Self {
            interface,
            level: 0,
            count: 0,
            report_at: 0,
            leaked_at: 0,
            pace: Pace::new(),
        }
    }

    /// Counts a failure at `now`.
    pub fn failed(&mut self, now: Millis) -> Option<Finding> {
        self.leak(now);
        self.level = self.level.saturating_add(1);
        self.count = self.count.saturating_add(1);
        let burst = self.report_at > 0 || self.level >= THRESHOLD;
        if !burst || self.count < self.report_at || !self.pace.allows(now) {
            return None;
        }
        self.report_at = self.count.saturating_mul(2);
        let failures = u16::try_from(self.count).unwrap_or(u16::MAX);
        Some(Finding::new(&AUTH_BURST, self.interface.min(15), failures))
    }

    fn leak(&mut self, now: Millis) {
        let seconds = now.0.checked_div(1000).unwrap_or_default();
        let elapsed = seconds.saturating_sub(self.leaked_at);
        let leaked = elapsed.checked_div(LEAK_SECONDS).unwrap_or_default();
        if u64::from(self.level) <= leaked {
            self.level = 0;
            self.count = 0;
            self.report_at = 0;
            self.leaked_at = seconds;
        } else {
            let leaked = u16::try_from(leaked).unwrap_or(u16::MAX);
            self.level = self.level.saturating_sub(leaked);
            let whole = u64::from(leaked).saturating_mul(LEAK_SECONDS);
            self.leaked_at = self.leaked_at.saturating_add(whole);
        }
    }
}

iotsec_core::claim! {
    provisions: ["5.10-1"],
    claims: "A burst of failed logins becomes an event, and a person who fails now and then does not",
    code: [FailureBurst::failed],
    tests: [
        "iotsec-telemetry::iotsec_telemetry::detect::failure_burst::tests::five_failures_in_a_minute_are_a_burst_and_four_are_not",
        "iotsec-telemetry::iotsec_telemetry::detect::failure_burst::tests::a_person_who_fails_once_a_minute_for_a_day_is_not_reported",
    ],
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reports(failures: impl Iterator<Item = u64>) -> usize {
        let mut burst = FailureBurst::new(0);
        failures
            .filter(|second| burst.failed(Millis::from_secs(*second)).is_some())
            .count()
    }

    #[test]
    fn five_failures_in_a_minute_are_a_burst_and_four_are_not() {
        assert_eq!(reports((0..4).map(|i| i * 10)), 0);
        assert_eq!(reports([100, 101, 102, 103, 104].into_iter()), 1);
    }

    #[test]
    fn a_person_who_fails_once_a_minute_for_a_day_is_not_reported() {
        assert_eq!(reports((0..1440).map(|minute| minute * 60)), 0);
    }

    #[test]
    fn a_lasting_rate_above_five_a_minute_is_noticed() {
        assert!(reports((0..60).map(|i| i * 10)) > 0);
    }

    #[test]
    fn a_million_failures_give_thirteen_reports() {
        assert_eq!(reports((0..1_000_000).map(|i| i / 10)), 13);
    }

    #[test]
    fn a_second_burst_is_reported_again() {
        assert_eq!(reports((0..5).chain(1000..1005)), 2);
    }
}
