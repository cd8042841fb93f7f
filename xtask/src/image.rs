//! Bare-metal images built from `firmware/`.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use crate::tool::{self, Failure};

/// Cortex-M4F, hard float.
pub(crate) const THUMBV7EM_HF: &str = "thumbv7em-none-eabihf";
/// Cortex-M4, soft float.
pub(crate) const THUMBV7EM: &str = "thumbv7em-none-eabi";
/// Cortex-M0 and M0+.
pub(crate) const THUMBV6M: &str = "thumbv6m-none-eabi";

/// RISC-V with multiplication, atomics and short instructions.
pub(crate) const RISCV32IMAC: &str = "riscv32imac-unknown-none-elf";

/// A cargo command for `package` of `firmware/` on `target`, with the profile and the flags of the committed
/// configuration and nothing from the environment.
pub(crate) fn build(root: &Path, package: &str, target: &str) -> Result<Command, Failure> {
    tool::need_target(target)?;
    let mut command = tool::cargo();
    command
        .current_dir(root.join("firmware"))
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .args([
            "build",
            "--release",
            "--quiet",
            "--locked",
            "-p",
            package,
            "--target",
            target,
        ])
        .arg("--config")
        .arg(format!("target.{target}.rustflags={:?}", remapped(root)?));
    Ok(command)
}

/// Where [`build`] leaves the image called `name`.
pub(crate) fn path(root: &Path, target: &str, name: &str) -> PathBuf {
    root.join("firmware/target")
        .join(target)
        .join("release")
        .join(name)
}

/// Panic messages name source files: their length must not depend on where this machine keeps them.
pub(crate) fn remapped(root: &Path) -> Result<Vec<String>, Failure> {
    let home = env::var_os("CARGO_HOME").map_or_else(
        || PathBuf::from(env::var_os("HOME").unwrap_or_default()).join(".cargo"),
        PathBuf::from,
    );
    let sysroot = tool::text(Command::new("rustc").args(["--print", "sysroot"]))?;
    let mut flags = vec![
        format!("--remap-path-prefix={}=iotsec", root.display()),
        format!("--remap-path-prefix={}=rust", sysroot.trim()),
    ];
    let registries = home.join("registry/src");
    for folder in registries.read_dir().into_iter().flatten().flatten() {
        flags.push(format!(
            "--remap-path-prefix={}=registry",
            folder.path().display()
        ));
    }
    Ok(flags)
}
