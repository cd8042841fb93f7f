//! Flash in the hands of somebody else, who has no key.

use std::collections::{BTreeMap, BTreeSet};

use iotsec_store::{KeyId, StoreError};
use iotsec_testkit::{Geometry, SimRng, Tear};

use crate::device::{self, CHURN, CIPHERS, Cipher, Device, KEY_A, KEY_B, KEY_NEW, OWNER, value};

/// What a store on tampered flash answers for each key, or why it does not mount. Mounting and reading end
/// within a number of reads that the size of the flash bounds.
fn answers(device: &mut Device) -> Result<BTreeMap<KeyId, Result<Vec<u8>, StoreError>>, StoreError> {
    let size = u64::from(device.region.len());
    let before = device.flash.stats();
    let found = device.try_with_store(|store, flash, _| {
        let mut keys: BTreeSet<_> = store.keys().collect();
        keys.extend(device::contents().into_keys());
        keys.into_iter()
            .map(|key| {
                let mut out = [0; 2048];
                (key, store.get(flash, key, &mut out).map(<[u8]>::to_vec))
            })
            .collect()
    });
    let read = (device.flash.stats() - before).bytes_read;
    assert!(read <= 40 * size, "{read} bytes read of {size}");
    assert_eq!(device.flash.violation(), None);
    found
}

/// A small device, everything that was ever acknowledged on it, and the page that is written to.
struct Target {
    device: Device,
    history: BTreeMap<KeyId, Vec<Vec<u8>>>,
    now: BTreeMap<KeyId, Vec<u8>>,
    head: usize,
}

fn target() -> Target {
    target_of(FORMS[0])
}

/// A cipher, and whether there is no user domain.
type Form = (Cipher, bool);

const FORMS: [Form; 3] = [(CIPHERS[0], false), (CIPHERS[1], false), (CIPHERS[0], true)];

fn target_of((cipher, device_only): Form) -> Target {
    let device = Device::blank(Geometry::small(9), Tear::Torn).sealed_with(cipher);
    let mut device = Device {
        device_only,
        ..device
    }
    .with_contents();
    let mut history: BTreeMap<_, Vec<_>> = device
        .contents()
        .into_iter()
        .map(|(key, value)| (key, vec![value]))
        .collect();
    let mut now = device.contents();
    let third = if device_only { KEY_NEW } else { OWNER[0] };
    device.with_store(|store, flash, _| {
        for round in 0..6 {
            for (key, len) in [(CHURN, 50), (KEY_A, 32), (third, 20)] {
                let new = value(round, len);
                store.put(flash, key, &new).unwrap();
                history.entry(key).or_default().push(new.clone());
                now.insert(key, new);
            }
        }
        store.remove(flash, KEY_B).unwrap();
        now.remove(&KEY_B);
    });
    // Sequence numbers stand in the clear behind the salt.
    let pages = device.flash.image().chunks(256).enumerate();
    let pages = pages.skip(usize::from(!device_only));
    let head = pages
        .filter(|(_, page)| page[16..20] != [0xFF; 4])
        .max_by_key(|(_, page)| u32::from_le_bytes(page[16..20].try_into().unwrap()))
        .map(|(page, _)| page)
        .unwrap();
    Target {
        device,
        history,
        now,
        head,
    }
}

/// Nothing is answered that was never stored there. Returns whether all is as it was, and whether every
/// difference came with an error.
fn judge(
    target: &Target,
    found: &Result<BTreeMap<KeyId, Result<Vec<u8>, StoreError>>, StoreError>,
) -> (bool, bool) {
    let (mut same, mut told) = (true, true);
    match found {
        Ok(found) => {
            for (key, answer) in found {
                match (answer, target.now.get(key)) {
                    (Ok(value), now) => {
                        let known = target.history.get(key).is_some_and(|old| old.contains(value));
                        assert!(known, "{key:?} gives {value:?}, which was never stored there");
                        same &= now == Some(value);
                        told &= now == Some(value);
                    }
                    (Err(StoreError::NotFound), None) => {}
                    (Err(StoreError::NotFound), Some(_)) => (same, told) = (false, false),
                    (Err(StoreError::Tampered | StoreError::KeyLost), _) => same = false,
                    (Err(error), _) => panic!("{key:?}: {error:?}"),
                }
            }
        }
        Err(StoreError::Tampered | StoreError::Unformatted) => same = false,
        Err(error) => panic!("mounting: {error:?}"),
    }
    (same, told)
}

#[test]
fn n26_every_flipped_bit_is_harmless_or_reported() {
    FORMS
        .into_iter()
        .for_each(every_flipped_bit_is_harmless_or_reported);
}

fn every_flipped_bit_is_harmless_or_reported(form: Form) {
    let target = target_of(form);
    let (mut same, mut reported, mut older) = (0, 0, 0);
    let image = target.device.flash.image().to_vec();
    for (at, byte) in image.iter().enumerate() {
        for bit in 0..8 {
            let mut device = target.device.clone();
            device
                .flash
                .tamper(u32::try_from(at).unwrap(), &[byte ^ (1 << bit)]);
            match judge(&target, &answers(&mut device)) {
                (true, _) => same += 1,
                (false, true) => reported += 1,
                // In the page that is written to, a damaged end looks like a power cut.
                (false, false) => {
                    older += 1;
                    assert_eq!(at / 256, target.head, "byte {at}, bit {bit}");
                }
            }
        }
    }
    println!(
        "flipped bits: {same} without effect, {reported} reported, {older} an earlier state of the head"
    );
    assert!(reported > 500 && same > 500);
}

#[test]
fn n09_swapped_and_repeated_pages_and_words_give_nothing_wrong() {
    FORMS.into_iter().for_each(swaps_give_nothing_wrong);
}

fn swaps_give_nothing_wrong(form: Form) {
    let target = target_of(form);
    let image = target.device.flash.image().to_vec();
    let mut tried = 0;
    for one in 0..9 {
        for other in 0..9 {
            if one == other {
                continue;
            }
            let page = |n: usize| image[n * 256..][..256].to_vec();
            let mut copied = target.device.clone();
            copied
                .flash
                .tamper(one * 256, &page(usize::try_from(other).unwrap()));
            let mut swapped = copied.clone();
            swapped
                .flash
                .tamper(other * 256, &page(usize::try_from(one).unwrap()));
            for mut device in [copied, swapped] {
                judge(&target, &answers(&mut device));
                tried += 1;
            }
        }
    }
    let mut rng = SimRng::new(5);
    for _ in 0..3000 {
        // A run of words from one place in another: records, parts of records, headers.
        let mut device = target.device.clone();
        let len = usize::try_from(4 * (1 + rng.below(30))).unwrap();
        let words = u64::try_from((image.len() - len) / 4).unwrap();
        let (from, to) = (rng.below(words) * 4, u32::try_from(rng.below(words) * 4).unwrap());
        device
            .flash
            .tamper(to, &image[usize::try_from(from).unwrap()..][..len]);
        judge(&target, &answers(&mut device));
        tried += 1;
    }
    println!("swaps and splices: {tried}");
}

#[test]
fn n10_what_another_device_stored_is_worth_nothing_here() {
    let target = target();
    let mut other = Device::blank(Geometry::small(9), Tear::Torn);
    other.root = 8;
    other.format().unwrap();
    other.with_store(|store, flash, _| {
        for round in 0..20 {
            store.put(flash, CHURN, &value(round, 50)).unwrap();
        }
    });
    for page in 0..9 {
        let mut device = target.device.clone();
        let from = usize::try_from(page).unwrap() * 256;
        device
            .flash
            .tamper(page * 256, &other.flash.image()[from..][..256]);
        let (same, told) = judge(&target, &answers(&mut device));
        assert!(same || told || from / 256 == target.head, "page {page}");
    }
    // The entropy of the fixture is the same for both: it is the root key that tells them apart.
    let mut device = target.device.clone();
    device.flash.tamper(256, &other.flash.image()[256..]);
    assert_eq!(answers(&mut device), Err(StoreError::Unformatted));
}

#[test]
fn n09_an_old_page_in_the_place_of_its_successor_is_noticed() {
    FORMS.into_iter().for_each(old_page_is_noticed);
}

fn old_page_is_noticed(form: Form) {
    let mut target = target_of(form);
    let first = usize::from(!target.device.device_only);
    let before = target.device.flash.image().to_vec();
    // Until every page of the log has been written anew.
    for round in 0..40 {
        target.device.with_store(|store, flash, _| {
            store.put(flash, CHURN, &value(round, 50)).unwrap();
        });
        target.history.get_mut(&CHURN).unwrap().push(value(round, 50));
        target.now.insert(CHURN, value(round, 50));
    }
    let mut reported = 0;
    for page in first..9 {
        let mut device = target.device.clone();
        let at = u32::try_from(page * 256).unwrap();
        device.flash.tamper(at, &before[page * 256..][..256]);
        let (same, told) = judge(&target, &answers(&mut device));
        reported += u32::from(!same && told);
    }
    assert!(reported >= 5, "{reported}");
}

#[test]
fn n26_garbage_never_panics_and_never_mounts_as_something() {
    FORMS
        .into_iter()
        .for_each(garbage_never_panics_and_never_mounts_as_something);
}

fn garbage_never_panics_and_never_mounts_as_something(form: Form) {
    let target = target_of(form);
    let key_pages = usize::from(!target.device.device_only);
    let mut rng = SimRng::new(9);
    for round in 0..600 {
        let mut device = target.device.clone();
        let mut garbage: Vec<u8> = (0..9 * 256).map(|_| rng.below(256).to_le_bytes()[0]).collect();
        match round % 3 {
            // All of it; behind a true key; behind a true key and true heads of pages.
            0 => {}
            1 => garbage[..key_pages * 256].copy_from_slice(&device.flash.image()[..key_pages * 256]),
            _ => {
                garbage[..key_pages * 256].copy_from_slice(&device.flash.image()[..key_pages * 256]);
                for page in key_pages..9 {
                    garbage[page * 256..][..64].copy_from_slice(&device.flash.image()[page * 256..][..64]);
                }
            }
        }
        device.flash.tamper(0, &garbage);
        let found = answers(&mut device);
        match round % 3 {
            0 | 1 => assert_eq!(found, Err(StoreError::Unformatted)),
            _ => assert_eq!(found, Err(StoreError::Tampered)),
        }
    }
}

#[test]
fn n24_a_missing_page_of_the_log_is_noticed() {
    FORMS.into_iter().for_each(missing_page_is_noticed);
}

fn missing_page_is_noticed(form: Form) {
    let target = target_of(form);
    for page in u32::from(!target.device.device_only)..9 {
        let mut device = target.device.clone();
        device.flash.tamper(page * 256, &[0xFF; 256]);
        let (same, told) = judge(&target, &answers(&mut device));
        assert!(
            same || told || page == u32::try_from(target.head).unwrap(),
            "page {page}"
        );
    }
}

#[test]
fn n24_the_newest_page_does_not_vanish_with_its_header() {
    FORMS.into_iter().for_each(newest_page_does_not_vanish);
}

fn newest_page_does_not_vanish(form: Form) {
    let target = target_of(form);
    let at = target.head * 256;
    let image = target.device.flash.image().to_vec();
    for (byte, was) in image.iter().enumerate().skip(at).take(64) {
        for bit in 0..8 {
            let mut device = target.device.clone();
            let byte = u32::try_from(byte).unwrap();
            device.flash.tamper(byte, &[was ^ (1 << bit)]);
            assert_eq!(
                answers(&mut device),
                Err(StoreError::Tampered),
                "byte {byte}, bit {bit}"
            );
        }
    }
}

#[test]
fn n24_what_lies_behind_a_broken_header_is_not_forgotten() {
    let mut device = Device::blank(Geometry::nrf52840(6), Tear::Torn);
    device.format().unwrap();
    device.with_store(|store, flash, _| {
        for round in 0..50 {
            store.put(flash, CHURN, &value(round, 36)).unwrap();
        }
    });
    // Two heads of pages, then records of 60 bytes.
    for record in 0..50 {
        let mut broken = device.clone();
        broken.flash.tamper(8192 + 64 + record * 60 + 4, &[0x5A; 4]);
        let found = broken.try_with_store(|_, _, _| ());
        // A write under way cannot have been longer than half a page.
        let expected = if record < 17 {
            Err(StoreError::Tampered)
        } else {
            Ok(())
        };
        assert_eq!(found, expected, "record {record}");
    }
}
