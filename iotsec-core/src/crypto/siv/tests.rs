use std::{collections::HashSet, vec::Vec};

use super::*;
use crate::cose::{CoseError, Encrypt0};

const NONCE: [u8; NONCE_LEN] = [3; NONCE_LEN];

fn key() -> Secret<32> {
    Secret::from_bytes([0x5A; 32])
}

/// Ciphertext and tag.
fn sealed(nonce: &[u8; NONCE_LEN], aad: &[u8], text: &[u8]) -> (Vec<u8>, [u8; TAG_LEN]) {
    let mut buffer = text.to_vec();
    let tag = ChaCha20HmacSiv.seal(&key(), nonce, aad, &mut buffer).unwrap();
    (buffer, tag)
}

fn text(len: usize) -> Vec<u8> {
    (0..len).map(|at| at.to_le_bytes()[0] | 1).collect()
}

/// In how many bytes two texts of the same length are equal.
fn equal_bytes(one: &[u8], other: &[u8]) -> usize {
    assert_eq!(one.len(), other.len());
    one.iter().zip(other).filter(|(a, b)| a == b).count()
}

#[test]
fn a_text_longer_than_the_key_stream_is_refused() {
    assert_eq!(check_len(0), Ok(()));
    assert_eq!(check_len(1 << 38), Ok(()));
    assert_eq!(check_len((1 << 38) + 1), Err(CryptoError::Length));
    assert_eq!(check_len(usize::MAX), Err(CryptoError::Length));
}

#[test]
fn every_flipped_bit_is_refused_and_leaves_zeros() {
    let (aad, text) = (b"under this name", text(130));
    let (ciphertext, tag) = sealed(&NONCE, aad, &text[..]);
    let opens = |key: &[u8; 32], nonce: &[u8], aad: &[u8], sealed: &[u8], tag: &[u8]| {
        let mut buffer = sealed.to_vec();
        let opened = ChaCha20HmacSiv.open(
            &Secret::from_bytes(*key),
            nonce.try_into().unwrap(),
            aad,
            &mut buffer,
            tag.try_into().unwrap(),
        );
        (opened, buffer)
    };
    let parts: [&[u8]; 5] = [&[0x5A; 32], &NONCE, aad, &ciphertext, &tag];
    let (opened, buffer) = opens(&[0x5A; 32], &NONCE, aad, &ciphertext, &tag);
    assert_eq!((opened, buffer), (Ok(()), text));
    let mut flips = 0;
    for part in 0..parts.len() {
        for bit in 0..parts[part].len() * 8 {
            let mut changed = parts.map(<[u8]>::to_vec);
            changed[part][bit / 8] ^= 1 << (bit % 8);
            let [key, nonce, aad, sealed, tag] = &changed;
            let (opened, buffer) = opens(&key[..].try_into().unwrap(), nonce, aad, sealed, tag);
            assert_eq!(opened, Err(CryptoError::Tag), "part {part}, bit {bit}");
            assert_eq!(buffer, [0; 130], "part {part}, bit {bit}");
            flips += 1;
        }
    }
    assert_eq!(flips, 8 * (32 + 12 + 15 + 130 + 16));
}

#[test]
fn a_repeated_nonce_shows_that_inputs_are_equal_and_nothing_else() {
    let one = text(4096);
    assert_eq!(sealed(&NONCE, b"name", &one), sealed(&NONCE, b"name", &one));
    let mut other = one.clone();
    other[4095] ^= 1;
    let first = sealed(&NONCE, b"name", &one);
    for (nonce, aad, text) in [
        (NONCE, &b"name"[..], &other),
        (NONCE, b"game", &one),
        ([4; NONCE_LEN], b"name", &one),
    ] {
        let second = sealed(&nonce, aad, text);
        // By chance one byte in 256 is equal, 16 here; more than 60 of them once in 2^58.
        assert!(equal_bytes(&first.0, &second.0) < 60);
        assert!(equal_bytes(&first.1, &second.1) < 8);
    }
    // Nor does a key stream repeat within a text.
    let stream: Vec<u8> = first.0.iter().zip(&one).map(|(a, b)| a ^ b).collect();
    let blocks: HashSet<_> = stream.chunks(BLOCK).collect();
    assert_eq!(blocks.len(), 64);
}

#[test]
fn the_text_is_told_from_the_associated_data_and_the_labels_from_each_other() {
    let tags: Vec<_> = (0..=8)
        .map(|split| {
            let (aad, text) = b"12345678".split_at(split);
            sealed(&NONCE, aad, text).1
        })
        .collect();
    for (at, tag) in tags.iter().enumerate() {
        assert!(!tags[..at].contains(tag));
    }
    assert_eq!(TAG_LABEL.len(), KEY_LABEL.len());
    assert_ne!(TAG_LABEL, KEY_LABEL);
}

#[test]
fn it_has_no_number_of_anyone_s() {
    assert_eq!(ChaCha20HmacSiv.algorithm(), AeadAlgorithm::ChaCha20HmacSiv);
    assert!(AeadAlgorithm::ChaCha20HmacSiv.survives_nonce_reuse());
    let mut out = [0; 128];
    let sealed = Encrypt0::seal(&ChaCha20HmacSiv, &key(), &NONCE, b"", b"", b"text", &mut out);
    assert_eq!(sealed, Err(CoseError::AlgorithmUnknown));
}
