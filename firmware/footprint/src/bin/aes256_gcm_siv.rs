//! AES-256-GCM-SIV in software: 256 bytes sealed and opened.
#![no_std]
#![no_main]

use core::hint::black_box;

use harness::{entry, measure, vector};
use iotsec_core::{
    crypto::{Aead, Aes256GcmSiv},
    secret::Secret,
};

#[entry]
fn main() -> ! {
    measure::report(probe)
}

fn probe() -> bool {
    let key = Secret::from_bytes(black_box(vector::KEY_ED25519));
    let mut buffer = [0; 256];
    let Ok(tag) = black_box(Aes256GcmSiv).seal(&key, &[1; 12], b"", &mut buffer) else {
        return false;
    };
    black_box(Aes256GcmSiv)
        .open(&key, &[1; 12], b"", &mut buffer, &tag)
        .is_ok()
        && buffer == [0; 256]
}
