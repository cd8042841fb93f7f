//! What a planner is told and says, in the words of C.

use iotsec::{
    core::hal::Millis,
    update::{
        SequenceNumber,
        install::ManifestId,
        policy::{
            Conditions, Hold, Importance, Mode, Notice, Offer, PolicyError, Status as Standing, Step,
            UpdatePolicy,
        },
    },
};

use crate::{
    argument,
    security::{
        IOTSEC_OBSERVED_UPDATES_CURRENT, IOTSEC_OBSERVED_UPDATES_DECLINED, IOTSEC_OBSERVED_UPDATES_URGENT,
        IOTSEC_OBSERVED_UPDATES_WAITING, iotsec_observed_updates_t,
    },
    status::{CallError, Status, iotsec_status_t},
    update::freshness::{NONE, iotsec_manifest_t, manifest_to_c},
};

/// What the maker decides. What is 0 is as it is by default; where no time at all is meant, 1 is as good.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct iotsec_update_policy_t {
    /// `sizeof(iotsec_update_policy_t)`.
    pub struct_size: u32,
    /// Per cent of battery charge below which nothing is installed without mains: 1 to 100; 30.
    pub least_battery: u32,
    /// The first check falls at random into this time after the start; five minutes.
    pub first_check_ms: u64,
    /// Time between checks, each moved at random by up to a quarter; a day.
    pub period_ms: u64,
    /// Pause after a check or an installation that failed, which doubles up to the period; a minute.
    pub retry_ms: u64,
    /// Time between telling the owner and installing without being asked to, none for `IOTSEC_IMPORTANCE_URGENT`; an hour.
    pub grace_ms: u64,
    /// For how long in all the owner can put updates off. After that they install themselves; 30 days.
    pub longest_postponement_ms: u64,
    /// The end of the support period that was published for the product, in seconds since 1970-01-01 UTC; 0 for none, and
    /// then the owner is told of none.
    pub support_until_s: u64,
    /// Until the owner decides otherwise: 1 to ask about each update, 0 to install them without asking, which is what EN
    /// 303 645 wants of a new device.
    pub ask: i32,
    /// Zero.
    pub reserved: u32,
}

/// How much an update matters.
pub type iotsec_importance_t = i32;

/// New functions, small repairs.
pub const IOTSEC_IMPORTANCE_ROUTINE: iotsec_importance_t = 1;
/// Closes a hole.
pub const IOTSEC_IMPORTANCE_SECURITY: iotsec_importance_t = 2;
/// Closes a hole that is being used.
pub const IOTSEC_IMPORTANCE_URGENT: iotsec_importance_t = 3;

/// An update that was found and admitted. What the owner is told about it, beside this, is in the maker's words: which risk
/// it removes.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct iotsec_offer_t {
    /// `sizeof(iotsec_offer_t)`.
    pub struct_size: u32,
    /// How much it matters, `IOTSEC_IMPORTANCE_*`; 0 where the library says that there is none.
    pub importance: iotsec_importance_t,
    /// For how long the device does not do its work while it is installed.
    pub away_ms: u64,
    /// Which one it is: what `iotsec_update_inspect()` gave.
    pub manifest: iotsec_manifest_t,
}

/// What the device is like at this moment.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct iotsec_conditions_t {
    /// `sizeof(iotsec_conditions_t)`.
    pub struct_size: u32,
    /// Per cent of battery charge, 0 to 100; -1 without a battery.
    pub battery: i32,
    /// 1 on mains or while charging, else 0.
    pub powered: i32,
    /// 1 while somebody needs it, and then nothing is installed, else 0.
    pub in_use: i32,
    /// Trusted time in seconds since 1970-01-01 UTC, or 0 without one; then the end of support is not told.
    pub now_s: u64,
}

/// What to do about updates.
pub type iotsec_planner_step_kind_t = i32;

/// Nothing before the uptime `at_ms`, unless something happens.
pub const IOTSEC_PLANNER_WAIT: iotsec_planner_step_kind_t = 1;
/// Ask the server, then call `iotsec_planner_checked()` or `iotsec_planner_found()`.
pub const IOTSEC_PLANNER_CHECK: iotsec_planner_step_kind_t = 2;
/// Tell the owner of `offer`: how much it matters, and for how long the device will be away.
pub const IOTSEC_PLANNER_TELL: iotsec_planner_step_kind_t = 3;
/// Tell the owner that there will be no updates after `time_s`. Said 90 days before.
pub const IOTSEC_PLANNER_TELL_SUPPORT_ENDING: iotsec_planner_step_kind_t = 4;
/// Tell the owner that there are no more updates.
pub const IOTSEC_PLANNER_TELL_SUPPORT_ENDED: iotsec_planner_step_kind_t = 5;
/// Download and install `offer`, then call `iotsec_planner_installed()` or `iotsec_planner_failed()`.
pub const IOTSEC_PLANNER_INSTALL: iotsec_planner_step_kind_t = 6;

/// What to do now. A struct that the library fills never grows; what a step does not have is zero.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct iotsec_planner_step_t {
    /// `IOTSEC_PLANNER_*`.
    pub kind: iotsec_planner_step_kind_t,
    /// `IOTSEC_OK`, or why the record could not be saved. Until the next boot it counts all the same.
    pub saved: iotsec_status_t,
    /// With `IOTSEC_PLANNER_TELL`, 1 when it will be installed from `at_ms` on without being asked for, 0 when the owner is
    /// to decide.
    pub automatic: i32,
    /// Zero.
    pub reserved: u32,
    /// The uptime that is waited for, or from which on it is installed.
    pub at_ms: u64,
    /// The end of support, in seconds since 1970-01-01 UTC.
    pub time_s: u64,
    /// The update, with `IOTSEC_PLANNER_TELL` and `_INSTALL`.
    pub offer: iotsec_offer_t,
}

const _: () = assert!(size_of::<iotsec_planner_step_t>() == 88);

/// What a check came to.
pub type iotsec_check_t = i32;

/// The server could not be asked.
pub const IOTSEC_CHECK_FAILED: iotsec_check_t = 1;
/// There is nothing newer.
pub const IOTSEC_CHECK_UP_TO_DATE: iotsec_check_t = 2;

/// What the owner says.
pub type iotsec_decision_t = i32;

/// Install it as soon as battery and use allow.
pub const IOTSEC_DECISION_INSTALL: iotsec_decision_t = 1;
/// Ask again after a time.
pub const IOTSEC_DECISION_POSTPONE: iotsec_decision_t = 2;
/// Not this one.
pub const IOTSEC_DECISION_DECLINE: iotsec_decision_t = 3;
/// From now on install updates without asking.
pub const IOTSEC_DECISION_AUTOMATIC: iotsec_decision_t = 4;
/// From now on ask about each.
pub const IOTSEC_DECISION_ASK: iotsec_decision_t = 5;

/// Where a planner is.
pub type iotsec_planner_state_t = i32;

/// Nothing is known to be available; the next check is at `at_ms`.
pub const IOTSEC_PLANNER_IDLE: iotsec_planner_state_t = 1;
/// The server is being asked.
pub const IOTSEC_PLANNER_CHECKING: iotsec_planner_state_t = 2;
/// There is an update, and it waits, for what is in `hold`.
pub const IOTSEC_PLANNER_AVAILABLE: iotsec_planner_state_t = 3;
/// It is being downloaded or installed.
pub const IOTSEC_PLANNER_INSTALLING: iotsec_planner_state_t = 4;

/// What an update waits for.
pub type iotsec_hold_t = i32;

/// For a better battery, or mains.
pub const IOTSEC_HOLD_BATTERY: iotsec_hold_t = 1;
/// For nobody to need the device.
pub const IOTSEC_HOLD_IN_USE: iotsec_hold_t = 2;
/// For the owner, who was asked.
pub const IOTSEC_HOLD_OWNER: iotsec_hold_t = 3;
/// Until `at_ms`: postponed, in the time of grace, or after a failure.
pub const IOTSEC_HOLD_UNTIL: iotsec_hold_t = 4;
/// For nothing: the owner declined it.
pub const IOTSEC_HOLD_DECLINED: iotsec_hold_t = 5;

/// How it stands with updates. A struct that the library fills never grows; what a state does not have is zero.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct iotsec_planner_status_t {
    /// `IOTSEC_PLANNER_IDLE` to `IOTSEC_PLANNER_INSTALLING`.
    pub state: iotsec_planner_state_t,
    /// `IOTSEC_HOLD_*`, with `IOTSEC_PLANNER_AVAILABLE`.
    pub hold: iotsec_hold_t,
    /// 1 when the owner is asked about each update, else 0: `updates_ask` of `iotsec_observed_t`.
    pub ask: i32,
    /// `updates` of `iotsec_observed_t`.
    pub observed: iotsec_observed_updates_t,
    /// An uptime.
    pub at_ms: u64,
    /// The update, with `IOTSEC_PLANNER_AVAILABLE` and `_INSTALLING`.
    pub offer: iotsec_offer_t,
}

const _: () = assert!(size_of::<iotsec_planner_status_t>() == 80);

/// # Safety
/// As [`argument::sized`], or null.
pub(super) unsafe fn policy_of(
    policy: *const iotsec_update_policy_t,
) -> Result<(UpdatePolicy, Mode), Status> {
    const DEFAULT: UpdatePolicy = UpdatePolicy::DEFAULT;
    if policy.is_null() {
        return Ok((DEFAULT, Mode::Automatic));
    }
    // SAFETY: the caller's word, passed on.
    let given = unsafe { argument::sized(policy) }?;
    argument::zero(given.reserved)?;
    let policy = UpdatePolicy {
        first_check: argument::millis_or(given.first_check_ms, DEFAULT.first_check),
        period: argument::millis_or(given.period_ms, DEFAULT.period),
        retry: argument::millis_or(given.retry_ms, DEFAULT.retry),
        grace: argument::millis_or(given.grace_ms, DEFAULT.grace),
        least_battery: match given.least_battery {
            0 => DEFAULT.least_battery,
            percent => u8::try_from(percent).map_err(|_| PolicyError::Policy)?,
        },
        longest_postponement: argument::millis_or(
            given.longest_postponement_ms,
            DEFAULT.longest_postponement,
        ),
        support_until: argument::time(given.support_until_s),
    };
    let mode = if truth(given.ask)? {
        Mode::Ask
    } else {
        Mode::Automatic
    };
    Ok((policy, mode))
}

pub(super) fn conditions_of(given: &iotsec_conditions_t) -> Result<Conditions, Status> {
    Ok(Conditions {
        battery: match given.battery {
            -1 => None,
            charge @ 0..=100 => Some(u8::try_from(charge).map_err(|_| CallError::Config)?),
            _ => return Err(CallError::Config.into()),
        },
        powered: truth(given.powered)?,
        in_use: truth(given.in_use)?,
        now: argument::time(given.now_s),
    })
}

pub(super) fn offer_of(given: &iotsec_offer_t) -> Result<Offer, Status> {
    // An update that is none would be every one's decision.
    if given.manifest == NONE {
        return Err(CallError::Config.into());
    }
    Ok(Offer {
        manifest: ManifestId {
            sequence: SequenceNumber(given.manifest.sequence),
            digest: given.manifest.digest,
        },
        importance: match given.importance {
            IOTSEC_IMPORTANCE_ROUTINE => Importance::Routine,
            IOTSEC_IMPORTANCE_SECURITY => Importance::Security,
            IOTSEC_IMPORTANCE_URGENT => Importance::Urgent,
            _ => return Err(CallError::Config.into()),
        },
        away: Millis(given.away_ms),
    })
}

fn offer_to_c(offer: Option<&Offer>) -> Result<iotsec_offer_t, Status> {
    Ok(iotsec_offer_t {
        struct_size: u32::try_from(size_of::<iotsec_offer_t>()).map_err(|_| CallError::Config)?,
        importance: match offer.map(|offer| offer.importance) {
            None => 0,
            Some(Importance::Routine) => IOTSEC_IMPORTANCE_ROUTINE,
            Some(Importance::Security) => IOTSEC_IMPORTANCE_SECURITY,
            Some(Importance::Urgent) => IOTSEC_IMPORTANCE_URGENT,
        },
        away_ms: offer.map_or(0, |offer| offer.away.0),
        manifest: offer.map_or(NONE, |offer| manifest_to_c(&offer.manifest)),
    })
}

pub(super) fn step_to_c(step: &Step, saved: iotsec_status_t) -> Result<iotsec_planner_step_t, Status> {
    let (mut automatic, mut at_ms, mut time_s, mut offered) = (0, 0, 0, None);
    let kind = match step {
        Step::Wait(until) => {
            at_ms = until.0;
            IOTSEC_PLANNER_WAIT
        }
        Step::Check => IOTSEC_PLANNER_CHECK,
        Step::Notify(Notice::Available {
            offer,
            automatic_from,
        }) => {
            offered = Some(offer);
            automatic = automatic_from.is_some().into();
            at_ms = automatic_from.unwrap_or_default().0;
            IOTSEC_PLANNER_TELL
        }
        Step::Notify(Notice::SupportEnding(end)) => {
            time_s = end.0;
            IOTSEC_PLANNER_TELL_SUPPORT_ENDING
        }
        Step::Notify(Notice::SupportEnded) => IOTSEC_PLANNER_TELL_SUPPORT_ENDED,
        Step::Install(offer) => {
            offered = Some(offer);
            IOTSEC_PLANNER_INSTALL
        }
    };
    Ok(iotsec_planner_step_t {
        kind,
        saved,
        automatic,
        reserved: 0,
        at_ms,
        time_s,
        offer: offer_to_c(offered)?,
    })
}

pub(super) fn status_to_c(standing: &Standing, mode: Mode) -> Result<iotsec_planner_status_t, Status> {
    let (mut hold, mut at_ms, mut offered) = (0, 0, None);
    let mut observed = IOTSEC_OBSERVED_UPDATES_CURRENT;
    let state = match standing {
        Standing::Idle(next) => {
            at_ms = next.0;
            IOTSEC_PLANNER_IDLE
        }
        Standing::Checking => IOTSEC_PLANNER_CHECKING,
        Standing::Installing(offer) => {
            offered = Some(offer);
            IOTSEC_PLANNER_INSTALLING
        }
        Standing::Available(offer, held) => {
            offered = Some(offer);
            observed = match (offer.importance, held) {
                (Importance::Urgent, _) => IOTSEC_OBSERVED_UPDATES_URGENT,
                (Importance::Security, Hold::Declined) => IOTSEC_OBSERVED_UPDATES_DECLINED,
                _ => IOTSEC_OBSERVED_UPDATES_WAITING,
            };
            hold = match held {
                Hold::Battery => IOTSEC_HOLD_BATTERY,
                Hold::InUse => IOTSEC_HOLD_IN_USE,
                Hold::Owner => IOTSEC_HOLD_OWNER,
                Hold::Until(time) => {
                    at_ms = time.0;
                    IOTSEC_HOLD_UNTIL
                }
                Hold::Declined => IOTSEC_HOLD_DECLINED,
            };
            IOTSEC_PLANNER_AVAILABLE
        }
    };
    Ok(iotsec_planner_status_t {
        state,
        hold,
        ask: i32::from(mode == Mode::Ask),
        observed,
        at_ms,
        offer: offer_to_c(offered)?,
    })
}

fn truth(given: i32) -> Result<bool, Status> {
    match given {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(CallError::Config.into()),
    }
}
