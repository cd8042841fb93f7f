use super::{error::InputError, scan};
use crate::secret::Secret;

/// The name of a Wi-Fi network: 1 to 32 octets, which need not be text (IEEE 802.11-2020 §9.4.2.2).
///
/// ```
/// use iotsec_core::input::Ssid;
///
/// let ssid = Ssid::parse("Café 5 GHz".as_bytes())?;
/// assert_eq!(ssid.as_str(), Some("Café 5 GHz"));
/// assert!(Ssid::parse(&[0; 33]).is_err());
/// # Ok::<(), iotsec_core::input::InputError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ssid {
    octets: [u8; Self::MAX_LEN],
    len: u8,
}

impl Ssid {
    /// Most octets of a name.
    pub const MAX_LEN: usize = 32;

    /// Takes a name. The empty one, which stands for any network, is no network to join.
    ///
    /// # Errors
    /// [`InputError`].
    pub fn parse(input: &[u8]) -> Result<Self, InputError> {
        scan::length(input, 1, Self::MAX_LEN)?;
        let mut octets = [0; Self::MAX_LEN];
        for (to, from) in octets.iter_mut().zip(input) {
            *to = *from;
        }
        let len = u8::try_from(input.len()).unwrap_or(0);
        Ok(Self { octets, len })
    }

    /// The octets.
    pub fn octets(&self) -> &[u8] {
        self.octets.get(..usize::from(self.len)).unwrap_or_default()
    }

    /// The name, where it is UTF-8 without control characters, so that it can be shown.
    pub fn as_str(&self) -> Option<&str> {
        let text = core::str::from_utf8(self.octets()).ok()?;
        (!text.chars().any(char::is_control)).then_some(text)
    }
}

/// The key of a Wi-Fi network: a passphrase of 8 to 63 printable ASCII characters, or the 256-bit key itself as 64
/// hexadecimal digits (IEEE 802.11-2020 annex J.4). Wiped on drop; `Debug` shows nothing.
///
/// ```
/// use iotsec_core::input::{InputKind, Psk};
///
/// assert!(Psk::parse(b"correct horse battery staple").is_ok());
/// assert_eq!(Psk::parse(b"1234567").unwrap_err().kind, InputKind::TooShort);
/// ```
pub struct Psk {
    text: Secret<{ Self::MAX_LEN }>,
    len: u8,
}

impl Psk {
    /// Bytes of the longest: 64 hexadecimal digits.
    pub const MAX_LEN: usize = 64;

    /// Takes a key. Blanks at its ends are part of it.
    ///
    /// # Errors
    /// [`InputError`].
    pub fn parse(input: &[u8]) -> Result<Self, InputError> {
        scan::length(input, 8, Self::MAX_LEN)?;
        if input.len() == Self::MAX_LEN {
            scan::all(input, |byte| byte.is_ascii_hexdigit())?;
        } else {
            scan::all(input, |byte| (0x20..0x7F).contains(&byte))?;
        }
        let mut text = Secret::zero();
        for (to, from) in text.expose_mut().iter_mut().zip(input) {
            *to = *from;
        }
        let len = u8::try_from(input.len()).unwrap_or(0);
        Ok(Self { text, len })
    }

    /// The text. Every use of this is a place to review.
    pub fn expose(&self) -> &str {
        let text = self.text.expose().get(..usize::from(self.len));
        core::str::from_utf8(text.unwrap_or_default()).unwrap_or_default()
    }

    /// Whether it is the key itself, and no passphrase that the key is derived from.
    pub const fn is_raw(&self) -> bool {
        matches!(self.len, 64)
    }
}

impl core::fmt::Debug for Psk {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Psk(..)")
    }
}

#[cfg(test)]
mod tests {
    use std::format;

    use super::{super::error::InputKind, *};

    #[test]
    fn a_name_is_octets() {
        assert_eq!(Ssid::parse(b"").unwrap_err().kind, InputKind::Empty);
        for octets in [&b"a\0b"[..], b":;\\\"", &[0xFF; 32]] {
            assert_eq!(Ssid::parse(octets).unwrap().octets(), octets);
        }
        assert_eq!(
            Ssid::parse(&[b'a'; 33]).unwrap_err(),
            InputError::new(InputKind::TooLong, 32)
        );
        assert_eq!(Ssid::parse(b"a\nb").unwrap().as_str(), None);
        assert_eq!(Ssid::parse(&[0xFF]).unwrap().as_str(), None);
    }

    #[test]
    fn a_key_is_a_passphrase_or_64_digits() {
        for (key, raw) in [
            (" 2345678", false),
            ("~~~~~~~ ", false),
            (&"a".repeat(63), false),
            (&"aF".repeat(32), true),
        ] {
            let read = Psk::parse(key.as_bytes()).unwrap();
            assert_eq!((read.expose(), read.is_raw()), (key, raw));
            assert_eq!(format!("{read:?}"), "Psk(..)");
        }
        for (key, kind, offset) in [
            (&b"1234567"[..], InputKind::TooShort, 7),
            (b"", InputKind::Empty, 0),
            (&[b'g'; 64], InputKind::Character, 0),
            (&[b'a'; 65], InputKind::TooLong, 64),
            (b"12345678\x7F", InputKind::Character, 8),
            (b"1234567\n", InputKind::Character, 7),
            ("1234567ü".as_bytes(), InputKind::Character, 7),
        ] {
            assert_eq!(Psk::parse(key).unwrap_err(), InputError::new(kind, offset));
        }
    }
}
