//! What makes a manifest unusable: limits that types do not express, and what leads nowhere. What the provisions of a
//! standard ask is not here.

mod form;
mod reference;

use crate::{finding::Finding, product::Product};
pub(crate) use reference::examined;

/// All but what the declarations of interfaces and telemetry have wrong.
pub(crate) fn check(product: &Product) -> Vec<Finding> {
    let mut found = form::check(product);
    found.extend(reference::check(product));
    found
}
