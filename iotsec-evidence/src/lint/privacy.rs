//! Clauses 5.8, 5.10, 5.11 and 6: personal data, telemetry, deletion.

use iotsec_product::{
    Finding, Severity,
    privacy::{Basis, Erased, Place},
    software::Guarantee,
};

use super::{Context, Rule};

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "data.transit",
        provisions: &["5.8-1", "5.8-2"],
        check: transit,
    },
    Rule {
        name: "data.consent",
        provisions: &["6-2", "6-3A", "6-3B"],
        check: consent,
    },
    Rule {
        name: "data.anonymisation",
        provisions: &["6-7", "6-8"],
        check: anonymisation,
    },
    Rule {
        name: "telemetry.examination",
        provisions: &["5.10-1"],
        check: examination,
    },
    Rule {
        name: "telemetry.handling",
        provisions: &["6-4", "6-5"],
        check: handling,
    },
    Rule {
        name: "deletion.coverage",
        provisions: &["5.11-1", "5.11-2"],
        check: coverage,
    },
    Rule {
        name: "deletion.confirmation",
        provisions: &["5.11-4"],
        check: confirmation,
    },
];

fn transit(context: &Context<'_>) -> Vec<Finding> {
    let product = context.product;
    let mut found = Vec::new();
    for (n, data) in product.personal_data.iter().enumerate() {
        for id in &data.travels {
            let channel = product
                .communication
                .iter()
                .find(|channel| channel.interfaces.contains(id));
            if channel.is_some_and(|channel| channel.guarantees.contains(&Guarantee::Confidentiality)) {
                continue;
            }
            let finding = Finding::error(
                "data.transit",
                format!("personal-data[{n}].travels"),
                format!(
                    "{} travels through {id}, for which no [[communication]] guarantees confidentiality",
                    data.id
                ),
                "declare the channel that protects it",
            );
            found.push(if data.sensitive {
                finding
            } else {
                finding.as_bad_as(Severity::Warning)
            });
        }
    }
    found
}

fn consent(context: &Context<'_>) -> Vec<Finding> {
    let data = context.product.personal_data.iter().enumerate();
    data.filter(|(_, one)| (one.basis == Basis::Consent) != one.consent.is_some())
        .map(|(n, one)| {
            let message = if one.basis == Basis::Consent {
                "consent is the basis, and it is not said how it is obtained, withdrawn and recorded"
            } else {
                "consent is asked for, and the basis is another"
            };
            Finding::error(
                "data.consent",
                format!("personal-data[{n}]"),
                message,
                "say it under consent, or name the basis that holds",
            )
        })
        .collect()
}

fn anonymisation(context: &Context<'_>) -> Vec<Finding> {
    let data = context.product.personal_data.iter().enumerate();
    data.filter(|(_, one)| one.anonymisation.is_none() && (one.aggregate_only || one.stored.contains(&Place::Service)))
        .map(|(n, _)| {
            Finding::error(
                "data.anonymisation",
                format!("personal-data[{n}]"),
                "it is not said how the data is kept apart from people",
                "say it under anonymisation: buckets, noise, shares for two servers, pseudonyms; or give a reason for 6-8",
            )
            .as_bad_as(Severity::Warning)
        })
        .collect()
}

fn examination(context: &Context<'_>) -> Vec<Finding> {
    if !context.holds("w") || !context.product.examination.is_empty() {
        return Vec::new();
    }
    vec![
        Finding::error(
            "telemetry.examination",
            "telemetry",
            "telemetry is collected, and nobody looks for anomalies in it",
            "say under [[examination]] who or what does",
        )
        .as_bad_as(Severity::Warning),
    ]
}

fn handling(context: &Context<'_>) -> Vec<Finding> {
    let Some(Ok(registry)) = context
        .product
        .telemetry
        .clone()
        .map(iotsec_product::Telemetry::declare)
    else {
        return Vec::new();
    };
    let events = registry.events().iter();
    let unstated = events
        .filter(|event| registry.handling_of(event).is_unstated())
        .map(iotsec_telemetry::registry::EventDef::name);
    let names: Vec<&str> = unstated.collect();
    if names.is_empty() {
        return Vec::new();
    }
    vec![Finding::error(
        "telemetry.handling",
        "telemetry",
        format!("it is not said who gets {} and for how long", names.join(", ")),
        "add [telemetry.handling] with owner, recipient and kept-days",
    )]
}

fn coverage(context: &Context<'_>) -> Vec<Finding> {
    let product = context.product;
    let erases = |place: Place, what: Erased| {
        let deletions = product.deletion.iter().filter(|one| one.target == place);
        deletions
            .flat_map(|one| &one.erases)
            .any(|erased| *erased == what)
    };
    let mut found = Vec::new();
    for what in [Erased::PersonalData, Erased::Configuration, Erased::Keys] {
        if !erases(Place::Device, what) {
            found.push(Finding::error(
                "deletion.coverage",
                "deletion",
                format!("no [[deletion]] on the device takes away {}", what.said()),
                "a factory reset takes away all three",
            ));
        }
    }
    if context.holds("x") && !erases(Place::Service, Erased::PersonalData) {
        found.push(
            Finding::error(
                "deletion.coverage",
                "deletion",
                "a service stores personal data, and no [[deletion]] takes it away there",
                "add one with target = \"service\"",
            )
            .as_bad_as(Severity::Warning),
        );
    }
    found
}

fn confirmation(context: &Context<'_>) -> Vec<Finding> {
    let deletions = context.product.deletion.iter().enumerate();
    deletions
        .filter(|(_, one)| one.confirmation.is_none() && one.erases.contains(&Erased::PersonalData))
        .map(|(n, _)| {
            Finding::error(
                "deletion.confirmation",
                format!("deletion[{n}]"),
                "it is not said how people learn that the data is gone",
                "say it under confirmation: iotsec makes a signed receipt",
            )
            .as_bad_as(Severity::Warning)
        })
        .collect()
}
