//! Parameters of a manifest as people read them: digests, payload encodings, chunk digests, encryption.

use std::fmt::Write as _;

use iotsec::core::{
    cbor::{CborError, Key, Reader, Type},
    cose::Algorithm,
};
use serde::Serialize;
use uuid::Uuid;

use super::diagnostic::{self, LIMITS};
use crate::{
    key::{hex, name},
    time::Time,
};

/// One parameter.
#[derive(Debug, Serialize)]
pub(super) struct Parameter {
    parameter: String,
    value: String,
    /// What is inside.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    details: Vec<Detail>,
}

#[derive(Debug, Serialize)]
struct Detail {
    name: String,
    value: String,
}

/// Details that people are shown; `--json` has them all.
const SHOWN: usize = 12;

impl Parameter {
    pub(super) fn show(&self, indent: usize, out: &mut String) {
        let _ = writeln!(out, "{:indent$}{} = {}", "", self.parameter, self.value);
        for detail in self.details.iter().take(SHOWN) {
            let _ = writeln!(out, "{:indent$}  {}: {}", "", detail.name, detail.value);
        }
        if let Some(more) = self.details.len().checked_sub(SHOWN + 1) {
            let _ = writeln!(out, "{:indent$}  and {} more", "", more + 1);
        }
    }
}

/// Reads a key and its value.
pub(super) fn read(reader: &mut Reader<'_>) -> Result<Parameter, CborError> {
    let key = reader.key()?;
    let parameter = match key {
        Key::Int(id) => parameter_name(id).map_or_else(|| format!("parameter {id}"), str::to_owned),
        Key::Text(text) => format!("parameter {text:?}"),
    };
    let mut value = reader.clone();
    let encoded = reader.skip()?;
    let mut details = Vec::new();
    let shown = match parameter.as_str() {
        "vendor" | "class" | "device" => value
            .array_of::<16>()
            .ok()
            .map(|id| Uuid::from_bytes(*id).to_string()),
        "digest" => value
            .embedded(&LIMITS)
            .ok()
            .and_then(|mut digest| digest_of(&mut digest)),
        "size" => value.uint().ok().map(|size| format!("{size} bytes")),
        "use-before" => value
            .uint()
            .ok()
            .filter(|seconds| *seconds < LAST)
            .map(|seconds| Time(seconds).to_string()),
        CHUNK_DIGESTS => value
            .embedded(&LIMITS)
            .ok()
            .and_then(|mut chunks| chunk_digests(&mut chunks, &mut details).ok()),
        PAYLOAD_ENCODING => value
            .embedded(&LIMITS)
            .ok()
            .and_then(|mut encoding| payload_encoding(&mut encoding, &mut details).ok()),
        ENCRYPTION_INFO => value
            .embedded(&LIMITS)
            .ok()
            .and_then(|mut info| encryption_info(&mut info, &mut details).ok()),
        _ => None,
    };
    Ok(Parameter {
        parameter,
        value: shown.unwrap_or_else(|| diagnostic::show(encoded)),
        details,
    })
}

/// 9999-12-31: what a date has room for.
const LAST: u64 = 253_402_300_800;
const CHUNK_DIGESTS: &str = "chunk digests";
const PAYLOAD_ENCODING: &str = "payload encoding";
const ENCRYPTION_INFO: &str = "encryption info";

fn add(details: &mut Vec<Detail>, name: impl Into<String>, value: impl Into<String>) {
    details.push(Detail {
        name: name.into(),
        value: value.into(),
    });
}

/// `[algorithm, bytes]`, if that is what is there.
pub(super) fn digest_of(reader: &mut Reader<'_>) -> Option<String> {
    reader.array_len(2).ok()?;
    let algorithm = match reader.int().ok()? {
        -16 => "SHA-256".to_owned(),
        other => format!("algorithm {other}"),
    };
    Some(format!("{algorithm} {}", hex(reader.bytes().ok()?)))
}

/// `[chunk-size, digests]`
fn chunk_digests(reader: &mut Reader<'_>, details: &mut Vec<Detail>) -> Result<String, CborError> {
    reader.array_len(2)?;
    let size = reader.uint()?;
    let (digests, rest) = reader.bytes()?.as_chunks::<32>();
    for (number, digest) in (0u64..).zip(digests) {
        let at = number.saturating_mul(size);
        add(
            details,
            format!("from byte {at}"),
            format!("SHA-256 {}", hex(digest)),
        );
    }
    let odd = if rest.is_empty() {
        String::new()
    } else {
        format!(", and {} bytes that are no digest", rest.len())
    };
    Ok(format!("{} chunks of {size} bytes{odd}", digests.len()))
}

/// `{1: size, ? 2: digest, ? 3: encoding}`
fn payload_encoding(reader: &mut Reader<'_>, details: &mut Vec<Detail>) -> Result<String, CborError> {
    let mut size = None;
    let mut kind = "the image".to_owned();
    for _ in 0..reader.map()? {
        let key = reader.key()?;
        let mut value = reader.clone();
        let encoded = reader.skip()?;
        match key {
            Key::Int(1) => size = value.uint().ok(),
            Key::Int(2) => {
                let digest = digest_of(&mut value).unwrap_or_else(|| diagnostic::show(encoded));
                add(details, "digest as transported", digest);
            }
            Key::Int(3) => {
                kind = encoding(&mut value, details).unwrap_or_else(|_| diagnostic::show(encoded));
            }
            other => add(details, format!("{other:?}"), diagnostic::show(encoded)),
        }
    }
    let size = size.map_or("no size".to_owned(), |size| format!("{size} bytes"));
    Ok(format!("{size} as transported, {kind}"))
}

fn encoding(reader: &mut Reader<'_>, details: &mut Vec<Detail>) -> Result<String, CborError> {
    reader.array_len(3)?;
    let kind = reader.uint()?;
    if kind == 2 {
        let encoded = reader.clone().skip()?;
        let base = digest_of(reader);
        if base.is_none() {
            return Ok(diagnostic::show(encoded));
        }
        add(details, "base", base.unwrap_or_default());
        add(details, "base size", format!("{} bytes", reader.uint()?));
        return Ok("a sequential patch of detools".to_owned());
    }
    let (first, second) = (reader.uint()?, reader.uint()?);
    Ok(match kind {
        1 => format!("heatshrink, window 2^{first}, lookahead 2^{second}"),
        other => format!("encoding {other} ({first}, {second})"),
    })
}

/// COSE_Encrypt_Tagged or COSE_Encrypt0_Tagged with a detached ciphertext.
fn encryption_info(reader: &mut Reader<'_>, details: &mut Vec<Detail>) -> Result<String, CborError> {
    let kind = match reader.tag()? {
        16 => "COSE_Encrypt0".to_owned(),
        96 => "COSE_Encrypt".to_owned(),
        other => format!("tag {other}"),
    };
    let parts = reader.array()?;
    headers(reader, "content", details)?;
    add(details, "ciphertext", diagnostic::show(reader.skip()?));
    if parts > 3 {
        for number in 1..=reader.array()? {
            let fields = reader.array()?;
            headers(reader, &format!("recipient {number}"), details)?;
            let wrapped = diagnostic::show(reader.skip()?);
            add(details, format!("recipient {number} encrypted key"), wrapped);
            for _ in 3..fields {
                reader.skip()?;
            }
        }
    }
    Ok(kind)
}

/// The protected and the unprotected header (RFC 9052 §3).
fn headers(reader: &mut Reader<'_>, title: &str, details: &mut Vec<Detail>) -> Result<(), CborError> {
    if reader.clone().bytes()?.is_empty() {
        reader.skip()?;
    } else {
        header(&mut reader.embedded(&LIMITS)?, title, details)?;
    }
    header(reader, title, details)
}

fn header(reader: &mut Reader<'_>, title: &str, details: &mut Vec<Detail>) -> Result<(), CborError> {
    for _ in 0..reader.map()? {
        let key = reader.key()?;
        let mut value = reader.clone();
        let encoded = reader.skip()?;
        let (label, shown) = match key {
            Key::Int(1) => ("algorithm".to_owned(), algorithm_name(&mut value)),
            Key::Int(4) if value.peek()? == Type::Bytes => {
                ("key identifier".to_owned(), name(value.bytes()?))
            }
            Key::Int(5) => ("IV".to_owned(), diagnostic::show(encoded)),
            Key::Int(-1) => ("ephemeral key".to_owned(), diagnostic::show(encoded)),
            Key::Int(other) => (format!("header {other}"), diagnostic::show(encoded)),
            Key::Text(other) => (format!("header {other:?}"), diagnostic::show(encoded)),
        };
        add(details, format!("{title} {label}"), shown);
    }
    Ok(())
}

/// The algorithm at `reader`, with its number.
pub(super) fn algorithm_name(reader: &mut Reader<'_>) -> String {
    let shown = reader
        .clone()
        .skip()
        .map_or_else(|_| "?".into(), diagnostic::show);
    let id = reader.int().ok();
    match id.and_then(Algorithm::from_id) {
        Some(known) => return format!("{known:?} ({shown})"),
        None => reader.skip().ok(),
    };
    let named = id.and_then(|id| {
        Some(match id {
            -3 => "A128KW",
            -25 => "ECDH-ES + HKDF-256",
            -29 => "ECDH-ES + A128KW",
            -65534 => "A128CTR",
            -65532 => "A256CTR",
            1 => "A128GCM",
            24 => "ChaCha20-Poly1305",
            _ => return None,
        })
    });
    match named {
        Some(named) => format!("{named} ({shown})"),
        None => format!("{shown}, not known here"),
    }
}

const fn parameter_name(id: i64) -> Option<&'static str> {
    Some(match id {
        1 => "vendor",
        2 => "class",
        3 => "digest",
        4 => "use-before",
        5 => "component slot",
        12 => "strict order",
        13 => "soft failure",
        14 => "size",
        18 => "content",
        19 => ENCRYPTION_INFO,
        21 => "uri",
        22 => "source component",
        23 => "invoke arguments",
        24 => "device",
        25 => "fetch arguments",
        -257 => CHUNK_DIGESTS,
        -258 => PAYLOAD_ENCODING,
        _ => return None,
    })
}
