//! Whether a device is set up securely, and still is.

use core::ffi::c_char;

use iotsec::{
    core::hal::{DebugState, Millis},
    status::{Check, Finding, Observed, SecurityStatus, Verdict},
    update::{
        SequenceNumber,
        boot::Connectivity,
        install::ManifestId,
        policy::{Hold, Importance, Mode, Offer, Status as Updates},
    },
};

use crate::{
    argument,
    attest::{IOTSEC_DEBUG_AUTHENTICATED, IOTSEC_DEBUG_CLOSED, IOTSEC_DEBUG_OPEN, iotsec_debug_t},
    device::iotsec_device_t,
    object,
    status::{CallError, Status, iotsec_status_t, status},
};

/// Checks of a security status: as many findings there are.
pub const IOTSEC_CHECKS: usize = 9;
/// Bytes of the longest text of `iotsec_security_status_json()`.
pub const IOTSEC_SECURITY_JSON_MAX: usize = 2560;

const _: () = assert!(IOTSEC_CHECKS == Check::ALL.len());
const _: () = assert!(IOTSEC_SECURITY_JSON_MAX == SecurityStatus::MAX_JSON_LEN);

/// How serious a finding is. Larger is worse.
pub type iotsec_verdict_t = i32;

/// As it should be.
pub const IOTSEC_VERDICT_PASS: iotsec_verdict_t = 0;
/// Secure, and could be better.
pub const IOTSEC_VERDICT_WARN: iotsec_verdict_t = 1;
/// Something must be done.
pub const IOTSEC_VERDICT_FAIL: iotsec_verdict_t = 2;

/// What is known of updates.
pub type iotsec_observed_updates_t = i32;

/// The device does not look for updates.
pub const IOTSEC_OBSERVED_UPDATES_UNWATCHED: iotsec_observed_updates_t = 0;
/// Nothing is known to be available, or it is being installed.
pub const IOTSEC_OBSERVED_UPDATES_CURRENT: iotsec_observed_updates_t = 1;
/// There is one, and it waits.
pub const IOTSEC_OBSERVED_UPDATES_WAITING: iotsec_observed_updates_t = 2;
/// There is one that closes a hole, and the owner declined it.
pub const IOTSEC_OBSERVED_UPDATES_DECLINED: iotsec_observed_updates_t = 3;
/// There is one that closes a hole which is being used, and it waits.
pub const IOTSEC_OBSERVED_UPDATES_URGENT: iotsec_observed_updates_t = 4;

/// What is known of the software that runs.
pub type iotsec_observed_software_t = i32;

/// It is not measured while it runs.
pub const IOTSEC_OBSERVED_SOFTWARE_UNMEASURED: iotsec_observed_software_t = 0;
/// It is what was signed.
pub const IOTSEC_OBSERVED_SOFTWARE_INTACT: iotsec_observed_software_t = 1;
/// It was changed.
pub const IOTSEC_OBSERVED_SOFTWARE_CHANGED: iotsec_observed_software_t = 2;

/// What the application knows and the device does not. All zero but for the size stands for nothing known; `undeclared`
/// is -1 then.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct iotsec_observed_t {
    /// `sizeof(iotsec_observed_t)`.
    pub struct_size: u32,
    /// `IOTSEC_OBSERVED_SOFTWARE_*`; while `iotsec_integrity_least()` gives 1, `_CHANGED`.
    pub software: iotsec_observed_software_t,
    /// `IOTSEC_OBSERVED_UPDATES_*`: `observed` of `iotsec_planner_status_t`.
    pub updates: iotsec_observed_updates_t,
    /// 1 when the owner is asked about each update, 0 when they are installed without asking.
    pub updates_ask: i32,
    /// Sockets that are open and should not be, as `iotsec_surface_audit()` counts them, at most 65 535; -1 when nobody
    /// looked. 0 where nothing opens that is not declared.
    pub undeclared: i32,
    /// `IOTSEC_DEBUG_*`, or 0 when nobody looked.
    pub debug: iotsec_debug_t,
    /// The end of the support period that was published for the product, in seconds since 1970-01-01 UTC; 0 for none.
    pub support_until_s: u64,
    /// Trusted time, in seconds since 1970-01-01 UTC, or 0 without one.
    pub time_s: u64,
}

/// What a check ended in. The texts are UTF-8 without a final zero and live as long as the program. A struct that the
/// library fills never grows.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct iotsec_finding_t {
    /// The guideline that the check belongs to, by its number in the Code of Practice for Consumer IoT Security: 1 to 13.
    pub guideline: u32,
    /// `IOTSEC_VERDICT_*`.
    pub verdict: iotsec_verdict_t,
    /// The provision of EN 303 645, as `5.1-1`.
    pub provision: *const c_char,
    /// Bytes of `provision`.
    pub provision_len: usize,
    /// What was found, as a name that never changes: `password-chosen`.
    pub id: *const c_char,
    /// Bytes of `id`.
    pub id_len: usize,
    /// What was found, in one English sentence.
    pub text: *const c_char,
    /// Bytes of `text`.
    pub text_len: usize,
    /// What helps, or null where nothing has to.
    pub remedy: *const c_char,
    /// Bytes of `remedy`.
    pub remedy_len: usize,
}

/// Looks at everything once, at `uptime_ms` since this boot, and writes one finding for each check to `findings`, which
/// has room for `count`; `len` gets their number, `IOTSEC_CHECKS`. `verdict` gets the worst of all verdicts. Writes no
/// flash. Belongs to `IOTSEC_DEVICE_OWNED`.
///
/// Looked at are password and guesses (guideline 1), updates and support (3), the store (4), what listens and the debug
/// port (6), the software (7) and the places of personal data (11); `iotsec_observed_t` brings what only the application
/// knows. The other guidelines are for what a device does, and not for what it can find out by looking at itself.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_security_status(
    device: *mut iotsec_device_t,
    observed: *const iotsec_observed_t,
    uptime_ms: u64,
    findings: *mut iotsec_finding_t,
    count: usize,
    len: *mut usize,
    verdict: *mut iotsec_verdict_t,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let observed = argument::sized(observed)?;
            let findings = argument::array(findings, count, len)?;
            let verdict = argument::out(verdict)?;
            object::enter(device, |held| {
                let status = held
                    .owned()?
                    .security_status(&observed_of(&observed)?, Millis(uptime_ms))?;
                findings.write(IOTSEC_CHECKS, status.findings().map(finding_to_c))?;
                verdict.set(verdict_to_c(status.verdict()));
                Ok(())
            })
        }
    })
}

/// The same as JSON, for a page or an app: the document that Rust and the maker's tools write. `json` holds `size` bytes,
/// `len` gets the length, `IOTSEC_SECURITY_JSON_MAX` at most. Nothing personal is in it, and no secret.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_security_status_json(
    device: *mut iotsec_device_t,
    observed: *const iotsec_observed_t,
    uptime_ms: u64,
    json: *mut c_char,
    size: usize,
    len: *mut usize,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let observed = argument::sized(observed)?;
            let out = argument::buffer(json.cast(), size, len)?;
            object::enter(device, |held| {
                let status = held
                    .owned()?
                    .security_status(&observed_of(&observed)?, Millis(uptime_ms))?;
                out.write(|text| status.write_json(text))
            })
        }
    })
}

fn observed_of(given: &iotsec_observed_t) -> Result<Observed, Status> {
    Ok(Observed {
        integrity: match given.software {
            IOTSEC_OBSERVED_SOFTWARE_UNMEASURED => None,
            IOTSEC_OBSERVED_SOFTWARE_INTACT => Some(Connectivity::Full),
            IOTSEC_OBSERVED_SOFTWARE_CHANGED => Some(Connectivity::Least),
            _ => return Err(CallError::Config.into()),
        },
        updates: match given.updates {
            IOTSEC_OBSERVED_UPDATES_UNWATCHED => None,
            IOTSEC_OBSERVED_UPDATES_CURRENT => Some(Updates::Checking),
            IOTSEC_OBSERVED_UPDATES_WAITING => Some(waiting(Importance::Routine, Hold::Owner)),
            IOTSEC_OBSERVED_UPDATES_DECLINED => Some(waiting(Importance::Security, Hold::Declined)),
            IOTSEC_OBSERVED_UPDATES_URGENT => Some(waiting(Importance::Urgent, Hold::Owner)),
            _ => return Err(CallError::Config.into()),
        },
        mode: match given.updates_ask {
            0 => Mode::Automatic,
            1 => Mode::Ask,
            _ => return Err(CallError::Config.into()),
        },
        support_until: argument::time(given.support_until_s),
        time: argument::time(given.time_s),
        undeclared: match given.undeclared {
            -1 => None,
            count => Some(u16::try_from(count).map_err(|_| CallError::Config)?),
        },
        debug_port: match given.debug {
            0 => None,
            IOTSEC_DEBUG_OPEN => Some(DebugState::Open),
            IOTSEC_DEBUG_AUTHENTICATED => Some(DebugState::Authenticated),
            IOTSEC_DEBUG_CLOSED => Some(DebugState::Closed),
            _ => return Err(CallError::Config.into()),
        },
    })
}

/// An update of which nothing matters here but how much it does, and what it waits for.
const fn waiting(importance: Importance, hold: Hold) -> Updates {
    let offer = Offer {
        manifest: ManifestId {
            sequence: SequenceNumber(0),
            digest: [0; 32],
        },
        importance,
        away: Millis(0),
    };
    Updates::Available(offer, hold)
}

fn finding_to_c(finding: Finding) -> iotsec_finding_t {
    let check = finding.check();
    let (provision, id, text) = (check.provision(), finding.id(), finding.text());
    let remedy = finding.remedy();
    iotsec_finding_t {
        guideline: check.guideline().number().into(),
        verdict: verdict_to_c(finding.verdict()),
        provision: provision.as_ptr().cast(),
        provision_len: provision.len(),
        id: id.as_ptr().cast(),
        id_len: id.len(),
        text: text.as_ptr().cast(),
        text_len: text.len(),
        remedy: remedy.map_or(core::ptr::null(), |remedy| remedy.as_ptr().cast()),
        remedy_len: remedy.map_or(0, str::len),
    }
}

const fn verdict_to_c(verdict: Verdict) -> iotsec_verdict_t {
    match verdict {
        Verdict::Pass => IOTSEC_VERDICT_PASS,
        Verdict::Warn => IOTSEC_VERDICT_WARN,
        Verdict::Fail => IOTSEC_VERDICT_FAIL,
    }
}
