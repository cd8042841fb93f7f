//! What is said to people, as text without markup.

use core::fmt::{self, Display};

use super::{Item, What};
use crate::registry::{Aggregate, Buckets, Field, FieldKind, Purpose};

/// What an item carries.
pub(super) struct Collected(pub(super) Item);

impl Display for Collected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.what {
            What::Event(event) if event.fields().is_empty() => f.write_str("That it happened, and when."),
            What::Event(event) => {
                f.write_str("That it happened, and when; ")?;
                for (index, field) in event.fields().iter().enumerate() {
                    f.write_str(if index > 0 { "; " } else { "" })?;
                    write_field(f, field)?;
                }
                f.write_str(".")
            }
            What::Metric(metric) => {
                match metric.aggregate() {
                    Aggregate::RandomizedResponse { answers, .. } => {
                        f.write_str("One answer: ")?;
                        write_labels(f, answers)?;
                    }
                    Aggregate::Laplace { min, max, .. } => {
                        write!(f, "A number from {min} to {max}")?;
                        write_unit(f, metric.unit())?;
                    }
                    Aggregate::Count => f.write_str("Yes or no")?,
                    Aggregate::Sum { max } => {
                        write!(f, "A number from 0 to {max}")?;
                        write_unit(f, metric.unit())?;
                    }
                    Aggregate::Histogram(buckets) => {
                        f.write_str("One range: ")?;
                        write_buckets(f, buckets, metric.unit())?;
                    }
                }
                f.write_str(".")
            }
        }
    }
}

fn write_field(f: &mut fmt::Formatter<'_>, field: &Field) -> fmt::Result {
    f.write_str(field.name())?;
    match field.kind() {
        FieldKind::Number { min, max } => {
            write!(f, ", from {min} to {max}")?;
            write_unit(f, field.unit())
        }
        FieldKind::Choice(labels) => {
            f.write_str(" (")?;
            write_labels(f, labels)?;
            f.write_str(")")
        }
        FieldKind::Bucket(buckets) => {
            f.write_str(", as one range: ")?;
            write_buckets(f, buckets, field.unit())
        }
    }
}

fn write_labels(f: &mut fmt::Formatter<'_>, labels: &[&str]) -> fmt::Result {
    for (index, label) in labels.iter().enumerate() {
        let is_last = index.checked_add(1) == Some(labels.len());
        f.write_str(match (index, is_last) {
            (0, _) => "",
            (_, true) => " or ",
            _ => ", ",
        })?;
        f.write_str(label)?;
    }
    Ok(())
}

fn write_buckets(f: &mut fmt::Formatter<'_>, buckets: Buckets, unit: &str) -> fmt::Result {
    let mut before = None;
    for edge in buckets.edges() {
        match before {
            None => write!(f, "below {edge}")?,
            Some(before) => write!(f, ", {before} to {edge}")?,
        }
        before = Some(*edge);
    }
    if let Some(last) = before {
        write!(f, ", {last} or more")?;
    }
    write_unit(f, unit)
}

/// Units as people write them; a count has none.
fn write_unit(f: &mut fmt::Formatter<'_>, unit: &str) -> fmt::Result {
    let unit = match unit {
        "1" => return Ok(()),
        "%" => " percent",
        "s" => " seconds",
        "min" => " minutes",
        "h" => " hours",
        "d" => " days",
        "Cel" => " °C",
        other => return write!(f, " {other}"),
    };
    f.write_str(unit)
}

/// How it leaves the device, and what that means.
pub(super) struct Mechanism(pub(super) Item);

impl Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.aggregate() {
            None => f.write_str(
                "Sent encrypted, as it is. The service can tell that reports come from the same device.",
            ),
            Some(Aggregate::RandomizedResponse { epsilon, .. }) => write!(
                f,
                "The device leaves it to chance whether it says the truth, before anything is sent, and adds no name or \
                 number of its own. No single answer can be believed; only over many devices does it average out. \
                 (Privacy parameter epsilon: {}/{}; the smaller, the less one answer tells.)",
                epsilon.n(),
                epsilon.d()
            ),
            Some(Aggregate::Laplace { epsilon, .. }) => write!(
                f,
                "The device adds a random number to it, before anything is sent, and no name or number of its own. No \
                 single report can be believed; only over many devices does it average out. (Privacy parameter epsilon: \
                 {}/{}; the smaller, the less one report tells.)",
                epsilon.n(),
                epsilon.d()
            ),
            Some(Aggregate::Count | Aggregate::Sum { .. } | Aggregate::Histogram(_)) => f.write_str(
                "The device splits it into two parts for two servers, and adds no name or number of its own. Neither \
                 server can read its part. Only the result over many devices comes out.",
            ),
        }
    }
}

/// Whether it can be had back.
pub(super) const fn recall(item: &Item) -> &'static str {
    match (item.what, item.purpose().needs_consent()) {
        (What::Metric(_), _) => {
            "What was sent cannot be recalled: nobody can tell which part came from this device."
        }
        (What::Event(_), true) => {
            "When you withdraw your consent or reset the device, the service is asked to delete what it has, and must \
             confirm it."
        }
        (What::Event(_), false) => {
            "When you reset the device, the service is asked to delete what it has, and must confirm it."
        }
    }
}

/// Above the items of a purpose.
pub(super) const fn heading(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Security => "To keep this device and others safe",
        Purpose::Health => "To keep the device working",
        Purpose::Usage => "To learn how the device is used",
    }
}

/// Whether anybody is asked.
pub(super) const fn consent(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Security => {
            "Sent without asking you. It may say nothing about you, only about attacks and damage."
        }
        Purpose::Health | Purpose::Usage => {
            "Only if you agree. It is off until you turn it on, and you can turn it off at any time."
        }
    }
}
