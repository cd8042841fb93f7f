//! An authenticated cipher on a text and associated data of unknown length.

use core::hint::black_box;

use iotsec_core::{crypto::Aead, secret::Secret};

use crate::unknown;

/// Seals, and opens what it sealed.
#[inline(always)]
pub fn run(cipher: &impl Aead) {
    let (input, mut buffer) = ([0; 512], [0; 256]);
    let key = Secret::from_bytes(black_box([1; 32]));
    let nonce = black_box([0; 12]);
    if let Ok(tag) = cipher.seal(&key, &nonce, unknown(&input), black_box(&mut buffer)) {
        black_box(
            cipher
                .open(&key, &nonce, unknown(&input), &mut buffer, &tag)
                .is_ok(),
        );
    }
}
