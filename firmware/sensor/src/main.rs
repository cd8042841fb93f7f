//! The application of `examples/products/sensor`: a temperature sensor of class 1 (RFC 7228), which is never updated.
//!
//! A day of it: guesses too many, its owner's login and consent, a limit that is set, an alarm that waits until somebody
//! is there, and its owner gone. What it is, opens and reports comes from the constants of its manifest. The flash of
//! the chip is simulated in RAM; what is kept while there is power lies in one frame, and there is nothing else.
#![no_std]
#![no_main]

mod storage;
#[allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "a firmware uses what it needs, and its own crate is all there is"
)]
mod product {
    include!("../../../examples/products/sensor/product.rs");
}

use core::hint::black_box;

use harness::{console, device::STORE, entropy::FixedBytes, entry, flash::SimulatedFlash};
use iotsec::{
    core::{
        credential::{
            Attempt, DevicePassword, Exposure, Iterations, Label, Login, Pepper, Throttle, ThrottlePolicy,
            UserPassword, Verifier,
        },
        crypto::{ChaCha20Poly1305, HkdfSha256, Sha256},
        hal::{DebugPort, DebugState, DeviceRootKey, Millis},
        input::{
            Ranged,
            json::{self, Limits},
        },
        secret::Secret,
    },
    net::{
        retry::{Failure, Retry, RetryPolicy},
        surface::{
            Phase,
            debug::{DebugPolicy, check_debug_port},
        },
    },
    store::{IndexEntry, ReplayProtection, Scrub, Store},
    telemetry::{
        batch::{BatchKey, SizeClass, Sizes},
        consent::{Consents, Usage},
        detect::FailureBurst,
        personal::Personal,
        queue::Queue,
    },
};

use product::{SURFACE, TELEMETRY, TEMPERATURE_HIGH};
use storage::{BATCH_KEY, Kept, LIMIT, VERIFIER, suite};

/// Values that the index of the store has room for.
const VALUES: usize = 16;
/// Bytes of the longest record.
const RECORD: usize = 256;
/// Events that wait.
const WAITING: usize = 8;
/// What the app sends.
const SETTINGS: &[u8] = br#"{"limit": 30}"#;

#[entry]
fn main() -> ! {
    let mut flash = SimulatedFlash::erased();
    let key = Secret::from_bytes(black_box(*b"a root key for firmware tests..."));
    let Ok(root) = DeviceRootKey::new(&key, &HkdfSha256) else {
        console::fail("the root key was refused")
    };
    let Some(label) = station(&mut flash, &root) else {
        console::fail("it was not made")
    };
    console::text(product::NAME);
    console::text(" ");
    console::text(product::VERSION);
    console::text(", weaknesses to ");
    console::text(product::DISCLOSURE_POLICY);
    console::text("\n");
    match live(&mut flash, &root, &label) {
        Some(bytes) => {
            console::number("an alarm left, in bytes: ", bytes as u32);
            console::pass()
        }
        None => console::fail("something did not work"),
    }
}

/// The station: a password for the label, its verifier, a key for batches.
#[inline(never)]
fn station(flash: &mut SimulatedFlash, root: &DeviceRootKey<'_>) -> Option<Label> {
    let mut rng = FixedBytes::new(6);
    let (mut index, mut record) = ([IndexEntry::EMPTY; VALUES], [0; RECORD]);
    let (suite, replay) = (suite(root), ReplayProtection::None);
    let mut store = Store::format(flash, STORE, suite, &mut index, &mut record, replay, &mut rng).ok()?;
    let pepper = Pepper::derive(root, &HkdfSha256).ok()?;
    let password = DevicePassword::generate(Exposure::Online, &mut rng).ok()?;
    let verifier = Verifier::for_device(&password, &pepper, &mut rng).ok()?;
    store.put(flash, VERIFIER, &verifier.to_bytes()).ok()?;
    let key = Secret::<32>::random(&mut rng).ok()?;
    store.put(flash, BATCH_KEY, key.expose()).ok()?;
    let store = &mut store;
    Throttle::initialise(&mut Kept { store, flash }).ok()?;
    Some(password.label())
}

/// Returns how long the batch was that left.
#[inline(never)]
fn live(flash: &mut SimulatedFlash, root: &DeviceRootKey<'_>, label: &Label) -> Option<usize> {
    let (mut index, mut record) = ([IndexEntry::EMPTY; VALUES], [0; RECORD]);
    let mut rng = FixedBytes::new(7);
    let (suite, replay) = (suite(root), ReplayProtection::None);
    let mut store = Store::mount(flash, STORE, suite, &mut index, &mut record, replay, &mut rng).ok()?;
    let pepper = Pepper::derive(root, &HkdfSha256).ok()?;
    let mut login = Login::new(Throttle::new(ThrottlePolicy::DEFAULT), &pepper);
    let mut queue = Queue::<WAITING>::new(TELEMETRY.hashed(&mut Sha256::new()), 7, 2);
    // The debug port was closed at the station, or nothing starts.
    let gate = SURFACE.gate(Phase::Owned);
    let _closed = check_debug_port(&Locked, &gate, DebugPolicy::Refuse).ok()?;

    let mut consents = Consents::off();
    guesses(&mut store, flash, &mut login, &mut queue, &consents)?;
    log_in(&mut store, flash, &mut login, label)?;
    change_password(&mut store, flash, &mut login, &pepper, label, &mut rng)?;
    set_limit(&mut store, flash, black_box(SETTINGS))?;
    // Before consent there is no alarm to send.
    let early = alarm(&mut store, flash, &mut queue, &consents, 31);
    let store_ = &mut store;
    consents
        .grant::<Usage>(1, None, &mut Kept { store: store_, flash })
        .ok()?;
    let told = alarm(&mut store, flash, &mut queue, &consents, 31);
    if (early, told) != (Some(false), Some(true)) {
        return None;
    }
    meet(&mut store, flash)?;
    let left = seal(&mut store, flash, &mut queue, &consents, &mut rng)?;
    forget(&mut store, flash, &mut rng).then_some(left)
}

struct Locked;
impl DebugPort for Locked {
    fn state(&self) -> DebugState {
        black_box(DebugState::Closed)
    }
}

/// Somebody tries passwords: they are compared a few times, and a burst is reported.
#[inline(never)]
fn guesses(
    store: &mut Store<'_>,
    flash: &mut SimulatedFlash,
    login: &mut Login<'_>,
    queue: &mut Queue<WAITING>,
    consents: &Consents,
) -> Option<()> {
    let (mut burst, mut reported) = (FailureBurst::new(0), 0);
    for second in 0..5 {
        let now = Millis::from_secs(second);
        let guess = Attempt::from_text(black_box("password")).ok()?;
        if check(store, flash, login, &guess, now)? {
            return None;
        }
        if let Some(finding) = burst.failed(now) {
            queue
                .record(consents, finding.event(), finding.values(), now)
                .ok()?;
            reported += 1;
        }
    }
    (reported == 1).then_some(())
}

#[inline(never)]
fn log_in(
    store: &mut Store<'_>,
    flash: &mut SimulatedFlash,
    login: &mut Login<'_>,
    label: &Label,
) -> Option<()> {
    let attempt = Attempt::from_label(black_box(label.as_str())).ok()?;
    check(store, flash, login, &attempt, Millis::from_secs(600))?.then_some(())
}

/// Whoever is logged in chooses another password, and that of the label lets nobody in any more.
#[inline(never)]
fn change_password(
    store: &mut Store<'_>,
    flash: &mut SimulatedFlash,
    login: &mut Login<'_>,
    pepper: &Pepper<'_>,
    label: &Label,
    rng: &mut FixedBytes,
) -> Option<()> {
    let password = UserPassword::new(black_box("nine tall herons wade"), Exposure::Online, &[]).ok()?;
    let verifier = Verifier::for_user(&password, Iterations::MCU, pepper, rng).ok()?;
    store.put(flash, VERIFIER, &verifier.to_bytes()).ok()?;
    let old = Attempt::from_label(black_box(label.as_str())).ok()?;
    let refused = !check(store, flash, login, &old, Millis::from_secs(700))?;
    refused.then_some(())
}

fn check(
    store: &mut Store<'_>,
    flash: &mut SimulatedFlash,
    login: &mut Login<'_>,
    attempt: &Attempt<'_>,
    now: Millis,
) -> Option<bool> {
    let mut verifier = [0; Verifier::LEN];
    let verifier = Verifier::from_bytes(store.get(flash, VERIFIER, &mut verifier).ok()?).ok()?;
    let kept = &mut Kept { store, flash };
    Some(login.attempt(kept, &verifier, attempt, now).is_ok())
}

/// The app sets the limit, within what the thermometer measures.
#[inline(never)]
fn set_limit(store: &mut Store<'_>, flash: &mut SimulatedFlash, settings: &[u8]) -> Option<()> {
    let object = json::parse(settings, &Limits::SMALL).ok()?.object().ok()?;
    object.only(&["limit"]).ok()?;
    let limit = Ranged::<-40, 85>::new(object.member("limit").ok()?.integer().ok()?).ok()?;
    store.put(flash, LIMIT, &limit.get().to_le_bytes()).ok()
}

/// Whether an alarm was recorded for this temperature.
#[inline(never)]
fn alarm(
    store: &mut Store<'_>,
    flash: &mut SimulatedFlash,
    queue: &mut Queue<WAITING>,
    consents: &Consents,
    temperature: i32,
) -> Option<bool> {
    let mut limit = [0; 8];
    let limit = store.get(flash, LIMIT, &mut limit).ok()?;
    if i64::from(black_box(temperature)) <= i64::from_le_bytes(limit.try_into().ok()?) {
        return Some(false);
    }
    let Some(consent) = consents.live::<Usage>() else {
        return Some(false);
    };
    let value = Personal::<i32, Usage>::new(temperature).reveal(&consent);
    let now = Millis::from_secs(700);
    Some(queue.record(consents, &TEMPERATURE_HIGH, &[value], now).is_ok())
}

/// Nobody is there at first: how long it waits outlives a power cut.
#[inline(never)]
fn meet(store: &mut Store<'_>, flash: &mut SimulatedFlash) -> Option<()> {
    let kept = &mut Kept { store, flash };
    let random = black_box(1 << 31);
    let mut retry = Retry::restore(RetryPolicy::DEFAULT, kept, Millis(0), random).ok()?;
    let now = retry.due();
    let attempt = retry.begin(kept, now, random).ok()?;
    retry
        .failed(kept, attempt, Failure::Unreachable, now, random)
        .ok()?;
    let now = retry.due();
    let attempt = retry.begin(kept, now, random).ok()?;
    let session = retry.connected(attempt, now);
    let lasting = Millis(now.0.saturating_add(300_000));
    retry.tend(kept, &session, lasting).ok()?.then_some(())
}

#[inline(never)]
fn seal(
    store: &mut Store<'_>,
    flash: &mut SimulatedFlash,
    queue: &mut Queue<WAITING>,
    consents: &Consents,
    rng: &mut FixedBytes,
) -> Option<usize> {
    let mut key = [0; 32];
    store.get(flash, BATCH_KEY, &mut key).ok()?;
    let key = Secret::from_bytes(key);
    let key = BatchKey::new(&key, &ChaCha20Poly1305, &HkdfSha256);
    let (mut scratch, mut out, mut left) = ([0; 256], [0; 256], 0);
    let sizes = Sizes::up_to(SizeClass::B256);
    // A batch for each purpose.
    while let Some(batch) = queue
        .batch(consents, &key, sizes, rng, &mut scratch, &mut out)
        .ok()?
    {
        left += batch.bytes().len();
        let receipt = batch.into_receipt();
        queue.ack(receipt).ok()?;
    }
    Some(left)
}

/// The button is held for ten seconds.
#[inline(never)]
fn forget(store: &mut Store<'_>, flash: &mut SimulatedFlash, rng: &mut FixedBytes) -> bool {
    if store.erase_user(flash, rng).is_err() {
        return false;
    }
    loop {
        match store.scrub_step(flash) {
            Ok(Scrub::Pending) => {}
            Ok(Scrub::Done) => return !store.contains(LIMIT) && store.contains(VERIFIER),
            Err(_) => return false,
        }
    }
}
