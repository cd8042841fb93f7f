//! Where a set-up can stand, and what helps.

/// A part of the set-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Somebody shows to have the label.
    Pairing,
    /// The network is given, and joined.
    Network,
    /// The time is known.
    Time,
    /// Updates were looked for.
    Update,
    /// The service has accepted the device.
    Identity,
    /// The owner has chosen a password.
    Owner,
}

/// Who has to do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Actor {
    /// The one who sets the device up.
    Owner,
    /// The device, by itself.
    Device,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[allow(missing_docs, reason = "each says what it is: `text`")]
pub enum Action {
    PressButton,
    EnterCode,
    Wait,
    Repair,
    GiveNetwork,
    JoinNetwork,
    LearnTime,
    CheckUpdates,
    FinishUpdate,
    Authenticate,
    AskMaker,
    ChoosePassword,
    Nothing,
}

/// Why a set-up stands where it stands.
///
/// ```
/// use iotsec::setup::{Action, Actor, Reason, Step};
///
/// let reason = Reason::NetworkRefused;
/// assert_eq!((reason.number(), reason.id(), reason.step()), (22, "network-refused", Step::Network));
/// assert_eq!(reason.action(), Action::GiveNetwork);
/// assert_eq!(reason.action().actor(), Actor::Owner);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[allow(missing_docs, reason = "each says what it is: `text`")]
pub enum Reason {
    WindowClosed,
    CodeMissing,
    CodeRefused,
    CodeTooSoon,
    CodeLocked,
    CodeUncounted,
    NetworkMissing,
    NetworkGiven,
    NetworkRefused,
    NetworkAbsent,
    NetworkLost,
    TimeUnknown,
    TimeBehind,
    UpdatesUnchecked,
    UpdateRunning,
    UpdateUnreachable,
    UpdateRefused,
    IdentityUnproved,
    IdentityRefused,
    IdentityUnreachable,
    PasswordMissing,
    Finished,
}

impl Step {
    /// All of them, in their order.
    pub const ALL: [Self; 6] = [
        Self::Pairing,
        Self::Network,
        Self::Time,
        Self::Update,
        Self::Identity,
        Self::Owner,
    ];

    /// Its name in documents.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Pairing => "pairing",
            Self::Network => "network",
            Self::Time => "time",
            Self::Update => "update",
            Self::Identity => "identity",
            Self::Owner => "owner",
        }
    }

    /// Whether the owner decides something in it.
    pub const fn is_decision(self) -> bool {
        matches!(self, Self::Pairing | Self::Network | Self::Owner)
    }

    /// The provision of EN 303 645 that it serves.
    pub const fn provision(self) -> &'static str {
        match self {
            Self::Pairing => "5.1-3",
            Self::Network => "5.12-1",
            Self::Time => "5.5-1",
            Self::Update => "5.3-5",
            Self::Identity => "5.5-5",
            Self::Owner => "5.1-1",
        }
    }

    pub(super) const fn bit(self) -> u8 {
        match self {
            Self::Pairing => 1,
            Self::Network => 2,
            Self::Time => 4,
            Self::Update => 8,
            Self::Identity => 16,
            Self::Owner => 32,
        }
    }
}

impl Actor {
    /// Its name in documents.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Device => "device",
        }
    }
}

impl Action {
    /// Its name in documents, and for translations.
    pub const fn id(self) -> &'static str {
        self.row().0
    }

    /// Who has to do it.
    pub const fn actor(self) -> Actor {
        self.row().1
    }

    /// What to do, in English.
    pub const fn text(self) -> &'static str {
        self.row().2
    }

    // Into each of its callers: what they do not ask for, the sentences above all, is not linked then.
    #[inline(always)]
    const fn row(self) -> (&'static str, Actor, &'static str) {
        use Actor::{Device, Owner};
        match self {
            Self::PressButton => (
                "press-button",
                Owner,
                "Press the button of the device, then scan the code on its label.",
            ),
            Self::EnterCode => ("enter-code", Owner, "Scan the code on the label, or type it."),
            Self::Wait => ("wait", Owner, "Wait a moment, then try again."),
            Self::Repair => ("repair", Owner, "Have the device repaired."),
            Self::GiveNetwork => ("give-network", Owner, "Choose the network and type its password."),
            Self::JoinNetwork => ("join-network", Device, "It joins the network."),
            Self::LearnTime => ("learn-time", Device, "It asks for the time."),
            Self::CheckUpdates => ("check-updates", Device, "It looks for updates."),
            Self::FinishUpdate => (
                "finish-update",
                Device,
                "It installs the update and starts again.",
            ),
            Self::Authenticate => ("authenticate", Device, "It reports to its service."),
            Self::AskMaker => ("ask-maker", Owner, "Ask the maker of the device."),
            Self::ChoosePassword => ("choose-password", Owner, "Choose a password of your own."),
            Self::Nothing => ("nothing", Device, "There is nothing left to do."),
        }
    }
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 22] = [
        Self::WindowClosed,
        Self::CodeMissing,
        Self::CodeRefused,
        Self::CodeTooSoon,
        Self::CodeLocked,
        Self::CodeUncounted,
        Self::NetworkMissing,
        Self::NetworkGiven,
        Self::NetworkRefused,
        Self::NetworkAbsent,
        Self::NetworkLost,
        Self::TimeUnknown,
        Self::TimeBehind,
        Self::UpdatesUnchecked,
        Self::UpdateRunning,
        Self::UpdateUnreachable,
        Self::UpdateRefused,
        Self::IdentityUnproved,
        Self::IdentityRefused,
        Self::IdentityUnreachable,
        Self::PasswordMissing,
        Self::Finished,
    ];

    /// Its number, which no other reason ever gets. The tens are the step's.
    pub const fn number(self) -> u8 {
        self.row().0
    }

    /// The step that is not done.
    pub const fn step(self) -> Step {
        self.row().1
    }

    /// Its name in documents, and for translations.
    pub const fn id(self) -> &'static str {
        self.row().2
    }

    /// What it is, in one English sentence.
    pub const fn text(self) -> &'static str {
        self.row().3
    }

    /// What helps.
    pub const fn action(self) -> Action {
        self.row().4
    }

    // Into each of its callers: what they do not ask for, the sentences above all, is not linked then.
    #[inline(always)]
    const fn row(self) -> (u8, Step, &'static str, &'static str, Action) {
        use Step::{Identity, Network, Owner, Pairing, Time, Update};
        match self {
            Self::WindowClosed => (
                10,
                Pairing,
                "window-closed",
                "Nobody can pair with the device now.",
                Action::PressButton,
            ),
            Self::CodeMissing => (
                11,
                Pairing,
                "code-missing",
                "The device waits for the code on its label.",
                Action::EnterCode,
            ),
            Self::CodeRefused => (
                12,
                Pairing,
                "code-refused",
                "A code was entered that is not the one on the label.",
                Action::EnterCode,
            ),
            Self::CodeTooSoon => (
                13,
                Pairing,
                "code-too-soon",
                "After several wrong codes the device takes none for a while.",
                Action::Wait,
            ),
            Self::CodeLocked => (
                14,
                Pairing,
                "code-locked",
                "So many wrong codes were entered that none is taken any more.",
                Action::PressButton,
            ),
            Self::CodeUncounted => (
                15,
                Pairing,
                "code-uncounted",
                "Codes can no longer be counted, so none is taken.",
                Action::Repair,
            ),
            Self::NetworkMissing => (
                20,
                Network,
                "network-missing",
                "The device does not know which network to join.",
                Action::GiveNetwork,
            ),
            Self::NetworkGiven => (
                21,
                Network,
                "network-given",
                "The device has not joined its network yet.",
                Action::JoinNetwork,
            ),
            Self::NetworkRefused => (
                22,
                Network,
                "network-refused",
                "The network did not take the password.",
                Action::GiveNetwork,
            ),
            Self::NetworkAbsent => (
                23,
                Network,
                "network-absent",
                "The network is not there, or too far away.",
                Action::GiveNetwork,
            ),
            Self::NetworkLost => (
                24,
                Network,
                "network-lost",
                "The connection to the network was lost.",
                Action::JoinNetwork,
            ),
            Self::TimeUnknown => (
                30,
                Time,
                "time-unknown",
                "The device does not know the time.",
                Action::LearnTime,
            ),
            Self::TimeBehind => (
                31,
                Time,
                "time-behind",
                "The device was told a time that cannot be right.",
                Action::LearnTime,
            ),
            Self::UpdatesUnchecked => (
                40,
                Update,
                "updates-unchecked",
                "The device has not looked for updates yet.",
                Action::CheckUpdates,
            ),
            Self::UpdateRunning => (
                41,
                Update,
                "update-running",
                "An update is being installed.",
                Action::FinishUpdate,
            ),
            Self::UpdateUnreachable => (
                42,
                Update,
                "update-unreachable",
                "Nobody answered when the device looked for updates.",
                Action::CheckUpdates,
            ),
            Self::UpdateRefused => (
                43,
                Update,
                "update-refused",
                "The update that was offered is not what the maker signed.",
                Action::CheckUpdates,
            ),
            Self::IdentityUnproved => (
                50,
                Identity,
                "identity-unproved",
                "The service does not know the device yet.",
                Action::Authenticate,
            ),
            Self::IdentityRefused => (
                51,
                Identity,
                "identity-refused",
                "The service does not accept the device.",
                Action::AskMaker,
            ),
            Self::IdentityUnreachable => (
                52,
                Identity,
                "identity-unreachable",
                "The service did not answer.",
                Action::Authenticate,
            ),
            Self::PasswordMissing => (
                60,
                Owner,
                "password-missing",
                "The password is still the one on the label.",
                Action::ChoosePassword,
            ),
            Self::Finished => (70, Owner, "finished", "The device is set up.", Action::Nothing),
        }
    }
}
