use super::error::{InputError, InputKind};

/// How bytes are written as text (RFC 4648).
///
/// Nothing may stand between or behind the symbols, and the bits that fill up the last one are zero, so that no two
/// texts are the same bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Encoding {
    /// Hexadecimal digits (§8), of either case.
    Hex,
    /// Base 32 (§6), padded.
    Base32,
    /// Base 64 (§4), padded.
    Base64,
    /// The base 64 of URLs and JSON Web Tokens (§5, RFC 7515 §2), without padding.
    Base64Url,
}

impl Encoding {
    /// Reads any number of bytes into `out`. Not for secrets: time depends on the text.
    ///
    /// ```
    /// use iotsec_core::input::Encoding;
    ///
    /// assert_eq!(Encoding::Base64.decode(b"Zm9vYg==", &mut [0; 16])?, b"foob");
    /// # Ok::<(), iotsec_core::input::InputError>(())
    /// ```
    ///
    /// # Errors
    /// [`InputError`]; [`InputKind::BufferFull`] when `out` is too small.
    pub fn decode<'o>(self, input: &[u8], out: &'o mut [u8]) -> Result<&'o [u8], InputError> {
        let out = out
            .get_mut(..self.decoded_len(input))
            .ok_or(InputError::new(InputKind::BufferFull, input.len()))?;
        self.fill(input, out)?;
        Ok(out)
    }

    /// How many bytes `input` stands for, if it is well formed.
    ///
    /// ```
    /// use iotsec_core::input::Encoding;
    ///
    /// assert_eq!(Encoding::Base64.decoded_len(b"Zm9vYg=="), 4);
    /// ```
    pub fn decoded_len(self, input: &[u8]) -> usize {
        let mut data = input;
        while let ([rest @ .., b'='], true) = (data, self.is_padded()) {
            data = rest;
        }
        // As many as the symbols are whole bytes of.
        data.len().saturating_mul(self.bits()).wrapping_shr(3)
    }

    /// Reads any number of bytes, of which nothing is kept.
    ///
    /// ```
    /// use iotsec_core::input::Encoding;
    ///
    /// assert!(Encoding::Hex.check(b"00ff").is_ok() && Encoding::Hex.check(b"00f").is_err());
    /// ```
    ///
    /// # Errors
    /// [`InputError`].
    pub fn check(self, input: &[u8]) -> Result<(), InputError> {
        self.read(input, self.decoded_len(input), &mut |_| {})
    }

    /// Reads `bytes.len()` bytes.
    fn fill(self, input: &[u8], bytes: &mut [u8]) -> Result<(), InputError> {
        let len = bytes.len();
        let mut out = bytes.iter_mut();
        self.read(input, len, &mut |byte| {
            if let Some(place) = out.next() {
                *place = byte;
            }
        })
    }

    /// Hands `len` bytes to `sink`, one by one.
    fn read(self, input: &[u8], len: usize, sink: &mut dyn FnMut(u8)) -> Result<(), InputError> {
        let bits = self.bits();
        let symbols = len.saturating_mul(8).div_ceil(bits);
        // Symbols that are a whole number of bytes.
        let group = if bits == 5 { 8 } else { 4 };
        let whole = if self.is_padded() {
            symbols.next_multiple_of(group)
        } else {
            symbols
        };
        if input.len() != whole {
            let kind = if input.len() < whole {
                InputKind::TooShort
            } else {
                InputKind::TooLong
            };
            return Err(InputError::new(kind, input.len().min(whole)));
        }
        let (data, padding) = input.split_at_checked(symbols).unwrap_or((input, &[]));
        let (mut held, mut have) = (0_usize, 0_usize);
        for (at, byte) in data.iter().enumerate() {
            let value = self
                .symbol(*byte)
                .ok_or(InputError::new(InputKind::Character, at))?;
            held = (held << bits) | usize::from(value);
            have = have.saturating_add(bits);
            if have >= 8 {
                have = have.saturating_sub(8);
                sink(u8::try_from((held >> have) & 0xFF).unwrap_or(0));
            }
            held &= (1_usize << have).saturating_sub(1);
        }
        if held != 0 {
            return Err(InputError::new(InputKind::Form, symbols.saturating_sub(1)));
        }
        match padding.iter().position(|byte| *byte != b'=') {
            Some(at) => Err(InputError::new(InputKind::Character, symbols.saturating_add(at))),
            None => Ok(()),
        }
    }

    const fn bits(self) -> usize {
        match self {
            Self::Hex => 4,
            Self::Base32 => 5,
            Self::Base64 | Self::Base64Url => 6,
        }
    }

    const fn is_padded(self) -> bool {
        matches!(self, Self::Base32 | Self::Base64)
    }

    fn symbol(self, byte: u8) -> Option<u8> {
        match self {
            Self::Hex => hex(byte),
            Self::Base32 => base32(byte),
            Self::Base64 => base64(byte, b'+', b'/'),
            Self::Base64Url => base64(byte, b'-', b'_'),
        }
    }
}

fn hex(byte: u8) -> Option<u8> {
    u8::try_from(char::from(byte).to_digit(16)?).ok()
}

fn base32(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte.wrapping_sub(b'A')),
        b'2'..=b'7' => Some(byte.wrapping_sub(b'2').wrapping_add(26)),
        _ => None,
    }
}

fn base64(byte: u8, last_but_one: u8, last: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte.wrapping_sub(b'A')),
        b'a'..=b'z' => Some(byte.wrapping_sub(b'a').wrapping_add(26)),
        b'0'..=b'9' => Some(byte.wrapping_sub(b'0').wrapping_add(52)),
        byte if byte == last_but_one => Some(62),
        byte if byte == last => Some(63),
        _ => None,
    }
}

macro_rules! encoded {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        ///
        /// Not for secrets: time depends on the text, and the bytes are not wiped.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub struct $name<const N: usize>([u8; N]);

        impl<const N: usize> $name<N> {
            /// Reads the bytes.
            ///
            /// # Errors
            /// [`InputError`].
            pub fn parse(input: &[u8]) -> Result<Self, InputError> {
                let mut bytes = [0; N];
                Encoding::$name.fill(input, &mut bytes)?;
                Ok(Self(bytes))
            }

            /// The bytes.
            pub const fn bytes(&self) -> &[u8; N] {
                &self.0
            }
        }
    )*};
}

encoded! {
    /// `N` bytes in hexadecimal digits (RFC 4648 §8), of either case.
    ///
    /// ```
    /// use iotsec_core::input::Hex;
    ///
    /// assert_eq!(Hex::<3>::parse(b"00fFa5")?.bytes(), &[0, 0xFF, 0xA5]);
    /// # Ok::<(), iotsec_core::input::InputError>(())
    /// ```
    Hex
    /// `N` bytes in base 32 (RFC 4648 §6), padded.
    ///
    /// ```
    /// use iotsec_core::input::Base32;
    ///
    /// assert_eq!(Base32::<4>::parse(b"MZXW6YQ=")?.bytes(), b"foob");
    /// # Ok::<(), iotsec_core::input::InputError>(())
    /// ```
    Base32
    /// `N` bytes in base 64 (RFC 4648 §4), padded.
    ///
    /// ```
    /// use iotsec_core::input::Base64;
    ///
    /// assert_eq!(Base64::<4>::parse(b"Zm9vYg==")?.bytes(), b"foob");
    /// assert!(Base64::<4>::parse(b"Zm9vYh==").is_err(), "bits behind the end");
    /// # Ok::<(), iotsec_core::input::InputError>(())
    /// ```
    Base64
    /// `N` bytes in the base 64 of URLs and JSON Web Tokens (RFC 4648 §5, RFC 7515 §2), without padding.
    ///
    /// ```
    /// use iotsec_core::input::Base64Url;
    ///
    /// assert_eq!(Base64Url::<4>::parse(b"Zm9vYg")?.bytes(), b"foob");
    /// # Ok::<(), iotsec_core::input::InputError>(())
    /// ```
    Base64Url
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vectors of RFC 4648 §10.
    #[test]
    fn the_vectors_of_rfc_4648_are_read() {
        assert_eq!(Hex::<6>::parse(b"666F6F626172").unwrap().bytes(), b"foobar");
        macro_rules! vectors {
            ($kind:ident $($text:literal $bytes:literal)*) => {$(
                assert_eq!($kind::parse($text).unwrap().bytes(), $bytes);
            )*};
        }
        vectors!(Base64 b"" b"" b"Zg==" b"f" b"Zm8=" b"fo" b"Zm9v" b"foo" b"Zm9vYmE=" b"fooba" b"Zm9vYmFy" b"foobar");
        vectors!(Base32 b"" b"" b"MY======" b"f" b"MZXQ====" b"fo" b"MZXW6===" b"foo" b"MZXW6YTB" b"fooba" b"MZXW6YTBOI======" b"foobar");
        assert_eq!(
            Base64Url::<3>::parse(b"-_-_").unwrap().bytes(),
            &[0xFB, 0xFF, 0xBF]
        );
    }

    #[test]
    fn any_number_of_bytes_is_read_where_there_is_room() {
        for (encoding, text) in [
            (Encoding::Hex, "666f6f6261"),
            (Encoding::Base32, "MZXW6YTB"),
            (Encoding::Base64, "Zm9vYmE="),
            (Encoding::Base64Url, "Zm9vYmE"),
        ] {
            assert_eq!(encoding.decode(text.as_bytes(), &mut [0; 5]), Ok(&b"fooba"[..]));
            let full = InputError::new(InputKind::BufferFull, text.len());
            assert_eq!(encoding.decode(text.as_bytes(), &mut [0; 4]), Err(full));
            assert_eq!(encoding.decode(b"", &mut []), Ok(&b""[..]));
            for cut in 1..text.len() {
                // Two hexadecimal digits are a byte, four symbols of base 64 three; bits behind the end are not zero here.
                let whole = match encoding {
                    Encoding::Hex => cut % 2 == 0,
                    Encoding::Base64 | Encoding::Base64Url => cut == 4,
                    _ => false,
                };
                assert_eq!(
                    encoding.decode(&text.as_bytes()[..cut], &mut [0; 5]).is_ok(),
                    whole,
                    "{text} {cut}"
                );
            }
        }
        assert!(Encoding::Base64.decode(b"====", &mut [0; 5]).is_err());
        assert!(Encoding::Base64.decode(b"Zm9v====", &mut [0; 5]).is_err());
    }

    #[test]
    fn each_value_has_one_text() {
        // Of the 65,536 texts that differ in two symbols, 256 are values, each another one.
        let mut seen = [false; 256];
        for a in 0..=u8::MAX {
            for b in 0..=u8::MAX {
                if let Ok(read) = Base64::<1>::parse(&[a, b, b'=', b'=']) {
                    let [value] = *read.bytes();
                    assert!(!core::mem::replace(&mut seen[usize::from(value)], true));
                }
            }
        }
        assert!(seen.iter().all(|seen| *seen));
        for text in [
            &b"Zg="[..],
            b"Zg",
            b"Zg===",
            b"Z g=",
            b"Zg=\n",
            b"Zg= ",
            b"=g==",
            b"Zg=Z",
        ] {
            assert!(Base64::<1>::parse(text).is_err());
        }
        assert_eq!(
            Base32::<1>::parse(b"my======").unwrap_err().kind,
            InputKind::Character
        );
        assert_eq!(Base32::<1>::parse(b"MZ======").unwrap_err().kind, InputKind::Form);
        assert_eq!(
            Hex::<2>::parse(b"00f").unwrap_err(),
            InputError::new(InputKind::TooShort, 3)
        );
        assert_eq!(
            Hex::<1>::parse(b"00f").unwrap_err(),
            InputError::new(InputKind::TooLong, 2)
        );
        assert_eq!(
            Hex::<1>::parse(b"0g").unwrap_err(),
            InputError::new(InputKind::Character, 1)
        );
    }
}
