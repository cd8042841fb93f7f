use super::*;
use crate::{
    crypto::{CryptoError, Ed25519PublicKey, Ed25519SigningKey, Sign as _},
    secret::Secret,
};
use std::{path::Path, vec::Vec};

const LIMITS: Limits = Limits {
    depth: Sign::DEPTH,
    ..Limits::SMALL
};

fn key(seed: u8) -> Ed25519SigningKey {
    Ed25519SigningKey::from_seed(&Secret::from_bytes([seed; 32]))
}

fn public(seed: u8) -> Ed25519PublicKey {
    Ed25519PublicKey::from_bytes(key(seed).public_key()).unwrap()
}

fn signed(seeds: &[u8], attached: bool, aad: &[u8]) -> Result<Vec<u8>, CoseError> {
    let keys: Vec<_> = seeds.iter().map(|seed| key(*seed)).collect();
    let signers: Vec<_> = keys.iter().map(|key| Signer { key, kid: Some(b"k") }).collect();
    let (mut out, mut scratch) = ([0; 1024], [0; 256]);
    let builder = SignBuilder::new(&signers);
    let message = if attached {
        builder.sign(b"payload", aad, &mut scratch, &mut out)?
    } else {
        builder.sign_detached(b"payload", aad, &mut scratch, &mut out)?
    };
    Ok(message.to_vec())
}

/// How each signature turns out under the key of `seed`.
fn verify(message: &[u8], seed: u8, aad: &[u8]) -> Result<Vec<Result<(), CoseError>>, CoseError> {
    let message = Sign::parse(message, &LIMITS)?;
    let check = |signature: Signature<'_, '_>| {
        let verified = signature.verify(&public(seed), aad, &mut [0; 256])?;
        assert_eq!(verified.payload(), b"payload");
        Ok(())
    };
    Ok(message
        .signatures()
        .map(|signature| signature.and_then(check))
        .collect())
}

const WRONG: Result<(), CoseError> = Err(CoseError::Crypto(CryptoError::Signature));

#[test]
fn each_signature_counts_for_its_own_key_and_context() {
    let message = signed(&[1, 2, 3], true, b"a").unwrap();
    assert_eq!(verify(&message, 1, b"a").unwrap(), [Ok(()), WRONG, WRONG]);
    assert_eq!(verify(&message, 2, b"a").unwrap(), [WRONG, Ok(()), WRONG]);
    assert_eq!(verify(&message, 3, b"a").unwrap(), [WRONG, WRONG, Ok(())]);
    assert_eq!(verify(&message, 3, b"b").unwrap(), [WRONG; 3]);
    assert_eq!(verify(&message, 9, b"a").unwrap(), [WRONG; 3]);
}

#[test]
fn an_attached_payload_is_not_taken_for_a_detached_one() {
    let attached = signed(&[1], true, b"").unwrap();
    let attached = Sign::parse(&attached, &LIMITS).unwrap();
    assert_eq!(attached.unverified_payload(), Some(&b"payload"[..]));
    let signature = attached.signatures().next().unwrap().unwrap();
    let answer = signature.verify_detached(&public(1), b"payload", b"", &mut [0; 256]);
    assert_eq!(answer.err(), Some(CoseError::Payload));

    let detached = signed(&[1], false, b"").unwrap();
    let detached = Sign::parse(&detached, &LIMITS).unwrap();
    let signature = detached.signatures().next().unwrap().unwrap();
    assert_eq!(
        signature.verify(&public(1), b"", &mut [0; 256]).err(),
        Some(CoseError::Payload)
    );
    let answer = |payload| signature.verify_detached(&public(1), payload, b"", &mut [0; 256]);
    assert!(answer(b"payload").is_ok());
    assert!(answer(b"other").is_err());
    assert!(answer(b"payload").is_ok_and(|verified| verified.payload() == b"payload"));
}

#[test]
fn no_flipped_bit_verifies_another_payload_and_no_cut_message_is_read() {
    let good = signed(&[1, 2], true, b"").unwrap();
    for bit in 0..good.len() * 8 {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        // `verify` asserts the payload of whatever still verifies.
        let answers = verify(&bad, 1, b"").unwrap_or_default();
        assert!(answers.iter().filter(|answer| answer.is_ok()).count() <= 1);
    }
    for len in 0..good.len() {
        assert!(Sign::parse(&good[..len], &LIMITS).is_err());
    }
}

#[test]
fn a_sign1_signature_is_no_sign_signature() {
    let (mut out, mut scratch) = ([0; 256], [0; 256]);
    let single = super::super::Sign1Builder::new()
        .sign(&key(1), b"payload", b"", &mut scratch, &mut out)
        .unwrap();
    let signature: &[u8; SIGNATURE_LEN] = single.last_chunk().unwrap();
    let mut transplanted = signed(&[1], true, b"").unwrap();
    let at = transplanted.len() - SIGNATURE_LEN;
    transplanted[at..].copy_from_slice(signature);
    assert_eq!(verify(&transplanted, 1, b"").unwrap(), [WRONG]);
    assert!(Sign::parse(single, &LIMITS).is_err());
}

#[test]
fn none_and_too_many_signatures_are_refused() {
    assert_eq!(signed(&[], true, b""), Err(CoseError::Signatures));
    assert_eq!(signed(&[1; 9], true, b""), Err(CoseError::Signatures));
    let most = signed(&[1; 8], true, b"").unwrap();
    assert_eq!(verify(&most, 1, b"").unwrap().len(), 8);

    assert_eq!(
        Sign::parse(&message(&[], &[]), &LIMITS).err(),
        Some(CoseError::Signatures)
    );
    let nine = message(&[], &[&[0xA1, 0x01, 0x32][..]; 9]);
    assert_eq!(Sign::parse(&nine, &LIMITS).err(), Some(CoseError::Signatures));
}

/// A message with the given protected headers and dummy signatures.
fn message(body: &[u8], signatures: &[&[u8]]) -> Vec<u8> {
    let mut out = [0; 1024];
    let mut writer = Writer::new(&mut out);
    writer.tag(98).unwrap().array(4).unwrap().bytes(body).unwrap();
    writer.map(0).unwrap().bytes(b"payload").unwrap();
    writer.array(signatures.len() as u64).unwrap();
    for protected in signatures {
        writer.array(3).unwrap().bytes(protected).unwrap();
        writer.map(0).unwrap().bytes(&[0; 64]).unwrap();
    }
    writer.finish().unwrap().to_vec()
}

#[test]
fn an_unknown_algorithm_spoils_its_own_signature_and_a_malformed_one_the_message() {
    let known: &[u8] = &[0xA1, 0x01, 0x32];
    let cases: &[(&[u8], CoseError)] = &[
        (&[0xA1, 0x01, 0x38, 0x63], CoseError::AlgorithmUnknown),
        (&[0xA2, 0x01, 0x32, 0x02, 0x81, 0x18, 0x63], CoseError::Critical),
    ];
    for (protected, error) in cases {
        let message = message(&[], &[protected, known]);
        assert_eq!(verify(&message, 1, b"").unwrap(), [Err(*error), WRONG]);
    }
    // ES256 under an Ed25519 key.
    let other = message(&[], &[&[0xA1, 0x01, 0x26]]);
    assert_eq!(
        verify(&other, 1, b"").unwrap(),
        [Err(CoseError::AlgorithmMismatch)]
    );

    for protected in [&[][..], &[0xA0], &[0xA1, 0x04, 0x41, 0x01]] {
        let message = message(&[], &[known, protected]);
        assert_eq!(
            Sign::parse(&message, &LIMITS).err(),
            Some(CoseError::AlgorithmMissing)
        );
    }
    // A critical header of the body concerns every signature.
    let critical = message(&[0xA1, 0x02, 0x81, 0x18, 0x63], &[known]);
    assert_eq!(Sign::parse(&critical, &LIMITS).err(), Some(CoseError::Critical));
}

#[test]
fn an_empty_body_map_counts_as_no_bytes() {
    let good = signed(&[1], true, b"").unwrap();
    // D8 62 84 40 …: the body's protected header as an encoded empty map instead of no bytes.
    assert_eq!(good[..4], [0xD8, 0x62, 0x84, 0x40]);
    let longer = [&good[..3], &[0x41, 0xA0], &good[4..]].concat();
    assert_eq!(verify(&longer, 1, b"").unwrap(), [Ok(())]);
}

#[test]
fn the_block_of_an_envelope_made_elsewhere_verifies() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/suit");
    let envelope = std::fs::read(root.join("oracle/p24_cose_sign_tag98.suit")).unwrap();
    let hex = std::fs::read_to_string(root.join("keys/ed25519_a.pub.hex")).unwrap();
    let bytes: Vec<u8> = (0..64)
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect();
    let anchor = Ed25519PublicKey::from_bytes(&bytes).unwrap();

    let mut reader = Reader::new(&envelope, &LIMITS).unwrap();
    assert_eq!((reader.tag().unwrap(), reader.map().unwrap()), (107, 2));
    reader.key().unwrap();
    let mut wrapper = reader.embedded(&LIMITS).unwrap();
    assert_eq!(wrapper.array().unwrap(), 2);
    let digest = wrapper.bytes().unwrap();
    let message = Sign::parse(wrapper.bytes().unwrap(), &LIMITS).unwrap();
    let answers: Vec<_> = message
        .signatures()
        .map(|signature| {
            signature
                .unwrap()
                .verify_detached(&anchor, digest, b"", &mut [0; 256])
                .is_ok()
        })
        .collect();
    assert_eq!(answers.iter().filter(|good| **good).count(), 1);
}
