//! `iotsec`: the device maker's host tool.
#![forbid(unsafe_code)]

mod advice;
mod attest;
mod ca;
mod delta;
mod disclose;
mod encryption;
mod erased;
mod evidence;
mod file;
mod key;
mod output;
mod problem;
mod product;
mod provision;
mod published;
mod surface;
mod target;
mod telemetry;
mod time;
mod trust;
mod update;
mod validate;

use std::process::ExitCode;

use clap::{Parser, Subcommand, error::ErrorKind};

use output::{Format, Output};
use problem::Problem;

/// Signing keys, signed updates, factory batches and deletion receipts for devices that run iotsec.
///
/// Exit status: 0 when done, 1 when refused, invalid or failed (the reason is on standard error, with the
/// number that a device reports for it, and what to do), 2 when the command line is wrong. No command
/// overwrites a file.
#[derive(Parser)]
#[command(name = "iotsec", version, propagate_version = true)]
struct Cli {
    /// Write one JSON object to standard output: the result, or {"error": {number, name, message, remedy}}.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write a first product manifest.
    New(product::New),
    /// Say what is wrong with a product manifest, where, and how to mend it.
    Doctor(product::Doctor),
    /// Write what the firmware has of a product manifest, in Rust: names, identifiers, interfaces, telemetry.
    Constants(product::Constants),
    /// Write what the maker publishes about a product: security.txt, the disclosure policy, the statement of compliance,
    /// the page for consumers, the MUD file; or a bill of materials, advisories, the file of an incident.
    Disclose(disclose::Disclose),
    /// Say which provisions of EN 303 645 apply, and fill the forms of an assessment.
    #[command(subcommand)]
    Evidence(evidence::Command),
    /// Make, show, import and export signing keys (COSE_Key files).
    #[command(subcommand)]
    Key(key::Command),
    /// Make, sign, show and check update envelopes (SUIT).
    #[command(subcommand)]
    Update(update::Command),
    /// Say who may sign what: trust bundles, their rotation, freshness, downgrade tokens.
    #[command(subcommand)]
    Trust(trust::Command),
    /// Mint unique passwords in the factory, and check a batch.
    #[command(subcommand)]
    Provision(provision::Command),
    /// Issue device certificates from requests, and refuse those that do not keep to the policy.
    #[command(subcommand)]
    Ca(ca::Command),
    /// Check what devices say that they are and run.
    #[command(subcommand)]
    Attest(attest::Command),
    /// Check what devices say that they have erased.
    #[command(subcommand)]
    Erased(erased::Command),
    /// List what a product opens, and find what it opens besides.
    #[command(subcommand)]
    Surface(surface::Command),
    /// Read what devices report: decode, export, picture.
    #[command(subcommand)]
    Telemetry(telemetry::Command),
    /// Say whether an input is one that a device takes: names, addresses, numbers, documents.
    Validate(validate::Validate),
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return not_parsed(&error),
    };
    let format = if cli.json { Format::Json } else { Format::Human };
    let done = match &cli.command {
        Command::New(new) => product::new::run(new),
        Command::Doctor(doctor) => product::doctor::run(doctor),
        Command::Constants(constants) => product::constants::run(constants),
        Command::Disclose(command) => disclose::run(command),
        Command::Evidence(command) => evidence::run(command),
        Command::Key(command) => key::run(command),
        Command::Update(command) => update::run(command),
        Command::Trust(command) => trust::run(command),
        Command::Provision(command) => provision::run(command),
        Command::Ca(command) => ca::run(command),
        Command::Attest(command) => attest::run(command),
        Command::Erased(command) => erased::run(command),
        Command::Surface(command) => surface::run(command),
        Command::Telemetry(command) => telemetry::run(command),
        Command::Validate(validate) => validate::run(validate),
    };
    match done.and_then(|output| format.print(&output).map(|()| output)) {
        Ok(output) => ExitCode::from(output.exit()),
        Err(problem) => {
            format.report(&problem);
            ExitCode::from(problem.exit())
        }
    }
}

/// Help and version are no errors. A wrong command line is told to programs as any other problem is.
fn not_parsed(error: &clap::Error) -> ExitCode {
    let asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    if asked || !std::env::args_os().any(|argument| argument == "--json") {
        error.exit();
    }
    let text = error.to_string();
    let message = text
        .lines()
        .next()
        .unwrap_or_default()
        .trim_start_matches("error: ");
    let problem = Problem::usage(message, "`iotsec help COMMAND` describes every option");
    Format::Json.report(&problem);
    ExitCode::from(problem.exit())
}
