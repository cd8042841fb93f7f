//! The tables of C, checked, and documents read by them.

use core::{ffi::CStr, ptr};

use iotsec::core::input::{
    InputError, InputKind,
    document::{DocumentError, MAX_FIELDS, MAX_NAME_LEN, Problem, Reading, Value},
};

use super::{
    super::{Refusal, check, is_kind},
    IOTSEC_DOCUMENT_BOOL, IOTSEC_DOCUMENT_CHOICE, IOTSEC_DOCUMENT_DEFAULT, IOTSEC_DOCUMENT_DEPTH_MAX,
    IOTSEC_DOCUMENT_FIELDS_MAX, IOTSEC_DOCUMENT_INTEGER, IOTSEC_DOCUMENT_LIST, IOTSEC_DOCUMENT_OBJECT,
    IOTSEC_DOCUMENT_OPTIONAL, IOTSEC_DOCUMENT_REQUIRED, IOTSEC_DOCUMENT_TEXT, iotsec_document_field_t,
    iotsec_document_value_t,
};
use crate::{
    argument::{self, Array},
    status::{CallError, Status},
};

const _: () = assert!(IOTSEC_DOCUMENT_FIELDS_MAX == MAX_FIELDS);

/// Integers that every JSON implementation carries unchanged (RFC 7493, 2.2).
const SAFE: i64 = (1 << 53) - 1;
/// Texts to choose from.
const MAX_CHOICES: u32 = 64;

/// A table whose pointers and bounds were checked, with those inside of it.
#[derive(Clone, Copy)]
pub(super) struct Table(&'static [iotsec_document_field_t]);

/// Checks the fields of an object.
///
/// # Safety
/// `fields` is null or points to `count` fields that are constants, and so do the pointers in them; names and choices end in
/// zero.
pub(super) unsafe fn fields(
    fields: *const iotsec_document_field_t,
    count: u32,
    depth: usize,
) -> Result<Table, Status> {
    let count = usize::try_from(count).map_err(|_| CallError::Config)?;
    if count == 0 || count > MAX_FIELDS || depth > IOTSEC_DOCUMENT_DEPTH_MAX {
        return Err(CallError::Config.into());
    }
    // SAFETY: the caller's word, passed on; here and below.
    let fields = unsafe { argument::slice(fields, count) }?;
    for (at, field) in fields.iter().enumerate() {
        // SAFETY: as above.
        let name = unsafe { argument::zero_ended(field.name) }?;
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if name.is_empty() || name.len() > MAX_NAME_LEN || !name.bytes().all(allowed) {
            return Err(CallError::Config.into());
        }
        // Those before it were checked.
        if fields.iter().take(at).any(|other| name_of(other) == name) {
            return Err(CallError::Config.into());
        }
        // SAFETY: as above.
        unsafe { field_is_right(field, depth) }?;
        match field.presence {
            IOTSEC_DOCUMENT_REQUIRED | IOTSEC_DOCUMENT_OPTIONAL => {}
            IOTSEC_DOCUMENT_DEFAULT if holds(field, field.fallback) => {}
            _ => return Err(CallError::Config.into()),
        }
    }
    Ok(Table(fields))
}

/// # Safety
/// As [`fields`].
unsafe fn field_is_right(field: &iotsec_document_field_t, depth: usize) -> Result<(), Status> {
    if strays(field) {
        return Err(CallError::Config.into());
    }
    let (min, max) = (field.min, field.max);
    let is_right = match field.kind {
        IOTSEC_DOCUMENT_BOOL => true,
        IOTSEC_DOCUMENT_INTEGER => -SAFE <= min && min <= max && max <= SAFE,
        IOTSEC_DOCUMENT_TEXT => {
            0 <= min && min <= max && max <= i64::from(u32::MAX) && (field.input == 0 || is_kind(field.input))
        }
        IOTSEC_DOCUMENT_CHOICE => {
            let count = usize::try_from(field.count).map_err(|_| CallError::Config)?;
            // SAFETY: the caller's word, passed on; here and below.
            for choice in unsafe { argument::slice(field.choices, count) }? {
                // SAFETY: as above.
                unsafe { argument::zero_ended(*choice) }?;
            }
            (1..=MAX_CHOICES).contains(&field.count)
        }
        IOTSEC_DOCUMENT_OBJECT => {
            // SAFETY: as above.
            unsafe { fields(field.fields, field.count, depth.saturating_add(1)) }?;
            true
        }
        IOTSEC_DOCUMENT_LIST => {
            let depth = depth.saturating_add(1);
            if depth > IOTSEC_DOCUMENT_DEPTH_MAX || field.count != 1 {
                return Err(CallError::Config.into());
            }
            // SAFETY: as above.
            let element = unsafe { argument::slice(field.fields, 1) }?;
            for element in element {
                if !element.name.is_null() || element.presence != IOTSEC_DOCUMENT_REQUIRED {
                    return Err(CallError::Config.into());
                }
                // SAFETY: as above.
                unsafe { field_is_right(element, depth) }?;
            }
            0 <= min && min <= max && (1..=255).contains(&max)
        }
        _ => false,
    };
    if is_right {
        Ok(())
    } else {
        Err(CallError::Config.into())
    }
}

/// Whether a member is set that the kind does not need: somebody believes that it is heeded.
const fn strays(field: &iotsec_document_field_t) -> bool {
    let bounds = field.min != 0 || field.max != 0;
    let (input, count) = (field.input != 0, field.count != 0);
    let (choices, fields) = (!field.choices.is_null(), !field.fields.is_null());
    let fallback = field.presence != IOTSEC_DOCUMENT_DEFAULT && field.fallback != 0;
    fallback
        || match field.kind {
            IOTSEC_DOCUMENT_BOOL => bounds || input || count || choices || fields,
            IOTSEC_DOCUMENT_INTEGER => input || count || choices || fields,
            IOTSEC_DOCUMENT_TEXT => count || choices || fields,
            IOTSEC_DOCUMENT_CHOICE => bounds || input || fields,
            IOTSEC_DOCUMENT_OBJECT => bounds || input || choices,
            IOTSEC_DOCUMENT_LIST => input || choices,
            // No kind, and refused as such.
            _ => false,
        }
}

/// Whether a default is one of the values.
fn holds(field: &iotsec_document_field_t, number: i64) -> bool {
    match field.kind {
        IOTSEC_DOCUMENT_BOOL => number == 0 || number == 1,
        IOTSEC_DOCUMENT_INTEGER => field.min <= number && number <= field.max,
        IOTSEC_DOCUMENT_CHOICE => 0 <= number && number < i64::from(field.count),
        _ => false,
    }
}

/// Of a field that was checked.
fn name_of(field: &iotsec_document_field_t) -> &'static str {
    if field.name.is_null() {
        return "";
    }
    // SAFETY: the caller of `fields` says that it ends in zero and is a constant.
    unsafe { CStr::from_ptr(field.name) }.to_str().unwrap_or_default()
}

/// Of a choice that was checked.
fn choices_of(field: &iotsec_document_field_t) -> impl Iterator<Item = &'static str> {
    let count = usize::try_from(field.count).unwrap_or(0);
    // SAFETY: `fields` has checked them, and its caller says that they are constants and end in zero.
    let choices: &'static [*const core::ffi::c_char] =
        unsafe { argument::slice(field.choices, count) }.unwrap_or_default();
    choices.iter().map(|choice| {
        // SAFETY: as above.
        unsafe { CStr::from_ptr(*choice) }.to_str().unwrap_or_default()
    })
}

/// The fields of an object, or the element of a list, that was checked.
fn inside(field: &iotsec_document_field_t) -> Table {
    let count = usize::try_from(field.count).unwrap_or(0);
    // SAFETY: as above.
    Table(unsafe { argument::slice(field.fields, count) }.unwrap_or_default())
}

/// The caller's room for values, of which those are used that come first. What goes beyond is counted.
pub(super) struct Slots<'a, 'b> {
    values: &'a Array<'b, iotsec_document_value_t>,
    used: usize,
}

const ABSENT: iotsec_document_value_t = iotsec_document_value_t {
    number: 0,
    text: ptr::null(),
    text_len: 0,
    is_present: 0,
    first: 0,
    count: 0,
    reserved: 0,
};

impl<'a, 'b> Slots<'a, 'b> {
    pub(super) const fn new(values: &'a Array<'b, iotsec_document_value_t>) -> Self {
        Self { values, used: 0 }
    }

    pub(super) const fn used(&self) -> usize {
        self.used
    }

    /// Room for so many, which are absent until they are written. Gives the first.
    fn reserve(&mut self, count: usize) -> usize {
        let first = self.used;
        self.used = first.saturating_add(count);
        for at in first..self.used {
            self.values.put(at, ABSENT);
        }
        first
    }
}

/// Reads an object by a table. Gives where the values of its fields are.
pub(super) fn object<'a>(
    value: &Value<'a>,
    table: Table,
    reading: &mut Reading<'a>,
    slots: &mut Slots<'_, '_>,
) -> Result<usize, DocumentError> {
    let Table(fields) = table;
    let offset = value.offset();
    let first = slots.reserve(fields.len());
    // A bit for each field, of which there are at most 64.
    let mut seen = 0_u64;
    let mut entries = value.entries(reading)?;
    while let Some((name, at, value)) = entries.next(reading)? {
        let found = fields
            .iter()
            .enumerate()
            .find(|(_, field)| name == name_of(field));
        let (place, field) = found.ok_or(reading.error(Problem::Unknown, at))?;
        seen |= bit(place);
        reading.step(step(place), value.offset(), |reading| {
            read(&value, field, reading, slots, first.saturating_add(place))
        })?;
    }
    for (place, field) in fields.iter().enumerate() {
        if seen & bit(place) != 0 {
            continue;
        }
        match field.presence {
            IOTSEC_DOCUMENT_OPTIONAL => {}
            IOTSEC_DOCUMENT_DEFAULT => slots.values.put(
                first.saturating_add(place),
                iotsec_document_value_t {
                    number: field.fallback,
                    ..ABSENT
                },
            ),
            _ => {
                return reading.step(step(place), offset, |reading| {
                    Err(reading.error(Problem::Missing, offset))
                });
            }
        }
    }
    Ok(first)
}

fn bit(place: usize) -> u64 {
    u32::try_from(place).map_or(0, |place| 1_u64.wrapping_shl(place))
}

fn step(place: usize) -> u8 {
    u8::try_from(place).unwrap_or(u8::MAX)
}

/// Reads a value of a field into the place `at`.
fn read<'a>(
    value: &Value<'a>,
    field: &iotsec_document_field_t,
    reading: &mut Reading<'a>,
    slots: &mut Slots<'_, '_>,
    at: usize,
) -> Result<(), DocumentError> {
    let there = iotsec_document_value_t {
        is_present: 1,
        ..ABSENT
    };
    let numbered = |number| iotsec_document_value_t { number, ..there };
    let found = match field.kind {
        IOTSEC_DOCUMENT_BOOL => numbered(i64::from(value.bool(reading)?)),
        IOTSEC_DOCUMENT_INTEGER => numbered(value.integer(field.min, field.max, reading)?),
        IOTSEC_DOCUMENT_TEXT => {
            let text = value.parse(reading, |text| text_is_right(field, text).map(|()| text))?;
            iotsec_document_value_t {
                text: text.as_ptr(),
                text_len: text.len(),
                ..there
            }
        }
        IOTSEC_DOCUMENT_CHOICE => numbered(choice(value, field, reading)?),
        IOTSEC_DOCUMENT_OBJECT => {
            let table = inside(field);
            let first = object(value, table, reading, slots)?;
            placed(there, first, table.0.len())
        }
        _ => {
            let (first, count) = list(value, field, reading, slots)?;
            placed(there, first, count)
        }
    };
    slots.values.put(at, found);
    Ok(())
}

fn placed(value: iotsec_document_value_t, first: usize, count: usize) -> iotsec_document_value_t {
    iotsec_document_value_t {
        first: u32::try_from(first).unwrap_or(u32::MAX),
        count: u32::try_from(count).unwrap_or(u32::MAX),
        ..value
    }
}

fn text_is_right(field: &iotsec_document_field_t, text: &[u8]) -> Result<(), InputError> {
    let bound = |bound: i64| usize::try_from(bound).unwrap_or(usize::MAX);
    if text.len() < bound(field.min) {
        return Err(InputError::new(InputKind::TooShort, text.len()));
    }
    if text.len() > bound(field.max) {
        return Err(InputError::new(InputKind::TooLong, bound(field.max)));
    }
    if field.input == 0 {
        return Ok(());
    }
    check(field.input, text).map_err(|refusal| match refusal {
        Refusal::Input(error) => error,
        // The kind is one, or the table would have been refused.
        Refusal::Call(_) => InputError::new(InputKind::Unsupported, 0),
    })
}

fn choice<'a>(
    value: &Value<'a>,
    field: &iotsec_document_field_t,
    reading: &Reading<'a>,
) -> Result<i64, DocumentError> {
    let mut texts = [""; 64];
    let mut count = 0_usize;
    for (to, from) in texts.iter_mut().zip(choices_of(field)) {
        *to = from;
        count = count.saturating_add(1);
    }
    let place = value.choice(texts.get(..count).unwrap_or_default(), reading)?;
    Ok(i64::try_from(place).unwrap_or(i64::MAX))
}

fn list<'a>(
    value: &Value<'a>,
    field: &iotsec_document_field_t,
    reading: &mut Reading<'a>,
    slots: &mut Slots<'_, '_>,
) -> Result<(usize, usize), DocumentError> {
    let offset = value.offset();
    let elements = value.elements(reading)?;
    let most = usize::try_from(field.max).unwrap_or(0);
    if let Some(beyond) = elements.clone().nth(most) {
        return Err(reading.error(Problem::TooMany, beyond.offset()));
    }
    let count = elements.clone().count();
    if i64::try_from(count).unwrap_or(i64::MAX) < field.min {
        return Err(reading.error(Problem::TooFew, offset));
    }
    let first = slots.reserve(count);
    let Table(element) = inside(field);
    for (place, value) in elements.enumerate() {
        for field in element {
            reading.step(step(place), value.offset(), |reading| {
                read(&value, field, reading, slots, first.saturating_add(place))
            })?;
        }
    }
    Ok((first, count))
}
