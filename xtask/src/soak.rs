//! Random operations on the store, for long.

use std::path::Path;

use crate::tool::{self, Failure};

const OPERATIONS: u64 = 10_000_000;

pub(crate) fn run(root: &Path, args: &[&str]) -> Result<(), Failure> {
    let operations = match args {
        [] => OPERATIONS,
        ["--operations", count] => count.parse()?,
        _ => return Err("takes --operations N or nothing".into()),
    };
    let mut command = tool::tests(root, "iotsec-store", operations >= OPERATIONS);
    command
        .args(["--test", "store"])
        .args(["model::", "--", "--nocapture"])
        .env("IOTSEC_SOAK", operations.to_string());
    tool::run(&mut command)
}
