//! Services, interfaces and debug ports, of `[surface]`.

use std::fmt;

use iotsec_product::{Product, care::Outage, surface::AuthenticationName};

use super::{Row, list, row, some, yes_or_no};

pub(super) fn services(product: &Product) -> Vec<Row> {
    let services = product.surface.iter().flat_map(|surface| &surface.service);
    services
        .map(|one| {
            row(
                &one.id,
                [
                    some(&one.purpose),
                    some(if one.disabled { "disabled" } else { "enabled" }),
                    some(&one.purpose),
                    some(yes_or_no(one.configures)),
                    some(format!("{:?}", one.authentication)),
                ],
            )
        })
        .collect()
}

pub(super) fn physical(product: &Product) -> Vec<Row> {
    let Some(surface) = &product.surface else {
        return Vec::new();
    };
    let plain = |id: &str, purpose: &str, kind: &dyn fmt::Debug, disabled: bool| {
        let status = if disabled { "disabled" } else { "enabled" };
        let kind = format!("{kind:?}");
        row(
            id,
            [some(purpose), some(kind), some(status), some("No"), some("none")],
        )
    };
    let ports = surface.port.iter();
    let ports = ports.map(|one| plain(&one.id, &one.purpose, &one.kind, one.disabled));
    let radios = surface.radio.iter();
    let radios = radios.map(|one| plain(&one.id, &one.purpose, &one.kind, one.disabled));
    let debug = surface.debug.iter().map(|one| {
        let protection = one.protection.iter().chain(&one.physical_protection);
        row(
            &one.id,
            [
                some(&one.purpose),
                some(format!("{:?}", one.kind)),
                some(match &one.phases {
                    None => "disabled outside the factory".to_owned(),
                    Some(phases) => format!("enabled while {phases:?}"),
                }),
                some("Yes"),
                list(protection),
            ],
        )
    });
    ports.chain(radios).chain(debug).collect()
}

pub(super) fn logical(product: &Product) -> Vec<Row> {
    let Some(surface) = &product.surface else {
        return Vec::new();
    };
    let resilience = || {
        list(
            product
                .resilience
                .iter()
                .filter(|one| one.against == Outage::Network)
                .map(|one| one.id.as_str()),
        )
    };
    let services = surface.service.iter().map(|one| {
        let open = one.authentication == AuthenticationName::None;
        row(
            &one.id,
            [
                some(&one.purpose),
                some(format!("{:?}", one.scope)),
                some(if one.disabled { "disabled" } else { "enabled" }),
                list(one.discloses.iter().map(|fact| format!("{fact:?}"))).or(some(if open {
                    "what it serves"
                } else {
                    "nothing"
                })),
                resilience(),
            ],
        )
    });
    let endpoints = surface.endpoint.iter().map(|one| {
        row(
            &one.id,
            [
                some(&one.purpose),
                some(format!("outbound, {:?}", one.protocol)),
                some("enabled"),
                some("nothing"),
                resilience(),
            ],
        )
    });
    services.chain(endpoints).collect()
}
