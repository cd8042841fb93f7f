//! ChaCha20-HMAC-SIV: 256 bytes sealed and opened.
#![no_std]
#![no_main]

use core::hint::black_box;

use harness::{entry, measure, vector};
use iotsec_core::{
    crypto::{Aead, ChaCha20HmacSiv},
    secret::Secret,
};

#[entry]
fn main() -> ! {
    measure::report(probe)
}

fn probe() -> bool {
    let key = Secret::from_bytes(black_box(vector::KEY_ED25519));
    let mut buffer = [0; 256];
    let Ok(tag) = black_box(ChaCha20HmacSiv).seal(&key, &[1; 12], b"", &mut buffer) else {
        return false;
    };
    black_box(ChaCha20HmacSiv)
        .open(&key, &[1; 12], b"", &mut buffer, &tag)
        .is_ok()
        && buffer == [0; 256]
}
