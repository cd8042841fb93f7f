//! A registry, shown and turned into its other form.

use std::fmt::Write as _;

use iotsec::telemetry::registry::HashedRegistry;
use iotsec_collector::{
    export::json::class_name,
    registries::{Description, Registries},
};
use serde_json::json;

use super::{Registry, source};
use crate::{
    Output, Problem,
    file::{self, Access},
    key::hex,
};

pub(super) fn run(registry: &Registry) -> Result<Output, Problem> {
    let path = &registry.registry;
    let mut registries = Registries::new();
    let hash = source::add(&mut registries, path)?;
    let Some(known) = registries.find(&hash).map(HashedRegistry::registry) else {
        return Err(Problem::new(
            "Bug",
            "a registry was lost",
            "report it to the maintainers",
        ));
    };
    let refused = Problem::refused(path);
    let description = Description::of(known);
    let text = description.to_json().map_err(&refused)?;
    if let Some(out) = &registry.out {
        let bytes = if source::is_json(&file::read(path)?) {
            description.to_canonical().map_err(&refused)?
        } else {
            format!("{text}\n").into_bytes()
        };
        file::create(out, &bytes, Access::Public)?;
        return Ok(Output::new(
            format!(
                "{}: registry {}, {} bytes\n",
                out.display(),
                hex(&hash),
                bytes.len()
            ),
            json!({ "file": out, "registry": hex(&hash), "bytes": bytes.len() }),
        ));
    }
    let mut human = format!("registry {}\n", hex(&hash));
    for event in known.events() {
        let _ = writeln!(
            human,
            "{:>5}  {:<9} {}: {}",
            event.id(),
            class_name(event.class()),
            event.name(),
            event.why()
        );
    }
    for metric in known.metrics() {
        let _ = writeln!(
            human,
            "{:>5}  aggregate {}: {}",
            metric.id(),
            metric.name(),
            metric.why()
        );
    }
    let description: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    Ok(Output::new(
        human,
        json!({ "registry": hex(&hash), "description": description }),
    ))
}
