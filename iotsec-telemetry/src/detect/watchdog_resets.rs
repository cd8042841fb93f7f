use iotsec_core::hal::Millis;

use super::{Finding, WATCHDOG, kept_count};

/// A boot that lasts this long ends the count: whatever makes the device hang is rarer than once a day.
const STABLE: Millis = Millis::from_secs(86_400);

/// Bytes of the record that [`WatchdogResets`] needs over a reboot.
pub const WATCHDOG_RECORD_LEN: usize = kept_count::LEN;

/// Notices restarts by the watchdog: the first at once, then when their number has doubled.
///
/// The record is kept like that of [`BootLoop`](super::BootLoop), and has its form. A watchdog must be fed by whatever the
/// device is for, and never by whether a network can be reached, or each outage becomes a boot loop.
///
/// *Power loss:* a record that was not kept, or is not as written, counts as no resets.
#[derive(Clone, Debug)]
pub struct WatchdogResets {
    resets: u8,
}

impl WatchdogResets {
    /// To be called once at every boot, with the record of the last one, and whether the watchdog made it.
    ///
    /// ```
    /// use iotsec_telemetry::detect::WatchdogResets;
    ///
    /// let (watch, finding) = WatchdogResets::started(None, true);
    /// assert!(finding.is_some());
    /// let record = watch.record();
    /// let (_, finding) = WatchdogResets::started(Some(&record), false);
    /// assert!(finding.is_none());
    /// ```
    pub fn started(record: Option<&[u8; WATCHDOG_RECORD_LEN]>, by_watchdog: bool) -> (Self, Option<Finding>) {
        let before = kept_count::decode(record);
        if !by_watchdog {
            return (Self { resets: before }, None);
        }
        let resets = before.saturating_add(1);
        let due = resets.is_power_of_two() && resets > before;
        let finding = due.then(|| Finding::single(&WATCHDOG, resets));
        (Self { resets }, finding)
    }

    /// Ends the count once this boot has lasted a day; `true` when the record has changed.
    pub fn stayed_up(&mut self, uptime: Millis) -> bool {
        let changed = uptime >= STABLE && self.resets != 0;
        if changed {
            self.resets = 0;
        }
        changed
    }

    /// What the next boot needs.
    pub const fn record(&self) -> [u8; WATCHDOG_RECORD_LEN] {
        kept_count::encode(self.resets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boots(count: usize, hours_up: u64) -> usize {
        let (mut record, mut findings) = (None, 0);
        for _ in 0..count {
            let (mut watch, finding) = WatchdogResets::started(record.as_ref(), true);
            findings += usize::from(finding.is_some());
            watch.stayed_up(Millis::from_secs(hours_up * 3600));
            record = Some(watch.record());
        }
        findings
    }

    #[test]
    fn a_device_that_hangs_for_ever_reports_eight_times() {
        assert_eq!(boots(1, 1), 1);
        assert_eq!(boots(10_000, 23), 8);
    }

    #[test]
    fn a_device_that_hangs_once_a_week_reports_each_time() {
        assert_eq!(boots(52, 7 * 24), 52);
    }

    #[test]
    fn a_damaged_record_counts_as_no_resets() {
        let (watch, _) = WatchdogResets::started(Some(&[9, 9]), false);
        assert_eq!(watch.record(), [0, 0xFF]);
    }
}
