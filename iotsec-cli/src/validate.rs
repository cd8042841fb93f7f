//! `iotsec validate`: what a device would make of an input.

use std::{
    env,
    ffi::OsString,
    io::{self, Read as _},
    path::Path,
};

use clap::{Args, ValueEnum};
use iotsec::core::{
    cbor::{self, CborError},
    input::{
        DeviceSerial, Email, Encoding, Host, Hostname, InputError, Ipv4, Ipv6, Label, MacAddr, MqttFilter,
        MqttTopic, Port, Psk, Ranged, SemVer, Ssid, TimeZone, Url, ZoneName, json,
    },
};
use serde_json::json;

use crate::{Output, Problem};

/// Bytes that are read at most, of any kind of input.
const MAX_BYTES: u64 = 1 << 20;
/// What the checker can follow.
const CBOR: cbor::Limits = cbor::Limits {
    depth: 16,
    items: u16::MAX,
    bytes: 1 << 20,
};

#[derive(Args)]
pub(crate) struct Validate {
    /// What it should be.
    kind: Kind,
    /// The input itself; `-`, or nothing, reads standard input to its end, a line break at the end included.
    value: Option<OsString>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    /// The name of a Wi-Fi network.
    Ssid,
    /// The key of a Wi-Fi network.
    Psk,
    /// A host name.
    Hostname,
    /// A host name, an IPv4 address, or an IPv6 address in brackets.
    Host,
    /// An IPv4 address.
    Ipv4,
    /// An IPv6 address.
    Ipv6,
    /// The address of a network interface.
    Mac,
    /// The number of a port.
    Port,
    /// A URL of a scheme with encryption.
    Url,
    /// The name of an MQTT topic.
    MqttTopic,
    /// A filter of MQTT topics.
    MqttFilter,
    /// The address of a mailbox.
    Email,
    /// Rules of local time, as in TZ.
    TimeZone,
    /// The name of a time zone that this machine knows; TZDIR says where they are.
    ZoneName,
    /// A version.
    Semver,
    /// The serial number of a device.
    Serial,
    /// A name that people give: at most 64 bytes.
    Label,
    /// Bytes in hexadecimal.
    Hex,
    /// Bytes in base 32.
    Base32,
    /// Bytes in base 64.
    Base64,
    /// Bytes in the base 64 of URLs.
    Base64url,
    /// A 64-bit integer.
    Integer,
    /// A JSON document of at most 1 MiB.
    Json,
    /// A CBOR item in deterministic encoding, of at most 1 MiB.
    Cbor,
}

pub(crate) fn run(validate: &Validate) -> Result<Output, Problem> {
    let input = match &validate.value {
        Some(value) if value != "-" => value.as_encoded_bytes().to_vec(),
        _ => {
            let mut input = Vec::new();
            let stdin = io::stdin().lock();
            // One byte more than any kind may have.
            stdin
                .take(MAX_BYTES + 1)
                .read_to_end(&mut input)
                .map_err(|cause| Problem::file(Path::new("standard input"), &cause))?;
            input
        }
    };
    let kind = validate.kind.to_possible_value();
    let kind = kind.as_ref().map_or("input", |kind| kind.get_name());
    check(validate.kind, &input).map_err(|refusal| {
        let (problem, offset) = match refusal {
            Refusal::Input(cause) => (
                Problem::coded(format!("not a valid {kind}: {cause}"), &cause),
                cause.offset,
            ),
            Refusal::Cbor(cause) => (
                Problem::coded(format!("not a valid {kind}: {cause}"), &cause),
                cause.offset(),
            ),
        };
        problem.with_offset(offset)
    })?;
    let bytes = input.len();
    Ok(Output::new(
        format!("valid {kind}, {bytes} bytes\n"),
        json!({ "kind": kind, "bytes": bytes, "valid": true }),
    ))
}

iotsec::core::claim! {
    provisions: ["5.13-1A", "5.13-1B"],
    claims: "For every kind of input the tool tells what a device takes from what it refuses, and at which byte",
    tool: "iotsec validate",
    tests: [
        "iotsec-cli::cli::validate::every_kind_has_inputs_that_are_one_and_others_that_are_not",
        "iotsec-cli::cli::validate::hostile_inputs_are_refused_in_bounded_time_and_memory",
    ],
}

enum Refusal {
    Input(InputError),
    Cbor(CborError),
}

impl From<InputError> for Refusal {
    fn from(cause: InputError) -> Self {
        Self::Input(cause)
    }
}

impl From<CborError> for Refusal {
    fn from(cause: CborError) -> Self {
        Self::Cbor(cause)
    }
}

fn check(kind: Kind, input: &[u8]) -> Result<(), Refusal> {
    match kind {
        Kind::Ssid => drop(Ssid::parse(input)?),
        Kind::Psk => drop(Psk::parse(input)?),
        Kind::Hostname => drop(Hostname::parse(input)?),
        Kind::Host => drop(Host::parse(input)?),
        Kind::Ipv4 => drop(Ipv4::parse(input)?),
        Kind::Ipv6 => drop(Ipv6::parse(input)?),
        Kind::Mac => drop(MacAddr::parse(input)?),
        Kind::Port => drop(Port::parse(input)?),
        Kind::Url => drop(Url::parse(input)?),
        Kind::MqttTopic => drop(MqttTopic::parse(input)?),
        Kind::MqttFilter => drop(MqttFilter::parse(input)?),
        Kind::Email => drop(Email::parse(input)?),
        Kind::TimeZone => drop(TimeZone::parse(input)?),
        Kind::ZoneName => {
            let folder = env::var_os("TZDIR").unwrap_or_else(|| "/usr/share/zoneinfo".into());
            drop(ZoneName::parse(input, Path::new(&folder))?);
        }
        Kind::Semver => drop(SemVer::parse(input)?),
        Kind::Serial => drop(DeviceSerial::parse(input)?),
        Kind::Label => drop(Label::<64>::parse(input)?),
        Kind::Hex => Encoding::Hex.check(input)?,
        Kind::Base32 => Encoding::Base32.check(input)?,
        Kind::Base64 => Encoding::Base64.check(input)?,
        Kind::Base64url => Encoding::Base64Url.check(input)?,
        Kind::Integer => drop(Ranged::<{ i64::MIN }, { i64::MAX }>::parse(input)?),
        Kind::Json => json::check(input, &json::Limits::LARGE)?,
        Kind::Cbor => cbor::check(input, &CBOR)?,
    }
    Ok(())
}
