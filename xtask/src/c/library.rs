//! The static library, and what is in it.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::{INCLUDE, declaration};
use crate::tool::{self, Failure};

/// With the standard library for Linux, without for a bare target.
pub(super) fn build(root: &Path, target: Option<&str>) -> Result<PathBuf, Failure> {
    let mut command = tool::cargo();
    command.current_dir(root);
    if target.is_some() {
        command.args(["--config", "iotsec-ffi/mcu.toml"]);
    }
    command.args(["rustc", "--quiet", "--release", "-p", "iotsec-ffi"]);
    command.args(["--crate-type", "staticlib"]);
    let mut folder = root.join("target");
    if let Some(target) = target {
        command.args(["--features", "panic-handler", "--target", target]);
        folder.push(target);
    } else {
        command.args(["--features", "std"]);
    }
    tool::run(&mut command)?;
    Ok(folder.join("release/libiotsec_ffi.a"))
}

/// The names that the header declares.
pub(crate) fn declared(root: &Path) -> Result<BTreeSet<String>, Failure> {
    let header = fs::read_to_string(root.join(INCLUDE).join("iotsec.h"))?;
    let functions = declaration::functions(&header)?;
    Ok(functions.into_iter().map(|function| function.name).collect())
}

/// What the library exports is what the header declares.
pub(super) fn exports(root: &Path, library: &Path) -> Result<(), Failure> {
    let exported: BTreeSet<String> = symbols("nm", library, "--defined-only")?
        .into_iter()
        .filter(|(kind, name)| *kind == 'T' && name.starts_with("iotsec_"))
        .map(|(_, name)| name)
        .collect();
    let declared = declared(root)?;
    if exported != declared {
        let differ: Vec<_> = exported.symmetric_difference(&declared).collect();
        return Err(format!("header and library differ in {differ:?}").into());
    }
    println!("library: exports the {} functions of the header", declared.len());
    Ok(())
}

/// What a library without an operating system may leave to the C library.
const FROM_C: [&str; 5] = ["memcpy", "memmove", "memset", "memcmp", "strlen"];
/// The same under the names of the Arm run-time ABI (IHI 0043).
const FROM_C_ON_ARM: &str = "__aeabi_mem";

/// The library asks for nothing but what every C compiler brings: memory functions and its own arithmetic.
///
/// So it has a panic handler, which it would otherwise ask for, and not two: rustc takes one in all crates together.
pub(super) fn self_contained(library: &Path, prefix: &str, options: &[&str]) -> Result<(), Failure> {
    let nm = format!("{prefix}nm");
    let mut compiler = Command::new(format!("{prefix}gcc"));
    let libgcc = tool::text(compiler.args(options).arg("-print-libgcc-file-name"))?;
    let mut defined = names(&nm, library, "--defined-only")?;
    defined.extend(names(&nm, Path::new(libgcc.trim()), "--defined-only")?);
    let asked = names(&nm, library, "--undefined-only")?;
    if !asked.contains("memcpy") && !asked.iter().any(|name| name.starts_with(FROM_C_ON_ARM)) {
        return Err(format!("{nm} cannot read {}", library.display()).into());
    }
    let open: Vec<&String> = asked
        .iter()
        .filter(|name| !defined.contains(*name) && !FROM_C.contains(&name.as_str()))
        .filter(|name| !name.starts_with(FROM_C_ON_ARM))
        .collect();
    if open.is_empty() {
        println!("library: asks for nothing but libgcc and {}", FROM_C.join(", "));
        Ok(())
    } else {
        Err(format!("{} asks for {open:?}", library.display()).into())
    }
}

fn names(nm: &str, library: &Path, which: &str) -> Result<BTreeSet<String>, Failure> {
    let symbols = symbols(nm, library, which)?;
    Ok(symbols.into_iter().map(|(_, name)| name).collect())
}

/// Kind and name of the symbols that a linker sees.
fn symbols(nm: &str, library: &Path, which: &str) -> Result<Vec<(char, String)>, Failure> {
    let mut command = Command::new(nm);
    command
        .args(["--extern-only", which])
        .arg(library)
        .stderr(Stdio::null());
    let text = tool::text(&mut command)?;
    let mut found = Vec::new();
    for line in text.lines() {
        let mut words = line.split_whitespace().rev();
        if let (Some(name), Some(kind)) = (words.next(), words.next())
            && kind.len() == 1
        {
            found.extend(kind.chars().map(|kind| (kind, name.to_owned())));
        }
    }
    Ok(found)
}
