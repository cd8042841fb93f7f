//! ChaCha20-HMAC-SIV: 256 bytes sealed and opened.
#![no_std]
#![no_main]

use footprint::aead;
use harness::{entry, measure};
use iotsec_core::crypto::ChaCha20HmacSiv;

#[entry]
fn main() -> ! {
    measure::report(|| aead::run(ChaCha20HmacSiv))
}
