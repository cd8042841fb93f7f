//! Random operations against a map, with the power cut at random steps.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

use iotsec_store::{KeyDomain, KeyId, Store, StoreError};
use iotsec_testkit::{Geometry, SimFlash, SimRng, Tear};

use crate::device::{self, CIPHERS, Device, value};

/// What a key holds: a value, or a counter's number as text.
type Held = Option<Vec<u8>>;

/// What all keys hold. A state of the whole store, since an operation changes several keys at once.
type State = BTreeMap<KeyId, Vec<u8>>;

/// What the store may hold. Where the power was cut is one state or another, and which of them may differ from mount
/// to mount, until the next write settles it.
struct Model {
    /// A line for each state at the last mount: what became of it, and if the power was cut also what would have.
    lines: Vec<Vec<State>>,
    /// Whether something was written since the last mount.
    written: bool,
}

impl Model {
    fn apply(state: &State, changes: &[(u64, Held)]) -> State {
        let mut state = state.clone();
        for (number, new) in changes {
            match new {
                Some(new) => state.insert(key(*number), new.clone()),
                None => state.remove(&key(*number)),
            };
        }
        state
    }

    /// These changes were acknowledged.
    fn change(&mut self, changes: &[(u64, Held)]) {
        self.written |= !changes.is_empty();
        for state in self.lines.iter_mut().flatten() {
            *state = Self::apply(state, changes);
        }
    }

    /// These changes were under way when the power went.
    fn cut(&mut self, changes: &[(u64, Held)]) {
        for line in &mut self.lines {
            let after: Vec<_> = line.iter().map(|state| Self::apply(state, changes)).collect();
            line.extend(after);
        }
    }

    /// This is what the store holds after a mount, for certain or as it reads just now.
    fn found(&mut self, found: State, certain: bool) {
        let states = || self.lines.iter().flatten();
        assert!(
            states().any(|state| *state == found),
            "{found:?} is none of {} states: {:?}",
            states().count(),
            self.lines
        );
        if certain {
            self.lines = vec![vec![found]];
        } else {
            if self.written {
                self.lines.retain(|line| line.contains(&found));
            }
            let mut states: Vec<_> = self.lines.drain(..).flatten().collect();
            states.sort();
            states.dedup();
            self.lines = states.into_iter().map(|state| vec![state]).collect();
        }
        self.written = false;
    }
}

/// In both domains, or from [`DEVICE_ONLY`] on in one.
fn key(number: u64) -> KeyId {
    let domain = if number < DEVICE_ONLY && number % 2 == 1 {
        KeyDomain::User
    } else {
        KeyDomain::Device
    };
    KeyId::new(domain, 5, u16::try_from(number).unwrap())
}

/// More than the index of the fixture has entries.
const KEYS: u64 = 18;
/// The first of them are counters.
const COUNTERS: u64 = 3;
/// Numbers of the keys of a store without a user domain.
const DEVICE_ONLY: u64 = 100;

/// The number of its first key.
fn first(device_only: bool) -> u64 {
    if device_only { DEVICE_ONLY } else { 0 }
}

fn read(store: &mut Store<'_>, flash: &mut SimFlash, number: u64) -> Held {
    if number % DEVICE_ONLY < COUNTERS {
        let count = store.count(flash, key(number)).unwrap();
        return (count > 0).then(|| count.to_string().into_bytes());
    }
    device::read(store, flash, key(number))
}

fn check(device: &mut Device, model: &mut Model, tear: Tear) {
    let first = first(device.device_only);
    let found: State = device.with_store(|store, flash, _| {
        let found: BTreeMap<_, _> = (first..first + KEYS)
            .filter_map(|number| Some((key(number), read(store, flash, number)?)))
            .collect();
        assert_eq!(store.keys().count(), found.len());
        found
    });
    // A torn word that reads differently each time is settled by the first write only.
    model.found(found, tear != Tear::Unstable);
}

/// What an operation does to the store and to a state of it.
enum Step {
    Erase,
    /// What a store without a user domain has instead, and what it refuses.
    BeginScrub,
    Scrub,
    Remove(u64),
    Put(u64, Vec<u8>),
    Count(u64),
    /// Puts and removals, and whether they are committed.
    Change(Vec<(u64, Held)>, bool),
}

impl Step {
    fn random(rng: &mut SimRng, first: u64, most: u64, tag: u32) -> Self {
        let number = first + COUNTERS + rng.below(KEYS - COUNTERS);
        let random_value = |rng: &mut SimRng| {
            let len = usize::try_from(rng.below(most.min(200) + 1)).unwrap();
            value(tag, len)
        };
        match rng.below(48) {
            0 if first == DEVICE_ONLY => Self::BeginScrub,
            0 => Self::Erase,
            1..=3 => Self::Scrub,
            4..=12 => Self::Remove(number),
            13..=20 => Self::Count(first + rng.below(COUNTERS)),
            21..=26 => {
                let changes = (0..=rng.below(4)).map(|_| {
                    let number = first + COUNTERS + rng.below(KEYS - COUNTERS);
                    let new = (rng.below(3) > 0).then(|| random_value(rng));
                    (number, new)
                });
                let changes = changes.collect();
                Self::Change(changes, rng.below(4) > 0)
            }
            _ => Self::Put(number, random_value(rng)),
        }
    }

    /// Does it, and says what it was to do with a state of the store.
    fn run(
        &self,
        store: &mut Store<'_>,
        flash: &mut SimFlash,
        rng: &mut SimRng,
    ) -> (Result<(), StoreError>, Vec<(u64, Held)>) {
        match self {
            Self::Erase => {
                let gone = (0..KEYS).filter(|number| key(*number).domain() == KeyDomain::User);
                (
                    store.erase_user(flash, rng),
                    gone.map(|number| (number, None)).collect(),
                )
            }
            Self::BeginScrub => {
                let user = KeyId::new(KeyDomain::User, 5, 1);
                for refused in [
                    store.erase_user(flash, rng),
                    store.put(flash, user, b"of an owner"),
                    store.remove(flash, user),
                ] {
                    assert_eq!(refused, Err(StoreError::NoUserDomain));
                }
                store.begin_scrub();
                (Ok(()), Vec::new())
            }
            Self::Scrub => (store.scrub_step(flash).map(|_| ()), Vec::new()),
            Self::Remove(number) => (store.remove(flash, key(*number)), vec![(*number, None)]),
            Self::Put(number, new) => {
                let put = store.put(flash, key(*number), new);
                (put, vec![(*number, Some(new.clone()))])
            }
            Self::Count(number) => {
                let now = store.count(flash, key(*number)).unwrap_or(0);
                let counted = store.increment(flash, key(*number)).map(|_| ());
                (counted, vec![(*number, Some((now + 1).to_string().into_bytes()))])
            }
            Self::Change(changes, commit) => {
                let mut transaction = store.transaction();
                let mut done = Vec::new();
                for (number, new) in changes {
                    let changed = match new {
                        Some(new) => transaction.put(flash, key(*number), new),
                        None => transaction.remove(flash, key(*number)),
                    };
                    match changed {
                        Ok(()) => done.push((*number, new.clone())),
                        Err(StoreError::NotFound | StoreError::Full | StoreError::IndexFull) => {}
                        Err(error) => return (Err(error), Vec::new()),
                    }
                }
                if *commit {
                    (transaction.commit(flash), done)
                } else {
                    drop(transaction);
                    (Ok(()), Vec::new())
                }
            }
        }
    }
}

/// Boots, does a few things, loses power at a random step or not. Returns the operations done.
fn session(device: &mut Device, model: &mut Model, rng: &mut SimRng, tag: &mut u32) -> u64 {
    let cut = if rng.below(2) == 0 {
        u64::MAX
    } else {
        rng.below(700)
    };
    let wanted = rng.below(20);
    let mut done = 0;
    let first = first(device.device_only);
    device.flash.cut_after(cut);
    let ended = device.try_with_store(|store, flash, random| {
        for _ in 0..wanted {
            *tag += 1;
            let most = u64::try_from(store.max_value_len()).unwrap();
            let step = Step::random(rng, first, most, *tag);
            let (result, changes) = step.run(store, flash, random);
            done += 1;
            match result {
                Ok(()) => model.change(&changes),
                Err(StoreError::NotFound | StoreError::Full | StoreError::IndexFull) => {}
                Err(_) => {
                    assert!(flash.is_off(), "an operation failed with the power on");
                    model.cut(&changes);
                    return;
                }
            }
        }
    });
    assert!(ended.is_ok() || device.flash.is_off(), "{ended:?}");
    device.flash.power_on();
    done
}

fn play(geometry: &Geometry, tear: Tear, device_only: bool, seed: u64, sessions: u32) -> u64 {
    let cipher = CIPHERS[usize::try_from(seed % 2).unwrap()];
    let mut device = Device::blank(geometry.clone(), tear).sealed_with(cipher);
    device.device_only = device_only;
    device.flash = device.flash.with_seed(seed);
    device.format().unwrap();
    let mut model = Model {
        lines: vec![vec![State::new()]],
        written: false,
    };
    let (mut rng, mut tag, mut done) = (SimRng::new(seed), 0, 0);
    for _ in 0..sessions {
        done += session(&mut device, &mut model, &mut rng, &mut tag);
        check(&mut device, &mut model, tear);
        assert_eq!(device.flash.violation(), None);
    }
    done
}

fn geometry(rng: &mut SimRng, device_only: bool) -> Geometry {
    match rng.below(8) {
        0 => Geometry::small(9),
        1 => Geometry::small(if device_only { 3 } else { 4 }),
        2 => Geometry::erased_zero(12),
        3 => Geometry::stm32l4(6),
        4 => Geometry::rp2040(6),
        5 => Geometry::new(&[1024; 8], 32),
        6 => Geometry::new(&[512; 6], 8),
        _ => {
            let pages = 4 + usize::try_from(rng.below(9)).unwrap();
            Geometry::new(&vec![256 << rng.below(3); pages], 4 << rng.below(2))
        }
    }
}

/// Plays `seed`: a geometry, with or without a user domain, a way to tear, and sessions.
fn run(seed: u64) -> u64 {
    let mut rng = SimRng::new(seed ^ 0x5EED);
    let device_only = seed % 4 > 1 && seed.is_multiple_of(3);
    let geometry = geometry(&mut rng, device_only);
    let tear =
        [Tear::Torn, Tear::Clean, Tear::EccPoison, Tear::Unstable][usize::try_from(rng.below(4)).unwrap()];
    match std::panic::catch_unwind(|| play(&geometry, tear, device_only, seed, 30)) {
        Ok(done) => done,
        Err(_) => panic!("seed {seed}: {geometry:?}, {tear:?}, no user domain: {device_only}"),
    }
}

/// `IOTSEC_SOAK` says how many operations at least, `IOTSEC_SEED` with which seed to begin.
#[test]
fn random_operations_with_random_cuts_agree_with_a_map() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let wanted = number("IOTSEC_SOAK").unwrap_or(20_000);
    let (total, next) = (
        AtomicU64::new(0),
        AtomicU64::new(number("IOTSEC_SEED").unwrap_or(0)),
    );
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while total.load(Ordering::Relaxed) < wanted {
                    let done = run(next.fetch_add(1, Ordering::Relaxed));
                    total.fetch_add(done, Ordering::Relaxed);
                }
            });
        }
    });
    let (total, seeds) = (total.into_inner(), next.into_inner());
    println!("model: {total} operations, up to seed {seeds}");
    assert!(total >= wanted);
}
