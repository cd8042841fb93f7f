use super::{
    check::{Limits, check},
    number::Number,
    text::{self, Text},
};
use crate::input::error::{InputError, InputKind};

/// Checks a document, and gives its value.
///
/// # Errors
/// Those of [`check`].
///
/// ```
/// use iotsec_core::input::json::{Limits, Value, parse};
///
/// assert!(matches!(parse(b" null ", &Limits::SMALL)?, Value::Null { offset: 1 }));
/// # Ok::<(), iotsec_core::input::InputError>(())
/// ```
pub fn parse<'a>(input: &'a [u8], limits: &Limits) -> Result<Value<'a>, InputError> {
    check(input, limits)?;
    value(input, 0).ok_or(InputError::new(InputKind::Truncated, 0))
}

/// A value of a document that was checked.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// `null`.
    Null {
        /// Where it stands.
        offset: usize,
    },
    /// `true` or `false`.
    Bool {
        /// Which.
        value: bool,
        /// Where it stands.
        offset: usize,
    },
    /// A number.
    Number(Number<'a>),
    /// A string.
    Text(Text<'a>),
    /// An array.
    Array(Array<'a>),
    /// An object.
    Object(Object<'a>),
}

impl<'a> Value<'a> {
    /// Where it begins in the document.
    pub const fn offset(&self) -> usize {
        match self {
            Self::Null { offset } | Self::Bool { offset, .. } => *offset,
            Self::Number(number) => number.offset(),
            Self::Text(text) => text.offset(),
            Self::Array(array) => array.offset,
            Self::Object(object) => object.offset,
        }
    }

    fn wrong<T>(&self) -> Result<T, InputError> {
        Err(InputError::new(InputKind::Type, self.offset()))
    }

    /// The truth value that it is.
    ///
    /// # Errors
    /// [`InputKind::Type`], as for all of these.
    pub fn bool(&self) -> Result<bool, InputError> {
        match self {
            Self::Bool { value, .. } => Ok(*value),
            _ => self.wrong(),
        }
    }

    /// The integer that it is.
    ///
    /// # Errors
    /// [`InputKind::Type`], also for a number with a fraction or an exponent.
    pub fn integer(&self) -> Result<i64, InputError> {
        match self {
            Self::Number(number) => number.integer(),
            _ => self.wrong(),
        }
    }

    /// The string that it is.
    ///
    /// # Errors
    /// [`InputKind::Type`].
    pub fn text(&self) -> Result<Text<'a>, InputError> {
        match self {
            Self::Text(text) => Ok(*text),
            _ => self.wrong(),
        }
    }

    /// The array that it is.
    ///
    /// # Errors
    /// [`InputKind::Type`].
    pub fn array(&self) -> Result<Array<'a>, InputError> {
        match self {
            Self::Array(array) => Ok(*array),
            _ => self.wrong(),
        }
    }

    /// The object that it is.
    ///
    /// # Errors
    /// [`InputKind::Type`].
    pub fn object(&self) -> Result<Object<'a>, InputError> {
        match self {
            Self::Object(object) => Ok(*object),
            _ => self.wrong(),
        }
    }
}

/// An array; an iterator over its values.
#[derive(Clone, Copy, Debug)]
pub struct Array<'a> {
    input: &'a [u8],
    offset: usize,
    at: usize,
}

impl<'a> Iterator for Array<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        let value = value(self.input, self.at)?;
        self.at = behind(self.input, self.at);
        Some(value)
    }
}

/// An object; an iterator over its names and values.
#[derive(Clone, Copy, Debug)]
pub struct Object<'a> {
    input: &'a [u8],
    offset: usize,
    at: usize,
}

impl<'a> Object<'a> {
    /// The value of a name.
    ///
    /// # Errors
    /// [`InputKind::MissingName`], at the beginning of the object.
    pub fn member(&self, name: &str) -> Result<Value<'a>, InputError> {
        let found = { *self }.find(|(found, _)| *found == name);
        let missing = InputError::new(InputKind::MissingName, self.offset);
        found.map(|(_, value)| value).ok_or(missing)
    }

    /// Refuses an object with a name that is none of these.
    ///
    /// # Errors
    /// [`InputKind::UnknownName`], at the name.
    pub fn only(&self, names: &[&str]) -> Result<(), InputError> {
        for (found, _) in *self {
            if !names.iter().any(|name| found == *name) {
                return Err(InputError::new(InputKind::UnknownName, found.offset()));
            }
        }
        Ok(())
    }
}

impl<'a> Iterator for Object<'a> {
    type Item = (Text<'a>, Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let at = skip(self.input, self.at);
        if self.input.get(at) != Some(&b'"') {
            return None;
        }
        let name = Text::at(self.input, at);
        let at = text::end(self.input, at);
        let value = value(self.input, at)?;
        self.at = behind(self.input, at);
        Some((name, value))
    }
}

/// The next byte that says something: no blank, comma or colon.
pub(super) fn skip(input: &[u8], at: usize) -> usize {
    let rest = input.get(at..).unwrap_or_default();
    let len = rest
        .iter()
        .position(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b',' | b':'));
    at.saturating_add(len.unwrap_or(rest.len()))
}

/// The value that begins at `at` or behind blanks; `None` at the end of a container.
pub(super) fn value(input: &[u8], at: usize) -> Option<Value<'_>> {
    let offset = skip(input, at);
    let inside = offset.saturating_add(1);
    Some(match input.get(offset)? {
        b'n' => Value::Null { offset },
        b't' => Value::Bool { value: true, offset },
        b'f' => Value::Bool { value: false, offset },
        b'"' => Value::Text(Text::at(input, offset)),
        b'[' => Value::Array(Array {
            input,
            offset,
            at: inside,
        }),
        b'{' => Value::Object(Object {
            input,
            offset,
            at: inside,
        }),
        b']' | b'}' => return None,
        _ => Value::Number(Number::at(input, offset)),
    })
}

/// Where the value ends that begins at `at` or behind blanks.
pub(super) fn behind(input: &[u8], at: usize) -> usize {
    let mut at = skip(input, at);
    let mut depth = 0_usize;
    loop {
        match input.get(at) {
            Some(b'"') => at = text::end(input, at),
            Some(b'[' | b'{') => {
                depth = depth.saturating_add(1);
                at = skip(input, at.saturating_add(1));
                continue;
            }
            Some(b']' | b'}') => {
                depth = depth.saturating_sub(1);
                at = at.saturating_add(1);
            }
            Some(_) => {
                let rest = input.get(at..).unwrap_or_default();
                let len = rest
                    .iter()
                    .position(|byte| matches!(byte, b',' | b']' | b'}' | b' ' | b'\t' | b'\n' | b'\r'));
                at = at.saturating_add(len.unwrap_or(rest.len()));
            }
            None => return at,
        }
        if depth == 0 {
            return at;
        }
        at = skip(input, at);
    }
}
