//! When to look for updates, when to install them, and what the owner has to say.

mod plan;

use iotsec::{
    core::hal::Millis,
    update::policy::{Checked, Choices, Decision, Mode, Step, UpdatePlanner},
};

pub use self::plan::*;
use crate::{
    argument,
    entropy::{CEntropy, iotsec_entropy_t},
    object::{self, Storage},
    record::{CRecord, Kept, iotsec_record_t},
    status::{CallError, Status, iotsec_status_t, status},
};

/// Words of 8 bytes that a planner takes.
pub const IOTSEC_PLANNER_WORDS: usize = 44;
/// Bytes of the record of a planner.
pub const IOTSEC_PLANNER_RECORD_LEN: usize = 60;

const _: () = assert!(IOTSEC_PLANNER_RECORD_LEN == Choices::LEN);
const _: () = assert!(IOTSEC_PLANNER_RECORD_LEN <= crate::record::IOTSEC_RECORD_MAX);

/// Says what is to be done next about updates (EN 303 645, provisions 5.3-3 to 5.3-6, 5.3-8 and 5.3-11 to 5.3-13), in the
/// caller's storage. It is told the time, the battery, what the server and the owner said and what became of an installation;
/// it knows nothing of networks and installs nothing. Start it by `iotsec_planner_open()`, end it by
/// `iotsec_planner_close()`.
///
/// `iotsec_planner_next()` names one step after the other:
///
/// - `IOTSEC_PLANNER_WAIT`: call it again at the uptime that it names, or when something changes.
/// - `IOTSEC_PLANNER_CHECK`: ask the server, then call `iotsec_planner_checked()`, or `iotsec_planner_found()`.
/// - `IOTSEC_PLANNER_TELL`: show it to the owner, and call `iotsec_planner_decide()` when they answer.
/// - `IOTSEC_PLANNER_TELL_SUPPORT_ENDING` and `_ENDED`: show it to the owner.
/// - `IOTSEC_PLANNER_INSTALL`: `iotsec_update_begin()` and what follows it, then `iotsec_planner_installed()`, or
///   `iotsec_planner_failed()`.
///
/// The first check falls at random into the minutes after the start, each later one is moved at random too, and one that
/// failed is tried again after pauses that grow: a power cut in a town does not bring all its devices at once.
///
/// What the owner decided is kept in a record, which is saved at each decision, and once in each hour of a postponement.
/// Power loss leaves the record before or this one; everything else begins anew with the next start, and so does the first
/// check. Without a readable record updates are automatic.
#[repr(C)]
pub struct iotsec_planner_t {
    opaque: [u64; IOTSEC_PLANNER_WORDS],
}

/// What lives in an [`iotsec_planner_t`].
pub(crate) struct Planning {
    planner: UpdatePlanner,
    record: CRecord,
    entropy: CEntropy,
    /// The record does not say yet what was decided.
    unsaved: bool,
}

impl Storage for iotsec_planner_t {
    type Kept = ();
    type Value = Planning;
    const KIND: u32 = 0x506C_6E31;
}

/// Starts a planner, at every boot, at `uptime_ms` since then. `record` and `entropy` are copied. The record is the owner's
/// and goes with them: `iotsec_device_record()` makes one, or `iotsec_store_record()` of `IOTSEC_DOMAIN_USER`. `policy` may be
/// null for the default, which knows no end of support.
///
/// `IOTSEC_ERR_POLICY_POLICY` for more than 100 per cent of battery; `IOTSEC_ERR_POLICY_RANDOM` without random numbers; and
/// what `record` says when it cannot be read. One that is damaged is as good as a new owner's, and updates are automatic.
/// Writes nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_planner_open(
    planner: *mut iotsec_planner_t,
    record: *const iotsec_record_t,
    entropy: *const iotsec_entropy_t,
    policy: *const iotsec_update_policy_t,
    uptime_ms: u64,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        let mut record = CRecord::new(argument::sized(record)?)?;
        let mut entropy = CEntropy::new(argument::sized(entropy)?)?;
        let (policy, mode) = policy_of(policy)?;
        object::start(planner, (), |()| {
            let choices = match record.kept::<{ Choices::LEN }>()? {
                Kept::Absent => Choices::new(mode),
                Kept::There(bytes) => Choices::decode(&bytes).unwrap_or(Choices::DEFAULT),
                Kept::Damaged => Choices::DEFAULT,
            };
            Ok(Planning {
                planner: UpdatePlanner::start(policy, choices, Millis(uptime_ms), &mut entropy)?,
                record,
                entropy,
                unsaved: false,
            })
        })
    })
}

/// Writes to `step` what to do now. To be called when the time that it named has come, and whenever something changes: an
/// answer, a battery that was charged, a device that is not in use any more. Each step but `IOTSEC_PLANNER_WAIT` is said once,
/// and the planner then waits to be told what came of it.
///
/// `IOTSEC_ERR_POLICY_CLOCK` when the uptime runs backwards. A record that cannot be saved keeps nobody from being told or
/// from an update: it is said in `saved`, and saved by the next call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_planner_next(
    planner: *mut iotsec_planner_t,
    conditions: *const iotsec_conditions_t,
    uptime_ms: u64,
    step: *mut iotsec_planner_step_t,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        let conditions = conditions_of(&argument::sized(conditions)?)?;
        let out = argument::out(step)?;
        object::enter(planner, |planning| {
            let step: Step = planning.planner.next(Millis(uptime_ms), &conditions)?;
            let saved = status(|| planning.save());
            out.set(step_to_c(&step, saved)?);
            Ok(())
        })
    })
}

/// Tells what a check came to, `IOTSEC_CHECK_*`, at `uptime_ms`, unless there is an update: then `iotsec_planner_found()`.
///
/// `IOTSEC_ERR_POLICY_STATE` unless a check was asked for.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_planner_checked(
    planner: *mut iotsec_planner_t,
    check: iotsec_check_t,
    uptime_ms: u64,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        let checked = match check {
            IOTSEC_CHECK_FAILED => Checked::Failed,
            IOTSEC_CHECK_UP_TO_DATE => Checked::UpToDate,
            _ => return Err(CallError::Config.into()),
        };
        object::enter(planner, |planning| planning.checked(checked, uptime_ms))
    })
}

/// Tells that a check has found an update which `iotsec_update_inspect()` admits, at `uptime_ms`. `offer` is copied. What was
/// decided about another update does not count for it, but the time for which the owner has put off updates does.
///
/// `IOTSEC_ERR_POLICY_STATE` unless a check was asked for. With an error of the record the update counts as found, and the
/// next call saves it; so it is with all that follow.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_planner_found(
    planner: *mut iotsec_planner_t,
    offer: *const iotsec_offer_t,
    uptime_ms: u64,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        let offer = offer_of(&argument::sized(offer)?)?;
        object::enter(planner, |planning| {
            planning.checked(Checked::Found(offer), uptime_ms)
        })
    })
}

/// Tells what the owner says, `IOTSEC_DECISION_*`, at `uptime_ms`; `postpone_ms` is for how long, with
/// `IOTSEC_DECISION_POSTPONE`, else 0. Whether it is the owner who says so is for the caller to know.
///
/// `IOTSEC_ERR_POLICY_STATE` when there is no update to decide about, which `_AUTOMATIC` and `_ASK` do not need;
/// `IOTSEC_ERR_POLICY_POSTPONEMENT` for longer than the policy allows in all. One write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_planner_decide(
    planner: *mut iotsec_planner_t,
    decision: iotsec_decision_t,
    postpone_ms: u64,
    uptime_ms: u64,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        let decision = match (decision, postpone_ms) {
            (IOTSEC_DECISION_POSTPONE, time) => Decision::Postpone(Millis(time)),
            (IOTSEC_DECISION_INSTALL, 0) => Decision::Install,
            (IOTSEC_DECISION_DECLINE, 0) => Decision::Decline,
            (IOTSEC_DECISION_AUTOMATIC, 0) => Decision::Mode(Mode::Automatic),
            (IOTSEC_DECISION_ASK, 0) => Decision::Mode(Mode::Ask),
            _ => return Err(CallError::Config.into()),
        };
        object::enter(planner, |planning| {
            planning.planner.decide(Millis(uptime_ms), decision)?;
            planning.save()
        })
    })
}

/// Tells that the update is installed, before the reboot that tries it: what was decided is done with. One write.
///
/// `IOTSEC_ERR_POLICY_STATE` unless one was to be installed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_planner_installed(
    planner: *mut iotsec_planner_t,
    uptime_ms: u64,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        object::enter(planner, |planning| {
            let Planning { planner, entropy, .. } = planning;
            planner.installed(Millis(uptime_ms), entropy)?;
            planning.save()
        })
    })
}

/// Tells that the download or the installation failed: it is tried again after a pause, which grows each time.
///
/// `IOTSEC_ERR_POLICY_STATE` unless one was to be installed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_planner_failed(
    planner: *mut iotsec_planner_t,
    uptime_ms: u64,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        object::enter(planner, |planning| {
            let Planning { planner, entropy, .. } = planning;
            planner.failed(Millis(uptime_ms), entropy)?;
            planning.save()
        })
    })
}

/// Tells that the server's answer, or the download, was lost with the connection: as if it had not been asked for, and no
/// failure. Does nothing where nothing was asked for.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_planner_interrupted(
    planner: *mut iotsec_planner_t,
    uptime_ms: u64,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        object::enter(planner, |planning| {
            planning.planner.interrupted(Millis(uptime_ms));
            planning.save()
        })
    })
}

/// Writes to `result` how it stands, for a screen, and for `iotsec_security_status()`. Changes nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_planner_status(
    planner: *mut iotsec_planner_t,
    conditions: *const iotsec_conditions_t,
    uptime_ms: u64,
    result: *mut iotsec_planner_status_t,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        let conditions = conditions_of(&argument::sized(conditions)?)?;
        let result = argument::out(result)?;
        object::enter(planner, |Planning { planner, .. }| {
            let standing = planner.status(Millis(uptime_ms), &conditions);
            result.set(status_to_c(&standing, planner.choices().mode)?);
            Ok(())
        })
    })
}

/// Ends a planner. The record stays; the storage may be used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_planner_close(planner: *mut iotsec_planner_t) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe { object::end(planner) })
}

impl Planning {
    fn checked(&mut self, checked: Checked, uptime_ms: u64) -> Result<(), Status> {
        self.planner
            .checked(Millis(uptime_ms), checked, &mut self.entropy)?;
        self.save()
    }

    /// Saves what was decided since it was saved last.
    fn save(&mut self) -> Result<(), Status> {
        self.unsaved |= self.planner.take_changed();
        if self.unsaved {
            self.record.save(&self.planner.choices().encode())?;
            self.unsaved = false;
        }
        Ok(())
    }
}
