//! A disk that holds, of what was written since the last sync, whatever it likes.
use std::cell::Cell;

use embedded_storage::nor_flash::{NorFlash, ReadNorFlash};
use iotsec_core::hal::{Region, linux::Medium};
use iotsec_store::linux::NorFile;
use iotsec_testkit::{Power, SimDisk, Sweep, Violation, World};

use crate::story::{Change, Expected, with_store};

const CHANGES: u32 = 40;

struct Device {
    file: NorFile<SimDisk>,
    power: Power,
    expected: Expected,
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
    fn new(disk: SimDisk, region: Region, expected: Expected) -> Self {
        let power = disk.power().clone();
        Self {
            file: NorFile::on(disk, region),
            power,
            expected,
        }
    }

    fn region(&self) -> Region {
        self.file.region()
    }

    /// Mounts, and makes changes until the power is gone.
    fn work(&mut self, from: u32) {
        let region = self.region();
        let (expected, power) = (&mut self.expected, &self.power);
        let _ = with_store(&mut self.file, region, false, |store, flash| {
            match expected.compare(store, flash) {
                Err(wrong) if !power.is_lost() => panic!("{wrong}"),
                Err(_) => return,
                Ok(()) => {}
            }
            for change in (from..from + CHANGES).map(Change::new) {
                expected.in_flight = Some(change);
                if change.make(store, flash).is_err() {
                    return;
                }
                expected.acknowledge(change);
            }
        });
    }

    fn check(&mut self) -> Result<(), String> {
        self.file.medium().lose_cache();
        let region = self.region();
        let mut expected = std::mem::take(&mut self.expected);
        let result = expected.check(&mut self.file, region, 5_000);
        self.expected = expected;
        result
    }
}

/// A formatted disk with some changes on it.
fn prepared(region: Region, disk: SimDisk) -> (SimDisk, Expected) {
    let mut device = Device::new(disk, region, Expected::default());
    device
        .file
        .medium()
        .write_at(0, &vec![0xFF; bytes(region)])
        .unwrap();
    device.file.medium().sync().unwrap();
    with_store(&mut device.file, region, true, |_, _| ()).unwrap();
    device.work(1_000);
    assert_eq!(device.expected.in_flight, None);
    (device.file.medium().clone(), device.expected)
}

fn bytes(region: Region) -> usize {
    usize::try_from(region.len()).unwrap()
}

/// Page, pages and word: records inside of a sector, and across several.
fn regions() -> [Region; 3] {
    [(4096, 6, 16), (2048, 5, 4), (8192, 5, 512)]
        .map(|(page, count, word)| Region::new(0, page, count, word).unwrap())
}

#[test]
fn each_call_that_has_returned_is_on_the_disk() {
    let region = Region::new(0, 4096, 5, 16).unwrap();
    for seed in 0..50 {
        let mut file = NorFile::on(SimDisk::new(bytes(region) / 512), region.with_erased(0));
        let power = file.medium().power().clone();
        power.reseed(seed);
        let mut read = [0; 4096];
        for page in 0..5 {
            file.write(page * 4096, &[0x5A; 4096]).unwrap();
            file.medium().lose_cache();
            file.read(page * 4096, &mut read).unwrap();
            assert_eq!(read, [0x5A; 4096], "seed {seed}");
            file.erase(page * 4096, (page + 1) * 4096).unwrap();
            file.medium().lose_cache();
            file.read(page * 4096, &mut read).unwrap();
            assert_eq!(read, [0; 4096], "seed {seed}");
        }
    }
}

#[test]
fn every_order_in_which_a_cache_is_written_back_is_survived() {
    for region in regions() {
        let (disk, expected) = prepared(region, SimDisk::new(bytes(region) / 512));
        let sweep = Sweep::new().rounds(20).full(1_000);
        let points = sweep.each_cut(
            || Device::new(disk.clone(), region, expected.clone()),
            |device| device.work(2_000),
            |device, _| device.check().unwrap(),
        );
        println!("{region:?}: {points} cut points");
        assert!(points > 500, "{points}");
    }
}

#[test]
fn a_second_cut_while_the_first_is_recovered_from_is_survived() {
    for region in regions() {
        let (disk, expected) = prepared(region, SimDisk::new(bytes(region) / 512));
        let pairs = Sweep::new().rounds(4).quick(5).full(8).two_cuts(
            || Device::new(disk.clone(), region, expected.clone()),
            |device| device.work(2_000),
            |device| {
                device.file.medium().lose_cache();
                device.work(3_000);
            },
            |device, _| device.check().unwrap(),
        );
        println!("{region:?}: {pairs} pairs of cuts");
        assert!(pairs > 500, "{pairs}");
    }
}

#[test]
fn a_disk_that_lies_about_syncs_is_found_out() {
    for region in regions() {
        let (disk, expected) = prepared(region, SimDisk::new(bytes(region) / 512));
        let violations = Cell::new(0);
        let points = Sweep::new().each_cut(
            || Device::new(disk.clone().lying(), region, expected.clone()),
            |device| device.work(2_000),
            |device, _| violations.set(violations.get() + u64::from(device.check().is_err())),
        );
        println!("{region:?}: {} of {points} cuts lose something", violations.get());
        assert!(violations.get() > points / 2);
    }
}
