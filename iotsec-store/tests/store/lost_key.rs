//! The page of the user domain's key is damaged: everything else goes on, and an erasure makes an end of it.

#![allow(
    clippy::redundant_closure_for_method_calls,
    reason = "the method path is not general enough"
)]

use std::collections::BTreeMap;

use iotsec_store::{KeyDomain, KeyId, Scrub, Store, StoreError};
use iotsec_testkit::{Geometry, Outcome, SimFlash, SimRng, Sweep, Tear};

use crate::device::{self, CHURN, Device, KEY_A, KEY_B, KEY_NEW, OWNER, value};

fn erase(store: &mut Store<'_>, flash: &mut SimFlash, rng: &mut SimRng) -> Result<(), StoreError> {
    store.erase_user(flash, rng)
}

type Contents = BTreeMap<KeyId, Vec<u8>>;

fn table() -> Vec<(&'static str, Geometry, Tear)> {
    vec![
        ("smallest", Geometry::small(8), Tear::Torn),
        ("small", Geometry::small(12), Tear::EccPoison),
        ("STM32L4", Geometry::stm32l4(6), Tear::Torn),
        ("erased to zero", Geometry::erased_zero(8), Tear::Unstable),
        ("words of 32", Geometry::new(&[1024; 6], 32), Tear::Clean),
    ]
}

/// Damages the key, so that its page reads and its tag fails, or so that it does not read.
fn damage(device: &mut Device, readable: bool) {
    if readable {
        device.flash.tamper(40, &[0x5A; 8]);
    } else {
        device.flash.poison(40);
    }
}

/// Changes a value, removes one and makes one in the device domain, and changes one in the user's; in a boot of its
/// own, so that the commit is the last record.
fn change(device: &mut Device, round: u32) {
    device.with_store(|store, flash, _| {
        let mut transaction = store.transaction();
        transaction.put(flash, KEY_A, &value(round, 21)).unwrap();
        transaction.put(flash, CHURN, &value(round, 40)).unwrap();
        match round % 2 {
            0 => transaction.put(flash, KEY_NEW, &value(round, 30)).unwrap(),
            _ => transaction.remove(flash, KEY_NEW).unwrap(),
        }
        transaction.put(flash, OWNER[0], &value(round, 12)).unwrap();
        transaction.commit(flash).unwrap();
    });
}

/// What the device domain holds after [`change`].
fn changed(round: u32) -> Contents {
    let mut contents = BTreeMap::from([
        (KEY_A, value(round, 21)),
        (KEY_B, device::contents()[&KEY_B].clone()),
        (CHURN, value(round, 40)),
    ]);
    if round.is_multiple_of(2) {
        contents.insert(KEY_NEW, value(round, 30));
    }
    contents
}

fn of_the_device(store: &mut Store<'_>, flash: &mut SimFlash) -> Contents {
    let keys: Vec<_> = store
        .keys()
        .filter(|key| key.domain() == KeyDomain::Device)
        .collect();
    let read = keys.into_iter().map(|key| {
        let value = device::read(store, flash, key).unwrap();
        assert_eq!(store.value_len(key), Some(value.len()));
        (key, value)
    });
    read.collect()
}

/// Stores in which a transaction was the last thing that happened, and whose user key is damaged then, with the page that
/// it was in; the next page that is opened collects one, sooner or later one with something of the user's in it.
fn stores(geometry: &Geometry, tear: Tear) -> Vec<(u32, Device, Vec<u8>)> {
    let mut device = Device::new(geometry.clone(), tear);
    let mut stores = Vec::new();
    for round in 0..16 {
        change(&mut device, round);
        let key = device.flash.image()[..96].to_vec();
        for readable in [true, false] {
            let mut damaged = device.clone();
            damage(&mut damaged, readable);
            stores.push((round, damaged, key.clone()));
        }
    }
    stores
}

/// Whether something that cannot be read is in the way of every write.
fn is_in_the_way(device: &Device) -> bool {
    let mut device = device.clone();
    device.with_store(|store, flash, _| store.put(flash, CHURN, b"next")) == Err(StoreError::KeyLost)
}

#[test]
fn a_store_whose_user_key_is_lost_mounts_and_keeps_what_is_of_the_device() {
    let (mut free, mut blocked) = (0, 0);
    for (name, geometry, tear) in table() {
        for (round, mut device, _) in stores(&geometry, tear) {
            for boot in 0..3 {
                device.with_store(|store, flash, _| {
                    assert_eq!(
                        of_the_device(store, flash),
                        changed(round),
                        "{name}, {round}, {boot}"
                    );
                    let mut out = [0; 64];
                    for key in OWNER {
                        assert!(store.contains(key));
                        assert_eq!(store.get(flash, key, &mut out), Err(StoreError::KeyLost));
                        assert_eq!(store.put(flash, key, b"new"), Err(StoreError::KeyLost));
                    }
                });
            }
            let absent = KeyId::new(KeyDomain::Device, 9, 9);
            let mut expected = changed(round);
            let written = device.with_store(|store, flash, _| {
                let written = store.put(flash, KEY_B, b"next");
                assert_eq!(store.remove(flash, absent), Err(StoreError::NotFound));
                if written.is_ok() {
                    expected.insert(KEY_B, b"next".to_vec());
                    free += 1;
                } else {
                    // Refused, whatever it is, and nothing is lost by it.
                    assert_eq!(written, Err(StoreError::KeyLost), "{name}");
                    assert_eq!(store.remove(flash, KEY_A), Err(StoreError::KeyLost));
                    assert_eq!(store.increment(flash, absent), Err(StoreError::KeyLost));
                    let long = vec![7; store.max_value_len() / 16 + 1];
                    let refused = store.put(flash, KEY_B, &long);
                    assert!(
                        matches!(refused, Err(StoreError::KeyLost | StoreError::Full)),
                        "{refused:?}"
                    );
                    let mut transaction = store.transaction();
                    assert_eq!(transaction.put(flash, KEY_B, b"next"), Err(StoreError::KeyLost));
                    assert_eq!(transaction.remove(flash, KEY_A), Err(StoreError::KeyLost));
                    drop(transaction);
                    assert_eq!(store.transaction().commit(flash), Ok(()));
                    blocked += 1;
                }
                assert_eq!(of_the_device(store, flash), expected);
                written
            });
            device.with_store(|store, flash, _| {
                assert_eq!(
                    of_the_device(store, flash),
                    expected,
                    "{name}, {round}, {written:?}"
                );
            });
        }
    }
    println!("a lost user key: {free} stores written to, {blocked} not before the user domain is erased");
    assert!(free > 10 && blocked > 10);
}

#[test]
fn what_is_lost_by_chance_is_there_when_the_key_reads_again() {
    let mut blocked = 0;
    for (name, geometry, tear) in table() {
        // What a page that cannot be read held is not put back by writing it.
        for (round, mut device, key) in stores(&geometry, tear).into_iter().step_by(2) {
            blocked += u32::from(is_in_the_way(&device));
            device.with_store(|store, flash, _| {
                let _ = store.put(flash, CHURN, b"next");
                let _ = store.scrub_step(flash);
            });
            device.flash.tamper(0, &key);
            device.with_store(|store, flash, _| {
                assert_eq!(
                    device::read(store, flash, OWNER[0]),
                    Some(value(round, 12)),
                    "{name}, {round}"
                );
                let second = device::contents()[&OWNER[1]].clone();
                assert_eq!(device::read(store, flash, OWNER[1]), Some(second));
            });
        }
    }
    assert!(blocked > 10);
}

/// Erases the user domain and sees that the store is as good as new.
fn recover(device: &mut Device, expected: &Contents) {
    device.with_store(|store, flash, rng| {
        store.erase_user(flash, rng).unwrap();
        assert!(store.keys().all(|key| key.domain() == KeyDomain::Device));
        store.put(flash, OWNER[0], b"the next owner").unwrap();
        store.put(flash, CHURN, &expected[&CHURN]).unwrap();
        while store.scrub_step(flash).unwrap() == Scrub::Pending {}
        assert_eq!(&of_the_device(store, flash), expected);
    });
    device.with_store(|store, flash, _| {
        assert_eq!(
            device::read(store, flash, OWNER[0]),
            Some(b"the next owner".to_vec())
        );
        assert_eq!(device::read(store, flash, OWNER[1]), None);
        assert_eq!(&of_the_device(store, flash), expected);
        for round in 0..20 {
            store.put(flash, CHURN, &value(round, 40)).unwrap();
        }
    });
}

/// After a cut in the erasure that gives the lost key up: what is of the device is exact, what was the owner's is lost
/// or gone, and the erasure can be repeated.
fn check(device: &mut Device, round: u32, outcome: &Outcome<Result<(), StoreError>>) {
    device.with_store(|store, flash, _| {
        assert_eq!(of_the_device(store, flash), changed(round));
        let mut out = [0; 64];
        for key in OWNER {
            let found = store.get(flash, key, &mut out).map(|_| ());
            let gone = found == Err(StoreError::NotFound);
            assert!(
                gone || found == Err(StoreError::KeyLost) && outcome.result.is_err(),
                "{found:?}"
            );
        }
    });
    recover(device, &changed(round));
}

#[test]
fn an_erasure_that_gives_a_lost_key_up_is_cut_anywhere_and_finished_by_another() {
    let (mut total, mut blocked) = (0, 0);
    for (_, geometry, tear) in table() {
        for (round, damaged, _) in stores(&geometry, tear) {
            blocked += u32::from(is_in_the_way(&damaged));
            total += Sweep::new().quick(7).each_cut(
                || damaged.clone(),
                |device| device.run(erase),
                |device, outcome| check(device, round, &outcome),
            );
        }
    }
    println!("giving a lost key up: {total} cut points");
    assert!(total > 1_000 && blocked > 10);
}

#[test]
fn an_erasure_that_gives_a_lost_key_up_is_cut_twice() {
    let mut total = 0;
    for (round, damaged, _) in stores(&Geometry::small(8), Tear::Torn) {
        if !is_in_the_way(&damaged) {
            continue;
        }
        let erase = |device: &mut Device| device.run(erase);
        total += Sweep::new().quick(29).stride(5).two_cuts(
            || damaged.clone(),
            erase,
            |device| _ = erase(device),
            |device, outcome| check(device, round, &outcome),
        );
    }
    println!("giving a lost key up: {total} pairs of cuts");
    assert!(total > 100);
}
