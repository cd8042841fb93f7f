use iotsec_core::hal::{Millis, Reading, TimeFloor, UnixTime};

use super::{
    CLOCK_ROLLBACK, Finding,
    pace::{Pace, seconds},
};

/// Seconds by which a clock may be set back: corrections over a network, and a person's.
const TOLERATED: u64 = 120;
/// Of so many seconds that pass, a clock that runs slowly, beside a crystal that runs fast, may lose one: 200 parts in a
/// million.
const DRIFT: u64 = 5000;

/// Notices a clock that goes back by more than two minutes, at once or in small steps, or before a floor.
///
/// It compares what the clock says with the latest that it ever said, and what has passed since by uptime. Whoever sets the
/// clock back little by little is noticed all the same: only 17 s a day count as the drift of a crystal. It never learns
/// from a clock that went back; [`proved`](Self::proved) is the way to correct one that was ahead.
///
/// It is reported again when the clock is twice as far back.
///
/// State: 56 bytes. Over a reboot the floor is what remains.
///
/// ```
/// use iotsec_core::hal::{Millis, TimeFloor, UnixTime};
/// use iotsec_telemetry::detect::ClockRollback;
///
/// let mut watch = ClockRollback::new(TimeFloor::new(UnixTime(1_790_000_000)));
/// assert!(watch.read(Millis::from_secs(10), UnixTime(1_800_000_000)).is_none());
/// assert!(watch.read(Millis::from_secs(20), UnixTime(1_799_999_900)).is_none());
/// assert!(watch.read(Millis::from_secs(30), UnixTime(1_799_999_800)).is_some());
/// assert!(watch.read(Millis::from_secs(40), UnixTime(1_799_999_810)).is_none());
/// ```
#[derive(Clone, Debug)]
pub struct ClockRollback {
    floor: TimeFloor,
    /// The latest that the clock said, and when.
    latest: UnixTime,
    at: u32,
    /// How far back at the last report; zero when all is well.
    reported: u64,
    pace: Pace,
}

impl ClockRollback {
    /// Compares with `floor` at first: what was built, signed, or kept over the reboot.
    pub const fn new(floor: TimeFloor) -> Self {
        Self {
            floor,
            latest: floor.floor(),
            at: 0,
            reported: 0,
            pace: Pace::new(),
        }
    }

    /// What the clock says at `uptime`, to be called every few minutes and after each correction. A time beyond the life of
    /// the device is no time.
    pub fn read(&mut self, uptime: Millis, clock: UnixTime) -> Option<Finding> {
        if self.floor.read(Some(clock)) == Reading::FarFuture {
            return None;
        }
        let now = seconds(uptime);
        let expected = self.expected(now);
        let back = expected.saturating_sub(clock.0);
        if back == 0 {
            self.latest = clock;
            self.at = now;
        }
        if back <= TOLERATED {
            self.reported = 0;
            return None;
        }
        if back < self.reported.saturating_mul(2) || !self.pace.allows(uptime) {
            return None;
        }
        self.reported = back;
        let by = u32::try_from(back).unwrap_or(u32::MAX);
        Some(Finding::single(&CLOCK_ROLLBACK, by))
    }

    /// Somebody proved what time it is: a signature, a verified server, the owner. The clock was ahead, and may go back to it, but
    /// not before the floor.
    pub fn proved(&mut self, uptime: Millis, time: UnixTime) {
        self.latest = time.max(self.floor.floor());
        self.at = seconds(uptime);
        self.reported = 0;
    }

    /// The earliest that a good clock can say.
    fn expected(&self, now: u32) -> u64 {
        let passed = u64::from(now.saturating_sub(self.at));
        let lost = passed.checked_div(DRIFT).unwrap_or_default();
        self.latest.0.saturating_add(passed.saturating_sub(lost))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: u64 = 1_800_000_000;
    const DAY: u64 = 86_400;

    fn watch() -> ClockRollback {
        ClockRollback::new(TimeFloor::new(UnixTime(1_790_000_000)))
    }

    /// Reports over `days`, with a look every ten minutes at a clock that is `back(second)` behind.
    fn reports(days: u64, back: impl Fn(u64) -> u64) -> usize {
        let mut watch = watch();
        let looks = (0..days * DAY).step_by(600);
        looks
            .filter(|second| {
                let clock = UnixTime(START + second - back(*second));
                watch.read(Millis::from_secs(*second), clock).is_some()
            })
            .count()
    }

    #[test]
    fn two_minutes_are_a_correction_and_more_is_not() {
        assert_eq!(reports(1, |second| 120 * u64::from(second > 5000)), 0);
        assert_eq!(reports(1, |second| 130 * u64::from(second > 5000)), 1);
    }

    #[test]
    fn a_clock_that_drifts_for_a_year_and_is_never_corrected_raises_no_alarm() {
        // 150 parts in a million: a bad crystal.
        assert_eq!(reports(365, |second| second * 150 / 1_000_000), 0);
    }

    #[test]
    fn steps_of_a_minute_are_noticed_at_the_third() {
        let step = |second| 60 * (second / 3600);
        assert_eq!(reports(1, |second| step(second).min(120)), 0);
        assert_eq!(reports(1, |second| step(second).min(180)), 1);
    }

    #[test]
    fn a_clock_that_is_set_back_every_ten_minutes_is_reported_ever_more_rarely() {
        assert_eq!(reports(30, |second| second / 2), 12);
    }

    #[test]
    fn a_clock_that_jumps_back_and_forth_gets_no_more_than_the_pace() {
        assert_eq!(reports(10, |second| 1000 * (second / 600 % 2)), 8 + 239);
    }

    #[test]
    fn a_clock_before_the_floor_after_a_reboot_is_noticed_at_once() {
        assert!(watch().read(Millis(0), UnixTime(5)).is_some());
        assert!(watch().read(Millis(0), UnixTime(1_790_000_000)).is_none());
    }

    #[test]
    fn what_was_proved_ends_an_alarm_and_a_time_beyond_all_life_starts_none() {
        let mut watch = watch();
        assert!(watch.read(Millis(0), UnixTime(START)).is_none());
        assert!(watch.read(Millis(1000), UnixTime(u64::MAX)).is_none());
        assert!(watch.read(Millis(2000), UnixTime(START - 1000)).is_some());
        watch.proved(Millis(3000), UnixTime(START - 1000));
        assert!(watch.read(Millis(4000), UnixTime(START - 999)).is_none());
        watch.proved(Millis(5000), UnixTime(7));
        assert!(watch.read(Millis(6000), UnixTime(8)).is_some());
    }
}
