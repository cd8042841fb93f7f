//! Random operations against a map, with the power cut at random steps.

use std::collections::BTreeMap;

use iotsec_store::{KeyDomain, KeyId, StoreError};
use iotsec_testkit::{Geometry, SimRng, Tear};

use crate::device::{self, Device, value};

/// What each key may hold: one thing, or several after a cut.
type Model = BTreeMap<KeyId, Vec<Option<Vec<u8>>>>;

fn key(number: u64) -> KeyId {
    let number = u16::try_from(number).unwrap();
    let domain = [KeyDomain::Device, KeyDomain::User][usize::from(number % 2)];
    KeyId::new(domain, 5, number)
}

/// More than the index of the fixture has entries.
const KEYS: u64 = 18;

fn check(device: &mut Device, model: &mut Model, tear: Tear) {
    let found: Vec<_> = device.with_store(|store, flash, _| {
        let count = store.keys().count();
        let found: Vec<_> = (0..KEYS)
            .map(|number| (key(number), device::read(store, flash, key(number))))
            .collect();
        assert_eq!(count, found.iter().filter(|(_, value)| value.is_some()).count());
        found
    });
    for (key, value) in found {
        let allowed = model.entry(key).or_insert_with(|| vec![None]);
        assert!(allowed.contains(&value), "{key:?} is {value:?} of {allowed:?}");
        // A torn word that reads differently each time is settled by the first write only.
        if tear != Tear::Unstable {
            *allowed = vec![value];
        }
    }
}

/// Boots, does a few things, loses power at a random step or not. Returns the operations done.
fn session(device: &mut Device, model: &mut Model, rng: &mut SimRng, tag: &mut u32) -> u64 {
    let cut = if rng.below(2) == 0 {
        u64::MAX
    } else {
        rng.below(700)
    };
    let wanted = rng.below(20);
    let mut done = 0;
    device.flash.cut_after(cut);
    let ended = device.try_with_store(|store, flash, random| {
        for _ in 0..wanted {
            let key = key(rng.below(KEYS));
            *tag += 1;
            let mut new: Vec<(KeyId, Option<Vec<u8>>)> = Vec::new();
            let result = match rng.below(40) {
                0 => {
                    let user = |key: &&KeyId| key.domain() == KeyDomain::User;
                    new.extend(model.keys().filter(user).map(|key| (*key, None)));
                    store.erase_user(flash, random)
                }
                1..=3 => store.scrub_step(flash).map(|_| ()),
                4..=12 => {
                    new.push((key, None));
                    store.remove(flash, key)
                }
                _ => {
                    let max = u64::try_from(store.max_value_len()).unwrap().min(200);
                    let len = usize::try_from(rng.below(max + 1)).unwrap();
                    new.push((key, Some(value(*tag, len))));
                    store.put(flash, key, &value(*tag, len))
                }
            };
            done += 1;
            match result {
                Ok(()) => {
                    for (key, value) in new {
                        model.insert(key, vec![value]);
                    }
                }
                Err(StoreError::NotFound | StoreError::Full | StoreError::IndexFull) => {}
                Err(_) => {
                    assert!(flash.is_off(), "an operation failed with the power on");
                    for (key, value) in new {
                        model.entry(key).or_insert_with(|| vec![None]).push(value);
                    }
                    return;
                }
            }
        }
    });
    assert!(ended.is_ok() || device.flash.is_off(), "{ended:?}");
    device.flash.power_on();
    done
}

fn play(geometry: &Geometry, tear: Tear, seed: u64, sessions: u32) -> u64 {
    let mut device = Device::blank(geometry.clone(), tear);
    device.flash = device.flash.with_seed(seed);
    device.format().unwrap();
    let (mut rng, mut model, mut tag, mut done) = (SimRng::new(seed), Model::new(), 0, 0);
    for _ in 0..sessions {
        done += session(&mut device, &mut model, &mut rng, &mut tag);
        check(&mut device, &mut model, tear);
        assert_eq!(device.flash.violation(), None);
    }
    done
}

#[test]
fn random_operations_with_random_cuts_agree_with_a_map() {
    let geometries = [
        ("small", Geometry::small(9)),
        ("smallest", Geometry::small(4)),
        ("erased to zero", Geometry::erased_zero(12)),
        ("STM32L4", Geometry::stm32l4(6)),
        ("RP2040", Geometry::rp2040(6)),
        ("words of 32", Geometry::new(&[1024; 8], 32)),
    ];
    let mut total = 0;
    for (name, geometry) in geometries {
        for tear in [Tear::Torn, Tear::Clean, Tear::EccPoison, Tear::Unstable] {
            for seed in 0..4 {
                let run = || play(&geometry, tear, seed, 30);
                match std::panic::catch_unwind(run) {
                    Ok(done) => total += done,
                    Err(_) => panic!("{name}, {tear:?}, seed {seed}"),
                }
            }
        }
    }
    println!("model: {total} operations");
    assert!(total > 10_000);
}
