//! All pages of a product at once, and what they have in common.

use iotsec_core::hal::UnixTime;
use iotsec_product::{Product, text::markdown};

use crate::{DisclosureError, compliance, consumer, mud, policy, security_txt};

/// A document to be published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The name of its file.
    pub name: &'static str,
    /// What it says.
    pub text: String,
}

/// Everything that is made of the manifest alone; the MUD file where `[surface.mud]` is. All or none: a set of documents
/// that lacks one is not what was asked for.
///
/// `valid_days` is for how long `security.txt` holds.
///
/// # Errors
/// Why one of them cannot be made.
pub fn all(product: &Product, now: UnixTime, valid_days: u16) -> Result<Vec<Page>, DisclosureError> {
    let page = |name, text| Page { name, text };
    let mut pages = vec![
        page("security.txt", security_txt::text(product, now, valid_days)?),
        page("disclosure-policy.md", policy::page(product)?),
        page("statement-of-compliance.md", compliance::page(product, now)?),
        page("consumer.md", consumer::page(product)?),
    ];
    if product
        .surface
        .as_ref()
        .is_some_and(|surface| surface.mud.is_some())
    {
        let end = product.support.as_ref().map(|support| support.end.end());
        let supported = end.is_none_or(|end| now <= end);
        pages.push(page("mud.json", mud::file(product, now.into(), supported)?));
    }
    Ok(pages)
}

/// For a section that a document needs.
pub(crate) fn needed<'a, T>(section: &'a Option<T>, name: &'static str) -> Result<&'a T, DisclosureError> {
    section.as_ref().ok_or(DisclosureError::Section(name))
}

/// The headline of a page.
pub(crate) fn title(product: &Product, what: &str) -> String {
    let about = &product.product;
    format!(
        "# {what}\n\n**{}**, model {}, by {}\n",
        markdown(&about.name),
        markdown(&about.model),
        markdown(&about.vendor)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_section_is_named() {
        let none: Option<u8> = None;
        let error = needed(&none, "support").unwrap_err();
        assert_eq!(error.to_string(), "the manifest has no [support]");
    }
}
