//! Power cuts at every step of every operation, on every geometry.
//!
//! After each cut: mounting succeeds, what was acknowledged is exact, what was in flight is old or new,
//! what was removed stays removed, and the next put succeeds.

#![allow(
    clippy::redundant_closure_for_method_calls,
    reason = "the method path is not general enough"
)]

use std::collections::BTreeMap;

use crate::device::{self, CIPHERS, Device, KEY_A, KEY_B, KEY_NEW, OWNER, value};
use iotsec_store::{KeyDomain, KeyId, Scrub, StoreError};
use iotsec_testkit::{Geometry, Outcome, Sweep, Tear, each_cut};

/// Every geometry, and on some every way to tear; enough pages for a store and few enough to make
/// collection quick.
fn table() -> Vec<(String, Device)> {
    let named = |(name, geometry): (&str, Geometry), tear: Tear| {
        (format!("{name}, {tear:?}"), Device::blank(geometry, tear))
    };
    let mut table: Vec<_> = Geometry::table(12)
        .into_iter()
        .map(|entry| named(entry, Tear::Torn))
        .collect();
    for tear in [Tear::Clean, Tear::EccPoison, Tear::Unstable] {
        let some = [
            ("small", Geometry::small(12)),
            ("STM32L4", Geometry::stm32l4(12)),
            ("erased to zero", Geometry::erased_zero(12)),
        ];
        table.extend(some.map(|entry| named(entry, tear)));
    }
    let other = named(("small, the other cipher", Geometry::small(12)), Tear::Torn);
    table.push((other.0, other.1.sealed_with(CIPHERS[1])));
    for (name, geometry, tear) in [
        ("small", Geometry::small(12), Tear::Torn),
        ("smaller", Geometry::small(6), Tear::Unstable),
        ("STM32L4", Geometry::stm32l4(12), Tear::EccPoison),
    ] {
        let (name, device) = named((name, geometry), tear);
        table.push((format!("{name}, no user domain"), device.device_only()));
    }
    table
}

/// Those that have a user domain.
fn table_with_user() -> Vec<(String, Device)> {
    let mut table = table();
    table.retain(|(_, device)| !device.device_only);
    table
}

/// What the store must hold: each key's allowed values, `None` meaning absent.
type Allowed = BTreeMap<KeyId, Vec<Option<Vec<u8>>>>;

fn allow(map: &mut Allowed, key: KeyId, values: &[Option<&[u8]>]) {
    map.insert(
        key,
        values.iter().map(|value| value.map(<[u8]>::to_vec)).collect(),
    );
}

/// Mounts, compares, puts, mounts again, compares again.
fn verify(device: &mut Device, allowed: &Allowed) {
    for round in 0..2 {
        let found = device.with_store(|store, flash, _| {
            let keys: Vec<_> = store.keys().collect();
            for key in keys {
                assert!(
                    allowed.contains_key(&key),
                    "round {round}: {key:?} came out of nowhere"
                );
            }
            allowed
                .keys()
                .map(|key| (*key, device::read(store, flash, *key)))
                .collect::<Vec<_>>()
        });
        for (key, value) in found {
            assert!(
                allowed[&key].contains(&value),
                "round {round}: {key:?} is {value:?}"
            );
        }
        if round == 0 {
            let probe = value(99, 9);
            device.with_store(|store, flash, _| {
                store.put(flash, device::PROBE, &probe).unwrap();
                assert_eq!(device::read(store, flash, device::PROBE), Some(probe.clone()));
            });
            device.with_store(|store, flash, _| store.remove(flash, device::PROBE).unwrap());
        }
    }
}

fn base(device: &Device) -> Allowed {
    let mut map = Allowed::new();
    for key in OWNER {
        allow(&mut map, key, &[None]);
    }
    for (key, value) in device.contents() {
        allow(&mut map, key, &[Some(&value)]);
    }
    map
}

/// Sweeps `operation` over every geometry; `expect` says what may be there afterwards.
fn sweep(
    name: &str,
    prepare: impl Fn(&mut Device),
    operation: impl Fn(&mut Device) -> Result<(), StoreError>,
    expect: impl Fn(&Outcome<Result<(), StoreError>>, &mut Allowed),
) {
    sweep_over(name, table(), prepare, operation, expect);
}

/// The same over these.
fn sweep_over(
    name: &str,
    table: Vec<(String, Device)>,
    prepare: impl Fn(&mut Device),
    operation: impl Fn(&mut Device) -> Result<(), StoreError>,
    expect: impl Fn(&Outcome<Result<(), StoreError>>, &mut Allowed),
) {
    let mut total = 0;
    for (geometry_name, blank) in table {
        let mut prepared = blank.with_contents();
        prepare(&mut prepared);
        let points = Sweep::new().full(16).each_cut(
            || prepared.clone(),
            &operation,
            |device, outcome| {
                let mut allowed = base(device);
                expect(&outcome, &mut allowed);
                verify(device, &allowed);
            },
        );
        assert!(points > 1, "{geometry_name}");
        total += points;
    }
    println!("{name}: {total} cut points");
}

/// `Some(new)` if acknowledged, else old or new.
fn in_flight<'v>(
    outcome: &Outcome<Result<(), StoreError>>,
    old: Option<&'v [u8]>,
    new: Option<&'v [u8]>,
) -> Vec<Option<&'v [u8]>> {
    if outcome.result.is_ok() {
        vec![new]
    } else {
        vec![old, new]
    }
}

#[test]
fn n15_a_put_under_a_new_key_is_whole_or_absent() {
    let new = value(7, 60);
    sweep(
        "put, new key",
        |_| {},
        |device| device.run(|store, flash, _| store.put(flash, KEY_NEW, &new)),
        |outcome, allowed| allow(allowed, KEY_NEW, &in_flight(outcome, None, Some(&new))),
    );
}

#[test]
fn n15_a_put_over_an_old_value_leaves_the_old_one_or_the_new_one() {
    let (old, new) = (device::contents()[&KEY_A].clone(), value(8, 41));
    sweep(
        "put, old key",
        |_| {},
        |device| device.run(|store, flash, _| store.put(flash, KEY_A, &new)),
        |outcome, allowed| allow(allowed, KEY_A, &in_flight(outcome, Some(&old), Some(&new))),
    );
}

#[test]
fn n16_a_removed_key_never_comes_back() {
    let old = device::contents()[&KEY_B].clone();
    sweep(
        "remove",
        |_| {},
        |device| device.run(|store, flash, _| store.remove(flash, KEY_B)),
        |outcome, allowed| allow(allowed, KEY_B, &in_flight(outcome, Some(&old), None)),
    );
}

/// Puts until the next one must collect a page: every boot that writes opens one.
fn fill(device: &mut Device) {
    for round in 0..100 {
        let full = device.with_store(|store, flash, _| {
            store.put(flash, device::CHURN, &value(round % 5, 50)).unwrap();
            store.pages_in_use() + 1 == store.data_pages()
        });
        if full && round > 20 {
            return;
        }
    }
    panic!("the store never filled its pages");
}

#[test]
fn n15_a_put_that_collects_a_page_loses_nothing() {
    let new = value(8, 50);
    sweep(
        "put with collection",
        fill,
        |device| device.run(|store, flash, _| store.put(flash, device::CHURN, &new)),
        |outcome, allowed| {
            let olds: Vec<_> = (0..5).map(|n| value(n, 50)).collect();
            let mut values: Vec<_> = olds.iter().map(|old| Some(old.as_slice())).collect();
            if outcome.result.is_ok() {
                values.clear();
            }
            values.push(Some(&new));
            allow(allowed, device::CHURN, &values);
        },
    );
}

#[test]
fn erasing_the_user_domain_happens_or_does_not() {
    sweep_over(
        "erase user domain",
        table_with_user(),
        |_| {},
        |device| device.run(|store, flash, rng| store.erase_user(flash, rng)),
        |outcome, allowed| {
            for (key, value) in device::contents() {
                if key.domain() == KeyDomain::User {
                    allow(allowed, key, &in_flight(outcome, Some(&value), None));
                }
            }
        },
    );
}

#[test]
fn an_interrupted_erasure_is_all_or_nothing() {
    for (_, blank) in table_with_user() {
        let prepared = blank.with_contents();
        each_cut(
            || prepared.clone(),
            |device| device.run(|store, flash, rng| store.erase_user(flash, rng)),
            |device, _| {
                let found = device.with_store(|store, _, _| OWNER.map(|key| store.contains(key)));
                assert!(
                    found == [true; OWNER.len()] || found == [false; OWNER.len()],
                    "{found:?}"
                );
            },
        );
    }
}

#[test]
fn scrubbing_goes_on_where_it_was() {
    let erased = |device: &mut Device| {
        if !device.device_only {
            device.with_store(|store, flash, rng| store.erase_user(flash, rng).unwrap());
        }
    };
    let scrub = |device: &mut Device| {
        let device_only = device.device_only;
        device.run(|store, flash, _| {
            if device_only {
                store.begin_scrub();
            }
            while store.scrub_step(flash)? == Scrub::Pending {}
            Ok(())
        })
    };
    sweep("scrub", erased, scrub, |_, allowed| {
        for key in OWNER {
            allow(allowed, key, &[None]);
        }
    });
}

#[test]
fn an_interrupted_format_leaves_no_store_or_an_empty_one() {
    let mut total = 0;
    for (_, blank) in table() {
        let prepared = blank.with_contents();
        total += Sweep::new().full(2).each_cut(
            || prepared.clone(),
            |device| device.format(),
            |device, outcome| {
                match device.try_with_store(|store, _, _| store.keys().count()) {
                    Ok(keys) => assert!(
                        keys == 0
                            || outcome.cut_at == 0
                            || !outcome.completed && keys == device.contents().len()
                    ),
                    // A head that is half erased, in front of a record, looks like another geometry.
                    Err(StoreError::Geometry) => assert!(device.device_only),
                    Err(error) => assert!(
                        matches!(error, StoreError::Unformatted | StoreError::Tampered),
                        "{error:?}"
                    ),
                }
                device.format().unwrap();
                device.with_store(|store, flash, _| store.put(flash, KEY_A, b"again").unwrap());
            },
        );
    }
    println!("format: {total} cut points");
}

#[test]
fn an_interrupted_format_with_another_cipher_says_so_until_nothing_is_left_of_the_old_store() {
    let (mut total, mut told) = (0, 0);
    for tear in [Tear::Torn, Tear::Clean, Tear::EccPoison, Tear::Unstable] {
        for [old, new] in [[0, 1], [1, 0]] {
            let prepared = Device::blank(Geometry::small(12), tear).sealed_with(CIPHERS[old]);
            let prepared = prepared.with_contents().sealed_with(CIPHERS[new]);
            assert_eq!(
                prepared.clone().try_with_store(|_, _, _| ()),
                Err(StoreError::Cipher)
            );
            let (points, old) = cut_format(&prepared, &[StoreError::Cipher]);
            total += points;
            told += old;
        }
    }
    println!("format with another cipher: {total} cut points, {told} with the old store");
    assert!(told > 0);
}

/// Cuts the formatting of flash that holds another store: how often, and how often it still said so, by one of `errors`.
pub(crate) fn cut_format(prepared: &Device, errors: &[StoreError]) -> (u64, u64) {
    let mut told = 0;
    let points = Sweep::new().full(2).each_cut(
        || prepared.clone(),
        |device| device.format(),
        |device, outcome| {
            match device.try_with_store(|store, _, _| store.keys().count()) {
                Ok(keys) => assert_eq!(keys, 0),
                Err(error) if errors.contains(&error) => {
                    assert!(!outcome.completed);
                    told += 1;
                }
                Err(error) => assert_eq!(error, StoreError::Unformatted),
            }
            device.format().unwrap();
            device.with_store(|store, flash, _| store.put(flash, KEY_A, b"again").unwrap());
        },
    );
    (points, told)
}

#[test]
fn n15_a_second_cut_during_recovery_changes_nothing() {
    let new = value(8, 41);
    let mut pairs = 0;
    for (tear, device_only) in [(Tear::Torn, false), (Tear::EccPoison, false), (Tear::Torn, true)] {
        let mut prepared = Device::blank(Geometry::small(12), tear);
        prepared.device_only = device_only;
        let mut prepared = prepared.with_contents();
        fill(&mut prepared);
        let stride = if device_only { 5 } else { 2 };
        pairs += Sweep::new().quick(stride).full(2).two_cuts(
            || prepared.clone(),
            |device| put_and_erase(device, &new),
            |device| {
                let _ =
                    device.try_with_store(|store, flash, _| store.put(flash, device::PROBE, b"recovered"));
            },
            |device, outcome| {
                let mut allowed = Allowed::new();
                for (key, value) in device.contents() {
                    let kept: Vec<_> = match (key.domain(), outcome.result.is_ok()) {
                        (KeyDomain::Device, _) => vec![Some(value.as_slice())],
                        (KeyDomain::User, true) => vec![None],
                        (KeyDomain::User, false) => vec![Some(value.as_slice()), None],
                    };
                    allow(&mut allowed, key, &kept);
                }
                let olds: Vec<_> = (0..5).map(|n| value(n, 50)).collect();
                let mut churn: Vec<_> = olds.iter().map(|old| Some(old.as_slice())).collect();
                churn.push(Some(&new));
                allow(&mut allowed, device::CHURN, &churn);
                allow(&mut allowed, device::PROBE, &[None, Some(b"recovered")]);
                let _ = device.try_with_store(|store, flash, _| store.remove(flash, device::PROBE));
                verify(device, &allowed);
            },
        );
    }
    println!("put and erasure: {pairs} pairs of cuts");
}

/// A put, then an erasure; where there is no user domain, a step of what follows one.
fn put_and_erase(device: &mut Device, new: &[u8]) -> Result<(), StoreError> {
    let device_only = device.device_only;
    device.run(|store, flash, rng| {
        store.put(flash, device::CHURN, new)?;
        if device_only {
            store.begin_scrub();
            return store.scrub_step(flash).map(|_| ());
        }
        store.erase_user(flash, rng)
    })
}

/// Says at which step the first of three cuts was, when the others show a failure.
struct First(u64);

impl Drop for First {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the first cut was after step {}", self.0);
        }
    }
}

/// The operation is cut, then the recovery with the next put, then the same again.
#[test]
fn n15_a_third_cut_in_a_row_changes_nothing() {
    let full = std::env::var_os("IOTSEC_SWEEP").is_some_and(|value| value == "full");
    let stride = if full { 13 } else { 61 };
    let new = value(8, 50);
    let recover = |device: &mut Device, probe: &[u8]| {
        device.run(|store, flash, _| store.put(flash, device::PROBE, probe))
    };
    let mut triples = 0;
    let with_user = [Tear::Torn, Tear::Clean, Tear::EccPoison, Tear::Unstable].map(|tear| (tear, false));
    for (tear, device_only) in with_user.into_iter().chain([(Tear::Unstable, true)]) {
        let mut prepared = Device::blank(Geometry::small(6), tear);
        prepared.device_only = device_only;
        let mut prepared = prepared.with_contents();
        fill(&mut prepared);
        let mut cut = 0;
        loop {
            let first = First(cut);
            let mut once = prepared.clone();
            once.flash.cut_after(cut);
            let erased = put_and_erase(&mut once, &new);
            let finished = !once.flash.is_off();
            once.flash.power_on();
            triples += Sweep::new().seed(cut).stride(stride).two_cuts(
                || once.clone(),
                |device| recover(device, b"recovered"),
                |device| _ = recover(device, b"and again"),
                |device, outcome| {
                    let probe =
                        device.with_store(|store, flash, _| device::read(store, flash, device::PROBE));
                    let known: &[Option<&[u8]>] = &[Some(b"recovered"), Some(b"and again"), None];
                    let known = if outcome.result.is_ok() {
                        &known[..2]
                    } else {
                        known
                    };
                    assert!(known.contains(&probe.as_deref()), "{probe:?}");
                    // What was read may still be one or the other until the next write.
                    device.with_store(|store, flash, _| {
                        store.put(flash, device::PROBE, b"settled").unwrap();
                        store.remove(flash, device::PROBE).unwrap();
                    });
                    let mut allowed = base(device);
                    for (key, old) in device.contents() {
                        let kept: &[Option<&[u8]>] = &[None, Some(&old)];
                        if key.domain() == KeyDomain::User {
                            allow(&mut allowed, key, if erased.is_ok() { &kept[..1] } else { kept });
                        }
                    }
                    let olds: Vec<_> = (0..5).map(|n| value(n, 50)).collect();
                    let mut churn: Vec<_> = olds.iter().map(|old| Some(old.as_slice())).collect();
                    if erased.is_ok() {
                        churn.clear();
                    }
                    churn.push(Some(&new));
                    allow(&mut allowed, device::CHURN, &churn);
                    verify(device, &allowed);
                },
            );
            drop(first);
            if finished {
                break;
            }
            cut += stride;
        }
    }
    println!("put and erasure: {triples} triples of cuts");
    assert!(triples > if full { 50_000 } else { 500 });
}

/// The words that differ between two images.
fn written(before: &[u8], after: &[u8]) -> Vec<usize> {
    (0..before.len()).filter(|at| before[*at] != after[*at]).collect()
}

#[test]
fn what_was_written_last_is_written_again_before_anything_else() {
    let last: [(&str, Option<&[u8]>); 3] = [
        ("put", Some(b"the last thing before the power went")),
        ("remove", None),
        ("erase", None),
    ];
    for (name, expected) in last {
        let mut device = Device::new(Geometry::nrf52840(8), Tear::Torn);
        let mut record = Vec::new();
        device.with_store(|store, flash, rng| {
            store
                .put(flash, device::CHURN, b"so that the page is open")
                .unwrap();
            store.put(flash, OWNER[0], b"old").unwrap();
            let before = flash.image().to_vec();
            match name {
                "put" => store.put(flash, OWNER[0], expected.unwrap()).unwrap(),
                "remove" => store.remove(flash, OWNER[0]).unwrap(),
                _ => store.erase_user(flash, rng).unwrap(),
            }
            record = written(&before, flash.image());
            record.retain(|at| *at >= 4096);
        });
        device.with_store(|store, flash, _| store.put(flash, KEY_A, b"after the reboot").unwrap());
        // Had its last bits been read right by luck, it could be gone by now.
        for at in record {
            device.flash.tamper(u32::try_from(at).unwrap(), &[0x77]);
        }
        device.with_store(|store, flash, _| {
            let found = device::read(store, flash, OWNER[0]);
            assert_eq!(found.as_deref(), expected, "{name}");
            assert_eq!(
                device::read(store, flash, KEY_A),
                Some(b"after the reboot".to_vec())
            );
        });
    }
}
