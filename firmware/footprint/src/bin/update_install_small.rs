//! The same, with the small backend.
#![no_std]
#![no_main]

use footprint::update;
use harness::{console, entry, flash::SimulatedFlash, measure, vector};
use iotsec_core::crypto::Ed25519SmallPublicKey;

#[entry]
fn main() -> ! {
    let key = update::key(Ed25519SmallPublicKey::from_bytes, &vector::KEY_ED25519);
    let mut flash = SimulatedFlash::erased();
    update::prepare(&mut flash);
    let Some(running) = update::identify(&key, &mut flash) else {
        console::fail("not prepared")
    };
    measure::report(|| update::install(&key, &mut flash, running))
}
