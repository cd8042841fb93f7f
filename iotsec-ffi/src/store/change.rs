//! Several changes at once, values that are stored for good, and room that is divided.

use iotsec::store::{KeyDomain, KeyId};

use super::{IOTSEC_DOMAIN_DEVICE, IOTSEC_DOMAIN_USER, iotsec_domain_t, iotsec_store_t, key_of};
use crate::{
    argument, object,
    record::iotsec_key_id_t,
    status::{CallError, Status, iotsec_status_t, status},
};

/// What a change does.
pub type iotsec_change_kind_t = i32;

/// Stores a value, as `iotsec_store_put()`.
pub const IOTSEC_CHANGE_PUT: iotsec_change_kind_t = 1;
/// Stores a value for good, as `iotsec_store_put_once()`.
pub const IOTSEC_CHANGE_PUT_ONCE: iotsec_change_kind_t = 2;
/// Removes a value, as `iotsec_store_remove()`.
pub const IOTSEC_CHANGE_REMOVE: iotsec_change_kind_t = 3;

/// One of the changes that `iotsec_store_apply()` makes together.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct iotsec_change_t {
    /// What is changed.
    pub key: iotsec_key_id_t,
    /// `IOTSEC_CHANGE_*`.
    pub kind: iotsec_change_kind_t,
    /// Zero.
    pub reserved: u32,
    /// The value; null for a removal. Used during the call only.
    pub bytes: *const u8,
    /// Bytes of the value; 0 for a removal.
    pub len: usize,
}

/// Makes `count` changes together or not at all, in their order: a later one of the same key counts. Nobody sees one of
/// them before all are written.
///
/// One write for each change and one more; old and new values need room side by side until then, in flash and in the
/// index: one entry for each change. A count of 0 changes nothing, and `changes` may then be null.
///
/// What is wrong with the list itself (a null value, a kind or key that there is not, a removal with a value) is refused
/// before anything is written. `IOTSEC_ERR_STORE_NOT_FOUND` for a removal of what is not there, `_WRITE_ONCE`, `_FULL`,
/// `_LIMIT`, `_INDEX_FULL`, `_VALUE_TOO_LONG`: none of the changes has happened.
///
/// Power loss at any moment leaves all of the changes or none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_store_apply(
    store: *mut iotsec_store_t,
    changes: *const iotsec_change_t,
    count: usize,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let changes = argument::slice(changes, count)?;
            for change in changes {
                read(change)?;
            }
            object::enter(store, |mounted| {
                let (store, flash, _) = mounted.parts();
                let mut transaction = store.transaction();
                for change in changes {
                    match read(change)? {
                        (key, Change::Put(value)) => transaction.put(flash, key, value)?,
                        (key, Change::PutOnce(value)) => transaction.put_once(flash, key, value)?,
                        (key, Change::Remove) => transaction.remove(flash, key)?,
                    }
                }
                Ok(transaction.commit(flash)?)
            })
        }
    })
}

/// A change, checked.
enum Change<'a> {
    Put(&'a [u8]),
    PutOnce(&'a [u8]),
    Remove,
}

/// # Safety
/// `bytes` of the change as in [`argument::bytes`].
unsafe fn read<'a>(change: &iotsec_change_t) -> Result<(KeyId, Change<'a>), Status> {
    let key = key_of(change.key)?;
    argument::zero(change.reserved)?;
    // SAFETY: the caller's word, passed on.
    let value = || unsafe { argument::bytes(change.bytes, change.len) };
    let change = match change.kind {
        IOTSEC_CHANGE_PUT => Change::Put(value()?),
        IOTSEC_CHANGE_PUT_ONCE => Change::PutOnce(value()?),
        IOTSEC_CHANGE_REMOVE if change.bytes.is_null() && change.len == 0 => Change::Remove,
        _ => return Err(CallError::Config.into()),
    };
    Ok((key, change))
}

/// Stores `len` bytes under `key` for good, such as a serial number or a calibration: they can be neither replaced nor
/// removed, and go only with their domain.
///
/// `IOTSEC_ERR_STORE_WRITE_ONCE` when there is such a value; from then on `iotsec_store_put()` and
/// `iotsec_store_remove()` of this key return it too. What `iotsec_store_put()` stored before is replaced.
///
/// Power loss leaves what was there or the value.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_store_put_once(
    store: *mut iotsec_store_t,
    key: iotsec_key_id_t,
    bytes: *const u8,
    len: usize,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let bytes = argument::bytes(bytes, len)?;
            object::enter(store, |mounted| {
                let (store, flash, _) = mounted.parts();
                Ok(store.put_once(flash, key_of(key)?, bytes)?)
            })
        }
    })
}

/// No limit, for `iotsec_store_set_limit()`.
pub const IOTSEC_STORE_NO_LIMIT: u32 = u32::MAX;

/// Lets the records of a domain take at most `bytes` of flash, so that one part of the firmware, or whoever fills it from
/// outside, leaves the other its room. A value takes its length, 24 bytes, and what fills up its last word; a counter 16.
/// What is there already stays. `IOTSEC_STORE_NO_LIMIT` lifts the limit, and is what holds after mounting: set it at every
/// boot. Writes nothing.
///
/// A write beyond it returns `IOTSEC_ERR_STORE_LIMIT`; removing always works. `IOTSEC_ERR_CONFIG` for another domain.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_store_set_limit(
    store: *mut iotsec_store_t,
    domain: iotsec_domain_t,
    bytes: u32,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        let domain = match domain {
            IOTSEC_DOMAIN_DEVICE => KeyDomain::Device,
            IOTSEC_DOMAIN_USER => KeyDomain::User,
            _ => return Err(CallError::Config.into()),
        };
        object::enter(store, |mounted| {
            let limit = Some(bytes).filter(|bytes| *bytes != IOTSEC_STORE_NO_LIMIT);
            mounted.parts().0.set_limit(domain, limit);
            Ok(())
        })
    })
}
