//! Points in time on the command line: seconds since 1970, or a date (RFC 3339, UTC).

use std::{
    fmt,
    str::FromStr,
    time::{SystemTime, UNIX_EPOCH},
};

use iotsec::core::hal::{Date, UnixTime};

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

const DAY: u64 = 86_400;

impl FromStr for Time {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "takes a date such as 2027-06-30 or 2027-06-30T12:00:00Z, or seconds since 1970";
        if let Ok(seconds) = text.parse() {
            return Ok(Self(seconds));
        }
        let (date, time) = match text.split_once('T') {
            Some((date, time)) => (date, time.strip_suffix('Z').ok_or(WRONG)?),
            None => (text, "00:00:00"),
        };
        let numbers = |text: &str, separator: char| -> Option<[u16; 3]> {
            let parts: Result<Vec<u16>, _> = text.split(separator).map(str::parse).collect();
            parts.ok()?.try_into().ok()
        };
        let [year, month, day] = numbers(date, '-').ok_or(WRONG)?;
        let [month, day] = [month, day].map(|part| u8::try_from(part).unwrap_or(0));
        let [hours, minutes, seconds] = numbers(time, ':').ok_or(WRONG)?;
        let shape = date.len() == 10 && time.len() == 8 && hours < 24 && minutes < 60 && seconds < 60;
        let date = Date::new(year, month, day).filter(|_| shape).ok_or(WRONG)?;
        let seconds = u64::from(hours) * 3600 + u64::from(minutes) * 60 + u64::from(seconds);
        Ok(Self(date.start().0 + seconds))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = self.0 % DAY;
        match Date::of(self.unix()) {
            Some(date) => write!(
                f,
                "{date}T{:02}:{:02}:{:02}Z",
                time / 3600,
                time / 60 % 60,
                time % 60
            ),
            None => write!(f, "{}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_seconds_are_the_same_time() {
        // As `date -u -d @SECONDS` has them.
        for (seconds, date) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_814_399_999, "2027-06-30T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(date.parse(), Ok(Time(seconds)));
            assert_eq!(Time(seconds).to_string(), date);
            assert_eq!(seconds.to_string().parse(), Ok(Time(seconds)));
        }
        assert_eq!("2000-02-29".parse(), Ok(Time(951_782_400)));
        for wrong in [
            "2100-02-29",
            "2027-13-01",
            "2027-6-30",
            "2027-06-30T24:00:00Z",
            "2027-06-30T00:00:00",
            "",
        ] {
            assert!(wrong.parse::<Time>().is_err(), "{wrong}");
        }
    }
}
