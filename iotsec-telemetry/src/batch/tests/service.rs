//! Batches, requests and values to a service's public key.

use iotsec_core::crypto::{AgreementKey, KeyAgreement, P256AgreementKey, X25519Key, hpke};

use super::*;
use crate::{
    consent::Usage,
    deletion::Request,
    error::{DecodeError, RecordError, SealError},
    personal::Sensitive,
};

const ID: [u8; KEY_ID_LEN] = *b"2026-key";

fn private() -> X25519Key {
    X25519Key::from_scalar(&Secret::from_bytes([7; 32]))
}

fn sealed(sizes: Sizes, seed: u64) -> Vec<u8> {
    let (consents, _) = granted();
    let (private, mut queue) = (private(), queue(&consents));
    let key = ServiceKey::new(hpke::X25519_CHACHA20_POLY1305, private.public_key(), ID);
    let (mut scratch, mut out) = ([0; MAX_LEN], [0; MAX_LEN]);
    let mut rng = SimRng::new(seed);
    let batch = queue.batch(&consents, &key, sizes, &mut rng, &mut scratch, &mut out);
    let bytes = batch.unwrap().unwrap().bytes().to_vec();
    assert!(scratch.iter().all(|byte| *byte == 0), "the plaintext was wiped");
    bytes
}

fn open(message: &[u8], private: &X25519Key, id: [u8; KEY_ID_LEN]) -> Result<usize, DecodeError> {
    let mut plain = [0; MAX_LEN];
    let secret = ServiceSecret::new(hpke::X25519_CHACHA20_POLY1305, private, id);
    let batch = secret.open(message, &mut plain)?.read(&registry())?;
    Ok(batch.events().count())
}

#[test]
fn a_batch_to_a_public_key_has_exactly_its_size_class_and_comes_back() {
    for class in SizeClass::ALL {
        let message = sealed(Sizes::fixed(class), 1);
        assert_eq!(message.len(), class.sealed_len());
        let count = open(&message, &private(), ID).unwrap();
        assert!(count > 0);
        assert_eq!(key_id(&message), Some(&ID));
    }
    let sizes = Sizes::fixed(SizeClass::B256);
    assert_ne!(sealed(sizes, 1), sealed(sizes, 2));
}

#[test]
fn no_flipped_bit_no_other_key_and_no_other_length_opens() {
    let message = sealed(Sizes::fixed(SizeClass::B192), 1);
    // Every byte, and every position in a byte.
    for bit in (0..message.len() * 8).step_by(7) {
        let mut bad = message.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        // The highest bit of an X25519 key is not used (RFC 7748 §5), but it is part of what is hashed.
        assert!(open(&bad, &private(), ID).is_err(), "bit {bit}");
    }
    let other = X25519Key::from_scalar(&Secret::from_bytes([8; 32]));
    assert!(matches!(open(&message, &other, ID), Err(DecodeError::Hpke(_))));
    assert_eq!(
        open(&message, &private(), *b"2027-key"),
        Err(DecodeError::Recipient)
    );
    assert_eq!(open(&message[..191], &private(), ID), Err(DecodeError::SizeClass));
    let mut newer = message.clone();
    newer[0] = 2;
    assert_eq!(open(&newer, &private(), ID), Err(DecodeError::Version));
    assert_eq!(key_id(&newer), None);
    // Nor is it a message under a shared key.
    assert!(key(&secret()).open(&message, &mut [0; 256]).is_err());
}

fn request() -> Request {
    let mut plain = Vec::from([0xA5, 1, 1, 2, 2, 3, 0x58, 32]);
    plain.extend([9; 32]);
    plain.extend([4, 0x19, 0x0B, 0x8C, 5, 0x19, 0x0B, 0x8F]);
    Request::parse(&plain).unwrap()
}

fn request_under<K: AgreementKey>(suite: hpke::Hpke<'_, K>, private: &K, len: usize) {
    let mut out = [0; 192];
    let key = ServiceKey::new(suite, private.public_key(), ID);
    let sealed = request().seal(&key, &mut SimRng::new(3), &mut out).unwrap();
    assert_eq!(sealed.len(), len);
    let service = ServiceSecret::new(suite, private, ID);
    let mut hash = Sha256::new();
    let opened = service.open_request(sealed).unwrap();
    assert_eq!(opened.hash(&mut hash), request().hash(&mut hash));
    // A request is no batch.
    assert!(service.open(sealed, &mut [0; 256]).is_err());
}

#[test]
fn a_request_goes_to_either_curve() {
    request_under(hpke::X25519_CHACHA20_POLY1305, &private(), Request::SEALED_LEN);
    let p256 = P256AgreementKey::from_secret(&Secret::from_bytes([5; 32])).unwrap();
    request_under(hpke::P256_CHACHA20_POLY1305, &p256, 192);
}

#[test]
fn a_sensitive_value_leaves_sealed_under_its_consent_and_declaration() {
    const PULSE: EventDef = EventDef::new(
        1,
        "pulse",
        Class::Usage,
        "A test",
        &[Field::number("rate", "/min", 20, 250)],
    );
    const OTHER: EventDef = EventDef::new(
        2,
        "other",
        Class::Health,
        "A test",
        &[Field::number("rate", "/min", 20, 250)],
    );
    crate::registry!(static VALUES = [PULSE, OTHER]);
    let registry = VALUES.hashed(&mut Sha256::new());
    let (consents, _) = granted();
    let consent = consents.live::<Usage>().unwrap();
    let (private, mut rng) = (private(), SimRng::new(4));
    let suite = hpke::X25519_CHACHA20_POLY1305;
    let public = ServiceKey::new(suite, private.public_key(), ID);
    let mut out = [0; 192];
    let value = |rate: u32| Sensitive::<u32, Usage>::new(rate);
    let mut lengths = Vec::new();
    for rate in [20, 62, 250] {
        let sealed = value(rate).seal(&public, &registry, &PULSE, &consent, &mut rng, &mut out);
        let sealed = sealed.unwrap();
        lengths.push(sealed.len());
        let opened = ServiceSecret::new(suite, &private, ID).open_value(sealed, &registry);
        let opened = opened.unwrap();
        assert_eq!((opened.raw(), opened.event().name()), (i64::from(rate), "pulse"));
        assert_eq!(format!("{opened:?}"), "OpenedValue(..)");
        // Not a batch, and not read against another registry.
        let service = ServiceSecret::new(suite, &private, ID);
        assert!(service.open(sealed, &mut [0; 256]).is_err());
        let other = super::registry();
        assert_eq!(
            service.open_value(sealed, &other).err(),
            Some(DecodeError::UnknownRegistry)
        );
    }
    assert_eq!(lengths, [128; 3]);
    let refused = value(251).seal(&public, &registry, &PULSE, &consent, &mut rng, &mut out);
    assert_eq!(refused, Err(SealError::Record(RecordError::OutOfBounds)));
    let refused = value(62).seal(&public, &registry, &OTHER, &consent, &mut rng, &mut out);
    assert_eq!(refused, Err(SealError::Record(RecordError::Purpose)));
    // Under a shared key as well.
    let secret = secret();
    let sealed = value(62).seal(&key(&secret), &registry, &PULSE, &consent, &mut rng, &mut out);
    let opened = key(&secret).open_value(sealed.unwrap(), &registry).unwrap();
    assert_eq!(opened.raw(), 62);
}

#[test]
fn the_vectors_in_the_format_document_are_what_this_code_makes() {
    let private = private();
    let suite = hpke::X25519_CHACHA20_POLY1305;
    let key = ServiceKey::new(suite, private.public_key(), ID);
    let mut out = [0; 192];
    let sealed = request().seal(&key, &mut Counting(0x80), &mut out).unwrap();
    let hex = |bytes: &[u8]| -> String { bytes.iter().map(|byte| format!("{byte:02x}")).collect() };
    let mut plain = [0; 128];
    let service = ServiceSecret::new(suite, &private, ID);
    let plain = service.open_as(b"iotsec/telemetry/deletion/v1", sealed, &mut plain);
    compare_vectors(
        "hpke-vectors",
        &[
            ("service-public-key", hex(private.public_key())),
            ("plaintext", hex(plain.unwrap())),
            ("sealed-request", hex(sealed)),
        ],
    );
}
