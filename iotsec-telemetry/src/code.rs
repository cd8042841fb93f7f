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
    let index = usize::try_from(code.checked_rem(count)?).ok()?;
    let definition = registry.events().get(index)?;
    let mut rest = code.checked_div(count)?;
    let mut digits = [0; MAX_FIELDS];
    for (field, digit) in definition.fields().iter().zip(&mut digits) {
        *digit = rest.checked_rem(field.range())?;
        rest = rest.checked_div(field.range())?;
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

/// The registry has made sure that no declared event overflows.
fn push(code: u64, range: u64, digit: u64) -> Result<u64, RecordError> {
    let code = code.checked_mul(range).and_then(|code| code.checked_add(digit));
    code.ok_or(RecordError::OutOfBounds)
}

#[cfg(test)]
mod tests;
