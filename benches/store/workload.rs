//! One workload for every store, on a flash that counts.

use std::{cell::RefCell, error::Error, rc::Rc};

use iotsec_testkit::{Geometry, SimFlash, SimRng, Stats};

use super::figures::{Figures, Outcome, Spent};

pub(crate) type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Keys that exist throughout, numbered from 0.
pub(crate) const KEYS: u16 = 50;
/// A key is counted as four bytes.
pub(crate) const KEY_LEN: usize = 4;
const MIN_VALUE_LEN: usize = 32;
pub(crate) const MAX_VALUE_LEN: usize = 256;
pub(crate) const PAGE: usize = 4096;
/// Updates before the measured ones, and as many that are measured.
pub(crate) const UPDATES: usize = 1000;
const GETS: usize = 500;
/// The first one counts. Which values come first decides whether some stores are full on a small flash; one that
/// is, shows what it does with the first of the others that it holds.
pub(crate) const SEEDS: [u64; 4] = [42, 1, 2, 3];

const NO_TRANSACTIONS: &str = "no transactions";

/// A flash that the workload and the store both hold: a store may want to own its driver.
pub(crate) type Chip = Rc<RefCell<SimFlash>>;

/// What a store has to do.
pub(crate) trait KeyValue {
    /// Stores `value` under `key`, durably.
    fn put(&mut self, key: u16, value: &[u8]) -> Result<()>;

    /// Stores the next number of the counter under `key`, durably. A get returns it as eight bytes, little endian.
    fn count(&mut self, key: u16, number: u64) -> Result<()> {
        self.put(key, &number.to_le_bytes())
    }

    /// Stores all entries or none, durably.
    fn put_all(&mut self, _entries: &[(u16, Vec<u8>)]) -> Result<()> {
        Err(NO_TRANSACTIONS.into())
    }

    /// The value under `key`.
    fn get(&mut self, key: u16) -> Result<Vec<u8>>;

    /// Forgets everything that is in RAM, and opens what is in flash.
    fn reopen(&mut self) -> Result<()>;

    /// Bytes of RAM that the store needs for this workload between two calls and during one, without stack.
    fn ram(&self) -> usize;

    /// Pages at the beginning of the flash that updates never write to, left out of the wear.
    fn fixed_pages(&self) -> usize {
        0
    }
}

/// A store that takes part.
pub(crate) struct Contender {
    pub(crate) name: &'static str,
    /// Whether it has [`KeyValue::put_all`].
    pub(crate) transactions: bool,
    /// An empty store on an erased flash.
    pub(crate) create: fn(&Chip, &Case) -> Result<Box<dyn KeyValue>>,
}

/// One flash and one kind of value.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) pages: usize,
    pub(crate) word: usize,
    pub(crate) kind: Kind,
    /// Puts in a transaction; 1 is a put without one.
    pub(crate) batch: usize,
}

/// What is put.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Random bytes, from [`MIN_VALUE_LEN`] to [`MAX_VALUE_LEN`].
    Records,
    /// Numbers of eight bytes, each one more than the last under its key.
    Counters,
}

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "16 KiB",
        pages: 4,
        word: 4,
        kind: Kind::Records,
        batch: 1,
    },
    Case {
        name: "32 KiB",
        pages: 8,
        word: 4,
        kind: Kind::Records,
        batch: 1,
    },
    Case {
        name: "64 KiB",
        pages: 16,
        word: 4,
        kind: Kind::Records,
        batch: 1,
    },
    Case {
        name: "32 KiB, words of 32 bytes",
        pages: 8,
        word: 32,
        kind: Kind::Records,
        batch: 1,
    },
    Case {
        name: "64 KiB, counters of 8 bytes",
        pages: 16,
        word: 4,
        kind: Kind::Counters,
        batch: 1,
    },
    Case {
        name: "32 KiB, 10 puts in a transaction",
        pages: 8,
        word: 4,
        kind: Kind::Records,
        batch: 10,
    },
    Case {
        name: "64 KiB, 10 puts in a transaction",
        pages: 16,
        word: 4,
        kind: Kind::Records,
        batch: 10,
    },
];

/// What a contender took, or why it could not.
///
/// # Panics
/// When it returns another value than was put, or does what a flash forbids.
pub(crate) fn measure(contender: &Contender, case: &Case) -> Outcome {
    if case.batch > 1 && !contender.transactions {
        return Err(NO_TRANSACTIONS.to_owned());
    }
    let first = attempt(contender, case, SEEDS[0]);
    if first.is_ok() {
        return first;
    }
    let others = SEEDS.iter().skip(1);
    let held = others
        .map(|seed| attempt(contender, case, *seed))
        .find(std::result::Result::is_ok);
    held.unwrap_or(first)
}

fn attempt(contender: &Contender, case: &Case, seed: u64) -> Outcome {
    let sectors = vec![u32::try_from(PAGE).unwrap_or(u32::MAX); case.pages];
    let geometry = Geometry::new(&sectors, u32::try_from(case.word).unwrap_or(u32::MAX));
    let chip = Rc::new(RefCell::new(SimFlash::new(geometry)));
    let outcome = run(contender, case, &chip, seed);
    assert_eq!(
        chip.borrow().violation(),
        None,
        "{} misuses the flash",
        contender.name
    );
    outcome.map_err(|error| error.to_string())
}

fn run(contender: &Contender, case: &Case, chip: &Chip, seed: u64) -> Result<Figures> {
    let mut trial = Trial {
        store: (contender.create)(chip, case)?,
        case,
        chip,
        seed,
        dice: SimRng::new(seed),
        values: vec![Vec::new(); usize::from(KEYS)],
        puts: 0,
        most_erases: 0,
    };
    let figures = trial.run();
    figures.map_err(|error| match trial.puts {
        0 => error,
        puts => format!("{error}, after {puts} puts").into(),
    })
}

/// A store under way, and what it must contain.
struct Trial<'a> {
    store: Box<dyn KeyValue>,
    case: &'a Case,
    chip: &'a Chip,
    seed: u64,
    dice: SimRng,
    values: Vec<Vec<u8>>,
    puts: usize,
    most_erases: u64,
}

impl Trial<'_> {
    fn run(&mut self) -> Result<Figures> {
        for key in 0..KEYS {
            let entry = self.entry(key);
            self.put(&[entry])?;
        }
        for _ in 0..UPDATES / self.case.batch {
            self.update()?;
        }
        self.most_erases = 0;
        let (before, wear) = (self.stats(), self.chip.borrow().wear().to_vec());
        let mut payload = 0;
        for _ in 0..UPDATES / self.case.batch {
            payload += self.update()?;
        }
        let updates = self.stats() - before;
        let worn = self
            .chip
            .borrow()
            .wear()
            .iter()
            .zip(wear)
            .map(|(now, then)| now - then)
            .collect::<Vec<_>>();
        let worn = worn.get(self.store.fixed_pages()..).unwrap_or_default();

        let mut beyond_payload = Vec::with_capacity(GETS);
        for _ in 0..GETS {
            let key = self.key();
            beyond_payload.push(self.get(key)?.beyond_payload);
        }
        let before = self.stats();
        self.store.reopen()?;
        let open = self.stats() - before;
        let key = self.key();
        let first = self.get(key)?;
        for key in 0..KEYS {
            self.get(key)?;
        }
        Ok(Figures {
            other_seed: (self.seed != SEEDS[0]).then_some(self.seed),
            payload: count(payload),
            puts: count(UPDATES),
            updates,
            most_erases: self.most_erases,
            beyond_payload,
            open: open.bytes_read,
            first_get: first.bytes_read,
            wear: (
                worn.iter().min().copied().unwrap_or(0),
                worn.iter().max().copied().unwrap_or(0),
            ),
            ram: self.store.ram(),
        })
    }

    fn stats(&self) -> Stats {
        self.chip.borrow().stats()
    }

    fn key(&mut self) -> u16 {
        key(&mut self.dice)
    }

    /// What was counted to under `key`.
    fn counter(&self, key: u16) -> u64 {
        let bytes = self.values[usize::from(key)].first_chunk();
        bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes))
    }

    fn entry(&mut self, key: u16) -> (u16, Vec<u8>) {
        let value = match self.case.kind {
            Kind::Records => value(&mut self.dice),
            Kind::Counters => (self.counter(key) + 1).to_le_bytes().to_vec(),
        };
        (key, value)
    }

    /// Puts values under as many different keys as the case has in a batch; returns the bytes of keys and values.
    fn update(&mut self) -> Result<usize> {
        let mut entries: Vec<(u16, Vec<u8>)> = Vec::new();
        while entries.len() < self.case.batch {
            let key = self.key();
            if entries.iter().all(|(other, _)| *other != key) {
                let entry = self.entry(key);
                entries.push(entry);
            }
        }
        self.put(&entries)?;
        Ok(entries.iter().map(|(_, value)| KEY_LEN + value.len()).sum())
    }

    fn put(&mut self, entries: &[(u16, Vec<u8>)]) -> Result<()> {
        let before = self.stats();
        match entries {
            [(key, _)] if self.case.kind == Kind::Counters => {
                self.store.count(*key, self.counter(*key) + 1)?;
            }
            [(key, value)] => self.store.put(*key, value)?,
            _ => self.store.put_all(entries)?,
        }
        let spent = self.stats() - before;
        self.most_erases = self.most_erases.max(spent.sectors_erased);
        self.puts += entries.len();
        for (key, value) in entries {
            self.values[usize::from(*key)].clone_from(value);
        }
        Ok(())
    }

    /// Reads a value, and fails when it is not the one that was put last.
    fn get(&mut self, key: u16) -> Result<Spent> {
        let before = self.stats();
        let value = self.store.get(key)?;
        let bytes_read = (self.stats() - before).bytes_read;
        assert!(
            value == self.values[usize::from(key)],
            "key {key} has not the value that was put"
        );
        Ok(Spent {
            bytes_read,
            beyond_payload: bytes_read.saturating_sub(count(KEY_LEN + value.len())),
        })
    }
}

/// A key drawn at random.
pub(crate) fn key(dice: &mut SimRng) -> u16 {
    u16::try_from(dice.below(u64::from(KEYS))).unwrap_or(0)
}

/// Random bytes, [`MIN_VALUE_LEN`] to [`MAX_VALUE_LEN`] of them.
pub(crate) fn value(dice: &mut SimRng) -> Vec<u8> {
    let range = count(MAX_VALUE_LEN - MIN_VALUE_LEN + 1);
    let len = MIN_VALUE_LEN + usize::try_from(dice.below(range)).unwrap_or(0);
    let bytes = (0..len).map(|_| u8::try_from(dice.below(256)).unwrap_or(0));
    bytes.collect()
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
