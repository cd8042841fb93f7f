//! `iotsec disclose sbom`

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use clap::Args;
use iotsec_disclosure::{sbom, vex};
use serde_json::json;

use super::{advisories, firmware, now, pretty};
use crate::{Output, Problem, file, product, time::Time};

#[derive(Args)]
pub(super) struct Sbom {
    /// The product manifest.
    #[arg(long, value_name = "FILE")]
    manifest: PathBuf,
    /// The image, as it is delivered.
    #[arg(long, value_name = "FILE")]
    firmware: PathBuf,
    /// The Cargo.toml that it is built of: cargo is asked, and the Cargo.lock that it uses is read.
    #[arg(long, value_name = "FILE", required_unless_present = "metadata")]
    cargo_manifest: Option<PathBuf>,
    /// The package, if the Cargo.toml is that of a workspace.
    #[arg(long, value_name = "NAME")]
    package: Option<String>,
    /// The target that it is built for; this machine, if none is given.
    #[arg(long, value_name = "TRIPLE")]
    target: Option<String>,
    /// The features that it is built with.
    #[arg(long, value_name = "LIST")]
    features: Option<String>,
    /// It is built without the default features.
    #[arg(long)]
    no_default_features: bool,
    /// The output of `cargo metadata --format-version 1`, in place of asking cargo: what it tells to be linked is an upper
    /// bound.
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with = "cargo_manifest",
        requires = "lock"
    )]
    metadata: Option<PathBuf>,
    /// The Cargo.lock that belongs to it.
    #[arg(long, value_name = "FILE", conflicts_with = "cargo_manifest")]
    lock: Option<PathBuf>,
    /// Put the statements of these advisories into the document; may be given more than once.
    #[arg(long, value_name = "FILE")]
    advisory: Vec<PathBuf>,
    /// Counts documents about the same image.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    document_version: u32,
    /// When it is made: a date, or seconds since 1970. Now, if it is not given.
    #[arg(long, value_name = "TIME")]
    time: Option<Time>,
    /// Write it here, in place of standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) fn run(command: &Sbom) -> Result<Output, Problem> {
    let product = product::read(&command.manifest)?;
    let image = firmware(&command.firmware)?;
    let statements = advisories(&command.advisory)?;
    let graph = graph(command)?;
    let build = sbom::Build {
        firmware: &image,
        target: command.target.as_deref(),
        now: now(command.time)?.unix().into(),
        version: command.document_version,
    };
    let mut bom = sbom::document(&product, &graph, &build).map_err(Problem::document)?;
    if !statements.is_empty() {
        vex::embed(&statements, &mut bom).map_err(Problem::document)?;
    }
    let (linked, built) = graph.count();
    let value = json!({
        "serial-number": bom["serialNumber"],
        "linked": linked,
        "build": built,
        "vulnerabilities": bom["vulnerabilities"].as_array().map_or(0, Vec::len),
    });
    let what = format!("bill of materials, {linked} crates linked and {built} used to build");
    Output::text(command.out.as_deref(), &what, pretty(&bom), value)
}

fn graph(command: &Sbom) -> Result<sbom::Graph, Problem> {
    let package = command.package.as_deref();
    if let (Some(metadata), Some(lock)) = (&command.metadata, &command.lock) {
        let graph = sbom::Graph::parse(&text(metadata)?, package).map_err(Problem::document)?;
        return graph.locked(&text(lock)?).map_err(Problem::document);
    }
    let Some(manifest) = &command.cargo_manifest else {
        return Err(Problem::usage(
            "nothing says what cargo built",
            "say --cargo-manifest",
        ));
    };
    let host;
    let target = match &command.target {
        Some(target) => target,
        None => {
            host = host_triple()?;
            &host
        }
    };
    let mut choice: Vec<String> = Vec::new();
    if let Some(features) = &command.features {
        choice.extend(["--features".into(), features.clone()]);
    }
    if command.no_default_features {
        choice.push("--no-default-features".into());
    }
    let locked = ["--locked", "--manifest-path"];
    let metadata = cargo(manifest, |cargo| {
        cargo.args(["metadata", "--format-version", "1", "--filter-platform", target]);
        cargo.args(&choice).args(locked)
    })?;
    let tree = |edges: &str| {
        cargo(manifest, |cargo| {
            cargo.args(["tree", "--target", target, "--edges", edges, "--prefix", "none"]);
            cargo.args(["--format", "{p}\t{f}"]).args(&choice);
            if let Some(package) = package {
                cargo.args(["--package", package]);
            }
            cargo.args(locked)
        })
    };
    let lock = serde_json::from_str::<serde_json::Value>(&metadata).unwrap_or_default();
    let lock = Path::new(lock["workspace_root"].as_str().unwrap_or_default()).join("Cargo.lock");
    let (linked, all) = (tree("normal,no-proc-macro")?, tree("normal,build")?);
    sbom::Graph::parse(&metadata, package)
        .and_then(|graph| graph.linked(&linked, &all))
        .map_err(Problem::document)?
        .locked(&text(&lock)?)
        .map_err(Problem::document)
}

fn text(path: &Path) -> Result<String, Problem> {
    String::from_utf8(file::read(path)?).map_err(|_| {
        Problem::new(
            "Text",
            format!("{} refused: not UTF-8", path.display()),
            "give the file that cargo wrote",
        )
    })
}

/// What cargo says.
fn cargo(manifest: &Path, with: impl FnOnce(&mut Command) -> &mut Command) -> Result<String, Problem> {
    let program = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(&program);
    let output = with(&mut command).arg(manifest).output().map_err(|cause| {
        Problem::new(
            "Program",
            format!("cargo cannot be run: {cause}"),
            "install Rust, or give the output of cargo with --metadata and --lock",
        )
    })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let reason = String::from_utf8_lossy(&output.stderr).into_owned();
    let reason = reason
        .lines()
        .find(|line| line.starts_with("error"))
        .unwrap_or("error")
        .to_owned();
    Err(Problem::new(
        "Cargo",
        format!("cargo refused {}: {reason}", manifest.display()),
        "build the firmware once; its Cargo.lock has to be there and up to date",
    ))
}

/// The target of this machine, as rustc names it.
fn host_triple() -> Result<String, Problem> {
    let program = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(&program).arg("-vV").output().ok();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let host = text
        .as_deref()
        .and_then(|text| text.lines().find_map(|line| line.strip_prefix("host: ")));
    host.map(str::to_owned).ok_or_else(|| {
        Problem::new(
            "Program",
            "rustc does not say what this machine is",
            "say --target",
        )
    })
}
