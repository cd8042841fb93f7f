//! What a boot loader does that starts MCUboot images in place, with the small backend.
#![no_std]
#![no_main]

use footprint::{mcuboot, update};
use harness::{entry, flash::SimulatedFlash, measure, vector};
use iotsec_core::crypto::Ed25519SmallPublicKey;

#[entry]
fn main() -> ! {
    let key = update::key(Ed25519SmallPublicKey::from_bytes, &vector::KEY_ED25519);
    let mut flash = SimulatedFlash::erased();
    mcuboot::prepare(&mut flash);
    measure::report(|| mcuboot::boot(&key, &mut flash))
}
