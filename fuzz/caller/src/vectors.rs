//! What a maker signs: envelopes, trust bundles and statements that a device takes.

use std::sync::OnceLock;

use iotsec::{
    core::{
        cose::{Key, Sign1Builder, SignBuilder, Signer as CoseSigner},
        crypto::{Ed25519PublicKey, Ed25519SigningKey, Sha256, Sign},
        secret::Secret,
    },
    update::{
        ComponentId, Envelope, Limits, SequenceNumber, TrustAnchor, TrustAnchors,
        builder::{EnvelopeBuilder, ManifestComponent, Payload, Signer},
        trust::{Role, TrustBundleContent},
    },
};
use iotsec_ffi::update::freshness::iotsec_manifest_t;

pub(crate) const COMPONENT: [u8; 3] = [0x81, 0x41, 0x00];
pub(crate) const VENDOR: [u8; 16] = [1; 16];
pub(crate) const CLASS: [u8; 16] = [2; 16];
/// Which unit of it this device is.
pub(crate) static UNIT: [u8; 16] = [3; 16];
/// Where every release says that its image is.
pub(crate) const URI: &str = "https://fw.example/app";
const RELEASES: usize = 4;
const IMAGE_LEN: usize = 1300;

/// Whose key it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// Signs updates, trust bundles and what opens a debug port.
    Maker,
    /// Says what the latest release is.
    Freshness,
    /// Lets single devices go back.
    Recovery,
}

fn key(by: By) -> Ed25519SigningKey {
    let seed = match by {
        By::Maker => 7,
        By::Freshness => 8,
        By::Recovery => 9,
    };
    Ed25519SigningKey::from_seed(&Secret::from_bytes([seed; 32]))
}

fn public(by: By) -> [u8; 32] {
    key(by).public_key().try_into().expect("32 bytes")
}

/// The key of the maker.
pub(crate) fn public_key() -> &'static [u8; 32] {
    static KEY: OnceLock<[u8; 32]> = OnceLock::new();
    KEY.get_or_init(|| public(By::Maker))
}

/// A statement that roles of a trust bundle make.
pub(crate) fn sign(payload: &[u8], by: By) -> Vec<u8> {
    let (mut scratch, mut out, key) = ([0; 1024], [0; 1024], key(by));
    let signers = [CoseSigner { key: &key, kid: None }];
    let signed = SignBuilder::new(&signers).sign(payload, b"", &mut scratch, &mut out);
    signed.expect("there is room").to_vec()
}

/// A statement of one key.
pub(crate) fn sign1(payload: &[u8], by: By) -> Vec<u8> {
    let (mut scratch, mut out) = ([0; 512], [0; 512]);
    let signed = Sign1Builder::new().sign(&key(by), payload, b"", &mut scratch, &mut out);
    signed.expect("there is room").to_vec()
}

/// Images of releases 1 to 4 with their envelopes.
pub(crate) fn release(number: u8) -> &'static (Vec<u8>, Vec<u8>) {
    static ALL: OnceLock<Vec<(Vec<u8>, Vec<u8>)>> = OnceLock::new();
    let all = ALL.get_or_init(|| (1..=4u8).map(make_release).collect());
    &all[usize::from(number) % RELEASES]
}

fn make_release(number: u8) -> (Vec<u8>, Vec<u8>) {
    let image = vec![number; IMAGE_LEN];
    let component = ManifestComponent {
        id: ComponentId::from_encoded(&COMPONENT).expect("a name"),
        digest: Sha256::of(&[&image]),
        size: u32::try_from(IMAGE_LEN).expect("small"),
        payload: Payload::Uri(URI),
        transport: None,
        invoke: true,
    };
    let (key, mut scratch, mut out) = (key(By::Maker), [0; 1024], [0; 1024]);
    let signers = [Signer { key: &key, kid: None }];
    let components = [component];
    let builder = EnvelopeBuilder::new(VENDOR, CLASS, SequenceNumber(number.into()), &components);
    let envelope = builder.write(&signers, &mut Sha256::new(), &mut scratch, &mut out);
    (image, envelope.expect("an envelope").to_vec())
}

/// What the manifests of releases 1 to 4 are.
pub(crate) fn manifests() -> &'static [iotsec_manifest_t] {
    static ALL: OnceLock<Vec<iotsec_manifest_t>> = OnceLock::new();
    ALL.get_or_init(|| (0..4).map(make_manifest).collect())
}

pub(crate) fn manifest(number: u8) -> iotsec_manifest_t {
    manifests()[usize::from(number) % RELEASES]
}

fn make_manifest(number: u8) -> iotsec_manifest_t {
    let public = Ed25519PublicKey::from_bytes(public_key()).expect("a key");
    let anchors = [TrustAnchor {
        key: &public,
        kid: None,
    }];
    let anchors = TrustAnchors::new(&anchors, 1).expect("one");
    let envelope = Envelope::parse(&release(number).1, &Limits::DEFAULT).expect("an envelope");
    let authentic = envelope.authenticate(&anchors, &mut Sha256::new());
    iotsec_manifest_t {
        sequence: u64::from(number) + 1,
        digest: *authentic.expect("a signature").manifest_digest(),
    }
}

/// Trust bundles of versions 1 to 4.
pub(crate) fn bundle(version: u8) -> &'static [u8] {
    static ALL: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    let all = ALL.get_or_init(|| (1..=4u8).map(make_bundle).collect());
    &all[usize::from(version) % RELEASES]
}

fn make_bundle(version: u8) -> Vec<u8> {
    let keys = [By::Maker, By::Freshness, By::Recovery].map(public);
    let content = TrustBundleContent {
        version: version.into(),
        expires: None,
        vendor: VENDOR,
        class: CLASS,
        keys: &keys.each_ref().map(Key::ed25519),
        roles: &[
            (Role::Root, 1, &[0]),
            (Role::Update, 1, &[0]),
            (Role::Freshness, 1, &[1]),
            (Role::Recovery, 1, &[2]),
        ],
        revoked: &[],
        tls: &[],
    };
    let mut payload = [0; 512];
    let payload = content.write(&mut Sha256::new(), &mut payload).expect("a bundle");
    sign(payload, By::Maker)
}
