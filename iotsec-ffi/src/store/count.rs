//! Numbers that count up.

use super::{iotsec_store_t, key_of};
use crate::{
    argument, object,
    record::iotsec_key_id_t,
    status::{iotsec_status_t, status},
};

/// Counts up the number under `key` by one and writes it to `number`; the first time, 1. For boots, tries, sequence numbers.
/// Takes 16 bytes of flash, where a value of 4 takes 28.
///
/// It is as safe as the store: what an attacker gains who puts yesterday's flash back, `iotsec_counter_t` takes from them.
///
/// `IOTSEC_ERR_STORE_NOT_COUNTER` when a value is stored under `key`, `IOTSEC_ERR_STORE_EXHAUSTED` after 2^32 - 1,
/// `IOTSEC_ERR_STORE_TAMPERED` when flash does not hold what was counted; `number` is then as it was.
///
/// Power loss leaves the old number or the new one, and never one below a number that was written to `number`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_store_increment(
    store: *mut iotsec_store_t,
    key: iotsec_key_id_t,
    number: *mut u32,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let number = argument::out(number)?;
            object::enter(store, |mounted| {
                let (store, flash, _) = mounted.parts();
                number.set(store.increment(flash, key_of(key)?)?);
                Ok(())
            })
        }
    })
}

/// Writes the number under `key` to `number`: 0 when it was never counted up. Writes nothing to flash.
/// `IOTSEC_ERR_STORE_NOT_COUNTER` when a value is stored under `key`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_store_count(
    store: *mut iotsec_store_t,
    key: iotsec_key_id_t,
    number: *mut u32,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let number = argument::out(number)?;
            object::enter(store, |mounted| {
                let (store, flash, _) = mounted.parts();
                number.set(store.count(flash, key_of(key)?)?);
                Ok(())
            })
        }
    })
}
