use iotsec_core::{
    credential::StorageError,
    error::{ErrorCode, Fault},
};

/// Why anchors cannot be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum AnchorRotationError {
    /// What is stored is no record.
    #[error("stored anchors damaged")]
    Record,
    /// No anchor, more than a bundle holds, or one of a wrong length.
    #[error("no anchors, too many, or one of a wrong length")]
    Anchors,
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl ErrorCode for AnchorRotationError {
    fn code(&self) -> u16 {
        match self {
            Self::Record => 5121,
            Self::Anchors => 5122,
            Self::Storage(error) => error.code(),
        }
    }

    fn fault(&self) -> Fault {
        match self {
            Self::Record => Fault::Device,
            Self::Anchors => Fault::Misuse,
            Self::Storage(error) => error.fault(),
        }
    }
}
