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
    check_items(input, 0, limits, None)
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
    let mut checker = Checker::new(window, 0, limits)?;
    let done = checker.one();
    if most < input.len() && done.is_err_and(|error| error.kind == Kind::Truncated) {
        return Err(CborError::new(Kind::Bytes, most));
    }
    done?;
    input
        .split_at_checked(checker.pos)
        .ok_or(checker.fail(Kind::Truncated))
}

/// As [`check()`] from byte `start` on; error offsets count from byte 0.
pub(super) fn check_from(input: &[u8], start: usize, limits: &Limits) -> Result<(), CborError> {
    check_items(input, start, limits, Some(1))
}

// One frame of half a kilobyte, whoever asks.
#[inline(never)]
fn check_items(input: &[u8], start: usize, limits: &Limits, roots: Option<u32>) -> Result<(), CborError> {
    Checker::new(input, start, limits)?.run(roots)
}

/// One open array, map or tag.
#[derive(Clone, Copy, Default)]
struct Frame {
    /// Items still to come, keys and values counted apart.
    left: usize,
    map: bool,
    /// Where the key now being read starts.
    key_start: usize,
    /// Where the previous key lies; empty before the first.
    last_key: (usize, usize),
}

impl Frame {
    fn at_key(&self) -> bool {
        self.map && self.left.is_multiple_of(2)
    }
}

struct Checker<'a> {
    input: &'a [u8],
    limits: &'a Limits,
    pos: usize,
    items: u16,
    depth: usize,
    stack: [Frame; MAX_DEPTH],
}

impl<'a> Checker<'a> {
    fn new(input: &'a [u8], start: usize, limits: &'a Limits) -> Result<Self, CborError> {
        let len = input.len().saturating_sub(start);
        if u32::try_from(len).is_ok_and(|len| len <= limits.bytes) {
            Ok(Self {
                input,
                limits,
                pos: start,
                items: 0,
                depth: 0,
                stack: [Frame::default(); MAX_DEPTH],
            })
        } else {
            Err(CborError::new(Kind::Bytes, start))
        }
    }

    fn fail(&self, kind: Kind) -> CborError {
        CborError::new(kind, self.pos)
    }

    fn run(mut self, roots: Option<u32>) -> Result<(), CborError> {
        let mut done = 0u32;
        loop {
            let at_end = self.pos == self.input.len();
            match roots {
                None if at_end => return Ok(()),
                Some(roots) if done == roots && at_end => return Ok(()),
                Some(roots) if done == roots => return Err(self.fail(Kind::Trailing)),
                _ => done = done.saturating_add(1),
            }
            self.one()?;
        }
    }

    /// Checks one item with everything in it.
    fn one(&mut self) -> Result<(), CborError> {
        loop {
            if self.item()? {
                self.ended()?;
            }
            if self.depth == 0 {
                return Ok(());
            }
        }
    }

    /// Reads one head and what belongs to it. True when the item is complete; a container or tag with
    /// content opens a frame instead.
    fn item(&mut self) -> Result<bool, CborError> {
        self.items = self.items.saturating_add(1);
        if self.items > self.limits.items {
            return Err(self.fail(Kind::Items));
        }
        let pos = self.pos;
        if let Some(frame) = self.top().filter(|frame| frame.at_key()) {
            frame.key_start = pos;
        }
        let Head { major, value, len } = head::read(self.input, self.pos)?;
        let body = self.pos.saturating_add(len);
        match major {
            head::UINT | head::NINT => {}
            head::BYTES | head::TEXT => {
                let end = usize::try_from(value).ok().and_then(|n| body.checked_add(n));
                let end = end
                    .filter(|end| *end <= self.input.len())
                    .ok_or(self.fail(Kind::Truncated))?;
                let content = self.input.get(body..end).unwrap_or_default();
                if major == head::TEXT && core::str::from_utf8(content).is_err() {
                    return Err(self.fail(Kind::Utf8));
                }
                self.pos = end;
                return Ok(true);
            }
            head::ARRAY => return self.open(body, value, false),
            head::MAP => return self.open(body, value, true),
            // A bignum is a second way to write an integer, which deserializers take for the same one.
            head::TAG if matches!(value, head::BIGNUM | head::NEGATIVE_BIGNUM) => {
                return Err(self.fail(Kind::Unsupported));
            }
            head::TAG => return self.open(body, 1, false),
            _ if matches!(value, head::FALSE | head::TRUE | head::NULL) => {}
            _ => return Err(self.fail(Kind::Unsupported)),
        }
        self.pos = body;
        Ok(true)
    }

    fn open(&mut self, body: usize, count: u64, map: bool) -> Result<bool, CborError> {
        // Each announced item takes at least one byte, so a lie about the number ends here.
        let rest = self.input.len().saturating_sub(body);
        let count = usize::try_from(count).ok();
        let left = count.and_then(|count| count.checked_mul(if map { 2 } else { 1 }));
        let left = left.filter(|left| *left <= rest);
        let left = left.ok_or(self.fail(Kind::Truncated))?;
        if self.depth >= usize::from(self.limits.depth) {
            return Err(self.fail(Kind::Depth));
        }
        let too_deep = self.fail(Kind::Depth);
        let frame = self.stack.get_mut(self.depth).ok_or(too_deep)?;
        self.pos = body;
        if left == 0 {
            return Ok(true);
        }
        *frame = Frame {
            left,
            map,
            ..Frame::default()
        };
        self.depth = self.depth.saturating_add(1);
        Ok(false)
    }

    /// Counts the item that just ended in the container around it, and so on outwards.
    fn ended(&mut self) -> Result<(), CborError> {
        let (input, pos) = (self.input, self.pos);
        while let Some(frame) = self.top() {
            if frame.at_key() {
                let key = input.get(frame.key_start..pos).unwrap_or_default();
                let last = input.get(frame.last_key.0..frame.last_key.1).unwrap_or_default();
                if key <= last {
                    let kind = if key == last {
                        Kind::Duplicate
                    } else {
                        Kind::Unsorted
                    };
                    return Err(CborError::new(kind, frame.key_start));
                }
                frame.last_key = (frame.key_start, pos);
            }
            frame.left = frame.left.saturating_sub(1);
            if frame.left != 0 {
                break;
            }
            self.depth = self.depth.saturating_sub(1);
        }
        Ok(())
    }

    fn top(&mut self) -> Option<&mut Frame> {
        self.depth.checked_sub(1).and_then(|top| self.stack.get_mut(top))
    }
}
