//! Inputs: corpora that others collected, and random ones that Python judges.

mod cases;
mod corpora;
mod documents;

use std::collections::BTreeMap;

use iotsec::core::{
    cbor::{self, CborError},
    error::ErrorCode,
    input::{
        Email, Encoding, Host, Hostname, InputError, Ipv4, Ipv6, MacAddr, SemVer, Url,
        json::{self, Limits},
    },
};

use super::{Place, venv::Venv};
use crate::tool::Failure;

/// Packages of the Python side.
pub(super) const PEERS: &[&str] = &[
    "cbor2==6.3.0",
    "jsonschema==4.26.0",
    "pycddl==0.6.4",
    "semver==3.0.4",
];

const CBOR: cbor::Limits = cbor::Limits {
    depth: 16,
    items: u16::MAX,
    bytes: 1 << 20,
};

pub(super) fn check(place: &Place, python: &Venv) -> Result<(), Failure> {
    documents::check(place, python)?;
    cases::check(place, python)?;
    corpora::check(place)
}

/// What our parser of this kind says: the number of its error.
fn judge(kind: &str, input: &[u8]) -> Result<(), u16> {
    let text = |result: Result<(), InputError>| result.map_err(|error| error.code());
    match kind {
        "json" => text(json::check(input, &Limits::LARGE)),
        "cbor" => cbor::check(input, &CBOR).map_err(|error: CborError| error.code()),
        "hostname" => text(Hostname::parse(input).map(drop)),
        "host" => text(Host::parse(input).map(drop)),
        "ipv4" => text(Ipv4::parse(input).map(drop)),
        "ipv6" => text(Ipv6::parse(input).map(drop)),
        "mac" => text(MacAddr::parse(input).map(drop)),
        "email" => text(Email::parse(input).map(drop)),
        "url" => text(Url::parse(input).map(drop)),
        "semver" => text(SemVer::parse(input).map(drop)),
        "hex" => text(decode(Encoding::Hex, input)),
        "base32" => text(decode(Encoding::Base32, input)),
        "base64" => text(decode(Encoding::Base64, input)),
        "base64url" => text(decode(Encoding::Base64Url, input)),
        _ => Err(0),
    }
}

fn decode(encoding: Encoding, input: &[u8]) -> Result<(), InputError> {
    encoding.decode(input, &mut vec![0; input.len()]).map(drop)
}

/// Fails unless each reason for a disagreement is known and has been seen as often as it is known.
fn compare(
    what: &str,
    seen: &BTreeMap<String, usize>,
    known: &[(&str, usize, &str)],
    examples: &BTreeMap<String, String>,
) -> Result<(), Failure> {
    let expected: BTreeMap<String, usize> = known
        .iter()
        .map(|(reason, count, _)| ((*reason).to_owned(), *count))
        .collect();
    for (reason, count, why) in known {
        println!("  {count:5}  {reason}: {why}");
    }
    if *seen == expected {
        return Ok(());
    }
    let changed: Vec<String> = seen
        .iter()
        .filter(|(reason, count)| expected.get(*reason) != Some(count))
        .map(|(reason, count)| {
            let example = examples.get(reason).map_or("", String::as_str);
            format!("{reason}: {count}, such as {example}")
        })
        .collect();
    Err(format!("{what}: disagreements that are not known: {changed:#?}, known: {expected:#?}").into())
}
