//! Power cuts at every step of what changes a key: old or new, never neither.

use iotsec_store::{
    StoreError,
    keys::{KeyError, KeyKind, KeySpec, KeyUsage, Keyring},
};
use iotsec_testkit::{Geometry, Outcome, SimFlash, SimRng, Sweep, Tear};

use crate::device::{ALL, Device, id, spec, user_id};

const GEOMETRIES: [fn() -> (Geometry, Tear); 5] = [
    || (Geometry::nrf52840(8), Tear::Torn),
    || (small(), Tear::Torn),
    || (small(), Tear::EccPoison),
    || (small(), Tear::Unstable),
    || (Geometry::stm32l4(12), Tear::Clean),
];

const KEY: KeySpec = spec(1, KeyKind::HmacSha256, KeyUsage::SIGN.and(KeyUsage::VERIFY));
/// Pages that have room for two keys in a value, and few enough words for a sweep over all.
fn small() -> Geometry {
    Geometry::new(&[512; 16], 4)
}

/// The owner's, beside the device's.
const OTHER: KeySpec = KeySpec {
    id: user_id(1),
    kind: KeyKind::HmacSha256,
    usage: KeyUsage::SIGN,
};

type Mac = [u8; 32];

/// What a key answers, with its number and the answer of the one before it; `None` when there is no key.
fn answer(device: &mut Device, wanted: KeySpec) -> Option<(u32, Mac, bool)> {
    device.with_keys(|keys, flash, _| {
        let key = match keys.open(flash, wanted.id) {
            Err(KeyError::Store(StoreError::NotFound)) => return None,
            opened => opened.unwrap(),
        };
        assert_eq!((key.kind(), key.usage()), (wanted.kind, wanted.usage));
        let previous = match keys.previous(flash, &key) {
            Err(KeyError::NoPrevious) => false,
            previous => {
                assert_eq!(previous.unwrap().number() + 1, key.number());
                true
            }
        };
        Some((key.number(), keys.mac(flash, &key, b"message").unwrap(), previous))
    })
}

/// Sweeps `work` over the geometries; `check` gets the answer before and after.
fn sweep(
    name: &str,
    prepare: impl Fn(&mut Keyring<'_, '_>, &mut SimFlash, &mut SimRng),
    work: impl Fn(&mut Keyring<'_, '_>, &mut SimFlash, &mut SimRng) -> Result<(), KeyError>,
    check: impl Fn(&Outcome<Result<(), KeyError>>, Option<(u32, Mac, bool)>, Option<(u32, Mac, bool)>),
) {
    let mut total = 0;
    for (geometry, tear) in GEOMETRIES.map(|make| make()) {
        let mut prepared = Device::on(geometry, tear);
        prepared.with_keys(|keys, flash, rng| {
            keys.generate(flash, OTHER, rng).unwrap();
            prepare(keys, flash, rng);
        });
        let (before, other) = (answer(&mut prepared, KEY), answer(&mut prepared, OTHER));
        let points = Sweep::new().each_cut(
            || prepared.clone(),
            |device| {
                device
                    .try_with_store(|store, flash, rng| work(&mut Keyring::new(store, ALL), flash, rng))
                    .unwrap_or_else(|error| Err(error.into()))
            },
            |device, outcome| {
                let after = answer(device, KEY);
                check(&outcome, before, after);
                assert_eq!(answer(device, OTHER), other);
                // It stays so, and the next key can be made.
                device.with_keys(|keys, flash, rng| {
                    keys.generate(flash, spec(9, KeyKind::HmacSha256, KeyUsage::SIGN), rng)
                        .unwrap();
                });
                assert_eq!(answer(device, KEY), after);
                assert_eq!(answer(device, OTHER), other);
            },
        );
        assert!(points > 20);
        total += points;
    }
    println!("{name}: {total} cut points");
}

#[test]
fn a_key_is_made_or_not() {
    sweep(
        "generate",
        |_, _, _| (),
        |keys, flash, rng| keys.generate(flash, KEY, rng).map(drop),
        |outcome, _, after| match after {
            None => assert!(outcome.result.is_err()),
            Some((number, _, previous)) => assert_eq!((number, previous), (1, false)),
        },
    );
}

#[test]
fn a_rotation_leaves_the_old_key_or_the_new_one_never_neither() {
    sweep(
        "rotate",
        |keys, flash, rng| {
            keys.generate(flash, KEY, rng).unwrap();
        },
        |keys, flash, rng| {
            let key = keys.open(flash, KEY.id)?;
            keys.rotate(flash, key, rng).map(drop)
        },
        |outcome, before, after| {
            let (old, new) = (before.unwrap(), after.expect("there is no key any more"));
            if new.0 == 1 {
                assert!(outcome.result.is_err());
                assert_eq!(new, old);
            } else {
                assert_eq!((new.0, new.2), (2, true));
                assert_ne!(new.1, old.1);
            }
        },
    );
}

#[test]
fn a_rotation_that_was_cut_is_done_again_and_the_previous_key_still_verifies() {
    let mut device = Device::on(small(), Tear::Torn);
    let mac = device.with_keys(|keys, flash, rng| {
        let key = keys.generate(flash, KEY, rng).unwrap();
        keys.mac(flash, &key, b"signed before").unwrap()
    });
    let rotate = |device: &mut Device| {
        device
            .try_with_store(|store, flash, rng| {
                let mut keys = Keyring::new(store, ALL);
                let key = keys.open(flash, KEY.id)?;
                match keys.previous(flash, &key) {
                    Err(KeyError::NoPrevious) => keys.rotate(flash, key, rng).map(drop),
                    previous => previous.map(drop),
                }
            })
            .unwrap_or_else(|error| Err(error.into()))
    };
    let pairs = Sweep::new().stride(5).two_cuts(
        || device.clone(),
        rotate,
        |device| {
            let _ = rotate(device);
        },
        |device, _| {
            rotate(device).unwrap();
            device.with_keys(|keys, flash, _| {
                let key = keys.open(flash, KEY.id).unwrap();
                assert_eq!(key.number(), 2);
                let previous = keys.previous(flash, &key).unwrap();
                keys.verify(flash, &previous, b"signed before", &mac).unwrap();
            });
        },
    );
    assert!(pairs > 100, "{pairs}");
    println!("rotate, two cuts: {pairs} pairs");
}

#[test]
fn a_retired_key_never_returns() {
    sweep(
        "retire",
        |keys, flash, rng| {
            let key = keys.generate(flash, KEY, rng).unwrap();
            keys.rotate(flash, key, rng).unwrap();
        },
        |keys, flash, _| {
            let key = keys.open(flash, KEY.id)?;
            keys.retire(flash, &key)
        },
        |outcome, before, after| {
            let (old, new) = (before.unwrap(), after.expect("there is no key any more"));
            assert_eq!((new.0, new.1), (old.0, old.1));
            assert!(!new.2 || outcome.result.is_err());
        },
    );
}

#[test]
fn n16_a_key_is_destroyed_or_not_and_does_not_return() {
    sweep(
        "destroy",
        |keys, flash, rng| {
            let key = keys.generate(flash, KEY, rng).unwrap();
            keys.rotate(flash, key, rng).unwrap();
        },
        |keys, flash, _| {
            let key = keys.open(flash, KEY.id)?;
            keys.destroy(flash, key)
        },
        |outcome, before, after| match after {
            None => {}
            Some(_) => {
                assert!(outcome.result.is_err());
                assert_eq!(after, before);
            }
        },
    );
}

#[test]
fn a_new_key_in_the_place_of_a_destroyed_one_is_another() {
    let mut device = Device::new();
    let first = device.with_keys(|keys, flash, rng| {
        let key = keys.generate(flash, KEY, rng).unwrap();
        let mac = keys.mac(flash, &key, b"message").unwrap();
        keys.destroy(flash, key).unwrap();
        mac
    });
    device.with_keys(|keys, flash, rng| {
        let key = keys.generate(flash, KEY, rng).unwrap();
        assert_ne!(keys.mac(flash, &key, b"message").unwrap(), first);
        assert_eq!(key.id(), id(1));
    });
}
