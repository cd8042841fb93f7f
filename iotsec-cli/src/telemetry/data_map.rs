//! What a product collects, for those whom it is collected from.

use iotsec::telemetry::data_map::DataMap as Map;
use iotsec_collector::registries::Registries;
use serde_json::json;

use super::{DataMap, source};
use crate::{
    Output, Problem,
    file::{self, Access},
};

/// Exit status 1 when the registry leaves it open who gets something and for how long.
pub(super) fn run(map: &DataMap) -> Result<Output, Problem> {
    let mut registries = Registries::new();
    let hash = source::add(&mut registries, &map.registry)?;
    let bug = |what: &str| Problem::new("Bug", what, "report it to the maintainers");
    let known = registries.find(&hash).ok_or_else(|| bug("a registry was lost"))?;
    let written = Map::new(&map.product, known);
    let mut text = String::new();
    written
        .write_json(&mut text)
        .map_err(|_| bug("the data map cannot be written"))?;
    let value: serde_json::Value =
        serde_json::from_str(&text).map_err(|_| bug("the data map is not JSON"))?;
    let gaps = written.gaps();
    let mut human = format!("{value:#}\n");
    if let Some(path) = &map.page {
        let mut page = String::new();
        written
            .write_page(&mut page)
            .map_err(|_| bug("the page cannot be written"))?;
        file::create(path, page.as_bytes(), Access::Public)?;
        human = format!("{}: {} bytes\n", path.display(), page.len());
    }
    let output = Output::new(human, json!({ "map": value, "gaps": gaps, "page": map.page }));
    if gaps == 0 {
        return Ok(output);
    }
    let note = format!("iotsec: {gaps} declarations do not say who gets the data and for how long\n");
    Ok(output.with_notes(note).with_findings())
}
