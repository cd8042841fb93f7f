use iotsec_core::error::{ErrorCode, Fault};

/// Not an [`Epsilon`](super::Epsilon).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum EpsilonError {
    /// Numerator or denominator is zero.
    #[error("{}", self.message())]
    Zero,
    /// The denominator is above [`MAX_DENOMINATOR`](super::MAX_DENOMINATOR).
    #[error("{}", self.message())]
    Denominator,
    /// Above [`MAX_EPSILON`](super::MAX_EPSILON).
    #[error("{}", self.message())]
    TooLarge,
}

impl EpsilonError {
    /// The text, for a message while compiling.
    pub const fn message(self) -> &'static str {
        match self {
            Self::Zero => "an epsilon is above zero, and so is its denominator",
            Self::Denominator => "the denominator of an epsilon is at most 10000",
            Self::TooLarge => "an epsilon is at most 16",
        }
    }
}

impl ErrorCode for EpsilonError {
    fn code(&self) -> u16 {
        match self {
            Self::Zero => 4601,
            Self::Denominator => 4602,
            Self::TooLarge => 4603,
        }
    }
    fn fault(&self) -> Fault {
        Fault::Misuse
    }
}
