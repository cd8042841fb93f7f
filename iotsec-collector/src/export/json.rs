//! One JSON object for an event.

use iotsec_telemetry::registry::{Class, Purpose};
use serde_json::{Map, Value, json};

use super::{Arrival, Told, rfc3339};
use crate::collector::When;

/// `{"device", "purpose", "boot", "sequence", "uptime_s", "time", "event", "id", "class", "fields"}`; `time` is null where it is not
/// known, and then `claimed` is what a device said whose clock is not believed.
pub fn event(arrival: &Arrival<'_>) -> Value {
    let event = &arrival.record.event;
    let fields: Map<String, Value> = arrival
        .fields()
        .map(|(name, told)| {
            let value = match told {
                Told::Number(number) => number.into(),
                Told::Text(text) => text.into(),
            };
            (name, value)
        })
        .collect();
    let mut object = json!({
        "device": arrival.device,
        "purpose": purpose_name(event.id().purpose),
        "boot": event.id().boot,
        "sequence": event.id().sequence,
        "uptime_s": event.uptime_s(),
        "time": arrival.time().and_then(rfc3339),
        "received": rfc3339(arrival.received),
        "event": event.definition().name(),
        "id": event.definition().id(),
        "class": class_name(event.definition().class()),
        "fields": fields,
    });
    if let When::Unbelievable(claimed) = arrival.record.when {
        object["claimed"] = rfc3339(claimed).into();
    }
    object
}

/// Its name in descriptions of registries.
pub const fn purpose_name(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Security => "security",
        Purpose::Health => "health",
        Purpose::Usage => "usage",
    }
}

/// Its name in descriptions of registries.
pub const fn class_name(class: Class) -> &'static str {
    match class {
        Class::Critical => "critical",
        Class::Security => "security",
        Class::Health => "health",
        Class::Usage => "usage",
    }
}
