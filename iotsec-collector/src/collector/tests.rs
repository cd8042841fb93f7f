use iotsec_core::hal::Millis;
use iotsec_telemetry::{
    batch::{SizeClass, Sizes},
    consent::{CONSENT_RECORD_LEN, ConsentStorage, Consents, Usage},
    error::{DecodeError, StorageError},
    queue::Queue,
    registry,
    registry::{EventDef, Field, HashedRegistry},
};
use iotsec_testkit::SimRng;

use super::*;

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
