//! Giving a device up: reset, transfer, retirement, and the receipts for them.

use core::ffi::c_char;

use iotsec::{
    core::{
        credential::Attempt,
        crypto::{Ed25519SigningKey, Sha256},
        hal::Millis,
        secret::Secret,
    },
    device::{Orphaned, Owned, Signing},
    erase::Erased,
    store::Scrub,
};

use super::{Life, Unit, advance, iotsec_device_t, iotsec_owner_t, moment};
use crate::{
    argument,
    erased::nonce_of,
    login::{CPresence, iotsec_presence_t},
    object,
    status::{CallError, iotsec_status_t, status},
};

/// Erases everything that belongs to the owner: factory erase. The identity of the device stays, and it can be claimed
/// again with the code of its label. Then call `iotsec_device_scrub_step()` until it is done.
///
/// `owner` is what `iotsec_device_login()` gave, and is used up, also when the call fails. `uptime_ms` since this boot and
/// `time_s`, trusted time in seconds since 1970-01-01 UTC, are for the receipt, and 0 where they are not known.
///
/// Power loss: the owner's data are all there, or gone. An erasure that has begun is finished by the next
/// `iotsec_device_open()`. From `IOTSEC_DEVICE_OWNED` to `IOTSEC_DEVICE_PROVISIONED`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_device_reset(
    device: *mut iotsec_device_t,
    owner: iotsec_owner_t,
    uptime_ms: u64,
    time_s: u64,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        object::enter(device, |held| {
            let proof = held.spend_owner(owner)?;
            advance(&mut held.life, |device: Unit<Owned>| {
                device.reset_at(proof, moment(uptime_ms, time_s))
            })
        })
    })
}

/// `iotsec_device_reset()` for a device that gets another owner: from here on it is claimed with the code that
/// `iotsec_device_draw_code()` drew, and no longer with what the owner before knows. Show that code to whoever gets the
/// device before this call.
///
/// `IOTSEC_ERR_STATE` without such a code; `IOTSEC_ERR_STORE_FULL`, where `iotsec_device_reset()` still works. After a
/// failure log in and call it again: the code stays drawn. Power loss: everything is as it was, or the data are gone and
/// the code is the new one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_device_transfer(
    device: *mut iotsec_device_t,
    owner: iotsec_owner_t,
    uptime_ms: u64,
    time_s: u64,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        object::enter(device, |held| {
            if held.code.is_none() {
                return Err(CallError::State.into());
            }
            let proof = held.spend_owner(owner)?;
            let code = held.code.as_ref().ok_or(CallError::State)?;
            advance(&mut held.life, |device: Unit<Owned>| {
                device.transfer(proof, code, moment(uptime_ms, time_s))
            })?;
            held.code = None;
            Ok(())
        })
    })
}

/// Takes the device out of service: erases the owner's data and every secret of the device. Then call
/// `iotsec_device_scrub_step()` until it is done. The receipt is signed before the key that signs it is destroyed;
/// `iotsec_device_receipt()` reads it then.
///
/// `owner`, `uptime_ms` and `time_s` are as in `iotsec_device_reset()`; `nonce`, `nonce_len` bytes, is what the requester
/// of the receipt gave, 8 to 64 bytes, or null with 0.
///
/// Power loss: the device is in service, or retired and finishes in `iotsec_device_scrub_step()` after the next boot. From
/// `IOTSEC_DEVICE_OWNED` to `IOTSEC_DEVICE_RETIRED`, and there is no way back.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_device_retire(
    device: *mut iotsec_device_t,
    owner: iotsec_owner_t,
    uptime_ms: u64,
    time_s: u64,
    nonce: *const u8,
    nonce_len: usize,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let nonce = nonce_of(nonce, nonce_len)?;
            object::enter(device, |held| {
                let proof = held.spend_owner(owner)?;
                let (mut hash, when) = (Sha256::new(), moment(uptime_ms, time_s));
                advance(&mut held.life, |device: Unit<Owned>| {
                    device.retire_with_receipt(proof, when, nonce, signing(&mut hash))
                })
            })
        }
    })
}

/// Gives up the data of an owner that cannot be read any more, for whoever knows the code of the label: `label_len` bytes
/// in `label`, at `uptime_ms` since this boot. The password that the owner chose is lost with the rest, so it cannot be
/// asked for. Then call `iotsec_device_scrub_step()` until it is done.
///
/// A guess is counted before it is looked at, as in `iotsec_device_login()`. Power loss: the data are still lost, or given
/// up. From `IOTSEC_DEVICE_ORPHANED` to `IOTSEC_DEVICE_PROVISIONED`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_device_give_up(
    device: *mut iotsec_device_t,
    label: *const c_char,
    label_len: usize,
    uptime_ms: u64,
    time_s: u64,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let label = argument::text(label, label_len)?;
            object::enter(device, |held| {
                let attempt = Attempt::from_label(label)?;
                advance(&mut held.life, |device: Unit<Orphaned>| {
                    device.reset_orphan(&attempt, Millis(uptime_ms), moment(uptime_ms, time_s))
                })
            })
        }
    })
}

/// `iotsec_device_give_up()` for somebody who stands before the device, where the label is gone or no guess can be counted
/// any more. To claim the device takes the code of the label all the same. `IOTSEC_ERR_PRESENCE` when nobody is there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_device_give_up_by_presence(
    device: *mut iotsec_device_t,
    presence: *const iotsec_presence_t,
    uptime_ms: u64,
    time_s: u64,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let presence = CPresence::new(presence)?;
            object::enter(device, |held| {
                if !matches!(held.life, Life::Orphaned(_)) {
                    return Err(CallError::State.into());
                }
                let unlock = presence.unlock()?;
                advance(&mut held.life, |device: Unit<Orphaned>| {
                    device.reset_orphan_by_presence(unlock, moment(uptime_ms, time_s))
                })
            })
        }
    })
}

/// Lets `iotsec_device_scrub_step()` remove everything that was replaced or removed up to now. Without it, that stays in
/// flash as ciphertext until its page is used again. The erasures begin it by themselves; for a value that was removed, or
/// a deletion that the service has confirmed, it is to be called.
///
/// Power loss: forgotten; call it again. Belongs to `IOTSEC_DEVICE_PROVISIONED` and `IOTSEC_DEVICE_OWNED`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_device_begin_scrub(device: *mut iotsec_device_t) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        object::enter(device, |held| {
            match &mut held.life {
                Life::Provisioned(device) => device.begin_scrub(),
                Life::Setup(setup) => setup.device_mut().begin_scrub(),
                Life::Owned(device) => device.begin_scrub(),
                _ => return Err(CallError::State.into()),
            }
            Ok(())
        })
    })
}

/// Removes what is left in flash of what was erased, even encrypted, at most a few pages a call. Writes 1 to `done` when
/// nothing is left, and 0 as long as it must be called again. Goes on where it was after a reboot.
///
/// Belongs to every state but `IOTSEC_DEVICE_FACTORY` and `IOTSEC_DEVICE_ORPHANED`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_device_scrub_step(
    device: *mut iotsec_device_t,
    done: *mut i32,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let done = argument::out(done)?;
            object::enter(device, |held| {
                let scrub = match &mut held.life {
                    Life::Provisioned(device) => device.scrub_step()?,
                    Life::Setup(setup) => setup.device_mut().scrub_step()?,
                    Life::Owned(device) => device.scrub_step()?,
                    Life::Retired(device) => device.scrub_step()?,
                    _ => return Err(CallError::State.into()),
                };
                done.set(i32::from(scrub == Scrub::Done));
                Ok(())
            })
        }
    })
}

/// Writes a signed receipt for the newest erasure, in this boot or an earlier one, to `receipt`, which holds `size`;
/// `len` gets its length, `IOTSEC_RECEIPT_MAX` at most. `nonce`, 8 to 64 bytes, is what the requester gave, or null with 0.
/// It is checked by `iotsec_erased_verify()` with the key of the enrolment, or by `iotsec erased verify`.
///
/// It says whether `iotsec_device_scrub_step()` had come to its end: ask for it after that. `IOTSEC_ERR_DEVICE_NOT_ERASED`
/// when nothing was erased. A retired device gives the receipt that was signed then, and looks at no nonce. Writes no
/// flash.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_device_receipt(
    device: *mut iotsec_device_t,
    nonce: *const u8,
    nonce_len: usize,
    receipt: *mut u8,
    size: usize,
    len: *mut usize,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let nonce = nonce_of(nonce, nonce_len)?;
            let out = argument::buffer(receipt, size, len)?;
            object::enter(device, |held| {
                let (mut bytes, mut hash) = ([0; Erased::MAX_LEN], Sha256::new());
                let receipt = match &mut held.life {
                    Life::Provisioned(device) => device.receipt(nonce, signing(&mut hash), &mut bytes)?,
                    Life::Setup(setup) => {
                        setup
                            .device_mut()
                            .receipt(nonce, signing(&mut hash), &mut bytes)?
                    }
                    Life::Owned(device) => device.receipt(nonce, signing(&mut hash), &mut bytes)?,
                    Life::Retired(device) => device.receipt(&mut bytes)?,
                    _ => return Err(CallError::State.into()),
                };
                out.copy(receipt)
            })
        }
    })
}

type MakeKey = fn(&Secret<32>) -> Result<Ed25519SigningKey, iotsec::core::crypto::CryptoError>;

fn signing(hash: &mut Sha256) -> Signing<'_, MakeKey> {
    Signing {
        key: |seed| Ok(Ed25519SigningKey::from_seed(seed)),
        hash,
    }
}
