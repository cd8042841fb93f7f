//! The case file, for people and for programs.

use std::fmt::Write as _;

use iotsec_product::{Product, text::markdown as escaped};
use serde_json::{Value, json};

use super::{Case, CaseKind, Clock, Stage, Urgency};
use crate::{DisclosureError, Moment, page::needed};

const STAGES: [Stage; 3] = [Stage::EarlyWarning, Stage::Notification, Stage::FinalReport];

impl CaseKind {
    const fn said(self) -> &'static str {
        match self {
            Self::ExploitedVulnerability => "an actively exploited vulnerability (Article 14 (1))",
            Self::SevereIncident => {
                "a severe incident with an impact on the product's security (Article 14 (3))"
            }
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::ExploitedVulnerability => "exploited-vulnerability",
            Self::SevereIncident => "severe-incident",
        }
    }
}

/// As Markdown.
///
/// ```
/// use iotsec_disclosure::case::{self, Case};
/// use iotsec_product::Product;
///
/// let product = Product::parse(include_bytes!("../../../examples/products/lock/iotsec.toml")).unwrap();
/// let case = Case::parse(include_bytes!("../../samples/lock-case.toml")).unwrap();
/// let page = case::markdown(&product, &case, "2026-12-02T06:30:00Z".parse().unwrap())?;
/// assert!(page.contains("**Next: notification, by 2026-12-04T08:30:00Z**, in 50 hours."));
/// assert!(page.contains("A person files this"));
/// # Ok::<(), iotsec_disclosure::DisclosureError>(())
/// ```
///
/// # Errors
/// [`DisclosureError::Section`] without `[maker]`, `[software]` or `[disclosure]`.
pub fn markdown(product: &Product, case: &Case, now: Moment) -> Result<String, DisclosureError> {
    let maker = needed(&product.maker, "maker")?;
    let software = needed(&product.software, "software")?;
    let disclosure = needed(&product.disclosure, "disclosure")?;
    let mut text = format!("# Case {}: {}\n\n", escaped(&case.id), escaped(&case.title));
    let _ = writeln!(
        text,
        "As it stands at {now}: {}.\n\n\
         **A person files this.** Reports go to the single reporting platform of ENISA (Regulation (EU) 2024/2847, Article \
         16), for the CSIRT that coordinates and for ENISA. This file sends nothing, decides nothing and is no legal advice.\n",
        case.kind.said()
    );
    let clocks = case.clocks();
    hurry(&clocks, now, &mut text);
    let _ = writeln!(
        text,
        "\n## Clocks\n\nAware since {}{}. All times are UTC.\n\n\
         | stage | due | how that comes about | filed | state |\n|---|---|---|---|---|",
        case.aware,
        case.aware_how
            .as_ref()
            .map(|how| format!(": {}", escaped(how).trim_end_matches('.')))
            .unwrap_or_default()
    );
    for clock in &clocks {
        let moment = |time: Option<Moment>| time.map_or_else(|| "–".to_owned(), |time| time.to_string());
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} |",
            clock.stage.said(),
            moment(clock.due),
            clock.rule,
            moment(clock.filed),
            clock.urgency(now).name()
        );
    }
    for (stage, clock) in STAGES.into_iter().zip(&clocks) {
        let done = if clock.filed.is_some() { " (filed)" } else { "" };
        let _ = writeln!(
            text,
            "\n## {}{done}\n\n| asked | source | what is known |\n|---|---|---|",
            stage.said()
        );
        for (asks, known) in of_manifest(product) {
            let _ = writeln!(text, "| {asks} | manifest | {known} |");
        }
        for gap in case.asked(stage) {
            let known = match (&gap.known, gap.optional) {
                (Some(known), _) => escaped(known),
                (None, true) => format!("not known; asked for where available (`{}`)", gap.name),
                (None, false) => format!("**GAP**: write it under `{}`", gap.name),
            };
            let _ = writeln!(text, "| {} | {} | {known} |", gap.asks, gap.source);
        }
    }
    let _ = writeln!(
        text,
        "\n## Users\n\nUsers are told of it, and of what they can do, without delay (Article 14 (8)): {}.\n\n\
         ## Who\n\n- Decides and files: {}\n- CSIRT that coordinates: {}\n- Maker: {}, {}\n- Reports of weaknesses: <{}>\n- \
         Release that the manifest describes: {}",
        case.users_told.map_or_else(
            || "**GAP**: say under `users-told` when they were".to_owned(),
            |time| format!("told at {time}")
        ),
        case.responsible
            .as_ref()
            .map_or_else(|| "**GAP**: write it under `responsible`".to_owned(), escaped),
        case.csirt.as_ref().map_or_else(
            || "**GAP**: that of the member state of the main establishment, under `csirt`".to_owned(),
            escaped
        ),
        escaped(&maker.name),
        escaped(&maker.address),
        disclosure.policy,
        escaped(&software.version)
    );
    Ok(text)
}

/// What is to be done now.
fn hurry(clocks: &[Clock], now: Moment, text: &mut String) {
    for clock in clocks
        .iter()
        .filter(|clock| clock.urgency(now) == Urgency::Overdue)
    {
        if let Some(due) = clock.due {
            let _ = writeln!(
                text,
                "**Overdue: {}, since {due}**. File it now, and say why it is late.",
                clock.stage.said().to_lowercase()
            );
        }
    }
    let next = clocks.iter().find(|clock| clock.urgency(now) == Urgency::Due);
    match next.and_then(|clock| Some((clock.stage, clock.due?))) {
        Some((stage, due)) => {
            let hours = due.0.0.saturating_sub(now.0.0) / 3600;
            let _ = writeln!(
                text,
                "**Next: {}, by {due}**, in {hours} hours.",
                stage.said().to_lowercase()
            );
        }
        None if clocks.iter().all(|clock| clock.filed.is_some()) => *text += "Everything is filed.\n",
        None => {}
    }
    if clocks
        .iter()
        .any(|clock| clock.urgency(now) == Urgency::NotStarted)
    {
        *text += "The clock of the final report starts when a corrective or mitigating measure is available: say when under \
                  `measure-available`.\n";
    }
}

/// What the manifest answers at every stage.
fn of_manifest(product: &Product) -> Vec<(&'static str, String)> {
    let about = &product.product;
    let version = product
        .software
        .as_ref()
        .map(|software| escaped(&software.version));
    vec![
        (
            "Product",
            format!(
                "{}, model {}, release {}, by {}",
                escaped(&about.name),
                escaped(&about.model),
                version.unwrap_or_default(),
                escaped(&about.vendor)
            ),
        ),
        ("Kind of product", about.category.said().to_owned()),
    ]
}

/// As JSON: times in RFC 3339, gaps as `null`.
///
/// # Errors
/// As [`markdown`].
pub fn json(product: &Product, case: &Case, now: Moment) -> Result<Value, DisclosureError> {
    let maker = needed(&product.maker, "maker")?;
    let software = needed(&product.software, "software")?;
    let time = |time: Option<Moment>| time.map(|time| time.to_string());
    let clocks = case.clocks();
    let stages: Vec<Value> = clocks
        .iter()
        .map(|clock| {
            let asked: Vec<Value> = case
                .asked(clock.stage)
                .into_iter()
                .map(|gap| {
                    json!({
                        "asks": gap.asks, "source": gap.source, "name": gap.name,
                        "known": gap.known, "optional": gap.optional,
                    })
                })
                .collect();
            json!({
                "stage": clock.stage.name(),
                "due": time(clock.due),
                "rule": clock.rule,
                "filed": time(clock.filed),
                "state": clock.urgency(now).name(),
                "asked": asked,
            })
        })
        .collect();
    let by = |urgency: Urgency| -> Vec<&str> {
        let those = clocks.iter().filter(|clock| clock.urgency(now) == urgency);
        those.map(|clock| clock.stage.name()).collect()
    };
    Ok(json!({
        "case": case.id.as_str(),
        "title": case.title.as_str(),
        "kind": case.kind.name(),
        "regulation": "Regulation (EU) 2024/2847, Article 14",
        "filed-by": "a person, on the single reporting platform",
        "at": now.to_string(),
        "aware": case.aware.to_string(),
        "overdue": by(Urgency::Overdue),
        "next": by(Urgency::Due).first(),
        "stages": stages,
        "users-told": time(case.users_told),
        "responsible": case.responsible.as_ref().map(ToString::to_string),
        "csirt": case.csirt.as_ref().map(ToString::to_string),
        "product": {
            "name": product.product.name.as_str(),
            "model": product.product.model.as_str(),
            "vendor": product.product.vendor.as_str(),
            "release": software.version.as_str(),
            "manifest-sha256": iotsec_evidence::report::hex(&product.digest),
        },
        "maker": { "name": maker.name.as_str(), "address": maker.address.as_str() },
    }))
}
