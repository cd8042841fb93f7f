//! Telemetry: sealed batches, what is in them, snapshots of the queue, consent.

use iotsec_core::{
    cose::Encrypt0,
    crypto::{ChaCha20Poly1305, HkdfSha256, Kdf, Sha256},
    hal::{Millis, UnixTime},
    secret::Secret,
};
use iotsec_telemetry::{
    batch::{BatchKey, SizeClass, Sizes},
    consent::{Answer, CONSENT_RECORD_LEN, ConsentStorage, Consents, Health, Loaded, Usage},
    error::StorageError,
    queue::Queue,
    registry,
    registry::{Buckets, Class, EventDef, Field, HashedRegistry},
    value::Value,
};
use iotsec_testkit::SimRng;

use crate::{Seed, model};

const LOGIN_FAILED: EventDef = EventDef::new(
    1,
    "login.failed",
    Class::Security,
    "Shows attacks on the password",
    &[
        Field::choice("interface", &["web", "radio"]),
        Field::number("attempts", "1", 1, 255),
    ],
);
const TOO_HOT: EventDef = EventDef::new(
    2,
    "heat.limit",
    Class::Critical,
    "The unit switched itself off",
    &[Field::number("temperature", "Cel", -40, 200)],
);
const RADIO: EventDef = EventDef::new(
    7,
    "radio.level",
    Class::Health,
    "Finds weak links",
    &[Field::bucket("level", "dBm", LEVELS)],
);
const LEVELS: Buckets = Buckets::new(&[-90, -70, -50]);
registry!(static PRODUCT = [LOGIN_FAILED, TOO_HOT, RADIO]);

const BOOT: u32 = 7;
const KEY: [u8; 32] = [9; 32];

fn hashed() -> HashedRegistry {
    PRODUCT.hashed(&mut Sha256::new())
}

/// Only what was sealed under the key opens, and under no other key.
pub fn sealed(input: &[u8]) -> bool {
    let mut out = [0; 4096];
    let (key, other) = (Secret::from_bytes(KEY), Secret::from_bytes([8; 32]));
    let open = |key: &Secret<32>, out: &mut [u8]| {
        BatchKey::new(key, &ChaCha20Poly1305, &HkdfSha256)
            .open(input, out)
            .is_ok()
    };
    assert!(!open(&other, &mut out));
    if !open(&key, &mut out) {
        return false;
    }
    // The fuzzer does not know the key, so the plaintext is one that a seed has.
    assert!(out.starts_with(&batch_of(2)), "forged");
    assert!(!open(&key, &mut out[..16]), "no room");
    true
}

/// Whatever the plaintext of a batch says, its events are declared ones with all their fields in range,
/// and in order.
///
/// The input is a plaintext, which is padded and sealed here so that the cipher does not hide it from
/// the fuzzer.
pub fn batch(input: &[u8]) -> bool {
    let Some(sealed) = seal(input) else {
        return false;
    };
    let key = Secret::from_bytes(KEY);
    let key = BatchKey::new(&key, &ChaCha20Poly1305, &HkdfSha256);
    let mut out = [0; 4096];
    let Ok(opened) = key.open(&sealed, &mut out) else {
        return false;
    };
    let Ok(batch) = opened.read(&hashed()) else {
        return false;
    };
    let mut last = None;
    for event in batch.events() {
        let definition = event.definition();
        assert!(PRODUCT.events().iter().any(|known| known.id() == definition.id()));
        for (index, field) in definition.fields().iter().enumerate() {
            assert!(
                event.held(index).is_some(),
                "{} of {}",
                field.name(),
                definition.name()
            );
        }
        let place = definition.fields().len();
        assert!(event.held(place).is_none() && event.raw(place).is_none());
        let id = (event.id().boot, event.id().sequence);
        assert!(id.0 <= batch.boot() && last.replace(id).is_none_or(|last| last < id));
    }
    // A document of its own, which may end in zeros of its padding.
    let end = input.iter().rposition(|byte| *byte != 0);
    let end = end.map_or(0, |last| last + 1);
    let mut padded = input.to_vec();
    padded.resize(input.len() + 64, 0);
    assert!((end..=padded.len()).any(|end| model::decode(&padded[..end]).is_some()));
    true
}

/// A snapshot from anyone fits the queue, and a snapshot of the restored queue restores the same.
pub fn snapshot(input: &[u8]) -> bool {
    let consents = granted();
    let mut queue = Queue::<8>::new(hashed(), BOOT + 1, 2);
    let Ok(restored) = queue.restore(&consents, input) else {
        assert!(queue.is_empty());
        return false;
    };
    assert!(queue.len() <= 8);
    // Later events may have displaced earlier ones that were kept at first.
    assert!(u64::from(restored.kept) >= u64::try_from(queue.len()).unwrap_or(u64::MAX));

    let mut bytes = vec![0; Queue::<8>::SNAPSHOT_MAX_LEN];
    let again = queue
        .snapshot(Class::Usage, &mut bytes)
        .expect("room for any snapshot");
    assert!(model::decode(again).is_some());
    let mut second = Queue::<8>::new(hashed(), BOOT + 2, 2);
    let restored = second.restore(&consents, again).expect("a snapshot of our own");
    assert_eq!(second.len(), queue.len());
    assert_eq!((restored.purged, restored.unreadable), (0, 0));
    for class in [Class::Critical, Class::Security, Class::Health, Class::Usage] {
        assert_eq!(second.len_of(class), queue.len_of(class));
        assert_eq!(second.loss(class), queue.loss(class));
    }
    true
}

/// A record that is not exactly as written grants nothing.
pub fn consent(input: &[u8]) -> bool {
    let Ok(record) = <[u8; CONSENT_RECORD_LEN]>::try_from(input) else {
        return false;
    };
    let consents = Consents::load(&mut Stored(Some(record)));
    let is_live = [
        consents.live::<Health>().is_some(),
        consents.live::<Usage>().is_some(),
    ];
    if consents.loaded() != Loaded::Record {
        assert_eq!((consents.loaded(), is_live), (Loaded::Refused, [false; 2]));
        return false;
    }
    for (answer, is_live) in [consents.answer::<Health>(), consents.answer::<Usage>()]
        .into_iter()
        .zip(is_live)
    {
        assert_eq!(is_live, answer.answer() == Answer::Granted);
    }
    for bit in 0..record.len() * 8 {
        let mut decayed = record;
        decayed[bit / 8] ^= 1 << (bit % 8);
        let decayed = Consents::load(&mut Stored(Some(decayed)));
        assert_eq!(decayed.loaded(), Loaded::Refused, "bit {bit}");
    }
    true
}

struct Stored(Option<[u8; CONSENT_RECORD_LEN]>);

impl ConsentStorage for Stored {
    fn load(&mut self, record: &mut [u8; CONSENT_RECORD_LEN]) -> Result<bool, StorageError> {
        if let Some(stored) = self.0 {
            *record = stored;
        }
        Ok(self.0.is_some())
    }
    fn store(&mut self, record: &[u8; CONSENT_RECORD_LEN]) -> Result<(), StorageError> {
        self.0 = Some(*record);
        Ok(())
    }
}

pub(crate) fn granted() -> Consents {
    let mut storage = Stored(None);
    let mut consents = Consents::load(&mut storage);
    consents
        .grant::<Health>(1, None, &mut storage)
        .expect("the storage works");
    consents
}

fn queue_of(events: usize) -> Queue<8> {
    let mut queue = Queue::<8>::new(hashed(), BOOT, 2);
    let level = Value::bucket(-60, LEVELS);
    let consents = granted();
    let mut now = Millis::from_secs(3);
    for (definition, values) in [
        (&LOGIN_FAILED, &[Value::from(1_u8), Value::from(5_u8)][..]),
        (&TOO_HOT, &[Value::from(99_u8)]),
        (&RADIO, &[level]),
    ]
    .into_iter()
    .take(events)
    {
        queue
            .record(&consents, definition, values, now)
            .expect("declared and within bounds");
        now = Millis(now.0 + 61_000);
    }
    queue.set_clock(now, UnixTime(1_800_000_000));
    queue
}

/// A sealed batch, as the device makes it.
fn sealed_of(events: usize) -> Vec<u8> {
    let key = Secret::from_bytes(KEY);
    let key = BatchKey::new(&key, &ChaCha20Poly1305, &HkdfSha256);
    let (mut scratch, mut out) = ([0; 512], [0; 512]);
    queue_of(events)
        .batch(
            &granted(),
            &key,
            Sizes::up_to(SizeClass::B256),
            &mut SimRng::new(1),
            &mut scratch,
            &mut out,
        )
        .expect("room for a few events")
        .map(|sealed| sealed.bytes().to_vec())
        .unwrap_or_default()
}

/// Its plaintext, opened by this file's own means.
fn batch_of(events: usize) -> Vec<u8> {
    let sealed = sealed_of(events);
    let limits = iotsec_core::cbor::Limits {
        depth: 4,
        items: 64,
        bytes: 4096,
    };
    let Ok(message) = Encrypt0::parse(&sealed, &limits) else {
        return Vec::new();
    };
    let salt = message.headers().kid.unwrap_or_default();
    let mut out = [0; 512];
    let plain = message
        .open(&ChaCha20Poly1305, &batch_key(salt), DOMAIN, &mut out)
        .expect("sealed under this key");
    let end = plain.iter().rposition(|byte| *byte != 0).unwrap_or(0) + 1;
    // The last byte of a batch can be zero itself.
    let end = (end..=plain.len()).find(|end| model::decode(&plain[..*end]).is_some());
    plain[..end.expect("a document")].to_vec()
}

const DOMAIN: &[u8] = b"iotsec/telemetry/batch/v1";

fn batch_key(salt: &[u8]) -> Secret<32> {
    let mut key = Secret::zero();
    HkdfSha256
        .hkdf(salt, &KEY, &[DOMAIN, b"/key"], key.expose_mut())
        .expect("32 bytes");
    key
}

/// Pads a plaintext to its size class and seals it.
fn seal(plain: &[u8]) -> Option<Vec<u8>> {
    let class = [
        SizeClass::B128,
        SizeClass::B256,
        SizeClass::B512,
        SizeClass::B1024,
        SizeClass::B2048,
    ]
    .into_iter()
    .find(|class| class.plain_len() >= plain.len())?;
    let mut padded = plain.to_vec();
    padded.resize(class.plain_len(), 0);
    let salt = [3; 8];
    let mut out = vec![0; class.sealed_len()];
    let sealed = Encrypt0::seal(
        &ChaCha20Poly1305,
        &batch_key(&salt),
        &[1; 12],
        &salt,
        DOMAIN,
        &padded,
        &mut out,
    );
    Some(sealed.expect("as long as its class").to_vec())
}

/// Batches as they travel.
#[must_use]
pub fn sealed_seeds() -> Vec<Seed> {
    let good = sealed_of(2);
    let mut tampered = good.clone();
    if let Some(byte) = tampered.last_mut() {
        *byte ^= 0x80;
    }
    vec![
        Seed::new("near-tampered", tampered),
        Seed::new("near-cut", &good[..good.len() - 1]),
        Seed::new("valid-two-events", good),
    ]
}

/// Plaintexts of batches.
#[must_use]
pub fn batch_seeds() -> Vec<Seed> {
    let good = batch_of(2);
    vec![
        Seed::new("valid-one-event", batch_of(1)),
        // Behind version and registry: events of security in a batch for health.
        Seed::new("near-purpose", [&good[..19], &[1], &good[20..]].concat()),
        Seed::new("near-cut", &good[..good.len() / 2]),
        Seed::new("near-padding", [good.as_slice(), &[0, 1]].concat()),
        Seed::new("near-version", [&good[..1], &[2], &good[2..]].concat()),
        Seed::new("valid-two-events", good),
    ]
}

/// Snapshots of the queue.
#[must_use]
pub fn snapshot_seeds() -> Vec<Seed> {
    let of = |events| {
        let mut bytes = vec![0; Queue::<8>::SNAPSHOT_MAX_LEN];
        queue_of(events)
            .snapshot(Class::Usage, &mut bytes)
            .expect("room for any snapshot")
            .to_vec()
    };
    let good = of(3);
    vec![
        Seed::new("valid-empty", of(0)),
        Seed::new("near-cut", &good[..good.len() - 1]),
        Seed::new("near-trailing", [good.as_slice(), &[0]].concat()),
        Seed::new("valid-three-events", good),
    ]
}

/// Consent records.
#[must_use]
pub fn consent_seeds() -> Vec<Seed> {
    let mut storage = Stored(None);
    let mut consents = Consents::load(&mut storage);
    consents
        .grant::<Usage>(3, Some(UnixTime(1_800_000_000)), &mut storage)
        .expect("the storage works");
    let usage = storage.0.unwrap_or([0; CONSENT_RECORD_LEN]);
    consents
        .withdraw::<Usage, 8>(None, &mut queue_of(0), &mut storage)
        .expect("the storage works");
    let withdrawn = storage.0.unwrap_or([0; CONSENT_RECORD_LEN]);
    vec![
        Seed::new("valid-usage", usage),
        Seed::new("valid-withdrawn", withdrawn),
        Seed::new("near-erased", [0xFF; CONSENT_RECORD_LEN]),
        Seed::new("near-short", &usage[1..]),
    ]
}
