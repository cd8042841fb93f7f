//! Entries that refer to others, and names that stand twice.

use std::collections::BTreeSet;

use crate::{finding::Finding, product::Product, text::Id};

/// Names of entries of some kinds, for those that refer to them.
struct Names<'a> {
    kinds: &'static str,
    names: BTreeSet<&'a str>,
}

pub(super) fn check(product: &Product) -> Vec<Finding> {
    let mut found = twice(product);
    let updates = Names {
        kinds: "[[update]]",
        names: product.update.iter().map(|update| update.id.as_str()).collect(),
    };
    let parts = Names {
        kinds: "[[component]]",
        names: product.component.iter().map(|entry| entry.id.as_str()).collect(),
    };
    let surface = product.surface.as_ref();
    let services = surface
        .iter()
        .flat_map(|surface| surface.service.iter().map(|entry| entry.id.as_str()));
    let endpoints = surface
        .iter()
        .flat_map(|surface| surface.endpoint.iter().map(|entry| entry.id.as_str()));
    let radios = surface
        .iter()
        .flat_map(|surface| surface.radio.iter().map(|entry| entry.id.as_str()));
    let ports = surface.iter().flat_map(|surface| {
        let ports = surface.port.iter().map(|entry| entry.id.as_str());
        ports.chain(surface.debug.iter().map(|entry| entry.id.as_str()))
    });
    let screens = product.user_interface.iter().map(|entry| entry.id.as_str());
    // Where there is no internet protocol, a radio itself is what is spoken through.
    let ways = endpoints.chain(radios);
    let peers = Names {
        kinds: "[[surface.endpoint]] and [[surface.radio]]",
        names: ways.clone().collect(),
    };
    let channels = Names {
        kinds: "[[surface.service]], [[surface.endpoint]] and [[surface.radio]]",
        names: services.clone().chain(ways.clone()).collect(),
    };
    let doors = Names {
        kinds: "[surface] and [[user-interface]]",
        names: services.chain(ways).chain(ports).chain(screens).collect(),
    };

    let mut refer = |names: &Names<'_>, at: String, ids: &[Id]| {
        for id in ids.iter().filter(|id| !names.names.contains(id.as_str())) {
            let known = Vec::from_iter(names.names.iter().copied()).join(", ");
            let remedy = if known.is_empty() {
                format!("declare it under {}", names.kinds)
            } else {
                format!("declare it under {}, or take one of: {known}", names.kinds)
            };
            let message = format!("{:?} is no entry of {}", id.as_str(), names.kinds);
            found.push(Finding::error("reference", at.clone(), message, remedy));
        }
    };
    for (n, entry) in product.component.iter().enumerate() {
        refer(&updates, format!("component[{n}].updates"), &entry.updates);
        if let Some(origin) = &entry.origin {
            refer(&parts, format!("component[{n}].origin.needs"), &origin.needs);
        }
    }
    for (n, entry) in product.authentication.iter().enumerate() {
        refer(
            &doors,
            format!("authentication[{n}].interfaces"),
            &entry.interfaces,
        );
    }
    for (n, entry) in product.parameter.iter().enumerate() {
        refer(&channels, format!("parameter[{n}].travels"), &entry.travels);
    }
    for (n, entry) in product.communication.iter().enumerate() {
        refer(
            &channels,
            format!("communication[{n}].interfaces"),
            &entry.interfaces,
        );
    }
    for (n, entry) in product.input.iter().enumerate() {
        refer(&doors, format!("input[{n}].sources"), &entry.sources);
    }
    for (n, entry) in product.secure_boot.iter().enumerate() {
        refer(&peers, format!("secure-boot[{n}].reaches"), &entry.reaches);
    }
    for (n, entry) in product.personal_data.iter().enumerate() {
        refer(&peers, format!("personal-data[{n}].travels"), &entry.travels);
    }
    found
}

/// Telemetry that is said to be examined, and is not collected.
pub(crate) fn examined(product: &Product) -> Vec<Finding> {
    let declared = product.telemetry_names();
    let mut found = Vec::new();
    for (n, entry) in product.examination.iter().enumerate() {
        for name in entry
            .telemetry
            .iter()
            .filter(|name| !declared.contains(&name.as_str()))
        {
            found.push(Finding::error(
                "reference",
                format!("examination[{n}].telemetry"),
                format!("{:?} is no event and no metric of [telemetry]", name.as_str()),
                "declare it in the registry, or leave it out here",
            ));
        }
    }
    found
}

/// Names that stand twice in one list.
fn twice(product: &Product) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut unique = |list: &str, ids: Vec<&Id>| {
        let mut seen = BTreeSet::new();
        for (n, id) in ids.into_iter().enumerate() {
            if !seen.insert(id) {
                found.push(Finding::error(
                    "id.twice",
                    format!("{list}[{n}].id"),
                    format!("{:?} stands twice under [[{list}]]", id.as_str()),
                    "give each entry a name of its own",
                ));
            }
        }
    };
    macro_rules! lists {
        ($($name:literal = $field:ident),+ $(,)?) => {
            $(unique($name, product.$field.iter().map(|entry| &entry.id).collect());)+
        };
    }
    lists!(
        "board" = board,
        "component" = component,
        "update" = update,
        "update-procedure" = update_procedure,
        "secure-boot" = secure_boot,
        "authentication" = authentication,
        "parameter" = parameter,
        "communication" = communication,
        "implementation" = implementation,
        "key-management" = key_management,
        "input" = input,
        "user-interface" = user_interface,
        "personal-data" = personal_data,
        "sensor" = sensor,
        "examination" = examination,
        "deletion" = deletion,
        "decision" = decision,
        "vulnerability-type" = vulnerability_type,
        "monitoring" = monitoring,
        "minimisation" = minimisation,
        "privilege" = privilege,
        "memory-protection" = memory_protection,
        "development" = development,
        "resilience" = resilience,
    );
    found
}
