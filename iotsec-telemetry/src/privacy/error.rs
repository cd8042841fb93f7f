use iotsec_core::{
    crypto::CryptoError,
    error::{ErrorCode, Fault},
    hal::CounterError,
};

use crate::error::StorageError;

/// Not an [`Epsilon`](super::Epsilon).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum EpsilonError {
    /// Numerator or denominator is zero.
    #[error("{}", self.message())]
    Zero,
    /// The denominator is above 10,000 once it is in lowest terms.
    #[error("{}", self.message())]
    Denominator,
    /// Above 16.
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

/// A metric cannot be noised on the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum MetricError {
    /// The registry has no such metric.
    #[error("metric not declared")]
    Undeclared,
    /// It is protected in another way than by noise.
    #[error("metric is not noised on the device")]
    Mechanism,
    /// Too few or too many labels, or bounds that are reversed or too wide.
    #[error("bounds of the metric are malformed")]
    Bounds,
}

impl ErrorCode for MetricError {
    fn code(&self) -> u16 {
        match self {
            Self::Undeclared => 4611,
            Self::Mechanism => 4612,
            Self::Bounds => 4613,
        }
    }
    fn fault(&self) -> Fault {
        Fault::Misuse
    }
}

/// Budget was not debited, so there is nothing to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// There is no record. Only [`Ledger::format`](super::Ledger::format) makes one.
    #[error("no ledger")]
    Missing,
    /// The record has a version that this firmware does not know, as after a downgrade.
    #[error("ledger of an unknown version")]
    Version,
    /// The record is not what was sealed under this key.
    #[error("ledger corrupt")]
    Corrupt,
    /// The record is older than the counter: flash was put back.
    #[error("ledger is older than its counter")]
    RolledBack,
    /// There is a ledger already, which formatting would renew.
    #[error("a ledger exists already")]
    Exists,
    /// The metric has no budget left in this epoch.
    #[error("budget of the metric exhausted")]
    MetricExhausted,
    /// All metrics together have no budget left in this epoch.
    #[error("budget exhausted")]
    Exhausted,
    /// The ledger has no place for another debit in this epoch.
    #[error("no place for another debit in this epoch")]
    Full,
    /// As many epochs as the allowance grants have passed.
    #[error("no renewal left")]
    NoRenewal,
    /// The counter of renewals has not moved since the last one.
    #[error("counter of renewals has not moved")]
    NotRenewed,
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The counter failed.
    #[error(transparent)]
    Counter(#[from] CounterError),
    /// The cryptography failed, or the entropy source.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

impl ErrorCode for LedgerError {
    fn code(&self) -> u16 {
        match self {
            Self::Missing => 4621,
            Self::Version => 4622,
            Self::Corrupt => 4623,
            Self::RolledBack => 4624,
            Self::Exists => 4625,
            Self::MetricExhausted => 4626,
            Self::Exhausted => 4627,
            Self::Full => 4628,
            Self::NoRenewal => 4629,
            Self::NotRenewed => 4630,
            Self::Storage(error) => error.code(),
            Self::Counter(error) => error.code(),
            Self::Crypto(error) => error.code(),
        }
    }
    fn fault(&self) -> Fault {
        match self {
            Self::Storage(error) => error.fault(),
            Self::Counter(error) => error.fault(),
            Self::Crypto(error) => error.fault(),
            Self::Corrupt | Self::RolledBack => Fault::Input,
            Self::Missing | Self::Version => Fault::Device,
            _ => Fault::Misuse,
        }
    }
}

/// An answer could not be drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum DrawError {
    /// More random words than a draw may take.
    #[error("too many random words for one draw")]
    Work,
    /// The cryptography failed.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

impl ErrorCode for DrawError {
    fn code(&self) -> u16 {
        match self {
            Self::Work => 4641,
            Self::Crypto(error) => error.code(),
        }
    }
    fn fault(&self) -> Fault {
        match self {
            Self::Work => Fault::Device,
            Self::Crypto(error) => error.fault(),
        }
    }
}

/// A value was not noised. Nothing of it is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum NoiseError {
    /// The owner has not consented to the metric's purpose.
    #[error("no consent to this purpose")]
    NotConsented,
    /// The value was collected for another purpose than the metric's.
    #[error("value collected for another purpose")]
    Purpose,
    /// The last day on which this metric is collected is over. Nothing was debited.
    #[error("not collected any longer")]
    Expired,
    /// No budget was debited.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// No answer was drawn.
    #[error(transparent)]
    Draw(#[from] DrawError),
}

impl ErrorCode for NoiseError {
    fn code(&self) -> u16 {
        match self {
            Self::NotConsented => 4651,
            Self::Purpose => 4652,
            Self::Expired => 4653,
            Self::Ledger(error) => error.code(),
            Self::Draw(error) => error.code(),
        }
    }
    fn fault(&self) -> Fault {
        match self {
            Self::NotConsented | Self::Purpose | Self::Expired => Fault::Misuse,
            Self::Ledger(error) => error.fault(),
            Self::Draw(error) => error.fault(),
        }
    }
}

/// A received report was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// Not the length of a report of its metric.
    #[error("not the length of a report")]
    Length,
    /// A format version that is not known.
    #[error("format version unknown")]
    Version,
    /// Made against another registry.
    #[error("registry unknown")]
    UnknownRegistry,
    /// A metric that the registry does not declare, or that is not noised on the device.
    #[error("metric not declared")]
    Undeclared,
    /// An answer that the metric cannot have.
    #[error("answer out of range")]
    Range,
}

impl ErrorCode for ReportError {
    fn code(&self) -> u16 {
        match self {
            Self::Length => 4661,
            Self::Version => 4662,
            Self::UnknownRegistry => 4663,
            Self::Undeclared => 4664,
            Self::Range => 4665,
        }
    }
    fn fault(&self) -> Fault {
        Fault::Input
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_error_of_privacy_has_a_number_of_its_own() {
        let own: [&dyn ErrorCode; 24] = [
            &EpsilonError::Zero,
            &EpsilonError::Denominator,
            &EpsilonError::TooLarge,
            &MetricError::Undeclared,
            &MetricError::Mechanism,
            &MetricError::Bounds,
            &LedgerError::Missing,
            &LedgerError::Version,
            &LedgerError::Corrupt,
            &LedgerError::RolledBack,
            &LedgerError::Exists,
            &LedgerError::MetricExhausted,
            &LedgerError::Exhausted,
            &LedgerError::Full,
            &LedgerError::NoRenewal,
            &LedgerError::NotRenewed,
            &DrawError::Work,
            &NoiseError::NotConsented,
            &NoiseError::Purpose,
            &ReportError::Length,
            &ReportError::Version,
            &ReportError::UnknownRegistry,
            &ReportError::Undeclared,
            &ReportError::Range,
        ];
        let numbers: BTreeSet<u16> = own.iter().map(|error| error.code()).collect();
        assert_eq!(numbers.len(), own.len());
        assert!(numbers.iter().all(|number| (4601..4700).contains(number)));
    }
}
