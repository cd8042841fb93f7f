use core::fmt;

use super::description::{Description, Shape};
use crate::{
    cbor::{CborError, Kind},
    error::{ErrorCode, Fault},
    input::{InputError, InputKind},
};

/// Objects and arrays inside one another, the document itself included. A path has room for as many steps, and the
/// strict readers follow twice as many, so that a stray container is refused for what it is.
pub const MAX_DEPTH: usize = 8;

/// What is wrong with a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// Not JSON, or more of it than a device reads.
    #[error("not JSON: {0}")]
    Json(InputKind),
    /// Not deterministic CBOR, or more of it than a device reads.
    #[error("not CBOR: {0}")]
    Cbor(Kind),
    /// A name that the object does not have.
    #[error("unknown name")]
    Unknown,
    /// A name that stands twice in one object. It is found before any value is read, so there is no path to it.
    #[error("name stands twice")]
    Duplicate,
    /// A name that has to be there and is not; noticed at the object.
    #[error("name missing")]
    Missing,
    /// Another type of value.
    #[error("another type of value")]
    Type,
    /// An integer outside its bounds.
    #[error("integer out of range")]
    Range,
    /// An array with fewer elements than it must have.
    #[error("too few elements")]
    TooFew,
    /// An array with more elements than it may have.
    #[error("too many elements")]
    TooMany,
    /// A text that is none of those to choose from.
    #[error("none of the choices")]
    Choice,
    /// A text that its type refuses.
    #[error("text refused: {0}")]
    Text(InputKind),
    /// More objects and arrays inside one another than [`MAX_DEPTH`].
    #[error("nested too deeply")]
    Depth,
    /// The buffer for texts with escapes is too small: as many bytes as the document has are always enough.
    #[error("buffer too small")]
    BufferFull,
    /// The default that was declared for a field is not one of its values.
    #[error("default is not a value of its field")]
    Default,
}

/// The way to a field: at each step the place of a name in its description, or of an element in its array.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct FieldPath {
    steps: [u8; MAX_DEPTH],
    len: u8,
}

impl FieldPath {
    /// The steps, from the document inwards. None means the document itself.
    pub fn steps(&self) -> &[u8] {
        self.steps.get(..usize::from(self.len)).unwrap_or_default()
    }

    /// The names on the way, as in `network.servers[2]`. All of them come from the description.
    ///
    /// ```
    /// use iotsec_core::{document, input::{Ranged, document::{Document, DocumentError}}};
    ///
    /// document! { pub struct Lamp { level: Ranged<0, 100> } }
    /// let error = Lamp::from_json(br#"{"level": 101}"#, &mut []).err().unwrap();
    /// assert_eq!(error.path.steps(), [0]);
    /// assert_eq!(error.path.names(Lamp::DESCRIPTION).to_string(), "level");
    /// ```
    pub const fn names(self, description: &'static Description) -> Names {
        Names {
            path: self,
            description,
        }
    }

    /// `None` when there is no room for another step.
    pub(super) fn push(&mut self, step: u8) -> Option<()> {
        *self.steps.get_mut(usize::from(self.len))? = step;
        self.len = self.len.saturating_add(1);
        Some(())
    }

    pub(super) fn pop(&mut self) {
        self.len = self.len.saturating_sub(1);
        // Paths are compared as a whole.
        if let Some(step) = self.steps.get_mut(usize::from(self.len)) {
            *step = 0;
        }
    }
}

/// A path, written in names.
#[derive(Clone, Copy, Debug)]
pub struct Names {
    path: FieldPath,
    description: &'static Description,
}

impl fmt::Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shape = Shape::Object(self.description);
        for (count, step) in self.path.steps().iter().enumerate() {
            shape = match shape {
                Shape::Object(description) => {
                    let Some(field) = description.fields().get(usize::from(*step)) else {
                        return Ok(());
                    };
                    let dot = if count == 0 { "" } else { "." };
                    write!(f, "{dot}{}", field.name())?;
                    field.shape()
                }
                Shape::List { element, .. } => {
                    write!(f, "[{step}]")?;
                    *element
                }
                _ => return Ok(()),
            };
        }
        Ok(())
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in self.steps() {
            write!(f, "/{step}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FieldPath({self})")
    }
}

/// What is wrong with a document, in which field, and at which byte that was noticed. Nothing of the document itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{problem} at byte {offset}, field {path}")]
pub struct DocumentError {
    /// What is wrong.
    pub problem: Problem,
    /// Bytes before the place where it was noticed; 2^32 - 1 stands for all that lies beyond.
    pub offset: u32,
    /// In which field.
    pub path: FieldPath,
}

impl DocumentError {
    pub(super) fn new(problem: Problem, offset: usize, path: FieldPath) -> Self {
        Self {
            problem,
            offset: u32::try_from(offset).unwrap_or(u32::MAX),
            path,
        }
    }
}

impl From<InputError> for DocumentError {
    /// Of a document that is not JSON.
    fn from(error: InputError) -> Self {
        Self {
            problem: match error.kind {
                InputKind::Duplicate => Problem::Duplicate,
                kind => Problem::Json(kind),
            },
            offset: error.offset,
            path: FieldPath::default(),
        }
    }
}

impl From<CborError> for DocumentError {
    /// Of a document that is not CBOR.
    fn from(error: CborError) -> Self {
        Self {
            problem: match error.kind {
                Kind::Duplicate => Problem::Duplicate,
                kind => Problem::Cbor(kind),
            },
            offset: error.offset(),
            path: FieldPath::default(),
        }
    }
}

impl ErrorCode for DocumentError {
    /// Where another parser refused, the number of its error.
    fn code(&self) -> u16 {
        match self.problem {
            Problem::Json(kind) | Problem::Text(kind) => InputError { kind, offset: 0 }.code(),
            Problem::Cbor(kind) => CborError::new(kind, 0).code(),
            Problem::Unknown => 1620,
            Problem::Duplicate => 1621,
            Problem::Missing => 1622,
            Problem::Type => 1623,
            Problem::Range => 1624,
            Problem::TooFew => 1625,
            Problem::TooMany => 1626,
            Problem::Choice => 1627,
            Problem::Depth => 1628,
            Problem::BufferFull => 1629,
            Problem::Default => 1630,
        }
    }

    fn fault(&self) -> Fault {
        match self.problem {
            Problem::BufferFull | Problem::Default => Fault::Misuse,
            _ => Fault::Input,
        }
    }
}
