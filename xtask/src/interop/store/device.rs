//! A device with a store whose flash others may read.

use std::collections::{BTreeMap, BTreeSet};

use iotsec::{
    core::{
        crypto::{Aead, Aes256GcmSiv, ChaCha20HmacSiv, HkdfSha256},
        hal::DeviceRootKey,
        secret::Secret,
    },
    store::{
        DeviceOnly, IndexEntry, KeyDomain, KeyId, ReplayLevel, ReplayProtection, Store, StoreError,
        StoreRegion, Suite,
    },
};
use iotsec_testkit::{Geometry, SimCounter, SimFlash, SimRng, StepUnit, Tear};
use serde_json::{Value, json};

const KEYS: usize = 256;

/// By the number that `FORMAT.md` gives them.
#[derive(Clone, Copy)]
pub(super) enum Cipher {
    Aes256GcmSiv,
    ChaCha20HmacSiv,
}

impl Cipher {
    pub(super) const ALL: [Self; 2] = [Self::Aes256GcmSiv, Self::ChaCha20HmacSiv];

    pub(super) const fn number(self) -> u8 {
        match self {
            Self::Aes256GcmSiv => 0,
            Self::ChaCha20HmacSiv => 1,
        }
    }

    pub(super) const fn other(self) -> Self {
        match self {
            Self::Aes256GcmSiv => Self::ChaCha20HmacSiv,
            Self::ChaCha20HmacSiv => Self::Aes256GcmSiv,
        }
    }

    fn aead(self) -> &'static dyn Aead {
        match self {
            Self::Aes256GcmSiv => &Aes256GcmSiv,
            Self::ChaCha20HmacSiv => &ChaCha20HmacSiv,
        }
    }
}

#[derive(Clone, Copy)]
pub(super) struct Shape {
    pub(super) page: u32,
    pub(super) pages: usize,
    pub(super) word: u32,
    pub(super) erased: u8,
    /// Without a user domain.
    pub(super) device_only: bool,
}

impl Shape {
    pub(super) fn geometry(self) -> Geometry {
        Geometry::new(&vec![self.page; self.pages], self.word).with_erased(self.erased)
    }

    fn region(self, flash: &SimFlash) -> Result<StoreRegion, StoreError> {
        let region = flash.region()?;
        Ok(if self.device_only {
            DeviceOnly(region).into()
        } else {
            region.into()
        })
    }
}

/// What is done with a store.
#[derive(Clone)]
pub(super) enum Step {
    Change(Change),
    /// Changes that count together if it is true, and are given up else.
    Transaction(Vec<Change>, bool),
    Increment(KeyId),
    EraseUser,
    BeginScrub,
    Scrub,
    Reboot,
}

/// What can be part of a transaction.
#[derive(Clone)]
pub(super) enum Change {
    /// Stores so many bytes.
    Put(KeyId, usize),
    PutOnce(KeyId, usize),
    Remove(KeyId),
}

#[derive(Clone)]
pub(super) struct Device {
    pub(super) shape: Shape,
    pub(super) cipher: Cipher,
    pub(super) flash: SimFlash,
    pub(super) level: ReplayLevel,
    pub(super) counter: SimCounter,
    pub(super) root: [u8; 32],
    /// What was ever to be stored under a key.
    pub(super) stored: BTreeMap<KeyId, BTreeSet<Vec<u8>>>,
    boots: u64,
}

/// What a store says of itself when it is mounted: what the reader is to say too.
pub(super) struct Answer {
    /// Why it is refused, or what it holds.
    pub(super) contents: Result<Value, String>,
    pub(super) pages_in_use: u32,
}

impl Device {
    pub(super) fn blank(shape: Shape, cipher: Cipher, level: ReplayLevel) -> Self {
        let flash = SimFlash::new(shape.geometry())
            .with_tear(Tear::Torn)
            .with_unit(StepUnit::Byte)
            .with_seed(1);
        Self {
            shape,
            cipher,
            counter: SimCounter::new().powered_by(flash.power()),
            flash,
            level,
            root: *b"a root key for the test vectors.",
            stored: BTreeMap::new(),
            boots: 0,
        }
    }

    /// A copy on a supply of its own.
    pub(super) fn fork(&self) -> Self {
        let device = self.clone();
        Self {
            counter: device.counter.powered_by(device.flash.power()),
            ..device
        }
    }

    /// The same device with other flash.
    pub(super) fn with_image(&self, image: &[u8]) -> Self {
        let flash = SimFlash::from_image(self.shape.geometry(), image);
        Self {
            counter: self.counter.clone().powered_by(flash.power()),
            flash,
            ..self.clone()
        }
    }

    pub(super) fn format(&mut self) -> Result<(), StoreError> {
        self.boot(true, |_, _, _, _| Ok(()))
    }

    pub(super) fn destroy(&mut self) -> Result<(), StoreError> {
        let region = self.shape.region(&self.flash)?;
        Store::destroy(&mut self.flash, region)
    }

    /// Boots and takes the steps, until one fails.
    pub(super) fn run(&mut self, steps: &[Step]) -> Result<(), StoreError> {
        for steps in steps.split(|step| matches!(step, Step::Reboot)) {
            self.boot(false, |store, flash, rng, stored| {
                steps
                    .iter()
                    .try_for_each(|step| take(store, flash, rng, stored, step))
            })?;
        }
        Ok(())
    }

    /// What the store answers when it is mounted.
    pub(super) fn answer(&mut self) -> Answer {
        let mut pages_in_use = 0;
        let contents = self.boot(false, |store, flash, _, _| {
            pages_in_use = store.pages_in_use();
            let mut keys: Vec<KeyId> = store.keys().collect();
            keys.sort();
            keys.into_iter()
                .map(|key| {
                    let domain = u8::from(key.domain() == KeyDomain::User);
                    Ok(json!([
                        domain,
                        key.namespace(),
                        key.number(),
                        value(store, flash, key)?
                    ]))
                })
                .collect::<Result<Vec<_>, _>>()
        });
        Answer {
            contents: contents.map(Value::from).map_err(|error| {
                let name = format!("{error:?}");
                name.split('(').next().unwrap_or_default().to_owned()
            }),
            pages_in_use,
        }
    }

    fn boot<R>(
        &mut self,
        format: bool,
        work: impl FnOnce(
            &mut Store<'_>,
            &mut SimFlash,
            &mut SimRng,
            &mut BTreeMap<KeyId, BTreeSet<Vec<u8>>>,
        ) -> Result<R, StoreError>,
    ) -> Result<R, StoreError> {
        let root = DeviceRootKey::new(&Secret::from_bytes(self.root), &HkdfSha256)?;
        let suite = Suite {
            aead: self.cipher.aead(),
            kdf: &HkdfSha256,
            root: &root,
        };
        let (mut index, mut buffer) = ([IndexEntry::EMPTY; KEYS], [0; 4096]);
        self.boots += 1;
        let mut rng = SimRng::new(self.boots);
        let counter = &mut self.counter;
        let replay = match self.level {
            ReplayLevel::None => ReplayProtection::None,
            ReplayLevel::EachPage => ReplayProtection::EachPage(counter),
            ReplayLevel::EachWrite => ReplayProtection::EachWrite(counter),
        };
        let flash = &mut self.flash;
        let region = self.shape.region(flash)?;
        let (index, buffer) = (&mut index, &mut buffer);
        let mut store = if format {
            Store::format(flash, region, suite, index, buffer, replay, &mut rng)?
        } else {
            Store::mount(flash, region, suite, index, buffer, replay, &mut rng)?
        };
        work(&mut store, flash, &mut rng, &mut self.stored)
    }
}

/// The value under a key, as the reader writes it.
fn value(store: &mut Store<'_>, flash: &mut SimFlash, key: KeyId) -> Result<Value, StoreError> {
    match store.count(flash, key) {
        Ok(count) => return Ok(count.into()),
        Err(StoreError::Tampered) => return Ok("damaged".into()),
        Err(StoreError::KeyLost) => return Ok("lost".into()),
        Err(StoreError::NotCounter) => {}
        Err(error) => return Err(error),
    }
    let mut out = vec![0; store.value_len(key).unwrap_or(0)];
    match store.get(flash, key, &mut out) {
        Ok(value) => Ok(crate::tool::hex(value).into()),
        Err(StoreError::Tampered) => Ok("damaged".into()),
        Err(StoreError::KeyLost) => Ok("lost".into()),
        Err(error) => Err(error),
    }
}

/// Takes a step, or lets it be where a store says that it cannot be taken.
fn take(
    store: &mut Store<'_>,
    flash: &mut SimFlash,
    rng: &mut SimRng,
    stored: &mut BTreeMap<KeyId, BTreeSet<Vec<u8>>>,
    step: &Step,
) -> Result<(), StoreError> {
    let mut new_value = |key: KeyId, len: usize| {
        let stored = stored.entry(key).or_default();
        let start = format!("value {} of {key:?}; ", stored.len());
        let value: Vec<u8> = start.bytes().cycle().take(len).collect();
        stored.insert(value.clone());
        value
    };
    let done = match step {
        Step::Change(Change::Put(key, len)) => store.put(flash, *key, &new_value(*key, *len)),
        Step::Change(Change::PutOnce(key, len)) => store.put_once(flash, *key, &new_value(*key, *len)),
        Step::Change(Change::Remove(key)) => store.remove(flash, *key),
        Step::Transaction(changes, commits) => {
            let mut transaction = store.transaction();
            let mut done = Ok(());
            for change in changes {
                done = done.and_then(|()| match change {
                    Change::Put(key, len) => transaction.put(flash, *key, &new_value(*key, *len)),
                    Change::PutOnce(key, len) => transaction.put_once(flash, *key, &new_value(*key, *len)),
                    Change::Remove(key) => transaction.remove(flash, *key),
                });
            }
            match done {
                Ok(()) if *commits => transaction.commit(flash),
                done => done,
            }
        }
        Step::Increment(key) => store.increment(flash, *key).map(|_| ()),
        Step::EraseUser => store.erase_user(flash, rng),
        Step::BeginScrub => {
            store.begin_scrub();
            Ok(())
        }
        Step::Scrub => store.scrub_step(flash).map(|_| ()),
        Step::Reboot => Ok(()),
    };
    match done {
        Err(
            StoreError::NotFound
            | StoreError::Full
            | StoreError::ValueTooLong
            | StoreError::WriteOnce
            | StoreError::NotCounter,
        ) => Ok(()),
        done => done,
    }
}
