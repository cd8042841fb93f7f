//! The same, for people.

use std::{fmt::Write as _, path::Path};

use super::{Authentication, Block, Digest, Inspection, Manifest, Part, Section};
use crate::update::commands;

impl Inspection {
    pub(super) fn human(&self, path: &Path, bytes: usize) -> String {
        let mut out = format!(
            "{}: {bytes} bytes\n\
             NOT AUTHENTICATED: this is what the file says of itself. `iotsec update verify` judges it.\n\n\
             envelope\n",
            path.display(),
        );
        for element in &self.elements {
            let _ = write!(out, "  {}: {} bytes", element.name, element.bytes);
            let digest = element.digest.as_ref();
            let digest = digest
                .map(|digest| format!(", SHA-256 {digest}"))
                .unwrap_or_default();
            let _ = writeln!(out, "{digest}");
        }
        part(&mut out, "authentication", &self.authentication, authentication);
        part(&mut out, "manifest", &self.manifest, manifest);
        out
    }
}

fn part<T>(out: &mut String, title: &str, part: &Part<T>, show: impl FnOnce(&T, &mut String)) {
    let _ = writeln!(out, "\n{title}");
    if !part.present {
        *out += "  none\n";
    }
    show(&part.content, out);
    if let Some(error) = &part.unreadable {
        let _ = writeln!(out, "  cannot be read: {error}");
    }
}

fn authentication(authentication: &Authentication, out: &mut String) {
    let Some(digest) = &authentication.digest else {
        return;
    };
    let _ = writeln!(out, "  signed digest {}", held(digest, "manifest"));
    if authentication.blocks.is_empty() {
        *out += "  not signed\n";
    }
    for (number, block) in (1..).zip(&authentication.blocks) {
        show_block(number, block, out);
    }
}

fn show_block(number: u32, block: &Block, out: &mut String) {
    if let Some(error) = &block.unreadable {
        let _ = writeln!(out, "  block {number}: cannot be read: {error}");
        return;
    }
    for signature in &block.signatures {
        let _ = writeln!(
            out,
            "  block {number}: {}, algorithm {}, key identifier {}",
            block.kind,
            signature
                .algorithm
                .as_deref()
                .unwrap_or("none in the protected header"),
            signature.kid.as_deref().unwrap_or("none")
        );
    }
}

fn held(digest: &Digest, element: &str) -> String {
    match digest.matches {
        None => digest.digest.clone(),
        Some(true) => format!("{} of {element}, which it has", digest.digest),
        Some(false) => format!("{} of {element}, which it does NOT have", digest.digest),
    }
}

fn manifest(manifest: &Manifest, out: &mut String) {
    for (title, value) in [
        ("version", &manifest.version),
        ("sequence number", &manifest.sequence_number),
        ("reference URI", &manifest.reference_uri),
    ] {
        if let Some(value) = value {
            let _ = writeln!(out, "  {title}: {value}");
        }
    }
    for (index, component) in manifest.components.iter().enumerate() {
        let _ = writeln!(out, "  component {index}: {component}");
    }
    for (title, value) in &manifest.other {
        let _ = writeln!(out, "  {title}: {value}");
    }
    for section in &manifest.sections {
        show_section(section, out);
    }
}

fn show_section(section: &Section, out: &mut String) {
    let name = &section.name;
    let _ = match &section.digest {
        None => writeln!(out, "  {name}"),
        Some(digest) if section.place == "absent" => {
            writeln!(out, "  {name} (severed, not in the file): {}", digest.digest)
        }
        Some(digest) => writeln!(out, "  {name} ({}): {}", section.place, held(digest, name)),
    };
    if let Some(text) = &section.text {
        let _ = writeln!(out, "    {text}");
    }
    commands::show(&section.commands, 4, out);
}
