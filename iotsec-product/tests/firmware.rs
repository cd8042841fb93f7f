//! What a firmware has of its product manifest.

use iotsec::{
    core::{crypto::Sha256, hal::Millis},
    net::surface::Phase,
    update::policy::UpdatePolicy,
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
