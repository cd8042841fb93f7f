//! A SUIT envelope authenticated under an Ed25519 key, and its manifest admitted.
#![no_std]
#![no_main]

use footprint::update;
use harness::{entry, measure, vector};
use iotsec_core::crypto::Ed25519PublicKey;

#[entry]
fn main() -> ! {
    let key = update::key(Ed25519PublicKey::from_bytes, &vector::KEY_ED25519);
    measure::report(|| update::verify(&key, &vector::ENVELOPE_ED25519))
}
