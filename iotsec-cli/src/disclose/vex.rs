//! `iotsec disclose vex`

use std::path::PathBuf;

use clap::Args;
use iotsec_disclosure::vex;
use serde_json::{Value, json};

use super::{advisories, now, pretty};
use crate::{Output, Problem, file, product, time::Time};

#[derive(Args)]
pub(super) struct Vex {
    /// The product manifest.
    #[arg(long, value_name = "FILE")]
    manifest: PathBuf,
    /// The bill of materials of the firmware.
    #[arg(long, value_name = "FILE")]
    sbom: PathBuf,
    /// What is said about weaknesses; may be given more than once.
    #[arg(long, value_name = "FILE", required = true)]
    advisory: Vec<PathBuf>,
    /// When it is made: a date, or seconds since 1970. Now, if it is not given.
    #[arg(long, value_name = "TIME")]
    time: Option<Time>,
    /// Write it here, in place of standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) fn run(command: &Vex) -> Result<Output, Problem> {
    let product = product::read(&command.manifest)?;
    let bom: Value = serde_json::from_slice(&file::read(&command.sbom)?).map_err(|cause| {
        Problem::new(
            "Bill",
            format!("{} refused: {cause}", command.sbom.display()),
            "make it with `iotsec disclose sbom`",
        )
    })?;
    let statements = advisories(&command.advisory)?;
    let now = now(command.time)?.unix().into();
    let document = vex::document(&product, &statements, &bom, now).map_err(Problem::document)?;
    let count = document["vulnerabilities"].as_array().map_or(0, Vec::len);
    let value = json!({ "serial-number": document["serialNumber"], "vulnerabilities": count });
    Output::text(command.out.as_deref(), "VEX", pretty(&document), value)
}
