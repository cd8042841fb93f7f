use super::{
    error::{InputError, InputKind},
    scan,
};

/// The serial number of a device: 1 to 32 letters, digits, hyphens and dots, a letter or digit first and last. It is a
/// PrintableString of X.509, safe in paths and tables, and, in capitals, fits into the QR code of a label.
///
/// ```
/// use iotsec_core::input::DeviceSerial;
///
/// assert_eq!(DeviceSerial::parse(b"LAMP-2026.00417")?.as_str(), "LAMP-2026.00417");
/// assert!(DeviceSerial::parse(b"../../etc/passwd").is_err());
/// # Ok::<(), iotsec_core::input::InputError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeviceSerial<'a>(&'a str);

impl<'a> DeviceSerial<'a> {
    /// Most bytes of a serial number.
    pub const MAX_LEN: usize = 32;

    /// Reads a serial number.
    ///
    /// # Errors
    /// [`InputError`].
    pub fn parse(input: &'a [u8]) -> Result<Self, InputError> {
        scan::length(input, 1, Self::MAX_LEN)?;
        scan::all(input, |byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.')
        })?;
        let last = input.len().saturating_sub(1);
        for at in [0, last] {
            if !input.get(at).is_some_and(u8::is_ascii_alphanumeric) {
                return Err(InputError::new(InputKind::Character, at));
            }
        }
        Ok(Self(scan::text(input)?))
    }

    /// The serial number.
    pub const fn as_str(&self) -> &'a str {
        self.0
    }
}

/// A name that people give and read: UTF-8 of 1 to `N` bytes without control characters, without the invisible ones
/// that make a text look like another (directions and joiners, Unicode TR 36 §3.1), and without blanks at its ends.
///
/// ```
/// use iotsec_core::input::{InputKind, Label};
///
/// assert_eq!(Label::<32>::parse("Küche".as_bytes())?.as_str(), "Küche");
/// assert_eq!(Label::<32>::parse("lamp\u{202E}gpj".as_bytes()).unwrap_err().kind, InputKind::Character);
/// # Ok::<(), iotsec_core::input::InputError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Label<'a, const N: usize>(&'a str);

impl<'a, const N: usize> Label<'a, N> {
    /// Reads a name.
    ///
    /// # Errors
    /// [`InputError`].
    pub fn parse(input: &'a [u8]) -> Result<Self, InputError> {
        scan::length(input, 1, N)?;
        let text = scan::text(input)?;
        let last = text.char_indices().next_back().map_or(0, |(at, _)| at);
        for (at, character) in text.char_indices() {
            let blank = character.is_whitespace();
            if character.is_control()
                || is_invisible(character)
                || (blank && (character != ' ' || at == 0 || at == last))
            {
                return Err(InputError::new(InputKind::Character, at));
            }
        }
        Ok(Self(text))
    }

    /// The name.
    pub const fn as_str(&self) -> &'a str {
        self.0
    }
}

crate::claim! {
    provisions: ["5.13-1A"],
    claims: "Names that people give show what they are, and hostile texts are refused or harmless",
    code: [Label::parse],
    tests: [
        "iotsec-core::iotsec_core::input::text::tests::names_show_what_they_are",
        "iotsec-core::input_corpora::naughty_strings_are_refused_or_harmless",
    ],
}

/// Soft hyphens, joiners and marks of direction, separators of lines, byte order marks, tags.
const fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{AD}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{E0000}'..='\u{E0FFF}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serial_numbers_are_safe_in_paths_and_tables() {
        for (serial, offset) in [
            ("-a", 0),
            ("a.", 1),
            ("a/b", 1),
            ("a_b", 1),
            ("a b", 1),
            ("a;b", 1),
            ("\u{fc}", 0),
            (".", 0),
        ] {
            assert_eq!(
                DeviceSerial::parse(serial.as_bytes()).unwrap_err(),
                InputError::new(InputKind::Character, offset)
            );
        }
        assert!(DeviceSerial::parse(&[b'7'; 32]).is_ok() && DeviceSerial::parse(&[b'7'; 33]).is_err());
    }

    #[test]
    fn names_show_what_they_are() {
        for name in ["a", "a b", "日本語", "👍"] {
            assert_eq!(Label::<12>::parse(name.as_bytes()).unwrap().as_str(), name);
        }
        for name in [
            " a",
            "a ",
            "a\tb",
            "a\u{a0}b",
            "a\nb",
            "\u{feff}a",
            "a\u{200d}b",
            "a\u{7f}",
            "\u{e0041}",
        ] {
            assert_eq!(
                Label::<12>::parse(name.as_bytes()).unwrap_err().kind,
                InputKind::Character,
                "{name:?}"
            );
        }
        assert_eq!(
            Label::<3>::parse(b"abcd").unwrap_err(),
            InputError::new(InputKind::TooLong, 3)
        );
        assert_eq!(
            Label::<3>::parse(b"a\xFF").unwrap_err(),
            InputError::new(InputKind::Utf8, 1)
        );
    }
}
