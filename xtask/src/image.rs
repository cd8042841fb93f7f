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
/// Cortex-M33, soft float.
pub(crate) const THUMBV8M: &str = "thumbv8m.main-none-eabi";

/// RISC-V with multiplication, atomics and short instructions.
pub(crate) const RISCV32IMAC: &str = "riscv32imac-unknown-none-elf";

/// Sources, and the folder of cargo's with the packages that they need.
pub(crate) struct Source {
    pub(crate) root: PathBuf,
    pub(crate) home: PathBuf,
    /// Whether the images are kept from knowing where both lie.
    pub(crate) remapped: bool,
}

impl Source {
    /// Those at `root`, as a build has them that is no test of builds.
    pub(crate) fn of(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            home: home(),
            remapped: true,
        }
    }
}

/// A cargo command for `package` of `firmware/` on `target`, with the profile and the flags of the committed
/// configuration and nothing from the environment.
pub(crate) fn build(root: &Path, package: &str, target: &str) -> Result<Command, Failure> {
    build_from(&Source::of(root), package, target)
}

/// As [`build`], from other sources.
pub(crate) fn build_from(source: &Source, package: &str, target: &str) -> Result<Command, Failure> {
    tool::need_target(target)?;
    let mut command = tool::cargo();
    command
        .current_dir(source.root.join("firmware"))
        .env("CARGO_HOME", &source.home)
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("CARGO_TARGET_DIR")
        .env_remove("BOARD")
        .args([
            "build",
            "--release",
            "--quiet",
            "--locked",
            "-p",
            package,
            "--target",
            target,
        ]);
    if source.remapped {
        command
            .arg("--config")
            .arg(format!("target.{target}.rustflags={:?}", remapped(source)?));
    }
    Ok(command)
}

/// Where [`build`] leaves the image called `name`.
pub(crate) fn path(root: &Path, target: &str, name: &str) -> PathBuf {
    root.join("firmware/target")
        .join(target)
        .join("release")
        .join(name)
}

/// The folder of cargo's on this machine.
pub(crate) fn home() -> PathBuf {
    env::var_os("CARGO_HOME").map_or_else(
        || PathBuf::from(env::var_os("HOME").unwrap_or_default()).join(".cargo"),
        PathBuf::from,
    )
}

/// Panic messages name source files: the images must not depend on where this machine keeps them.
pub(crate) fn remapped(source: &Source) -> Result<Vec<String>, Failure> {
    let sysroot = tool::text(Command::new("rustc").args(["--print", "sysroot"]))?;
    let mut flags = vec![
        format!("--remap-path-prefix={}=iotsec", source.root.display()),
        format!("--remap-path-prefix={}=rust", sysroot.trim()),
    ];
    let registries = source.home.join("registry/src");
    for folder in registries.read_dir().into_iter().flatten().flatten() {
        flags.push(format!(
            "--remap-path-prefix={}=registry",
            folder.path().display()
        ));
    }
    Ok(flags)
}
