//! `iotsec update inspect`: reads with the strict reader, and judges nothing but digests.

mod human;

use std::path::Path;

use iotsec::core::{
    cbor::{CborError, Key, Reader, Type},
    crypto::Sha256,
    error::ErrorCode,
};
use serde::Serialize;
use serde_json::json;

use super::{
    commands::{self, Command},
    diagnostic::{self, LIMITS},
    outer::{AUTHENTICATION, Element, MANIFEST, Outer},
    parameter::{algorithm_name, digest_of},
};
use crate::{
    Output, Problem, file,
    key::{hex, name},
};

const TEXT: i64 = 23;

/// What a file says of itself.
#[derive(Serialize)]
struct Inspection {
    elements: Vec<Listed>,
    authentication: Part<Authentication>,
    manifest: Part<Manifest>,
}

/// An element of the outer map.
#[derive(Serialize)]
struct Listed {
    name: String,
    bytes: usize,
    /// SHA-256 of an integrated payload.
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
}

/// A part, up to where it cannot be read.
#[derive(Serialize)]
struct Part<T> {
    #[serde(flatten)]
    content: T,
    present: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    unreadable: Option<String>,
}

#[derive(Default, Serialize)]
struct Authentication {
    digest: Option<Digest>,
    blocks: Vec<Block>,
}

/// A digest, and whether the element that it speaks of has it.
#[derive(Serialize)]
struct Digest {
    digest: String,
    /// Null without that element.
    #[serde(rename = "match")]
    matches: Option<bool>,
}

/// An authentication block.
#[derive(Default, Serialize)]
struct Block {
    kind: String,
    /// One for COSE_Sign1 and COSE_Mac0; several for COSE_Sign.
    signatures: Vec<Signature>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unreadable: Option<String>,
}

#[derive(Default, Serialize)]
struct Signature {
    algorithm: Option<String>,
    kid: Option<String>,
}

#[derive(Default, Serialize)]
struct Manifest {
    version: Option<String>,
    sequence_number: Option<String>,
    reference_uri: Option<String>,
    components: Vec<String>,
    /// In the order of the manifest; the shared sequence first.
    sections: Vec<Section>,
    /// What this tool has no name for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    other: Vec<(String, String)>,
}

#[derive(Serialize)]
struct Section {
    name: String,
    /// "inline", "severed", or "absent": severed and not in the file.
    place: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<Digest>,
    commands: Vec<Command>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

pub(super) fn run(path: &Path) -> Result<Output, Problem> {
    let bytes = file::read(path)?;
    let outer = Outer::parse(&bytes).map_err(Problem::refused(path))?;
    let mut authentication = Authentication::default();
    let read = outer
        .find(AUTHENTICATION)
        .map(|_| read_authentication(&outer, &mut authentication));
    let authentication = Part::new(authentication, read);
    let mut manifest = Manifest::default();
    let read = outer
        .find(MANIFEST)
        .map(|element| read_manifest(element, &outer, &mut manifest));
    let manifest = Part::new(manifest, read);
    let inspection = Inspection {
        elements: outer.elements.iter().map(Listed::new).collect(),
        authentication,
        manifest,
    };
    let human = inspection.human(path, bytes.len());
    let mut json = json!({ "file": path, "bytes": bytes.len(), "authenticated": false });
    if let (Ok(serde_json::Value::Object(parts)), Some(all)) =
        (serde_json::to_value(&inspection), json.as_object_mut())
    {
        all.extend(parts);
    }
    Ok(Output::new(human, json))
}

impl<T> Part<T> {
    /// `read` is how reading went, or `None` if there is nothing to read.
    fn new(content: T, read: Option<Result<(), CborError>>) -> Self {
        Self {
            content,
            present: read.is_some(),
            unreadable: read.and_then(Result::err).as_ref().map(unreadable),
        }
    }
}

fn unreadable(error: &CborError) -> String {
    format!("{error} (error {})", error.code())
}

impl Listed {
    fn new(element: &Element<'_>) -> Self {
        let payload = match element.key {
            Key::Text(_) => element.reader.clone().bytes().ok(),
            Key::Int(_) => None,
        };
        Self {
            name: match element.key {
                Key::Int(key) => element_name(key),
                Key::Text(name) => format!("integrated payload {name:?}"),
            },
            bytes: payload.map_or(element.encoded.len(), <[u8]>::len),
            digest: payload.map(|payload| hex(&Sha256::of(&[payload]))),
        }
    }
}

impl Digest {
    /// The digest in `encoded`, held against `element`.
    fn of(encoded: &[u8], element: Option<&Element<'_>>) -> Self {
        let shown = Reader::new(encoded, &LIMITS)
            .ok()
            .and_then(|mut reader| digest_of(&mut reader));
        let digest = shown.unwrap_or_else(|| diagnostic::show(encoded));
        let matches = element.map(|element| {
            let actual = format!("SHA-256 {}", hex(&Sha256::of(&[element.encoded])));
            actual == digest
        });
        Self { digest, matches }
    }
}

fn read_authentication(outer: &Outer<'_>, out: &mut Authentication) -> Result<(), CborError> {
    let Some(authentication) = outer.authentication()? else {
        return Ok(());
    };
    out.digest = Some(Digest::of(authentication.signed, outer.find(MANIFEST)));
    for bytes in authentication.blocks {
        let mut block = Block::default();
        let read = Reader::new(bytes, &LIMITS).and_then(|mut reader| read_block(&mut reader, &mut block));
        block.unreadable = read.err().as_ref().map(unreadable);
        out.blocks.push(block);
    }
    Ok(())
}

/// Kind, algorithms and key identifiers of a COSE structure, whose first two elements are its headers.
fn read_block(reader: &mut Reader<'_>, block: &mut Block) -> Result<(), CborError> {
    let tag = reader.tag()?;
    block.kind = match tag {
        17 => "COSE_Mac0".to_owned(),
        18 => "COSE_Sign1".to_owned(),
        97 => "COSE_Mac".to_owned(),
        98 => "COSE_Sign".to_owned(),
        other => format!("tag {other}"),
    };
    reader.array()?;
    let outer = read_signature(reader)?;
    if tag != 98 {
        block.signatures.push(outer);
        return Ok(());
    }
    // The payload, then the signatures, each with headers of its own.
    reader.skip()?;
    for _ in 0..reader.array()? {
        reader.array()?;
        block.signatures.push(read_signature(reader)?);
        reader.skip()?;
    }
    Ok(())
}

fn read_signature(reader: &mut Reader<'_>) -> Result<Signature, CborError> {
    let mut out = Signature::default();
    if reader.clone().bytes()?.is_empty() {
        reader.skip()?;
    } else {
        read_header(&mut reader.embedded(&LIMITS)?, true, &mut out)?;
    }
    read_header(reader, false, &mut out)?;
    Ok(out)
}

fn read_header(reader: &mut Reader<'_>, protected: bool, out: &mut Signature) -> Result<(), CborError> {
    for _ in 0..reader.map()? {
        let key = reader.key()?;
        let mut value = reader.clone();
        reader.skip()?;
        match key {
            Key::Int(1) if protected => out.algorithm = Some(algorithm_name(&mut value)),
            Key::Int(4) if value.peek()? == Type::Bytes => out.kid = Some(name(value.bytes()?)),
            _ => {}
        }
    }
    Ok(())
}

fn read_manifest(element: &Element<'_>, outer: &Outer<'_>, out: &mut Manifest) -> Result<(), CborError> {
    let mut reader = element.reader.clone().embedded(&LIMITS)?;
    for _ in 0..reader.map()? {
        let key = reader.key()?;
        let mut value = reader.clone();
        let encoded = reader.skip()?;
        match key {
            Key::Int(1) => out.version = Some(diagnostic::show(encoded)),
            Key::Int(2) => out.sequence_number = Some(diagnostic::show(encoded)),
            Key::Int(3) => read_common(&mut value, out)?,
            Key::Int(4) => out.reference_uri = Some(diagnostic::show(encoded)),
            Key::Int(key @ (7..=9 | 16 | 20 | TEXT)) => read_section(key, value, encoded, outer, out)?,
            Key::Int(other) => out
                .other
                .push((format!("element {other}"), diagnostic::show(encoded))),
            Key::Text(other) => out
                .other
                .push((format!("element {other:?}"), diagnostic::show(encoded))),
        }
    }
    Ok(())
}

fn read_common(reader: &mut Reader<'_>, out: &mut Manifest) -> Result<(), CborError> {
    let mut inner = reader.embedded(&LIMITS)?;
    for _ in 0..inner.map()? {
        match inner.key()? {
            Key::Int(2) => {
                for _ in 0..inner.array()? {
                    out.components.push(diagnostic::show(inner.skip()?));
                }
            }
            Key::Int(4) => {
                let mut shared = Section::new("before every section", "inline");
                let read = commands::read(&mut inner, &mut shared.commands);
                out.sections.push(shared);
                read?;
            }
            other => out.other.push((
                format!("common element {other:?}"),
                diagnostic::show(inner.skip()?),
            )),
        }
    }
    Ok(())
}

impl Section {
    fn new(name: impl Into<String>, place: &'static str) -> Self {
        Self {
            name: name.into(),
            place,
            digest: None,
            commands: Vec::new(),
            text: None,
        }
    }
}

/// A section: here, or severed and in the envelope, or severed and gone.
fn read_section(
    key: i64,
    value: Reader<'_>,
    encoded: &[u8],
    outer: &Outer<'_>,
    out: &mut Manifest,
) -> Result<(), CborError> {
    let severed = value.peek()? == Type::Array;
    let outside = outer.find(key).filter(|_| severed);
    let place = match (severed, outside) {
        (false, _) => "inline",
        (true, Some(_)) => "severed",
        (true, None) => "absent",
    };
    let mut section = Section::new(element_name(key), place);
    section.digest = severed.then(|| Digest::of(encoded, outside));
    let content = match outside {
        Some(element) => Some(element.reader.clone()),
        None if severed => None,
        None => Some(value),
    };
    let read = content.map_or(Ok(()), |mut content| {
        if key == TEXT {
            section.text = Some(diagnostic::show(content.bytes()?));
            return Ok(());
        }
        commands::read(&mut content, &mut section.commands)
    });
    out.sections.push(section);
    read
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
