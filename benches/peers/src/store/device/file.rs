//! Our store in a preallocated file.

use iotsec::{
    core::{
        crypto::{Aes256GcmSiv, HkdfSha256},
        hal::Region,
    },
    store::{IndexEntry, KeyDomain, KeyId, ReplayProtection, Store, Suite, linux::StoreFile},
};
use iotsec_testkit::{SimRng, SimRootKey};

use super::{Contender, Entries, Files};
use crate::store::workload::{KEYS, MAX_VALUE_LEN, PAGE, Result};

pub(super) const OURS: Contender = Contender {
    name: "iotsec-store, preallocated file of 64 KiB",
    transactions: true,
    create: |folder| {
        let region = Region::new(0, u32::try_from(PAGE)?, PAGES, WORD)?;
        let file = StoreFile::create(&folder.join("keys"), region)?;
        Ok(Box::new(Ours::new(file, region)?))
    },
};

const PAGES: u32 = 16;
const WORD: u32 = 16;
/// Keys, and the new values of those that a transaction changes.
const INDEX_LEN: usize = KEYS as usize + 10;

struct Ours {
    file: StoreFile,
    store: Store<'static>,
}

impl Ours {
    /// The buffers are never freed, as this program ends soon and the store borrows them.
    fn new(mut file: StoreFile, region: Region) -> Result<Self> {
        let suite = Suite {
            aead: &Aes256GcmSiv,
            kdf: &HkdfSha256,
            root: Box::leak(Box::new(SimRootKey::new(1))),
        };
        let index = vec![IndexEntry::EMPTY; INDEX_LEN].leak();
        let buffer = vec![0; 2 * MAX_VALUE_LEN].leak();
        let store = Store::format(
            &mut file,
            region,
            suite,
            index,
            buffer,
            ReplayProtection::None,
            &mut SimRng::new(1),
        )?;
        Ok(Self { file, store })
    }
}

fn id(key: u16) -> KeyId {
    KeyId::new(KeyDomain::Device, 1, key)
}

impl Files for Ours {
    fn put(&mut self, entries: &Entries) -> Result<()> {
        if let [(key, value)] = entries {
            return Ok(self.store.put(&mut self.file, id(*key), value)?);
        }
        let mut transaction = self.store.transaction();
        for (key, value) in entries {
            transaction.put(&mut self.file, id(*key), value)?;
        }
        Ok(transaction.commit(&mut self.file)?)
    }

    fn get(&mut self, key: u16) -> Result<Vec<u8>> {
        let mut out = [0; MAX_VALUE_LEN];
        Ok(self.store.get(&mut self.file, id(key), &mut out)?.to_vec())
    }
}
