//! Clauses 5.1, 5.4, 5.5 and 5.6: passwords, parameters, channels, interfaces.

use iotsec_product::{
    Finding, Severity,
    access::{Factor, Generation, Origin, ParameterKind, Storage, Use, Who},
    software::Guarantee,
    surface::ScopeName,
};

use super::{Context, Rule, missing};
use crate::applicability::is_open;

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "password.universal",
        provisions: &["5.1-1"],
        check: universal,
    },
    Rule {
        name: "password.generation",
        provisions: &["5.1-2"],
        check: generation,
    },
    Rule {
        name: "password.machine",
        provisions: &["5.1-2A"],
        check: machine,
    },
    Rule {
        name: "authentication.guarantees",
        provisions: &["5.1-3"],
        check: guarantees,
    },
    Rule {
        name: "authentication.change",
        provisions: &["5.1-4"],
        check: change,
    },
    Rule {
        name: "authentication.brute-force",
        provisions: &["5.1-5"],
        check: brute_force,
    },
    Rule {
        name: "parameter.guarantees",
        provisions: &["5.4-1"],
        check: parameters,
    },
    Rule {
        name: "parameter.identity",
        provisions: &["5.4-2"],
        check: identity,
    },
    Rule {
        name: "parameter.source",
        provisions: &["5.4-3"],
        check: in_source,
    },
    Rule {
        name: "parameter.unique",
        provisions: &["5.4-4"],
        check: unique,
    },
    Rule {
        name: "parameter.missing",
        provisions: &["5.4-1"],
        check: unlisted,
    },
    Rule {
        name: "channel.cryptography",
        provisions: &["5.5-1"],
        check: cryptography,
    },
    Rule {
        name: "channel.confidentiality",
        provisions: &["5.5-6", "5.5-7"],
        check: confidentiality,
    },
    Rule {
        name: "service.open",
        provisions: &["5.5-4", "5.5-5"],
        check: open_services,
    },
    Rule {
        name: "debug.protection",
        provisions: &["5.6-4A", "5.6-4B"],
        check: debug,
    },
];

fn universal(context: &Context<'_>) -> Vec<Finding> {
    let mechanisms = context.product.authentication.iter().enumerate();
    mechanisms
        .filter(|(_, one)| one.factor != Factor::None && one.origin == Origin::PerModel)
        .map(|(n, one)| {
            Finding::error(
                "password.universal",
                format!("authentication[{n}].origin"),
                format!("{} is the same on every unit", one.factor.said()),
                "mint another for each unit (`iotsec provision batch`), or have the user choose it before first use",
            )
        })
        .collect()
}

fn generation(context: &Context<'_>) -> Vec<Finding> {
    let mechanisms = context.product.authentication.iter().enumerate();
    mechanisms
        .filter(|(_, one)| {
            one.factor.is_password() && one.origin == Origin::PerDevice && one.generation.is_none()
        })
        .map(|(n, _)| {
            Finding::error(
                "password.generation",
                format!("authentication[{n}]"),
                "passwords come with the unit, and it is not said how they are made",
                "say it under generation: the generator, the symbols, the bits of entropy",
            )
        })
        .collect()
}

fn machine(context: &Context<'_>) -> Vec<Finding> {
    let mechanisms = context.product.authentication.iter().enumerate();
    mechanisms
        .filter(|(_, one)| one.who == Who::Machine && one.factor.is_password())
        .map(|(n, _)| {
            Finding::error(
                "password.machine",
                format!("authentication[{n}].factor"),
                "a machine shows who it is by a password",
                "use a certificate or a shared key",
            )
            .as_bad_as(Severity::Warning)
        })
        .collect()
}

fn guarantees(context: &Context<'_>) -> Vec<Finding> {
    let mechanisms = context.product.authentication.iter().enumerate();
    mechanisms
        .filter(|(_, one)| one.factor != Factor::None)
        .filter_map(|(n, one)| {
            let missing = missing(&one.guarantees, &[Guarantee::Integrity, Guarantee::Authenticity])?;
            Some(Finding::error(
                "authentication.guarantees",
                format!("authentication[{n}].guarantees"),
                format!("lacks {missing}"),
                "a mechanism that shows who somebody is guarantees both; if it does not, take another",
            ))
        })
        .collect()
}

fn change(context: &Context<'_>) -> Vec<Finding> {
    let mechanisms = context.product.authentication.iter().enumerate();
    mechanisms
        .filter(|(_, one)| one.who == Who::User && one.factor.is_password() && one.change.is_none())
        .map(|(n, _)| {
            Finding::error(
                "authentication.change",
                format!("authentication[{n}]"),
                "it is not said how the user changes it",
                "say it under change, in words that a user follows",
            )
        })
        .collect()
}

fn brute_force(context: &Context<'_>) -> Vec<Finding> {
    // With a limit of resources that is declared, the provision does not apply.
    let limited = context
        .facts
        .condition(crate::catalogue::Edition::V3_1_3, 14)
        .is_some_and(|answer| !answer.holds);
    if limited || !context.holds("e") {
        return Vec::new();
    }
    let mechanisms = context.product.authentication.iter().enumerate();
    mechanisms
        .filter(|(_, one)| {
            let guessable = one.factor.is_password() || one.factor == Factor::SetupCode;
            guessable
                && one.brute_force.is_none()
                && one
                    .interfaces
                    .iter()
                    .any(|id| reaches_a_network(context, id.as_str()))
        })
        .map(|(n, _)| {
            Finding::error(
                "authentication.brute-force",
                format!("authentication[{n}]"),
                "it can be guessed through a network, and nothing limits the guesses",
                "say under brute-force what does: the throttle of iotsec counts them over power cuts",
            )
        })
        .collect()
}

fn reaches_a_network(context: &Context<'_>, id: &str) -> bool {
    context.product.surface.as_ref().is_some_and(|surface| {
        let service = surface.service.iter().find(|service| service.id == id);
        let service =
            service.is_some_and(|service| service.scope.is_some_and(|scope| scope != ScopeName::Loopback));
        service || surface.radio.iter().any(|radio| radio.id == id)
    })
}

fn parameters(context: &Context<'_>) -> Vec<Finding> {
    let parameters = context.product.parameter.iter().enumerate();
    parameters
        .filter(|(_, one)| one.storage.is_persistent())
        .filter_map(|(n, one)| {
            let needs: &[Guarantee] = match one.kind {
                ParameterKind::Critical => &[Guarantee::Confidentiality, Guarantee::Integrity],
                ParameterKind::Public => &[Guarantee::Integrity],
            };
            let missing = missing(&one.guarantees, needs)?;
            Some(Finding::error(
                "parameter.guarantees",
                format!("parameter[{n}].guarantees"),
                format!(
                    "a {} parameter in persistent storage lacks {missing}",
                    one.kind.said()
                ),
                "store it where that is guaranteed: the encrypted store guarantees both",
            ))
        })
        .collect()
}

fn identity(context: &Context<'_>) -> Vec<Finding> {
    let parameters = context.product.parameter.iter().enumerate();
    parameters
        .filter(|(_, one)| one.used_for.contains(&Use::Identity) && one.identity.is_none())
        .map(|(n, _)| {
            Finding::error(
                "parameter.identity",
                format!("parameter[{n}]"),
                "it is used as an identity, and it is not said what resists tampering with it",
                "say it under identity: against physical, electrical and software attack",
            )
            .as_bad_as(Severity::Warning)
        })
        .collect()
}

fn in_source(context: &Context<'_>) -> Vec<Finding> {
    let parameters = context.product.parameter.iter().enumerate();
    parameters
        .filter(|(_, one)| one.kind == ParameterKind::Critical && one.storage == Storage::Image)
        .map(|(n, _)| {
            Finding::error(
                "parameter.source",
                format!("parameter[{n}].storage"),
                "a secret is in the image of the software, where everybody who has an update finds it",
                "mint it for each unit and keep it in the encrypted store or in hardware",
            )
        })
        .collect()
}

fn unique(context: &Context<'_>) -> Vec<Finding> {
    let parameters = context.product.parameter.iter().enumerate();
    let protects = |one: &Use| matches!(one, Use::UpdateVerification | Use::ServiceProtection);
    parameters
        .filter(|(_, one)| one.kind == ParameterKind::Critical && one.used_for.iter().any(protects))
        .filter(|(_, one)| !one.unique || one.generation == Generation::User)
        .map(|(n, _)| {
            Finding::error(
                "parameter.unique",
                format!("parameter[{n}]"),
                "a secret that protects updates or services is not another on each unit, or not drawn",
                "draw it for each unit; where every unit must check the same, use a public key",
            )
        })
        .collect()
}

/// What other sections imply, and this one does not list.
fn unlisted(context: &Context<'_>) -> Vec<Finding> {
    let product = context.product;
    let has = |wanted: Use| product.parameter.iter().any(|one| one.used_for.contains(&wanted));
    let mut found = Vec::new();
    let mut lacks = |at: &str, wanted: Use, what: &str| {
        if !has(wanted) {
            found.push(Finding::error(
                "parameter.missing",
                at,
                format!("{what}, and no [[parameter]] is for {}", wanted.said()),
                "list every key and secret, the public ones too: an assessor compares the tables",
            ));
        }
    };
    if product.update.iter().any(|one| !one.cryptography.is_empty()) {
        lacks("update", Use::UpdateVerification, "updates are verified");
    }
    if !product.secure_boot.is_empty() {
        lacks(
            "secure-boot",
            Use::BootVerification,
            "software is verified when it starts",
        );
    }
    if product
        .authentication
        .iter()
        .any(|one| one.factor != Factor::None && one.factor != Factor::Possession)
    {
        lacks("authentication", Use::Authentication, "somebody is authenticated");
    }
    if !product.communication.is_empty() {
        lacks(
            "communication",
            Use::ServiceProtection,
            "there are secure channels",
        );
    }
    found
}

/// Algorithms that no agreed catalogue has any more (SOG-IS ACM 1.3, NIST SP 800-131A).
const OUTDATED: [&str; 12] = [
    "md5", "sha-1", "sha1", "rc4", "des", "3des", "ssl", "tls 1.0", "tls 1.1", "rsa-1024", "wep", "tkip",
];

fn cryptography(context: &Context<'_>) -> Vec<Finding> {
    let product = context.product;
    let named = product
        .communication
        .iter()
        .enumerate()
        .map(|(n, one)| (format!("communication[{n}].cryptography"), &one.cryptography))
        .chain(
            product
                .authentication
                .iter()
                .enumerate()
                .map(|(n, one)| (format!("authentication[{n}].cryptography"), &one.cryptography)),
        )
        .chain(
            product
                .update
                .iter()
                .enumerate()
                .map(|(n, one)| (format!("update[{n}].cryptography"), &one.cryptography)),
        );
    let mut found = Vec::new();
    for (at, algorithms) in named {
        for algorithm in algorithms {
            let small = algorithm.as_str().to_ascii_lowercase();
            let words: Vec<&str> = small.split([' ', '/', '+', '_', '(', ')', ',']).collect();
            let is_outdated = |old: &&str| small == **old || words.contains(old);
            if OUTDATED
                .iter()
                .any(|old| is_outdated(old) || (old.contains(' ') && small.contains(old)))
            {
                found.push(Finding::error(
                    "channel.cryptography",
                    at.clone(),
                    format!("{algorithm} is in no agreed catalogue of cryptography"),
                    "take what the SDK offers: TLS 1.3, Ed25519, ECDSA on P-256, AES-GCM, ChaCha20-Poly1305",
                ));
            }
        }
    }
    found
}

fn confidentiality(context: &Context<'_>) -> Vec<Finding> {
    let product = context.product;
    let parameters = product.parameter.iter().enumerate();
    let mut found = Vec::new();
    for (n, one) in parameters.filter(|(_, one)| one.kind == ParameterKind::Critical) {
        for id in &one.travels {
            let channel = product
                .communication
                .iter()
                .find(|channel| channel.interfaces.contains(id));
            if channel.is_some_and(|channel| channel.guarantees.contains(&Guarantee::Confidentiality)) {
                continue;
            }
            found.push(Finding::error(
                "channel.confidentiality",
                format!("parameter[{n}].travels"),
                format!(
                    "a secret travels through {id}, for which no [[communication]] guarantees confidentiality"
                ),
                "declare the channel, or keep the secret where it is",
            ));
        }
    }
    found
}

fn open_services(context: &Context<'_>) -> Vec<Finding> {
    let services = context
        .product
        .surface
        .iter()
        .flat_map(|surface| surface.service.iter().enumerate());
    services
        .filter(|(_, one)| !one.disabled && is_open(one.authentication))
        .filter(|(_, one)| one.configures || one.scope.is_some_and(|scope| scope != ScopeName::Loopback))
        .map(|(n, one)| {
            let finding = Finding::error(
                "service.open",
                format!("surface.service[{n}].authentication"),
                if one.configures {
                    "it changes settings for everybody"
                } else {
                    "a network reaches it, and it asks nobody who he is"
                },
                "have it ask for a password, a pairing or a certificate",
            );
            if one.configures {
                finding
            } else {
                finding.as_bad_as(Severity::Warning)
            }
        })
        .collect()
}

fn debug(context: &Context<'_>) -> Vec<Finding> {
    let debug = context
        .product
        .surface
        .iter()
        .flat_map(|surface| surface.debug.iter().enumerate());
    let mut found = Vec::new();
    for (n, one) in debug {
        // Without phases it is closed outside the factory.
        if one.phases.is_some() && one.protection.is_none() {
            found.push(Finding::error(
                "debug.protection",
                format!("surface.debug[{n}]"),
                "it is open outside the factory, and nothing is said of what keeps others out",
                "leave phases out, or say under protection how access is authenticated",
            ));
        }
        if context.holds("r") && one.physical_protection.is_none() {
            found.push(
                Finding::error(
                    "debug.protection",
                    format!("surface.debug[{n}]"),
                    "it is a port, and nothing is said of what keeps hands off it",
                    "say it under physical-protection, or give a reason for 5.6-4B",
                )
                .as_bad_as(Severity::Advice),
            );
        }
    }
    found
}
