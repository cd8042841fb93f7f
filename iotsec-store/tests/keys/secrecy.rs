//! Where the bytes of a key must not be: N14, N21.

use std::fmt::Debug;

use iotsec_core::{
    crypto::{Aes256GcmSiv, Aes256KeyWrap, HkdfSha256, KeyWrap},
    secret::Secret,
};
use iotsec_store::{
    IndexEntry, ReplayProtection, Store, Suite,
    keys::{KeyKind, KeyUsage, Keyring},
};
use iotsec_testkit::{Geometry, SimFlash, SimRng, SimRootKey};

use crate::device::{ALL, KINDS, id, spec};

/// A different key for each number, without two equal bytes side by side.
fn bytes(number: u16) -> [u8; 32] {
    core::array::from_fn(|at| {
        let at = u8::try_from(at).unwrap();
        (at * 7).wrapping_mul(13) ^ u8::try_from(number).unwrap().wrapping_mul(37) ^ 0x61
    })
}

/// What is left after every key was used in every way.
struct Used {
    flash: SimFlash,
    /// What the store's buffer holds.
    buffer: Vec<u8>,
    /// What everything printed.
    printed: Vec<String>,
    /// The keys.
    secrets: Vec<Vec<u8>>,
}

fn used() -> Used {
    let root = SimRootKey::new(7);
    let suite = Suite {
        aead: &Aes256GcmSiv,
        kdf: &HkdfSha256,
        root: &root,
    };
    let mut flash = SimFlash::new(Geometry::nrf52840(8));
    let region = flash.region().unwrap();
    let (mut index, mut buffer) = ([IndexEntry::EMPTY; 32], [0; 256]);
    let mut rng = SimRng::new(5);
    let (mut printed, mut secrets) = (Vec::new(), vec![bytes(21).to_vec()]);
    let mut print = |value: &dyn Debug| printed.push(format!("{value:?} {value:#?}"));
    {
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
        let (rng, flash) = (&mut rng, &mut flash);
        let mut keys = Keyring::new(&mut store, ALL);
        print(&keys);
        print(&ALL);
        print(&iotsec_store::keys::Algorithm::<iotsec_core::crypto::Ed25519SigningKey>::NEW);
        for (number, (kind, usage)) in (0..).zip(KINDS) {
            let key = keys
                .import(
                    flash,
                    spec(number, kind, usage | KeyUsage::EXPORT),
                    &bytes(number)[..kind.key_len()],
                )
                .unwrap();
            print(&key);
            print(&key.usage());
            if let Ok(public) = keys.public_key(flash, &key) {
                print(&public);
            }
            let mut signature = [0; 64];
            if keys.sign(flash, &key, b"message", &mut signature).is_ok() {
                print(&keys.verify(flash, &key, b"message", &signature));
                let signer = keys.signer(flash, &key).unwrap();
                print(&signer);
            }
            if let Ok(mac) = keys.mac(flash, &key, b"message") {
                print(&keys.verify(flash, &key, b"message", &mac));
            }
            if let Ok(sealed) = keys.encrypt(flash, &key, b"", &mut [1; 20], rng) {
                print(&sealed);
                print(&keys.decrypt(flash, &key, b"", &sealed, &mut [2; 20]));
            }
            let child = spec(20, KeyKind::HmacSha256, KeyUsage::SIGN);
            if let Ok(child) = keys.derive(flash, &key, b"child", child) {
                print(&child);
            }
            if kind == KeyKind::Aes256Wrap {
                let mut wrapped = [0; 40];
                Aes256KeyWrap
                    .wrap(&bytes(number), &bytes(21), &mut wrapped)
                    .unwrap();
                print(&keys.unwrap(
                    flash,
                    &key,
                    &wrapped,
                    spec(21, KeyKind::HmacSha256, KeyUsage::SIGN),
                ));
            }
            let mut out = Secret::<32>::zero();
            print(&keys.export(flash, &key, &mut out));
            print(&out);
            let key = keys.rotate(flash, key, rng).unwrap();
            print(&key);
            secrets.push(bytes(number)[..kind.key_len()].to_vec());
            if keys.export(flash, &key, &mut out).is_ok() {
                secrets.push(out.expose().to_vec());
            }
            if number % 2 == 0 {
                print(&keys.retire(flash, &key));
            }
            if number % 5 == 0 {
                keys.destroy(flash, key).unwrap();
            }
            print(&keys.open(flash, id(number)));
        }
        print(&store);
    }
    Used {
        flash,
        buffer: buffer.to_vec(),
        printed,
        secrets,
    }
}

#[test]
fn n14_neither_flash_nor_the_buffer_of_the_store_holds_a_key() {
    let used = used();
    assert_eq!(used.secrets.len(), 20);
    for secret in &used.secrets {
        for part in secret.chunks(8) {
            assert!(!used.flash.contains(part), "a key in flash");
            let mut windows = used.buffer.windows(8);
            assert!(!windows.any(|window| window == part), "a key in RAM");
        }
    }
    assert!(used.flash.image()[4096..].iter().any(|byte| *byte != 0xFF));
}

#[test]
fn n21_nothing_prints_a_key() {
    let used = used();
    assert!(used.printed.len() > 60);
    for text in &used.printed {
        // Lists of numbers, of whatever layout, and digits without a gap.
        let flat: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let flat = flat.to_lowercase();
        for part in used.secrets.iter().flat_map(|secret| secret.chunks_exact(4)) {
            let decimal = part.iter().map(|byte| format!("{byte},")).collect::<String>();
            let hex = part.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
            assert!(!flat.contains(&decimal) && !flat.contains(&hex), "{text}");
        }
    }
    assert!(used.printed.iter().any(|text| text.contains("Ed25519")));
    assert!(
        used.printed
            .iter()
            .any(|text| text.contains("SIGN | VERIFY | EXPORT"))
    );
}
