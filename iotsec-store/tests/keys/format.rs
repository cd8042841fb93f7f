//! Values and derived keys, compared with the vectors in `KEYS.md`.

use iotsec_core::{
    crypto::{KeyAgreement, X25519Key},
    secret::Secret,
};
use iotsec_store::keys::{KeyKind, KeyUsage, Keyring};

use crate::device::{ALL, Device, id, spec};

use crate::document::{documented, hex};

const DOCUMENT: &str = include_str!("../../KEYS.md");
const BASE: &[u8; 32] = b"a base key that others have too.";

#[test]
fn keys_are_stored_and_derived_as_documented() {
    let mut device = Device::new();
    device.with_store(|store, flash, _| {
        let mut keys = Keyring::new(store, ALL);
        let usage = KeyUsage::DERIVE | KeyUsage::REVEAL | KeyUsage::EXPORT;
        let base = keys
            .import(flash, spec(1, KeyKind::HkdfSha256, usage), BASE)
            .unwrap();
        let wanted = spec(2, KeyKind::HmacSha256, KeyUsage::EXPORT);
        let child = keys.derive(flash, &base, b"log", wanted).unwrap();
        let mut out = Secret::<32>::zero();
        keys.export(flash, &child, &mut out).unwrap();
        assert_eq!(documented(DOCUMENT, "stored key of type 7"), hex(out.expose()));
        let mut short = Secret::<16>::zero();
        keys.derive_secret(flash, &base, b"log", &mut short).unwrap();
        assert_eq!(documented(DOCUMENT, "secret of 16 bytes"), hex(short.expose()));

        let usage = KeyUsage::DERIVE | KeyUsage::REVEAL;
        let ours = clamped(1);
        let ours = keys
            .import(flash, spec(3, KeyKind::X25519, usage), &ours)
            .unwrap();
        let peer = X25519Key::from_scalar(&Secret::from_bytes([2; 32]));
        let wanted = spec(4, KeyKind::HmacSha256, KeyUsage::EXPORT);
        let agreed = keys
            .agree(flash, &ours, peer.public_key(), b"log", wanted)
            .unwrap();
        keys.export(flash, &agreed, &mut out).unwrap();
        assert_eq!(documented(DOCUMENT, "agreed key of type 7"), hex(out.expose()));

        let mut value = [0; 128];
        let value = store.get(flash, id(1), &mut value).unwrap();
        assert_eq!(documented(DOCUMENT, "value of the base key"), hex(value));
    });
}

/// Bytes that clamp to the same scalar as bytes that are all `byte`, which no import takes.
fn clamped(byte: u8) -> [u8; 32] {
    let mut scalar = [byte; 32];
    scalar[0] &= 248;
    scalar
}

#[test]
fn a_documented_value_is_a_rotated_key() {
    let text = documented(DOCUMENT, "rotated");
    let value: Vec<u8> = (0..text.len() / 2)
        .map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap())
        .collect();
    let mut device = Device::new();
    device.with_store(|store, flash, _| {
        store.put(flash, id(1), &value).unwrap();
        let mut keys = Keyring::new(store, ALL);
        let key = keys.open(flash, id(1)).unwrap();
        assert_eq!((key.kind(), key.number()), (KeyKind::HmacSha256, 2));
        assert_eq!(key.usage(), KeyUsage::SIGN | KeyUsage::VERIFY);
        let previous = keys.previous(flash, &key).unwrap();
        for (key, bytes) in [
            (&key, b"the key with number 2 is this..."),
            (&previous, b"the key with number 1 is before."),
        ] {
            use iotsec_core::crypto::{HkdfSha256, Kdf};
            let mac = HkdfSha256.hmac(bytes, &[b"message"]).unwrap();
            keys.verify(flash, key, b"message", &mac).unwrap();
        }
    });
}
