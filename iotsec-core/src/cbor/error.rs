use crate::error::{ErrorCode, Fault};

/// What is wrong with an encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Kind {
    /// The input ends inside an item.
    #[error("input ends inside an item")]
    Truncated,
    /// A length or number is not in its shortest form, or uses a reserved head.
    #[error("not in shortest form")]
    NotShortest,
    /// Indefinite length.
    #[error("indefinite length")]
    Indefinite,
    /// Map keys are not in bytewise order.
    #[error("map keys out of order")]
    Unsorted,
    /// A map key occurs twice.
    #[error("map key occurs twice")]
    Duplicate,
    /// A text string is not UTF-8.
    #[error("text is not UTF-8")]
    Utf8,
    /// A float, a bignum, or a simple value other than false, true and null.
    #[error("value type not supported")]
    Unsupported,
    /// Nested deeper than [`Limits::depth`](super::Limits::depth).
    #[error("nested too deeply")]
    Depth,
    /// More items than [`Limits::items`](super::Limits::items).
    #[error("too many items")]
    Items,
    /// More bytes than [`Limits::bytes`](super::Limits::bytes).
    #[error("too many bytes")]
    Bytes,
    /// Bytes follow the last item.
    #[error("bytes after the last item")]
    Trailing,
    /// Another type was expected here.
    #[error("unexpected type")]
    Type,
    /// A number is outside the range that this place allows.
    #[error("number out of range")]
    Range,
    /// A length or a number of elements is not the one this place allows.
    #[error("wrong length")]
    Length,
    /// A key that this format does not define.
    #[error("unknown key")]
    UnknownKey,
    /// A key that this format requires is absent.
    #[error("required key missing")]
    MissingKey,
    /// The output buffer is too small.
    #[error("output buffer too small")]
    BufferFull,
}

/// An error and the byte offset at which it was noticed.
// One word, so that it and the errors around it travel in registers.
#[repr(align(4))]
#[derive(Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{kind} at byte {}", self.offset())]
pub struct CborError {
    /// What is wrong.
    pub kind: Kind,
    /// Little-endian.
    offset: [u8; 3],
}

impl CborError {
    /// An error at `offset`.
    pub fn new(kind: Kind, offset: usize) -> Self {
        let [a, b, c, ..] = offset.min(MAX_OFFSET).to_le_bytes();
        Self {
            kind,
            offset: [a, b, c],
        }
    }

    /// Where, counted from the start of the outermost input; 2^24 - 1 for all that lies beyond.
    pub const fn offset(&self) -> u32 {
        let [a, b, c] = self.offset;
        u32::from_le_bytes([a, b, c, 0])
    }
}

const MAX_OFFSET: usize = 0xFF_FFFF;

impl core::fmt::Debug for CborError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("CborError")
            .field("kind", &self.kind)
            .field("offset", &self.offset())
            .finish()
    }
}

impl ErrorCode for CborError {
    fn code(&self) -> u16 {
        match self.kind {
            Kind::Truncated => 1001,
            Kind::NotShortest => 1002,
            Kind::Indefinite => 1003,
            Kind::Unsorted => 1004,
            Kind::Duplicate => 1005,
            Kind::Utf8 => 1006,
            Kind::Unsupported => 1007,
            Kind::Depth => 1008,
            Kind::Items => 1009,
            Kind::Bytes => 1010,
            Kind::Trailing => 1011,
            Kind::Type => 1012,
            Kind::Range => 1013,
            Kind::Length => 1014,
            Kind::UnknownKey => 1015,
            Kind::MissingKey => 1016,
            Kind::BufferFull => 1017,
        }
    }

    fn fault(&self) -> Fault {
        match self.kind {
            Kind::BufferFull => Fault::Misuse,
            _ => Fault::Input,
        }
    }
}
