//! `iotsec update encrypt` and `iotsec update decrypt`

use std::path::PathBuf;

use clap::Args;
use iotsec::core::{
    cose::{CoseError, Encrypt as Message},
    crypto::Sha256,
};
use serde_json::json;

use crate::{
    Output, Problem,
    encryption::{Cipher, Recipient, open, seal},
    file::{self, Access},
    key::{RecipientFile, hex, name},
};

#[derive(Args)]
pub(crate) struct Encrypt {
    /// The public key of a device, from `key new --kind x25519` or `p256-ecdh`; give it again for further
    /// ones, up to eight.
    #[arg(long, value_name = "PUB", required = true)]
    recipient: Vec<PathBuf>,
    /// The cipher, which is the one that the devices have.
    #[arg(long, value_enum, default_value = "a128ctr")]
    alg: Cipher,
    /// What is encrypted: the image, or what was made from it to travel.
    #[arg(long = "in", value_name = "FILE")]
    input: PathBuf,
    /// Where the payload that devices fetch goes; must not exist.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Where the encryption info (COSE_Encrypt_Tagged) goes, for the manifest; must not exist.
    #[arg(long, value_name = "FILE")]
    info: PathBuf,
}

#[derive(Args)]
pub(crate) struct Decrypt {
    /// The private key of a recipient.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The encryption info.
    #[arg(long, value_name = "FILE")]
    info: PathBuf,
    /// The payload.
    #[arg(long = "in", value_name = "FILE")]
    input: PathBuf,
    /// Where the content goes (mode 0600); must not exist.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

pub(super) fn encrypt(command: &Encrypt) -> Result<Output, Problem> {
    file::must_be_free(&command.out)?;
    file::must_be_free(&command.info)?;
    let content = file::read(&command.input)?;
    let recipients: Result<Vec<_>, _> = command
        .recipient
        .iter()
        .map(|path| Recipient::read(path))
        .collect();
    let recipients = recipients?;
    let (info, payload) = seal(&recipients, command.alg, content)?;
    file::create(&command.out, &payload, Access::Public)?;
    file::create(&command.info, &info, Access::Public)?;

    let algorithm = command.alg.name();
    let kids: Vec<String> = recipients
        .iter()
        .map(|recipient| recipient.kid().map_or("-".into(), name))
        .collect();
    let digest = hex(&Sha256::of(&[&payload]));
    Ok(Output::new(
        format!(
            "payload  {}: {} bytes, {algorithm}, SHA-256 {digest}\ninfo     {}: {} bytes, {} recipient(s), key identifiers {}\n",
            command.out.display(),
            payload.len(),
            command.info.display(),
            info.len(),
            kids.len(),
            kids.join(" "),
        ),
        json!({
            "payload": command.out,
            "payload_bytes": payload.len(),
            "payload_digest": digest,
            "info": command.info,
            "info_bytes": info.len(),
            "algorithm": algorithm,
            "recipients": recipients.len(),
        }),
    ))
}

pub(super) fn decrypt(command: &Decrypt) -> Result<Output, Problem> {
    file::must_be_free(&command.out)?;
    let key = RecipientFile::read(&command.key)?;
    let (private, kid) = (key.private()?, key.kid()?);
    let info = file::read(&command.info)?;
    let payload = file::read(&command.input)?;
    let content = open(private.as_ref(), kid.as_deref(), &info, payload).map_err(|cause| {
        let (path, remedy) = match cause {
            CoseError::Crypto(_) => (
                &command.input,
                "get payload and encryption info again: they were made together and belong together",
            ),
            CoseError::Recipient => (
                &command.info,
                "give the private key of one of the recipients, or encrypt anew to the one that you have",
            ),
            _ => (
                &command.info,
                "make the encryption info anew with `iotsec update encrypt`",
            ),
        };
        Problem::refused(path)(cause).with_remedy(remedy)
    })?;
    file::create(&command.out, &content, Access::Private)?;
    let digest = hex(&Sha256::of(&[&content]));
    let checked = Message::parse(&info).is_ok_and(|message| message.algorithm().is_authenticated());
    let note = if checked {
        ""
    } else {
        "not checked: this cipher notices no change, compare the digest with the manifest's\n"
    };
    Ok(Output::new(
        format!(
            "content  {}: {} bytes, SHA-256 {digest}\n{note}",
            command.out.display(),
            content.len()
        ),
        json!({
            "content": command.out,
            "bytes": content.len(),
            "digest": digest,
            "checked": checked,
        }),
    ))
}
