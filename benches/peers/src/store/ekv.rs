//! ekv with checksums and its settings as they come.

use ekv::{
    Config, Database,
    config::ALIGN,
    flash::{Flash, PageID},
};
use embassy_sync::blocking_mutex::raw::NoopRawMutex;
use embedded_storage_async::nor_flash::{NorFlash, ReadNorFlash};
use iotsec_testkit::SimFlashError;

use super::{
    nor::{Nor, at_once},
    workload::{Case, Chip, Contender, KeyValue, MAX_VALUE_LEN, PAGE, Result},
};

pub(crate) const EKV: Contender = Contender {
    name: "ekv, checksums, not encrypted",
    transactions: true,
    create: |chip, case| Ok(Box::new(Ekv::new(chip, case)?)),
};

struct Driver(Nor<ALIGN>);

fn address(page: PageID, offset: usize) -> u32 {
    u32::try_from(page.index() * PAGE + offset).unwrap_or(u32::MAX)
}

impl Flash for Driver {
    type Error = SimFlashError;

    fn page_count(&self) -> usize {
        self.0.capacity() / PAGE
    }

    async fn erase(&mut self, page: PageID) -> std::result::Result<(), SimFlashError> {
        self.0.erase(address(page, 0), address(page, PAGE)).await
    }

    async fn read(
        &mut self,
        page: PageID,
        offset: usize,
        data: &mut [u8],
    ) -> std::result::Result<(), SimFlashError> {
        self.0.read(address(page, offset), data).await
    }

    async fn write(
        &mut self,
        page: PageID,
        offset: usize,
        data: &[u8],
    ) -> std::result::Result<(), SimFlashError> {
        self.0.write(address(page, offset), data).await
    }
}

type Db = Database<Driver, NoopRawMutex>;

struct Ekv {
    chip: Chip,
    database: Db,
}

fn open(chip: &Chip) -> Db {
    Database::new(Driver(Nor(chip.clone())), Config::default())
}

impl Ekv {
    fn new(chip: &Chip, case: &Case) -> Result<Self> {
        if case.word > ALIGN {
            return Err(format!("words of at most {ALIGN} bytes").into());
        }
        let database = open(chip);
        at_once(database.format())?;
        Ok(Self {
            chip: chip.clone(),
            database,
        })
    }

    fn write(&self, entries: &[(u16, &[u8])]) -> Result<()> {
        let mut transaction =
            at_once(async { Ok::<_, SimFlashError>(self.database.write_transaction().await) })?;
        for (key, value) in entries {
            at_once(transaction.write(&u32::from(*key).to_be_bytes(), value))?;
        }
        at_once(transaction.commit())
    }
}

impl KeyValue for Ekv {
    fn put(&mut self, key: u16, value: &[u8]) -> Result<()> {
        self.write(&[(key, value)])
    }

    fn put_all(&mut self, entries: &[(u16, Vec<u8>)]) -> Result<()> {
        // It takes keys in their order only.
        let mut entries: Vec<_> = entries
            .iter()
            .map(|(key, value)| (*key, value.as_slice()))
            .collect();
        entries.sort_unstable();
        self.write(&entries)
    }

    fn get(&mut self, key: u16) -> Result<Vec<u8>> {
        let transaction = at_once(async { Ok::<_, SimFlashError>(self.database.read_transaction().await) })?;
        let mut value = vec![0; MAX_VALUE_LEN];
        let len = at_once(transaction.read(&u32::from(key).to_be_bytes(), &mut value))?;
        value.truncate(len);
        Ok(value)
    }

    fn reopen(&mut self) -> Result<()> {
        self.database = open(&self.chip);
        at_once(self.database.mount())
    }

    fn ram(&self) -> usize {
        size_of::<Db>() - size_of::<Driver>()
    }
}
