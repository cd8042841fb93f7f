use crate::{
    cbor::CborError,
    error::{ErrorCode, Fault},
};

/// Why a unit's record was refused, or could not be written. Says nothing of what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum UnitRecordError {
    /// It is no unit's record, or of a version that is not known.
    #[error("not a unit record")]
    Format,
    /// Cut off, changed, or followed by something else.
    #[error("unit record damaged")]
    Damaged,
    /// A serial number, password, code or certificate that no unit is minted with.
    #[error("unit record holds what is never minted")]
    Value,
    /// Not the deterministic encoding.
    #[error(transparent)]
    Cbor(#[from] CborError),
}

impl ErrorCode for UnitRecordError {
    fn code(&self) -> u16 {
        match self {
            Self::Format => 1371,
            Self::Damaged => 1372,
            Self::Value => 1373,
            Self::Cbor(error) => error.code(),
        }
    }

    fn fault(&self) -> Fault {
        match self {
            Self::Cbor(error) => error.fault(),
            _ => Fault::Input,
        }
    }
}
