use iotsec_core::{
    cbor::CborError,
    cose::CoseError,
    error::{ErrorCode, Fault},
};

/// The debug port is more open than it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum DebugError {
    /// Anyone with a probe reads memory and flash, outside the factory.
    #[error("debug port open outside the factory")]
    Open,
    /// It can be opened, and the table declares no debug interface for this phase.
    #[error("debug port not declared for this phase")]
    Undeclared,
}

impl ErrorCode for DebugError {
    fn code(&self) -> u16 {
        match self {
            Self::Open => 5361,
            Self::Undeclared => 5362,
        }
    }
    fn fault(&self) -> Fault {
        Fault::Device
    }
}

/// A debug port stays closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum UnlockError {
    /// The hardware gave no random numbers for a challenge.
    #[error("no randomness")]
    Entropy,
    /// It is another kind of message.
    #[error("not an unlock token")]
    Domain,
    /// It is for another device.
    #[error("unlock token of another device")]
    WrongDevice,
    /// It answers another challenge.
    #[error("unlock token for another challenge")]
    WrongNonce,
    /// The challenge is too old for it.
    #[error("unlock token expired")]
    Expired,
    /// It asks for no time, or for more than any token may.
    #[error("lifetime out of bounds")]
    Lifetime,
    /// The signature is not the anchor's, or the message is malformed.
    #[error(transparent)]
    Cose(#[from] CoseError),
    /// The content is malformed, or a buffer is too small.
    #[error(transparent)]
    Encoding(#[from] CborError),
}

impl ErrorCode for UnlockError {
    fn code(&self) -> u16 {
        match self {
            Self::Entropy => 5371,
            Self::Domain => 5372,
            Self::WrongDevice => 5373,
            Self::WrongNonce => 5374,
            Self::Expired => 5375,
            Self::Lifetime => 5376,
            Self::Cose(error) => error.code(),
            Self::Encoding(error) => error.code(),
        }
    }
    fn fault(&self) -> Fault {
        match self {
            Self::Entropy => Fault::Device,
            Self::Cose(error) => error.fault(),
            Self::Encoding(error) => error.fault(),
            _ => Fault::Input,
        }
    }
}
