//! Our store under the workload.

use iotsec::{
    core::crypto::{Aes256GcmSiv, HkdfSha256},
    store::{
        DeviceOnly, IndexEntry, KeyDomain, KeyId, ReplayProtection, Store, StoreError, StoreRegion, Suite,
    },
};
use iotsec_testkit::{SimFlash, SimRng, SimRootKey};

use super::workload::{Case, Chip, Contender, KEYS, KeyValue, Kind, MAX_VALUE_LEN, Result};

pub(crate) const OURS: Contender = Contender {
    name: "iotsec-store",
    transactions: true,
    create: |chip, case| Ok(Box::new(Ours::new(chip, case, KEY_PAGES)?)),
};

/// The same for a device that keeps nothing of an owner's.
pub(crate) const DEVICE_ONLY: Contender = Contender {
    name: "iotsec-store, no user domain",
    transactions: true,
    create: |chip, case| Ok(Box::new(Ours::new(chip, case, 0)?)),
};

/// Header and tag of a record, which the buffer has room for.
const RECORD_OVERHEAD: usize = 24;
/// The page that holds the user domain's key.
const KEY_PAGES: usize = 1;
/// Keys, and the new values of those that a transaction changes.
const INDEX_LEN: usize = KEYS as usize + 10;

struct Ours {
    chip: Chip,
    region: StoreRegion,
    key_pages: usize,
    word: usize,
    counters: bool,
    entropy: SimRng,
    store: Store<'static>,
}

enum Begin {
    Format,
    Mount,
}

impl Ours {
    fn new(chip: &Chip, case: &Case, key_pages: usize) -> Result<Self> {
        let region = chip.borrow().region()?;
        let region = match key_pages {
            0 => DeviceOnly(region).into(),
            _ => region.into(),
        };
        let mut entropy = SimRng::new(1);
        let store = begin(
            &Begin::Format,
            &mut chip.borrow_mut(),
            region,
            case.word,
            &mut entropy,
        )?;
        Ok(Self {
            chip: chip.clone(),
            region,
            key_pages,
            word: case.word,
            counters: case.kind == Kind::Counters,
            entropy,
            store,
        })
    }
}

/// A store with buffers of its own. They are never freed, as this program ends soon and a store borrows them.
fn begin(
    how: &Begin,
    flash: &mut SimFlash,
    region: StoreRegion,
    word: usize,
    entropy: &mut SimRng,
) -> std::result::Result<Store<'static>, StoreError> {
    let suite = Suite {
        aead: &Aes256GcmSiv,
        kdf: &HkdfSha256,
        root: Box::leak(Box::new(SimRootKey::new(1))),
    };
    let index = vec![IndexEntry::EMPTY; INDEX_LEN].leak();
    let buffer = vec![0; buffer_len(word)].leak();
    match how {
        Begin::Format => Store::format(
            flash,
            region,
            suite,
            index,
            buffer,
            ReplayProtection::None,
            entropy,
        ),
        Begin::Mount => Store::mount(
            flash,
            region,
            suite,
            index,
            buffer,
            ReplayProtection::None,
            entropy,
        ),
    }
}

fn buffer_len(word: usize) -> usize {
    (MAX_VALUE_LEN + RECORD_OVERHEAD).next_multiple_of(word)
}

fn id(key: u16) -> KeyId {
    KeyId::new(KeyDomain::Device, 1, key)
}

impl KeyValue for Ours {
    fn put(&mut self, key: u16, value: &[u8]) -> Result<()> {
        Ok(self.store.put(&mut *self.chip.borrow_mut(), id(key), value)?)
    }

    fn count(&mut self, key: u16, number: u64) -> Result<()> {
        let counted = self.store.increment(&mut *self.chip.borrow_mut(), id(key))?;
        if u64::from(counted) != number {
            return Err(format!("counted to {counted}, not to {number}").into());
        }
        Ok(())
    }

    fn put_all(&mut self, entries: &[(u16, Vec<u8>)]) -> Result<()> {
        let flash = &mut *self.chip.borrow_mut();
        let mut transaction = self.store.transaction();
        for (key, value) in entries {
            transaction.put(flash, id(*key), value)?;
        }
        Ok(transaction.commit(flash)?)
    }

    fn get(&mut self, key: u16) -> Result<Vec<u8>> {
        if self.counters {
            let count = self.store.count(&mut *self.chip.borrow_mut(), id(key))?;
            return Ok(u64::from(count).to_le_bytes().to_vec());
        }
        let mut out = [0; MAX_VALUE_LEN];
        let value = self.store.get(&mut *self.chip.borrow_mut(), id(key), &mut out)?;
        Ok(value.to_vec())
    }

    fn reopen(&mut self) -> Result<()> {
        let flash = &mut self.chip.borrow_mut();
        self.store = begin(&Begin::Mount, flash, self.region, self.word, &mut self.entropy)?;
        Ok(())
    }

    fn ram(&self) -> usize {
        size_of::<Store<'_>>() + size_of::<IndexEntry>() * INDEX_LEN + buffer_len(self.word)
    }

    fn fixed_pages(&self) -> usize {
        self.key_pages
    }
}
