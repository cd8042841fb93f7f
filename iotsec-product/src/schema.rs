//! Schemas of what makers write, for editors that check while one writes.

use schemars::{JsonSchema, generate::SchemaSettings};
use serde::Deserialize;

use crate::product::Product;

/// JSON Schema 2020-12 of a manifest.
///
/// ```
/// let schema = iotsec_product::schema::json();
/// assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
/// assert!(schema["properties"]["disclosure"].is_object());
/// ```
pub fn json() -> serde_json::Value {
    of::<Product>("Product manifest of iotsec")
}

/// JSON Schema 2020-12 of another file that a maker writes.
///
/// ```
/// let schema = iotsec_product::schema::of::<iotsec_product::text::Day>("A day");
/// assert_eq!((&schema["title"], &schema["type"]), (&"A day".into(), &"string".into()));
/// ```
pub fn of<T: JsonSchema>(title: &str) -> serde_json::Value {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let mut schema = generator.into_root_schema_for::<T>().to_value();
    schema["title"] = title.into();
    schema
}

/// The telemetry registry in outline; the names in it are what [`Description`] reads.
///
/// [`Description`]: iotsec_collector::registries::Description
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "never made, only described")]
pub(crate) struct Telemetry {
    /// What can happen.
    #[serde(default)]
    events: Vec<Event>,
    /// What is measured over many devices.
    #[serde(default)]
    metrics: Vec<Metric>,
    /// Of all that says nothing itself.
    handling: Option<Handling>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "never made, only described")]
struct Event {
    id: u16,
    name: String,
    class: Class,
    why: String,
    #[serde(default)]
    fields: Vec<Field>,
    handling: Option<Handling>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Class {
    Critical,
    Security,
    Health,
    Usage,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Purpose {
    Security,
    Health,
    Usage,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "never made, only described")]
struct Field {
    name: String,
    unit: Option<String>,
    min: Option<i64>,
    max: Option<i64>,
    labels: Option<Vec<String>>,
    edges: Option<Vec<i64>>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "never made, only described")]
struct Metric {
    id: u16,
    name: String,
    unit: Option<String>,
    purpose: Purpose,
    why: String,
    aggregate: Aggregate,
    handling: Option<Handling>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, tag = "kind", rename_all = "kebab-case")]
#[expect(dead_code, reason = "never made, only described")]
enum Aggregate {
    RandomizedResponse { epsilon: [u32; 2], answers: Vec<String> },
    Laplace { epsilon: [u32; 2], min: i64, max: i64 },
    Count,
    Sum { max: u64 },
    Histogram { edges: Vec<i64> },
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[expect(dead_code, reason = "never made, only described")]
struct Handling {
    owner: String,
    recipient: String,
    kept_days: u16,
    last_day: Option<String>,
}
