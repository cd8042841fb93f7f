//! The statement of compliance that has to accompany a product in the United Kingdom: the particulars of Schedule 4 of
//! SI 2023/1007.

use std::fmt::Write as _;

use iotsec_core::hal::{Date, UnixTime};
use iotsec_evidence::catalogue::{Catalogue, Edition};
use iotsec_product::{Product, text::markdown};

use crate::{
    DisclosureError,
    page::{needed, title},
};

/// The page, in Markdown.
///
/// ```
/// use iotsec_core::hal::UnixTime;
/// use iotsec_disclosure::compliance;
/// use iotsec_product::Product;
///
/// let lock = include_bytes!("../../examples/products/lock/iotsec.toml");
/// let page = compliance::page(&Product::parse(lock).unwrap(), UnixTime(1_795_996_800))?;
/// assert!(page.contains("ETSI EN 303 645 V2.1.1"));
/// # Ok::<(), iotsec_disclosure::DisclosureError>(())
/// ```
///
/// # Errors
/// [`DisclosureError::Section`] for a section that it needs.
pub fn page(product: &Product, now: UnixTime) -> Result<String, DisclosureError> {
    let (maker, support) = (
        needed(&product.maker, "maker")?,
        needed(&product.support, "support")?,
    );
    // Times for acknowledgement and status updates are in the policy that is cited here.
    let disclosure = needed(&product.disclosure, "disclosure")?;
    let signatory = needed(&maker.signatory, "maker.signatory")?;
    let mut text = title(product, "Statement of compliance");
    if let Some(batch) = &product.product.batch {
        let _ = writeln!(text, "\nBatch: {}", markdown(batch));
    }
    let _ = writeln!(
        text,
        "\n- Manufacturer: {}, {}",
        markdown(&maker.name),
        markdown(&maker.address)
    );
    if let Some(other) = &maker.representative {
        let _ = writeln!(
            text,
            "- Authorised representative: {}, {}",
            markdown(&other.name),
            markdown(&other.address)
        );
    }
    let _ = writeln!(
        text,
        "\nThis statement is prepared by or on behalf of the manufacturer of the product.\n\n\
         In the opinion of the manufacturer, the requirements of Schedule 1 of the Product Security and \
         Telecommunications Infrastructure (Security Requirements for Relevant Connectable Products) Regulations 2023 are \
         met, as deemed by compliance with these provisions of {}:\n",
        Edition::V2_1_1.cited()
    );
    for provision in Catalogue::get().provisions() {
        if let (Some(paragraph), Some(number)) = (&provision.psti, provision.number(Edition::V2_1_1)) {
            let paragraph = paragraph.trim_start_matches("Sch1-");
            let _ = writeln!(
                text,
                "- {number}, for Schedule 1 paragraph {paragraph}: {}",
                provision.about
            );
        }
    }
    let _ = writeln!(
        text,
        "\nWeaknesses are reported as <{}> says.\n\n\
         **Defined support period**: security updates until {}, as correct when the product is first supplied. It is \
         published at <{}>.\n",
        disclosure.policy, support.end, support.page
    );
    let day = Date::of(now).map(|day| day.to_string()).unwrap_or_default();
    let _ = writeln!(
        text,
        "Signed for and on behalf of the manufacturer:\n\n\n\
         ______________________________\n\n{}, {}\n\n{}, {day}",
        markdown(&signatory.name),
        markdown(&signatory.function),
        markdown(&signatory.place)
    );
    Ok(text)
}
