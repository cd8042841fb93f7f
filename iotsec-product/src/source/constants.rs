//! Names, identifiers, the support period and the policy for updates.

use std::fmt::Write as _;

use crate::{product::Product, software::Update};

pub(super) fn rust(product: &Product) -> String {
    let mut text = String::new();
    let mut constant = |about: &str, name: &str, kind: &str, value: String| {
        let _ = write!(text, "\n/// {about}\npub const {name}: {kind} = {value};\n");
    };
    let string = |value: &str| format!("{value:?}");
    constant(
        "SHA-256 of the product manifest that this is made of.",
        "MANIFEST_SHA256",
        "[u8; 32]",
        bytes(&product.digest),
    );
    constant(
        "For people.",
        "NAME",
        "&str",
        string(product.product.name.as_str()),
    );
    constant(
        "As on the type label.",
        "MODEL",
        "&str",
        string(product.product.model.as_str()),
    );
    constant(
        "The trade name.",
        "VENDOR",
        "&str",
        string(product.product.vendor.as_str()),
    );
    if let Some(software) = &product.software {
        constant(
            "The release.",
            "VERSION",
            "&str",
            string(software.version.as_str()),
        );
    }
    if let Some((vendor, class)) = product.suit_ids() {
        constant(
            "The vendor identifier of SUIT.",
            "VENDOR_ID",
            "[u8; 16]",
            bytes(&vendor.bytes()),
        );
        constant(
            "The class identifier of SUIT.",
            "CLASS_ID",
            "[u8; 16]",
            bytes(&class.bytes()),
        );
    }
    if let Some(disclosure) = &product.disclosure {
        constant(
            "Where the disclosure policy is.",
            "DISCLOSURE_POLICY",
            "&str",
            string(disclosure.policy.as_str()),
        );
    }
    if let Some(support) = &product.support {
        constant(
            &format!("Security updates until the end of {}.", support.end),
            "SUPPORT_UNTIL",
            "iotsec::core::hal::UnixTime",
            format!("iotsec::core::hal::UnixTime({})", support.end.end().0),
        );
    }
    if let Some(update) = product.update.first() {
        constant(
            "When to look for updates and when to install them.",
            "UPDATE_POLICY",
            "iotsec::update::policy::UpdatePolicy",
            policy(product, update),
        );
    }
    text
}

/// What the manifest leaves open is as in `UpdatePolicy::DEFAULT`.
fn policy(product: &Product, update: &Update) -> String {
    let mut text = String::from("iotsec::update::policy::UpdatePolicy {\n");
    let hours = |hours: u64| {
        format!(
            "iotsec::core::hal::Millis::from_secs({})",
            hours.saturating_mul(3600)
        )
    };
    if let Some(check) = &update.check {
        let _ = writeln!(text, "    period: {},", hours(check.every_hours.into()));
    }
    if let Some(grace) = update.grace_hours {
        let _ = writeln!(text, "    grace: {},", hours(grace.into()));
    }
    if let Some(days) = update.owner.postpone_days {
        let _ = writeln!(
            text,
            "    longest_postponement: {},",
            hours(u64::from(days).saturating_mul(24))
        );
    }
    if let Some(percent) = update.least_battery {
        let _ = writeln!(text, "    least_battery: {percent},");
    }
    if product.support.is_some() {
        text += "    support_until: Some(SUPPORT_UNTIL),\n";
    }
    text + "    ..iotsec::update::policy::UpdatePolicy::DEFAULT\n}"
}

fn bytes(bytes: &[u8]) -> String {
    let mut text = String::from("[");
    for (number, byte) in bytes.iter().enumerate() {
        let comma = if number == 0 { "" } else { ", " };
        let _ = write!(text, "{comma}0x{byte:02x}");
    }
    text + "]"
}
