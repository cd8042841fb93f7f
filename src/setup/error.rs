use iotsec_core::error::{ErrorCode, Fault};

use super::Step;
use crate::device::DeviceError;

/// Why the set-up does not go on. What the owner is to be told is in [`SetupStatus`](super::SetupStatus).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// This step comes first.
    #[error("a step of the set-up is missing")]
    NotYet(Step),
    /// The product's plan does not have this step.
    #[error("the product has no such step")]
    NoStep(Step),
    /// The time is before the one at which the firmware was made.
    #[error("time before the firmware was made")]
    Time,
    /// What is said of a network has 1 to 256 bytes.
    #[error("network description of wrong length")]
    Network,
    /// The device.
    #[error(transparent)]
    Device(#[from] DeviceError),
}

impl ErrorCode for SetupError {
    fn code(&self) -> u16 {
        match self {
            Self::NotYet(_) => 6301,
            Self::NoStep(_) => 6302,
            Self::Time => 6303,
            Self::Network => 6304,
            Self::Device(error) => error.code(),
        }
    }

    fn fault(&self) -> Fault {
        match self {
            Self::NotYet(_) | Self::NoStep(_) => Fault::Misuse,
            Self::Time | Self::Network => Fault::Input,
            Self::Device(error) => error.fault(),
        }
    }
}
