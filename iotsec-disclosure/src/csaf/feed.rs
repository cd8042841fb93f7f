//! What a provider publishes beside its advisories (CSAF 2.0 §5.1, §7.1): names, folders, digests, lists, and who it is.

use std::fmt::Write as _;

use iotsec_core::crypto::Sha256;
use iotsec_evidence::report::hex;
use iotsec_product::Product;
use serde_json::{Value, json};

use super::{base, publisher};
use crate::{DisclosureError, Moment, advisory::Advisory};

/// The name of an advisory's file, made of its id (CSAF 2.0 §5.1).
///
/// ```
/// use iotsec_disclosure::{advisory::Advisory, csaf};
///
/// let advisory = Advisory::parse(include_bytes!("../../samples/lock-advisory.toml")).unwrap();
/// assert_eq!(csaf::file_name(&advisory), "ell-2026-001.json");
/// assert_eq!(csaf::folder(&advisory), "2026");
/// ```
pub fn file_name(advisory: &Advisory) -> String {
    let mut name = String::new();
    for c in advisory.id.as_str().to_lowercase().chars() {
        if c.is_ascii_lowercase() || c.is_ascii_digit() || c == '+' || c == '-' {
            name.push(c);
        } else if !name.ends_with('_') {
            name.push('_');
        }
    }
    name + ".json"
}

/// The folder that it lies in: the year of its first publication (requirement 14).
pub fn folder(advisory: &Advisory) -> String {
    let day = advisory.published().date();
    day.map(|day| format!("{:04}", day.year())).unwrap_or_default()
}

/// The file of its digest, `NAME.sha256` (requirement 18).
///
/// ```
/// let line = iotsec_disclosure::csaf::checksum("ell-2026-001.json", b"{}");
/// assert!(line.starts_with("44136fa355b3678a") && line.ends_with("  ell-2026-001.json\n"));
/// ```
pub fn checksum(name: &str, bytes: &[u8]) -> String {
    format!("{}  {name}\n", hex(&Sha256::of(&[bytes])))
}

/// A document in the folder of a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its path below the folder: `2026/ell-2026-001.json`.
    pub path: String,
    /// When it was changed last.
    pub changed: Moment,
}

impl Entry {
    /// Of an advisory.
    pub fn of(advisory: &Advisory) -> Self {
        Self {
            path: format!("{}/{}", folder(advisory), file_name(advisory)),
            changed: advisory.changed(),
        }
    }
}

/// `index.txt`: every document (requirement 12).
pub fn index(entries: &[Entry]) -> String {
    let mut paths: Vec<&str> = entries.iter().map(|entry| entry.path.as_str()).collect();
    paths.sort_unstable();
    paths.iter().fold(String::new(), |text, path| text + path + "\n")
}

/// `changes.csv`: every document and when it was changed, newest first (requirement 13).
pub fn changes(entries: &[Entry]) -> String {
    let mut entries: Vec<&Entry> = entries.iter().collect();
    entries.sort_by(|a, b| b.changed.cmp(&a.changed).then_with(|| a.path.cmp(&b.path)));
    let mut text = String::new();
    for entry in entries {
        let _ = writeln!(text, "\"{}\",\"{}\"", entry.path, entry.changed);
    }
    text
}

/// A key of OpenPGP that documents are signed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// In hexadecimal, 40 digits or 64.
    pub fingerprint: String,
    /// The name of its file, in the folder `openpgp` beside `provider-metadata.json`.
    pub file: String,
}

/// `provider-metadata.json`: who publishes, and where (requirement 7). With a key that all documents are signed with, the
/// maker is a trusted provider; whoever publishes sees to it that this is so.
///
/// ```
/// use iotsec_disclosure::csaf;
/// use iotsec_product::Product;
///
/// let product = Product::parse(include_bytes!("../../../examples/products/lock/iotsec.toml")).unwrap();
/// let file = csaf::provider_metadata(&product, None, "2026-12-08".parse().unwrap())?;
/// assert_eq!(file["role"], "csaf_provider");
/// assert_eq!(file["distributions"][0]["directory_url"], "https://locks.example.com/.well-known/csaf/white/");
/// # Ok::<(), iotsec_disclosure::DisclosureError>(())
/// ```
///
/// # Errors
/// [`DisclosureError::Section`] without `[maker]`, `[disclosure]` or its `csaf`; [`DisclosureError::Provider`] when that
/// is no address of a `provider-metadata.json`.
pub fn provider_metadata(
    product: &Product,
    key: Option<&Key>,
    now: Moment,
) -> Result<Value, DisclosureError> {
    let base = base(product)?;
    let mut value = json!({
        "canonical_url": format!("{base}provider-metadata.json"),
        "distributions": [{ "directory_url": format!("{base}white/") }],
        "last_updated": now.to_string(),
        "list_on_CSAF_aggregators": true,
        "metadata_version": "2.0",
        "mirror_on_CSAF_aggregators": true,
        "publisher": publisher(product)?,
        "role": if key.is_some() { "csaf_trusted_provider" } else { "csaf_provider" },
    });
    if let Some(key) = key {
        value["public_openpgp_keys"] = json!([{
            "fingerprint": key.fingerprint,
            "url": format!("{base}openpgp/{}", key.file),
        }]);
    }
    Ok(value)
}
