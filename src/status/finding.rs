//! What may be found, what it means and what helps.

use crate::guideline::Guideline;

/// What is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Check {
    /// Whose password it is.
    Password,
    /// Whether somebody guesses.
    Guesses,
    /// Whether an earlier copy of the flash would be taken for the present one.
    Replay,
    /// Whether the software that runs is what was signed.
    Software,
    /// Whether updates come in.
    Updates,
    /// Whether there still are any.
    Support,
    /// Whether all places of personal data are known.
    PersonalData,
    /// Whether it listens where its interface table does not say so.
    Services,
    /// Whether its debug port is closed.
    DebugPort,
}

/// How serious it is. Later ones are worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// As it should be.
    Pass,
    /// Secure, and could be better.
    Warn,
    /// Something must be done.
    Fail,
}

/// What a check ended in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[allow(missing_docs, reason = "each says what it is: `text`")]
pub enum Finding {
    PasswordChosen,
    PasswordPreset,
    GuessesFew,
    GuessesMany,
    GuessesLocked,
    GuessesUncounted,
    ReplayRefused,
    ReplayUnnoticed,
    SoftwareIntact,
    SoftwareUnmeasured,
    SoftwareChanged,
    UpdatesAutomatic,
    UpdatesAsked,
    UpdateWaiting,
    UpdateDeclined,
    UpdateUrgent,
    UpdatesUnwatched,
    SupportRuns,
    SupportUnknown,
    SupportUnpublished,
    SupportEnded,
    PersonalDataListed,
    PersonalDataUnlisted,
    ServicesDeclared,
    ServicesUnknown,
    ServicesOpen,
    DebugClosed,
    DebugLocked,
    DebugUnknown,
    DebugOpen,
}

impl Check {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Password,
        Self::Guesses,
        Self::Replay,
        Self::Software,
        Self::Updates,
        Self::Support,
        Self::PersonalData,
        Self::Services,
        Self::DebugPort,
    ];

    /// Its name in documents.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Guesses => "guesses",
            Self::Replay => "replay",
            Self::Software => "software",
            Self::Updates => "updates",
            Self::Support => "support",
            Self::PersonalData => "personal-data",
            Self::Services => "services",
            Self::DebugPort => "debug-port",
        }
    }

    /// The guideline that it belongs to.
    pub const fn guideline(self) -> Guideline {
        match self {
            Self::Password | Self::Guesses => Guideline::NoDefaultPasswords,
            Self::Replay => Guideline::SecureStorage,
            Self::Software => Guideline::SoftwareIntegrity,
            Self::Updates | Self::Support => Guideline::KeepUpdated,
            Self::PersonalData => Guideline::EasyDeletion,
            Self::Services | Self::DebugPort => Guideline::MinimalSurface,
        }
    }

    /// The provision of EN 303 645.
    pub const fn provision(self) -> &'static str {
        match self {
            Self::Password => "5.1-1",
            Self::Guesses => "5.1-5",
            Self::Replay => "5.4-1",
            Self::Software => "5.7-2",
            Self::Updates => "5.3-5",
            Self::Support => "5.3-13",
            Self::PersonalData => "5.11-1",
            Self::Services => "5.6-1",
            Self::DebugPort => "5.6-4A",
        }
    }
}

impl Verdict {
    /// Its name in documents.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

impl Finding {
    /// All of them.
    pub const ALL: [Self; 30] = [
        Self::PasswordChosen,
        Self::PasswordPreset,
        Self::GuessesFew,
        Self::GuessesMany,
        Self::GuessesLocked,
        Self::GuessesUncounted,
        Self::ReplayRefused,
        Self::ReplayUnnoticed,
        Self::SoftwareIntact,
        Self::SoftwareUnmeasured,
        Self::SoftwareChanged,
        Self::UpdatesAutomatic,
        Self::UpdatesAsked,
        Self::UpdateWaiting,
        Self::UpdateDeclined,
        Self::UpdateUrgent,
        Self::UpdatesUnwatched,
        Self::SupportRuns,
        Self::SupportUnknown,
        Self::SupportUnpublished,
        Self::SupportEnded,
        Self::PersonalDataListed,
        Self::PersonalDataUnlisted,
        Self::ServicesDeclared,
        Self::ServicesUnknown,
        Self::ServicesOpen,
        Self::DebugClosed,
        Self::DebugLocked,
        Self::DebugUnknown,
        Self::DebugOpen,
    ];

    /// The check that ended in this.
    pub const fn check(self) -> Check {
        self.row().0
    }

    /// Its name in documents, and for translations.
    pub const fn id(self) -> &'static str {
        self.row().1
    }

    /// What it is, in one English sentence.
    pub const fn text(self) -> &'static str {
        self.row().2
    }

    /// What helps; nothing where nothing has to.
    pub const fn remedy(self) -> Option<&'static str> {
        match self.row().3 {
            Outcome::Pass => None,
            Outcome::Warn(remedy) | Outcome::Fail(remedy) => Some(remedy),
        }
    }

    /// How serious it is.
    pub const fn verdict(self) -> Verdict {
        match self.row().3 {
            Outcome::Pass => Verdict::Pass,
            Outcome::Warn(_) => Verdict::Warn,
            Outcome::Fail(_) => Verdict::Fail,
        }
    }

    // Into each of its callers: what they do not ask for, the sentences above all, is not linked then.
    #[inline(always)]
    const fn row(self) -> (Check, &'static str, &'static str, Outcome) {
        use Outcome::{Fail, Pass, Warn};
        match self {
            Self::PasswordChosen => (
                Check::Password,
                "password-chosen",
                "The password was chosen by the owner.",
                Pass,
            ),
            Self::PasswordPreset => (
                Check::Password,
                "password-preset",
                "The password is still the one on the label.",
                Warn("Choose a password of your own."),
            ),
            Self::GuessesFew => (
                Check::Guesses,
                "guesses-few",
                "Nobody is guessing the password.",
                Pass,
            ),
            Self::GuessesMany => (
                Check::Guesses,
                "guesses-many",
                "Wrong passwords were entered one after the other.",
                Warn("If it was not you, find out who can reach the device."),
            ),
            Self::GuessesLocked => (
                Check::Guesses,
                "guesses-locked",
                "So many wrong passwords were entered that none is taken any more.",
                Fail("Unlock it at the device itself, and find out who can reach it."),
            ),
            Self::GuessesUncounted => (
                Check::Guesses,
                "guesses-uncounted",
                "Wrong passwords can no longer be counted, so none is taken.",
                Fail("Unlock it at the device itself; if that does not help, have it repaired."),
            ),
            Self::ReplayRefused => (
                Check::Replay,
                "replay-refused",
                "An earlier copy of its memory would be refused.",
                Pass,
            ),
            Self::ReplayUnnoticed => (
                Check::Replay,
                "replay-unnoticed",
                "Somebody who opens the device could put back an earlier copy of its memory.",
                Warn("Keep it where no stranger can open it."),
            ),
            Self::SoftwareIntact => (
                Check::Software,
                "software-intact",
                "The software is what its maker signed.",
                Pass,
            ),
            Self::SoftwareUnmeasured => (
                Check::Software,
                "software-unmeasured",
                "The software was checked when it started and is not checked while it runs.",
                Warn("Start the device anew now and then."),
            ),
            Self::SoftwareChanged => (
                Check::Software,
                "software-changed",
                "The software is no longer what its maker signed.",
                Fail("Start the device anew; if it says so again, have it repaired."),
            ),
            Self::UpdatesAutomatic => (
                Check::Updates,
                "updates-automatic",
                "Updates are installed automatically, and none is waiting.",
                Pass,
            ),
            Self::UpdatesAsked => (
                Check::Updates,
                "updates-asked",
                "You are asked about each update, and none is waiting.",
                Pass,
            ),
            Self::UpdateWaiting => (
                Check::Updates,
                "update-waiting",
                "An update is waiting.",
                Warn("Install it, or leave the device on and unused for a while."),
            ),
            Self::UpdateDeclined => (
                Check::Updates,
                "update-declined",
                "An update that closes a security hole was declined.",
                Fail("Install it."),
            ),
            Self::UpdateUrgent => (
                Check::Updates,
                "update-urgent",
                "An update that closes a security hole in use by attackers is waiting.",
                Fail("Install it now."),
            ),
            Self::UpdatesUnwatched => (
                Check::Updates,
                "updates-unwatched",
                "The device does not look for updates.",
                Fail("Turn updates on."),
            ),
            Self::SupportRuns => (
                Check::Support,
                "support-runs",
                "Its maker publishes security updates for it.",
                Pass,
            ),
            Self::SupportUnknown => (
                Check::Support,
                "support-unknown",
                "The device does not know what day it is, nor whether its support has ended.",
                Warn("Connect it, so that it learns the time."),
            ),
            Self::SupportUnpublished => (
                Check::Support,
                "support-unpublished",
                "It is not known until when its maker publishes security updates.",
                Fail("Ask its maker for the end of the support period."),
            ),
            Self::SupportEnded => (
                Check::Support,
                "support-ended",
                "Its maker publishes no security updates for it any more.",
                Fail("Take it off the network, or replace it."),
            ),
            Self::PersonalDataListed => (
                Check::PersonalData,
                "personal-data-listed",
                "All places where it keeps personal data are known.",
                Pass,
            ),
            Self::PersonalDataUnlisted => (
                Check::PersonalData,
                "personal-data-unlisted",
                "It keeps data of yours in a place that its maker did not list.",
                Fail("Reset it to erase that data too, and tell its maker."),
            ),
            Self::ServicesDeclared => (
                Check::Services,
                "services-declared",
                "It can be reached where its maker says so, and nowhere else.",
                Pass,
            ),
            Self::ServicesUnknown => (
                Check::Services,
                "services-unknown",
                "It is not checked whether it can be reached where its maker does not say so.",
                Warn("Put it into a network of its own, or behind a firewall."),
            ),
            Self::ServicesOpen => (
                Check::Services,
                "services-open",
                "It can be reached where its maker does not say so.",
                Fail("Start it anew; if it says so again, take it off the network and tell its maker."),
            ),
            Self::DebugClosed => (
                Check::DebugPort,
                "debug-closed",
                "Its debug port is closed.",
                Pass,
            ),
            Self::DebugLocked => (
                Check::DebugPort,
                "debug-locked",
                "Its debug port opens to its maker alone.",
                Pass,
            ),
            Self::DebugUnknown => (
                Check::DebugPort,
                "debug-unknown",
                "It is not known whether its debug port is closed.",
                Warn("Keep it where no stranger can open it."),
            ),
            Self::DebugOpen => (
                Check::DebugPort,
                "debug-open",
                "Its debug port is open: whoever opens the device can read and change its memory.",
                Fail("Keep it where no stranger can open it, and have its maker close the port."),
            ),
        }
    }
}

/// A verdict with its remedy: there is none without.
#[derive(Clone, Copy)]
enum Outcome {
    Pass,
    Warn(&'static str),
    Fail(&'static str),
}
