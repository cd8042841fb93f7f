//! MCUboot images, answered as their names say.

use std::path::{Path, PathBuf};

use iotsec_testkit::mcuboot_vectors;

use crate::tool::Failure;

pub(crate) fn run(_: &Path, args: &[&str]) -> Result<(), Failure> {
    let (folder, keys) = match args {
        [folder] => (*folder, None),
        [folder, "--keys", keys] | ["--keys", keys, folder] => (*folder, Some(PathBuf::from(keys))),
        _ => return Err("takes a folder of images, such as vectors/mcuboot, and --keys FOLDER".into()),
    };
    let folder = Path::new(folder);
    let keys = keys
        .or_else(|| default_keys(folder))
        .ok_or("no keys beside the images: say --keys FOLDER")?;
    let lines = mcuboot_vectors::answer(folder, &keys)?;
    let wrong = lines.iter().filter(|line| line.wrong);
    for line in wrong.clone() {
        println!("{line}");
    }
    let wrong = wrong.count();
    let accepted = lines
        .iter()
        .filter(|line| line.answer.starts_with("accepted"))
        .count();
    println!("{} answered, {accepted} accepted, {wrong} wrong", lines.len());
    if wrong == 0 && !lines.is_empty() {
        Ok(())
    } else {
        Err(format!("{} is not answered as its names say", folder.display()).into())
    }
}

fn default_keys(folder: &Path) -> Option<PathBuf> {
    let places = [folder.join("keys"), folder.join("../suit/keys")];
    places.into_iter().find(|place| place.is_dir())
}
