//! Events of the Open Cybersecurity Schema Framework.
//!
//! The version is pinned, because attributes change their meaning between versions. Which class an event gets follows
//! from the words of its name: what detectors of this SDK find is a finding; names with `auth` or `login` are
//! authentications; with `net`, `tls` or `connect`, network activity; with `boot`, `update`, `config`, `clock`,
//! `storage` or `integrity`, a change of the device's state; all else a finding.

use iotsec_telemetry::registry::{Class, Purpose, RESERVED_IDS};
use serde_json::{Map, Value, json};

use super::{Arrival, Told};

/// The version that events keep to.
pub const VERSION: &str = "1.6.0";

/// The class that an event becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Authentication,
    Network,
    State,
    Finding,
}

/// The event, or `None` if it was not collected for security.
pub fn event(arrival: &Arrival<'_>) -> Option<Value> {
    let definition = arrival.record.event.definition();
    if definition.class().purpose() != Purpose::Security {
        return None;
    }
    let words: Vec<&str> = definition
        .name()
        .split(|c: char| !c.is_ascii_alphanumeric())
        .collect();
    let has = |some: &[&str]| {
        words
            .iter()
            .any(|word| some.iter().any(|one| word.starts_with(one)))
    };
    let kind = if definition.id() >= RESERVED_IDS {
        Kind::Finding
    } else if has(&["auth", "login", "password"]) {
        Kind::Authentication
    } else if has(&["net", "tls", "connect"]) {
        Kind::Network
    } else if has(&["boot", "update", "config", "clock", "storage", "integrity"]) {
        Kind::State
    } else {
        Kind::Finding
    };
    let failed = has(&["fail", "refus", "reject", "lockout"]);
    // Category, class, activity.
    let (category, class, activity) = match kind {
        Kind::Authentication => (3, 3002, 1),
        Kind::Network if has(&["listen"]) => (4, 4001, 7),
        Kind::Network if failed => (4, 4001, 4),
        Kind::Network => (4, 4001, 6),
        Kind::State => (5, 5019, 1),
        Kind::Finding => (2, 2004, 1),
    };
    let (severity, name) = match definition.class() {
        Class::Critical => (5, "Critical"),
        _ => (3, "Medium"),
    };
    let time = arrival.time().unwrap_or(arrival.received);
    let mut event = json!({
        "metadata": {
            "version": VERSION,
            "uid": arrival.uid(),
            "product": { "name": "iotsec", "vendor_name": "iotsec", "version": env!("CARGO_PKG_VERSION") },
        },
        "category_uid": category,
        "class_uid": class,
        "activity_id": activity,
        "type_uid": class * 100 + activity,
        "severity_id": severity,
        "severity": name,
        "time": time.0.saturating_mul(1000),
        "message": definition.why(),
        "unmapped": unmapped(arrival),
    });
    let endpoint = json!({ "uid": arrival.device });
    match kind {
        Kind::Authentication => {
            event["user"] = json!({ "name": "unknown", "type_id": 0 });
            event["dst_endpoint"] = endpoint;
            event["status_id"] = if failed { 2 } else { 0 }.into();
        }
        Kind::Network => event["src_endpoint"] = endpoint,
        // An IoT device.
        Kind::State => event["device"] = json!({ "uid": arrival.device, "type_id": 7 }),
        Kind::Finding => {
            event["finding_info"] =
                json!({ "uid": arrival.uid(), "title": definition.name(), "desc": definition.why() });
            event["resources"] = json!([{ "uid": arrival.device, "type": "device" }]);
        }
    }
    Some(event)
}

fn unmapped(arrival: &Arrival<'_>) -> Value {
    let event = &arrival.record.event;
    let fields: Map<String, Value> = arrival
        .fields()
        .map(|(name, told)| match told {
            Told::Number(number) => (name, number.into()),
            Told::Text(text) => (name, text.into()),
        })
        .collect();
    json!({
        "event": event.definition().name(),
        "boot": event.id().boot,
        "sequence": event.id().sequence,
        "uptime_s": event.uptime_s(),
        "time_known": arrival.time().is_some(),
        "fields": fields,
    })
}
