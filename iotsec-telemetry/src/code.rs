//! An event as one number (`FORMAT.md`, "Event code").

use crate::{
    error::RecordError,
    registry::{EventDef, Field, FieldKind, MAX_FIELDS, Registry},
    value::{Content, Value},
};

/// The number of `event` with `values`, if both are as declared.
pub(crate) fn encode(
    registry: &Registry,
    event: &EventDef,
    values: &[Value<'_>],
) -> Result<u64, RecordError> {
    let events = registry.events();
    let index = events
        .binary_search_by_key(&event.id(), EventDef::id)
        .map_err(|_| RecordError::Undeclared)?;
    // What it is recorded as is what the registry says, whatever else this definition has.
    let same = |declared: &&EventDef| declared.class() == event.class() && declared.name() == event.name();
    let event = events.get(index).filter(same).ok_or(RecordError::Undeclared)?;
    if values.len() != event.fields().len() {
        return Err(RecordError::Arity);
    }
    let mut code = 0u64;
    for (field, value) in event.fields().iter().zip(values).rev() {
        if value
            .purpose
            .is_some_and(|purpose| purpose != event.class().purpose())
        {
            return Err(RecordError::Purpose);
        }
        let digit = digit(field, value)?;
        code = push(code, field.range(), digit)?;
    }
    let count = u64::try_from(events.len()).unwrap_or(u64::MAX);
    push(code, count, u64::try_from(index).unwrap_or(u64::MAX))
}

iotsec_core::claim! {
    provisions: ["6-4"],
    claims: "Nothing can be reported but declared events with declared values within their bounds",
    code: [encode],
    tests: [
        "iotsec-telemetry::iotsec_telemetry::code::tests::what_is_not_declared_cannot_be_recorded",
        "iotsec-telemetry::iotsec_telemetry::code::tests::a_coarsened_personal_value_fits_only_events_of_its_purpose",
    ],
}

/// What a number says.
#[derive(Clone, Copy)]
pub(crate) struct Decoded {
    pub(crate) definition: &'static EventDef,
    /// One digit for each field.
    pub(crate) digits: [u64; MAX_FIELDS],
}

/// Reads a number; `None` for one that no declared event has.
pub(crate) fn decode(registry: &Registry, code: u64) -> Option<Decoded> {
    let count = u64::try_from(registry.events().len()).ok()?;
    let (mut rest, index) = divide(code, count)?;
    let definition = registry.events().get(usize::try_from(index).ok()?)?;
    let mut digits = [0; MAX_FIELDS];
    for (field, digit) in definition.fields().iter().zip(&mut digits) {
        (rest, *digit) = divide(rest, field.range())?;
    }
    // What is left over is beyond the bounds of the last field.
    (rest == 0).then_some(Decoded { definition, digits })
}

fn digit(field: &Field, value: &Value<'_>) -> Result<u64, RecordError> {
    match (field.kind(), value.content) {
        (FieldKind::Number { min, max }, Content::Number(number)) => {
            let inside = (min..=max).contains(&number);
            inside
                .then_some(number.abs_diff(min))
                .ok_or(RecordError::OutOfBounds)
        }
        (FieldKind::Choice(_), Content::Number(position)) => {
            let position = u64::try_from(position).ok();
            let position = position.filter(|position| *position < field.range());
            position.ok_or(RecordError::OutOfBounds)
        }
        (FieldKind::Bucket(declared), Content::Bucket { index, of }) if declared == of => Ok(index),
        _ => Err(RecordError::Kind),
    }
}

/// Quotient and rest; `None` for a divisor of zero.
fn divide(number: u64, by: u64) -> Option<(u64, u64)> {
    if usize::BITS < u64::BITS {
        return divide_by_bits(number, by);
    }
    Some((number.checked_div(by)?, number.checked_rem(by)?))
}

/// The same, bit by bit: a processor of 32 bits divides such numbers in software, which takes a kilobyte of flash that
/// nothing else here needs.
// Out of line: it is called in a loop and before it.
#[inline(never)]
fn divide_by_bits(number: u64, by: u64) -> Option<(u64, u64)> {
    if by == 0 {
        return None;
    }
    let (mut quotient, mut rest) = (number, 0u64);
    for _ in 0..u64::BITS {
        // The highest bit of the one goes into the other; what falls out of the rest makes it larger than any divisor.
        let fallen = rest >> 63;
        rest = rest << 1 | quotient >> 63;
        quotient <<= 1;
        if fallen == 1 || rest >= by {
            rest = rest.wrapping_sub(by);
            quotient |= 1;
        }
    }
    Some((quotient, rest))
}

/// The registry has made sure that no declared event overflows.
fn push(code: u64, range: u64, digit: u64) -> Result<u64, RecordError> {
    let code = code.checked_mul(range).and_then(|code| code.checked_add(digit));
    code.ok_or(RecordError::OutOfBounds)
}

#[cfg(test)]
mod tests;
