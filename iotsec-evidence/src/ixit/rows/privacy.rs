//! Personal data and telemetry.

use iotsec_product::{
    Product,
    privacy::{PersonalData, Place},
};
use iotsec_telemetry::registry::Purpose;

use super::{Row, list, row, some, yes_or_no};

pub(super) fn personal_data(one: &PersonalData) -> Row {
    let consent = one.consent.as_ref();
    let without = || some(format!("not by consent: {}", one.basis.said()));
    row(
        one.id.as_str(),
        [
            some(&one.description),
            some(&one.purpose),
            some(if one.aggregate_only {
                "only sums over many devices are formed"
            } else {
                "none"
            }),
            list(&one.recipients).or(some("nobody beside the maker")),
            some(format!(
                "kept {} days, {}",
                one.kept_days,
                list(one.stored.iter().map(|place: &Place| place.said())).unwrap_or_default()
            )),
            some(&one.processing),
            list(&one.travels).or(some("none")),
            some(yes_or_no(one.sensitive)),
            consent.map_or_else(without, |consent| some(&consent.obtain)),
            consent.map_or_else(without, |consent| some(&consent.withdraw)),
            consent.map_or_else(without, |consent| some(&consent.record)),
            one.anonymisation.as_ref().and_then(some),
        ],
    )
}

pub(super) fn telemetry(product: &Product) -> Vec<Row> {
    let Some(registry) = product.registry() else {
        return Vec::new();
    };
    let examined = |name: &str| {
        let examinations = product.examination.iter();
        list(
            examinations
                .filter(|one| one.telemetry.iter().any(|other| other.as_str() == name))
                .map(|one| one.description.as_str()),
        )
    };
    let about = |purpose: Purpose| some(format!("{purpose:?}: {}", purpose.about()));
    let events = registry.events().iter().map(|event| {
        row(
            event.name(),
            [
                some(event.why()),
                about(event.class().purpose()),
                examined(event.name()),
                some("pseudonymous, sealed"),
            ],
        )
    });
    let metrics = registry.metrics().iter().map(|metric| {
        row(
            metric.name(),
            [
                some(metric.why()),
                about(metric.purpose()),
                examined(metric.name()),
                some("none: noised or split before it is sent"),
            ],
        )
    });
    events.chain(metrics).collect()
}
