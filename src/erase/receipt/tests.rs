extern crate std;

use std::{format, string::String, vec::Vec};

use iotsec_core::{
    crypto::{CryptoError, Ed25519PublicKey, Ed25519SigningKey, Sha256},
    secret::Secret,
};

use super::*;

fn key(seed: u8) -> Ed25519SigningKey {
    Ed25519SigningKey::from_seed(&Secret::from_bytes([seed; 32]))
}

fn public(seed: u8) -> Ed25519PublicKey {
    Ed25519PublicKey::from_bytes(key(seed).public_key()).unwrap()
}

const RESET: Erased<'_> = Erased {
    reason: Reason::Reset,
    scope: Scope::User,
    erasures: 3,
    values: 7,
    scrubbed: true,
    boot: 19,
    uptime: Some(Millis(90_000)),
    time: Some(UnixTime(1_790_000_000)),
    nonce: Some(b"01234567"),
};

fn signed(erased: &Erased<'_>) -> Result<Vec<u8>, ReceiptError> {
    let mut out = [0; Erased::MAX_LEN];
    Ok(erased.sign(&key(1), &mut Sha256::new(), &mut out)?.to_vec())
}

/// A payload under a genuine signature, whatever it says.
fn forged(payload: &[u8], content_type: Option<&str>, aad: &[u8]) -> Vec<u8> {
    let (mut out, mut scratch) = ([0; 512], [0; 512]);
    let mut builder = Sign1Builder::new();
    if let Some(name) = content_type {
        builder = builder.content_type(ContentType::Media(name));
    }
    builder
        .sign(&key(1), payload, aad, &mut scratch, &mut out)
        .unwrap()
        .to_vec()
}

fn payload(erased: &Erased<'_>) -> Vec<u8> {
    let mut out = [0; MAX_PAYLOAD];
    let device = device(KeyType::Ed25519, key(1).public_key(), &mut Sha256::new()).unwrap();
    erased.write(&device, &mut out).unwrap().to_vec()
}

fn verify<'a>(bytes: &'a [u8], nonce: Option<&[u8]>) -> Result<ErasedReceipt<'a>, ReceiptError> {
    Erased::verify(bytes, &public(1), nonce, &mut Sha256::new())
}

#[test]
fn what_was_signed_comes_back() {
    let namespaces: Vec<u8> = (0..32).collect();
    let cases = [
        RESET,
        Erased {
            uptime: None,
            time: None,
            nonce: None,
            scrubbed: false,
            reason: Reason::Transfer,
            ..RESET
        },
        Erased {
            reason: Reason::Retirement,
            scope: Scope::Device,
            scrubbed: false,
            time: None,
            ..RESET
        },
        Erased {
            reason: Reason::Request,
            scope: Scope::Namespaces(&namespaces),
            uptime: None,
            ..RESET
        },
    ];
    for erased in cases {
        let bytes = signed(&erased).unwrap();
        assert_eq!(verify(&bytes, erased.nonce).unwrap().erased(), &erased);
    }
}

#[test]
fn the_longest_receipt_has_just_max_len() {
    let namespaces: Vec<u8> = (0..32).collect();
    let longest = Erased {
        reason: Reason::Request,
        scope: Scope::Namespaces(&namespaces),
        erasures: u32::MAX,
        values: u32::MAX,
        scrubbed: false,
        boot: u32::MAX,
        uptime: Some(Millis(u64::MAX)),
        time: Some(UnixTime(u64::MAX)),
        nonce: Some(&[9; 64]),
    };
    let bytes = signed(&longest).unwrap();
    assert_eq!(bytes.len(), Erased::MAX_LEN);
    assert_eq!(payload(&longest).len(), MAX_PAYLOAD);
    assert_eq!(verify(&bytes, None).unwrap().erased(), &longest);
}

#[test]
fn p256_signs_receipts_too() {
    let key = iotsec_core::crypto::P256SigningKey::from_scalar(&Secret::from_bytes([5; 32])).unwrap();
    let own = iotsec_core::crypto::P256PublicKey::from_sec1(key.public_key()).unwrap();
    let mut out = [0; Erased::MAX_LEN];
    let bytes = RESET.sign(&key, &mut Sha256::new(), &mut out).unwrap();
    let receipt = Erased::verify(bytes, &own, None, &mut Sha256::new()).unwrap();
    assert_eq!(receipt.erased(), &RESET);
    let other = Erased::verify(bytes, &public(1), None, &mut Sha256::new());
    assert_eq!(other.err(), Some(ReceiptError::Headers));
}

#[test]
fn no_changed_bit_and_no_cut_is_accepted() {
    let good = signed(&RESET).unwrap();
    for bit in 0..good.len() * 8 {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        assert!(verify(&bad, None).is_err(), "bit {bit}");
    }
    for len in 0..good.len() {
        assert!(verify(&good[..len], None).is_err(), "{len} bytes");
    }
    assert!(verify(&[&good[..], &[0]].concat(), None).is_err());
}

#[test]
fn another_key_another_purpose_and_another_nonce_are_refused() {
    let good = signed(&RESET).unwrap();
    let other = Erased::verify(&good, &public(2), None, &mut Sha256::new());
    assert_eq!(
        other.err(),
        Some(ReceiptError::Cose(CryptoError::Signature.into()))
    );
    assert_eq!(verify(&good, Some(b"76543210")).err(), Some(ReceiptError::Nonce));
    let without = signed(&Erased { nonce: None, ..RESET }).unwrap();
    assert_eq!(
        verify(&without, Some(b"01234567")).err(),
        Some(ReceiptError::Nonce)
    );
    // The same words, signed by the same key for something else.
    let elsewhere = forged(&payload(&RESET), Some(CONTENT_TYPE), b"iotsec/else/v1");
    assert_eq!(
        verify(&elsewhere, None).err(),
        Some(ReceiptError::Cose(CryptoError::Signature.into()))
    );
    for name in [None, Some("application/cbor")] {
        let untyped = forged(&payload(&RESET), name, DOMAIN);
        assert_eq!(verify(&untyped, None).err(), Some(ReceiptError::Headers));
    }
}

#[test]
fn an_unprotected_header_makes_no_second_receipt_of_one() {
    let good = signed(&RESET).unwrap();
    let at = good.windows(2).position(|pair| pair == [0xA0, 0x58]).unwrap();
    let mut bad = good.clone();
    bad.splice(at..=at, [0xA1, 0x04, 0x41, 0x01]);
    assert_eq!(verify(&bad, None).err(), Some(ReceiptError::Headers));
}

#[test]
fn a_genuine_signature_over_nonsense_is_refused() {
    let good = payload(&RESET);
    let changed = |at: usize, byte: u8| {
        let mut bad = good.clone();
        bad[at] = byte;
        bad
    };
    // Map head, then two bytes for each of version, reason, scope and erasures.
    let cases = [
        (changed(2, 2), ReceiptError::Version),
        (changed(4, 5), ReceiptError::Content),
        (changed(4, 3), ReceiptError::Content),
        (changed(4, 4), ReceiptError::Content),
        (changed(6, 2), ReceiptError::Content),
        (changed(6, 3), ReceiptError::Content),
        (changed(8, 0), ReceiptError::Content),
    ];
    for (bad, error) in cases {
        let bytes = forged(&bad, Some(CONTENT_TYPE), DOMAIN);
        assert_eq!(verify(&bytes, None).err(), Some(error), "{bad:02x?}");
    }
    let last = good.len() - 1;
    for bad in [
        &[][..],
        &[0xA0],
        &[0x80],
        // One entry less than the head says, and one more.
        &[&[0xAA], &good[1..]].concat(),
        &[&[0xAC], &good[1..], &[0x0C, 0x00]].concat(),
        &good[..last],
    ] {
        assert!(verify(&forged(bad, Some(CONTENT_TYPE), DOMAIN), None).is_err());
    }
    let stranger = payload(&RESET)
        .iter()
        .rev()
        .enumerate()
        .map(|(at, byte)| if at == 12 { !byte } else { *byte })
        .collect::<Vec<u8>>();
    let stranger: Vec<u8> = stranger.into_iter().rev().collect();
    let bytes = forged(&stranger, Some(CONTENT_TYPE), DOMAIN);
    assert_eq!(verify(&bytes, None).err(), Some(ReceiptError::Device));
}

#[test]
fn what_cannot_be_is_not_signed() {
    let namespaces = |list| Erased {
        reason: Reason::Request,
        scope: Scope::Namespaces(list),
        ..RESET
    };
    for (erased, error) in [
        (Erased { erasures: 0, ..RESET }, ReceiptError::Content),
        (
            Erased {
                reason: Reason::Retirement,
                ..RESET
            },
            ReceiptError::Content,
        ),
        (
            Erased {
                scope: Scope::Device,
                ..RESET
            },
            ReceiptError::Content,
        ),
        // Signed before the end, so it cannot know it.
        (
            Erased {
                reason: Reason::Retirement,
                scope: Scope::Device,
                ..RESET
            },
            ReceiptError::Content,
        ),
        (namespaces(&[]), ReceiptError::Content),
        (namespaces(&[2, 1]), ReceiptError::Content),
        (namespaces(&[1, 1]), ReceiptError::Content),
        (namespaces(&[0; 33]), ReceiptError::Content),
        (
            Erased {
                nonce: Some(b"1234567"),
                ..RESET
            },
            ReceiptError::NonceLength,
        ),
        (
            Erased {
                nonce: Some(&[0; 65]),
                ..RESET
            },
            ReceiptError::NonceLength,
        ),
    ] {
        assert_eq!(signed(&erased).err(), Some(error), "{erased:?}");
    }
}

#[test]
fn format_md_shows_the_receipt_that_this_code_makes() {
    let text = include_str!("../FORMAT.md");
    let shown = text.split_once("receipt:\n").map_or("", |(_, rest)| rest);
    let shown = shown.split_once("```").map_or("", |(shown, _)| shown);
    let shown: String = shown.split_whitespace().collect();
    let made: String = signed(&RESET)
        .unwrap()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(shown, made);
}
