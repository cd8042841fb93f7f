use super::{
    check::{Limits, check},
    number::Number,
    text::{self, Text},
    value::{behind, skip, value},
};
use crate::input::{InputError, json::Value};

/// What a document consists of, one after the other.
#[derive(Clone, Copy, Debug)]
pub enum Token<'a> {
    /// `{`: names and values follow.
    Object,
    /// `}`
    ObjectEnd,
    /// `[`: values follow.
    Array,
    /// `]`
    ArrayEnd,
    /// A name; its value follows.
    Name(Text<'a>),
    /// A string.
    Text(Text<'a>),
    /// A number.
    Number(Number<'a>),
    /// `true` or `false`.
    Bool(bool),
    /// `null`
    Null,
}

/// A document that was checked, read from its beginning to its end: for whoever cannot keep a [`Value`] for each level that
/// they are in.
///
/// ```
/// use iotsec_core::input::json::{Limits, Token, Tokens};
///
/// let mut tokens = Tokens::new(br#"{"extra": [1, {}], "level": 7}"#, &Limits::SMALL)?;
/// assert!(matches!(tokens.next(), Some((0, Token::Object))));
/// let mut level = None;
/// while let Some((_, Token::Name(name))) = tokens.next() {
///     if name != "level" {
///         tokens.pass();
///     } else if let Some((_, Token::Number(number))) = tokens.next() {
///         level = Some(number.integer()?);
///     }
/// }
/// assert_eq!(level, Some(7));
/// # Ok::<(), iotsec_core::input::InputError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Tokens<'a> {
    input: &'a [u8],
    at: usize,
    /// One bit for each container that is open, the innermost last: set for an object. There are at most 32.
    objects: u32,
    /// What comes next in an object is a name, or its end.
    is_name_next: bool,
}

impl<'a> Tokens<'a> {
    /// Checks a document.
    ///
    /// # Errors
    /// Those of [`check`].
    pub fn new(input: &'a [u8], limits: &Limits) -> Result<Self, InputError> {
        check(input, limits)?;
        Ok(Self {
            input,
            at: 0,
            objects: 0,
            is_name_next: false,
        })
    }

    /// Where it is in the document: behind what was read.
    pub const fn offset(&self) -> usize {
        self.at
    }

    /// Passes over the value that comes next with all that is in it: behind a name its value, in an array the next element.
    /// False where no value comes next.
    pub fn pass(&mut self) -> bool {
        let at = skip(self.input, self.at);
        if self.is_name_next
            || !self
                .input
                .get(at)
                .is_some_and(|byte| !matches!(byte, b']' | b'}'))
        {
            return false;
        }
        self.at = behind(self.input, at);
        self.is_name_next = self.is_in_object();
        true
    }

    const fn is_in_object(&self) -> bool {
        self.objects & 1 == 1
    }

    const fn open(&mut self, is_object: bool) {
        self.objects = self.objects.wrapping_shl(1) | if is_object { 1 } else { 0 };
        self.is_name_next = is_object;
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = (usize, Token<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let at = skip(self.input, self.at);
        let byte = *self.input.get(at)?;
        self.at = at.saturating_add(1);
        if let b']' | b'}' = byte {
            self.objects = self.objects.wrapping_shr(1);
            self.is_name_next = self.is_in_object();
            let end = if byte == b'}' {
                Token::ObjectEnd
            } else {
                Token::ArrayEnd
            };
            return Some((at, end));
        }
        if self.is_name_next {
            self.is_name_next = false;
            self.at = text::end(self.input, at);
            return Some((at, Token::Name(Text::at(self.input, at))));
        }
        let token = match value(self.input, at)? {
            Value::Object(_) => {
                self.open(true);
                return Some((at, Token::Object));
            }
            Value::Array(_) => {
                self.open(false);
                return Some((at, Token::Array));
            }
            Value::Null { .. } => Token::Null,
            Value::Bool { value, .. } => Token::Bool(value),
            Value::Number(number) => Token::Number(number),
            Value::Text(text) => Token::Text(text),
        };
        self.at = behind(self.input, at);
        self.is_name_next = self.is_in_object();
        Some((at, token))
    }
}
