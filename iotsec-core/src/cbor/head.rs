//! The head of a data item (RFC 8949 §3).

use super::error::{CborError, Kind};

/// Major types.
pub(super) const UINT: u8 = 0;
pub(super) const NINT: u8 = 1;
pub(super) const BYTES: u8 = 2;
pub(super) const TEXT: u8 = 3;
pub(super) const ARRAY: u8 = 4;
pub(super) const MAP: u8 = 5;
pub(super) const TAG: u8 = 6;
pub(super) const SIMPLE: u8 = 7;

/// The simple values that are allowed.
pub(super) const FALSE: u64 = 20;
pub(super) const TRUE: u64 = 21;
pub(super) const NULL: u64 = 22;

/// The tags of integers written as byte strings (RFC 8949 §3.4.3).
pub(super) const BIGNUM: u64 = 2;
pub(super) const NEGATIVE_BIGNUM: u64 = 3;

#[derive(Clone, Copy)]
pub(super) struct Head {
    pub(super) major: u8,
    pub(super) value: u64,
    /// Bytes of the head itself.
    pub(super) len: usize,
}

/// Reads the head at `pos`.
pub(super) fn read(input: &[u8], pos: usize) -> Result<Head, CborError> {
    let fail = |kind| CborError::new(kind, pos);
    let rest = input.get(pos..).ok_or(fail(Kind::Truncated))?;
    let (&first, rest) = rest.split_first().ok_or(fail(Kind::Truncated))?;
    let (major, info) = (first >> 5, first & 0x1F);
    let width = match info {
        0..=23 => {
            return Ok(Head {
                major,
                value: u64::from(info),
                len: 1,
            });
        }
        24 => 1,
        25 => 2,
        26 => 4,
        27 => 8,
        31 => return Err(fail(Kind::Indefinite)),
        _ => return Err(fail(Kind::NotShortest)),
    };
    if major == SIMPLE {
        return Err(fail(Kind::Unsupported));
    }
    let bytes = rest.get(..width).ok_or(fail(Kind::Truncated))?;
    let value = bytes
        .iter()
        .fold(0u64, |value, byte| (value << 8) | u64::from(*byte));
    let least = match width {
        1 => 24,
        2 => 1 << 8,
        4 => 1 << 16,
        _ => 1 << 32,
    };
    if value < least {
        return Err(fail(Kind::NotShortest));
    }
    Ok(Head {
        major,
        value,
        len: width.saturating_add(1),
    })
}

/// The encoded head and its length.
pub(super) fn encode(major: u8, value: u64) -> ([u8; 9], usize) {
    let bytes = value.to_be_bytes();
    // As many bytes as the value needs, rounded up to a power of two.
    let needed = 71u32.saturating_sub(value.leading_zeros()) >> 3;
    let width = if value < 24 { 0 } else { needed.next_power_of_two() };
    let info = match width {
        0 => bytes[7],
        _ => u8::try_from(width.trailing_zeros()).unwrap_or(0) | 24,
    };
    let width = usize::try_from(width).unwrap_or(8);
    let mut out = [0; 9];
    out[0] = (major << 5) | info;
    for (to, from) in out
        .iter_mut()
        .skip(1)
        .zip(bytes.iter().skip(8usize.saturating_sub(width)))
    {
        *to = *from;
    }
    (out, width.saturating_add(1))
}
