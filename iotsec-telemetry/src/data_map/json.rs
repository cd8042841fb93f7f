use core::fmt::{self, Write};

use super::{DataMap, Item, What};
use crate::registry::{Aggregate, Field, FieldKind, Purpose};

pub(super) fn write<W: Write + ?Sized>(map: &DataMap<'_>, out: &mut W) -> fmt::Result {
    out.write_str("{\"format\":\"iotsec/data-map/v1\",\"product\":")?;
    text(out, map.product)?;
    out.write_str(",\"registry\":\"")?;
    for byte in map.registry.hash() {
        write!(out, "{byte:02x}")?;
    }
    out.write_str("\",\"data\":")?;
    list(out, map.items(), |out, item| write_item(out, item))?;
    out.write_str("}")
}

fn write_item<W: Write + ?Sized>(out: &mut W, item: Item) -> fmt::Result {
    let kind = match item.what {
        What::Event(_) => "event",
        What::Metric(_) => "metric",
    };
    write!(out, "{{\"kind\":\"{kind}\",\"id\":{},\"name\":", item.id())?;
    text(out, item.name())?;
    out.write_str(",\"why\":")?;
    text(out, item.why())?;
    let (purpose, consent) = (item.purpose(), item.purpose().needs_consent());
    write!(
        out,
        ",\"purpose\":\"{}\",\"consent\":{consent},\"collected\":",
        id(purpose)
    )?;
    match item.what {
        What::Event(event) => list(out, event.fields().iter(), |out, field| write_field(out, field))?,
        What::Metric(metric) => write_measured(out, metric.unit(), metric.aggregate())?,
    }
    out.write_str(",\"mechanism\":")?;
    write_mechanism(out, item.aggregate())?;
    let handling = item.handling;
    if handling.is_unstated() {
        return out.write_str(",\"owner\":null,\"recipient\":null,\"kept_days\":null,\"expires\":null}");
    }
    out.write_str(",\"owner\":")?;
    text(out, handling.owner())?;
    out.write_str(",\"recipient\":")?;
    text(out, handling.recipient())?;
    write!(out, ",\"kept_days\":{},\"expires\":", handling.kept_days())?;
    match handling.expires() {
        Some(date) => write!(out, "\"{date}\"}}"),
        None => out.write_str("null}"),
    }
}

fn write_field<W: Write + ?Sized>(out: &mut W, field: &Field) -> fmt::Result {
    out.write_str("{\"name\":")?;
    text(out, field.name())?;
    out.write_str(",\"unit\":")?;
    text(out, field.unit())?;
    match field.kind() {
        FieldKind::Number { min, max } => write!(out, ",\"min\":{min},\"max\":{max}}}"),
        FieldKind::Choice(labels) => {
            out.write_str(",\"choice\":")?;
            list(out, labels.iter(), |out, label| text(out, label))?;
            out.write_str("}")
        }
        FieldKind::Bucket(buckets) => write_edges(out, buckets.edges()),
    }
}

/// The one value of a metric, in the form of a field.
fn write_measured<W: Write + ?Sized>(out: &mut W, unit: &str, aggregate: Aggregate) -> fmt::Result {
    out.write_str("[{\"unit\":")?;
    text(out, unit)?;
    match aggregate {
        Aggregate::RandomizedResponse { answers, .. } => {
            out.write_str(",\"choice\":")?;
            list(out, answers.iter(), |out, answer| text(out, answer))?;
            out.write_str("}")?;
        }
        Aggregate::Laplace { min, max, .. } => write!(out, ",\"min\":{min},\"max\":{max}}}")?,
        Aggregate::Count => out.write_str(",\"min\":0,\"max\":1}")?,
        Aggregate::Sum { max } => write!(out, ",\"min\":0,\"max\":{max}}}")?,
        Aggregate::Histogram(buckets) => write_edges(out, buckets.edges())?,
    }
    out.write_str("]")
}

fn write_edges<W: Write + ?Sized>(out: &mut W, edges: &[i64]) -> fmt::Result {
    out.write_str(",\"edges\":")?;
    list(out, edges.iter(), |out, edge| write!(out, "{edge}"))?;
    out.write_str("}")
}

fn write_mechanism<W: Write + ?Sized>(out: &mut W, aggregate: Option<Aggregate>) -> fmt::Result {
    let (kind, epsilon) = match aggregate {
        None => ("identified", None),
        Some(Aggregate::RandomizedResponse { epsilon, .. }) => ("randomized-response", Some(epsilon)),
        Some(Aggregate::Laplace { epsilon, .. }) => ("laplace", Some(epsilon)),
        Some(Aggregate::Count | Aggregate::Sum { .. } | Aggregate::Histogram(_)) => ("secret-shared", None),
    };
    write!(out, "{{\"kind\":\"{kind}\"")?;
    if let Some(epsilon) = epsilon {
        write!(out, ",\"epsilon\":\"{}/{}\"", epsilon.n(), epsilon.d())?;
    }
    out.write_str("}")
}

const fn id(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Security => "security",
        Purpose::Health => "health",
        Purpose::Usage => "usage",
    }
}

fn list<W: Write + ?Sized, T>(
    out: &mut W,
    items: impl Iterator<Item = T>,
    mut write: impl FnMut(&mut W, T) -> fmt::Result,
) -> fmt::Result {
    out.write_str("[")?;
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.write_str(",")?;
        }
        write(out, item)?;
    }
    out.write_str("]")
}

/// A string (RFC 8259 §7).
fn text<W: Write + ?Sized>(out: &mut W, text: &str) -> fmt::Result {
    out.write_str("\"")?;
    for character in text.chars() {
        match character {
            '"' | '\\' => write!(out, "\\{character}")?,
            '\0'..='\x1f' => write!(out, "\\u{:04x}", u32::from(character))?,
            _ => out.write_char(character)?,
        }
    }
    out.write_str("\"")
}
