//! A COSE_Sign1 message under a P-256 key.
#![no_std]
#![no_main]

use core::hint::black_box;

use harness::{entry, measure, vector};
use iotsec_core::{cbor::Limits, cose::Sign1, crypto::P256PublicKey};

#[entry]
fn main() -> ! {
    measure::report(probe)
}

fn probe() -> bool {
    let Some((message, digest)) = vector::authentication(black_box(&vector::ENVELOPE_P256)) else {
        return false;
    };
    let Ok(key) = P256PublicKey::from_sec1(black_box(&vector::KEY_P256)) else {
        return false;
    };
    let mut scratch = [0; 128];
    Sign1::parse(message, &Limits::SMALL)
        .is_ok_and(|message| message.verify_detached(&key, digest, b"", &mut scratch).is_ok())
}
