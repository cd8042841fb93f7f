//! `iotsec attest`: what devices say that they are and run.

use std::{fmt::Write as _, path::PathBuf};

use clap::{Args, Subcommand};
use iotsec::core::{
    attest::{Component, Evidence, Nonce, Token},
    crypto::Sha256,
};
use serde_json::{Value, json};

use crate::{
    Output, Problem, file,
    key::{KeyFile, hex, unhex_all},
    product,
};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Check an attestation token (RFC 9711, RFC 9783), and say what it claims.
    Verify(Verify),
}

#[derive(Args)]
pub(crate) struct Verify {
    /// The token, as the device gave it.
    token: PathBuf,
    /// The identity key that the factory enrolled for this device; its public half is enough.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// What the device was asked with, in hexadecimal: 32, 48 or 64 bytes.
    #[arg(long, value_name = "HEX", value_parser = nonce)]
    nonce: Asked,
    /// The product manifest that the firmware must have been built from.
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,
}

/// A nonce from the command line.
#[derive(Clone, Debug)]
struct Asked(Vec<u8>);

fn nonce(text: &str) -> Result<Asked, &'static str> {
    const WRONG: &str = "a nonce has 32, 48 or 64 bytes, in hexadecimal";
    let bytes = unhex_all(text).filter(|bytes| Nonce::new(bytes).is_ok());
    bytes.map(Asked).ok_or(WRONG)
}

pub(crate) fn run(command: &Command) -> Result<Output, Problem> {
    let Command::Verify(verify) = command;
    let bytes = file::read(&verify.token)?;
    let key = KeyFile::read(&verify.key)?.anchor()?;
    let refused = Problem::refused(&verify.token);
    let nonce = Nonce::new(&verify.nonce.0).map_err(&refused)?;
    let token = Token::parse(&bytes).map_err(&refused)?;
    let mut scratch = vec![0; bytes.len() + 128];
    let evidence = token
        .verify(key.as_ref(), nonce, &mut Sha256::new(), &mut scratch)
        .map_err(&refused)?;
    let manifest = match &verify.manifest {
        None => None,
        Some(path) => Some(built_from(path, &evidence)?),
    };
    let mut human = format!("{}: genuine\n", verify.token.display());
    for (title, text) in rows(&evidence) {
        let _ = writeln!(human, "{title:<10} {text}");
    }
    if let Some(digest) = &manifest {
        let _ = writeln!(
            human,
            "{:<10} the firmware was built from it ({})",
            "manifest",
            hex(digest)
        );
    }
    Ok(Output::new(human, object(&evidence, manifest.as_ref())))
}

/// The digest of the product manifest, if the token says so.
fn built_from(path: &std::path::Path, evidence: &Evidence<'_>) -> Result<[u8; 32], Problem> {
    let digest = product::read(path)?.digest;
    let said = evidence.product();
    if said.is_some_and(|product| product.digest == digest) {
        return Ok(digest);
    }
    let message = match said {
        Some(product) => format!(
            "the firmware was built from the product manifest {}, and {} is {}",
            hex(product.digest),
            path.display(),
            hex(&digest)
        ),
        None => "the token does not say which product manifest the firmware was built from".into(),
    };
    Err(Problem::new(
        "another-manifest",
        message,
        "take the manifest of that release; a firmware says it with Component::product and MANIFEST_SHA256",
    ))
}

fn rows(evidence: &Evidence<'_>) -> Vec<(&'static str, String)> {
    let trusted = if evidence.lifecycle().is_trustworthy() {
        "secured, the debug port closed"
    } else {
        "not to be trusted: not secured, or a debug port is open"
    };
    let mut rows = vec![
        ("device", hex(evidence.instance_id().as_bytes())),
        ("hardware", hex(evidence.implementation_id())),
        ("life", trusted.into()),
    ];
    rows.extend(
        evidence
            .components()
            .map(|component| ("component", about(&component))),
    );
    rows
}

fn about(component: &Component<'_>) -> String {
    format!(
        "{} {} {}, signed by {}",
        component.role.unwrap_or("–"),
        component.version.unwrap_or("–"),
        hex(component.digest),
        hex(component.signer)
    )
}

fn object(evidence: &Evidence<'_>, manifest: Option<&[u8; 32]>) -> Value {
    let components = evidence.components().map(|component| {
        json!({
            "role": component.role,
            "version": component.version,
            "digest": hex(component.digest),
            "signer": hex(component.signer),
        })
    });
    json!({
        "genuine": true,
        "device": hex(evidence.instance_id().as_bytes()),
        "hardware": hex(evidence.implementation_id()),
        "trustworthy": evidence.lifecycle().is_trustworthy(),
        "components": components.collect::<Vec<_>>(),
        "manifest": manifest.map(|digest| hex(digest)),
    })
}
