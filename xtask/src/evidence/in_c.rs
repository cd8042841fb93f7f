//! A maker who writes C, and whose tests ctest runs.

use std::{fs, path::Path, process::Command};

use serde_json::Value;

use super::{Maker, SAMPLES, text};
use crate::tool::{self, Failure};

const FILES: [&str; 5] = ["CMakeLists.txt", "door.h", "door.c", "main.c", "door_test.c"];
const TEST: &str = "ctest::door_test::door.stranger_stands_outside";

/// Runs the claim of a product in C, and again when its code no longer does what it says.
pub(super) fn check(maker: &Maker<'_>) -> Result<(), Failure> {
    tool::need("cmake", "apt-get install cmake")?;
    tool::need("ctest", "apt-get install cmake")?;
    let folder = maker.folder.join("door");
    fs::create_dir_all(&folder)?;
    for file in FILES {
        fs::copy(maker.root.join("xtask/evidence").join(file), folder.join(file))?;
    }
    let lock = SAMPLES
        .iter()
        .find(|sample| sample.name == "lock")
        .ok_or("no lock")?;
    let manifest = fs::read_to_string(maker.manifest(lock))?;
    let claim = format!(
        "\n[[claim]]\nprovision = \"5.5-4\"\nclaims = \"The door opens for nobody but its owner\"\n\
         test = \"{TEST}\"\ncode = \"door_open\"\n"
    );
    fs::write(folder.join("iotsec.toml"), manifest + &claim)?;
    build(&folder)?;
    let found = about(&measure(maker, "door.record")?);
    if !found.is_empty() {
        return Err(format!(
            "a test of ctest that passes is found fault with:\n{}",
            found.join("\n")
        )
        .into());
    }
    fs::write(
        folder.join("door.c"),
        "int door_open(int guess) { return guess > 0; }\n",
    )?;
    build(&folder)?;
    let found = about(&measure(maker, "open-door.record")?);
    if !matches!(&found[..], [one] if one.contains("evidence.test-failed")) {
        return Err(format!("a test of ctest that fails is not named once: {found:?}").into());
    }
    println!("--- a product in C: its test is run by ctest and counts, and is named when it fails");
    Ok(())
}

fn build(folder: &Path) -> Result<(), Failure> {
    let build = folder.join("build");
    tool::text(Command::new("cmake").arg("-S").arg(folder).arg("-B").arg(&build))?;
    tool::text(Command::new("cmake").arg("--build").arg(&build))?;
    Ok(())
}

fn measure(maker: &Maker<'_>, record: &str) -> Result<Value, Failure> {
    let root = text(maker.root);
    let output = tool::output(maker.command().args([
        "evidence",
        "run",
        "--manifest",
        "door/iotsec.toml",
        "--firmware",
        "door/build/door",
        "--component",
        "sdk.record",
        "--component-key",
        "sdk.pub",
        "--tests",
        &root,
        "--ctest",
        "door/build",
        "--key",
        "maker",
        "--out",
        record,
        "--json",
    ]))?;
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Findings about the test or its code.
fn about(value: &Value) -> Vec<String> {
    let findings = value["findings"].as_array().into_iter().flatten();
    findings
        .map(Value::to_string)
        .filter(|finding| finding.contains(TEST) || finding.contains("door_open"))
        .collect()
}
