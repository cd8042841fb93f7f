//! The part of DER (ITU-T X.690) that requests and certificates need: lengths below 64 KiB, low tag numbers.

use super::error::IdentityError;

pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OID: u8 = 0x06;
pub(super) const UTF8_STRING: u8 = 0x0C;
pub(super) const PRINTABLE_STRING: u8 = 0x13;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;
/// `[0]`, constructed.
pub(super) const CONTEXT_0: u8 = 0xA0;

/// Writes from the end of a buffer to its start, so that every length is known when its turn comes.
pub(super) struct Writer<'b> {
    out: &'b mut [u8],
    start: usize,
}

impl<'b> Writer<'b> {
    pub(super) fn new(out: &'b mut [u8]) -> Self {
        let start = out.len();
        Self { out, start }
    }

    /// Where the front is: what [`wrap`](Self::wrap) is told to enclose all that comes in front of it.
    pub(super) const fn mark(&self) -> usize {
        self.start
    }

    /// Puts bytes in front.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Result<(), IdentityError> {
        let start = self
            .start
            .checked_sub(bytes.len())
            .ok_or(IdentityError::BufferFull)?;
        let place = self.out.get_mut(start..self.start);
        place.ok_or(IdentityError::BufferFull)?.copy_from_slice(bytes);
        self.start = start;
        Ok(())
    }

    /// Puts tag and length in front of everything written since `mark`.
    pub(super) fn wrap(&mut self, tag: u8, mark: usize) -> Result<(), IdentityError> {
        let (head, len) = head(tag, mark.saturating_sub(self.start))?;
        self.bytes(head.get(..len).unwrap_or_default())
    }

    /// Puts a whole value in front.
    pub(super) fn value(&mut self, tag: u8, content: &[u8]) -> Result<(), IdentityError> {
        let mark = self.mark();
        self.bytes(content)?;
        self.wrap(tag, mark)
    }

    /// Puts a non-negative INTEGER of big-endian bytes in front, in its shortest form.
    pub(super) fn unsigned(&mut self, bytes: &[u8]) -> Result<(), IdentityError> {
        let mark = self.mark();
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        let digits = bytes.get(zeros..).unwrap_or_default();
        self.bytes(digits)?;
        if digits.first().is_none_or(|first| *first >= 0x80) {
            self.bytes(&[0])?;
        }
        self.wrap(INTEGER, mark)
    }

    /// Moves what was written to the start of the buffer, and returns how much it is.
    pub(super) fn settle(self) -> usize {
        let len = self.out.len().saturating_sub(self.start);
        shift(self.out, self.start, 0, len);
        len
    }
}

/// Moves `len` bytes that may overlap with where they go. Unlike `copy_within` it cannot panic: what lies outside stays.
pub(super) fn shift(bytes: &mut [u8], from: usize, to: usize, len: usize) {
    let mut copy = |at: usize| {
        let byte = bytes.get(from.saturating_add(at)).copied();
        if let (Some(byte), Some(place)) = (byte, bytes.get_mut(to.saturating_add(at))) {
            *place = byte;
        }
    };
    if to <= from {
        (0..len).for_each(copy);
    } else {
        (0..len).rev().for_each(&mut copy);
    }
}

/// Tag and length, shortest form; the number of bytes that count.
pub(super) fn head(tag: u8, len: usize) -> Result<([u8; 4], usize), IdentityError> {
    let len = u16::try_from(len).map_err(|_| IdentityError::BufferFull)?;
    Ok(match len.to_be_bytes() {
        [0, low] if low < 0x80 => ([tag, low, 0, 0], 2),
        [0, low] => ([tag, 0x81, low, 0], 3),
        [high, low] => ([tag, 0x82, high, low], 4),
    })
}

/// Reads values one after the other. Lengths must be definite, in shortest form and within the input.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) const fn new(input: &'a [u8]) -> Self {
        Self(input)
    }

    pub(super) const fn is_at_end(&self) -> bool {
        self.0.is_empty()
    }

    /// The content of the next value, which must have this tag.
    pub(super) fn value(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (content, rest) = split(self.0, tag)?;
        self.0 = rest;
        Some(content)
    }

    /// A reader of the content of the next value.
    pub(super) fn open(&mut self, tag: u8) -> Option<Self> {
        self.value(tag).map(Self)
    }
}

fn split(input: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (len, body) = match input {
        [found, len @ 0..=0x7F, rest @ ..] if *found == tag => (usize::from(*len), rest),
        [found, 0x81, len @ 0x80..=0xFF, rest @ ..] if *found == tag => (usize::from(*len), rest),
        [found, 0x82, high @ 1..=0xFF, low, rest @ ..] if *found == tag => {
            (usize::from(u16::from_be_bytes([*high, *low])), rest)
        }
        _ => return None,
    };
    body.split_at_checked(len)
}
