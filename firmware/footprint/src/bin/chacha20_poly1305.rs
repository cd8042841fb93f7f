//! ChaCha20-Poly1305: 256 bytes sealed and opened.
#![no_std]
#![no_main]

use footprint::aead;
use harness::{entry, measure};
use iotsec_core::crypto::ChaCha20Poly1305;

#[entry]
fn main() -> ! {
    measure::report(|| aead::run(ChaCha20Poly1305))
}
