//! Weaknesses that other stores had, which `ATTACKS.md` numbers, where no other file of these tests has them.

use std::{fs, path::Path};

use iotsec_core::{
    crypto::{Aead, Aes256GcmSiv, HkdfSha256, Kdf},
    hal::RootKey,
    secret::Secret,
};
use iotsec_store::{KeyDomain, KeyId, StoreError};
use iotsec_testkit::{Geometry, SimRootKey, Sweep, Tear};

use crate::device::{self, CHURN, CIPHERS, Cipher, Device, KEY_A, KEY_B, OWNER, read, value};

const HEADER: usize = 8;
const TAG: usize = 16;

/// The sources below a folder of the repository.
fn sources(folder: &str) -> Vec<(String, String)> {
    fn collect(folder: &Path, all: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, all);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                all.push((path.display().to_string(), fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let mut all = Vec::new();
    collect(
        &Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join(folder),
        &mut all,
    );
    all
}

/// Puts values of 32 bytes one after another in one boot, into one page, and closes it: in the page that is written to,
/// what is damaged may be what a power cut left. Returns where their records begin.
fn records(device: &mut Device, keys: &[KeyId], once: bool) -> Vec<usize> {
    let places = device.with_store(|store, flash, _| {
        store.put(flash, CHURN, b"so that the page is open").unwrap();
        let put = keys.iter().enumerate().map(|(number, key)| {
            let before = flash.image().to_vec();
            let new = value(u32::try_from(number).unwrap(), 32);
            if once {
                store.put_once(flash, *key, &new).unwrap();
            } else {
                store.put(flash, *key, &new).unwrap();
            }
            let differs = |at: &usize| flash.image()[*at] != before[*at];
            let last = (0..before.len()).rev().find(differs).unwrap();
            (last / 4 + 1) * 4 - HEADER - 32 - TAG
        });
        let places = put.collect();
        store.put(flash, CHURN, b"so that another is the last").unwrap();
        places
    });
    device.with_store(|store, flash, _| store.put(flash, CHURN, b"in the next page").unwrap());
    places
}

fn fresh() -> Device {
    fresh_with(CIPHERS[0])
}

fn fresh_with(cipher: Cipher) -> Device {
    let mut device = Device::blank(Geometry::nrf52840(6), Tear::Clean).sealed_with(cipher);
    device.format().unwrap();
    device
}

fn flipped(device: &Device, bit: usize) -> Device {
    let mut device = device.clone();
    let byte = device.flash.image()[bit / 8] ^ (1 << (bit % 8));
    device.flash.tamper(u32::try_from(bit / 8).unwrap(), &[byte]);
    device
}

#[test]
fn n02_what_is_written_after_an_earlier_image_was_put_back_shares_no_key_stream() {
    CIPHERS.into_iter().for_each(shares_no_key_stream);
}

fn shares_no_key_stream(cipher: Cipher) {
    let mut device = fresh_with(cipher);
    device.with_store(|store, flash, _| store.put(flash, KEY_A, b"first").unwrap());
    let image = device.flash.image().to_vec();
    let mut write = |new: &[u8]| {
        device.flash.tamper(0, &image);
        device.with_store(|store, flash, _| store.put(flash, KEY_A, new).unwrap());
        let now = device.flash.image();
        let last = (0..now.len()).rev().find(|at| now[*at] != image[*at]).unwrap();
        let end = (last / 4 + 1) * 4;
        (end, now[end - TAG - new.len()..end - TAG].to_vec())
    };
    let (one, other) = (value(1, 48), value(2, 48));
    let (first, second) = (write(&one), write(&other));
    // The same place, and so the same nonce.
    assert_eq!(first.0, second.0);
    let xor = |a: &[u8], b: &[u8]| -> Vec<u8> { a.iter().zip(b).map(|(a, b)| a ^ b).collect() };
    let (plain, sealed) = (xor(&one, &other), xor(&first.1, &second.1));
    for (plain, sealed) in plain.chunks(4).zip(sealed.chunks(4)) {
        assert_ne!(plain, sealed);
    }
    // What does show: that the same was written again.
    assert_eq!(write(&one), first);
}

#[test]
fn n04_no_public_function_takes_a_nonce() {
    let mut functions = 0;
    for (path, text) in sources("iotsec-store/src") {
        for rest in text.split("    pub fn ").skip(1) {
            let signature = rest.split('{').next().unwrap();
            assert!(!signature.contains("nonce:"), "{path}: {signature}");
            functions += 1;
        }
    }
    assert!(functions > 30, "{functions}");
}

#[test]
fn n06_every_bit_of_a_tag_counts() {
    CIPHERS.into_iter().for_each(every_bit_of_a_tag_counts);
}

fn every_bit_of_a_tag_counts(cipher: Cipher) {
    let mut device = fresh_with(cipher);
    let places = records(&mut device, &[KEY_A, KEY_B], false);
    let tag = places[0] + HEADER + 32;
    for bit in 0..8 * TAG {
        flipped(&device, tag * 8 + bit).with_store(|store, flash, _| {
            let mut out = [0; 64];
            assert_eq!(
                store.get(flash, KEY_A, &mut out),
                Err(StoreError::Tampered),
                "{bit}"
            );
            assert_eq!(out, [0; 64]);
            assert_eq!(read(store, flash, KEY_B), Some(value(1, 32)));
        });
    }
}

#[test]
fn n07_the_same_number_in_both_domains_is_two_values() {
    let both = [KeyDomain::Device, KeyDomain::User].map(|domain| KeyId::new(domain, 9, 9));
    let [of_device, of_user] = both;
    let mut device = fresh();
    device.with_store(|store, flash, rng| {
        store.put(flash, of_device, b"the device's").unwrap();
        assert!(!store.contains(of_user));
        assert_eq!(store.remove(flash, of_user), Err(StoreError::NotFound));
        store.put(flash, of_user, b"the owner's").unwrap();
        assert_eq!(read(store, flash, of_device), Some(b"the device's".to_vec()));
        store.remove(flash, of_device).unwrap();
        assert_eq!(read(store, flash, of_user), Some(b"the owner's".to_vec()));
        assert_eq!(store.increment(flash, of_device), Ok(1));
        store.erase_user(flash, rng).unwrap();
        assert_eq!(store.count(flash, of_device), Ok(1));
        assert!(!store.contains(of_user));
    });
}

#[test]
fn n08_every_bit_of_a_header_and_of_version_geometry_and_cipher_counts() {
    CIPHERS.into_iter().for_each(every_bit_of_a_header_counts);
}

fn every_bit_of_a_header_counts(cipher: Cipher) {
    let mut device = fresh_with(cipher);
    let places = records(&mut device, &[KEY_A, OWNER[0], KEY_B], false);
    for bit in 0..8 * HEADER {
        let mounted = flipped(&device, places[0] * 8 + bit).try_with_store(|_, _, _| ());
        assert_eq!(mounted, Err(StoreError::Tampered), "{bit}");
    }
    for bit in 0..8 * 24 {
        flipped(&device, bit).with_store(|store, flash, _| {
            let mut out = [0; 64];
            assert_eq!(
                store.get(flash, OWNER[0], &mut out),
                Err(StoreError::KeyLost),
                "{bit}"
            );
            assert_eq!(read(store, flash, KEY_A), Some(value(0, 32)));
        });
    }
}

#[test]
fn n12_what_ships_has_no_root_key_of_its_own() {
    let mut kinds = Vec::new();
    for folder in ["iotsec-core/src", "iotsec-store/src", "src"] {
        for (_, text) in sources(folder) {
            let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
            let code: Vec<_> = code.collect();
            let code = code.join("\n");
            let found = code.split(" RootKey for ").skip(1);
            kinds.extend(found.map(|rest| rest.split(['<', ' ']).next().unwrap().to_owned()));
        }
    }
    kinds.sort();
    // Made of a key that the hardware has, of a file, and of what a TPM seals.
    assert_eq!(kinds, ["DeviceRootKey", "FileRootKey", "TpmRootKey"]);
    let mut manifests = 0;
    for member in [
        "",
        "iotsec-core",
        "iotsec-store",
        "iotsec-update",
        "iotsec-telemetry",
    ] {
        let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
            .join(member)
            .join("Cargo.toml");
        let text = fs::read_to_string(&path).unwrap();
        let section = text.split("\n[dependencies]\n").nth(1).unwrap();
        let section = section.split("\n[").next().unwrap();
        assert!(!section.contains("testkit"), "{}", path.display());
        manifests += 1;
    }
    assert_eq!(manifests, 5);
}

/// A store of one page whose sequence number is `sequence`, as a device has it that wrote so many pages.
fn at_sequence(sequence: u32) -> Device {
    let mut device = fresh();
    let root = SimRootKey::new(device.root);
    let page = device.flash.image()[4096..2 * 4096].to_vec();
    let salt: [u8; 16] = page[..16].try_into().unwrap();
    let (mut secret, mut key) = (Secret::<32>::zero(), Secret::<32>::zero());
    root.derive(b"iotsec/store/device/v2", &mut secret).unwrap();
    HkdfSha256
        .hkdf(
            &salt,
            secret.expose(),
            &[b"iotsec/store/page-key/v2"],
            key.expose_mut(),
        )
        .unwrap();
    let nonce = |sequence: u32| {
        let mut nonce = [0; 12];
        nonce[..4].copy_from_slice(&sequence.to_le_bytes());
        nonce
    };
    let aad = |sequence: u32| {
        let mut aad = b"iotsec/store/page/v2".to_vec();
        aad.extend(salt);
        aad.extend(sequence.to_le_bytes());
        aad.extend([2, 0xFF, 4, 0]);
        aad.extend(4096u32.to_le_bytes());
        aad.extend(6u32.to_le_bytes());
        aad
    };
    let mut sealed: [u8; 28] = page[20..48].try_into().unwrap();
    let tag = page[48..64].try_into().unwrap();
    Aes256GcmSiv
        .open(&key, &nonce(1), &aad(1), &mut sealed, tag)
        .unwrap();
    sealed[..4].copy_from_slice(&sequence.to_le_bytes());
    let tag = Aes256GcmSiv
        .seal(&key, &nonce(sequence), &aad(sequence), &mut sealed)
        .unwrap();
    let head = [&salt[..], &sequence.to_le_bytes(), &sealed, &tag].concat();
    device.flash.tamper(4096, &[0xFF; 4096]);
    device.flash.tamper(4096 * (1 + (sequence - 1) % 5), &head);
    device
}

#[test]
fn n19_the_last_sequence_number_ends_writing_and_nothing_else() {
    // A page that is opened takes one.
    for left in [0, 1, 2, 7, 20] {
        let mut device = at_sequence(u32::MAX - left);
        let (mut written, mut refused) = (None, 0);
        for round in 0..40 {
            device.with_store(|store, flash, _| {
                assert_eq!(read(store, flash, KEY_A), written, "{left}, {round}");
                let new = value(round, 40);
                match store.put(flash, KEY_A, &new) {
                    Ok(()) => {
                        assert_eq!(refused, 0, "{left}: a number came back");
                        written = Some(new);
                    }
                    Err(error) => {
                        assert_eq!(error, StoreError::Exhausted);
                        refused += 1;
                    }
                }
                assert_eq!(read(store, flash, KEY_A), written);
            });
        }
        assert_eq!(40 - refused, left, "each boot that wrote opened a page");
    }
}

#[test]
fn n20_words_that_fail_to_read_after_a_cut_keep_no_store_from_mounting() {
    let mut total = 0;
    for geometry in [
        Geometry::small(12),
        Geometry::stm32l4(8),
        Geometry::erased_zero(12),
        Geometry::new(&[1024; 8], 32),
    ] {
        let prepared = Device::new(geometry, Tear::EccPoison);
        let old = device::contents()[&KEY_A].clone();
        let new = value(5, 40);
        total += Sweep::new().each_cut(
            || prepared.clone(),
            |device| device.run(|store, flash, _| store.put(flash, KEY_A, &new)),
            |device, outcome| {
                device.with_store(|store, flash, _| {
                    let found = read(store, flash, KEY_A).unwrap();
                    assert!(found == new || found == old && outcome.result.is_err());
                    store.put(flash, KEY_B, b"goes on").unwrap();
                });
            },
        );
    }
    println!("words that fail to read: {total} cut points");
    assert!(total > 500);
}

#[test]
fn n24_a_record_that_is_taken_out_is_missed() {
    let keys: Vec<_> = (0..8)
        .map(|number| KeyId::new(KeyDomain::Device, 3, number))
        .collect();
    let mut device = fresh();
    let places = records(&mut device, &keys, false);
    let len = HEADER + 32 + TAG;
    let image = device.flash.image().to_vec();
    let end = places[7] + len;
    for (number, place) in places.iter().enumerate() {
        let at = u32::try_from(*place).unwrap();
        let mut blanked = device.clone();
        blanked.flash.tamper(at, &[0xFF; 56]);
        // Those behind it moved up.
        let mut closed = device.clone();
        let rest = [&image[place + len..end], &[0xFF; 56]].concat();
        closed.flash.tamper(at, &rest);
        for mut device in [blanked, closed] {
            let mounted = device.try_with_store(|_, _, _| ());
            assert_eq!(mounted, Err(StoreError::Tampered), "{number}");
        }
    }
}

#[test]
fn n25_a_value_for_good_does_not_become_another_by_a_bit() {
    let mut device = fresh();
    let places = records(&mut device, &[KEY_A, KEY_B], true);
    for bit in 0..8 * (HEADER + 32 + TAG) {
        let answer = flipped(&device, places[0] * 8 + bit).try_with_store(|store, flash, _| {
            let mut out = [0; 64];
            let read = store.get(flash, KEY_A, &mut out).map(|_| ());
            (read, store.put(flash, KEY_A, b"another"))
        });
        match answer {
            Err(error) => assert_eq!(error, StoreError::Tampered, "{bit}"),
            Ok(answer) => assert_eq!(
                answer,
                (Err(StoreError::Tampered), Err(StoreError::WriteOnce)),
                "{bit}"
            ),
        }
    }
}
