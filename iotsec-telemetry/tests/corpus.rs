//! A hundred events of a usual device: what they cost on the wire, and that all of it comes back.

use iotsec_core::{
    crypto::{ChaCha20Poly1305, HkdfSha256, Sha256},
    hal::{Millis, UnixTime},
    secret::Secret,
};
use iotsec_telemetry::{
    batch::{BatchKey, MAX_LEN, SizeClass, Sizes},
    consent::{CONSENT_RECORD_LEN, ConsentStorage, Consents, Health},
    error::StorageError,
    queue::Queue,
    registry,
    registry::{Class, EventDef, Field},
    value::Value,
};
use iotsec_testkit::SimRng;
use serde_json::Value as Json;

const CHANNELS: &[&str] = &["serial", "web", "ble", "radio", "debug", "app", "net", "local"];
const WHY: &str = "An event of the corpus";

const fn channel(name: &'static str) -> Field {
    Field::choice(name, CHANNELS)
}
const fn byte(name: &'static str) -> Field {
    Field::number(name, "1", 0, 255)
}
const fn wide(name: &'static str, unit: &'static str) -> Field {
    Field::number(name, unit, 0, 0xFFFF_FFFF)
}
const fn event(id: u16, name: &'static str, class: Class, fields: &'static [Field]) -> EventDef {
    EventDef::new(id, name, class, WHY, fields)
}

const EVENTS: [EventDef; 12] = [
    event(
        0,
        "auth.failure",
        Class::Security,
        &[channel("iface"), byte("attempts")],
    ),
    event(
        1,
        "auth.lockout",
        Class::Security,
        &[channel("iface"), wide("duration_s", "s")],
    ),
    event(
        2,
        "update.download_failed",
        Class::Security,
        &[channel("stage"), byte("code"), byte("attempt")],
    ),
    event(
        3,
        "update.verify_failed",
        Class::Security,
        &[channel("component"), channel("reason")],
    ),
    event(
        4,
        "boot.reset",
        Class::Health,
        &[channel("reason"), wide("uptime_s", "s")],
    ),
    event(
        5,
        "integrity.mismatch",
        Class::Critical,
        &[channel("region"), byte("slot")],
    ),
    event(
        6,
        "net.listen_new",
        Class::Security,
        &[Field::number("port", "1", 0, 65535), channel("proto")],
    ),
    event(
        7,
        "net.connect_failed",
        Class::Health,
        &[
            channel("peer_class"),
            byte("code"),
            Field::number("rtt_ms", "ms", 0, 65535),
        ],
    ),
    event(8, "clock.rollback", Class::Security, &[wide("delta_s", "s")]),
    event(
        9,
        "storage.low",
        Class::Health,
        &[Field::number("free_pct", "%", 0, 100)],
    ),
    event(10, "tls.peer_rejected", Class::Security, &[byte("alert")]),
    event(
        11,
        "rate.limited",
        Class::Health,
        &[channel("source"), Field::number("dropped", "1", 0, 65535)],
    ),
];
registry!(static CORPUS = [
    EVENTS[0], EVENTS[1], EVENTS[2], EVENTS[3], EVENTS[4], EVENTS[5],
    EVENTS[6], EVENTS[7], EVENTS[8], EVENTS[9], EVENTS[10], EVENTS[11],
]);

struct NoStorage;

impl ConsentStorage for NoStorage {
    fn load(&mut self, _: &mut [u8; CONSENT_RECORD_LEN]) -> Result<bool, StorageError> {
        Ok(false)
    }
    fn store(&mut self, _: &[u8; CONSENT_RECORD_LEN]) -> Result<(), StorageError> {
        Ok(())
    }
}

/// Kind, seconds since the first event, arguments.
type Line = (usize, u64, Vec<i64>);

fn corpus() -> (u64, Vec<Line>) {
    let text = include_str!("../../vectors/telemetry/events.json");
    let document: Json = serde_json::from_str(text).unwrap();
    for (declared, described) in EVENTS.iter().zip(document["registry"].as_array().unwrap()) {
        assert_eq!(declared.name(), described["name"]);
        let names = described["args"]
            .as_array()
            .unwrap()
            .iter()
            .map(|arg| &arg["name"]);
        assert!(names.eq(declared.fields().iter().map(Field::name)));
    }
    let events = document["events"].as_array().unwrap();
    let seconds = |event: &Json| event["t_ms"].as_u64().unwrap() / 1000;
    let start = seconds(&events[0]);
    let lines = events.iter().map(|event| {
        let arguments = event["args"].as_array().unwrap();
        let arguments = arguments.iter().map(|argument| argument.as_i64().unwrap());
        (
            usize::try_from(event["kind"].as_u64().unwrap()).unwrap(),
            seconds(event) - start,
            arguments.collect(),
        )
    });
    (start, lines.collect())
}

#[test]
fn a_hundred_events_come_back_from_704_bytes() {
    let registry = CORPUS.hashed(&mut Sha256::new());
    let mut consents = Consents::off();
    consents.grant::<Health>(1, None, &mut NoStorage).unwrap();
    let mut queue = Queue::<128>::new(registry, 417, 16);
    let (start, lines) = corpus();
    queue.set_clock(Millis(0), UnixTime(start));
    for (kind, second, arguments) in &lines {
        let values: Vec<Value<'_>> = arguments.iter().map(|argument| (*argument).into()).collect();
        let now = Millis::from_secs(*second);
        queue.record(&consents, &EVENTS[*kind], &values, now).unwrap();
    }
    let secret = Secret::from_bytes([1; 32]);
    let key = BatchKey::new(&secret, &ChaCha20Poly1305, &HkdfSha256);
    let (sizes, mut rng) = (Sizes::up_to(SizeClass::B2048), SimRng::new(1));
    let (mut read, mut plain_len, mut sealed_len, mut batches) = (Vec::<Line>::new(), 0, 0, 0);
    loop {
        let (mut scratch, mut out, mut plain) = ([0; MAX_LEN], [0; MAX_LEN], [0; MAX_LEN]);
        let batch = queue.batch(&consents, &key, sizes, &mut rng, &mut scratch, &mut out);
        let Some(sealed) = batch.unwrap() else { break };
        let batch = key
            .open(sealed.bytes(), &mut plain)
            .unwrap()
            .read(&registry)
            .unwrap();
        read.extend(batch.events().map(|event| {
            let kind = EVENTS.iter().position(|known| known == event.definition());
            let arguments = (0..event.definition().fields().len()).map(|at| event.raw(at).unwrap());
            let second = event.time().unwrap().0 - start;
            (kind.unwrap(), second, arguments.collect())
        }));
        plain_len += MAX_LEN - plain.iter().rev().take_while(|byte| **byte == 0).count();
        sealed_len += sealed.bytes().len();
        batches += 1;
        queue.ack(sealed.into_receipt()).unwrap();
    }
    // Each purpose in a batch of its own, in the order in which it was recorded.
    let mut expected = lines.clone();
    expected.sort_by_key(|(kind, ..)| EVENTS[*kind].class().purpose().number());
    assert_eq!(read, expected);
    println!(
        "{} events: {plain_len} bytes plain, {sealed_len} bytes sealed and padded, in {batches} batches",
        lines.len(),
    );
    assert!(plain_len <= 580 && sealed_len <= 704);
}
