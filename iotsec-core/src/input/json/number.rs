use crate::input::{
    error::{InputError, InputKind},
    number,
};

/// The greatest integer up to which a double has every one (RFC 7493 §2.2).
const MAX_SAFE: i64 = (1 << 53) - 1;
/// The decimal exponents of doubles.
const EXPONENTS: core::ops::RangeInclusive<i64> = -323..=308;
/// The digits of the greatest double, which has the greatest exponent.
const MAX_DIGITS: &[u8] = b"17976931348623157";

/// Checks the number at `begins` of a document, and returns where it ends.
pub(super) fn check(input: &[u8], begins: usize) -> Result<usize, InputError> {
    let parts = Parts::read(input, begins)?;
    if !parts.is_in_range() {
        return Err(InputError::new(InputKind::Range, begins));
    }
    Ok(parts.end)
}

/// A number in the grammar of RFC 8259 §6.
struct Parts<'i> {
    negative: bool,
    integer: &'i [u8],
    fraction: Option<&'i [u8]>,
    exponent: Option<i64>,
    end: usize,
}

impl<'i> Parts<'i> {
    fn read(input: &'i [u8], begins: usize) -> Result<Self, InputError> {
        let mut at = begins;
        let negative = input.get(at) == Some(&b'-');
        at = at.saturating_add(negative.into());
        let integer = digits(input, &mut at)?;
        if let [b'0', _, ..] = integer {
            return Err(InputError::new(InputKind::Form, begins));
        }
        let mut fraction = None;
        if input.get(at) == Some(&b'.') {
            at = at.saturating_add(1);
            fraction = Some(digits(input, &mut at)?);
        }
        let mut exponent = None;
        if let Some(b'e' | b'E') = input.get(at) {
            at = at.saturating_add(1);
            let minus = input.get(at) == Some(&b'-');
            let sign = minus || input.get(at) == Some(&b'+');
            at = at.saturating_add(sign.into());
            let size = digits(input, &mut at)?.iter().fold(0_i64, |size, digit| {
                let digit = i64::from(digit.wrapping_sub(b'0'));
                size.saturating_mul(10).saturating_add(digit)
            });
            exponent = Some(if minus { size.saturating_neg() } else { size });
        }
        Ok(Self {
            negative,
            integer,
            fraction,
            exponent,
            end: at,
        })
    }

    /// Whether a double holds it, an integer exactly. Judged by its digits, which a device can do without arithmetic on
    /// doubles.
    fn is_in_range(&self) -> bool {
        if self.fraction.is_none() && self.exponent.is_none() {
            return number::integer(self.integer).is_ok_and(|integer| integer <= MAX_SAFE);
        }
        let fraction = self.fraction.unwrap_or_default();
        let mut places = self.integer.iter().chain(fraction);
        let Some(first) = places.position(|digit| *digit != b'0') else {
            return true;
        };
        let count = |len: usize| i64::try_from(len).unwrap_or(i64::MAX);
        let place = count(self.integer.len())
            .saturating_sub(count(first))
            .saturating_sub(1);
        let place = place.saturating_add(self.exponent.unwrap_or(0));
        let digits = self.integer.iter().chain(fraction).skip(first);
        EXPONENTS.contains(&place)
            && (place < *EXPONENTS.end() || digits.take(MAX_DIGITS.len()).le(MAX_DIGITS))
    }
}

fn digits<'i>(input: &'i [u8], at: &mut usize) -> Result<&'i [u8], InputError> {
    let rest = input.get(*at..).unwrap_or_default();
    let len = rest
        .iter()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(rest.len());
    if len == 0 {
        let kind = if rest.is_empty() {
            InputKind::Truncated
        } else {
            InputKind::Character
        };
        return Err(InputError::new(kind, *at));
    }
    *at = at.saturating_add(len);
    Ok(rest.get(..len).unwrap_or_default())
}

/// A number.
#[derive(Clone, Copy, Debug)]
pub struct Number<'a> {
    text: &'a str,
    offset: usize,
}

impl<'a> Number<'a> {
    /// The number at `begins` of a document that was checked.
    pub(super) fn at(input: &'a [u8], begins: usize) -> Self {
        let end = Parts::read(input, begins).map_or(begins, |parts| parts.end);
        let text = input.get(begins..end).unwrap_or_default();
        Self {
            text: core::str::from_utf8(text).unwrap_or_default(),
            offset: begins,
        }
    }

    /// Where it begins in the document.
    pub const fn offset(&self) -> usize {
        self.offset
    }

    /// As it stands there.
    pub const fn as_str(&self) -> &'a str {
        self.text
    }

    /// The number, where it is written as an integer; `-0` is 0.
    ///
    /// # Errors
    /// [`InputKind::Type`].
    pub fn integer(&self) -> Result<i64, InputError> {
        let wrong = InputError::new(InputKind::Type, self.offset);
        let parts = Parts::read(self.text.as_bytes(), 0)?;
        if parts.fraction.is_some() || parts.exponent.is_some() {
            return Err(wrong);
        }
        let size = number::integer(parts.integer).map_err(|_| wrong)?;
        Ok(if parts.negative {
            size.saturating_neg()
        } else {
            size
        })
    }

    /// The double that is nearest.
    ///
    /// # Errors
    /// [`InputKind::Range`], which a document that was checked does not lead to.
    pub fn real(&self) -> Result<f64, InputError> {
        let real = self.text.parse::<f64>().ok().filter(|real| real.is_finite());
        real.ok_or(InputError::new(InputKind::Range, self.offset))
    }
}
