//! The encoder against envelopes that an independent implementation made with the same keys.

use std::path::{Path, PathBuf};

use iotsec_core::{
    crypto::{Digest, Ed25519SigningKey, Sha256},
    secret::Secret,
};
use iotsec_update::{
    ComponentId, SequenceNumber,
    builder::{EnvelopeBuilder, ManifestComponent, Payload, Signer},
};

const VENDOR: [u8; 16] = [
    0x0E, 0x01, 0x1A, 0x35, 0xE5, 0x98, 0x55, 0x69, 0x81, 0x98, 0xAE, 0x31, 0x7F, 0x6D, 0xA1, 0x78,
];
const CLASS: [u8; 16] = [
    0x35, 0xC5, 0x00, 0xE3, 0x28, 0xA3, 0x5F, 0xC1, 0xBD, 0x5D, 0x0E, 0x07, 0x9A, 0xB2, 0x96, 0x6F,
];
const APP_URI: &str = "https://fw.iotsec.example/app_v2.bin";

fn suit() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/suit")
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::default();
    hash.update(bytes);
    hash.finish()
}

fn component<'a>(id: &'a [u8], image: &[u8], payload: Payload<'a>, invoke: bool) -> ManifestComponent<'a> {
    ManifestComponent {
        id: ComponentId::from_encoded(id).unwrap(),
        digest: sha256(image),
        size: u32::try_from(image.len()).unwrap(),
        payload,
        transport: None,
        invoke,
    }
}

/// Signs with the vectors' key `ed25519_a` and compares with the file, byte by byte.
fn assert_writes(builder: &EnvelopeBuilder<'_>, file: &str) {
    let seed = sha256(b"iotsec test vector key ed25519_a");
    let key = Ed25519SigningKey::from_seed(&Secret::from_bytes(seed));
    let signer = Signer { key: &key, kid: None };
    let (mut scratch, mut out) = ([0; 1024], [0; 8192]);
    let envelope = builder
        .write(&[signer], &mut Sha256::default(), &mut scratch, &mut out)
        .unwrap();
    let expected = std::fs::read(suit().join("oracle").join(file)).unwrap();
    assert!(envelope == expected, "{file} is written differently");
}

#[test]
fn envelopes_are_written_byte_for_byte_as_the_independent_encoder_writes_them() {
    let app = std::fs::read(suit().join("payloads/app_v2.bin")).unwrap();
    let radio = std::fs::read(suit().join("payloads/radio_v2.bin")).unwrap();
    let (id_0, id_1) = ([0x81, 0x41, 0x00], [0x81, 0x41, 0x01]);
    let at = SequenceNumber(10);

    let one = [component(&id_0, &app, Payload::Uri(APP_URI), true)];
    let single = EnvelopeBuilder::new(VENDOR, CLASS, at, &one);
    assert_writes(&single, "p01_ed25519_fully_specified.suit");
    assert_writes(
        &single.reference_uri("https://fw.iotsec.example/m.suit"),
        "p18_reference_uri.suit",
    );
    let newest = EnvelopeBuilder::new(VENDOR, CLASS, SequenceNumber(u64::MAX), &one);
    assert_writes(&newest, "p12_seq_max_u64.suit");

    let carried = Payload::Integrated {
        name: "#app",
        bytes: &app,
    };
    let integrated = [component(&id_0, &app, carried, true)];
    let integrated = EnvelopeBuilder::new(VENDOR, CLASS, at, &integrated);
    assert_writes(&integrated, "p13_integrated_payload.suit");

    let radio_uri = Payload::Uri("https://fw.iotsec.example/radio_v2.bin");
    let both = [one[0], component(&id_1, &radio, radio_uri, false)];
    let both = EnvelopeBuilder::new(VENDOR, CLASS, at, &both);
    assert_writes(&both, "p14_two_components.suit");
}
