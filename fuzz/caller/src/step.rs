//! The calls.

mod change;
pub(crate) mod debug;
mod detect;
mod device;
mod document;
pub(crate) mod freshness;
mod identity;
pub(crate) mod integrity;
mod key;
mod login;
mod pairing;
mod plain;
pub(crate) mod planner;
mod private;
mod replay;
mod statement;
mod store;
mod telemetry;
mod trust;
mod update;

use std::ffi::c_void;

use iotsec_ffi::status::{IOTSEC_ERR_STATE, IOTSEC_OK, iotsec_status_t};

use crate::{Input, guarded::Guarded, world::World};

pub(crate) type Step = fn(&mut World, &mut Input<'_>) -> iotsec_status_t;

/// Every call with its name. The corpus knows them by their numbers: a new one goes to the end.
const STEPS: [&[(&str, Step)]; 21] = [
    WORLD,
    store::STEPS,
    device::STEPS,
    identity::STEPS,
    login::STEPS,
    pairing::STEPS,
    update::STEPS,
    trust::STEPS,
    telemetry::STEPS,
    private::STEPS,
    plain::STEPS,
    change::STEPS,
    key::STEPS,
    detect::STEPS,
    document::STEPS,
    statement::STEPS,
    freshness::STEPS,
    integrity::STEPS,
    planner::STEPS,
    debug::STEPS,
    replay::STEPS,
];

/// The names of the calls, by their numbers.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    STEPS.into_iter().flatten().map(|(name, _)| *name)
}

/// Makes the call that the next byte of the input says.
pub(crate) fn take(world: &mut World, input: &mut Input<'_>) -> iotsec_status_t {
    // There are more of them than a byte can say: the last number takes another byte.
    let number = match input.byte() {
        u8::MAX => usize::from(u8::MAX) + usize::from(input.byte()),
        number => usize::from(number),
    };
    let count = STEPS.into_iter().flatten().count();
    let step = STEPS.into_iter().flatten().nth(number % count);
    step.expect("there are so many").1(world, input)
}

/// What happens to the board.
const WORLD: &[(&str, Step)] = &[
    ("fuse", |world, input| {
        world.board().fuse = Some(input.byte());
        IOTSEC_OK
    }),
    ("power cut", |world, input| {
        let steps = input.wide();
        world.board().flash.cut_after(steps);
        IOTSEC_OK
    }),
    ("power on", |world, _| {
        let board = world.board();
        board.flash.power_on();
        (board.fuse, board.lies, board.call_back) = (None, false, None);
        IOTSEC_OK
    }),
    ("tamper", |world, input| {
        let flash = &mut world.board().flash;
        let (at, piece) = (input.wide(), input.piece());
        let capacity = u64::try_from(flash.image().len()).expect("small");
        let room = capacity - u64::try_from(piece.len()).expect("short");
        flash.tamper(u32::try_from(at.wrapping_mul(16) % room).expect("small"), piece);
        IOTSEC_OK
    }),
    ("lie", |world, input| {
        world.board().lies = input.byte() % 2 == 1;
        IOTSEC_OK
    }),
    ("presence", |world, input| {
        world.board().is_present = input.number();
        IOTSEC_OK
    }),
];

/// A call on an object alone.
macro_rules! plain_call {
    ($object:ident, $name:ident) => {
        (stringify!($name), |world, _| {
            // SAFETY: the object is storage that is initialised and nobody else's.
            unsafe { $name(world.$object.at()) }
        })
    };
}
use plain_call;

/// A call on an object that writes one number.
macro_rules! number_call {
    ($object:ident, $name:ident) => {
        (stringify!($name), |world, _| {
            const UNTOUCHED: i32 = 0x5EED;
            let mut number = UNTOUCHED;
            // SAFETY: as above; the number is a live local.
            let status = unsafe { $name(world.$object.at(), &raw mut number) };
            assert_eq!(number == UNTOUCHED, status != IOTSEC_OK, stringify!($name));
            status
        })
    };
}
use number_call;

/// A call that fills a buffer of the size that the input says.
fn filled(
    input: &mut Input<'_>,
    call: impl FnOnce(*mut u8, usize, *mut usize) -> iotsec_status_t,
) -> (iotsec_status_t, Vec<u8>) {
    let mut out = Guarded::new(input.size());
    let (at, size, len) = (out.at(), out.size(), out.len());
    let status = call(at, size, len);
    (status, out.judge(status).to_vec())
}

/// A call on a copy of an object, which must be refused.
fn on_copy(call: impl FnOnce() -> iotsec_status_t) -> iotsec_status_t {
    let status = call();
    assert_eq!(status, IOTSEC_ERR_STATE, "a copy of an object");
    status
}

/// Has the next read of the flash call into `object`, which is in a call then.
fn call_back(world: &mut World, call: fn(*mut c_void) -> iotsec_status_t, object: *mut c_void) {
    world.board().call_back = Some((call, object));
}
