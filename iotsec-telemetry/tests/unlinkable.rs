//! A service that opens batches of several pseudonyms and tries to find out which of them are one device's.
//!
//! It has every number of every batch, and the time of every event. The fleet makes it as hard to hide as can be: all
//! batches of a device are sealed to one key, in the same minutes, over several boots. Under the names of the devices the
//! same attack must find everything, or it would prove nothing.

use std::collections::BTreeMap;

use iotsec_core::{
    crypto::{HkdfSha256, KeyAgreement, Sha256, X25519Key, hpke},
    hal::{Millis, UnixTime},
    secret::Secret,
};
use iotsec_telemetry::{
    batch::{MAX_LEN, ServiceKey, ServiceSecret, SizeClass, Sizes},
    consent::{CONSENT_RECORD_LEN, ConsentStorage, Consents, Health, Usage},
    error::StorageError,
    pseudonym::{Epoch, TRAIL_RECORD_LEN, TRAILS, TrailStorage, Trails},
    queue::Queue,
    registry,
    registry::{Class, EventDef, HashedRegistry, Purpose},
    stream::Stream,
};
use iotsec_testkit::SimRng;

const REFUSED: EventDef = EventDef::new(1, "refused", Class::Security, "Test", &[]);
const WORN: EventDef = EventDef::new(2, "worn", Class::Health, "Test", &[]);
const LIT: EventDef = EventDef::new(3, "lit", Class::Usage, "Test", &[]);
registry!(static PRODUCT = [REFUSED, WORN, LIT]);
const EVENTS: [&EventDef; 3] = [&REFUSED, &WORN, &LIT];

const DEVICES: usize = 40;
const BOOTS: u32 = 5;
const WEEK: u64 = 7 * 86_400;
const ID: [u8; 8] = *b"2026-key";

#[derive(Default)]
struct Ram([Option<[u8; TRAIL_RECORD_LEN]>; TRAILS]);

impl TrailStorage for Ram {
    fn load(&mut self, place: usize, record: &mut [u8; TRAIL_RECORD_LEN]) -> Result<bool, StorageError> {
        Ok(self.0[place].map(|stored| *record = stored).is_some())
    }
    fn store(&mut self, place: usize, record: &[u8; TRAIL_RECORD_LEN]) -> Result<(), StorageError> {
        self.0[place] = Some(*record);
        Ok(())
    }
    fn remove(&mut self, place: usize) -> Result<(), StorageError> {
        self.0[place] = None;
        Ok(())
    }
}

impl ConsentStorage for Ram {
    fn load(&mut self, _: &mut [u8; CONSENT_RECORD_LEN]) -> Result<bool, StorageError> {
        Ok(false)
    }
    fn store(&mut self, _: &[u8; CONSENT_RECORD_LEN]) -> Result<(), StorageError> {
        Ok(())
    }
}

/// What the service has read from one batch.
struct Opened {
    boot: u32,
    started: u64,
    /// Of its first and its last event.
    sequences: (u32, u32),
    uptimes: (u32, u32),
    /// Of losses: boot and seconds.
    losses: Vec<(u32, u32)>,
}

/// What is filed for a purpose in an epoch. The device is what the attack is to find out.
type Files = BTreeMap<(u8, u32, usize), Vec<Opened>>;

fn open(message: &[u8], private: &X25519Key, registry: &HashedRegistry) -> Opened {
    let mut plain = [0; MAX_LEN];
    let service = ServiceSecret::new(hpke::X25519_CHACHA20_POLY1305, private, ID);
    let batch = service.open(message, &mut plain).unwrap().read(registry).unwrap();
    let events: Vec<_> = batch.events().collect();
    let (first, last) = (events.first().unwrap(), events.last().unwrap());
    let times = Class::ALL.into_iter().filter_map(|class| batch.loss(class).times);
    Opened {
        boot: batch.boot(),
        started: batch.started().unwrap().0,
        sequences: (first.id().sequence, last.id().sequence),
        uptimes: (first.uptime_s(), last.uptime_s()),
        losses: times
            .flat_map(|(first, last)| [(first.boot, first.uptime_s), (last.boot, last.uptime_s)])
            .collect(),
    }
}

/// Two weeks of a fleet. The last boot of the first goes on in the second.
fn fleet(are_disguised: bool) -> Files {
    let registry = PRODUCT.hashed(&mut Sha256::new());
    let private = X25519Key::from_scalar(&Secret::from_bytes([7; 32]));
    let (mut files, mut rng) = (Files::new(), SimRng::new(1));
    for device in 0..DEVICES {
        let (mut trails, mut consents) = (Ram::default(), Consents::off());
        consents.grant::<Health>(1, None, &mut Ram::default()).unwrap();
        consents.grant::<Usage>(1, None, &mut Ram::default()).unwrap();
        let mut boot = 1 + u32::try_from(rng.below(5000)).unwrap();
        let mut start = 1_800_000_000 + rng.below(86_400);
        let mut queue = Queue::<24>::new(registry, boot, 1);
        let mut uptime = 0;
        for week in 0..2 {
            for turn in 0..BOOTS {
                if turn > 0 {
                    boot += 1;
                    start += 86_400 + rng.below(20_000);
                    (queue, uptime) = (Queue::new(registry, boot, 1), 0);
                }
                queue.set_clock(Millis(0), UnixTime(start));
                // More than there is room for, at times of their own.
                for _ in 0..30 {
                    uptime += 60 + rng.below(900);
                    let event = EVENTS[usize::try_from(rng.below(3)).unwrap()];
                    let _ = queue.record(&consents, event, &[], Millis::from_secs(uptime));
                }
                for purpose in Purpose::ALL {
                    let key = ServiceKey::new(hpke::X25519_CHACHA20_POLY1305, private.public_key(), ID);
                    let (mut scratch, mut out) = ([0; MAX_LEN], [0; MAX_LEN]);
                    let sizes = Sizes::fixed(SizeClass::B512);
                    let sealed = if are_disguised {
                        let mut trails = Trails::new(0, &HkdfSha256, &mut trails);
                        let stream = trails.stream(&consents, purpose, Epoch(week), &mut rng).unwrap();
                        queue.batch_for(&stream, &consents, &key, sizes, &mut rng, &mut scratch, &mut out)
                    } else {
                        let stream = Stream::named(purpose);
                        queue.batch_for(&stream, &consents, &key, sizes, &mut rng, &mut scratch, &mut out)
                    };
                    let Some(sealed) = sealed.unwrap() else { continue };
                    if sealed.events() > 0 {
                        let file = files.entry((purpose.number(), week, device)).or_default();
                        file.push(open(sealed.bytes(), &private, &registry));
                    }
                    queue.ack(sealed.into_receipt()).unwrap();
                }
            }
        }
    }
    files
}

/// What the attack looks at, each by itself.
const CLUES: [&str; 9] = [
    "the same boot",
    "one boot after the other",
    "the same start",
    "the same distance of start and boot",
    "sequence numbers that go on",
    "the same seconds of the first events",
    "a loss at the same moment",
    "the same time between starts",
    "the same growth of seconds",
];

/// How often each of them speaks for one device.
fn coincidences(one: &[Opened], other: &[Opened]) -> [u32; CLUES.len()] {
    let mut found = [0; CLUES.len()];
    let mut look = |clue: usize, is_same: bool| found[clue] += u32::from(is_same);
    let distance = |opened: &Opened| opened.started.wrapping_sub(u64::from(opened.boot));
    for (a, b) in one.iter().flat_map(|a| other.iter().map(move |b| (a, b))) {
        look(0, a.boot == b.boot);
        look(1, a.boot + 1 == b.boot);
        look(2, a.started == b.started);
        look(3, distance(a) == distance(b));
        look(4, a.boot == b.boot && a.sequences.1 + 1 == b.sequences.0);
        look(5, a.uptimes.0 == b.uptimes.0);
        look(6, a.losses.iter().any(|loss| b.losses.contains(loss)));
    }
    for (a, b) in one.windows(2).flat_map(|a| other.windows(2).map(move |b| (a, b))) {
        let between = |two: &[Opened]| two[1].started.wrapping_sub(two[0].started);
        look(7, between(a) != 0 && between(a) == between(b));
        let grown = |two: &[Opened]| two[1].uptimes.0.wrapping_sub(two[0].uptimes.0);
        look(8, grown(a) == grown(b));
    }
    found
}

/// Of how many devices a clue finds the file of another purpose or week, and no other file as well.
fn linked(files: &Files, from: (u8, u32), to: (u8, u32), clue: usize) -> usize {
    let of = |(purpose, week): (u8, u32)| {
        let files = files
            .iter()
            .filter(move |((p, w, _), _)| (*p, *w) == (purpose, week));
        files.map(|((.., device), file)| (*device, file))
    };
    let is_found = |(device, file): &(usize, &Vec<Opened>)| {
        let scores: Vec<_> = of(to)
            .map(|(other, candidate)| (coincidences(file, candidate)[clue], other))
            .collect();
        let (best, found) = *scores.iter().max_by_key(|(score, _)| *score).unwrap();
        best > 0 && found == *device && scores.iter().filter(|(score, _)| *score == best).count() == 1
    };
    of(from).filter(is_found).count()
}

#[test]
fn no_number_in_a_batch_ties_two_pseudonyms_of_one_device() {
    let (named, disguised) = (fleet(false), fleet(true));
    for (from, to) in [
        ((0, 0), (1, 0)),
        ((0, 0), (2, 0)),
        ((1, 1), (2, 1)),
        ((0, 0), (0, 1)),
        ((2, 0), (2, 1)),
    ] {
        let by = |files| -> Vec<usize> {
            let clues = 0..CLUES.len();
            clues.map(|clue| linked(files, from, to, clue)).collect()
        };
        let (open, hidden) = (by(&named), by(&disguised));
        println!(
            "purpose and week {from:?} to {to:?}, of {DEVICES}: named {open:?}, under pseudonyms {hidden:?}"
        );
        assert!(
            open.iter().any(|found| found * 5 >= DEVICES * 4),
            "the attack works: {open:?}"
        );
        // Chance finds one of forty.
        for (clue, hidden) in CLUES.iter().zip(hidden) {
            assert!(hidden <= DEVICES / 10, "{clue}, {from:?} to {to:?}: {hidden}");
        }
    }
}

#[test]
fn within_its_stream_a_batch_keeps_order_time_and_identity() {
    let files = fleet(true);
    for file in files.values() {
        for two in file.windows(2) {
            let same_boot = two[0].boot == two[1].boot;
            assert!(same_boot || two[0].boot < two[1].boot);
            assert!(!same_boot || two[0].sequences.1 < two[1].sequences.0);
            let time = |opened: &Opened| opened.started + u64::from(opened.uptimes.0);
            assert!(time(&two[0]) < time(&two[1]));
            assert!(time(&two[0]) > 1_800_000_000 && time(&two[1]) < 1_800_000_000 + 3 * WEEK);
        }
    }
}
