//! The image that a bill of materials and an advisory speak of.

use iotsec_core::crypto::{Sha256, Sha512, WideDigest as _};
use iotsec_product::Product;

/// A file that devices run, by its digests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Firmware {
    /// The name of the file.
    pub file: String,
    /// SHA-256, by which documents are bound to it.
    pub sha256: [u8; 32],
    /// SHA-512, which BSI TR-03183-2 asks for.
    pub sha512: [u8; 64],
}

impl Firmware {
    /// Of a file's bytes.
    pub fn of(file: impl Into<String>, bytes: &[u8]) -> Self {
        let mut wide = Sha512::new();
        wide.update(bytes);
        Self {
            file: file.into(),
            sha256: Sha256::of(&[bytes]),
            sha512: wide.finish(),
        }
    }
}

/// The package URL of a release of a product: what bill, VEX and advisory name it by. It is in no registry, so its type is
/// `generic`, its name space the maker's domain, and the digest says which file it is.
pub fn purl(product: &Product, version: &str, sha256: &str) -> String {
    let maker = product.maker.as_ref().map(|maker| maker.domain.as_str());
    let space = maker
        .map(|domain| format!("{}/", encoded(domain)))
        .unwrap_or_default();
    format!(
        "pkg:generic/{space}{}@{}?checksum=sha256:{sha256}",
        encoded(product.product.model.as_str()),
        encoded(version)
    )
}

/// Percent-encoded, but for what package URLs and bom-links have as it is.
pub(crate) fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out += &format!("%{byte:02X}");
        }
    }
    out
}
