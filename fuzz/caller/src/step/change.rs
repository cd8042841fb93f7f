//! Changes of the store that belong together, values for good, numbers and limits.

use std::ptr;

use iotsec_ffi::{
    status::{IOTSEC_OK, iotsec_status_t},
    store::{change::*, count::*, iotsec_store_t},
};

use super::{Step, store::key};
use crate::{Input, world::World};

fn counted(
    world: &World,
    input: &mut Input<'_>,
    how: unsafe extern "C" fn(*mut iotsec_store_t, u64, *mut u32) -> iotsec_status_t,
) -> iotsec_status_t {
    const UNTOUCHED: u32 = 0x5EED_5EED;
    let mut number = UNTOUCHED;
    // SAFETY: pointers are to live values that nobody else uses, as large as the length beside them says; here and below.
    let status = unsafe { how(world.store.at(), key(input), &raw mut number) };
    assert_eq!(number == UNTOUCHED, status != IOTSEC_OK);
    status
}

pub(super) const STEPS: &[(&str, Step)] = &[
    ("iotsec_store_apply", |world, input| {
        let mut changes = Vec::new();
        for _ in 0..input.byte() % 6 {
            let (kind, key, value) = (input.number(), key(input), input.piece());
            changes.push(iotsec_change_t {
                key,
                kind,
                reserved: 0,
                bytes: if value.is_empty() && kind == IOTSEC_CHANGE_REMOVE {
                    ptr::null()
                } else {
                    value.as_ptr()
                },
                len: value.len(),
            });
        }
        // SAFETY: as above.
        unsafe { iotsec_store_apply(world.store.at(), changes.as_ptr(), changes.len()) }
    }),
    ("iotsec_store_put_once", |world, input| {
        let (key, value) = (key(input), input.piece());
        // SAFETY: as above.
        unsafe { iotsec_store_put_once(world.store.at(), key, value.as_ptr(), value.len()) }
    }),
    ("iotsec_store_set_limit", |world, input| {
        let (domain, bytes) = (u32::from(input.byte()), input.wide());
        let bytes = u32::try_from(bytes).unwrap_or(IOTSEC_STORE_NO_LIMIT);
        // SAFETY: as above.
        unsafe { iotsec_store_set_limit(world.store.at(), domain, bytes) }
    }),
    ("iotsec_store_increment", |world, input| {
        counted(world, input, iotsec_store_increment)
    }),
    ("iotsec_store_count", |world, input| {
        counted(world, input, iotsec_store_count)
    }),
];
