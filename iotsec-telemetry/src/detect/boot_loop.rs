use iotsec_core::hal::Millis;

use super::{BOOT_LOOP, Finding, kept_count};

/// Unclean restarts in a row that count as a loop.
const THRESHOLD: u8 = 3;
/// A boot that lasts this long ends a loop.
const STABLE: Millis = Millis::from_secs(600);

/// Bytes of the record that a [`BootLoop`] needs over a reboot.
pub const BOOT_RECORD_LEN: usize = kept_count::LEN;

/// Notices a device that keeps restarting.
///
/// The application keeps [`record`](Self::record) where it survives a reset (retained RAM, a backup
/// register, the store), and says at every boot whether the last one ended as it should.
///
/// *Power loss:* a record that was not kept, or is not as written, counts as no restarts.
///
/// | byte | content |
/// |---|---|
/// | 0 | unclean restarts in a row |
/// | 1 | the same, all bits inverted |
#[derive(Clone, Debug)]
pub struct BootLoop {
    restarts: u8,
}

impl BootLoop {
    /// To be called once at every boot, with the record of the last one. `clean` is a restart that was
    /// asked for, such as the one into an update.
    ///
    /// Store [`record`](Self::record) at once: the next reset may come soon.
    ///
    /// ```
    /// use iotsec_telemetry::detect::BootLoop;
    ///
    /// let mut record = None;
    /// let mut findings = 0;
    /// for _ in 0..4 {
    ///     let (watch, finding) = BootLoop::started(record.as_ref(), false);
    ///     record = Some(watch.record());
    ///     findings += u32::from(finding.is_some());
    /// }
    /// assert_eq!(findings, 1);
    /// ```
    pub fn started(record: Option<&[u8; BOOT_RECORD_LEN]>, clean: bool) -> (Self, Option<Finding>) {
        let before = kept_count::decode(record);
        let restarts = if clean { 0 } else { before.saturating_add(1) };
        // At 3, 6, 12 and so on: a loop that lasts must not fill the queue.
        let due = restarts.is_multiple_of(THRESHOLD)
            && restarts.checked_div(THRESHOLD).is_some_and(u8::is_power_of_two);
        let finding = due.then(|| Finding::single(&BOOT_LOOP, restarts));
        (Self { restarts }, finding)
    }

    /// Ends the loop once this boot has lasted ten minutes; `true` when the record has changed.
    pub fn stayed_up(&mut self, uptime: Millis) -> bool {
        let changed = uptime >= STABLE && self.restarts != 0;
        if changed {
            self.restarts = 0;
        }
        changed
    }

    /// What the next boot needs.
    pub const fn record(&self) -> [u8; BOOT_RECORD_LEN] {
        kept_count::encode(self.restarts)
    }
}

iotsec_core::claim! {
    provisions: ["5.10-1"],
    claims: "A device that restarts again and again says so at its third restart",
    code: [BootLoop::started],
    tests: [
        "iotsec-telemetry::iotsec_telemetry::detect::boot_loop::tests::a_loop_is_reported_at_its_third_restart_and_then_ever_more_rarely",
    ],
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boots(count: usize, clean_every: usize, minutes_up: u64) -> usize {
        let (mut record, mut findings) = (None, 0);
        for boot in 1..=count {
            let (mut watch, finding) = BootLoop::started(record.as_ref(), boot % clean_every == 0);
            findings += usize::from(finding.is_some());
            watch.stayed_up(Millis::from_secs(minutes_up * 60));
            record = Some(watch.record());
        }
        findings
    }

    #[test]
    fn a_loop_is_reported_at_its_third_restart_and_then_ever_more_rarely() {
        assert_eq!(boots(2, usize::MAX, 1), 0);
        assert_eq!(boots(3, usize::MAX, 1), 1);
        assert_eq!(boots(100_000, usize::MAX, 1), 7);
    }

    #[test]
    fn power_cuts_ten_minutes_apart_are_no_loop() {
        assert_eq!(boots(1000, usize::MAX, 10), 0);
        assert_eq!(boots(3, usize::MAX, 9), 1);
    }

    #[test]
    fn a_requested_restart_ends_the_count() {
        assert_eq!(boots(1000, 3, 1), 0);
    }

    #[test]
    fn a_damaged_record_counts_as_no_restarts() {
        let (watch, finding) = BootLoop::started(Some(&[2, 0xFC]), false);
        assert!(finding.is_none());
        assert_eq!(watch.record(), [1, 0xFE]);
    }
}
