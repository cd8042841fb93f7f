//! `iotsec erased`: receipts of devices that have erased.

use std::{fmt::Write as _, path::PathBuf};

use clap::{Args, Subcommand};
use iotsec::{
    core::crypto::Sha256,
    erase::{Erased, ErasedReceipt, Reason, Scope},
};
use serde_json::{Value, json};

use crate::{
    Output, Problem, file,
    key::{KeyFile, hex, unhex_all},
    time::Time,
};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Check a deletion receipt, and say what it proves and what it does not.
    Verify(Verify),
}

#[derive(Args)]
pub(crate) struct Verify {
    /// The receipt, as the device gave it.
    receipt: PathBuf,
    /// The identity key that the factory enrolled for this device; its public half is enough.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// What the device was asked with, in hexadecimal. Without it a receipt may be a copy of any age.
    #[arg(long, value_name = "HEX", value_parser = nonce)]
    nonce: Option<Nonce>,
}

/// A nonce from the command line.
#[derive(Clone, Debug)]
struct Nonce(Vec<u8>);

fn nonce(text: &str) -> Result<Nonce, &'static str> {
    const WRONG: &str = "a nonce has 8 to 64 bytes, in hexadecimal";
    let bytes = unhex_all(text).filter(|bytes| Erased::NONCE_LEN.contains(&bytes.len()));
    bytes.map(Nonce).ok_or(WRONG)
}

pub(crate) fn run(command: &Command) -> Result<Output, Problem> {
    let Command::Verify(verify) = command;
    let bytes = file::read(&verify.receipt)?;
    let key = KeyFile::read(&verify.key)?.anchor()?;
    let nonce = verify.nonce.as_ref().map(|nonce| nonce.0.as_slice());
    let receipt = Erased::verify(&bytes, key.as_ref(), nonce, &mut Sha256::new())
        .map_err(Problem::refused(&verify.receipt))?;
    let (proves, not) = meaning(receipt.erased(), nonce.is_some());
    let mut human = format!("{}: genuine\n", verify.receipt.display());
    for (title, text) in rows(&receipt) {
        let _ = writeln!(human, "{title:<10} {text}");
    }
    for (title, lines) in [("it proves", &proves), ("it does not prove", &not)] {
        let _ = writeln!(human, "{title}");
        for line in lines {
            let _ = writeln!(human, "- {line}");
        }
    }
    Ok(Output::new(human, object(&receipt, &proves, &not)))
}

iotsec::core::claim! {
    provisions: ["5.11-4"],
    claims: "A deletion receipt is shown with what it proves and what it does not, and refused where it is not genuine",
    tool: "iotsec erased verify",
    tests: [
        "iotsec-cli::cli::erased::a_receipt_is_shown_with_what_it_proves",
        "iotsec-cli::cli::erased::what_is_not_genuine_is_refused_with_its_number",
    ],
}

fn rows(receipt: &ErasedReceipt<'_>) -> Vec<(&'static str, String)> {
    let erased = receipt.erased();
    let time = erased
        .time
        .map_or("not known to the device".into(), |time| Time(time.0).to_string());
    let uptime = erased.uptime.map(|uptime| {
        let seconds = uptime.0 / 1000;
        format!(", {seconds} s after its begin")
    });
    let nonce = erased.nonce.map_or("none".into(), hex);
    let scrubbed = if erased.scrubbed {
        "yes, even the ciphertext is gone"
    } else {
        "not finished when this was signed"
    };
    vec![
        ("device", hex(receipt.device())),
        ("reason", reason(erased.reason).1.into()),
        ("scope", scope(&erased.scope)),
        ("values", erased.values.to_string()),
        ("scrubbed", scrubbed.into()),
        ("erasure", format!("number {} of this device", erased.erasures)),
        ("time", time),
        ("boot", format!("{}{}", erased.boot, uptime.unwrap_or_default())),
        ("nonce", nonce),
    ]
}

/// For programs, and for people.
fn reason(reason: Reason) -> (&'static str, &'static str) {
    match reason {
        Reason::Reset => ("reset", "reset: the owner gave the device up"),
        Reason::Transfer => (
            "transfer",
            "transfer: it is claimed with another code than before",
        ),
        Reason::Retirement => ("retirement", "retirement: out of service for good"),
        Reason::Request => ("request", "the owner asked for it"),
        _ => ("other", "not known to this release"),
    }
}

fn scope(scope: &Scope<'_>) -> String {
    match scope {
        Scope::User => "everything of the owner's".into(),
        Scope::Device => "everything of the owner's, and every secret of the device".into(),
        Scope::Namespaces(list) => {
            let list: Vec<String> = list.iter().map(u8::to_string).collect();
            format!("namespaces {} of the owner's data", list.join(", "))
        }
        _ => "not known to this release".into(),
    }
}

/// What the receipt proves, and what it does not.
fn meaning(erased: &Erased<'_>, asked: bool) -> (Vec<&'static str>, Vec<&'static str>) {
    let mut proves = vec!["the device that holds this key said so, and nobody has changed a byte of it"];
    let mut not = Vec::new();
    if asked {
        proves.push("it was signed after the nonce was given");
    } else {
        not.push("that it is new: without --nonce it may be a copy of any age");
    }
    if erased.reason == Reason::Retirement {
        proves.push("the device had bound itself to erase everything, and can do nothing else since");
        not.push("that it has finished: it was signed before its key was destroyed");
    } else if !erased.scrubbed {
        not.push("that the ciphertext is gone: its key was destroyed, its pages were still to be erased");
    }
    not.push("that the firmware does what it says: that is for attestation to show");
    not.push("that no copy is left elsewhere, in a service or on a telephone");
    (proves, not)
}

fn object(receipt: &ErasedReceipt<'_>, proves: &[&str], not: &[&str]) -> Value {
    let erased = receipt.erased();
    let (scope, namespaces) = match erased.scope {
        Scope::User => ("user", None),
        Scope::Device => ("device", None),
        Scope::Namespaces(list) => ("namespaces", Some(list)),
        _ => ("other", None),
    };
    json!({
        "genuine": true,
        "device": hex(receipt.device()),
        "reason": reason(erased.reason).0,
        "scope": scope,
        "namespaces": namespaces,
        "values": erased.values,
        "scrubbed": erased.scrubbed,
        "erasures": erased.erasures,
        "time": erased.time.map(|time| time.0),
        "boot": erased.boot,
        "uptime_ms": erased.uptime.map(|uptime| uptime.0),
        "nonce": erased.nonce.map(hex),
        "proves": proves,
        "does_not_prove": not,
    })
}
