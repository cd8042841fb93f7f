//! Our store in a preallocated file.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::FileExt,
};

use embedded_storage::nor_flash::{ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash};
use iotsec::{
    core::{
        crypto::{Aes256GcmSiv, HkdfSha256},
        hal::Region,
    },
    store::{IndexEntry, KeyDomain, KeyId, ReplayProtection, Store, Suite},
};
use iotsec_testkit::{SimRng, SimRootKey};

use super::{Contender, Entries, Files};
use crate::store::workload::{KEYS, MAX_VALUE_LEN, PAGE, Result};

pub(super) const OURS: Contender = Contender {
    name: "iotsec-store, preallocated file of 64 KiB",
    transactions: false,
    create: |folder| {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .open(folder.join("keys"))?;
        file.write_all_at(&[0xFF; PAGES as usize * PAGE], 0)?;
        file.sync_all()?;
        Ok(Box::new(Ours::new(NorFile(file))?))
    },
};

const PAGES: u32 = 16;
const WORD: u32 = 16;

/// A file that is used as a flash: each write and each erasure is on the medium when it returns.
struct NorFile(File);

#[derive(Debug)]
struct Failed;

impl NorFlashError for Failed {
    fn kind(&self) -> NorFlashErrorKind {
        NorFlashErrorKind::Other
    }
}

impl From<io::Error> for Failed {
    fn from(_: io::Error) -> Self {
        Self
    }
}

impl ErrorType for NorFile {
    type Error = Failed;
}

impl ReadNorFlash for NorFile {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> std::result::Result<(), Failed> {
        Ok(self.0.read_exact_at(bytes, u64::from(offset))?)
    }

    fn capacity(&self) -> usize {
        PAGES as usize * PAGE
    }
}

impl NorFlash for NorFile {
    const WRITE_SIZE: usize = WORD as usize;
    const ERASE_SIZE: usize = PAGE;

    fn write(&mut self, offset: u32, bytes: &[u8]) -> std::result::Result<(), Failed> {
        self.0.write_all_at(bytes, u64::from(offset))?;
        Ok(self.0.sync_data()?)
    }

    fn erase(&mut self, from: u32, to: u32) -> std::result::Result<(), Failed> {
        for page in (from..to).step_by(PAGE) {
            self.0.write_all_at(&[0xFF; PAGE], u64::from(page))?;
        }
        Ok(self.0.sync_data()?)
    }
}

struct Ours {
    file: NorFile,
    store: Store<'static>,
}

impl Ours {
    /// The buffers are never freed, as this program ends soon and the store borrows them.
    fn new(mut file: NorFile) -> Result<Self> {
        let suite = Suite {
            aead: &Aes256GcmSiv,
            kdf: &HkdfSha256,
            root: Box::leak(Box::new(SimRootKey::new(1))),
        };
        let region = Region::new(0, u32::try_from(PAGE)?, PAGES, WORD)?;
        let index = vec![IndexEntry::EMPTY; usize::from(KEYS)].leak();
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
        for (key, value) in entries {
            self.store.put(&mut self.file, id(*key), value)?;
        }
        Ok(())
    }

    fn get(&mut self, key: u16) -> Result<Vec<u8>> {
        let mut out = [0; MAX_VALUE_LEN];
        Ok(self.store.get(&mut self.file, id(key), &mut out)?.to_vec())
    }
}
