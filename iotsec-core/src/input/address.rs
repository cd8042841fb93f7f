use core::{
    fmt,
    net::{Ipv4Addr, Ipv6Addr},
};

use super::{
    error::{InputError, InputKind},
    scan,
};

/// An IPv4 address: four decimal numbers and nothing else (the strict form of RFC 6943 §3.1.1). `127.1`, `0x7f.0.0.1`
/// and `0177.0.0.1` are addresses to some parsers and are refused.
///
/// ```
/// use iotsec_core::input::Ipv4;
///
/// assert_eq!(Ipv4::parse(b"192.0.2.1")?.addr().octets(), [192, 0, 2, 1]);
/// assert!(Ipv4::parse(b"192.0.2.01").is_err());
/// # Ok::<(), iotsec_core::input::InputError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ipv4(Ipv4Addr);

impl Ipv4 {
    /// Reads an address.
    ///
    /// # Errors
    /// [`InputError`].
    pub fn parse(input: &[u8]) -> Result<Self, InputError> {
        scan::length(input, 7, 15)?;
        let (mut octets, mut count) = ([0; 4], 0_usize);
        for (at, part) in scan::split(input, b'.') {
            let place = octets
                .get_mut(count)
                .ok_or(InputError::new(InputKind::Count, at))?;
            let number = scan::decimal(part, 255).map_err(|error| error.within(at))?;
            *place = u8::try_from(number).unwrap_or(u8::MAX);
            count = count.saturating_add(1);
        }
        if count < octets.len() {
            return Err(InputError::new(InputKind::Truncated, input.len()));
        }
        Ok(Self(octets.into()))
    }

    /// The address.
    pub const fn addr(&self) -> Ipv4Addr {
        self.0
    }
}

impl fmt::Display for Ipv4 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An IPv6 address in a form of RFC 4291 §2.2, without a zone: which interface it is of is not for the network to say.
///
/// ```
/// use iotsec_core::input::Ipv6;
///
/// assert_eq!(Ipv6::parse(b"2001:DB8::1")?.to_string(), "2001:db8::1");
/// assert!(Ipv6::parse(b"fe80::1%eth0").is_err());
/// # Ok::<(), iotsec_core::input::InputError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ipv6(Ipv6Addr);

impl Ipv6 {
    /// Reads an address.
    ///
    /// # Errors
    /// [`InputError`].
    pub fn parse(input: &[u8]) -> Result<Self, InputError> {
        scan::length(input, 2, 45)?;
        let (mut groups, mut count) = ([0_u16; 8], 0_usize);
        // Groups in front of the `::`, which stands for at least one.
        let mut front = None;
        let mut at = 0_usize;
        if let [b':', rest @ ..] = input {
            if rest.first() != Some(&b':') {
                return Err(InputError::new(InputKind::Character, 0));
            }
            (front, at) = (Some(0), 2);
        }
        while at < input.len() {
            let rest = input.get(at..).unwrap_or_default();
            let end = rest.iter().position(|byte| *byte == b':');
            let part = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
            let mut put = |group| {
                let place = groups
                    .get_mut(count)
                    .ok_or(InputError::new(InputKind::Count, at))?;
                *place = group;
                count = count.saturating_add(1);
                Ok(())
            };
            if end.is_none() && part.contains(&b'.') {
                let [a, b, c, d] = Ipv4::parse(part).map_err(|error| error.within(at))?.0.octets();
                put(u16::from_be_bytes([a, b]))?;
                put(u16::from_be_bytes([c, d]))?;
                break;
            }
            put(group(part).map_err(|error| error.within(at))?)?;
            at = at.saturating_add(part.len());
            match input.get(at..).unwrap_or_default() {
                [] => break,
                [_] => return Err(InputError::new(InputKind::Truncated, input.len())),
                [_, b':', ..] if front.is_some() => return Err(InputError::new(InputKind::Duplicate, at)),
                [_, b':', ..] => {
                    front = Some(count);
                    at = at.saturating_add(2);
                }
                _ => at = at.saturating_add(1),
            }
        }
        match front {
            None if count < groups.len() => Err(InputError::new(InputKind::Truncated, input.len())),
            Some(_) if count == groups.len() => Err(InputError::new(InputKind::Count, input.len())),
            None => Ok(Self(groups.into())),
            Some(front) => {
                // What stands behind the `::` goes to the end.
                let (before, behind) = (groups.get(..front), groups.get(front..count));
                let mut whole = [0; 8];
                for (to, from) in whole.iter_mut().zip(before.unwrap_or_default()) {
                    *to = *from;
                }
                for (to, from) in whole
                    .iter_mut()
                    .rev()
                    .zip(behind.unwrap_or_default().iter().rev())
                {
                    *to = *from;
                }
                Ok(Self(whole.into()))
            }
        }
    }

    /// The address.
    pub const fn addr(&self) -> Ipv6Addr {
        self.0
    }
}

impl fmt::Display for Ipv6 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// 16 bits in one to four hexadecimal digits.
fn group(digits: &[u8]) -> Result<u16, InputError> {
    scan::all(digits, |byte| byte.is_ascii_hexdigit())?;
    scan::length(digits, 1, 4)?;
    Ok(digits.iter().fold(0, |group: u16, digit| {
        let digit = char::from(*digit).to_digit(16).unwrap_or(0);
        group.wrapping_shl(4) | u16::try_from(digit).unwrap_or(0)
    }))
}

/// The address of a network interface (EUI-48).
///
/// ```text
/// address = 6(pair) / pair 5(":" pair) / pair 5("-" pair) / quad "." quad "." quad
/// ```
///
/// ```
/// use iotsec_core::input::MacAddr;
///
/// let address = MacAddr::parse(b"00-00-5E-00-53-01")?;
/// assert_eq!(address.to_string(), "00:00:5e:00:53:01");
/// assert!(!address.is_multicast() && !address.is_local());
/// # Ok::<(), iotsec_core::input::InputError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MacAddr([u8; 6]);

impl MacAddr {
    /// Reads an address.
    ///
    /// # Errors
    /// [`InputError`].
    pub fn parse(input: &[u8]) -> Result<Self, InputError> {
        // The separator, and every how many digits it stands.
        let (separator, group) = match (input.len(), input.get(2), input.get(4)) {
            (12, ..) => (None, 12),
            (17, Some(found @ (b':' | b'-')), _) => (Some(*found), 2),
            (14, _, Some(b'.')) => (Some(b'.'), 4),
            _ => return Err(InputError::new(InputKind::Form, input.len())),
        };
        let (mut octets, mut count, mut since) = ([0_u8; 6], 0_usize, 0_usize);
        for (at, byte) in input.iter().enumerate() {
            let wrong = InputError::new(InputKind::Character, at);
            if since == group {
                if Some(*byte) != separator {
                    return Err(wrong);
                }
                since = 0;
                continue;
            }
            let digit = char::from(*byte)
                .to_digit(16)
                .and_then(|digit| u8::try_from(digit).ok());
            let digit = digit.ok_or(wrong)?;
            let place = octets.get_mut(count.wrapping_shr(1)).ok_or(wrong)?;
            *place = place.wrapping_shl(4) | digit;
            count = count.saturating_add(1);
            since = since.saturating_add(1);
        }
        Ok(Self(octets))
    }

    /// The six octets, in the order in which they are sent.
    pub const fn octets(&self) -> [u8; 6] {
        self.0
    }

    /// Whether it is that of a group, so that no interface has it (IEEE 802 §8.2, I/G).
    pub const fn is_multicast(&self) -> bool {
        self.0[0] & 1 != 0
    }

    /// Whether it was not assigned by a maker of interfaces (IEEE 802 §8.2, U/L).
    pub const fn is_local(&self) -> bool {
        self.0[0] & 2 != 0
    }
}

impl fmt::Display for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

/// A port of TCP or UDP that a service can have: 1 to 65535.
///
/// ```
/// use iotsec_core::input::Port;
///
/// assert_eq!(Port::parse(b"8883")?.get(), 8883);
/// assert!(Port::parse(b"0").is_err() && Port::parse(b"08883").is_err() && Port::parse(b"65536").is_err());
/// # Ok::<(), iotsec_core::input::InputError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Port(core::num::NonZeroU16);

impl Port {
    /// Takes a number.
    ///
    /// # Errors
    /// [`InputKind::Range`] for 0.
    pub fn new(number: u16) -> Result<Self, InputError> {
        let number = core::num::NonZeroU16::new(number);
        Ok(Self(number.ok_or(InputError::new(InputKind::Range, 0))?))
    }

    /// Reads a number.
    ///
    /// # Errors
    /// [`InputError`].
    pub fn parse(input: &[u8]) -> Result<Self, InputError> {
        let number = scan::decimal(input, u16::MAX.into())?;
        Self::new(u16::try_from(number).unwrap_or(0))
    }

    /// The number.
    pub const fn get(&self) -> u16 {
        self.0.get()
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;

    #[test]
    fn four_numbers_and_nothing_else_are_an_ipv4_address() {
        for text in ["0.0.0.0", "255.255.255.255", "1.20.255.9"] {
            assert_eq!(Ipv4::parse(text.as_bytes()).unwrap().to_string(), text);
        }
        for text in [
            "1.2.3",
            "1.2.3.4.5",
            "1.2.3.256",
            "1.2.3.",
            ".1.2.3",
            "1..2.3",
            "01.2.3.4",
            "1.2.3.4 ",
            " 1.2.3.4",
            "0x1.2.3.4",
            "127.1",
            "2130706433",
            "1.2.3.-4",
            "1.2.3.+4",
            "1.2.3.4\0",
        ] {
            assert!(Ipv4::parse(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn ipv6_addresses_are_those_that_core_reads() {
        for text in ["::", "::1", "2001:db8::192.0.2.1", "1:2:3:4:5:6:7:8"] {
            assert_eq!(
                Ipv6::parse(text.as_bytes()).unwrap().addr(),
                text.parse::<Ipv6Addr>().unwrap()
            );
        }
        for text in [
            "",
            ":",
            "1::2::3",
            "1:2:3:4:5:6:7",
            "12345::",
            "::1%1",
            "[::1]",
            "::192.0.2.01",
            "::g",
        ] {
            assert!(Ipv6::parse(text.as_bytes()).is_err(), "{text}");
        }
    }

    /// Texts of pieces that addresses have, at random, against the parser of `core`.
    #[test]
    fn every_ipv6_address_is_what_core_makes_of_it() {
        use rand_core::Rng as _;
        let pieces = [
            ":",
            "::",
            "1",
            "f00d",
            "0",
            "abcde",
            "1.2.3.4",
            ".",
            "1:",
            ":2",
            "2001:db8:",
        ];
        let mut random = iotsec_testkit::SimRng::new(3);
        let (mut valid, mut total) = (0, 0);
        for _ in 0..200_000 {
            let count = 1 + random.next_u32() % 9;
            let text: std::string::String = (0..count)
                .map(|_| pieces[random.next_u32() as usize % pieces.len()])
                .collect();
            let theirs = text.parse::<Ipv6Addr>().ok();
            let ours = Ipv6::parse(text.as_bytes()).ok().map(|address| address.addr());
            assert_eq!(ours, theirs, "{text}");
            valid += u32::from(ours.is_some());
            total += 1;
        }
        assert!(valid > total / 100, "{valid} of {total}");
    }

    #[test]
    fn a_mac_address_has_one_separator_or_none() {
        for text in [
            "02:00:5e:10:00:ff",
            "02-00-5E-10-00-FF",
            "0200.5e10.00ff",
            "02005E1000ff",
        ] {
            let address = MacAddr::parse(text.as_bytes()).unwrap();
            assert_eq!(address.octets(), [2, 0, 0x5E, 0x10, 0, 0xFF]);
            assert!(address.is_local() && !address.is_multicast());
        }
        for text in [
            "",
            "02:00:5e:10:00",
            "02:00:5e:10:00:ff:00",
            "02:00-5e:10:00:ff",
            "02:00:5e:10:00:fg",
            "0200:5e10:00ff",
            "020:05e:100:0ff:0",
            "0:2:0:0:5:e:1:0:0:0:f",
            "2:0:5e:10:0:ff",
            "02005E1000f",
            "0x005E1000ff",
            "02005e10.00ff.",
        ] {
            assert!(MacAddr::parse(text.as_bytes()).is_err(), "{text}");
        }
    }
}
