//! A flash driver that fails now and then, or for good.

use std::collections::BTreeMap;

use iotsec_store::{KeyDomain, KeyId, Scrub, StoreError};
use iotsec_testkit::{Geometry, Operation, SimFlash, Tear};

use crate::device::{self, CHURN, Device, KEY_A, KEY_B, value};

type Contents = BTreeMap<KeyId, Vec<u8>>;

/// A store in which the next page that is opened collects another.
fn prepared() -> (Device, Contents) {
    let mut device = Device::new(Geometry::small(9), Tear::Torn);
    let mut contents = device::contents();
    device.with_store(|store, flash, _| {
        for round in 0..12 {
            store.put(flash, CHURN, &value(round, 50)).unwrap();
        }
        assert_eq!(store.pages_in_use() + 1, store.data_pages());
    });
    contents.insert(CHURN, value(11, 50));
    (device, contents)
}

fn contents(device: &mut Device) -> Contents {
    device.with_store(|store, flash, _| {
        let keys: Vec<_> = store.keys().collect();
        keys.into_iter()
            .map(|key| (key, device::read(store, flash, key).unwrap()))
            .collect()
    })
}

/// Lets operation after operation of one kind fail, `length` in a row, while a story is played; what was
/// acknowledged is there afterwards, and what was refused has happened or has not.
fn strike(operation: Operation, length: u64) -> u64 {
    let mut from = 0;
    loop {
        let (mut device, old) = prepared();
        let mut allowed: BTreeMap<KeyId, Vec<Option<Vec<u8>>>> = old
            .iter()
            .map(|(key, value)| (*key, vec![Some(value.clone())]))
            .collect();
        device.flash.fail(operation, from..from.saturating_add(length));
        let _ = device.try_with_store(|store, flash, rng| {
            let mut note = |result: Result<(), StoreError>, key: KeyId, new: Option<Vec<u8>>| match result {
                Ok(()) => {
                    allowed.insert(key, vec![new]);
                }
                Err(_) => allowed.entry(key).or_default().push(new),
            };
            for round in 20..26 {
                let new = value(round, 40);
                note(store.put(flash, CHURN, &new), CHURN, Some(new));
            }
            note(store.remove(flash, KEY_B), KEY_B, None);
            let erased = store.erase_user(flash, rng);
            for key in old.keys().filter(|key| key.domain() == KeyDomain::User) {
                note(erased, *key, None);
            }
            for _ in 0..20 {
                if store.scrub_step(flash) == Ok(Scrub::Done) {
                    break;
                }
            }
            // In RAM too: what it says is there can be read, unless the driver still fails.
            let keys: Vec<_> = store.keys().collect();
            for key in keys {
                let mut out = [0; 2048];
                match store.get(flash, key, &mut out) {
                    Ok(_) | Err(StoreError::Flash(_)) => {}
                    Err(StoreError::KeyLost) => assert_eq!(key.domain(), KeyDomain::User),
                    Err(error) => panic!("{key:?}: {error}"),
                }
            }
        });
        let struck = count(&device.flash, operation) > from;
        device.flash.mend();
        let found = contents(&mut device);
        for (key, allowed) in allowed {
            assert!(
                allowed.contains(&found.get(&key).cloned()),
                "{key:?} is {:?} of {allowed:?} after failure of {operation:?} {from}",
                found.get(&key)
            );
        }
        // And it goes on working.
        device.with_store(|store, flash, rng| {
            store.put(flash, KEY_A, b"works").unwrap();
            store.erase_user(flash, rng).unwrap();
        });
        assert_eq!(contents(&mut device)[&KEY_A], b"works");
        assert_eq!(device.flash.violation(), None);
        if !struck {
            return from;
        }
        from += 1 + from / 40;
    }
}

fn count(flash: &SimFlash, operation: Operation) -> u64 {
    // Failed operations are not counted by the flash; they are few.
    let stats = flash.stats();
    match operation {
        Operation::Read => stats.reads,
        Operation::Write => stats.writes,
        Operation::Erase => stats.erases,
    }
}

#[test]
fn n17_a_failing_driver_loses_nothing() {
    for operation in [Operation::Read, Operation::Write, Operation::Erase] {
        for length in [1, 2, 5, 100_000] {
            let points = strike(operation, length);
            println!("{operation:?}, {length} in a row: up to number {points}");
            assert!(points > 5);
        }
    }
}

#[test]
fn n17_reads_that_fail_for_a_while_are_not_taken_for_torn_words() {
    let (prepared, before) = prepared();
    let (mut mounted, mut refused) = (0, 0);
    for length in [
        1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 20, 40, 60, 80, 120, 160, 240, 500, 1000, 100_000,
    ] {
        for from in 0..250 {
            let mut device = prepared.clone();
            device.flash.fail(Operation::Read, from..from + length);
            // The first write makes final what the mount found.
            let result = device.try_with_store(|store, flash, _| {
                flash.mend();
                store.put(flash, device::PROBE, b"probe").unwrap();
            });
            device.flash.mend();
            match result {
                Ok(()) => mounted += 1,
                Err(error) => {
                    assert!(matches!(error, StoreError::Flash(_)), "{error:?}");
                    refused += 1;
                }
            }
            let mut found = contents(&mut device);
            found.remove(&device::PROBE);
            assert_eq!(found, before, "reads {from} and {length} in all failed");
        }
    }
    println!("failing reads: {mounted} mounted, {refused} refused");
    assert!(mounted > 2000 && refused > 300);
}

#[test]
fn a_value_whose_words_are_gone_is_reported_for_ever() {
    let (mut device, old) = prepared();
    // Where the record of KEY_A lies: the words that a get of it reads.
    let at = (0..device.region.len())
        .step_by(4)
        .find(|at| {
            let mut device = device.clone();
            device.flash.poison(*at);
            let read = device.try_with_store(|store, flash, _| {
                let mut out = [0; 2048];
                store.get(flash, KEY_A, &mut out).map(|_| ())
            });
            matches!(read, Ok(Err(StoreError::Tampered)))
        })
        .unwrap();
    device.flash.poison(at);
    for round in 0..60 {
        device.with_store(|store, flash, _| {
            let mut out = [0; 2048];
            let read = store.get(flash, KEY_A, &mut out);
            assert_eq!(read, Err(StoreError::Tampered), "round {round}");
            store.put(flash, CHURN, &value(round, 50)).unwrap();
        });
    }
    // Collected long ago, and still known to be missing.
    device.with_store(|store, flash, _| {
        let mut out = [0; 2048];
        assert_eq!(store.get(flash, KEY_A, &mut out), Err(StoreError::Tampered));
        for (key, value) in old {
            if ![KEY_A, CHURN].contains(&key) {
                assert_eq!(device::read(store, flash, key), Some(value));
            }
        }
        store.put(flash, KEY_A, b"new").unwrap();
        assert_eq!(device::read(store, flash, KEY_A), Some(b"new".to_vec()));
    });
}
