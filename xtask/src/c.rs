//! The C examples on Linux under sanitizers and on a Cortex-M4 in QEMU, and the header on its own.

use std::{
    collections::BTreeSet,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{
    fixture, qemu,
    tool::{self, Failure},
};

const WARNINGS: [&str; 4] = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"];
const EXAMPLES: &str = "iotsec-ffi/examples";
const INCLUDE: &str = "iotsec-ffi/include";
const THUMB: &str = "thumbv7em-none-eabi";
const CORTEX_M4: [&str; 3] = ["-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=soft"];
/// Programs of one file each, beside those of their board.
const PROGRAMS: [&str; 5] = ["store", "credential", "input", "telemetry", UPDATE];
const UPDATE: &str = "update";
/// What the update example says when it refuses the envelope that it was built with.
const REFUSED: &str = "failed\nUPDATE_MANIFEST_DIGEST";
/// Lines of an example at most: it is read as a whole.
const MOST_LINES: usize = 150;

/// Builds and runs everything.
pub(crate) fn run(root: &Path, _: &[&str]) -> Result<(), Failure> {
    tool::need("gcc", "apt-get install gcc")?;
    tool::need("g++", "apt-get install g++")?;
    tool::need(
        "arm-none-eabi-gcc",
        "apt-get install --no-install-recommends gcc-arm-none-eabi libnewlib-arm-none-eabi",
    )?;
    tool::need_target(THUMB)?;
    qemu::need()?;

    header_alone(root)?;
    for program in PROGRAMS {
        let lines = fs::read_to_string(source(root, program))?.lines().count();
        if lines > MOST_LINES {
            return Err(format!("{program}.c has {lines} lines, {MOST_LINES} at most").into());
        }
    }
    let work = root.join("target/c");
    let genuine = vectors(root, &work.join("genuine"), false)?;
    let flipped = vectors(root, &work.join("flipped"), true)?;

    let library = library(root, None)?;
    exports(root, &library)?;
    for program in PROGRAMS {
        println!("-- {program}.c on Linux");
        print!("{}", on_linux(root, program, &genuine, &library)?);
    }
    refused(on_linux(root, UPDATE, &flipped, &library))?;

    let library = self::library(root, Some(THUMB))?;
    for program in PROGRAMS {
        println!("-- {program}.c on {}", qemu::Board::MPS2_AN386.core);
        print!("{}", on_cortex_m4(root, program, &genuine, &library)?);
    }
    refused(on_cortex_m4(root, UPDATE, &flipped, &library))
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

/// Writes `update_vectors.h`: an update that another implementation signed, and the release that the device
/// left the factory with, as C arrays.
fn vectors(root: &Path, folder: &Path, flip: bool) -> Result<PathBuf, Failure> {
    let from = root.join("vectors/suit");
    let mut envelope = fs::read(from.join("oracle/p01_ed25519_fully_specified.suit"))?;
    if flip {
        // Inside of the manifest, behind the signature.
        *envelope.get_mut(150).ok_or("the envelope is too short")? ^= 1;
    }
    let payload = fs::read(from.join("payloads/app_v2.bin"))?;
    let maker_key = hex(fs::read_to_string(from.join("keys/ed25519_a.pub.hex"))?.trim())?;
    let factory_image = fs::read(from.join("payloads/app_v1.bin"))?;
    let factory_envelope = fs::read(root.join(fixture::FACTORY))?;

    let mut text = String::from("#include <stdint.h>\n");
    for (name, bytes) in [
        ("maker_key", maker_key),
        ("factory_envelope", factory_envelope),
        ("factory_image", factory_image),
        ("envelope", envelope),
        ("payload", payload),
    ] {
        write!(text, "static const uint8_t {name}[{}] = {{", bytes.len())?;
        for (at, byte) in bytes.iter().enumerate() {
            let space = if at % 16 == 0 { "\n    " } else { " " };
            write!(text, "{space}0x{byte:02x},")?;
        }
        text.push_str("\n};\n");
    }
    fs::create_dir_all(folder)?;
    fs::write(folder.join("update_vectors.h"), text)?;
    Ok(folder.to_owned())
}

fn hex(text: &str) -> Result<Vec<u8>, Failure> {
    let digits = |pair: &[u8]| Ok(u8::from_str_radix(std::str::from_utf8(pair)?, 16)?);
    text.as_bytes().chunks(2).map(digits).collect()
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
            command.args(["-fsyntax-only", "-x", language]).arg(&header);
            tool::run(&mut command)?;
            println!("header: {compiler} -std={standard}");
        }
    }
    Ok(())
}

/// The static library: with the standard library for Linux, without for a bare target.
fn library(root: &Path, target: Option<&str>) -> Result<PathBuf, Failure> {
    let mut command = tool::cargo();
    command.current_dir(root);
    command.args([
        "rustc",
        "--quiet",
        "--release",
        "-p",
        "iotsec-ffi",
        "--crate-type",
        "staticlib",
    ]);
    let mut folder = root.join("target");
    if let Some(target) = target {
        command.args(["--features", "panic-handler", "--target", target]);
        // Link-time optimisation over everything leaves one copy of what the crates share.
        for setting in ["lto='fat'", "codegen-units=1", "opt-level='s'"] {
            command.arg("--config").arg(format!("profile.release.{setting}"));
        }
        // What a maker's firmware sets too: a library cannot (docs/footprint.md has what it saves).
        let compact = r#"['--cfg=sha2_backend_soft="compact"', '--cfg=aes_backend_soft="compact"']"#;
        command
            .arg("--config")
            .arg(format!("target.{target}.rustflags={compact}"));
        folder.push(target);
    } else {
        command.args(["--features", "std"]);
    }
    tool::run(&mut command)?;
    Ok(folder.join("release/libiotsec_ffi.a"))
}

/// What the library exports is what the header declares.
fn exports(root: &Path, library: &Path) -> Result<(), Failure> {
    let symbols = tool::text(
        Command::new("nm")
            .args(["--defined-only", "--extern-only"])
            .arg(library)
            .stderr(Stdio::null()),
    )?;
    let exported: BTreeSet<&str> = symbols
        .lines()
        .filter_map(|line| line.rsplit_once(" T "))
        .map(|(_, name)| name)
        .filter(|name| name.starts_with("iotsec_"))
        .collect();
    let header = fs::read_to_string(root.join(INCLUDE).join("iotsec.h"))?;
    // A declaration begins at the start of a line, and its name ends at the parenthesis.
    let declared: BTreeSet<&str> = header
        .lines()
        .filter(|line| {
            line.starts_with(|first: char| first.is_ascii_lowercase())
                && !line.starts_with("static ")
                && !line.starts_with("typedef ")
        })
        .filter_map(|line| line.split_once('(')?.0.rsplit([' ', '*']).next())
        .filter(|name| name.starts_with("iotsec_"))
        .collect();
    if exported != declared {
        let differ: Vec<_> = exported.symmetric_difference(&declared).collect();
        return Err(format!("header and library differ in {differ:?}").into());
    }
    println!("library: exports the {} functions of the header", declared.len());
    Ok(())
}

/// Neither side asks for a heap.
fn no_heap(program: &Path) -> Result<(), Failure> {
    let symbols = tool::text(Command::new("arm-none-eabi-nm").arg(program))?;
    let heap = ["malloc", "_malloc_r", "_sbrk", "__rust_alloc"];
    match symbols
        .lines()
        .filter_map(|line| line.rsplit(' ').next())
        .find(|name| heap.contains(name))
    {
        Some(name) => Err(format!("{} was linked: {name}", program.display()).into()),
        None => Ok(()),
    }
}

fn source(root: &Path, program: &str) -> PathBuf {
    root.join(EXAMPLES).join(program).with_extension("c")
}

/// An example with the files of its board.
fn example(root: &Path, program: &str, compiler: &str, data: &Path, board: &str) -> Command {
    let mut command = Command::new(compiler);
    command.args(WARNINGS).arg("-std=c11");
    command.arg("-I").arg(root.join(INCLUDE)).arg("-I").arg(data);
    command.args([program, "ram_board", board].map(|name| source(root, name)));
    command
}

fn on_linux(root: &Path, name: &str, data: &Path, library: &Path) -> Result<String, Failure> {
    let program = data.join(name);
    let mut command = example(root, name, "gcc", data, "linux_board");
    if has_sanitizers(data) {
        command.args(["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]);
    } else {
        println!("no sanitizers here, running without");
    }
    command
        .arg(library)
        .args(["-lpthread", "-ldl", "-lm", "-o"])
        .arg(&program);
    tool::run(&mut command)?;
    let output = tool::output(&mut Command::new(&program))?;
    let printed =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        Ok(printed)
    } else {
        Err(format!("{}\n{printed}", output.status).into())
    }
}

fn has_sanitizers(folder: &Path) -> bool {
    let (source, program) = (folder.join("probe.c"), folder.join("probe"));
    if fs::write(&source, "int main(void) { return 0; }\n").is_err() {
        return false;
    }
    let mut compile = Command::new("gcc");
    compile
        .args(["-fsanitize=address,undefined", "-o"])
        .arg(&program)
        .arg(&source);
    let works = |command: &mut Command| {
        command
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    };
    works(&mut compile) && works(&mut Command::new(&program))
}

fn on_cortex_m4(root: &Path, name: &str, data: &Path, library: &Path) -> Result<String, Failure> {
    let program = data.join(name).with_extension("elf");
    let mut command = example(root, name, "arm-none-eabi-gcc", data, "qemu_board");
    command
        .args(CORTEX_M4)
        .args(["-Os", "-ffunction-sections", "-fdata-sections", "-nostartfiles"]);
    command
        .arg("-Wl,--gc-sections,-z,noexecstack")
        .arg("-T")
        .arg(root.join(EXAMPLES).join("qemu_board.ld"));
    command.arg(library).arg("-o").arg(&program);
    tool::run(&mut command)?;
    no_heap(&program)?;
    let size = tool::text(Command::new("arm-none-eabi-size").arg(&program))?;
    Ok(size + &qemu::run(&program, qemu::Board::MPS2_AN386)?)
}
