//! The date of HTTP (RFC 9110 §5.6.7), in the one form that a server may send.

use iotsec_core::hal::{Date, UnixTime};

const DAYS: [&[u8]; 7] = [b"Sun", b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat"];
const MONTHS: [&[u8]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];

/// Reads `Sun, 06 Nov 1994 08:49:37 GMT`. The two obsolete forms are not read.
pub(super) fn parse(text: &[u8]) -> Option<UnixTime> {
    let (day_name, rest) = text.split_at_checked(3)?;
    let rest = rest.strip_prefix(b", ")?;
    let (day, rest) = number(rest, 2)?;
    let (month, rest) = rest.strip_prefix(b" ")?.split_at_checked(3)?;
    let (year, rest) = number(rest.strip_prefix(b" ")?, 4)?;
    let (hour, rest) = number(rest.strip_prefix(b" ")?, 2)?;
    let (minute, rest) = number(rest.strip_prefix(b":")?, 2)?;
    let (second, rest) = number(rest.strip_prefix(b":")?, 2)?;
    let month = MONTHS.iter().position(|name| *name == month)?.checked_add(1)?;
    // A leap second is sent as 60.
    if rest != b" GMT" || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let date = Date::new(
        u16::try_from(year).ok()?,
        u8::try_from(month).ok()?,
        u8::try_from(day).ok()?,
    )?;
    let midnight = date.start().0;
    // 1970-01-01 was a Thursday.
    let days = midnight.checked_div(86_400)?.checked_add(4)?;
    let weekday = usize::try_from(days.checked_rem(7)?).ok()?;
    if DAYS.get(weekday) != Some(&day_name) {
        return None;
    }
    let seconds = hour.checked_mul(3600)?.checked_add(minute.checked_mul(60)?)?;
    let seconds = seconds.checked_add(second)?;
    midnight.checked_add(seconds).map(UnixTime)
}

fn number(text: &[u8], digits: usize) -> Option<(u64, &[u8])> {
    let (number, rest) = text.split_at_checked(digits)?;
    let mut value: u64 = 0;
    for digit in number {
        let digit = digit.is_ascii_digit().then_some(digit)?.checked_sub(b'0')?;
        value = value.checked_mul(10)?.checked_add(u64::from(digit))?;
    }
    Some((value, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_to_the_second() {
        let read = |text: &str| parse(text.as_bytes()).map(|time| time.0);
        assert_eq!(read("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(read("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
        assert_eq!(read("Tue, 29 Feb 2028 23:59:59 GMT"), Some(1_835_481_599));
        assert_eq!(read("Fri, 31 Dec 9999 23:59:59 GMT"), Some(253_402_300_799));
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "Mon, 06 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "Wed, 29 Feb 2023 00:00:00 GMT",
            "Sun, 06 Nov 1994 24:00:00 GMT",
            "Sun, 06 Nov 1994 08:49:37 GMT ",
            "Sun, +6 Nov 1994 08:49:37 GMT",
        ] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
        let whole = b"Sun, 06 Nov 1994 08:49:37 GMT";
        for len in 0..whole.len() {
            assert_eq!(parse(&whole[..len]), None);
        }
    }
}
