//! `security.txt` (RFC 9116).

use std::fmt::Write as _;

use iotsec_core::hal::UnixTime;
use iotsec_product::{Product, text::Text};

use crate::{DisclosureError, Moment, page::needed};

/// The fields, which hold for `valid_days`: RFC 9116 §2.5.5 advises less than a year.
///
/// It names where it is published (`Canonical`), so it can be signed as it is (RFC 9116 §2.3).
///
/// ```
/// use iotsec_core::hal::UnixTime;
/// use iotsec_disclosure::security_txt;
/// use iotsec_product::Product;
///
/// let lock = include_bytes!("../../examples/products/lock/iotsec.toml");
/// let text = security_txt::text(&Product::parse(lock).unwrap(), UnixTime(1_795_996_800), 180)?;
/// assert!(text.contains("\nExpires: 2027-05-29T00:00:00Z\n"));
/// # Ok::<(), iotsec_disclosure::DisclosureError>(())
/// ```
///
/// # Errors
/// [`DisclosureError::Section`] without `[disclosure]`.
pub fn text(product: &Product, now: UnixTime, valid_days: u16) -> Result<String, DisclosureError> {
    let disclosure = needed(&product.disclosure, "disclosure")?;
    let expires = Moment(now).plus_days(valid_days.into());
    let mut text = String::new();
    for contact in &disclosure.contacts {
        let _ = writeln!(text, "Contact: {contact}");
    }
    let _ = writeln!(text, "Expires: {expires}");
    let mut field = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            let _ = writeln!(text, "{name}: {value}");
        }
    };
    field(
        "Encryption",
        disclosure.encryption.as_ref().map(ToString::to_string),
    );
    field(
        "Acknowledgments",
        disclosure.acknowledgments.as_ref().map(ToString::to_string),
    );
    let languages: Vec<&str> = disclosure.languages.iter().map(Text::as_str).collect();
    field(
        "Preferred-Languages",
        Some(languages.join(", ")).filter(|tags| !tags.is_empty()),
    );
    field("Canonical", Some(disclosure.canonical.to_string()));
    field("Policy", Some(disclosure.policy.to_string()));
    field("CSAF", disclosure.csaf.as_ref().map(ToString::to_string));
    Ok(text)
}
