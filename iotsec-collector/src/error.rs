//! Why something was refused. Numbers are 8xxx: those of devices end at 7xxx.

use iotsec_core::{
    cbor::CborError,
    error::{ErrorCode, Fault},
};
use iotsec_telemetry::error::{DecodeError, EpsilonError, RegistryError};

/// A description of a registry was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum DescriptionError {
    /// The encoding is at fault.
    #[error(transparent)]
    Encoding(#[from] CborError),
    /// A declaration breaks a rule of registries.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// An epsilon outside its bounds.
    #[error(transparent)]
    Epsilon(#[from] EpsilonError),
    /// A format version that is not known.
    #[error("format version unknown")]
    Version,
    /// A kind of field, class, purpose or aggregate that is not known.
    #[error("kind unknown")]
    Kind,
    /// A day that the calendar does not have, or another time than its start.
    #[error("not the start of a day")]
    Date,
    /// It says what a registry says, in other bytes: its hash would be another one.
    #[error("not the canonical encoding")]
    NotCanonical,
    /// Not JSON, a name that stands twice, or another form than descriptions have.
    #[error("not a description in JSON")]
    Json,
    /// More registries than a collector keeps.
    #[error("too many registries")]
    TooMany,
}

impl ErrorCode for DescriptionError {
    fn code(&self) -> u16 {
        match self {
            Self::Encoding(error) => error.code(),
            Self::Registry(error) => error.code(),
            Self::Epsilon(error) => error.code(),
            Self::Version => 8001,
            Self::Kind => 8002,
            Self::Date => 8003,
            Self::NotCanonical => 8004,
            Self::Json => 8005,
            Self::TooMany => 8006,
        }
    }
    fn fault(&self) -> Fault {
        match self {
            Self::TooMany => Fault::Misuse,
            _ => Fault::Input,
        }
    }
}

/// A message was refused. Nothing of it was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum CollectError {
    /// The batch is not authentic, or not as a device writes it.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// There is no key of such a device.
    #[error("device unknown")]
    UnknownDevice,
    /// It was made against a registry that this collector does not know.
    #[error("registry unknown")]
    UnknownRegistry,
    /// More devices than this collector keeps: divide them among several.
    #[error("too many devices")]
    TooManyDevices,
    /// It is sealed to a public key whose private half this collector does not have.
    #[error("key of the service unknown")]
    UnknownServiceKey,
    /// A key of the service is not on the curve of its suite.
    #[error("key on another curve than the suite")]
    Suite,
    /// Two keys of the service have one name.
    #[error("key name taken")]
    KeyRepeated,
}

impl ErrorCode for CollectError {
    fn code(&self) -> u16 {
        match self {
            Self::Decode(error) => error.code(),
            Self::UnknownDevice => 8101,
            Self::UnknownRegistry => 8102,
            Self::TooManyDevices => 8103,
            Self::UnknownServiceKey => 8104,
            Self::Suite => 8105,
            Self::KeyRepeated => 8106,
        }
    }
    fn fault(&self) -> Fault {
        match self {
            Self::Decode(error) => error.fault(),
            Self::TooManyDevices | Self::Suite | Self::KeyRepeated => Fault::Misuse,
            _ => Fault::Input,
        }
    }
}

/// The memory of an earlier run was refused. The collector knows no device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// The encoding is at fault.
    #[error(transparent)]
    Encoding(#[from] CborError),
    /// A format version that is not known.
    #[error("format version unknown")]
    Version,
    /// Other bytes than were exported.
    #[error("memory damaged")]
    Damaged,
    /// Devices, boots or ranges out of order, or something behind them.
    #[error("memory out of order")]
    Order,
    /// More than this collector keeps.
    #[error("memory beyond the limits of this collector")]
    TooLarge,
    /// Something was received already.
    #[error("collector in use already")]
    InUse,
}

impl ErrorCode for StateError {
    fn code(&self) -> u16 {
        match self {
            Self::Encoding(error) => error.code(),
            Self::Version => 8401,
            Self::Damaged => 8402,
            Self::Order => 8403,
            Self::TooLarge => 8404,
            Self::InUse => 8405,
        }
    }
    fn fault(&self) -> Fault {
        match self {
            Self::TooLarge | Self::InUse => Fault::Misuse,
            _ => Fault::Input,
        }
    }
}

/// A report was not counted, or there is no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum TallyError {
    /// A minimum that protects nobody.
    #[error("minimum too small")]
    Minimum,
    /// It is of another metric or registry.
    #[error("report of another metric")]
    OtherMetric,
    /// It has come before.
    #[error("report repeated")]
    Repeated,
    /// As many reports have come as can be told apart.
    #[error("too many reports to tell apart")]
    Full,
    /// Fewer reports than the minimum.
    #[error("too few reports")]
    TooFew,
    /// A sum beyond 64 bits, or an answer that the metric does not have.
    #[error("sum out of range")]
    Overflow,
}

impl ErrorCode for TallyError {
    fn code(&self) -> u16 {
        match self {
            Self::Minimum => 8201,
            Self::OtherMetric => 8202,
            Self::Repeated => 8203,
            Self::Full => 8204,
            Self::TooFew => 8205,
            Self::Overflow => 8206,
        }
    }
    fn fault(&self) -> Fault {
        match self {
            Self::Minimum | Self::Full => Fault::Misuse,
            _ => Fault::Input,
        }
    }
}

/// A report in shares was not added, or there is no result.
#[cfg(feature = "prio")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum AggregationError {
    /// The metric is not one that is split into shares.
    #[error("not a metric in shares")]
    Metric,
    /// A minimum that protects nobody.
    #[error("minimum too small")]
    Minimum,
    /// It has come before.
    #[error("report repeated")]
    Repeated,
    /// The shares do not decode, do not belong together, or are of a value that the metric does not have.
    #[error("shares invalid")]
    Invalid,
    /// Fewer reports than the minimum.
    #[error("too few reports")]
    TooFew,
}

#[cfg(feature = "prio")]
impl ErrorCode for AggregationError {
    fn code(&self) -> u16 {
        match self {
            Self::Metric => 8301,
            Self::Minimum => 8302,
            Self::Repeated => 8303,
            Self::Invalid => 8304,
            Self::TooFew => 8305,
        }
    }
    fn fault(&self) -> Fault {
        match self {
            Self::Metric | Self::Minimum => Fault::Misuse,
            _ => Fault::Input,
        }
    }
}
