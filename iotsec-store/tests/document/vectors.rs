//! The vectors at the end of this crate's documents.

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What stands behind `name` in the block of vectors, without line breaks.
pub(crate) fn documented(document: &str, name: &str) -> String {
    let mut lines = document
        .lines()
        .skip_while(|line| !line.starts_with(&format!("{name}:")));
    let first = lines
        .next()
        .unwrap_or_else(|| panic!("no vector is called {name}"));
    let rest = lines.take_while(|line| line.starts_with(' '));
    let mut text = first[name.len() + 1..].trim().to_owned();
    for line in rest {
        text.push_str(line.trim());
    }
    text
}
