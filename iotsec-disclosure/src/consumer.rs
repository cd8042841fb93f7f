//! The page for people who buy or use the product, in plain words.

use std::fmt::Write as _;

use iotsec_product::{
    Product,
    privacy::{Basis, Place},
    surface::ScopeName,
    text::markdown,
};

use crate::{
    DisclosureError,
    page::{needed, title},
};

/// The page, in Markdown.
///
/// ```
/// use iotsec_disclosure::consumer;
/// use iotsec_product::Product;
///
/// let lock = include_bytes!("../../examples/products/lock/iotsec.toml");
/// let page = consumer::page(&Product::parse(lock).unwrap())?;
/// assert!(page.contains("until 2034-12-31"));
/// # Ok::<(), iotsec_disclosure::DisclosureError>(())
/// ```
///
/// # Errors
/// [`DisclosureError::Section`] for a section that it needs.
pub fn page(product: &Product) -> Result<String, DisclosureError> {
    let support = needed(&product.support, "support")?;
    let mut text = title(product, "What you should know");
    if let Some(description) = &product.product.description {
        let _ = writeln!(text, "\n{}.", markdown(description).trim_end_matches('.'));
    }
    let _ = writeln!(
        text,
        "\n## How long it is kept secure\n\nIt gets security updates **until {}**. Why that long: {}. Do not connect it \
         to a network after that day.",
        support.end,
        markdown(&support.reason).trim_end_matches('.')
    );
    updates(product, &mut text);
    decisions(product, &mut text);
    sensors(product, &mut text);
    personal_data(product, &mut text);
    telemetry(product, &mut text);
    deletion(product, &mut text);
    network(product, &mut text);
    guide(product, &mut text);
    Ok(text)
}

fn updates(product: &Product, text: &mut String) {
    for update in &product.update {
        *text += "\n";
        if update.owner.automatic_by_default {
            *text += "Updates install themselves. ";
        }
        if update.owner.can_postpone {
            *text += "You can put one off, or switch the automatic off and on. ";
        }
        if let Some(notice) = &update.notice {
            let _ = write!(
                text,
                "You are told of an update here: {}.",
                markdown(&notice.how).trim_end_matches('.')
            );
        }
        *text += "\n";
    }
}

fn decisions(product: &Product, text: &mut String) {
    if product.decision.is_empty() {
        return;
    }
    *text +=
        "\n## What you decide\n\n| question | until you decide | we recommend | when |\n|---|---|---|---|\n";
    for one in &product.decision {
        let recommended = one.recommended.as_ref().map_or_else(|| "–".into(), markdown);
        let _ = writeln!(
            text,
            "| {} | {} | {recommended} | {} |",
            markdown(&one.question),
            markdown(&one.default),
            markdown(&one.when)
        );
    }
}

fn sensors(product: &Product, text: &mut String) {
    *text += "\n## What it perceives\n\n";
    if product.sensor.is_empty() {
        *text += "It has no sensors for its surroundings.\n";
    }
    for one in &product.sensor {
        let _ = write!(
            text,
            "- **{}**: {}",
            markdown(&one.kind),
            markdown(&one.description)
        );
        if let Some(indicator) = &one.indicator {
            let _ = write!(text, ". You see that it is on: {}", markdown(indicator));
        }
        *text += "\n";
    }
}

fn personal_data(product: &Product, text: &mut String) {
    *text += "\n## Data about you\n\n";
    if product.personal_data.is_empty() {
        *text += "It keeps no data about people.\n";
    }
    for one in &product.personal_data {
        let places: Vec<&str> = one.stored.iter().map(|place: &Place| place.said()).collect();
        let recipients: Vec<String> = one.recipients.iter().map(markdown).collect();
        let _ = writeln!(
            text,
            "**{}**\n\n- What for: {}\n- On what ground: {}\n- Where it is kept: {}, for {} days\n- Who else gets it: {}",
            markdown(&one.description),
            markdown(&one.purpose),
            one.basis.said(),
            places.join(" and "),
            one.kept_days,
            if recipients.is_empty() {
                "nobody".into()
            } else {
                recipients.join("; ")
            }
        );
        if let (Basis::Consent, Some(consent)) = (one.basis, &one.consent) {
            let _ = writeln!(
                text,
                "- How you agree: {}\n- How you change your mind: {}",
                markdown(&consent.obtain),
                markdown(&consent.withdraw)
            );
        }
        *text += "\n";
    }
}

fn telemetry(product: &Product, text: &mut String) {
    *text += "\n## What it reports\n\n";
    let Some(registry) = product.registry() else {
        *text += "It reports nothing to the maker.\n";
        return;
    };
    for event in registry.events() {
        let purpose = event.class().purpose();
        let consent = if purpose.needs_consent() {
            "only if you agree"
        } else {
            "always"
        };
        let _ = writeln!(
            text,
            "- {}: {}. Sent {consent}.",
            markdown(event.name()),
            markdown(event.why()).trim_end_matches('.')
        );
    }
    for metric in registry.metrics() {
        let consent = if metric.purpose().needs_consent() {
            "only if you agree"
        } else {
            "always"
        };
        let _ = writeln!(
            text,
            "- {}: {}. Sent {consent}, and never as the value itself: what is sent tells about many devices together.",
            markdown(metric.name()),
            markdown(metric.why()).trim_end_matches('.')
        );
    }
    let handling = registry.handling();
    if !handling.is_unstated() {
        let _ = writeln!(
            text,
            "\n{} gets this and keeps it for {} days.",
            markdown(handling.recipient()),
            handling.kept_days()
        );
    }
}

fn deletion(product: &Product, text: &mut String) {
    *text += "\n## How to delete your data\n";
    for one in &product.deletion {
        let _ = writeln!(
            text,
            "\n**{}** ({})\n",
            markdown(&one.description),
            one.target.said()
        );
        for (number, step) in one.steps.iter().enumerate() {
            let _ = writeln!(text, "{}. {}", number.saturating_add(1), markdown(step));
        }
        if let Some(confirmation) = &one.confirmation {
            let _ = writeln!(
                text,
                "\nHow you know that it is done: {}.",
                markdown(confirmation).trim_end_matches('.')
            );
        }
    }
    *text += "\nDo this before you sell the product, give it away or throw it away.\n";
}

fn network(product: &Product, text: &mut String) {
    *text += "\n## How to keep your home network safe around it\n\n\
              - Give the wireless network a password of its own, at least 12 characters long, and WPA3 or WPA2.\n\
              - A guest network keeps the product apart from your computers; it works there as well.\n\
              - Do not forward ports of your router to it: it needs none.\n";
    let Some(surface) = &product.surface else {
        return;
    };
    let listens = surface
        .service
        .iter()
        .filter(|one| !one.disabled && one.scope.is_some_and(|scope| scope != ScopeName::Loopback));
    for one in listens {
        let _ = writeln!(
            text,
            "- In your network it can be reached for this: {}.",
            markdown(&one.purpose)
        );
    }
    for one in &surface.endpoint {
        if let Some(host) = &one.host {
            let _ = writeln!(
                text,
                "- It connects to {}, port {}: {}.",
                markdown(host),
                one.port,
                markdown(&one.purpose)
            );
        }
    }
}

fn guide(product: &Product, text: &mut String) {
    let Some(guide) = &product.guide else {
        return;
    };
    *text += "\n## Read on\n\n";
    let links = [
        ("Set it up securely", &guide.setup),
        ("Check that it is set up securely", &guide.setup_check),
        ("Keep it secure", &guide.maintenance),
        ("Change the password", &guide.change),
    ];
    for (about, link) in links {
        if let Some(link) = link {
            let _ = writeln!(text, "- {about}: <{link}>");
        }
    }
}
