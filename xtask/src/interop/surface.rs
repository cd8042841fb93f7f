//! What listens, opened by another language, and MUD files before a validator that others wrote.

use std::path::Path;

use super::{Place, Venv};
use crate::tool::{self, Failure};

const PACKAGES: &[&str] = &["yangson==1.7.9"];
const MANIFEST: &str = "examples/products/lamp/iotsec.toml";

/// `yang` is a folder with the YANG modules, or a checkout of all of them.
pub(super) fn check(place: &Place, venv: &Path, yang: Option<&Path>) -> Result<(), Failure> {
    let python = Venv::new(venv, PACKAGES)?;
    let mut sockets = python.script(&place.root, "surface.py");
    tool::run(sockets.arg(&place.iotsec).arg(&place.work))?;
    let Some(yang) = yang else {
        println!(
            "MUD files: NOT RUN, the YANG modules of RFC 8520 are on no package registry: git clone --depth 1 \
             https://github.com/YangModels/yang, and say --yang FOLDER"
        );
        return Ok(());
    };
    let mut mud = python.script(&place.root, "mud.py");
    tool::run(
        mud.arg(&place.iotsec)
            .arg(place.root.join(MANIFEST))
            .arg(yang)
            .arg(&place.work),
    )
}
