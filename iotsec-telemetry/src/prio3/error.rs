use iotsec_core::{
    crypto::CryptoError,
    error::{ErrorCode, Fault},
};

/// Why a measurement was not split into shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Prio3Error {
    /// The source of randomness failed.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
    /// The metric is not one that is summed over shares.
    #[error("metric is not summed over shares")]
    Aggregate,
    /// The value is of another kind than the metric declares, or in other buckets.
    #[error("value of another kind than declared")]
    Kind,
    /// The value is outside the declared bounds.
    #[error("value out of bounds")]
    OutOfBounds,
    /// The value comes from a person and belongs to another purpose.
    #[error("personal value of another purpose")]
    Purpose,
    /// The owner has not consented to the metric's purpose.
    #[error("not consented")]
    NotConsented,
    /// An output buffer has another length than its share.
    #[error("buffer is not as long as the share")]
    Buffer,
    /// More buckets, calls or bits than are supported, or none.
    #[error("parameters not supported")]
    Parameters,
    /// The context is longer than [`MAX_CONTEXT_LEN`](super::MAX_CONTEXT_LEN).
    #[error("context too long")]
    Context,
    /// The last day on which this metric is collected is over.
    #[error("not collected any longer")]
    Expired,
}

impl ErrorCode for Prio3Error {
    fn code(&self) -> u16 {
        match self {
            Self::Crypto(error) => error.code(),
            Self::Aggregate => 4701,
            Self::Kind => 4702,
            Self::OutOfBounds => 4703,
            Self::Purpose => 4704,
            Self::NotConsented => 4705,
            Self::Buffer => 4706,
            Self::Parameters => 4707,
            Self::Context => 4708,
            Self::Expired => 4709,
        }
    }
    fn fault(&self) -> Fault {
        match self {
            Self::Crypto(error) => error.fault(),
            _ => Fault::Misuse,
        }
    }
}
