//! The MUD file (RFC 8520), by which a network learns what the product needs.

use iotsec_net::surface::{
    InterfaceTable,
    mud::{MudInfo, write_mud},
};
use iotsec_product::{Product, surface::Mud, text::Link};

use crate::{DisclosureError, Moment, page::needed};

/// The file of a product, in JSON with line breaks. `supported` says whether there are still updates for it.
///
/// ```
/// use iotsec_core::hal::UnixTime;
/// use iotsec_disclosure::mud;
/// use iotsec_product::Product;
///
/// let lock = include_bytes!("../../examples/products/lock/iotsec.toml");
/// let file = mud::file(&Product::parse(lock).unwrap(), UnixTime(1_795_996_800).into(), true)?;
/// assert!(file.contains("\"mud-url\": \"https://locks.example.com/mud/lock-1.json\""));
/// # Ok::<(), iotsec_disclosure::DisclosureError>(())
/// ```
///
/// # Errors
/// [`DisclosureError::Section`] without `[surface]` or `[surface.mud]`, [`DisclosureError::Mud`] when a URL or the
/// description is none that a MUD file takes.
pub fn file(product: &Product, now: Moment, supported: bool) -> Result<String, DisclosureError> {
    let info = product.surface.as_ref().and_then(|surface| surface.mud.as_ref());
    let info = info.ok_or(DisclosureError::Section("surface.mud"))?;
    let table = product.interfaces();
    written(product, info, needed(&table, "surface")?, now, supported)
}

fn written(
    product: &Product,
    info: &Mud,
    table: &InterfaceTable,
    now: Moment,
    supported: bool,
) -> Result<String, DisclosureError> {
    let about = &product.product;
    let last_update = now.to_string();
    let mud_info = MudInfo {
        url: info.url.as_str(),
        last_update: &last_update,
        cache_hours: info.cache_hours,
        is_supported: supported,
        systeminfo: info.description.as_ref().unwrap_or(&about.name).as_str(),
        manufacturer: about.vendor.as_str(),
        model: about.model.as_str(),
        documentation: info.documentation.as_ref().map(Link::as_str),
    };
    let mut text = String::new();
    write_mud(table, &mud_info, &mut text).map_err(DisclosureError::Mud)?;
    let value: serde_json::Value =
        serde_json::from_str(&text).map_err(|_| DisclosureError::Bug("MUD file"))?;
    Ok(format!("{value:#}\n"))
}
