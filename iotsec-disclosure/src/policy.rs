//! The disclosure policy, with the times that EN 303 645 5.2-1 and PSTI Schedule 1 paragraph 2 ask for and
//! `security.txt` has no fields for.

use std::fmt::Write as _;

use iotsec_product::{Product, text::markdown};

use crate::{
    DisclosureError,
    page::{needed, title},
};

/// The page, in Markdown.
///
/// ```
/// use iotsec_disclosure::policy;
/// use iotsec_product::Product;
///
/// let lock = include_bytes!("../../examples/products/lock/iotsec.toml");
/// let page = policy::page(&Product::parse(lock).unwrap())?;
/// assert!(page.contains("| within 2 days | we acknowledge"));
/// # Ok::<(), iotsec_disclosure::DisclosureError>(())
/// ```
///
/// # Errors
/// [`DisclosureError::Section`] for a section that it needs.
pub fn page(product: &Product) -> Result<String, DisclosureError> {
    let disclosure = needed(&product.disclosure, "disclosure")?;
    let mut text = title(product, "Reporting a security weakness");
    text += "\nEverybody may report a weakness, free of charge, without an account and without saying who they are.\n\n\
             ## Where to\n\n";
    for contact in &disclosure.contacts {
        let _ = writeln!(text, "- <{contact}>");
    }
    if let Some(key) = &disclosure.encryption {
        let _ = writeln!(text, "\nA key to encrypt a report with is at <{key}>.");
    }
    let languages: Vec<String> = disclosure.languages.iter().map(markdown).collect();
    let _ = writeln!(
        text,
        "\nWe read reports in these languages: {}.",
        languages.join(", ")
    );
    let days = |days: u16| {
        if days == 1 {
            "one day".to_owned()
        } else {
            format!("{days} days")
        }
    };
    let _ = write!(
        text,
        "\n## What happens then\n\n\
         | when | what |\n|---|---|\n\
         | within {} | we acknowledge the report |\n\
         | every {} until it is resolved | we say how it stands |\n\
         | within {} | we aim to have an update or another remedy |\n",
        days(disclosure.acknowledge_days),
        days(disclosure.update_days),
        days(disclosure.fix_days)
    );
    text += "\nWe agree with you when details are published. What helps us: the model and software version, what you did, \
             what happened, and what an attacker could do with it. Please do not look at data of other people, do not \
             disturb services, and give us time to mend it. Who keeps to this has nothing to fear from us.\n";
    if let Some(thanks) = &disclosure.acknowledgments {
        let _ = writeln!(text, "\nWe thank finders at <{thanks}>, if they wish.");
    }
    Ok(text)
}
