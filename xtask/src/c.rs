//! The C interface: the header on its own, the examples on Linux under sanitizers and valgrind and on microcontrollers
//! in QEMU, and calls that must be refused.

mod bare;
mod declaration;
mod library;
mod linux;
pub(crate) mod package;
mod quickstart;
mod table;
pub(crate) mod vectors;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

pub(crate) use library::declared;

use crate::tool::{self, Failure};

const WARNINGS: [&str; 4] = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"];
const EXAMPLES: &str = "iotsec-ffi/examples";
const INCLUDE: &str = "iotsec-ffi/include";
/// Programs of one file each, beside those of their board.
const PROGRAMS: [&str; 11] = [
    "store",
    "credential",
    "input",
    "telemetry",
    "detect",
    "report",
    "identity",
    "device_life",
    UPDATE,
    "upkeep",
    "firmware",
];
const UPDATE: &str = "update";
/// Has the update example refuse the envelope that it is built with, and what it then says.
const FLIPPED: &str = "-DFLIPPED_BIT=1";
const REFUSED: &str = "failed\nUPDATE_MANIFEST_DIGEST";
/// Lines of an example at most: it is read as a whole.
const MOST_LINES: usize = 149;

/// Builds and runs everything, or what the arguments name: `linux`, or a target without an operating system.
pub(crate) fn run(root: &Path, args: &[&str]) -> Result<(), Failure> {
    if args.is_empty() || args.contains(&LINUX) {
        on_linux(root)?;
    }
    let targets: Vec<&str> = args.iter().copied().filter(|name| *name != LINUX).collect();
    if args.is_empty() || !targets.is_empty() {
        bare::run(root, &targets)?;
    }
    Ok(())
}

const LINUX: &str = "linux";

fn on_linux(root: &Path) -> Result<(), Failure> {
    tool::need("gcc", "apt-get install gcc")?;
    tool::need("g++", "apt-get install g++")?;
    tool::need("valgrind", "apt-get install valgrind")?;

    header_alone(root)?;
    for program in PROGRAMS {
        let lines = fs::read_to_string(source(root, program))?.lines().count();
        if lines > MOST_LINES {
            return Err(format!("{program}.c has {lines} lines, {MOST_LINES} at most").into());
        }
    }

    let library = library::build(root, None)?;
    library::exports(root, &library)?;
    let linux = linux::Linux::new(root, &library)?;
    linux.refusals()?;
    for program in PROGRAMS {
        println!("-- {program}.c on Linux");
        print!("{}", linux.sanitized(program, &[])?);
        linux.under_valgrind(program)?;
    }
    refused(linux.sanitized(UPDATE, &[FLIPPED]))?;
    quickstart::run(root, "linux", 3)
}

/// The program must end with an error, and for the right reason.
fn refused(result: Result<String, Failure>) -> Result<(), Failure> {
    match result {
        Ok(printed) => Err(format!("an envelope with one flipped bit was accepted:\n{printed}").into()),
        Err(error) if error.to_string().contains(REFUSED) => {
            println!("an envelope with one flipped bit was refused");
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// The header compiles with nothing before it, in every language that it promises.
fn header_alone(root: &Path) -> Result<(), Failure> {
    let header = root.join(INCLUDE).join("iotsec.h");
    for (compiler, language) in [("gcc", "c"), ("g++", "c++"), ("clang", "c"), ("clang++", "c++")] {
        // gcc is needed, clang is welcome.
        if compiler.starts_with("clang") && tool::need(compiler, "").is_err() {
            println!("header: no {compiler} here");
            continue;
        }
        let standards: &[&str] = if language == "c" {
            &["c99", "c11", "c17"]
        } else {
            &["c++17"]
        };
        for standard in standards {
            let mut command = Command::new(compiler);
            command.args(WARNINGS).arg(format!("-std={standard}"));
            // Included, not compiled as a file: clang then wants its inline function used.
            command.arg("-include").arg(&header);
            command.args(["-fsyntax-only", "-x", language, "/dev/null"]);
            tool::run(&mut command)?;
            println!("header: {compiler} -std={standard}");
        }
    }
    Ok(())
}

fn source(root: &Path, program: &str) -> PathBuf {
    root.join(EXAMPLES).join(program).with_extension("c")
}

/// An example with the files of its board.
fn example(root: &Path, program: &str, compiler: &str, board: &str) -> Command {
    let mut command = Command::new(compiler);
    command.args(WARNINGS).arg("-std=c11");
    command.arg("-I").arg(root.join(INCLUDE));
    command.args([program, "ram_board", board].map(|name| source(root, name)));
    command
}
