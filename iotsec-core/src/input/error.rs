use crate::error::{ErrorCode, Fault};

/// What is wrong with an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum InputKind {
    /// There is nothing, or nothing where something has to be.
    #[error("empty")]
    Empty,
    /// It ends before it is complete.
    #[error("ends too early")]
    Truncated,
    /// It has fewer bytes than it must have.
    #[error("too short")]
    TooShort,
    /// It has more bytes than it may have.
    #[error("too long")]
    TooLong,
    /// Something follows that does not belong to it.
    #[error("something follows the end")]
    Trailing,
    /// A character that must not stand here.
    #[error("character not allowed here")]
    Character,
    /// Not UTF-8.
    #[error("not UTF-8")]
    Utf8,
    /// Parts that do not fit together.
    #[error("malformed")]
    Form,
    /// A number outside its bounds, or written otherwise than numbers are.
    #[error("number out of range")]
    Range,
    /// Something that the standard has and that is refused here.
    #[error("not supported")]
    Unsupported,
    /// Something stands there twice.
    #[error("twice the same")]
    Duplicate,
    /// Nested too deeply.
    #[error("nested too deeply")]
    Depth,
    /// More parts than may be.
    #[error("too many parts")]
    Count,
    /// A URL with the name or password of a user.
    #[error("URL with user information")]
    UserInfo,
    /// A URL with a scheme that is not allowed.
    #[error("URL scheme not allowed")]
    Scheme,
    /// Another type of value was expected.
    #[error("another type was expected")]
    Type,
    /// A name that is not known here.
    #[error("unknown name")]
    UnknownName,
    /// A name that has to be there and is not.
    #[error("name missing")]
    MissingName,
    /// The output buffer is too small.
    #[error("output buffer too small")]
    BufferFull,
}

/// What is wrong with an input, and at which byte that was noticed. Nothing of the input itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{kind} at byte {offset}")]
pub struct InputError {
    /// What is wrong.
    pub kind: InputKind,
    /// Bytes before the place where it was noticed.
    pub offset: u32,
}

impl InputError {
    /// An error at `offset`; 2^32 - 1 stands for all that lies beyond.
    pub fn new(kind: InputKind, offset: usize) -> Self {
        let offset = u32::try_from(offset).unwrap_or(u32::MAX);
        Self { kind, offset }
    }

    /// The same error in something that begins at `offset` of a larger input.
    #[must_use]
    pub(super) fn within(self, offset: usize) -> Self {
        let offset = u32::try_from(offset).unwrap_or(u32::MAX);
        Self {
            offset: self.offset.saturating_add(offset),
            ..self
        }
    }
}

impl ErrorCode for InputError {
    fn code(&self) -> u16 {
        match self.kind {
            InputKind::Empty => 1601,
            InputKind::Truncated => 1602,
            InputKind::TooShort => 1603,
            InputKind::TooLong => 1604,
            InputKind::Trailing => 1605,
            InputKind::Character => 1606,
            InputKind::Utf8 => 1607,
            InputKind::Form => 1608,
            InputKind::Range => 1609,
            InputKind::Unsupported => 1610,
            InputKind::Duplicate => 1611,
            InputKind::Depth => 1612,
            InputKind::Count => 1613,
            InputKind::UserInfo => 1614,
            InputKind::Scheme => 1615,
            InputKind::Type => 1616,
            InputKind::UnknownName => 1617,
            InputKind::MissingName => 1618,
            InputKind::BufferFull => 1619,
        }
    }

    fn fault(&self) -> Fault {
        match self.kind {
            InputKind::BufferFull => Fault::Misuse,
            _ => Fault::Input,
        }
    }
}
