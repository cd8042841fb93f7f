use super::super::IdentityError;
use crate::{
    credential::StorageError,
    error::{ErrorCode, Fault},
};

/// Why a rotation does not go on. The active identity is untouched by all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum RotationError {
    /// There is no record. The factory did not write it, or somebody removed it.
    #[error("identity record missing")]
    Missing,
    /// The record is not one that this code wrote.
    #[error("identity record damaged")]
    Damaged,
    /// There is a record already.
    #[error("identity already initialised")]
    AlreadyInitialised,
    /// The record read back is not the one saved.
    #[error("identity record not kept by storage")]
    NotSaved,
    /// Another rotation waits to be finished or cancelled.
    #[error("a rotation is going on")]
    Busy,
    /// This step comes after another one, which was not done.
    #[error("step of a rotation out of order")]
    OutOfOrder,
    /// The new key does not sign, or what it signs does not verify.
    #[error("new key failed its test")]
    SelfTest,
    /// The proof is from another rotation.
    #[error("proof is from another rotation")]
    Stale,
    /// 2^32 rotations.
    #[error("rotations exhausted")]
    Exhausted,
    /// The request could not be written, or the certificate was refused.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The storage failed, with its own number.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl ErrorCode for RotationError {
    fn code(&self) -> u16 {
        match self {
            Self::Missing => 1511,
            Self::Damaged => 1512,
            Self::AlreadyInitialised => 1513,
            Self::NotSaved => 1514,
            Self::Busy => 1515,
            Self::OutOfOrder => 1516,
            Self::SelfTest => 1517,
            Self::Stale => 1518,
            Self::Exhausted => 1519,
            Self::Identity(error) => error.code(),
            Self::Storage(error) => error.code(),
        }
    }

    fn fault(&self) -> Fault {
        match self {
            Self::Missing | Self::Damaged | Self::NotSaved | Self::SelfTest | Self::Exhausted => {
                Fault::Device
            }
            Self::AlreadyInitialised | Self::Busy | Self::OutOfOrder | Self::Stale => Fault::Misuse,
            Self::Identity(error) => error.fault(),
            Self::Storage(error) => error.fault(),
        }
    }
}
