use super::{
    error::{InputError, InputKind},
    scan,
};

/// Rules of local time as the variable `TZ` has them (POSIX.1-2024 §8.3), which a device can follow without a database.
///
/// ```text
/// zone   = name offset [name [offset] "," change "," change]     ; at most 64 bytes
/// name   = 3*16ALPHA / "<" 3*16(ALPHA / DIGIT / "+" / "-") ">"
/// offset = ["+" / "-"] hour [":" minute [":" second]]            ; west of Greenwich, hour 0 to 24
/// change = day ["/" time]
/// day    = "J" 1..365 / 0..365 / "M" 1..12 "." 1..5 "." 0..6
/// time   = ["+" / "-"] hour [":" minute [":" second]]            ; hour 0 to 167 (RFC 8536 §3.3.1)
/// ```
///
/// A zone that has summer time has to say when: what a system does otherwise is its own choice.
///
/// ```
/// use iotsec_core::input::{ChangeDay, TimeZone};
///
/// let zone = TimeZone::parse(b"CET-1CEST,M3.5.0,M10.5.0/3")?;
/// assert_eq!((zone.name(), zone.east()), ("CET", 3600));
/// let summer = zone.daylight().unwrap();
/// assert_eq!((summer.east, summer.end.seconds), (7200, 3 * 3600));
/// assert_eq!(summer.start.day, ChangeDay::Weekday { month: 3, week: 5, weekday: 0 });
/// # Ok::<(), iotsec_core::input::InputError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeZone<'a> {
    whole: &'a str,
    name: &'a str,
    east: i32,
    daylight: Option<Daylight<'a>>,
}

/// Summer time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Daylight<'a> {
    /// What it is called.
    pub name: &'a str,
    /// Seconds that it is ahead of Greenwich.
    pub east: i32,
    /// When it begins.
    pub start: Change,
    /// When it ends.
    pub end: Change,
}

/// When the clocks change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// The day.
    pub day: ChangeDay,
    /// Seconds after that day's midnight, by the clock before the change.
    pub seconds: i32,
}

/// The day of a year on which the clocks change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChangeDay {
    /// Day 1 to 365; 29 February has no number.
    Julian(u16),
    /// Day 0 to 365; 29 February is 59.
    ZeroBased(u16),
    /// A day of the week.
    Weekday {
        /// 1 to 12.
        month: u8,
        /// 1 to 4, or 5 for the last one.
        week: u8,
        /// 0 for Sunday, to 6.
        weekday: u8,
    },
}

impl<'a> TimeZone<'a> {
    /// Most bytes of a zone.
    pub const MAX_LEN: usize = 64;

    /// Reads a zone.
    ///
    /// # Errors
    /// [`InputError`].
    pub fn parse(input: &'a [u8]) -> Result<Self, InputError> {
        scan::length(input, 4, Self::MAX_LEN)?;
        let mut cursor = Cursor { input, at: 0 };
        let name = cursor.name()?;
        let east = cursor.time(24)?.saturating_neg();
        let daylight = if cursor.peek().is_some() {
            let name = cursor.name()?;
            let own = match cursor.peek() {
                Some(b',') | None => east.saturating_add(3600),
                _ => cursor.time(24)?.saturating_neg(),
            };
            cursor.take(b',')?;
            let start = cursor.change()?;
            cursor.take(b',')?;
            Some(Daylight {
                name,
                east: own,
                start,
                end: cursor.change()?,
            })
        } else {
            None
        };
        if cursor.peek().is_some() {
            return Err(cursor.error(InputKind::Trailing));
        }
        Ok(Self {
            whole: scan::text(input)?,
            name,
            east,
            daylight,
        })
    }

    /// The zone as it came.
    pub const fn as_str(&self) -> &'a str {
        self.whole
    }

    /// What standard time is called.
    pub const fn name(&self) -> &'a str {
        self.name
    }

    /// Seconds that standard time is ahead of Greenwich.
    pub const fn east(&self) -> i32 {
        self.east
    }

    /// Summer time, where there is one.
    pub const fn daylight(&self) -> Option<&Daylight<'a>> {
        self.daylight.as_ref()
    }
}

struct Cursor<'a> {
    input: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn peek(&self) -> Option<u8> {
        self.input.get(self.at).copied()
    }

    fn error(&self, kind: InputKind) -> InputError {
        InputError::new(kind, self.at)
    }

    fn skip(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at = self.at.saturating_add(found.into());
        found
    }

    fn take(&mut self, byte: u8) -> Result<(), InputError> {
        if self.skip(byte) {
            return Ok(());
        }
        let kind = if self.peek().is_some() {
            InputKind::Character
        } else {
            InputKind::Truncated
        };
        Err(self.error(kind))
    }

    /// The bytes from here on that are `allowed`.
    fn run(&mut self, allowed: impl Fn(&u8) -> bool) -> &'a [u8] {
        let rest = self.input.get(self.at..).unwrap_or_default();
        let len = rest.iter().position(|byte| !allowed(byte)).unwrap_or(rest.len());
        self.at = self.at.saturating_add(len);
        rest.get(..len).unwrap_or_default()
    }

    fn name(&mut self) -> Result<&'a str, InputError> {
        let begins = self.at;
        let quoted = self.skip(b'<');
        let name = if quoted {
            self.run(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-'))
        } else {
            self.run(u8::is_ascii_alphabetic)
        };
        if !(3..=16).contains(&name.len()) {
            return Err(InputError::new(InputKind::Form, begins));
        }
        if quoted {
            self.take(b'>')?;
        }
        scan::text(name)
    }

    fn number(&mut self, least: u16, most: u16) -> Result<u16, InputError> {
        let begins = self.at;
        let digits = self.run(u8::is_ascii_digit);
        if digits.is_empty() {
            let kind = if self.peek().is_some() {
                InputKind::Character
            } else {
                InputKind::Truncated
            };
            return Err(self.error(kind));
        }
        let number = match digits.len() {
            1..=3 => digits.iter().fold(0_u16, |number, digit| {
                let digit = u16::from(digit.wrapping_sub(b'0'));
                number.saturating_mul(10).saturating_add(digit)
            }),
            _ => u16::MAX,
        };
        if (least..=most).contains(&number) {
            Ok(number)
        } else {
            Err(InputError::new(InputKind::Range, begins))
        }
    }

    fn small(&mut self, least: u16, most: u16) -> Result<u8, InputError> {
        Ok(u8::try_from(self.number(least, most)?).unwrap_or(0))
    }

    /// Seconds.
    fn time(&mut self, hours: u16) -> Result<i32, InputError> {
        let begins = self.at;
        let negative = self.skip(b'-');
        if !negative {
            self.skip(b'+');
        }
        let mut seconds = i32::from(self.number(0, hours)?).saturating_mul(3600);
        for weight in [60, 1] {
            if !self.skip(b':') {
                break;
            }
            seconds = seconds.saturating_add(i32::from(self.number(0, 59)?).saturating_mul(weight));
        }
        if seconds > i32::from(hours).saturating_mul(3600) {
            return Err(InputError::new(InputKind::Range, begins));
        }
        Ok(if negative {
            seconds.saturating_neg()
        } else {
            seconds
        })
    }

    fn change(&mut self) -> Result<Change, InputError> {
        let day = match self.peek() {
            Some(b'J') => {
                self.take(b'J')?;
                ChangeDay::Julian(self.number(1, 365)?)
            }
            Some(b'M') => {
                self.take(b'M')?;
                let month = self.small(1, 12)?;
                self.take(b'.')?;
                let week = self.small(1, 5)?;
                self.take(b'.')?;
                let weekday = self.small(0, 6)?;
                ChangeDay::Weekday { month, week, weekday }
            }
            _ => ChangeDay::ZeroBased(self.number(0, 365)?),
        };
        let seconds = if self.skip(b'/') {
            self.time(167)?
        } else {
            2 * 3600
        };
        Ok(Change { day, seconds })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_of_the_world_are_read() {
        for (zone, east, summer) in [
            ("UTC0", 0, None),
            ("JST-9", 32_400, None),
            ("<+0330>-3:30", 12_600, None),
            ("NST3:30NDT,M3.2.0,M11.1.0", -12_600, Some(-9_000)),
            ("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", -7_200, Some(-3_600)),
            ("IST-1GMT0,M10.5.0,M3.5.0/1", 3_600, Some(0)),
            ("EET-2EEST,J60/0,300/167", 7_200, Some(10_800)),
        ] {
            let read = TimeZone::parse(zone.as_bytes()).unwrap();
            assert_eq!(
                (read.east(), read.daylight().map(|summer| summer.east)),
                (east, summer),
                "{zone}"
            );
            assert_eq!(read.as_str(), zone);
        }
    }

    #[test]
    fn what_a_system_would_have_to_guess_is_refused() {
        for (zone, kind, offset) in [
            ("", InputKind::Empty, 0),
            ("Europe/Berlin", InputKind::Character, 6),
            (":Europe/Berlin", InputKind::Form, 0),
            ("CET-1CEST", InputKind::Truncated, 9),
            ("CET-1CEST,M3.5.0", InputKind::Truncated, 16),
            ("CET-25", InputKind::Range, 4),
            ("CET-24:00:01", InputKind::Range, 3),
            ("CET-1:60", InputKind::Range, 6),
            ("CE-1", InputKind::Form, 0),
            ("<CET-1", InputKind::Truncated, 6),
            ("CET-1CEST,M13.5.0,M10.5.0", InputKind::Range, 11),
            ("CET-1CEST,M3.6.0,M10.5.0", InputKind::Range, 13),
            ("CET-1CEST,M3.5.7,M10.5.0", InputKind::Range, 15),
            ("CET-1CEST,J0,M10.5.0", InputKind::Range, 11),
            ("CET-1CEST,366,M10.5.0", InputKind::Range, 10),
            ("CET-1CEST,M3.5.0,M10.5.0/168", InputKind::Range, 25),
            ("CET-1CEST,M3.5.0,M10.5.0/167:00:01", InputKind::Range, 25),
            ("CET-1CEST,M3.5.0,M10.5.0 ", InputKind::Trailing, 24),
            ("CET-1\0\0\0", InputKind::Form, 5),
        ] {
            assert_eq!(
                TimeZone::parse(zone.as_bytes()).unwrap_err(),
                InputError::new(kind, offset),
                "{zone:?}"
            );
        }
    }
}
