//! One 32-byte key from HKDF-SHA-256.
#![no_std]
#![no_main]

use core::hint::black_box;

use harness::{entry, measure, vector};
use iotsec_core::crypto::{HkdfSha256, Kdf};

#[entry]
fn main() -> ! {
    measure::report(probe)
}

fn probe() -> bool {
    let mut out = [0; 32];
    HkdfSha256
        .hkdf(b"salt", black_box(&vector::KEY_ED25519), &[b"label"], &mut out)
        .is_ok()
        && black_box(out) != [0; 32]
}
