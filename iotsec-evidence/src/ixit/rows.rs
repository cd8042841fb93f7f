//! The rows of each table.

mod privacy;
mod surface;

use iotsec_product::{
    Product,
    access::{Mechanism, Parameter},
    software::{Guarantee, Update},
};

/// The values of a row behind its name.
pub(super) struct Row {
    pub(super) id: String,
    pub(super) values: Vec<Option<String>>,
}

fn row<const N: usize>(id: &str, values: [Option<String>; N]) -> Row {
    Row {
        id: id.to_owned(),
        values: Vec::from(values),
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "texts come as values and as references"
)]
fn some(text: impl ToString) -> Option<String> {
    Some(text.to_string())
}

fn list<T: ToString>(items: impl IntoIterator<Item = T>) -> Option<String> {
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    (!items.is_empty()).then(|| items.join(", "))
}

fn guarantees(guarantees: &[Guarantee]) -> Option<String> {
    list(guarantees.iter().map(|one| one.said()))
}

const fn yes_or_no(yes: bool) -> &'static str {
    if yes { "Yes" } else { "No" }
}

/// Of the table with this number, in the order of the manifest.
pub(super) fn of(product: &Product, table: u8) -> Vec<Row> {
    macro_rules! described {
        ($list:ident) => {
            product
                .$list
                .iter()
                .map(|one| row(one.id.as_str(), [some(&one.description)]))
                .collect()
        };
    }
    match table {
        1 => product.authentication.iter().map(authentication).collect(),
        2 => vec![user_information(product)],
        3 => product
            .vulnerability_type
            .iter()
            .map(|one| {
                row(
                    one.id.as_str(),
                    [some(&one.description), some(&one.action), days(one.days)],
                )
            })
            .collect(),
        4 => vec![confirmations(product)],
        5 => described!(monitoring),
        6 => product
            .component
            .iter()
            .map(|one| {
                let cryptography = list(&one.cryptography).unwrap_or_else(|| "none".into());
                let changes = one
                    .cryptography_changes
                    .as_ref()
                    .map(|changes| format!("{cryptography}; {changes}"));
                let updates = one
                    .immutable
                    .as_ref()
                    .map(|why| format!("none, {}: {}", why.reason.said(), why.why));
                row(
                    one.id.as_str(),
                    [
                        some(&one.description),
                        list(&one.updates).or(updates),
                        changes.or(Some(cryptography)),
                    ],
                )
            })
            .collect(),
        7 => product.update.iter().map(update).collect(),
        8 => product
            .update_procedure
            .iter()
            .map(|one| row(one.id.as_str(), [some(&one.description), days(one.days)]))
            .collect(),
        9 => product
            .replacement
            .iter()
            .map(|one| {
                row(
                    "",
                    [
                        one.isolation.as_ref().and_then(some),
                        one.hardware.as_ref().and_then(some),
                    ],
                )
            })
            .collect(),
        10 => product.parameter.iter().map(parameter).collect(),
        11 => product
            .communication
            .iter()
            .map(|one| {
                row(
                    one.id.as_str(),
                    [
                        some(&one.description),
                        list(&one.interfaces),
                        guarantees(&one.guarantees),
                        list(&one.cryptography),
                    ],
                )
            })
            .collect(),
        12 => product
            .implementation
            .iter()
            .map(|one| {
                row(
                    one.id.as_str(),
                    [
                        some(format!("{} {}", one.name, one.version)),
                        some(&one.review),
                        one.report.as_ref().and_then(some),
                    ],
                )
            })
            .collect(),
        13 => surface::services(product),
        14 => product
            .key_management
            .iter()
            .map(|one| {
                let covers = list(one.covers.iter().map(|part| part.said())).unwrap_or_default();
                row(
                    one.id.as_str(),
                    [some(format!("{} (covers {covers})", one.description))],
                )
            })
            .collect(),
        15 => surface::physical(product),
        16 => described!(minimisation),
        17 => described!(privilege),
        18 => described!(memory_protection),
        19 => product
            .development
            .iter()
            .map(|one| {
                row(
                    one.id.as_str(),
                    [some(format!("{}: {}", one.topic.said(), one.description))],
                )
            })
            .collect(),
        20 => product
            .secure_boot
            .iter()
            .map(|one| {
                row(
                    one.id.as_str(),
                    [
                        some(&one.description),
                        guarantees(&one.guarantees),
                        some(&one.detection),
                        some(&one.notice),
                        list(&one.reaches).or(some("no endpoint")),
                    ],
                )
            })
            .collect(),
        21 => product.personal_data.iter().map(privacy::personal_data).collect(),
        22 => product
            .sensor
            .iter()
            .map(|one| {
                row(
                    one.id.as_str(),
                    [some(format!("{}: {}", one.kind, one.description))],
                )
            })
            .collect(),
        23 => product
            .resilience
            .iter()
            .map(|one| {
                row(
                    one.id.as_str(),
                    [
                        some(&one.description),
                        some(one.against.said()),
                        some(&one.guarantees),
                    ],
                )
            })
            .collect(),
        24 => privacy::telemetry(product),
        25 => product
            .deletion
            .iter()
            .map(|one| {
                row(
                    one.id.as_str(),
                    [
                        some(format!(
                            "{} (erases {})",
                            one.description,
                            list(one.erases.iter().map(|what| what.said())).unwrap_or_default()
                        )),
                        some(one.target.said()),
                        list(&one.steps),
                        one.confirmation.as_ref().and_then(some),
                    ],
                )
            })
            .collect(),
        26 => product
            .decision
            .iter()
            .map(|one| {
                let options = list(&one.options).unwrap_or_default();
                row(
                    one.id.as_str(),
                    [
                        some(&one.question),
                        some(format!("{options}; by default {}", one.default)),
                        some(&one.when),
                    ],
                )
            })
            .collect(),
        27 => product
            .user_interface
            .iter()
            .map(|one| row(one.id.as_str(), [some(&one.description), some(one.kind.said())]))
            .collect(),
        28 => surface::logical(product),
        29 => product
            .input
            .iter()
            .map(|one| row(one.id.as_str(), [list(&one.sources), some(&one.description)]))
            .collect(),
        _ => Vec::new(),
    }
}

fn days(days: u16) -> Option<String> {
    some(format!("{days} days"))
}

fn authentication(one: &Mechanism) -> Row {
    row(
        one.id.as_str(),
        [
            some(format!(
                "{} is authenticated at {}: {}",
                one.who.said(),
                list(&one.interfaces).unwrap_or_default(),
                one.description
            )),
            some("enabled"),
            some(one.factor.said()),
            one.generation.as_ref().and_then(some).or(some(one.origin.said())),
            guarantees(&one.guarantees),
            list(&one.cryptography),
            one.brute_force.as_ref().and_then(some),
        ],
    )
}

fn user_information(product: &Product) -> Row {
    let guide = product.guide.as_ref();
    macro_rules! at {
        ($name:ident) => {
            guide.and_then(|guide| guide.$name.as_ref()).and_then(some)
        };
    }
    let support = product.support.as_ref();
    row(
        "",
        [
            at!(change),
            at!(replacement),
            at!(sensors),
            at!(setup),
            at!(setup_check),
            at!(maintenance),
            at!(personal_data),
            at!(telemetry),
            at!(deletion),
            some(&product.product.model),
            support.and_then(|support| some(format!("until {}", support.end))),
            support.and_then(|support| some(&support.page)),
            product
                .disclosure
                .as_ref()
                .and_then(|disclosure| some(&disclosure.policy)),
            product
                .replacement
                .as_ref()
                .and_then(|replacement| replacement.why.as_ref())
                .and_then(some),
        ],
    )
}

fn confirmations(product: &Product) -> Row {
    macro_rules! by {
        ($name:ident) => {
            product
                .confirmation
                .as_ref()
                .and_then(|confirmation| confirmation.$name.as_ref())
                .and_then(|who| some(format!("Yes: {who}")))
        };
    }
    row(
        "",
        [
            by!(vulnerability_actions),
            by!(vulnerability_monitoring),
            by!(update_procedures),
            by!(secure_management),
            by!(secure_development),
        ],
    )
}

fn update(one: &Update) -> Row {
    let owner = &one.owner;
    let configuration = [
        (owner.automatic, "automatic"),
        (owner.automatic_by_default, "automatic by default"),
        (owner.can_postpone, "can be put off"),
    ];
    let check = one.check.as_ref().map(|check| {
        let start = if check.at_start {
            "after each start, and "
        } else {
            ""
        };
        format!("{start}every {} hours", check.every_hours)
    });
    let notice = one.notice.as_ref().map(|notice| {
        let parts = [
            (notice.risk, "names the risk"),
            (notice.disruption, "warns of disruption"),
            (notice.can_disable, "can be switched off"),
        ];
        format!(
            "{}: {}",
            notice.how,
            list(parts.iter().filter(|(yes, _)| *yes).map(|(_, said)| *said)).unwrap_or_default()
        )
    });
    row(
        one.id.as_str(),
        [
            some(format!(
                "{} ({}; trust rests on {}; verified by {}; older software is {})",
                one.description,
                one.delivery.said(),
                one.trust.said(),
                one.verified_by.said(),
                if one.refuses_rollback {
                    "refused"
                } else {
                    "accepted"
                }
            )),
            guarantees(&one.guarantees),
            list(&one.cryptography),
            some(one.initiation.said()),
            list(
                configuration
                    .iter()
                    .filter(|(yes, _)| *yes)
                    .map(|(_, said)| *said),
            )
            .or(some("none")),
            check,
            notice,
        ],
    )
}

fn parameter(one: &Parameter) -> Row {
    let identity = one
        .identity
        .as_ref()
        .map(|identity| format!("; a fixed identity, {identity}"));
    let unique = if one.unique {
        "another on each unit"
    } else {
        "the same on every unit"
    };
    row(
        one.id.as_str(),
        [
            some(format!(
                "{}; used for {}; {unique}{}",
                one.description,
                list(one.used_for.iter().map(|one| one.said())).unwrap_or_default(),
                identity.unwrap_or_default()
            )),
            some(one.kind.said()),
            guarantees(&one.guarantees),
            some(format!("{}, {}", one.storage.said(), one.protection)),
            some(&one.provisioning),
            list(&one.travels).or(some("none")),
            some(one.generation.said()),
        ],
    )
}
