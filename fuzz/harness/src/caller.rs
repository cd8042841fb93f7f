//! The C interface, called in any order with any arguments: see [`iotsec_fuzz_caller`].

mod device;
mod plain;
mod store;
mod telemetry;
mod update;
mod upkeep;
mod watch;

use iotsec_fuzz_caller::{number, run};

use crate::Seed;

/// Whatever a C program calls, the interface keeps its word. True when every call succeeded.
pub fn sequence(input: &[u8]) -> bool {
    run(input)
}

/// All bytes that a buffer needs.
const ROOM: u8 = 255;

/// Lives of the objects in which every call succeeds, and some in which not every one does.
pub fn seeds() -> Vec<Seed> {
    let lives = [
        store::lives(),
        device::lives(),
        update::lives(),
        telemetry::lives(),
        watch::lives(),
        plain::lives(),
        upkeep::lives(),
    ];
    let seeds = lives.into_iter().flatten();
    seeds
        .map(|(name, calls)| Seed::new(name, recipe(&calls)))
        .collect()
}

/// Calls with the bytes of their arguments.
type Calls = Vec<(&'static str, Vec<u8>)>;

fn recipe(calls: &Calls) -> Vec<u8> {
    let calls = calls.iter();
    calls
        .flat_map(|(name, arguments)| [number(name), arguments.clone()].concat())
        .collect()
}

/// A piece of the input, with its length before it.
fn piece(bytes: &[u8]) -> Vec<u8> {
    let len = u8::try_from(bytes.len()).expect("a short piece");
    [&[len][..], bytes].concat()
}
