//! Vectors that a script made, made again: the same bytes come out.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{Place, venv::Venv};
use crate::tool::{self, Failure};

/// Scripts that write beside themselves.
const GENERATORS: &[&str] = &[
    "generate/post_quantum.py",
    "trust/generate.py",
    "delta/generate.py",
];
/// Starts of names in `mcuboot` with something random in them: nonces of ECDSA, keys of encryption; or what
/// depends on the version of a compressor.
const NEVER_THE_SAME: &[&str] = &[
    "ecdsa",
    "untrusted_p256",
    "neg_ecdsa",
    "neg_encrypted",
    "neg_compressed",
];

pub(super) fn check(place: &Place, python: &Venv) -> Result<(), Failure> {
    let vectors = place.root.join("vectors");
    let copy = place.work.join("vectors");
    copy_folder(&vectors, &copy)?;
    for script in GENERATORS.iter().map(|script| copy.join(script)) {
        tool::text(&mut python.run(&script))?;
    }
    let images = copy.join("mcuboot");
    let scratch = place.work.join("mcuboot-again");
    fs::create_dir_all(&scratch)?;
    tool::text(python.run(&images.join("make.py")).arg(&scratch))?;
    for path in files(&scratch)? {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if !NEVER_THE_SAME.iter().any(|start| name.starts_with(start)) {
            fs::copy(&path, images.join(&name))?;
        }
    }

    let (before, after) = (files(&vectors)?, files(&copy)?);
    for path in &after {
        let original = vectors.join(path.strip_prefix(&copy)?);
        if fs::read(&original).ok() != Some(fs::read(path)?) {
            return Err(format!("{} is made differently now", original.display()).into());
        }
    }
    if before.len() != after.len() {
        return Err("not every vector is there".into());
    }
    println!("vectors: made again, and none of {} files differs", after.len());
    Ok(())
}

fn copy_folder(from: &Path, to: &Path) -> Result<(), Failure> {
    for path in files(from)? {
        let place = to.join(path.strip_prefix(from)?);
        if let Some(folder) = place.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::copy(path, place)?;
    }
    Ok(())
}

/// Every file below a folder.
fn files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let (mut found, mut open) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}
