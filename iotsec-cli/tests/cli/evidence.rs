//! Evidence for a small product: its tests are run, its program is read, and each part that goes is named.

use std::{fs, process::Command};

use iotsec::core::{
    crypto::{Ed25519SigningKey, Sign as _},
    secret::Secret,
};
use iotsec_evidence::{
    claims,
    outcome::Outcome,
    record::{Record, Subject},
};
use serde_json::{Value, json};

use crate::bench::{Bench, Run};

const LOCK: &str = include_str!("../../../examples/products/lock/iotsec.toml");

const PACKAGE: &str = r#"
[package]
name = "door"
version = "1.0.0"
edition = "2024"

[workspace]

[profile.dev]
debug = "limited"
"#;

const LIBRARY: &str = r"
pub struct Door(pub u32);

impl Door {
    #[inline(never)]
    pub fn open(&self, guess: u32) -> bool {
        self.0 == guess
    }
}
";

const PROGRAM: &str = r#"
fn main() {
    let guess = std::env::args().count() as u32;
    println!("{}", door::Door(guess).open(7));
}
"#;

const TESTS: &str = r#"
#[test]
fn a_stranger_stands_outside() {
    assert!(!door::Door(7).open(8));
}
"#;

/// The one reason in the lock's manifest.
const REASON: &str = "\"5.6-3\" = ";

/// Claims of the maker, who answers for everything that these do not show.
fn manifest(test: &str, code: &str) -> String {
    format!(
        "{LOCK}\n[[claim]]\nprovision = \"5.5-4\"\nclaims = \"The door opens for nobody but its owner\"\n\
         test = \"door::owner::{test}\"\ncode = \"{code}\"\n"
    )
}

/// A bench with the package, built, and keys.
fn bench(name: &str) -> Bench {
    let bench = Bench::new(name);
    fs::create_dir_all(bench.path("door/src")).unwrap();
    fs::create_dir_all(bench.path("door/tests")).unwrap();
    for (file, text) in [
        ("door/Cargo.toml", PACKAGE),
        ("door/src/lib.rs", LIBRARY),
        ("door/src/main.rs", PROGRAM),
        ("door/tests/owner.rs", TESTS),
        (
            "iotsec.toml",
            &manifest("a_stranger_stands_outside", "door::Door::open"),
        ),
    ] {
        bench.write(file, text.as_bytes());
    }
    build(&bench);
    component(&bench);
    bench.done("key new maker");
    bench.done("key new other");
    bench
}

/// A record of the SDK, all of whose tests passed.
fn component(bench: &Bench) {
    let key = Ed25519SigningKey::from_seed(&Secret::from_bytes(*b"whoever tests the SDK, for tests"));
    let mut record = Record::new(
        Subject::Component {
            version: env!("CARGO_PKG_VERSION").into(),
        },
        0,
    );
    for test in claims::sdk().iter().flat_map(|claim| &claim.tests) {
        record.tests.insert(test.clone(), Outcome::Passed);
    }
    bench.write("sdk.record", &record.sign(&key, None).unwrap());
    // SubjectPublicKeyInfo (RFC 8410).
    let prefix = [0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0];
    bench.write("sdk.pub", &[&prefix[..], key.public_key()].concat());
}

fn build(bench: &Bench) {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--offline", "--quiet", "--target-dir", "target"])
        .current_dir(bench.path("door"))
        .status();
    assert!(built.unwrap().success());
}

const RUN: &str = "evidence run --manifest iotsec.toml --firmware door/target/debug/door --tests door --key maker \
                   --component sdk.record --component-key sdk.pub";

fn evidence(bench: &Bench, out: &str) -> (Option<i32>, Value) {
    bench.json(&format!("{RUN} --out {out}"))
}

/// What a run says of a provision, when its record is reported.
fn verdict(bench: &Bench, record: &str, provision: &str) -> String {
    let out = format!("report-{record}");
    let run = bench.run(&format!(
        "evidence report --record {record} --key maker.pub --out {out}"
    ));
    assert!(run.err.is_empty() || run.status == Some(1), "{run:?}");
    let report: Value = serde_json::from_slice(&bench.read(&format!("{out}/evidence.json"))).unwrap();
    let lines = report["provisions"].as_array().unwrap();
    let line = lines.iter().find(|line| line["provision"] == provision).unwrap();
    line["verdict"].as_str().unwrap().to_owned()
}

fn rules(value: &Value) -> Vec<(&str, &str)> {
    let findings = value["findings"].as_array().unwrap();
    let texts = |finding: &'_ Value, key: &str| finding[key].as_str().map(str::to_owned).unwrap_or_default();
    assert!(
        findings
            .iter()
            .all(|finding| !texts(finding, "remedy").is_empty())
    );
    findings
        .iter()
        .map(|finding| {
            (
                finding["rule"].as_str().unwrap(),
                finding["message"].as_str().unwrap(),
            )
        })
        .collect()
}

/// The findings that name these words.
fn naming<'v>(value: &'v Value, rule: &str, words: &str) -> Vec<&'v str> {
    rules(value)
        .into_iter()
        .filter(|(name, message)| *name == rule && message.contains(words))
        .map(|(_, message)| message)
        .collect()
}

#[test]
fn a_claim_counts_with_its_test_and_its_code_and_each_that_goes_is_named() {
    let bench = bench("a_claim_counts_with_its_test_and_its_code_and_each_that_goes_is_named");
    let (_, value) = evidence(&bench, "1.record");
    assert!(
        naming(&value, "evidence.test-missing", "").is_empty(),
        "{value:#}"
    );
    assert_eq!(verdict(&bench, "1.record", "5.5-4"), "evidenced");

    // The test is ignored, says that it skips, fails, goes.
    for (n, tests, rule) in [
        (
            2,
            TESTS.replace("#[test]", "#[test]\n#[ignore = \"no door\"]"),
            "evidence.test-skipped",
        ),
        (
            3,
            TESTS.replace("assert!", "println!(\"skipped: no door\"); assert!"),
            "evidence.test-skipped",
        ),
        (4, TESTS.replace("open(8)", "open(7)"), "evidence.test-failed"),
        (
            5,
            TESTS.replace("a_stranger", "somebody"),
            "evidence.test-missing",
        ),
    ] {
        bench.write("door/tests/owner.rs", tests.as_bytes());
        let record = format!("{n}.record");
        let (status, value) = evidence(&bench, &record);
        assert_eq!(status, Some(1));
        let found = naming(&value, rule, "door::owner::a_stranger_stands_outside");
        assert_eq!(found.len(), 1, "{rule}: {value:#}");
        assert!(
            found[0].contains("The door opens for nobody but its owner"),
            "{found:?}"
        );
        assert_eq!(verdict(&bench, &record, "5.5-4"), "broken");
    }
    bench.write("door/tests/owner.rs", TESTS.as_bytes());

    // Its program goes.
    fs::rename(
        bench.path("door/tests/owner.rs"),
        bench.path("door/tests/guest.rs"),
    )
    .unwrap();
    let (_, value) = evidence(&bench, "6.record");
    assert_eq!(
        naming(&value, "evidence.test-missing", "door::owner::").len(),
        1,
        "{value:#}"
    );
    fs::rename(
        bench.path("door/tests/guest.rs"),
        bench.path("door/tests/owner.rs"),
    )
    .unwrap();

    // Its code goes.
    bench.write("door/src/main.rs", b"fn main() {}");
    build(&bench);
    let (status, value) = evidence(&bench, "7.record");
    assert_eq!(status, Some(1));
    let found = naming(&value, "evidence.not-linked", "door::Door::open");
    assert!(
        found.iter().any(|message| message.contains("The door opens")),
        "{value:#}"
    );
    assert_ne!(verdict(&bench, "7.record", "5.5-4"), "evidenced");

    // What changed is told.
    let delta = bench.run("evidence delta --before 1.record --after 7.record --key maker.pub");
    assert_eq!(delta.status, Some(1), "{delta:?}");
    assert!(delta.out.contains("door::Door::open went"), "{delta:?}");
    assert!(
        delta
            .out
            .contains("the manifest is the same, the firmware changed"),
        "{delta:?}"
    );
}

/// What ctest lists and writes, without CMake: `cargo xtask evidence` runs it.
#[cfg(unix)]
#[test]
fn a_test_of_ctest_is_run_where_its_program_is_built() {
    use std::os::unix::fs::PermissionsExt;

    let bench = bench("a_test_of_ctest_is_run_where_its_program_is_built");
    let manifest =
        manifest("a_stranger_stands_outside", "main").replace("door::owner::", "ctest::door::door.");
    bench.write("iotsec.toml", manifest.as_bytes());
    let program = bench.path("door/target/debug/door");
    let list = format!(
        r#"{{"tests":[{{"name":"door.a_stranger_stands_outside","command":["{}"]}},{{"name":"other"}}]}}"#,
        program.display()
    );
    let run = |record: &str, more: &str, ends: &str| {
        let script = format!(
            "#!/bin/sh\ncase \"$*\" in\n*show-only*) echo '{list}';;\n\
             *--tests-regex\\ ^\\(door\\\\.a_stranger_stands_outside\\)$) \
             echo '1/1 Test #1: door.a_stranger_stands_outside ....{ends} 0.01 sec';;\n\
             *version*) echo 'ctest version 3.25.1';;\n*) exit 9;;\nesac\n"
        );
        bench.write("ctest", script.as_bytes());
        fs::set_permissions(bench.path("ctest"), fs::Permissions::from_mode(0o755)).unwrap();
        let line = format!("{RUN} --out {record} {more} --json");
        let output = Command::new(env!("CARGO_BIN_EXE_iotsec"))
            .args(line.split_whitespace())
            .current_dir(bench.path("."))
            .env("CTEST", bench.path("ctest"))
            .output()
            .unwrap();
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let name = "ctest::door::door.a_stranger_stands_outside";
    let value = run("1.record", "--ctest door", "   Passed");
    assert!(!value.to_string().contains(name), "{value:#}");
    assert_eq!(verdict(&bench, "1.record", "5.5-4"), "evidenced");
    for (record, more, ends, rule) in [
        ("2.record", "--ctest door", "***Failed", "evidence.test-failed"),
        ("3.record", "--ctest door", "***Skipped", "evidence.test-skipped"),
        ("4.record", "", "   Passed", "evidence.test-missing"),
    ] {
        let value = run(record, more, ends);
        assert_eq!(naming(&value, rule, name).len(), 1, "{rule}: {value:#}");
        assert_eq!(verdict(&bench, record, "5.5-4"), "broken");
    }
}

#[test]
fn a_reason_that_goes_is_named() {
    let bench = bench("a_reason_that_goes_is_named");
    let manifest = String::from_utf8(bench.read("iotsec.toml")).unwrap();
    let start = manifest.find(REASON).unwrap();
    let end = start + manifest[start..].find('\n').unwrap();
    let without = format!("{}{}", &manifest[..start], &manifest[end..]);
    let (_, value) = evidence(&bench, "1.record");
    assert!(naming(&value, "ics.unjustified", "5.6-3").is_empty(), "{value:#}");
    bench.write("iotsec.toml", without.as_bytes());
    let (status, value) = evidence(&bench, "2.record");
    assert_eq!(status, Some(1));
    assert_eq!(naming(&value, "ics.unjustified", "5.6-3").len(), 1, "{value:#}");
}

#[test]
fn a_record_holds_for_the_files_that_were_measured_and_for_its_key() {
    let bench = bench("a_record_holds_for_the_files_that_were_measured_and_for_its_key");
    let (_, value) = evidence(&bench, "record");
    assert_eq!(value["file"], "record");
    bench.refused(
        &format!("{RUN} --out record"),
        "record exists already and is left as it is",
    );

    let report = "evidence report --record record --key maker.pub --component-key sdk.pub \
                  --firmware door/target/debug/door --manifest iotsec.toml --out all";
    bench.refused(
        &report.replace("--component-key sdk.pub", "--component-key other.pub"),
        "record refused: the record of the SDK in it: not a record signed by this key: signature does not verify \
         (error 1201)",
    );
    let Run { out, .. } = bench.run(report);
    for file in [
        "evidence.html",
        "evidence.md",
        "evidence.json",
        "ics.md",
        "junit.xml",
        "gaps.sarif",
        "attestations.cdx.json",
        "en_303_645.cdx.json",
    ] {
        assert!(!bench.read(&format!("all/{file}")).is_empty());
        assert!(out.contains(file), "{out}");
    }
    let page = String::from_utf8(bench.read("all/evidence.html")).unwrap();
    assert!(page.contains("The door opens for nobody but its owner"));
    assert!(!page.contains("http://") && !page.contains("<script"));

    let other = bench.run(
        &report
            .replace("maker.pub", "other.pub")
            .replace("--out all", "--out none"),
    );
    assert!(other.err.contains("not a record signed by this key"), "{other:?}");
    bench.write(
        "iotsec.toml",
        [bench.read("iotsec.toml"), b"# changed\n".to_vec()]
            .concat()
            .as_slice(),
    );
    let stale = bench.run(&report.replace("--out all", "--out none"));
    assert_eq!(stale.status, Some(1));
    assert!(
        stale
            .err
            .contains("iotsec.toml is not the manifest that was measured"),
        "{stale:?}"
    );
    assert!(stale.err.contains("run `iotsec evidence run` anew"), "{stale:?}");
    assert!(!bench.path("none").exists());

    // Without the record of the SDK, its tests are missed, and it is said what to do.
    let alone = RUN.split(" --component ").next().unwrap();
    let missed = bench.run(&format!("{alone} --out alone"));
    assert!(
        missed.out.contains("inherit how they ended with --component"),
        "{missed:?}"
    );
    assert!(missed.err.contains("[evidence.test-missing]"), "{missed:?}");

    // A stripped file says nothing, and neither does one that is none.
    bench.write("door.bin", b"no ELF file");
    let bad = bench.run(&format!("{RUN} --out bad").replace("door/target/debug/door", "door.bin"));
    assert!(bad.err.contains("not an ELF file that can be read"), "{bad:?}");
    assert!(
        bad.err.contains("name the ELF file that the linker wrote"),
        "{bad:?}"
    );
}

#[test]
fn the_editions_are_compared() {
    let bench = bench("the_editions_are_compared");
    evidence(&bench, "record");
    let (status, value) = bench.json("evidence delta --editions --after record --key maker.pub");
    assert_eq!(status, Some(0));
    let changes = value["provisions"].as_array().unwrap();
    let of = |number: &str| {
        changes
            .iter()
            .find(|change| change["provision"] == number)
            .unwrap()
    };
    assert_eq!(of("4-1, now 5.0-1")["after"], "claimed");
    assert_eq!(of("5.1-2A")["before"], json!(null));
}
