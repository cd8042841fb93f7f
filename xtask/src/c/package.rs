//! The library as a Linux system installs it: SONAME, symbols, pkg-config, CMake.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use super::{EXAMPLES, library, source};
use crate::tool::{self, Failure};

const PROGRAM: [&str; 3] = ["firmware", "ram_board", "linux_board"];
/// The version of this workspace, which is that of the library.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Installs below `target/c-package`, and builds and runs an example in each way.
pub(crate) fn run(root: &Path, _: &[&str]) -> Result<(), Failure> {
    tool::need("cmake", "apt-get install cmake")?;
    tool::need("pkg-config", "apt-get install pkg-config")?;
    let work = root.join("target/c-package");
    let prefix = work.join("prefix");
    if work.exists() {
        fs::remove_dir_all(&work)?;
    }
    install(root, &prefix)?;

    let shared = prefix.join("lib/libiotsec.so");
    let names = tool::text(Command::new("nm").args(["-D", "--defined-only"]).arg(&shared))?;
    let exported: BTreeSet<String> = names
        .lines()
        .filter_map(|line| Some(line.rsplit_once(' ')?.1.to_owned()))
        .collect();
    let declared = library::declared(root)?;
    if exported != declared {
        let differ: Vec<_> = exported.symmetric_difference(&declared).collect();
        return Err(format!("header and libiotsec.so differ in {differ:?}").into());
    }
    let (interface, _) = VERSION.rsplit_once('.').ok_or("a version has three numbers")?;
    let soname = format!("[libiotsec.so.{interface}]");
    if !tool::text(Command::new("readelf").arg("-d").arg(&shared))?.contains(&soname) {
        return Err(format!("the SONAME is not {soname}").into());
    }
    println!(
        "libiotsec.so: SONAME {soname}, exports the {} functions of the header",
        declared.len()
    );

    with_pkg_config(root, &prefix, &work, "--libs")?;
    with_pkg_config(root, &prefix, &work, "--static")?;
    with_cmake(root, &prefix, &work)
}

/// Installs the library below `prefix`.
pub(crate) fn install(root: &Path, prefix: &Path) -> Result<(), Failure> {
    tool::need(
        "cargo-cinstall",
        "cargo install --locked cargo-c@0.10.24+cargo-0.98.0",
    )?;
    let mut command = tool::cargo();
    command
        .current_dir(root)
        .env("CARGO_TARGET_DIR", "target/cargo-c");
    command.args(["cinstall", "--release", "-p", "iotsec-ffi", "--libdir", "lib"]);
    tool::text(command.arg("--prefix").arg(prefix))?;
    Ok(())
}

fn with_pkg_config(root: &Path, prefix: &Path, work: &Path, how: &str) -> Result<(), Failure> {
    let mut ask = Command::new("pkg-config");
    ask.env("PKG_CONFIG_PATH", prefix.join("lib/pkgconfig"));
    let flags = tool::text(ask.args(["--cflags", "--libs", how, "iotsec"]))?;
    let program = work.join(format!("pkg-config{how}"));
    let mut command = Command::new("gcc");
    command
        .arg("-std=c11")
        .args(PROGRAM.map(|name| source(root, name)));
    for flag in flags.split_whitespace() {
        // The linker takes a shared library where both are there.
        if (how, flag) == ("--static", "-liotsec") {
            command.arg("-l:libiotsec.a");
        } else {
            command.arg(flag);
        }
    }
    tool::run(command.arg("-o").arg(&program))?;
    passes(&program, prefix)
}

fn with_cmake(root: &Path, prefix: &Path, work: &Path) -> Result<(), Failure> {
    let files = PROGRAM
        .map(|name| format!("{}/{EXAMPLES}/{name}.c", root.display()))
        .join(" ");
    let mut text = format!(
        "cmake_minimum_required(VERSION 3.16)\nproject(try C)\nfind_package(iotsec {VERSION} EXACT REQUIRED)\n"
    );
    for kind in ["iotsec", "shared", "static"] {
        text += &format!("add_executable({kind} {files})\ntarget_link_libraries({kind} iotsec::{kind})\n");
    }
    fs::write(work.join("CMakeLists.txt"), text)?;
    let build = work.join("build");
    let mut configure = Command::new("cmake");
    configure.arg("-S").arg(work).arg("-B").arg(&build);
    tool::text(configure.arg(format!("-DCMAKE_PREFIX_PATH={}", prefix.display())))?;
    tool::text(Command::new("cmake").arg("--build").arg(&build))?;
    for kind in ["iotsec", "shared", "static"] {
        passes(&build.join(kind), prefix)?;
    }
    Ok(())
}

/// Runs an example against the library below `prefix`.
pub(crate) fn passes(program: &Path, prefix: &Path) -> Result<(), Failure> {
    let printed = tool::text(Command::new(program).env("LD_LIBRARY_PATH", prefix.join("lib")))?;
    if !printed.ends_with("all passed\n") {
        return Err(format!("{}:\n{printed}", program.display()).into());
    }
    println!("{}: all passed", program.display());
    Ok(())
}
