use std::{boxed::Box, sync::Mutex, vec, vec::Vec};

use iotsec_core::{
    cose::{CoseError, Mac0Builder, SignBuilder, Signer},
    crypto::{
        CryptoError, Ed25519PublicKey, HkdfSha256, KeyType, P256PublicKey, P256SigningKey, Sha256, Sign as _,
        SymmetricKey,
    },
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
        Err(UpdateError::Cose(CoseError::Encoding(_)))
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
fn protected_headers_have_up_to_96_bytes() {
    let with = |kid: usize| {
        let protected = Map(vec![(1, Int(-8)), (4, Bytes(vec![7; kid]))]).encode();
        let len = protected.len();
        let envelope = wrapped(|signed| {
            let to_sign = Array(vec![
                Item::Text("Signature1"),
                Bytes(protected.clone()),
                Bytes(vec![]),
                signed.wrapped(),
            ]);
            let mut signature = [0; 64];
            key(1).sign(&to_sign.encode(), &mut signature).unwrap();
            let block = vec![
                Bytes(protected.clone()),
                Map(vec![]),
                Item::Null,
                Bytes(signature.to_vec()),
            ];
            let block = Tag(18, Box::new(Array(block)));
            vec![signed.wrapped(), block.wrapped()]
        });
        (len, check(&envelope, &[1], 1))
    };
    assert_eq!(with(32), (38, Ok(())));
    assert_eq!(with(90), (96, Ok(())));
    assert_eq!(with(200), (206, Err(UpdateError::Threshold)));
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
    assert!(matches!(
        over(longer),
        Err(UpdateError::Cose(CoseError::Encoding(_)))
    ));
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
fn t17_blocks_and_signature_checks_are_bounded() {
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
    // The key that signed is found although the identifier points at another one: one check in vain, one
    // that is good, and its repetition.
    assert_eq!(with(3, b"one", b"two"), Ok(()));
    assert_eq!(with(2, b"one", b"two"), Err(UpdateError::SignatureChecks));
    assert_eq!(with(2, b"two", b"one"), Ok(()));
    assert_eq!(with(1, b"two", b"one"), Err(UpdateError::SignatureChecks));
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
        fn key_type(&self) -> KeyType {
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

/// Says of its first checks what the list says, and then the truth.
struct Faulty(Ed25519PublicKey, Mutex<Vec<bool>>);

impl Verify for Faulty {
    fn key_type(&self) -> KeyType {
        self.0.key_type()
    }
    fn public_key(&self) -> &[u8] {
        self.0.public_key()
    }
    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        match self.1.lock().unwrap().pop() {
            Some(true) => Ok(()),
            Some(false) => Err(CryptoError::Signature),
            None => self.0.verify(message, signature),
        }
    }
}

#[test]
fn t20_a_check_that_a_fault_decides_is_noticed_by_the_next_one() {
    let with = |signer: u8, answers: &[bool]| {
        let key = Faulty(public(1), Mutex::new(answers.iter().rev().copied().collect()));
        let anchors = [TrustAnchor { key: &key, kid: None }];
        let anchors = TrustAnchors::new(&anchors, 1).unwrap();
        let envelope = signed_by(&[signer]);
        let envelope = Envelope::parse(&envelope, &Limits::DEFAULT).unwrap();
        envelope
            .authenticate(&anchors, &mut Sha256::default())
            .map(|_| ())
    };
    assert_eq!(with(1, &[]), Ok(()));
    // Good, and then a fault: nothing is decided in its favour.
    assert_eq!(with(1, &[false]), Err(UpdateError::Threshold));
    assert_eq!(with(1, &[true, false]), Err(UpdateError::Unproven));
    // A stranger's, and then a fault. It takes two of them.
    assert_eq!(with(9, &[]), Err(UpdateError::Threshold));
    assert_eq!(with(9, &[true]), Err(UpdateError::Unproven));
    assert_eq!(with(9, &[true, true]), Ok(()));
}

#[test]
fn what_changes_after_the_check_is_noticed_at_admission() {
    let envelope = signed_by(&[1]);
    let other = Forge {
        sequence: 3,
        ..Forge::default()
    };
    let other = other.envelope();
    let hash = &mut Sha256::default();
    let (good, mut swapped) = (
        authenticated(&envelope, &Limits::DEFAULT).unwrap(),
        authenticated(&envelope, &Limits::DEFAULT).unwrap(),
    );
    assert_eq!(good.check_again(hash), Ok(()));
    // The digest check skipped: another manifest behind a good proof.
    let foreign = Envelope::parse(&other, &Limits::DEFAULT).unwrap();
    swapped.envelope = foreign.clone();
    assert_eq!(swapped.check_again(hash), Err(UpdateError::Unproven));
    // And its digest with it: the proof is one for the manifest that was signed.
    swapped.manifest_digest = digest::of(hash, foreign.manifest().skip().unwrap());
    assert_eq!(swapped.check_again(hash), Err(UpdateError::Unproven));
}

#[test]
fn both_records_of_who_signed_must_reach_the_threshold() {
    let digest = [0x5A; 32];
    let (one, two) = (public(1), public(2));
    let anchors = [&one, &two].map(|key| TrustAnchor {
        key: key as &dyn Verify,
        kid: None,
    });
    let anchors = TrustAnchors::new(&anchors, 2).unwrap();
    let of = |signed: u8, confirmed: u32| {
        let mut tally = Tally::new(&anchors, b"", &digest, 0);
        tally.set(signed, confirmed);
        (tally.reached(), tally.proof().fits(&digest), tally.signers())
    };
    assert_eq!(of(0b11, 0b11), (true, true, 0b11));
    assert_eq!(of(0b11, 0b01), (true, false, 0b01));
    assert_eq!(of(0b01, 0b11), (false, true, 0b01));
    assert_eq!(of(0, 0), (false, false, 0));
    // What lay on the stack.
    assert_eq!(of(0b11, 0xFFFF_FF03), (true, false, 0b11));
    assert_eq!(of(0b11, 0x103), (true, false, 0b11));
}

#[test]
fn a_block_with_several_signers_counts_where_it_is_let_in() {
    let sealed = |signers: &[u8]| {
        wrapped(|signed| {
            let keys: Vec<_> = signers.iter().map(|seed| key(*seed)).collect();
            let signers: Vec<Signer<'_>> = keys.iter().map(|key| Signer { key, kid: None }).collect();
            let (mut scratch, mut out) = ([0; 256], [0; 1024]);
            let block =
                SignBuilder::new(&signers).sign_detached(&signed.encode(), b"", &mut scratch, &mut out);
            vec![signed.wrapped(), Bytes(block.unwrap().to_vec())]
        })
    };
    let with = |signers: &[u8], trusted: &[u8], threshold, checks| {
        let keys: Vec<_> = trusted.iter().map(|seed| public(*seed)).collect();
        let anchors: Vec<_> = keys.iter().map(|key| TrustAnchor { key, kid: None }).collect();
        let anchors = TrustAnchors::new(&anchors, threshold).unwrap();
        let limits = Limits {
            signature_checks: checks,
            ..Limits::DEFAULT
        };
        let envelope = sealed(signers);
        let without = Envelope::parse(&envelope, &limits)
            .unwrap()
            .authenticate(&anchors, &mut Sha256::default());
        assert_eq!(without.err(), Some(UpdateError::Method));
        Envelope::parse(&envelope, &limits)
            .unwrap()
            .authenticate(&anchors.with_sign(), &mut Sha256::default())
            .map(|authenticated| authenticated.signers())
    };
    assert_eq!(with(&[1, 2], &[1, 2], 2, 16), Ok(0b11));
    assert_eq!(with(&[9, 2], &[1, 2, 3], 1, 16), Ok(0b10));
    assert_eq!(with(&[1, 1], &[1, 2], 2, 16), Err(UpdateError::Threshold));
    assert_eq!(with(&[9, 8], &[1], 1, 16), Err(UpdateError::Threshold));
    // 2 + 3 checks for the two that are good.
    assert_eq!(with(&[1, 2], &[2, 1], 2, 5), Ok(0b11));
    assert_eq!(with(&[1, 2], &[2, 1], 2, 4), Err(UpdateError::SignatureChecks));
}

#[test]
fn a_mac_counts_for_shared_keys_only_and_where_it_is_let_in() {
    let secret = Secret::from_slice(key(1).public_key()).unwrap();
    let shared = SymmetricKey::new(&HkdfSha256, &secret).unwrap();
    let sealed = wrapped(|signed| {
        let (mut scratch, mut out) = ([0; 256], [0; 256]);
        let block = Mac0Builder::new().seal_detached(&shared, &signed.encode(), b"", &mut scratch, &mut out);
        vec![signed.wrapped(), Bytes(block.unwrap().to_vec())]
    });
    let with = |key: &dyn Verify, mac0: bool| {
        let anchors = [TrustAnchor { key, kid: None }];
        let anchors = TrustAnchors::new(&anchors, 1).unwrap();
        let anchors = if mac0 { anchors.with_mac0() } else { anchors };
        Envelope::parse(&sealed, &Limits::DEFAULT)
            .unwrap()
            .authenticate(&anchors, &mut Sha256::default())
            .map(|authenticated| authenticated.signers())
    };
    assert_eq!(with(&shared, true), Ok(1));
    assert_eq!(with(&shared, false), Err(UpdateError::Method));
    // The MAC's key is the bytes of this public key.
    assert_eq!(with(&public(1), true), Err(UpdateError::Threshold));
    assert_eq!(with(&public(1), false), Err(UpdateError::Method));
    // A shared key checks no signature.
    let envelope = signed_by(&[1]);
    let anchors = [TrustAnchor {
        key: &shared,
        kid: None,
    }];
    let anchors = TrustAnchors::new(&anchors, 1).unwrap().with_mac0().with_sign();
    let refused = Envelope::parse(&envelope, &Limits::DEFAULT)
        .unwrap()
        .authenticate(&anchors, &mut Sha256::default());
    assert_eq!(refused.err(), Some(UpdateError::Threshold));
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
