use iotsec_ffi::{
    record::iotsec_record_t,
    status::{IOTSEC_OK, iotsec_status_t},
    store::*,
};

use super::{Step, call_back, filled, number_call, on_copy, plain_call};
use crate::{Input, guarded::Guarded, world::World};

/// Few keys, so that they meet; and one that no key is.
pub(super) fn key(input: &mut Input<'_>) -> u64 {
    match input.byte() {
        255 => u64::MAX,
        byte => u64::from(byte >> 4 & 1) << 32 | 1 << 16 | u64::from(byte & 3),
    }
}

pub(super) fn open(
    world: &mut World,
    how: unsafe extern "C" fn(*mut iotsec_store_t, *const iotsec_store_config_t) -> iotsec_status_t,
) -> iotsec_status_t {
    let config = world.store_config();
    // SAFETY: everything in the configuration outlives the object; here and below, pointers are to live values that
    // nobody else uses, as large as the length beside them says.
    unsafe { how(world.store.at(), &raw const config) }
}

/// Reads or writes a record of the store, as a function does that was given it.
pub(super) fn through(record: &iotsec_record_t, input: &mut Input<'_>) -> iotsec_status_t {
    let (load, save) = (record.load.expect("one"), record.save.expect("one"));
    let piece = input.piece();
    if piece.is_empty() {
        let mut out = Guarded::new(64);
        let (at, len) = (out.at(), out.len());
        // SAFETY: as above.
        let status = unsafe { load(record.ctx, record.id, at, 64, len) };
        out.judge(status);
        // A record that is not there is no status.
        return status.max(IOTSEC_OK);
    }
    // SAFETY: as above.
    unsafe { save(record.ctx, record.id, piece.as_ptr(), piece.len()) }
}

pub(super) const STEPS: &[(&str, Step)] = &[
    ("iotsec_store_format", |world, _| open(world, iotsec_store_format)),
    ("iotsec_store_mount", |world, _| open(world, iotsec_store_mount)),
    ("iotsec_store_put", |world, input| {
        let (key, value) = (key(input), input.piece());
        // SAFETY: as above.
        unsafe { iotsec_store_put(world.store.at(), key, value.as_ptr(), value.len()) }
    }),
    ("iotsec_store_get", |world, input| {
        let (key, at) = (key(input), world.store.at());
        // SAFETY: as above.
        filled(input, |out, size, len| unsafe {
            iotsec_store_get(at, key, out, size, len)
        })
        .0
    }),
    ("iotsec_store_remove", |world, input| {
        // SAFETY: as above.
        unsafe { iotsec_store_remove(world.store.at(), key(input)) }
    }),
    plain_call!(store, iotsec_store_erase_user),
    plain_call!(store, iotsec_store_begin_scrub),
    number_call!(store, iotsec_store_scrub_step),
    ("iotsec_store_record", |world, input| {
        let mut record = std::mem::MaybeUninit::uninit();
        // SAFETY: as above.
        let status = unsafe { iotsec_store_record(world.store.at(), key(input), record.as_mut_ptr()) };
        if status != IOTSEC_OK {
            return status;
        }
        // SAFETY: a success has written it.
        through(unsafe { record.assume_init_ref() }, input)
    }),
    ("iotsec_store_destroy", |world, _| {
        let config = world.store_config();
        // A store that is open must be closed before.
        // SAFETY: as above.
        unsafe {
            iotsec_store_close(world.store.at());
            iotsec_store_destroy(&raw const config.flash, &raw const config.region)
        }
    }),
    plain_call!(store, iotsec_store_close),
    ("a copy of a store", |world, input| {
        let (copy, key) = (world.store.copied(), key(input));
        // SAFETY: as above.
        on_copy(|| unsafe { iotsec_store_remove(copy, key) })
    }),
    ("a store that is called back", |world, input| {
        let at = world.store.at();
        call_back(
            world,
            // SAFETY: as above.
            |store| unsafe { iotsec_store_erase_user(store.cast()) },
            at.cast(),
        );
        let key = key(input);
        // SAFETY: as above.
        let status = filled(input, |out, size, len| unsafe {
            iotsec_store_get(at, key, out, size, len)
        })
        .0;
        world.board().call_back = None;
        status
    }),
];
