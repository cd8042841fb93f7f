//! What listens, opened by another language, and MUD files before a validator that others wrote.

use std::path::Path;

use super::{Place, Venv};
use crate::tool::{self, Failure};

/// The second for the modules of the IETF, which it brings.
const PACKAGES: &[&str] = &["yangson==1.7.9", "pyang==2.7.1"];
const MANIFEST: &str = "examples/products/lamp/iotsec.toml";

pub(super) fn check(place: &Place, venv: &Path) -> Result<(), Failure> {
    let python = Venv::new(venv, PACKAGES)?;
    let mut sockets = python.script(&place.root, "surface.py");
    tool::run(sockets.arg(&place.iotsec).arg(&place.work))?;
    let mut mud = python.script(&place.root, "mud.py");
    tool::run(
        mud.arg(&place.iotsec)
            .arg(place.root.join(MANIFEST))
            .arg(&place.work),
    )
}
