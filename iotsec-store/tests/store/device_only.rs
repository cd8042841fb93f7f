//! A store without a user domain: what it refuses, and that no other shape of store is taken for it, or for none.

#![allow(
    clippy::redundant_closure_for_method_calls,
    reason = "the method path is not general enough"
)]

use iotsec_core::{
    crypto::{Aead, Aes256GcmSiv, CryptoError, HkdfSha256, Kdf},
    hal::{Region, RootKey},
    secret::Secret,
};
use iotsec_store::{
    DeviceOnly, IndexEntry, KeyDomain, KeyId, ReplayProtection, Scrub, Store, StoreError, StoreRegion, Suite,
};
use iotsec_testkit::{FailingRng, Geometry, SimRootKey, Tear};

use crate::{
    device::{self, CHURN, CIPHERS, Device, KEY_A, KEY_B, KEY_NEW, OWNER, read, value},
    power_cut::cut_format,
};

const BOOTS: KeyId = KeyId::new(KeyDomain::Device, 4, 1);

fn blank(pages: usize) -> Device {
    Device::blank(Geometry::small(pages), Tear::Torn)
}

/// What a mount answers that takes flash for another shape of store. It changes nothing.
fn answer(device: &Device, region: impl Into<StoreRegion>) -> Result<(), StoreError> {
    let mut flash = device.flash.clone();
    let root = SimRootKey::new(device.root);
    let suite = Suite {
        aead: device.cipher,
        kdf: &HkdfSha256,
        root: &root,
    };
    let (mut index, mut buffer) = ([IndexEntry::EMPTY; 16], [0; 2048]);
    let (replay, mut rng) = (ReplayProtection::None, FailingRng::after(0));
    let mounted = Store::mount(
        &mut flash,
        region,
        suite,
        &mut index,
        &mut buffer,
        replay,
        &mut rng,
    );
    let answer = mounted.map(|_| ());
    assert!(answer.is_ok() || flash.image() == device.flash.image());
    answer
}

/// Puts in one boot after another, each of which opens a page, and looks at the flash after each.
fn each_boot(mut device: Device, boots: u32, look: impl Fn(u32, &Device)) {
    for boot in 0..boots {
        device.with_store(|store, flash, _| store.put(flash, CHURN, &value(boot, 30)).unwrap());
        look(boot, &device);
    }
    device.with_store(|store, flash, _| assert_eq!(read(store, flash, KEY_A), Some(value(1, 20))));
}

/// With a value in each domain.
fn used(mut device: Device) -> Device {
    device.format().unwrap();
    let device_only = device.device_only;
    device.with_store(|store, flash, _| {
        store.put(flash, KEY_A, &value(1, 20)).unwrap();
        if !device_only {
            store.put(flash, OWNER[0], b"the owner's").unwrap();
        }
    });
    device
}

#[test]
fn whatever_would_write_in_the_user_domain_is_refused_and_leaves_everything_as_it_was() {
    let mut device = blank(8).device_only().with_contents();
    let refused = Err(StoreError::NoUserDomain);
    device.with_store(|store, flash, rng| {
        store.put(flash, KEY_B, b"so that a page is open").unwrap();
        let before = flash.image().to_vec();
        let (user, long) = (OWNER[0], vec![7; store.max_value_len()]);
        assert_eq!(store.put(flash, user, b"value"), refused);
        assert_eq!(store.put(flash, user, &long), refused);
        assert_eq!(store.put_once(flash, user, b"value"), refused);
        assert_eq!(store.remove(flash, user), refused);
        assert_eq!(store.increment(flash, user), Err(StoreError::NoUserDomain));
        assert_eq!(store.count(flash, user), Err(StoreError::NoUserDomain));
        assert_eq!(store.erase_user(flash, rng), refused);
        let mut change = store.transaction();
        assert_eq!(change.put(flash, user, b"value"), refused);
        assert_eq!(change.put_once(flash, user, b"value"), refused);
        assert_eq!(change.remove(flash, user), refused);
        change.commit(flash).unwrap();
        assert_eq!(flash.image(), before);

        assert_eq!(store.get(flash, user, &mut [0; 8]), Err(StoreError::NotFound));
        assert!(!store.contains(user) && store.value_len(user).is_none());
        assert!(!store.is_user_key_lost());
        assert_eq!(store.erasures(), 0);
        // A refused change leaves the others of a transaction as they are.
        store.set_limit(KeyDomain::User, Some(0));
        let mut change = store.transaction();
        change.put(flash, KEY_A, b"new").unwrap();
        assert_eq!(change.put(flash, user, b"value"), refused);
        change.commit(flash).unwrap();
        assert_eq!(store.increment(flash, BOOTS), Ok(1));
    });
    device.with_store(|store, flash, _| {
        assert_eq!(read(store, flash, KEY_A), Some(b"new".to_vec()));
        assert_eq!(store.count(flash, BOOTS), Ok(1));
        assert!(!store.is_user_key_lost());
    });
}

#[test]
fn three_pages_are_enough_and_all_of_them_hold_records() {
    let mut device = blank(3).device_only();
    device.format().unwrap();
    for round in 0..40 {
        device.with_store(|store, flash, _| {
            assert_eq!(store.data_pages(), 3);
            store.put(flash, KEY_A, &value(round, 40)).unwrap();
        });
    }
    device.with_store(|store, flash, _| assert_eq!(read(store, flash, KEY_A), Some(value(39, 40))));
    let wear = device.flash.wear();
    assert!(wear.iter().all(|erases| *erases > 10), "{wear:?}");

    assert_eq!(blank(3).format(), Err(StoreError::Layout));
    assert_eq!(blank(2).device_only().format(), Err(StoreError::Layout));
    // With a page more than with a user domain.
    let pages = |mut device: Device| {
        device.format().unwrap();
        device.with_store(|store, _, _| store.data_pages())
    };
    assert_eq!([pages(blank(8)), pages(blank(8).device_only())], [7, 8]);
}

#[test]
fn formatting_draws_the_salt_alone_and_mounting_nothing() {
    let formats = |region: StoreRegion, draws| {
        let mut device = blank(4);
        let root = SimRootKey::new(7);
        let suite = Suite {
            aead: device.cipher,
            kdf: &HkdfSha256,
            root: &root,
        };
        let (mut index, mut buffer) = ([IndexEntry::EMPTY; 4], [0; 84]);
        let (replay, mut rng) = (ReplayProtection::None, FailingRng::after(draws));
        let flash = &mut device.flash;
        Store::format(flash, region, suite, &mut index, &mut buffer, replay, &mut rng).map(|_| ())
    };
    let region = blank(4).region;
    let entropy = Err(StoreError::Crypto(CryptoError::Entropy));
    assert_eq!(formats(DeviceOnly(region).into(), 0), entropy);
    assert_eq!(formats(DeviceOnly(region).into(), 1), Ok(()));
    // Key and nonce, too.
    assert_eq!(formats(region.into(), 2), entropy);
    assert_eq!(formats(region.into(), 3), Ok(()));

    let device = blank(4).device_only().with_contents();
    assert_eq!(answer(&device, DeviceOnly(device.region)), Ok(()));
}

#[test]
fn scrubbing_leaves_nothing_of_what_was_replaced() {
    let mut device = blank(6).device_only().with_contents();
    let old = device.flash.image().to_vec();
    device.with_store(|store, flash, _| {
        store.remove(flash, KEY_B).unwrap();
        store.begin_scrub();
        let mut steps = 0;
        while store.scrub_step(flash).unwrap() == Scrub::Pending {
            steps += 1;
        }
        assert!((2..=12).contains(&steps), "{steps}");
    });
    // What is sealed at another place looks different.
    let now = device.flash.image();
    for old in old
        .chunks(256)
        .filter(|page| page.iter().any(|byte| *byte != 0xFF))
    {
        for piece in old[64..].chunks(16).filter(|piece| *piece != [0xFF; 16]) {
            assert!(!now.windows(16).any(|window| window == piece));
        }
    }
    device.with_store(|store, flash, _| {
        assert_eq!(
            read(store, flash, KEY_A),
            Some(device::contents()[&KEY_A].clone())
        );
        assert_eq!(read(store, flash, KEY_B), None);
    });
}

#[test]
fn a_store_with_a_user_domain_is_not_taken_for_one_without() {
    // Just formatted, without a record: its key page tells.
    let mut formatted = blank(4);
    formatted.format().unwrap();
    let region = formatted.region;
    assert_eq!(answer(&formatted, DeviceOnly(region)), Err(StoreError::Geometry));
    for cipher in CIPHERS {
        for pages in [4, 5, 12] {
            // In a log this long, every page has in some lap the number that it would have in the other form.
            let device = used(blank(pages).sealed_with(cipher));
            let region = DeviceOnly(device.region);
            each_boot(device, 40, |boot, device| {
                assert_eq!(answer(device, region), Err(StoreError::Geometry), "{boot}");
                let mut other = device.clone();
                other.cipher = CIPHERS[usize::from(cipher.algorithm() == CIPHERS[0].algorithm())];
                assert_eq!(answer(&other, region), Err(StoreError::Geometry), "{boot}");
                // Without its key page, as a cut in an erasure leaves it.
                let mut keyless = device.clone();
                keyless.flash.tamper(0, &[0xFF; 256]);
                assert_eq!(answer(&keyless, region), Err(StoreError::Geometry), "{boot}");
            });
        }
    }
}

#[test]
fn a_store_without_a_user_domain_is_not_taken_for_one_with() {
    for cipher in CIPHERS {
        for pages in [4, 5, 12] {
            let device = used(blank(pages).device_only().sealed_with(cipher));
            let region = device.region;
            each_boot(device, 40, |boot, device| {
                assert_eq!(answer(device, region), Err(StoreError::Geometry), "{boot}");
                let mut other = device.clone();
                other.cipher = CIPHERS[usize::from(cipher.algorithm() == CIPHERS[0].algorithm())];
                assert_eq!(answer(&other, region), Err(StoreError::Geometry), "{boot}");
            });
        }
    }
    // Of one that never had a record there is nothing that could tell.
    let mut formatted = blank(4).device_only();
    formatted.format().unwrap();
    assert_eq!(answer(&formatted, formatted.region), Err(StoreError::Unformatted));
}

#[test]
fn without_a_user_domain_another_shape_or_cipher_is_refused_and_not_taken_for_no_store() {
    let shape = |page, pages, word| Region::new(0, page, pages, word).unwrap();
    each_boot(used(blank(12).device_only()), 40, |boot, device| {
        let region = device.region;
        for other in [
            shape(512, 6, 4),
            shape(256, 11, 4),
            shape(256, 3, 4),
            shape(256, 12, 8),
            shape(256, 12, 64),
            region.with_erased(0),
        ] {
            let answer = answer(device, DeviceOnly(other));
            assert_eq!(answer, Err(StoreError::Geometry), "{boot}, {other:?}");
        }
        // Of four pages one start is looked at.
        let large = answer(device, DeviceOnly(shape(1024, 3, 4)));
        assert!(large == Err(StoreError::Geometry) || boot < 3 && large == Err(StoreError::Unformatted));
        let other = device.clone().sealed_with(CIPHERS[1]);
        assert_eq!(
            answer(&other, DeviceOnly(region)),
            Err(StoreError::Geometry),
            "{boot}"
        );
    });
    let fits = |pages| answer(&blank(12), DeviceOnly(shape(256, pages, 4)));
    assert_eq!(fits(12), Err(StoreError::Unformatted));
    assert!(matches!(fits(13), Err(StoreError::Flash(_))));
}

#[test]
fn without_a_user_domain_words_of_up_to_256_bytes_are_told_apart() {
    let geometry = Geometry::new(&[1024; 6], 4);
    let words: [u32; 9] = [4, 8, 16, 32, 64, 128, 256, 4, 512];
    let shape = |word| DeviceOnly(Region::new(0, 1024, 6, word).unwrap());
    for word in words {
        let mut device = Device::blank(geometry.clone(), Tear::Torn).device_only();
        device.region = shape(word).0;
        if word == 512 {
            // A page of two words has no room for a record.
            assert_eq!(device.format(), Err(StoreError::Layout));
            continue;
        }
        device.format().unwrap();
        for boot in 0..8 {
            device.with_store(|store, flash, _| store.put(flash, KEY_A, &value(boot, 9)).unwrap());
            for other in [4, 8, 16, 32, 64, 128, 256] {
                let expected = if word == other {
                    Ok(())
                } else {
                    Err(StoreError::Geometry)
                };
                assert_eq!(answer(&device, shape(other)), expected, "{word}, {other}");
            }
        }
    }
}

#[test]
fn another_devices_store_is_none() {
    let mut device = blank(6).device_only().with_contents();
    device.root = 8;
    assert_eq!(
        answer(&device, DeviceOnly(device.region)),
        Err(StoreError::Unformatted)
    );
    assert_eq!(answer(&device, device.region), Err(StoreError::Unformatted));
    // But a page that begins as that of a key does is not read as none, whoever wrote it.
    let mut other = blank(6).with_contents();
    other.root = 8;
    assert_eq!(
        answer(&other, DeviceOnly(other.region)),
        Err(StoreError::Geometry)
    );
}

#[test]
fn a_page_of_a_key_in_the_first_page_is_a_damaged_page_like_any_other() {
    let key_page = blank(6).with_contents().flash.image()[..256].to_vec();
    each_boot(used(blank(6).device_only()), 20, |boot, device| {
        let mut attacked = device.clone();
        attacked.flash.tamper(0, &key_page);
        match attacked.try_with_store(|store, flash, _| {
            assert_eq!(read(store, flash, KEY_A), Some(value(1, 20)));
            assert!(!store.is_user_key_lost() && store.erasures() == 0);
        }) {
            // The page is free.
            Ok(()) => {}
            // It was the newest, without which the log ends earlier, or one before.
            Err(error) => assert_eq!(error, StoreError::Tampered, "{boot}"),
        }
    });
    // All pages but that one are blank.
    let mut attacked = blank(6).device_only();
    attacked.flash.tamper(0, &key_page);
    assert_eq!(attacked.try_with_store(|_, _, _| ()), Err(StoreError::Geometry));
}

#[test]
fn formatting_in_the_other_form_that_is_cut_leaves_a_store_that_is_not_taken_for_none() {
    let (mut total, mut told) = (0, 0);
    for tear in [Tear::Torn, Tear::Clean, Tear::EccPoison, Tear::Unstable] {
        for device_only in [true, false] {
            let mut prepared = Device::blank(Geometry::small(6), tear);
            prepared.device_only = !device_only;
            let mut prepared = prepared.with_contents();
            prepared.device_only = device_only;
            assert_eq!(
                answer(&prepared, prepared.store_region()),
                Err(StoreError::Geometry)
            );
            let (points, old) = cut_format(&prepared, &[StoreError::Geometry, StoreError::Cipher]);
            total += points;
            told += old;
        }
    }
    println!("format in the other form: {total} cut points, {told} with the old store");
    assert!(told > 50);
}

/// Writes records of the user domain at the end of a log as nobody can who has not the root key.
struct Forger {
    device: Device,
    header_key: Secret<32>,
    record_key: Secret<32>,
    sequence: u32,
    /// In the page that has this number.
    offset: u32,
}

impl Forger {
    /// At the end of a store of six pages in which [`KEY_A`] is alone, 20 bytes long.
    fn new(device_only: bool) -> Self {
        let mut device = blank(6);
        device.device_only = device_only;
        device.format().unwrap();
        device.with_store(|store, flash, _| store.put(flash, KEY_A, &value(1, 20)).unwrap());
        let page = if device_only { 256 } else { 512 };
        let salt = &device.flash.image()[page..][..16];
        let mut secret = Secret::<32>::zero();
        let root = SimRootKey::new(device.root);
        root.derive(b"iotsec/store/device/v2", &mut secret).unwrap();
        let derive = |label: &[u8]| {
            let mut key = Secret::<32>::zero();
            HkdfSha256
                .hkdf(salt, secret.expose(), &[label], key.expose_mut())
                .unwrap();
            key
        };
        Self {
            header_key: derive(b"iotsec/store/header-key/v2"),
            record_key: derive(b"iotsec/store/record-key/device/v2"),
            // The first boot opened a page; what it wrote stands first.
            sequence: 2,
            offset: 64 + 8 + 20 + 16,
            device,
        }
    }

    /// A record with this first byte and name, sealed with the record key of the device domain.
    fn append(&mut self, first: u8, name: u32, text: &[u8]) {
        let place = [self.sequence.to_le_bytes(), self.offset.to_le_bytes()].concat();
        let parts: [&[u8]; 2] = [b"iotsec/store/header/v2", &place];
        let pad = HkdfSha256.hmac(self.header_key.expose(), &parts).unwrap();
        let number = |at: usize| u64::from_le_bytes(pad[at..at + 8].try_into().unwrap());
        let len = u16::try_from(text.len()).unwrap().to_le_bytes();
        let start = u64::from(u32::from_le_bytes([first, len[0], len[1], 0]));
        let term = number(0)
            .wrapping_mul(start)
            .wrapping_add(number(8).wrapping_mul(u64::from(name)))
            .wrapping_add(number(16));
        let masked = (u64::from(name) ^ number(24)).to_le_bytes();
        let mut record = vec![first, len[0], len[1], masked[0], masked[1], masked[2]];
        record.extend(&term.to_le_bytes()[6..]);
        let aad = [b"iotsec/store/r/2", &place[..], &name.to_le_bytes(), &record].concat();
        let nonce: [u8; 12] = [&place[..], &[0; 4]].concat().try_into().unwrap();
        let mut sealed = text.to_vec();
        let tag = Aes256GcmSiv
            .seal(&self.record_key, &nonce, &aad, &mut sealed)
            .unwrap();
        record.extend(sealed);
        record.extend(tag);
        record.resize(record.len().next_multiple_of(4), 0);
        let key_pages = if self.device.device_only { 0 } else { 1 };
        let at = (self.sequence - 1 + key_pages) * 256 + self.offset;
        self.device.flash.tamper(at, &record);
        self.offset += u32::try_from(record.len()).unwrap();
    }
}

const PUT: u8 = 1;
const REMOVE: u8 = 2;
const ERASE: u8 = 3;
const USER: u8 = 8;

#[test]
fn a_record_of_the_user_domain_is_not_in_order_where_there_is_none() {
    // Put, removal, erasure: each alone and with one of the device domain behind it.
    for (first, text) in [
        (PUT | USER, &b"four"[..]),
        (REMOVE | USER, b""),
        (ERASE | USER, &[2, 0, 0, 0]),
    ] {
        for followed in [false, true] {
            let mut forger = Forger::new(true);
            forger.append(first, 0x0001_0001, text);
            if followed {
                forger.append(PUT, KEY_NEW_NAME, b"behind it");
            }
            let found = forger.device.try_with_store(|store, flash, _| {
                assert_eq!(read(store, flash, KEY_A), Some(value(1, 20)));
                (store.keys().count(), store.erasures(), store.is_user_key_lost())
            });
            // What follows it counts for nothing either: the log ends there.
            assert_eq!(found, Ok((1, 0, false)), "{first}, {followed}");
            forger.device.with_store(|store, flash, _| {
                store.put(flash, KEY_B, b"goes on").unwrap();
            });
        }
    }
    // The same of the device domain counts, and of the user domain where there is one: the forger writes what he means to.
    for device_only in [true, false] {
        let mut forger = Forger::new(device_only);
        forger.append(PUT, KEY_NEW_NAME, b"new");
        forger.append(REMOVE, KEY_NEW_NAME, b"");
        forger.append(PUT, KEY_NEW_NAME, b"newer");
        forger.device.with_store(|store, flash, _| {
            assert_eq!(read(store, flash, KEY_NEW), Some(b"newer".to_vec()));
        });
    }
    let mut forger = Forger::new(false);
    forger.append(ERASE | USER, 0, &[2, 0, 0, 0]);
    forger
        .device
        .with_store(|store, _, _| assert_eq!(store.erasures(), 1));
}

/// That of [`KEY_NEW`].
const KEY_NEW_NAME: u32 = 0x0001_0003;
