//! The application of a device of class 1 (RFC 7228: 100 KiB of code, 10 KiB of data).
//!
//! Unlike the other parts it counts what it keeps for as long as there is power: store, queue, count of guesses and
//! buffers lie in one frame, and everything that happens lies above it.

use core::hint::black_box;

use harness::{device::STORE, entropy::FixedBytes, flash::SimulatedFlash, vector};
use iotsec_core::{
    credential::{
        Attempt, DevicePassword, Exposure, Label, Login, Pepper, StorageError, Throttle, ThrottlePolicy,
        ThrottleStorage, Verifier,
    },
    crypto::{ChaCha20HmacSiv, ChaCha20Poly1305, Ed25519SmallPublicKey, HkdfSha256, Sha256},
    hal::{DeviceRootKey, Millis},
    secret::Secret,
};
use iotsec_store::{IndexEntry, KeyDomain, KeyId, ReplayProtection, Scrub, Store, StoreError, Suite};
use iotsec_telemetry::{
    batch::{BatchKey, SizeClass, Sizes},
    consent::Consents,
    detect::{AUTH_BURST, FailureBurst},
    queue::Queue,
    registry,
};

use crate::{input, retry, surface, update};

registry!(static EVENTS = [AUTH_BURST]);

const VERIFIER: KeyId = KeyId::new(KeyDomain::Device, 1, 1);
const THROTTLE: KeyId = KeyId::new(KeyDomain::Device, 1, 2);
const WIFI: KeyId = KeyId::new(KeyDomain::User, 1, 1);
/// Keys that the index has room for: those above and some of the maker's.
const KEYS: usize = 16;
/// Bytes of the longest record.
const RECORD: usize = 256;
/// Events that wait.
const WAITING: usize = 8;

/// What is done about an update.
pub const NOTHING: u8 = 0;
/// Its envelope is authenticated and admitted.
pub const ADMIT: u8 = 1;
/// It is installed too.
pub const INSTALL: u8 = 2;

/// Plays the factory. Returns what the label says.
pub fn prepare<const UPDATE: u8>(flash: &mut SimulatedFlash, root: &DeviceRootKey<'_>) -> Option<Label> {
    let mut rng = FixedBytes::new(6);
    let (mut index, mut record) = ([IndexEntry::EMPTY; KEYS], [0; RECORD]);
    let (suite, replay) = (suite(root), ReplayProtection::None);
    let mut store = Store::format(flash, STORE, suite, &mut index, &mut record, replay, &mut rng).ok()?;
    let pepper = Pepper::derive(root, &HkdfSha256).ok()?;
    let password = DevicePassword::generate(Exposure::Online, &mut rng).ok()?;
    let verifier = Verifier::for_device(&password, &pepper, &mut rng).ok()?;
    store.put(flash, VERIFIER, &verifier.to_bytes()).ok()?;
    Throttle::initialise(&mut Guesses {
        store: &mut store,
        flash,
    })
    .ok()?;
    if UPDATE == INSTALL {
        update::prepare(flash);
    }
    Some(password.label())
}

/// A boot, and what may happen in it: guesses too many, the right password, a key kept, an alarm sealed, settings read,
/// the network looked for, an update, the owner gone.
#[inline(never)]
pub fn run<const UPDATE: u8>(flash: &mut SimulatedFlash, root: &DeviceRootKey<'_>, label: &Label) -> bool {
    live::<UPDATE>(flash, root, label) == Some(true)
}

fn live<const UPDATE: u8>(
    flash: &mut SimulatedFlash,
    root: &DeviceRootKey<'_>,
    label: &Label,
) -> Option<bool> {
    let (mut index, mut record) = ([IndexEntry::EMPTY; KEYS], [0; RECORD]);
    let mut rng = FixedBytes::new(7);
    let (suite, replay) = (suite(root), ReplayProtection::None);
    let mut store = Store::mount(flash, STORE, suite, &mut index, &mut record, replay, &mut rng).ok()?;
    let pepper = Pepper::derive(root, &HkdfSha256).ok()?;
    let mut login = Login::new(Throttle::new(ThrottlePolicy::DEFAULT), &pepper);
    let consents = Consents::off();
    let mut queue = Queue::<WAITING>::new(EVENTS.hashed(&mut Sha256::new()), 7, 2);
    let mut burst = FailureBurst::new(0);

    let mut alarms = 0;
    for second in 0..5 {
        let now = black_box(Millis::from_secs(second));
        if let Some(finding) = burst.failed(now) {
            queue
                .record(&consents, finding.event(), finding.values(), now)
                .ok()?;
            alarms += 1;
        }
    }
    let done = alarms == 1
        && let_in(&mut store, flash, &mut login, label)?
        && keep(&mut store, flash)
        && seal(&mut queue, &consents)
        && input::run()
        && surface::run()
        && retry::run()
        && updated::<UPDATE>(flash)
        && forget(&mut store, flash, &mut rng);
    Some(done)
}

/// The envelope lies in RAM, as it came over the network.
fn updated<const UPDATE: u8>(flash: &mut SimulatedFlash) -> bool {
    if UPDATE == NOTHING {
        return true;
    }
    let key = update::key(Ed25519SmallPublicKey::from_bytes, &vector::KEY_ED25519);
    let envelope = black_box(vector::ENVELOPE_ED25519);
    if UPDATE == ADMIT {
        return update::verify(&key, &envelope);
    }
    let running = update::identify(&key, flash);
    running.is_some_and(|running| update::install_from(&key, flash, running, (&envelope, &vector::IMAGE)))
}

#[inline(never)]
fn let_in(
    store: &mut Store<'_>,
    flash: &mut SimulatedFlash,
    login: &mut Login<'_>,
    label: &Label,
) -> Option<bool> {
    let mut verifier = [0; Verifier::LEN];
    let verifier = Verifier::from_bytes(store.get(flash, VERIFIER, &mut verifier).ok()?).ok()?;
    let attempt = Attempt::from_label(black_box(label.as_str())).ok()?;
    let guesses = &mut Guesses { store, flash };
    let now = Millis::from_secs(30);
    Some(login.attempt(guesses, &verifier, &attempt, now).is_ok())
}

#[inline(never)]
fn keep(store: &mut Store<'_>, flash: &mut SimulatedFlash) -> bool {
    let mut value = [0; 32];
    store.put(flash, WIFI, black_box(&[7; 32])).is_ok()
        && store
            .get(flash, WIFI, &mut value)
            .is_ok_and(|value| value == [7; 32])
}

#[inline(never)]
fn seal(queue: &mut Queue<WAITING>, consents: &Consents) -> bool {
    let key = Secret::from_bytes(black_box([9; 32]));
    let key = BatchKey::new(&key, &ChaCha20Poly1305, &HkdfSha256);
    let (mut scratch, mut out) = ([0; 256], [0; 256]);
    let (sizes, rng) = (Sizes::up_to(SizeClass::B256), &mut FixedBytes::new(4));
    let sealed = queue.batch(consents, &key, sizes, rng, &mut scratch, &mut out);
    matches!(black_box(&sealed), Ok(Some(_)))
}

#[inline(never)]
fn forget(store: &mut Store<'_>, flash: &mut SimulatedFlash, rng: &mut FixedBytes) -> bool {
    if store.erase_user(flash, rng).is_err() {
        return false;
    }
    loop {
        match store.scrub_step(flash) {
            Ok(Scrub::Pending) => {}
            Ok(Scrub::Done) => return !store.contains(WIFI) && store.contains(VERIFIER),
            Err(_) => return false,
        }
    }
}

fn suite<'a>(root: &'a DeviceRootKey<'_>) -> Suite<'a> {
    Suite {
        aead: &ChaCha20HmacSiv,
        kdf: &HkdfSha256,
        root,
    }
}

/// The count of guesses, in the store.
struct Guesses<'g, 's> {
    store: &'g mut Store<'s>,
    flash: &'g mut SimulatedFlash,
}

impl ThrottleStorage for Guesses<'_, '_> {
    fn load(&mut self, record: &mut [u8; Throttle::LEN]) -> Result<Option<usize>, StorageError> {
        match self.store.get(self.flash, THROTTLE, record) {
            Ok(read) => Ok(Some(read.len())),
            Err(StoreError::NotFound) => Ok(None),
            Err(error) => Err(StorageError::of(&error)),
        }
    }

    fn save(&mut self, record: &[u8; Throttle::LEN]) -> Result<(), StorageError> {
        let saved = self.store.put(self.flash, THROTTLE, record);
        saved.map_err(|error| StorageError::of(&error))
    }
}
