//! What events cost on the wire: `cargo run --example telemetry_batch -- EVENTS.json`.
//!
//! A corpus becomes sealed batches, which are opened and compared with it; the exit status is 0 only if they are equal.
//! Without a file it is `vectors/telemetry/events.json`. `plain` counts the bytes of the batches without padding,
//! `sealed` those that travel: padded to a size class, encrypted and authenticated.

mod corpus;

use std::process::ExitCode;

use corpus::{Corpus, Line, Refusal};
use iotsec::{
    core::{
        cbor::{Limits, split_first},
        crypto::{ChaCha20Poly1305, HkdfSha256},
        hal::{Millis, UnixTime},
        secret::Secret,
    },
    telemetry::{
        batch::{BatchKey, MAX_LEN, SizeClass, Sizes},
        consent::{CONSENT_RECORD_LEN, ConsentStorage, Consents, Health, Usage},
        error::StorageError,
        queue::Queue,
        registry::EventDef,
        value::Value,
    },
};

/// Places in the queue: about what the largest batch holds.
const PLACES: usize = 256;
const BOOT: u32 = 417;
const SIZES: Sizes = Sizes::up_to(SizeClass::B2048);

/// Nothing is kept: each run asks anew, and the owner says yes.
struct Forgetful;

impl ConsentStorage for Forgetful {
    fn load(&mut self, _: &mut [u8; CONSENT_RECORD_LEN]) -> Result<bool, StorageError> {
        Ok(false)
    }
    fn store(&mut self, _: &[u8; CONSENT_RECORD_LEN]) -> Result<(), StorageError> {
        Ok(())
    }
}

fn main() -> ExitCode {
    let text = match std::env::args_os().nth(1) {
        Some(path) => std::fs::read(path).map_err(|error| error.to_string()),
        None => Ok(include_bytes!("../../vectors/telemetry/events.json").to_vec()),
    };
    match text.and_then(|text| run(&text)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(refusal) => {
            eprintln!("telemetry_batch: {refusal}");
            ExitCode::FAILURE
        }
    }
}

fn run(text: &[u8]) -> Result<(), Refusal> {
    let corpus = Corpus::parse(text)?;
    let secret = Secret::random(&mut getrandom::SysRng).map_err(|error| error.to_string())?;
    let key = BatchKey::new(&secret, &ChaCha20Poly1305, &HkdfSha256);
    let sealed = seal(&corpus, &key)?;
    let (lines, plain) = open(&corpus, &key, &sealed)?;
    let total: usize = sealed.iter().map(Vec::len).sum();
    println!("events: {}", corpus.lines.len());
    println!("plain: {plain}");
    println!("sealed: {total}");
    println!("batches: {}", sealed.len());
    println!("registry: {}", hex(corpus.registry.hash()));
    let mut expected = corpus.lines.clone();
    expected.sort_by_key(|line| {
        corpus.kinds[line.kind].parts[0]
            .definition
            .class()
            .purpose()
            .number()
    });
    if lines != expected {
        return Err("what was decoded is not what was encoded".into());
    }
    println!("decoded: equal");
    Ok(())
}

/// Records everything, and sends whenever the queue is full.
fn seal(corpus: &Corpus, key: &BatchKey<'_>) -> Result<Vec<Vec<u8>>, Refusal> {
    let (mut consents, mut sealed) = (Consents::off(), Vec::new());
    consents.grant::<Health>(1, None, &mut Forgetful).map_err(text)?;
    consents.grant::<Usage>(1, None, &mut Forgetful).map_err(text)?;
    let mut queue = Queue::<PLACES>::new(corpus.registry, BOOT, 0);
    let start = corpus.lines.first().map_or(0, |line| line.second);
    queue.set_clock(Millis(0), UnixTime(start));
    let mut send = |queue: &mut Queue<PLACES>| -> Result<bool, Refusal> {
        let (mut scratch, mut out, mut rng) = ([0; MAX_LEN], [0; MAX_LEN], getrandom::SysRng);
        let batch = queue.batch(&consents, key, SIZES, &mut rng, &mut scratch, &mut out);
        let Some(batch) = batch.map_err(text)? else {
            return Ok(false);
        };
        sealed.push(batch.bytes().to_vec());
        queue.ack(batch.into_receipt()).map_err(text)?;
        Ok(true)
    };
    for line in &corpus.lines {
        for part in &corpus.kinds[line.kind].parts {
            if queue.len() == PLACES {
                send(&mut queue)?;
            }
            let values = part.arguments.iter().map(|at| line.arguments[*at].into());
            let values: Vec<Value<'_>> = values.collect();
            let now = Millis::from_secs(line.second - start);
            queue
                .record(&consents, &part.definition, &values, now)
                .map_err(text)?;
        }
    }
    while send(&mut queue)? {}
    Ok(sealed)
}

/// Opens the batches: the events of each purpose in the order in which they were recorded, and the bytes without padding.
fn open(corpus: &Corpus, key: &BatchKey<'_>, sealed: &[Vec<u8>]) -> Result<(Vec<Line>, usize), Refusal> {
    let limits = Limits {
        depth: 4,
        items: 2048,
        bytes: 2048,
    };
    let (mut events, mut bytes) = (Vec::new(), 0);
    for message in sealed {
        let mut plain = [0; MAX_LEN];
        let batch = key.open(message, &mut plain).map_err(text)?;
        events.extend(batch.read(&corpus.registry).map_err(text)?.events());
        bytes += split_first(&plain, &limits).map_err(text)?.0.len();
    }
    events.sort_by_key(|event| (event.id().purpose.number(), event.id().sequence));
    let mut lines: Vec<Line> = Vec::new();
    for event in events {
        let (kind, part) = place(corpus, event.definition()).ok_or("an event of no kind")?;
        let parts = &corpus.kinds[kind].parts;
        if part == 0 {
            let arguments = parts.iter().map(|part| part.arguments.len()).sum();
            let second = event.time().ok_or("an event without its time")?.0;
            lines.push(Line {
                second,
                kind,
                arguments: vec![0; arguments],
            });
        }
        let line = lines.last_mut().ok_or("a part without its event")?;
        for (field, at) in parts[part].arguments.iter().enumerate() {
            line.arguments[*at] = event.raw(field).ok_or("a field without its value")?;
        }
    }
    Ok((lines, bytes))
}

/// Which kind a declaration belongs to, and which part of it.
fn place(corpus: &Corpus, definition: &EventDef) -> Option<(usize, usize)> {
    corpus.kinds.iter().enumerate().find_map(|(at, kind)| {
        let part = kind.parts.iter().position(|part| part.definition == *definition);
        Some((at, part?))
    })
}

fn text(error: impl std::fmt::Display) -> Refusal {
    error.to_string()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
