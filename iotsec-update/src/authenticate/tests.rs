use std::{boxed::Box, vec, vec::Vec};

use iotsec_core::{
    cose::CoseError,
    crypto::{CryptoError, Ed25519PublicKey, P256PublicKey, P256SigningKey, Sha256, Sign},
    secret::Secret,
};

use super::*;
use crate::forge::{
    Forge,
    Item::{self, Array, Bytes, Int, Map, Tag},
    authenticated, block, digest as suit_digest, key, public,
};

/// Authenticates against `keys` with kids of one byte, the seed.
fn check(envelope: &[u8], seeds: &[u8], threshold: u8) -> Result<(), UpdateError> {
    let keys: Vec<Ed25519PublicKey> = seeds.iter().map(|seed| public(*seed)).collect();
    let anchors: Vec<TrustAnchor<'_>> = keys.iter().map(|key| TrustAnchor { key, kid: None }).collect();
    let anchors = TrustAnchors::new(&anchors, threshold)?;
    let envelope = Envelope::parse(envelope, &Limits::DEFAULT)?;
    envelope
        .authenticate(&anchors, &mut Sha256::default())
        .map(|_| ())
}

fn signed_by(signers: &[u8]) -> Vec<u8> {
    Forge {
        signers: signers.to_vec(),
        ..Forge::default()
    }
    .envelope()
}

/// A good manifest under an authentication wrapper of any shape.
fn wrapped(wrapper: impl FnOnce(&Item) -> Vec<Item>) -> Vec<u8> {
    let manifest = Forge::default().manifest();
    let signed = suit_digest(&manifest.encode());
    let map = vec![(2, Array(wrapper(&signed)).wrapped()), (3, manifest)];
    Tag(107, Box::new(Map(map))).encode()
}

#[test]
fn only_distinct_keys_count_towards_the_threshold() {
    assert_eq!(check(&signed_by(&[1, 2]), &[1, 2], 2), Ok(()));
    assert_eq!(check(&signed_by(&[2, 1]), &[1, 2, 3], 2), Ok(()));
    assert_eq!(
        check(&signed_by(&[1, 1]), &[1, 2], 2),
        Err(UpdateError::Threshold)
    );
    assert_eq!(check(&signed_by(&[1, 1, 1, 2]), &[1, 2, 3], 2), Ok(()));
    assert_eq!(
        check(&signed_by(&[1, 1, 1, 2]), &[1, 2, 3], 3),
        Err(UpdateError::Threshold)
    );
    assert_eq!(
        check(&signed_by(&[4, 5]), &[1, 2], 1),
        Err(UpdateError::Threshold)
    );
}

#[test]
fn a_foreign_block_does_not_stop_the_search() {
    assert_eq!(check(&signed_by(&[9, 1]), &[1], 1), Ok(()));
    let strange = |block: Item| {
        wrapped(|signed| vec![signed.wrapped(), block, crate::forge::block(1, &signed.encode())])
    };
    // Not COSE_Sign1, not COSE, not CBOR.
    let mac = Tag(17, Box::new(Array(vec![Bytes(vec![]), Map(vec![])])));
    assert_eq!(check(&strange(mac.wrapped()), &[1], 1), Ok(()));
    assert_eq!(check(&strange(Int(1).wrapped()), &[1], 1), Ok(()));
    assert_eq!(check(&strange(Bytes(vec![0xFF])), &[1], 1), Ok(()));
    // But a block is a byte string.
    assert!(matches!(
        check(&strange(Int(1)), &[1], 1),
        Err(UpdateError::Encoding(_))
    ));
}

#[test]
fn the_only_block_says_what_is_wrong_with_it() {
    let only = |block: Item| wrapped(|signed| vec![signed.wrapped(), block]);
    let mac = Tag(17, Box::new(Array(vec![Bytes(vec![]), Map(vec![])])));
    assert_eq!(check(&only(mac.wrapped()), &[1], 1), Err(UpdateError::Method));
    let unknown = Tag(
        18,
        Box::new(Array(vec![
            Map(vec![(1, Int(-37))]).wrapped(),
            Map(vec![]),
            Item::Null,
            Bytes(vec![0; 64]),
        ])),
    );
    assert_eq!(
        check(&only(unknown.wrapped()), &[1], 1),
        Err(CoseError::AlgorithmUnknown.into())
    );
    assert_eq!(
        check(&wrapped(|signed| vec![signed.wrapped()]), &[1], 1),
        Err(UpdateError::Unsigned)
    );
}

#[test]
fn the_digest_is_sha_256_of_the_manifest_with_its_head() {
    let manifest = Forge::default().manifest();
    let Bytes(content) = &manifest else {
        panic!("a byte string")
    };
    let over = |signed: Item| {
        let wrapper = Array(vec![signed.wrapped(), block(1, &signed.encode())]);
        let map = vec![(2, wrapper.wrapped()), (3, manifest.clone())];
        check(&Tag(107, Box::new(Map(map))).encode(), &[1], 1)
    };
    let good = crate::forge::sha256(&manifest.encode()).to_vec();
    assert_eq!(over(Array(vec![Int(-16), Bytes(good.clone())])), Ok(()));
    assert_eq!(over(suit_digest(content)), Err(UpdateError::ManifestDigest));
    for (algorithm, digest) in [
        (-16, good[..31].to_vec()),
        (-16, vec![]),
        (-16, [&good[..], &[0]].concat()),
        (-15, good[..8].to_vec()),
        (-43, good.clone()),
        (2, good.clone()),
    ] {
        let digest = Array(vec![Int(algorithm), Bytes(digest)]);
        assert_eq!(over(digest), Err(UpdateError::DigestAlgorithm));
    }
    let longer = Array(vec![Int(-16), Bytes(good), Int(0)]);
    assert!(matches!(over(longer), Err(UpdateError::Encoding(_))));
}

#[test]
fn an_attached_payload_is_not_believed() {
    let (mut scratch, mut out) = ([0; 256], [0; 256]);
    let attached = |signed: &Item| {
        let builder = iotsec_core::cose::Sign1Builder::new();
        let message = builder.sign(&key(1), &signed.encode(), b"", &mut scratch, &mut out);
        vec![signed.wrapped(), Bytes(message.unwrap().to_vec())]
    };
    assert_eq!(check(&wrapped(attached), &[1], 1), Err(UpdateError::Threshold));
}

#[test]
fn blocks_and_signature_checks_are_bounded() {
    assert_eq!(check(&signed_by(&[9; 8]), &[1], 1), Err(UpdateError::Threshold));
    assert_eq!(check(&signed_by(&[1; 9]), &[1], 1), Err(UpdateError::Blocks));
    // 8 foreign blocks tried with 2 keys each are the 16 checks there are.
    assert_eq!(
        check(&signed_by(&[9; 8]), &[1, 2], 1),
        Err(UpdateError::Threshold)
    );
    assert_eq!(
        check(&signed_by(&[9; 8]), &[1, 2, 3], 1),
        Err(UpdateError::SignatureChecks)
    );
}

#[test]
fn a_key_identifier_only_decides_what_is_tried_first() {
    let (one, two) = (public(1), public(2));
    let message = wrapped(|signed| {
        let (mut scratch, mut out) = ([0; 256], [0; 256]);
        let builder = iotsec_core::cose::Sign1Builder::new().kid(b"two");
        let message = builder.sign_detached(&key(1), &signed.encode(), b"", &mut scratch, &mut out);
        vec![signed.wrapped(), Bytes(message.unwrap().to_vec())]
    });
    let with = |checks: u8, one_kid: &'static [u8], two_kid: &'static [u8]| {
        let anchors = [
            TrustAnchor {
                key: &two,
                kid: Some(two_kid),
            },
            TrustAnchor {
                key: &one,
                kid: Some(one_kid),
            },
        ];
        let limits = Limits {
            signature_checks: checks,
            ..Limits::DEFAULT
        };
        let anchors = TrustAnchors::new(&anchors, 1).unwrap();
        let envelope = Envelope::parse(&message, &limits).unwrap();
        envelope
            .authenticate(&anchors, &mut Sha256::default())
            .map(|_| ())
    };
    // The key that signed is found although the identifier points at another one, in two checks.
    assert_eq!(with(2, b"one", b"two"), Ok(()));
    assert_eq!(with(1, b"one", b"two"), Err(UpdateError::SignatureChecks));
    assert_eq!(with(1, b"two", b"one"), Ok(()));
}

#[test]
fn trust_anchors_are_distinct_keys_and_enough_of_them() {
    let (one, two) = (public(1), public(2));
    let anchor = |key| TrustAnchor { key, kid: None };
    let new = |anchors: &[TrustAnchor<'_>], threshold| TrustAnchors::new(anchors, threshold).map(|_| ());
    assert_eq!(new(&[anchor(&one), anchor(&two)], 2), Ok(()));
    for (anchors, threshold) in [
        (&[][..], 0),
        (&[], 1),
        (&[anchor(&one)], 0),
        (&[anchor(&one)], 2),
        (&[anchor(&one), anchor(&two), anchor(&one)], 1),
    ] {
        assert_eq!(new(anchors, threshold), Err(UpdateError::TrustAnchors));
    }
    let keys: Vec<_> = (0..9).map(public).collect();
    let many: Vec<_> = keys.iter().map(|key| anchor(key as &dyn Verify)).collect();
    assert_eq!(new(&many[..8], 8), Ok(()));
    assert_eq!(new(&many, 1), Err(UpdateError::TrustAnchors));
}

#[test]
fn keys_of_both_types_sign_together() {
    let p256 = P256SigningKey::from_scalar(&Secret::from_bytes([3; 32])).unwrap();
    let p256_public = P256PublicKey::from_sec1(p256.public_key()).unwrap();
    let ed25519 = public(1);
    let message = wrapped(|signed| {
        let (mut scratch, mut out) = ([0; 256], [0; 256]);
        let builder = iotsec_core::cose::Sign1Builder::new();
        let message = builder.sign_detached(&p256, &signed.encode(), b"", &mut scratch, &mut out);
        let by_p256 = Bytes(message.unwrap().to_vec());
        vec![signed.wrapped(), by_p256, block(1, &signed.encode())]
    });
    let anchors = [
        TrustAnchor {
            key: &ed25519,
            kid: None,
        },
        TrustAnchor {
            key: &p256_public,
            kid: None,
        },
    ];
    let anchors = TrustAnchors::new(&anchors, 2).unwrap();
    let envelope = Envelope::parse(&message, &Limits::DEFAULT).unwrap();
    assert!(envelope.authenticate(&anchors, &mut Sha256::default()).is_ok());
}

#[test]
fn a_driver_that_fails_is_no_signature() {
    struct Broken(Ed25519PublicKey);
    impl Verify for Broken {
        fn key_type(&self) -> iotsec_core::crypto::KeyType {
            self.0.key_type()
        }
        fn public_key(&self) -> &[u8] {
            self.0.public_key()
        }
        fn verify(&self, _: &[u8], _: &[u8]) -> Result<(), CryptoError> {
            Err(CryptoError::Driver)
        }
    }
    let broken = Broken(public(1));
    let anchors = [TrustAnchor {
        key: &broken,
        kid: None,
    }];
    let anchors = TrustAnchors::new(&anchors, 1).unwrap();
    let envelope = signed_by(&[1]);
    let envelope = Envelope::parse(&envelope, &Limits::DEFAULT).unwrap();
    assert_eq!(
        envelope.authenticate(&anchors, &mut Sha256::default()).err(),
        Some(UpdateError::Threshold)
    );
}

#[test]
fn the_manifest_is_not_parsed_before_it_is_authentic() {
    // The manifest is no manifest at all, which nobody notices without a signature over it.
    let junk = Bytes(vec![0xFF; 8]);
    let signed = suit_digest(&junk.encode());
    let with = |seed| {
        let wrapper = Array(vec![signed.wrapped(), block(seed, &signed.encode())]);
        Tag(
            107,
            Box::new(Map(vec![(2, wrapper.wrapped()), (3, junk.clone())])),
        )
        .encode()
    };
    assert_eq!(check(&with(2), &[1], 1), Err(UpdateError::Threshold));
    let envelope = with(1);
    let authentic = authenticated(&envelope, &Limits::DEFAULT).unwrap();
    assert_eq!(authentic.manifest().unwrap(), [0xFF; 8]);
}
