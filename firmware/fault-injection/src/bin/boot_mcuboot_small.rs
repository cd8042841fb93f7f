//! A boot loader that starts MCUboot images in place, with signatures checked in software.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use fault_injection::{landmark, mcuboot};
use iotsec_core::crypto::Ed25519SmallPublicKey;

#[entry]
fn main() -> ! {
    fault_injection::run(attacked, |_| false)
}

extern "C" fn attacked(at: u32) -> ! {
    let input = fault_injection::input(at);
    match Ed25519SmallPublicKey::from_bytes(&input.key) {
        Ok(key) => mcuboot::boot(input, &key),
        Err(_) => landmark::refused(),
    }
}
