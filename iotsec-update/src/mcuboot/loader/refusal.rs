//! Why a slot is not started.

use iotsec_core::{
    error::{ErrorCode, Fault},
    hal::CounterError,
};

use super::super::{McubootError, TrailerError};

/// Why a slot may not be started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The image is not genuine, not whole, not for this device or below the security counter.
    #[error(transparent)]
    Image(McubootError),
    /// The trailer cannot be read, the image reaches into it, or the start could not be noted there.
    #[error(transparent)]
    Trailer(#[from] TrailerError),
    /// The security counter could not be read a second time.
    #[error(transparent)]
    Counter(#[from] CounterError),
    /// There is no trailer: nobody asked for this image.
    #[error("start not requested")]
    NotRequested,
    /// It was started on trial, and did not confirm itself.
    #[error("started before and not confirmed")]
    NotConfirmed,
    /// The trailer's magic or one of its flags is neither whole nor erased.
    #[error("trailer damaged")]
    TrailerDamaged,
    /// A second look found something else than the first one.
    #[error("a second look found something else")]
    Unproven,
}

impl ErrorCode for Refusal {
    fn code(&self) -> u16 {
        match self {
            Self::Image(error) => error.code(),
            Self::Trailer(error) => error.code(),
            Self::Counter(error) => error.code(),
            Self::NotRequested => 2811,
            Self::NotConfirmed => 2812,
            Self::TrailerDamaged => 2813,
            Self::Unproven => 2814,
        }
    }
    fn fault(&self) -> Fault {
        match self {
            Self::Image(error) => error.fault(),
            Self::Trailer(error) => error.fault(),
            Self::Counter(error) => error.fault(),
            Self::NotRequested | Self::NotConfirmed => Fault::Input,
            Self::TrailerDamaged | Self::Unproven => Fault::Device,
        }
    }
}
