//! Inputs read by ours and by others, in one run: time, and allocations.
//!
//! ```text
//! cargo xtask bench
//! ```
//!
//! Ours judge more: a document's texts become URLs, topics, time zones and labels, names that stand twice are found
//! wherever they are, and nothing is allocated. What the others return is text. Each figure is the best of many rounds,
//! in which all take turns.

use std::{
    alloc::System,
    error::Error,
    hint::black_box,
    time::{Duration, Instant},
};

use iotsec::core::{
    document,
    input::{
        Label, MqttTopic, Ranged, TimeZone, Url,
        document::{Document, List},
        json::{self, Limits},
    },
};
use minicbor::Encoder;
use serde::Deserialize;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

const ROUNDS: usize = 300;
/// What a round does so often that the clock is fine enough.
const REPEATS: u32 = 64;

const SETTINGS: &[u8] = br#"{
    "broker": "mqtts://broker.example.com/lamps",
    "topic": "home/kitchen/lamp",
    "zone": "CET-1CEST,M3.5.0,M10.5.0/3",
    "level": 70,
    "scenes": [{"name": "dusk", "on": true}, {"name": "night", "on": false}]
}"#;

document! {
    struct Settings<'a> {
        broker: Url<'a>,
        topic: MqttTopic<'a>,
        zone: TimeZone<'a>,
        level: Ranged<0, 100>,
        scenes: List<Scene<'a>, 0, 4>,
    }

    struct Scene<'a> {
        name: Label<'a, 16>,
        on: bool,
    }
}

/// The same for serde, which borrows what has no escapes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Texts<'a> {
    broker: &'a str,
    topic: &'a str,
    zone: &'a str,
    level: u8,
    #[serde(borrow)]
    scenes: [SceneText<'a>; 2],
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SceneText<'a> {
    name: &'a str,
    on: bool,
}

impl Texts<'_> {
    fn sum(&self) -> usize {
        let scenes = self
            .scenes
            .iter()
            .map(|scene| scene.name.len() + usize::from(scene.on));
        let texts = self.broker.len() + self.topic.len() + self.zone.len();
        texts + usize::from(self.level) + scenes.sum::<usize>()
    }
}

/// Reads `input` once, and says something of what it read.
type Read<'r> = (&'r str, Box<dyn FnMut(&[u8]) -> Option<usize> + 'r>);

fn main() -> Result {
    compare(
        &format!("settings, {} bytes of JSON", SETTINGS.len()),
        SETTINGS,
        &mut [
            (
                "iotsec, document with bounds",
                Box::new(|input| {
                    let mut scratch = [0; 16];
                    let settings = Settings::from_json(input, &mut scratch).ok()?;
                    usize::try_from(settings.level().get()).ok()
                }),
            ),
            (
                "iotsec, JSON reader",
                Box::new(|input| {
                    let object = json::parse(input, &Limits::SMALL).ok()?.object().ok()?;
                    usize::try_from(object.member("level").ok()?.integer().ok()?).ok()
                }),
            ),
            (
                "serde_json, structure",
                Box::new(|input| Some(serde_json::from_slice::<Texts<'_>>(input).ok()?.sum())),
            ),
            (
                "serde_json, Value",
                Box::new(|input| {
                    let value: serde_json::Value = serde_json::from_slice(input).ok()?;
                    usize::try_from(value["level"].as_u64()?).ok()
                }),
            ),
            (
                "serde-json-core, structure",
                Box::new(|input| Some(serde_json_core::from_slice::<Texts<'_>>(input).ok()?.0.sum())),
            ),
        ],
    )?;

    let cbor = settings_in_cbor()?;
    compare(
        &format!("the same, {} bytes of CBOR", cbor.len()),
        &cbor,
        &mut [
            (
                "iotsec, document with bounds",
                Box::new(|input| {
                    let settings = Settings::from_cbor(input).ok()?;
                    usize::try_from(settings.level().get()).ok()
                }),
            ),
            ("minicbor, by hand", Box::new(|input| by_minicbor(input).ok())),
            (
                "ciborium, structure",
                Box::new(|input| Some(ciborium::from_reader::<OwnedTexts, _>(input).ok()?.level.into())),
            ),
        ],
    )?;

    let url = b"https://updates.example.com:8443/lamp/7/firmware.bin?channel=stable&since=3";
    compare(
        &format!("a URL of {} bytes", url.len()),
        url,
        &mut [
            (
                "iotsec",
                Box::new(|input| Some(Url::parse(input).ok()?.path().len())),
            ),
            (
                "url",
                Box::new(|input| {
                    let text = std::str::from_utf8(input).ok()?;
                    Some(url::Url::parse(text).ok()?.path().len())
                }),
            ),
        ],
    )?;

    let many: Vec<String> = (0..400)
        .map(|at| format!("{{\"id\":{at},\"ok\":true,\"at\":{}}}", at * 17))
        .collect();
    let many = format!("[{}]", many.join(","));
    let limits = Limits {
        bytes: 1 << 16,
        values: 1 << 14,
        ..Limits::SMALL
    };
    compare(
        &format!(
            "an array of objects, {} bytes of JSON, checked and left",
            many.len()
        ),
        many.as_bytes(),
        &mut [
            (
                "iotsec, JSON reader",
                Box::new(move |input| {
                    json::parse(input, &limits).ok()?;
                    Some(input.len())
                }),
            ),
            (
                "serde_json, IgnoredAny",
                Box::new(|input| {
                    serde_json::from_slice::<serde::de::IgnoredAny>(input).ok()?;
                    Some(input.len())
                }),
            ),
            (
                "serde_json, Value",
                Box::new(|input| {
                    Some(
                        serde_json::from_slice::<serde_json::Value>(input)
                            .ok()?
                            .as_array()?
                            .len(),
                    )
                }),
            ),
        ],
    )
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "what is read counts, not what is done with it")]
struct OwnedTexts {
    broker: String,
    topic: String,
    zone: String,
    level: u8,
    scenes: Vec<OwnedScene>,
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "as above")]
struct OwnedScene {
    name: String,
    on: bool,
}

/// In deterministic encoding: shorter names first.
fn settings_in_cbor() -> Result<Vec<u8>> {
    let mut encoder = Encoder::new(Vec::new());
    encoder.map(5)?.str("zone")?.str("CET-1CEST,M3.5.0,M10.5.0/3")?;
    encoder
        .str("level")?
        .u8(70)?
        .str("topic")?
        .str("home/kitchen/lamp")?;
    encoder.str("broker")?.str("mqtts://broker.example.com/lamps")?;
    encoder.str("scenes")?.array(2)?;
    for (name, on) in [("dusk", true), ("night", false)] {
        encoder.map(2)?.str("on")?.bool(on)?.str("name")?.str(name)?;
    }
    Ok(encoder.into_writer())
}

fn by_minicbor(input: &[u8]) -> std::result::Result<usize, minicbor::decode::Error> {
    let mut decoder = minicbor::Decoder::new(input);
    let mut sum = 0;
    for _ in 0..decoder.map()?.unwrap_or_default() {
        match decoder.str()? {
            "level" => sum += usize::from(decoder.u8()?),
            "broker" | "topic" | "zone" => sum += decoder.str()?.len(),
            _ => {
                for _ in 0..decoder.array()?.unwrap_or_default() {
                    for _ in 0..decoder.map()?.unwrap_or_default() {
                        match decoder.str()? {
                            "on" => sum += usize::from(decoder.bool()?),
                            _ => sum += decoder.str()?.len(),
                        }
                    }
                }
            }
        }
    }
    Ok(sum)
}

fn compare(what: &str, input: &[u8], readers: &mut [Read<'_>]) -> Result {
    println!(
        "\n{what}\n{:<32} {:>10} {:>9} {:>8} {:>12}",
        "", "ns", "ns/byte", "ratio", "allocations"
    );
    let mut best = vec![Duration::MAX; readers.len()];
    let mut allocations = vec![0; readers.len()];
    for _ in 0..ROUNDS {
        for (at, (name, read)) in readers.iter_mut().enumerate() {
            let region = Region::new(ALLOCATOR);
            read(input).ok_or_else(|| format!("{name} does not read it"))?;
            allocations[at] = region.change().allocations;
            let start = Instant::now();
            for _ in 0..REPEATS {
                black_box(read(black_box(input)));
            }
            best[at] = best[at].min(start.elapsed() / REPEATS);
        }
    }
    let first = best[0].as_secs_f64();
    for (at, (name, _)) in readers.iter().enumerate() {
        let seconds = best[at].as_secs_f64();
        let (ns, each) = (seconds * 1e9, seconds * 1e9 / input.len() as f64);
        println!(
            "{name:<32} {ns:>10.0} {each:>9.2} {:>8.2} {:>12}",
            seconds / first,
            allocations[at]
        );
    }
    Ok(())
}
