//! What a key refuses.

use std::collections::HashSet;

use iotsec_core::{
    crypto::{CryptoError, HkdfSha256, P256SigningKey, X25519Key},
    error::ErrorCode,
    secret::Secret,
};
use iotsec_store::{
    StoreError,
    keys::{Algorithm, KeyError, KeyHandle, KeyKind, KeySuite, KeyUsage, Keyring, Sealed},
};
use iotsec_testkit::{FailingRng, SimFlash, SimRng, StuckRng};

use crate::device::{ALL, Device, KINDS, id, spec};

const USAGES: [KeyUsage; 8] = [
    KeyUsage::SIGN,
    KeyUsage::VERIFY,
    KeyUsage::DERIVE,
    KeyUsage::ENCRYPT,
    KeyUsage::DECRYPT,
    KeyUsage::UNWRAP,
    KeyUsage::EXPORT,
    KeyUsage::REVEAL,
];

/// Everything that can be done with a key, and what it is for.
fn each_operation(
    keys: &mut Keyring<'_, '_>,
    flash: &mut SimFlash,
    key: &KeyHandle,
) -> Vec<(&'static str, KeyUsage, bool, Result<(), KeyError>)> {
    use KeyKind as K;
    let is = |kinds: &[K]| kinds.contains(&key.kind());
    let peer = [9; 32];
    let mut rng = SimRng::new(3);
    let child = spec(99, K::HmacSha256, KeyUsage::SIGN);
    let mut out = Secret::<32>::zero();
    let mut signature = [0; 64];
    let sealed = Sealed {
        nonce: [0; 12],
        tag: [0; 16],
    };
    let (derive, unwrap) = (
        KeyUsage::DERIVE | KeyUsage::REVEAL,
        KeyUsage::UNWRAP | KeyUsage::REVEAL,
    );
    let signs = is(&[K::Ed25519, K::P256]);
    let (agrees, wraps) = (
        is(&[K::X25519, K::P256Agreement]),
        is(&[K::Aes128Wrap, K::Aes256Wrap]),
    );
    let (seals, hkdf) = (is(&[K::Aes256GcmSiv, K::ChaCha20Poly1305]), is(&[K::HkdfSha256]));
    vec![
        (
            "sign",
            KeyUsage::SIGN,
            signs,
            keys.sign(flash, key, b"", &mut signature),
        ),
        (
            "mac",
            KeyUsage::SIGN,
            is(&[K::HmacSha256]),
            keys.mac(flash, key, b"").map(drop),
        ),
        (
            "verify",
            KeyUsage::VERIFY,
            signs || is(&[K::HmacSha256]),
            keys.verify(flash, key, b"", b""),
        ),
        ("signer", KeyUsage::SIGN, signs, keys.signer(flash, key).map(drop)),
        (
            "encrypt",
            KeyUsage::ENCRYPT,
            seals,
            keys.encrypt(flash, key, b"", &mut [0; 4], &mut rng).map(drop),
        ),
        (
            "decrypt",
            KeyUsage::DECRYPT,
            seals,
            keys.decrypt(flash, key, b"", &sealed, &mut [0; 4]),
        ),
        (
            "derive",
            KeyUsage::DERIVE,
            hkdf,
            keys.derive(flash, key, b"", child)
                .and_then(|made| keys.destroy(flash, made)),
        ),
        (
            "derive_secret",
            derive,
            hkdf,
            keys.derive_secret(flash, key, b"", &mut out),
        ),
        (
            "agree",
            KeyUsage::DERIVE,
            agrees,
            keys.agree(flash, key, &peer, b"", child)
                .and_then(|made| keys.destroy(flash, made)),
        ),
        (
            "agree_secret",
            derive,
            agrees,
            keys.agree_secret(flash, key, &peer, b"", &mut out),
        ),
        (
            "unwrap",
            KeyUsage::UNWRAP,
            wraps,
            keys.unwrap(flash, key, &[0; 40], child).map(drop),
        ),
        (
            "unwrap_secret",
            unwrap,
            wraps,
            keys.unwrap_secret(flash, key, &[0; 40], &mut out),
        ),
    ]
}

#[test]
fn every_usage_is_needed_and_every_type_is_checked() {
    let mut device = Device::new();
    let mut refused = [0; 2];
    device.with_keys(|keys, flash, rng| {
        for (kind, usage) in KINDS {
            // Every set of usages that the type can have.
            for bits in 1..256_u32 {
                let set = (0..8).filter(|bit| bits >> bit & 1 == 1).map(|bit| USAGES[bit]);
                let set = set.reduce(KeyUsage::and).unwrap();
                if !(usage | KeyUsage::EXPORT).contains(set) {
                    assert!(!kind.allows(set));
                    assert_eq!(
                        keys.generate(flash, spec(1, kind, set), rng),
                        Err(KeyError::Policy)
                    );
                    continue;
                }
                assert!(kind.allows(set));
                let key = keys.generate(flash, spec(1, kind, set), rng).unwrap();
                for (name, needed, fits, result) in each_operation(keys, flash, &key) {
                    let what = format!("{name} with {key:?}: {result:?}");
                    if !fits {
                        refused[0] += 1;
                        assert_eq!(result, Err(KeyError::Type), "{what}");
                    } else if !set.contains(needed) {
                        refused[1] += 1;
                        assert_eq!(result, Err(KeyError::Usage), "{what}");
                    } else {
                        // Done, or refused for what was passed.
                        let passed = matches!(result, Ok(()) | Err(KeyError::Crypto(_)));
                        assert!(passed, "{what}");
                    }
                }
                keys.destroy(flash, key).unwrap();
            }
        }
    });
    assert!(refused.iter().all(|count| *count > 50), "{refused:?}");
}

#[test]
fn a_key_without_usage_is_not_made() {
    let none = KeyUsage::SIGN;
    for (kind, _) in KINDS {
        assert!(kind.allows(KeyUsage::EXPORT));
        // A usage of another type.
        if !kind.allows(none) {
            Device::new().with_keys(|keys, flash, rng| {
                assert_eq!(
                    keys.generate(flash, spec(1, kind, none), rng),
                    Err(KeyError::Policy)
                );
                assert_eq!(
                    keys.import(flash, spec(1, kind, none), &[1; 32]),
                    Err(KeyError::Policy)
                );
            });
        }
    }
}

#[test]
fn an_algorithm_that_is_not_named_is_not_used() {
    let mut device = Device::new();
    let made = device.with_keys(|keys, flash, rng| {
        KINDS
            .iter()
            .zip(0..)
            .map(|((kind, usage), number)| keys.generate(flash, spec(number, *kind, *usage), rng).unwrap())
            .collect::<Vec<_>>()
    });
    device.with_store(|store, flash, rng| {
        let mut keys = Keyring::new(store, KeySuite::new(&HkdfSha256));
        for key in &made {
            let always = matches!(key.kind(), KeyKind::HmacSha256 | KeyKind::HkdfSha256);
            let new = keys.generate(flash, spec(50 + key.id().number(), key.kind(), key.usage()), rng);
            assert_eq!(new.err(), (!always).then_some(KeyError::Algorithm));
            for (name, _, fits, result) in each_operation(&mut keys, flash, key) {
                if fits && !always {
                    assert_eq!(result, Err(KeyError::Algorithm), "{name}");
                }
            }
        }
        // One of two is named.
        let suite = KeySuite {
            sign: &[&Algorithm::<P256SigningKey>::NEW],
            agree: &[&Algorithm::<X25519Key>::NEW],
            ..KeySuite::new(&HkdfSha256)
        };
        let mut keys = Keyring::new(store, suite);
        let mut signature = [0; 64];
        assert_eq!(
            keys.sign(flash, &made[0], b"", &mut signature),
            Err(KeyError::Algorithm)
        );
        assert_eq!(keys.sign(flash, &made[1], b"", &mut signature), Ok(()));
        // Nobody checks, though it signs.
        assert_eq!(
            keys.verify(flash, &made[1], b"", &signature),
            Err(KeyError::Algorithm)
        );
        assert!(keys.public_key(flash, &made[2]).is_ok());
        assert_eq!(keys.public_key(flash, &made[3]), Err(KeyError::Algorithm));
    });
}

#[test]
fn bytes_that_are_no_key_are_refused() {
    let mut device = Device::new();
    device.with_keys(|keys, flash, _| {
        for (kind, usage) in KINDS {
            let len = kind.key_len();
            let wanted = spec(1, kind, usage);
            let long: Vec<u8> = (0..=u8::try_from(len).unwrap()).collect();
            for bytes in [&long[..len - 1], &long[..], &vec![0; len], &vec![0xFF; len], b""] {
                assert_eq!(keys.import(flash, wanted, bytes), Err(KeyError::Material));
            }
        }
        // The order of P-256 itself.
        let order = [
            0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xBC, 0xE6,
            0xFA, 0xAD, 0xA7, 0x17, 0x9E, 0x84, 0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x51,
        ];
        let mut below = order;
        below[31] -= 1;
        for (kind, usage) in [
            (KeyKind::P256, KeyUsage::SIGN),
            (KeyKind::P256Agreement, KeyUsage::DERIVE),
        ] {
            let wanted = spec(1, kind, usage);
            assert_eq!(keys.import(flash, wanted, &order), Err(KeyError::Material));
            let key = keys.import(flash, wanted, &below).unwrap();
            keys.destroy(flash, key).unwrap();
        }
        assert_eq!(
            keys.open(flash, id(1)),
            Err(KeyError::Store(StoreError::NotFound))
        );
    });
}

#[test]
fn a_source_without_entropy_makes_no_key() {
    let mut device = Device::new();
    let entropy = Err(KeyError::Crypto(CryptoError::Entropy));
    device.with_keys(|keys, flash, rng| {
        for (kind, usage) in KINDS {
            let wanted = spec(1, kind, usage);
            assert_eq!(keys.generate(flash, wanted, &mut StuckRng(0x5A)), entropy);
            assert_eq!(keys.generate(flash, wanted, &mut FailingRng::after(0)), entropy);
        }
        let wanted = spec(1, KeyKind::HmacSha256, KeyUsage::SIGN);
        let key = keys.generate(flash, wanted, rng).unwrap();
        let mac = keys.mac(flash, &key, b"").unwrap();
        assert_eq!(keys.rotate(flash, key, &mut StuckRng(0)), entropy);
        // The old key is still there.
        let key = keys.open(flash, id(1)).unwrap();
        assert_eq!((key.number(), keys.mac(flash, &key, b"")), (1, Ok(mac)));
    });
}

#[test]
fn every_error_has_its_own_number_and_a_status_of_psa() {
    let errors = [
        (KeyError::Usage, -133),
        (KeyError::Type, -135),
        (KeyError::Exists, -139),
        (KeyError::Policy, -135),
        (KeyError::Algorithm, -134),
        (KeyError::Material, -135),
        (KeyError::Version, -153),
        (KeyError::UnknownType, -153),
        (KeyError::UnknownUsage, -153),
        (KeyError::Malformed, -153),
        (KeyError::Stale, -136),
        (KeyError::NotRetired, -137),
        (KeyError::NoPrevious, -140),
        (KeyError::Exhausted, -137),
    ];
    let numbers: Vec<_> = errors.iter().map(|(error, _)| error.code()).collect();
    assert_eq!(numbers, (3101..=3114).collect::<Vec<_>>());
    for (error, status) in errors {
        assert_eq!(error.psa_status(), status, "{error:?}");
    }
    for (error, status) in [
        (StoreError::NotFound, -140),
        (StoreError::Full, -142),
        (StoreError::Buffer, -138),
        (StoreError::Tampered, -152),
        (StoreError::KeyLost, -152),
        (StoreError::ReadBack, -146),
        (StoreError::Crypto(CryptoError::Entropy), -148),
    ] {
        assert_eq!(KeyError::Store(error).psa_status(), status, "{error:?}");
        assert_eq!(KeyError::Store(error).code(), error.code());
    }
    assert_eq!(KeyError::Crypto(CryptoError::Signature).psa_status(), -149);
    let texts: HashSet<_> = errors.iter().map(|(error, _)| error.to_string()).collect();
    assert_eq!(texts.len(), errors.len());
}

#[test]
fn a_key_that_is_damaged_in_flash_is_refused_by_the_store() {
    let mut device = Device::new();
    device.with_keys(|keys, flash, rng| {
        let usage = KeyUsage::SIGN | KeyUsage::VERIFY;
        keys.generate(flash, spec(1, KeyKind::HmacSha256, usage), rng)
            .unwrap();
        // What is written behind it, so that it is not the record that may have been cut short.
        for number in 2..6 {
            keys.generate(flash, spec(number, KeyKind::HmacSha256, usage), rng)
                .unwrap();
        }
    });
    let image = device.flash.image().to_vec();
    let used: Vec<usize> = (8192..image.len()).filter(|at| image[*at] != 0xFF).collect();
    let (mut refused, mut right) = (0, 0);
    for at in used.into_iter().step_by(3) {
        let mut flipped = device.clone();
        flipped
            .flash
            .tamper(u32::try_from(at).unwrap(), &[image[at] ^ 0x10]);
        let found = flipped.try_with_store(|store, flash, _| Keyring::new(store, ALL).open(flash, id(1)));
        match found {
            Ok(Ok(key)) => {
                // The damage is elsewhere: type and usage are what they were.
                right += 1;
                assert_eq!(
                    (key.kind(), key.usage()),
                    (KeyKind::HmacSha256, KeyUsage::SIGN | KeyUsage::VERIFY)
                );
            }
            // Never another type or usage, and never a value that is no key.
            Ok(Err(KeyError::Store(StoreError::Tampered | StoreError::NotFound)))
            | Err(StoreError::Tampered) => refused += 1,
            other => panic!("byte {at}: {other:?}"),
        }
    }
    assert!(refused > 20 && right > 20, "{refused} refused, {right} right");
}
