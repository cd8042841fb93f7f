//! Points in time on the command line: seconds since 1970, or a date (RFC 3339, UTC).

use std::{
    fmt,
    str::FromStr,
    time::{SystemTime, UNIX_EPOCH},
};

use iotsec::core::hal::UnixTime;

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
        let numbers = |text: &str, separator: char| -> Option<[u64; 3]> {
            let parts: Result<Vec<u64>, _> = text.split(separator).map(str::parse).collect();
            parts.ok()?.try_into().ok()
        };
        let [year, month, day] = numbers(date, '-').ok_or(WRONG)?;
        let [hours, minutes, seconds] = numbers(time, ':').ok_or(WRONG)?;
        let shape = date.len() == 10 && time.len() == 8 && hours < 24 && minutes < 60 && seconds < 60;
        // A day that the calendar does not have comes back as another one.
        (1970..=9999)
            .contains(&year)
            .then(|| days(year, month, day))
            .flatten()
            .map(|days| Self(days * DAY + hours * 3600 + minutes * 60 + seconds))
            .filter(|time| shape && time.to_string().starts_with(date))
            .ok_or(WRONG)
    }
}

/// Days since 1970-01-01 of a date in the Gregorian calendar, counted in years that begin in March.
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let month = (month + 9) % 12;
    let of_year = (153 * month + 2) / 5 + day - 1;
    (year * 365 + year / 4 - year / 100 + year / 400 + of_year).checked_sub(719_468)
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = self.0 / DAY + 719_468;
        let (era, of_era) = (days / 146_097, days % 146_097);
        let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let year = era * 400 + year + u64::from(month <= 2);
        let time = self.0 % DAY;
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z",
            time / 3600,
            time / 60 % 60,
            time % 60
        )
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
