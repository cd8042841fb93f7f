//! An authenticated cipher by itself.

use core::hint::black_box;

use harness::vector;
use iotsec_core::{crypto::Aead, secret::Secret};

/// 256 bytes sealed and opened.
#[inline(always)]
pub fn run(cipher: impl Aead + Copy) -> bool {
    let key = Secret::from_bytes(black_box(vector::KEY_ED25519));
    let mut buffer = [0; 256];
    let Ok(tag) = black_box(cipher).seal(&key, &[1; 12], b"", &mut buffer) else {
        return false;
    };
    black_box(cipher)
        .open(&key, &[1; 12], b"", &mut buffer, &tag)
        .is_ok()
        && buffer == [0; 256]
}
