//! ChaCha20-HMAC-SIV in software. Must link.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use iotsec_core::crypto::ChaCha20HmacSiv;
use no_panic::{aead, halt};

#[entry]
fn main() -> ! {
    aead::run(&ChaCha20HmacSiv);
    halt()
}
