//! Other programs: what to do when they are missing, and how to run them.

use std::{
    env,
    error::Error,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

/// Why a task did not succeed, for a person to read.
pub(crate) type Failure = Box<dyn Error>;

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// The cargo that runs this program.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // These describe this program's package; a cargo started from here must not believe that they are its own.
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&*name);
        }
    }
    command
}

/// Tests of `package`. Those that run for long are optimised; others are the ones that `cargo test --workspace` has
/// built, since to build them in another way takes longer than they run.
pub(crate) fn tests(root: &Path, package: &str, are_long: bool) -> Command {
    let mut command = cargo();
    command.current_dir(root).arg("test");
    if are_long {
        command.args(["--release", "-p", package]);
    } else {
        command.arg("--workspace");
    }
    command
}

/// Fails with what to install when `program` does not start.
pub(crate) fn need(program: &str, install: &str) -> Result<(), Failure> {
    let started = Command::new(program)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    match started {
        Ok(_) => Ok(()),
        Err(_) => Err(format!("{program} is missing: {install}").into()),
    }
}

/// Fails with what to install when `cargo NAME` does not start.
pub(crate) fn need_cargo(name: &str, install: &str) -> Result<(), Failure> {
    need(&format!("cargo-{name}"), install)
}

/// Fails with what to install when rustup has no such toolchain.
pub(crate) fn need_toolchain(name: &str) -> Result<(), Failure> {
    let mut command = Command::new("rustup");
    let found = output(command.args(["run", name, "rustc", "--version"]))?;
    if found.status.success() {
        Ok(())
    } else {
        Err(format!("toolchain {name} is missing: rustup toolchain install {name} --profile minimal").into())
    }
}

/// Fails with what to install when rustc has no standard library for `target`.
pub(crate) fn need_target(target: &str) -> Result<(), Failure> {
    let mut command = Command::new("rustc");
    command.args(["--print", "target-libdir", "--target", target]);
    let folder = text(&mut command)?;
    if Path::new(folder.trim()).is_dir() {
        Ok(())
    } else {
        Err(format!("target {target} is missing: rustup target add {target}").into())
    }
}

/// Runs to the end, with output where the user sees it.
pub(crate) fn run(command: &mut Command) -> Result<(), Failure> {
    let status = command.status().map_err(|error| cannot(command, &error))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("{} failed ({status})", line(command)).into())
    }
}

/// Runs to the end and collects the output, whatever the exit code.
pub(crate) fn output(command: &mut Command) -> Result<Output, Failure> {
    command.output().map_err(|error| cannot(command, &error))
}

/// Runs to the end and returns what it printed.
pub(crate) fn text(command: &mut Command) -> Result<String, Failure> {
    let output = output(command)?;
    if output.status.success() {
        Ok(String::from_utf8(output.stdout)?)
    } else {
        let error = String::from_utf8_lossy(&output.stderr);
        Err(format!("{} failed:\n{error}", line(command)).into())
    }
}

/// Writes a file that `cargo xtask TASK` makes, or fails when the committed one differs from what would be written.
pub(crate) fn settle(root: &Path, name: &str, text: &str, check: bool, task: &str) -> Result<(), Failure> {
    let path = root.join(name);
    let old = fs::read_to_string(&path).unwrap_or_default();
    if old == text {
        println!("{name} is up to date");
    } else if check {
        return Err(format!("{name} has drifted: run `cargo xtask {task}`").into());
    } else {
        fs::write(&path, text)?;
        println!("{name} written");
    }
    Ok(())
}

/// In hexadecimal, lower case.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn cannot(command: &Command, error: &std::io::Error) -> Failure {
    format!("cannot start {}: {error}", line(command)).into()
}

/// The command as one would type it.
fn line(command: &Command) -> String {
    let mut line = command.get_program().to_string_lossy().into_owned();
    for arg in command.get_args() {
        line.push(' ');
        line.push_str(&arg.to_string_lossy());
    }
    line
}
