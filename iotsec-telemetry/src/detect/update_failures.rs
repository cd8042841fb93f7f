use iotsec_core::hal::Millis;

use super::{Finding, UPDATE_REFUSED, UPDATE_UNREACHABLE, pace::Repeats};

/// Downloads in a row that may fail: a router restarts, a server is away for an evening.
const TOLERATED: u16 = 2;

/// Notices updates that are refused, at once, and updates that cannot be fetched, after three attempts in a row.
///
/// The same refusal is reported again when its count has doubled.
///
/// State: 48 bytes at most, lost at a reboot.
///
/// ```
/// use iotsec_core::hal::Millis;
/// use iotsec_telemetry::detect::{UPDATE_REFUSED, UPDATE_UNREACHABLE, UpdateFailures};
///
/// let mut updates = UpdateFailures::new();
/// // An update's `ErrorCode::code()`: which check failed.
/// let finding = updates.refused(2301, Millis(0)).unwrap();
/// assert_eq!(finding.event(), &UPDATE_REFUSED);
///
/// assert!(updates.download_failed(5402, Millis(10)).is_none());
/// assert!(updates.download_failed(5402, Millis(20)).is_none());
/// let finding = updates.download_failed(5402, Millis(30)).unwrap();
/// assert_eq!(finding.event(), &UPDATE_UNREACHABLE);
/// ```
#[derive(Clone, Debug)]
pub struct UpdateFailures {
    refusals: Repeats,
    failures: u16,
    downloads: Repeats,
}

impl UpdateFailures {
    /// Nothing has failed yet.
    pub const fn new() -> Self {
        Self {
            refusals: Repeats::new(),
            failures: 0,
            downloads: Repeats::new(),
        }
    }

    /// What came was refused: not authentic, not for this device, too old, or not what its digest says. `error` is the
    /// number of the reason.
    pub fn refused(&mut self, error: u16, now: Millis) -> Option<Finding> {
        let count = self.refusals.seen(error.into(), now)?;
        Some(Finding::new(&UPDATE_REFUSED, error, count))
    }

    /// Nothing came, or not all of it.
    pub fn download_failed(&mut self, error: u16, now: Millis) -> Option<Finding> {
        self.failures = self.failures.saturating_add(1);
        if self.failures <= TOLERATED {
            return None;
        }
        self.downloads.seen(0, now)?;
        Some(Finding::new(&UPDATE_UNREACHABLE, error, self.failures))
    }

    /// The server was asked, and what it has was fetched, or is here already.
    pub const fn fetched(&mut self) {
        self.failures = 0;
        self.downloads.clear();
    }

    /// An update passed all checks.
    pub const fn accepted(&mut self) {
        self.refusals.clear();
    }
}

iotsec_core::claim! {
    provisions: ["5.10-1"],
    claims: "An update that was refused becomes an event, and so does its repetition when it has doubled",
    code: [UpdateFailures::refused],
    tests: [
        "iotsec-telemetry::iotsec_telemetry::detect::update_failures::tests::the_first_refusal_is_reported_and_its_repetition_when_it_has_doubled",
    ],
}

impl Default for UpdateFailures {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_refusal_is_reported_and_its_repetition_when_it_has_doubled() {
        let mut updates = UpdateFailures::new();
        let mut refuse = |error, second| updates.refused(error, Millis::from_secs(second)).is_some();
        assert!(refuse(2301, 0));
        assert!(refuse(2301, 1));
        assert!(!refuse(2301, 2));
        assert!(refuse(2302, 3), "another reason");
    }

    #[test]
    fn two_failed_downloads_are_none_and_the_third_in_a_row_is_one() {
        let mut updates = UpdateFailures::new();
        for _ in 0..100 {
            assert!(updates.download_failed(5402, Millis(0)).is_none());
            assert!(updates.download_failed(5402, Millis(0)).is_none());
            updates.fetched();
        }
        updates.download_failed(5402, Millis(0));
        updates.download_failed(5402, Millis(0));
        assert!(updates.download_failed(5402, Millis(0)).is_some());
    }

    #[test]
    fn a_server_that_sends_good_and_bad_in_turn_gets_no_more_than_the_pace() {
        let mut updates = UpdateFailures::new();
        let reports = (0..86_400).filter(|second| {
            updates.accepted();
            updates.refused(2301, Millis::from_secs(*second)).is_some()
        });
        assert_eq!(reports.count(), 8 + 23);
    }
}
