//! The product manifest `iotsec.toml`, as all commands read it; and `iotsec new`, `iotsec doctor`.

pub(crate) mod constants;
pub(crate) mod doctor;
pub(crate) mod new;

use std::path::Path;

use iotsec_product::{Finding, Product};

use crate::Problem;
pub(crate) use constants::Constants;
pub(crate) use doctor::Doctor;
pub(crate) use new::New;

/// Reads and checks a manifest.
pub(crate) fn read(path: &Path) -> Result<Product, Problem> {
    Product::read(path).map_err(|findings| refused(path, &findings))
}

/// A manifest that cannot be used, for the first reason; with the number of the others.
pub(crate) fn refused(path: &Path, findings: &[Finding]) -> Problem {
    let (cause, remedy) = findings.first().map_or_else(
        || ("it cannot be read".into(), String::new()),
        |first| (first.to_string(), first.remedy.clone()),
    );
    let more = match findings.len().saturating_sub(1) {
        0 => String::new(),
        more => format!(" (and {more} more: iotsec doctor)"),
    };
    Problem::new(
        "Manifest",
        format!("{} refused: {cause}{more}", path.display()),
        remedy,
    )
}
