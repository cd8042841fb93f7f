//! `iotsec disclose`: what the maker publishes about a product, from its manifest.

use std::{fmt::Write as _, fs, path::PathBuf};

use clap::Args;
use iotsec_disclosure::page;
use serde_json::json;

use crate::{
    Output, Problem,
    file::{self, Access},
    product,
    time::Time,
};

/// Days for which a `security.txt` holds: RFC 9116 §2.5.5 advises less than a year.
const VALID_DAYS: u16 = 180;

#[derive(Args)]
pub(crate) struct Disclose {
    /// The product manifest.
    #[arg(long, value_name = "FILE")]
    manifest: PathBuf,
    /// A directory for the documents: a new one, or an empty one.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// When they are made: a date, or seconds since 1970. Now, if it is not given.
    #[arg(long, value_name = "TIME")]
    time: Option<Time>,
    /// Days until security.txt expires.
    #[arg(long, value_name = "DAYS", default_value_t = VALID_DAYS, value_parser = clap::value_parser!(u16).range(1..=364))]
    valid_days: u16,
}

pub(crate) fn run(disclose: &Disclose) -> Result<Output, Problem> {
    let product = product::read(&disclose.manifest)?;
    let now = disclose.time.or_else(Time::now).ok_or_else(|| {
        Problem::new(
            "Clock",
            "this computer's clock is before 1970",
            "set the clock, or give --time",
        )
    })?;
    let pages =
        page::all(&product, now.unix(), disclose.valid_days).map_err(|cause| Problem::document(&cause))?;
    fs::create_dir_all(&disclose.out).map_err(|cause| Problem::file(&disclose.out, &cause))?;
    let (mut human, mut files) = (String::new(), Vec::new());
    for page in pages {
        let path = disclose.out.join(page.name);
        file::create(&path, page.text.as_bytes(), Access::Public)?;
        let _ = writeln!(human, "{}: {} bytes", path.display(), page.text.len());
        files.push(json!({ "file": path, "bytes": page.text.len() }));
    }
    Ok(Output::new(human, json!({ "files": files })))
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
