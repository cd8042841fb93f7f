//! What a device does about its findings: which mode it is in, and how it gets back.

use iotsec_core::{credential::Authenticated, hal::Millis};

use super::{Finding, MODE};
use crate::registry::EventDef;

mod policy;
mod record;

use policy::LONGEST_QUIET;
pub use policy::{Policy, Reaction, Return, Rule};
use record::Stored;

/// Bytes of the stored record (`FORMAT.md`, "Guard record").
pub const GUARD_RECORD_LEN: usize = record::LEN;

/// In normal mode so long, and what was is forgiven.
const FORGIVEN: Millis = LONGEST_QUIET;

/// What a device does and leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// All that it is for.
    Normal,
    /// What it is for, as far as that needs nobody else. It talks only to those who can be alarmed and can repair it (EN
    /// 303 645, provision 5.7-2).
    LeastConnectivity,
    /// Only what is safe whatever the software does, and what is needed to repair it; that is least connectivity too.
    Safe,
}

impl Mode {
    /// Whether only those may be talked to who can be alarmed and can repair it.
    pub const fn is_least_connectivity(self) -> bool {
        match self {
            Self::Normal => false,
            Self::LeastConnectivity | Self::Safe => true,
        }
    }

    const fn number(self) -> u8 {
        match self {
            Self::Normal => 0,
            Self::LeastConnectivity => 1,
            Self::Safe => 2,
        }
    }
}

/// The device changed its mode. Store [`Guard::record`] at once, record the finding, and do as the mode says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "store the guard's record, and do as the mode says"]
pub struct Change {
    /// The mode from now on.
    pub mode: Mode,
    /// The id of the event that caused it; zero when it was quiet, or its owner.
    pub cause: u16,
}

impl Change {
    /// The event to record.
    pub fn finding(&self) -> Finding {
        Finding::new(&MODE, self.mode.number(), self.cause)
    }
}

/// Collects the findings of all detectors and says which mode the device should be in.
///
/// A finding whose event has a reaction in the [`Policy`] raises the mode, and nothing but quiet or the owner lowers it. After
/// each return by quiet the next takes twice as long, up to a day, so whoever can cause a finding can change the mode a few
/// times and then twice a day. The mode survives a reboot; the time of quiet begins anew with it.
///
/// *Power loss:* the mode of the last record that was stored. A record that is missing is a new device, in normal mode; one
/// that is not as written counts as least connectivity.
///
/// ```
/// use iotsec_core::hal::Millis;
/// use iotsec_telemetry::detect::{Guard, IntegrityFailures, Mode, Policy};
///
/// let mut guard = Guard::started(&Policy::DEFAULT, None, Millis(0));
/// let mut integrity = IntegrityFailures::new();
///
/// let finding = integrity.found(Some(0), 2401, Millis(0)).unwrap();
/// let change = guard.note(finding.event(), Millis(0)).unwrap();
/// assert_eq!(change.mode, Mode::LeastConnectivity);
/// let kept = guard.record();
///
/// // After a reboot, and an update that repaired it.
/// let mut guard = Guard::started(&Policy::DEFAULT, Some(&kept), Millis(0));
/// assert_eq!(guard.mode(), Mode::LeastConnectivity);
/// integrity.intact();
/// let hour = Millis::from_secs(3600);
/// assert_eq!(guard.tend(integrity.is_alarmed(), hour).unwrap().mode, Mode::Normal);
/// ```
#[derive(Clone, Debug)]
pub struct Guard {
    policy: &'static Policy,
    mode: Mode,
    cause: u16,
    /// By quiet, since it was last forgiven.
    returns: u8,
    quiet_since: Millis,
}

impl Guard {
    /// At boot, with what [`record`](Self::record) said last.
    pub fn started(policy: &'static Policy, record: Option<&[u8; GUARD_RECORD_LEN]>, now: Millis) -> Self {
        let stored = match record.map(record::decode) {
            None => Stored {
                mode: Mode::Normal,
                cause: 0,
                returns: 0,
            },
            Some(Some(stored)) => stored,
            Some(None) => Stored {
                mode: Mode::LeastConnectivity,
                cause: MODE.id(),
                returns: 0,
            },
        };
        Self {
            policy,
            mode: stored.mode,
            cause: stored.cause,
            returns: stored.returns,
            quiet_since: now,
        }
    }

    /// A finding of this event was made.
    pub fn note(&mut self, event: &EventDef, now: Millis) -> Option<Change> {
        let wanted = self.policy.reaction(event).mode();
        if wanted == Mode::Normal {
            return None;
        }
        self.forgive(now);
        self.quiet_since = now;
        if wanted <= self.mode {
            return None;
        }
        self.mode = wanted;
        self.cause = event.id();
        Some(self.change())
    }

    /// To be called every few minutes. `alarmed` says whether one of the detectors whose event has a reaction is alarmed
    /// still: they report ever more rarely what goes on, so silence alone is no quiet.
    pub fn tend(&mut self, alarmed: bool, now: Millis) -> Option<Change> {
        if alarmed {
            self.quiet_since = now;
        }
        if self.mode == Mode::Normal {
            self.forgive(now);
            return None;
        }
        let Return::AfterQuiet(quiet) = self.policy.way_back(self.mode) else {
            return None;
        };
        if now.since(self.quiet_since) < self.longer(quiet) {
            return None;
        }
        self.returns = self.returns.saturating_add(1);
        Some(self.return_to_normal(now))
    }

    /// The owner says that all is well, and has proved who they are.
    pub fn release(&mut self, _owner: Authenticated, now: Millis) -> Option<Change> {
        self.returns = 0;
        (self.mode != Mode::Normal).then(|| self.return_to_normal(now))
    }

    /// The mode the device should be in.
    pub const fn mode(&self) -> Mode {
        self.mode
    }

    /// The id of the event that brought it there; that of [`MODE`] if the stored record was damaged, and zero in normal mode.
    pub const fn cause(&self) -> u16 {
        self.cause
    }

    /// What the next boot needs.
    pub fn record(&self) -> [u8; GUARD_RECORD_LEN] {
        record::encode(Stored {
            mode: self.mode,
            cause: self.cause,
            returns: self.returns,
        })
    }

    fn return_to_normal(&mut self, now: Millis) -> Change {
        self.mode = Mode::Normal;
        self.cause = 0;
        self.quiet_since = now;
        self.change()
    }

    const fn change(&self) -> Change {
        Change {
            mode: self.mode,
            cause: self.cause,
        }
    }

    fn forgive(&mut self, now: Millis) {
        if self.mode == Mode::Normal && now.since(self.quiet_since) >= FORGIVEN {
            self.returns = 0;
        }
    }

    /// Twice as long for each return.
    fn longer(&self, quiet: Millis) -> Millis {
        let factor = 1u64.checked_shl(self.returns.into()).unwrap_or(u64::MAX);
        Millis(quiet.0.saturating_mul(factor)).min(LONGEST_QUIET)
    }
}

iotsec_core::claim! {
    provisions: ["5.7-2"],
    claims: "A finding against the software puts the device into least connectivity, which reboots and power cuts do not end and the owner does",
    code: [Guard::note],
    tests: [
        "iotsec::detection::the_mode_outlives_reboots_and_power_cuts_and_the_owner_ends_it",
        "iotsec-telemetry::iotsec_telemetry::detect::guard::tests::a_worse_finding_raises_the_mode_and_a_lesser_one_does_not_lower_it",
    ],
}

#[cfg(test)]
mod tests;
