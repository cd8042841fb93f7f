//! Metrics reports of AWS IoT Device Defender, for `$aws/things/THING/defender/metrics/json`.
//!
//! A report says for one device how often each event happened in a period, as custom metrics of type `number`. An event
//! that tells of an open port ([`LISTENER`]) fills the standard metrics of listening ports as well. Addresses that a
//! device talks to are not among the metrics: they say something about people.

use std::collections::{BTreeMap, BTreeSet};

use iotsec_telemetry::registry::Purpose;
use serde_json::{Map, Value, json};

use super::{Arrival, Told};

/// The event by which this SDK reports a port that its maker did not declare.
pub const LISTENER: &str = "iotsec.listener";
/// Seconds that a period has at least.
pub const LEAST_PERIOD_S: u64 = 300;

/// Whether keys are written out. Short ones save bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keys {
    /// `header`, `report_id`, …
    Long,
    /// `hed`, `rid`, …
    Short,
}

/// The report of one device; `arrivals` of other devices, and what was not collected for security, are left out. `None`
/// if nothing remains. `report_id` must grow from report to report.
pub fn report(device: &str, report_id: u64, arrivals: &[Arrival<'_>], keys: Keys) -> Option<Value> {
    let key = |long: &'static str, short: &'static str| match keys {
        Keys::Long => long,
        Keys::Short => short,
    };
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    let mut ports: [BTreeSet<i64>; 2] = Default::default();
    for arrival in arrivals.iter().filter(|arrival| arrival.device == device) {
        let definition = arrival.record.event.definition();
        if definition.class().purpose() != Purpose::Security {
            continue;
        }
        *counts.entry(metric_name(definition.name())).or_default() += 1;
        if definition.name() == LISTENER {
            let fields: BTreeMap<String, Told> = arrival.fields().collect();
            let transport = match fields.get("transport") {
                Some(Told::Text("tcp")) => Some(0),
                Some(Told::Text("udp")) => Some(1),
                _ => None,
            };
            if let (Some(transport), Some(Told::Number(port))) = (transport, fields.get("number")) {
                ports[transport].insert(*port);
            }
        }
    }
    if counts.is_empty() {
        return None;
    }
    let mut metrics = Map::new();
    let names = [key("listening_tcp_ports", "tp"), key("listening_udp_ports", "up")];
    for (name, ports) in names.into_iter().zip(ports) {
        if !ports.is_empty() {
            let list: Vec<Value> = ports
                .iter()
                .map(|port| json!({ key("port", "pt"): port }))
                .collect();
            metrics.insert(
                name.into(),
                json!({ key("ports", "pts"): list, key("total", "t"): ports.len() }),
            );
        }
    }
    let custom: Map<String, Value> = counts
        .into_iter()
        .map(|(name, count)| (name, json!([{ "number": count }])))
        .collect();
    Some(json!({
        key("header", "hed"): { key("report_id", "rid"): report_id, key("version", "v"): "1.0" },
        key("metrics", "met"): metrics,
        key("custom_metrics", "cmet"): custom,
    }))
}

/// Letters, digits, `-`, `_` and `:`, up to 128.
fn metric_name(name: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':') {
            c
        } else {
            '_'
        }
    };
    name.chars().map(plain).take(128).collect()
}
