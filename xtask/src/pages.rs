//! Pages that are made of data, and `cargo xtask documents`, which writes them.

use std::{fs, path::Path};

use iotsec_evidence::{claims, guidelines};

use crate::tool::Failure;

pub(crate) fn run(root: &Path, args: &[&str]) -> Result<(), Failure> {
    if !args.is_empty() {
        return Err("takes nothing".into());
    }
    let pages = [
        ("docs/guidelines.md", guidelines::page(claims::sdk())),
        ("docs/mapping.md", guidelines::mapping_page()),
        ("docs/mapping.json", format!("{:#}\n", guidelines::mapping())),
    ];
    for (file, text) in pages {
        fs::write(root.join(file), text)?;
        println!("{file}");
    }
    Ok(())
}
