use std::collections::BTreeMap;

use iotsec_core::{
    crypto::{ChaCha20Poly1305, HkdfSha256, Sha256},
    hal::Millis,
    secret::Secret,
};
use iotsec_telemetry::{
    batch::{BatchKey, SizeClass, Sizes},
    consent::{CONSENT_RECORD_LEN, ConsentStorage, Consents, Usage},
    error::StorageError,
    queue::Queue,
    registry,
    registry::{Buckets, Class, EventDef, Field, RESERVED_IDS},
    value::Value,
};
use iotsec_testkit::SimRng;
use serde_json::json;

use super::*;
use crate::{
    collector::{Collector, Limits},
    registries::Registries,
};

const HOSTILE: &str = "a\"b]c\\d\ne=f \u{7f}\u{2028}<1>1 - ü";
const HOURS: Buckets = Buckets::new(&[1, 8]);
const EVENTS: [EventDef; 5] = [
    EventDef::new(
        1,
        "login.failed",
        Class::Security,
        "Shows attacks",
        &[Field::number("attempts", "1", 1, 255)],
    ),
    EventDef::new(
        2,
        HOSTILE,
        Class::Critical,
        HOSTILE,
        &[Field::choice(HOSTILE, &[HOSTILE, "x"])],
    ),
    EventDef::new(3, "net.connect_failed", Class::Security, "Finds faults", &[]),
    EventDef::new(
        4,
        "lamp.used",
        Class::Usage,
        "Tells how long lamps last",
        &[Field::bucket("hours", "h", HOURS)],
    ),
    EventDef::new(
        RESERVED_IDS + 9,
        "iotsec.listener",
        Class::Security,
        "Shows an open door",
        &[
            Field::choice("transport", &["tcp", "udp"]),
            Field::number("number", "1", 0, 65535),
        ],
    ),
];
registry!(static PRODUCT = [EVENTS[0], EVENTS[1], EVENTS[2], EVENTS[3], EVENTS[4]]);

struct Ram;
impl ConsentStorage for Ram {
    fn load(&mut self, _: &mut [u8; CONSENT_RECORD_LEN]) -> Result<bool, StorageError> {
        Ok(false)
    }
    fn store(&mut self, _: &[u8; CONSENT_RECORD_LEN]) -> Result<(), StorageError> {
        Ok(())
    }
}

/// One record of each event, a minute apart.
fn records() -> Vec<Record> {
    let mut consents = Consents::off();
    consents.grant::<Usage>(1, None, &mut Ram).unwrap();
    let mut queue = Queue::<8>::new(PRODUCT.hashed(&mut Sha256::new()), 3, 1);
    let values: [&[Value<'_>]; 5] = [
        &[7.into()],
        &[0.into()],
        &[],
        &[Value::bucket(3, HOURS)],
        &[1.into(), 23.into()],
    ];
    for (second, (event, values)) in EVENTS.iter().zip(values).enumerate() {
        queue
            .record(&consents, event, values, Millis::from_secs(60 * second as u64))
            .unwrap();
    }
    queue.set_clock(Millis(0), UnixTime(1_800_000_000));
    let secret = Secret::from_bytes([1; 32]);
    let key = BatchKey::new(&secret, &ChaCha20Poly1305, &HkdfSha256);
    let mut registries = Registries::new();
    registries.add_compiled(&PRODUCT);
    let keys = BTreeMap::from([("d".to_owned(), Secret::from_bytes([1; 32]))]);
    let mut collector = Collector::new(registries, keys, Limits::default());
    let (mut rng, mut records) = (SimRng::new(1), Vec::new());
    loop {
        let (mut scratch, mut out) = ([0; 256], [0; 256]);
        let sizes = Sizes::up_to(SizeClass::B256);
        let batch = queue.batch(&consents, &key, sizes, &mut rng, &mut scratch, &mut out);
        let Some(batch) = batch.unwrap() else { break };
        let delivery = collector.receive("d", batch.bytes(), UnixTime(1_800_001_000));
        records.extend(delivery.unwrap().records);
        queue.ack(batch.into_receipt()).unwrap();
    }
    records.sort_by_key(|record| record.event.uptime_s());
    records
}

fn arrivals(records: &[Record]) -> Vec<Arrival<'_>> {
    let of = |record| Arrival {
        device: "LAMP 7\n]",
        received: UnixTime(1_800_001_000),
        record,
    };
    records.iter().map(of).collect()
}

#[test]
fn json_has_every_field_by_name() {
    let records = records();
    let objects: Vec<_> = arrivals(&records).iter().map(json::event).collect();
    assert_eq!(objects[0]["fields"], json!({ "attempts": 7 }));
    assert_eq!(objects[0]["time"], "2027-01-15T08:00:00Z");
    assert_eq!(objects[1]["fields"][HOSTILE], HOSTILE);
    assert_eq!(objects[3]["fields"], json!({ "hours.from": 1, "hours.to": 8 }));
    assert!(objects.iter().all(|object| !object.to_string().contains('\n')));
}

#[test]
fn a_syslog_message_is_one_line_whatever_stands_in_it() {
    let records = records();
    let arrivals = arrivals(&records);
    let messages: Vec<String> = arrivals
        .iter()
        .map(|a| syslog::message(a, syslog::EXAMPLE_ID))
        .collect();
    assert_eq!(
        messages[0],
        "<84>1 2027-01-15T08:00:00Z LAMP?7?] iotsec - login.failed [iotsec@32473 boot=\"3\" sequence=\"0\" \
         uptime_s=\"0\" class=\"security\" f.attempts=\"7\"]"
    );
    for message in &messages {
        assert!(
            !message.chars().any(|c| c.is_control() || c == '\u{2028}'),
            "{message:?}"
        );
    }
    // Inside the value each of the three is escaped.
    assert!(
        messages[1].contains("=\"a\\\"b\\]c\\\\d?e=f ??<1>1 - ü\"]"),
        "{}",
        messages[1]
    );
    assert!(syslog::message(&arrivals[0], "a]b=\"c").contains(" [a?b??c boot="));
}

#[test]
fn otlp_and_ocsf_have_the_shapes_that_their_readers_want() {
    let records = records();
    let arrivals = arrivals(&records);
    let request = otlp::request(&arrivals);
    let logs = &request["resourceLogs"][0]["scopeLogs"][0]["logRecords"];
    assert_eq!(logs.as_array().unwrap().len(), 5);
    assert_eq!(logs[0]["timeUnixNano"], "1800000000000000000");
    assert_eq!(
        logs[0]["attributes"][4],
        json!({ "key": "attempts", "value": { "intValue": "7" } })
    );

    let events: Vec<_> = arrivals.iter().map(ocsf::event).collect();
    let classes: Vec<_> = events
        .iter()
        .map(|event| event.as_ref().map(|event| event["type_uid"].clone()))
        .collect();
    let some = |uid: u64| Some(uid.into());
    assert_eq!(
        classes,
        [some(300_201), some(200_401), some(400_104), None, some(200_401)]
    );
    assert_eq!(events[0].as_ref().unwrap()["time"], 1_800_000_000_000_u64);
}

#[test]
fn a_report_for_device_defender_counts_events_and_names_open_ports() {
    let records = records();
    let arrivals = arrivals(&records);
    let report = defender::report("LAMP 7\n]", 9, &arrivals, defender::Keys::Long).unwrap();
    assert_eq!(report["header"], json!({ "report_id": 9, "version": "1.0" }));
    assert_eq!(
        report["metrics"],
        json!({ "listening_udp_ports": { "ports": [{ "port": 23 }], "total": 1 } })
    );
    assert_eq!(report["custom_metrics"]["login_failed"], json!([{ "number": 1 }]));
    assert_eq!(
        report["custom_metrics"].as_object().unwrap().len(),
        4,
        "without what is used"
    );
    let short = defender::report("LAMP 7\n]", 9, &arrivals, defender::Keys::Short).unwrap();
    assert_eq!(short["met"], json!({ "up": { "pts": [{ "pt": 23 }], "t": 1 } }));
    assert_eq!(short["hed"], json!({ "rid": 9, "v": "1.0" }));
    assert_eq!(
        defender::report("another", 9, &arrivals, defender::Keys::Long),
        None
    );
}
