//! The table of error numbers that C sees, made from the `ErrorCode` implementations in the source.

use std::{fmt::Write, fs, path::Path};

use crate::tool::Failure;

/// Where the table goes.
pub(crate) const TABLE: &str = "iotsec-ffi/src/status/number.rs";

/// The facade is the root.
const CRATES: [&str; 7] = [
    "",
    "iotsec-core",
    "iotsec-update",
    "iotsec-store",
    "iotsec-telemetry",
    "iotsec-net",
    "iotsec-ffi",
];

/// One error number.
struct Entry {
    number: u16,
    name: String,
    doc: String,
}

/// The text of the table.
pub(crate) fn table(root: &Path) -> Result<String, Failure> {
    let mut entries = Vec::new();
    for name in CRATES {
        sources(&root.join(name).join("src"), &mut |text| scan(text, &mut entries))?;
    }
    entries.sort_by_key(|entry| entry.number);
    for pair in entries.windows(2) {
        if pair[0].number == pair[1].number || pair[0].name == pair[1].name {
            return Err(format!("{} and {} share a number or a name", pair[0].name, pair[1].name).into());
        }
    }
    if let Some(entry) = entries
        .iter()
        .find(|entry| entry.doc.is_empty() || entry.name.is_empty())
    {
        return Err(format!("error {} has no name or no text", entry.number).into());
    }
    Ok(render(&entries))
}

fn sources(folder: &Path, visit: &mut dyn FnMut(&str)) -> Result<(), Failure> {
    let mut paths: Vec<_> = fs::read_dir(folder)?
        .map(|entry| entry.map(|e| e.path()))
        .collect::<Result<_, _>>()?;
    paths.sort();
    for path in paths {
        if path.is_dir() {
            sources(&path, visit)?;
        } else if path.extension().is_some_and(|ext| ext == "rs") {
            let text = fs::read_to_string(&path)?;
            // Errors of tests have no numbers that anybody sees.
            visit(text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default());
        }
    }
    Ok(())
}

/// Finds `impl ErrorCode for T { fn code … }`, and `fn number` where it refers to that, and the variants with a
/// number of their own.
fn scan(text: &str, entries: &mut Vec<Entry>) {
    for part in text.split("impl ErrorCode for ").skip(1) {
        let kind = part.split([' ', '{']).next().unwrap_or_default();
        let Some(body) = part.split_once("fn code").map(|(_, body)| body) else {
            continue;
        };
        let body = body.split("\n    }").next().unwrap_or_default();
        numbers(text, kind, body, entries);
        if body.contains("self.number()") {
            let inherent = text.split_once(&format!("impl {kind} {{")).map(|(_, rest)| rest);
            let table = inherent
                .and_then(|rest| rest.split_once("fn number"))
                .map(|(_, rest)| rest);
            let table = table.and_then(|rest| rest.split("\n    }").next());
            numbers(text, kind, table.unwrap_or_default(), entries);
        }
    }
}

/// The variants of a `match` that have a number; zero stands for those that have it from elsewhere.
fn numbers(text: &str, kind: &str, body: &str, entries: &mut Vec<Entry>) {
    for line in body.lines() {
        let line = line.trim();
        let (pattern, value) = line.split_once("=>").unwrap_or(("", line));
        let Ok(number) = value.trim().trim_end_matches(',').parse() else {
            continue;
        };
        if number == 0 {
            continue;
        }
        let variant = pattern
            .trim()
            .rsplit("::")
            .next()
            .map(|last| last.split([' ', '(', '{']).next().unwrap_or_default())
            .unwrap_or_default();
        entries.push(Entry {
            number,
            name: name(kind, variant),
            doc: message(text, kind, variant),
        });
    }
}

/// `CborError`, `NotShortest` → `CBOR_NOT_SHORTEST`; the errors of the C interface itself have no prefix.
fn name(kind: &str, variant: &str) -> String {
    let kind = kind.strip_suffix("Error").unwrap_or(kind);
    let kind = if kind == "Call" { "" } else { kind };
    let mut out = String::new();
    for word in [kind, variant] {
        for (at, letter) in word.char_indices() {
            let boundary = letter.is_uppercase() || (at == 0 && !out.is_empty());
            if boundary && !out.is_empty() && !out.ends_with('_') {
                out.push('_');
            }
            out.push(letter.to_ascii_uppercase());
        }
    }
    out
}

/// The text of the `#[error("…")]` before the variant, up to what it fills in; where that is everything, the
/// documentation.
fn message(text: &str, kind: &str, variant: &str) -> String {
    let (start, declared) = if variant.is_empty() {
        (0, format!("pub struct {kind}"))
    } else {
        let start = text.find(&format!("pub enum {kind} {{")).unwrap_or_default();
        (start, format!("\n    {variant}"))
    };
    let text = text.get(start..).unwrap_or_default();
    let ends = [",", " {", "(", ";"];
    let at = ends
        .iter()
        .filter_map(|end| text.find(&format!("{declared}{end}")))
        .min();
    let before = at.and_then(|at| text.get(..at)).unwrap_or_default();
    let (documented, attribute) = before.rsplit_once("#[error(").unwrap_or_default();
    let quoted = attribute.split('"').nth(1).unwrap_or_default();
    let fixed = match quoted.split_once('{') {
        None => quoted,
        Some((fixed, _)) => fixed.rsplit_once(',').map_or("", |(fixed, _)| fixed),
    };
    if fixed.is_empty() {
        let (_, documentation) = documented.rsplit_once("/// ").unwrap_or_default();
        return documentation.trim().trim_end_matches('.').to_owned();
    }
    let mut letters = fixed.chars();
    letters
        .next()
        .map(|first| first.to_ascii_uppercase().to_string() + letters.as_str())
        .unwrap_or_default()
}

fn render(entries: &[Entry]) -> String {
    let mut out = String::from(
        "// Generated by `cargo xtask header` from the `ErrorCode` implementations. Do not edit.\n\
         #![cfg_attr(rustfmt, rustfmt_skip)]\n\n\
         use core::ffi::CStr;\n\n\
         use super::iotsec_status_t;\n\n",
    );
    for Entry { number, name, doc } in entries {
        let _ = writeln!(
            out,
            "/// {doc}.\npub const IOTSEC_ERR_{name}: iotsec_status_t = {number};"
        );
    }
    out.push_str("\npub(super) const NAMES: &[(iotsec_status_t, &CStr)] = &[\n");
    for Entry { name, .. } in entries {
        let _ = writeln!(out, "    (IOTSEC_ERR_{name}, c\"{name}\"),");
    }
    out.push_str("];\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variant_with_its_own_number_is_found_with_its_message() {
        let text = r#"
pub enum FlashError {
    /// Doc.
    #[error("flash access not aligned")]
    NotAligned,
    #[error(transparent)]
    Inner(Other),
}
impl ErrorCode for FlashError {
    fn code(&self) -> u16 {
        match self {
            Self::NotAligned => 1431,
            Self::Inner(other) => other.code(),
        }
    }
}
"#;
        let mut entries = Vec::new();
        scan(text, &mut entries);
        assert_eq!(entries.len(), 1);
        assert_eq!(
            (
                entries[0].number,
                entries[0].name.as_str(),
                entries[0].doc.as_str()
            ),
            (1431, "FLASH_NOT_ALIGNED", "Flash access not aligned")
        );
    }

    #[test]
    fn a_table_of_numbers_is_followed() {
        let text = r#"
pub enum FlashError {
    #[error("flash access not aligned")]
    NotAligned,
    #[error(transparent)]
    Inner(Other),
}
impl FlashError {
    const fn number(&self) -> u16 {
        match self {
            Self::Inner(_) => 0,
            Self::NotAligned => 1431,
        }
    }
}
impl ErrorCode for FlashError {
    fn code(&self) -> u16 {
        match self {
            Self::Inner(other) => other.code(),
            _ => self.number(),
        }
    }
}
"#;
        let mut entries = Vec::new();
        scan(text, &mut entries);
        assert_eq!(entries.len(), 1);
        assert_eq!(
            (entries[0].number, entries[0].name.as_str()),
            (1431, "FLASH_NOT_ALIGNED")
        );
    }
}
