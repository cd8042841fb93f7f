use std::{vec, vec::Vec};

use iotsec_testkit::{FailingRng, SimRng};
use serde_json::Value;

use super::*;
use crate::crypto::{Aes256GcmSiv, ChaCha20HmacSiv, P256AgreementKey};

fn hex(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap().as_bytes();
    text.chunks(2)
        .map(|pair| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// One vector: sealed to the byte under its ephemeral key, and opened.
fn reproduces<K: AgreementKey>(suite: Hpke<'_, K>, case: &Value) {
    let key = |name: &str| K::from_secret(&Secret::from_slice(&hex(&case[name])).unwrap()).unwrap();
    let (recipient, ephemeral) = (key("recipient_secret"), key("ephemeral_secret"));
    let (info, aad, plain) = (hex(&case["info"]), hex(&case["aad"]), hex(&case["plaintext"]));
    let expected = [hex(&case["ephemeral_public"]), hex(&case["ciphertext"])].concat();
    assert_eq!(recipient.public_key(), hex(&case["recipient_public"]));
    let id = suite.id().unwrap();
    assert_eq!(
        [id.kem, id.kdf, id.aead].map(u64::from),
        ["kem", "kdf", "aead"].map(|name| case[name].as_u64().unwrap())
    );

    let mut message = vec![0; plain.len() + Hpke::<K>::OVERHEAD];
    message[Hpke::<K>::PUBLIC_LEN..][..plain.len()].copy_from_slice(&plain);
    suite
        .seal_under(&ephemeral, recipient.public_key(), &info, &aad, &mut message)
        .unwrap();
    assert_eq!(message, expected);
    let mut out = vec![0; plain.len()];
    assert_eq!(
        suite.open(&recipient, &info, &aad, &expected, &mut out).unwrap(),
        plain
    );
}

#[test]
fn the_vectors_of_rfc_9180_are_reproduced() {
    let file: Value = serde_json::from_str(include_str!("../../../../vectors/crypto/hpke.json")).unwrap();
    let cases = file["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 4);
    for case in cases {
        match (case["kem"].as_u64().unwrap(), case["aead"].as_u64().unwrap()) {
            (32, 1) => reproduces(X25519_AES_128_GCM, case),
            (32, 3) => reproduces(X25519_CHACHA20_POLY1305, case),
            (16, 1) => reproduces(P256_AES_128_GCM, case),
            (16, 3) => reproduces(P256_CHACHA20_POLY1305, case),
            other => panic!("{other:?}"),
        }
    }
}

/// What comes back opens, and nothing else does: every bit, every length, every argument.
fn opens_only_what_was_sealed<K: AgreementKey>(suite: Hpke<'_, K>) {
    let mut rng = SimRng::new(1);
    let key = |seed| K::from_secret(&Secret::from_bytes([seed; 32])).unwrap();
    let (right, wrong) = (key(3), key(4));
    let mut buffer = [0; 200];
    let sealed = suite
        .seal(
            right.public_key(),
            b"info",
            b"aad",
            b"message",
            &mut rng,
            &mut buffer,
        )
        .unwrap()
        .to_vec();
    assert_eq!(sealed.len(), 7 + Hpke::<K>::OVERHEAD);
    let open = |key: &K, info: &[u8], aad: &[u8], sealed: &[u8]| {
        let mut out = [0x55; 7];
        let opened = suite.open(key, info, aad, sealed, &mut out).map(<[u8]>::to_vec);
        // Nothing of the plaintext is left behind by a refusal.
        assert!(opened.is_ok() || out.iter().all(|byte| [0, 0x55].contains(byte)));
        opened
    };
    assert_eq!(open(&right, b"info", b"aad", &sealed).unwrap(), b"message");
    assert_eq!(
        open(&wrong, b"info", b"aad", &sealed),
        Err(CryptoError::Tag.into())
    );
    assert_eq!(
        open(&right, b"infO", b"aad", &sealed),
        Err(CryptoError::Tag.into())
    );
    assert_eq!(
        open(&right, b"info", b"aaD", &sealed),
        Err(CryptoError::Tag.into())
    );
    for bit in 0..sealed.len() * 8 {
        // X25519 ignores the highest bit of a public key (RFC 7748 §5), but the schedule hashes it.
        let mut changed = sealed.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(open(&right, b"info", b"aad", &changed).is_err(), "bit {bit}");
    }
    for len in 0..sealed.len() {
        let error = open(&right, b"info", b"aad", &sealed[..len]).unwrap_err();
        assert_eq!(
            error == HpkeError::Truncated,
            len < Hpke::<K>::OVERHEAD,
            "{len} bytes"
        );
    }
}

#[test]
fn nothing_opens_but_what_was_sealed() {
    opens_only_what_was_sealed(X25519_CHACHA20_POLY1305);
    opens_only_what_was_sealed(X25519_AES_128_GCM);
    opens_only_what_was_sealed(P256_CHACHA20_POLY1305);
    opens_only_what_was_sealed(P256_AES_128_GCM);
}

#[test]
fn two_messages_share_no_ephemeral_key() {
    let mut rng = SimRng::new(1);
    let key = X25519Key::from_scalar(&Secret::from_bytes([1; 32]));
    let mut seal = || {
        let mut out = [0; 64];
        X25519_CHACHA20_POLY1305
            .seal(key.public_key(), b"", b"", b"same", &mut rng, &mut out)
            .unwrap()
            .to_vec()
    };
    let (a, b) = (seal(), seal());
    assert_ne!(a[..32], b[..32]);
    assert_ne!(a[32..], b[32..]);
}

#[test]
fn what_cannot_be_sealed_leaves_no_plaintext() {
    let key = X25519Key::from_scalar(&Secret::from_bytes([1; 32]));
    let suite = X25519_CHACHA20_POLY1305;
    let mut out = [0xEE; 64];
    let failed = suite.seal(
        key.public_key(),
        b"",
        b"",
        b"message",
        &mut FailingRng::after(0),
        &mut out,
    );
    assert_eq!(failed, Err(CryptoError::Entropy.into()));
    assert_eq!(out[..55], [0; 55]);
    assert_eq!(out[55..], [0xEE; 9]);

    let mut rng = SimRng::new(1);
    // A point of small order, and keys of other lengths.
    for bad in [&[0; 32][..], &[9; 31], &[9; 33], &[]] {
        let mut out = [0xEE; 64];
        let failed = suite.seal(bad, b"", b"", b"message", &mut rng, &mut out);
        assert_eq!(failed, Err(CryptoError::PublicKey.into()));
        assert_eq!(out[..55], [0; 55]);
    }
    let mut short = [0; 54];
    assert_eq!(
        suite.seal(key.public_key(), b"", b"", b"message", &mut rng, &mut short),
        Err(HpkeError::Buffer)
    );
}

#[test]
fn ciphers_and_keys_that_do_not_belong_to_the_suite_are_refused() {
    let suite = Hpke::<X25519Key>::new(&HkdfSha256, &ChaCha20HmacSiv);
    assert_eq!(suite.id(), Err(HpkeError::Suite));
    let suite = Hpke::<X25519Key>::new(&HkdfSha256, &Aes256GcmSiv);
    let key = X25519Key::from_scalar(&Secret::from_bytes([1; 32]));
    let mut rng = SimRng::new(1);
    assert_eq!(suite.id(), Err(HpkeError::Suite));
    assert_eq!(
        suite.seal(key.public_key(), b"", b"", b"", &mut rng, &mut [0; 48]),
        Err(HpkeError::Suite)
    );
    let other = P256AgreementKey::from_scalar(&Secret::from_bytes([1; 32])).unwrap();
    assert_eq!(
        X25519_CHACHA20_POLY1305.open(&other, b"", b"", &[0; 48], &mut []),
        Err(HpkeError::Suite)
    );
}
