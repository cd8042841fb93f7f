//! Benches of the workspace, and of `benches/peers`, whose dependencies stay out of the workspace.

use std::{path::Path, process::Command};

use crate::tool::{self, Failure};

const PEERS: &str = "benches/peers/Cargo.toml";

/// Prints numbers and judges none: how long something takes is nothing to fail for.
pub(crate) fn run(root: &Path, args: &[&str]) -> Result<(), Failure> {
    match args {
        [] => {}
        ["--check"] => {
            let mut command = tool::cargo();
            tool::run(command.current_dir(root).args([
                "check",
                "-p",
                "iotsec",
                "-p",
                "iotsec-net",
                "--benches",
            ]))?;
            return tool::run(&mut peers(root, &["check"]));
        }
        _ => return Err("takes --check or nothing".into()),
    }
    for (package, bench) in [
        ("iotsec", "crypto"),
        ("iotsec", "update"),
        ("iotsec", "provision"),
        ("iotsec", "telemetry"),
        ("iotsec-net", "reconnect"),
        ("iotsec-net", "tls"),
    ] {
        println!("== {bench}");
        let mut command = tool::cargo();
        command
            .current_dir(root)
            .args(["bench", "-p", package, "--bench", bench]);
        tool::run(&mut command)?;
    }
    println!("== inputs, beside others");
    tool::run(&mut peers(root, &["run", "--release", "--bin", "input"]))?;
    println!("== store and update, beside others");
    tool::run(&mut peers(root, &["run", "--release"]))
}

/// The tables of all stores.
pub(crate) fn stores(root: &Path) -> Result<String, Failure> {
    let mut command = peers(root, &["run", "--release"]);
    tool::text(command.args(["--", "store"]))
}

/// The table of the stores in files, in `folder`, on the device whose counters are in `stat`.
pub(crate) fn device(root: &Path, folder: &Path, stat: &Path) -> Result<String, Failure> {
    let mut command = peers(root, &["run", "--release"]);
    tool::text(command.args(["--", "device"]).arg(folder).arg(stat))
}

/// The tables of what telemetry takes on the wire. Nothing in them is a time, so that it need not be optimised.
pub(crate) fn telemetry(root: &Path) -> Result<String, Failure> {
    let mut command = tool::cargo();
    let command = command
        .current_dir(root)
        .args(["bench", "--profile", "dev", "-q"]);
    tool::text(command.args(["-p", "iotsec", "--bench", "telemetry", "--", "--table"]))
}

fn peers(root: &Path, args: &[&str]) -> Command {
    let mut command = tool::cargo();
    command
        .current_dir(root)
        .args(args)
        .args(["--locked", "--manifest-path", PEERS]);
    // Distributions build SQLite like this. Without it, what it makes the device write depends on the clock.
    command.env("LIBSQLITE3_FLAGS", "-DHAVE_FDATASYNC=1");
    command
}
