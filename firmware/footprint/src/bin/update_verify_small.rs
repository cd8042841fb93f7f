//! The same with the small backend.
#![no_std]
#![no_main]

use footprint::update;
use harness::{entry, measure, vector};
use iotsec_core::crypto::Ed25519SmallPublicKey;

#[entry]
fn main() -> ! {
    let key = update::key(Ed25519SmallPublicKey::from_bytes, &vector::KEY_ED25519);
    measure::report(|| update::verify(&key, &vector::ENVELOPE_ED25519))
}
