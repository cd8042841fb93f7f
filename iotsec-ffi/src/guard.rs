//! What a device does about what its detectors find.

mod policy;

use core::ffi::c_char;

use iotsec::{
    core::{
        credential::{Attempt, Authenticated},
        hal::Millis,
    },
    telemetry::{
        detect::{Change, GUARD_RECORD_LEN, Guard, Mode},
        registry::{Class, EventDef},
    },
};

use self::policy::Laid;
pub use self::policy::*;
use crate::{
    argument,
    detect::{iotsec_detected_t, write_finding},
    device::{self, iotsec_device_t, iotsec_owner_t},
    login::{self, iotsec_login_t},
    object::{self, Storage},
    record::{CRecord, Kept, iotsec_record_t},
    status::{Status, iotsec_status_t, status},
};

/// Words of 8 bytes that a guard takes.
pub const IOTSEC_GUARD_WORDS: usize = 48;

/// Collects what all detectors find and says which mode the device should be in (EN 303 645, provision 5.7-2), in the
/// caller's storage. Start it by `iotsec_guard_open()`, end it by `iotsec_guard_close()`.
///
/// An event that has a reaction raises the mode, and nothing but quiet or the owner lowers it. After each return by quiet
/// the next takes twice as long, up to a day. The mode survives a reboot; the time of quiet begins anew with it.
///
/// Power loss: the mode of the last record that was saved. A record that is missing is a new device, in normal mode; one
/// that is damaged counts as least connectivity.
#[repr(C)]
pub struct iotsec_guard_t {
    opaque: [u64; IOTSEC_GUARD_WORDS],
}

/// What lives in an [`iotsec_guard_t`].
pub(crate) struct Guarding {
    guard: Guard,
    record: CRecord,
    /// A change that is not saved yet, and not told.
    untold: Option<Change>,
}

impl Storage for iotsec_guard_t {
    type Kept = Laid;
    type Value = Guarding;
    const KIND: u32 = 0x4775_6131;
}

/// What a device does and leaves. Larger is less.
pub type iotsec_mode_t = i32;

/// All that it is for.
pub const IOTSEC_MODE_NORMAL: iotsec_mode_t = 0;
/// What it is for, as far as that needs nobody else: it talks only to those who can be alarmed and can repair it. Give 1 as
/// `least` to `iotsec_surface_may_listen()` and its like.
pub const IOTSEC_MODE_LEAST_CONNECTIVITY: iotsec_mode_t = 1;
/// Only what is safe whatever the software does, and what is needed to repair it; that is least connectivity too.
pub const IOTSEC_MODE_SAFE: iotsec_mode_t = 2;

/// How a guard stands. A struct that the library fills never grows.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct iotsec_guard_status_t {
    /// The mode the device should be in: `IOTSEC_MODE_*`.
    pub mode: iotsec_mode_t,
    /// The number of the event that brought it there: `IOTSEC_DETECTED_MODE` if the stored record was damaged, 0 in normal
    /// mode.
    pub cause: u32,
}

const _: () = assert!(size_of::<iotsec_guard_status_t>() == 8);

/// Starts the guard, at every boot, at `uptime_ms` since then, in the mode of its record. `record` is copied;
/// `iotsec_device_guard_record()` makes one, and so does `iotsec_store_record()` of `IOTSEC_DOMAIN_DEVICE`: a new owner does
/// not bring a device back from least connectivity. `policy` may be null for the one that `iotsec_guard_policy_t` describes.
///
/// `IOTSEC_ERR_POLICY_COUNT`, `_ORDER` and `_QUIET` say what is wrong with a policy. Writes nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_guard_open(
    guard: *mut iotsec_guard_t,
    record: *const iotsec_record_t,
    policy: *const iotsec_guard_policy_t,
    uptime_ms: u64,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let mut record = CRecord::new(argument::sized(record)?)?;
            let laid = Laid::new(policy)?;
            object::start(guard, laid, |laid| {
                let policy = laid.policy()?;
                let kept = match record.kept::<GUARD_RECORD_LEN>()? {
                    Kept::Absent => None,
                    Kept::There(bytes) => Some(bytes),
                    // Zeros are not as written.
                    Kept::Damaged => Some([0; GUARD_RECORD_LEN]),
                };
                Ok(Guarding {
                    guard: Guard::started(policy, kept.as_ref(), Millis(uptime_ms)),
                    record,
                    untold: None,
                })
            })
        }
    })
}

/// Takes note that `event` was found, one of `IOTSEC_DETECTED_*` or of the product's own, at `uptime_ms`. If that changes
/// the mode, the record is saved, `found` gets `IOTSEC_DETECTED_MODE` to be reported, and the device must do as the mode
/// says; else `found` gets no event.
///
/// When the record cannot be saved, the mode is in force until the next boot all the same, and the next call of this or of
/// `iotsec_guard_tend()` saves it and tells. Power loss: the mode before or this one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_guard_note(
    guard: *mut iotsec_guard_t,
    event: u16,
    uptime_ms: u64,
    found: *mut iotsec_detected_t,
) -> iotsec_status_t {
    // A guard looks at the number alone.
    let event = EventDef::new(event, "noted", Class::Critical, "", &[]);
    // SAFETY: the caller's word, see the README.
    status(|| unsafe { step(guard, found, |guard| guard.note(&event, Millis(uptime_ms))) })
}

/// To be called every few minutes. `is_alarmed` is 1 while one of the detectors is alarmed whose event has a reaction, as
/// `iotsec_detector_status()` says, else 0: they report ever more rarely what goes on, so silence alone is no quiet. `found`
/// and the record are as in `iotsec_guard_note()`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_guard_tend(
    guard: *mut iotsec_guard_t,
    is_alarmed: i32,
    uptime_ms: u64,
    found: *mut iotsec_detected_t,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        let is_alarmed = is_alarmed != 0;
        step(guard, found, |guard| guard.tend(is_alarmed, Millis(uptime_ms)))
    })
}

/// The owner says that all is well: `guard` goes back to normal mode. `owner` is what `iotsec_device_login()` gave, and is used
/// up. `found` and the record are as in `iotsec_guard_note()`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_device_release_guard(
    device: *mut iotsec_device_t,
    owner: iotsec_owner_t,
    guard: *mut iotsec_guard_t,
    uptime_ms: u64,
    found: *mut iotsec_detected_t,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        argument::out(found)?;
        object::somewhere(device)?;
        // No proof is used up for a guard that is not there. The device is left again before the record, which may be in
        // it, is saved.
        object::enter(guard, |_| Ok(()))?;
        let proof = device::spend_owner(device, owner)?;
        released(guard, proof, uptime_ms, found)
    })
}

/// The same for a device without an `iotsec_device_t`: takes one guess at the password that its owner chose, as
/// `iotsec_login_attempt_text()` does, with `text_len` bytes of UTF-8 in `text`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_login_release_guard(
    login: *mut iotsec_login_t,
    guard: *mut iotsec_guard_t,
    text: *const c_char,
    text_len: usize,
    uptime_ms: u64,
    found: *mut iotsec_detected_t,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        let text = argument::text(text, text_len)?;
        argument::out(found)?;
        object::somewhere(login)?;
        object::enter(guard, |_| Ok(()))?;
        let proof = login::proof(login, &Attempt::from_text(text)?, Millis(uptime_ms))?;
        released(guard, proof, uptime_ms, found)
    })
}

/// The mode that the device should be in, and what brought it there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_guard_status(
    guard: *mut iotsec_guard_t,
    result: *mut iotsec_guard_status_t,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let result = argument::out(result)?;
            object::enter(guard, |guarding| {
                result.set(iotsec_guard_status_t {
                    mode: match guarding.guard.mode() {
                        Mode::Normal => IOTSEC_MODE_NORMAL,
                        Mode::LeastConnectivity => IOTSEC_MODE_LEAST_CONNECTIVITY,
                        Mode::Safe => IOTSEC_MODE_SAFE,
                    },
                    cause: guarding.guard.cause().into(),
                });
                Ok(())
            })
        }
    })
}

/// Ends a guard. The mode stays in its record; the storage may be used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_guard_close(guard: *mut iotsec_guard_t) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe { object::end(guard) })
}

/// # Safety
/// As [`step`].
unsafe fn released(
    guard: *mut iotsec_guard_t,
    proof: Authenticated,
    uptime_ms: u64,
    found: *mut iotsec_detected_t,
) -> Result<(), Status> {
    // SAFETY: the caller's word, passed on.
    unsafe { step(guard, found, |guard| guard.release(proof, Millis(uptime_ms))) }
}

/// Lets `work` move the guard; what changed is saved, and told once it is.
///
/// # Safety
/// As [`object::enter`] and [`argument::out`].
unsafe fn step(
    guard: *mut iotsec_guard_t,
    found: *mut iotsec_detected_t,
    work: impl FnOnce(&mut Guard) -> Option<Change>,
) -> Result<(), Status> {
    // SAFETY: the caller's word, passed on.
    unsafe {
        let found = argument::out(found)?;
        object::enter(guard, |guarding| {
            if let Some(change) = work(&mut guarding.guard) {
                guarding.untold = Some(change);
            }
            if guarding.untold.is_some() {
                guarding.record.save(&guarding.guard.record())?;
            }
            let change = guarding.untold.take();
            write_finding(found, change.map(|change| change.finding()).as_ref());
            Ok(())
        })
    }
}
