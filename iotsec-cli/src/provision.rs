//! Factory batches. README.md describes the files of a batch and of the station.

mod batch;
mod device_key;
mod entry;
mod export;
mod folder;
mod labels;
mod meter;
mod mint;
pub(crate) mod registry;
mod reprint;
mod sealed;
mod side_by_side;
pub(crate) mod station;
mod statistics;
mod unit;
mod unseal;
mod verify;

use clap::Subcommand;

use crate::{Output, Problem};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Mint unique passwords, set-up codes and device keys for a run of serial numbers.
    ///
    /// The directory gets manifest.cbor (signed, without secrets), labels.sealed and devices.sealed
    /// (encrypted to their recipients). A run that was interrupted goes on when the same command is given
    /// again, and no unit is minted twice or left out.
    Batch(batch::New),
    /// Check a batch and say clause by clause why its passwords are lawful.
    ///
    /// With labels.csv, or labels.sealed and the key that opens it, passwords and set-up codes are checked
    /// one by one and counted; otherwise the manifest alone.
    Verify(verify::Verify),
    /// Decrypt labels.sealed or devices.sealed into a CSV file (mode 0600).
    Unseal(unseal::Unseal),
    /// Write labels and QR codes of a batch: SVG, PNG and plain text for each unit (mode 0600).
    ///
    /// The QR code is the SDK's label text, with the fingerprint of the device key, or that of Matter where the
    /// product has it. Error correction is M or better, and four white modules surround it. A run that was
    /// interrupted goes on when the same command is given again.
    Labels(labels::Labels),
    /// Write the device data of a batch in the formats of programming lines (mode 0600).
    ///
    /// A run that was interrupted goes on when the same command is given again.
    Export(export::Export),
    /// Print the password of one unit again, where passwords are derived.
    Reprint(reprint::Reprint),
}

const MANIFEST: &str = "manifest.cbor";
const LABELS: &str = "labels.sealed";
const DEVICES: &str = "devices.sealed";
const PLAIN: &str = "labels.csv";
const SIGNER: &str = "signer.pub";
/// Those that grow with the batch.
const FILES: [&str; 4] = [MANIFEST, LABELS, DEVICES, PLAIN];
const LABELS_HEAD: &str = "serial,password,setup_code\n";
const DEVICES_HEAD: &str = "serial,password,setup_code,device_seed,certificate\n";
/// Units that reach the disk together: what a run that is killed mints again.
const CHUNK: u32 = 1024;

pub(crate) fn run(command: &Command) -> Result<Output, Problem> {
    match command {
        Command::Batch(new) => batch::batch(new),
        Command::Verify(command) => verify::verify(command),
        Command::Unseal(command) => unseal::unseal(command),
        Command::Export(command) => export::export(command),
        Command::Labels(command) => labels::labels(command),
        Command::Reprint(command) => reprint::reprint(command),
    }
}

iotsec::core::claim! {
    provisions: ["5.1-1", "5.1-2", "5.4-4"],
    claims: "Three thousand units of a batch have passwords, set-up codes and keys of their own, and statistics over them raise no alarm",
    tool: "iotsec provision batch",
    tests: ["iotsec-cli::cli::provision::three_thousand_units_are_minted_and_every_clause_holds"],
}

iotsec::core::claim! {
    provisions: ["5.4-4"],
    claims: "Statistics over a batch raise the alarm on bias, counters, drift and beginnings that repeat",
    tool: "iotsec provision verify",
    tests: [
        "iotsec-cli::iotsec::provision::statistics::tests::bias_counters_and_drift_raise_the_alarm",
        "iotsec-cli::iotsec::provision::statistics::tests::beginnings_that_repeat_too_often_raise_the_alarm",
        "iotsec-cli::iotsec::provision::statistics::tests::what_is_uniform_raises_no_alarm",
    ],
}

iotsec::core::claim! {
    provisions: ["5.3-16"],
    claims: "The label of each unit shows maker, model and serial number, in letters and as a QR code",
    tool: "iotsec provision labels",
    tests: ["iotsec-cli::cli::labels::every_qr_code_says_what_the_manifest_and_the_label_say"],
}
