#![expect(clippy::cast_possible_truncation, reason = "test numbers are small")]

use std::{collections::BTreeSet, format, string::String, vec, vec::Vec};

use iotsec_core::{
    crypto::{Aes256GcmSiv, ChaCha20Poly1305, HkdfSha256, Sha256},
    error::ErrorCode,
    hal::{Millis, UnixTime},
};
use iotsec_testkit::SimRng;

use super::*;
use crate::{
    consent::{CONSENT_RECORD_LEN, ConsentStorage, Consents, Health, Usage},
    error::{DecodeError, StorageError},
    queue::Queue,
    registry::{Buckets, Class, EventDef, Field, HashedRegistry, Purpose},
    value::Value,
};

mod hostile;
mod service;
mod vectors;
pub(crate) use vectors::{Counting, compare as compare_vectors};

const TAMPERED: EventDef = EventDef::new(
    1,
    "case.opened",
    Class::Critical,
    "Shows that somebody opened the device",
    &[Field::choice("side", &["front", "back"])],
);
const LOGIN_FAILED: EventDef = EventDef::new(
    2,
    "login.failed",
    Class::Security,
    "Shows attacks on the password",
    &[
        Field::choice("interface", &["serial", "web", "radio"]),
        Field::number("attempts", "1", 0, 65535),
    ],
);
const TEMPERATURE: EventDef = EventDef::new(
    300,
    "board.hot",
    Class::Health,
    "Shows devices that run outside their limits",
    &[Field::number("degrees", "Cel", -40, 125)],
);
const WORN: Buckets = Buckets::new(&[1, 8, 24]);
const USED: EventDef = EventDef::new(
    301,
    "device.used",
    Class::Usage,
    "Tells how long a battery has to last",
    &[Field::bucket("hours", "h", WORN)],
);
crate::registry!(static PRODUCT = [TAMPERED, LOGIN_FAILED, TEMPERATURE, USED]);

fn registry() -> HashedRegistry {
    PRODUCT.hashed(&mut Sha256::new())
}

struct Ram([u8; CONSENT_RECORD_LEN]);

impl ConsentStorage for Ram {
    fn load(&mut self, _: &mut [u8; CONSENT_RECORD_LEN]) -> Result<bool, StorageError> {
        Ok(false)
    }
    fn store(&mut self, record: &[u8; CONSENT_RECORD_LEN]) -> Result<(), StorageError> {
        self.0 = *record;
        Ok(())
    }
}

fn granted() -> (Consents, [u8; CONSENT_RECORD_LEN]) {
    let (mut consents, mut storage) = (Consents::off(), Ram([0; CONSENT_RECORD_LEN]));
    let at = Some(UnixTime(1_800_000_000));
    consents.grant::<Health>(3, at, &mut storage).unwrap();
    consents.grant::<Usage>(4, None, &mut storage).unwrap();
    (consents, storage.0)
}

/// Five events of boot 6 with a gap between them, two losses, and the clock known.
fn queue(consents: &Consents) -> Queue<5> {
    let mut queue = Queue::new(registry(), 6, 1);
    let mut at = |second, event: &EventDef, values: &[Value<'_>]| {
        queue
            .record(consents, event, values, Millis::from_secs(second))
            .unwrap();
    };
    at(10, &USED, &[Value::bucket(0, WORN)]);
    at(20, &LOGIN_FAILED, &[1.into(), 5.into()]);
    at(30, &USED, &[Value::bucket(9, WORN)]);
    at(600, &TEMPERATURE, &[(-7).into()]);
    at(700, &LOGIN_FAILED, &[2.into(), 1000.into()]);
    at(100_000, &TAMPERED, &[1.into()]);
    at(100_001, &TEMPERATURE, &[125.into()]);
    queue.set_clock(Millis::from_secs(100_100), UnixTime(1_800_100_100));
    queue
}

fn secret() -> Secret<32> {
    Secret::from_bytes(core::array::from_fn(|i| i as u8))
}

fn key(secret: &Secret<32>) -> BatchKey<'_> {
    BatchKey::new(secret, &ChaCha20Poly1305, &HkdfSha256)
}

fn sealed(sizes: Sizes, rng: &mut SimRng) -> Vec<u8> {
    let (consents, _) = granted();
    let (mut scratch, mut out) = ([0; MAX_LEN], [0; MAX_LEN]);
    let mut queue = queue(&consents);
    let batch = queue.batch(&consents, &key(&secret()), sizes, rng, &mut scratch, &mut out);
    batch.unwrap().unwrap().bytes().to_vec()
}

fn opened(message: &[u8]) -> Result<Vec<String>, DecodeError> {
    let mut plain = [0; MAX_LEN];
    let batch = key(&secret()).open(message, &mut plain)?.read(&registry())?;
    Ok(batch.events().map(|event| format!("{event:?}")).collect())
}

#[test]
fn batches_come_back_as_they_were_recorded_one_purpose_each() {
    let (consents, _) = granted();
    let (mut queue, mut rng) = (queue(&consents), SimRng::new(1));
    let (secret, mut events, mut purposes) = (secret(), Vec::new(), Vec::new());
    loop {
        let (mut scratch, mut out, mut plain) = ([0; MAX_LEN], [0; MAX_LEN], [0; MAX_LEN]);
        let sizes = Sizes::up_to(SizeClass::B2048);
        let sealed = queue.batch(&consents, &key(&secret), sizes, &mut rng, &mut scratch, &mut out);
        let Some(sealed) = sealed.unwrap() else { break };
        let opened = key(&secret).open(sealed.bytes(), &mut plain).unwrap();
        let batch = opened.read(&registry()).unwrap();
        assert_eq!(
            (batch.boot(), batch.started()),
            (6, Some(UnixTime(1_800_000_000)))
        );
        let lost = if batch.purpose() == Purpose::Usage { 2 } else { 0 };
        assert_eq!(Class::ALL.map(|class| batch.lost(class)), [0, 0, 0, lost]);
        assert!(batch.events().all(|event| event.id().purpose == batch.purpose()));
        events.extend(batch.events());
        purposes.push(batch.purpose());
        queue.ack(sealed.into_receipt()).unwrap();
    }
    assert_eq!(purposes, Purpose::ALL);
    let facts: Vec<_> = events
        .iter()
        .map(|e| {
            (
                e.id().sequence,
                e.uptime_s(),
                e.definition().name(),
                e.held(0),
                e.held(1),
            )
        })
        .collect();
    let (number, choice) = (|n| Some(Held::Number(n)), |c| Some(Held::Choice(c)));
    assert_eq!(
        facts,
        [
            (0, 20, "login.failed", choice("web"), number(5)),
            (1, 700, "login.failed", choice("radio"), number(1000)),
            (2, 100_000, "case.opened", choice("back"), None),
            (0, 600, "board.hot", number(-7), None),
            (1, 100_001, "board.hot", number(125), None),
        ]
    );
    assert!(events.iter().all(|event| event.id().boot == 6));
    assert_eq!(events[4].time(), Some(UnixTime(1_800_100_001)));
    assert_eq!((events[3].raw(0), events[3].position(0)), (Some(-7), Some(33)));
}

#[test]
fn buckets_come_back_as_ranges() {
    let (consents, _) = granted();
    let ranges = [(0, None, Some(1)), (9, Some(8), Some(24)), (99, Some(24), None)];
    for (hours, from, to) in ranges {
        let mut queue = Queue::<1>::new(registry(), 1, 0);
        queue
            .record(&consents, &USED, &[Value::bucket(hours, WORN)], Millis(0))
            .unwrap();
        let (mut scratch, mut out, mut plain) = ([0; 128], [0; 128], [0; 128]);
        let (secret, mut rng) = (secret(), SimRng::new(1));
        let sizes = Sizes::up_to(SizeClass::B128);
        let sealed = queue.batch(&consents, &key(&secret), sizes, &mut rng, &mut scratch, &mut out);
        let sealed = sealed.unwrap().unwrap();
        let batch = key(&secret)
            .open(sealed.bytes(), &mut plain)
            .unwrap()
            .read(&registry())
            .unwrap();
        assert_eq!(
            batch.events().next().unwrap().held(0),
            Some(Held::Bucket { from, to })
        );
    }
}

#[test]
fn a_message_has_exactly_the_length_of_its_class() {
    for class in SizeClass::ALL
        .into_iter()
        .filter(|class| *class >= SizeClass::B192)
    {
        let message = sealed(Sizes::fixed(class), &mut SimRng::new(2));
        assert_eq!(message.len(), class.sealed_len());
        assert_eq!(opened(&message).unwrap().len(), 3);
    }
}

#[test]
fn the_widest_event_fits_the_smallest_batch() {
    const FIELDS: &[Field] = &[Field::number("n", "1", -1, i64::MAX - 1)];
    const WIDE: EventDef = EventDef::new(1, "wide", Class::Critical, "Test", FIELDS);
    crate::registry!(static PRODUCT = [WIDE]);
    let registry = PRODUCT.hashed(&mut Sha256::new());
    let code = u64::MAX / 2;
    assert!(crate::code::decode(&PRODUCT, code).is_some());
    let header = Header {
        registry: registry.hash(),
        purpose: Purpose::Security,
        boot: u32::MAX,
        started: Some(u32::MAX),
        lost: most_lost(),
    };
    let entry = Entry {
        boot: 0,
        sequence: u32::MAX,
        uptime: u32::MAX,
        code,
    };
    let mut plain = vec![0; SizeClass::B128.plain_len()];
    let stream = Stream::named(Purpose::Security);
    let fill = |plain: &mut [u8]| {
        let one = |chosen| core::iter::repeat_n(entry, chosen);
        let (chosen, len) = fill(plain, &stream, &header, 1, one).unwrap();
        plain[len..].fill(0);
        chosen
    };
    assert_eq!(fill(&mut plain), 1);
    let batch = OpenedBatch::parse(&plain).unwrap().read(&registry).unwrap();
    let lost = [Class::Critical, Class::Security].map(|class| batch.loss(class));
    let without_times = crate::loss::Loss {
        count: u32::MAX,
        times: None,
    };
    assert_eq!(lost, [without_times; 2], "the times have made room");

    let mut plain = vec![0; SizeClass::B256.plain_len()];
    assert_eq!(fill(&mut plain), 1);
    let batch = OpenedBatch::parse(&plain).unwrap().read(&registry).unwrap();
    assert_eq!(batch.loss(Class::Security), most_lost().of(Class::Security));
}

/// Losses at their longest.
fn most_lost() -> Losses {
    let mut lost = Losses::default();
    for class in Class::ALL {
        for boot in [0, 1] {
            let when = crate::loss::LossTime {
                boot,
                uptime_s: u32::MAX,
            };
            lost.add(class, u32::MAX, when);
        }
    }
    lost
}

#[test]
fn every_flipped_bit_of_a_sealed_batch_is_refused() {
    let good = sealed(Sizes::up_to(SizeClass::B2048), &mut SimRng::new(3));
    assert!(opened(&good).is_ok());
    for bit in 0..good.len() * 8 {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        assert!(opened(&bad).is_err(), "bit {bit}");
    }
    for len in 0..good.len() {
        assert!(opened(&good[..len]).is_err());
    }
}

#[test]
fn another_key_or_another_registry_is_refused() {
    let good = sealed(Sizes::up_to(SizeClass::B2048), &mut SimRng::new(4));
    let (mut plain, other) = ([0; MAX_LEN], Secret::from_bytes([1; 32]));
    let refused = key(&other).open(&good, &mut plain).unwrap_err();
    assert_eq!(refused.code(), 1202);
    assert!(plain.iter().all(|byte| *byte == 0));

    crate::registry!(static UPDATED = [TAMPERED, LOGIN_FAILED, TEMPERATURE]);
    let updated = UPDATED.hashed(&mut Sha256::new());
    let secret = secret();
    let opened = key(&secret).open(&good, &mut plain).unwrap();
    assert_eq!(opened.registry_hash(), registry().hash());
    assert_eq!(opened.read(&updated).unwrap_err(), DecodeError::UnknownRegistry);
}

#[test]
fn any_change_of_a_declaration_changes_the_hash() {
    const FIELDS: &[Field] = &[Field::number("attempts", "1", 0, 9)];
    const VARIANTS: [EventDef; 12] = [
        EventDef::new(1, "a", Class::Usage, "b", FIELDS),
        EventDef::new(2, "a", Class::Usage, "b", FIELDS),
        EventDef::new(1, "b", Class::Usage, "b", FIELDS),
        EventDef::new(1, "a", Class::Health, "b", FIELDS),
        EventDef::new(1, "a", Class::Usage, "c", FIELDS),
        EventDef::new(1, "a", Class::Usage, "b", &[]),
        EventDef::new(1, "a", Class::Usage, "b", &[Field::number("attempts", "1", 0, 8)]),
        EventDef::new(
            1,
            "a",
            Class::Usage,
            "b",
            &[Field::number("attempts", "1", -1, 9)],
        ),
        EventDef::new(1, "a", Class::Usage, "b", &[Field::number("attempts", "s", 0, 9)]),
        EventDef::new(1, "a", Class::Usage, "b", &[Field::number("failures", "1", 0, 9)]),
        EventDef::new(
            1,
            "a",
            Class::Usage,
            "b",
            &[Field::choice("attempts", &["x", "y"])],
        ),
        EventDef::new(
            1,
            "a",
            Class::Usage,
            "b",
            &[Field::choice("attempts", &["x", "z"])],
        ),
    ];
    let hashes: BTreeSet<_> = VARIANTS
        .into_iter()
        .map(|event| {
            let registry: &'static crate::registry::Registry =
                std::boxed::Box::leak(crate::registry::Registry::new(vec![event].leak()).unwrap().into());
            *registry.hashed(&mut Sha256::new()).hash()
        })
        .collect();
    assert_eq!(hashes.len(), 12);
}

#[test]
fn salt_and_nonce_differ_even_when_the_entropy_source_repeats_itself() {
    let secret = secret();
    let key = key(&secret);
    let mut seen = BTreeSet::new();
    for boot in 0..2000u32 {
        // The same random bytes at every boot, as an unseeded generator gives them.
        let pair = key
            .salt(DOMAIN, &mut SimRng::new(5), &boot.to_be_bytes())
            .unwrap();
        assert!(seen.insert(pair));
    }
    let first = sealed(Sizes::up_to(SizeClass::B2048), &mut SimRng::new(6));
    let again = sealed(Sizes::up_to(SizeClass::B2048), &mut SimRng::new(6));
    let fresh = sealed(Sizes::up_to(SizeClass::B2048), &mut SimRng::new(7));
    assert_eq!(first, again, "equal in everything: nothing new is revealed");
    assert_ne!(first, fresh);
}

#[test]
fn a_cipher_without_a_cose_number_is_refused() {
    let (consents, _) = granted();
    let (secret, mut rng) = (secret(), SimRng::new(8));
    let key = BatchKey::new(&secret, &Aes256GcmSiv, &HkdfSha256);
    let (mut scratch, mut out) = ([0; MAX_LEN], [0; MAX_LEN]);
    let sizes = Sizes::up_to(SizeClass::B2048);
    let refused = queue(&consents)
        .batch(&consents, &key, sizes, &mut rng, &mut scratch, &mut out)
        .err();
    assert_eq!(refused.map(|error| error.code()), Some(1102));
}
