//! Strict JSON, read from its beginning to its end.

use core::ffi::c_char;

use iotsec::core::input::{
    InputError,
    json::{Limits, Text, Token, Tokens},
};

use super::parsed;
use crate::{
    argument,
    object::{self, Storage},
    status::{CallError, Status, iotsec_status_t, status},
};

/// Words of 8 bytes that a reader of JSON takes.
pub const IOTSEC_JSON_WORDS: usize = 16;

/// A document of JSON that is read one part after the other, in the caller's storage. Start it by `iotsec_json_open()`,
/// end it by `iotsec_json_close()`.
///
/// The whole document is checked when it is opened, so that nothing is done because of the first half of a document whose
/// second half is wrong: encoding, grammar, nesting, number of parts, names that stand twice, halves of surrogate pairs,
/// and integers that other readers of JSON would round (RFC 8259, RFC 7493). From then on reading cannot fail but by asking
/// for what is not there. It takes no memory for the nesting, and no heap.
///
/// Where the fields of a document are known, `iotsec_document_read()` asks for less.
#[repr(C)]
pub struct iotsec_json_t {
    opaque: [u64; IOTSEC_JSON_WORDS],
}

/// What lives in an [`iotsec_json_t`].
pub(crate) struct Reading {
    tokens: Tokens<'static>,
    /// What was read last, if it has letters or digits.
    last: Last,
}

#[derive(Clone, Copy)]
enum Last {
    Other,
    Text(Text<'static>),
    Number(&'static str),
}

impl Storage for iotsec_json_t {
    type Kept = ();
    type Value = Reading;
    const KIND: u32 = 0x4A73_6F31;
}

/// How much a document may ask of the reader.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct iotsec_json_limits_t {
    /// `sizeof(iotsec_json_limits_t)`.
    pub struct_size: u32,
    /// Bytes of the whole document.
    pub bytes: u32,
    /// Arrays and objects inside one another, at most 32.
    pub depth: u32,
    /// Values, names not counted; at most 65535.
    pub values: u32,
    /// Names in one object, at most 65535. Each is compared with those before it.
    pub names: u32,
}

/// What a part of a document is.
pub type iotsec_json_kind_t = i32;

/// Nothing: the document is at its end.
pub const IOTSEC_JSON_END: iotsec_json_kind_t = 0;
/// `{`: names follow, each with its value, up to `IOTSEC_JSON_OBJECT_END`.
pub const IOTSEC_JSON_OBJECT: iotsec_json_kind_t = 1;
/// `}`
pub const IOTSEC_JSON_OBJECT_END: iotsec_json_kind_t = 2;
/// `[`: values follow, up to `IOTSEC_JSON_ARRAY_END`.
pub const IOTSEC_JSON_ARRAY: iotsec_json_kind_t = 3;
/// `]`
pub const IOTSEC_JSON_ARRAY_END: iotsec_json_kind_t = 4;
/// The name of what follows: `iotsec_json_is()`, `iotsec_json_text()`.
pub const IOTSEC_JSON_NAME: iotsec_json_kind_t = 5;
/// A string: `iotsec_json_is()`, `iotsec_json_text()`.
pub const IOTSEC_JSON_TEXT: iotsec_json_kind_t = 6;
/// An integer, from -(2^53 - 1) to 2^53 - 1.
pub const IOTSEC_JSON_INTEGER: iotsec_json_kind_t = 7;
/// A number with a fraction or an exponent, which a double can hold: `iotsec_json_text()` gives its digits.
pub const IOTSEC_JSON_REAL: iotsec_json_kind_t = 8;
/// `true` or `false`.
pub const IOTSEC_JSON_BOOL: iotsec_json_kind_t = 9;
/// `null`
pub const IOTSEC_JSON_NULL: iotsec_json_kind_t = 10;

/// A part of a document. A struct that the library fills never grows.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct iotsec_json_token_t {
    /// Of `_INTEGER` the integer, of `_BOOL` 1 or 0; else 0.
    pub number: i64,
    /// `IOTSEC_JSON_*`.
    pub kind: iotsec_json_kind_t,
    /// Where it begins in the document; of `_END` the length of the document.
    pub offset: u32,
    /// Of `_NAME`, `_TEXT`, `_INTEGER` and `_REAL` the bytes that `iotsec_json_text()` writes; else 0.
    pub len: u32,
    /// Zero.
    pub reserved: u32,
}

const _: () = assert!(size_of::<iotsec_json_token_t>() == 24);

/// Checks the document in `text`, of `text_len` bytes, and starts reading it. `text` is used until it is closed, and must not
/// change. `limits` may be null: 4 KiB, depth 8, 256 values, 32 names.
///
/// `IOTSEC_ERR_INPUT_*` says why it is refused, and `offset`, which may be null, gets the number of the byte at which.
/// Takes time in proportion to the length, and to the names of one object; about 700 bytes of stack.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_json_open(
    json: *mut iotsec_json_t,
    limits: *const iotsec_json_limits_t,
    text: *const u8,
    text_len: usize,
    offset: *mut usize,
) -> iotsec_status_t {
    // SAFETY: the caller's word, in the documentation.
    unsafe {
        parsed(text, text_len, offset, |text| {
            let limits = limits_of(limits)?;
            object::vacant(json)?;
            let reading = Reading {
                tokens: Tokens::new(text, &limits)?,
                last: Last::Other,
            };
            Ok(object::start(json, (), |()| Ok(reading))?)
        })
    }
}

/// Reads the next part into `token`. Behind the last one it is `IOTSEC_JSON_END`, however often this is called.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_json_next(
    json: *mut iotsec_json_t,
    token: *mut iotsec_json_token_t,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        let token = argument::out(token)?;
        object::enter(json, |reading| {
            let next = reading.tokens.next();
            let (found, last) = part(next.as_ref().map(|(_, token)| token))?;
            let offset = next.map_or(reading.tokens.offset(), |(offset, _)| offset);
            reading.last = last;
            token.set(iotsec_json_token_t {
                offset: u32::try_from(offset).unwrap_or(u32::MAX),
                ..found
            });
            Ok(())
        })
    })
}

/// Passes over the value that comes next with all that is in it: behind a name its value, in an array the next element.
/// `IOTSEC_ERR_STATE` where no value comes next.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_json_pass(json: *mut iotsec_json_t) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        object::enter(json, |reading| {
            if !reading.tokens.pass() {
                return Err(CallError::State.into());
            }
            reading.last = Last::Other;
            Ok(())
        })
    })
}

/// Writes the name or string that was read last to `text`, which holds `size`, without its escapes, and its length to
/// `len`; or the number as it is written. It may hold any character but half a surrogate pair, zero included.
/// `IOTSEC_ERR_STATE` when what was read last is something else.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_json_text(
    json: *mut iotsec_json_t,
    text: *mut c_char,
    size: usize,
    len: *mut usize,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        let out = argument::buffer(text.cast(), size, len)?;
        object::enter(json, |reading| match reading.last {
            Last::Text(text) => {
                out.write(|out| text.chars().try_for_each(|character| out.write_char(character)))
            }
            Last::Number(digits) => out.copy(digits.as_bytes()),
            Last::Other => Err(CallError::State.into()),
        })
    })
}

/// Compares the name or string that was read last with `text`, which ends in zero: `is_same` gets 1 or 0. Escapes stand for
/// what they mean. `IOTSEC_ERR_STATE` when what was read last is something else, `IOTSEC_ERR_TEXT` when `text` is not UTF-8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_json_is(
    json: *mut iotsec_json_t,
    text: *const c_char,
    is_same: *mut i32,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        let (text, is_same) = (argument::zero_ended(text)?, argument::out(is_same)?);
        object::enter(json, |reading| match reading.last {
            Last::Text(last) => {
                is_same.set(i32::from(last == *text));
                Ok(())
            }
            _ => Err(CallError::State.into()),
        })
    })
}

/// Ends the reading. Storage and text may be used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_json_close(json: *mut iotsec_json_t) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe { object::end(json) })
}

/// # Safety
/// As [`argument::sized`], or null.
unsafe fn limits_of(limits: *const iotsec_json_limits_t) -> Result<Limits, Status> {
    if limits.is_null() {
        return Ok(Limits::SMALL);
    }
    // SAFETY: the caller's word, passed on.
    let limits = unsafe { argument::sized(limits) }?;
    if limits.depth > 32 {
        return Err(CallError::Config.into());
    }
    Ok(Limits {
        bytes: limits.bytes,
        depth: u8::try_from(limits.depth).map_err(|_| CallError::Config)?,
        values: u16::try_from(limits.values).map_err(|_| CallError::Config)?,
        names: u16::try_from(limits.names).map_err(|_| CallError::Config)?,
    })
}

fn part(token: Option<&Token<'static>>) -> Result<(iotsec_json_token_t, Last), InputError> {
    let part = |kind, number, len, last| {
        let token = iotsec_json_token_t {
            number,
            kind,
            offset: 0,
            len: u32::try_from(len).unwrap_or(u32::MAX),
            reserved: 0,
        };
        Ok((token, last))
    };
    let sign = |kind| part(kind, 0, 0, Last::Other);
    let text = |kind, text: Text<'static>| {
        let len = text
            .chars()
            .fold(0_usize, |len, character| len.saturating_add(character.len_utf8()));
        part(kind, 0, len, Last::Text(text))
    };
    match token {
        None => sign(IOTSEC_JSON_END),
        Some(Token::Object) => sign(IOTSEC_JSON_OBJECT),
        Some(Token::ObjectEnd) => sign(IOTSEC_JSON_OBJECT_END),
        Some(Token::Array) => sign(IOTSEC_JSON_ARRAY),
        Some(Token::ArrayEnd) => sign(IOTSEC_JSON_ARRAY_END),
        Some(Token::Name(name)) => text(IOTSEC_JSON_NAME, *name),
        Some(Token::Text(value)) => text(IOTSEC_JSON_TEXT, *value),
        Some(Token::Number(number)) => {
            let (digits, last) = (number.as_str(), Last::Number(number.as_str()));
            match number.integer() {
                Ok(integer) => part(IOTSEC_JSON_INTEGER, integer, digits.len(), last),
                Err(_) => part(IOTSEC_JSON_REAL, 0, digits.len(), last),
            }
        }
        Some(Token::Bool(value)) => part(IOTSEC_JSON_BOOL, i64::from(*value), 0, Last::Other),
        Some(Token::Null) => sign(IOTSEC_JSON_NULL),
    }
}
