//! Command sequences as people read them (draft-ietf-suit-manifest-37 §8.4).

use std::fmt::Write as _;

use iotsec::core::cbor::{CborError, Key, Reader, Type};
use uuid::Uuid;

use super::diagnostic::{self, LIMITS};

/// Sequences inside one another that are shown. Devices follow fewer.
const MAX_DEPTH: usize = 8;

/// Appends the commands of the byte string at `reader`, one a line.
pub(super) fn show(reader: &mut Reader<'_>, indent: usize, out: &mut String) -> Result<(), CborError> {
    sequence(reader, indent, MAX_DEPTH, out)
}

fn sequence(reader: &mut Reader<'_>, indent: usize, depth: usize, out: &mut String) -> Result<(), CborError> {
    let Some(depth) = depth.checked_sub(1) else {
        let _ = writeln!(out, "{:indent$}nested too deeply to be shown", "");
        reader.skip()?;
        return Ok(());
    };
    let mut inner = reader.embedded(&LIMITS)?;
    let items = inner.array()?;
    for _ in 0..items / 2 {
        let code = inner.int()?;
        let _ = write!(out, "{:indent$}{}", "", command(code));
        match code {
            OVERRIDE if inner.peek()? == Type::Map => {
                out.push('\n');
                for _ in 0..inner.map()? {
                    parameter(&mut inner, indent + 2, out)?;
                }
            }
            RUN_SEQUENCE if inner.peek()? == Type::Bytes => {
                out.push('\n');
                sequence(&mut inner, indent + 2, depth, out)?;
            }
            TRY_EACH if inner.peek()? == Type::Array => {
                out.push('\n');
                for alternative in 1..=inner.array()? {
                    let _ = writeln!(out, "{:indent$}  alternative {alternative}", "");
                    if inner.peek()? == Type::Bytes {
                        sequence(&mut inner, indent + 4, depth, out)?;
                    } else {
                        let _ = writeln!(out, "{:indent$}    {}", "", diagnostic::show(inner.skip()?));
                    }
                }
            }
            // Reporting policies say nothing to a reader.
            _ if is_plain(code) && inner.peek()? == Type::Uint => {
                inner.skip()?;
                out.push('\n');
            }
            _ => {
                let _ = writeln!(out, " {}", diagnostic::show(inner.skip()?));
            }
        }
    }
    if items % 2 != 0 {
        let _ = writeln!(out, "{:indent$}a command without argument", "");
    }
    Ok(())
}

fn parameter(reader: &mut Reader<'_>, indent: usize, out: &mut String) -> Result<(), CborError> {
    let name = match reader.key()? {
        Key::Int(id) => parameter_name(id).map_or_else(|| format!("parameter {id}"), str::to_owned),
        Key::Text(text) => format!("parameter {text:?}"),
    };
    let mut value = reader.clone();
    let encoded = reader.skip()?;
    let shown = match name.as_str() {
        "vendor" | "class" | "device" => value
            .array_of::<16>()
            .ok()
            .map(|id| Uuid::from_bytes(*id).to_string()),
        "digest" => value
            .embedded(&LIMITS)
            .ok()
            .and_then(|mut digest| digest_of(&mut digest)),
        "size" => value.uint().ok().map(|size| format!("{size} bytes")),
        _ => None,
    };
    let shown = shown.unwrap_or_else(|| diagnostic::show(encoded));
    let _ = writeln!(out, "{:indent$}{name} = {shown}", "");
    Ok(())
}

/// `[algorithm, bytes]`, if that is what is there.
pub(super) fn digest_of(reader: &mut Reader<'_>) -> Option<String> {
    reader.array_len(2).ok()?;
    let algorithm = match reader.int().ok()? {
        -16 => "SHA-256".to_owned(),
        other => format!("algorithm {other}"),
    };
    Some(format!("{algorithm} {}", crate::key::hex(reader.bytes().ok()?)))
}

const TRY_EACH: i64 = 15;
const OVERRIDE: i64 = 20;
const RUN_SEQUENCE: i64 = 32;

/// Whether the argument is a reporting policy.
fn is_plain(code: i64) -> bool {
    matches!(code, 1..=6 | 14 | 18 | 21..=24)
}

fn command(code: i64) -> String {
    let name = match code {
        1 => "check vendor",
        2 => "check class",
        3 => "check image",
        4 => "check use-before",
        5 => "check component slot",
        6 => "check content",
        12 => "select component",
        14 => "abort",
        TRY_EACH => "try each",
        18 => "write",
        OVERRIDE => "set",
        21 => "fetch",
        22 => "copy",
        23 => "invoke",
        24 => "check device",
        RUN_SEQUENCE => "run",
        other => return format!("command {other}"),
    };
    name.to_owned()
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
        21 => "uri",
        22 => "source component",
        23 => "invoke arguments",
        24 => "device",
        25 => "fetch arguments",
        _ => return None,
    })
}
