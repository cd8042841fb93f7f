//! What may be in the dependency tree: licences and sources everywhere, one version of everything on a device.

use std::path::Path;

use crate::{
    image::THUMBV7EM_HF,
    tool::{self, Failure},
};

/// All that a device without an allocator can turn on.
const DEVICE: &str = "device,rustcrypto,p256";

pub(crate) fn run(root: &Path, args: &[&str]) -> Result<(), Failure> {
    if !args.is_empty() {
        return Err("takes no argument".into());
    }
    crate::dependencies::run(root, &[])?;
    duplicates(root)?;
    tool::need_cargo("deny", "cargo install --locked cargo-deny@0.20.2")?;
    let mut command = tool::cargo();
    command
        .current_dir(root)
        .args(["deny", "--offline", "check", "licenses", "bans", "sources"]);
    tool::run(&mut command)
}

/// Two versions of a crate are two copies in flash, and with cryptography two generations of traits.
fn duplicates(root: &Path) -> Result<(), Failure> {
    let mut command = tool::cargo();
    command
        .current_dir(root)
        .args(["tree", "--quiet", "--duplicates", "-p", "iotsec"]);
    command.args(["--edges", "normal,no-proc-macro", "--depth", "0"]);
    command.args(["--target", THUMBV7EM_HF, "--features", DEVICE]);
    let found = tool::text(&mut command)?;
    if found.trim().is_empty() {
        println!("device features: one version of every crate");
        Ok(())
    } else {
        Err(format!("device features bring crates twice:\n{found}").into())
    }
}
