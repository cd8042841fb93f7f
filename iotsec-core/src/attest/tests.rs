use super::*;
use crate::{
    cbor::{CborError, Kind, Writer},
    cose::{CoseError, Sign1Builder},
    crypto::{
        CryptoError, Ed25519PublicKey, Ed25519SigningKey, P256PublicKey, P256SigningKey, Sha256, Sign, Verify,
    },
    secret::Secret,
};
use std::vec::Vec;

const NONCE_BYTES: [u8; 48] = [1; 48];

fn ed25519() -> (Ed25519SigningKey, Ed25519PublicKey) {
    let key = Ed25519SigningKey::from_seed(&Secret::from_bytes([7; 32]));
    let public = Ed25519PublicKey::from_bytes(key.public_key()).unwrap();
    (key, public)
}

fn claims<'a>(key: &dyn Sign, components: &'a [Component<'a>]) -> Claims<'a> {
    Claims {
        nonce: Nonce::new(&NONCE_BYTES).unwrap(),
        instance_id: InstanceId::of(key.public_key(), &mut Sha256::new()),
        implementation_id: &[4; 32],
        client_id: -5,
        lifecycle: Lifecycle::new(LifecycleState::Secured, 7),
        components,
        boot_seed: None,
        boot_seed_for_tfm: false,
        certification: None,
        service: None,
    }
}

fn signed(claims: &Claims<'_>, key: &dyn Sign) -> Vec<u8> {
    let (mut scratch, mut out) = ([0; 16_384], [0; 8192]);
    claims.sign(key, &mut scratch, &mut out).unwrap().to_vec()
}

fn verified<'a>(token: &'a [u8], key: &dyn Verify) -> Result<Evidence<'a>, AttestError> {
    let nonce = Nonce::new(&NONCE_BYTES).unwrap();
    Token::parse(token)?.verify(key, nonce, &mut Sha256::new(), &mut [0; 8192])
}

/// Signs claims that `Claims` would not write: `from` is replaced by `to` once.
fn forged(claims: &Claims<'_>, key: &dyn Sign, from: &[u8], to: &[u8]) -> Vec<u8> {
    let token = signed(claims, key);
    let mut payload = crate::cose::Sign1::parse(
        &token,
        &crate::cbor::Limits {
            bytes: 8192,
            items: 512,
            depth: 5,
        },
    )
    .unwrap()
    .attached()
    .unwrap()
    .to_vec();
    let at = payload.windows(from.len()).position(|part| part == from).unwrap();
    payload.splice(at..at + from.len(), to.iter().copied());
    let (algorithm, _) = scheme(key.key_type()).unwrap();
    Sign1Builder::new()
        .algorithm(algorithm)
        .sign(key, &payload, b"", &mut [0; 4096], &mut [0; 4096])
        .unwrap()
        .to_vec()
}

#[test]
fn what_is_claimed_is_what_is_read_with_both_keys() {
    let secret = Secret::from_bytes([9; 32]);
    let p256 = P256SigningKey::from_scalar(&secret).unwrap();
    let p256_public = P256PublicKey::from_sec1(p256.public_key()).unwrap();
    let (key, public) = ed25519();
    let components = [
        Component::image("App", &[2; 32], "1.4.2", &[3; 32]),
        Component::manifest(&[5; 32], "42", &[3; 32]),
        Component::product(&[8; 32], "1.4.2", &[3; 32]),
        Component {
            role: None,
            digest: &[6; 64],
            version: None,
            signer: &[7; 48],
            hash: None,
        },
    ];
    let keys: [(&dyn Sign, &dyn Verify); 2] = [(&key, &public), (&p256, &p256_public)];
    for (key, public) in keys {
        let seed = [8; 32];
        let claims = Claims {
            boot_seed: Some(BootSeed::new(&seed).unwrap()),
            boot_seed_for_tfm: true,
            certification: Some("0604565272829-10010"),
            service: Some("https://verifier.example/"),
            ..claims(key, &components)
        };
        let token = signed(&claims, key);
        let read = verified(&token, public).unwrap();
        assert_eq!(*read.instance_id(), claims.instance_id);
        assert_eq!(read.implementation_id(), claims.implementation_id);
        assert_eq!((read.client_id(), read.lifecycle()), (-5, claims.lifecycle));
        assert_eq!(read.boot_seed(), claims.boot_seed);
        assert_eq!(
            (read.certification(), read.service()),
            (claims.certification, claims.service)
        );
        assert!(read.components().eq(components));
        assert_eq!(read.manifest(), Some(components[1]));
        assert_eq!(read.product(), Some(components[2]));
    }
}

#[test]
fn no_prefix_no_flipped_bit_and_no_longer_token_is_accepted() {
    let (key, public) = ed25519();
    let components = [Component::image("App", &[2; 32], "1.4.2", &[3; 32])];
    let token = signed(&claims(&key, &components), &key);
    verified(&token, &public).unwrap();
    for len in 0..token.len() {
        assert!(verified(&token[..len], &public).is_err());
    }
    assert!(verified(&[&token[..], &[0]].concat(), &public).is_err());
    for bit in 0..token.len() * 8 {
        let mut changed = token.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(verified(&changed, &public).is_err(), "bit {bit}");
    }
}

#[test]
fn a_token_for_another_nonce_key_or_profile_is_refused() {
    let (key, public) = ed25519();
    let components = [Component::image("App", &[2; 32], "1.4.2", &[3; 32])];
    let base = claims(&key, &components);
    let token = signed(&base, &key);
    let verify = |nonce: &[u8], key: &dyn Verify| {
        let nonce = Nonce::new(nonce).unwrap();
        let token = Token::parse(&token).unwrap();
        token.verify(key, nonce, &mut Sha256::new(), &mut [0; 1024]).err()
    };
    assert_eq!(verify(&[2; 48], &public), Some(AttestError::Nonce));
    assert_eq!(verify(&[1; 32], &public), Some(AttestError::Nonce));
    let other = Ed25519SigningKey::from_seed(&Secret::from_bytes([8; 32]));
    let other = Ed25519PublicKey::from_bytes(other.public_key()).unwrap();
    let wrong = Some(AttestError::Cose(CoseError::Crypto(CryptoError::Signature)));
    assert_eq!(verify(&NONCE_BYTES, &other), wrong);

    // The right key, in the name of another device.
    let stolen = Claims {
        instance_id: InstanceId::of(&[0; 32], &mut Sha256::new()),
        ..base
    };
    let refused = verified(&signed(&stolen, &key), &public).err();
    assert_eq!(refused, Some(AttestError::InstanceId));

    let mut profile = [0; 64];
    let mut writer = Writer::new(&mut profile);
    let other = writer.text(PROFILE_P256).unwrap().len();
    let mut mine = [0; 64];
    let mut writer = Writer::new(&mut mine);
    let len = writer.text(PROFILE_ED25519).unwrap().len();
    let token = forged(&base, &key, &mine[..len], &profile[..other]);
    assert_eq!(verified(&token, &public).err(), Some(AttestError::Profile));
}

#[test]
fn claims_out_of_bounds_are_refused_by_the_reader() {
    let (key, public) = ed25519();
    let components = [Component::image("App", &[2; 32], "1.4.2", &[3; 32])];
    let base = claims(&key, &components);
    let lifecycle = [0x19, 0x09, 0x5B, 0x19];
    let mut digest = [2; 34].to_vec();
    digest[..2].copy_from_slice(&[0x58, 0x20]);
    let changes: [(&[u8], &[u8], AttestError); 5] = [
        // 2395: 0x7007, a state that is not defined.
        (
            &[&lifecycle[..], &[0x30, 7]].concat(),
            &[&lifecycle[..], &[0x70, 7]].concat(),
            AttestError::Lifecycle,
        ),
        // A UEID of another type.
        (
            &[0x19, 1, 0, 0x58, 33, 1],
            &[0x19, 1, 0, 0x58, 33, 2],
            AttestError::InstanceId,
        ),
        // A digest of 31 bytes.
        (
            &digest,
            &[&[0x58, 0x1F][..], &[2; 31]].concat(),
            AttestError::Component,
        ),
        // A text of no characters.
        (b"\x63App", &[0x60], AttestError::Component),
        // A nonce of 47 bytes.
        (
            &[&[0x0A, 0x58, 48][..], &[1; 48]].concat(),
            &[&[0x0A, 0x58, 47][..], &[1; 47]].concat(),
            AttestError::NonceLength,
        ),
    ];
    for (from, to, expected) in changes {
        let token = forged(&base, &key, from, to);
        assert_eq!(verified(&token, &public).err(), Some(expected));
    }
    // Each of the seven that must be there, under a number that means nothing.
    for (from, to) in [
        (&[0xA7, 0x0A][..], &[0xA7, 0x0B][..]),
        (&[0x19, 1, 0, 0x58], &[0x19, 1, 1, 0x58]),
        (&[0x19, 1, 9], &[0x19, 1, 10]),
        (&[0x19, 9, 0x5A], &[0x19, 9, 0x59]),
        (&[0x19, 9, 0x5B, 0x19], &[0x19, 9, 0x5B, 0x18]),
    ] {
        let token = forged(&base, &key, from, to);
        assert!(verified(&token, &public).is_err(), "{from:02x?}");
    }
}

#[test]
fn claims_that_are_not_known_are_passed_over() {
    let (key, public) = ed25519();
    let components = [Component::image("App", &[2; 32], "1.4.2", &[3; 32])];
    let base = claims(&key, &components);
    let token = forged(&base, &key, &[0xA7, 0x0A], &[0xA8, 0x01, 0x61, b'x', 0x0A]);
    assert_eq!(verified(&token, &public).unwrap().client_id(), -5);
}

#[test]
fn the_writer_keeps_its_own_bounds() {
    let (key, _) = ed25519();
    let good = Component::image("App", &[2; 32], "1", &[3; 32]);
    let long = "x".repeat(33);
    let refused = |claims: &Claims<'_>| claims.sign(&key, &mut [0; 16_384], &mut [0; 8192]).err();
    let many = [good; 17];
    for components in [
        &[][..],
        &many,
        &[Component {
            digest: &[2; 31],
            ..good
        }],
        &[Component {
            signer: &[2; 33],
            ..good
        }],
        &[Component {
            version: Some(""),
            ..good
        }],
        &[Component {
            role: Some(&long),
            ..good
        }],
    ] {
        assert_eq!(refused(&claims(&key, components)), Some(AttestError::Component));
    }
    let one = [good];
    for text in [
        "",
        "0604565272829_10010",
        "060456527282910010",
        "060456527282a-10010",
    ] {
        let claims = Claims {
            certification: Some(text),
            ..claims(&key, &one)
        };
        assert_eq!(refused(&claims), Some(AttestError::Reference));
    }
    assert_eq!(Nonce::new(&[0; 33]).err(), Some(AttestError::NonceLength));
    assert_eq!(BootSeed::new(&[0; 7]).err(), Some(AttestError::BootSeed));
    assert_eq!(BootSeed::new(&[0; 33]).err(), Some(AttestError::BootSeed));
}

#[test]
fn the_stated_lengths_are_enough_and_the_longest_token_has_them() {
    let (key, public) = ed25519();
    let text = "x".repeat(32);
    let component = Component {
        role: Some(&text),
        digest: &[2; 64],
        version: Some(&text),
        signer: &[3; 64],
        hash: Some(&text),
    };
    let service = "s".repeat(128);
    for count in [1, 16] {
        let components = std::vec![component; count];
        let nonce = [1; 64];
        let claims = Claims {
            nonce: Nonce::new(&nonce).unwrap(),
            client_id: i32::MIN,
            boot_seed: Some(BootSeed::new(&[5; 32]).unwrap()),
            boot_seed_for_tfm: true,
            certification: Some("0604565272829-10010"),
            service: Some(&service),
            ..claims(&key, &components)
        };
        let mut scratch = std::vec![0; Claims::max_scratch(count)];
        let mut out = std::vec![0; Claims::max_len(count)];
        let len = claims.sign(&key, &mut scratch, &mut out).unwrap().len();
        assert!(Claims::max_len(count) - len <= 3, "{count}: {len}");
        let nonce = Nonce::new(&nonce).unwrap();
        Token::parse(&out[..len])
            .unwrap()
            .verify(&public, nonce, &mut Sha256::new(), &mut scratch)
            .unwrap();
        let refused = claims.sign(&key, &mut [0; 100], &mut out).err();
        assert_eq!(refused, Some(AttestError::Cose(CoseError::Scratch)));
        let refused = claims.sign(&key, &mut scratch, &mut [0; 100]).err();
        assert!(matches!(
            refused,
            Some(AttestError::Cose(CoseError::Encoding(CborError {
                kind: Kind::BufferFull,
                ..
            })))
        ));
    }
}
