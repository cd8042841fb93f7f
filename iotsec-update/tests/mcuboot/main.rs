//! MCUboot images and trailers, against files that imgtool made.

mod device;
mod images;
mod loader;
mod loader_power_cut;
mod loader_twice;
mod requests;
mod trailers;

use std::path::{Path, PathBuf};

use iotsec_core::crypto::{Sha256, Sha512, Verify};
use iotsec_testkit::mcuboot_vectors;
use iotsec_update::mcuboot::{Hashes, Image, ImageBytes, McubootError, SliceBytes, Verified};

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors")
}

fn file(name: &str) -> Vec<u8> {
    std::fs::read(vectors().join("mcuboot").join(name)).unwrap()
}

fn keys() -> Vec<Box<dyn Verify>> {
    mcuboot_vectors::load_keys(&vectors().join("suit/keys")).unwrap()
}

fn verify(bytes: &mut dyn ImageBytes, keys: &[Box<dyn Verify>]) -> Result<Verified, McubootError> {
    let keys: Vec<&dyn Verify> = keys.iter().map(AsRef::as_ref).collect();
    let (mut sha256, mut sha512) = (Sha256::new(), Sha512::new());
    let mut hashes = Hashes {
        sha256: &mut sha256,
        sha512: Some(&mut sha512),
    };
    Image::read(bytes)?.verify(bytes, &keys, &mut hashes)
}

fn verified(name: &str) -> Verified {
    verify(&mut SliceBytes(&file(name)), &keys()).unwrap()
}
