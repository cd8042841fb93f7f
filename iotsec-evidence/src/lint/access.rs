//! Clauses 5.1, 5.4, 5.5 and 5.6: passwords, parameters, channels, interfaces.

use iotsec_product::{
    Finding, Severity,
    access::{Factor, Generation, Origin, ParameterKind, Storage, Use, Who},
    software::Guarantee,
    surface::{AuthenticationName, ScopeName},
    text::Text,
};

use super::{Context, Rule, each, fault, missing};
use crate::{applicability::reaches_a_network, catalogue::Edition};

pub(super) const RULES: &[Rule] = &[
    Rule::new("password.universal", &["5.1-1"], universal),
    Rule::new("password.generation", &["5.1-2"], generation),
    Rule::new("password.machine", &["5.1-2A"], machine),
    Rule::new("authentication.guarantees", &["5.1-3"], guarantees),
    Rule::new("authentication.change", &["5.1-4"], change),
    Rule::new("authentication.brute-force", &["5.1-5"], brute_force),
    Rule::new("parameter.guarantees", &["5.4-1"], parameters),
    Rule::new("parameter.identity", &["5.4-2"], identity),
    Rule::new("parameter.source", &["5.4-3"], in_source),
    Rule::new("parameter.unique", &["5.4-4"], unique),
    Rule::new("parameter.missing", &["5.4-1"], unlisted),
    Rule::new("channel.cryptography", &["5.5-1"], cryptography),
    Rule::new("channel.confidentiality", &["5.5-6", "5.5-7"], confidentiality),
    Rule::new("service.open", &["5.5-4", "5.5-5"], open_services),
    Rule::new("debug.protection", &["5.6-4A", "5.6-4B"], debug),
];

fn universal(context: &Context<'_>) -> Vec<Finding> {
    each("authentication", &context.product.authentication, |one, at| {
        (one.factor != Factor::None && one.origin == Origin::PerModel).then(|| {
            fault(
                format!("{at}.origin"),
                format!("{} is the same on every unit", one.factor.said()),
                "mint another for each unit (`iotsec provision batch`), or have the user choose it before first use",
            )
        })
    })
}

fn generation(context: &Context<'_>) -> Vec<Finding> {
    each("authentication", &context.product.authentication, |one, at| {
        let comes_with_it = one.factor.is_password() && one.origin == Origin::PerDevice;
        (comes_with_it && one.generation.is_none()).then(|| {
            fault(
                at,
                "passwords come with the unit, and it is not said how they are made",
                "say it under generation: the generator, the symbols, the bits of entropy",
            )
        })
    })
}

fn machine(context: &Context<'_>) -> Vec<Finding> {
    each("authentication", &context.product.authentication, |one, at| {
        (one.who == Who::Machine && one.factor.is_password()).then(|| {
            fault(
                format!("{at}.factor"),
                "a machine shows who it is by a password",
                "use a certificate or a shared key",
            )
            .as_bad_as(Severity::Warning)
        })
    })
}

fn guarantees(context: &Context<'_>) -> Vec<Finding> {
    each("authentication", &context.product.authentication, |one, at| {
        if one.factor == Factor::None {
            return None;
        }
        let missing = missing(&one.guarantees, &[Guarantee::Integrity, Guarantee::Authenticity])?;
        Some(fault(
            format!("{at}.guarantees"),
            format!("lacks {missing}"),
            "a mechanism that shows who somebody is guarantees both; if it does not, take another",
        ))
    })
}

fn change(context: &Context<'_>) -> Vec<Finding> {
    each("authentication", &context.product.authentication, |one, at| {
        let is_users = one.who == Who::User && one.factor.is_password();
        (is_users && one.change.is_none()).then(|| {
            fault(
                at,
                "it is not said how the user changes it",
                "say it under change, in words that a user follows",
            )
        })
    })
}

fn brute_force(context: &Context<'_>) -> Vec<Finding> {
    // With a limit of resources that is declared, the provision does not apply.
    let limited = context
        .facts
        .condition(Edition::V3_1_3, 14)
        .is_some_and(|answer| !answer.holds);
    if limited {
        return Vec::new();
    }
    each("authentication", &context.product.authentication, |one, at| {
        let guessable = one.factor.is_password() || one.factor == Factor::SetupCode;
        let mut interfaces = one.interfaces.iter();
        let open = interfaces.any(|id| reaches_a_network(context.product, id.as_str()));
        (guessable && open && one.brute_force.is_none()).then(|| {
            fault(
                at,
                "it can be guessed through a network, and nothing limits the guesses",
                "say under brute-force what does: the throttle of iotsec counts them over power cuts",
            )
        })
    })
}

fn parameters(context: &Context<'_>) -> Vec<Finding> {
    each("parameter", &context.product.parameter, |one, at| {
        if !one.storage.is_persistent() {
            return None;
        }
        let needs: &[Guarantee] = match one.kind {
            ParameterKind::Critical => &[Guarantee::Confidentiality, Guarantee::Integrity],
            ParameterKind::Public => &[Guarantee::Integrity],
        };
        let missing = missing(&one.guarantees, needs)?;
        Some(fault(
            format!("{at}.guarantees"),
            format!(
                "a {} parameter in persistent storage lacks {missing}",
                one.kind.said()
            ),
            "store it where that is guaranteed: the encrypted store guarantees both",
        ))
    })
}

fn identity(context: &Context<'_>) -> Vec<Finding> {
    each("parameter", &context.product.parameter, |one, at| {
        (one.used_for.contains(&Use::Identity) && one.identity.is_none()).then(|| {
            fault(
                at,
                "it is used as an identity, and it is not said what resists tampering with it",
                "say it under identity: against physical, electrical and software attack",
            )
            .as_bad_as(Severity::Warning)
        })
    })
}

fn in_source(context: &Context<'_>) -> Vec<Finding> {
    each("parameter", &context.product.parameter, |one, at| {
        (one.kind == ParameterKind::Critical && one.storage == Storage::Image).then(|| {
            fault(
                format!("{at}.storage"),
                "a secret is in the image of the software, where everybody who has an update finds it",
                "mint it for each unit and keep it in the encrypted store or in hardware",
            )
        })
    })
}

fn unique(context: &Context<'_>) -> Vec<Finding> {
    let protects = |one: &Use| matches!(one, Use::UpdateVerification | Use::ServiceProtection);
    each("parameter", &context.product.parameter, |one, at| {
        let counts = one.kind == ParameterKind::Critical && one.used_for.iter().any(protects);
        (counts && (!one.unique || one.generation == Generation::User)).then(|| {
            fault(
                at,
                "a secret that protects updates or services is not another on each unit, or not drawn",
                "draw it for each unit; where every unit must check the same, use a public key",
            )
        })
    })
}

/// What other sections imply, and this one does not list.
fn unlisted(context: &Context<'_>) -> Vec<Finding> {
    let product = context.product;
    let has = |wanted: Use| product.parameter.iter().any(|one| one.used_for.contains(&wanted));
    let mut found = Vec::new();
    let mut lacks = |at: &str, wanted: Use, what: &str| {
        if !has(wanted) {
            found.push(fault(
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
    let outdated = |algorithms: &[Text], at: &str| -> Vec<Finding> {
        let algorithms = algorithms.iter().filter(|one| is_outdated(one.as_str()));
        algorithms
            .map(|algorithm| {
                fault(
                    format!("{at}.cryptography"),
                    format!("{algorithm} is in no agreed catalogue of cryptography"),
                    "take what the SDK offers: TLS 1.3, Ed25519, ECDSA on P-256, AES-GCM, ChaCha20-Poly1305",
                )
            })
            .collect()
    };
    [
        each("communication", &product.communication, |one, at| {
            outdated(&one.cryptography, &at)
        }),
        each("authentication", &product.authentication, |one, at| {
            outdated(&one.cryptography, &at)
        }),
        each("update", &product.update, |one, at| {
            outdated(&one.cryptography, &at)
        }),
    ]
    .concat()
}

/// One of them is named, alone or among other words.
fn is_outdated(algorithm: &str) -> bool {
    let small = algorithm.to_ascii_lowercase();
    let words: Vec<&str> = small.split([' ', '/', '+', '_', '(', ')', ',']).collect();
    let named =
        |old: &str| small == old || words.contains(&old) || (old.contains(' ') && small.contains(old));
    OUTDATED.into_iter().any(named)
}

fn confidentiality(context: &Context<'_>) -> Vec<Finding> {
    each("parameter", &context.product.parameter, |one, at| {
        let is_secret = one.kind == ParameterKind::Critical;
        let travels = one.travels.iter().filter(move |_| is_secret);
        let open = travels.filter(|id| !context.is_confidential(id));
        open.map(|id| {
            fault(
                format!("{at}.travels"),
                format!(
                    "a secret travels through {id}, for which no [[communication]] guarantees confidentiality"
                ),
                "declare the channel, or keep the secret where it is",
            )
        })
        .collect::<Vec<_>>()
    })
}

fn open_services(context: &Context<'_>) -> Vec<Finding> {
    let surface = context.product.surface.as_ref();
    let services = surface.map_or(&[][..], |surface| &surface.service);
    each("surface.service", services, |one, at| {
        let reached = one.scope.is_some_and(|scope| scope != ScopeName::Loopback);
        let open = !one.disabled && one.authentication == AuthenticationName::None;
        if !open || !(one.configures || reached) {
            return None;
        }
        let (message, severity) = if one.configures {
            ("it changes settings for everybody", Severity::Error)
        } else {
            (
                "a network reaches it, and it asks nobody who he is",
                Severity::Warning,
            )
        };
        let remedy = "have it ask for a password, a pairing or a certificate";
        Some(fault(format!("{at}.authentication"), message, remedy).as_bad_as(severity))
    })
}

fn debug(context: &Context<'_>) -> Vec<Finding> {
    let surface = context.product.surface.as_ref();
    let debug = surface.map_or(&[][..], |surface| &surface.debug);
    each("surface.debug", debug, |one, at| {
        // Without phases it is closed outside the factory.
        let open = (one.phases.is_some() && one.protection.is_none()).then(|| {
            fault(
                at.clone(),
                "it is open outside the factory, and nothing is said of what keeps others out",
                "leave phases out, or say under protection how access is authenticated",
            )
        });
        let bare = (context.holds("r") && one.physical_protection.is_none()).then(|| {
            fault(
                at,
                "it is a port, and nothing is said of what keeps hands off it",
                "say it under physical-protection, or give a reason for 5.6-4B",
            )
            .as_bad_as(Severity::Advice)
        });
        open.into_iter().chain(bare)
    })
}
