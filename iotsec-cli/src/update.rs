//! Update envelopes.

mod commands;
mod create;
mod delta;
mod diagnostic;
mod encrypt;
mod inspect;
mod judge;
mod outer;
mod parameter;
mod parts;
mod payload;
mod plan;
mod room;
mod sign;
pub(crate) mod signature;
mod token;
mod verify;

use std::path::PathBuf;

use clap::Subcommand;

use crate::{Output, Problem};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make an envelope that updates one or several components, signed or to be signed elsewhere.
    ///
    /// Before it is written it is authenticated and admitted as a device would.
    Create(Box<create::Create>),
    /// Add signatures: by key files, by a PKCS #11 token, or made elsewhere.
    ///
    /// For a signer elsewhere, --vector-to-sign writes the bytes to sign, and --signature takes what came
    /// back. Every signature is verified before anything is written.
    Sign(sign::Sign),
    /// Show what is in an envelope, authentic or not.
    Inspect {
        /// The envelope.
        file: PathBuf,
    },
    /// Judge an envelope as a device would: authenticate, admit, and check the payloads.
    Verify(verify::Verify),
    /// Show what a device would do with an envelope, step by step, or which rule makes it refuse.
    Plan(plan::Plan),
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

pub(crate) fn run(command: &Command) -> Result<Output, Problem> {
    match command {
        Command::Create(create) => create::run(create),
        Command::Sign(sign) => sign::run(sign),
        Command::Inspect { file } => inspect::run(file),
        Command::Verify(verify) => verify::run(verify),
        Command::Delta(make) => delta::make(make),
        Command::Compress(compress) => delta::compress(compress),
        Command::Apply(apply) => delta::apply(apply),
        Command::Encrypt(command) => encrypt::encrypt(command),
        Command::Decrypt(command) => encrypt::decrypt(command),
        Command::Plan(plan) => plan::run(plan),
    }
}
