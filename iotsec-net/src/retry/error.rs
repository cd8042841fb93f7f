use iotsec_core::{
    credential::StorageError,
    error::{ErrorCode, Fault},
    hal::Millis,
};

/// Why no attempt may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum RetryError {
    /// Too soon.
    #[error("too soon, wait {} ms", remaining.0)]
    Wait {
        /// Until the next attempt.
        remaining: Millis,
    },
    /// A time or a count outside the bounds of [`RetryPolicy`](super::RetryPolicy).
    #[error("retry policy out of bounds")]
    Policy,
    /// The storage failed, with its own number.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl ErrorCode for RetryError {
    fn code(&self) -> u16 {
        match self {
            Self::Wait { .. } => 5201,
            Self::Policy => 5202,
            Self::Storage(error) => error.code(),
        }
    }

    fn fault(&self) -> Fault {
        match self {
            Self::Wait { .. } | Self::Policy => Fault::Misuse,
            Self::Storage(error) => error.fault(),
        }
    }
}
