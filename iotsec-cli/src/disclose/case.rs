//! `iotsec disclose case`

use std::path::PathBuf;

use clap::Args;
use iotsec_disclosure::case::{self, Case};

use super::{now, pretty, refused, write};
use crate::{Output, Problem, file, product, time::Time};

#[derive(Args)]
pub(super) struct CaseFile {
    /// The product manifest.
    #[arg(long, value_name = "FILE")]
    manifest: PathBuf,
    /// What is known of the incident.
    #[arg(long, value_name = "FILE")]
    case: PathBuf,
    /// The time that clocks are read at: a date, or seconds since 1970. Now, if it is not given.
    #[arg(long, value_name = "TIME")]
    time: Option<Time>,
    /// A directory for case.md and case.json: a new one, or an empty one.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub(super) fn run(command: &CaseFile) -> Result<Output, Problem> {
    let product = product::read(&command.manifest)?;
    let case =
        Case::parse(&file::read(&command.case)?).map_err(|found| refused("Case", &command.case, &found))?;
    let now = now(command.time)?.unix().into();
    let page = case::markdown(&product, &case, now).map_err(Problem::document)?;
    let value = case::json(&product, &case, now).map_err(Problem::document)?;
    let output = write(
        &command.out,
        vec![("case.md".into(), page), ("case.json".into(), pretty(&value))],
    )?;
    let overdue: Vec<&str> = value["overdue"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|one| one.as_str())
        .collect();
    if overdue.is_empty() {
        return Ok(output);
    }
    Ok(output
        .with_notes(format!("overdue: {}\n", overdue.join(", ")))
        .with_findings())
}
