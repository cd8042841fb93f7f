use iotsec_core::{
    crypto::{
        AgreementKey, CryptoError, KeyAgreement, P256AgreementKey, X25519Key,
        hpke::{self, HpkeError},
    },
    hal::Millis,
};
use iotsec_telemetry::{
    batch::{ServiceKey, SizeClass, Sizes},
    consent::{CONSENT_RECORD_LEN, ConsentStorage, Consents, Usage},
    error::{DecodeError, StorageError},
    pseudonym::{Epoch, TRAIL_RECORD_LEN, TRAILS, TrailStorage, Trails},
    queue::Queue,
    registry,
    registry::{EventDef, Field, HashedRegistry, Purpose},
};
use iotsec_testkit::SimRng;

use super::*;
use crate::error::StateError;

const TAMPERED: EventDef = EventDef::new(1, "case.opened", Class::Critical, "Shows attacks", &[]);
const COUNTED: EventDef = EventDef::new(
    2,
    "login.failed",
    Class::Security,
    "Shows attacks",
    &[Field::number("n", "1", 0, 0xFFFF_FFFF)],
);
const USED: EventDef = EventDef::new(3, "lamp.lit", Class::Usage, "Tells how long lamps last", &[]);
registry!(static PRODUCT = [TAMPERED, COUNTED, USED]);
registry!(static OTHER = [TAMPERED]);

const NOW: UnixTime = UnixTime(1_800_100_000);

fn hashed() -> HashedRegistry {
    PRODUCT.hashed(&mut iotsec_core::crypto::Sha256::new())
}

struct Ram;

impl ConsentStorage for Ram {
    fn load(&mut self, _: &mut [u8; CONSENT_RECORD_LEN]) -> Result<bool, StorageError> {
        Ok(false)
    }
    fn store(&mut self, _: &[u8; CONSENT_RECORD_LEN]) -> Result<(), StorageError> {
        Ok(())
    }
}

fn consents() -> Consents {
    let mut consents = Consents::off();
    consents.grant::<Usage>(1, None, &mut Ram).unwrap();
    consents
}

fn collector(limits: Limits) -> Collector<BTreeMap<String, Secret<32>>> {
    let mut registries = Registries::new();
    registries.add_compiled(&PRODUCT);
    let keys = ["a", "b", "c"].map(|name| (name.to_owned(), Secret::from_bytes([name.as_bytes()[0]; 32])));
    Collector::new(registries, BTreeMap::from(keys), limits)
}

/// What the device named `name` sends, and whether that arrives is another matter.
fn send<const N: usize>(
    name: &str,
    queue: &mut Queue<N>,
    consents: &Consents,
    rng: &mut SimRng,
    ack: bool,
) -> Vec<u8> {
    let secret = Secret::from_bytes([name.as_bytes()[0]; 32]);
    let key = BatchKey::new(&secret, &ChaCha20Poly1305, &HkdfSha256);
    let (mut scratch, mut out) = ([0; 256], [0; 256]);
    let sizes = Sizes::up_to(SizeClass::B256);
    let batch = queue.batch(consents, &key, sizes, rng, &mut scratch, &mut out);
    let batch = batch.unwrap().unwrap();
    let message = batch.bytes().to_vec();
    if ack {
        queue.ack(batch.into_receipt()).unwrap();
    }
    message
}

#[test]
fn each_event_counts_once_and_losses_are_exact_through_floods_and_repetitions() {
    let (mut rng, consents) = (SimRng::new(7), consents());
    let mut collector = collector(Limits::default());
    let mut queue = Queue::<32>::new(hashed(), 1, 4);
    let (mut emitted, mut delivered) = ([0u64; 4], [0u64; 4]);
    let mut old: Vec<Vec<u8>> = Vec::new();
    for second in 0..20_000 {
        let event = match rng.below(40) {
            0 => &TAMPERED,
            1..10 => &COUNTED,
            _ => &USED,
        };
        let n = [u32::try_from(second).unwrap().into()];
        let values = &n[..event.fields().len()];
        emitted[index(event.class())] += 1;
        let _ = queue.record(&consents, event, values, Millis::from_secs(second));
        if rng.below(25) == 0 {
            let arrives = rng.below(3) > 0;
            let message = send("a", &mut queue, &consents, &mut rng, arrives);
            if arrives || rng.below(2) == 0 {
                // It arrives; perhaps the acknowledgement does not.
                for record in collector.receive("a", &message, NOW).unwrap().records {
                    delivered[index(record.event.definition().class())] += 1;
                }
            }
            old.push(message);
        }
        if !old.is_empty() && rng.below(30) == 0 {
            let again = &old[usize::try_from(rng.below(old.len() as u64)).unwrap()];
            // Whoever repeats a message of the past adds nothing but what never arrived.
            for record in collector.receive("a", again, NOW).unwrap().records {
                delivered[index(record.event.definition().class())] += 1;
            }
        }
    }
    while !queue.is_empty() {
        let message = send("a", &mut queue, &consents, &mut rng, true);
        for record in collector.receive("a", &message, NOW).unwrap().records {
            delivered[index(record.event.definition().class())] += 1;
        }
    }
    for class in Class::ALL {
        let lost = collector.lost("a", class);
        assert_eq!(lost, u64::from(queue.lost(class)), "{class:?}");
        // An old message may bring an event that the device gave up as lost.
        assert!(
            delivered[index(class)] + lost >= emitted[index(class)],
            "{class:?}"
        );
        assert!(delivered[index(class)] <= emitted[index(class)]);
    }
    assert!(collector.lost("a", Class::Usage) > 1000 && delivered[1] > 1000);
}

#[test]
fn times_are_known_from_when_the_device_knew_them_and_only_within_bounds() {
    let (mut rng, consents) = (SimRng::new(1), consents());
    let mut collector = collector(Limits::default());
    let mut queue = Queue::<8>::new(hashed(), 5, 1);
    queue
        .record(&consents, &TAMPERED, &[], Millis::from_secs(60))
        .unwrap();
    let first = send("a", &mut queue, &consents, &mut rng, true);
    let record = collector.receive("a", &first, NOW).unwrap().records[0];
    assert_eq!(record.when, When::Unknown);

    queue.set_clock(Millis::from_secs(100), UnixTime(1_800_000_100));
    queue
        .record(&consents, &TAMPERED, &[], Millis::from_secs(120))
        .unwrap();
    let second = send("a", &mut queue, &consents, &mut rng, true);
    let later = collector.receive("a", &second, NOW).unwrap();
    assert_eq!(later.records[0].when, When::Known(UnixTime(1_800_000_120)));
    let id = record.event.id();
    assert_eq!(
        collector.when("a", id, record.event.uptime_s()),
        When::Known(UnixTime(1_800_000_060))
    );
    assert_eq!(collector.when("b", id, 60), When::Unknown);

    for (boot, wrong) in [(6, NOW.0 + 301), (7, 1_000_000_000)] {
        let mut queue = Queue::<8>::new(hashed(), boot, 1);
        queue.set_clock(Millis(0), UnixTime(wrong));
        queue.record(&consents, &TAMPERED, &[], Millis(0)).unwrap();
        let message = send("a", &mut queue, &consents, &mut rng, true);
        let delivery = collector.receive("a", &message, NOW).unwrap();
        assert!(delivery.clock_refused);
        assert_eq!(delivery.records[0].when, When::Unbelievable(UnixTime(wrong)));
    }
}

#[test]
fn strangers_other_keys_and_unknown_registries_are_refused_and_change_nothing() {
    let (mut rng, consents) = (SimRng::new(1), consents());
    let limits = Limits {
        devices: 1,
        ..Limits::default()
    };
    let mut collector = collector(limits);
    let mut queue = Queue::<8>::new(hashed(), 5, 1);
    queue.record(&consents, &TAMPERED, &[], Millis(0)).unwrap();
    let message = send("a", &mut queue, &consents, &mut rng, false);
    assert_eq!(
        collector.receive("z", &message, NOW).unwrap_err(),
        CollectError::UnknownDevice
    );
    let forged = collector.receive("b", &message, NOW).unwrap_err();
    assert!(
        matches!(forged, CollectError::Decode(DecodeError::Cose(_))),
        "{forged:?}"
    );
    assert_eq!(collector.devices().count(), 0);

    let other = OTHER.hashed(&mut iotsec_core::crypto::Sha256::new());
    let mut unknown = Queue::<8>::new(other, 5, 1);
    unknown.record(&consents, &TAMPERED, &[], Millis(0)).unwrap();
    let unknown = send("a", &mut unknown, &consents, &mut rng, false);
    assert_eq!(
        collector.receive("a", &unknown, NOW).unwrap_err(),
        CollectError::UnknownRegistry
    );
    assert_eq!(collector.devices().count(), 0);

    assert_eq!(collector.receive("a", &message, NOW).unwrap().records.len(), 1);
    let of_b = send("b", &mut queue, &consents, &mut rng, false);
    assert_eq!(
        collector.receive("b", &of_b, NOW).unwrap_err(),
        CollectError::TooManyDevices
    );
    collector.forget("a");
    assert_eq!(collector.receive("b", &of_b, NOW).unwrap().records.len(), 1);
}

/// A batch to a public key, from a queue with one event.
fn sealed_to<K: AgreementKey>(suite: hpke::Hpke<'_, K>, public: &[u8], id: [u8; 8], boot: u32) -> Vec<u8> {
    let (mut rng, consents) = (SimRng::new(boot.into()), consents());
    let mut queue = Queue::<8>::new(hashed(), boot, 1);
    queue.record(&consents, &TAMPERED, &[], Millis(0)).unwrap();
    let key = ServiceKey::new(suite, public, id);
    let (mut scratch, mut out) = ([0; 256], [0; 256]);
    let sizes = Sizes::fixed(SizeClass::B192);
    let batch = queue.batch(&consents, &key, sizes, &mut rng, &mut scratch, &mut out);
    batch.unwrap().unwrap().bytes().to_vec()
}

#[test]
fn batches_to_public_keys_are_opened_beside_those_under_shared_ones_and_count_once() {
    let x25519 = || X25519Key::from_scalar(&Secret::from_bytes([7; 32]));
    let p256 = || P256AgreementKey::from_scalar(&Secret::from_bytes([7; 32])).unwrap();
    let mut keys = ServiceKeys::new();
    let mut add = |id: &[u8; 8], suite, key: Box<dyn KeyAgreement + Send + Sync>| keys.add(*id, suite, key);
    add(
        b"x-chacha",
        ServiceSuite::X25519ChaCha20Poly1305,
        Box::new(x25519()),
    )
    .unwrap();
    add(b"x-aesgcm", ServiceSuite::X25519Aes128Gcm, Box::new(x25519())).unwrap();
    add(b"p-chacha", ServiceSuite::P256ChaCha20Poly1305, Box::new(p256())).unwrap();
    add(b"p-aesgcm", ServiceSuite::P256Aes128Gcm, Box::new(p256())).unwrap();
    let wrong_curve = add(b"wrong-cv", ServiceSuite::P256Aes128Gcm, Box::new(x25519()));
    assert_eq!(wrong_curve, Err(CollectError::Suite));
    let mut collector = collector(Limits::default()).with_service_keys(keys);

    let (x, p) = (x25519(), p256());
    let messages = [
        sealed_to(hpke::X25519_CHACHA20_POLY1305, x.public_key(), *b"x-chacha", 1),
        sealed_to(hpke::X25519_AES_128_GCM, x.public_key(), *b"x-aesgcm", 2),
        sealed_to(hpke::P256_CHACHA20_POLY1305, p.public_key(), *b"p-chacha", 3),
        sealed_to(hpke::P256_AES_128_GCM, p.public_key(), *b"p-aesgcm", 4),
    ];
    for message in &messages {
        assert_eq!(collector.receive("a", message, NOW).unwrap().records.len(), 1);
        assert_eq!(collector.receive("a", message, NOW).unwrap().repeated, 1);
    }
    let (mut rng, consents) = (SimRng::new(1), consents());
    let mut queue = Queue::<8>::new(hashed(), 5, 1);
    queue.record(&consents, &TAMPERED, &[], Millis(0)).unwrap();
    let shared = send("a", &mut queue, &consents, &mut rng, false);
    assert_eq!(collector.receive("a", &shared, NOW).unwrap().records.len(), 1);

    let mut refused = |device: &str, message: &[u8]| collector.receive(device, message, NOW).unwrap_err();
    assert_eq!(refused("z", &messages[0]), CollectError::UnknownDevice);
    let unknown = sealed_to(hpke::X25519_CHACHA20_POLY1305, x.public_key(), *b"2031-key", 6);
    assert_eq!(refused("a", &unknown), CollectError::UnknownServiceKey);
    // Sealed with one suite to the name of another.
    let other_suite = sealed_to(hpke::X25519_AES_128_GCM, x.public_key(), *b"x-chacha", 7);
    let tag = HpkeError::Crypto(CryptoError::Tag);
    assert_eq!(
        refused("a", &other_suite),
        CollectError::Decode(DecodeError::Hpke(tag))
    );
    let cut = &messages[0][..191];
    assert_eq!(refused("a", cut), CollectError::Decode(DecodeError::SizeClass));
    assert_eq!(
        refused("a", &messages[0][..5]),
        CollectError::Decode(DecodeError::SizeClass)
    );
}

#[test]
fn a_device_without_a_key_of_its_own_is_known_by_name() {
    struct Names;
    impl DeviceKeys for Names {
        fn key(&self, _: &str) -> Option<Secret<32>> {
            None
        }
        fn is_known(&self, device: &str) -> bool {
            device == "a"
        }
    }
    let key = X25519Key::from_scalar(&Secret::from_bytes([7; 32]));
    let message = sealed_to(hpke::X25519_CHACHA20_POLY1305, key.public_key(), *b"2026-key", 1);
    let mut keys = ServiceKeys::new();
    let suite = ServiceSuite::X25519ChaCha20Poly1305;
    keys.add(*b"2026-key", suite, Box::new(key)).unwrap();
    let mut registries = Registries::new();
    registries.add_compiled(&PRODUCT);
    let mut collector = Collector::new(registries, Names, Limits::default()).with_service_keys(keys);
    assert_eq!(collector.receive("a", &message, NOW).unwrap().records.len(), 1);
    let mut refused = |device, message| collector.receive(device, message, NOW).unwrap_err();
    assert_eq!(refused("b", &message[..]), CollectError::UnknownDevice);
    // Nothing under a shared key comes from it.
    assert_eq!(refused("a", &[0xD0; 128]), CollectError::UnknownDevice);
}

#[test]
fn a_collector_that_takes_its_memory_back_goes_on_as_if_it_had_not_stopped() {
    let (mut rng, consents) = (SimRng::new(9), consents());
    let (mut whole, mut broken) = (collector(Limits::default()), collector(Limits::default()));
    let mut sent: Vec<(&str, Vec<u8>)> = Vec::new();
    for boot in 1..6 {
        for name in ["a", "b"] {
            let mut queue = Queue::<8>::new(hashed(), boot, 1);
            if boot % 2 == 0 {
                queue.set_clock(Millis(0), UnixTime(1_800_000_000));
            }
            for second in 0..40 {
                let _ = queue.record(&consents, &COUNTED, &[7.into()], Millis::from_secs(second));
                if rng.below(9) == 0 {
                    let acked = rng.below(2) == 0;
                    sent.push((name, send(name, &mut queue, &consents, &mut rng, acked)));
                }
            }
        }
    }
    for _ in 0..300 {
        let (name, message) = &sent[usize::try_from(rng.below(sent.len() as u64)).unwrap()];
        let memory = broken.export().unwrap();
        broken = collector(Limits::default());
        broken.import(&memory).unwrap();
        assert_eq!(broken.export().unwrap(), memory);
        let (one, two) = (
            whole.receive(name, message, NOW),
            broken.receive(name, message, NOW),
        );
        assert_eq!(format!("{one:?}"), format!("{two:?}"));
    }
    assert_eq!(whole.export().unwrap(), broken.export().unwrap());
    assert!(whole.lost("a", Class::Security) > 0);
}

#[test]
fn a_memory_that_was_changed_cut_or_is_too_large_is_refused() {
    let (mut rng, consents) = (SimRng::new(1), consents());
    let mut first = collector(Limits::default());
    for (name, boot) in [("a", 5), ("b", 5), ("a", 6)] {
        let mut queue = Queue::<8>::new(hashed(), boot, 1);
        queue.set_clock(Millis(0), UnixTime(1_800_000_000));
        queue.record(&consents, &TAMPERED, &[], Millis(0)).unwrap();
        let message = send(name, &mut queue, &consents, &mut rng, true);
        first.receive(name, &message, NOW).unwrap();
    }
    let memory = first.export().unwrap();
    assert_eq!(first.import(&memory), Err(StateError::InUse));
    let import = |memory: &[u8], limits| collector(limits).import(memory);
    let normal = Limits::default();
    assert_eq!(import(&memory, normal), Ok(()));
    for bit in 0..memory.len() * 8 {
        let mut bad = memory.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        assert!(import(&bad, normal).is_err(), "bit {bit}");
    }
    for len in 0..memory.len() {
        assert!(import(&memory[..len], normal).is_err(), "{len} bytes");
    }
    assert_eq!(
        import(&[&memory[..], &[0]].concat(), normal),
        Err(StateError::Damaged)
    );
    let mut version = memory.clone();
    version[1] = 2;
    assert_eq!(import(&version, normal), Err(StateError::Version));
    let too_small = [
        Limits { devices: 1, ..normal },
        Limits { boots: 1, ..normal },
        Limits { ranges: 1, ..normal },
    ];
    for limits in too_small {
        assert_eq!(import(&memory, limits), Err(StateError::TooLarge));
    }
    // Right by its digest, and not what a collector writes.
    let forged = |device: &[u8]| {
        let mut hash = iotsec_core::crypto::Sha256::new();
        iotsec_core::crypto::Digest::update(&mut hash, device);
        let sum = iotsec_core::crypto::Digest::finish(&mut hash);
        let memory = [&[0x83, 1, 1, 0x58, 32], &sum[..], device].concat();
        import(&memory, normal)
    };
    // One device "a", of security: floor 0; boot 5 with a range, nothing lost, no clock. Nothing else.
    let stream = |boots: &[u8]| [&[0x85, 0], boots, &[0x84, 0, 0, 0, 0, 0xF6, 0x80]].concat();
    let device = |boots: &[u8]| {
        [
            &[0x84, 0x61, b'a'][..],
            &stream(boots),
            &stream(&[0x80]),
            &stream(&[0x80]),
        ]
        .concat()
    };
    assert_eq!(forged(&device(&[0x81, 0x82, 5, 0x82, 1, 3])), Ok(()));
    let wrong: [&[u8]; 5] = [
        // Last before first; two ranges that touch; half a range; none; a boot twice.
        &[0x81, 0x82, 5, 0x82, 3, 1],
        &[0x81, 0x82, 5, 0x84, 1, 3, 4, 5],
        &[0x81, 0x82, 5, 0x83, 1, 3, 7],
        &[0x81, 0x82, 5, 0x80],
        &[0x82, 0x82, 5, 0x82, 1, 3, 0x82, 5, 0x82, 1, 3],
    ];
    for wrong in wrong {
        assert_eq!(forged(&device(wrong)), Err(StateError::Order), "{wrong:x?}");
    }
    let mut again = device(&[0x80]);
    again.push(0);
    assert_eq!(forged(&again), Err(StateError::Order));
}

#[test]
fn the_purposes_of_a_device_are_counted_each_by_itself() {
    let (mut rng, consents) = (SimRng::new(3), consents());
    let mut collector = collector(Limits::default());
    let mut queue = Queue::<8>::new(hashed(), 5, 1);
    // Numbers are the same for both purposes.
    for second in 0..2 {
        queue
            .record(&consents, &TAMPERED, &[], Millis::from_secs(second))
            .unwrap();
        queue
            .record(&consents, &USED, &[], Millis::from_secs(second))
            .unwrap();
    }
    let (first, second) = (
        send("a", &mut queue, &consents, &mut rng, true),
        send("a", &mut queue, &consents, &mut rng, true),
    );
    for (message, purpose) in [(&first, Purpose::Security), (&second, Purpose::Usage)] {
        let delivery = collector.receive("a", message, NOW).unwrap();
        let ids: Vec<_> = delivery.records.iter().map(|record| record.event.id()).collect();
        assert_eq!((ids.len(), delivery.repeated), (2, 0));
        assert!(ids.iter().all(|id| (id.purpose, id.boot) == (purpose, 5)));
        assert_eq!(collector.receive("a", message, NOW).unwrap().repeated, 2);
    }
}

#[test]
fn under_a_pseudonym_each_event_counts_once_over_boots_and_losses_are_exact() {
    struct Trail(Vec<Option<[u8; TRAIL_RECORD_LEN]>>);
    impl TrailStorage for Trail {
        fn load(&mut self, place: usize, record: &mut [u8; TRAIL_RECORD_LEN]) -> Result<bool, StorageError> {
            Ok(self.0[place].map(|stored| *record = stored).is_some())
        }
        fn store(&mut self, place: usize, record: &[u8; TRAIL_RECORD_LEN]) -> Result<(), StorageError> {
            self.0[place] = Some(*record);
            Ok(())
        }
        fn remove(&mut self, place: usize) -> Result<(), StorageError> {
            self.0[place] = None;
            Ok(())
        }
    }
    let private = X25519Key::from_scalar(&Secret::from_bytes([7; 32]));
    let suite = hpke::X25519_CHACHA20_POLY1305;
    let mut keys = ServiceKeys::new();
    let of_service = X25519Key::from_scalar(&Secret::from_bytes([7; 32]));
    keys.add(
        *b"2026-key",
        ServiceSuite::X25519ChaCha20Poly1305,
        Box::new(of_service),
    )
    .unwrap();
    let mut registries = Registries::new();
    registries.add_compiled(&PRODUCT);
    struct Anybody;
    impl DeviceKeys for Anybody {
        fn key(&self, _: &str) -> Option<Secret<32>> {
            None
        }
        fn is_known(&self, _: &str) -> bool {
            true
        }
    }
    let mut collector = Collector::new(registries, Anybody, Limits::default()).with_service_keys(keys);
    let (mut rng, consents, mut storage) = (SimRng::new(5), consents(), Trail(vec![None; TRAILS]));
    let (mut delivered, mut lost, mut repeated, mut snapshot) = (0, 0, 0, Vec::new());
    for boot in 1..6 {
        let mut queue = Queue::<4>::new(hashed(), boot, 0);
        if !snapshot.is_empty() {
            queue.restore(&consents, &snapshot).unwrap();
        }
        let start = 1_800_000_000 + 1000 * u64::from(boot);
        queue.set_clock(Millis(0), UnixTime(start));
        for second in 0..10 {
            let _ = queue.record(&consents, &USED, &[], Millis::from_secs(second));
        }
        let mut trails = Trails::new(0, &HkdfSha256, &mut storage);
        let stream = trails
            .stream(&consents, Purpose::Usage, Epoch(9), &mut rng)
            .unwrap();
        let name = format!("{:x?}", stream.pseudonym().as_bytes());
        let key = ServiceKey::new(suite, private.public_key(), *b"2026-key");
        // Twice, since the first acknowledgement is lost.
        for is_answered in [false, true] {
            let (mut scratch, mut out) = ([0; 256], [0; 256]);
            let sizes = Sizes::fixed(SizeClass::B256);
            let batch = queue.batch_for(&stream, &consents, &key, sizes, &mut rng, &mut scratch, &mut out);
            let batch = batch.unwrap().unwrap();
            let delivery = collector.receive(&name, batch.bytes(), NOW).unwrap();
            let times = delivery.records.iter().map(|record| record.when);
            let known = (6..10).map(|second| When::Known(UnixTime(start + second)));
            assert!(times.eq(known.take(delivery.records.len())) && !delivery.clock_refused);
            delivered += delivery.records.len();
            repeated += delivery.repeated;
            lost += delivery.lost[3];
            if is_answered {
                queue.ack(batch.into_receipt()).unwrap();
            }
        }
        let mut record = [0; Queue::<4>::SNAPSHOT_MAX_LEN];
        snapshot = queue.snapshot(Class::Usage, &mut record).unwrap().to_vec();
    }
    assert_eq!((delivered, repeated, lost), (20, 20, 30));
    assert_eq!(collector.devices().count(), 1);
}
