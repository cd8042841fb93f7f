//! A genuine signature is accepted, and no bit of it can change.

use harness::{console, vector};
use iotsec_core::{cbor::Limits, cose::Sign1, crypto::Ed25519PublicKey};

pub(crate) fn run() {
    let mut envelope = vector::ENVELOPE_ED25519;
    console::require(accepts(&envelope), "a genuine signature was refused");
    let mut flipped = 0;
    for at in vector::DIGEST.chain(vector::MESSAGE) {
        envelope[at] ^= 1 << (at % 8);
        console::require(!accepts(&envelope), "a flipped bit was accepted");
        envelope[at] ^= 1 << (at % 8);
        flipped += 1;
    }
    console::number("signature: genuine accepted, flipped bits refused: ", flipped);
}

fn accepts(envelope: &[u8]) -> bool {
    let Some((message, digest)) = vector::authentication(envelope) else {
        return false;
    };
    let Ok(key) = Ed25519PublicKey::from_bytes(&vector::KEY_ED25519) else {
        return false;
    };
    let mut scratch = [0; 128];
    Sign1::parse(message, &Limits::SMALL)
        .is_ok_and(|message| message.verify_detached(&key, digest, b"", &mut scratch).is_ok())
}
