//! What a boot loader does, with the small backend.
#![no_std]
#![no_main]

use footprint::update;
use harness::{entry, flash::SimulatedFlash, measure, vector};
use iotsec_core::crypto::Ed25519SmallPublicKey;

#[entry]
fn main() -> ! {
    let key = update::key(Ed25519SmallPublicKey::from_bytes, &vector::KEY_ED25519);
    let mut flash = SimulatedFlash::erased();
    update::prepare(&mut flash);
    measure::report(|| update::boot(&key, &mut flash).is_some())
}
