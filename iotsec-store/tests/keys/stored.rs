//! Values in the place of a key: N8, N25.

use iotsec_core::secret::Secret;
use iotsec_store::{
    StoreError,
    keys::{KeyError, KeyKind, KeyUsage, Keyring},
};

use crate::device::{ALL, Device, KINDS, id, spec};

/// The value of a key as the store has it.
fn value(device: &mut Device, number: u16) -> Vec<u8> {
    device.with_store(|store, flash, _| {
        let mut out = [0; 128];
        store.get(flash, id(number), &mut out).unwrap().to_vec()
    })
}

/// Puts a raw value in the place of a key, as only who has the store can, and opens it.
fn opened(device: &mut Device, value: &[u8]) -> Result<(KeyKind, KeyUsage, u32), KeyError> {
    device.with_store(|store, flash, _| {
        store.put(flash, id(1), value).unwrap();
        Keyring::new(store, ALL)
            .open(flash, id(1))
            .map(|key| (key.kind(), key.usage(), key.number()))
    })
}

#[test]
fn n08_a_value_of_another_version_type_usage_or_length_is_no_key() {
    let mut device = Device::new();
    for (kind, usage) in KINDS {
        device.with_keys(|keys, flash, rng| {
            let key = keys.generate(flash, spec(1, kind, usage), rng).unwrap();
            keys.rotate(flash, key, rng).unwrap();
        });
        let good = value(&mut device, 1);
        let len = kind.key_len();
        // Only what can still be checked or decrypted needs the key before.
        let keeps = usage.intersects(KeyUsage::VERIFY | KeyUsage::DECRYPT);
        assert_eq!(good.len(), if keeps { 8 + 2 * len } else { 8 + len });
        assert_eq!(opened(&mut device, &good), Ok((kind, usage, 2)));

        let changed = |at: usize, to: u8| {
            let mut value = good.clone();
            value[at] = to;
            value
        };
        for version in [0, 2, 0xFF] {
            assert_eq!(opened(&mut device, &changed(0, version)), Err(KeyError::Version));
        }
        for unknown in [0, 11, 0xFF] {
            assert_eq!(
                opened(&mut device, &changed(1, unknown)),
                Err(KeyError::UnknownType)
            );
        }
        // Each usage bit that the type does not have, and none at all.
        for bit in 0..16 {
            let allowed = (usage | KeyUsage::EXPORT).contains(match bit {
                0 => KeyUsage::SIGN,
                1 => KeyUsage::VERIFY,
                2 => KeyUsage::DERIVE,
                3 => KeyUsage::ENCRYPT,
                4 => KeyUsage::DECRYPT,
                5 => KeyUsage::UNWRAP,
                6 => KeyUsage::EXPORT,
                7 => KeyUsage::REVEAL,
                _ => continue,
            });
            let with = changed(2, good[2] | 1 << bit);
            if !allowed {
                assert_eq!(opened(&mut device, &with), Err(KeyError::UnknownUsage));
            }
        }
        for bit in 0..8 {
            assert_eq!(
                opened(&mut device, &changed(3, 1 << bit)),
                Err(KeyError::UnknownUsage)
            );
        }
        assert_eq!(opened(&mut device, &changed(2, 0)), Err(KeyError::UnknownUsage));
        assert_eq!(opened(&mut device, &changed(4, 0)), Err(KeyError::Malformed));
        // A first key has none before it.
        let first = opened(&mut device, &changed(4, 1));
        assert_eq!(first.is_err(), keeps);
        for cut in 0..good.len() {
            let expected = match cut {
                0 => Err(KeyError::Version),
                cut if cut == 8 + len => Ok((kind, usage, 2)), // retired
                _ => Err(KeyError::Malformed),
            };
            assert_eq!(
                opened(&mut device, &good[..cut]),
                expected,
                "{cut} bytes of {kind:?}"
            );
        }
        for more in [1, len, 2 * len] {
            let mut long = good.clone();
            long.resize(good.len() + more, 0x5A);
            assert_eq!(opened(&mut device, &long), Err(KeyError::Malformed));
        }
        assert_eq!(opened(&mut device, b"a Wi-Fi password"), Err(KeyError::Version));
        device.with_store(|store, flash, _| store.remove(flash, id(1)).unwrap());
    }
}

#[test]
fn n25_a_handle_does_not_outlive_the_policy_it_was_made_under() {
    let mut device = Device::new();
    let (mac, key) = device.with_keys(|keys, flash, rng| {
        let wanted = spec(1, KeyKind::HmacSha256, KeyUsage::SIGN);
        let key = keys.generate(flash, wanted, rng).unwrap();
        (keys.mac(flash, &key, b"").unwrap(), key)
    });
    let good = value(&mut device, 1);
    for (at, to) in [(1, 8), (2, 2), (2, 1 | 1 << 6), (4, 7)] {
        let mut other = good.clone();
        other[at] = to;
        if at == 1 {
            other[2] = 4; // what a key of that type is for
        }
        opened(&mut device, &other).unwrap();
        device.with_keys(|keys, flash, _| {
            assert_eq!(keys.mac(flash, &key, b""), Err(KeyError::Stale));
            let mut out = Secret::<32>::zero();
            assert_eq!(keys.export(flash, &key, &mut out), Err(KeyError::Usage));
        });
    }
    opened(&mut device, &good).unwrap();
    device.with_keys(|keys, flash, _| assert_eq!(keys.mac(flash, &key, b""), Ok(mac)));
}

#[test]
fn a_key_is_not_made_over_a_value_and_a_value_is_not_destroyed_as_a_key() {
    let mut device = Device::new();
    device.with_store(|store, flash, rng| {
        store.put(flash, id(1), b"a setting").unwrap();
        let mut keys = Keyring::new(store, ALL);
        let wanted = spec(1, KeyKind::HmacSha256, KeyUsage::SIGN);
        assert_eq!(keys.generate(flash, wanted, rng), Err(KeyError::Exists));
        assert_eq!(
            keys.import(flash, wanted, b"32 bytes that others have too..."),
            Err(KeyError::Exists)
        );
        let key = keys
            .generate(flash, spec(2, wanted.kind, wanted.usage), rng)
            .unwrap();
        store.put(flash, id(2), b"a setting").unwrap();
        let mut keys = Keyring::new(store, ALL);
        assert_eq!(keys.destroy(flash, key), Err(KeyError::Version));
        let mut out = [0; 16];
        for number in [1, 2] {
            assert_eq!(store.get(flash, id(number), &mut out).unwrap(), b"a setting");
        }
        assert_eq!(store.get(flash, id(3), &mut out), Err(StoreError::NotFound));
    });
}
