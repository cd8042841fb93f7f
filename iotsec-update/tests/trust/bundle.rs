//! What a bundle may say.

use iotsec_core::{
    cbor::Kind,
    cose::{CoseError, Key},
    crypto::{P256PublicKey, P256SigningKey, PublicKey, Sha256, Sign},
    hal::UnixTime,
    secret::Secret,
};
use iotsec_update::trust::{Role, TlsAnchor, Trust, TrustBundle, TrustBundleContent, TrustError};

use crate::maker::{
    Bundle, CLASS, VENDOR, cose_key, device, factory, load, public, sign, thumbprint, written,
};

#[test]
fn everything_that_is_written_is_read_back() {
    let (root, update) = (public(1), public(4));
    let keys = [Key::ed25519(&root).with_kid(b"root-1"), Key::ed25519(&update)];
    let mut revoked = [thumbprint(8), thumbprint(9)];
    revoked.sort_unstable();
    let content = TrustBundleContent {
        version: 7,
        expires: Some(UnixTime(1_900_000_000)),
        vendor: VENDOR,
        class: CLASS,
        keys: &keys,
        roles: &[(Role::Root, 1, &[0]), (Role::Update, 2, &[0, 1])],
        revoked: &revoked,
        tls: &[TlsAnchor::Certificate(b"DER"), TlsAnchor::Spki(&[5; 32])],
    };
    let mut out = [0; 1024];
    let payload = content.write(&mut Sha256::new(), &mut out).unwrap();
    let bundle = TrustBundle::parse(payload, &mut Sha256::new()).unwrap();
    assert_eq!(
        (bundle.version(), bundle.expires()),
        (7, Some(UnixTime(1_900_000_000)))
    );
    assert_eq!((bundle.vendor(), bundle.class()), (&VENDOR, &CLASS));
    assert_eq!(bundle.keys().count(), 2);
    let (threshold, members) = bundle.role(Role::Update).unwrap();
    assert_eq!(threshold, 2);
    assert_eq!(members.map(|key| *key.x()).collect::<Vec<_>>(), [root, update]);
    assert!(bundle.role(Role::Recovery).is_none());
    assert_eq!(bundle.revoked().copied().collect::<Vec<_>>(), revoked);
    let tls: Vec<_> = bundle.tls_anchors().collect();
    assert_eq!(tls, [TlsAnchor::Certificate(b"DER"), TlsAnchor::Spki(&[5; 32])]);
    for len in 0..payload.len() {
        let mut out = vec![0; len];
        assert!(content.write(&mut Sha256::new(), &mut out).is_err(), "{len}");
    }
}

#[test]
fn the_writer_and_the_reader_of_these_tests_agree() {
    let keys: Vec<_> = (1..=6).map(public).collect();
    let keys: Vec<_> = keys.iter().map(Key::ed25519).collect();
    let content = TrustBundleContent {
        version: 3,
        expires: None,
        vendor: VENDOR,
        class: CLASS,
        keys: &keys,
        roles: &[
            (Role::Root, 2, &[0, 1, 2]),
            (Role::Update, 1, &[3]),
            (Role::Freshness, 1, &[4]),
            (Role::Recovery, 1, &[5]),
        ],
        revoked: &[],
        tls: &[],
    };
    let mut out = [0; 1024];
    let payload = content.write(&mut Sha256::new(), &mut out).unwrap();
    assert_eq!(payload, Bundle::new(3).payload());
}

#[test]
fn t11_thresholds_of_zero_and_out_of_reach_are_refused() {
    let threshold = |threshold| {
        Bundle::new(1)
            .with(|bundle| bundle.roles[1].1 = threshold)
            .parse()
    };
    assert_eq!(threshold(0), Err(TrustError::Threshold));
    assert_eq!(threshold(1), Ok(()));
    for too_many in [2, 9, 256, u64::MAX] {
        assert_eq!(threshold(too_many), Err(TrustError::Threshold), "{too_many}");
    }
}

#[test]
fn t11_one_key_under_two_names_is_refused() {
    let named = |kid: &[u8]| {
        let key = Key::ed25519(&public(1))
            .with_kid(kid)
            .write(&mut [0; 192])
            .map(<[u8]>::to_vec);
        key.unwrap()
    };
    let twice =
        |a: Vec<u8>, b: Vec<u8>| Bundle::new(1).with(|bundle| bundle.keys[..2].clone_from_slice(&[a, b]));
    assert_eq!(twice(named(b"a"), named(b"b")).parse(), Err(TrustError::KeyTwice));
    assert_eq!(twice(named(b"a"), cose_key(1)).parse(), Err(TrustError::KeyTwice));
    assert_eq!(twice(named(b"a"), cose_key(2)).parse(), Ok(()));
    // The same place twice in a role, or out of order.
    for places in [vec![0, 0], vec![1, 0], vec![0, 1, 1]] {
        let bundle = Bundle::new(1).with(|bundle| bundle.roles[0].2 = places);
        assert_eq!(bundle.parse(), Err(TrustError::RoleKeys));
    }
}

#[test]
fn every_rule_of_the_format_has_its_error() {
    type Change = fn(&mut Bundle);
    let cases: &[(Change, TrustError)] = &[
        (|b| b.domain = "iotsec-trust/2", TrustError::Domain),
        (|b| b.version = 0, TrustError::VersionZero),
        (|b| b.keys.clear(), TrustError::Keys),
        (|b| b.keys = (1..=17).map(cose_key).collect(), TrustError::Keys),
        (|b| b.roles.clear(), TrustError::Role),
        (|b| drop(b.roles.remove(0)), TrustError::Role),
        (|b| drop(b.roles.remove(1)), TrustError::Role),
        (|b| b.roles.push((5, 1, vec![0])), TrustError::Role),
        (|b| b.roles.insert(0, (0, 1, vec![0])), TrustError::Role),
        (|b| b.roles[1].2 = vec![], TrustError::RoleKeys),
        (|b| b.roles[1].2 = vec![6], TrustError::RoleKeys),
        (|b| b.roles[1].2 = vec![16], TrustError::RoleKeys),
        (|b| b.roles[1].2 = vec![u64::MAX], TrustError::RoleKeys),
        (
            |b| {
                b.keys = (1..=9).map(cose_key).collect();
                b.roles[1].2 = (0..9).collect();
            },
            TrustError::RoleKeys,
        ),
        (|b| b.revoked = vec![vec![1; 32]; 2], TrustError::Revoked),
        (
            |b| b.revoked = vec![vec![2; 32], vec![1; 32]],
            TrustError::Revoked,
        ),
        (
            |b| b.revoked = (0..33).map(|n| vec![n; 32]).collect(),
            TrustError::Revoked,
        ),
        (
            |b| b.revoked = vec![thumbprint(6).to_vec()],
            TrustError::KeyRevoked,
        ),
        (|b| b.tls = vec![(3, vec![0; 32])], TrustError::TlsAnchors),
        (|b| b.tls = vec![(2, vec![0; 31])], TrustError::TlsAnchors),
        (|b| b.tls = vec![(1, vec![])], TrustError::TlsAnchors),
        (|b| b.tls = vec![(1, vec![0; 1025])], TrustError::TlsAnchors),
        (|b| b.tls = vec![(2, vec![0; 32]); 9], TrustError::TlsAnchors),
    ];
    for (at, (change, error)) in cases.iter().enumerate() {
        assert_eq!(Bundle::new(1).with(change).parse(), Err(*error), "case {at}");
    }
    let most = Bundle::new(u64::MAX).with(|b| {
        b.keys = (1..=16).map(cose_key).collect();
        b.roles[1].2 = (8..16).collect();
        b.roles[1].1 = 8;
        b.revoked = (0..32).map(|n| vec![n; 32]).collect();
        b.tls = vec![(2, vec![0; 32]); 8];
        b.expires = Some(u64::MAX);
    });
    assert_eq!(most.parse(), Ok(()), "the limits themselves are allowed");
}

#[test]
fn a_private_key_a_weak_key_and_one_of_an_unknown_type_are_refused() {
    let (x, d) = (public(1), [9; 32]);
    let private = Key::ed25519(&x)
        .with_secret(&d)
        .write(&mut [0; 192])
        .map(<[u8]>::to_vec);
    let bundle = Bundle::new(1).with(|bundle| bundle.keys[0] = private.unwrap());
    assert_eq!(bundle.parse(), Err(TrustError::PrivateKey));

    // The identity point; and a P-256 key on a device that loads Ed25519 only.
    let mut weak = [0; 32];
    weak[0] = 1;
    let weak = Key::ed25519(&weak)
        .write(&mut [0; 192])
        .map(<[u8]>::to_vec)
        .unwrap();
    let p256 = P256SigningKey::from_scalar(&Secret::from_bytes([3; 32])).unwrap();
    let point = p256.public_key();
    let (x, y) = (point[1..33].try_into().unwrap(), point[33..].try_into().unwrap());
    let p256_key = Key::p256(x, y);
    let other = p256_key.write(&mut [0; 192]).map(<[u8]>::to_vec).unwrap();
    for key in [weak, other.clone()] {
        let message = Bundle::new(1).with(|bundle| bundle.keys[3] = key).signed();
        assert_eq!(factory(&message).err(), Some(TrustError::KeyRefused));
    }
    // One that loads both takes it.
    let message = Bundle::new(1).with(|bundle| bundle.keys[3] = other).signed();
    let (mut hash, mut scratch) = (Sha256::new(), [0; 4096]);
    let trust = Trust::factory(&message, &device(), PublicKey::from_cose, &mut hash, &mut scratch).unwrap();
    assert!(trust.keys(Role::Update, None, P256PublicKey::from_cose).is_ok());
    assert_eq!(
        trust.keys(Role::Update, None, load).err(),
        Some(TrustError::KeyRefused)
    );
    assert_eq!(
        P256PublicKey::from_cose(&p256_key).unwrap().key_type_name(),
        "P256"
    );
}

trait Name {
    fn key_type_name(&self) -> String;
}

impl Name for P256PublicKey {
    fn key_type_name(&self) -> String {
        format!("{:?}", iotsec_core::crypto::Verify::key_type(self))
    }
}

#[test]
fn unknown_entries_and_missing_ones_are_refused() {
    let payload = Bundle::new(1).payload();
    // The map has six entries; one more with key 9, one less without the class.
    let longer = [&[payload[0] + 1], &payload[1..], &[0x09, 0x00]].concat();
    let error = TrustBundle::parse(&longer, &mut Sha256::new()).err();
    assert!(matches!(error, Some(TrustError::Encoding(error)) if error.kind == Kind::UnknownKey));
    let class = written(|w| w.uint(4)?.bytes(&CLASS));
    let at = payload
        .windows(class.len())
        .position(|window| window == class)
        .unwrap();
    let shorter = [&[payload[0] - 1], &payload[1..at], &payload[at + class.len()..]].concat();
    let error = TrustBundle::parse(&shorter, &mut Sha256::new()).err();
    assert!(matches!(error, Some(TrustError::Encoding(error)) if error.kind == Kind::MissingKey));
}

#[test]
fn a_factory_bundle_is_signed_by_its_own_root_and_for_this_product() {
    let trusts = |bundle: &Bundle| factory(&bundle.signed()).err();
    assert_eq!(trusts(&Bundle::new(1)), None);
    assert_eq!(trusts(&Bundle::new(1).signed_by(&[3, 1])), None);
    for too_few in [&[1][..], &[1, 1], &[1, 4], &[4, 5, 6, 7]] {
        let bundle = Bundle::new(1).signed_by(too_few);
        assert_eq!(trusts(&bundle), Some(TrustError::NewRoot), "{too_few:?}");
    }
    let other = Bundle::new(1).with(|bundle| bundle.class = [0; 16]);
    assert_eq!(trusts(&other), Some(TrustError::Product));
}

#[test]
fn too_large_a_message_and_too_small_a_scratch_have_their_own_errors() {
    let good = Bundle::new(1).signed();
    let with_scratch = |len: usize| {
        let mut scratch = vec![0; len];
        Trust::factory(&good, &device(), load, &mut Sha256::new(), &mut scratch).err()
    };
    assert_eq!(with_scratch(100), Some(TrustError::Cose(CoseError::Scratch)));
    assert_eq!(with_scratch(good.len()), None, "as long as the message is enough");

    let large = Bundle::new(1).with(|b| b.tls = vec![(1, vec![0; 1024]); 4]);
    assert_eq!(factory(&large.signed()).err(), Some(TrustError::Size));
}

#[test]
fn no_flipped_bit_and_no_cut_makes_another_bundle() {
    let good = Bundle::new(1).signed();
    let present = factory(&good).unwrap();
    for bit in 0..good.len() * 8 {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        if let Ok(trust) = factory(&bad) {
            panic!("bit {bit}: version {}", trust.bundle().version());
        }
    }
    for len in 0..good.len() {
        assert!(factory(&good[..len]).is_err());
    }
    assert_eq!(present.message(), good);
}

#[test]
fn signature_checks_are_bounded() {
    // Eight signatures by strangers, none of which names its key.
    let bundle = Bundle::new(1)
        .with_keys(&[1, 2, 3, 4, 5, 6, 7, 8])
        .with(|bundle| bundle.roles[0] = (1, 1, (0..8).collect()));
    let message = sign(&bundle.payload(), &[21, 22, 23, 24, 25, 26, 27, 28]);
    assert_eq!(factory(&message).err(), Some(TrustError::SignatureChecks));
    const { assert!(8 * 8 > Trust::MAX_CHECKS) };
}
