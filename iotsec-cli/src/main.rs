//! `iotsec`: the device maker's host tool.
#![forbid(unsafe_code)]

mod file;
mod key;
mod problem;
mod provision;
mod published;
mod target;
mod update;

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use clap::{Parser, Subcommand};

use problem::Problem;

/// Signing keys, signed updates and factory batches for devices that run iotsec.
///
/// Exit status: 0 when done, 1 when refused or failed (the reason is on standard error, with the number
/// that a device reports for it), 2 when the command line is wrong. No command overwrites a file.
#[derive(Parser)]
#[command(name = "iotsec", version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make and show signing keys (COSE_Key files).
    #[command(subcommand)]
    Key(key::Command),
    /// Make, show and check update envelopes (SUIT).
    #[command(subcommand)]
    Update(update::Command),
    /// Mint unique passwords in the factory, and check a batch.
    #[command(subcommand)]
    Provision(provision::Command),
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Key(command) => key::run(&command),
        Command::Update(command) => update::run(&command),
        Command::Provision(command) => provision::run(&command),
    };
    match done.and_then(|report| print(&report)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("iotsec: {problem}");
            ExitCode::FAILURE
        }
    }
}

/// Writes the report to standard output; a reader that has seen enough (`| head`) is no failure.
fn print(report: &str) -> Result<(), Problem> {
    let mut out = io::stdout().lock();
    let written = out.write_all(report.as_bytes()).and_then(|()| out.flush());
    match written {
        Err(cause) if cause.kind() != io::ErrorKind::BrokenPipe => Err(Problem::File {
            path: "standard output".into(),
            cause,
        }),
        _ => Ok(()),
    }
}
