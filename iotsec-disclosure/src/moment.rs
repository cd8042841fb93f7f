//! Points in time, as documents write them.

use std::{fmt, str::FromStr};

use iotsec_core::hal::{Date, UnixTime};
use iotsec_evidence::report;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de::Error as _};

/// A second, in UTC: written as RFC 3339 has it.
///
/// ```
/// use iotsec_disclosure::Moment;
///
/// let moment: Moment = "2027-06-30T12:00:00Z".parse().unwrap();
/// assert_eq!(moment.plus_hours(24).to_string(), "2027-07-01T12:00:00Z");
/// assert_eq!("2027-06-30".parse::<Moment>().unwrap().to_string(), "2027-06-30T00:00:00Z");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub UnixTime);

impl Moment {
    /// 1970-01-01.
    pub const EPOCH: Self = Self(UnixTime(0));

    /// So many hours later.
    #[must_use]
    pub const fn plus_hours(self, hours: u64) -> Self {
        Self(UnixTime(self.0.0.saturating_add(hours.saturating_mul(3600))))
    }

    /// So many days later.
    #[must_use]
    pub const fn plus_days(self, days: u64) -> Self {
        self.plus_hours(days.saturating_mul(24))
    }

    /// Its day; none after the year 9999.
    pub const fn date(self) -> Option<Date> {
        Date::of(self.0)
    }
}

impl From<UnixTime> for Moment {
    fn from(time: UnixTime) -> Self {
        Self(time)
    }
}

impl FromStr for Moment {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "takes a date such as 2027-06-30 or 2027-06-30T12:00:00Z, or seconds since 1970";
        if let Ok(seconds) = text.parse() {
            return Ok(Self(UnixTime(seconds)));
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
        Ok(Self(UnixTime(date.start().0.saturating_add(seconds))))
    }
}

/// From TOML, with the distance to UTC: `2026-12-01T09:30:00+01:00`.
impl<'d> Deserialize<'d> for Moment {
    fn deserialize<D: Deserializer<'d>>(from: D) -> Result<Self, D::Error> {
        let wrong =
            || D::Error::custom("takes a time with its distance to UTC, such as 2026-12-01T08:30:00Z");
        let written = toml::value::Datetime::deserialize(from)?;
        let (Some(day), Some(time), Some(offset)) = (written.date, written.time, written.offset) else {
            return Err(wrong());
        };
        let day = Date::new(day.year, day.month, day.day).ok_or_else(wrong)?;
        let seconds =
            u64::from(time.hour) * 3600 + u64::from(time.minute) * 60 + u64::from(time.second.unwrap_or(0));
        let minutes = match offset {
            toml::value::Offset::Z => 0,
            toml::value::Offset::Custom { minutes } => minutes,
        };
        day.start()
            .0
            .saturating_add(seconds)
            .checked_add_signed(i64::from(minutes) * -60)
            .map(|seconds| Self(UnixTime(seconds)))
            .ok_or_else(wrong)
    }
}

impl JsonSchema for Moment {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Moment".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "format": "date-time",
            "description": "A time with its distance to UTC, without quotes in TOML"
        })
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&report::time(self.0.0))
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
            let moment = Moment(UnixTime(seconds));
            assert_eq!(date.parse(), Ok(moment));
            assert_eq!(moment.to_string(), date);
            assert_eq!(seconds.to_string().parse(), Ok(moment));
        }
        assert_eq!("2000-02-29".parse(), Ok(Moment(UnixTime(951_782_400))));
        for wrong in [
            "2100-02-29",
            "2027-13-01",
            "2027-6-30",
            "2027-06-30T24:00:00Z",
            "2027-06-30T00:00:00",
            "",
        ] {
            assert!(wrong.parse::<Moment>().is_err(), "{wrong}");
        }
    }
}
