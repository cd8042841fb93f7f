//! Writes patches.

use super::{
    align::{Part, Tuning, align},
    shrink::Shrink,
    suffix::Suffixes,
};

/// How the chunks of a patch are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compression {
    None,
    Heatshrink(Shrink),
}

/// A patch that makes `new` of `old`: the smallest of several ways to align the two.
pub(crate) fn patch(old: &[u8], new: &[u8], compression: Compression) -> Vec<u8> {
    let suffixes = Suffixes::new(old);
    let tries = TUNINGS.iter().map(|(gain, penalty)| {
        let tuning = Tuning {
            gain: *gain,
            penalty: *penalty,
        };
        write(old, new, &align(&suffixes, old, new, tuning), compression)
    });
    tries.min_by_key(Vec::len).unwrap_or_default()
}

/// Small changes are cheaper as differences, and moved code as a new alignment; how much so depends on the
/// image. The first is what bsdiff does.
const TUNINGS: [(usize, isize); 5] = [(8, 1), (4, 1), (16, 1), (8, 2), (32, 1)];

fn write(old: &[u8], new: &[u8], parts: &[Part], compression: Compression) -> Vec<u8> {
    let (kind, parameters) = match compression {
        Compression::None => (0, None),
        Compression::Heatshrink(shrink) => (4, Some(((shrink.window - 4) << 4) | (shrink.lookahead - 3))),
    };
    let mut out = vec![kind];
    number(signed(new.len()), &mut out);
    if new.is_empty() {
        return out;
    }
    out.extend(parameters);
    let chunks = chunks(old, new, parts);
    match compression {
        Compression::None => out.extend(chunks),
        Compression::Heatshrink(shrink) => out.extend(shrink.encode(&chunks)),
    }
    out
}

/// What is compressed: no data format, then the parts.
fn chunks(old: &[u8], new: &[u8], parts: &[Part]) -> Vec<u8> {
    let mut out = Vec::new();
    number(0, &mut out);
    for (index, part) in parts.iter().enumerate() {
        let similar = part.new..part.new + part.similar;
        number(signed(part.similar), &mut out);
        out.extend(
            new[similar.clone()]
                .iter()
                .zip(&old[part.old..])
                .map(|(new, old)| new.wrapping_sub(*old)),
        );
        number(signed(part.fresh), &mut out);
        out.extend_from_slice(&new[similar.end..similar.end + part.fresh]);
        let end = part.old + part.similar;
        let next = parts.get(index + 1).map_or(end, |next| next.old);
        number(signed(next) - signed(end), &mut out);
    }
    out
}

/// Six bits and the sign, then seven bits a byte.
fn number(value: i64, out: &mut Vec<u8>) {
    let mut rest = value.unsigned_abs();
    let mut take = |bits: u32| {
        let low = u8::try_from(rest & ((1 << bits) - 1)).unwrap_or(0);
        rest >>= bits;
        (low, if rest > 0 { 0x80 } else { 0 })
    };
    let (low, mut more) = take(6);
    out.push(low | more | if value < 0 { 0x40 } else { 0 });
    while more > 0 {
        let low;
        (low, more) = take(7);
        out.push(low | more);
    }
}

/// No image has more than 2^32 bytes.
fn signed(value: usize) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
