//! Why a policy was refused, and what is wrong with a source of randomness.

use iotsec_core::error::{ErrorCode, Fault};

/// A policy of reactions breaks a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// More rules than a policy can have.
    #[error("{}", self.message())]
    Count,
    /// Events do not ascend, or one has two rules.
    #[error("{}", self.message())]
    Order,
    /// A quiet period is shorter than ten minutes or longer than a day.
    #[error("{}", self.message())]
    Quiet,
}

impl PolicyError {
    /// The text, for a message while compiling.
    pub const fn message(self) -> &'static str {
        match self {
            Self::Count => "a policy has at most 32 rules",
            Self::Order => "rules must ascend by their events, one for each",
            Self::Quiet => "a quiet period lasts ten minutes to a day",
        }
    }
}

impl ErrorCode for PolicyError {
    fn code(&self) -> u16 {
        match self {
            Self::Count => 4901,
            Self::Order => 4902,
            Self::Quiet => 4903,
        }
    }
    fn fault(&self) -> Fault {
        Fault::Misuse
    }
}

/// What the health tests of [`EntropyHealth`](super::EntropyHealth) found. The event carries the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum EntropyError {
    /// One byte came seventeen times in a row (NIST SP 800-90B §4.4.1).
    #[error("source of randomness is stuck")]
    Stuck,
    /// One byte came far too often among 512 (NIST SP 800-90B §4.4.2).
    #[error("source of randomness is biased")]
    Biased,
}

impl ErrorCode for EntropyError {
    fn code(&self) -> u16 {
        match self {
            Self::Stuck => 4911,
            Self::Biased => 4912,
        }
    }
    fn fault(&self) -> Fault {
        Fault::Device
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_error_has_a_number_of_its_own() {
        let own: [&dyn ErrorCode; 5] = [
            &PolicyError::Count,
            &PolicyError::Order,
            &PolicyError::Quiet,
            &EntropyError::Stuck,
            &EntropyError::Biased,
        ];
        let numbers: BTreeSet<u16> = own.iter().map(|error| error.code()).collect();
        assert_eq!(numbers.len(), own.len());
        assert!(numbers.iter().all(|number| (4901..4950).contains(number)));
    }
}
