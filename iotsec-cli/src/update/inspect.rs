//! `iotsec update inspect`: reads with the strict reader, and judges nothing.

use std::{fmt::Write as _, path::Path};

use iotsec::core::{
    cbor::{CborError, Key, Kind, Reader, Type},
    cose::Algorithm,
    crypto::Sha256,
    error::ErrorCode,
};

use serde_json::json;

use super::{
    commands,
    diagnostic::{self, LIMITS},
};
use crate::{Output, Problem, file, key::name};

const TAG: u64 = 107;
const AUTHENTICATION: i64 = 2;
const MANIFEST: i64 = 3;
const TEXT: i64 = 23;

pub(super) fn run(path: &Path) -> Result<Output, Problem> {
    let bytes = file::read(path)?;
    let elements = outer(&bytes).map_err(Problem::refused(path))?;
    let mut out = format!(
        "{}: {} bytes\n\
         NOT AUTHENTICATED: this is what the file says of itself. `iotsec update verify` judges it.\n\n\
         envelope\n",
        path.display(),
        bytes.len()
    );
    for element in &elements {
        let _ = writeln!(out, "  {}: {} bytes", element.name(), element.encoded.len());
    }
    section(&mut out, "authentication", |out| authentication(&elements, out));
    section(&mut out, "manifest", |out| manifest(&elements, out));
    let json = json!({ "authenticated": false, "lines": out.lines().collect::<Vec<_>>() });
    Ok(Output::new(out, json))
}

/// An entry of the outer map.
struct Element<'a> {
    key: Key<'a>,
    /// At the value.
    reader: Reader<'a>,
    /// The value, head included.
    encoded: &'a [u8],
}

impl Element<'_> {
    fn name(&self) -> String {
        match self.key {
            Key::Int(key) => element_name(key),
            Key::Text(name) => format!("integrated payload {name:?}"),
        }
    }
}

fn outer(bytes: &[u8]) -> Result<Vec<Element<'_>>, CborError> {
    let mut reader = Reader::new(bytes, &LIMITS)?;
    let not_an_envelope = reader.error(Kind::Type);
    if reader.tag()? != TAG {
        return Err(not_an_envelope);
    }
    let mut elements = Vec::new();
    for _ in 0..reader.map()? {
        elements.push(Element {
            key: reader.key()?,
            reader: reader.clone(),
            encoded: reader.skip()?,
        });
    }
    Ok(elements)
}

/// What a part shows, up to where it cannot be read.
fn section(out: &mut String, title: &str, show: impl FnOnce(&mut String) -> Result<(), CborError>) {
    let _ = writeln!(out, "\n{title}");
    if let Err(error) = show(out) {
        let _ = writeln!(out, "  cannot be read: {error} (error {})", error.code());
    }
}

fn find<'e, 'a>(elements: &'e [Element<'a>], key: i64) -> Option<&'e Element<'a>> {
    elements.iter().find(|element| element.key == Key::Int(key))
}

fn authentication(elements: &[Element<'_>], out: &mut String) -> Result<(), CborError> {
    let Some(element) = find(elements, AUTHENTICATION) else {
        *out += "  none\n";
        return Ok(());
    };
    let mut reader = element.reader.clone().embedded(&LIMITS)?;
    let blocks = reader.array()?.saturating_sub(1);
    let digest = reader.bytes()?;
    let _ = writeln!(
        out,
        "  signed digest {}",
        digest_line(digest, find(elements, MANIFEST))
    );
    if blocks == 0 {
        *out += "  not signed\n";
    }
    for number in 1..=blocks {
        let item = reader.clone().embedded(&LIMITS);
        let block = item.and_then(|mut block| block_line(&mut block));
        let block = block.unwrap_or_else(|error| format!("cannot be read: {error} (error {})", error.code()));
        let _ = writeln!(out, "  block {number}: {block}");
        reader.skip()?;
    }
    Ok(())
}

/// A digest, and whether it is that of `element`.
fn digest_line(encoded: &[u8], element: Option<&Element<'_>>) -> String {
    let shown = Reader::new(encoded, &LIMITS)
        .ok()
        .and_then(|mut reader| commands::digest_of(&mut reader));
    let shown = shown.unwrap_or_else(|| diagnostic::show(encoded));
    let Some(element) = element else {
        return shown;
    };
    let actual = format!("SHA-256 {}", crate::key::hex(&Sha256::of(&[element.encoded])));
    let verdict = if actual == shown {
        "which it has"
    } else {
        "which it does NOT have"
    };
    format!("{shown} of {}, {verdict}", element.name())
}

/// Kind, algorithm and key identifier of a COSE structure, whose first two elements are its headers.
fn block_line(reader: &mut Reader<'_>) -> Result<String, CborError> {
    let kind = match reader.tag()? {
        17 => "COSE_Mac0".to_owned(),
        18 => "COSE_Sign1".to_owned(),
        97 => "COSE_Mac".to_owned(),
        98 => "COSE_Sign".to_owned(),
        other => format!("tag {other}"),
    };
    reader.array()?;
    let mut algorithm = "none in the outer header".to_owned();
    let mut kid = "none".to_owned();
    let protected = if reader.clone().bytes()?.is_empty() {
        reader.skip()?;
        None
    } else {
        Some(reader.embedded(&LIMITS)?)
    };
    let protected = protected.map(|header| (header, true));
    for (mut header, protected) in protected.into_iter().chain([(reader.clone(), false)]) {
        for _ in 0..header.map()? {
            match header.key()? {
                Key::Int(1) if protected => algorithm = algorithm_name(&mut header)?,
                Key::Int(4) if header.peek()? == Type::Bytes => kid = name(header.bytes()?),
                _ => {
                    header.skip()?;
                }
            }
        }
    }
    Ok(format!("{kind}, algorithm {algorithm}, key identifier {kid}"))
}

fn algorithm_name(reader: &mut Reader<'_>) -> Result<String, CborError> {
    let shown = diagnostic::show(reader.clone().skip()?);
    let known = reader.int().ok().and_then(Algorithm::from_id);
    if known.is_none() {
        reader.skip().ok();
    }
    Ok(match known {
        Some(known) => format!("{known:?} ({shown})"),
        None => format!("{shown}, not known here"),
    })
}

fn manifest(elements: &[Element<'_>], out: &mut String) -> Result<(), CborError> {
    let Some(element) = find(elements, MANIFEST) else {
        *out += "  none\n";
        return Ok(());
    };
    let mut reader = element.reader.clone().embedded(&LIMITS)?;
    for _ in 0..reader.map()? {
        let key = reader.key()?;
        let mut value = reader.clone();
        let encoded = reader.skip()?;
        match key {
            Key::Int(1) => line(out, "version", encoded),
            Key::Int(2) => line(out, "sequence number", encoded),
            Key::Int(3) => common(&mut value, out)?,
            Key::Int(4) => line(out, "reference URI", encoded),
            Key::Int(key @ (7..=9 | 16 | 20 | TEXT)) => member(key, value, encoded, elements, out)?,
            Key::Int(other) => line(out, &format!("element {other}"), encoded),
            Key::Text(other) => line(out, &format!("element {other:?}"), encoded),
        }
    }
    Ok(())
}

fn line(out: &mut String, title: &str, encoded: &[u8]) {
    let _ = writeln!(out, "  {title}: {}", diagnostic::show(encoded));
}

fn common(reader: &mut Reader<'_>, out: &mut String) -> Result<(), CborError> {
    let mut inner = reader.embedded(&LIMITS)?;
    for _ in 0..inner.map()? {
        match inner.key()? {
            Key::Int(2) => {
                for index in 0..inner.array()? {
                    line(out, &format!("component {index}"), inner.skip()?);
                }
            }
            Key::Int(4) => {
                *out += "  before every section\n";
                commands::show(&mut inner, 4, out)?;
            }
            other => {
                let title = format!("common element {other:?}");
                line(out, &title, inner.skip()?);
            }
        }
    }
    Ok(())
}

/// A section: here, or severed and in the envelope, or severed and gone.
fn member(
    key: i64,
    value: Reader<'_>,
    encoded: &[u8],
    elements: &[Element<'_>],
    out: &mut String,
) -> Result<(), CborError> {
    let title = element_name(key);
    let severed = value.peek()? == Type::Array;
    let outside = find(elements, key).filter(|_| severed);
    if severed {
        let place = if outside.is_some() {
            "severed"
        } else {
            "severed, not in the file"
        };
        let _ = writeln!(out, "  {title} ({place}): {}", digest_line(encoded, outside));
    } else {
        let _ = writeln!(out, "  {title}");
    }
    let mut content = match outside {
        Some(element) => element.reader.clone(),
        None if severed => return Ok(()),
        None => value,
    };
    if key == TEXT {
        let text = content.bytes()?;
        let _ = writeln!(out, "    {}", diagnostic::show(text));
        return Ok(());
    }
    commands::show(&mut content, 4, out)
}

fn element_name(key: i64) -> String {
    let name = match key {
        AUTHENTICATION => "authentication",
        MANIFEST => "manifest",
        7 => "validate",
        8 => "load",
        9 => "invoke",
        16 => "payload-fetch",
        20 => "install",
        TEXT => "text",
        other => return format!("element {other}"),
    };
    name.to_owned()
}
