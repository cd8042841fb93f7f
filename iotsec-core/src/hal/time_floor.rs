use super::UnixTime;

/// Judges what a clock says before anything is decided by it.
///
/// A clock that went back, or was set by whoever answers its questions, must not bring expired things
/// back to life; one that was set far ahead must not make everything expire. The floor starts at the
/// time when the firmware was built and rises with every time that was signed, such as that of an update
/// manifest or of a statement of what is latest. It lives in memory: a device that wants to keep it over a
/// reboot stores [`floor`](Self::floor) and [raises](Self::raise) it again.
///
/// ```
/// use iotsec_core::hal::{Reading, TimeFloor, UnixTime};
///
/// let floor = TimeFloor::new(UnixTime(1_790_000_000)); // built in September 2026
/// assert_eq!(floor.read(Some(UnixTime(0))), Reading::BeforeFloor);
/// assert_eq!(floor.read(None).trusted(), None);
/// let now = UnixTime(1_800_000_000);
/// assert_eq!(floor.read(Some(now)).trusted(), Some(now));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeFloor {
    floor: UnixTime,
    span: u64,
}

impl TimeFloor {
    /// Thirty years, longer than a device lives.
    pub const SPAN: u64 = 30 * 365 * 86_400;

    /// Never before `built`, never more than [`SPAN`](Self::SPAN) seconds after it.
    pub const fn new(built: UnixTime) -> Self {
        Self {
            floor: built,
            span: Self::SPAN,
        }
    }

    /// With another span, in seconds.
    #[must_use]
    pub const fn with_span(mut self, span: u64) -> Self {
        self.span = span;
        self
    }

    /// Raises the floor to a time that was signed. One that lies beyond the span changes nothing: a
    /// floor cannot be lowered, so a mistake would stay.
    pub fn raise(&mut self, signed: UnixTime) {
        if let Reading::Trusted(time) = self.read(Some(signed)) {
            // The end of the span stays where it was.
            self.span = self.span.saturating_sub(time.0.saturating_sub(self.floor.0));
            self.floor = time;
        }
    }

    /// Not before this.
    pub const fn floor(&self) -> UnixTime {
        self.floor
    }

    /// Judges what the clock says.
    pub fn read(&self, clock: Option<UnixTime>) -> Reading {
        match clock {
            None => Reading::Absent,
            Some(time) if time < self.floor => Reading::BeforeFloor,
            Some(time) if time.0.saturating_sub(self.floor.0) > self.span => Reading::FarFuture,
            Some(time) => Reading::Trusted(time),
        }
    }
}

/// What a clock's answer is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// There is no clock, or it is not set.
    Absent,
    /// Before the floor: it went back, or was never set.
    BeforeFloor,
    /// Beyond the life of the device.
    FarFuture,
    /// Good.
    Trusted(UnixTime),
}

impl Reading {
    /// The time, if it can be relied on.
    pub const fn trusted(self) -> Option<UnixTime> {
        match self {
            Self::Trusted(time) => Some(time),
            _ => None,
        }
    }
}
