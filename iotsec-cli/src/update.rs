//! Update envelopes.

mod commands;
mod create;
mod delta;
mod diagnostic;
mod encrypt;
mod inspect;
mod verify;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use iotsec::update::Limits;

use crate::{Output, Problem, target::Component, target::Target};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make a signed envelope that updates one component.
    ///
    /// Before it is written it is authenticated and admitted as a device would.
    Create(Create),
    /// Show what is in an envelope, authentic or not.
    Inspect {
        /// The envelope.
        file: PathBuf,
    },
    /// Judge an envelope as a device would: authenticate, admit, and check the payload.
    Verify(Verify),
    /// Make a patch that turns the image that devices run into the one that they get.
    ///
    /// The format is that of detools' sequential patches. Before it is written it is applied as a device
    /// would.
    Delta(delta::MakeDelta),
    /// Compress an image with heatshrink.
    Compress(delta::Compress),
    /// Apply a patch, as a device would.
    Apply(delta::Apply),
    /// Encrypt a payload to devices.
    ///
    /// The key of the content is fresh each time. `update create` takes both files, as --transport and
    /// --encryption-info. Encryption keeps an image from being read; it is the signature that counts.
    Encrypt(encrypt::Encrypt),
    /// Decrypt a payload as a device does, to test what was encrypted.
    Decrypt(encrypt::Decrypt),
}

#[derive(Args)]
pub(crate) struct Create {
    #[command(flatten)]
    target: Target,
    /// Number that orders updates against rollback: above that of every earlier release.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    sequence: u64,
    /// The image.
    #[arg(long, value_name = "FILE")]
    payload: PathBuf,
    #[command(flatten)]
    place: Place,
    /// The component: its name's parts in hexadecimal, joined by slashes.
    #[arg(long, value_name = "HEX", default_value = "00")]
    component: Component,
    /// A private key that signs; give it again for further signers.
    #[arg(long, value_name = "FILE", required = true)]
    key: Vec<PathBuf>,
    #[command(flatten)]
    room: Room,
    /// Where the envelope goes; must not exist.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Where devices find the payload.
#[derive(Args)]
#[group(required = true, multiple = false)]
struct Place {
    /// Devices fetch the payload from here.
    #[arg(long)]
    uri: Option<String>,
    /// The envelope carries the payload.
    #[arg(long)]
    integrated: bool,
}

#[derive(Args)]
struct Room {
    /// Bytes of integrated payloads that the device has room for.
    #[arg(long, value_name = "BYTES", default_value_t = Limits::DEFAULT.integrated)]
    max_integrated: u32,
}

impl Room {
    fn limits(&self) -> Limits {
        Limits {
            integrated: self.max_integrated,
            ..Limits::DEFAULT
        }
    }
}

#[derive(Args)]
pub(crate) struct Verify {
    /// The envelope.
    file: PathBuf,
    /// A trusted key; give it again for further ones.
    #[arg(long, value_name = "PUB", required = true)]
    key: Vec<PathBuf>,
    /// How many of the trusted keys must have signed.
    #[arg(long, value_name = "K", default_value_t = 1)]
    threshold: u8,
    #[command(flatten)]
    target: Target,
    /// A component that the device has, as in `update create`; give it again for further ones.
    #[arg(long, value_name = "HEX", default_value = "00")]
    component: Vec<Component>,
    /// Bytes of the largest image that the device has room for.
    #[arg(long, value_name = "BYTES", default_value_t = u32::MAX)]
    capacity: u32,
    /// The sequence number that is installed; 0 is a device fresh from the factory.
    #[arg(long, value_name = "SEQ", default_value_t = 0)]
    installed: u64,
    /// The payload that devices fetch; one that the envelope carries is always checked.
    #[arg(long, value_name = "FILE")]
    payload: Option<PathBuf>,
    #[command(flatten)]
    room: Room,
}

pub(crate) fn run(command: &Command) -> Result<Output, Problem> {
    match command {
        Command::Create(create) => create::run(create),
        Command::Inspect { file } => inspect::run(file),
        Command::Verify(verify) => verify::run(verify),
        Command::Delta(make) => delta::make(make),
        Command::Compress(compress) => delta::compress(compress),
        Command::Apply(apply) => delta::apply(apply),
        Command::Encrypt(command) => encrypt::encrypt(command),
        Command::Decrypt(command) => encrypt::decrypt(command),
    }
}
