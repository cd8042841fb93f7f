use super::super::throttle::ThrottleError;
use crate::{
    crypto::CryptoError,
    error::{ErrorCode, Fault},
};

/// Why a pairing does not go on. Every error ends the run; the next one begins anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum PairingError {
    /// The code is not eight digits, or one that is never printed on a label. It costs no attempt.
    #[error("not a set-up code")]
    Code,
    /// A name is empty or longer than 64 bytes.
    #[error("name out of bounds")]
    Name,
    /// Iterations outside the bounds, or damaged parameters.
    #[error("pairing parameters out of bounds")]
    Parameters,
    /// The record is not one that this code wrote.
    #[error("pairing record damaged")]
    Record,
    /// The window is not open.
    #[error("pairing window closed")]
    Closed,
    /// The window would be open for longer than 15 minutes.
    #[error("pairing window too long")]
    WindowLength,
    /// A message that no honest peer sends. It costs no attempt where it says nothing about the code.
    #[error("pairing message malformed")]
    Message,
    /// The other side does not know its half, or somebody changed a message. The one value for all of that.
    #[error("pairing refused")]
    Refused,
    /// No attempt was taken, or it could not be counted.
    #[error(transparent)]
    Throttle(#[from] ThrottleError),
    /// Randomness or a driver failed.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

impl ErrorCode for PairingError {
    fn code(&self) -> u16 {
        match self {
            Self::Code => 1361,
            Self::Name => 1362,
            Self::Parameters => 1363,
            Self::Record => 1364,
            Self::Closed => 1365,
            Self::WindowLength => 1366,
            Self::Message => 1367,
            Self::Refused => 1368,
            Self::Throttle(error) => error.code(),
            Self::Crypto(error) => error.code(),
        }
    }

    fn fault(&self) -> Fault {
        match self {
            Self::Code | Self::Parameters | Self::Closed | Self::Message | Self::Refused => Fault::Input,
            Self::Record => Fault::Device,
            Self::Name | Self::WindowLength => Fault::Misuse,
            Self::Throttle(error) => error.fault(),
            Self::Crypto(error) => error.fault(),
        }
    }
}
