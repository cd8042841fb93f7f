//! Tests that claims name as `ctest::program::test`, run in a build folder of CMake.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use iotsec::core::crypto::Sha256;
use iotsec_evidence::{
    outcome::{self, CTEST, Outcome, TestName},
    record::Program,
};
use serde_json::Value;

use super::cargo::Ran;
use crate::{Problem, file};

/// Whether ctest runs a test, and not cargo.
pub(super) fn is_mine(name: &str) -> bool {
    TestName::parse(name).is_some_and(|test| test.package == CTEST)
}

/// Runs tests of ctest in the build folder, with so many seconds for each. What is not built there is missing.
pub(super) fn run(
    ran: &mut Ran,
    build: Option<&Path>,
    names: &BTreeSet<String>,
    patience: u64,
) -> Result<(), Problem> {
    let missing = names.iter().map(|name| (name.clone(), Outcome::Missing));
    ran.tests.extend(missing);
    let Some(build) = build.filter(|_| !names.is_empty()) else {
        return Ok(());
    };
    let known = known(build)?;
    let mut programs = BTreeMap::new();
    let mut tests = Vec::new();
    for test in names.iter().filter_map(|name| TestName::parse(name)) {
        let is = |known: &&Known| known.name == test.path && known.target() == Some(test.target);
        if let Some(found) = known.iter().find(is) {
            programs.insert(test.target, found.program.as_path());
            tests.push(test);
        }
    }
    if tests.is_empty() {
        return Ok(());
    }
    for (target, program) in programs {
        ran.programs.push(Program {
            package: CTEST.into(),
            target: target.to_owned(),
            sha256: Sha256::of(&[&file::read(program)?]),
        });
    }
    let paths: Vec<&str> = tests.iter().map(|test| test.path).collect();
    let output = ctest(build)
        .args([
            "--timeout",
            &patience.to_string(),
            "--tests-regex",
            &exactly(&paths),
        ])
        .stdin(Stdio::null())
        .output()
        .map_err(|cause| not_started(&cause))?;
    let mut outcomes = outcome::read_ctest(&String::from_utf8_lossy(&output.stdout), &paths);
    for test in tests {
        let name = format!("{CTEST}::{}::{}", test.target, test.path);
        ran.tests
            .extend(outcomes.remove(test.path).map(|outcome| (name, outcome)));
    }
    Ok(())
}

/// A test that is in a build folder.
struct Known {
    name: String,
    program: PathBuf,
}

impl Known {
    /// The name of the program.
    fn target(&self) -> Option<&str> {
        self.program.file_stem()?.to_str()
    }
}

/// What is built.
fn known(build: &Path) -> Result<Vec<Known>, Problem> {
    let output = ctest(build)
        .arg("--show-only=json-v1")
        .output()
        .map_err(|cause| not_started(&cause))?;
    let listed: Option<Value> = serde_json::from_slice(&output.stdout).ok();
    let tests = listed.as_ref().and_then(|listed| listed["tests"].as_array());
    let Some(tests) = tests.filter(|_| output.status.success()) else {
        return Err(Problem::new(
            "Ctest",
            format!(
                "{} is no build folder of CMake that ctest can list",
                build.display()
            ),
            "configure and build the tests, and name the folder that `cmake -B` wrote; ctest 3.20 or later",
        ));
    };
    // One without a command was not built.
    let known = tests.iter().filter_map(|test| {
        Some(Known {
            name: test["name"].as_str()?.to_owned(),
            program: test["command"][0].as_str()?.into(),
        })
    });
    Ok(known.filter(|test| test.program.is_file()).collect())
}

/// An expression for these names, of which only the dot means anything to it.
fn exactly(names: &[&str]) -> String {
    format!("^({})$", names.join("|").replace('.', "\\."))
}

/// The version of ctest, where it is used.
pub(super) fn version(build: &Path) -> Option<String> {
    let output = ctest(build).arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.lines().next().map(str::to_owned)
}

fn ctest(build: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CTEST").unwrap_or_else(|| OsString::from("ctest")));
    command.arg("--test-dir").arg(build);
    command
}

fn not_started(cause: &std::io::Error) -> Problem {
    Problem::new(
        "Ctest",
        format!("ctest does not start: {cause}"),
        "install CMake, or set CTEST to the path of ctest",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_finds_these_names_and_no_others() {
        assert_eq!(exactly(&["door.opens", "lock"]), "^(door\\.opens|lock)$");
    }

    #[test]
    fn a_test_of_cargo_is_not_one_of_ctest() {
        assert!(is_mine("ctest::door_test::opens"));
        assert!(!is_mine("ctest-door::owner::opens"));
        assert!(!is_mine("door::ctest::opens"));
    }
}
