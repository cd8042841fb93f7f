//! A day of a small fleet of lamps, one of which is attacked, so that there is something to look at.
//!
//! What is reported is the same for the same end of the day; the keys are new every time.

use std::fmt::Write as _;

use getrandom::SysRng;
use iotsec::{
    core::{
        crypto::{ChaCha20Poly1305, HkdfSha256, Sha256},
        hal::{Millis, UnixTime},
        secret::Secret,
    },
    telemetry::{
        batch::{BatchKey, SizeClass, Sizes},
        consent::{CONSENT_RECORD_LEN, ConsentStorage, Consents, Health, Usage},
        detect::{AUTH_BURST, BOOT_LOOP},
        error::StorageError,
        queue::Queue,
        registry,
        registry::{Buckets, Class, EventDef, Field, Handling},
        value::Value,
    },
};
use iotsec_collector::registries::Description;
use serde_json::json;
use zeroize::Zeroizing;

use super::Demo;
use crate::{
    Output, Problem,
    file::{self, Access},
    key::hex,
    time::Time,
};

const HOURS: Buckets = Buckets::new(&[1, 4, 12]);
const CASE_OPENED: EventDef = EventDef::new(
    1,
    "case.opened",
    Class::Critical,
    "Shows that somebody opened a lamp",
    &[],
);
const LOGIN_FAILED: EventDef = EventDef::new(
    2,
    "login.failed",
    Class::Security,
    "Shows attacks on passwords",
    &[
        Field::choice("interface", &["web", "app", "serial"]),
        Field::number("attempts", "1", 1, 255),
    ],
);
const CONNECT_FAILED: EventDef = EventDef::new(
    3,
    "net.connect_failed",
    Class::Health,
    "Finds weak radio links",
    &[Field::number("error", "1", 0, 255)],
);
const HOT: EventDef = EventDef::new(
    4,
    "board.hot",
    Class::Health,
    "Shows lamps that run outside their limits",
    &[Field::number("degrees", "Cel", -40, 125)],
);
const LIT: EventDef = EventDef::new(
    5,
    "lamp.lit",
    Class::Usage,
    "Tells how long lamps have to last",
    &[Field::bucket("hours", "h", HOURS)],
);
registry!(static LAMP = [CASE_OPENED, LOGIN_FAILED, CONNECT_FAILED, HOT, LIT, AUTH_BURST, BOOT_LOOP],
    metrics [], handling Handling::new("privacy@lamps.example", "Example Lighting Ltd", 90));

const LAMPS: u64 = 24;
const DAY: u64 = 86_400;
const HOUR: u64 = 3600;
const BOOT: u32 = 12;
const SIZES: Sizes = Sizes::up_to(SizeClass::B512);

/// Nothing is kept: the owner consents at the beginning of the day.
struct Forgetful;

impl ConsentStorage for Forgetful {
    fn load(&mut self, _: &mut [u8; CONSENT_RECORD_LEN]) -> Result<bool, StorageError> {
        Ok(false)
    }
    fn store(&mut self, _: &[u8; CONSENT_RECORD_LEN]) -> Result<(), StorageError> {
        Ok(())
    }
}

/// Chance that repeats itself.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

pub(super) fn run(demo: &Demo) -> Result<Output, Problem> {
    let now = || Time::now().map(|now| Time(now.0 / HOUR * HOUR));
    let Some(end) = demo.end.or_else(now).filter(|end| end.0 > DAY) else {
        return Err(Problem::usage("there is no such day", "say --end"));
    };
    file::create_dir(&demo.out)?;
    let mut canonical = Vec::new();
    LAMP.canonical(&mut |piece| canonical.extend_from_slice(piece));
    file::create(&demo.out.join("registry.cbor"), &canonical, Access::Public)?;
    let text = Description::of(&LAMP)
        .to_json()
        .map_err(Problem::make("registry"))?;
    file::create(&demo.out.join("registry.json"), text.as_bytes(), Access::Public)?;

    let (mut keys, mut batches) = (Zeroizing::new(String::new()), 0);
    for lamp in 1..=LAMPS {
        let name = format!("LAMP-{lamp:02}");
        let secret = Secret::random(&mut SysRng).map_err(Problem::make("key"))?;
        let _ = writeln!(keys, "{name} {}", hex(secret.expose()));
        let folder = demo.out.join("inbox").join(&name);
        file::create_dir(&folder)?;
        for (at, message) in day(lamp, end, &secret)?.iter().enumerate() {
            let path = folder.join(format!("{:02}.batch", at + 1));
            file::create_one_of_many(&path, message, Access::Private)?;
            batches += 1;
        }
    }
    file::create(&demo.out.join("keys"), keys.as_bytes(), Access::Private)?;
    let out = demo.out.display();
    Ok(Output::new(
        format!(
            "registry     {out}/registry.cbor (and .json)\nkeys         {out}/keys\n\
             batches      {out}/inbox: {batches} of {LAMPS} lamps, up to {end}\n"
        ),
        json!({ "folder": demo.out, "batches": batches, "devices": LAMPS, "end": end.0 }),
    ))
}

/// What a lamp sends in its day.
fn day(lamp: u64, end: Time, secret: &Secret<32>) -> Result<Vec<Vec<u8>>, Problem> {
    let mut consents = Consents::off();
    consents
        .grant::<Health>(1, None, &mut Forgetful)
        .map_err(Problem::make("consent"))?;
    consents
        .grant::<Usage>(1, None, &mut Forgetful)
        .map_err(Problem::make("consent"))?;
    let mut queue = Queue::<32>::new(LAMP.hashed(&mut Sha256::new()), BOOT, 4);
    let key = BatchKey::new(secret, &ChaCha20Poly1305, &HkdfSha256);
    let (mut chance, mut messages) = (Chance(lamp), Vec::new());
    if lamp != 21 {
        queue.set_clock(Millis(0), UnixTime(end.0 - DAY));
    }
    for hour in 0..24 {
        for (second, event, values) in happens(lamp, hour, &mut chance) {
            let now = Millis::from_secs(hour * HOUR + second);
            // A full queue counts what it drops.
            let _ = queue.record(&consents, &event, &values, now);
        }
        // The radio of one lamp reaches nobody for half of the day.
        let offline = lamp == 17 && hour < 12;
        while hour % 2 == 1 && !offline && !queue.is_empty() {
            let (mut scratch, mut out) = ([0; 512], [0; 512]);
            let batch = queue.batch(&consents, &key, SIZES, &mut SysRng, &mut scratch, &mut out);
            let Some(batch) = batch.map_err(Problem::make("batch"))? else {
                break;
            };
            messages.push(batch.bytes().to_vec());
            queue.ack(batch.into_receipt()).map_err(Problem::make("batch"))?;
        }
    }
    // An acknowledgement was lost.
    if let (3, Some(last)) = (lamp, messages.last().cloned()) {
        messages.push(last);
    }
    Ok(messages)
}

/// In order of time.
fn happens(lamp: u64, hour: u64, chance: &mut Chance) -> Vec<(u64, EventDef, Vec<Value<'static>>)> {
    let mut events = Vec::new();
    if chance.below(4) == 0 {
        let error = i64::try_from(chance.below(40)).unwrap_or_default();
        events.push((chance.below(HOUR), CONNECT_FAILED, vec![error.into()]));
    }
    if (11..17).contains(&hour) && chance.below(9) == 0 {
        let degrees = 80 + i64::try_from(chance.below(15)).unwrap_or_default();
        events.push((chance.below(HOUR), HOT, vec![degrees.into()]));
    }
    if hour == 22 {
        let lit = i64::try_from(chance.below(14)).unwrap_or_default();
        events.push((chance.below(HOUR), LIT, vec![Value::bucket(lit, HOURS)]));
    }
    if lamp == 17 {
        for minute in 0..12 {
            events.push((300 * minute, CONNECT_FAILED, vec![7.into()]));
        }
    }
    if chance.below(40) == 0 {
        events.push((chance.below(HOUR), LOGIN_FAILED, vec![1.into(), 1.into()]));
    }
    // Somebody tries passwords, at a third of the lamps at once.
    if lamp.is_multiple_of(3) && (14..16).contains(&hour) {
        for minute in 0..10 {
            let attempts = 3 + i64::try_from(chance.below(5)).unwrap_or_default();
            events.push((120 * minute, LOGIN_FAILED, vec![0.into(), attempts.into()]));
        }
        events.push((1200, AUTH_BURST, vec![0.into(), 50.into()]));
    }
    if lamp == 9 && hour == 16 {
        events.push((900, BOOT_LOOP, vec![4.into()]));
        events.push((1000, CASE_OPENED, Vec::new()));
    }
    events.sort_by_key(|(second, ..)| *second);
    events
}
