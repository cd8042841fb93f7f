//! When to look for updates, when to install them, and what the owner has to say (EN 303 645 5.3).
//!
//! [`UpdatePlanner`] is told the time, the battery, and what happened, and says what to do next. It knows
//! nothing of networks and installs nothing; a screen can show its [`Status`] at any time.
//!
//! ```text
//!            Check            Notify              Install
//!   Idle ───────────► (ask) ─────────► Available ─────────► Installing ──► Idle
//!     ▲   up to date    │                 │  ▲                   │ failed
//!     └─────────────────┴─────────────────┘  └───────────────────┘ (after the retry time)
//!                          declined, postponed: waits
//! ```
//!
//! | provision | here |
//! |---|---|
//! | 5.3-5 check after start-up, then periodically | [`UpdatePolicy::first_check`], [`UpdatePolicy::period`], both with random spread, so that a power cut in a town does not bring all its devices at once |
//! | 5.3-6 automatic, on by default, and the owner can change it | [`Mode`], [`Decision`] |
//! | 5.3-8 timely | a check that fails is retried soon, with growing pauses; [`UpdatePolicy::longest_postponement`] |
//! | 5.3-11 tell what risk it removes | [`Notice::Available`] with its [`Importance`]; the words are in the manifest's text |
//! | 5.3-12 tell when it disrupts | [`Offer::away`] |
//! | 5.3-13 support period | [`UpdatePolicy::support_until`], [`Notice::SupportEnding`] |
//!
//! *Power loss:* what the owner decided is in [`Choices`], which the application stores when
//! [`UpdatePlanner::take_changed`] says so: at each decision, and once in each hour of a postponement, so that a device
//! which is switched off every night comes to the end of it too. Everything else begins anew at the next start. Without a
//! readable record, updates are automatic.

mod choices;
mod error;
mod planner;
#[cfg(test)]
mod tests;

use iotsec_core::hal::{Millis, UnixTime};

use crate::install::ManifestId;
pub use choices::{Choices, Decided, Mode};
pub use error::PolicyError;
pub use planner::UpdatePlanner;

/// What the maker decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UpdatePolicy {
    /// The first check falls at random into this time after start-up.
    pub first_check: Millis,
    /// Time between checks; each is moved at random by up to a quarter.
    pub period: Millis,
    /// Pause after a check or an installation that failed; doubles up to `period`.
    pub retry: Millis,
    /// Time between telling the owner and installing automatically; none for urgent updates.
    pub grace: Millis,
    /// Percent of battery charge below which nothing is installed without mains.
    pub least_battery: u8,
    /// How long the owner can put off one update in all. After that it is installed as if it were
    /// automatic.
    pub longest_postponement: Millis,
    /// End of the support period that was published for this product.
    pub support_until: Option<UnixTime>,
}

impl UpdatePolicy {
    /// Within five minutes of start-up, then daily; an hour's grace, 30 % of battery, 30 days.
    pub const DEFAULT: Self = Self {
        first_check: Millis::from_secs(5 * 60),
        period: DAY,
        retry: Millis::from_secs(60),
        grace: Millis::from_secs(60 * 60),
        least_battery: 30,
        longest_postponement: Millis(30 * DAY.0),
        support_until: None,
    };
}

impl Default for UpdatePolicy {
    fn default() -> Self {
        Self::DEFAULT
    }
}

const DAY: Millis = Millis::from_secs(24 * 60 * 60);
/// How much an update matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Importance {
    /// New functions, small repairs.
    Routine,
    /// Closes a hole.
    Security,
    /// Closes a hole that is being used.
    Urgent,
}

/// An update that was found and admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Its manifest.
    pub manifest: ManifestId,
    /// How much it matters.
    pub importance: Importance,
    /// How long the device does not do its work while it is installed.
    pub away: Millis,
}

/// What the device is like at this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conditions {
    /// Percent of charge; `None` without a battery.
    pub battery: Option<u8>,
    /// On mains, or charging.
    pub powered: bool,
    /// Somebody needs it now.
    pub in_use: bool,
    /// Trusted time, if there is one.
    pub now: Option<UnixTime>,
}

impl Conditions {
    /// On mains, not in use, without a clock.
    pub const IDLE: Self = Self {
        battery: None,
        powered: true,
        in_use: false,
        now: None,
    };
}

/// What to do now. Each but `Wait` is said once, and the planner waits to be told what came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Step {
    /// Nothing before this uptime, unless something happens.
    Wait(Millis),
    /// Ask the server, then call [`UpdatePlanner::checked`].
    Check,
    /// Tell the owner. Nothing to report back; [`UpdatePlanner::decide`] when they answer.
    Notify(Notice),
    /// Download and install, then call [`UpdatePlanner::installed`] or [`UpdatePlanner::failed`].
    Install(Offer),
}

/// What the owner should know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// There is an update.
    Available {
        /// Which, how much it matters, and how long the device will be away.
        offer: Offer,
        /// It will be installed from this uptime on without being asked for; `None` when the owner is to
        /// decide.
        automatic_from: Option<Millis>,
    },
    /// There will be no updates after this time.
    SupportEnding(UnixTime),
    /// There are no more updates.
    SupportEnded,
}

/// What the owner says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Install it as soon as battery and use allow.
    Install,
    /// Ask again after this time.
    Postpone(Millis),
    /// Not this one.
    Decline,
    /// From now on, automatic or not.
    Mode(Mode),
}

/// What a check came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checked {
    /// The server could not be asked.
    Failed,
    /// There is nothing newer.
    UpToDate,
    /// There is.
    Found(Offer),
}

/// Why an update that is available is not being installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// The battery is too low.
    Battery,
    /// The device is in use.
    InUse,
    /// The owner was asked and has not answered.
    Owner,
    /// Until this uptime: postponed, in the time of grace, or after a failure.
    Until(Millis),
    /// The owner declined it.
    Declined,
}

/// What a screen shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Nothing is known to be available; the next check is at this uptime.
    Idle(Millis),
    /// The server is being asked.
    Checking,
    /// There is an update, and it waits.
    Available(Offer, Hold),
    /// It is being downloaded or installed.
    Installing(Offer),
}
