//! The bytes in flash, compared with the vector in `FORMAT.md`.

use iotsec_core::{crypto::HkdfSha256, hal::DeviceRootKey, secret::Secret};
use iotsec_store::{IndexEntry, KeyDomain, KeyId, ReplayProtection, Store, Suite};
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

fn flash_holds(cipher: Cipher, suffix: &str) {
    let root = Secret::from_bytes(*b"a root key for the test vectors.");
    let root = DeviceRootKey::new(&root, &HkdfSha256).unwrap();
    let suite = Suite {
        aead: cipher,
        kdf: &HkdfSha256,
        root: &root,
    };
    let mut flash = SimFlash::new(Geometry::small(4));
    let region = flash.region().unwrap();
    let (mut index, mut buffer) = ([IndexEntry::EMPTY; 4], [0; 128]);
    let mut rng = SimRng::new(1);
    let mut store = Store::format(
        &mut flash,
        region,
        suite,
        &mut index,
        &mut buffer,
        ReplayProtection::None,
        &mut rng,
    )
    .unwrap();
    let key = KeyId::new(KeyDomain::User, 0x02, 0x0304);
    store.put(&mut flash, key, b"hello").unwrap();
    let boots = KeyId::new(KeyDomain::Device, 0x05, 0x0607);
    assert_eq!(store.increment(&mut flash, boots), Ok(1));

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
