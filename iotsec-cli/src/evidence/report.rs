//! `iotsec evidence report` and `delta`: what records show.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use clap::Args;
use iotsec::core::crypto::Sha256;
use iotsec_evidence::{
    catalogue::Edition,
    delta,
    judgement::Judgement,
    record::Record,
    report::{Report as Shown, cyclonedx, hex, html, json as object, junit, markdown, sarif},
};
use iotsec_product::Product;
use serde_json::{Value, json};

use super::{EditionName, run, signed};
use crate::{
    Output, Problem,
    file::{self, Access},
    key::KeyFile,
};

#[derive(Args)]
pub(crate) struct Report {
    /// The signed record, as `iotsec evidence run` wrote it.
    #[arg(long, value_name = "FILE")]
    record: PathBuf,
    /// The public key that it was signed with.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The public key of the record of the SDK that the product inherits from: refused, if what the record says
    /// of the SDK's tests is not what was signed with it.
    #[arg(long, value_name = "FILE")]
    component_key: Option<PathBuf>,
    /// The firmware as it is now: refused, if it is not the one that was measured.
    #[arg(long, value_name = "FILE")]
    firmware: Option<PathBuf>,
    /// The manifest as it is now: refused, if it is not the one that was measured.
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,
    /// The edition of EN 303 645.
    #[arg(long, value_enum, default_value = "v3")]
    edition: EditionName,
    /// A directory for the reports: a new one, or an empty one.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

#[derive(Args)]
pub(crate) struct Delta {
    /// The record of the earlier build.
    #[arg(long, value_name = "FILE", required_unless_present = "editions")]
    before: Option<PathBuf>,
    /// The record of the later build.
    #[arg(long, value_name = "FILE")]
    after: PathBuf,
    /// The public key that both were signed with.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Compare V2.1.1 with V3.1.3 for the later build, instead of two builds.
    #[arg(long, conflicts_with = "before")]
    editions: bool,
}

pub(crate) fn write(report: &Report) -> Result<Output, Problem> {
    let (record, _) = signed::read(&report.record, &report.key)?;
    let product = product(&report.record, &record)?;
    if let Some(key) = &report.component_key {
        let anchor = KeyFile::read(key)?.anchor()?;
        record
            .check_inherited(anchor.as_ref())
            .map_err(signed::refused(&report.record))?;
    }
    is_current(
        report.firmware.as_deref(),
        "firmware",
        record.firmware().map(|firmware| firmware.sha256),
    )?;
    is_current(report.manifest.as_deref(), "manifest", record.manifest_sha256())?;
    let edition: Edition = report.edition.into();
    let shown = Shown::new(&product, &record, edition);
    // Where the code host finds the manifest, if it is told.
    let manifest = report.manifest.as_ref().map_or_else(
        || "iotsec.toml".into(),
        |path| path.to_string_lossy().replace('\\', "/"),
    );
    let pretty = |value: &Value| format!("{value:#}\n");
    let files = [
        ("evidence.html", html::page(&shown)),
        ("evidence.md", markdown::page(&shown)),
        ("evidence.json", pretty(&object::object(&shown))),
        ("ics.md", shown.judgement.statement().to_markdown(&product)),
        ("junit.xml", junit::xml(&shown)),
        ("gaps.sarif", pretty(&sarif::object(&shown, &manifest))),
        ("attestations.cdx.json", pretty(&cyclonedx::attestations(&shown))),
        ("en_303_645.cdx.json", pretty(&cyclonedx::standard(edition))),
    ];
    fs::create_dir_all(&report.out).map_err(|cause| Problem::file(&report.out, &cause))?;
    let mut human = run::summary(&shown.judgement);
    let mut list = Vec::new();
    for (name, text) in files {
        let path = report.out.join(name);
        file::create(&path, text.as_bytes(), Access::Public)?;
        let _ = writeln!(human, "{}: {} bytes", path.display(), text.len());
        list.push(json!({ "file": path, "bytes": text.len() }));
    }
    let mut value = run::counts(&shown.judgement);
    value["files"] = Value::Array(list);
    Ok(run::concluded(human, value, &shown.findings))
}

pub(crate) fn delta(delta: &Delta) -> Result<Output, Problem> {
    let (after, _) = signed::read(&delta.after, &delta.key)?;
    let product_after = product(&delta.after, &after)?;
    let judged_after = Judgement::of(&product_after, &after, Edition::V3_1_3);
    let Some(path) = &delta.before else {
        let old = Judgement::of(&product_after, &after, Edition::V2_1_1);
        let changes = delta::editions(&old, &judged_after);
        let human = format!(
            "{} to {}: {} provisions differ\n{}",
            Edition::V2_1_1.cited(),
            Edition::V3_1_3.cited(),
            changes.len(),
            delta::lines(&changes)
        );
        return Ok(Output::new(
            human,
            json!({ "provisions": delta::objects(&changes) }),
        ));
    };
    let (before, _) = signed::read(path, &delta.key)?;
    let product_before = product(path, &before)?;
    let judged_before = Judgement::of(&product_before, &before, Edition::V3_1_3);
    let changes = delta::builds((&before, &judged_before), (&after, &judged_after));
    let mut human = delta::lines(&changes.provisions);
    for (function, came) in &changes.functions {
        let _ = writeln!(human, "{function} {}", if *came { "came" } else { "went" });
    }
    for (test, (was, is)) in &changes.tests {
        let _ = writeln!(human, "{test} {was}, now {is}");
    }
    let (manifest, firmware) = changes.files;
    let _ = writeln!(
        human,
        "the manifest {}, the firmware {}; {} provisions, {} functions and {} tests changed",
        if manifest { "changed" } else { "is the same" },
        if firmware { "changed" } else { "is the same" },
        changes.provisions.len(),
        changes.functions.len(),
        changes.tests.len()
    );
    let worse = changes.provisions.iter().any(delta::Change::is_worse);
    let output = Output::new(
        human,
        json!({
            "manifest_changed": manifest,
            "firmware_changed": firmware,
            "provisions": delta::objects(&changes.provisions),
            "functions": changes.functions,
            "tests": changes.tests.iter().map(|(test, (was, is))| json!({ "test": test, "before": was, "after": is })).collect::<Vec<_>>(),
        }),
    );
    Ok(if worse { output.with_findings() } else { output })
}

fn product(path: &Path, record: &Record) -> Result<Product, Problem> {
    record.product().map_err(signed::refused(path))
}

/// What is there now must be what was measured: evidence for another file is none.
fn is_current(path: Option<&Path>, what: &str, measured: Option<[u8; 32]>) -> Result<(), Problem> {
    let Some(path) = path else { return Ok(()) };
    let digest = Sha256::of(&[&file::read(path)?]);
    if Some(digest) == measured {
        return Ok(());
    }
    Err(Problem::new(
        "Stale",
        format!(
            "{} is not the {what} that was measured: its SHA-256 is {}, that of the record {}",
            path.display(),
            hex(&digest),
            measured.map_or_else(|| "none".into(), |digest| hex(&digest))
        ),
        "run `iotsec evidence run` anew",
    ))
}
