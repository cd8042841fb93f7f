//! What somebody finds who reads the flash with a programmer.

use std::{
    cell::{Cell, RefCell},
    collections::HashSet,
};

use iotsec_core::{
    crypto::{Aead, AeadAlgorithm, CryptoError, HkdfSha256},
    hal::RootKey,
    secret::Secret,
};
use iotsec_store::{IndexEntry, KeyDomain, KeyId, ReplayProtection, Scrub, Store, StoreError, Suite};
use iotsec_testkit::{Geometry, SimFlash, SimRng, SimRootKey, Tear};

use crate::device::{self, CIPHERS, Cipher, Device, KEY_A, KEY_B, OWNER, value};

const NAMES: [(u8, u16); 3] = [(0xB2, 0xC3D4), (0x6F, 0x7A8B), (0xAD, 0xBECF)];
const SAME: &[u8] = b"the same plaintext, under every key, over and over again";

/// Puts, overwrites, removes, reboots, and erases once.
fn used() -> Device {
    used_with(CIPHERS[0])
}

fn used_with(cipher: Cipher) -> Device {
    let mut device = Device::blank(Geometry::nrf52840(7), Tear::Torn)
        .sealed_with(cipher)
        .with_contents();
    for round in 0..30 {
        device.with_store(|store, flash, _| {
            for (namespace, number) in NAMES {
                for domain in [KeyDomain::Device, KeyDomain::User] {
                    let key = KeyId::new(domain, namespace, number);
                    store.put(flash, key, SAME).unwrap();
                    store.put(flash, key, &value(round, 100)).unwrap();
                    store.put(flash, key, SAME).unwrap();
                }
            }
            store.put(flash, OWNER[0], b"Anna's network").unwrap();
        });
    }
    device.with_store(|store, flash, _| store.remove(flash, KEY_B).unwrap());
    device
}

/// The key of the user domain, as `FORMAT.md` says it is kept.
fn stored_key(device: &Device, flash: &SimFlash) -> Option<[u8; 32]> {
    let mut wrap = Secret::zero();
    SimRootKey::new(device.root)
        .derive(b"iotsec/store/wrap-key/v2", &mut wrap)
        .unwrap();
    let page = &flash.image()[..84];
    let nonce = page[24..36].try_into().unwrap();
    let mut key: [u8; 32] = page[36..68].try_into().unwrap();
    let tag = page[68..].try_into().unwrap();
    device
        .cipher
        .open(&wrap, nonce, &page[..24], &mut key, tag)
        .ok()
        .map(|()| key)
}

/// The aligned runs of 12 bytes that are not blank or padding, nor the salt with which every page begins.
fn runs(image: &[u8]) -> impl Iterator<Item = &[u8]> {
    image
        .chunks_exact(4)
        .enumerate()
        .filter(|(word, _)| word % 1024 > 3)
        .filter_map(|(word, _)| image.get(word * 4..word * 4 + 12))
        .filter(|run| run.chunks(4).all(|word| word != [0; 4] && word != [0xFF; 4]))
}

#[test]
fn n14_flash_shows_no_key_no_name_no_value_and_no_pattern() {
    CIPHERS.into_iter().for_each(shows_nothing);
}

fn shows_nothing(cipher: Cipher) {
    let device = used_with(cipher);
    let flash = &device.flash;
    let mut wrap = Secret::zero();
    SimRootKey::new(device.root)
        .derive(b"iotsec/store/wrap-key/v2", &mut wrap)
        .unwrap();
    let keys = [*wrap.expose(), stored_key(&device, flash).unwrap()];
    for part in keys.iter().flat_map(|key| key.chunks(8)) {
        assert!(!flash.contains(part));
    }
    for text in [
        &b"Anna's"[..],
        b"network",
        b"horse",
        b"value-",
        &SAME[..8],
        &SAME[40..48],
    ] {
        assert!(!flash.contains(text), "{}", String::from_utf8_lossy(text));
    }
    for (namespace, number) in NAMES {
        let [a, b] = number.to_be_bytes();
        assert!(!flash.contains(&[namespace, a, b]));
        assert!(!flash.contains(&[b, a, namespace]));
    }
    // Equal values under equal and other names: no 12 bytes occur twice, anywhere.
    let mut seen = HashSet::new();
    let mut count = 0;
    for run in runs(&flash.image()[4096..]) {
        assert!(seen.insert(run), "{run:x?} occurs twice");
        count += 1;
    }
    assert!(count > 2000, "the flash was hardly used: {count}");
}

#[test]
fn n14_after_erasing_and_scrubbing_not_even_ciphertext_is_left() {
    CIPHERS.into_iter().for_each(is_scrubbed);
}

fn is_scrubbed(cipher: Cipher) {
    let mut device = used_with(cipher);
    let before = device.flash.clone();
    let user_key = stored_key(&device, &before).unwrap();
    device.with_store(|store, flash, rng| store.erase_user(flash, rng).unwrap());
    // The key is gone at once, wrapped or not.
    let wrapped = &before.image()[24..84];
    for part in wrapped.chunks_exact(12) {
        assert!(!device.flash.contains(part));
    }
    assert!(stored_key(&device, &device.flash).is_some_and(|key| key != user_key));

    let mut steps = 0;
    let scrub = |store: &mut Store<'_>, flash: &mut SimFlash| {
        let (result, stats) = flash.measure(|flash| store.scrub_step(flash).unwrap());
        assert!(stats.erases <= 1);
        result
    };
    // A reboot after every step.
    while device.with_store(|store, flash, _| scrub(store, flash)) == Scrub::Pending {
        steps += 1;
        assert!(steps < 100, "scrubbing never ends");
    }
    let old: HashSet<_> = runs(&before.image()[4096..]).collect();
    assert!(old.len() > 2000);
    let left = runs(&device.flash.image()[4096..])
        .filter(|run| old.contains(run))
        .count();
    assert_eq!(left, 0, "runs of old ciphertext");
    device.with_store(|store, flash, _| {
        assert!(store.keys().all(|key| key.domain() == KeyDomain::Device));
        assert_eq!(device::read(store, flash, KEY_A), Some(value(1, 32)));
        assert_eq!(store.scrub_step(flash), Ok(Scrub::Done));
    });
    println!("scrubbing took {steps} steps, one erase at most in each");
}

#[test]
fn n14_what_is_copied_after_an_erasure_cannot_be_opened_even_with_the_root_key() {
    CIPHERS.into_iter().for_each(is_gone_for_a_thief);
}

fn is_gone_for_a_thief(cipher: Cipher) {
    let mut device = used_with(cipher);
    let before = device.flash.clone();
    device.with_store(|store, flash, rng| store.erase_user(flash, rng).unwrap());

    // The flash as it is, and with all pages of the log put back as they were.
    let copy = device.clone();
    let mut restored = device.clone();
    restored.flash.tamper(4096, &before.image()[4096..]);
    for mut thief in [copy, restored] {
        thief.with_store(|store, flash, _| {
            for key in OWNER {
                let mut out = [0; 2048];
                assert_eq!(store.get(flash, key, &mut out), Err(StoreError::NotFound));
            }
            // The device's own values are not concerned.
            assert_eq!(device::read(store, flash, KEY_A), Some(value(1, 32)));
        });
    }
    // The old key's page put back: it says that it is too old, and is replaced.
    let mut replayed = device.clone();
    replayed.flash.tamper(0, &before.image()[..4096]);
    replayed.with_store(|store, _, _| assert!(OWNER.iter().all(|key| !store.contains(*key))));
    assert!(
        stored_key(&device, &replayed.flash)
            .is_some_and(|key| { key != stored_key(&device, &before).unwrap() })
    );
}

#[test]
fn a_lost_user_key_is_reported_and_takes_nothing_else_with_it() {
    let mut device = used();
    let page = device.flash.image()[..4096].to_vec();
    device.flash.tamper(40, &[0xA5]);
    device.with_store(|store, flash, _| {
        let mut out = [0; 64];
        assert_eq!(store.get(flash, OWNER[0], &mut out), Err(StoreError::KeyLost));
        assert_eq!(store.put(flash, OWNER[0], b"new"), Err(StoreError::KeyLost));
        assert_eq!(device::read(store, flash, KEY_A), Some(value(1, 32)));
        // What can be written without moving what cannot be read, is.
        for round in 0..400 {
            match store.put(flash, KEY_A, &value(round, 100)) {
                Ok(()) => assert_eq!(device::read(store, flash, KEY_A), Some(value(round, 100))),
                Err(error) => assert_eq!(error, StoreError::KeyLost),
            }
        }
        store.put(flash, KEY_A, &value(1, 100)).unwrap_err();
    });
    // It was not overwritten: with its key back, everything is there.
    device.flash.tamper(0, &page);
    device.with_store(|store, flash, _| {
        assert_eq!(
            device::read(store, flash, OWNER[0]),
            Some(b"Anna's network".to_vec())
        );
    });
    // Or the owner gives it up.
    device.flash.tamper(40, &[0xA5]);
    device.with_store(|store, flash, rng| {
        store.erase_user(flash, rng).unwrap();
        store.put(flash, OWNER[0], b"new").unwrap();
    });
    device.with_store(|store, flash, _| {
        assert_eq!(device::read(store, flash, OWNER[0]), Some(b"new".to_vec()));
        assert_eq!(device::read(store, flash, OWNER[1]), None);
        assert!(device::read(store, flash, KEY_A).is_some());
    });
}

#[test]
fn destroying_leaves_nothing() {
    let mut device = used();
    let region = device.region;
    Store::destroy(&mut device.flash, region).unwrap();
    assert!(device.flash.image().iter().all(|byte| *byte == 0xFF));
    assert_eq!(
        device.try_with_store(|_, _, _| ()).err(),
        Some(StoreError::Unformatted)
    );
}

/// A cipher that notes each key and nonce that seals.
struct Recorder(RefCell<HashSet<([u8; 32], [u8; 12])>>, Cell<u32>, Cipher);

impl Aead for Recorder {
    fn algorithm(&self) -> AeadAlgorithm {
        self.2.algorithm()
    }
    fn seal(
        &self,
        key: &Secret<32>,
        nonce: &[u8; 12],
        aad: &[u8],
        buffer: &mut [u8],
    ) -> Result<[u8; 16], CryptoError> {
        if !self.0.borrow_mut().insert((*key.expose(), *nonce)) {
            self.1.set(self.1.get() + 1);
        }
        self.2.seal(key, nonce, aad, buffer)
    }
    fn open(
        &self,
        key: &Secret<32>,
        nonce: &[u8; 12],
        aad: &[u8],
        buffer: &mut [u8],
        tag: &[u8; 16],
    ) -> Result<(), CryptoError> {
        self.2.open(key, nonce, aad, buffer, tag)
    }
}

/// Entropy that gives the same at every boot, and power that goes or stays.
fn sealed_with(cipher: Cipher, cuts: bool) -> (usize, u32) {
    let recorder = Recorder(RefCell::default(), Cell::default(), cipher);
    let root = SimRootKey::new(7);
    let suite = Suite {
        aead: &recorder,
        kdf: &HkdfSha256,
        root: &root,
    };
    let mut flash = SimFlash::new(Geometry::small(9));
    let region = flash.region().unwrap();
    let (mut index, mut buffer) = ([IndexEntry::EMPTY; 16], [0; 256]);
    let mut rng = SimRng::new(1);
    Store::format(
        &mut flash,
        region,
        suite,
        &mut index,
        &mut buffer,
        ReplayProtection::None,
        &mut rng,
    )
    .unwrap();
    for boot in 0..300 {
        let mut rng = SimRng::new(1);
        let mut store = Store::mount(
            &mut flash,
            region,
            suite,
            &mut index,
            &mut buffer,
            ReplayProtection::None,
            &mut rng,
        )
        .unwrap();
        if cuts {
            flash.cut_after(boot * 7 % 200);
        }
        for round in 0..6 {
            let key = [KEY_A, KEY_B, OWNER[0]][round % 3];
            let _ = store.put(&mut flash, key, &value(u32::try_from(boot).unwrap(), 30));
        }
        flash.power_on();
    }
    (recorder.0.into_inner().len(), recorder.1.get())
}

#[test]
fn n03_entropy_that_is_the_same_at_every_boot_repeats_no_nonce() {
    for cipher in CIPHERS {
        let (sealed, repeated) = sealed_with(cipher, false);
        assert!(sealed > 2000 && repeated == 0, "{repeated} of {sealed}");
    }
}

#[test]
fn n01_a_nonce_repeats_only_where_a_cut_page_is_opened_again() {
    let (sealed, repeated) = sealed_with(CIPHERS[0], false);
    println!("{sealed} records and headers sealed, {repeated} nonces repeated without a cut");
    assert!(sealed > 2000 && repeated == 0);
    // Nothing in flash tells whether the cut page was ever there; this is why the cipher must survive it.
    let (sealed, repeated) = sealed_with(CIPHERS[0], true);
    println!("{sealed} sealed, {repeated} nonces repeated with a cut in each boot");
    assert!(repeated > 0);
}

#[test]
fn n21_nothing_secret_is_printed() {
    let mut device = used();
    let printed = device.with_store(|store, flash, _| {
        device::read(store, flash, OWNER[0]).unwrap();
        format!("{store:?} {:?}", IndexEntry::EMPTY)
    });
    assert_eq!(printed, "Store { keys: 10, .. } IndexEntry(free)");
}
