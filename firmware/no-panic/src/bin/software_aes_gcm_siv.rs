//! AES-256-GCM-SIV in software: what of it can panic is listed in `xtask/src/no_panic.rs`.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use iotsec_core::crypto::Aes256GcmSiv;
use no_panic::{aead, halt};

#[entry]
fn main() -> ! {
    aead::run(&Aes256GcmSiv);
    halt()
}
