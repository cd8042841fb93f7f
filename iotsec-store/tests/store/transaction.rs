//! Several changes at once, long values, counters, values for good: each with the power cut at every step.

use iotsec_core::error::ErrorCode;
use iotsec_store::{KeyDomain, KeyId, Store, StoreError};
use iotsec_testkit::{Geometry, SimFlash, Sweep, Tear, each_cut};

use crate::device::{self, CHURN, Device, KEY_A, KEY_B, KEY_NEW, OWNER, value};

const BOOTS: KeyId = KeyId::new(KeyDomain::Device, 4, 1);
const TEARS: [Tear; 4] = [Tear::Torn, Tear::Clean, Tear::EccPoison, Tear::Unstable];

fn table() -> Vec<(&'static str, Geometry)> {
    vec![
        ("small", Geometry::small(12)),
        ("smallest", Geometry::small(6)),
        ("STM32L4", Geometry::stm32l4(6)),
        ("erased to zero", Geometry::erased_zero(12)),
        ("words of 32", Geometry::new(&[1024; 6], 32)),
    ]
}

/// A store in which the next page that is opened collects another.
fn full(geometry: &Geometry, tear: Tear) -> Device {
    let mut device = Device::new(geometry.clone(), tear);
    for round in 0..60 {
        device.with_store(|store, flash, _| store.put(flash, CHURN, &value(round, 20)).unwrap());
    }
    device
}

type Contents = Vec<Option<Vec<u8>>>;
const KEYS: [KeyId; 5] = [KEY_A, KEY_B, KEY_NEW, OWNER[0], OWNER[1]];

fn contents(device: &mut Device) -> Contents {
    device.with_store(|store, flash, _| KEYS.map(|key| device::read(store, flash, key)).to_vec())
}

/// Puts, an overwritten one among them, and a removal.
fn change(store: &mut Store<'_>, flash: &mut SimFlash) -> Result<(), StoreError> {
    let mut transaction = store.transaction();
    transaction.put(flash, KEY_A, b"first try")?;
    transaction.put(flash, KEY_NEW, &value(5, 30))?;
    transaction.remove(flash, KEY_B)?;
    transaction.put(flash, KEY_A, &value(6, 40))?;
    transaction.put(flash, OWNER[0], b"the new network")?;
    transaction.commit(flash)
}

fn changed(old: &Contents) -> Contents {
    vec![
        Some(value(6, 40)),
        None,
        Some(value(5, 30)),
        Some(b"the new network".to_vec()),
        old[4].clone(),
    ]
}

#[test]
fn a_value_that_a_transaction_makes_shorter_again_stays_so() {
    for filler in 0..14 {
        let mut device = Device::blank(Geometry::small(4), Tear::Clean);
        device.format().unwrap();
        device.with_store(|store, flash, _| {
            store.put(flash, KEY_B, &value(0, 4)).unwrap();
            for round in 0..=filler {
                store.put(flash, CHURN, &value(round, 8)).unwrap();
            }
            let longest = store.max_value_len() / 16;
            let mut transaction = store.transaction();
            transaction.put(flash, KEY_A, &value(1, longest + 6)).unwrap();
            transaction.put(flash, KEY_A, &value(2, longest - 10)).unwrap();
            transaction.commit(flash).unwrap();
        });
        for round in 0..20 {
            device.with_store(|store, flash, _| {
                let len = store.max_value_len() / 16 - 10;
                assert_eq!(
                    device::read(store, flash, KEY_A),
                    Some(value(2, len)),
                    "{filler} {round}"
                );
                store.put(flash, CHURN, &value(round, 8)).unwrap();
            });
        }
    }
}

#[test]
fn n15_a_transaction_cut_anywhere_has_happened_or_has_not() {
    let mut total = 0;
    for (name, geometry) in table() {
        for tear in TEARS {
            let mut prepared = full(&geometry, tear);
            let old = contents(&mut prepared);
            let new = changed(&old);
            total += Sweep::new().full(16).each_cut(
                || prepared.clone(),
                |device| device.run(|store, flash, _| change(store, flash)),
                |device, outcome| {
                    for round in 0..3 {
                        let found = contents(device);
                        let known = found == new || found == old && outcome.result.is_err();
                        assert!(known, "{name}, {tear:?}, round {round}: {found:?}");
                        device.with_store(|store, flash, _| {
                            store.put(flash, CHURN, &value(round, 20)).unwrap();
                        });
                        // From the first write on it stays as it was found.
                        if round > 0 {
                            continue;
                        }
                        let settled = contents(device);
                        assert!(settled == new || settled == old && outcome.result.is_err());
                    }
                },
            );
        }
    }
    println!("transaction: {total} cut points");
    assert!(total > 5_000);
}

#[test]
fn a_transaction_cut_twice_has_happened_or_has_not() {
    let mut total = 0;
    for tear in [Tear::Torn, Tear::EccPoison] {
        let mut prepared = full(&Geometry::small(6), tear);
        let old = contents(&mut prepared);
        let new = changed(&old);
        total += Sweep::new().quick(3).full(2).two_cuts(
            || prepared.clone(),
            |device| device.run(|store, flash, _| change(store, flash)),
            |device| {
                let _ = device.try_with_store(|store, flash, _| store.put(flash, CHURN, b"recovered"));
            },
            |device, outcome| {
                let found = contents(device);
                let known = found == new || found == old && outcome.result.is_err();
                assert!(known, "{tear:?}: {found:?}");
                device.with_store(|store, flash, _| change(store, flash).unwrap_or(()));
            },
        );
    }
    println!("transaction: {total} pairs of cuts");
    assert!(total > 1_000);
}

#[test]
fn a_commit_that_reads_right_again_completes_nothing_that_came_later() {
    let mut device = full(&Geometry::small(8), Tear::Torn);
    let old = contents(&mut device);
    let mut record = Vec::new();
    device.with_store(|store, flash, _| {
        let mut transaction = store.transaction();
        transaction.put(flash, KEY_A, b"first").unwrap();
        let before = flash.image().to_vec();
        transaction.commit(flash).unwrap();
        record = (0..before.len())
            .filter(|at| before[*at] != flash.image()[*at])
            .collect();
    });
    let last = *record.last().unwrap();
    let (at, whole) = (u32::try_from(last).unwrap(), device.flash.image()[last]);
    let mut void = 0;
    let points = each_cut(
        || device.clone(),
        |device| device.try_with_store(|_, _, _| ()),
        |device, _| {
            // Its last byte reads as something else for a while.
            device.flash.tamper(at, &[!whole]);
            let found = contents(device);
            device.with_store(|store, flash, _| {
                store.put(flash, CHURN, b"next").unwrap();
                let mut transaction = store.transaction();
                transaction.put(flash, KEY_NEW, b"never").unwrap();
                transaction.remove(flash, KEY_B).unwrap();
                std::mem::forget(transaction);
            });
            device.flash.tamper(at, &[whole]);
            assert_eq!(contents(device), found);
            void += u32::from(found == old);
        },
    );
    println!("mount that writes a commit again: {points} places to cut, in {void} it is void");
    assert!(void > 50);
}

#[test]
fn a_transaction_that_is_given_up_leaves_nothing_behind() {
    for (name, geometry) in table() {
        let mut device = full(&geometry, Tear::Torn);
        let old = contents(&mut device);
        for round in 0..40 {
            device.with_store(|store, flash, _| {
                let mut transaction = store.transaction();
                transaction.put(flash, KEY_A, &value(round, 50)).unwrap();
                transaction.put(flash, KEY_NEW, b"never").unwrap();
                transaction.remove(flash, KEY_B).unwrap();
                if round % 2 == 0 {
                    drop(transaction);
                } else {
                    std::mem::forget(transaction);
                }
                // The next one counts, and only the next one.
                let mut transaction = store.transaction();
                transaction.put(flash, CHURN, &value(round, 20)).unwrap();
                transaction.commit(flash).unwrap();
                assert_eq!(device::read(store, flash, CHURN), Some(value(round, 20)));
            });
            assert_eq!(contents(&mut device), old, "{name}, round {round}");
        }
    }
}

#[test]
fn what_a_transaction_does_is_seen_when_it_is_complete() {
    let mut device = Device::new(Geometry::small(12), Tear::Torn);
    device.with_store(|store, flash, _| {
        let mut transaction = store.transaction();
        transaction.put(flash, KEY_NEW, b"new").unwrap();
        assert_eq!(transaction.remove(flash, BOOTS), Err(StoreError::NotFound));
        transaction.remove(flash, KEY_NEW).unwrap();
        assert_eq!(transaction.remove(flash, KEY_NEW), Err(StoreError::NotFound));
        transaction.put(flash, KEY_NEW, b"newer").unwrap();
        transaction.commit(flash).unwrap();
        assert_eq!(device::read(store, flash, KEY_NEW), Some(b"newer".to_vec()));
        // Nothing in it: nothing is written.
        let before = flash.stats();
        store.transaction().commit(flash).unwrap();
        assert_eq!((flash.stats() - before).bytes_written, 0);
    });
    device.with_store(|store, flash, _| {
        assert_eq!(device::read(store, flash, KEY_NEW), Some(b"newer".to_vec()));
    });
}

#[test]
fn a_transaction_for_which_there_is_no_room_changes_nothing() {
    let mut device = full(&Geometry::small(6), Tear::Torn);
    let old = contents(&mut device);
    device.with_store(|store, flash, _| {
        let mut transaction = store.transaction();
        let mut refused = 0;
        for round in 0..30 {
            let key = KeyId::new(KeyDomain::Device, 9, round);
            match transaction.put(flash, key, &[7; 60]) {
                Ok(()) => {}
                Err(StoreError::Full | StoreError::IndexFull) => refused += 1,
                Err(error) => panic!("{error}"),
            }
        }
        assert!(refused > 0);
    });
    assert_eq!(contents(&mut device), old);
}

#[test]
fn n22_a_long_value_cut_anywhere_is_the_old_one_or_the_new_one() {
    let mut total = 0;
    let table = [
        ("small", Geometry::small(16)),
        ("STM32L4", Geometry::stm32l4(12)),
        ("words of 32", Geometry::new(&[1024; 12], 32)),
    ];
    for (name, geometry) in table {
        for tear in TEARS {
            let mut prepared = full(&geometry, tear);
            let long = |tag: u32, parts: usize| {
                move |store: &mut Store<'_>, flash: &mut SimFlash| {
                    let part = store.max_value_len() / 16;
                    store.put(flash, KEY_NEW, &value(tag, part * parts - 7))
                }
            };
            let read = |device: &mut Device| {
                device.with_store(|store, flash, _| {
                    let mut out = vec![0; store.max_value_len()];
                    let found = store.get(flash, KEY_NEW, &mut out);
                    found.map(|value| (value.len(), value[..9].to_vec()))
                })
            };
            prepared.with_store(|store, flash, _| long(1, 3)(store, flash).unwrap());
            let old = read(&mut prepared).unwrap();
            let mut after = prepared.clone();
            after.with_store(|store, flash, _| long(22, 2)(store, flash).unwrap());
            let new = read(&mut after).unwrap();
            assert_ne!(old, new);
            total += Sweep::new().quick(5).full(3).each_cut(
                || prepared.clone(),
                |device| device.run(|store, flash, _| long(22, 2)(store, flash)),
                |device, outcome| {
                    for _ in 0..2 {
                        let found = read(device).unwrap();
                        assert!(
                            found == new || found == old && outcome.result.is_err(),
                            "{name}, {tear:?}"
                        );
                        device.with_store(|store, flash, _| store.put(flash, CHURN, b"next").unwrap());
                    }
                },
            );
        }
    }
    println!("long value: {total} cut points");
    assert!(total > 1_000);
}

#[test]
fn n23_a_counter_cut_anywhere_counts_once_or_not_at_all() {
    let mut total = 0;
    for (name, geometry) in table() {
        for tear in TEARS {
            let mut prepared = full(&geometry, tear);
            for count in 1..9 {
                prepared.with_store(|store, flash, _| {
                    assert_eq!(store.increment(flash, BOOTS), Ok(count));
                });
            }
            total += Sweep::new().full(16).each_cut(
                || prepared.clone(),
                |device| device.run(|store, flash, _| store.increment(flash, BOOTS).map(|_| ())),
                |device, outcome| {
                    let found = device.with_store(|store, flash, _| store.count(flash, BOOTS).unwrap());
                    assert!(
                        found == 9 || found == 8 && outcome.result.is_err(),
                        "{name}, {tear:?}: {found}"
                    );
                    let next = device.with_store(|store, flash, _| store.increment(flash, BOOTS).unwrap());
                    assert!(next == found + 1 || tear == Tear::Unstable && (9..=10).contains(&next));
                },
            );
        }
    }
    println!("counter: {total} cut points");
    assert!(total > 1_000);
}

#[test]
fn counters_and_values_are_told_apart() {
    let mut device = Device::new(Geometry::small(12), Tear::Torn);
    device.with_store(|store, flash, _| {
        assert_eq!(store.count(flash, BOOTS), Ok(0));
        assert_eq!(store.increment(flash, KEY_A), Err(StoreError::NotCounter));
        assert_eq!(store.count(flash, KEY_A), Err(StoreError::NotCounter));
        for count in 1..=300 {
            assert_eq!(store.increment(flash, BOOTS), Ok(count));
        }
        store.put(flash, BOOTS, b"a value again").unwrap();
        assert_eq!(store.count(flash, BOOTS), Err(StoreError::NotCounter));
        store.remove(flash, BOOTS).unwrap();
        assert_eq!(store.increment(flash, BOOTS), Ok(1));
    });
}

#[test]
fn n25_a_value_for_good_outlives_everything_but_its_domain() {
    let mut device = Device::new(Geometry::small(12), Tear::Torn);
    let refused = Err(StoreError::WriteOnce);
    for round in 0..40 {
        device.with_store(|store, flash, _| {
            for (key, value) in [
                (KEY_NEW, &b"serial 4711"[..]),
                (KeyId::new(KeyDomain::User, 3, 3), b"owner"),
            ] {
                let stored = store.put_once(flash, key, value);
                assert_eq!(stored, if round == 0 { Ok(()) } else { refused });
                assert_eq!(store.put(flash, key, b"other"), refused);
                assert_eq!(store.remove(flash, key), refused);
                assert_eq!(store.increment(flash, key), refused.map(|()| 0));
                let mut transaction = store.transaction();
                assert_eq!(transaction.put(flash, key, b"other"), refused);
                assert_eq!(transaction.remove(flash, key), refused);
                drop(transaction);
                assert_eq!(device::read(store, flash, key), Some(value.to_vec()));
            }
            store.put(flash, CHURN, &value(round, 50)).unwrap();
        });
    }
    device.with_store(|store, flash, rng| {
        store.erase_user(flash, rng).unwrap();
        let owner = KeyId::new(KeyDomain::User, 3, 3);
        store.put(flash, owner, b"the next owner").unwrap();
        assert_eq!(store.put(flash, KEY_NEW, b"other"), refused);
    });
    assert_eq!(StoreError::WriteOnce.code(), 3015);
}
