//! Tests that claims name, built and run with cargo.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read as _,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use iotsec::core::crypto::Sha256;
use iotsec_evidence::{
    outcome::{self, Outcome, TestName},
    record::Program,
};
use serde_json::Value;

use crate::{Problem, file};

/// A test program that cargo built.
pub(super) struct Built {
    package: String,
    target: String,
    path: PathBuf,
    /// Where cargo would start it.
    folder: PathBuf,
}

/// What came of the tests.
#[derive(Default)]
pub(super) struct Ran {
    pub(super) programs: Vec<Program>,
    pub(super) tests: BTreeMap<String, Outcome>,
}

/// Builds all test programs of the workspace at `folder`, with `more` for cargo.
pub(super) fn build(folder: &Path, more: &[String]) -> Result<Vec<Built>, Problem> {
    let mut cargo = cargo(folder);
    cargo.args(["test", "--workspace", "--no-run", "--message-format", "json"]);
    cargo.args(more);
    let output = cargo.output().map_err(|cause| not_started(&cause))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let errors: Vec<&str> = said.lines().filter(|line| line.starts_with("error")).collect();
        return Err(Problem::new(
            "Build",
            format!(
                "`cargo test --workspace --no-run` failed in {}: {}",
                folder.display(),
                errors.join("; ")
            ),
            "mend what that command says: a claim without its test is none",
        ));
    }
    Ok(String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(built)
        .collect())
}

/// A test program, from a line of cargo's.
fn built(line: &str) -> Option<Built> {
    let message: Value = serde_json::from_str(line).ok()?;
    let is_test = message["reason"] == "compiler-artifact" && message["profile"]["test"] == true;
    let path = message["executable"].as_str().filter(|_| is_test)?;
    let manifest = Path::new(message["manifest_path"].as_str()?);
    Some(Built {
        package: package(message["package_id"].as_str()?)?.to_owned(),
        target: message["target"]["name"].as_str()?.to_owned(),
        path: path.into(),
        folder: manifest.parent()?.to_owned(),
    })
}

/// The name in `path+file:///src/door#0.1.0` and `path+file:///src#door@0.1.0`.
fn package(id: &str) -> Option<&str> {
    let (place, version) = id.rsplit_once('#')?;
    version
        .split_once('@')
        .map_or_else(|| place.rsplit('/').next(), |(name, _)| Some(name))
}

/// Runs these tests. What no program has is missing.
pub(super) fn run(all: &[Built], names: &BTreeSet<String>, patience: Duration) -> Result<Ran, Problem> {
    let mut ran = Ran::default();
    let mut programs: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for name in names {
        ran.tests.insert(name.clone(), Outcome::Missing);
        if let Some(test) = TestName::parse(name) {
            programs
                .entry((test.package, test.target))
                .or_default()
                .push(test.path);
        }
    }
    for ((package, target), tests) in programs {
        let Some(program) = all
            .iter()
            .find(|built| (built.package.as_str(), built.target.as_str()) == (package, target))
        else {
            continue;
        };
        let sha256 = Sha256::of(&[&file::read(&program.path)?]);
        ran.programs.push(Program {
            package: package.to_owned(),
            target: target.to_owned(),
            sha256,
        });
        for (test, outcome) in one(program, &tests, patience) {
            ran.tests.insert(format!("{package}::{target}::{test}"), outcome);
        }
    }
    Ok(ran)
}

/// Runs tests of one program.
fn one<'t>(program: &Built, tests: &[&'t str], patience: Duration) -> BTreeMap<&'t str, Outcome> {
    let all = |outcome: &Outcome| tests.iter().map(|test| (*test, outcome.clone())).collect();
    let mut command = Command::new(&program.path);
    command
        .args(["--exact", "--show-output"])
        .args(tests)
        .current_dir(&program.folder)
        .env("CARGO_MANIFEST_DIR", &program.folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let child = match command.spawn() {
        Ok(child) => child,
        Err(cause) => return all(&Outcome::Unfinished(cause.to_string())),
    };
    match written(child, patience) {
        Some((status, text)) => {
            let mut outcomes = outcome::read(&text, tests);
            // A program that was killed says nothing more of the tests that it was at.
            if status.code().is_none() {
                for outcome in outcomes
                    .values_mut()
                    .filter(|outcome| **outcome == Outcome::Missing)
                {
                    *outcome = Outcome::Unfinished("its program was killed".into());
                }
            }
            outcomes
        }
        None => all(&Outcome::Unfinished(format!(
            "not within {} seconds",
            patience.as_secs()
        ))),
    }
}

/// How a program ended and what it wrote; nothing, if it had to be stopped.
fn written(mut child: Child, patience: Duration) -> Option<(ExitStatus, String)> {
    let mut pipe = child.stdout.take()?;
    let reader = thread::spawn(move || {
        let mut bytes = Vec::new();
        // What cannot be read is what the program did not say.
        let _ = pipe.read_to_end(&mut bytes);
        bytes
    });
    let start = Instant::now();
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break Some(status),
            Ok(None) if start.elapsed() < patience => thread::sleep(Duration::from_millis(20)),
            _ => {
                // It is over either way.
                let _ = child.kill();
                let _ = child.wait();
                break None;
            }
        }
    };
    let bytes = reader.join().ok()?;
    status.map(|status| (status, String::from_utf8_lossy(&bytes).into_owned()))
}

/// Versions of the tools that build and run.
pub(super) fn tools(folder: &Path) -> BTreeMap<String, String> {
    let mut tools = BTreeMap::from([(
        "iotsec".to_owned(),
        concat!("iotsec ", env!("CARGO_PKG_VERSION")).to_owned(),
    )]);
    for (name, program) in [("cargo", cargo(folder)), ("rustc", rustc(folder))] {
        let mut program = program;
        let said = program.arg("--version").output();
        if let Some(text) = said.ok().and_then(|output| String::from_utf8(output.stdout).ok()) {
            tools.insert(name.to_owned(), text.trim().to_owned());
        }
    }
    tools
}

/// The version of iotsec that a workspace has locked.
pub(super) fn locked(folder: &Path) -> Option<String> {
    let lock = folder
        .ancestors()
        .find_map(|folder| std::fs::read_to_string(folder.join("Cargo.lock")).ok())?;
    let (_, after) = lock.split_once("name = \"iotsec-core\"\nversion = \"")?;
    after.split_once('"').map(|(version, _)| version.to_owned())
}

fn cargo(folder: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(folder);
    // A cargo that this program was started by describes the program's own package in these. Build scripts that ask for
    // them would run again, and all that depends on them would be built again.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&*name);
        }
    }
    command
}

fn rustc(folder: &Path) -> Command {
    let mut command = Command::new("rustc");
    command.current_dir(folder);
    command
}

fn not_started(cause: &std::io::Error) -> Problem {
    Problem::new(
        "Cargo",
        format!("cargo does not start: {cause}"),
        "install Rust from https://rustup.rs, or set CARGO to the path of cargo",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_is_not_told_of_the_package_that_this_program_was_built_from() {
        let cargo = cargo(Path::new("."));
        let removed: Vec<_> = cargo.get_envs().filter(|(_, value)| value.is_none()).collect();
        for name in ["CARGO_PKG_NAME", "CARGO_MANIFEST_DIR"] {
            assert!(std::env::var_os(name).is_some(), "cargo says it to every test");
            assert!(removed.iter().any(|(removed, _)| *removed == name), "{name}");
        }
    }

    #[test]
    fn a_package_is_read_from_either_form_of_its_identifier() {
        assert_eq!(package("path+file:///src/door#0.1.0"), Some("door"));
        assert_eq!(package("path+file:///src#door@0.1.0"), Some("door"));
        assert_eq!(
            package("registry+https://github.com/rust-lang/crates.io-index#door@1.0.0"),
            Some("door")
        );
        assert_eq!(package("door"), None);
    }

    #[test]
    fn a_program_that_hangs_is_stopped_and_one_that_dies_is_told() {
        let sleeper = Command::new("sleep")
            .arg("60")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        assert!(written(sleeper, Duration::from_millis(100)).is_none());
        let program = Built {
            package: "p".into(),
            target: "t".into(),
            path: "/bin/false".into(),
            folder: "/".into(),
        };
        assert_eq!(
            one(&program, &["x"], Duration::from_secs(5))["x"],
            Outcome::Missing
        );
        let gone = Built {
            path: "/nowhere/at/all".into(),
            ..program
        };
        assert!(matches!(
            one(&gone, &["x"], Duration::from_secs(5))["x"],
            Outcome::Unfinished(_)
        ));
    }
}
