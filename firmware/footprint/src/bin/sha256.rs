//! SHA-256 over 4 KiB.
#![no_std]
#![no_main]

use core::hint::black_box;

use harness::{entry, measure, vector};
use iotsec_core::crypto::Sha256;

#[entry]
fn main() -> ! {
    measure::report(probe)
}

fn probe() -> bool {
    let image = black_box(&vector::IMAGE).get(..4096).unwrap_or_default();
    black_box(Sha256::of(&[image])) != [0; 32]
}
