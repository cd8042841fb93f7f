use iotsec_core::{
    credential::StorageError,
    error::{ErrorCode, Fault},
};

/// Why there is no time to judge certificates by, or none could be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum TimeError {
    /// There is no clock, or it is not set, and the policy wants one.
    #[error("no clock")]
    NoClock,
    /// The clock is behind the floor: it went back, or was never set.
    #[error("clock went back")]
    WentBack,
    /// The clock is beyond the life of the device.
    #[error("clock far ahead")]
    FarFuture,
    /// What is stored is no time.
    #[error("stored time damaged")]
    Record,
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl ErrorCode for TimeError {
    fn code(&self) -> u16 {
        match self {
            Self::NoClock => 5101,
            Self::WentBack => 5102,
            Self::FarFuture => 5103,
            Self::Record => 5104,
            Self::Storage(error) => error.code(),
        }
    }

    fn fault(&self) -> Fault {
        match self {
            Self::NoClock | Self::WentBack | Self::FarFuture | Self::Record => Fault::Device,
            Self::Storage(error) => error.fault(),
        }
    }
}
