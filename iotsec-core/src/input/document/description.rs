use super::error::MAX_DEPTH;

/// Fields of one object at most: twice as many as [`json::Limits::SMALL`](crate::input::json::Limits::SMALL) has names.
pub const MAX_FIELDS: usize = 64;
/// Bytes of a name at most.
pub const MAX_NAME_LEN: usize = 48;
/// Bytes of a document at most, where it does not say otherwise: a page of memory.
pub const MAX_BYTES: u32 = 4096;

/// What a field can hold, for whoever writes documents: what a schema says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shape {
    /// `true` or `false`.
    Bool,
    /// An integer.
    Integer {
        /// The least.
        min: i64,
        /// The greatest.
        max: i64,
        /// The symbol of its unit; empty for a mere number.
        unit: &'static str,
    },
    /// A text.
    Text {
        /// Fewest bytes of UTF-8.
        min: usize,
        /// Most bytes of UTF-8.
        max: usize,
        /// Its name among the formats of JSON Schema; empty where there is none.
        format: &'static str,
        /// A regular expression that the whole of it matches, of ASCII characters, sets, groups, alternatives and
        /// repetitions; empty where any character may stand. It may match what the type refuses, never the other way.
        pattern: &'static str,
    },
    /// One of these texts.
    Choice(&'static [&'static str]),
    /// An array.
    List {
        /// Each element.
        element: &'static Shape,
        /// Fewest elements.
        min: u8,
        /// Most elements.
        max: u8,
    },
    /// An object.
    Object(&'static Description),
}

impl Shape {
    /// Objects and arrays inside one another.
    const fn depth(&self) -> usize {
        match self {
            Self::List { element, .. } => element.depth().saturating_add(1),
            Self::Object(description) => description.depth().saturating_add(1),
            _ => 0,
        }
    }

    /// Whether a default is within the bounds that are known here.
    const fn holds(&self, default: &Default) -> bool {
        match (self, default) {
            (Self::Bool, Default::Bool(_)) => true,
            (Self::Integer { min, max, .. }, Default::Integer(number)) => *min <= *number && *number <= *max,
            (Self::Text { min, max, .. }, Default::Text(text)) => *min <= text.len() && text.len() <= *max,
            (Self::Choice(choices), Default::Text(text)) => {
                let mut left = *choices;
                while let [choice, rest @ ..] = left {
                    if is_same(choice, text) {
                        return true;
                    }
                    left = rest;
                }
                false
            }
            _ => false,
        }
    }
}

/// The value of a field that is absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Default {
    /// A truth value.
    Bool(bool),
    /// An integer.
    Integer(i64),
    /// A text.
    Text(&'static str),
}

impl Default {
    /// What a literal of Rust says. Texts are without escapes.
    ///
    /// # Errors
    /// [`DeclarationError::Default`].
    #[doc(hidden)]
    pub const fn from_literal(literal: &'static str) -> Result<Self, DeclarationError> {
        const WRONG: DeclarationError = DeclarationError::Default;
        let text = match literal.as_bytes() {
            b"true" => return Ok(Self::Bool(true)),
            b"false" => return Ok(Self::Bool(false)),
            [b'"', inside @ .., b'"'] => inside,
            [b'-', digits @ ..] => return integer(digits, true),
            digits => return integer(digits, false),
        };
        let mut left = text;
        while let [byte, rest @ ..] = left {
            if *byte < b' ' || *byte == b'\\' || *byte == b'"' {
                return Err(WRONG);
            }
            left = rest;
        }
        match core::str::from_utf8(text) {
            Ok(text) => Ok(Self::Text(text)),
            Err(_) => Err(WRONG),
        }
    }
}

const fn integer(digits: &[u8], negative: bool) -> Result<Default, DeclarationError> {
    const WRONG: DeclarationError = DeclarationError::Default;
    if digits.is_empty() {
        return Err(WRONG);
    }
    let (mut number, mut left) = (0_i64, digits);
    while let [digit, rest @ ..] = left {
        left = rest;
        if *digit == b'_' {
            continue;
        }
        // The bounds of integers are those of JSON, so that nothing is lost by letting this one saturate.
        if !digit.is_ascii_digit() {
            return Err(WRONG);
        }
        let value = i64::from_be_bytes([0, 0, 0, 0, 0, 0, 0, digit.wrapping_sub(b'0')]);
        number = number.saturating_mul(10).saturating_add(value);
    }
    Ok(Default::Integer(if negative {
        number.saturating_neg()
    } else {
        number
    }))
}

/// One field of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldDescription {
    name: &'static str,
    about: &'static str,
    shape: Shape,
    optional: bool,
    default: Option<Default>,
}

impl FieldDescription {
    /// Describes a field; [`document!`](crate::document!) does.
    #[doc(hidden)]
    pub const fn new(
        name: &'static str,
        about: &'static str,
        shape: Shape,
        optional: bool,
        default: Option<Default>,
    ) -> Self {
        Self {
            name,
            about,
            shape,
            optional,
            default,
        }
    }

    /// Its name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// What it is for.
    pub const fn about(&self) -> &'static str {
        self.about
    }

    /// What it can hold.
    pub const fn shape(&self) -> Shape {
        self.shape
    }

    /// Whether it may be absent.
    pub const fn is_optional(&self) -> bool {
        self.optional || self.default.is_some()
    }

    /// Its value when it is absent.
    pub const fn default(&self) -> Option<Default> {
        self.default
    }
}

/// What a document, or an object in one, consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Description {
    name: &'static str,
    about: &'static str,
    fields: &'static [FieldDescription],
    max_bytes: u32,
}

impl Description {
    /// Checks a description; [`document!`](crate::document!) does, while compiling.
    ///
    /// # Errors
    /// [`DeclarationError`] for the first rule that is broken.
    pub const fn new(
        name: &'static str,
        about: &'static str,
        fields: &'static [FieldDescription],
        max_bytes: u32,
    ) -> Result<Self, DeclarationError> {
        if fields.is_empty() || fields.len() > MAX_FIELDS {
            return Err(DeclarationError::Count);
        }
        let mut left = fields;
        while let [field, rest @ ..] = left {
            left = rest;
            if !is_name(field.name) {
                return Err(DeclarationError::Name);
            }
            let mut others = rest;
            while let [other, rest @ ..] = others {
                if is_same(field.name, other.name) {
                    return Err(DeclarationError::Duplicate);
                }
                others = rest;
            }
            if let Some(default) = &field.default {
                if field.optional {
                    return Err(DeclarationError::Presence);
                }
                if !field.shape.holds(default) {
                    return Err(DeclarationError::Default);
                }
            }
        }
        let description = Self {
            name,
            about,
            fields,
            max_bytes,
        };
        if description.depth() >= MAX_DEPTH {
            return Err(DeclarationError::Depth);
        }
        Ok(description)
    }

    /// Its name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// What it is for.
    pub const fn about(&self) -> &'static str {
        self.about
    }

    /// Its fields, in the order in which they were declared.
    pub const fn fields(&self) -> &'static [FieldDescription] {
        self.fields
    }

    /// Most bytes of a whole document.
    pub const fn max_bytes(&self) -> u32 {
        self.max_bytes
    }

    /// Objects and arrays inside it.
    const fn depth(&self) -> usize {
        let (mut deepest, mut left) = (0, self.fields);
        while let [field, rest @ ..] = left {
            let depth = field.shape.depth();
            if depth > deepest {
                deepest = depth;
            }
            left = rest;
        }
        deepest
    }
}

/// Why a description is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{}", self.message())]
#[non_exhaustive]
pub enum DeclarationError {
    /// No field, or more than [`MAX_FIELDS`].
    Count,
    /// A name that is empty, longer than [`MAX_NAME_LEN`], or has other characters than letters, digits, `-` and `_`.
    Name,
    /// Two fields of the same name.
    Duplicate,
    /// A default that its field cannot hold, or that is not written plainly.
    Default,
    /// A field that may be absent and has a default.
    Presence,
    /// Nested more deeply than [`MAX_DEPTH`].
    Depth,
}

impl DeclarationError {
    /// What is wrong, for a compiler to say.
    pub const fn message(self) -> &'static str {
        match self {
            Self::Count => "a document has 1 to 64 fields",
            Self::Name => "a name has 1 to 48 letters, digits, '-' and '_'",
            Self::Duplicate => "two fields have the same name",
            Self::Default => "a default is not a value of its field",
            Self::Presence => "an Option has no default",
            Self::Depth => "nested too deeply",
        }
    }
}

pub(in crate::input) const fn is_name(name: &str) -> bool {
    let mut left = name.as_bytes();
    if left.is_empty() || left.len() > MAX_NAME_LEN {
        return false;
    }
    while let [byte, rest @ ..] = left {
        if !byte.is_ascii_alphanumeric() && *byte != b'-' && *byte != b'_' {
            return false;
        }
        left = rest;
    }
    true
}

pub(in crate::input) const fn is_same(one: &str, other: &str) -> bool {
    let (mut one, mut other) = (one.as_bytes(), other.as_bytes());
    while let ([a, rest @ ..], [b, others @ ..]) = (one, other) {
        if *a != *b {
            return false;
        }
        (one, other) = (rest, others);
    }
    one.is_empty() && other.is_empty()
}
