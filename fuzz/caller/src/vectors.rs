//! What a maker signs: envelopes and trust bundles that a device takes.

use std::sync::OnceLock;

use iotsec::{
    core::{
        cose::{Key, SignBuilder, Signer as CoseSigner},
        crypto::{Ed25519SigningKey, Sha256, Sign},
        secret::Secret,
    },
    update::{
        ComponentId, SequenceNumber,
        builder::{EnvelopeBuilder, ManifestComponent, Payload, Signer},
        trust::{Role, TrustBundleContent},
    },
};

pub(crate) const COMPONENT: [u8; 3] = [0x81, 0x41, 0x00];
pub(crate) const VENDOR: [u8; 16] = [1; 16];
pub(crate) const CLASS: [u8; 16] = [2; 16];
const RELEASES: usize = 4;
const IMAGE_LEN: usize = 1300;

fn key() -> Ed25519SigningKey {
    Ed25519SigningKey::from_seed(&Secret::from_bytes([7; 32]))
}

/// The key that everything here is signed with.
pub(crate) fn public_key() -> &'static [u8; 32] {
    static KEY: OnceLock<[u8; 32]> = OnceLock::new();
    KEY.get_or_init(|| key().public_key().try_into().expect("32 bytes"))
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
        payload: Payload::Uri("https://fw.example/app"),
        transport: None,
        invoke: true,
    };
    let (key, mut scratch, mut out) = (key(), [0; 1024], [0; 1024]);
    let signers = [Signer { key: &key, kid: None }];
    let components = [component];
    let builder = EnvelopeBuilder::new(VENDOR, CLASS, SequenceNumber(number.into()), &components);
    let envelope = builder.write(&signers, &mut Sha256::new(), &mut scratch, &mut out);
    (image, envelope.expect("an envelope").to_vec())
}

/// Trust bundles of versions 1 to 4.
pub(crate) fn bundle(version: u8) -> &'static [u8] {
    static ALL: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    let all = ALL.get_or_init(|| (1..=4u8).map(make_bundle).collect());
    &all[usize::from(version) % RELEASES]
}

fn make_bundle(version: u8) -> Vec<u8> {
    let content = TrustBundleContent {
        version: version.into(),
        expires: None,
        vendor: VENDOR,
        class: CLASS,
        keys: &[Key::ed25519(public_key())],
        roles: &[(Role::Root, 1, &[0]), (Role::Update, 1, &[0])],
        revoked: &[],
        tls: &[],
    };
    let (mut payload, mut scratch, mut out) = ([0; 512], [0; 512], [0; 512]);
    let payload = content.write(&mut Sha256::new(), &mut payload).expect("a bundle");
    let key = key();
    let signers = [CoseSigner { key: &key, kid: None }];
    let signed = SignBuilder::new(&signers).sign(payload, b"", &mut scratch, &mut out);
    signed.expect("a signature").to_vec()
}
