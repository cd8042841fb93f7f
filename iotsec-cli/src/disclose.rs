//! `iotsec disclose`: what the maker publishes about a product.

mod case;
mod csaf;
mod gpg;
mod sbom;
mod schema;
mod vex;

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use iotsec_disclosure::{Firmware, advisory::Advisory, page};
use iotsec_product::Finding;
use serde_json::{Value, json};

use crate::{
    Output, Problem,
    file::{self, Access},
    product,
    time::Time,
};

/// Days for which a `security.txt` holds: RFC 9116 §2.5.5 advises less than a year.
const VALID_DAYS: u16 = 180;

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Disclose {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    pages: Pages,
}

#[derive(Subcommand)]
enum Command {
    /// Write the bill of materials of a firmware (CycloneDX 1.6), from what cargo built it of.
    Sbom(sbom::Sbom),
    /// Write what weaknesses mean for the firmware of a bill of materials (VEX, CycloneDX 1.6).
    Vex(vex::Vex),
    /// Write the folder of advisories that a provider publishes (CSAF 2.0).
    Csaf(csaf::Csaf),
    /// Write the case file of a report under Article 14 of the Cyber Resilience Act; exit status 1 when a stage is overdue.
    Case(case::CaseFile),
    /// Write the JSON Schema of a file that these commands read, for editors.
    Schema(schema::Schema),
}

#[derive(Args)]
struct Pages {
    /// The product manifest.
    #[arg(long, value_name = "FILE", required = true)]
    manifest: Option<PathBuf>,
    /// A directory for the documents: a new one, or an empty one.
    #[arg(long, value_name = "DIR", required = true)]
    out: Option<PathBuf>,
    /// When they are made: a date, or seconds since 1970. Now, if it is not given.
    #[arg(long, value_name = "TIME")]
    time: Option<Time>,
    /// Days until security.txt expires.
    #[arg(long, value_name = "DAYS", default_value_t = VALID_DAYS, value_parser = clap::value_parser!(u16).range(1..=364))]
    valid_days: u16,
    #[command(flatten)]
    signing: gpg::Signing,
}

pub(crate) fn run(disclose: &Disclose) -> Result<Output, Problem> {
    match &disclose.command {
        Some(Command::Sbom(command)) => sbom::run(command),
        Some(Command::Vex(command)) => vex::run(command),
        Some(Command::Csaf(command)) => csaf::run(command),
        Some(Command::Case(command)) => case::run(command),
        Some(Command::Schema(command)) => schema::run(command),
        None => pages(&disclose.pages),
    }
}

fn pages(pages: &Pages) -> Result<Output, Problem> {
    let (Some(manifest), Some(out)) = (&pages.manifest, &pages.out) else {
        return Err(Problem::usage("--manifest and --out are missing", "say both"));
    };
    let product = product::read(manifest)?;
    let now = now(pages.time)?;
    let mut found = page::all(&product, now.unix(), pages.valid_days).map_err(Problem::document)?;
    if let Some(key) = pages.signing.key()? {
        for page in found.iter_mut().filter(|page| page.name == "security.txt") {
            page.text = key.clear_signed(&page.text)?;
        }
    }
    let files = found
        .into_iter()
        .map(|page| (PathBuf::from(page.name), page.text));
    write(out, files.collect())
}

/// Writes files below a directory, which comes about with them.
fn write(out: &Path, files: Vec<(PathBuf, String)>) -> Result<Output, Problem> {
    let (mut human, mut list) = (String::new(), Vec::new());
    for (name, text) in files {
        let path = out.join(name);
        let folder = path.parent().unwrap_or(out);
        fs::create_dir_all(folder).map_err(|cause| Problem::file(folder, &cause))?;
        file::create(&path, text.as_bytes(), Access::Public)?;
        let _ = writeln!(human, "{}: {} bytes", path.display(), text.len());
        list.push(json!({ "file": path, "bytes": text.len() }));
    }
    Ok(Output::new(human, json!({ "files": list })))
}

/// The time of a document.
fn now(time: Option<Time>) -> Result<Time, Problem> {
    time.or_else(Time::now).ok_or_else(|| {
        Problem::new(
            "Clock",
            "this computer's clock is before 1970",
            "set the clock, or give --time",
        )
    })
}

/// An image, by its digests.
fn firmware(path: &Path) -> Result<Firmware, Problem> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Ok(Firmware::of(name, &file::read(path)?))
}

/// Advisories, each from its file.
fn advisories(paths: &[PathBuf]) -> Result<Vec<Advisory>, Problem> {
    let read = |path: &PathBuf| {
        Advisory::parse(&file::read(path)?).map_err(|found| refused("Advisory", path, &found))
    };
    paths.iter().map(read).collect()
}

/// A file that people wrote and that cannot be used; each finding on a line.
fn refused(name: &str, path: &Path, findings: &[Finding]) -> Problem {
    let remedy = findings
        .first()
        .map(|first| first.remedy.clone())
        .unwrap_or_default();
    let causes: Vec<String> = findings.iter().map(ToString::to_string).collect();
    Problem::new(
        name,
        format!("{} refused: {}", path.display(), causes.join("; ")),
        remedy,
    )
}

/// With line breaks, as files have it.
fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

iotsec::core::claim! {
    provisions: ["5.2-1"],
    claims: "The disclosure policy and security.txt have the contacts and the times of acknowledgement and of status updates, or are not written",
    tool: "iotsec disclose",
    tests: ["iotsec-cli::cli::product::what_the_maker_publishes_is_made_of_the_manifest"],
}

iotsec::core::claim! {
    provisions: ["5.3-13"],
    claims: "The day on which security updates end stands in the statement of compliance and on the page for consumers",
    tool: "iotsec disclose",
    tests: ["iotsec-cli::cli::product::what_the_maker_publishes_is_made_of_the_manifest"],
}

iotsec::core::claim! {
    provisions: ["5.8-3", "6-1", "6-5", "5.11-3"],
    claims: "The page for consumers says what the product senses, which personal data and telemetry it has and why, and how all is deleted",
    tool: "iotsec disclose",
    tests: ["iotsec-cli::cli::product::what_the_maker_publishes_is_made_of_the_manifest"],
}

iotsec::core::claim! {
    provisions: ["5.12-2", "5.12-3"],
    claims: "The page for consumers leads to the guides for a secure set-up and for checking it, and says how to keep the home network safe",
    tool: "iotsec disclose",
    tests: ["iotsec-cli::cli::product::what_the_maker_publishes_is_made_of_the_manifest"],
}
