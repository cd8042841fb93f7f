use super::*;
use crate::{
    cbor::{Kind, Limits, Writer},
    crypto::{ChaCha20Poly1305, CryptoError, Ed25519PublicKey, Ed25519SigningKey, Sign},
    secret::Secret,
};
use std::vec::Vec;

fn key(seed: u8) -> Ed25519SigningKey {
    Ed25519SigningKey::from_seed(&Secret::from_bytes([seed; 32]))
}

fn public(seed: u8) -> Ed25519PublicKey {
    Ed25519PublicKey::from_bytes(key(seed).public_key()).unwrap()
}

fn signed(aad: &[u8]) -> Vec<u8> {
    let (mut out, mut scratch) = ([0; 256], [0; 256]);
    Sign1Builder::new()
        .kid(b"k")
        .sign(&key(1), b"payload", aad, &mut scratch, &mut out)
        .unwrap()
        .to_vec()
}

fn verify(message: &[u8], seed: u8, aad: &[u8]) -> Result<Vec<u8>, CoseError> {
    let mut scratch = [0; 256];
    let verified = Sign1::parse(message, &Limits::SMALL)?.verify(&public(seed), aad, &mut scratch)?;
    Ok(verified.payload().to_vec())
}

#[test]
fn a_signature_counts_for_its_key_payload_and_context() {
    assert_eq!(verify(&signed(b"a"), 1, b"a").unwrap(), b"payload");
    assert_eq!(verify(&signed(b"a"), 2, b"a"), Err(CryptoError::Signature.into()));
    assert_eq!(verify(&signed(b"a"), 1, b"b"), Err(CryptoError::Signature.into()));
}

#[test]
fn no_flipped_bit_verifies_to_another_payload() {
    let good = signed(b"");
    for bit in 0..good.len() * 8 {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        if let Ok(payload) = verify(&bad, 1, b"") {
            // Only the unprotected key id is outside the signature.
            assert_eq!(payload, b"payload", "bit {bit}");
        }
    }
    for len in 0..good.len() {
        assert!(verify(&good[..len], 1, b"").is_err());
    }
}

#[test]
fn an_attached_payload_is_not_taken_for_a_detached_one() {
    let (mut out, mut scratch) = ([0; 256], [0; 256]);
    let message = signed(b"");
    let parsed = Sign1::parse(&message, &Limits::SMALL).unwrap();
    let answer = parsed.verify_detached(&public(1), b"payload", b"", &mut scratch);
    assert_eq!(answer.err(), Some(CoseError::Payload));

    let message = Sign1Builder::new()
        .sign_detached(&key(1), b"payload", b"", &mut scratch, &mut out)
        .unwrap();
    let parsed = Sign1::parse(message, &Limits::SMALL).unwrap();
    assert_eq!(
        parsed.verify(&public(1), b"", &mut [0; 256]).err(),
        Some(CoseError::Payload)
    );
    assert!(
        parsed
            .verify_detached(&public(1), b"payload", b"", &mut [0; 256])
            .is_ok()
    );
    assert!(
        parsed
            .verify_detached(&public(1), b"other", b"", &mut [0; 256])
            .is_err()
    );
}

/// A Sign1 with the given protected bucket content and unprotected map, and a dummy signature.
fn with_headers(protected: &[u8], unprotected: &[u8]) -> Vec<u8> {
    let mut out = [0; 256];
    let mut writer = Writer::new(&mut out);
    writer
        .tag(18)
        .unwrap()
        .array(4)
        .unwrap()
        .bytes(protected)
        .unwrap()
        .raw(unprotected)
        .unwrap();
    writer.bytes(b"payload").unwrap().bytes(&[0; 64]).unwrap();
    writer.finish().unwrap().to_vec()
}

#[test]
fn headers_fail_closed() {
    let cases: &[(&[u8], &[u8], CoseError)] = &[
        (&[], &[0xA0], CoseError::AlgorithmMissing),
        (&[0xA0], &[0xA0], CoseError::AlgorithmMissing),
        // Unprotected only.
        (&[], &[0xA1, 0x01, 0x32], CoseError::AlgorithmMissing),
        (&[0xA1, 0x01, 0x38, 0x63], &[0xA0], CoseError::AlgorithmUnknown),
        (
            &[0xA1, 0x01, 0x64, b'n', b'o', b'n', b'e'],
            &[0xA0],
            CoseError::AlgorithmUnknown,
        ),
        // crit names an unknown label, is empty, is unprotected.
        (
            &[0xA2, 0x01, 0x32, 0x02, 0x81, 0x18, 0x63],
            &[0xA0],
            CoseError::Critical,
        ),
        (&[0xA2, 0x01, 0x32, 0x02, 0x80], &[0xA0], CoseError::Critical),
        (
            &[0xA1, 0x01, 0x32],
            &[0xA1, 0x02, 0x81, 0x01],
            CoseError::Critical,
        ),
        // The same label in both buckets.
        (
            &[0xA2, 0x01, 0x32, 0x04, 0x41, 0x01],
            &[0xA1, 0x04, 0x41, 0x01],
            CoseError::Header,
        ),
        (&[0xA1, 0x01, 0x32], &[0xA1, 0x01, 0x32], CoseError::Header),
        (&[0xA1, 0x01, 0x32], &[0xA1, 0x04, 0x01], CoseError::Header),
    ];
    for (protected, unprotected, error) in cases {
        let message = with_headers(protected, unprotected);
        assert_eq!(
            Sign1::parse(&message, &Limits::SMALL).err(),
            Some(*error),
            "{protected:02x?}"
        );
    }
    // Understood and present: allowed.
    let message = with_headers(&[0xA2, 0x01, 0x32, 0x02, 0x81, 0x01], &[0xA0]);
    assert!(Sign1::parse(&message, &Limits::SMALL).is_ok());
}

#[test]
fn the_algorithm_is_bound_to_the_key() {
    for algorithm in [0x26 /* -7 */, 0x28 /* -9 */] {
        let message = with_headers(&[0xA1, 0x01, algorithm], &[0xA0]);
        assert_eq!(verify(&message, 1, b""), Err(CoseError::AlgorithmMismatch));
    }
    // -8 and -19 are both Ed25519: the dummy signature is what fails.
    for algorithm in [0x27, 0x32] {
        let message = with_headers(&[0xA1, 0x01, algorithm], &[0xA0]);
        assert_eq!(verify(&message, 1, b""), Err(CryptoError::Signature.into()));
    }
}

#[test]
fn another_tag_or_arity_is_refused() {
    let mut message = signed(b"");
    message[0] = 0xD0;
    assert!(
        matches!(Sign1::parse(&message, &Limits::SMALL), Err(CoseError::Encoding(e)) if e.kind == Kind::Range)
    );
    assert!(Sign1::parse(&message[1..], &Limits::SMALL).is_err());
}

#[test]
fn encrypt0_opens_only_what_was_sealed() {
    let secret = Secret::from_bytes([3; 32]);
    let mut out = [0; 128];
    let sealed = Encrypt0::seal(
        &ChaCha20Poly1305,
        &secret,
        &[5; 12],
        b"kid",
        b"aad",
        b"attack at dawn",
        &mut out,
    )
    .unwrap();
    assert!(sealed.len() <= b"attack at dawn".len() + Encrypt0::OVERHEAD);
    let sealed = sealed.to_vec();
    let open = |message: &[u8], secret: &Secret<32>, aad: &[u8]| {
        let mut plain = [0xEE; 32];
        let opened =
            Encrypt0::parse(message, &Limits::SMALL)?.open(&ChaCha20Poly1305, secret, aad, &mut plain);
        let opened = opened.map(<[u8]>::to_vec);
        if opened.is_err() {
            assert!(!plain.windows(6).any(|w| w == b"attack"));
        }
        opened
    };
    assert_eq!(open(&sealed, &secret, b"aad").unwrap(), b"attack at dawn");
    assert!(open(&sealed, &secret, b"AAD").is_err());
    assert!(open(&sealed, &Secret::from_bytes([4; 32]), b"aad").is_err());
    for bit in 0..sealed.len() * 8 {
        let mut bad = sealed.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        if let Ok(plain) = open(&bad, &secret, b"aad") {
            assert_eq!(plain, b"attack at dawn");
        }
    }
}
