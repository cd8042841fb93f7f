//! Messages of RFC 5424.

use std::fmt::Write as _;

use iotsec_telemetry::registry::Class;

use super::{Arrival, Told, rfc3339};

/// Security and authorization messages.
const FACILITY: u8 = 10;
/// The identifier of structured data. 32473 is the private enterprise number for examples (RFC 5612): a maker has one
/// of its own.
pub const EXAMPLE_ID: &str = "iotsec@32473";

/// A message without a line break at its end.
///
/// `id` is the identifier of the structured data: a name, `@`, and the private enterprise number of the maker. What it
/// must not hold is left out.
pub fn message(arrival: &Arrival<'_>, id: &str) -> String {
    let event = &arrival.record.event;
    let definition = event.definition();
    let severity = match definition.class() {
        Class::Critical => 2,
        Class::Security => 4,
        Class::Health | Class::Usage => 6,
    };
    let time = arrival.time().and_then(rfc3339).unwrap_or_else(|| "-".into());
    let mut out = format!(
        "<{}>1 {time} {} iotsec - {} [{}",
        FACILITY * 8 + severity,
        field(arrival.device, 255),
        field(definition.name(), 32),
        name(id)
    );
    let number = event.id();
    let mut parameter = |key: &str, value: &str| {
        let _ = write!(out, " {}=\"{}\"", name(key), escaped(value));
    };
    parameter("boot", &number.boot.to_string());
    parameter("sequence", &number.sequence.to_string());
    parameter("uptime_s", &event.uptime_s().to_string());
    parameter("class", super::json::class_name(definition.class()));
    for (key, told) in arrival.fields() {
        // Apart from ours, whatever the registry calls it.
        let key = format!("f.{key}");
        match told {
            Told::Number(number) => parameter(&key, &number.to_string()),
            Told::Text(text) => parameter(&key, text),
        }
    }
    out.push(']');
    out
}

/// A field of the header: printable ASCII without spaces; other bytes become `?`. Nothing is a dash.
fn field(text: &str, most: usize) -> String {
    let text: String = text
        .bytes()
        .take(most)
        .map(|byte| {
            if byte.is_ascii_graphic() {
                char::from(byte)
            } else {
                '?'
            }
        })
        .collect();
    if text.is_empty() { "-".into() } else { text }
}

/// A name in structured data: up to 32 printable characters, but `=`, `]`, `"` and the space.
fn name(text: &str) -> String {
    field(text, 32).replace(['=', ']', '"'], "?")
}

/// A value: `"`, `\` and `]` with a backslash before them. Control characters, which could end a line, become `?`.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if matches!(c, '"' | '\\' | ']') {
            out.push('\\');
        }
        out.push(if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') {
            '?'
        } else {
            c
        });
    }
    out
}
