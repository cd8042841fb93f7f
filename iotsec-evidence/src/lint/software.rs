//! Clauses 5.3, 5.5-3 and 5.7: components, updates, secure boot.

use iotsec_product::{
    Finding, Severity,
    software::{Guarantee, ImmutableReason, Verifier},
};

use super::{Context, Rule, each, fault, missing};

pub(super) const RULES: &[Rule] = &[
    Rule::new("component.update", &["5.3-1", "5.3-2"], updatable),
    Rule::new("update.simple", &["5.3-3"], simple),
    Rule::new("update.automatic", &["5.3-4A", "5.3-4B", "5.3-6A"], automatic),
    Rule::new("update.check", &["5.3-5"], looks),
    Rule::new(
        "update.guarantees",
        &["5.3-2", "5.3-7", "5.3-9", "5.3-10"],
        guarantees,
    ),
    Rule::new("update.notice", &["5.3-6B", "5.3-11", "5.3-12"], notice),
    Rule::new(
        "replacement.missing",
        &["5.3-14", "5.3-15A", "5.3-15B"],
        replacement,
    ),
    Rule::new("component.agility", &["5.5-3"], agility),
    Rule::new("boot.guarantees", &["5.7-1", "5.7-2"], boot),
];

fn updatable(context: &Context<'_>) -> Vec<Finding> {
    let components = &context.product.component;
    if components.is_empty() {
        return vec![fault(
            "component",
            "no software is declared",
            "list the parts of the software, the boot loader too",
        )];
    }
    each("component", components, |one, at| {
        (one.updates.is_empty() && one.immutable.is_none()).then(|| {
            fault(
                at,
                format!("{} has no update and no reason for being immutable", one.id),
                "name its [[update]], or say under immutable why it never changes",
            )
        })
    })
}

fn simple(context: &Context<'_>) -> Vec<Finding> {
    let product = context.product;
    each("component", &product.component, |one, at| {
        let mut updates = product
            .update
            .iter()
            .filter(|update| one.updates.contains(&update.id));
        let simple = updates.any(|update| update.initiation.is_simple());
        (!one.updates.is_empty() && !simple).then(|| {
            fault(
                format!("{at}.updates"),
                "only a technician can update it",
                "offer an update that starts by itself, in the app or on the device",
            )
        })
    })
}

fn automatic(context: &Context<'_>) -> Vec<Finding> {
    each("update", &context.product.update, |one, at| {
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
        let finding = fault(
            format!("{at}.owner"),
            message,
            "set automatic, automatic-by-default and can-postpone, or give a reason for 5.3-4A, 5.3-4B or 5.3-6A",
        );
        Some(finding.as_bad_as(Severity::Warning))
    })
}

fn looks(context: &Context<'_>) -> Vec<Finding> {
    each("update", &context.product.update, |one, at| {
        let message = match &one.check {
            None => "it is not said when the device looks for updates",
            Some(check) if !check.at_start => "the device does not look for updates after it was set up",
            Some(check) if check.every_hours > 24 * 7 => "the device looks for updates less than once a week",
            Some(_) => return None,
        };
        let finding = fault(
            format!("{at}.check"),
            message,
            "look after each start, and daily: check = { at-start = true, every-hours = 24 }",
        );
        Some(finding.as_bad_as(Severity::Warning))
    })
}

fn guarantees(context: &Context<'_>) -> Vec<Finding> {
    each("update", &context.product.update, |one, at| {
        if let Some(missing) = missing(&one.guarantees, &[Guarantee::Integrity, Guarantee::Authenticity]) {
            return Some(fault(
                format!("{at}.guarantees"),
                format!("lacks {missing}"),
                "verify a signature over the manifest, and the digest over what is installed",
            ));
        }
        if one.cryptography.is_empty() {
            return Some(fault(
                format!("{at}.cryptography"),
                "names no algorithm that gives these guarantees",
                "name it, such as Ed25519 and SHA-256",
            ));
        }
        if one.verified_by != Verifier::Device {
            let finding = fault(
                format!("{at}.verified-by"),
                "the device does not verify updates itself",
                "verify on the device before installing, or give a reason for 5.3-9",
            );
            return Some(finding.as_bad_as(Severity::Warning));
        }
        if !one.refuses_rollback {
            return Some(fault(
                format!("{at}.refuses-rollback"),
                "old software with known weaknesses can be installed",
                "count up a security counter, as iotsec does, and set refuses-rollback",
            ));
        }
        None
    })
}

fn notice(context: &Context<'_>) -> Vec<Finding> {
    each("update", &context.product.update, |one, at| {
        let message = match &one.notice {
            None => "nobody is told of an update",
            Some(notice) if !notice.risk => "the notice does not name the risk that the update removes",
            Some(notice) if !notice.disruption => "nobody is warned when functions are away during an update",
            Some(notice) if !notice.can_disable => "notices cannot be switched off",
            Some(_) => return None,
        };
        let finding = fault(
            format!("{at}.notice"),
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
        fault(
"replacement",
            "some software is never updated, and it is not said how the product is isolated or replaced, and why",
            "say it under [replacement]: isolation, hardware, why",
        )
        .as_bad_as(Severity::Warning),
    ]
}

fn agility(context: &Context<'_>) -> Vec<Finding> {
    each("component", &context.product.component, |one, at| {
        let changes = !one.cryptography.is_empty() && one.immutable.is_none();
        (changes && one.cryptography_changes.is_none()).then(|| {
            fault(
                at,
                "it contains cryptography, and it is not said what changing that brings with it",
                "say it under cryptography-changes: what the other end has to know, what stored data needs",
            )
            .as_bad_as(Severity::Advice)
        })
    })
}

fn boot(context: &Context<'_>) -> Vec<Finding> {
    each("secure-boot", &context.product.secure_boot, |one, at| {
        let missing = missing(&one.guarantees, &[Guarantee::Integrity, Guarantee::Authenticity])?;
        Some(fault(
            format!("{at}.guarantees"),
            format!("lacks {missing}"),
            "a check of the software at start-up guarantees both",
        ))
    })
}
