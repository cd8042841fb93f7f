//! HKDF and HMAC in software. Must link.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m_rt::entry;
use iotsec_core::crypto::{HkdfSha256, Kdf};
use no_panic::{halt, unknown};

#[entry]
fn main() -> ! {
    let (input, mut out) = ([0; 512], [0; 256]);
    let parts = [unknown(&input); 2];
    black_box(
        HkdfSha256
            .hkdf(
                unknown(&input),
                unknown(&input),
                &parts,
                &mut out[..black_box(256).min(256)],
            )
            .is_ok(),
    );
    black_box(HkdfSha256.hmac(unknown(&input), &parts).is_ok());
    halt()
}
