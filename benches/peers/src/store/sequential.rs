//! sequential-storage's map with all its caches.

use sequential_storage::{
    cache::{
        Cache, key_pointers::ArrayKeyPointers, page_pointers::ArrayPagePointers, page_states::ArrayPageStates,
    },
    map::{MapConfig, MapStorage},
};

use super::{
    nor::{Nor, at_once, plain},
    workload::{Case, Chip, Contender, KEY_LEN, KEYS, KeyValue, MAX_VALUE_LEN, Result},
};

pub(crate) const PLAIN: Contender = Contender {
    name: "sequential-storage, plain",
    transactions: false,
    create: |chip, case| create(chip, case, MAX_VALUE_LEN),
};

const KEY_COUNT: usize = 50;
const _: () = assert!(KEY_COUNT == KEYS as usize);

type Caches<const PAGES: usize> =
    Cache<ArrayPageStates<PAGES>, ArrayPagePointers<PAGES>, ArrayKeyPointers<u32, KEY_COUNT>, u32>;
type Map<const PAGES: usize, const WORD: usize> = MapStorage<u32, Nor<WORD>, Caches<PAGES>>;

/// A map on the flash of the case, for values of up to `longest` bytes.
pub(crate) fn create(chip: &Chip, case: &Case, longest: usize) -> Result<Box<dyn KeyValue>> {
    match (case.pages, case.word) {
        (4, 4) => Ok(Box::new(Sequential::<4, 4>::new(chip, longest)?)),
        (8, 4) => Ok(Box::new(Sequential::<8, 4>::new(chip, longest)?)),
        (16, 4) => Ok(Box::new(Sequential::<16, 4>::new(chip, longest)?)),
        (8, 32) => Ok(Box::new(Sequential::<8, 32>::new(chip, longest)?)),
        _ => Err("not measured on this flash".into()),
    }
}

struct Sequential<const PAGES: usize, const WORD: usize> {
    chip: Chip,
    map: Map<PAGES, WORD>,
    buffer: Vec<u8>,
}

fn open<const PAGES: usize, const WORD: usize>(chip: &Chip) -> Result<Map<PAGES, WORD>> {
    let capacity = chip.borrow().geometry().capacity();
    let config = plain(MapConfig::try_new(0..capacity))?;
    let caches = Cache::new(
        ArrayPageStates::new(),
        ArrayPagePointers::new(),
        ArrayKeyPointers::new(),
    );
    Ok(MapStorage::new(Nor(chip.clone()), config, caches))
}

impl<const PAGES: usize, const WORD: usize> Sequential<PAGES, WORD> {
    fn new(chip: &Chip, longest: usize) -> Result<Self> {
        Ok(Self {
            chip: chip.clone(),
            map: open(chip)?,
            buffer: vec![0; (KEY_LEN + longest).next_multiple_of(WORD)],
        })
    }
}

impl<const PAGES: usize, const WORD: usize> KeyValue for Sequential<PAGES, WORD> {
    fn put(&mut self, key: u16, value: &[u8]) -> Result<()> {
        at_once(self.map.store_item(&mut self.buffer, &u32::from(key), &value))
    }

    fn get(&mut self, key: u16) -> Result<Vec<u8>> {
        let value = at_once(self.map.fetch_item::<&[u8]>(&mut self.buffer, &u32::from(key)))?;
        Ok(value.ok_or("no value")?.to_vec())
    }

    fn reopen(&mut self) -> Result<()> {
        self.map = open(&self.chip)?;
        Ok(())
    }

    fn ram(&self) -> usize {
        // The driver is a pointer here and not of theirs.
        size_of::<Map<PAGES, WORD>>() - size_of::<Nor<WORD>>() + self.buffer.len()
    }
}
