//! What an owner does with a device: log in, keep things in it.

use core::ffi::{c_char, c_void};

use iotsec::{
    core::{
        credential::{Attempt, Iterations, UserPassword},
        hal::Millis,
        secret::Secret,
    },
    store::StoreError,
};

use super::{Held, Life, in_any_state, iotsec_device_t, iotsec_owner_t};
use crate::{
    argon2id::{Lent, iotsec_argon2id_t},
    argument,
    login::{CPresence, iotsec_login_status_t, iotsec_presence_t},
    object,
    password::{IOTSEC_CONTEXT_MAX, context_words, exposure_of, iotsec_exposure_t},
    record::{iotsec_key_id_t, iotsec_record_t, loaded},
    status::{CallError, iotsec_status_t, status},
    store::key_of,
};

/// Bytes of what is said of a network at most.
pub const IOTSEC_NETWORK_MAX: usize = 256;

/// Takes one guess at the owner's password, `password_len` bytes of UTF-8, at `uptime_ms` since this boot. Writes to
/// `owner` the proof for what only the owner may do; a proof from before is void then.
///
/// `IOTSEC_ERR_LOGIN_REFUSED` is a wrong password. `IOTSEC_ERR_THROTTLE_WAIT` and `_LOCKED` mean that no guess was taken;
/// `iotsec_device_login_status()` says how long to wait.
///
/// The count is saved before the comparison, so that power loss at any moment costs a guess and never gives one away.
/// Belongs to `IOTSEC_DEVICE_OWNED`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_device_login(
    device: *mut iotsec_device_t,
    password: *const c_char,
    password_len: usize,
    uptime_ms: u64,
    owner: *mut iotsec_owner_t,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let (password, owner) = (argument::text(password, password_len)?, argument::out(owner)?);
            object::enter(device, |held| {
                let attempt = Attempt::from_text(password)?;
                let proof = held.owned()?.login(&attempt, Millis(uptime_ms))?;
                owner.set(held.keep_owner(proof)?);
                Ok(())
            })
        }
    })
}

/// The same, and stretches the owner's password anew when that is done differently now: with memory that is lent since, or,
/// if none is, with other `iterations` of PBKDF2. It takes twice as long then. What cannot be stored leaves the password as
/// it was, and the login counts.
///
/// Power loss: a guess that was begun is counted; the same password opens the device in any case. Belongs to
/// `IOTSEC_DEVICE_OWNED`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_device_login_with_rehash(
    device: *mut iotsec_device_t,
    iterations: u32,
    password: *const c_char,
    password_len: usize,
    uptime_ms: u64,
    owner: *mut iotsec_owner_t,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let (password, owner) = (argument::text(password, password_len)?, argument::out(owner)?);
            object::enter(device, |held| {
                let (attempt, iterations) = (Attempt::from_text(password)?, Iterations::new(iterations)?);
                let device = held.owned()?;
                let proof = device.login_with_rehash(&attempt, Millis(uptime_ms), iterations)?;
                owner.set(held.keep_owner(proof)?);
                Ok(())
            })
        }
    })
}

/// Lends memory, until the device is closed, with which passwords are checked that were stretched with Argon2id, and with
/// which those are stretched that are chosen from here on, whatever their `iterations`; see `iotsec_argon2id_t`. To be
/// called once after each `iotsec_device_format()` or `iotsec_device_open()`, before `iotsec_setup_begin()`, and never to be
/// left out again once an owner has such a password: without it a guess ends with `IOTSEC_ERR_CRYPTO_ALGORITHM`, and is not
/// counted. Writes no flash.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_device_lend_argon2id(
    device: *mut iotsec_device_t,
    argon2id: *const iotsec_argon2id_t,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let lent = Lent::new(argon2id)?;
            object::enter(device, |held| {
                if matches!(held.life, Life::Moving | Life::Setup(_)) {
                    return Err(CallError::State.into());
                }
                let place = held.argon2id.take().ok_or(CallError::State)?;
                *place = lent.memory;
                let life = core::mem::replace(&mut held.life, Life::Moving);
                let (life, done) = match life.with_memory_hard(place, lent.cost) {
                    Ok(life) => (life, Ok(())),
                    Err(life) => (life, Err(CallError::State.into())),
                };
                held.life = life;
                done
            })
        }
    })
}

/// Ends what the last login permits.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_device_logout(device: *mut iotsec_device_t) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        object::enter(device, |held| {
            held.owner = None;
            Ok(())
        })
    })
}

/// Says what the next guess at a password, the owner's or the label's, would meet at `uptime_ms` since this boot. Writes
/// nothing to flash.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_device_login_status(
    device: *mut iotsec_device_t,
    uptime_ms: u64,
    result: *mut iotsec_login_status_t,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let result = argument::out(result)?;
            object::enter(device, |held| {
                in_any_state!(&mut held.life, device => {
                    result.set(device.login_status(Millis(uptime_ms))?.into());
                    Ok(())
                })
            })
        }
    })
}

/// Clears the count of guesses for somebody at the device, whatever state its record is in. `IOTSEC_ERR_PRESENCE` when
/// `presence` says that nobody is there. Power loss leaves the old count or none: repeat it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_device_unlock(
    device: *mut iotsec_device_t,
    presence: *const iotsec_presence_t,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let presence = CPresence::new(presence)?;
            object::enter(device, |held| match &mut held.life {
                Life::Provisioned(device) => Ok(device.unlock(presence.unlock()?)?),
                Life::Setup(setup) => Ok(setup.device_mut().unlock(presence.unlock()?)?),
                Life::Owned(device) => Ok(device.unlock(presence.unlock()?)?),
                Life::Orphaned(device) => Ok(device.unlock(presence.unlock()?)?),
                _ => Err(CallError::State.into()),
            })
        }
    })
}

/// Replaces the owner's password. `owner` is what `iotsec_device_login()` gave, and stays good; the rest is as
/// `iotsec_password_choose()` has it.
///
/// `IOTSEC_ERR_PASSWORD_*` says which rule refused it, and may be shown to the person. Power loss leaves the old or the
/// new password. Belongs to `IOTSEC_DEVICE_OWNED`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_device_set_password(
    device: *mut iotsec_device_t,
    owner: iotsec_owner_t,
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
                let (device, proof) = held.with_owner(owner)?;
                let password = UserPassword::new(password, exposure_of(exposure)?, words)?;
                Ok(device.set_password(proof, &password, Iterations::new(iterations)?)?)
            })
        }
    })
}

/// Has the device join another network, in the product's own words: `len` bytes, 1 to `IOTSEC_NETWORK_MAX`. Power loss
/// leaves the network before or this one. Belongs to `IOTSEC_DEVICE_OWNED`; during the set-up it is
/// `iotsec_setup_give_network()`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_device_set_network(
    device: *mut iotsec_device_t,
    owner: iotsec_owner_t,
    network: *const u8,
    len: usize,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let network = argument::bytes(network, len)?;
            object::enter(device, |held| {
                let (device, proof) = held.with_owner(owner)?;
                Ok(device.set_network(proof, network)?)
            })
        }
    })
}

/// Reads the network to join into `network`, which holds `size`, and writes its length to `len`: 0 as long as none was
/// given. It may hold a password: wipe it after use. Belongs to the set-up and to `IOTSEC_DEVICE_OWNED`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_device_network(
    device: *mut iotsec_device_t,
    network: *mut u8,
    size: usize,
    len: *mut usize,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let out = argument::buffer(network, size, len)?;
            object::enter(device, |held| {
                let mut bytes = Secret::<IOTSEC_NETWORK_MAX>::zero();
                let network = match &mut held.life {
                    Life::Setup(setup) => setup.network(bytes.expose_mut())?,
                    Life::Owned(device) => device.network(bytes.expose_mut())?,
                    _ => return Err(CallError::State.into()),
                };
                out.copy(network.unwrap_or_default())
            })
        }
    })
}

/// Stores `len` bytes of the application under `key`, in place of what was there. Namespaces 254 and 255 are the
/// device's own, and refused with `IOTSEC_ERR_DEVICE_RESERVED`.
///
/// What is under `IOTSEC_DOMAIN_USER` goes with the owner, what is under `IOTSEC_DOMAIN_DEVICE` stays until the device is
/// destroyed: `iotsec_device_retire()` does not know the application's values there. Power loss leaves the old value or
/// the new one. Belongs to `IOTSEC_DEVICE_OWNED`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_device_put(
    device: *mut iotsec_device_t,
    key: iotsec_key_id_t,
    bytes: *const u8,
    len: usize,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let bytes = argument::bytes(bytes, len)?;
            object::enter(device, |held| Ok(held.owned()?.put(key_of(key)?, bytes)?))
        }
    })
}

/// Reads the value of the application under `key` into `bytes`, which holds `size`, and writes its length to `len`.
///
/// `IOTSEC_ERR_STORE_NOT_FOUND`; `IOTSEC_ERR_STORE_TAMPERED` when flash does not hold what was stored, and then `bytes`
/// holds nothing of it. Belongs to `IOTSEC_DEVICE_OWNED`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_device_get(
    device: *mut iotsec_device_t,
    key: iotsec_key_id_t,
    bytes: *mut u8,
    size: usize,
    len: *mut usize,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let buffer = argument::buffer(bytes, size, len)?;
            object::enter(device, |held| {
                let (device, key) = (held.owned()?, key_of(key)?);
                let needed = device.value_len(key)?.ok_or(StoreError::NotFound)?;
                buffer.value(needed, |bytes| Ok(device.get(key, bytes)?.len()))
            })
        }
    })
}

/// Removes the value of the application under `key`. Power loss: it is there or it is not; it does not come back later.
/// Belongs to `IOTSEC_DEVICE_OWNED`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_device_remove(
    device: *mut iotsec_device_t,
    key: iotsec_key_id_t,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe { object::enter(device, |held| Ok(held.owned()?.remove(key_of(key)?)?)) })
}

/// Makes an `iotsec_record_t` of the value under `key`, for functions that keep a small record. The device must stay open
/// and where it is as long as the record is used; the record fails in every state but `IOTSEC_DEVICE_OWNED`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_device_record(
    device: *mut iotsec_device_t,
    key: iotsec_key_id_t,
    record: *mut iotsec_record_t,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let record = argument::out(record)?;
            object::enter(device, |held: &mut Held| {
                Ok(held.owned()?.value_len(key_of(key)?).map(|_| ())?)
            })?;
            record.set(iotsec_record_t::new(
                key,
                device.cast(),
                load_record,
                save_record,
            )?);
        }
        Ok(())
    })
}

unsafe extern "C" fn load_record(
    ctx: *mut c_void,
    id: iotsec_key_id_t,
    bytes: *mut u8,
    size: usize,
    len: *mut usize,
) -> iotsec_status_t {
    // SAFETY: `ctx` is the device that `iotsec_device_record` was given, and the rest is the caller's word.
    loaded(unsafe { iotsec_device_get(ctx.cast(), id, bytes, size, len) })
}

unsafe extern "C" fn save_record(
    ctx: *mut c_void,
    id: iotsec_key_id_t,
    bytes: *const u8,
    len: usize,
) -> iotsec_status_t {
    // SAFETY: as in `load_record`.
    unsafe { iotsec_device_put(ctx.cast(), id, bytes, len) }
}
