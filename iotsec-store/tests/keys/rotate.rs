//! A key and the one before it.

use iotsec_core::{crypto::CryptoError, secret::Secret};
use iotsec_store::{
    StoreError,
    keys::{KeyError, KeyKind, KeyUsage, Keyring},
};

use crate::device::{ALL, Device, KINDS, id, spec};

#[test]
fn a_rotated_key_still_decrypts_and_verifies_until_it_is_retired() {
    let mut device = Device::new();
    device.with_keys(|keys, flash, rng| {
        let usage = KeyUsage::ENCRYPT | KeyUsage::DECRYPT;
        let key = keys
            .generate(flash, spec(1, KeyKind::ChaCha20Poly1305, usage), rng)
            .unwrap();
        let mut text = *b"before";
        let sealed = keys.encrypt(flash, &key, b"", &mut text, rng).unwrap();

        let key = keys.rotate(flash, key, rng).unwrap();
        assert_eq!((key.number(), key.usage()), (2, usage));
        let mut copy = text;
        assert_eq!(
            keys.decrypt(flash, &key, b"", &sealed, &mut copy),
            Err(KeyError::Crypto(CryptoError::Tag))
        );
        let previous = keys.previous(flash, &key).unwrap();
        assert_eq!((previous.number(), previous.usage()), (1, KeyUsage::DECRYPT));
        let mut copy = text;
        keys.decrypt(flash, &previous, b"", &sealed, &mut copy).unwrap();
        assert_eq!(&copy, b"before");
        assert_eq!(
            keys.encrypt(flash, &previous, b"", &mut copy, rng),
            Err(KeyError::Usage)
        );

        keys.retire(flash, &key).unwrap();
        let mut copy = text;
        assert_eq!(
            keys.decrypt(flash, &previous, b"", &sealed, &mut copy),
            Err(KeyError::Stale)
        );
        assert_eq!(keys.previous(flash, &key), Err(KeyError::NoPrevious));
        assert_eq!(keys.retire(flash, &key), Err(KeyError::NoPrevious));
        keys.encrypt(flash, &key, b"", &mut copy, rng).unwrap();
    });
}

#[test]
fn the_number_counts_up_through_reboots_and_old_handles_are_stale() {
    let mut device = Device::new();
    for (number, (kind, usage)) in (0..).zip(KINDS) {
        let usage = usage | KeyUsage::EXPORT;
        device.with_keys(|keys, flash, rng| {
            keys.generate(flash, spec(number, kind, usage), rng).unwrap();
        });
        let mut seen: Vec<[u8; 32]> = Vec::new();
        for expected in 2..6 {
            device.with_keys(|keys, flash, rng| {
                let (key, old) = (
                    keys.open(flash, id(number)).unwrap(),
                    keys.open(flash, id(number)).unwrap(),
                );
                let key = keys.rotate(flash, key, rng).unwrap();
                assert_eq!(key.number(), expected);
                let mut out = Secret::<32>::zero();
                let mut short = Secret::<16>::zero();
                if kind.key_len() == 16 {
                    keys.export(flash, &key, &mut short).unwrap();
                    assert_eq!(keys.export(flash, &old, &mut short), Err(KeyError::Stale));
                } else {
                    keys.export(flash, &key, &mut out).unwrap();
                    assert!(!seen.contains(out.expose()));
                    seen.push(*out.expose());
                    assert_eq!(keys.export(flash, &old, &mut out), Err(KeyError::Stale));
                }
                assert_eq!(keys.rotate(flash, old, rng), Err(KeyError::Stale));
                if !usage.intersects(KeyUsage::VERIFY | KeyUsage::DECRYPT) {
                    assert_eq!(keys.previous(flash, &key), Err(KeyError::NoPrevious));
                    return;
                }
                // The handle of the previous key neither rotates, retires nor destroys.
                let previous = keys.previous(flash, &key).unwrap();
                assert_eq!(keys.retire(flash, &previous), Err(KeyError::Stale));
                assert_eq!(keys.destroy(flash, previous), Err(KeyError::Stale));
                assert_eq!(keys.rotate(flash, key, rng), Err(KeyError::NotRetired));
            });
            device.with_keys(|keys, flash, _| {
                let key = keys.open(flash, id(number)).unwrap();
                assert_eq!(key.number(), expected);
                if usage.intersects(KeyUsage::VERIFY | KeyUsage::DECRYPT) {
                    keys.retire(flash, &key).unwrap();
                }
            });
        }
    }
}

#[test]
fn n19_the_last_number_is_not_counted_beyond() {
    let mut device = Device::new();
    device.with_keys(|keys, flash, rng| {
        keys.generate(flash, spec(1, KeyKind::HmacSha256, KeyUsage::SIGN), rng)
            .unwrap();
    });
    device.with_store(|store, flash, rng| {
        let mut out = [0; 128];
        let mut value = store.get(flash, id(1), &mut out).unwrap().to_vec();
        value[4..8].copy_from_slice(&(u32::MAX - 1).to_le_bytes());
        store.put(flash, id(1), &value).unwrap();

        let mut keys = Keyring::new(store, ALL);
        let key = keys.open(flash, id(1)).unwrap();
        let key = keys.rotate(flash, key, rng).unwrap();
        assert_eq!(key.number(), u32::MAX);
        let mac = keys.mac(flash, &key, b"").unwrap();
        assert_eq!(keys.rotate(flash, key, rng), Err(KeyError::Exhausted));
        let key = keys.open(flash, id(1)).unwrap();
        assert_eq!(keys.mac(flash, &key, b""), Ok(mac));
    });
}

#[test]
fn n16_a_destroyed_key_never_returns() {
    let mut device = Device::new();
    let wanted = spec(1, KeyKind::HmacSha256, KeyUsage::SIGN);
    let gone = KeyError::Store(StoreError::NotFound);
    let old = device.with_keys(|keys, flash, rng| {
        let key = keys.generate(flash, wanted, rng).unwrap();
        let key = keys.rotate(flash, key, rng).unwrap();
        let old = keys.open(flash, wanted.id).unwrap();
        keys.destroy(flash, key).unwrap();
        old
    });
    for round in 0..40 {
        device.with_keys(|keys, flash, rng| {
            assert_eq!(keys.open(flash, wanted.id), Err(gone));
            assert_eq!(keys.mac(flash, &old, b""), Err(gone));
            // Pages are collected meanwhile.
            let other = keys
                .generate(flash, spec(100 + round, wanted.kind, wanted.usage), rng)
                .unwrap();
            if round % 4 != 0 {
                keys.destroy(flash, other).unwrap();
            }
        });
    }
    device.with_keys(|keys, flash, rng| {
        let new = keys.generate(flash, wanted, rng).unwrap();
        assert_eq!(new.number(), 1);
        assert_eq!(keys.mac(flash, &old, b""), Err(KeyError::Stale));
        assert_eq!(keys.destroy(flash, old), Err(KeyError::Stale));
    });
}
