//! Transactions in a file whose changes reach the disk together.
use std::{
    cell::{Cell, RefCell},
    io,
    rc::Rc,
};

use embedded_storage::nor_flash::{NorFlash, ReadNorFlash};
use iotsec_core::{
    crypto::{Aes256GcmSiv, HkdfSha256},
    hal::{
        Region,
        linux::{FileError, Medium},
    },
};
use iotsec_store::{
    IndexEntry, KeyDomain, KeyId, ReplayProtection, Store, StoreError, Suite,
    linux::{NorFile, StoreFile},
};
use iotsec_testkit::{Power, SimDisk, SimRng, SimRootKey, Sweep, Violation, World};

use crate::story::with_store;

const KEYS: u16 = 5;
/// Inside of a sector, across two, and across so many that one between its header and its tag can be missing.
const LENS: [usize; 4] = [30, 150, 1500, 330];
const ROUNDS: u32 = 9;

fn id(key: u16) -> KeyId {
    let domain = [KeyDomain::Device, KeyDomain::User][usize::from(key % 2)];
    KeyId::new(domain, 1, key)
}

/// What transaction `round` stores under `key`; nothing for a key that it removes.
fn value(round: u32, key: u16) -> Option<Vec<u8>> {
    if key == 4 && round.is_multiple_of(3) {
        return None;
    }
    let len = LENS[usize::try_from(round).unwrap().wrapping_add(key.into()) % LENS.len()];
    let text = format!("round {round} of key {key}, ");
    Some(text.bytes().cycle().take(len).collect())
}

/// All keys at once; before it a transaction that is given up, and one change that stands by itself.
fn transact<F: NorFlash>(
    store: &mut Store<'_>,
    flash: &mut F,
    round: u32,
    single: &mut u32,
) -> Result<(), StoreError> {
    let mut given_up = store.transaction();
    for key in 0..2 {
        given_up.put(flash, id(key), b"never to be seen")?;
    }
    drop(given_up);
    store.put(flash, id(KEYS), &round.to_le_bytes())?;
    *single = round;
    let mut change = store.transaction();
    for key in 0..KEYS {
        match value(round, key) {
            Some(value) => change.put(flash, id(key), &value)?,
            None => match change.remove(flash, id(key)) {
                Err(StoreError::NotFound) => {}
                done => done?,
            },
        }
    }
    change.commit(flash)
}

/// The last transaction that happened, if all keys say so.
fn found<F: NorFlash>(store: &mut Store<'_>, flash: &mut F, last: u32) -> Result<u32, String> {
    let mut is = |round: u32| {
        (0..KEYS).try_fold(true, |all, key| {
            let mut out = [0; 2048];
            match store.get(flash, id(key), &mut out) {
                Ok(read) => Ok(all && value(round, key).is_some_and(|value| read == value)),
                Err(StoreError::NotFound) => Ok(all && value(round, key).is_none()),
                Err(error) => Err(format!("key {key}: {error}")),
            }
        })
    };
    for round in [last, last + 1] {
        if is(round)? {
            return Ok(round);
        }
    }
    Err(format!("neither all of {last} nor all of {}", last + 1))
}

struct Device {
    /// None while it is in use.
    file: Option<NorFile<SimDisk>>,
    power: Power,
    /// The last transaction, and the last number that was stored by itself.
    transaction: u32,
    single: u32,
}

impl World for Device {
    fn power(&self) -> &Power {
        &self.power
    }
    fn violation(&self) -> Option<Violation> {
        None
    }
}

impl Device {
    fn new(disk: SimDisk, region: Region, done: u32) -> Self {
        let power = disk.power().clone();
        Self {
            file: Some(NorFile::on(disk, region)),
            power,
            transaction: done,
            single: done,
        }
    }

    fn disk(&mut self) -> &mut SimDisk {
        self.file.as_mut().unwrap().medium()
    }

    /// Mounts, and does something.
    fn run<R>(
        &mut self,
        new: bool,
        work: impl FnOnce(&mut Self, &mut Store<'_>, &mut StoreFile<SimDisk>) -> R,
    ) -> Result<R, StoreError> {
        let file = self.file.take().unwrap();
        let region = file.region();
        let mut file = StoreFile::of(file).unwrap();
        let done = with_store(&mut file, region, new, |store, flash| work(self, store, flash));
        self.file = Some(file.into_file());
        done
    }

    /// Changes everything in several transactions, until the power is gone.
    fn work(&mut self) {
        let _ = self.run(false, |this, store, flash| {
            let Ok(from) = found(store, flash, this.transaction) else {
                assert!(this.power.is_lost());
                return;
            };
            this.transaction = from;
            for round in from + 1..from + ROUNDS {
                let changed = transact(store, flash, round, &mut this.single);
                if changed.is_err() {
                    assert!(this.power.is_lost(), "{changed:?}");
                    return;
                }
                this.transaction = round;
            }
        });
    }

    /// After the system has started again: all of the last transaction that was acknowledged or all of the next, and the
    /// same after one more.
    fn check(&mut self) -> Result<(), String> {
        self.disk().lose_cache();
        self.run(false, |this, store, flash| {
            let round = found(store, flash, this.transaction)?;
            let mut single = [0; 4];
            let read = store.get(flash, id(KEYS), &mut single).map(<[u8]>::len);
            let single = u32::from_le_bytes(single);
            if read != Ok(4) || !(this.single..=this.single + 1).contains(&single) {
                return Err(format!("{single} ({read:?}), not {} or the next", this.single));
            }
            transact(store, flash, round + 1, &mut 0).map_err(|error| format!("the next: {error}"))?;
            this.transaction = round + 1;
            Ok(())
        })
        .map_err(|error| format!("mount: {error}"))??;
        self.run(false, |this, store, flash| {
            let round = found(store, flash, this.transaction)?;
            (round == this.transaction)
                .then_some(())
                .ok_or_else(|| "lost".to_owned())
        })
        .map_err(|error| format!("second mount: {error}"))?
    }
}

/// A disk on which some transactions happened.
fn prepared(region: Region) -> SimDisk {
    let len = usize::try_from(region.len()).unwrap();
    let mut device = Device::new(SimDisk::new(len / 512), region, 0);
    device.disk().write_at(0, &vec![0xFF; len]).unwrap();
    device.disk().sync().unwrap();
    let formatted = device.run(true, |_, store, flash| transact(store, flash, 1, &mut 0));
    formatted.unwrap().unwrap();
    (device.transaction, device.single) = (1, 1);
    device.work();
    assert_eq!(device.transaction, ROUNDS);
    device.file.unwrap().medium().clone()
}

/// Records inside of a sector, across several, and each in a sector of its own.
fn regions() -> [Region; 3] {
    [(4096, 6, 16), (2048, 10, 4), (16384, 4, 512)]
        .map(|(page, count, word)| Region::new(0, page, count, word).unwrap())
}

#[test]
fn changes_that_reach_the_disk_in_any_order_all_count_or_none() {
    for region in regions() {
        let disk = prepared(region);
        let points = Sweep::new().rounds(8).full(500).each_cut(
            || Device::new(disk.clone(), region, ROUNDS),
            Device::work,
            |device, _| device.check().unwrap(),
        );
        println!("{region:?}: {points} cut points");
        assert!(points > 500, "{points}");
    }
}

#[test]
fn a_second_cut_changes_nothing_about_that() {
    let [sectors, words, _] = regions();
    for region in [sectors, words] {
        let disk = prepared(region);
        let pairs = Sweep::new().rounds(2).quick(3).full(8).two_cuts(
            || Device::new(disk.clone(), region, ROUNDS),
            Device::work,
            |device| {
                device.disk().lose_cache();
                device.work();
            },
            |device, _| device.check().unwrap(),
        );
        println!("{region:?}: {pairs} pairs of cuts");
        assert!(pairs > 500, "{pairs}");
    }
}

#[test]
fn a_disk_that_lies_about_syncs_is_found_out() {
    let [region, ..] = regions();
    let disk = prepared(region);
    let violations = Cell::new(0);
    let points = Sweep::new().each_cut(
        || Device::new(disk.clone().lying(), region, ROUNDS),
        Device::work,
        |device, _| violations.set(violations.get() + u64::from(device.check().is_err())),
    );
    assert!(violations.get() > points / 2, "{} of {points}", violations.get());
}

/// Counts what is asked of a disk, and refuses a sync when told to.
#[derive(Clone)]
struct Counted {
    bytes: Rc<RefCell<Vec<u8>>>,
    syncs: Rc<Cell<u32>>,
    broken: Rc<Cell<bool>>,
}

impl Counted {
    fn new(region: Region) -> Self {
        let len = usize::try_from(region.len()).unwrap();
        Self {
            bytes: Rc::new(RefCell::new(vec![0xFF; len])),
            syncs: Rc::default(),
            broken: Rc::default(),
        }
    }
}

impl Medium for Counted {
    fn read_at(&mut self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        let start = usize::try_from(offset).unwrap();
        bytes.copy_from_slice(&self.bytes.borrow()[start..start + bytes.len()]);
        Ok(())
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let start = usize::try_from(offset).unwrap();
        self.bytes.borrow_mut()[start..start + bytes.len()].copy_from_slice(bytes);
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.syncs.set(self.syncs.get() + 1);
        if self.broken.get() {
            return Err(io::ErrorKind::Other.into());
        }
        Ok(())
    }
}

/// Syncs that `work` takes on a store whose page has room.
fn syncs(work: impl FnOnce(&mut Store<'_>, &mut StoreFile<Counted>)) -> u32 {
    let region = Region::new(0, 16_384, 6, 16).unwrap();
    let disk = Counted::new(region);
    let mut file = StoreFile::of(NorFile::on(disk.clone(), region)).unwrap();
    with_store(&mut file, region, true, |store, flash| {
        disk.syncs.set(0);
        work(store, flash);
    })
    .unwrap();
    disk.syncs.get()
}

#[test]
fn a_transaction_takes_two_syncs_and_everything_else_one() {
    let put = |count: u16, len: usize| {
        syncs(|store, flash| {
            let mut change = store.transaction();
            for key in 0..count {
                change.put(flash, id(key), &vec![7; len]).unwrap();
            }
            change.commit(flash).unwrap();
        })
    };
    assert_eq!(put(1, 30), 2);
    assert_eq!(put(10, 100), 2);
    // Records of 512 bytes: half a page without its head is 8,160 bytes, and 15 of them.
    assert_eq!(put(15, 488), 2);
    assert_eq!(put(16, 488), 3);
    // A long value is a transaction of chunks.
    assert_eq!(
        syncs(|store, flash| store.put(flash, id(0), &[7; 6000]).unwrap()),
        2
    );
    assert_eq!(
        syncs(|store, flash| store.put(flash, id(0), &[7; 30]).unwrap()),
        1
    );
    // What is given up is on the disk before what comes after.
    let given_up = syncs(|store, flash| {
        let mut change = store.transaction();
        change.put(flash, id(0), &[7; 30]).unwrap();
        drop(change);
        store.put(flash, id(1), &[7; 30]).unwrap();
    });
    assert_eq!(given_up, 2);
}

#[test]
fn a_page_begins_with_no_record_whatever_its_bytes_look_like() {
    let region = Region::new(0, 4096, 6, 16).unwrap();
    let formatted = |seed: u64| {
        let disk = Counted::new(region);
        let mut file = StoreFile::of(NorFile::on(disk.clone(), region)).unwrap();
        let root = SimRootKey::new(5);
        let suite = Suite {
            aead: &Aes256GcmSiv,
            kdf: &HkdfSha256,
            root: &root,
        };
        let (mut index, mut buffer) = ([IndexEntry::EMPTY; 1], [0; 128]);
        let (mut rng, replay) = (SimRng::new(seed), ReplayProtection::None);
        Store::format(
            &mut file,
            region,
            suite,
            &mut index,
            &mut buffer,
            replay,
            &mut rng,
        )
        .unwrap();
        // The salt, which is random, stands first.
        (disk.bytes.borrow()[4096], disk.syncs.get())
    };
    let all: Vec<_> = (0..64).map(formatted).collect();
    assert!(all.iter().any(|(first, _)| first & 0x90 == 0x10));
    // Six pages erased and the first once more, the page of the key and the head written.
    assert!(all.iter().all(|(_, syncs)| *syncs == 9), "{all:?}");
}

#[test]
fn after_a_sync_that_failed_nothing_is_written_until_the_store_is_mounted_again() {
    let region = Region::new(0, 4096, 6, 16).unwrap();
    let disk = Counted::new(region);
    let mut file = StoreFile::of(NorFile::on(disk.clone(), region)).unwrap();
    with_store(&mut file, region, true, |store, flash| {
        store.put(flash, id(0), b"before").unwrap();
        let mut change = store.transaction();
        change.put(flash, id(0), b"in the cache").unwrap();
        disk.broken.set(true);
        assert!(change.commit(flash).is_err());
        disk.broken.set(false);
        // The cache may have been thrown away, and the store counts on it.
        let before = disk.bytes.borrow().clone();
        assert!(store.put(flash, id(1), b"behind it").is_err());
        assert_eq!(*disk.bytes.borrow(), before);
        let mut out = [0; 16];
        assert_eq!(store.get(flash, id(0), &mut out).unwrap(), b"before");
    })
    .unwrap();
    assert_eq!(file.erase(0, 4096), Err(FileError::Io(io::ErrorKind::Other)));
    let mut file = StoreFile::of(file.into_file()).unwrap();
    with_store(&mut file, region, false, |store, flash| {
        store.put(flash, id(1), b"behind it").unwrap();
        let mut out = [0; 16];
        assert_eq!(store.get(flash, id(0), &mut out).unwrap(), b"before");
    })
    .unwrap();
}

#[test]
fn the_file_is_that_of_a_nor_file() {
    let region = Region::new(0, 4096, 6, 16).unwrap();
    let (plain, grouped) = (Counted::new(region), Counted::new(region));
    let mut file = NorFile::on(plain.clone(), region);
    with_store(&mut file, region, true, |store, flash| {
        transact(store, flash, 1, &mut 0)
    })
    .unwrap()
    .unwrap();
    let mut file = StoreFile::of(NorFile::on(grouped.clone(), region)).unwrap();
    with_store(&mut file, region, true, |store, flash| {
        transact(store, flash, 1, &mut 0)
    })
    .unwrap()
    .unwrap();
    assert_eq!(*plain.bytes.borrow(), *grouped.bytes.borrow());
    assert!(grouped.syncs.get() < plain.syncs.get());
    let mut word = [0; 16];
    file.read(4096, &mut word).unwrap();
    assert_eq!(file.capacity(), 6 * 4096);
    let no_store = Region::new(0, 4096, 2, 16).unwrap();
    let refused = StoreFile::of(NorFile::on(plain, no_store));
    assert_eq!(refused.err(), Some(FileError::Size));
}
