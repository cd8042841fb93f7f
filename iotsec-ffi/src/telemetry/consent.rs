//! The owner's answers.

use iotsec::core::hal::UnixTime;
use iotsec::telemetry::{
    consent::{Answer, Consent, ConsentPurpose, Health, Usage},
    spool::Purge,
};

use super::{
    Telemetry, iotsec_telemetry_t,
    registry::{IOTSEC_PURPOSE_HEALTH, IOTSEC_PURPOSE_USAGE, iotsec_purpose_t},
};
use crate::{
    argument, object,
    status::{CallError, Status, iotsec_status_t, status},
};

/// What an owner has answered.
pub type iotsec_answer_t = i32;

/// Nothing yet, which is off.
pub const IOTSEC_ANSWER_NONE: iotsec_answer_t = 0;
/// On.
pub const IOTSEC_ANSWER_GRANTED: iotsec_answer_t = 1;
/// Off, by declining or withdrawing.
pub const IOTSEC_ANSWER_WITHDRAWN: iotsec_answer_t = 2;

/// What an owner has said about one purpose. A struct that the library fills never grows.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct iotsec_consent_t {
    /// `IOTSEC_ANSWER_*`.
    pub answer: iotsec_answer_t,
    /// The version of the text that the owner agreed to; 0 before that.
    pub text_version: u32,
    /// When the answer was given, in seconds since 1970; 0 where the device had no time, or there is no answer.
    pub time_s: u64,
}

const _: () = assert!(size_of::<iotsec_consent_t>() == 16);

/// What the owner has answered for `purpose`, `IOTSEC_PURPOSE_HEALTH` or `IOTSEC_PURPOSE_USAGE`. A record that is missing,
/// unreadable or not exactly as written reads as `IOTSEC_ANSWER_NONE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_telemetry_consent(
    telemetry: *mut iotsec_telemetry_t,
    purpose: iotsec_purpose_t,
    consent: *mut iotsec_consent_t,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let out = argument::out(consent)?;
            object::enter(telemetry, |telemetry| {
                let consent = match purpose {
                    IOTSEC_PURPOSE_HEALTH => telemetry.consents.answer::<Health>(),
                    IOTSEC_PURPOSE_USAGE => telemetry.consents.answer::<Usage>(),
                    _ => return Err(CallError::Config.into()),
                };
                out.set(to_c(consent));
                Ok(())
            })
        }
    })
}

/// Turns `purpose` on, once the owner has agreed to version `text_version` of the text, at `time_s` (seconds since 1970;
/// 0 where the device has no time). A key for what waits is drawn and kept with the owner's records. A grant over a
/// grant begins anew: what waits of the one before is not sent; call `iotsec_telemetry_purge_step()` until it is done.
///
/// Power loss: until the answer is stored, the purpose stays as it was; what waited of a grant before may be
/// unreadable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_telemetry_grant(
    telemetry: *mut iotsec_telemetry_t,
    purpose: iotsec_purpose_t,
    text_version: u32,
    time_s: u64,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            object::enter(telemetry, |telemetry| match purpose {
                IOTSEC_PURPOSE_HEALTH => grant::<Health>(telemetry, text_version, argument::time(time_s)),
                IOTSEC_PURPOSE_USAGE => grant::<Usage>(telemetry, text_version, argument::time(time_s)),
                _ => Err(CallError::Config.into()),
            })
        }
    })
}

/// Turns `purpose` off, at `time_s` as above; also how a refusal is kept. Its events are forgotten in memory at once, and
/// then the key that they are stored under. Bytes of a batch that was made before are the caller's to drop. Then call
/// `iotsec_telemetry_purge_step()` until it is done: the pages are erased too. What was sent under a pseudonym is due for
/// deletion from here on: `iotsec_telemetry_deletion_request()`.
///
/// When storing the answer fails, the purpose is off until the next boot all the same. Repeat until it succeeds, and
/// only then tell the owner.
///
/// Power loss: before the answer is stored, the purpose is on again after the next boot. After it, opening and purging
/// finish the rest.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_telemetry_withdraw(
    telemetry: *mut iotsec_telemetry_t,
    purpose: iotsec_purpose_t,
    time_s: u64,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            object::enter(telemetry, |telemetry| match purpose {
                IOTSEC_PURPOSE_HEALTH => withdraw::<Health>(telemetry, argument::time(time_s)),
                IOTSEC_PURPOSE_USAGE => withdraw::<Usage>(telemetry, argument::time(time_s)),
                _ => Err(CallError::Config.into()),
            })
        }
    })
}

/// Looks at one more page, and erases it if it may hold something of a grant that has ended. Writes 1 to `done` when
/// nothing of one is left in flash, and 0 as long as it must be called again. To be called until then after opening,
/// granting and withdrawing: no batch is made before.
///
/// Power loss: call it again after opening; the flash says what is left to do.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_telemetry_purge_step(
    telemetry: *mut iotsec_telemetry_t,
    done: *mut i32,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let done = argument::out(done)?;
            object::enter(telemetry, |telemetry| {
                let purge = telemetry
                    .spool
                    .purge_step(&mut telemetry.flash, &telemetry.consents)?;
                done.set(i32::from(purge == Purge::Done));
                Ok(())
            })
        }
    })
}

fn grant<P: ConsentPurpose>(
    telemetry: &mut Telemetry,
    text_version: u32,
    at: Option<UnixTime>,
) -> Result<(), Status> {
    // The key first: there is no grant without one.
    let key = telemetry
        .records
        .draw_key_of(P::PURPOSE, &mut telemetry.entropy)?;
    telemetry
        .consents
        .grant::<P>(text_version, at, &mut telemetry.records)?;
    let (flash, consents) = (&mut telemetry.flash, &telemetry.consents);
    Ok(telemetry.spool.unlock::<P>(flash, consents, &key)?)
}

fn withdraw<P: ConsentPurpose>(telemetry: &mut Telemetry, at: Option<UnixTime>) -> Result<(), Status> {
    let (consents, records) = (&mut telemetry.consents, &mut telemetry.records);
    telemetry.spool.withdraw::<P>(consents, at, records)?;
    records.forget_key_of(P::PURPOSE)
}

/// What opening does for a purpose: the key of one that is on, and none for one that was turned off.
pub(super) fn resume<P: ConsentPurpose>(telemetry: &mut Telemetry) -> Result<(), Status> {
    let records = telemetry.records;
    match telemetry.consents.answer::<P>().answer() {
        Answer::Granted => {
            let key = records.key_of(P::PURPOSE, &mut telemetry.entropy)?;
            let (flash, consents) = (&mut telemetry.flash, &telemetry.consents);
            Ok(telemetry.spool.unlock::<P>(flash, consents, &key)?)
        }
        Answer::Withdrawn => records.forget_key_of(P::PURPOSE),
        // A record that is damaged ends nothing.
        Answer::None => Ok(()),
    }
}

fn to_c(consent: &Consent) -> iotsec_consent_t {
    iotsec_consent_t {
        answer: match consent.answer() {
            Answer::None => IOTSEC_ANSWER_NONE,
            Answer::Granted => IOTSEC_ANSWER_GRANTED,
            Answer::Withdrawn => IOTSEC_ANSWER_WITHDRAWN,
        },
        text_version: consent.text_version(),
        time_s: consent.at().map_or(0, |at| at.0),
    }
}
