//! What happens to a store before its flash is read.

use iotsec::store::{KeyDomain, KeyId};
use iotsec_testkit::SimRng;

use super::device::{Change, Shape, Step};

const KEYS: u64 = 6;

fn device(number: u16) -> KeyId {
    KeyId::new(KeyDomain::Device, 1, number)
}

fn user(number: u16) -> KeyId {
    KeyId::new(KeyDomain::User, 0xFE, 0xFFF0 | number)
}

const fn count(domain: KeyDomain) -> KeyId {
    KeyId::new(domain, 0x80, 1)
}

fn put(key: KeyId, len: usize) -> Step {
    Step::Change(Change::Put(key, len))
}

fn remove(key: KeyId) -> Step {
    Step::Change(Change::Remove(key))
}

/// Lives with their names, for a store of any shape.
pub(super) fn lives(shape: Shape) -> Vec<(&'static str, Vec<Step>)> {
    let chunk = longest_chunk(shape);
    let mut churn = vec![put(device(1), 20), put(user(1), 0), put(user(2), 33)];
    for round in 0..u16::try_from(4 * shape.pages).unwrap_or(u16::MAX) {
        churn.push(put(device(2 + round % 3), chunk / 2));
        churn.push(put(user(3), 1 + usize::from(round)));
        churn.push(put(device(9), 9));
        churn.push(remove(device(9)));
        if round % 5 == 4 {
            churn.push(Step::Reboot);
        }
    }
    churn.push(remove(user(2)));

    let long = vec![
        put(device(1), 3 * chunk + 1),
        put(user(1), chunk + 1),
        put(device(2), 5),
        put(device(1), 2 * chunk),
        put(user(1), 7),
        Step::Reboot,
        put(device(2), chunk + 2),
    ];
    let counters = vec![
        Step::Increment(count(KeyDomain::Device)),
        Step::Increment(count(KeyDomain::User)),
        Step::Increment(count(KeyDomain::Device)),
        Step::Reboot,
        Step::Increment(count(KeyDomain::Device)),
        put(device(1), 12),
    ];
    let once = vec![
        Step::Change(Change::PutOnce(device(1), 10)),
        Step::Change(Change::PutOnce(user(1), chunk + 9)),
        put(device(1), 11),
        remove(user(1)),
    ];
    let committed = vec![
        put(device(1), 3),
        put(device(2), 3),
        transaction(chunk, true),
        put(device(4), 6),
    ];
    let commit_is_last = vec![put(device(1), 3), put(device(2), 3), transaction(chunk, true)];
    let open = vec![put(device(1), 3), put(device(2), 3), transaction(chunk, false)];
    let given_up = [open.clone(), vec![put(device(4), 6), transaction(chunk, true)]].concat();
    let erased = [
        churn.clone(),
        vec![
            Step::EraseUser,
            put(user(1), 5),
            Step::Increment(count(KeyDomain::User)),
        ],
    ]
    .concat();
    let scrubbing = [erased.clone(), vec![Step::Scrub]].concat();
    let scrubbed = [erased.clone(), vec![Step::Scrub; 2 * shape.pages]].concat();
    let lives = vec![
        ("fresh", Vec::new()),
        ("churn", churn),
        ("long values", long),
        ("counters", counters),
        ("values for good", once),
        ("transaction", committed),
        ("transaction committed last", commit_is_last),
        ("open transaction", open),
        ("transaction given up", given_up),
        ("erased", erased),
        ("being scrubbed", scrubbing),
        ("scrubbed", scrubbed),
    ];
    let in_form = |(name, steps)| (name, in_form(shape, steps));
    lives.into_iter().map(in_form).collect()
}

/// What becomes of steps in a store without a user domain: what they do there is done in the other one.
fn in_form(shape: Shape, steps: Vec<Step>) -> Vec<Step> {
    if !shape.device_only {
        return steps;
    }
    let key = |key: KeyId| KeyId::new(KeyDomain::Device, key.namespace(), key.number());
    let change = |change| match change {
        Change::Put(name, len) => Change::Put(key(name), len),
        Change::PutOnce(name, len) => Change::PutOnce(key(name), len),
        Change::Remove(name) => Change::Remove(key(name)),
    };
    let step = |step| match step {
        Step::Change(one) => Step::Change(change(one)),
        Step::Transaction(changes, commits) => {
            Step::Transaction(changes.into_iter().map(change).collect(), commits)
        }
        Step::Increment(name) => Step::Increment(key(name)),
        Step::EraseUser => Step::BeginScrub,
        step => step,
    };
    steps.into_iter().map(step).collect()
}

fn transaction(chunk: usize, commits: bool) -> Step {
    let changes = vec![
        Change::Put(device(1), 14),
        Change::Remove(device(2)),
        Change::Put(user(1), chunk + 3),
        Change::Put(device(3), 2),
        Change::Remove(device(3)),
    ];
    Step::Transaction(changes, commits)
}

/// Anything, `steps` times.
pub(super) fn random(shape: Shape, rng: &mut SimRng, steps: usize) -> Vec<Step> {
    let chunk = longest_chunk(shape);
    let steps = (0..steps)
        .map(|_| match rng.below(20) {
            0..8 => Step::Change(change(rng, chunk)),
            8..12 => {
                let changes = (0..=rng.below(5)).map(|_| change(rng, chunk)).collect();
                Step::Transaction(changes, rng.below(3) > 0)
            }
            12..16 => Step::Increment(count(domain(rng))),
            16 => Step::EraseUser,
            17 => Step::Scrub,
            _ => Step::Reboot,
        })
        .collect();
    in_form(shape, steps)
}

fn change(rng: &mut SimRng, chunk: usize) -> Change {
    let key = match domain(rng) {
        KeyDomain::User => user(number(rng)),
        _ => device(number(rng)),
    };
    match rng.below(12) {
        0..7 => Change::Put(key, below(rng, 40)),
        7..9 => Change::Put(key, below(rng, 3 * chunk)),
        9..11 => Change::Remove(key),
        _ => Change::PutOnce(key, below(rng, 20)),
    }
}

fn domain(rng: &mut SimRng) -> KeyDomain {
    if rng.below(2) == 0 {
        KeyDomain::Device
    } else {
        KeyDomain::User
    }
}

fn number(rng: &mut SimRng) -> u16 {
    u16::try_from(rng.below(KEYS)).unwrap_or(0)
}

pub(super) fn below(rng: &mut SimRng, bound: usize) -> usize {
    let bound = u64::try_from(bound.max(1)).unwrap_or(u64::MAX);
    usize::try_from(rng.below(bound)).unwrap_or(0)
}

/// What one record holds.
fn longest_chunk(shape: Shape) -> usize {
    let usize_of = |number: u32| usize::try_from(number).unwrap_or(0);
    let (page, word) = (usize_of(shape.page), usize_of(shape.word));
    let usable = page - 64_usize.next_multiple_of(word);
    usable / 2 / word * word - 24
}
