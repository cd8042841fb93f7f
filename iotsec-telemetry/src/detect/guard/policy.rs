use iotsec_core::hal::Millis;

use super::Mode;
use crate::{
    detect::{BOOT_LOOP, ENTROPY, INTEGRITY, LISTENER, PolicyError},
    registry::EventDef,
};

/// Rules of one policy at most: twice as many as there are detectors.
const MAX_RULES: usize = 32;
/// Shorter, and a device would be back before its detectors have looked again.
const SHORTEST_QUIET: Millis = Millis::from_secs(600);
/// Longer than this nobody waits.
pub(super) const LONGEST_QUIET: Millis = Millis::from_secs(86_400);

/// What a device does about a finding. Everything is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Reaction {
    /// Nothing but that.
    Report,
    /// It talks to nobody but those who can repair it: [`Mode::LeastConnectivity`].
    LeastConnectivity,
    /// It does nothing but what is safe: [`Mode::Safe`].
    SafeMode,
}

impl Reaction {
    pub(super) const fn mode(self) -> Mode {
        match self {
            Self::Report => Mode::Normal,
            Self::LeastConnectivity => Mode::LeastConnectivity,
            Self::SafeMode => Mode::Safe,
        }
    }
}

/// What is done about one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    event: u16,
    reaction: Reaction,
}

impl Rule {
    /// `reaction` follows `event`, one of this crate's or of the product's.
    pub const fn new(event: &EventDef, reaction: Reaction) -> Self {
        Self {
            event: event.id(),
            reaction,
        }
    }
}

/// How a device gets out of a mode, besides by its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Return {
    /// After so long without a finding that has a reaction, and with no detector alarmed. The next time it takes twice
    /// as long, up to a day, until a day has passed in normal mode.
    AfterQuiet(Millis),
    /// Only by its owner.
    ByOwner,
}

/// A maker's table of reactions.
///
/// Think of who can cause a finding: a reaction that a stranger can cause from afar is a way to switch the device off. So
/// the [default](Self::DEFAULT) only reports wrong passwords, refused updates, broken connections and traffic, which
/// everybody can send, and reacts to what nobody can cause who is not in the device already.
///
/// ```
/// use iotsec_core::hal::Millis;
/// use iotsec_telemetry::detect::{BOOT_LOOP, INTEGRITY, Policy, PolicyError, Reaction, Return, Rule, TRAFFIC};
///
/// /// A camera that floods others is worse than one that is away.
/// const CAMERA: Result<Policy, PolicyError> = Policy::new(
///     &[
///         Rule::new(&BOOT_LOOP, Reaction::SafeMode),
///         Rule::new(&INTEGRITY, Reaction::LeastConnectivity),
///         Rule::new(&TRAFFIC, Reaction::LeastConnectivity),
///     ],
///     Return::AfterQuiet(Millis::from_secs(3600)),
///     Return::ByOwner,
/// );
/// assert_eq!(CAMERA?.reaction(&TRAFFIC), Reaction::LeastConnectivity);
/// # Ok::<(), PolicyError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    rules: &'static [Rule],
    least: Return,
    safe: Return,
}

impl Policy {
    /// | event | reaction | back to normal |
    /// |---|---|---|
    /// | boot loop | safe mode | after an hour of quiet |
    /// | integrity | least connectivity | after an hour of quiet |
    /// | listener that was not declared | least connectivity | after an hour of quiet |
    /// | source of randomness | least connectivity | after an hour of quiet |
    /// | all others | report | |
    pub const DEFAULT: Self = Self {
        rules: &[
            Rule::new(&BOOT_LOOP, Reaction::SafeMode),
            Rule::new(&INTEGRITY, Reaction::LeastConnectivity),
            Rule::new(&LISTENER, Reaction::LeastConnectivity),
            Rule::new(&ENTROPY, Reaction::LeastConnectivity),
        ],
        least: Return::AfterQuiet(Millis::from_secs(3600)),
        safe: Return::AfterQuiet(Millis::from_secs(3600)),
    };

    /// Rules in ascending order of their events' ids, and how the device gets out of least connectivity and of safe mode.
    ///
    /// # Errors
    /// [`PolicyError`] for the first rule that is broken.
    pub const fn new(rules: &'static [Rule], least: Return, safe: Return) -> Result<Self, PolicyError> {
        if rules.len() > MAX_RULES {
            return Err(PolicyError::Count);
        }
        let mut left = rules;
        while let [rule, rest @ ..] = left {
            if let [next, ..] = rest
                && next.event <= rule.event
            {
                return Err(PolicyError::Order);
            }
            left = rest;
        }
        if !quiet_fits(least) || !quiet_fits(safe) {
            return Err(PolicyError::Quiet);
        }
        Ok(Self { rules, least, safe })
    }

    /// What is done about an event.
    pub fn reaction(&self, event: &EventDef) -> Reaction {
        let rule = self.rules.iter().find(|rule| rule.event == event.id());
        rule.map_or(Reaction::Report, |rule| rule.reaction)
    }

    /// How the device gets out of a mode.
    pub(super) const fn way_back(&self, mode: Mode) -> Return {
        match mode {
            Mode::Safe => self.safe,
            Mode::Normal | Mode::LeastConnectivity => self.least,
        }
    }
}

const fn quiet_fits(way: Return) -> bool {
    match way {
        Return::AfterQuiet(quiet) => quiet.0 >= SHORTEST_QUIET.0 && quiet.0 <= LONGEST_QUIET.0,
        Return::ByOwner => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_policy_would_be_accepted() {
        let default = Policy::DEFAULT;
        assert_eq!(
            Policy::new(default.rules, default.least, default.safe),
            Ok(default)
        );
    }
}
