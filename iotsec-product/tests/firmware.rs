//! What a firmware has of its product manifest.

use iotsec::{
    core::{
        crypto::{Ed25519SigningKey, Sha256},
        hal::Millis,
        secret::Secret,
    },
    net::surface::Phase,
    update::{
        ComponentId, SequenceNumber,
        builder::{EnvelopeBuilder, ManifestComponent, Payload, Signer},
        policy::UpdatePolicy,
    },
};
use iotsec_product::{Product, source};

/// As a firmware includes what its build script made.
macro_rules! product {
    ($name:ident, $file:literal) => {
        mod $name {
            #![allow(
                dead_code,
                unreachable_pub,
                reason = "a firmware uses what it needs, and its own crate is all there is"
            )]
            include!($file);
        }
    };
}
product!(product, "../../examples/products/lock/product.rs");
product!(camera, "../../examples/products/camera/product.rs");
product!(sensor, "../../examples/products/sensor/product.rs");

const MANIFEST: &str = include_str!("../../examples/products/lock/iotsec.toml");

#[test]
fn each_sample_has_the_constants_of_its_manifest() {
    macro_rules! sample {
        ($name:ident, $folder:literal) => {{
            let manifest = include_bytes!(concat!("../../examples/products/", $folder, "/iotsec.toml"));
            let made = include_str!(concat!("../../examples/products/", $folder, "/product.rs"));
            let read = Product::parse(manifest).unwrap();
            assert_eq!(source::rust(&read), made, "{}: iotsec constants", $folder);
            assert_eq!($name::MANIFEST_SHA256, Sha256::of(&[manifest]), $folder);
            let declared = read.surface.unwrap().table().unwrap();
            assert_eq!($name::SURFACE.interfaces(), declared.interfaces(), $folder);
        }};
    }
    sample!(product, "lock");
    sample!(camera, "camera");
    sample!(sensor, "sensor");
}

#[test]
fn what_is_never_updated_has_no_policy_for_updates() {
    let sensor = include_str!("../../examples/products/sensor/product.rs");
    assert!(sensor.contains("SUPPORT_UNTIL") && !sensor.contains("UPDATE_POLICY"));
    assert_eq!(
        sensor::TELEMETRY.events().last(),
        Some(&iotsec::telemetry::detect::AUTH_BURST)
    );
}

#[test]
fn constants_say_what_the_manifest_says() {
    let manifest = Product::parse(MANIFEST.as_bytes()).unwrap();
    assert_eq!(product::MANIFEST_SHA256, Sha256::of(&[MANIFEST.as_bytes()]));
    assert_eq!(product::MODEL, manifest.product.model.as_str());
    let (vendor, class) = manifest.suit_ids().unwrap();
    assert_eq!(
        (product::VENDOR_ID, product::CLASS_ID),
        (vendor.bytes(), class.bytes())
    );
    assert_eq!(product::SUPPORT_UNTIL, manifest.support.unwrap().end.end());
    let policy: UpdatePolicy = product::UPDATE_POLICY;
    assert_eq!(policy.period, Millis::from_secs(24 * 3600));
    assert_eq!(policy.grace, Millis::from_secs(2 * 3600));
    assert_eq!(policy.support_until, Some(product::SUPPORT_UNTIL));
    assert_eq!(policy.first_check, UpdatePolicy::DEFAULT.first_check);
}

#[test]
fn the_interface_table_has_no_more_than_the_manifest() {
    let surface = Product::parse(MANIFEST.as_bytes()).unwrap().surface.unwrap();
    assert_eq!(
        product::SURFACE.interfaces(),
        surface.table().unwrap().interfaces()
    );
    // A radio that is switched off is none that could be opened.
    assert!(
        product::SURFACE
            .interfaces()
            .iter()
            .all(|interface| interface.id() != "nfc")
    );
    let debug = product::SURFACE
        .interfaces()
        .iter()
        .find(|interface| interface.id() == "swd")
        .unwrap();
    assert!(debug.phases().contains(Phase::Factory) && !debug.phases().contains(Phase::Owned));
}

#[test]
fn the_registry_has_the_hash_that_the_back_end_computes() {
    let described = Product::parse(MANIFEST.as_bytes()).unwrap().telemetry.unwrap();
    let declared = described.declare().unwrap();
    let hash = |registry: &'static iotsec::telemetry::registry::Registry| {
        *registry.hashed(&mut Sha256::new()).hash()
    };
    assert_eq!(hash(&product::TELEMETRY), hash(declared));
    assert_eq!(product::LOGIN_FAILED.name(), "login.failed");
    assert_eq!(product::OPENINGS_DAILY.unit(), "1");
}

/// Ed25519 signs the same the same way each time: what the lock's firmware is given is what its maker would sign.
/// `IOTSEC_WRITE=1` writes the files.
#[test]
fn the_releases_of_the_lock_are_for_the_lock() {
    const SEED: [u8; 32] = *b"\x4e\xf5\x7a\x2d\xf2\x05\xbf\x6e\xd3\x46\xed\x7f\xec\xec\x3c\xd7\
                             \x05\x7e\xed\x21\xdb\xc1\xbf\x21\x0e\x84\x57\xa2\x60\x7d\x59\xf7";
    let key = Ed25519SigningKey::from_seed(&Secret::from_bytes(SEED));
    for (number, image) in [
        (
            1,
            include_bytes!("../../vectors/suit/payloads/app_v1.bin").as_slice(),
        ),
        (2, include_bytes!("../../vectors/suit/payloads/app_v2.bin")),
    ] {
        let components = [ManifestComponent {
            id: ComponentId::from_encoded(&[0x81, 0x41, 0x00]).unwrap(),
            digest: Sha256::of(&[image]),
            size: image.len().try_into().unwrap(),
            payload: Payload::Uri("https://updates.locks.example.com/lock-1"),
            transport: None,
            invoke: true,
        }];
        let builder = EnvelopeBuilder::new(
            product::VENDOR_ID,
            product::CLASS_ID,
            SequenceNumber(number),
            &components,
        );
        let signers = [Signer { key: &key, kid: None }];
        let (mut scratch, mut out) = ([0; 2048], [0; 2048]);
        let made = builder
            .write(&signers, &mut Sha256::new(), &mut scratch, &mut out)
            .unwrap();
        let file = format!(
            "{}/../firmware/lock/data/release{number}.suit",
            env!("CARGO_MANIFEST_DIR")
        );
        if std::env::var_os("IOTSEC_WRITE").is_some() {
            std::fs::write(&file, made).unwrap();
        }
        assert!(
            std::fs::read(&file).unwrap() == *made,
            "{file} is not of this manifest"
        );
    }
}
