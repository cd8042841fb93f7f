//! The software that runs, measured again and again.

use std::mem::MaybeUninit;

use iotsec_ffi::{
    boot::integrity::*,
    status::{IOTSEC_OK, iotsec_status_t},
};

use super::{Step, call_back, on_copy, plain_call};
use crate::{Input, is_known, world::World};

/// What an integrity check was told and has said since it was opened.
#[derive(Default)]
pub(crate) struct Watched {
    is_changed: bool,
    /// Why the other image did not start, until it was said.
    refusal: Option<iotsec_status_t>,
}

/// One step, which writes nothing and says no more than was found.
fn step(world: &mut World, budget: u32) -> Result<iotsec_integrity_result_t, iotsec_status_t> {
    let (at, mut step) = (world.integrity.at(), MaybeUninit::uninit());
    let before = world.board().flash.stats();
    // SAFETY: pointers are to live values that nobody else uses, as large as the length beside them says; here and below.
    let status = unsafe { iotsec_integrity_step(at, budget, step.as_mut_ptr()) };
    let used = world.board().flash.stats() - before;
    assert_eq!(
        (used.writes, used.erases),
        (0, 0),
        "an integrity check that writes"
    );
    if status != IOTSEC_OK {
        return Err(status);
    }
    // SAFETY: it was written, as the status says.
    let step: iotsec_integrity_step_t = unsafe { step.assume_init() };
    let watched = &mut world.watched;
    watched.is_changed |= step.result == IOTSEC_INTEGRITY_CHANGED;
    assert_eq!(step.least, i32::from(watched.is_changed));
    assert_eq!(step.component == 0, step.result == IOTSEC_INTEGRITY_CHANGED);
    match watched.refusal.take() {
        Some(refusal) => assert_eq!((step.result, step.cause), (IOTSEC_INTEGRITY_RECOVERED, refusal)),
        None => assert!((IOTSEC_INTEGRITY_MORE..=IOTSEC_INTEGRITY_CHANGED).contains(&step.result)),
    }
    let has_cause = matches!(step.result, IOTSEC_INTEGRITY_CHANGED | IOTSEC_INTEGRITY_RECOVERED);
    assert_eq!(step.cause != IOTSEC_OK, has_cause);
    assert!(step.result == IOTSEC_INTEGRITY_RECOVERED || is_known(step.cause));
    Ok(step.result)
}

fn budget(input: &mut Input<'_>) -> u32 {
    u32::try_from(input.wide()).unwrap_or(u32::MAX)
}

pub(super) const STEPS: &[(&str, Step)] = &[
    ("iotsec_integrity_open", |world, input| {
        let (config, slot) = (world.update_config(), input.number());
        let refusal = i32::try_from(input.wide()).unwrap_or(-1);
        let at = world.integrity.at();
        // SAFETY: as above.
        let status = unsafe { iotsec_integrity_open(at, &raw const config, slot, refusal) };
        if status == IOTSEC_OK {
            world.watched = Watched {
                is_changed: false,
                refusal: (refusal != IOTSEC_OK).then_some(refusal),
            };
        }
        status
    }),
    ("iotsec_integrity_step", |world, input| {
        let budget = budget(input);
        step(world, budget).map_or_else(|status| status, |_| IOTSEC_OK)
    }),
    ("all of iotsec_integrity_step", |world, input| {
        let budget = budget(input);
        for _ in 0..100 {
            match step(world, budget) {
                Ok(IOTSEC_INTEGRITY_MORE) => {}
                Ok(_) => return IOTSEC_OK,
                Err(status) => return status,
            }
        }
        panic!("an image without an end");
    }),
    ("iotsec_integrity_least", |world, _| {
        let mut least = 7;
        // SAFETY: as above.
        let status = unsafe { iotsec_integrity_least(world.integrity.at(), &raw mut least) };
        let expected = if status == IOTSEC_OK {
            i32::from(world.watched.is_changed)
        } else {
            7
        };
        assert_eq!(least, expected);
        status
    }),
    plain_call!(integrity, iotsec_integrity_close),
    ("a copy of an integrity check", |world, _| {
        let copy = world.integrity.copied();
        // SAFETY: as above.
        on_copy(|| unsafe { iotsec_integrity_close(copy) })
    }),
    ("an integrity check that is called back", |world, _| {
        let at = world.integrity.at();
        call_back(
            world,
            // SAFETY: as above.
            |integrity| unsafe { iotsec_integrity_close(integrity.cast()) },
            at.cast(),
        );
        let status = step(world, 256).map_or_else(|status| status, |_| IOTSEC_OK);
        world.board().call_back = None;
        status
    }),
];
