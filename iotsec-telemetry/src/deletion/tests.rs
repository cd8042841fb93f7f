use std::{
    collections::BTreeSet,
    format,
    string::{String, ToString},
    vec::Vec,
};

use iotsec_core::{
    cose::{ContentType, Sign1Builder},
    crypto::{ChaCha20Poly1305, Ed25519PublicKey, Ed25519SigningKey, HkdfSha256, Sha256, Sign},
    hal::UnixTime,
    secret::Secret,
};
use iotsec_testkit::SimRng;

use super::*;
use crate::{
    batch::BatchKey,
    error::{DecodeError, DeletionError, TrailError},
    pseudonym::{
        Epoch, Pseudonym,
        tests::{Ram, granted, withdraw_usage},
    },
    registry::Purpose,
};

const TIME: UnixTime = UnixTime(1_790_000_000);

fn with_key<T>(work: impl FnOnce(&BatchKey<'_>) -> T) -> T {
    let secret = Secret::from_bytes(core::array::from_fn(|index| u8::try_from(index).unwrap()));
    work(&BatchKey::new(&secret, &ChaCha20Poly1305, &HkdfSha256))
}

fn service() -> (Ed25519SigningKey, Ed25519PublicKey) {
    let signer = Ed25519SigningKey::from_seed(&Secret::from_bytes([7; 32]));
    let anchor = Ed25519PublicKey::from_bytes(signer.public_key()).unwrap();
    (signer, anchor)
}

/// A device that has sent usage data in epochs 2956 to 2959, and whose owner has withdrawn.
fn withdrawn() -> (Consents, Ram, BTreeSet<Pseudonym>) {
    let (mut consents, mut storage) = granted();
    let mut rng = SimRng::new(1);
    let mut sent = BTreeSet::new();
    let mut trails = Trails::new(0, &HkdfSha256, &mut storage);
    for epoch in [2957, 2959, 2956] {
        let pseudonym = trails.pseudonym(&consents, Purpose::Usage, Epoch(epoch), &mut rng);
        sent.insert(pseudonym.unwrap());
    }
    withdraw_usage(&mut consents, &mut storage).unwrap();
    (consents, storage, sent)
}

fn request(consents: &Consents, storage: &mut Ram) -> Request {
    let mut trails = Trails::new(0, &HkdfSha256, storage);
    trails.due(consents).unwrap().expect("a request is due")
}

fn receipt(request: &Request) -> Vec<u8> {
    let deleted = Deleted::of(request, TIME, 214, Remains::AGGREGATED, &mut Sha256::new());
    let mut out = [0; Deleted::MAX_LEN];
    deleted.sign(&service().0, &mut out).unwrap().to_vec()
}

#[test]
fn a_request_names_every_identifier_of_every_epoch_and_survives_until_the_receipt() {
    let (consents, mut storage, sent) = withdrawn();
    let due = request(&consents, &mut storage);
    let mut sealed = [0; Request::SEALED_LEN];
    let opened = with_key(|key| {
        due.seal(key, &mut SimRng::new(2), &mut sealed).unwrap();
        key.open_request(&sealed).unwrap()
    });
    assert_eq!(opened.purpose(), Purpose::Usage);
    assert_eq!(opened.epochs(), (Epoch(2956), Epoch(2959)));
    let named: BTreeSet<_> = opened.pseudonyms(&HkdfSha256).map(Result::unwrap).collect();
    assert_eq!(named.len(), 4);
    assert!(named.is_superset(&sent));

    let mut trails = Trails::new(0, &HkdfSha256, &mut storage);
    assert!(trails.due(&consents).unwrap().is_some());
    let bytes = receipt(&opened);
    let token = Deleted::verify(&bytes, &service().1, &due, &mut Sha256::new()).unwrap();
    assert_eq!((token.deleted().events, token.deleted().time), (214, TIME));
    trails.acknowledge(token, &mut Sha256::new()).unwrap();
    assert!(trails.due(&consents).unwrap().is_none());
    assert!(storage.trails.iter().flatten().next().is_none());
}

#[test]
fn a_request_is_sealed_anew_each_time_and_stays_the_same_request() {
    let (consents, mut storage, _) = withdrawn();
    let due = request(&consents, &mut storage);
    let (mut first, mut second) = ([0; Request::SEALED_LEN], [0; Request::SEALED_LEN]);
    with_key(|key| {
        due.seal(key, &mut SimRng::new(2), &mut first).unwrap();
        due.seal(key, &mut SimRng::new(3), &mut second).unwrap();
        assert_ne!(first, second);
        let hash = due.hash(&mut Sha256::new());
        for sealed in [first, second] {
            assert_eq!(key.open_request(&sealed).unwrap().hash(&mut Sha256::new()), hash);
        }
    });
}

#[test]
fn a_sealed_request_is_no_batch_and_no_flipped_bit_opens() {
    let (consents, mut storage, _) = withdrawn();
    let due = request(&consents, &mut storage);
    let mut sealed = [0; Request::SEALED_LEN];
    with_key(|key| {
        due.seal(key, &mut SimRng::new(2), &mut sealed).unwrap();
        assert!(key.open(&sealed, &mut [0; 128]).is_err());
        for bit in 0..sealed.len() * 8 {
            let mut bad = sealed;
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(key.open_request(&bad).is_err(), "bit {bit}");
        }
        assert_eq!(
            key.open_request(&sealed[..127]).err(),
            Some(DecodeError::SizeClass)
        );
        let other = Secret::from_bytes([1; 32]);
        let other = BatchKey::new(&other, &ChaCha20Poly1305, &HkdfSha256);
        assert!(other.open_request(&sealed).is_err());
    });
}

#[test]
fn a_plaintext_that_no_device_writes_is_refused() {
    let mut good = Vec::from([0xA5, 1, 1, 2, 2, 3, 0x58, 32]);
    good.extend([9; 32]);
    good.extend([4, 0x19, 0x0B, 0x8C, 5, 0x19, 0x0B, 0x8F, 0, 0]);
    assert!(Request::parse(&good).is_ok());
    // Version, purpose, order of the labels, length of the secret, epochs the wrong way round or too far apart, padding.
    for (at, to) in [
        (0, 0xA4),
        (1, 2),
        (2, 2),
        (4, 3),
        (4, 0x20),
        (7, 31),
        (44, 0xFF),
        (47, 0),
        (49, 1),
    ] {
        let mut bad = good.clone();
        bad[at] = to;
        assert!(Request::parse(&bad).is_err(), "byte {at}");
    }
    let far = good.iter().copied().take(45).chain([0x19, 0x0F, 0x8C]);
    assert_eq!(
        Request::parse(&far.collect::<Vec<_>>()).err(),
        Some(DecodeError::Range)
    );
    for len in 0..48 {
        assert!(Request::parse(&good[..len]).is_err(), "{len} bytes");
    }
}

#[test]
fn only_the_service_acknowledges_and_only_this_request() {
    let (consents, mut storage, _) = withdrawn();
    let due = request(&consents, &mut storage);
    let (_, anchor) = service();
    let good = receipt(&due);
    let mut hash = Sha256::new();
    for bit in 0..good.len() * 8 {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        assert!(
            Deleted::verify(&bad, &anchor, &due, &mut hash).is_err(),
            "bit {bit}"
        );
    }
    for len in 0..good.len() {
        assert!(Deleted::verify(&good[..len], &anchor, &due, &mut hash).is_err());
    }
    let stranger = Ed25519SigningKey::from_seed(&Secret::from_bytes([8; 32]));
    let stranger = Ed25519PublicKey::from_bytes(stranger.public_key()).unwrap();
    assert!(matches!(
        Deleted::verify(&good, &stranger, &due, &mut hash),
        Err(DeletionError::Cose(_))
    ));
    let mut other = Vec::from([0xA5, 1, 1, 2, 2, 3, 0x58, 32]);
    other.extend([9; 32]);
    other.extend([4, 1, 5, 1]);
    let other = Request::parse(&other).unwrap();
    assert_eq!(
        Deleted::verify(&receipt(&other), &anchor, &due, &mut hash).err(),
        Some(DeletionError::Request)
    );
    // The token of a request that is not here (any more) removes nothing.
    let token = Deleted::verify(&receipt(&other), &anchor, &other, &mut hash).unwrap();
    let mut trails = Trails::new(0, &HkdfSha256, &mut storage);
    assert_eq!(trails.acknowledge(token, &mut hash), Err(TrailError::Unknown));
    assert!(trails.due(&consents).unwrap().is_some());
}

#[test]
fn a_receipt_with_more_in_it_or_from_another_format_is_refused() {
    let (signer, anchor) = service();
    let sign = |payload: &[u8], header: &str, domain: &[u8], kid: bool| {
        let mut out = [0; 256];
        let mut builder = Sign1Builder::new().content_type(ContentType::Media(header));
        if kid {
            builder = builder.kid(b"1");
        }
        let signed = builder.sign(&signer, payload, domain, &mut [0; 256], &mut out);
        let bytes = signed.unwrap().to_vec();
        Deleted::verify_any(&bytes, &anchor).err()
    };
    let mut payload = Vec::from([0xA6, 1, 1, 2, 0x58, 32]);
    payload.extend([5; 32]);
    payload.extend([3, 2, 4, 0x1A, 0x6A, 0xB1, 0x3B, 0x80, 5, 0x18, 214, 6, 1]);
    let header = "application/vnd.iotsec.deleted+cbor";
    let domain = b"iotsec/telemetry/deleted/v1";
    assert_eq!(sign(&payload, header, domain, false), None);
    assert!(matches!(
        sign(&payload, header, b"iotsec/erased/v1", false),
        Some(DeletionError::Cose(_))
    ));
    assert_eq!(sign(&payload, header, domain, true), Some(DeletionError::Headers));
    assert_eq!(
        sign(&payload, "application/vnd.iotsec.erased+cbor", domain, false),
        Some(DeletionError::Headers)
    );
    let edits: [(usize, u8, DeletionError); 3] = [
        (2, 2, DeletionError::Version),
        (39, 3, DeletionError::Content),
        (50, 8, DeletionError::Content),
    ];
    for (at, to, error) in edits {
        let mut bad = payload.clone();
        bad[at] = to;
        assert_eq!(sign(&bad, header, domain, false), Some(error), "byte {at}");
    }
    let mut fewer = payload[..49].to_vec();
    fewer[0] = 0xA5;
    assert_eq!(sign(&fewer, header, domain, false), Some(DeletionError::Content));
}

#[test]
fn a_receipt_for_people_says_what_remains() {
    let everything = Remains::AGGREGATED.and(Remains::BACKUPS).and(Remains::BY_LAW);
    assert_eq!(everything.sentences().count(), 3);
    assert_eq!(Remains::NOTHING.sentences().count(), 0);
    assert!(everything.has(Remains::BACKUPS) && !Remains::AGGREGATED.has(Remains::BACKUPS));
    let mut deleted = Deleted {
        request: [0; 32],
        purpose: Purpose::Health,
        time: UnixTime(1_798_761_599),
        events: 0,
        remains: everything,
    };
    let text = deleted.to_string();
    assert!(text.contains(" on 2026-12-31. Statistics ") && text.ends_with("used for nothing else."));
    // No calendar has that day.
    deleted.time = UnixTime(u64::MAX);
    assert!(
        deleted
            .to_string()
            .starts_with("The service has deleted 0 events about how well the device works. ")
    );
}

#[test]
fn every_error_has_a_number_of_its_own() {
    use iotsec_core::error::ErrorCode;
    let own: [&dyn ErrorCode; 9] = [
        &TrailError::NotConsented,
        &TrailError::Full,
        &TrailError::Epoch,
        &TrailError::Unknown,
        &DeletionError::Headers,
        &DeletionError::Version,
        &DeletionError::Content,
        &DeletionError::Request,
        &DeletionError::Key,
    ];
    let numbers: BTreeSet<u16> = own.iter().map(|error| error.code()).collect();
    assert_eq!(numbers.len(), own.len());
    assert!(numbers.iter().all(|number| (4851..4900).contains(number)));
}

#[test]
fn nothing_that_is_printed_shows_what_a_request_is_found_by() {
    let (consents, mut storage, _) = withdrawn();
    let due = request(&consents, &mut storage);
    assert_eq!(format!("{due:?}"), "Request { purpose: Usage, .. }");
    assert_eq!(format!("{:?}", due.pseudonyms(&HkdfSha256)), "Pseudonyms(..)");
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_vectors_in_the_format_document_are_what_this_code_makes() {
    use crate::pseudonym::Trail;
    let secret = || Secret::from_bytes(core::array::from_fn(|index| 0x40 + u8::try_from(index).unwrap()));
    let trail = || Trail {
        purpose: Purpose::Usage,
        asked: false,
        life: 3,
        grant: 1,
        first: Epoch(2956),
        last: Epoch(2959),
        root: secret(),
    };
    let mut made: Vec<(&str, String)> = Vec::new();
    made.push(("trail-record", hex(trail().to_bytes().expose())));
    let request = Request::of(&trail(), &HkdfSha256).unwrap();
    let first = request.pseudonyms(&HkdfSha256).next().unwrap().unwrap();
    made.push(("pseudonym-2956", hex(first.as_bytes())));
    let shifts = trail().shifts(&HkdfSha256, Epoch(2956)).unwrap();
    made.push(("shifts-2956", hex(shifts.expose())));
    let mut sealed = [0; Request::SEALED_LEN];
    with_key(|key| {
        request
            .seal(key, &mut crate::batch::tests::Counting(0x80), &mut sealed)
            .unwrap();
        let mut plain = [0; 128];
        let plain = key.open_as(b"iotsec/telemetry/deletion/v1", &sealed, &mut plain);
        made.push(("request", hex(plain.unwrap())));
    });
    made.push(("sealed-request", hex(&sealed)));
    made.push(("request-hash", hex(&request.hash(&mut Sha256::new()))));
    made.push(("receipt", hex(&receipt(&request))));
    crate::batch::tests::compare_vectors("deletion-vectors", &made);
}
