//! A maker's table of reactions, in storage of the guard.

use iotsec::{
    core::hal::Millis,
    telemetry::{
        detect::{Policy, PolicyError, Reaction, Return, Rule},
        registry::{Class, EventDef},
    },
};

use crate::{
    argument,
    status::{CallError, Status},
};

/// Rules of one policy at most.
pub const IOTSEC_RULES_MAX: usize = 32;

/// What a device does about an event. Everything is reported.
pub type iotsec_reaction_t = i32;

/// Nothing but that.
pub const IOTSEC_REACTION_REPORT: iotsec_reaction_t = 0;
/// It goes to `IOTSEC_MODE_LEAST_CONNECTIVITY`.
pub const IOTSEC_REACTION_LEAST_CONNECTIVITY: iotsec_reaction_t = 1;
/// It goes to `IOTSEC_MODE_SAFE`.
pub const IOTSEC_REACTION_SAFE: iotsec_reaction_t = 2;

/// What is done about one event. Not versioned by size: this struct never grows.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct iotsec_rule_t {
    /// `IOTSEC_DETECTED_*`, or the number of an event of the product's own.
    pub event: u32,
    /// `IOTSEC_REACTION_*`.
    pub reaction: iotsec_reaction_t,
}

/// A maker's table of reactions; events without a rule are reported. Copied, and so are its rules.
///
/// Think of who can cause an event: a reaction that a stranger can cause from afar is a way to switch the device off. So
/// where no policy is given, a boot loop leads to safe mode, and to least connectivity what nobody can cause who is not in
/// the device already: software that was changed, a listener that was not declared, a source of randomness that fails. The
/// way back is then an hour of quiet.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct iotsec_guard_policy_t {
    /// `sizeof(iotsec_guard_policy_t)`.
    pub struct_size: u32,
    /// Entries of `rules`, at most `IOTSEC_RULES_MAX`.
    pub rule_count: u32,
    /// In ascending order of their events, one for each; null when there are none.
    pub rules: *const iotsec_rule_t,
    /// Quiet after which the device leaves least connectivity: 600 000 (ten minutes) to 86 400 000 (a day), or 0 for only by
    /// its owner. Quiet is no event that has a reaction, and no detector alarmed.
    pub least_quiet_ms: u64,
    /// The same for safe mode.
    pub safe_quiet_ms: u64,
}

/// A policy that was read, and room for it as a guard borrows it.
#[derive(Clone, Copy)]
pub(crate) struct Laid {
    rules: [Rule; IOTSEC_RULES_MAX],
    count: usize,
    /// The way back from least connectivity and from safe mode, unless it is the default policy.
    back: Option<[Return; 2]>,
    policy: Policy,
}

impl Laid {
    /// # Safety
    /// `policy` is null, or as [`argument::sized`] has it with as many rules as it says.
    pub(super) unsafe fn new(policy: *const iotsec_guard_policy_t) -> Result<Self, Status> {
        let mut laid = Self {
            rules: [rule(0, Reaction::Report); IOTSEC_RULES_MAX],
            count: 0,
            back: None,
            policy: Policy::DEFAULT,
        };
        if policy.is_null() {
            return Ok(laid);
        }
        // SAFETY: the caller's word, passed on; here and below.
        let policy = unsafe { argument::sized(policy) }?;
        laid.count = usize::try_from(policy.rule_count).map_err(|_| PolicyError::Count)?;
        if laid.count > IOTSEC_RULES_MAX {
            return Err(PolicyError::Count.into());
        }
        // SAFETY: as above.
        let given = unsafe { argument::slice(policy.rules, laid.count) }?;
        for (place, given) in laid.rules.iter_mut().zip(given) {
            let event = u16::try_from(given.event).map_err(|_| CallError::Config)?;
            *place = rule(event, reaction_of(given.reaction)?);
        }
        laid.back = Some(
            [policy.least_quiet_ms, policy.safe_quiet_ms].map(|quiet| match quiet {
                0 => Return::ByOwner,
                quiet => Return::AfterQuiet(Millis(quiet)),
            }),
        );
        Ok(laid)
    }

    /// The policy, checked.
    pub(super) fn policy(&'static mut self) -> Result<&'static Policy, Status> {
        let Self {
            rules,
            count,
            back,
            policy,
        } = self;
        if let Some([least, safe]) = *back {
            let rules: &'static [Rule] = rules;
            let rules = rules.get(..*count).ok_or(PolicyError::Count)?;
            *policy = Policy::new(rules, least, safe)?;
        }
        Ok(policy)
    }
}

/// A rule is about the number of an event, and about nothing else of it.
const fn rule(event: u16, reaction: Reaction) -> Rule {
    Rule::new(&EventDef::new(event, "noted", Class::Critical, "", &[]), reaction)
}

fn reaction_of(reaction: iotsec_reaction_t) -> Result<Reaction, CallError> {
    match reaction {
        IOTSEC_REACTION_REPORT => Ok(Reaction::Report),
        IOTSEC_REACTION_LEAST_CONNECTIVITY => Ok(Reaction::LeastConnectivity),
        IOTSEC_REACTION_SAFE => Ok(Reaction::SafeMode),
        _ => Err(CallError::Config),
    }
}
