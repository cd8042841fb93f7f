//! How a key comes into the store, and how it ends.

use super::{
    ALL, IOTSEC_KEY_LEN, NOTHING, iotsec_key_spec_t, iotsec_key_t, key_to_c, secret, spec_of, with_key,
    with_keys,
};
use crate::{
    argument,
    record::iotsec_key_id_t,
    status::{iotsec_status_t, status},
    store::{iotsec_store_t, key_of},
};

/// Draws a key as `spec` says, keeps it in the store, and writes to `key` what stands for it. It never leaves the store
/// unless its usage says so. One write.
///
/// `IOTSEC_ERR_KEY_EXISTS` when there is a value under this name, `_POLICY` when its kind cannot have this usage,
/// `IOTSEC_ERR_CRYPTO_ENTROPY` when the source of randomness is stuck. Power loss: the key is there or it is not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_key_generate(
    store: *mut iotsec_store_t,
    spec: *const iotsec_key_spec_t,
    key: *mut iotsec_key_t,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        let (spec, id, key) = (spec_of(spec)?, argument::copied(spec)?.id, argument::out(key)?);
        with_keys(store, ALL, |keys| {
            let made = keys.ring.generate(keys.flash, spec, keys.entropy)?;
            key.set(key_to_c(id, &made)?);
            Ok(())
        })
    })
}

/// The same with `len` bytes of a key that comes from elsewhere, `IOTSEC_KEY_LEN`; the caller wipes them.
/// `IOTSEC_ERR_KEY_MATERIAL` when they are no key of this kind: another length, out of range, or all equal.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_key_import(
    store: *mut iotsec_store_t,
    spec: *const iotsec_key_spec_t,
    bytes: *const u8,
    len: usize,
    key: *mut iotsec_key_t,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        let (spec, id, key) = (spec_of(spec)?, argument::copied(spec)?.id, argument::out(key)?);
        let bytes = argument::bytes(bytes, len)?;
        with_keys(store, ALL, |keys| {
            let made = keys.ring.import(keys.flash, spec, bytes)?;
            key.set(key_to_c(id, &made)?);
            Ok(())
        })
    })
}

/// Finds the key of this name, as after a reboot. `IOTSEC_ERR_STORE_NOT_FOUND` when there is none, `IOTSEC_ERR_KEY_*` when
/// the value is no key. Writes nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_key_open(
    store: *mut iotsec_store_t,
    id: iotsec_key_id_t,
    key: *mut iotsec_key_t,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        let key = argument::out(key)?;
        with_keys(store, NOTHING, |keys| {
            let found = keys.ring.open(keys.flash, key_of(id)?)?;
            key.set(key_to_c(id, &found)?);
            Ok(())
        })
    })
}

/// Reads a key that has `IOTSEC_KEY_USAGE_EXPORT` into `bytes`, which holds `size`, and writes its length to `len`:
/// `IOTSEC_KEY_LEN`. Wipe it after use. `IOTSEC_ERR_KEY_USAGE` for any other key.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_key_export(
    store: *mut iotsec_store_t,
    key: *const iotsec_key_t,
    bytes: *mut u8,
    size: usize,
    len: *mut usize,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        let out = argument::buffer(bytes, size, len)?;
        with_key(store, key, NOTHING, |keys, handle| {
            let out = out.at_least(IOTSEC_KEY_LEN)?;
            let mut bytes = secret();
            keys.ring.export(keys.flash, &handle, &mut bytes)?;
            out.copy(bytes.expose())
        })
    })
}

/// Draws the next key of the same name, kind and usage, and writes to `next` what stands for it. The key before it stays,
/// for verifying and decrypting only: `iotsec_key_previous()`, until `iotsec_key_retire()`. One write.
///
/// `IOTSEC_ERR_KEY_NOT_RETIRED` when there is one before `key` still. Power loss: the key is turned or it is not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_key_rotate(
    store: *mut iotsec_store_t,
    key: *const iotsec_key_t,
    next: *mut iotsec_key_t,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        let next = argument::out(next)?;
        with_key(store, key, ALL, |keys, handle| {
            let turned = keys.ring.rotate(keys.flash, handle, keys.entropy)?;
            next.set(key_to_c(argument::copied(key)?.id, &turned)?);
            Ok(())
        })
    })
}

/// The key before `key`, for what was signed or encrypted with it. `IOTSEC_ERR_KEY_NO_PREVIOUS` when there is none. Writes
/// nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_key_previous(
    store: *mut iotsec_store_t,
    key: *const iotsec_key_t,
    previous: *mut iotsec_key_t,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        let previous = argument::out(previous)?;
        with_key(store, key, NOTHING, |keys, handle| {
            let before = keys.ring.previous(keys.flash, &handle)?;
            previous.set(key_to_c(argument::copied(key)?.id, &before)?);
            Ok(())
        })
    })
}

/// Forgets the key before `key`. One write. Power loss: it is there or it is not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_key_retire(
    store: *mut iotsec_store_t,
    key: *const iotsec_key_t,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        with_key(store, key, NOTHING, |keys, handle| {
            Ok(keys.ring.retire(keys.flash, &handle)?)
        })
    })
}

/// Removes a key from the store. What is left of it in flash is ciphertext, until its page is used again. Power loss: the key is
/// there or it is not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_key_destroy(
    store: *mut iotsec_store_t,
    key: *const iotsec_key_t,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        with_key(store, key, NOTHING, |keys, handle| {
            Ok(keys.ring.destroy(keys.flash, handle)?)
        })
    })
}
