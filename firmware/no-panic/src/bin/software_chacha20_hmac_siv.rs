//! ChaCha20-HMAC-SIV in software. Must link.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m_rt::entry;
use iotsec_core::{
    crypto::{Aead, ChaCha20HmacSiv},
    secret::Secret,
};
use no_panic::{halt, unknown};

#[entry]
fn main() -> ! {
    let (input, mut buffer) = ([0; 512], [0; 256]);
    let key = Secret::from_bytes(black_box([1; 32]));
    let nonce = black_box([0; 12]);
    if let Ok(tag) = ChaCha20HmacSiv.seal(&key, &nonce, unknown(&input), black_box(&mut buffer)) {
        black_box(
            ChaCha20HmacSiv
                .open(&key, &nonce, unknown(&input), &mut buffer, &tag)
                .is_ok(),
        );
    }
    halt()
}
