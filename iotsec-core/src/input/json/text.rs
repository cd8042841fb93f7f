use crate::input::error::{InputError, InputKind};

/// Checks the string whose quotation mark stands at `begins` of a document that is UTF-8, and returns where it ends.
pub(super) fn check(input: &[u8], begins: usize) -> Result<usize, InputError> {
    let mut at = begins.saturating_add(1);
    loop {
        let error = |kind| Err(InputError::new(kind, at));
        match input.get(at) {
            None => return error(InputKind::Truncated),
            Some(b'"') => return Ok(at.saturating_add(1)),
            Some(0..=0x1F) => return error(InputKind::Character),
            Some(b'\\') => match escape(input, at) {
                Some((_, len)) => at = at.saturating_add(len),
                // Cut off, or wrong.
                None => {
                    let rest = input.len().saturating_sub(at);
                    let cut = rest < 12 && !input.get(at..).unwrap_or_default().contains(&b'"');
                    return error(if cut {
                        InputKind::Truncated
                    } else {
                        InputKind::Character
                    });
                }
            },
            Some(_) => at = at.saturating_add(1),
        }
    }
}

/// Where a string ends that was checked.
pub(super) fn end(input: &[u8], begins: usize) -> usize {
    let mut at = begins.saturating_add(1);
    loop {
        match input.get(at) {
            Some(b'\\') => at = at.saturating_add(2),
            Some(b'"') | None => return at.saturating_add(1),
            Some(_) => at = at.saturating_add(1),
        }
    }
}

/// The character that the escape at `at` stands for, and its bytes. Half a surrogate pair stands for nothing.
fn escape(input: &[u8], at: usize) -> Option<(char, usize)> {
    let kind = input.get(at.checked_add(1)?)?;
    let character = match kind {
        b'"' | b'\\' | b'/' => char::from(*kind),
        b'b' => '\u{8}',
        b'f' => '\u{C}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return unicode(input, at),
        _ => return None,
    };
    Some((character, 2))
}

fn unicode(input: &[u8], at: usize) -> Option<(char, usize)> {
    let first = unit(input, at)?;
    if !(0xD800..0xDC00).contains(&first) {
        return Some((char::from_u32(first)?, 6));
    }
    let second = unit(input, at.checked_add(6)?)?;
    let low = second.checked_sub(0xDC00).filter(|low| *low < 0x400)?;
    let high = first.wrapping_sub(0xD800).wrapping_shl(10);
    Some((char::from_u32(high.wrapping_add(low).wrapping_add(0x1_0000))?, 12))
}

fn unit(input: &[u8], at: usize) -> Option<u32> {
    let [b'\\', b'u', digits @ ..] = input.get(at..at.checked_add(6)?)? else {
        return None;
    };
    digits.iter().try_fold(0, |unit: u32, digit| {
        Some(unit.wrapping_shl(4) | char::from(*digit).to_digit(16)?)
    })
}

/// A string.
#[derive(Clone, Copy)]
pub struct Text<'a> {
    /// Between the quotation marks.
    raw: &'a str,
    /// Of the first quotation mark.
    offset: usize,
}

impl<'a> Text<'a> {
    /// The string at `begins` of a document that was checked.
    pub(super) fn at(input: &'a [u8], begins: usize) -> Self {
        let end = end(input, begins).saturating_sub(1);
        let raw = input.get(begins.saturating_add(1)..end).unwrap_or_default();
        Self {
            raw: core::str::from_utf8(raw).unwrap_or_default(),
            offset: begins,
        }
    }

    /// Where it begins in the document.
    pub const fn offset(&self) -> usize {
        self.offset
    }

    /// The string, where there is no escape in it.
    pub fn as_plain(&self) -> Option<&'a str> {
        (!self.raw.as_bytes().contains(&b'\\')).then_some(self.raw)
    }

    /// Its characters.
    pub fn chars(&self) -> impl Iterator<Item = char> + 'a {
        let (raw, mut at) = (self.raw, 0_usize);
        core::iter::from_fn(move || {
            let rest = raw.get(at..)?;
            let character = rest.chars().next()?;
            let escaped = match character {
                '\\' => escape(raw.as_bytes(), at),
                _ => None,
            };
            let (character, len) = escaped.unwrap_or((character, character.len_utf8()));
            at = at.saturating_add(len);
            Some(character)
        })
    }

    /// Writes the string into `out`, whose length it never needs more than [`Self::max_len`] of.
    ///
    /// ```
    /// use iotsec_core::input::json::{self, Limits};
    ///
    /// let text = json::parse(br#""a\n\ud83d\ude00""#, &Limits::SMALL)?.text()?;
    /// assert_eq!(text.decode(&mut [0; 16])?, "a\n\u{1F600}");
    /// # Ok::<(), iotsec_core::input::InputError>(())
    /// ```
    ///
    /// # Errors
    /// [`InputKind::BufferFull`].
    pub fn decode<'o>(&self, out: &'o mut [u8]) -> Result<&'o str, InputError> {
        let full = InputError::new(InputKind::BufferFull, self.offset);
        let mut len = 0_usize;
        for character in self.chars() {
            for byte in character.encode_utf8(&mut [0; 4]).bytes() {
                *out.get_mut(len).ok_or(full)? = byte;
                len = len.saturating_add(1);
            }
        }
        core::str::from_utf8(out.get(..len).ok_or(full)?).map_err(|_| full)
    }

    /// Most bytes that [`decode`](Self::decode) writes.
    pub const fn max_len(&self) -> usize {
        self.raw.len()
    }

    /// Whether both are the same characters, however they are escaped.
    pub(super) fn is_same(&self, other: &Text<'_>) -> bool {
        self.chars().eq(other.chars())
    }
}

impl PartialEq<str> for Text<'_> {
    fn eq(&self, other: &str) -> bool {
        self.chars().eq(other.chars())
    }
}

impl PartialEq<&str> for Text<'_> {
    fn eq(&self, other: &&str) -> bool {
        *self == **other
    }
}

impl core::fmt::Debug for Text<'_> {
    /// Not the string: it may be a secret.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Text(..)")
    }
}
