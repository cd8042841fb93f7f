//! The bill of materials of a firmware: CycloneDX 1.6 in JSON, from what cargo built it of.
//!
//! | of | comes from |
//! |---|---|
//! | the firmware: name, version, maker, digests | the manifest and the image |
//! | crates, their features and who needs whom | `cargo metadata` and, for what is really linked, `cargo tree` |
//! | digests of crates | `Cargo.lock` |
//! | parts that are no crates | `[[component]]` of the manifest |
//!
//! A crate that only a build script or a procedural macro uses is there with the scope `excluded`: it made the firmware and
//! is not in it. The serial number is made of the image's digest, so that the same input gives the same document.

mod component;
mod graph;

use iotsec_evidence::report::{cyclonedx, hex};
use iotsec_product::Product;
use serde_json::{Value, json};

use crate::{
    DisclosureError, Firmware, Moment,
    firmware::{encoded, purl},
    page::needed,
};
pub use graph::Graph;

/// What the documents of a build say besides the manifest and the graph.
#[derive(Clone, Copy, Debug)]
pub struct Build<'a> {
    /// The image.
    pub firmware: &'a Firmware,
    /// For which target cargo built it.
    pub target: Option<&'a str>,
    /// When the document is made.
    pub now: Moment,
    /// Counts what is published about the same image, from 1.
    pub version: u32,
}

/// The document.
///
/// ```
/// use iotsec_disclosure::{Firmware, sbom};
/// use iotsec_product::Product;
///
/// let product = Product::parse(include_bytes!("../../examples/products/lock/iotsec.toml")).unwrap();
/// let metadata = r#"{
///     "packages": [{ "name": "app", "version": "1.4.0", "id": "app", "license": "MIT", "targets": [{ "kind": ["bin"] }] }],
///     "workspace_members": ["app"],
///     "resolve": { "root": "app", "nodes": [{ "id": "app", "features": ["radio"], "deps": [] }] }
/// }"#;
/// let graph = sbom::Graph::parse(metadata, None)?;
/// let firmware = Firmware::of("lock.bin", b"an image");
/// let build = sbom::Build { firmware: &firmware, target: None, now: "2026-12-01".parse().unwrap(), version: 1 };
/// let bom = sbom::document(&product, &graph, &build)?;
/// assert_eq!(bom["metadata"]["component"]["version"], "1.4.0");
/// assert_eq!(bom["components"][0]["properties"][0]["value"], "radio");
/// # Ok::<(), iotsec_disclosure::DisclosureError>(())
/// ```
///
/// # Errors
/// [`DisclosureError::Section`] for a section of the manifest that it needs.
pub fn document(product: &Product, graph: &Graph, build: &Build<'_>) -> Result<Value, DisclosureError> {
    let software = needed(&product.software, "software")?;
    let maker = needed(&product.maker, "maker")?;
    let root = component::firmware(product, maker, software.version.as_str(), build);
    let firmware_ref = root["bom-ref"].clone();
    let mut components: Vec<Value> = graph
        .packages()
        .map(|one| component::package(one, maker))
        .collect();
    let parts = product.component.iter();
    components.extend(parts.map(|one| component::part(product, one, maker, software.version.as_str())));

    let mut dependencies = vec![json!({
        "ref": firmware_ref,
        "dependsOn": std::iter::once(graph.root().reference())
            .chain(product.component.iter().map(component::part_reference))
            .collect::<Vec<_>>(),
    })];
    dependencies.extend(
        graph
            .packages()
            .map(|one| json!({ "ref": one.reference(), "dependsOn": graph.needs(one) })),
    );
    dependencies.extend(product.component.iter().map(|one| {
        let needs = one.origin.iter().flat_map(|origin| &origin.needs);
        let needs: Vec<String> = needs.map(|id| format!("component:{id}")).collect();
        json!({ "ref": component::part_reference(one), "dependsOn": needs })
    }));

    // Cargo knows all crates below a crate; what else a firmware is made of, people say.
    let known: Vec<String> = graph.packages().map(graph::Package::reference).collect();
    let mut unknown: Vec<Value> = product
        .component
        .iter()
        .map(|one| component::part_reference(one).into())
        .collect();
    unknown.push(firmware_ref.clone());
    let mut properties = vec![json!({ "name": "iotsec:manifest:sha256", "value": hex(&product.digest) })];
    let target = build.target.iter();
    properties.extend(target.map(|target| json!({ "name": "iotsec:cargo:target", "value": target })));
    let metadata = json!({
        "timestamp": build.now.to_string(),
        "lifecycles": [{ "phase": "build" }],
        "tools": tools(),
        "component": root,
        "manufacturer": component::maker(product, maker),
        "supplier": component::maker(product, maker),
        "properties": properties,
    });
    let content = json!({
        "metadata": metadata,
        "components": components,
        "dependencies": dependencies,
        "compositions": [
            { "aggregate": "complete", "dependencies": known },
            { "aggregate": "unknown", "dependencies": unknown },
        ],
    });
    let serial = serial(product, &hex(&build.firmware.sha256));
    Ok(cyclonedx::document(serial, build.version, content))
}

/// What made a document.
pub(crate) fn tools() -> Value {
    json!({ "components": [{
        "type": "application",
        "name": env!("CARGO_PKG_NAME"),
        "version": env!("CARGO_PKG_VERSION"),
    }]})
}

/// A version 5 UUID (RFC 9562) in the name space of the product's class, or of names of addresses without one.
pub(crate) fn serial(product: &Product, name: &str) -> uuid::Uuid {
    let space = product
        .suit_ids()
        .map_or(uuid::Uuid::NAMESPACE_URL, |(_, class)| {
            uuid::Uuid::from_bytes(class.bytes())
        });
    uuid::Uuid::new_v5(&space, name.as_bytes())
}

/// How another document names a component of a bill (CycloneDX bom-link); none when the bill has no serial number.
///
/// ```
/// let bom = serde_json::json!({ "serialNumber": "urn:uuid:2c4c…", "version": 1 });
/// let link = iotsec_disclosure::sbom::link(&bom, "pkg:cargo/sha2@0.11.1").unwrap();
/// assert_eq!(link, "urn:cdx:2c4c…/1#pkg%3Acargo%2Fsha2%400.11.1");
/// ```
pub fn link(bom: &Value, reference: &str) -> Option<String> {
    let serial = bom["serialNumber"].as_str()?.strip_prefix("urn:uuid:")?;
    let version = bom["version"].as_u64().unwrap_or(1);
    Some(format!("urn:cdx:{serial}/{version}#{}", encoded(reference)))
}

/// The package URL of the firmware that a build made.
fn own_purl(product: &Product, version: &str, build: &Build<'_>) -> String {
    purl(product, version, &hex(&build.firmware.sha256))
}
