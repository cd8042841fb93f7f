use super::error::{InputError, InputKind};

/// Reads `bytes.len()` bytes in symbols of `bits` bits, as RFC 4648 has them: nothing between or behind them, bits that
/// fill up the last symbol zero, so that no two texts are the same bytes.
fn decode(
    input: &[u8],
    bits: u32,
    padded: bool,
    symbol: fn(u8) -> Option<u8>,
    bytes: &mut [u8],
) -> Result<(), InputError> {
    let total = bytes.len().saturating_mul(8);
    let width = usize::try_from(bits).unwrap_or(8);
    let symbols = total.div_ceil(width);
    // Symbols that are a whole number of bytes.
    let group = if width == 5 { 8 } else { 4 };
    let whole = if padded {
        symbols.div_ceil(group).saturating_mul(group)
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
    let (mut held, mut have) = (0_u32, 0_u32);
    let mut out = bytes.iter_mut();
    for (at, byte) in data.iter().enumerate() {
        let value = symbol(*byte).ok_or(InputError::new(InputKind::Character, at))?;
        held = held.wrapping_shl(bits) | u32::from(value);
        have = have.saturating_add(bits);
        if have >= 8 {
            have = have.saturating_sub(8);
            if let Some(place) = out.next() {
                *place = u8::try_from(held.wrapping_shr(have) & 0xFF).unwrap_or(0);
            }
        }
        held &= 1_u32.wrapping_shl(have).saturating_sub(1);
    }
    if held != 0 {
        return Err(InputError::new(InputKind::Form, symbols.saturating_sub(1)));
    }
    match padding.iter().position(|byte| *byte != b'=') {
        Some(at) => Err(InputError::new(InputKind::Character, symbols.saturating_add(at))),
        None => Ok(()),
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

fn base64(byte: u8) -> Option<u8> {
    match byte {
        b'+' => Some(62),
        b'/' => Some(63),
        _ => alphanumeric(byte),
    }
}

fn base64url(byte: u8) -> Option<u8> {
    match byte {
        b'-' => Some(62),
        b'_' => Some(63),
        _ => alphanumeric(byte),
    }
}

fn alphanumeric(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte.wrapping_sub(b'A')),
        b'a'..=b'z' => Some(byte.wrapping_sub(b'a').wrapping_add(26)),
        b'0'..=b'9' => Some(byte.wrapping_sub(b'0').wrapping_add(52)),
        _ => None,
    }
}

macro_rules! encoded {
    ($($(#[$doc:meta])* $name:ident $bits:literal $padded:literal $symbol:ident)*) => {$(
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
                decode(input, $bits, $padded, $symbol, &mut bytes)?;
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
    Hex 4 false hex
    /// `N` bytes in base 32 (RFC 4648 §6), padded.
    ///
    /// ```
    /// use iotsec_core::input::Base32;
    ///
    /// assert_eq!(Base32::<4>::parse(b"MZXW6YQ=")?.bytes(), b"foob");
    /// # Ok::<(), iotsec_core::input::InputError>(())
    /// ```
    Base32 5 true base32
    /// `N` bytes in base 64 (RFC 4648 §4), padded.
    ///
    /// ```
    /// use iotsec_core::input::Base64;
    ///
    /// assert_eq!(Base64::<4>::parse(b"Zm9vYg==")?.bytes(), b"foob");
    /// assert!(Base64::<4>::parse(b"Zm9vYh==").is_err(), "bits behind the end");
    /// # Ok::<(), iotsec_core::input::InputError>(())
    /// ```
    Base64 6 true base64
    /// `N` bytes in the base 64 of URLs and JSON Web Tokens (RFC 4648 §5, RFC 7515 §2), without padding.
    ///
    /// ```
    /// use iotsec_core::input::Base64Url;
    ///
    /// assert_eq!(Base64Url::<4>::parse(b"Zm9vYg")?.bytes(), b"foob");
    /// # Ok::<(), iotsec_core::input::InputError>(())
    /// ```
    Base64Url 6 false base64url
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
