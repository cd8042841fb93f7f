//! What the store refuses, each with its own error, and that refusing loses nothing.

use iotsec_core::{
    crypto::{Aead, Aes256GcmSiv, ChaCha20HmacSiv, ChaCha20Poly1305, CryptoError, HkdfSha256},
    error::ErrorCode,
    hal::{DeviceRootKey, FlashError, Region, RootKey, RootKeyError},
    secret::Secret,
};
use iotsec_store::{IndexEntry, ReplayProtection, Store, StoreError, Suite};
use iotsec_testkit::{FailingRng, Geometry, SimRng, SimRootKey, Tear};

use crate::device::{self, CIPHERS, Device, KEY_A, OWNER};

/// Mounts with other things than the fixture does.
struct Mount<'a> {
    region: Region,
    aead: &'a dyn Aead,
    root: &'a dyn RootKey,
    index: usize,
    buffer: usize,
}

impl Mount<'_> {
    fn try_on(&self, device: &mut Device) -> Result<(), StoreError> {
        let suite = Suite {
            aead: self.aead,
            kdf: &HkdfSha256,
            root: self.root,
        };
        let (mut index, mut buffer) = (vec![IndexEntry::EMPTY; self.index], vec![0; self.buffer]);
        let mut rng = SimRng::new(3);
        Store::mount(
            &mut device.flash,
            self.region,
            suite,
            &mut index,
            &mut buffer,
            ReplayProtection::None,
            &mut rng,
        )
        .map(|_| ())
    }
}

fn device() -> Device {
    Device::new(Geometry::small(12), Tear::Torn)
}

/// Refused with `error`, and everything is still there.
fn refuses(error: StoreError, change: impl FnOnce(&mut Mount<'_>)) {
    let mut device = device();
    let root = SimRootKey::new(7);
    let mut mount = Mount {
        region: device.region,
        aead: &Aes256GcmSiv,
        root: &root,
        index: 16,
        buffer: 2048,
    };
    assert_eq!(mount.try_on(&mut device), Ok(()));
    change(&mut mount);
    let before = device.flash.image().to_vec();
    assert_eq!(mount.try_on(&mut device), Err(error));
    assert_eq!(device.flash.image(), before);
    device.with_store(|store, flash, _| {
        for (key, value) in device::contents() {
            assert_eq!(device::read(store, flash, key), Some(value));
        }
    });
}

#[test]
fn an_index_with_too_few_entries_is_refused() {
    refuses(StoreError::IndexFull, |mount| mount.index = 4);
    refuses(StoreError::IndexFull, |mount| mount.index = 0);
}

#[test]
fn a_buffer_for_shorter_records_is_refused() {
    // Enough for the store's own records and for mounting, but a longer value is in there.
    let mut device = device();
    device.with_store(|store, flash, _| {
        store.put(flash, device::KEY_B, &[7; 64]).unwrap();
        store
            .put(flash, KEY_A, b"read more than once by a mount")
            .unwrap();
    });
    let root = SimRootKey::new(7);
    let suite = Suite {
        aead: &Aes256GcmSiv,
        kdf: &HkdfSha256,
        root: &root,
    };
    let (mut index, mut buffer) = ([IndexEntry::EMPTY; 16], [0; 84]);
    let mut rng = SimRng::new(3);
    let flash = &mut device.flash;
    let mut store = Store::mount(
        flash,
        device.region,
        suite,
        &mut index,
        &mut buffer,
        ReplayProtection::None,
        &mut rng,
    )
    .unwrap();
    let mut out = [0; 64];
    assert_eq!(store.get(flash, device::KEY_B, &mut out), Err(StoreError::Layout));
    assert_eq!(store.max_value_len(), 16 * 60);
    refuses(StoreError::Layout, |mount| mount.buffer = 83);
    refuses(StoreError::Layout, |mount| mount.buffer = 0);
}

#[test]
fn another_geometry_is_refused() {
    let shape = |page, pages, word| Region::new(0, page, pages, word).unwrap();
    refuses(StoreError::Geometry, |mount| mount.region = shape(512, 6, 4));
    refuses(StoreError::Geometry, |mount| mount.region = shape(256, 11, 4));
    refuses(StoreError::Geometry, |mount| mount.region = shape(256, 12, 8));
    refuses(StoreError::Geometry, |mount| {
        mount.region = mount.region.with_erased(0);
    });
    refuses(StoreError::Layout, |mount| mount.region = shape(256, 3, 4));
    refuses(StoreError::Flash(FlashError::Geometry), |mount| {
        mount.region = shape(256, 13, 4);
    });
}

#[test]
fn n10_another_root_key_sees_no_store() {
    let other = SimRootKey::new(8);
    let mut device = device();
    let mount = Mount {
        region: device.region,
        aead: &Aes256GcmSiv,
        root: &other,
        index: 16,
        buffer: 2048,
    };
    assert_eq!(mount.try_on(&mut device), Err(StoreError::Unformatted));
}

struct BrokenRoot(RootKeyError);

impl RootKey for BrokenRoot {
    fn derive(&self, _label: &[u8], _out: &mut Secret<32>) -> Result<(), RootKeyError> {
        Err(self.0)
    }
}

#[test]
fn n11_a_root_key_that_is_weak_or_out_of_reach_is_refused() {
    for error in [RootKeyError::Weak, RootKeyError::Unavailable] {
        let root = BrokenRoot(error);
        let mut device = device();
        let mount = Mount {
            region: device.region,
            aead: &Aes256GcmSiv,
            root: &root,
            index: 16,
            buffer: 2048,
        };
        assert_eq!(mount.try_on(&mut device), Err(StoreError::RootKey(error)));
    }
    let constant = Secret::from_bytes([0x55; 32]);
    assert!(DeviceRootKey::new(&constant, &HkdfSha256).is_err());
}

#[test]
fn another_cipher_than_the_store_is_sealed_with_is_refused_and_not_taken_for_no_store() {
    refuses(StoreError::Cipher, |mount| mount.aead = &ChaCha20HmacSiv);
    for [old, new] in [[0, 1], [1, 0]] {
        let [old, new] = [CIPHERS[old], CIPHERS[new]];
        let answer = |device: &Device| device.clone().sealed_with(new).try_with_store(|_, _, _| ());
        // Just formatted, without a record.
        let mut device = Device::blank(Geometry::small(12), Tear::Torn).sealed_with(old);
        device.format().unwrap();
        assert_eq!(answer(&device), Err(StoreError::Cipher));
        // Used, erased, and used again.
        let mut device = Device::blank(Geometry::small(12), Tear::Torn)
            .sealed_with(old)
            .with_contents();
        for round in 0..40 {
            device.with_store(|store, flash, _| {
                store.put(flash, KEY_A, &device::value(round, 60)).unwrap();
            });
            assert_eq!(answer(&device), Err(StoreError::Cipher), "{round}");
        }
        device.with_store(|store, flash, rng| {
            store.erase_user(flash, rng).unwrap();
            store.put(flash, OWNER[0], b"the next owner's").unwrap();
        });
        assert_eq!(answer(&device), Err(StoreError::Cipher));
        // A page that names no cipher: erased, with a torn end, with a bit that flipped in its beginning.
        for damage in [&[0xFF; 256][..], &[0xFF; 84], b"iSK0"] {
            let mut device = device.clone();
            device.flash.tamper(0, damage);
            assert_eq!(answer(&device), Err(StoreError::Cipher));
            device.with_store(|store, flash, _| {
                assert_eq!(device::read(store, flash, KEY_A), Some(device::value(39, 60)));
            });
        }
        // With its own cipher, one that names the other is a page like any other that is damaged.
        let mut device = device.clone();
        let named = device.flash.image()[23];
        device.flash.tamper(23, &[1 - named]);
        device.with_store(|store, _, _| assert!(store.contains(KEY_A) && store.is_user_key_lost()));
    }
}

#[test]
fn where_no_head_opens_the_page_of_the_key_tells_another_cipher_from_no_store() {
    // One page with a record, whose head is damaged.
    let mut device = Device::blank(Geometry::small(12), Tear::Torn);
    device.format().unwrap();
    device.with_store(|store, flash, _| store.put(flash, KEY_A, b"value").unwrap());
    let salt = device.flash.image()[256..272].to_vec();
    for page in 1..12 {
        if device.flash.image()[page * 256..][..16] == salt[..] {
            let at = u32::try_from(page * 256 + 20).unwrap();
            device.flash.tamper(at, &[0x5A; 8]);
        }
    }
    let answer = |device: &Device| device.clone().try_with_store(|_, _, _| ());
    assert_eq!(answer(&device), Err(StoreError::Unformatted));
    // Nothing tells that from a store sealed with another cipher, if there is no page of the key.
    let mut other = device.clone();
    other.flash.tamper(0, &[0xFF; 256]);
    assert_eq!(answer(&other), Err(StoreError::Cipher));
    // The records of another device are none.
    other.root = 8;
    assert_eq!(answer(&other), Err(StoreError::Unformatted));
    // A page of the key that names the other one, torn as it may be, makes no store of blank pages.
    let mut blank = device.clone();
    blank.flash.tamper(256, &[0xFF; 11 * 256]);
    for named in [0, 1, 2] {
        blank.flash.tamper(23, &[named]);
        assert_eq!(answer(&blank), Err(StoreError::Unformatted));
    }
}

#[test]
fn n01_a_cipher_that_does_not_survive_a_repeated_nonce_is_refused() {
    refuses(StoreError::AeadUnsuitable, |mount| mount.aead = &ChaCha20Poly1305);
}

/// Writes a key page as another version of the format would.
#[test]
fn n05_another_version_is_refused() {
    for version in [0, 1, 3, 0xFF] {
        let mut device = device();
        let mut wrap = Secret::zero();
        SimRootKey::new(7)
            .derive(b"iotsec/store/wrap-key/v2", &mut wrap)
            .unwrap();
        let mut page: [u8; 84] = device.flash.image()[..84].try_into().unwrap();
        let (prefix, rest) = page.split_at_mut(24);
        let (nonce, rest) = rest.split_at_mut(12);
        let (key, tag) = rest.split_at_mut(32);
        let nonce: [u8; 12] = (&*nonce).try_into().unwrap();
        let old: [u8; 16] = (&*tag).try_into().unwrap();
        Aes256GcmSiv.open(&wrap, &nonce, prefix, key, &old).unwrap();
        prefix[4] = version;
        tag.copy_from_slice(&Aes256GcmSiv.seal(&wrap, &nonce, prefix, key).unwrap());
        device.flash.tamper(0, &page);
        assert_eq!(
            device.try_with_store(|_, _, _| ()).err(),
            Some(StoreError::Version),
            "{version}"
        );
    }
}

#[test]
fn mounting_needs_entropy_only_to_finish_an_erasure() {
    let mut device = device();
    let root = SimRootKey::new(7);
    let suite = Suite {
        aead: &Aes256GcmSiv,
        kdf: &HkdfSha256,
        root: &root,
    };
    let mount = |device: &mut Device| {
        let (mut index, mut buffer) = ([IndexEntry::EMPTY; 16], [0; 2048]);
        let mut rng = FailingRng::after(0);
        let flash = &mut device.flash;
        let mut store = Store::mount(
            flash,
            device.region,
            suite,
            &mut index,
            &mut buffer,
            ReplayProtection::None,
            &mut rng,
        )?;
        let found = device::read(&mut store, flash, KEY_A);
        Ok((found, store.erase_user(flash, &mut rng)))
    };
    let (found, erased) = mount(&mut device).unwrap();
    assert_eq!(found, Some(device::contents()[&KEY_A].clone()));
    assert_eq!(erased, Err(StoreError::Crypto(CryptoError::Entropy)));
    // It had begun: it is finished as soon as there is entropy.
    assert_eq!(
        mount(&mut device).err(),
        Some(StoreError::Crypto(CryptoError::Entropy))
    );
    device.with_store(|store, flash, _| {
        assert_eq!(device::read(store, flash, OWNER[0]), None);
        store.put(flash, OWNER[0], b"the next owner's").unwrap();
    });
}

#[test]
fn every_error_has_its_own_number() {
    let errors = [
        StoreError::Unformatted,
        StoreError::Version,
        StoreError::Geometry,
        StoreError::NotFound,
        StoreError::Full,
        StoreError::ValueTooLong,
        StoreError::Buffer,
        StoreError::Tampered,
        StoreError::KeyLost,
        StoreError::IndexFull,
        StoreError::AeadUnsuitable,
        StoreError::Layout,
        StoreError::Exhausted,
        StoreError::ReadBack,
        StoreError::WriteOnce,
        StoreError::Limit,
        StoreError::NotCounter,
        StoreError::RolledBack,
        StoreError::ReplayProtection,
        StoreError::Cipher,
        StoreError::NoUserDomain,
    ];
    let numbers: Vec<_> = errors.iter().map(ErrorCode::code).collect();
    assert_eq!(numbers, (3001..=3021).collect::<Vec<_>>());
}
