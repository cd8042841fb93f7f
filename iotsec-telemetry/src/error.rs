//! Why something was refused.

use iotsec_core::{
    cbor::CborError,
    cose::CoseError,
    crypto::CryptoError,
    error::{ErrorCode, Fault},
};

#[cfg(feature = "dap")]
pub use crate::dap::error::DapError;
pub use crate::deletion::error::DeletionError;
#[cfg(feature = "prio3")]
pub use crate::prio3::error::Prio3Error;
pub use crate::privacy::{DrawError, EpsilonError, LedgerError, MetricError, NoiseError, ReportError};
pub use crate::pseudonym::error::{SealError, TrailError};
pub use crate::spool::error::SpoolError;

/// A declaration breaks a rule of the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// No event, too many events, or too many fields.
    #[error("{}", self.message())]
    Count,
    /// Ids do not ascend.
    #[error("{}", self.message())]
    Order,
    /// A name, unit or label is empty or too long.
    #[error("{}", self.message())]
    Name,
    /// The reason is empty or too long.
    #[error("{}", self.message())]
    Why,
    /// Bounds are reversed, or labels or edges are missing, too many or not ascending.
    #[error("{}", self.message())]
    Bounds,
    /// The bounds of an event's fields multiply to more than 64 bits.
    #[error("{}", self.message())]
    TooWide,
    /// Half a statement of handling, a last day that the calendar does not have, or a metric that is split into shares
    /// and leaves its last day to the registry.
    #[error("{}", self.message())]
    Handling,
}

impl RegistryError {
    /// The text, for a message while compiling.
    pub const fn message(self) -> &'static str {
        match self {
            Self::Count => {
                "a registry has up to 4096 events of up to 8 fields and 256 metrics, and one at least"
            }
            Self::Order => "event ids must ascend",
            Self::Name => "a name, unit or label has 1 to 48 bytes",
            Self::Why => "a reason has 1 to 200 bytes",
            Self::Bounds => "bounds, labels or edges are malformed",
            Self::TooWide => "the bounds of an event's fields multiply to more than 64 bits",
            Self::Handling => "handling needs an owner, a recipient, days, and a last day that exists",
        }
    }
}

impl ErrorCode for RegistryError {
    fn code(&self) -> u16 {
        match self {
            Self::Count => 4001,
            Self::Order => 4002,
            Self::Name => 4003,
            Self::Why => 4004,
            Self::Bounds => 4005,
            Self::TooWide => 4006,
            Self::Handling => 4007,
        }
    }
    fn fault(&self) -> Fault {
        Fault::Misuse
    }
}

/// An event was not recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The registry has no such event.
    #[error("event not declared")]
    Undeclared,
    /// Not one value for each field.
    #[error("wrong number of values")]
    Arity,
    /// A value is of another kind than its field, or from other buckets.
    #[error("value of the wrong kind")]
    Kind,
    /// A value is outside its declared bounds.
    #[error("value out of bounds")]
    OutOfBounds,
    /// A personal value was collected for another purpose than the event's.
    #[error("value collected for another purpose")]
    Purpose,
    /// The owner has not consented to the event's purpose. Nothing was kept or counted.
    #[error("no consent to this purpose")]
    NotConsented,
    /// The queue is full of events that this one may not displace. It was counted as lost.
    #[error("queue full")]
    Full,
    /// The sequence numbers of this boot are used up. It was counted as lost.
    #[error("sequence numbers used up")]
    Exhausted,
    /// The last day on which this event is collected is over. Nothing was kept or counted.
    #[error("not collected any longer")]
    Expired,
}

impl ErrorCode for RecordError {
    fn code(&self) -> u16 {
        match self {
            Self::Undeclared => 4101,
            Self::Arity => 4102,
            Self::Kind => 4103,
            Self::OutOfBounds => 4104,
            Self::Purpose => 4105,
            Self::NotConsented => 4106,
            Self::Full => 4107,
            Self::Exhausted => 4108,
            Self::Expired => 4109,
        }
    }
    fn fault(&self) -> Fault {
        match self {
            Self::Full | Self::Exhausted => Fault::Device,
            _ => Fault::Misuse,
        }
    }
}

/// An answer of the owner was not stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ConsentError {
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl ErrorCode for ConsentError {
    fn code(&self) -> u16 {
        match self {
            Self::Storage(error) => error.code(),
        }
    }
    fn fault(&self) -> Fault {
        match self {
            Self::Storage(error) => error.fault(),
        }
    }
}

/// A storage behind one of this crate's traits failed, with that storage's own number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("storage failed with error {code}")]
pub struct StorageError {
    code: u16,
    fault: Fault,
}

impl StorageError {
    pub(crate) const fn from_parts(code: u16, fault: Fault) -> Self {
        Self { code, fault }
    }
}

impl ErrorCode for StorageError {
    fn code(&self) -> u16 {
        self.code
    }
    fn fault(&self) -> Fault {
        self.fault
    }
}

/// A batch could not be made. Everything stays in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum BatchError {
    /// The message could not be written.
    #[error(transparent)]
    Cose(#[from] CoseError),
    /// The cryptography or the entropy source failed.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
    /// Sealing to a service's public key failed.
    #[cfg(feature = "hpke")]
    #[error(transparent)]
    Hpke(#[from] iotsec_core::crypto::hpke::HpkeError),
    /// `scratch` or `out` is shorter than the largest size allowed.
    #[error("buffer too small for the largest batch")]
    Buffer,
    /// The receipt is not that of the last batch. What it was for is sent again.
    #[error("receipt of an older batch")]
    StaleReceipt,
    /// Under a pseudonym the boot number must leave room to be shifted: below 2³¹.
    #[error("boot number too high for a pseudonym")]
    Boot,
}

impl ErrorCode for BatchError {
    fn code(&self) -> u16 {
        match self {
            Self::Cose(error) => error.code(),
            Self::Crypto(error) => error.code(),
            #[cfg(feature = "hpke")]
            Self::Hpke(error) => error.code(),
            Self::Buffer => 4301,
            Self::StaleReceipt => 4302,
            Self::Boot => 4303,
        }
    }
    fn fault(&self) -> Fault {
        match self {
            Self::Cose(error) => error.fault(),
            Self::Crypto(error) => error.fault(),
            #[cfg(feature = "hpke")]
            Self::Hpke(error) => error.fault(),
            Self::Buffer | Self::StaleReceipt | Self::Boot => Fault::Misuse,
        }
    }
}

/// A received batch was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// Not a COSE_Encrypt0, or not sealed under this key.
    #[error(transparent)]
    Cose(#[from] CoseError),
    /// The encoding inside is at fault.
    #[error(transparent)]
    Encoding(#[from] CborError),
    /// The key could not be derived.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
    /// Not sealed to this key of the service.
    #[cfg(feature = "hpke")]
    #[error(transparent)]
    Hpke(#[from] iotsec_core::crypto::hpke::HpkeError),
    /// Sealed to a key of another name.
    #[cfg(feature = "hpke")]
    #[error("sealed to another key")]
    Recipient,
    /// The message does not have the length of a size class.
    #[error("not the length of a size class")]
    SizeClass,
    /// Salt or nonce missing or of another length.
    #[error("salt missing")]
    Salt,
    /// A format version that is not known.
    #[error("format version unknown")]
    Version,
    /// Made against another registry.
    #[error("registry unknown")]
    UnknownRegistry,
    /// A number that no declared event has.
    #[error("event not declared, or out of bounds")]
    Undeclared,
    /// Sequence numbers or times run over.
    #[error("sequence or time out of range")]
    Range,
    /// The padding is not all zeros.
    #[error("padding is not zero")]
    Padding,
    /// The output buffer is shorter than the message.
    #[error("output buffer too small")]
    Buffer,
    /// An event for another purpose than the batch.
    #[error("event for another purpose")]
    Purpose,
}

impl ErrorCode for DecodeError {
    fn code(&self) -> u16 {
        match self {
            Self::Cose(error) => error.code(),
            Self::Encoding(error) => error.code(),
            Self::Crypto(error) => error.code(),
            #[cfg(feature = "hpke")]
            Self::Hpke(error) => error.code(),
            #[cfg(feature = "hpke")]
            Self::Recipient => 4751,
            Self::SizeClass => 4401,
            Self::Salt => 4402,
            Self::Version => 4403,
            Self::UnknownRegistry => 4404,
            Self::Undeclared => 4405,
            Self::Range => 4406,
            Self::Padding => 4407,
            Self::Buffer => 4408,
            Self::Purpose => 4409,
        }
    }
    fn fault(&self) -> Fault {
        match self {
            Self::Cose(error) => error.fault(),
            Self::Encoding(error) => error.fault(),
            Self::Crypto(error) => error.fault(),
            #[cfg(feature = "hpke")]
            Self::Hpke(error) => error.fault(),
            Self::Buffer => Fault::Misuse,
            _ => Fault::Input,
        }
    }
}

/// A snapshot of the queue could not be written or taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// The content is at fault. The queue is as it was.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The output buffer is too small.
    #[error("output buffer too small")]
    Buffer,
    /// The queue has recorded events already; take the snapshot back first.
    #[error("queue in use already")]
    InUse,
    /// The snapshot is of this boot or a later one, so sequence numbers would repeat.
    #[error("boot number not newer than the snapshot's")]
    Boot,
}

impl ErrorCode for SnapshotError {
    fn code(&self) -> u16 {
        match self {
            Self::Decode(error) => error.code(),
            Self::Buffer => 4501,
            Self::InUse => 4502,
            Self::Boot => 4503,
        }
    }
    fn fault(&self) -> Fault {
        match self {
            Self::Decode(error) => error.fault(),
            Self::Boot => Fault::Device,
            Self::Buffer | Self::InUse => Fault::Misuse,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_error_has_a_number_of_its_own() {
        let own: [&dyn ErrorCode; 30] = [
            &RegistryError::Count,
            &RegistryError::Order,
            &RegistryError::Name,
            &RegistryError::Why,
            &RegistryError::Bounds,
            &RegistryError::TooWide,
            &RecordError::Undeclared,
            &RecordError::Arity,
            &RecordError::Kind,
            &RecordError::OutOfBounds,
            &RecordError::Purpose,
            &RecordError::NotConsented,
            &RecordError::Full,
            &RecordError::Exhausted,
            &StorageError::unspecified(),
            &BatchError::Buffer,
            &BatchError::StaleReceipt,
            &BatchError::Boot,
            &DecodeError::SizeClass,
            &DecodeError::Salt,
            &DecodeError::Version,
            &DecodeError::UnknownRegistry,
            &DecodeError::Undeclared,
            &DecodeError::Range,
            &DecodeError::Padding,
            &DecodeError::Buffer,
            &DecodeError::Purpose,
            &SnapshotError::Buffer,
            &SnapshotError::InUse,
            &SnapshotError::Boot,
        ];
        let numbers: BTreeSet<u16> = own.iter().map(|error| error.code()).collect();
        assert_eq!(numbers.len(), own.len());
        assert!(numbers.iter().all(|number| (4000..5000).contains(number)));
    }
}
