//! What a maker publishes, before validators that others wrote: and spoilt copies of it, which they have to refuse.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{Place, Venv};
use crate::tool::{self, Failure};

const PACKAGES: &[&str] = &[
    "check-jsonschema==0.39.0",
    "junitparser==5.0.3",
    "sectxt==0.9.8",
    "yangson==1.7.9",
    "pyang==2.7.1",
];
/// Of the npm registry; the last three are what the third needs to judge JSON.
const NODE_PACKAGES: &[&str] = &[
    "@microsoft/sarif-multitool-linux@5.7.0",
    "@secvisogram/csaf-validator-lib@2.0.10",
    "@cyclonedx/cyclonedx-library@10.3.0",
    "ajv@8.20.0",
    "ajv-formats@3.0.1",
    "ajv-formats-draft2019@1.6.1",
];

pub(super) fn check(place: &Place, work: &Path) -> Result<(), Failure> {
    let (python, node) = (Venv::new(&work.join("venv-documents"), PACKAGES)?, node(work)?);
    tool::need("gpg", "apt-get install gnupg")?;
    let folder = place.work.join("documents");
    fs::create_dir_all(&folder)?;
    let mut command = python.run(&place.root.join("xtask/interop/documents.py"));
    command.arg(&place.iotsec).arg(&place.root).arg(node).arg(folder);
    tool::run(&mut command)
}

/// The folder that npm installed its packages into.
fn node(work: &Path) -> Result<PathBuf, Failure> {
    tool::need("node", "apt-get install nodejs npm")?;
    tool::need("npm", "apt-get install nodejs npm")?;
    let folder = work.join("node-documents");
    // Written last, so that an installation that was broken off is not taken for a whole one.
    let (installed, wanted) = (folder.join("installed"), NODE_PACKAGES.join("\n"));
    if fs::read_to_string(&installed).ok().as_deref() != Some(wanted.as_str()) {
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        let mut install = Command::new("npm");
        install.args([
            "install",
            "--no-audit",
            "--no-fund",
            "--ignore-scripts",
            "--silent",
            "--prefix",
        ]);
        tool::run(install.arg(&folder).args(NODE_PACKAGES)).map_err(|error| {
            format!("{error}: needs the npm registry, or a mirror of it that npm is told of")
        })?;
        fs::write(&installed, wanted)?;
    }
    Ok(folder)
}
