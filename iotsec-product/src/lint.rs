//! What contradicts itself or leads nowhere. What the provisions of a standard ask is not here.

mod form;
mod reference;

use crate::{finding::Finding, product::Product};

/// What makes a manifest unusable: limits that types do not express.
pub(crate) fn form(product: &Product) -> Vec<Finding> {
    let mut findings = form::check(product);
    findings.extend(reference::check(product));
    findings
        .into_iter()
        .map(|finding| product.place(finding))
        .collect()
}
