//! `iotsec constants`

use std::path::PathBuf;

use clap::Args;
use iotsec_product::source;
use serde_json::json;

use super::read;
use crate::{Output, Problem, file};

#[derive(Args)]
pub(crate) struct Constants {
    /// The product manifest.
    #[arg(long, value_name = "FILE")]
    manifest: PathBuf,
    /// Write them here, in place of standard output.
    #[arg(long, value_name = "FILE", conflicts_with = "compare")]
    out: Option<PathBuf>,
    /// Write nothing: is this file made of the manifest?
    #[arg(long, value_name = "FILE")]
    compare: Option<PathBuf>,
}

pub(crate) fn run(constants: &Constants) -> Result<Output, Problem> {
    let product = read(&constants.manifest)?;
    let text = source::rust(&product);
    if let Some(path) = &constants.compare {
        if file::read(path)? != text.as_bytes() {
            return Err(Problem::new(
                "Constants",
                format!(
                    "{} is not made of {}",
                    path.display(),
                    constants.manifest.display()
                ),
                "write it anew with `iotsec constants --out`, and build the firmware with it",
            ));
        }
        return Ok(Output::new(
            format!("{}: made of {}\n", path.display(), constants.manifest.display()),
            json!({ "file": path, "same": true }),
        ));
    }
    let mut value = json!({ "bytes": text.len() });
    if constants.out.is_none() {
        value["rust"] = text.clone().into();
    }
    Output::text(constants.out.as_deref(), "constants", text, value)
}
