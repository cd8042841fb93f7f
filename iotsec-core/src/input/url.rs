use core::fmt;

use super::{
    address::Port,
    error::{InputError, InputKind},
    hostname::Host,
    scan,
};

/// How a service is reached. There is none without encryption.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scheme {
    /// HTTP over TLS, port 443 (RFC 9110 §4.2.2).
    Https,
    /// MQTT over TLS, port 8883 (IANA, `secure-mqtt`).
    Mqtts,
    /// CoAP over DTLS, port 5684 (RFC 7252 §6.2).
    Coaps,
    /// WebSocket over TLS, port 443 (RFC 6455 §3).
    Wss,
}

impl Scheme {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Https, Self::Mqtts, Self::Coaps, Self::Wss];

    /// As it stands in a URL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Https => "https",
            Self::Mqtts => "mqtts",
            Self::Coaps => "coaps",
            Self::Wss => "wss",
        }
    }

    const fn default_port(self) -> u16 {
        match self {
            Self::Https | Self::Wss => 443,
            Self::Mqtts => 8883,
            Self::Coaps => 5684,
        }
    }
}

/// Where a service is: the URLs that a device needs (RFC 3986 §3), of at most 2,048 bytes.
///
/// ```text
/// url   = scheme "://" host [":" port] ["/" path] ["?" query]
/// path, query = *(pchar / "/"), *(pchar / "/" / "?")          ; RFC 3986 §3.3
/// ```
///
/// No names or passwords of users, no fragment, no `.` and `..` in the path, no escaped control character, slash or
/// backslash that would become another path where it is decoded.
///
/// ```
/// use iotsec_core::input::{InputKind, Scheme, Url};
///
/// let url = Url::parse(b"https://updates.example.com:8443/lamp/7?since=3")?;
/// assert_eq!((url.scheme(), url.port().get()), (Scheme::Https, 8443));
/// assert_eq!(url.authority(), "updates.example.com:8443");
/// assert_eq!((url.path(), url.query()), ("/lamp/7", Some("since=3")));
/// assert_eq!(Url::parse(b"http://example.com/").unwrap_err().kind, InputKind::Scheme);
/// assert!(Url::parse_with(b"wss://example.com/", &[Scheme::Https]).is_err());
/// # Ok::<(), iotsec_core::input::InputError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Url<'a> {
    whole: &'a str,
    scheme: Scheme,
    authority: &'a str,
    host: Host<'a>,
    port: Port,
    path: &'a str,
    query: Option<&'a str>,
}

impl<'a> Url<'a> {
    /// Most bytes of a URL.
    pub const MAX_LEN: usize = 2048;

    /// Reads a URL of any [`Scheme`].
    ///
    /// # Errors
    /// [`InputError`].
    pub fn parse(input: &'a [u8]) -> Result<Self, InputError> {
        Self::parse_with(input, &Scheme::ALL)
    }

    /// Reads a URL of one of these schemes.
    ///
    /// # Errors
    /// [`InputError`].
    pub fn parse_with(input: &'a [u8], schemes: &[Scheme]) -> Result<Self, InputError> {
        scan::length(input, 1, Self::MAX_LEN)?;
        let (name, rest, after) =
            scan::split_once(input, b':').ok_or(InputError::new(InputKind::Scheme, 0))?;
        let mut known = schemes.iter();
        let scheme = known.find(|scheme| name.eq_ignore_ascii_case(scheme.as_str().as_bytes()));
        let scheme = *scheme.ok_or(InputError::new(InputKind::Scheme, 0))?;
        let rest = rest
            .strip_prefix(b"//")
            .ok_or(InputError::new(InputKind::Form, after))?;
        let begins = after.saturating_add(2);
        let end = rest.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#'));
        let (authority, tail) = rest
            .split_at_checked(end.unwrap_or(rest.len()))
            .unwrap_or((rest, &[]));
        let (host, port) = authority_of(authority, scheme).map_err(|error| error.within(begins))?;
        let at = begins.saturating_add(authority.len());
        let (path, query) = match scan::split_once(tail, b'?') {
            Some((path, query, behind)) => {
                check(query, true).map_err(|error| error.within(at.saturating_add(behind)))?;
                (path, Some(scan::text(query)?))
            }
            None => (tail, None),
        };
        check(path, false).map_err(|error| error.within(at))?;
        check_segments(path).map_err(|error| error.within(at))?;
        Ok(Self {
            whole: scan::text(input)?,
            scheme,
            authority: scan::text(authority)?,
            host,
            port,
            path: scan::text(path)?,
            query,
        })
    }

    /// The URL as it came.
    pub const fn as_str(&self) -> &'a str {
        self.whole
    }
    /// How the service is reached.
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }
    /// Host and port as they stand there, which is what HTTP repeats in a field (RFC 9110 §7.2).
    pub const fn authority(&self) -> &'a str {
        self.authority
    }
    /// Where it is.
    pub const fn host(&self) -> Host<'a> {
        self.host
    }
    /// Its port: the one that stands there, or that of the scheme.
    pub const fn port(&self) -> Port {
        self.port
    }
    /// The path, from its first slash on; empty when there is none.
    pub const fn path(&self) -> &'a str {
        self.path
    }
    /// What stands behind the first question mark.
    pub const fn query(&self) -> Option<&'a str> {
        self.query
    }
}

impl fmt::Display for Url<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.whole)
    }
}

fn authority_of(authority: &[u8], scheme: Scheme) -> Result<(Host<'_>, Port), InputError> {
    if authority.contains(&b'@') {
        return Err(InputError::new(InputKind::UserInfo, 0));
    }
    if authority.first() == Some(&b'[') && !authority.contains(&b']') {
        return Err(InputError::new(InputKind::Truncated, authority.len()));
    }
    // The colons of an IPv6 address stand between brackets.
    let bracket = authority.iter().rposition(|byte| *byte == b']').unwrap_or(0);
    let colon = authority.iter().skip(bracket).position(|byte| *byte == b':');
    let (host, port) = match colon.map(|colon| colon.saturating_add(bracket)) {
        Some(colon) => {
            let behind = colon.saturating_add(1);
            let port = authority.get(behind..).unwrap_or_default();
            let port = Port::parse(port).map_err(|error| error.within(behind))?;
            (authority.get(..colon).unwrap_or_default(), port)
        }
        None => (authority, Port::new(scheme.default_port())?),
    };
    Ok((Host::parse(host)?, port))
}

/// Refuses characters that must not stand in a path or query, and escapes of such that change what it says.
fn check(part: &[u8], query: bool) -> Result<(), InputError> {
    let mut at = 0_usize;
    while let Some(byte) = part.get(at) {
        let wrong = InputError::new(InputKind::Character, at);
        match byte {
            b'%' => {
                let decoded = escaped(part, at).ok_or(wrong)?;
                let separates = matches!(decoded, b'/' | b'\\') && !query;
                if decoded.is_ascii_control() || separates {
                    return Err(wrong);
                }
                at = at.saturating_add(3);
                continue;
            }
            b'-' | b'.' | b'_' | b'~' | b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b','
            | b';' | b'=' | b':' | b'@' | b'/' => {}
            b'?' if query => {}
            byte if byte.is_ascii_alphanumeric() => {}
            _ => return Err(wrong),
        }
        at = at.saturating_add(1);
    }
    Ok(())
}

/// The byte that an escape at `at` stands for.
fn escaped(part: &[u8], at: usize) -> Option<u8> {
    let digit = |place: usize| char::from(*part.get(at.checked_add(place)?)?).to_digit(16);
    u8::try_from(digit(1)?.wrapping_mul(16).wrapping_add(digit(2)?)).ok()
}

/// Refuses segments that mean another place: `.` and `..`, escaped or not.
fn check_segments(path: &[u8]) -> Result<(), InputError> {
    for (begins, segment) in scan::split(path, b'/') {
        let (mut at, mut dots, mut others) = (0_usize, 0_usize, false);
        while let Some(byte) = segment.get(at) {
            let (byte, len) = match byte {
                b'%' => (escaped(segment, at).unwrap_or(0), 3),
                byte => (*byte, 1),
            };
            if byte == b'.' {
                dots = dots.saturating_add(1);
            } else {
                others = true;
            }
            at = at.saturating_add(len);
        }
        if !others && matches!(dots, 1 | 2) {
            return Err(InputError::new(InputKind::Form, begins));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{format, string::ToString};

    use super::*;

    #[test]
    fn urls_come_apart_as_they_should() {
        for (url, host, port, path, query) in [
            ("https://a.b", "a.b", 443, "", None),
            ("MQTTS://A.b/", "A.b", 8883, "/", None),
            ("coaps://[2001:db8::1]:1/x", "[2001:db8::1]", 1, "/x", None),
            ("wss://192.0.2.1?", "192.0.2.1", 443, "", Some("")),
            (
                "https://a.b/%20/~x;y=1/...?q=/?%2F:@",
                "a.b",
                443,
                "/%20/~x;y=1/...",
                Some("q=/?%2F:@"),
            ),
        ] {
            let read = Url::parse(url.as_bytes()).unwrap();
            assert_eq!(read.host().to_string(), host);
            assert_eq!(
                (read.port().get(), read.path(), read.query()),
                (port, path, query)
            );
        }
    }

    #[test]
    fn urls_that_parsers_disagree_about_are_refused() {
        use InputKind::{Character, Empty, Form, Scheme, UserInfo};
        for (url, kind, offset) in [
            ("", Empty, 0),
            ("https", Scheme, 0),
            ("http://a.b/", Scheme, 0),
            ("ftp://a.b/", Scheme, 0),
            ("javascript:alert(1)", Scheme, 0),
            (" https://a.b/", Scheme, 0),
            ("https:/a.b", Form, 6),
            ("https:a.b", Form, 6),
            ("https:///a.b", Empty, 8),
            ("https://", Empty, 8),
            ("https://a.b@c.d/", UserInfo, 8),
            ("https://a:b@c.d/", UserInfo, 8),
            ("https://a.b\\@c.d/", UserInfo, 8),
            ("https://a.b:/", Empty, 12),
            ("https://a.b:08/", Form, 12),
            ("https://a.b:0/", InputKind::Range, 12),
            ("https://a.b:65536/", InputKind::Range, 12),
            ("https://a.b#x", Character, 11),
            ("https://a.b/#x", Character, 12),
            ("https://a.b/ ", Character, 12),
            ("https://a.b/\r\nX: y", Character, 12),
            ("https://a.b/\\x", Character, 12),
            ("https://a.b/%", Character, 12),
            ("https://a.b/%0", Character, 12),
            ("https://a.b/%0d%0a", Character, 12),
            ("https://a.b/%00", Character, 12),
            ("https://a.b/x%2fy", Character, 13),
            ("https://a.b/%5cx", Character, 12),
            ("https://a.b/../x", Form, 12),
            ("https://a.b/x/%2e%2E", Form, 14),
            ("https://a.b/./x", Form, 12),
            ("https://[::1/", InputKind::Truncated, 12),
            ("https://[fe80::1%25eth0]/", Character, 16),
            ("https://127.1/", Form, 12),
            ("https://0x7f.0.0.1/", Form, 17),
            ("https://2130706433/", Form, 8),
            ("https://a_b.c/", Character, 9),
            ("https://b\u{fc}cher.example/", Character, 9),
            ("https://a.b/b\u{fc}cher", Character, 13),
            ("https://a.b/?x=<y>", Character, 15),
        ] {
            assert_eq!(
                Url::parse(url.as_bytes()).unwrap_err(),
                InputError::new(kind, offset),
                "{url:?}"
            );
        }
        let long = format!("https://a.b/{}", "x".repeat(2048));
        assert_eq!(Url::parse(long.as_bytes()).unwrap_err().kind, InputKind::TooLong);
    }
}
