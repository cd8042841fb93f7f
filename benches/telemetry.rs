//! What events cost: bytes and time, beside OTLP in protobuf, JSON and CBOR; and what it costs to split a number for two
//! servers, beside libprio.
//!
//! ```text
//! cargo bench --bench telemetry
//! cargo bench --bench telemetry -- --table    bytes alone, as docs/performance.md has them
//! ```
//!
//! The events are those of `vectors/telemetry/events.json`. Ours are recorded against a registry, sealed and padded; the
//! others are neither encrypted nor padded, and carry the names that a reader of ours takes from the registry. Bytes
//! repeat exactly. Each time is the best of many rounds, in which all take turns.

#[path = "../examples/telemetry_batch/corpus.rs"]
mod corpus;
#[path = "telemetry/otlp.rs"]
mod otlp;

use std::{
    error::Error,
    hint::black_box,
    time::{Duration, Instant},
};

use corpus::{Corpus, Line};
use iotsec::{
    core::{
        crypto::{ChaCha20Poly1305, HkdfSha256},
        hal::{Millis, UnixTime},
        secret::Secret,
    },
    telemetry::{
        batch::{BatchKey, MAX_LEN, SizeClass, Sizes},
        consent::{CONSENT_RECORD_LEN, ConsentStorage, Consents, Health, Usage},
        error::StorageError,
        prio3::{Measurement, Prio3},
        queue::Queue,
        registry::{Aggregate, Buckets, FieldKind, MetricDef, Purpose},
        value::Value,
    },
};
use iotsec_testkit::SimRng;
use prio::vdaf::{
    Client,
    prio3::{Prio3Count, Prio3Histogram, Prio3Sum, optimal_chunk_length},
};
use prost::Message;
use serde_json::{Map, json};

const ROUNDS: usize = 200;
/// What a round of shares does so often that the clock is fine enough.
const REPEATS: u32 = 16;

struct Forgetful;

impl ConsentStorage for Forgetful {
    fn load(&mut self, _: &mut [u8; CONSENT_RECORD_LEN]) -> Result<bool, StorageError> {
        Ok(false)
    }
    fn store(&mut self, _: &[u8; CONSENT_RECORD_LEN]) -> Result<(), StorageError> {
        Ok(())
    }
}

/// Does the thing once, and says how many bytes came out.
type Work<'w> = Box<dyn FnMut() -> usize + 'w>;

fn main() -> Result<(), Box<dyn Error>> {
    let corpus = Corpus::parse(include_bytes!("../vectors/telemetry/events.json"))?;
    let mut consents = Consents::off();
    consents.grant::<Health>(1, None, &mut Forgetful)?;
    consents.grant::<Usage>(1, None, &mut Forgetful)?;
    let events = u32::try_from(corpus.lines.len())?;
    let mut work = encoders(&corpus, &consents);
    if std::env::args().any(|argument| argument == "--table") {
        return table(events, &mut work);
    }
    println!(
        "{:<44} {:>8} {:>9} {:>9}",
        format!("{events} events"),
        "bytes",
        "B/event",
        "ns/event"
    );
    let mut best = vec![(0, Duration::MAX); work.len()];
    for _ in 0..ROUNDS {
        for ((_, work), best) in work.iter_mut().zip(&mut best) {
            let start = Instant::now();
            let bytes = black_box(work());
            *best = (bytes, best.1.min(start.elapsed()));
        }
    }
    let (own, _) = best[0];
    for ((name, _), (bytes, time)) in work.iter().zip(&best) {
        println!(
            "{name:<44} {bytes:>8} {:>9.1} {:>9} {:>6.1} x",
            *bytes as f64 / f64::from(events),
            (*time / events).as_nanos(),
            *bytes as f64 / own as f64
        );
    }
    shares()
}

/// Bytes, which repeat exactly.
fn table(events: u32, work: &mut [(&str, Work<'_>)]) -> Result<(), Box<dyn Error>> {
    println!("| {events} events | bytes | bytes an event | of ours |\n|---|--:|--:|--:|");
    let bytes: Vec<usize> = work.iter_mut().map(|(_, work)| work()).collect();
    for ((name, _), own) in work.iter().zip(&bytes) {
        let (each, times) = (*own as f64 / f64::from(events), *own as f64 / bytes[0] as f64);
        println!("| {name} | {own} | {each:.1} | {times:.1} x |");
    }
    println!("\n| a number in two shares | bytes |\n|---|--:|");
    for (name, metric, _) in METRICS {
        println!("| {name} | {} |", Prio3::of(&metric)?.shares_len());
    }
    Ok(())
}

/// Ours first.
fn encoders<'c>(corpus: &'c Corpus, consents: &'c Consents) -> Vec<(&'static str, Work<'c>)> {
    vec![
        (
            "iotsec: recorded, sealed and padded",
            Box::new(|| ours(corpus, consents)),
        ),
        (
            "OTLP in protobuf (prost), plain",
            Box::new(|| protobuf(corpus).len()),
        ),
        (
            "JSON (serde_json), plain",
            Box::new(|| json_of(corpus).to_string().len()),
        ),
        (
            "CBOR with text keys (ciborium), plain",
            Box::new(|| {
                let mut out = Vec::new();
                let _ = ciborium::into_writer(&json_of(corpus), &mut out);
                out.len()
            }),
        ),
    ]
}

fn ours(corpus: &Corpus, consents: &Consents) -> usize {
    let mut queue = Queue::<128>::new(corpus.registry, 7, 0);
    let start = corpus.lines.first().map_or(0, |line| line.second);
    queue.set_clock(Millis(0), UnixTime(start));
    for line in &corpus.lines {
        for part in &corpus.kinds[line.kind].parts {
            let values = part.arguments.iter().map(|at| line.arguments[*at].into());
            let values: Vec<Value<'_>> = values.collect();
            let now = Millis::from_secs(line.second - start);
            queue
                .record(consents, &part.definition, &values, now)
                .expect("declared");
        }
    }
    let secret = Secret::from_bytes([9; 32]);
    let key = BatchKey::new(&secret, &ChaCha20Poly1305, &HkdfSha256);
    let (mut rng, sizes) = (SimRng::new(1), Sizes::up_to(SizeClass::B2048));
    let (mut events, mut bytes) = (0, 0);
    loop {
        let (mut scratch, mut out) = ([0; MAX_LEN], [0; MAX_LEN]);
        let batch = queue.batch(consents, &key, sizes, &mut rng, &mut scratch, &mut out);
        let Some(batch) = batch.expect("room") else { break };
        events += batch.events();
        bytes += batch.bytes().len();
        queue.ack(batch.into_receipt()).expect("its own");
    }
    assert_eq!(events, corpus.lines.len());
    bytes
}

/// Name and value of each argument: a text where it is a label.
fn arguments<'c>(
    corpus: &'c Corpus,
    line: &'c Line,
) -> impl Iterator<Item = (&'static str, Result<&'static str, i64>)> + 'c {
    corpus.kinds[line.kind].parts.iter().flat_map(|part| {
        part.definition
            .fields()
            .iter()
            .zip(&part.arguments)
            .map(|(field, at)| {
                let value = line.arguments[*at];
                let label = match field.kind() {
                    FieldKind::Choice(labels) => usize::try_from(value).ok().and_then(|at| labels.get(at)),
                    _ => None,
                };
                (field.name(), label.copied().ok_or(value))
            })
    })
}

fn name(corpus: &Corpus, line: &Line) -> &'static str {
    corpus.kinds[line.kind].parts[0].definition.name()
}

fn protobuf(corpus: &Corpus) -> Vec<u8> {
    let pair = |key: &str, value| otlp::KeyValue {
        key: key.into(),
        value: Some(otlp::AnyValue { value: Some(value) }),
    };
    let record = |line: &Line| otlp::LogRecord {
        time_unix_nano: line.second * 1_000_000_000,
        severity_number: 13,
        attributes: arguments(corpus, line)
            .map(|(key, value)| match value {
                Ok(text) => pair(key, otlp::Held::Text(text.into())),
                Err(number) => pair(key, otlp::Held::Number(number)),
            })
            .collect(),
        event_name: name(corpus, line).into(),
    };
    let logs = otlp::ResourceLogs {
        resource: Some(otlp::Resource {
            attributes: vec![pair("device.id", otlp::Held::Text("LAMP-7".into()))],
        }),
        scope_logs: vec![otlp::ScopeLogs {
            log_records: corpus.lines.iter().map(record).collect(),
        }],
    };
    otlp::Request {
        resource_logs: vec![logs],
    }
    .encode_to_vec()
}

fn json_of(corpus: &Corpus) -> serde_json::Value {
    let event = |line: &Line| {
        let arguments: Map<String, serde_json::Value> = arguments(corpus, line)
            .map(|(key, value)| (key.to_owned(), value.map_or_else(Into::into, Into::into)))
            .collect();
        json!({ "t": line.second, "event": name(corpus, line), "args": arguments })
    };
    corpus.lines.iter().map(event).collect()
}

const EDGES: Buckets = Buckets::new(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);

const fn metric(aggregate: Aggregate) -> MetricDef {
    MetricDef::new(1, "m", "1", Purpose::Security, "Measured", aggregate)
}

/// A name, what is asked, and an answer.
type Question = (&'static str, MetricDef, fn() -> Value<'static>);

const METRICS: [Question; 3] = [
    ("Prio3Count", metric(Aggregate::Count), || true.into()),
    ("Prio3Sum, up to 255", metric(Aggregate::Sum { max: 255 }), || {
        200u8.into()
    }),
    (
        "Prio3Histogram, 16 buckets",
        metric(Aggregate::Histogram(EDGES)),
        || Value::bucket(5, EDGES),
    ),
];

/// One report each, split by ours and by libprio.
fn shares() -> Result<(), Box<dyn Error>> {
    println!(
        "\n{:<44} {:>8} {:>9} {:>9}",
        "a number in two shares", "bytes", "ours us", "libprio"
    );
    let (count, sum) = (Prio3Count::new_count(2)?, Prio3Sum::new_sum(2, 255)?);
    let histogram = Prio3Histogram::new_histogram(2, 16, optimal_chunk_length(16))?;
    let (context, nonce) = (b"context", [7; 16]);
    let libprio: [Box<dyn Fn()>; 3] = [
        Box::new(|| drop(black_box(count.shard(context, &true, &nonce)))),
        Box::new(|| drop(black_box(sum.shard(context, &200, &nonce)))),
        Box::new(|| drop(black_box(histogram.shard(context, &5, &nonce)))),
    ];
    let consents = Consents::off();
    for ((name, metric, value), theirs) in METRICS.into_iter().zip(libprio) {
        let value = value();
        let vdaf = Prio3::of(&metric)?;
        let mut buffer = vec![0; vdaf.shares_len()];
        let (mut ours_best, mut theirs_best) = (Duration::MAX, Duration::MAX);
        for _ in 0..ROUNDS {
            let start = Instant::now();
            for _ in 0..REPEATS {
                let measurement = Measurement::new(&metric, value, &consents, None)?;
                let split = vdaf.split(measurement, context, &nonce, &mut getrandom::SysRng, &mut buffer)?;
                black_box(split.leader());
            }
            ours_best = ours_best.min(start.elapsed() / REPEATS);
            let start = Instant::now();
            for _ in 0..REPEATS {
                theirs();
            }
            theirs_best = theirs_best.min(start.elapsed() / REPEATS);
        }
        let micro = |time: Duration| time.as_secs_f64() * 1e6;
        let bytes = vdaf.shares_len();
        println!(
            "{name:<44} {bytes:>8} {:>9.1} {:>9.1}",
            micro(ours_best),
            micro(theirs_best)
        );
    }
    Ok(())
}
