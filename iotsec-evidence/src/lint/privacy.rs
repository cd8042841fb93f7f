//! Clauses 5.8, 5.10, 5.11 and 6: personal data, telemetry, deletion.

use iotsec_product::{
    Finding, Severity,
    privacy::{Basis, Erased, Place},
};

use super::{Context, Rule, each, fault};

pub(super) const RULES: &[Rule] = &[
    Rule::new("data.transit", &["5.8-1", "5.8-2"], transit),
    Rule::new("data.consent", &["6-2", "6-3A", "6-3B"], consent),
    Rule::new("data.anonymisation", &["6-7", "6-8"], anonymisation),
    Rule::new("telemetry.examination", &["5.10-1"], examination),
    Rule::new("telemetry.handling", &["6-4", "6-5"], handling),
    Rule::new("deletion.coverage", &["5.11-1", "5.11-2"], coverage),
    Rule::new("deletion.confirmation", &["5.11-4"], confirmation),
];

fn transit(context: &Context<'_>) -> Vec<Finding> {
    each("personal-data", &context.product.personal_data, |data, at| {
        let severity = if data.sensitive {
            Severity::Error
        } else {
            Severity::Warning
        };
        let open = data.travels.iter().filter(|id| !context.is_confidential(id));
        open.map(|id| {
            fault(
                format!("{at}.travels"),
                format!(
                    "{} travels through {id}, for which no [[communication]] guarantees confidentiality",
                    data.id
                ),
                "declare the channel that protects it",
            )
            .as_bad_as(severity)
        })
        .collect::<Vec<_>>()
    })
}

fn consent(context: &Context<'_>) -> Vec<Finding> {
    each("personal-data", &context.product.personal_data, |one, at| {
        ((one.basis == Basis::Consent) != one.consent.is_some()).then(|| {
            let message = if one.basis == Basis::Consent {
                "consent is the basis, and it is not said how it is obtained, withdrawn and recorded"
            } else {
                "consent is asked for, and the basis is another"
            };
            fault(at, message, "say it under consent, or name the basis that holds")
        })
    })
}

fn anonymisation(context: &Context<'_>) -> Vec<Finding> {
    each("personal-data", &context.product.personal_data, |one, at| {
        (one.anonymisation.is_none() && (one.aggregate_only || one.stored.contains(&Place::Service))).then(|| {
            fault(
at,
                "it is not said how the data is kept apart from people",
                "say it under anonymisation: buckets, noise, shares for two servers, pseudonyms; or give a reason for 6-8",
            )
            .as_bad_as(Severity::Warning)})
    })
}

fn examination(context: &Context<'_>) -> Vec<Finding> {
    if !context.holds("w") || !context.product.examination.is_empty() {
        return Vec::new();
    }
    vec![
        fault(
            "telemetry",
            "telemetry is collected, and nobody looks for anomalies in it",
            "say under [[examination]] who or what does",
        )
        .as_bad_as(Severity::Warning),
    ]
}

fn handling(context: &Context<'_>) -> Vec<Finding> {
    let Some(registry) = context.product.registry() else {
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
    vec![fault(
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
            found.push(fault(
                "deletion",
                format!("no [[deletion]] on the device takes away {}", what.said()),
                "a factory reset takes away all three",
            ));
        }
    }
    if context.holds("x") && !erases(Place::Service, Erased::PersonalData) {
        found.push(
            fault(
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
    each("deletion", &context.product.deletion, |one, at| {
        (one.confirmation.is_none() && one.erases.contains(&Erased::PersonalData)).then(|| {
            fault(
                at,
                "it is not said how people learn that the data is gone",
                "say it under confirmation: iotsec makes a signed receipt",
            )
            .as_bad_as(Severity::Warning)
        })
    })
}
