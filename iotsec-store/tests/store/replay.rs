//! An earlier image of the flash, put back.

use iotsec_core::{
    crypto::{Aes256GcmSiv, HkdfSha256},
    hal::{CounterError, MonotonicCounter},
};
use iotsec_store::{IndexEntry, ReplayLevel, ReplayProtection, Store, StoreError, Suite};
use iotsec_testkit::{Geometry, SimFlash, SimRng, SimRootKey, StepUnit, Sweep, Tear};

use crate::device::{self, CHURN, KEY_A, value};

/// A number in hardware, and how often it was raised.
#[derive(Clone, Default)]
struct Counter {
    value: u64,
    raised: u32,
    fails: bool,
}

impl MonotonicCounter for Counter {
    fn read(&mut self) -> Result<u64, CounterError> {
        Ok(self.value)
    }
    fn advance_to(&mut self, value: u64) -> Result<(), CounterError> {
        if self.fails {
            return Err(CounterError::Exhausted);
        }
        assert_eq!(value, self.value + 1, "counted by one");
        (self.value, self.raised) = (value, self.raised + 1);
        Ok(())
    }
}

#[derive(Clone)]
struct Device {
    flash: SimFlash,
    counter: Counter,
    level: ReplayLevel,
}

impl iotsec_testkit::World for Device {
    fn power(&self) -> &iotsec_testkit::Power {
        self.flash.power()
    }
    fn violation(&self) -> Option<iotsec_testkit::Violation> {
        self.flash.violation()
    }
}

fn protection(level: ReplayLevel, counter: &mut Counter) -> ReplayProtection<'_> {
    match level {
        ReplayLevel::None => ReplayProtection::None,
        ReplayLevel::EachPage => ReplayProtection::EachPage(counter),
        ReplayLevel::EachWrite => ReplayProtection::EachWrite(counter),
    }
}

impl Device {
    fn new(level: ReplayLevel, tear: Tear) -> Self {
        let flash = SimFlash::new(Geometry::small(8))
            .with_tear(tear)
            .with_unit(StepUnit::Byte);
        let mut device = Self {
            flash,
            counter: Counter {
                value: 40,
                ..Counter::default()
            },
            level,
        };
        device.open(true, |_, _| ()).unwrap();
        device
    }

    fn open<R>(
        &mut self,
        format: bool,
        work: impl FnOnce(&mut Store<'_>, &mut SimFlash) -> R,
    ) -> Result<R, StoreError> {
        let root = SimRootKey::new(7);
        let suite = Suite {
            aead: &Aes256GcmSiv,
            kdf: &HkdfSha256,
            root: &root,
        };
        let (mut index, mut buffer) = ([IndexEntry::EMPTY; 8], [0; 256]);
        let mut rng = SimRng::new(3);
        let flash = &mut self.flash;
        let region = flash.region().unwrap();
        let replay = protection(self.level, &mut self.counter);
        let mut store = if format {
            Store::format(flash, region, suite, &mut index, &mut buffer, replay, &mut rng)?
        } else {
            Store::mount(flash, region, suite, &mut index, &mut buffer, replay, &mut rng)?
        };
        assert_eq!(store.replay_level(), self.level);
        Ok(work(&mut store, flash))
    }

    fn put(&mut self, tag: u32) -> Result<(), StoreError> {
        self.open(false, |store, flash| store.put(flash, KEY_A, &value(tag, 30)))
            .and_then(|done| done)
    }
}

#[test]
fn n02_any_earlier_image_is_refused_when_every_write_counts() {
    let mut device = Device::new(ReplayLevel::EachWrite, Tear::Torn);
    let mut images = Vec::new();
    device
        .open(false, |store, flash| {
            for round in 0..30 {
                store.put(flash, KEY_A, &value(round, 30)).unwrap();
                images.push(flash.clone());
                match round % 5 {
                    0 => store.increment(flash, CHURN).map(|_| ()).unwrap(),
                    1 => store.remove(flash, KEY_A).unwrap(),
                    2 => {
                        let mut transaction = store.transaction();
                        transaction.put(flash, KEY_A, b"a").unwrap();
                        transaction.put(flash, device::KEY_B, b"b").unwrap();
                        transaction.commit(flash).unwrap();
                    }
                    _ => continue,
                }
                images.push(flash.clone());
            }
        })
        .unwrap();
    let last = images.pop().unwrap();
    assert!(images.len() > 40);
    for image in images {
        let mut thief = device.clone();
        thief.flash = image;
        assert_eq!(thief.put(99), Err(StoreError::RolledBack));
    }
    device.flash = last;
    device.put(99).unwrap();
}

#[test]
fn n02_an_image_from_before_the_page_is_refused_when_every_page_counts() {
    let mut device = Device::new(ReplayLevel::EachPage, Tear::Torn);
    let mut images = Vec::new();
    for round in 0..20 {
        images.push(device.flash.clone());
        device.put(round).unwrap();
    }
    for image in images {
        let mut thief = device.clone();
        thief.flash = image;
        assert_eq!(thief.put(99), Err(StoreError::RolledBack));
    }
    // Counted once for formatting and once for each boot that wrote.
    assert_eq!(device.counter.raised, 21);
}

#[test]
fn a_cut_anywhere_is_no_rollback() {
    let mut total = 0;
    for level in [ReplayLevel::EachPage, ReplayLevel::EachWrite] {
        for tear in [Tear::Torn, Tear::Clean, Tear::EccPoison, Tear::Unstable] {
            let mut prepared = Device::new(level, tear);
            for round in 0..25 {
                prepared.put(round).unwrap();
            }
            total += Sweep::new().full(10).each_cut(
                || prepared.clone(),
                |device| device.put(50).and_then(|()| device.put(51)),
                |device, _| {
                    for round in 60..63 {
                        device.put(round).unwrap();
                    }
                },
            );
        }
    }
    println!("replay protection: {total} cut points");
    assert!(total > 1_000);
}

#[test]
fn a_counter_that_fails_once_loses_nothing() {
    for level in [ReplayLevel::EachPage, ReplayLevel::EachWrite] {
        let mut device = Device::new(level, Tear::Torn);
        device.put(1).unwrap();
        device.counter.fails = true;
        assert_eq!(device.put(2), Err(StoreError::Counter(CounterError::Exhausted)));
        device.counter.fails = false;
        device.put(3).unwrap();
        let found = device
            .open(false, |store, flash| device::read(store, flash, KEY_A))
            .unwrap();
        assert_eq!(found, Some(value(3, 30)));
    }
}

#[test]
fn n13_protection_is_for_life() {
    for (made, asked) in [
        (ReplayLevel::EachWrite, ReplayLevel::None),
        (ReplayLevel::EachPage, ReplayLevel::None),
        (ReplayLevel::None, ReplayLevel::EachPage),
        (ReplayLevel::None, ReplayLevel::EachWrite),
    ] {
        let mut device = Device::new(made, Tear::Torn);
        device.put(1).unwrap();
        device.level = asked;
        assert_eq!(
            device.put(2),
            Err(StoreError::ReplayProtection),
            "{made:?}, {asked:?}"
        );
    }
    // Another device's counter, or one that lost its value.
    let mut device = Device::new(ReplayLevel::EachWrite, Tear::Torn);
    device.counter.value = 3;
    assert_eq!(device.put(1), Err(StoreError::Counter(CounterError::Unreadable)));
}
