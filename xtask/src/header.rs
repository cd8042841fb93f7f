//! `iotsec-ffi/include/iotsec.h`, the table of error numbers and the examples' update, regenerated or checked for drift.

use std::{path::Path, process::Command};

use crate::{
    c::vectors,
    status,
    tool::{self, Failure},
};

/// The one version whose output is committed.
const CBINDGEN: &str = "cbindgen 0.29.4";
const HEADER: &str = "iotsec-ffi/include/iotsec.h";

/// Writes all files, or fails when a committed one differs from what would be written.
pub(crate) fn run(root: &Path, args: &[&str]) -> Result<(), Failure> {
    let check = match args {
        [] => false,
        ["--check"] => true,
        _ => return Err("the one option is --check".into()),
    };
    // The header is made from the table, so the table comes first.
    tool::settle(root, vectors::HEADER, &vectors::text(root)?, check, "header")?;
    tool::settle(root, status::TABLE, &status::table(root)?, check, "header")?;
    tool::settle(root, HEADER, &generate(root)?, check, "header")
}

fn generate(root: &Path) -> Result<String, Failure> {
    let install = "cargo install --locked cbindgen@0.29.4";
    tool::need("cbindgen", install)?;
    let version = tool::text(Command::new("cbindgen").arg("--version"))?;
    if version.trim() != CBINDGEN {
        return Err(format!("{CBINDGEN} is needed, not {}: {install}", version.trim()).into());
    }
    let mut command = Command::new("cbindgen");
    command.current_dir(root.join("iotsec-ffi"));
    tool::text(command.args(["--quiet", "--config", "cbindgen.toml", "--crate", "iotsec-ffi"]))
}
