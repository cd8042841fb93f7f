use core::fmt;

use super::UnixTime;

const DAY: u64 = 86_400;
/// Days from 0001-01-01 to 1970-01-01, counted as the Gregorian calendar counts.
const BEFORE_1970: u64 = 719_162;
/// 400 years repeat.
const ERA: u64 = 146_097;

/// A day of the Gregorian calendar, from 1970 to 9999.
///
/// ```
/// use iotsec_core::hal::{Date, UnixTime};
///
/// let day = Date::new(2028, 2, 29).unwrap();
/// assert_eq!(day.start(), UnixTime(1_835_395_200));
/// assert_eq!(Date::of(UnixTime(1_835_481_599)), Some(day));
/// assert_eq!(day.to_string(), "2028-02-29");
/// assert_eq!(Date::new(2027, 2, 29), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

impl Date {
    /// A day that the calendar has; months and days count from 1.
    pub const fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        if year < 1970 || year > 9999 || day == 0 || day > days_in(month, year) {
            return None;
        }
        Some(Self { year, month, day })
    }

    /// The day at `time` in UTC; `None` after 9999.
    pub const fn of(time: UnixTime) -> Option<Self> {
        let days = (time.0 / DAY).saturating_add(BEFORE_1970);
        // Near enough to be right or one too early, since a year has no more than 366 days.
        let mut year = (days / ERA)
            .saturating_mul(400)
            .saturating_add((days % ERA) / 366);
        while days_before(year.saturating_add(2)) <= days {
            year = year.saturating_add(1);
        }
        year = year.saturating_add(1);
        if year > 9999 {
            return None;
        }
        #[expect(
            clippy::as_conversions,
            clippy::cast_possible_truncation,
            reason = "at most 9999"
        )]
        let year = year as u16;
        let mut rest = days.saturating_sub(days_before(year_of(year)));
        let mut month = 1u8;
        while rest >= u64_of(days_in(month, year)) && month < 12 {
            rest = rest.saturating_sub(u64_of(days_in(month, year)));
            month = month.saturating_add(1);
        }
        #[expect(clippy::as_conversions, clippy::cast_possible_truncation, reason = "below 31")]
        let day = (rest as u8).saturating_add(1);
        Self::new(year, month, day)
    }

    /// Its first second in UTC.
    pub const fn start(self) -> UnixTime {
        let mut days = days_before(year_of(self.year));
        let mut month = 1u8;
        while month < self.month {
            days = days.saturating_add(u64_of(days_in(month, self.year)));
            month = month.saturating_add(1);
        }
        let days = days.saturating_add(u64_of(self.day)).saturating_sub(1);
        UnixTime(days.saturating_sub(BEFORE_1970).saturating_mul(DAY))
    }

    /// Its last second in UTC.
    pub const fn end(self) -> UnixTime {
        UnixTime(self.start().0.saturating_add(DAY - 1))
    }

    /// The year.
    pub const fn year(self) -> u16 {
        self.year
    }

    /// The month, from 1.
    pub const fn month(self) -> u8 {
        self.month
    }

    /// The day of the month, from 1.
    pub const fn day(self) -> u8 {
        self.day
    }
}

/// As ISO 8601 writes it.
impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

/// Days from 0001-01-01 to the first day of `year`.
const fn days_before(year: u64) -> u64 {
    let years = year.saturating_sub(1);
    let leap = (years / 4)
        .saturating_sub(years / 100)
        .saturating_add(years / 400);
    years.saturating_mul(365).saturating_add(leap)
}

/// None for a month that does not exist.
const fn days_in(month: u8, year: u16) -> u8 {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    }
}

#[expect(clippy::as_conversions, reason = "widening, in a const")]
const fn year_of(year: u16) -> u64 {
    year as u64
}

#[expect(clippy::as_conversions, reason = "widening, in a const")]
const fn u64_of(days: u8) -> u64 {
    days as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_eight_thousand_years_is_there_and_back() {
        let mut time = 0;
        let mut days = 0u32;
        while let Some(date) = Date::of(UnixTime(time)) {
            assert_eq!(date.start(), UnixTime(time));
            assert_eq!(Date::of(date.end()), Some(date));
            time += DAY;
            days += 1;
        }
        // 8,030 years with 1,947 leap days.
        assert_eq!(days, 8030 * 365 + 1947);
        assert_eq!(Date::of(UnixTime(u64::MAX)), None);
    }

    #[test]
    fn only_days_that_exist_are_made() {
        for (year, month, day) in [
            (1969, 12, 31),
            (2023, 2, 29),
            (2100, 2, 29),
            (2028, 13, 1),
            (2028, 0, 1),
            (2028, 4, 31),
            (2028, 4, 0),
            (10_000, 1, 1),
        ] {
            assert_eq!(Date::new(year, month, day), None, "{year}-{month}-{day}");
        }
        let text = |date: Option<Date>| std::format!("{}", date.unwrap());
        assert_eq!(text(Date::new(2000, 2, 29)), "2000-02-29");
        assert_eq!(text(Date::of(UnixTime(253_402_300_799))), "9999-12-31");
    }
}
