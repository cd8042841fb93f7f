//! The bytes in flash, compared with the vector in `FORMAT.md`.

use iotsec_core::{crypto::HkdfSha256, hal::DeviceRootKey, secret::Secret};
use iotsec_store::{DeviceOnly, IndexEntry, KeyDomain, KeyId, ReplayProtection, Store, StoreRegion, Suite};
use iotsec_testkit::{Geometry, SimFlash, SimRng};

use crate::{
    device::{CIPHERS, Cipher},
    document::{documented, hex},
};

const DOCUMENT: &str = include_str!("../../FORMAT.md");

#[test]
fn flash_holds_the_documented_bytes() {
    for (cipher, suffix) in CIPHERS.into_iter().zip(["", " of cipher 1"]) {
        flash_holds(cipher, suffix);
    }
    // A count is no business of the cipher.
    let counters = ["counter", "counter of cipher 1"].map(|name| documented(DOCUMENT, name));
    assert_eq!(counters[0], counters[1]);
}

#[test]
fn flash_holds_the_documented_bytes_without_a_user_domain() {
    for (cipher, suffix) in CIPHERS.into_iter().zip(["", " of cipher 1"]) {
        let mut flash = SimFlash::new(Geometry::small(3));
        let region = DeviceOnly(flash.region().unwrap());
        fill(&mut flash, region.into(), KeyDomain::Device, cipher);
        let image = flash.image();
        for (name, from, len) in [("page head", 0, 64), ("record", 64, 32)] {
            let name = format!("{name}{suffix} without a user domain");
            assert_eq!(
                documented(DOCUMENT, &name),
                hex(&image[from..from + len]),
                "{name}"
            );
        }
        assert!(image[112..].iter().all(|byte| *byte == 0xFF));
    }
}

/// Formats, and puts a value under the domain and counts in the device's.
fn fill(flash: &mut SimFlash, region: StoreRegion, domain: KeyDomain, cipher: Cipher) {
    let root = Secret::from_bytes(*b"a root key for the test vectors.");
    let root = DeviceRootKey::new(&root, &HkdfSha256).unwrap();
    let suite = Suite {
        aead: cipher,
        kdf: &HkdfSha256,
        root: &root,
    };
    let (mut index, mut buffer) = ([IndexEntry::EMPTY; 4], [0; 128]);
    let mut rng = SimRng::new(1);
    let mut store = Store::format(
        flash,
        region,
        suite,
        &mut index,
        &mut buffer,
        ReplayProtection::None,
        &mut rng,
    )
    .unwrap();
    let key = KeyId::new(domain, 0x02, 0x0304);
    store.put(flash, key, b"hello").unwrap();
    let boots = KeyId::new(KeyDomain::Device, 0x05, 0x0607);
    assert_eq!(store.increment(flash, boots), Ok(1));
}

fn flash_holds(cipher: Cipher, suffix: &str) {
    let mut flash = SimFlash::new(Geometry::small(4));
    let region = flash.region().unwrap();
    fill(&mut flash, region.into(), KeyDomain::User, cipher);
    let mut rng = SimRng::new(1);
    let mut drawn = || *Secret::<32>::random(&mut rng).unwrap().expose();
    assert_eq!(
        documented(DOCUMENT, "root key"),
        hex(b"a root key for the test vectors.")
    );
    assert_eq!(documented(DOCUMENT, "user key"), hex(&drawn()));
    let image = flash.image();
    for (name, from, len) in [
        ("user key page", 0, 84),
        ("page head", 256, 64),
        ("record", 320, 32),
        ("counter", 352, 16),
    ] {
        let name = format!("{name}{suffix}");
        assert_eq!(
            documented(DOCUMENT, &name),
            hex(&image[from..from + len]),
            "{name}"
        );
    }
    assert!(image[368..].iter().all(|byte| *byte == 0xFF));
}
