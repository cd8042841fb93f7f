//! `iotsec new`

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::{
    Output, Problem,
    file::{self, Access},
};

/// What a maker starts from. Every gap that only the maker can fill is marked.
const FIRST: &str = include_str!("first.toml");

#[derive(Args)]
pub(crate) struct New {
    /// Where to write it.
    #[arg(long, value_name = "FILE", default_value = "iotsec.toml")]
    out: PathBuf,
}

pub(crate) fn run(new: &New) -> Result<Output, Problem> {
    file::create(&new.out, FIRST.as_bytes(), Access::Public)?;
    Ok(Output::new(
        format!(
            "{}: a first manifest. Replace what says EXAMPLE, then run `iotsec doctor --manifest {0}`\n",
            new.out.display()
        ),
        json!({ "file": new.out, "bytes": FIRST.len() }),
    ))
}
