//! Changes without end, and what a store may hold after some of them.
use std::collections::BTreeMap;

use embedded_storage::nor_flash::NorFlash;
use iotsec_core::{
    crypto::{Aes256GcmSiv, HkdfSha256},
    hal::Region,
};
use iotsec_store::{IndexEntry, KeyDomain, KeyId, ReplayProtection, Store, StoreError, Suite};
use iotsec_testkit::{SimRng, SimRootKey};

const KEYS: u16 = 6;

/// A change of one key, by its number: the new value, or its removal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) key: u16,
    /// Which of all changes this is.
    pub(crate) number: u32,
}

impl Change {
    /// Number `number` of a story that goes on for ever.
    pub(crate) fn new(number: u32) -> Self {
        let mut rng = SimRng::new(number.into());
        let key = u16::try_from(rng.below(KEYS.into())).unwrap();
        Self { key, number }
    }

    pub(crate) fn value(self) -> Option<Vec<u8>> {
        if self.number % 7 == 3 {
            return None;
        }
        let len = 20 + usize::try_from(self.number * 37 % 200).unwrap();
        Some(
            format!("value {} ", self.number)
                .bytes()
                .cycle()
                .take(len)
                .collect(),
        )
    }

    pub(crate) fn make<F: NorFlash>(self, store: &mut Store<'_>, flash: &mut F) -> Result<(), StoreError> {
        match self.value() {
            Some(value) => store.put(flash, id(self.key), &value),
            None => match store.remove(flash, id(self.key)) {
                Err(StoreError::NotFound) => Ok(()),
                other => other,
            },
        }
    }
}

fn id(key: u16) -> KeyId {
    let domain = if key.is_multiple_of(2) {
        KeyDomain::Device
    } else {
        KeyDomain::User
    };
    KeyId::new(domain, 1, key)
}

/// Formats the region, or mounts what is in it, and works with it.
pub(crate) fn with_store<F: NorFlash, R>(
    flash: &mut F,
    region: Region,
    new: bool,
    work: impl FnOnce(&mut Store<'_>, &mut F) -> R,
) -> Result<R, StoreError> {
    let root = SimRootKey::new(3);
    let suite = Suite {
        aead: &Aes256GcmSiv,
        kdf: &HkdfSha256,
        root: &root,
    };
    let (mut index, mut buffer) = ([IndexEntry::EMPTY; 48], [0; 2048]);
    let mut rng = SimRng::new(11);
    let mut store = if new {
        Store::format(
            flash,
            region,
            suite,
            &mut index,
            &mut buffer,
            ReplayProtection::None,
            &mut rng,
        )?
    } else {
        Store::mount(
            flash,
            region,
            suite,
            &mut index,
            &mut buffer,
            ReplayProtection::None,
            &mut rng,
        )?
    };
    Ok(work(&mut store, flash))
}

/// What was acknowledged, and what may have happened besides.
#[derive(Clone, Debug, Default)]
pub(crate) struct Expected {
    pub(crate) acknowledged: BTreeMap<u16, Change>,
    pub(crate) in_flight: Option<Change>,
}

impl Expected {
    pub(crate) fn acknowledge(&mut self, change: Change) {
        self.acknowledged.insert(change.key, change);
        self.in_flight = None;
    }

    /// Mounts, compares each key, makes the next change, and compares again; says what is wrong.
    pub(crate) fn check<F: NorFlash>(
        &mut self,
        flash: &mut F,
        region: Region,
        next: u32,
    ) -> Result<(), String> {
        let change = Change::new(next);
        let found = with_store(flash, region, false, |store, flash| {
            self.compare(store, flash)?;
            change
                .make(store, flash)
                .map_err(|error| format!("the next change: {error}"))
        });
        found.map_err(|error| format!("mount: {error}"))??;
        self.acknowledge(change);
        with_store(flash, region, false, |store, flash| self.compare(store, flash))
            .map_err(|error| format!("second mount: {error}"))?
    }

    /// Compares each key. What was in flight is acknowledged after that if it happened, and forgotten if not.
    pub(crate) fn compare<F: NorFlash>(
        &mut self,
        store: &mut Store<'_>,
        flash: &mut F,
    ) -> Result<(), String> {
        for key in 0..KEYS {
            let mut out = [0; 512];
            let found = match store.get(flash, id(key), &mut out) {
                Ok(value) => Some(value.to_vec()),
                Err(StoreError::NotFound) => None,
                Err(error) => return Err(format!("key {key}: {error}")),
            };
            let old = self.acknowledged.get(&key).copied().and_then(Change::value);
            let new = self.in_flight.filter(|change| change.key == key);
            if let Some(change) = new.filter(|change| found == change.value()) {
                self.acknowledged.insert(key, change);
            } else if found != old {
                return Err(format!("key {key} is {found:?}, not {old:?}; in flight: {new:?}"));
            }
        }
        self.in_flight = None;
        Ok(())
    }
}
