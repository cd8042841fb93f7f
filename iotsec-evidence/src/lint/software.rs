//! Clauses 5.3, 5.5-3 and 5.7: components, updates, secure boot.

use iotsec_product::{
    Finding, Severity,
    software::{Guarantee, ImmutableReason, Update, Verifier},
};

use super::{Context, Rule, missing};

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "component.update",
        provisions: &["5.3-1", "5.3-2"],
        check: updatable,
    },
    Rule {
        name: "update.simple",
        provisions: &["5.3-3"],
        check: simple,
    },
    Rule {
        name: "update.automatic",
        provisions: &["5.3-4A", "5.3-4B", "5.3-6A"],
        check: automatic,
    },
    Rule {
        name: "update.check",
        provisions: &["5.3-5"],
        check: looks,
    },
    Rule {
        name: "update.guarantees",
        provisions: &["5.3-2", "5.3-7", "5.3-9", "5.3-10"],
        check: guarantees,
    },
    Rule {
        name: "update.notice",
        provisions: &["5.3-6B", "5.3-11", "5.3-12"],
        check: notice,
    },
    Rule {
        name: "replacement.missing",
        provisions: &["5.3-14", "5.3-15A", "5.3-15B"],
        check: replacement,
    },
    Rule {
        name: "component.agility",
        provisions: &["5.5-3"],
        check: agility,
    },
    Rule {
        name: "boot.guarantees",
        provisions: &["5.7-1", "5.7-2"],
        check: boot,
    },
];

fn updates(context: &Context<'_>, check: impl Fn(usize, &Update) -> Option<Finding>) -> Vec<Finding> {
    context
        .product
        .update
        .iter()
        .enumerate()
        .filter_map(|(n, one)| check(n, one))
        .collect()
}

fn updatable(context: &Context<'_>) -> Vec<Finding> {
    let mut found: Vec<Finding> = context
        .product
        .component
        .iter()
        .enumerate()
        .filter(|(_, one)| one.updates.is_empty() && one.immutable.is_none())
        .map(|(n, one)| {
            Finding::error(
                "component.update",
                format!("component[{n}]"),
                format!("{} has no update and no reason for being immutable", one.id),
                "name its [[update]], or say under immutable why it never changes",
            )
        })
        .collect();
    if context.product.component.is_empty() {
        found.push(Finding::error(
            "component.update",
            "component",
            "no software is declared",
            "list the parts of the software, the boot loader too",
        ));
    }
    found
}

fn simple(context: &Context<'_>) -> Vec<Finding> {
    let product = context.product;
    let mut found = Vec::new();
    for (n, component) in product
        .component
        .iter()
        .enumerate()
        .filter(|(_, one)| !one.updates.is_empty())
    {
        let simple = component.updates.iter().any(|id| {
            let update = product.update.iter().find(|update| update.id == *id);
            update.is_some_and(|update| update.initiation.is_simple())
        });
        if !simple {
            found.push(Finding::error(
                "update.simple",
                format!("component[{n}].updates"),
                "only a technician can update it",
                "offer an update that starts by itself, in the app or on the device",
            ));
        }
    }
    found
}

fn automatic(context: &Context<'_>) -> Vec<Finding> {
    updates(context, |n, one| {
        let owner = &one.owner;
        let message = if !owner.automatic {
            "it cannot run by itself"
        } else if !owner.automatic_by_default {
            "it can run by itself and does not from the first day on"
        } else if !owner.can_postpone {
            "the owner can neither put it off nor switch the automatic off"
        } else {
            return None;
        };
        let finding = Finding::error(
            "update.automatic",
            format!("update[{n}].owner"),
            message,
            "set automatic, automatic-by-default and can-postpone, or give a reason for 5.3-4A, 5.3-4B or 5.3-6A",
        );
        Some(finding.as_bad_as(Severity::Warning))
    })
}

fn looks(context: &Context<'_>) -> Vec<Finding> {
    updates(context, |n, one| {
        let message = match &one.check {
            None => "it is not said when the device looks for updates",
            Some(check) if !check.at_start => "the device does not look for updates after it was set up",
            Some(check) if check.every_hours > 24 * 7 => "the device looks for updates less than once a week",
            Some(_) => return None,
        };
        let finding = Finding::error(
            "update.check",
            format!("update[{n}].check"),
            message,
            "look after each start, and daily: check = { at-start = true, every-hours = 24 }",
        );
        Some(finding.as_bad_as(Severity::Warning))
    })
}

fn guarantees(context: &Context<'_>) -> Vec<Finding> {
    updates(context, |n, one| {
        let at = format!("update[{n}].guarantees");
        if let Some(missing) = missing(&one.guarantees, &[Guarantee::Integrity, Guarantee::Authenticity]) {
            return Some(Finding::error(
                "update.guarantees",
                at,
                format!("lacks {missing}"),
                "verify a signature over the manifest, and the digest over what is installed",
            ));
        }
        if one.cryptography.is_empty() {
            return Some(Finding::error(
                "update.guarantees",
                format!("update[{n}].cryptography"),
                "names no algorithm that gives these guarantees",
                "name it, such as Ed25519 and SHA-256",
            ));
        }
        if one.verified_by != Verifier::Device {
            let finding = Finding::error(
                "update.guarantees",
                format!("update[{n}].verified-by"),
                "the device does not verify updates itself",
                "verify on the device before installing, or give a reason for 5.3-9",
            );
            return Some(finding.as_bad_as(Severity::Warning));
        }
        if !one.refuses_rollback {
            return Some(Finding::error(
                "update.guarantees",
                format!("update[{n}].refuses-rollback"),
                "old software with known weaknesses can be installed",
                "count up a security counter, as iotsec does, and set refuses-rollback",
            ));
        }
        None
    })
}

fn notice(context: &Context<'_>) -> Vec<Finding> {
    updates(context, |n, one| {
        let message = match &one.notice {
            None => "nobody is told of an update",
            Some(notice) if !notice.risk => "the notice does not name the risk that the update removes",
            Some(notice) if !notice.disruption => "nobody is warned when functions are away during an update",
            Some(notice) if !notice.can_disable => "notices cannot be switched off",
            Some(_) => return None,
        };
        let finding = Finding::error(
            "update.notice",
            format!("update[{n}].notice"),
            message,
            "set how, risk, disruption and can-disable, or give a reason for 5.3-6B, 5.3-11 or 5.3-12",
        );
        Some(finding.as_bad_as(Severity::Warning))
    })
}

fn replacement(context: &Context<'_>) -> Vec<Finding> {
    let product = context.product;
    let stuck = product.component.iter().any(|one| {
        let reason = one.immutable.as_ref().map(|why| why.reason);
        one.updates.is_empty() && reason == Some(ImmutableReason::Other)
    });
    if !stuck {
        return Vec::new();
    }
    let says_all = product
        .replacement
        .as_ref()
        .is_some_and(|one| one.isolation.is_some() && one.hardware.is_some() && one.why.is_some());
    if says_all {
        return Vec::new();
    }
    vec![
        Finding::error(
            "replacement.missing",
            "replacement",
            "some software is never updated, and it is not said how the product is isolated or replaced, and why",
            "say it under [replacement]: isolation, hardware, why",
        )
        .as_bad_as(Severity::Warning),
    ]
}

fn agility(context: &Context<'_>) -> Vec<Finding> {
    let components = context.product.component.iter().enumerate();
    components
        .filter(|(_, one)| {
            !one.cryptography.is_empty() && one.cryptography_changes.is_none() && one.immutable.is_none()
        })
        .map(|(n, _)| {
            Finding::error(
                "component.agility",
                format!("component[{n}]"),
                "it contains cryptography, and it is not said what changing that brings with it",
                "say it under cryptography-changes: what the other end has to know, what stored data needs",
            )
            .as_bad_as(Severity::Advice)
        })
        .collect()
}

fn boot(context: &Context<'_>) -> Vec<Finding> {
    let boots = context.product.secure_boot.iter().enumerate();
    boots
        .filter_map(|(n, one)| {
            let missing = missing(&one.guarantees, &[Guarantee::Integrity, Guarantee::Authenticity])?;
            Some(Finding::error(
                "boot.guarantees",
                format!("secure-boot[{n}].guarantees"),
                format!("lacks {missing}"),
                "a check of the software at start-up guarantees both",
            ))
        })
        .collect()
}
