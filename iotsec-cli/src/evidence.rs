//! `iotsec evidence`: what an assessment under EN 303 645 asks for.

mod cargo;
mod ctest;
mod forms;
mod report;
mod run;
mod signed;

use clap::{Subcommand, ValueEnum};
use iotsec_evidence::catalogue::Edition;

use crate::{Output, Problem};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Say which provisions apply, and why the others do not.
    Applies(forms::Form),
    /// Fill the implementation conformance statement; exit status 1 while a line of it is open.
    Ics(forms::Form),
    /// Fill the 29 tables of extra information for testing.
    Ixit(forms::Form),
    /// Find out what is shown of a firmware: read which code it has, run the tests that claims name, and sign what was
    /// found; exit status 1 while something is not shown.
    Run(run::Run),
    /// Run the tests that claims of the SDK name, and sign how they ended, for products to inherit.
    Component(run::Component),
    /// Write reports of a signed record: pages, JSON, JUnit, SARIF, CycloneDX attestations.
    Report(report::Report),
    /// Say what changed between two signed records, or between the two editions of the standard.
    Delta(report::Delta),
}

#[derive(Clone, Copy, ValueEnum)]
enum EditionName {
    /// V2.1.1 (2020-06), which the law of the United Kingdom names.
    V2,
    /// V3.1.3 (2024-09).
    V3,
}

impl From<EditionName> for Edition {
    fn from(name: EditionName) -> Self {
        match name {
            EditionName::V2 => Self::V2_1_1,
            EditionName::V3 => Self::V3_1_3,
        }
    }
}

pub(crate) fn run(command: &Command) -> Result<Output, Problem> {
    match command {
        Command::Applies(form) => forms::applies(form),
        Command::Ics(form) => forms::ics(form),
        Command::Ixit(form) => forms::tables(form),
        Command::Run(run) => run::product(run),
        Command::Component(component) => run::component(component),
        Command::Report(report) => report::write(report),
        Command::Delta(delta) => report::delta(delta),
    }
}
