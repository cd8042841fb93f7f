use super::Reason;

/// What came of joining the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NetworkReport {
    /// It is joined.
    Joined,
    /// It did not take the password.
    Refused,
    /// It is not there, or too far away.
    Absent,
    /// It was joined and is not any more.
    Lost,
}

/// What came of looking for updates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UpdateReport {
    /// What runs is the newest there is, according to a source that was authenticated.
    Current,
    /// There is a newer one, which is being installed. The device will restart.
    Installing,
    /// Nobody answered.
    Unreachable,
    /// What was offered is not what the maker signed for this device.
    Refused,
}

/// What came of authenticating to the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IdentityReport {
    /// The service, itself authenticated, answered to something that only an authenticated device may ask.
    Accepted,
    /// It does not know this device, or no longer.
    Refused,
    /// Nobody answered, or somebody who could not be authenticated.
    Unreachable,
}

impl NetworkReport {
    pub(super) const fn trouble(self) -> Option<Reason> {
        match self {
            Self::Joined => None,
            Self::Refused => Some(Reason::NetworkRefused),
            Self::Absent => Some(Reason::NetworkAbsent),
            Self::Lost => Some(Reason::NetworkLost),
        }
    }
}

impl UpdateReport {
    pub(super) const fn trouble(self) -> Option<Reason> {
        match self {
            Self::Current => None,
            Self::Installing => Some(Reason::UpdateRunning),
            Self::Unreachable => Some(Reason::UpdateUnreachable),
            Self::Refused => Some(Reason::UpdateRefused),
        }
    }
}

impl IdentityReport {
    pub(super) const fn trouble(self) -> Option<Reason> {
        match self {
            Self::Accepted => None,
            Self::Refused => Some(Reason::IdentityRefused),
            Self::Unreachable => Some(Reason::IdentityUnreachable),
        }
    }
}
