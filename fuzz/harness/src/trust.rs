//! Trust bundles, statements, tokens, and the flash that a bundle lies in.

use std::sync::OnceLock;

use iotsec_core::{
    cbor::Limits,
    cose::{Key, Sign, SignBuilder, Signer},
    crypto::{CryptoError, Ed25519PublicKey, Ed25519SigningKey, HkdfSha256, Sha256, Sign as _},
    hal::UnixTime,
    secret::Secret,
};
use iotsec_testkit::{Geometry, SimFlash, SimRng, SimRootKey};
use iotsec_update::{
    DeviceIdentity, SequenceNumber,
    trust::{
        Challenge, Downgrade, DowngradeContent, Guard, LatestContent, Role, Seal, TlsAnchor, Trust,
        TrustBundle, TrustBundleContent, TrustStore,
    },
};

use crate::Seed;

const VENDOR: [u8; 16] = [0xA1; 16];
const CLASS: [u8; 16] = [0xB2; 16];
const UNIT: [u8; 16] = [0xC3; 16];
const INSTALLED: [u8; 32] = [0xD4; 32];
const LIMITS: Limits = Limits {
    depth: Sign::DEPTH,
    items: 160,
    bytes: 4096,
};

const fn device() -> DeviceIdentity<'static> {
    DeviceIdentity {
        vendor: VENDOR,
        class: CLASS,
        device: Some(UNIT),
        components: &[],
    }
}

fn key(seed: u8) -> Ed25519SigningKey {
    Ed25519SigningKey::from_seed(&Secret::from_bytes([seed; 32]))
}

fn public(seed: u8) -> [u8; 32] {
    key(seed).public_key().try_into().expect("32 bytes")
}

fn load(key: &Key<'_>) -> Result<Ed25519PublicKey, CryptoError> {
    Ed25519PublicKey::from_cose(key)
}

fn signed(payload: &[u8], seeds: &[u8]) -> Vec<u8> {
    let keys: Vec<_> = seeds.iter().map(|seed| key(*seed)).collect();
    let signers: Vec<_> = keys.iter().map(|key| Signer { key, kid: None }).collect();
    let (mut scratch, mut out) = ([0; 2048], [0; 2048]);
    let message = SignBuilder::new(&signers).sign(payload, b"", &mut scratch, &mut out);
    message.expect("room for all").to_vec()
}

/// What the harness signs: keys 1 and 2 are root and both sign, 3 signs updates, 4 statements, 5 tokens.
fn content(version: u64, update: u8) -> Vec<u8> {
    let keys = [1, 2, update, 4, 5].map(public);
    let keys: Vec<_> = keys.iter().map(|x| Key::ed25519(x).with_kid(&x[..4])).collect();
    let content = TrustBundleContent {
        version,
        expires: Some(UnixTime(2_000_000_000)),
        vendor: VENDOR,
        class: CLASS,
        keys: &keys,
        roles: &[
            (Role::Root, 2, &[0, 1]),
            (Role::Update, 1, &[2]),
            (Role::Freshness, 1, &[3]),
            (Role::Recovery, 1, &[4]),
        ],
        revoked: &[[version.to_le_bytes()[0]; 32]][..usize::from(version == 9)],
        tls: &[TlsAnchor::Certificate(b"DER"), TlsAnchor::Spki(&[5; 32])],
    };
    let mut out = [0; 1024];
    let payload = content.write(&mut Sha256::new(), &mut out);
    payload.expect("room for all").to_vec()
}

/// The bundle that is in force.
fn present() -> Trust<'static> {
    static MESSAGE: OnceLock<Vec<u8>> = OnceLock::new();
    let message = MESSAGE.get_or_init(|| signed(&content(1, 3), &[1, 2]));
    Trust::factory(message, &device(), load, &mut Sha256::new(), &mut [0; 2048]).expect("a good bundle")
}

fn payload_of(message: &[u8]) -> Option<Vec<u8>> {
    Some(Sign::parse(message, &LIMITS).ok()?.unverified_payload()?.to_vec())
}

/// The next bundle is one that both root keys signed as such; and whatever reads as a bundle is written
/// back as it was read.
pub fn bundle(input: &[u8]) -> bool {
    let payload = payload_of(input);
    if let Some(payload) = &payload {
        comes_back(payload);
    }
    comes_back(input);
    let present = present();
    let mut scratch = vec![0; input.len()];
    let step = present.rotate(input, &device(), load, &mut Sha256::new(), &mut scratch);
    match step {
        Ok(Some(rotation)) => {
            assert_eq!(rotation.bundle().version(), 2);
            assert_eq!(payload, Some(content(2, 6)), "forged");
            true
        }
        Ok(None) => {
            assert_eq!(payload, Some(content(1, 3)));
            true
        }
        Err(_) => false,
    }
}

fn comes_back(payload: &[u8]) {
    let mut hash = Sha256::new();
    let Ok(bundle) = TrustBundle::parse(payload, &mut hash) else {
        return;
    };
    let keys: Vec<Key<'_>> = bundle.keys().collect();
    let place = |key: Key<'_>| {
        let place = keys
            .iter()
            .position(|other| other.x() == key.x() && other.y() == key.y());
        u8::try_from(place.expect("one of the keys")).expect("few keys")
    };
    let roles: Vec<(Role, u8, Vec<u8>)> = Role::ALL
        .into_iter()
        .filter_map(|role| {
            let (threshold, members) = bundle.role(role)?;
            let members: Vec<u8> = members.map(place).collect();
            assert!(threshold > 0 && usize::from(threshold) <= members.len());
            Some((role, threshold, members))
        })
        .collect();
    let roles: Vec<(Role, u8, &[u8])> = roles
        .iter()
        .map(|(role, threshold, members)| (*role, *threshold, members.as_slice()))
        .collect();
    let (revoked, tls): (Vec<_>, Vec<_>) = (
        bundle.revoked().copied().collect(),
        bundle.tls_anchors().collect(),
    );
    let mut out = vec![0; payload.len() + 64];
    let again = TrustBundleContent {
        version: bundle.version(),
        expires: bundle.expires(),
        vendor: *bundle.vendor(),
        class: *bundle.class(),
        keys: &keys,
        roles: &roles,
        revoked: &revoked,
        tls: &tls,
    };
    let again = again.write(&mut hash, &mut out).expect("it was read");
    // Keys are written with the newer names of their algorithms, which have the same length.
    assert_eq!(again.len(), payload.len());
    let differ = again.iter().zip(payload).filter(|(a, b)| a != b).count();
    assert!(differ <= keys.len());
}

fn challenge() -> Challenge {
    Challenge::new(&mut SimRng::new(3)).expect("a good source")
}

fn latest() -> Vec<u8> {
    let content = LatestContent {
        nonce: *challenge().nonce(),
        vendor: VENDOR,
        class: CLASS,
        sequence: SequenceNumber(7),
        manifest_digest: [7; 32],
        trust_version: 1,
        time: Some(UnixTime(1_800_000_000)),
    };
    content
        .write(&mut [0; LatestContent::MAX_LEN])
        .expect("room for any")
        .to_vec()
}

fn downgrade() -> Vec<u8> {
    let content = DowngradeContent {
        vendor: VENDOR,
        class: CLASS,
        device: UNIT,
        from: INSTALLED,
        to: [6; 32],
        expires: Some(UnixTime(1_900_000_000)),
    };
    content
        .write(&mut [0; DowngradeContent::MAX_LEN])
        .expect("room for any")
        .to_vec()
}

/// A statement or a token counts only if its role signed just that.
pub fn statement(input: &[u8]) -> bool {
    let (trust, now) = (present(), Some(UnixTime(1_800_000_000)));
    let mut scratch = vec![0; input.len()];
    let payload = payload_of(input);
    let stated = challenge().check(input, &trust, &device(), now, load, &mut scratch);
    if stated.is_ok() {
        assert_eq!(payload, Some(latest()), "forged");
    }
    let leave = Downgrade::check(input, &trust, &device(), &INSTALLED, now, load, &mut scratch);
    if leave.is_ok() {
        assert_eq!(payload, Some(downgrade()), "forged");
    }
    assert!(stated.is_err() || leave.is_err(), "one document as two");
    stated.is_ok() || leave.is_ok()
}

const PAGE: usize = 1024;

fn geometry() -> Geometry {
    Geometry::new(&[1024; 2], 4)
}

/// A flash with any content. Under the seal nothing is believed but what this device wrote; without it,
/// what is believed is a bundle for this device.
pub fn store(input: &[u8]) -> bool {
    let image = &input[..input.len().min(2 * PAGE)];
    let root = SimRootKey::new(1);
    let mut buffer = [0; TrustBundle::MAX_LEN];
    for sealed in [false, true] {
        let mut flash = SimFlash::from_image(geometry(), image);
        let region = flash.region().expect("two pages");
        let mut guard = Guard::new();
        if sealed {
            guard = guard.with_seal(Seal {
                root: &root,
                kdf: &HkdfSha256,
            });
        }
        let mounted = TrustStore::mount(
            &mut flash,
            region,
            &device(),
            &mut guard,
            &mut Sha256::new(),
            &mut buffer,
        );
        let believed = mounted.map(|(_, trust)| (trust.bundle().version(), trust.message().to_vec()));
        assert_eq!(flash.violation(), None);
        if let Ok((version, message)) = believed {
            if sealed {
                assert_eq!(
                    message,
                    signed(&content(version, if version == 1 { 3 } else { 6 }), &[1, 2])
                );
                return true;
            }
            let again = TrustStore::mount(
                &mut flash,
                region,
                &device(),
                &mut guard,
                &mut Sha256::new(),
                &mut buffer,
            );
            assert_eq!(
                again.map(|(_, trust)| trust.bundle().version()).ok(),
                Some(version)
            );
        }
    }
    false
}

/// The flash of device number `device` after version 1, or after the step to version 2.
fn written(device_number: u64, rotated: bool) -> Vec<u8> {
    let root = SimRootKey::new(device_number);
    let mut flash = SimFlash::new(geometry());
    let region = flash.region().expect("two pages");
    let mut guard = Guard::new().with_seal(Seal {
        root: &root,
        kdf: &HkdfSha256,
    });
    let (mut hash, trust) = (Sha256::new(), present());
    let mut store =
        TrustStore::provision(&mut flash, region, &trust, &mut guard, &mut hash).expect("an empty flash");
    if rotated {
        let next = signed(&content(2, 6), &[1, 2]);
        let step = trust.rotate(&next, &device(), load, &mut hash, &mut [0; 2048]);
        let step = step.expect("a good bundle").expect("another one");
        store
            .put(&mut flash, step, &mut guard, &mut hash)
            .expect("a good flash");
    }
    flash.image().to_vec()
}

/// The next bundle, the present one, and some that just miss.
pub fn bundle_seeds() -> Vec<Seed> {
    vec![
        Seed::new("valid-next", signed(&content(2, 6), &[1, 2])),
        Seed::new("valid-next-and-stranger", signed(&content(2, 6), &[9, 2, 1])),
        Seed::new("valid-present", signed(&content(1, 3), &[1])),
        Seed::new("near-one-signature", signed(&content(2, 6), &[1])),
        Seed::new("near-one-signs-twice", signed(&content(2, 6), &[1, 1])),
        Seed::new("near-skipped", signed(&content(3, 6), &[1, 2])),
        Seed::new("near-conflict", signed(&content(1, 6), &[1, 2])),
        Seed::new("near-other-role", signed(&content(2, 6), &[3, 4, 5])),
        Seed::new("near-not-signed", content(9, 6)),
    ]
}

/// A statement and a token, and some that just miss.
pub fn statement_seeds() -> Vec<Seed> {
    vec![
        Seed::new("valid-latest", signed(&latest(), &[4])),
        Seed::new("valid-downgrade", signed(&downgrade(), &[5])),
        Seed::new("near-latest-by-recovery", signed(&latest(), &[5])),
        Seed::new("near-downgrade-by-update", signed(&downgrade(), &[3])),
        Seed::new("near-not-signed", latest()),
    ]
}

/// Flash as the store leaves it, and some that just misses.
pub fn store_seeds() -> Vec<Seed> {
    let good = written(1, true);
    let mut torn = good.clone();
    torn[..64].fill(0);
    torn[PAGE..PAGE + 64].fill(0);
    let mut one_half = good.clone();
    one_half[..64].fill(0xFF);
    vec![
        Seed::new("valid-first", written(1, false)),
        Seed::new("valid-one-half", one_half),
        Seed::new("valid-rotated", good),
        Seed::new("near-other-device", written(2, true)),
        Seed::new("near-torn", torn),
        Seed::new("near-empty", vec![0xFF; 2 * PAGE]),
    ]
}
