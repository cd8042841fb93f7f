use core::fmt;

use super::{
    address::{Ipv4, Ipv6},
    error::{InputError, InputKind},
    punycode,
    scan::{self, length},
};

/// A name in the DNS, as RFC 1123 §2.1 allows it for hosts.
///
/// ```text
/// hostname = label *("." label) ["."]      ; at most 253 bytes without the dot at the end, which is dropped
/// label    = let-dig [*61(let-dig / "-") let-dig]
/// ```
///
/// A last label that other parsers would take for part of an IPv4 address (digits alone, or `0x` and hexadecimal
/// digits) is refused, and so is a label that begins with `xn--` and is not the Punycode of something that needs it
/// (RUSTSEC-2024-0421). Names in other scripts come as A-labels (RFC 5890 §2.3.2.1). Upper and lower case are equal.
///
/// ```
/// use iotsec_core::input::{Hostname, InputKind};
///
/// assert_eq!(Hostname::parse(b"Broker.Example.com.")?, Hostname::parse(b"broker.example.com")?);
/// assert_eq!(Hostname::parse(b"a_b.example").unwrap_err().kind, InputKind::Character);
/// assert_eq!(Hostname::parse(b"0x7f.1").unwrap_err().offset, 5);
/// # Ok::<(), iotsec_core::input::InputError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Hostname<'a>(&'a str);

impl<'a> Hostname<'a> {
    /// Most bytes of a name.
    pub const MAX_LEN: usize = 253;

    /// Reads a name.
    ///
    /// # Errors
    /// [`InputError`].
    pub fn parse(input: &'a [u8]) -> Result<Self, InputError> {
        let name = match input {
            [name @ .., b'.'] => name,
            name => name,
        };
        length(name, 1, Self::MAX_LEN)?;
        let mut last = (0, name);
        for (at, label) in scan::split(name, b'.') {
            check_label(label).map_err(|error| error.within(at))?;
            last = (at, label);
        }
        if is_numeric(last.1) {
            return Err(InputError::new(InputKind::Form, last.0));
        }
        Ok(Self(scan::text(name)?))
    }

    /// The name, without a dot at its end, in the case in which it came.
    pub const fn as_str(&self) -> &'a str {
        self.0
    }

    /// Whether it has one label alone, so that the network decides whose name it is.
    pub fn is_single_label(&self) -> bool {
        !self.0.as_bytes().contains(&b'.')
    }
}

crate::claim! {
    provisions: ["5.13-1A", "5.13-1B"],
    claims: "A host name is read by the rules of the DNS, and one that hides another name is refused",
    code: [Hostname::parse],
    tests: [
        "iotsec-core::iotsec_core::input::hostname::tests::names_are_read_by_their_rules",
        "iotsec-core::iotsec_core::input::hostname::tests::labels_that_hide_another_name_are_refused",
    ],
}

impl PartialEq for Hostname<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(other.0)
    }
}

impl Eq for Hostname<'_> {}

impl fmt::Display for Hostname<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

fn check_label(label: &[u8]) -> Result<(), InputError> {
    length(label, 1, 63)?;
    scan::all(label, |byte| byte.is_ascii_alphanumeric() || byte == b'-')?;
    if label.first() == Some(&b'-') {
        return Err(InputError::new(InputKind::Character, 0));
    }
    if label.last() == Some(&b'-') {
        return Err(InputError::new(
            InputKind::Character,
            label.len().saturating_sub(1),
        ));
    }
    match label.split_at_checked(4) {
        Some((prefix, encoded)) if prefix.eq_ignore_ascii_case(b"xn--") => {
            punycode::check(encoded).map_err(|error| error.within(4))
        }
        _ => Ok(()),
    }
}

/// Whether a label looks like a number of an IPv4 address (WHATWG URL, "ends in a number").
fn is_numeric(label: &[u8]) -> bool {
    match label {
        [b'0', b'x' | b'X', digits @ ..] => digits.iter().all(u8::is_ascii_hexdigit),
        digits => digits.iter().all(u8::is_ascii_digit),
    }
}

/// Where a service is: a name, or an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host<'a> {
    /// A name.
    Name(Hostname<'a>),
    /// An IPv4 address.
    V4(Ipv4),
    /// An IPv6 address.
    V6(Ipv6),
}

impl<'a> Host<'a> {
    /// Reads a name, an IPv4 address, or an IPv6 address between brackets (RFC 3986 §3.2.2).
    ///
    /// ```
    /// use iotsec_core::input::Host;
    ///
    /// assert!(matches!(Host::parse(b"192.0.2.1")?, Host::V4(_)));
    /// assert!(matches!(Host::parse(b"[2001:db8::1]")?, Host::V6(_)));
    /// assert!(Host::parse(b"192.0.2.01").is_err());
    /// # Ok::<(), iotsec_core::input::InputError>(())
    /// ```
    ///
    /// # Errors
    /// [`InputError`].
    pub fn parse(input: &'a [u8]) -> Result<Self, InputError> {
        match input {
            [b'[', address @ .., b']'] => Ipv6::parse(address)
                .map(Self::V6)
                .map_err(|error| error.within(1)),
            [b'[', ..] => Err(InputError::new(InputKind::Truncated, input.len())),
            name => match Ipv4::parse(name) {
                Ok(address) => Ok(Self::V4(address)),
                Err(_) => Hostname::parse(name).map(Self::Name),
            },
        }
    }
}

impl fmt::Display for Host<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => name.fmt(f),
            Self::V4(address) => address.fmt(f),
            Self::V6(address) => write!(f, "[{address}]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::format;

    use super::*;
    use InputKind::{Character, Empty, Form, TooLong};

    #[test]
    fn names_are_read_by_their_rules() {
        for name in [
            "a",
            "localhost",
            "a-b.c",
            "1.2.3.4a",
            "r3---sn-a.example",
            "3com.com",
            "xn--bcher-kva.example",
            "XN--BCHER-KVA.example",
            "xn--fiqs8s",
        ] {
            assert_eq!(Hostname::parse(name.as_bytes()).unwrap().as_str(), name);
        }
        let label = "a".repeat(63);
        let longest = [&label[..], &label, &label, &label[..61]].join(".");
        assert!(Hostname::parse(longest.as_bytes()).is_ok());
        for (name, kind, offset) in [
            ("", Empty, 0),
            (".", Empty, 0),
            ("a..b", Empty, 2),
            (".a", Empty, 0),
            ("a.b..", Empty, 4),
            ("-a.b", Character, 0),
            ("a-.b", Character, 1),
            ("a.b_c", Character, 3),
            ("a b", Character, 1),
            ("b\u{fc}cher.example", Character, 1),
            ("127.1", Form, 4),
            ("0x7f", Form, 0),
            ("a.0x", Form, 2),
            ("017700000001", Form, 0),
        ] {
            let error = Hostname::parse(name.as_bytes()).unwrap_err();
            assert_eq!((error.kind, error.offset), (kind, offset), "{name}");
        }
        assert_eq!(
            Hostname::parse("a".repeat(64).as_bytes()).unwrap_err().kind,
            TooLong
        );
        assert_eq!(
            Hostname::parse(format!("a{longest}").as_bytes())
                .unwrap_err()
                .kind,
            TooLong
        );
        assert_eq!(
            Hostname::parse(format!("{longest}b").as_bytes())
                .unwrap_err()
                .kind,
            TooLong
        );
    }

    #[test]
    fn labels_that_hide_another_name_are_refused() {
        // Decodes to "example" and to nothing, and is not what encoding gives.
        for name in [
            "xn--example-",
            "xn--",
            "xn---",
            "xn--a-.com",
            "xn--99999999",
            "xn--bcher-kva!",
        ] {
            assert!(Hostname::parse(name.as_bytes()).is_err(), "{name}");
        }
    }

    #[test]
    fn an_address_is_an_address_and_never_a_name() {
        assert!(matches!(Host::parse(b"0.0.0.0").unwrap(), Host::V4(_)));
        for host in [
            "1.2.3",
            "1.2.3.4.5",
            "1.2.3.256",
            "[::1",
            "::1",
            "[::1%eth0]",
            "[1.2.3.4]",
        ] {
            assert!(Host::parse(host.as_bytes()).is_err(), "{host}");
        }
    }
}
