//! A clock that a test sets.

use std::cell::Cell;

use iotsec_core::hal::{Millis, UnixTime, Uptime, WallClock};

/// Uptime and, if the device has it, wall-clock time. Time passes only when the test says so.
///
/// ```
/// use iotsec_core::hal::{Millis, UnixTime, Uptime, WallClock};
/// use iotsec_testkit::SimClock;
///
/// let clock = SimClock::new();
/// clock.advance(Millis::from_secs(90));
/// assert_eq!(clock.uptime(), Millis(90_000));
/// assert_eq!(clock.now(), None);
/// clock.set_wall(Some(UnixTime(1_700_000_000)));
/// clock.reboot();
/// assert_eq!(clock.uptime(), Millis(0));
/// assert_eq!(clock.now(), Some(UnixTime(1_700_000_000)));
/// ```
#[derive(Clone, Debug, Default)]
pub struct SimClock {
    uptime: Cell<u64>,
    /// Milliseconds since 1970.
    wall: Cell<Option<u64>>,
}

impl SimClock {
    /// Just booted, without wall-clock time.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets `time` pass on both clocks.
    pub fn advance(&self, time: Millis) {
        self.uptime.set(self.uptime.get().saturating_add(time.0));
        self.wall
            .set(self.wall.get().map(|now| now.saturating_add(time.0)));
    }

    /// Sets the wall clock, forward or back, or takes it away.
    pub fn set_wall(&self, time: Option<UnixTime>) {
        self.wall.set(time.map(|time| time.0.saturating_mul(1000)));
    }

    /// Uptime starts again; the wall clock stays, as behind a battery.
    pub fn reboot(&self) {
        self.uptime.set(0);
    }
}

impl Uptime for SimClock {
    fn uptime(&self) -> Millis {
        Millis(self.uptime.get())
    }
}

impl WallClock for SimClock {
    fn now(&self) -> Option<UnixTime> {
        self.wall.get().map(|now| UnixTime(now / 1000))
    }
}
