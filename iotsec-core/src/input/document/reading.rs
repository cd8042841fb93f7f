use super::{
    description::{Default, Description},
    error::{DocumentError, FieldPath, MAX_DEPTH, Problem},
};
use crate::{
    cbor::{self, Key, Reader, Type},
    input::{InputError, json},
};

/// Twice as many as a description can be deep, so that a container where none belongs is refused as another type.
const DEPTH: u8 = 16;
const _: () = assert!(MAX_DEPTH * 2 == 16);
/// Values in a document, names of CBOR included: 4 KiB cannot hold more, and longer ones hold texts.
const VALUES: u16 = 4096;
/// Names in one object: those that a description may have, and some to be refused one by one.
const NAMES: u16 = 128;

/// Has `read` read a document of JSON, for whoever has no type that it becomes: the bindings to another language, whose
/// description is a table. Texts with escapes are written into `scratch`, which never takes more bytes than the document has.
///
/// ```
/// use iotsec_core::input::document::{DocumentError, read_json};
///
/// let level = read_json(br#"{"level": 7}"#, 64, &mut [], |value, reading| {
///     let mut entries = value.entries(reading)?;
///     let mut level = None;
///     while let Some((name, offset, value)) = entries.next(reading)? {
///         assert!(name == "level" && offset == 1);
///         level = Some(reading.step(0, value.offset(), |reading| value.integer(0, 100, reading))?);
///     }
///     Ok(level)
/// })?;
/// assert_eq!(level, Some(7));
/// # Ok::<(), DocumentError>(())
/// ```
///
/// # Errors
/// Those of JSON that is none, or longer than `max_bytes`; and those of `read`.
pub fn read_json<'a, T>(
    input: &'a [u8],
    max_bytes: u32,
    scratch: &'a mut [u8],
    read: impl FnOnce(Value<'a>, &mut Reading<'a>) -> Result<T, DocumentError>,
) -> Result<T, DocumentError> {
    let limits = json::Limits {
        bytes: max_bytes,
        depth: DEPTH,
        values: VALUES,
        names: NAMES,
    };
    let value = json::parse(input, &limits)?;
    read(Value(Source::Json(value)), &mut Reading::new(scratch))
}

/// As [`read_json`], for a document of CBOR.
///
/// # Errors
/// Those of CBOR that is none, or not deterministic, or longer than `max_bytes`; and those of `read`.
pub fn read_cbor<'a, T>(
    input: &'a [u8],
    max_bytes: u32,
    read: impl FnOnce(Value<'a>, &mut Reading<'a>) -> Result<T, DocumentError>,
) -> Result<T, DocumentError> {
    let limits = cbor::Limits {
        bytes: max_bytes,
        depth: DEPTH,
        items: VALUES,
    };
    let reader = Reader::new(input, &limits)?;
    read(Value(Source::Cbor(reader)), &mut Reading::new(&mut []))
}

/// What a document is read with: room for texts, and the way to the field that is being read.
#[derive(Debug)]
pub struct Reading<'a> {
    /// For texts that do not stand in the document as they are.
    scratch: &'a mut [u8],
    path: FieldPath,
}

impl<'a> Reading<'a> {
    fn new(scratch: &'a mut [u8]) -> Self {
        Self {
            scratch,
            path: FieldPath::default(),
        }
    }

    /// An error in the field that is being read.
    pub fn error(&self, problem: Problem, offset: usize) -> DocumentError {
        DocumentError::new(problem, offset, self.path)
    }

    /// Reads what is one step further inside.
    ///
    /// # Errors
    /// Those of `read`, and [`Problem::Depth`].
    pub fn step<T>(
        &mut self,
        step: u8,
        offset: usize,
        read: impl FnOnce(&mut Self) -> Result<T, DocumentError>,
    ) -> Result<T, DocumentError> {
        let too_deep = self.error(Problem::Depth, offset);
        self.path.push(step).ok_or(too_deep)?;
        let value = read(self)?;
        self.path.pop();
        Ok(value)
    }
}

#[derive(Clone, Debug)]
enum Source<'a> {
    Json(json::Value<'a>),
    Cbor(Reader<'a>),
    /// Of a field that is absent, in the object at `offset`.
    Default {
        default: Default,
        offset: usize,
    },
}

/// A value of a document in either form.
#[derive(Clone, Debug)]
pub struct Value<'a>(Source<'a>);

impl<'a> Value<'a> {
    pub(super) fn from_default(default: Default, offset: usize) -> Self {
        Self(Source::Default { default, offset })
    }

    /// Where it begins in the document.
    pub fn offset(&self) -> usize {
        match &self.0 {
            Source::Json(value) => value.offset(),
            Source::Cbor(reader) => reader.offset(),
            Source::Default { offset, .. } => *offset,
        }
    }

    /// The error for a value that is not right.
    fn wrong(&self, problem: Problem, reading: &Reading<'a>) -> DocumentError {
        let problem = match self.0 {
            Source::Default { .. } => Problem::Default,
            _ => problem,
        };
        reading.error(problem, self.offset())
    }

    /// The truth value that it is.
    ///
    /// # Errors
    /// [`Problem::Type`].
    pub fn bool(&self, reading: &Reading<'a>) -> Result<bool, DocumentError> {
        let value = match &self.0 {
            Source::Json(value) => value.bool().ok(),
            Source::Cbor(reader) => reader.clone().bool().ok(),
            Source::Default {
                default: Default::Bool(value),
                ..
            } => Some(*value),
            Source::Default { .. } => None,
        };
        value.ok_or(self.wrong(Problem::Type, reading))
    }

    /// The integer that it is, if it is from `min` to `max`.
    ///
    /// # Errors
    /// [`Problem::Type`], also for a number that is written with a fraction or an exponent; [`Problem::Range`].
    pub fn integer(&self, min: i64, max: i64, reading: &Reading<'a>) -> Result<i64, DocumentError> {
        let value = match &self.0 {
            Source::Json(value) => value.integer().ok(),
            Source::Cbor(reader) => match reader.clone().int() {
                Ok(value) => Some(value),
                // Beyond 64 bits it is beyond all bounds.
                Err(error) if error.kind == cbor::Kind::Range => {
                    return Err(self.wrong(Problem::Range, reading));
                }
                Err(_) => None,
            },
            Source::Default {
                default: Default::Integer(value),
                ..
            } => Some(*value),
            Source::Default { .. } => None,
        };
        let value = value.ok_or(self.wrong(Problem::Type, reading))?;
        if (min..=max).contains(&value) {
            Ok(value)
        } else {
            Err(self.wrong(Problem::Range, reading))
        }
    }

    /// What `parse` makes of the text that it is. A text with escapes is written into the buffer first.
    ///
    /// # Errors
    /// [`Problem::Type`]; [`Problem::Text`] with what `parse` says, at the byte that it means unless there are escapes
    /// before it; [`Problem::BufferFull`].
    pub fn parse<T>(
        &self,
        reading: &mut Reading<'a>,
        parse: impl FnOnce(&'a [u8]) -> Result<T, InputError>,
    ) -> Result<T, DocumentError> {
        let (text, begins) = self.text(reading)?;
        parse(text.as_bytes()).map_err(|error| {
            let inside = usize::try_from(error.offset).unwrap_or(usize::MAX);
            let at = begins.map_or(self.offset(), |begins| begins.saturating_add(inside));
            match self.0 {
                Source::Default { .. } => self.wrong(Problem::Default, reading),
                _ => reading.error(Problem::Text(error.kind), at),
            }
        })
    }

    /// The text, and where it begins if it stands there as it is.
    fn text(&self, reading: &mut Reading<'a>) -> Result<(&'a str, Option<usize>), DocumentError> {
        let wrong = self.wrong(Problem::Type, reading);
        match &self.0 {
            Source::Json(value) => {
                let text = value.text().map_err(|_| wrong)?;
                match text.as_plain() {
                    Some(plain) => Ok((plain, Some(text.offset().saturating_add(1)))),
                    None => Ok((self.unescape(text, reading)?, None)),
                }
            }
            Source::Cbor(reader) => {
                let mut reader = reader.clone();
                let text = reader.text().map_err(|_| wrong)?;
                Ok((text, Some(reader.offset().saturating_sub(text.len()))))
            }
            Source::Default {
                default: Default::Text(text),
                ..
            } => Ok((text, None)),
            Source::Default { .. } => Err(wrong),
        }
    }

    fn unescape(&self, text: json::Text<'a>, reading: &mut Reading<'a>) -> Result<&'a str, DocumentError> {
        let full = self.wrong(Problem::BufferFull, reading);
        let len = text
            .chars()
            .fold(0_usize, |len, character| len.saturating_add(character.len_utf8()));
        let scratch = core::mem::take(&mut reading.scratch);
        let (room, rest) = scratch.split_at_mut_checked(len).ok_or(full)?;
        reading.scratch = rest;
        text.decode(room).map_err(|_| full)
    }

    /// Which of `choices` it is.
    ///
    /// # Errors
    /// [`Problem::Type`], [`Problem::Choice`].
    pub fn choice(&self, choices: &[&str], reading: &Reading<'a>) -> Result<usize, DocumentError> {
        let wrong = self.wrong(Problem::Type, reading);
        let found = match &self.0 {
            Source::Json(value) => {
                let text = value.text().map_err(|_| wrong)?;
                choices.iter().position(|choice| text == *choice)
            }
            Source::Cbor(reader) => {
                let text = reader.clone().text().map_err(|_| wrong)?;
                choices.iter().position(|choice| text == *choice)
            }
            Source::Default {
                default: Default::Text(text),
                ..
            } => choices.iter().position(|choice| text == choice),
            Source::Default { .. } => None,
        };
        found.ok_or(self.wrong(Problem::Choice, reading))
    }

    /// The elements of the array that it is.
    ///
    /// # Errors
    /// [`Problem::Type`].
    pub fn elements(&self, reading: &Reading<'a>) -> Result<Elements<'a>, DocumentError> {
        let wrong = self.wrong(Problem::Type, reading);
        Ok(Elements(match &self.0 {
            Source::Json(value) => Items::Json(value.array().map_err(|_| wrong)?),
            Source::Cbor(reader) => {
                let mut reader = reader.clone();
                let left = reader.array().map_err(|_| wrong)?;
                Items::Cbor { reader, left }
            }
            Source::Default { .. } => return Err(wrong),
        }))
    }

    /// The fields of the object that it is.
    ///
    /// # Errors
    /// [`Problem::Type`].
    pub fn members(
        &self,
        description: &'static Description,
        reading: &Reading<'a>,
    ) -> Result<Members<'a>, DocumentError> {
        let entries = self.entries(reading)?;
        Ok(Members { entries, description })
    }

    /// The names and values of the object that it is.
    ///
    /// # Errors
    /// [`Problem::Type`].
    pub fn entries(&self, reading: &Reading<'a>) -> Result<Entries<'a>, DocumentError> {
        let wrong = self.wrong(Problem::Type, reading);
        Ok(Entries(match &self.0 {
            Source::Json(value) => Pairs::Json(value.object().map_err(|_| wrong)?),
            Source::Cbor(reader) => {
                let mut reader = reader.clone();
                match reader.peek() {
                    Ok(Type::Map) => {}
                    _ => return Err(wrong),
                }
                let left = reader.map().map_err(|_| wrong)?;
                Pairs::Cbor { reader, left }
            }
            Source::Default { .. } => return Err(wrong),
        }))
    }
}

#[derive(Clone, Debug)]
enum Items<'a> {
    Json(json::Array<'a>),
    Cbor { reader: Reader<'a>, left: u64 },
}

/// The elements of an array.
#[derive(Clone, Debug)]
pub struct Elements<'a>(Items<'a>);

impl<'a> Iterator for Elements<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        match &mut self.0 {
            Items::Json(array) => array.next().map(|value| Value(Source::Json(value))),
            Items::Cbor { reader, left } => {
                *left = left.checked_sub(1)?;
                let value = reader.clone();
                reader.skip().ok()?;
                Some(Value(Source::Cbor(value)))
            }
        }
    }
}

crate::claim! {
    provisions: ["5.13-1A", "5.13-1B"],
    claims: "A document holds its declared fields within their bounds, each once, or is refused with the place that is wrong",
    code: [Members::next],
    tests: [
        "iotsec-core::iotsec_core::input::document::tests::what_is_wrong_has_an_error_of_its_own_and_the_way_to_it",
        "iotsec-core::iotsec_core::input::document::tests::every_strict_prefix_fails_and_no_flipped_bit_panics",
    ],
}

#[derive(Clone, Debug)]
enum Pairs<'a> {
    Json(json::Object<'a>),
    Cbor { reader: Reader<'a>, left: u64 },
}

/// A name in an object, to be compared.
#[derive(Clone, Copy, Debug)]
pub struct Name<'a>(Spelling<'a>);

#[derive(Clone, Copy, Debug)]
enum Spelling<'a> {
    Json(json::Text<'a>),
    Cbor(&'a str),
    /// A key of CBOR that is no text.
    Other,
}

impl PartialEq<str> for Name<'_> {
    fn eq(&self, other: &str) -> bool {
        match self.0 {
            Spelling::Json(name) => name == *other,
            Spelling::Cbor(name) => name == other,
            Spelling::Other => false,
        }
    }
}

impl PartialEq<&str> for Name<'_> {
    fn eq(&self, other: &&str) -> bool {
        *self == **other
    }
}

/// The names and values of an object.
#[derive(Clone, Debug)]
pub struct Entries<'a>(Pairs<'a>);

impl<'a> Entries<'a> {
    /// The next one: its name, where that stands, and its value.
    ///
    /// # Errors
    /// [`Problem::Unknown`] at a key of CBOR that is no text.
    pub fn next(
        &mut self,
        reading: &Reading<'a>,
    ) -> Result<Option<(Name<'a>, usize, Value<'a>)>, DocumentError> {
        Ok(match &mut self.0 {
            Pairs::Json(object) => object.next().map(|(name, value)| {
                let offset = name.offset();
                (Name(Spelling::Json(name)), offset, Value(Source::Json(value)))
            }),
            Pairs::Cbor { reader, left } => {
                let Some(rest) = left.checked_sub(1) else {
                    return Ok(None);
                };
                *left = rest;
                let offset = reader.offset();
                let name = match reader.key() {
                    Ok(Key::Text(name)) => Spelling::Cbor(name),
                    Ok(_) => Spelling::Other,
                    // The reader stands in front of it, and there is no way on.
                    Err(_) => return Err(reading.error(Problem::Unknown, offset)),
                };
                let value = reader.clone();
                reader.skip()?;
                Some((Name(name), offset, Value(Source::Cbor(value))))
            }
        })
    }
}

/// The fields of an object that are there.
#[derive(Clone, Debug)]
pub struct Members<'a> {
    entries: Entries<'a>,
    description: &'static Description,
}

impl<'a> Members<'a> {
    /// The next one: its place in the description, and its value.
    ///
    /// # Errors
    /// [`Problem::Unknown`].
    pub fn next(&mut self, reading: &Reading<'a>) -> Result<Option<(u8, Value<'a>)>, DocumentError> {
        let Some((name, offset, value)) = self.entries.next(reading)? else {
            return Ok(None);
        };
        let mut fields = self.description.fields().iter();
        let place = fields.position(|field| name == field.name());
        let place = place.and_then(|place| u8::try_from(place).ok());
        let place = place.ok_or(reading.error(Problem::Unknown, offset))?;
        Ok(Some((place, value)))
    }
}
