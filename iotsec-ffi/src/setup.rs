//! Setting a device up: from the code on its label to an owner with a password of their own.
#![allow(clippy::result_large_err, reason = "the device must come back")]

use core::ffi::c_char;

use iotsec::{
    core::{
        credential::{Attempt, Iterations, UserPassword},
        hal::{Millis, UnixTime},
    },
    setup::{Actor, IdentityReport, NetworkReport, Plan, Reason, Setup, SetupStatus, Step, UpdateReport},
};

use crate::{
    argument,
    device::{CSetup, Life, advance, iotsec_device_t, moment},
    login::{CPresence, iotsec_presence_t},
    object,
    password::{IOTSEC_CONTEXT_MAX, context_words, exposure_of, iotsec_exposure_t},
    status::{CallError, Status, iotsec_status_t, status},
};

/// Which steps a product has: a constant of its firmware, and no choice of whoever talks to the device.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct iotsec_setup_plan_t {
    /// `sizeof(iotsec_setup_plan_t)`.
    pub struct_size: u32,
    /// 1 for a product that joins a network, and so learns the time and looks for updates before it has an owner; else 0.
    pub online: i32,
    /// 1 for a product that authenticates to a service; 1 needs `online`. Else 0.
    pub identity: i32,
    /// Zero.
    pub reserved: u32,
    /// When the firmware was made, in seconds since 1970-01-01 UTC: no time before it is believed.
    pub made_s: u64,
}

/// A step of the set-up.
pub type iotsec_setup_step_t = i32;

/// Somebody shows the code of the label.
pub const IOTSEC_SETUP_PAIRING: iotsec_setup_step_t = 1;
/// The network is given and joined.
pub const IOTSEC_SETUP_NETWORK: iotsec_setup_step_t = 2;
/// The time is learned.
pub const IOTSEC_SETUP_TIME: iotsec_setup_step_t = 3;
/// The first look for updates found nothing newer.
pub const IOTSEC_SETUP_UPDATE: iotsec_setup_step_t = 4;
/// The service has accepted the device's identity.
pub const IOTSEC_SETUP_IDENTITY: iotsec_setup_step_t = 5;
/// The owner chooses a password.
pub const IOTSEC_SETUP_OWNER: iotsec_setup_step_t = 6;

/// What came of something that the device does by itself.
pub type iotsec_report_t = i32;

/// The network is joined.
pub const IOTSEC_REPORT_NETWORK_JOINED: iotsec_report_t = 10;
/// It did not take the password.
pub const IOTSEC_REPORT_NETWORK_REFUSED: iotsec_report_t = 11;
/// It is not there, or too far away.
pub const IOTSEC_REPORT_NETWORK_ABSENT: iotsec_report_t = 12;
/// It was joined and is not any more.
pub const IOTSEC_REPORT_NETWORK_LOST: iotsec_report_t = 13;
/// What runs is the newest there is, according to a source that was authenticated.
pub const IOTSEC_REPORT_UPDATE_CURRENT: iotsec_report_t = 20;
/// There is a newer one, which is being installed. The device will restart.
pub const IOTSEC_REPORT_UPDATE_INSTALLING: iotsec_report_t = 21;
/// Nobody answered.
pub const IOTSEC_REPORT_UPDATE_UNREACHABLE: iotsec_report_t = 22;
/// What was offered is not what the maker signed for this device.
pub const IOTSEC_REPORT_UPDATE_REFUSED: iotsec_report_t = 23;
/// The service, itself authenticated, answered to something that only an authenticated device may ask.
pub const IOTSEC_REPORT_IDENTITY_ACCEPTED: iotsec_report_t = 30;
/// It does not know this device, or no longer.
pub const IOTSEC_REPORT_IDENTITY_REFUSED: iotsec_report_t = 31;
/// Nobody answered, or somebody who could not be authenticated.
pub const IOTSEC_REPORT_IDENTITY_UNREACHABLE: iotsec_report_t = 32;

/// Where a set-up stands. A struct that the library fills never grows.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct iotsec_setup_status_t {
    /// The step that comes next: `IOTSEC_SETUP_*`.
    pub step: iotsec_setup_step_t,
    /// Why it stands there: a number that never changes, and 70 when the device has an owner.
    /// `iotsec_setup_status_json()` has its name, its text and what helps.
    pub reason: u32,
    /// 1 when the owner has to do something, 0 when the device has.
    pub owner_acts: i32,
    /// How often the owner still has to decide something.
    pub decisions: u32,
    /// Until the next code is taken.
    pub wait_ms: u64,
}

const _: () = assert!(size_of::<iotsec_setup_status_t>() == 24);

/// Bytes of the longest text of `iotsec_setup_status_json()`.
pub const IOTSEC_SETUP_JSON_MAX: usize = 640;

const _: () = assert!(IOTSEC_SETUP_JSON_MAX == SetupStatus::MAX_JSON_LEN);

/// Begins to set a device up, or goes on where the power went: at every boot in which it is
/// `IOTSEC_DEVICE_PROVISIONED`. `plan` is copied.
///
/// Then ask `iotsec_setup_status()` for what comes next, do it, and report it; the order is that of the steps. Writes no
/// flash.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_setup_begin(
    device: *mut iotsec_device_t,
    plan: *const iotsec_setup_plan_t,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let plan = plan_of(&argument::sized(plan)?)?;
            object::enter(device, |held| {
                advance(&mut held.life, |device| Setup::begin(device, plan))
            })
        }
    })
}

/// Takes the code of the label as proof that somebody has it: `label_len` bytes in `label`, as it was typed, at `uptime_ms`
/// since this boot. The proof ends with the boot, by `iotsec_setup_leave()`, or with the claim.
///
/// `IOTSEC_ERR_LABEL_*` is a slip of the hand, which the check symbol shows, and costs no guess;
/// `IOTSEC_ERR_LOGIN_REFUSED` is a wrong code; `IOTSEC_ERR_THROTTLE_WAIT` and `_LOCKED` mean that no guess was taken. The
/// count is saved before the comparison, so power loss costs a guess and never gives one away.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_setup_present_label(
    device: *mut iotsec_device_t,
    label: *const c_char,
    label_len: usize,
    uptime_ms: u64,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let label = argument::text(label, label_len)?;
            with_setup(device, |setup| {
                let attempt = Attempt::from_label(label)?;
                Ok(setup.present_label(&attempt, Millis(uptime_ms))?)
            })
        }
    })
}

/// Forgets that somebody has shown the label: for when the conversation with them ends. What they gave stays.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_setup_leave(device: *mut iotsec_device_t) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        with_setup(device, |setup| {
            setup.leave();
            Ok(())
        })
    })
}

/// Stores which network to join, in the product's own words: `len` bytes, 1 to `IOTSEC_NETWORK_MAX`. For Wi-Fi that is
/// what its QR code says. `iotsec_device_network()` reads it.
///
/// `IOTSEC_ERR_SETUP_NOT_YET` unless somebody has shown the label in this boot. Power loss leaves the network before or
/// this one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_setup_give_network(
    device: *mut iotsec_device_t,
    network: *const u8,
    len: usize,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let network = argument::bytes(network, len)?;
            with_setup(device, |setup| Ok(setup.give_network(network)?))
        }
    })
}

/// Says what came of joining the network, of looking for updates, or of authenticating to the service:
/// `IOTSEC_REPORT_*`. Trouble leaves the step where it is, and the status says what helps.
///
/// `IOTSEC_ERR_SETUP_NOT_YET` when another step comes first; `IOTSEC_ERR_SETUP_NO_STEP` when the plan has no such step.
/// Power loss: the step is done or not; that the network is joined is to be said again at each boot.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_setup_report(
    device: *mut iotsec_device_t,
    report: iotsec_report_t,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        with_setup(device, |setup| {
            match report {
                IOTSEC_REPORT_NETWORK_JOINED => setup.report_network(NetworkReport::Joined)?,
                IOTSEC_REPORT_NETWORK_REFUSED => setup.report_network(NetworkReport::Refused)?,
                IOTSEC_REPORT_NETWORK_ABSENT => setup.report_network(NetworkReport::Absent)?,
                IOTSEC_REPORT_NETWORK_LOST => setup.report_network(NetworkReport::Lost)?,
                IOTSEC_REPORT_UPDATE_CURRENT => setup.report_update(UpdateReport::Current)?,
                IOTSEC_REPORT_UPDATE_INSTALLING => setup.report_update(UpdateReport::Installing)?,
                IOTSEC_REPORT_UPDATE_UNREACHABLE => setup.report_update(UpdateReport::Unreachable)?,
                IOTSEC_REPORT_UPDATE_REFUSED => setup.report_update(UpdateReport::Refused)?,
                IOTSEC_REPORT_IDENTITY_ACCEPTED => setup.report_identity(IdentityReport::Accepted)?,
                IOTSEC_REPORT_IDENTITY_REFUSED => setup.report_identity(IdentityReport::Refused)?,
                IOTSEC_REPORT_IDENTITY_UNREACHABLE => setup.report_identity(IdentityReport::Unreachable)?,
                _ => return Err(CallError::Config.into()),
            }
            Ok(())
        })
    })
}

/// Says what time it is, in seconds since 1970-01-01 UTC, from a source that the product trusts.
/// `IOTSEC_ERR_SETUP_TIME` for one before the firmware was made. Writes no flash: it is to be said again at each boot.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_setup_set_time(device: *mut iotsec_device_t, time_s: u64) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe { with_setup(device, |setup| Ok(setup.set_time(UnixTime(time_s))?)) })
}

/// Forgets everything that was given, the network above all, for somebody at the device who is not the one that began.
/// `IOTSEC_ERR_PRESENCE` when `presence` says that nobody is there. `uptime_ms` and `time_s` as in
/// `iotsec_device_reset()`. Power loss: everything is there or nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_setup_restart(
    device: *mut iotsec_device_t,
    presence: *const iotsec_presence_t,
    uptime_ms: u64,
    time_s: u64,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let presence = CPresence::new(presence)?;
            with_setup(device, |setup| {
                Ok(setup.restart(presence.unlock()?, moment(uptime_ms, time_s))?)
            })
        }
    })
}

/// Says where the set-up stands at `uptime_ms` since this boot. Writes nothing to flash.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_setup_status(
    device: *mut iotsec_device_t,
    uptime_ms: u64,
    result: *mut iotsec_setup_status_t,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let result = argument::out(result)?;
            with_setup(device, |setup| {
                let status = setup.status(Millis(uptime_ms))?;
                let reason = status.reason();
                result.set(iotsec_setup_status_t {
                    step: step_to_c(reason.step()),
                    reason: reason.number().into(),
                    owner_acts: i32::from(acts(reason)),
                    decisions: status.decisions_left().into(),
                    wait_ms: status.wait().0,
                });
                Ok(())
            })
        }
    })
}

/// Writes where the set-up stands as JSON, for a set-up page or an app: the same document as in Rust and in the maker's
/// tools. `json` holds `size` bytes, `len` gets the length, `IOTSEC_SETUP_JSON_MAX` at most. Nothing personal is in it, and
/// no secret.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_setup_status_json(
    device: *mut iotsec_device_t,
    uptime_ms: u64,
    json: *mut c_char,
    size: usize,
    len: *mut usize,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let out = argument::buffer(json.cast(), size, len)?;
            with_setup(device, |setup| {
                let status = setup.status(Millis(uptime_ms))?;
                out.write(|text| status.write_json(text))
            })
        }
    })
}

/// Makes whoever showed the label the owner, with the password that they chose: from here on the code of the label opens
/// nothing. The parameters are those of `iotsec_password_choose()`.
///
/// `IOTSEC_ERR_SETUP_NOT_YET` when another step comes first. `IOTSEC_ERR_PASSWORD_*` says which rule refused the password,
/// and may be shown to the person; the proof stays. After a failure of store or entropy the label is to be shown again.
/// Power loss: the device has an owner and their password, or neither. From `IOTSEC_DEVICE_PROVISIONED` to
/// `IOTSEC_DEVICE_OWNED`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_setup_claim(
    device: *mut iotsec_device_t,
    exposure: iotsec_exposure_t,
    iterations: u32,
    password: *const c_char,
    password_len: usize,
    context: *const *const c_char,
    context_count: usize,
) -> iotsec_status_t {
    status(|| {
        let mut words = [""; IOTSEC_CONTEXT_MAX];
        // SAFETY: the caller's word, see the README.
        unsafe {
            let password = argument::text(password, password_len)?;
            let words = context_words(context, context_count, &mut words)?;
            object::enter(device, |held| {
                if !matches!(held.life, Life::Setup(_)) {
                    return Err(CallError::State.into());
                }
                let password = UserPassword::new(password, exposure_of(exposure)?, words)?;
                let iterations = Iterations::new(iterations)?;
                advance(&mut held.life, |setup: CSetup| {
                    setup.ready()?.claim(&password, iterations)
                })
            })
        }
    })
}

/// # Safety
/// As [`object::enter`].
pub(crate) unsafe fn with_setup<R>(
    device: *mut iotsec_device_t,
    work: impl FnOnce(&mut CSetup) -> Result<R, Status>,
) -> Result<R, Status> {
    // SAFETY: the caller's word, passed on.
    unsafe {
        object::enter(device, |held| match &mut held.life {
            Life::Setup(setup) => work(setup),
            _ => Err(CallError::State.into()),
        })
    }
}

fn plan_of(plan: &iotsec_setup_plan_t) -> Result<Plan, Status> {
    argument::zero(plan.reserved)?;
    match (plan.online, plan.identity) {
        (1, 1) => Ok(Plan::online(UnixTime(plan.made_s))),
        (1, 0) => Ok(Plan::online(UnixTime(plan.made_s)).without_identity()),
        (0, 0) => Ok(Plan::local()),
        _ => Err(CallError::Config.into()),
    }
}

const fn step_to_c(step: Step) -> iotsec_setup_step_t {
    match step {
        Step::Pairing => IOTSEC_SETUP_PAIRING,
        Step::Network => IOTSEC_SETUP_NETWORK,
        Step::Time => IOTSEC_SETUP_TIME,
        Step::Update => IOTSEC_SETUP_UPDATE,
        Step::Identity => IOTSEC_SETUP_IDENTITY,
        Step::Owner => IOTSEC_SETUP_OWNER,
    }
}

fn acts(reason: Reason) -> bool {
    reason.action().actor() == Actor::Owner
}
