//! Documents with bounds, of JSON or CBOR, by a table of fields.

mod table;

use core::ffi::c_char;

use iotsec::core::input::document::{DocumentError, MAX_DEPTH, read_cbor, read_json};

use self::table::{Slots, object};
use super::iotsec_input_kind_t;
use crate::{
    argument,
    status::{CallError, iotsec_status_t, status},
};

/// How a document is written.
pub type iotsec_document_form_t = i32;

/// As JSON (RFC 8259), an object. Names that stand twice are refused, and integers that other readers would round.
pub const IOTSEC_DOCUMENT_JSON: iotsec_document_form_t = 1;
/// As CBOR in deterministic encoding (RFC 8949, 4.2), a map with text keys.
pub const IOTSEC_DOCUMENT_CBOR: iotsec_document_form_t = 2;

/// What a field holds.
pub type iotsec_document_kind_t = i32;

/// `true` or `false`: `number` of its value is 1 or 0.
pub const IOTSEC_DOCUMENT_BOOL: iotsec_document_kind_t = 1;
/// An integer from `min` to `max`, within 2^53 - 1 on either side.
pub const IOTSEC_DOCUMENT_INTEGER: iotsec_document_kind_t = 2;
/// A text of `min` to `max` bytes that is of the kind `input`: `text` and `text_len` of its value.
pub const IOTSEC_DOCUMENT_TEXT: iotsec_document_kind_t = 3;
/// One of the texts `choices`: `number` of its value is which, from 0 on.
pub const IOTSEC_DOCUMENT_CHOICE: iotsec_document_kind_t = 4;
/// An object with the fields `fields`: `first` and `count` of its value say where theirs are.
pub const IOTSEC_DOCUMENT_OBJECT: iotsec_document_kind_t = 5;
/// An array of `min` to `max` values, at most 255, each as the one field that `fields` points to: `first` and `count` of its
/// value say where they are.
pub const IOTSEC_DOCUMENT_LIST: iotsec_document_kind_t = 6;

/// Whether a field has to be there.
pub type iotsec_document_presence_t = i32;

/// It has to.
pub const IOTSEC_DOCUMENT_REQUIRED: iotsec_document_presence_t = 0;
/// It may be absent.
pub const IOTSEC_DOCUMENT_OPTIONAL: iotsec_document_presence_t = 1;
/// It may be absent, and is then `fallback`: of a truth value, an integer or a choice.
pub const IOTSEC_DOCUMENT_DEFAULT: iotsec_document_presence_t = 2;

/// Fields of one object at most.
pub const IOTSEC_DOCUMENT_FIELDS_MAX: usize = 64;
/// Objects and arrays inside one another at most, the document included.
pub const IOTSEC_DOCUMENT_DEPTH_MAX: usize = 8;

const _: () = assert!(IOTSEC_DOCUMENT_DEPTH_MAX == MAX_DEPTH);

/// One field: its name, and what it may be. Members that its kind does not need are zero or null.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct iotsec_document_field_t {
    /// Its name, ending in zero: 1 to 48 letters, digits, `-` and `_`, and another than that of the fields beside it. Of the
    /// elements of a list null.
    pub name: *const c_char,
    /// `IOTSEC_DOCUMENT_BOOL` to `_LIST`.
    pub kind: iotsec_document_kind_t,
    /// `IOTSEC_DOCUMENT_REQUIRED`, `_OPTIONAL` or `_DEFAULT`; of the elements of a list 0.
    pub presence: iotsec_document_presence_t,
    /// The least integer, fewest bytes of a text, fewest elements of a list.
    pub min: i64,
    /// The greatest integer, most bytes of a text, most elements of a list.
    pub max: i64,
    /// What an absent field `_DEFAULT` is.
    pub fallback: i64,
    /// Of a text `IOTSEC_INPUT_*`, or 0 for any text of UTF-8.
    pub input: iotsec_input_kind_t,
    /// How many `choices` or `fields` there are: 1 to 64; of a list 1.
    pub count: u32,
    /// The texts to choose from, each ending in zero.
    pub choices: *const *const c_char,
    /// The fields of an object, or the one that each element of a list is.
    pub fields: *const iotsec_document_field_t,
}

/// What a document consists of. It and its tables are constants of the program: `static const`, in flash.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct iotsec_document_t {
    /// `sizeof(iotsec_document_t)`.
    pub struct_size: u32,
    /// Bytes of a document at most.
    pub bytes: u32,
    /// Its fields.
    pub fields: *const iotsec_document_field_t,
    /// How many there are: 1 to 64.
    pub field_count: u32,
    /// Zero.
    pub reserved: u32,
}

/// The value of a field. A struct that the library fills never grows.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct iotsec_document_value_t {
    /// The truth value, the integer, or the place among the choices; what the table says if the field is absent.
    pub number: i64,
    /// The text, without a final zero: in the document, or in `scratch` where it has escapes. Null for what is no text.
    pub text: *const u8,
    /// Bytes of the text.
    pub text_len: usize,
    /// 1 for a field that is there, 0 for one that is absent.
    pub is_present: i32,
    /// Of an object or a list where, in `values`, the first of its fields or elements is.
    pub first: u32,
    /// Of an object or a list how many there are.
    pub count: u32,
    /// Zero.
    pub reserved: u32,
}

/// Where a document was refused. A struct that the library fills never grows.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct iotsec_document_place_t {
    /// The number of the byte at which that was noticed.
    pub offset: u32,
    /// How many of `steps` there are; 0 for the document as a whole.
    pub step_count: u32,
    /// The way to the field: at each step its place in its table, or in its list.
    pub steps: [u8; IOTSEC_DOCUMENT_DEPTH_MAX],
}

const _: () = assert!(size_of::<iotsec_document_place_t>() == 16);

/// Reads a document of `len` bytes in `bytes`, written as `form` says, by the table `document`, and writes its values to
/// `values`, which holds `value_count`, and how many they are to `value_len`.
///
/// The value of the field at place i of the document's table is `values[i]`, whether it is there or not. Those of an object
/// or a list inside of it begin at `values[first]`, in the same way; of what is absent there are none. When `value_count` is
/// too small the call returns `IOTSEC_ERR_SHORT_BUFFER` and writes to `value_len` what this document takes.
///
/// A document is refused as a whole, with the first reason: `IOTSEC_ERR_DOCUMENT_*` for a name that is unknown, stands
/// twice or is missing, a value of another type or out of range, too few or too many elements; `IOTSEC_ERR_INPUT_*` when it
/// is no JSON or for a text that its kind refuses, `IOTSEC_ERR_CBOR_*` when it is no CBOR. `place` then says where, and
/// nothing of the document is in the answer, so that it can be logged. `values` then holds nothing of use.
/// `IOTSEC_ERR_CONFIG` when the table breaks its own rules; it is looked at before the document.
///
/// Texts of JSON with escapes are written to `scratch`, which holds `scratch_size`: as many bytes as the document has are
/// always enough, and none where nobody writes escapes; it may then be null. Both are borrowed by `values`. Whoever reads a
/// secret wipes both. Takes time in proportion to the length and the number of fields; no heap.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_document_read(
    form: iotsec_document_form_t,
    document: *const iotsec_document_t,
    bytes: *const u8,
    len: usize,
    scratch: *mut u8,
    scratch_size: usize,
    values: *mut iotsec_document_value_t,
    value_count: usize,
    value_len: *mut usize,
    place: *mut iotsec_document_place_t,
) -> iotsec_status_t {
    status(|| {
        let mut unused = 0;
        // SAFETY: the caller's word, in the documentation.
        let (document, bytes, scratch, values, place) = unsafe {
            (
                argument::sized(document)?,
                argument::bytes(bytes, len)?,
                argument::buffer(scratch, scratch_size, &raw mut unused)?,
                argument::array(values, value_count, value_len)?,
                argument::out(place)?,
            )
        };
        argument::zero(document.reserved)?;
        // SAFETY: the caller says that the table is a constant, and that it is as its documentation says.
        let fields = unsafe { table::fields(document.fields, document.field_count, 1) }?;
        let mut slots = Slots::new(&values);
        let read = match form {
            IOTSEC_DOCUMENT_JSON => read_json(bytes, document.bytes, scratch.bytes(), |value, reading| {
                object(&value, fields, reading, &mut slots)
            }),
            IOTSEC_DOCUMENT_CBOR => read_cbor(bytes, document.bytes, |value, reading| {
                object(&value, fields, reading, &mut slots)
            }),
            _ => return Err(CallError::Config.into()),
        };
        match read {
            Ok(_) => {
                let used = slots.used();
                values.said(used)
            }
            Err(error) => {
                place.set(place_of(&error));
                Err(error.into())
            }
        }
    })
}

fn place_of(error: &DocumentError) -> iotsec_document_place_t {
    let (mut steps, mut count) = ([0; IOTSEC_DOCUMENT_DEPTH_MAX], 0_u32);
    for (to, from) in steps.iter_mut().zip(error.path.steps()) {
        *to = *from;
        count = count.saturating_add(1);
    }
    iotsec_document_place_t {
        offset: error.offset,
        step_count: count,
        steps,
    }
}
