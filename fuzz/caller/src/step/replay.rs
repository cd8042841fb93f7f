//! Yesterday's flash, put back under a store.

use iotsec_ffi::{
    status::{IOTSEC_ERR_STORE_ROLLED_BACK, IOTSEC_OK, iotsec_status_t},
    store::*,
};

use super::{
    Step,
    store::{key, open},
};
use crate::world::World;

/// Mounts, writes what is new today, and closes.
fn day(world: &mut World, key: u64, value: &[u8], number: u8) -> iotsec_status_t {
    let value = [value, &[number]].concat();
    let at = world.store.at();
    let status = open(world, iotsec_store_mount);
    if status != IOTSEC_OK {
        return status;
    }
    // SAFETY: pointers are to live values that nobody else uses, as large as the length beside them says.
    let (put, closed) = unsafe {
        (
            iotsec_store_put(at, key, value.as_ptr(), value.len()),
            iotsec_store_close(at),
        )
    };
    assert_eq!(closed, IOTSEC_OK);
    put
}

pub(super) const STEPS: &[(&str, Step)] = &[
    ("a counter for the store", |world, _| {
        world.store_counts = true;
        IOTSEC_OK
    }),
    ("yesterday's flash", |world, input| {
        let (key, value) = (key(input), input.piece());
        // SAFETY: as above. One that is not open is refused.
        unsafe { iotsec_store_close(world.store.at()) };
        let place = world.store_place();
        let first = day(world, key, value, 1);
        let yesterday = world.board().flash.image()[place.clone()].to_vec();
        let second = day(world, key, value, 2);
        if first != IOTSEC_OK || second != IOTSEC_OK {
            return first.max(second);
        }
        let today = world.board().flash.image()[place].to_vec();
        world.board().flash.tamper(0, &yesterday);
        let status = open(world, iotsec_store_mount);
        // SAFETY: as above.
        unsafe { iotsec_store_close(world.store.at()) };
        world.board().flash.tamper(0, &today);
        assert!(
            !world.store_counts || status != IOTSEC_OK,
            "yesterday's flash is taken for today's"
        );
        match status {
            IOTSEC_ERR_STORE_ROLLED_BACK => IOTSEC_OK,
            // Nobody who has no counter can know.
            status => status,
        }
    }),
];
