//! What every parser does with its bytes.

use super::error::{InputError, InputKind};

/// Refuses an input with fewer or more bytes.
pub(crate) fn length(input: &[u8], least: usize, most: usize) -> Result<(), InputError> {
    if input.len() > most {
        return Err(InputError::new(InputKind::TooLong, most));
    }
    if input.len() < least {
        let kind = if input.is_empty() {
            InputKind::Empty
        } else {
            InputKind::TooShort
        };
        return Err(InputError::new(kind, input.len()));
    }
    Ok(())
}

/// Refuses the first byte that is not `allowed`.
pub(crate) fn all(input: &[u8], allowed: impl Fn(u8) -> bool) -> Result<(), InputError> {
    match input.iter().position(|byte| !allowed(*byte)) {
        Some(at) => Err(InputError::new(InputKind::Character, at)),
        None => Ok(()),
    }
}

/// The text that these bytes are.
pub(crate) fn text(input: &[u8]) -> Result<&str, InputError> {
    core::str::from_utf8(input).map_err(|error| InputError::new(InputKind::Utf8, error.valid_up_to()))
}

/// A number in decimal digits, the shortest form of it.
pub(crate) fn decimal(input: &[u8], most: u64) -> Result<u64, InputError> {
    length(input, 1, 20)?;
    all(input, |byte| byte.is_ascii_digit())?;
    if let [b'0', _, ..] = input {
        return Err(InputError::new(InputKind::Form, 0));
    }
    let number = input.iter().try_fold(0_u64, |number, digit| {
        let digit = u64::from(digit.wrapping_sub(b'0'));
        number.checked_mul(10)?.checked_add(digit)
    });
    let number = number.filter(|number| *number <= most);
    number.ok_or(InputError::new(InputKind::Range, 0))
}

/// What stands before and behind the first `byte`, and where the latter begins.
pub(crate) fn split_once(input: &[u8], byte: u8) -> Option<(&[u8], &[u8], usize)> {
    let at = input.iter().position(|found| *found == byte)?;
    let next = at.saturating_add(1);
    Some((input.get(..at)?, input.get(next..)?, next))
}

/// The parts of an input between each `byte`, each with its offset.
pub(crate) fn split(input: &[u8], byte: u8) -> impl Iterator<Item = (usize, &[u8])> {
    let mut at = 0_usize;
    input.split(move |found| *found == byte).map(move |part| {
        let begins = at;
        at = at.saturating_add(part.len()).saturating_add(1);
        (begins, part)
    })
}
