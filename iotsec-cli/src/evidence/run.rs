//! `iotsec evidence run` and `component`: what is measured.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Args;
use iotsec::core::crypto::Sha256;
use iotsec_evidence::{
    applicability::Facts,
    artefact::Artefact,
    catalogue::Edition,
    claims::{self, Origin},
    judgement::{self, Judgement, Standing, Verdict},
    outcome::Outcome,
    record::{Firmware, Record, RecordError, Subject},
    report::json::finding,
};
use iotsec_product::{Finding, Product};
use serde_json::{Value, json};

use super::{EditionName, cargo, ctest, signed};
use crate::{
    Output, Problem, file,
    product::{self, doctor},
    time::Time,
};

/// How tests are run.
#[derive(Args)]
pub(crate) struct Tests {
    /// The workspace in which cargo finds the tests that claims name.
    #[arg(long, value_name = "DIR", default_value = ".")]
    tests: PathBuf,
    /// For cargo, when it builds the tests: `--cargo-arg=--features=net`. May be repeated.
    #[arg(long, value_name = "ARGUMENT")]
    cargo_arg: Vec<String>,
    /// Seconds that the tests of one program may take.
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    timeout: u64,
    /// The private key that signs the record (`iotsec key new`).
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// A new file for the record.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(Args)]
pub(crate) struct Run {
    /// The product manifest.
    #[arg(long, value_name = "FILE")]
    manifest: PathBuf,
    /// The firmware: the ELF file that the linker wrote, with its symbols.
    #[arg(long, value_name = "FILE")]
    firmware: PathBuf,
    /// A record of the SDK, whose tests are then not run again.
    #[arg(long, value_name = "FILE", requires = "component_key")]
    component: Option<PathBuf>,
    /// The public key that signed the record of the SDK.
    #[arg(long, value_name = "FILE", requires = "component")]
    component_key: Option<PathBuf>,
    /// A build folder of CMake, for claims whose tests are named ctest::program::test.
    #[arg(long, value_name = "DIR")]
    ctest: Option<PathBuf>,
    /// The edition of EN 303 645 that is judged by; the record holds for both.
    #[arg(long, value_enum, default_value = "v3")]
    edition: EditionName,
    #[command(flatten)]
    tests: Tests,
}

#[derive(Args)]
pub(crate) struct Component {
    #[command(flatten)]
    tests: Tests,
}

pub(crate) fn product(run: &Run) -> Result<Output, Problem> {
    file::must_be_free(&run.tests.out)?;
    let started = now()?;
    // Read once, so that what is signed is what was judged.
    let text = file::read(&run.manifest)?;
    let product = Product::parse(&text).map_err(|findings| product::refused(&run.manifest, &findings))?;
    let elf = file::read(&run.firmware)?;
    let artefact = Artefact::read(&elf).map_err(|cause| {
        let message = format!("{} refused: {cause}", run.firmware.display());
        Problem::new("Firmware", message, cause.remedy())
    })?;
    let inherited = match (&run.component, &run.component_key) {
        (Some(path), Some(key)) => Some(inherited(path, key, &run.tests)?),
        _ => None,
    };
    let name = run.firmware.file_name().unwrap_or_default();
    let mut record = Record::new(
        Subject::Product {
            manifest: text,
            firmware: Firmware {
                name: name.to_string_lossy().into_owned(),
                bytes: elf.len() as u64,
                sha256: Sha256::of(&[&elf]),
                debugged: artefact.is_debugged(),
            },
            component: inherited.as_ref().map(|(_, bytes)| bytes.clone()),
        },
        started.0,
    );
    for assertion in claims::of(&product) {
        for function in assertion.code {
            record
                .functions
                .insert(function.to_owned(), artefact.has(function));
        }
    }
    let mut wanted = wanted(&product, &record);
    if let Some((component, _)) = &inherited {
        wanted.retain(|test| !component.tests.contains_key(test));
    }
    measure(&mut record, &wanted, &run.tests, run.ctest.as_deref())?;
    let elsewhere = inherited.is_none()
        && record
            .programs
            .iter()
            .all(|program| program.package != "iotsec-core");
    if let Some((component, _)) = &inherited {
        record.inherit(component);
    }
    record.time.1 = now()?.0;
    let bytes = signed::write(&record, &run.tests.key, &run.tests.out)?;
    let judgement = Judgement::of(&product, &record, run.edition.into());
    let findings = judgement.findings(&product);
    let mut human = summary(&judgement);
    if !artefact.is_debugged() {
        human.push_str(
            "the firmware does not name what was inlined, so that code may be there and not be found: build it with \
             `debug = \"limited\"`, of which nothing is loaded\n",
        );
    }
    if run.ctest.is_none() && record.tests.keys().any(|name| ctest::is_mine(name)) {
        human.push_str("some claims name tests of ctest: give the build folder of CMake with --ctest\n");
    }
    if elsewhere {
        let _ = writeln!(
            human,
            "the tests of the SDK are not in {}: inherit how they ended with --component",
            run.tests.tests.display()
        );
    }
    let _ = writeln!(human, "{}: {bytes} bytes, signed", run.tests.out.display());
    let mut value = counts(&judgement);
    value["file"] = json!(run.tests.out);
    value["bytes"] = json!(bytes);
    Ok(concluded(human, value, &findings))
}

pub(crate) fn component(component: &Component) -> Result<Output, Problem> {
    let tests = &component.tests;
    file::must_be_free(&tests.out)?;
    let version = cargo::locked(&tests.tests).ok_or_else(|| {
        Problem::usage(
            format!(
                "{} has no Cargo.lock that names iotsec-core",
                tests.tests.display()
            ),
            "give the folder of the SDK with --tests",
        )
    })?;
    let mut record = Record::new(Subject::Component { version }, now()?.0);
    let wanted: BTreeSet<String> = claims::sdk()
        .iter()
        .flat_map(|claim| claim.tests.iter().cloned())
        .collect();
    measure(&mut record, &wanted, tests, None)?;
    record.time.1 = now()?.0;
    let bytes = signed::write(&record, &tests.key, &tests.out)?;
    let broken: Vec<String> = record
        .tests
        .iter()
        .filter(|(_, outcome)| **outcome != Outcome::Passed)
        .map(|(name, outcome)| format!("{name} {}", outcome.said()))
        .collect();
    let human = format!(
        "{} claims of the SDK, {} tests, {} of them not passed\n{}: {bytes} bytes, signed\n",
        claims::sdk().len(),
        record.tests.len(),
        broken.len(),
        tests.out.display()
    );
    let output = Output::new(
        human,
        json!({ "file": tests.out, "bytes": bytes, "tests": record.tests.len(), "broken": broken }),
    );
    Ok(if broken.is_empty() {
        output
    } else {
        output.with_notes(broken.join("\n") + "\n").with_findings()
    })
}

/// The record of the SDK, if it is of the version that the firmware is built with.
fn inherited(path: &Path, key: &Path, tests: &Tests) -> Result<(Record, Vec<u8>), Problem> {
    let (record, bytes) = signed::read(path, key)?;
    let Subject::Component { version } = &record.subject else {
        return Err(signed::refused(path)(RecordError::Subject));
    };
    match cargo::locked(&tests.tests) {
        Some(locked) if locked != *version => Err(Problem::new(
            "OtherVersion",
            format!(
                "{} is of iotsec {version}, and Cargo.lock has {locked}",
                path.display()
            ),
            "take the record that belongs to the version that you build with",
        )),
        _ => Ok((record, bytes)),
    }
}

/// Tests on which something depends for this product: of claims about what applies, whose code is in the firmware.
fn wanted(product: &Product, record: &Record) -> BTreeSet<String> {
    let facts = Facts::of(product);
    let judgement = Judgement::of(product, record, Edition::V3_1_3);
    judgement
        .claims
        .iter()
        .filter(|judged| {
            !matches!(judged.standing, Standing::NotLinked(_)) || judged.assertion.origin != Origin::Sdk
        })
        .filter(|judged| !judgement::is_idle(&judged.assertion, &facts))
        .flat_map(|judged| judged.assertion.tests.iter().map(|test| (*test).to_owned()))
        .collect()
}

/// Runs tests: in the build folder of CMake those that are named for it, the others with cargo.
fn measure(
    record: &mut Record,
    wanted: &BTreeSet<String>,
    tests: &Tests,
    build: Option<&Path>,
) -> Result<(), Problem> {
    record.tools = cargo::tools(&tests.tests);
    let (theirs, ours): (BTreeSet<String>, BTreeSet<String>) =
        wanted.iter().cloned().partition(|name| ctest::is_mine(name));
    let mut ran = cargo::Ran::default();
    if !ours.is_empty() {
        let built = cargo::build(&tests.tests, &tests.cargo_arg)?;
        ran = cargo::run(&built, &ours, Duration::from_secs(tests.timeout))?;
    }
    ctest::run(&mut ran, build, &theirs, tests.timeout)?;
    if let Some(version) = build.filter(|_| !theirs.is_empty()).and_then(ctest::version) {
        record.tools.insert("ctest".to_owned(), version);
    }
    record.programs = ran.programs;
    record.tests = ran.tests;
    Ok(())
}

/// Counts, for people.
pub(super) fn summary(judgement: &Judgement<'_>) -> String {
    let counts: Vec<String> = Verdict::ALL
        .iter()
        .map(|verdict| format!("{} {}", verdict.name(), judgement.count(*verdict)))
        .collect();
    let guidelines: Vec<String> = judgement.guidelines().iter().map(u8::to_string).collect();
    format!(
        "{}: {} lines: {}\nguidelines of which the firmware shows something: {}\nThis prepares an assessment, and is \
         none.\n",
        judgement.edition.cited(),
        judgement.lines.len(),
        counts.join(", "),
        if guidelines.is_empty() {
            "none".into()
        } else {
            guidelines.join(", ")
        }
    )
}

/// Counts, for programs.
pub(super) fn counts(judgement: &Judgement<'_>) -> Value {
    let counts: serde_json::Map<String, Value> = Verdict::ALL
        .iter()
        .map(|verdict| (verdict.name().replace(' ', "-"), json!(judgement.count(*verdict))))
        .collect();
    json!({
        "standard": judgement.edition.cited(),
        "provisions": judgement.lines.len(),
        "verdicts": counts,
        "guidelines": judgement.guidelines(),
    })
}

/// With what is wrong, for people on standard error.
pub(super) fn concluded(human: String, mut value: Value, findings: &[Finding]) -> Output {
    value["findings"] = Value::Array(findings.iter().map(finding).collect());
    let notes: String = findings.iter().map(doctor::told).collect();
    let output = Output::new(human, value).with_notes(notes);
    if doctor::is_well(findings) {
        output
    } else {
        output.with_findings()
    }
}

pub(super) fn now() -> Result<Time, Problem> {
    Time::now().ok_or_else(|| Problem::new("Clock", "this computer's clock is before 1970", "set the clock"))
}
