//! The same under a P-256 key.
#![no_std]
#![no_main]

use footprint::update;
use harness::{entry, measure, vector};
use iotsec_core::crypto::P256PublicKey;

#[entry]
fn main() -> ! {
    let key = update::key(P256PublicKey::from_sec1, &vector::KEY_P256);
    measure::report(|| update::verify(&key, &vector::ENVELOPE_P256))
}
