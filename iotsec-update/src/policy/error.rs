use iotsec_core::error::{ErrorCode, Fault};

/// Why the planner refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// Times of zero, or a battery level above 100 percent.
    #[error("update policy makes no sense")]
    Policy,
    /// Nothing of the kind was asked for.
    #[error("not asked for")]
    State,
    /// Longer than the policy allows in all.
    #[error("postponed for too long")]
    Postponement,
    /// The uptime ran backwards.
    #[error("uptime runs backwards")]
    Clock,
    /// The source of random numbers failed.
    #[error("no random numbers")]
    Random,
    /// The stored record of choices is not one.
    #[error("record of choices malformed")]
    Record,
}

impl ErrorCode for PolicyError {
    fn code(&self) -> u16 {
        match self {
            Self::Policy => 2401,
            Self::State => 2402,
            Self::Postponement => 2403,
            Self::Clock => 2404,
            Self::Random => 2405,
            Self::Record => 2406,
        }
    }

    fn fault(&self) -> Fault {
        match self {
            Self::Policy | Self::State => Fault::Misuse,
            Self::Postponement | Self::Record => Fault::Input,
            Self::Clock | Self::Random => Fault::Device,
        }
    }
}
