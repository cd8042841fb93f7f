//! Security advisories and VEX statements in CSAF 2.0 (ISO/IEC 20153), bound to the firmware by its digest, and what a
//! provider publishes beside them.

mod feed;
mod vulnerability;

use iotsec_evidence::report::hex;
use iotsec_product::Product;
use serde_json::{Value, json};

use crate::{
    DisclosureError, Firmware, Moment,
    advisory::{Advisory, Profile, Release},
    firmware::purl,
    page::needed,
};
pub use feed::{Entry, Key, changes, checksum, file_name, folder, index, provider_metadata};

/// The document of an advisory. `firmware` is the image of the release that the manifest describes; the digests of other
/// releases stand in the advisory.
///
/// ```
/// use iotsec_disclosure::{Firmware, advisory::Advisory, csaf};
/// use iotsec_product::Product;
///
/// let product = Product::parse(include_bytes!("../../examples/products/lock/iotsec.toml")).unwrap();
/// let advisory = Advisory::parse(include_bytes!("../samples/lock-advisory.toml")).unwrap();
/// let image = Firmware::of("lock-1-1.4.0.bin", b"an image");
/// let file = csaf::document(&product, &advisory, Some(&image), "2026-12-08T10:00:00Z".parse().unwrap())?;
/// assert_eq!(file["document"]["category"], "csaf_security_advisory");
/// assert_eq!(file["vulnerabilities"][0]["scores"][0]["cvss_v3"]["baseScore"], 6.8);
///
/// // A release without a digest could be any file.
/// let refused = csaf::document(&product, &advisory, None, "2026-12-08".parse().unwrap()).unwrap_err();
/// assert_eq!(refused.to_string(), "release 1.4.0 has no digest");
/// # Ok::<(), iotsec_disclosure::DisclosureError>(())
/// ```
///
/// # Errors
/// [`DisclosureError::Section`] for a section that it needs, [`DisclosureError::Digest`] for a release that is not bound to
/// an image, [`DisclosureError::Image`] for one whose image is another.
pub fn document(
    product: &Product,
    advisory: &Advisory,
    firmware: Option<&Firmware>,
    now: Moment,
) -> Result<Value, DisclosureError> {
    let place = base(product)?;
    let category = advisory.profile.name();
    let revisions = advisory.revision.iter().zip(1_u32..);
    let history: Vec<Value> = revisions
        .map(|(one, number)| {
            json!({ "date": one.date.to_string(), "number": number.to_string(), "summary": one.summary.as_str() })
        })
        .collect();
    let address = format!("{place}white/{}/{}", folder(advisory), file_name(advisory));
    let language = advisory
        .language
        .as_ref()
        .map_or("en", |language| language.as_str());
    let mut references = vec![json!({ "category": "self", "summary": "This document", "url": address })];
    if let Some(disclosure) = &product.disclosure {
        references.push(json!({ "category": "external", "summary": "How to report a weakness", "url": disclosure.policy.as_str() }));
    }
    Ok(json!({
        "document": {
            "category": category,
            "csaf_version": "2.0",
            "distribution": { "tlp": { "label": "WHITE", "url": "https://www.first.org/tlp/" } },
            "lang": language,
            "notes": [{
                "category": "summary",
                "title": if advisory.profile == Profile::Vex { "Statement" } else { "Summary" },
                "text": line(advisory.summary.as_str()),
            }],
            "publisher": publisher(product)?,
            "references": references,
            "title": advisory.title.as_str(),
            "tracking": {
                "current_release_date": advisory.changed().to_string(),
                "generator": { "date": now.to_string(), "engine": {
                    "name": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION"),
                }},
                "id": advisory.id.as_str(),
                "initial_release_date": advisory.published().to_string(),
                "revision_history": history,
                "status": advisory.status.name(),
                "version": advisory.revision.len().to_string(),
            },
        },
        "product_tree": tree(product, advisory, firmware)?,
        "vulnerabilities": advisory.vulnerability.iter().map(|one| vulnerability::object(product, one)).collect::<Vec<_>>(),
    }))
}

/// Who publishes.
pub(super) fn publisher(product: &Product) -> Result<Value, DisclosureError> {
    let maker = needed(&product.maker, "maker")?;
    let disclosure = needed(&product.disclosure, "disclosure")?;
    let contacts: Vec<String> = disclosure.contacts.iter().map(ToString::to_string).collect();
    Ok(json!({
        "category": "vendor",
        "contact_details": contacts.join(", "),
        "name": maker.name.as_str(),
        "namespace": format!("https://{}", maker.domain),
    }))
}

/// The folder of `provider-metadata.json`, with a slash at its end.
pub(super) fn base(product: &Product) -> Result<String, DisclosureError> {
    let disclosure = needed(&product.disclosure, "disclosure")?;
    let address = needed(&disclosure.csaf, "disclosure.csaf")?.as_str();
    let base = address.strip_suffix("provider-metadata.json");
    base.filter(|base| base.ends_with('/'))
        .map(str::to_owned)
        .ok_or(DisclosureError::Provider)
}

/// The releases, each with the digest of its image.
fn tree(
    product: &Product,
    advisory: &Advisory,
    firmware: Option<&Firmware>,
) -> Result<Value, DisclosureError> {
    let mut versions = Vec::new();
    for release in &advisory.release {
        versions.push(json!({
            "category": "product_version",
            "name": release.version.as_str(),
            "product": self::release(product, release, firmware)?,
        }));
    }
    let about = &product.product;
    Ok(json!({ "branches": [{
        "category": "vendor",
        "name": about.vendor.as_str(),
        "branches": [{ "category": "product_name", "name": about.name.as_str(), "branches": versions }],
    }]}))
}

fn release(
    product: &Product,
    release: &Release,
    firmware: Option<&Firmware>,
) -> Result<Value, DisclosureError> {
    let about = &product.product;
    let version = release.version.as_str();
    let current = product
        .software
        .as_ref()
        .is_some_and(|software| software.version == release.version);
    let image = firmware.filter(|_| current);
    let found = image.map(|image| hex(&image.sha256));
    let stated = release.sha256.as_ref().map(|digest| digest.as_str().to_owned());
    if found.is_some() && stated.is_some() && found != stated {
        return Err(DisclosureError::Image(version.to_owned()));
    }
    let digest = found
        .or(stated)
        .ok_or_else(|| DisclosureError::Digest(version.to_owned()))?;
    let file = release.file.as_ref().map(ToString::to_string);
    let file = file
        .or_else(|| image.map(|image| image.file.clone()))
        .unwrap_or_else(|| format!("{}-{version}.bin", about.model));
    let mut helper = json!({
        "hashes": [{ "file_hashes": [{ "algorithm": "sha256", "value": digest }], "filename": file }],
        "model_numbers": [about.model.as_str()],
        "purl": purl(product, version, &digest),
    });
    if let Some(sbom) = &release.sbom {
        helper["sbom_urls"] = json!([sbom.as_str()]);
    }
    Ok(json!({
        "name": format!("{} {} {version}", about.vendor, about.name),
        "product_id": product_id(product, version),
        "product_identification_helper": helper,
    }))
}

/// How the parts of a document name a release.
fn product_id(product: &Product, version: &str) -> String {
    format!("{}:{version}", product.product.model)
}

/// Without the line breaks of the file that it was written in.
fn line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
