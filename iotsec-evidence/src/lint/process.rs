//! Clauses 5.2, 5.3-13, 5.5-2, 5.5-8, 5.6, 5.9, 5.12, 5.13: what the maker publishes and does.

use std::collections::BTreeSet;

use iotsec_product::{
    Finding, Severity,
    access::KeyLife,
    care::{Outage, Topic},
    maker::Disclosure,
    text::Id,
};

use super::{Context, Rule, each, fault};
use crate::catalogue::Edition;

pub(super) const RULES: &[Rule] = &[
    Rule::new("disclosure.missing", &["5.2-1"], disclosure),
    Rule::new("disclosure.english", &["5.2-1"], english),
    Rule::new("vulnerability.process", &["5.2-2", "5.2-3"], vulnerabilities),
    Rule::new("support.missing", &["5.3-13"], support),
    Rule::new("update.procedure", &["5.3-8"], procedure),
    Rule::new("keys.life", &["5.5-8"], key_life),
    Rule::new("implementation.review", &["5.5-2"], review),
    Rule::new("development.topics", &["5.6-9"], development),
    Rule::new("resilience.missing", &["5.9-1", "5.9-2"], resilience),
    Rule::new("decision.secure", &["5.12-1"], decisions),
    Rule::new(
        "guide.missing",
        &["5.12-2", "5.12-3", "5.11-3", "5.8-3", "6-1", "6-5"],
        guide,
    ),
    Rule::new("input.unchecked", &["5.13-1A", "5.13-1B"], inputs),
    Rule::new(
        "confirmation.missing",
        &["5.2-2", "5.2-3", "5.3-8", "5.5-8", "5.6-9"],
        confirmations,
    ),
];

fn disclosure(context: &Context<'_>) -> Vec<Finding> {
    match context.product.disclosure {
        Some(_) => Vec::new(),
        None => vec![fault(
            "disclosure",
            "nothing is said of how weaknesses are reported, and when an answer comes",
            "add [disclosure] with contacts, policy, canonical, acknowledge-days and update-days",
        )],
    }
}

fn english(context: &Context<'_>) -> Vec<Finding> {
    let has_english = |one: &Disclosure| {
        let mut languages = one.languages.iter();
        languages.any(|tag| tag.as_str() == "en" || tag.as_str().starts_with("en-"))
    };
    match &context.product.disclosure {
        Some(one) if !has_english(one) => vec![fault(
            "disclosure.languages",
            "the law of the United Kingdom asks that reports can be made in English (PSTI Schedule 1, paragraph 2)",
            "add \"en\"",
        )],
        _ => Vec::new(),
    }
}

fn vulnerabilities(context: &Context<'_>) -> Vec<Finding> {
    let product = context.product;
    let mut found = Vec::new();
    if product.vulnerability_type.is_empty() {
        found.push(
            fault(
                "vulnerability-type",
                "nothing is said of what is done about reports",
                "add a [[vulnerability-type]] for each kind, with what is done and within how many days",
            )
            .as_bad_as(Severity::Warning),
        );
    }
    if product.monitoring.is_empty() {
        found.push(
            fault(
                "monitoring",
                "nothing is said of how weaknesses are looked for",
                "add [[monitoring]]: advisories of every dependency in the SBOM, tests, fuzzing",
            )
            .as_bad_as(Severity::Warning),
        );
    }
    found
}

fn support(context: &Context<'_>) -> Vec<Finding> {
    match context.product.support {
        Some(_) => Vec::new(),
        None => vec![fault(
            "support",
            "nothing is said of how long there are security updates",
            "add [support] with end, reason and page (PSTI Schedule 1, paragraph 3)",
        )],
    }
}

fn procedure(context: &Context<'_>) -> Vec<Finding> {
    if context.product.update.is_empty() || !context.product.update_procedure.is_empty() {
        return Vec::new();
    }
    vec![fault(
        "update-procedure",
        "nothing is said of how a security update comes about, and how fast",
        "add [[update-procedure]] with who does what, and days",
    )]
}

fn key_life(context: &Context<'_>) -> Vec<Finding> {
    let critical = context.facts.condition(Edition::V3_1_3, 16);
    if !critical.is_some_and(|answer| answer.holds) {
        return Vec::new();
    }
    let covered: BTreeSet<KeyLife> = context
        .product
        .key_management
        .iter()
        .flat_map(|one| one.covers.iter().copied())
        .collect();
    let all = [
        KeyLife::Generation,
        KeyLife::Provisioning,
        KeyLife::Storage,
        KeyLife::Update,
        KeyLife::Retirement,
        KeyLife::Compromise,
    ];
    let missing: Vec<&str> = all
        .iter()
        .filter(|part| !covered.contains(part))
        .map(|part| part.said())
        .collect();
    if missing.is_empty() {
        return Vec::new();
    }
    vec![fault(
        "key-management",
        format!("nothing is said of {} of secrets", missing.join(", ")),
        "add [[key-management]] for these parts of their life",
    )]
}

fn review(context: &Context<'_>) -> Vec<Finding> {
    if !context.product.implementation.is_empty() {
        return Vec::new();
    }
    vec![
        fault(
            "implementation",
            "no software for networks or cryptography is said to be reviewed",
            "add [[implementation]] with version and review, or give a reason for 5.5-2",
        )
        .as_bad_as(Severity::Advice),
    ]
}

fn development(context: &Context<'_>) -> Vec<Finding> {
    let covered: BTreeSet<Topic> = context.product.development.iter().map(|one| one.topic).collect();
    let missing: Vec<&str> = Topic::ALL
        .iter()
        .filter(|topic| !covered.contains(topic))
        .map(|topic| topic.said())
        .collect();
    if missing.is_empty() {
        return Vec::new();
    }
    vec![
        fault(
            "development",
            format!("nothing is said of {}", missing.join(", ")),
            "add [[development]] for each topic, or give a reason for 5.6-9",
        )
        .as_bad_as(Severity::Warning),
    ]
}

fn resilience(context: &Context<'_>) -> Vec<Finding> {
    let has = |outage: Outage| context.product.resilience.iter().any(|one| one.against == outage);
    let outages = [Outage::Network, Outage::Power]
        .into_iter()
        .filter(|outage| !has(*outage));
    outages
        .map(|outage| {
            fault(
                "resilience",
                format!(
                    "nothing is said of what carries the product through {}",
                    outage.said()
                ),
                "add [[resilience]], or give a reason for 5.9-1",
            )
            .as_bad_as(Severity::Warning)
        })
        .collect()
}

fn decisions(context: &Context<'_>) -> Vec<Finding> {
    each("decision", &context.product.decision, |one, at| {
        ({
            one.recommended
                .as_ref()
                .is_some_and(|recommended| *recommended != one.default)
        })
        .then(|| {
            fault(
                format!("{at}.default"),
                format!(
                    "{:?} holds while nobody decides, and another answer is recommended",
                    one.default.as_str()
                ),
                "make the recommended answer the default",
            )
        })
    })
}

fn guide(context: &Context<'_>) -> Vec<Finding> {
    let guide = context.product.guide.as_ref();
    let mut found = Vec::new();
    let mut wants = |name: &str, there: bool, mandatory: bool, why: &str| {
        if there {
            return;
        }
        let finding = fault(
            format!("guide.{name}"),
            format!("users have no place to read {why}"),
            "add its address under [guide]; `iotsec disclose` writes a page to start from",
        );
        found.push(if mandatory {
            finding
        } else {
            finding.as_bad_as(Severity::Warning)
        });
    };
    macro_rules! there {
        ($name:ident) => {
            guide.is_some_and(|guide| guide.$name.is_some())
        };
    }
    wants("setup", there!(setup), false, "how to set up securely");
    wants(
        "setup-check",
        there!(setup_check),
        false,
        "how to check that it is set up securely",
    );
    wants("deletion", there!(deletion), false, "how to delete data");
    if context.holds("v") {
        wants("sensors", there!(sensors), true, "which sensors there are");
    }
    if context.holds("z") {
        wants(
            "personal-data",
            there!(personal_data),
            true,
            "which personal data is processed",
        );
    }
    if context.holds("w") {
        wants(
            "telemetry",
            there!(telemetry),
            true,
            "which telemetry is collected",
        );
    }
    found
}

fn inputs(context: &Context<'_>) -> Vec<Finding> {
    let product = context.product;
    let checked: BTreeSet<&str> = product
        .input
        .iter()
        .flat_map(|one| one.sources.iter().map(Id::as_str))
        .collect();
    let surface = product.surface.as_ref();
    let services = surface.into_iter().flat_map(|surface| {
        surface
            .service
            .iter()
            .filter(|one| !one.disabled)
            .map(|one| one.id.as_str())
    });
    let endpoints = surface
        .into_iter()
        .flat_map(|surface| surface.endpoint.iter().map(|one| one.id.as_str()));
    let screens = product.user_interface.iter().map(|one| one.id.as_str());
    let all = services.chain(endpoints).chain(screens);
    all.filter(|id| !checked.contains(id))
        .map(|id| {
            fault(
                "input",
                format!("data comes in through {id}, and nothing is said of what checks it"),
                "add it to the sources of an [[input]]",
            )
        })
        .collect()
}

fn confirmations(context: &Context<'_>) -> Vec<Finding> {
    let all = context.product.confirmation.as_ref();
    macro_rules! missing {
        ($($name:ident = $written:literal),+ $(,)?) => {
            [$((all.is_some_and(|all| all.$name.is_some()), $written)),+]
        };
    }
    let wanted = missing!(
        vulnerability_actions = "vulnerability-actions",
        vulnerability_monitoring = "vulnerability-monitoring",
        update_procedures = "update-procedures",
        secure_management = "secure-management",
        secure_development = "secure-development",
    );
    wanted
        .into_iter()
        .filter(|(there, _)| !there)
        .map(|(_, name)| {
            fault(
                format!("confirmation.{name}"),
                "nobody stands for it",
                "name who does: a person with a function",
            )
        })
        .collect()
}
