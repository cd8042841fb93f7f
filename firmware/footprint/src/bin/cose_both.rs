//! COSE_Sign1 messages under an Ed25519 and a P-256 key.
#![no_std]
#![no_main]

use core::hint::black_box;

use harness::{entry, measure, vector};
use iotsec_core::{
    cbor::Limits,
    cose::Sign1,
    crypto::{Ed25519PublicKey, P256PublicKey, Verify},
};

#[entry]
fn main() -> ! {
    measure::report(probe)
}

fn probe() -> bool {
    let (Ok(ed25519), Ok(p256)) = (
        Ed25519PublicKey::from_bytes(black_box(&vector::KEY_ED25519)),
        P256PublicKey::from_sec1(black_box(&vector::KEY_P256)),
    ) else {
        return false;
    };
    verifies(&vector::ENVELOPE_ED25519, &ed25519) && verifies(&vector::ENVELOPE_P256, &p256)
}

fn verifies(envelope: &[u8], key: &dyn Verify) -> bool {
    let Some((message, digest)) = vector::authentication(black_box(envelope)) else {
        return false;
    };
    let mut scratch = [0; 128];
    Sign1::parse(message, &Limits::SMALL)
        .is_ok_and(|message| message.verify_detached(key, digest, b"", &mut scratch).is_ok())
}
