//! OTLP logs in JSON: `ExportLogsServiceRequest`, to be posted to `/v1/logs`.
//!
//! As the OpenTelemetry protocol has it: names in lowerCamelCase, 64-bit integers as texts, enumerations as numbers.

use std::collections::BTreeMap;

use iotsec_core::hal::UnixTime;
use iotsec_telemetry::registry::Class;
use serde_json::{Value, json};

use super::{Arrival, Told};

/// The request, with one resource for each device.
pub fn request(arrivals: &[Arrival<'_>]) -> Value {
    let mut devices: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for arrival in arrivals {
        devices.entry(arrival.device).or_default().push(record(arrival));
    }
    let resources: Vec<Value> = devices
        .into_iter()
        .map(|(device, records)| {
            json!({
                "resource": { "attributes": [text("service.name", "iotsec"), text("device.id", device)] },
                "scopeLogs": [{
                    "scope": { "name": "iotsec-telemetry", "version": env!("CARGO_PKG_VERSION") },
                    "logRecords": records,
                }],
            })
        })
        .collect();
    json!({ "resourceLogs": resources })
}

fn record(arrival: &Arrival<'_>) -> Value {
    let event = &arrival.record.event;
    let definition = event.definition();
    let (number, severity) = match definition.class() {
        Class::Critical => (17, "ERROR"),
        Class::Security => (13, "WARN"),
        Class::Health | Class::Usage => (9, "INFO"),
    };
    let mut attributes = vec![
        integer("iotsec.boot", event.id().boot.into()),
        integer("iotsec.sequence", event.id().sequence.into()),
        integer("iotsec.uptime_s", event.uptime_s().into()),
        text("iotsec.class", super::json::class_name(definition.class())),
    ];
    attributes.extend(arrival.fields().map(|(name, told)| match told {
        Told::Number(value) => integer(&name, value),
        Told::Text(value) => text(&name, value),
    }));
    let mut record = json!({
        "observedTimeUnixNano": nanoseconds(arrival.received),
        "severityNumber": number,
        "severityText": severity,
        "eventName": definition.name(),
        "body": { "stringValue": definition.name() },
        "attributes": attributes,
    });
    // Left out, it is not known; an empty number would be 1970.
    if let Some(time) = arrival.time() {
        record["timeUnixNano"] = nanoseconds(time).into();
    }
    record
}

fn nanoseconds(time: UnixTime) -> String {
    (u128::from(time.0) * 1_000_000_000)
        .min(u64::MAX.into())
        .to_string()
}

fn text(key: &str, value: &str) -> Value {
    json!({ "key": key, "value": { "stringValue": value } })
}

fn integer(key: &str, value: i64) -> Value {
    json!({ "key": key, "value": { "intValue": value.to_string() } })
}
