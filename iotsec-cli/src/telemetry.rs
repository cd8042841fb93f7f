//! `iotsec telemetry`: what devices report, opened, counted once, and told to people and to other systems.

mod data_map;
mod demo;
mod export;
mod picture;
mod registry;
mod source;
mod tally;

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::{Output, Problem, time::Time};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Open batches, and write one JSON object a line for each event and for what was lost.
    Decode(Decode),
    /// The same in the words of another system.
    Export(Export),
    /// Draw what a fleet reports: counts over time, detectors, devices with most losses.
    Picture(Picture),
    /// Show a registry, or turn its canonical encoding into JSON and back.
    Registry(Registry),
    /// Write what a product collects, why and for whom: a page for consumers, and JSON.
    DataMap(DataMap),
    /// Sum anonymous reports of a metric: an estimate with its standard error where devices noise, a sum of shares of Prio3.
    Tally(Tally),
    /// Write what a small fleet of lamps would send in a day, with a registry and keys, to try the others.
    Demo(Demo),
}

/// Where batches come from.
#[derive(Args)]
pub(crate) struct Source {
    /// A registry, as the device's build wrote it, or in JSON; may be given more than once.
    #[arg(long, value_name = "FILE", required = true)]
    registry: Vec<PathBuf>,
    /// The telemetry key of the only device: 32 bytes, or 64 hexadecimal digits.
    #[arg(
        long,
        value_name = "FILE",
        required_unless_present_any = ["keys", "service_keys"],
        conflicts_with = "keys"
    )]
    key: Option<PathBuf>,
    /// The telemetry keys of many: on each line the name of a device and 64 hexadecimal digits.
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    /// A private key of the service, whose public half devices seal to: a file of `iotsec key new --kind x25519` or
    /// `--kind p256-ecdh`, with a --kid of 8 bytes by which devices name it; may be given more than once. Without --key
    /// and --keys every device is taken for known.
    #[arg(long = "service-key", value_name = "FILE")]
    service_keys: Vec<PathBuf>,
    /// The cipher that devices seal to those keys with.
    #[arg(long, value_enum, default_value = "chacha20-poly1305")]
    service_cipher: ServiceCipher,
    /// The device that all batches come from, in place of the name of the folder that each lies in.
    #[arg(long, value_name = "NAME")]
    device: Option<String>,
    /// When the batches arrived: a date, or seconds since 1970. When each file was last changed, if it is not given.
    #[arg(long, value_name = "TIME")]
    received: Option<Time>,
    /// Batches, each a file; of a folder, all files in it and below, by name.
    #[arg(required = true, value_name = "BATCH")]
    batches: Vec<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ServiceCipher {
    /// ChaCha20-Poly1305.
    #[value(name = "chacha20-poly1305")]
    ChaCha20Poly1305,
    /// AES-128-GCM.
    #[value(name = "aes-128-gcm")]
    Aes128Gcm,
}

/// What outlives a run.
#[derive(Args)]
pub(crate) struct Memory {
    /// Remember here which events came, for the next run: they then count once over all runs. It is made if it is not
    /// there, and replaced as a whole once everything else is done; one run at a time.
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Decode {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    memory: Memory,
}

#[derive(Args)]
pub(crate) struct Export {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    memory: Memory,
    /// In which words.
    #[arg(long, value_enum)]
    format: ExportFormat,
    /// Write it here, in place of standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// For syslog: the identifier of the structured data, with the private enterprise number of the maker.
    #[arg(long, value_name = "NAME@NUMBER", default_value = "iotsec@32473")]
    structured_data: String,
    /// For aws: the number of the report, which grows from one to the next. Now in seconds, if it is not given.
    #[arg(long, value_name = "N")]
    report_id: Option<u64>,
    /// For aws: short names.
    #[arg(long)]
    short: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum ExportFormat {
    /// One JSON object a line.
    Json,
    /// OpenTelemetry logs: the body of a request to /v1/logs.
    Otlp,
    /// Open Cybersecurity Schema Framework 1.6.0, one event a line; security events only.
    Ocsf,
    /// RFC 5424, one message a line.
    Syslog,
    /// AWS IoT Device Defender, one report a line for each device; security events only.
    Aws,
}

#[derive(Args)]
pub(crate) struct Picture {
    #[command(flatten)]
    source: Source,
    /// Columns of the picture: those that COLUMNS says, or 80.
    #[arg(long, value_name = "N")]
    width: Option<usize>,
    /// With which characters.
    #[arg(long, value_enum, default_value = "auto")]
    style: Style,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Style {
    /// Blocks where the locale has them.
    Auto,
    /// Blocks.
    Unicode,
    /// ASCII alone.
    Ascii,
}

#[derive(Args)]
pub(crate) struct Registry {
    /// The registry.
    registry: PathBuf,
    /// Write it here, in the other form: JSON for the canonical encoding, and the canonical encoding for JSON.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct DataMap {
    /// The registry.
    #[arg(long, value_name = "FILE")]
    registry: PathBuf,
    /// The product, as consumers know it.
    #[arg(long, value_name = "NAME")]
    product: String,
    /// Write the page here, in HTML.
    #[arg(long, value_name = "FILE")]
    page: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Tally {
    /// The registry that declares the metric, with its epsilon.
    #[arg(long, value_name = "FILE")]
    registry: PathBuf,
    /// The metric, by its name or number.
    #[arg(long, value_name = "METRIC")]
    metric: String,
    /// Reports below which there is no result; 20 at least.
    #[arg(long, value_name = "N", default_value = "1000")]
    minimum: u64,
    /// For shares: the context that devices split with.
    #[arg(long, value_name = "TEXT")]
    context: Option<String>,
    /// Reports as the collector opened them: a file for each, or a file with one in hexadecimal digits on each line; of
    /// a folder, all files in it and below. Shares stand on a line as nonce, public share or `-`, and both input shares.
    /// Each report counts once.
    #[arg(required = true, value_name = "REPORT")]
    reports: Vec<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Demo {
    /// A folder that does not exist.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The end of the day: a date, or seconds since 1970. The last full hour, if it is not given.
    #[arg(long, value_name = "TIME")]
    end: Option<Time>,
}

pub(crate) fn run(command: &Command) -> Result<Output, Problem> {
    match command {
        Command::Decode(decode) => export::decode(decode),
        Command::Export(export) => export::run(export),
        Command::Picture(picture) => picture::run(picture),
        Command::Registry(registry) => registry::run(registry),
        Command::DataMap(map) => data_map::run(map),
        Command::Tally(tally) => tally::run(tally),
        Command::Demo(demo) => demo::run(demo),
    }
}

iotsec::core::claim! {
    provisions: ["5.10-1"],
    claims: "A picture of what a fleet reports shows an attack, and who lost how many events",
    tool: "iotsec telemetry picture",
    tests: ["iotsec-cli::cli::telemetry::a_picture_shows_an_attack_and_who_lost_what_in_eighty_columns"],
}

iotsec::core::claim! {
    provisions: ["6-4", "6-5"],
    claims: "A data map made of the registry says what is collected and why, and counts what it does not say",
    tool: "iotsec telemetry data-map",
    tests: [
        "iotsec-cli::cli::telemetry::a_registry_goes_into_json_and_back_and_a_data_map_comes_from_it",
        "iotsec-telemetry::iotsec_telemetry::data_map::tests::what_is_not_said_is_a_gap_that_is_seen",
    ],
}
