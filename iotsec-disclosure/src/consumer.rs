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
    purpose(product, &mut text);
    decisions(product, &mut text);
    sensors(product, &mut text);
    personal_data(product, &mut text);
    telemetry(product, &mut text);
    deletion(product, &mut text);
    network(product, &mut text);
    setup(product, &mut text);
    check(product, &mut text);
    help(product, &mut text);
    Ok(text)
}

/// What it is made for, and what it is not (Regulation (EU) 2024/2847, Annex II).
fn purpose(product: &Product, text: &mut String) {
    let about = &product.product;
    if about.intended_use.is_none() && about.foreseeable_misuse.is_none() {
        return;
    }
    *text += "\n## What it is made for\n";
    if let Some(intended) = &about.intended_use {
        let _ = writeln!(text, "\n{}.", markdown(intended).trim_end_matches('.'));
    }
    if let Some(misuse) = &about.foreseeable_misuse {
        let _ = writeln!(text, "\nNot so: {}.", markdown(misuse).trim_end_matches('.'));
    }
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
    let services = product.surface.iter().flat_map(|surface| &surface.service);
    let reachable: Vec<_> = services
        .filter(|one| !one.disabled && matches!(one.scope, Some(ScopeName::Local | ScopeName::Any)))
        .collect();
    let is_public = reachable.iter().any(|one| one.scope == Some(ScopeName::Any));
    *text += "\n## How to keep your home network safe around it\n\n\
              - Give the wireless network a password of its own, at least 12 characters long, and WPA3 or WPA2.\n\
              - Keep the software of your router up to date, and change the password that it came with.\n\
              - A guest network keeps the product apart from your computers";
    *text += match reachable.is_empty() {
        true => "; it works there as well.\n",
        false => ". A phone that reaches it at home has to be in the same network.\n",
    };
    if !is_public {
        *text += "- Do not forward ports of your router to it: it needs none.\n";
    }
    for one in &reachable {
        let place = if one.scope == Some(ScopeName::Any) {
            "From everywhere"
        } else {
            "In your network"
        };
        let _ = writeln!(
            text,
            "- {place} it can be reached for this: {}.",
            markdown(&one.purpose).trim_end_matches('.')
        );
    }
    let Some(surface) = &product.surface else {
        return;
    };
    for one in &surface.endpoint {
        if let Some(host) = &one.host {
            let _ = writeln!(
                text,
                "- It connects to {}, port {}: {}.",
                markdown(host),
                one.port,
                markdown(&one.purpose).trim_end_matches('.')
            );
        }
    }
    if let Some(mud) = &surface.mud {
        let _ = writeln!(
            text,
            "- A router that knows MUD files lets it do this and nothing else: <{}>.",
            mud.url
        );
    }
}

/// Updates install themselves: from the first day on, or when the owner says so.
enum Automatic {
    On,
    Offered,
    No,
}

impl Automatic {
    fn of(product: &Product) -> Self {
        let owners = || product.update.iter().map(|update| &update.owner);
        if owners().any(|owner| owner.automatic_by_default) {
            Self::On
        } else if owners().any(|owner| owner.automatic) {
            Self::Offered
        } else {
            Self::No
        }
    }
}

fn setup(product: &Product, text: &mut String) {
    *text += "\n## How to set it up securely\n\n";
    let mut steps: Vec<String> = Vec::new();
    if product.credential.setup_code {
        steps.push(
            "Scan the set-up code on the label. Keep the label where strangers do not see it: the code is of this one \
             unit."
                .into(),
        );
    }
    if product.credential.password {
        steps.push("Log in with the password on the label. No other unit has the same.".into());
        let change = product.authentication.iter().find_map(|one| one.change.as_ref());
        let place =
            change.map(|change| format!(" You change it here: {}.", markdown(change).trim_end_matches('.')));
        steps.push(format!(
            "Choose a password of your own that you use nowhere else, at least 12 characters long.{}",
            place.unwrap_or_default()
        ));
    }
    match Automatic::of(product) {
        Automatic::On => steps.push("Leave automatic updates on.".into()),
        Automatic::Offered => steps.push("Switch automatic updates on.".into()),
        Automatic::No => {}
    }
    if product.decision.iter().any(|one| one.recommended.is_some()) {
        steps.push("Where you are asked something, the table above says what we recommend.".into());
    }
    for (number, step) in steps.iter().enumerate() {
        let _ = writeln!(text, "{}. {step}", number.saturating_add(1));
    }
    if let Some(link) = product.guide.as_ref().and_then(|guide| guide.setup.as_ref()) {
        let _ = writeln!(text, "\nStep by step: <{link}>");
    }
}

fn check(product: &Product, text: &mut String) {
    *text += "\n## How to check that it is secure\n\n";
    if let Some(software) = &product.software {
        let _ = writeln!(
            text,
            "- Its software is release {}, or a later one.",
            markdown(&software.version)
        );
    }
    if !matches!(Automatic::of(product), Automatic::No) {
        *text += "- Automatic updates are on.\n";
    }
    if product.credential.password {
        *text += "- The password is one that you chose, and only those know it who should.\n";
    }
    let lights = product
        .sensor
        .iter()
        .filter_map(|one| Some((&one.kind, one.indicator.as_ref()?)));
    for (kind, indicator) in lights {
        let _ = writeln!(
            text,
            "- When you do not use the {}, this is off: {}.",
            markdown(kind),
            markdown(indicator).trim_end_matches('.')
        );
    }
    *text += "- Your router shows no connection of it to another place than those that are listed above.\n\
              - You bought it used? Delete everything first, as described above, and set it up anew.\n";
    let guide = product.guide.as_ref();
    if let Some(link) = guide.and_then(|guide| guide.setup_check.as_ref()) {
        let _ = writeln!(text, "\nHow to check each point: <{link}>");
    }
    if let Some(link) = guide.and_then(|guide| guide.maintenance.as_ref()) {
        let _ = writeln!(text, "\nHow it stays so: <{link}>");
    }
}

fn help(product: &Product, text: &mut String) {
    *text += "\n## If something is wrong\n\n";
    if let Some(maker) = &product.maker {
        let _ = writeln!(text, "- Questions: <{}>", maker.contact);
    }
    if let Some(disclosure) = &product.disclosure {
        let _ = writeln!(
            text,
            "- You found a weakness? Tell us, free and without an account: <{}>",
            disclosure.policy
        );
    }
}
