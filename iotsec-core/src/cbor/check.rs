use super::{
    error::{CborError, Kind},
    head::{self, Head},
};

/// Nesting that the checker can follow, whatever [`Limits`] say: 16 frames are 512 bytes of stack.
/// The deepest format here (a SUIT command sequence in a try-each) needs 6.
pub(super) const MAX_DEPTH: usize = 16;

/// How much an input may ask of the reader. Exceeding each has its own error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Arrays, maps and tags inside one another; at most 16.
    pub depth: u8,
    /// Data items, keys and tags included.
    pub items: u16,
    /// Bytes of the whole input.
    pub bytes: u32,
}

impl Limits {
    /// For headers and small records: depth 4, 64 items, 1 KiB.
    pub const SMALL: Self = Self {
        depth: 4,
        items: 64,
        bytes: 1024,
    };
}

/// Checks that `input` is one deterministically encoded item within `limits`, and nothing else.
///
/// # Errors
/// The first violation and its offset.
///
/// ```
/// use iotsec_core::cbor::{Kind, Limits, check};
///
/// assert!(check(&[0xA1, 0x01, 0x02], &Limits::SMALL).is_ok());
/// assert_eq!(check(&[0x18, 0x01], &Limits::SMALL).unwrap_err().kind, Kind::NotShortest);
/// ```
pub fn check(input: &[u8], limits: &Limits) -> Result<(), CborError> {
    check_from(input, 0, limits)
}

crate::claim! {
    provisions: ["5.13-1B"],
    claims: "CBOR is read in its one deterministic form and within limits of length, depth and count",
    code: [check],
    tests: [
        "iotsec-core::iotsec_core::cbor::tests::each_violation_has_its_own_error_and_offset",
        "iotsec-core::iotsec_core::cbor::tests::limits_hold",
        "iotsec-core::input_differential::what_ciborium_calls_deterministic_is_what_we_accept",
    ],
}

/// Checks a CBOR sequence (RFC 8742): any number of items, one after the other.
///
/// # Errors
/// The first violation and its offset.
///
/// ```
/// use iotsec_core::cbor::{Limits, check_sequence};
///
/// assert!(check_sequence(&[0x01, 0x61, b'a'], &Limits::SMALL).is_ok());
/// assert!(check_sequence(&[0x01, 0x61], &Limits::SMALL).is_err());
/// ```
pub fn check_sequence(input: &[u8], limits: &Limits) -> Result<(), CborError> {
    check_items(input, 0, limits, false)
}

/// Checks the first item of a CBOR sequence (RFC 8742) and splits it off, so that a sequence of any
/// length can be walked with limits for each item.
///
/// # Errors
/// The first violation and its offset; [`Kind::Bytes`] when the item is longer than the limit.
///
/// ```
/// use iotsec_core::cbor::{Limits, split_first};
///
/// let (first, rest) = split_first(&[0x82, 0x01, 0x02, 0x61, b'a'], &Limits::SMALL)?;
/// assert_eq!((first, rest), (&[0x82, 0x01, 0x02][..], &[0x61, b'a'][..]));
/// # Ok::<(), iotsec_core::cbor::CborError>(())
/// ```
pub fn split_first<'a>(input: &'a [u8], limits: &Limits) -> Result<(&'a [u8], &'a [u8]), CborError> {
    let most = usize::try_from(limits.bytes)
        .unwrap_or(usize::MAX)
        .min(input.len());
    let window = input.get(..most).unwrap_or(input);
    fits(window, 0, limits)?;
    let mut checker = Checker::new(window, 0, limits);
    let done = checker.one();
    if most < input.len() && done.is_err_and(|error| error.kind == Kind::Truncated) {
        return Err(CborError::new(Kind::Bytes, most));
    }
    done?;
    input
        .split_at_checked(checker.pos)
        .ok_or(CborError::new(Kind::Truncated, checker.pos))
}

/// As [`check()`] from byte `start` on; error offsets count from byte 0.
pub(super) fn check_from(input: &[u8], start: usize, limits: &Limits) -> Result<(), CborError> {
    check_items(input, start, limits, true)
}

// One frame of half a kilobyte, whoever asks.
#[inline(never)]
fn check_items(input: &[u8], start: usize, limits: &Limits, is_single: bool) -> Result<(), CborError> {
    fits(input, start, limits)?;
    let mut checker = Checker::new(input, start, limits);
    while is_single || !checker.is_at_end() {
        checker.one()?;
        if is_single {
            break;
        }
    }
    if checker.is_at_end() {
        Ok(())
    } else {
        Err(CborError::new(Kind::Trailing, checker.pos))
    }
}

fn fits(input: &[u8], start: usize, limits: &Limits) -> Result<(), CborError> {
    let len = input.len().saturating_sub(start);
    if u32::try_from(len).is_ok_and(|len| len <= limits.bytes) {
        Ok(())
    } else {
        Err(CborError::new(Kind::Bytes, start))
    }
}

/// One open array, map or tag.
// All zero and without gaps at first, so that many are cleared at once.
#[derive(Clone, Copy)]
struct Frame<'a> {
    /// Items still to come, keys and values counted apart.
    left: usize,
    /// The major type.
    major: usize,
    /// Where the item now being read starts.
    start: usize,
    last_key: Option<&'a [u8]>,
}

struct Checker<'a> {
    input: &'a [u8],
    limits: &'a Limits,
    pos: usize,
    items: u16,
    depth: usize,
    stack: [Frame<'a>; MAX_DEPTH],
}

impl<'a> Checker<'a> {
    const fn new(input: &'a [u8], start: usize, limits: &'a Limits) -> Self {
        Self {
            input,
            limits,
            pos: start,
            items: 0,
            depth: 0,
            stack: [Frame {
                left: 0,
                major: 0,
                start: 0,
                last_key: None,
            }; MAX_DEPTH],
        }
    }

    fn is_at_end(&self) -> bool {
        self.pos == self.input.len()
    }

    /// Checks one item with everything in it.
    #[inline(never)]
    fn one(&mut self) -> Result<(), CborError> {
        loop {
            match self.item() {
                Ok(true) => {}
                Ok(false) => self.ended()?,
                Err(kind) => return Err(CborError::new(kind, self.pos)),
            }
            if self.depth == 0 {
                return Ok(());
            }
        }
    }

    /// Reads one head and what belongs to it. True when there is more to come of the item: a container or tag with
    /// content has opened a frame.
    fn item(&mut self) -> Result<bool, Kind> {
        self.items = self.items.saturating_add(1);
        if self.items > self.limits.items {
            return Err(Kind::Items);
        }
        let Head { major, value, len } = head::read(self.input, self.pos).map_err(|error| error.kind)?;
        let body = self.pos.saturating_add(len);
        let mut count = usize::try_from(value).unwrap_or(usize::MAX);
        match major {
            head::UINT | head::NINT => count = 0,
            head::MAP => count = count.saturating_mul(2),
            // A bignum is a second way to write an integer, which deserializers take for the same one.
            head::TAG if !matches!(value, head::BIGNUM | head::NEGATIVE_BIGNUM) => count = 1,
            head::SIMPLE if matches!(value, head::FALSE | head::TRUE | head::NULL) => count = 0,
            head::TAG | head::SIMPLE => return Err(Kind::Unsupported),
            _ => {}
        }
        // Bytes, or items of at least one byte each: a lie about their number ends here.
        let end = body.saturating_add(count);
        let content = self.input.get(body..end).ok_or(Kind::Truncated)?;
        match major {
            head::ARRAY | head::MAP | head::TAG => {
                let is_allowed = self.depth < usize::from(self.limits.depth);
                let frame = self.stack.get_mut(self.depth).filter(|_| is_allowed);
                *frame.ok_or(Kind::Depth)? = Frame {
                    left: count,
                    major: major.into(),
                    start: body,
                    last_key: None,
                };
                self.pos = body;
                let is_open = count != 0;
                self.depth = self.depth.saturating_add(is_open.into());
                Ok(is_open)
            }
            head::TEXT if !is_utf8(content) => Err(Kind::Utf8),
            _ => {
                self.pos = end;
                Ok(false)
            }
        }
    }

    /// Counts the item that just ended in the container around it, and so on outwards.
    fn ended(&mut self) -> Result<(), CborError> {
        while let Some(frame) = self.stack.get_mut(self.depth.wrapping_sub(1)) {
            if frame.major == usize::from(head::MAP) && frame.left.is_multiple_of(2) {
                let key = self.input.get(frame.start..self.pos);
                if key <= frame.last_key {
                    let is_same = key == frame.last_key;
                    let kind = if is_same { Kind::Duplicate } else { Kind::Unsorted };
                    return Err(CborError::new(kind, frame.start));
                }
                frame.last_key = key;
            }
            frame.start = self.pos;
            frame.left = frame.left.saturating_sub(1);
            if frame.left != 0 {
                break;
            }
            self.depth = self.depth.saturating_sub(1);
        }
        Ok(())
    }
}

/// As [`core::str::from_utf8`], in a third of the flash and slower: the text in messages is short.
fn is_utf8(mut text: &[u8]) -> bool {
    while let Some((first, rest)) = text.split_first() {
        text = rest;
        // The shortest form of a character in so many bytes begins here.
        let (mut left, least) = match first.leading_ones() {
            0 => continue,
            2 => (1, 0x80),
            3 => (2, 0x800),
            4 => (3, 0x1_0000),
            _ => return false,
        };
        let mut value = u32::from(first & 0x7F >> (left + 1));
        while left > 0 {
            let Some((next, rest)) = text.split_first().filter(|(next, _)| **next & 0xC0 == 0x80) else {
                return false;
            };
            value = value << 6 | u32::from(next & 0x3F);
            text = rest;
            left -= 1;
        }
        if value < least || char::from_u32(value).is_none() {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All sequences of up to two bytes, and of three and four all bytes that decide.
    #[test]
    fn text_is_what_the_standard_library_takes_for_it() {
        let bytes = || 0..=u8::MAX;
        let edges = [
            0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC2, 0xE0, 0xFF,
        ];
        for (a, b) in bytes().flat_map(|a| bytes().map(move |b| (a, b))) {
            for text in [&[a][..], &[a, b]] {
                assert_eq!(is_utf8(text), core::str::from_utf8(text).is_ok(), "{text:x?}");
            }
            for (c, d) in edges.into_iter().flat_map(|c| edges.map(|d| (c, d))) {
                for text in [&[a, b, c][..], &[a, b, c, d], &[b'x', a, b, c, d, b'y']] {
                    assert_eq!(is_utf8(text), core::str::from_utf8(text).is_ok(), "{text:x?}");
                }
            }
        }
    }
}
