use iotsec_core::hal::Millis;

use super::{AUTH_SLOW, Cusum, Finding, pace::Repeats, period::Periods};

const PERIOD: Millis = Millis::from_secs(3600);
/// One failure, in the units of a [`Cusum`], which counts four in an hour at most. More at once is what
/// [`FailureBurst`](super::FailureBurst) is for; here it is one bad moment of a person.
const UNIT: u32 = 256;
/// An owner may fail once in two hours, for ever.
const SLACK: u16 = 128;
/// Eight failures more than that.
const LIMIT: u16 = 8 * 256;

/// Notices failed authentications on one interface that come too slowly for [`FailureBurst`](super::FailureBurst) and
/// go on for longer than a person's mistakes.
///
/// A cumulative sum over hours: each failure adds one, at most four in an hour, and half of one leaks out every hour. Above
/// eight it is reported, and while it goes on again in the second, fourth, eighth … hour. So one guess an hour is noticed
/// within 17 hours, and three an hour within 4. What an owner gets right changes nothing: it says nothing about the others.
///
/// State: 48 bytes, lost at a reboot.
///
/// ```
/// use iotsec_core::hal::Millis;
/// use iotsec_telemetry::detect::{AUTH_SLOW, SlowFailures};
///
/// let mut web = SlowFailures::new(0, Millis(0));
/// let mut at = Millis(0);
/// let finding = loop {
///     at = Millis(at.0 + 1_800_000); // a guess every half hour
///     if let Some(finding) = web.failed(at) { break finding; }
/// };
/// assert_eq!((finding.event().name(), at.0 / 3_600_000), (AUTH_SLOW.name(), 7));
/// ```
#[derive(Clone, Debug)]
pub struct SlowFailures {
    interface: u8,
    sum: Cusum,
    /// Since the sum was last calm.
    failures: u16,
    periods: Periods,
    repeats: Repeats,
}

impl SlowFailures {
    /// For interface number `interface` of the product, 0 to 15.
    pub fn new(interface: u8, now: Millis) -> Self {
        Self {
            interface: interface.min(15),
            sum: Cusum::new(SLACK, LIMIT),
            failures: 0,
            periods: Periods::new(PERIOD, now),
            repeats: Repeats::new(),
        }
    }

    /// Counts a failure at `now`.
    pub fn failed(&mut self, now: Millis) -> Option<Finding> {
        let finding = self.tend(now);
        self.periods.add(1);
        self.failures = self.failures.saturating_add(1);
        finding
    }

    /// Whether it goes on now.
    pub fn is_alarmed(&self) -> bool {
        self.sum.is_alarmed()
    }

    /// To be called now and then, so that hours end without a failure too.
    pub fn tend(&mut self, now: Millis) -> Option<Finding> {
        let mut reported = None;
        while let Some(count) = self.periods.finished(now) {
            let value = count.saturating_mul(UNIT);
            if self.sum.step(i32::try_from(value).unwrap_or(i32::MAX)) {
                reported = self.repeats.seen(0, now).or(reported);
            } else if self.sum.is_calm() {
                self.repeats.clear();
                if count == 0 {
                    self.failures = 0;
                }
            }
        }
        reported.map(|_| Finding::new(&AUTH_SLOW, self.interface, self.failures))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reports over `hours`, with a failure every `minutes`; and the hour of the first.
    fn reports(minutes: u64, hours: u64) -> (usize, Option<u64>) {
        let mut web = SlowFailures::new(3, Millis(0));
        let mut first = None;
        let count = (1..=hours * 60 / minutes)
            .filter(|number| {
                let minute = number * minutes;
                let found = web.failed(Millis::from_secs(minute * 60)).is_some();
                if found && first.is_none() {
                    first = Some(minute / 60);
                }
                found
            })
            .count();
        (count, first)
    }

    #[test]
    fn a_guess_an_hour_is_noticed_within_the_day_and_one_in_two_hours_never() {
        assert_eq!(reports(60, 24).1, Some(18));
        assert_eq!(reports(20, 24).1, Some(4));
        assert_eq!(reports(121, 24 * 365), (0, None));
    }

    #[test]
    fn what_goes_on_for_a_year_is_reported_a_dozen_times() {
        assert_eq!(reports(30, 24 * 365).0, 14);
    }

    #[test]
    fn one_bad_hour_is_no_attack_however_often_it_failed() {
        let mut web = SlowFailures::new(0, Millis(0));
        let mut evening = (0..40).map(|number| Millis::from_secs(number * 80));
        assert!(evening.all(|at| web.failed(at).is_none()));
        assert!(web.tend(Millis::from_secs(86_400)).is_none());
    }
}
