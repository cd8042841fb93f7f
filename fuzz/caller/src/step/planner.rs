//! When to look for updates, when to install them, and what the owner has to say.

use std::mem::MaybeUninit;

use iotsec_ffi::{
    status::{IOTSEC_OK, iotsec_status_t},
    update::planner::*,
};

use super::{
    Step,
    detect::{or_null, record},
    on_copy, plain_call,
};
use crate::{Input, board, board::size, is_known, vectors, world::World};

/// What a planner was told and has said since it was opened.
#[derive(Default)]
pub(crate) struct Planned {
    least_battery: i32,
    offers: Vec<iotsec_offer_t>,
    is_declined: bool,
    /// Or may be: with a record that could not be saved, an installation ends all the same.
    is_installing: bool,
}

/// Without a policy, and where it has a zero.
const LEAST_BATTERY: i32 = 30;

/// What the maker decides, or nothing.
fn policy(input: &mut Input<'_>) -> Option<iotsec_update_policy_t> {
    (input.byte() % 2 == 1).then(|| iotsec_update_policy_t {
        struct_size: size::<iotsec_update_policy_t>(),
        least_battery: input.byte().into(),
        first_check_ms: input.wide() << 4,
        period_ms: input.wide() << 8,
        retry_ms: input.wide() << 4,
        grace_ms: input.wide() << 4,
        longest_postponement_ms: input.wide() << 8,
        support_until_s: input.wide() << 12,
        ask: input.number(),
        reserved: 0,
    })
}

fn conditions(input: &mut Input<'_>) -> iotsec_conditions_t {
    iotsec_conditions_t {
        struct_size: size::<iotsec_conditions_t>(),
        battery: input.number(),
        powered: input.number(),
        in_use: input.number(),
        now_s: input.wide() << 12,
    }
}

/// An uptime. All of them lie within a month, or at the end of time.
fn uptime(input: &mut Input<'_>) -> u64 {
    input.wide() << 8
}

fn is_low(world: &World, conditions: &iotsec_conditions_t) -> bool {
    let (charge, least) = (conditions.battery, world.planned.least_battery);
    conditions.powered == 0 && charge >= 0 && charge < least
}

/// Nothing is installed that was not found, that the owner declined, with too little battery, or while the device is in use.
fn judge(world: &mut World, conditions: &iotsec_conditions_t, now: u64, step: &iotsec_planner_step_t) {
    assert!(is_known(step.saved));
    let planned = &world.planned;
    match step.kind {
        IOTSEC_PLANNER_WAIT => assert!(step.at_ms >= now, "a wait for what is past"),
        IOTSEC_PLANNER_CHECK => {}
        IOTSEC_PLANNER_TELL => assert!(planned.offers.contains(&step.offer)),
        IOTSEC_PLANNER_TELL_SUPPORT_ENDING => assert!(conditions.now_s < step.time_s),
        IOTSEC_PLANNER_TELL_SUPPORT_ENDED => assert_ne!(conditions.now_s, 0),
        IOTSEC_PLANNER_INSTALL => {
            assert!(planned.offers.contains(&step.offer), "what nobody offered");
            assert!(!planned.is_declined, "against the owner's word");
            assert_eq!(conditions.in_use, 0, "while it is in use");
            assert!(!is_low(world, conditions), "with a battery that is low");
            world.planned.is_installing = true;
        }
        kind => panic!("step {kind}"),
    }
    let has_offer = matches!(step.kind, IOTSEC_PLANNER_TELL | IOTSEC_PLANNER_INSTALL);
    assert_eq!(step.offer.importance != 0, has_offer);
}

/// A call that tells what an installation came to.
fn ended(
    world: &mut World,
    input: &mut Input<'_>,
    how: unsafe extern "C" fn(*mut iotsec_planner_t, u64) -> iotsec_status_t,
) -> iotsec_status_t {
    // SAFETY: pointers are to live values that nobody else uses, as large as the length beside them says; here and below.
    let status = unsafe { how(world.planner.at(), uptime(input)) };
    if status == IOTSEC_OK {
        assert!(world.planned.is_installing, "the end of no installation");
        world.planned.is_installing = false;
    }
    status
}

pub(super) const STEPS: &[(&str, Step)] = &[
    ("iotsec_planner_open", |world, input| {
        let (record, entropy) = (record(world, input, 0x303), board::entropy(world.ctx()));
        let (policy, now, at) = (policy(input), uptime(input), world.planner.at());
        let (record, given) = (or_null(record.as_ref()), or_null(policy.as_ref()));
        // SAFETY: as above.
        let status = unsafe { iotsec_planner_open(at, record, &raw const entropy, given, now) };
        if status == IOTSEC_OK {
            let least = policy.map_or(0, |policy| policy.least_battery);
            assert!(least <= 100);
            world.planned = Planned {
                least_battery: i32::try_from(least)
                    .ok()
                    .filter(|least| *least != 0)
                    .unwrap_or(LEAST_BATTERY),
                ..Planned::default()
            };
        }
        status
    }),
    ("iotsec_planner_next", |world, input| {
        let (conditions, now, at) = (conditions(input), uptime(input), world.planner.at());
        let mut step = MaybeUninit::uninit();
        // SAFETY: as above.
        let status = unsafe { iotsec_planner_next(at, &raw const conditions, now, step.as_mut_ptr()) };
        if status == IOTSEC_OK {
            // SAFETY: it was written, as the status says.
            judge(world, &conditions, now, unsafe { step.assume_init_ref() });
        }
        status
    }),
    ("iotsec_planner_checked", |world, input| {
        let (check, now) = (input.number(), uptime(input));
        // SAFETY: as above.
        unsafe { iotsec_planner_checked(world.planner.at(), check, now) }
    }),
    ("iotsec_planner_found", |world, input| {
        let mut offer = iotsec_offer_t {
            struct_size: size::<iotsec_offer_t>(),
            importance: input.number(),
            away_ms: input.wide(),
            manifest: vectors::manifest(input.byte()),
        };
        offer.manifest.sequence = offer.manifest.sequence.wrapping_add(input.byte().into());
        let now = uptime(input);
        // Also with a record that is not saved it counts as found.
        world.planned.offers.push(offer);
        world.planned.is_declined = false;
        // SAFETY: as above.
        unsafe { iotsec_planner_found(world.planner.at(), &raw const offer, now) }
    }),
    ("iotsec_planner_decide", |world, input| {
        let (decision, postpone, now) = (input.number(), input.wide() << 8, uptime(input));
        // SAFETY: as above.
        let status = unsafe { iotsec_planner_decide(world.planner.at(), decision, postpone, now) };
        if status == IOTSEC_OK && !matches!(decision, IOTSEC_DECISION_AUTOMATIC | IOTSEC_DECISION_ASK) {
            world.planned.is_declined = decision == IOTSEC_DECISION_DECLINE;
        } else if status != IOTSEC_OK {
            // It may count all the same.
            world.planned.is_declined = false;
        }
        status
    }),
    ("iotsec_planner_installed", |world, input| {
        ended(world, input, iotsec_planner_installed)
    }),
    ("iotsec_planner_failed", |world, input| {
        ended(world, input, iotsec_planner_failed)
    }),
    ("iotsec_planner_interrupted", |world, input| {
        // SAFETY: as above.
        let status = unsafe { iotsec_planner_interrupted(world.planner.at(), uptime(input)) };
        if status == IOTSEC_OK {
            world.planned.is_installing = false;
        }
        status
    }),
    ("iotsec_planner_status", |world, input| {
        let (conditions, now, at) = (conditions(input), uptime(input), world.planner.at());
        let mut result = MaybeUninit::uninit();
        // SAFETY: as above.
        let status = unsafe { iotsec_planner_status(at, &raw const conditions, now, result.as_mut_ptr()) };
        if status != IOTSEC_OK {
            return status;
        }
        // SAFETY: it was written, as the status says.
        let result: iotsec_planner_status_t = unsafe { result.assume_init() };
        let planned = &world.planned;
        let is_available = result.state == IOTSEC_PLANNER_AVAILABLE;
        let is_installing = result.state == IOTSEC_PLANNER_INSTALLING;
        assert!((IOTSEC_PLANNER_IDLE..=IOTSEC_PLANNER_INSTALLING).contains(&result.state));
        assert!(
            !is_installing || planned.is_installing,
            "an installation of its own"
        );
        assert_eq!(result.hold != 0, is_available);
        assert_eq!(result.offer.importance != 0, is_available || is_installing);
        assert!(result.offer.importance == 0 || planned.offers.contains(&result.offer));
        assert!(result.hold != IOTSEC_HOLD_BATTERY || is_low(world, &conditions));
        assert!(result.hold != IOTSEC_HOLD_IN_USE || conditions.in_use == 1);
        if is_available && planned.is_declined {
            assert_eq!(result.hold, IOTSEC_HOLD_DECLINED);
        }
        status
    }),
    plain_call!(planner, iotsec_planner_close),
    ("a copy of a planner", |world, _| {
        let copy = world.planner.copied();
        // SAFETY: as above.
        on_copy(|| unsafe { iotsec_planner_close(copy) })
    }),
];
