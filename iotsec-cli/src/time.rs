//! Points in time on the command line: seconds since 1970, or a date (RFC 3339, UTC).

use std::{
    fmt,
    str::FromStr,
    time::{SystemTime, UNIX_EPOCH},
};

use iotsec::core::hal::UnixTime;
use iotsec_disclosure::Moment;

/// Seconds since 1970, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Time(pub(crate) u64);

impl Time {
    /// By this computer's clock.
    pub(crate) fn now() -> Option<Self> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
        Some(Self(since.as_secs()))
    }

    pub(crate) const fn unix(self) -> UnixTime {
        UnixTime(self.0)
    }
}

impl FromStr for Time {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(|Moment(time)| Self(time.0))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Moment(self.unix()).fmt(f)
    }
}
