//! imgtool's images judged and started here, and trailers written here read by imgtool.

use std::{fs, path::Path};

use iotsec::{
    core::{
        crypto::{Sha256, Sha512, Verify},
        hal::{Region, Slot},
    },
    update::mcuboot::{
        Device, Hashes, Image, Loader, Reason, Request, Selection, SliceBytes, Trailer, select,
    },
};
use iotsec_testkit::{Geometry, SimCounter, SimFlash, mcuboot_vectors};

use super::{Place, venv::Venv};
use crate::tool::{self, Failure};

const SLOT: usize = 0x4000;
/// Of the first slot.
const ADDRESS: u32 = 0x10000;

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
    start_pairs(&folder)?;
    tool::run(&mut script("check"))
}

/// Starts what lies in each pair of slots, three times, and compares with what MCUboot would have started.
fn start_pairs(folder: &Path) -> Result<(), Failure> {
    let keys = mcuboot_vectors::load_keys(&folder.join("keys"))?;
    let keys: Vec<&dyn Verify> = keys.iter().map(AsRef::as_ref).collect();
    let (mut pairs, mut rescued, mut seen) = (0, 0, [0; 3]);
    for line in fs::read_to_string(folder.join("pairs.txt"))?.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let [align, erased, a, b, floor, boots @ ..] = words.as_slice() else {
            return Err(format!("not a pair: {line}").into());
        };
        let (align, erased) = (align.parse()?, u8::from_str_radix(erased, 16)?);
        let mut flash = SimFlash::new(Geometry::new(&[1024; 2 * SLOT / 1024], align).with_erased(erased));
        let mut slots = Vec::new();
        for (name, start) in [(a, 0), (b, u32::try_from(SLOT)?)] {
            if *name != "-" {
                flash.tamper(start, &fs::read(folder.join("pairs").join(name))?);
            }
            let region = Region::new(start, 1024, u32::try_from(SLOT / 1024)?, align)?.with_erased(erased);
            slots.push(Trailer::new(region, align)?);
        }
        let [slot_a, slot_b] = slots.as_slice() else {
            return Err("two slots".into());
        };
        let loader = Loader {
            rom_a: Some(ADDRESS),
            rom_b: Some(ADDRESS + u32::try_from(SLOT)?),
            ..Loader::new(*slot_a, *slot_b, &keys)
        };
        let mut counter = SimCounter::new().at(floor.parse()?);
        let mut sha256 = Sha256::new();
        for boot in boots.chunks(2) {
            let mut hashes = Hashes {
                sha256: &mut sha256,
                sha512: None,
            };
            let ours = match select(&mut flash, &loader, &mut counter, &mut hashes)? {
                Selection::Recovery { .. } => "-",
                // MCUboot would start nothing, and erase it.
                Selection::Boot(image) if matches!(image.reason(), Reason::LastResort(_)) => {
                    rescued += 1;
                    "-"
                }
                Selection::Boot(image) if image.slot() == Slot::A => "A",
                Selection::Boot(_) => "B",
            };
            if boot != [ours, &counter.value().to_string()] {
                let value = counter.value();
                return Err(format!("{line}: starts {ours}, and the counter is {value}").into());
            }
            match ours {
                "A" => seen[0] += 1,
                "B" => seen[1] += 1,
                _ => seen[2] += 1,
            }
        }
        if flash.violation().is_some() {
            return Err(format!("{line}: {:?}", flash.violation()).into());
        }
        pairs += 1;
    }
    let [a, b, none] = seen;
    if a == 0 || b == 0 || none == 0 {
        return Err(format!("pairs that show too little: {seen:?}").into());
    }
    println!(
        "MCUboot: {pairs} pairs of imgtool's slots start as MCUboot would start them, three times each: \
        {a} times A, {b} B, {none} neither, where {rescued} times an image was started as the last resort"
    );
    Ok(())
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
