//! `security.txt` (RFC 9116).

use std::fmt::Write as _;

use iotsec_product::{Product, text::Text};

use super::needed;
use crate::{Problem, time::Time};

const DAY: u64 = 86_400;

pub(super) fn text(product: &Product, now: Time, valid_days: u16) -> Result<String, Problem> {
    let disclosure = needed(&product.disclosure, "disclosure")?;
    let expires = Time(now.0.saturating_add(u64::from(valid_days).saturating_mul(DAY)));
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
