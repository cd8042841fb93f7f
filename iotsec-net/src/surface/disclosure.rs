//! What a service tells everybody before it knows to whom (EN 303 645, 5.6-2): what its declaration allows.
//!
//! [`Disclosure::tell`] lets a value out if its kind was declared. [`Identifying::find_leak`] is for tests: it looks
//! through the bytes that a service sends before authentication, be they a banner, a header or a record of mDNS.

use super::{Fact, ListenGrant};
use iotsec_core::error::{ErrorCode, Fault};

/// What one service may tell, from its declaration.
///
/// ```
/// use iotsec_net::{interfaces, surface::{
///     Authentication, Fact, Interface, Phase, Scope, Service, SurfaceError,
/// }};
///
/// interfaces!(static LAMP = [Interface::service(
///     "app", "The owner's app",
///     Service::tcp(443, Scope::Local, Authentication::Password).disclosing(&[Fact::Product]),
/// )]);
/// let disclosure = LAMP.gate(Phase::Owned).grant_listen("app")?.disclosure();
/// assert_eq!(disclosure.tell(Fact::Product, "Lamp"), Ok("Lamp"));
/// assert!(disclosure.tell(Fact::SerialNumber, "L2-000001").is_err());
/// # Ok::<(), SurfaceError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disclosure {
    facts: &'static [Fact],
}

/// The declaration of the service does not allow this to be told before authentication.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("not to be told before authentication")]
pub struct NotDisclosed;

impl ErrorCode for NotDisclosed {
    fn code(&self) -> u16 {
        5331
    }
    fn fault(&self) -> Fault {
        Fault::Misuse
    }
}

impl ListenGrant {
    /// What the service may tell before authentication.
    pub const fn disclosure(&self) -> Disclosure {
        Disclosure {
            facts: self.service().discloses(),
        }
    }
}

impl Disclosure {
    /// Whether facts of this kind may be told.
    pub fn allows(&self, fact: Fact) -> bool {
        self.facts.contains(&fact)
    }

    /// Lets `value` out, if facts of its kind may be told.
    ///
    /// # Errors
    /// [`NotDisclosed`].
    pub fn tell<T>(&self, fact: Fact, value: T) -> Result<T, NotDisclosed> {
        if self.allows(fact) {
            Ok(value)
        } else {
            Err(NotDisclosed)
        }
    }
}

iotsec_core::claim! {
    provisions: ["5.6-2"],
    claims: "Before authentication a service tells no fact about the device but those that it declares",
    code: [Disclosure::tell],
    tests: [
        "iotsec-net::iotsec_net::surface::disclosure::tests::a_service_tells_what_it_declares_and_nothing_else",
    ],
}

/// What tells one device from another, or its holes: what a leak is made of.
///
/// ```
/// use iotsec_net::surface::{Fact, disclosure::Identifying};
///
/// const UNIT: Identifying<'_> = Identifying {
///     software_version: "2.4.1",
///     serial: "L2-000417",
///     hardware_address: [0x02, 0x1b, 0x2c, 0x3d, 0x4e, 0x5f],
/// };
/// // The end of the hardware address, in the name of the device.
/// let found = UNIT.find_leak(b"HTTP/1.1 401 Unauthorized\r\nServer: lamp-3d4e5f\r\n\r\n", &[]).unwrap();
/// assert_eq!((found.fact, found.offset), (Fact::HardwareAddress, 40));
/// assert!(UNIT.find_leak(b"HTTP/1.1 401 Unauthorized\r\n\r\n", &[]).is_none());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identifying<'a> {
    /// As the device shows it.
    pub software_version: &'a str,
    /// As on the label.
    pub serial: &'a str,
    /// Of any of its network interfaces.
    pub hardware_address: [u8; 6],
}

/// Something that was told too early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leak {
    /// What.
    pub fact: Fact,
    /// At which byte.
    pub offset: usize,
}

impl Identifying<'_> {
    /// Looks for the first leak in `bytes`, other than of facts that are `allowed`.
    ///
    /// Found are the version and the serial number as texts, whatever their case; the hardware address as bytes and
    /// in hexadecimal, with colons, hyphens, dots or nothing between, or its last three bytes alone; and the version of
    /// any software, as in `nginx/1.22` or `OpenSSH_9.2`. Encodings such as base 64, and what is compressed, are not
    /// looked into.
    pub fn find_leak(&self, bytes: &[u8], allowed: &[Fact]) -> Option<Leak> {
        (0..bytes.len()).find_map(|offset| {
            let fact = self
                .starts(bytes, offset)
                .filter(|fact| !allowed.contains(fact))?;
            Some(Leak { fact, offset })
        })
    }

    /// What begins at `offset`.
    fn starts(&self, bytes: &[u8], offset: usize) -> Option<Fact> {
        let (before, here) = bytes.split_at_checked(offset)?;
        if starts_with(here, self.serial) {
            return Some(Fact::SerialNumber);
        }
        let [_, _, _, end @ ..] = &self.hardware_address;
        if here.starts_with(&self.hardware_address)
            || starts_with_hex(here, &self.hardware_address)
            || starts_with_hex(here, end)
        {
            return Some(Fact::HardwareAddress);
        }
        if starts_with(here, self.software_version) || is_version_of_software(before, here) {
            return Some(Fact::SoftwareVersion);
        }
        None
    }
}

iotsec_core::claim! {
    provisions: ["5.6-2"],
    claims: "A serial number, a hardware address or a software version is found in what a service sends, in any spelling",
    code: [Identifying::find_leak],
    tests: [
        "iotsec-net::iotsec_net::surface::disclosure::tests::leaks_are_found_in_every_spelling",
        "iotsec-net::iotsec_net::surface::disclosure::tests::what_tells_nothing_is_no_leak",
    ],
}

/// Without regard to case; an empty text is not looked for.
fn starts_with(bytes: &[u8], text: &str) -> bool {
    let start = bytes.get(..text.len());
    !text.is_empty() && start.is_some_and(|start| start.eq_ignore_ascii_case(text.as_bytes()))
}

/// Two digits for each byte, with at most one separator between two bytes.
fn starts_with_hex(text: &[u8], bytes: &[u8]) -> bool {
    let mut rest = text;
    for (index, byte) in bytes.iter().enumerate() {
        if index > 0
            && let [b':' | b'-' | b'.', after @ ..] = rest
        {
            rest = after;
        }
        let [high, low, after @ ..] = rest else {
            return false;
        };
        if hex(*high) != Some(byte >> 4) || hex(*low) != Some(byte & 15) {
            return false;
        }
        rest = after;
    }
    true
}

fn hex(digit: u8) -> Option<u8> {
    let digit = char::from(digit).to_digit(16)?;
    u8::try_from(digit).ok()
}

/// Versions of protocols, which are no secret.
const PROTOCOLS: [&[u8]; 6] = [b"HTTP", b"RTSP", b"SIP", b"UPnP", b"TLS", b"MQTT"];

/// A slash or an underscore between a letter and digits with a dot: RFC 9110 §10.2.4, RFC 4253 §4.2.
fn is_version_of_software(before: &[u8], here: &[u8]) -> bool {
    let (Some(letter), [b'/' | b'_', version @ ..]) = (before.last(), here) else {
        return false;
    };
    let digits = version.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let dotted = matches!(version.get(digits..), Some([b'.', digit, ..]) if digit.is_ascii_digit());
    let protocol = PROTOCOLS.into_iter().any(|name| {
        before
            .strip_suffix(name)
            .is_some_and(|rest| !rest.last().is_some_and(u8::is_ascii_alphanumeric))
    });
    letter.is_ascii_alphabetic() && digits > 0 && dotted && !protocol
}

#[cfg(test)]
mod tests {
    use std::format;

    use super::*;

    const UNIT: Identifying<'_> = Identifying {
        software_version: "2.4.1",
        serial: "L2-000417",
        hardware_address: [0x02, 0x1b, 0x2c, 0x3d, 0x4e, 0x5f],
    };

    fn leak(text: &str) -> Option<(Fact, usize)> {
        let leak = UNIT.find_leak(text.as_bytes(), &[]);
        leak.map(|leak| (leak.fact, leak.offset))
    }

    #[test]
    fn a_service_tells_what_it_declares_and_nothing_else() {
        use crate::surface::{Authentication, Interface, Phase, Scope, Service};

        const fn service(port: u16) -> Service {
            Service::tcp(port, Scope::Local, Authentication::Password)
        }
        const CLOSED: Interface = Interface::service("closed", "Tells nothing", service(80));
        const NAMED: Interface = Interface::service(
            "named",
            "Tells what it is",
            service(81).disclosing(&[Fact::Product]),
        );
        crate::interfaces!(static TABLE = [CLOSED, NAMED]);

        let gate = TABLE.gate(Phase::Owned);
        let disclosure = |id| gate.grant_listen(id).unwrap().disclosure();
        let facts = [Fact::Product, Fact::SerialNumber, Fact::SoftwareVersion];
        let told = |id| facts.map(|fact| disclosure(id).tell(fact, "value"));
        assert_eq!(told("closed"), [Err(NotDisclosed); 3]);
        assert_eq!(told("named"), [Ok("value"), Err(NotDisclosed), Err(NotDisclosed)]);
    }

    #[test]
    fn leaks_are_found_in_every_spelling() {
        use Fact::{HardwareAddress, SerialNumber, SoftwareVersion};
        for (told, fact) in [
            ("L2-000417", SerialNumber),
            ("l2-000417", SerialNumber),
            ("2.4.1", SoftwareVersion),
            ("021b2c3d4e5f", HardwareAddress),
            ("02:1B:2C:3D:4E:5F", HardwareAddress),
            ("02-1b-2c-3d-4e-5f", HardwareAddress),
            ("021b.2c3d.4e5f", HardwareAddress),
            ("3D4E5F", HardwareAddress),
        ] {
            assert_eq!(leak(&format!("txt={told};")), Some((fact, 4)), "{told}");
            assert_eq!(leak(told), Some((fact, 0)), "{told}");
        }
        let raw = UNIT.find_leak(b"\x01\x02\x1b\x2c\x3d\x4e\x5f", &[]).unwrap();
        assert_eq!((raw.fact, raw.offset), (HardwareAddress, 1));
        for banner in [
            "Server: nginx/1.22.1",
            "SSH-2.0-OpenSSH_9.2p1",
            "Server: xHTTP/1.1",
        ] {
            assert_eq!(
                leak(banner).map(|(fact, _)| fact),
                Some(SoftwareVersion),
                "{banner}"
            );
        }
    }

    #[test]
    fn what_tells_nothing_is_no_leak() {
        for told in [
            "",
            "HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n",
            "NOTIFY * HTTP/1.1\r\nSERVER: UPnP/1.0\r\n",
            "L2-000418",
            "02:1b:2c:3d:4e",
            "3d4e5",
            "path/12",
            "a/.5",
            "2.4",
        ] {
            assert_eq!(leak(told), None, "{told}");
        }
    }

    #[test]
    fn what_is_allowed_hides_nothing_behind_it() {
        let told = b"version 2.4.1 serial L2-000417";
        let found = UNIT.find_leak(told, &[Fact::SoftwareVersion]).unwrap();
        assert_eq!((found.fact, found.offset), (Fact::SerialNumber, 21));
        let both = [Fact::SoftwareVersion, Fact::SerialNumber];
        assert_eq!(UNIT.find_leak(told, &both), None);
    }

    #[test]
    fn a_unit_without_a_serial_number_leaks_none() {
        let unit = Identifying {
            software_version: "",
            serial: "",
            ..UNIT
        };
        assert_eq!(unit.find_leak(b"anything", &[]), None);
    }
}
