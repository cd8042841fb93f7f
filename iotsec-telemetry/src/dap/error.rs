use iotsec_core::{
    crypto::{CryptoError, hpke::HpkeError},
    error::{ErrorCode, Fault},
};

use crate::error::Prio3Error;

/// Why a configuration was refused, or a report not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum DapError {
    /// The measurement could not be split.
    #[error(transparent)]
    Prio3(#[from] Prio3Error),
    /// A share could not be sealed.
    #[error(transparent)]
    Hpke(#[from] HpkeError),
    /// Ends too early, goes on too long, or a length in it is out of bounds.
    #[error("malformed or too long")]
    Malformed,
    /// Two configurations have the same identifier, more are listed than a device reads, or none.
    #[error("list of HPKE configurations out of bounds")]
    Configs,
    /// A server has no key for the suite.
    #[error("no HPKE configuration for the suite")]
    NoConfig,
    /// Both servers have the same key.
    #[error("both servers have the same key")]
    SameKey,
    /// The task aggregates something that this crate does not split, or in a way that it does not know.
    #[error("task not supported")]
    Task,
    /// The measurement is not what the task aggregates.
    #[error("measurement is not the task's")]
    Vdaf,
    /// The time is outside the task's interval.
    #[error("task not active")]
    Inactive,
    /// The output buffer is too small.
    #[error("output buffer too small")]
    Buffer,
}

impl From<CryptoError> for DapError {
    fn from(error: CryptoError) -> Self {
        Self::Hpke(error.into())
    }
}

impl ErrorCode for DapError {
    fn code(&self) -> u16 {
        match self {
            Self::Prio3(error) => error.code(),
            Self::Hpke(error) => error.code(),
            Self::Malformed => 4721,
            Self::Configs => 4722,
            Self::NoConfig => 4723,
            Self::SameKey => 4724,
            Self::Task => 4725,
            Self::Vdaf => 4726,
            Self::Inactive => 4727,
            Self::Buffer => 4728,
        }
    }
    fn fault(&self) -> Fault {
        match self {
            Self::Prio3(error) => error.fault(),
            Self::Hpke(error) => error.fault(),
            Self::Vdaf | Self::Buffer => Fault::Misuse,
            _ => Fault::Input,
        }
    }
}
