//! AES-256-GCM-SIV in software: 256 bytes sealed and opened.
#![no_std]
#![no_main]

use footprint::aead;
use harness::{entry, measure};
use iotsec_core::crypto::Aes256GcmSiv;

#[entry]
fn main() -> ! {
    measure::report(|| aead::run(Aes256GcmSiv))
}
