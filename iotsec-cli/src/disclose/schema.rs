//! `iotsec disclose schema`

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use iotsec_disclosure::{advisory::Advisory, case::Case};
use iotsec_product::schema;
use serde_json::json;

use crate::{Output, Problem};

#[derive(Args)]
pub(super) struct Schema {
    /// Of which file; `iotsec doctor --schema` writes that of the product manifest.
    of: Of,
    /// Write it here instead of to standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Of {
    /// `advisory.toml`
    Advisory,
    /// `case.toml`
    Case,
}

pub(super) fn run(command: &Schema) -> Result<Output, Problem> {
    let schema = match command.of {
        Of::Advisory => schema::of::<Advisory>("Advisory of iotsec"),
        Of::Case => schema::of::<Case>("Case of iotsec"),
    };
    let text = format!("{schema:#}\n");
    let value = json!({ "bytes": text.len() });
    Output::text(command.out.as_deref(), "schema", text, value)
}
