//! Punycode (RFC 3492), only to find out whether a label is one.

use super::error::{InputError, InputKind};

const BASE: u32 = 36;
const T_MIN: u32 = 1;
const T_MAX: u32 = 26;
const SKEW: u32 = 38;
const DAMP: u32 = 700;
const FIRST: u32 = 128;
/// Characters that a label of 63 bytes can encode.
const MAX_POINTS: u32 = 63;

/// Refuses what is not the encoding of a text with at least one character that needs it. Whether IDNA allows these
/// characters is a matter of tables, and of whoever registers names.
pub(super) fn check(encoded: &[u8]) -> Result<(), InputError> {
    let bad = |at: usize| InputError::new(InputKind::Form, at);
    let basic = encoded.iter().rposition(|byte| *byte == b'-');
    let (mut written, begins) = match basic {
        // A delimiter with nothing in front is not written (RFC 3492 §6.3).
        Some(0) => return Err(bad(0)),
        Some(at) => (u32::try_from(at).map_err(|_| bad(0))?, at.saturating_add(1)),
        None => (0, 0),
    };
    let mut digits = encoded
        .get(begins..)
        .unwrap_or_default()
        .iter()
        .enumerate()
        .peekable();
    if digits.peek().is_none() {
        return Err(bad(begins));
    }
    let (mut point, mut index, mut bias) = (FIRST, 0_u32, 72_u32);
    while digits.peek().is_some() {
        let (before, mut weight, mut k) = (index, 1_u32, BASE);
        loop {
            let (at, byte) = digits.next().ok_or(bad(encoded.len()))?;
            let here = bad(begins.saturating_add(at));
            let digit = match byte {
                b'a'..=b'z' => byte.wrapping_sub(b'a'),
                b'A'..=b'Z' => byte.wrapping_sub(b'A'),
                b'0'..=b'9' => byte.wrapping_sub(b'0').wrapping_add(26),
                _ => return Err(here),
            };
            let digit = u32::from(digit);
            let step = digit.checked_mul(weight).and_then(|step| index.checked_add(step));
            index = step.ok_or(here)?;
            let threshold = k.saturating_sub(bias).clamp(T_MIN, T_MAX);
            if digit < threshold {
                break;
            }
            weight = weight.checked_mul(BASE.wrapping_sub(threshold)).ok_or(here)?;
            k = k.saturating_add(BASE);
        }
        written = written.saturating_add(1);
        let delta = index.saturating_sub(before);
        bias = adapt(delta, written, before == 0);
        let over = index.checked_div(written).unwrap_or(0);
        point = point.checked_add(over).ok_or(bad(begins))?;
        if written > MAX_POINTS || char::from_u32(point).is_none() {
            return Err(bad(begins));
        }
        index = index.checked_rem(written).unwrap_or(0).saturating_add(1);
    }
    Ok(())
}

/// RFC 3492 §6.1.
fn adapt(delta: u32, points: u32, first: bool) -> u32 {
    let mut delta = if first {
        delta.wrapping_div(DAMP)
    } else {
        delta.wrapping_div(2)
    };
    delta = delta.saturating_add(delta.checked_div(points).unwrap_or(0));
    let mut k = 0_u32;
    // (35 * 26) / 2, where 35 is the base less the least threshold.
    while delta > 455 {
        delta = delta.wrapping_div(35);
        k = k.saturating_add(BASE);
    }
    let more = delta.saturating_mul(BASE).checked_div(delta.saturating_add(SKEW));
    k.saturating_add(more.unwrap_or(0))
}
