//! imgtool's images judged here, and trailers written here read by imgtool.

use std::{fs, path::Path};

use iotsec::{
    core::crypto::{Sha256, Sha512, Verify},
    update::mcuboot::{Device, Hashes, Image, Request, SliceBytes, Trailer},
};
use iotsec_testkit::{Geometry, SimFlash, mcuboot_vectors};

use super::{Place, venv::Venv};
use crate::tool::{self, Failure};

const SLOT: usize = 0x4000;

pub(super) fn check(place: &Place, python: &Venv) -> Result<(), Failure> {
    let folder = place.work.join("mcuboot");
    let script = |action: &str| {
        let mut command = python.script(&place.root, "mcuboot.py");
        command.arg(action).arg(&folder);
        command
    };
    tool::run(&mut script("make"))?;

    let lines = mcuboot_vectors::answer(&folder.join("images"), &folder.join("keys"))?;
    for line in lines.iter().filter(|line| line.wrong) {
        println!("{line}");
    }
    if lines.iter().any(|line| line.wrong) || lines.is_empty() {
        return Err("imgtool's images are not answered as they should be".into());
    }
    let accepted = lines
        .iter()
        .filter(|line| line.answer.starts_with("accepted"))
        .count();
    println!(
        "MCUboot: {accepted} images accepted, {} edits refused",
        lines.len() - accepted
    );

    for entry in fs::read_dir(folder.join("slots"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "image") {
            complete(&path, &folder.join("keys"))?;
        }
    }
    tool::run(&mut script("check"))
}

/// Puts the request into a slot that its name asks for.
fn complete(path: &Path, keys: &Path) -> Result<(), Failure> {
    let image = fs::read(path)?;
    let name = path
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let mut parts = name.split('_');
    let (Some(align), Some(erased), Some(kind)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(format!("{name} says not what is asked for").into());
    };
    let align: u32 = align.parse()?;
    let erased = u8::from_str_radix(erased, 16)?;
    let request = match kind {
        "pad" => Request::Test,
        _ => Request::Permanent,
    };

    let keys = mcuboot_vectors::load_keys(keys)?;
    let keys: Vec<&dyn Verify> = keys.iter().map(AsRef::as_ref).collect();
    let (mut sha256, mut sha512) = (Sha256::new(), Sha512::new());
    let mut hashes = Hashes {
        sha256: &mut sha256,
        sha512: Some(&mut sha512),
    };
    let mut bytes = SliceBytes(&image);
    let admitted = Image::read(&mut bytes)?
        .verify(&mut bytes, &keys, &mut hashes)?
        .admit(&Device::default())?;

    let geometry = Geometry::new(&[1024; SLOT / 1024], align).with_erased(erased);
    let mut flash = SimFlash::from_image(geometry, &image);
    Trailer::new(flash.region()?, align)?.request(&mut flash, &admitted, request)?;
    Ok(fs::write(path.with_extension("ours"), flash.image())?)
}
