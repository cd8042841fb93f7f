//! Benches of the workspace, and of `benches/peers`, whose dependencies stay out of the workspace.

use std::path::Path;

use crate::tool::{self, Failure};

const PEERS: &str = "benches/peers/Cargo.toml";

/// Prints numbers and judges none: how long something takes is nothing to fail for.
pub(crate) fn run(root: &Path, args: &[&str]) -> Result<(), Failure> {
    match args {
        [] => {}
        ["--check"] => return peers(root, &["check", "--locked"]),
        _ => return Err("takes --check or nothing".into()),
    }
    for name in ["store", "update"] {
        println!("== {name}");
        let mut command = tool::cargo();
        command.current_dir(root).args(["bench", "--bench", name]);
        tool::run(&mut command)?;
    }
    println!("== update, beside others");
    peers(root, &["run", "--locked", "--release"])
}

fn peers(root: &Path, args: &[&str]) -> Result<(), Failure> {
    let mut command = tool::cargo();
    command
        .current_dir(root)
        .args(args)
        .args(["--manifest-path", PEERS]);
    tool::run(&mut command)
}
