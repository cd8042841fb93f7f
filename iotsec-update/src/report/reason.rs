/// The coarse reasons that servers of all makers understand (draft-ietf-suit-report-19 §4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// No failure.
    Ok,
    /// The encoding is at fault.
    CborParse,
    /// A COSE structure or header is not supported.
    CoseUnsupported,
    /// An algorithm is not supported.
    AlgorithmUnsupported,
    /// Not signed by those who may.
    Unauthorised,
    /// A command is not supported.
    CommandUnsupported,
    /// A component that the device does not have.
    ComponentUnsupported,
    /// A component that the signer may not update.
    ComponentUnauthorised,
    /// A parameter is not supported.
    ParameterUnsupported,
    /// A severed element is absent or not supported.
    SeveringUnsupported,
    /// A condition does not hold.
    ConditionFailed,
    /// A command failed: download, flash, digest of the payload.
    OperationFailed,
    /// Installed, and to be started.
    InvokePending,
}

impl Reason {
    /// The reason behind an error number.
    pub const fn of(code: u16) -> Self {
        match code {
            0 => Self::Ok,
            1000..1100 | 2060 => Self::CborParse,
            1100..1200 | 2026 => Self::CoseUnsupported,
            2025 => Self::AlgorithmUnsupported,
            1200..1300 | 2020..=2024 | 2200..2300 => Self::Unauthorised,
            2061 | 2063..=2066 => Self::CommandUnsupported,
            2044 => Self::ComponentUnsupported,
            2062 | 2070 | 2090 => Self::ParameterUnsupported,
            2047..=2050 => Self::SeveringUnsupported,
            2040..=2099 | 2600..2700 => Self::ConditionFailed,
            _ => Self::OperationFailed,
        }
    }

    pub(super) const fn number(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::CborParse => 1,
            Self::CoseUnsupported => 2,
            Self::AlgorithmUnsupported => 3,
            Self::Unauthorised => 4,
            Self::CommandUnsupported => 5,
            Self::ComponentUnsupported => 6,
            Self::ComponentUnauthorised => 7,
            Self::ParameterUnsupported => 8,
            Self::SeveringUnsupported => 9,
            Self::ConditionFailed => 10,
            Self::OperationFailed => 11,
            Self::InvokePending => 12,
        }
    }

    pub(super) const fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            0 => Self::Ok,
            1 => Self::CborParse,
            2 => Self::CoseUnsupported,
            3 => Self::AlgorithmUnsupported,
            4 => Self::Unauthorised,
            5 => Self::CommandUnsupported,
            6 => Self::ComponentUnsupported,
            7 => Self::ComponentUnauthorised,
            8 => Self::ParameterUnsupported,
            9 => Self::SeveringUnsupported,
            10 => Self::ConditionFailed,
            11 => Self::OperationFailed,
            12 => Self::InvokePending,
            _ => return None,
        })
    }
}
