//! Our store under the workload.

use iotsec::{
    core::{
        crypto::{Aes256GcmSiv, HkdfSha256},
        hal::Region,
    },
    store::{IndexEntry, KeyDomain, KeyId, Store, StoreError, Suite},
};
use iotsec_testkit::{SimFlash, SimRng, SimRootKey};

use super::workload::{Case, Chip, Contender, KEYS, KeyValue, MAX_VALUE_LEN, Result};

pub(crate) const OURS: Contender = Contender {
    name: "iotsec-store",
    transactions: false,
    create: |chip, case| Ok(Box::new(Ours::new(chip, case)?)),
};

/// Header and tag of a record, which the buffer has room for.
const RECORD_OVERHEAD: usize = 28;
/// The two pages that hold the keys of the domains.
const KEY_PAGES: usize = 2;

struct Ours {
    chip: Chip,
    region: Region,
    word: usize,
    entropy: SimRng,
    store: Store<'static>,
}

enum Begin {
    Format,
    Mount,
}

impl Ours {
    fn new(chip: &Chip, case: &Case) -> Result<Self> {
        let region = chip.borrow().region()?;
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
            word: case.word,
            entropy,
            store,
        })
    }
}

/// A store with buffers of its own. They are never freed, as this program ends soon and a store borrows them.
fn begin(
    how: &Begin,
    flash: &mut SimFlash,
    region: Region,
    word: usize,
    entropy: &mut SimRng,
) -> std::result::Result<Store<'static>, StoreError> {
    let suite = Suite {
        aead: &Aes256GcmSiv,
        kdf: &HkdfSha256,
        root: Box::leak(Box::new(SimRootKey::new(1))),
    };
    let index = vec![IndexEntry::EMPTY; usize::from(KEYS)].leak();
    let buffer = vec![0; buffer_len(word)].leak();
    match how {
        Begin::Format => Store::format(flash, region, suite, index, buffer, entropy),
        Begin::Mount => Store::mount(flash, region, suite, index, buffer, entropy),
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

    fn get(&mut self, key: u16) -> Result<Vec<u8>> {
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
        size_of::<Store<'_>>() + size_of::<IndexEntry>() * usize::from(KEYS) + buffer_len(self.word)
    }

    fn fixed_pages(&self) -> usize {
        KEY_PAGES
    }
}
