//! Each operation with a key of each type that has it.

use embedded_storage::nor_flash::NorFlash;
use iotsec_core::{
    cbor::Limits,
    cose::{Sign1, Sign1Builder},
    crypto::{
        Aead, Aes256GcmSiv, ChaCha20Poly1305, CryptoError, Ed25519PublicKey, HkdfSha256, Kdf, KeyType,
        P256PublicKey, Sign, Verify,
    },
    secret::Secret,
};
use iotsec_store::{
    StoreError,
    keys::{KeyError, KeyKind, KeySpec, KeyUsage, Keyring},
};
use iotsec_testkit::{FailingRng, Geometry, SimFlash, SimRng};

use crate::device::{ALL, Device, KINDS, id, spec, user_id};

#[test]
fn a_generated_key_of_every_type_is_there_after_a_reboot() {
    let mut device = Device::new();
    for (number, (kind, usage)) in (0..).zip(KINDS) {
        let made = device.with_keys(|keys, flash, rng| {
            let made = keys.generate(flash, spec(number, kind, usage), rng).unwrap();
            assert_eq!(
                keys.generate(flash, spec(number, kind, usage), rng),
                Err(KeyError::Exists)
            );
            made
        });
        let opened = device.with_keys(|keys, flash, _| keys.open(flash, id(number)).unwrap());
        assert_eq!(opened, made);
        assert_eq!(
            (opened.id(), opened.kind(), opened.usage(), opened.number()),
            (id(number), kind, usage, 1)
        );
    }
}

#[test]
fn signatures_verify_under_the_public_key_and_here() {
    let mut device = Device::new();
    for (number, kind) in [(1, KeyKind::Ed25519), (2, KeyKind::P256)] {
        let usage = KeyUsage::SIGN | KeyUsage::VERIFY;
        device.with_keys(|keys, flash, rng| {
            let key = keys.generate(flash, spec(number, kind, usage), rng).unwrap();
            let mut signature = [0; 64];
            keys.sign(flash, &key, b"message", &mut signature).unwrap();
            keys.verify(flash, &key, b"message", &signature).unwrap();
            let forged = keys.verify(flash, &key, b"massage", &signature);
            assert_eq!(forged, Err(KeyError::Crypto(CryptoError::Signature)));

            let public = keys.public_key(flash, &key).unwrap();
            let outside: Box<dyn Verify> = if kind == KeyKind::P256 {
                Box::new(P256PublicKey::from_sec1(public.as_bytes()).unwrap())
            } else {
                Box::new(Ed25519PublicKey::from_bytes(public.as_bytes()).unwrap())
            };
            outside.verify(b"message", &signature).unwrap();
        });
    }
}

#[test]
fn an_imported_key_is_the_key_that_others_have() {
    let bytes = *b"32 bytes that others have too...";
    let mut device = Device::new();
    device.with_keys(|keys, flash, rng| {
        let usage = KeyUsage::SIGN | KeyUsage::VERIFY;
        let mac_key = keys
            .import(flash, spec(1, KeyKind::HmacSha256, usage), &bytes)
            .unwrap();
        let mac = keys.mac(flash, &mac_key, b"message").unwrap();
        assert_eq!(mac, HkdfSha256.hmac(&bytes, &[b"message"]).unwrap());
        keys.verify(flash, &mac_key, b"message", &mac).unwrap();
        for wrong in [&mac[..31], &[0; 32], b""] {
            let refused = keys.verify(flash, &mac_key, b"message", wrong);
            assert_eq!(refused, Err(KeyError::Crypto(CryptoError::Signature)));
        }

        let ciphers: [(u16, KeyKind, &dyn Aead); 2] = [
            (2, KeyKind::ChaCha20Poly1305, &ChaCha20Poly1305),
            (3, KeyKind::Aes256GcmSiv, &Aes256GcmSiv),
        ];
        for (number, kind, cipher) in ciphers {
            let usage = KeyUsage::ENCRYPT | KeyUsage::DECRYPT;
            let key = keys.import(flash, spec(number, kind, usage), &bytes).unwrap();
            let mut text = *b"a reading";
            let sealed = keys.encrypt(flash, &key, b"header", &mut text, rng).unwrap();
            assert_ne!(&text, b"a reading");
            let mut copy = text;
            let secret = Secret::from_bytes(bytes);
            cipher
                .open(&secret, &sealed.nonce, b"header", &mut copy, &sealed.tag)
                .unwrap();
            assert_eq!(&copy, b"a reading");

            keys.decrypt(flash, &key, b"header", &sealed, &mut text).unwrap();
            assert_eq!(&text, b"a reading");
            let sealed = keys.encrypt(flash, &key, b"header", &mut text, rng).unwrap();
            let refused = keys.decrypt(flash, &key, b"other", &sealed, &mut text);
            assert_eq!(refused, Err(KeyError::Crypto(CryptoError::Tag)));
            assert_ne!(&text, b"a reading");
        }
    });
}

#[test]
fn n03_nonces_differ_though_the_random_source_repeats_itself() {
    let mut device = Device::new();
    let usage = KeyUsage::ENCRYPT | KeyUsage::DECRYPT;
    device.with_keys(|keys, flash, rng| {
        let key = keys
            .generate(flash, spec(1, KeyKind::ChaCha20Poly1305, usage), rng)
            .unwrap();
        let mut seal = |aad: &[u8], text: &[u8]| {
            let mut buffer = text.to_vec();
            // The same bytes each time.
            keys.encrypt(flash, &key, aad, &mut buffer, &mut SimRng::new(1))
                .unwrap()
                .nonce
        };
        let nonces = [
            seal(b"", b"one"),
            seal(b"", b"two"),
            seal(b"o", b"ne"),
            seal(b"on", b"e"),
            seal(b"one", b""),
        ];
        for (at, nonce) in nonces.iter().enumerate() {
            assert!(!nonces[..at].contains(nonce));
        }
        assert_eq!(seal(b"", b"one"), nonces[0]);
        let mut buffer = [0; 4];
        let refused = keys.encrypt(flash, &key, b"", &mut buffer, &mut FailingRng::after(0));
        assert_eq!(refused, Err(KeyError::Crypto(CryptoError::Entropy)));
    });
}

#[test]
fn a_cose_message_is_signed_with_a_stored_key() {
    let mut device = Device::new();
    device.with_keys(|keys, flash, rng| {
        let key = keys
            .generate(flash, spec(1, KeyKind::Ed25519, KeyUsage::SIGN), rng)
            .unwrap();
        let public = keys.public_key(flash, &key).unwrap();
        let signer = keys.signer(flash, &key).unwrap();
        assert_eq!(
            (signer.key_type(), signer.public_key()),
            (KeyType::Ed25519, public.as_bytes())
        );
        let (mut scratch, mut out) = ([0; 256], [0; 256]);
        for payload in [b"one", b"two"] {
            let message = Sign1Builder::new()
                .sign(&signer, payload, b"", &mut scratch, &mut out)
                .unwrap();
            let public = Ed25519PublicKey::from_bytes(public.as_bytes()).unwrap();
            let checked = Sign1::parse(message, &Limits::SMALL)
                .unwrap()
                .verify(&public, b"", &mut scratch)
                .unwrap();
            assert_eq!(checked.payload(), payload);
            assert_eq!(signer.error(), None);
        }
    });
}

#[test]
fn a_signer_says_why_it_failed() {
    let mut device = Device::new();
    device.with_store(|store, flash, rng| {
        let key = Keyring::new(store, ALL)
            .generate(flash, spec(1, KeyKind::Ed25519, KeyUsage::SIGN), rng)
            .unwrap();
        let mut keys = Keyring::new(store, ALL);
        let power = flash.power().clone();
        let signer = keys.signer(flash, &key).unwrap();
        power.cut_after(0);
        let mut other = SimFlash::new(Geometry::small(1)).powered_by(&power);
        other.write(0, &[0; 4]).unwrap_err();
        let mut signature = [0; 64];
        assert_eq!(signer.sign(b"message", &mut signature), Err(CryptoError::Driver));
        assert!(matches!(
            signer.error(),
            Some(KeyError::Store(StoreError::Flash(_)))
        ));
        power.restore();
        assert_eq!(signer.sign(b"message", &mut signature), Ok(()));
        assert_eq!(signer.error(), None);
    });
}

#[test]
fn a_key_arrives_wrapped() {
    use iotsec_core::crypto::{Aes128KeyWrap, Aes256KeyWrap, KeyWrap};
    let kek = *b"a key that maker and device have";
    let cases: [(u16, KeyKind, &[u8], &dyn KeyWrap); 2] = [
        (1, KeyKind::Aes128Wrap, &kek[..16], &Aes128KeyWrap),
        (2, KeyKind::Aes256Wrap, &kek, &Aes256KeyWrap),
    ];
    let mut device = Device::new();
    for (number, kind, kek, algorithm) in cases {
        let mut wrapped = [0; 40];
        algorithm
            .wrap(kek, b"32 bytes that travel wrapped....", &mut wrapped)
            .unwrap();
        device.with_keys(|keys, flash, _| {
            let kek = keys
                .import(flash, spec(number, kind, KeyUsage::UNWRAP), kek)
                .unwrap();
            let wanted = spec(10 + number, KeyKind::HmacSha256, KeyUsage::SIGN);
            let mut torn = wrapped;
            torn[39] ^= 1;
            assert_eq!(
                keys.unwrap(flash, &kek, &torn, wanted),
                Err(KeyError::Crypto(CryptoError::Tag))
            );
            assert_eq!(
                keys.unwrap(flash, &kek, &wrapped[..32], wanted),
                Err(KeyError::Crypto(CryptoError::KeyLength))
            );
            assert_eq!(
                keys.open(flash, wanted.id),
                Err(KeyError::Store(StoreError::NotFound))
            );
            let key = keys.unwrap(flash, &kek, &wrapped, wanted).unwrap();
            assert_eq!(
                keys.mac(flash, &key, b"message").unwrap(),
                HkdfSha256
                    .hmac(b"32 bytes that travel wrapped....", &[b"message"])
                    .unwrap()
            );
        });
    }
}

#[test]
fn what_is_unwrapped_leaves_only_under_a_key_that_reveals() {
    use iotsec_core::crypto::{Aes256KeyWrap, KeyWrap};
    let kek = *b"a key that maker and device have";
    let mut wrapped = [0; 40];
    Aes256KeyWrap
        .wrap(&kek, b"32 bytes that travel wrapped....", &mut wrapped)
        .unwrap();
    let mut device = Device::new();
    device.with_keys(|keys, flash, _| {
        let mut kek = |number, usage| {
            keys.import(flash, spec(number, KeyKind::Aes256Wrap, usage), &kek)
                .unwrap()
        };
        let (closed, open) = (
            kek(1, KeyUsage::UNWRAP),
            kek(2, KeyUsage::UNWRAP | KeyUsage::REVEAL),
        );
        let mut out = Secret::from_bytes([7; 32]);
        assert_eq!(
            keys.unwrap_secret(flash, &closed, &wrapped, &mut out),
            Err(KeyError::Usage)
        );
        assert_eq!(out.expose(), &[0; 32]);
        keys.unwrap_secret(flash, &open, &wrapped, &mut out).unwrap();
        assert_eq!(out.expose(), b"32 bytes that travel wrapped....");

        for usage in [KeyUsage::EXPORT, KeyUsage::SIGN | KeyUsage::EXPORT] {
            let wanted = spec(3, KeyKind::HmacSha256, usage);
            assert_eq!(
                keys.unwrap(flash, &closed, &wrapped, wanted),
                Err(KeyError::Usage)
            );
        }
        let wanted = spec(3, KeyKind::HmacSha256, KeyUsage::EXPORT);
        let key = keys.unwrap(flash, &open, &wrapped, wanted).unwrap();
        let mut out = Secret::<32>::zero();
        keys.export(flash, &key, &mut out).unwrap();
        assert_eq!(out.expose(), b"32 bytes that travel wrapped....");
    });
}

#[test]
fn a_key_is_exported_only_if_it_was_made_so() {
    let mut device = Device::new();
    device.with_keys(|keys, flash, rng| {
        for (number, (kind, usage)) in (0..).zip(KINDS) {
            let closed = keys.generate(flash, spec(number, kind, usage), rng).unwrap();
            let mut out = Secret::from_bytes([7; 32]);
            assert_eq!(keys.export(flash, &closed, &mut out), Err(KeyError::Usage));
            assert_eq!(out.expose(), &[0; 32]);
            keys.destroy(flash, closed).unwrap();

            let open = spec(number, kind, usage | KeyUsage::EXPORT);
            let open = keys.generate(flash, open, rng).unwrap();
            let mut short = Secret::<16>::zero();
            if kind.key_len() == 16 {
                keys.export(flash, &open, &mut short).unwrap();
                assert!(!short.is_constant());
            } else {
                assert_eq!(
                    keys.export(flash, &open, &mut short),
                    Err(KeyError::Crypto(CryptoError::KeyLength))
                );
                keys.export(flash, &open, &mut out).unwrap();
                assert!(!out.is_constant());
                // It is the key itself: the same again when it is put back.
                let again = KeySpec {
                    id: user_id(number),
                    ..spec(number, kind, usage)
                };
                let again = keys.import(flash, again, out.expose()).unwrap();
                if let Ok(public) = keys.public_key(flash, &open) {
                    assert_eq!(keys.public_key(flash, &again).unwrap(), public);
                }
            }
        }
    });
}

#[test]
fn a_public_key_needs_no_usage() {
    let mut device = Device::new();
    device.with_keys(|keys, flash, rng| {
        for (number, kind, len) in [
            (1, KeyKind::Ed25519, 32),
            (2, KeyKind::P256, 65),
            (3, KeyKind::X25519, 32),
            (4, KeyKind::P256Agreement, 65),
        ] {
            let key = keys
                .generate(flash, spec(number, kind, KeyUsage::EXPORT), rng)
                .unwrap();
            assert_eq!(keys.public_key(flash, &key).unwrap().as_bytes().len(), len);
        }
        let key = keys
            .generate(flash, spec(5, KeyKind::HmacSha256, KeyUsage::SIGN), rng)
            .unwrap();
        assert_eq!(keys.public_key(flash, &key), Err(KeyError::Type));
    });
}

#[test]
fn keys_of_two_domains_are_apart_and_the_owners_go_with_the_owner() {
    let mut device = Device::new();
    let user = KeySpec {
        id: user_id(1),
        kind: KeyKind::HmacSha256,
        usage: KeyUsage::SIGN,
    };
    let (device_mac, user_key) = device.with_keys(|keys, flash, rng| {
        let key = keys.generate(flash, KeySpec { id: id(1), ..user }, rng).unwrap();
        let other = keys.generate(flash, user, rng).unwrap();
        let mac = keys.mac(flash, &key, b"message").unwrap();
        assert_ne!(keys.mac(flash, &other, b"message").unwrap(), mac);
        (mac, other)
    });
    device.with_store(|store, flash, rng| {
        store.erase_user(flash, rng).unwrap();
        let mut keys = Keyring::new(store, ALL);
        let gone = Err(KeyError::Store(StoreError::NotFound));
        assert_eq!(keys.open(flash, user.id), gone);
        assert_eq!(keys.mac(flash, &user_key, b"message").map(drop), gone.map(drop));
        let key = keys.open(flash, id(1)).unwrap();
        assert_eq!(keys.mac(flash, &key, b"message").unwrap(), device_mac);
    });
}
