use crate::error::{ErrorCode, Fault};

/// Why a text of a QR code was refused, or could not be written. Says nothing of the text itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum QrError {
    /// It is another kind of code.
    #[error("another kind of code")]
    Prefix,
    /// A character that this kind of code does not have.
    #[error("character not allowed, at byte {position}")]
    Character {
        /// Bytes before it.
        position: u16,
    },
    /// Too short, too long, or cut off.
    #[error("wrong length")]
    Length,
    /// The check does not fit: something was misread.
    #[error("check does not fit")]
    Check,
    /// A field is missing, there twice, or not known.
    #[error("field missing, repeated or not known")]
    Field,
    /// A field has a value that it cannot have.
    #[error("value out of bounds")]
    Value,
    /// Something that the standard has and this SDK does not: WEP, enterprise networks, Matter extensions.
    #[error("not supported")]
    Unsupported,
    /// The output buffer is too small.
    #[error("output buffer too small")]
    BufferFull,
}

impl ErrorCode for QrError {
    fn code(&self) -> u16 {
        match self {
            Self::Prefix => 1551,
            Self::Character { .. } => 1552,
            Self::Length => 1553,
            Self::Check => 1554,
            Self::Field => 1555,
            Self::Value => 1556,
            Self::Unsupported => 1557,
            Self::BufferFull => 1558,
        }
    }

    fn fault(&self) -> Fault {
        match self {
            Self::BufferFull => Fault::Misuse,
            _ => Fault::Input,
        }
    }
}
