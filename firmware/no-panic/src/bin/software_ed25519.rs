//! Ed25519 in software: what of it can panic is listed in `xtask/src/no_panic.rs`.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m_rt::entry;
use iotsec_core::crypto::{Ed25519PublicKey, Verify};
use no_panic::{halt, unknown};

#[entry]
fn main() -> ! {
    let input = [0; 512];
    if let Ok(key) = Ed25519PublicKey::from_bytes(unknown(&input)) {
        black_box(key.verify(unknown(&input), unknown(&input)).is_ok());
    }
    halt()
}
