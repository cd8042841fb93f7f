//! Limits that the types of the sections do not express.

use crate::{finding::Finding, product::Product};

pub(super) fn check(product: &Product) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut error = |rule, at: &str, message: String, remedy: &str| {
        found.push(Finding::error(rule, at, message, remedy));
    };
    if !(1..=10).contains(&product.serial.digits) {
        error(
            "serial.digits",
            "serial.digits",
            "is 1 to 10".into(),
            "take as many digits as the largest number has",
        );
    }
    if !product.credential.password && !product.credential.setup_code {
        error(
            "credential.none",
            "credential",
            "asks for neither a password nor a set-up code".into(),
            "turn one of the two on: nobody else can become the owner of a unit",
        );
    }
    if let Some(matter) = &product.matter {
        if !product.credential.setup_code {
            error(
                "matter.code",
                "matter",
                "needs credential.setup-code = true: the code is the passcode".into(),
                "turn the set-up code on",
            );
        }
        if !(1..=0xFFF4).contains(&matter.vendor_id) || matter.product_id == 0 {
            error(
                "matter.ids",
                "matter.vendor-id",
                "is 1 to 0xFFF4, and product-id 1 to 0xFFFF".into(),
                "take the numbers that the Connectivity Standards Alliance gave",
            );
        }
        if matter.discovery.is_empty() {
            error(
                "matter.discovery",
                "matter.discovery",
                "names at least one of soft-ap, ble, on-network".into(),
                "say how the device is found before it is in a network",
            );
        }
        if !(1000..=100_000).contains(&matter.iterations) {
            error(
                "matter.iterations",
                "matter.iterations",
                "is 1000 to 100000".into(),
                "10000 is usual",
            );
        }
    }
    if let Some(disclosure) = &product.disclosure {
        if disclosure.contacts.is_empty() {
            error(
                "disclosure.contact",
                "disclosure.contacts",
                "names nobody".into(),
                "name at least one address that somebody reads",
            );
        }
        for (name, days, most) in [
            ("acknowledge-days", disclosure.acknowledge_days, 90),
            ("update-days", disclosure.update_days, 90),
            ("fix-days", disclosure.fix_days, 365),
        ] {
            if !(1..=most).contains(&days) {
                error(
                    "disclosure.days",
                    &format!("disclosure.{name}"),
                    format!("is 1 to {most}"),
                    "promise what you keep",
                );
            }
        }
    }
    for (number, update) in product.update.iter().enumerate() {
        let at = |name: &str| format!("update[{number}].{name}");
        if update.least_battery.is_some_and(|percent| percent > 100) {
            error(
                "update.battery",
                &at("least-battery"),
                "is 0 to 100 per cent".into(),
                "30 is usual",
            );
        }
        if update.check.as_ref().is_some_and(|check| check.every_hours == 0) {
            error(
                "update.check",
                &at("check.every-hours"),
                "is 1 or more".into(),
                "24 is usual",
            );
        }
    }
    for (number, deletion) in product.deletion.iter().enumerate() {
        if deletion.steps.is_empty() {
            error(
                "deletion.steps",
                &format!("deletion[{number}].steps"),
                "is empty".into(),
                "say what to do, step by step",
            );
        }
    }
    for (number, decision) in product.decision.iter().enumerate() {
        let answers = [Some(&decision.default), decision.recommended.as_ref()];
        for answer in answers
            .into_iter()
            .flatten()
            .filter(|answer| !decision.options.contains(answer))
        {
            error(
                "decision.option",
                &format!("decision[{number}].options"),
                format!(
                    "lacks {answer:?}, which is named as an answer",
                    answer = answer.as_str()
                ),
                "name all answers under options",
            );
        }
    }
    found
}
