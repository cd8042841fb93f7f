//! Components, as CycloneDX writes them.

use iotsec_evidence::report::hex;
use iotsec_product::{Product, maker::Maker, software::Component};
use serde_json::{Map, Value, json};

use super::{
    Build,
    graph::{Package, Source},
    own_purl,
};
use crate::firmware::encoded;

/// The maker, as an organisation.
pub(super) fn maker(product: &Product, maker: &Maker) -> Value {
    let mut value =
        json!({ "name": maker.name.as_str(), "address": { "streetAddress": maker.address.as_str() } });
    let page = product.product.page.as_ref().map(ToString::to_string);
    value["url"] = json!([page.unwrap_or_else(|| format!("https://{}", maker.domain))]);
    value
}

/// The image.
pub(super) fn firmware(product: &Product, owner: &Maker, version: &str, build: &Build<'_>) -> Value {
    let about = &product.product;
    let (short, long) = (hex(&build.firmware.sha256), hex(&build.firmware.sha512));
    let purl = own_purl(product, version, build);
    let mut references = Vec::new();
    if let Some(disclosure) = &product.disclosure {
        let contact = disclosure.contacts.first().map(ToString::to_string);
        references.extend(contact.map(|url| json!({ "type": "security-contact", "url": url })));
        references.push(json!({ "type": "rfc-9116", "url": disclosure.canonical.as_str() }));
        let feed = disclosure.csaf.as_ref();
        references.extend(feed.map(|url| json!({ "type": "advisories", "url": url.as_str() })));
    }
    references.extend(product.support.as_ref().map(|support| {
        json!({ "type": "support", "url": support.page.as_str(), "comment": format!("security updates until {}", support.end) })
    }));
    let mut properties = vec![
        json!({ "name": "iotsec:product:model", "value": about.model.as_str() }),
        json!({ "name": "bsi:component:filename", "value": build.firmware.file }),
        json!({ "name": "bsi:component:executable", "value": "executable" }),
        json!({ "name": "bsi:component:archive", "value": "no archive" }),
        json!({ "name": "bsi:component:structured", "value": "unstructured" }),
    ];
    if let Some((vendor, class)) = product.suit_ids() {
        properties.push(json!({ "name": "iotsec:suit:vendor-id", "value": vendor.to_string() }));
        properties.push(json!({ "name": "iotsec:suit:class-id", "value": class.to_string() }));
    }
    let mut value = json!({
        "type": "firmware",
        "bom-ref": purl,
        "name": about.name.as_str(),
        "version": version,
        "purl": purl,
        "manufacturer": maker(product, owner),
        "supplier": maker(product, owner),
        "hashes": [{ "alg": "SHA-256", "content": short }, { "alg": "SHA-512", "content": long }],
        "properties": properties,
    });
    if let Some(description) = &about.description {
        value["description"] = description.as_str().into();
    }
    if !references.is_empty() {
        value["externalReferences"] = references.into();
    }
    value
}

/// A crate.
pub(super) fn package(one: &Package, owner: &Maker) -> Value {
    let mut value = json!({
        "type": "library",
        "bom-ref": one.reference(),
        "name": one.name,
        "version": one.version,
        "scope": if one.linked { "required" } else { "excluded" },
        "supplier": supplier(one, owner),
    });
    if let Some(purl) = one.purl() {
        value["purl"] = purl.into();
    }
    if let Some(description) = &one.description {
        value["description"] = description.trim().into();
    }
    if let Some(licences) = licences(one) {
        value["licenses"] = licences;
    }
    let authors: Vec<Value> = one.authors.iter().map(|author| person(author)).collect();
    if !authors.is_empty() {
        value["authors"] = authors.into();
    }
    if let Some(checksum) = &one.checksum {
        value["hashes"] = json!([{ "alg": "SHA-256", "content": checksum }]);
    }
    let references = references(one);
    if !references.is_empty() {
        value["externalReferences"] = references.into();
    }
    let mut properties: Vec<Value> = one
        .features
        .iter()
        .map(|feature| json!({ "name": "iotsec:cargo:feature", "value": feature }))
        .collect();
    properties.extend(
        one.links
            .as_ref()
            .map(|library| json!({ "name": "iotsec:cargo:links", "value": library })),
    );
    if one.source == Source::CratesIo {
        // The archive that the checksum is of; its code is compiled into the image.
        let file = format!("{}-{}.crate", one.name, one.version);
        properties.extend([
            json!({ "name": "bsi:component:filename", "value": file }),
            json!({ "name": "bsi:component:executable", "value": "non-executable" }),
            json!({ "name": "bsi:component:archive", "value": "archive" }),
            json!({ "name": "bsi:component:structured", "value": "structured" }),
        ]);
    }
    if !properties.is_empty() {
        value["properties"] = properties.into();
    }
    value
}

/// Who a crate is of: the maker, if it is of the workspace or says nothing; its first author; or else who has the
/// repository.
fn supplier(one: &Package, owner: &Maker) -> Value {
    let is_mute = one.authors.is_empty() && one.repository.is_none();
    if one.own || (one.source == Source::Path && is_mute) {
        return json!({ "name": owner.name.as_str(), "url": [format!("https://{}", owner.domain)] });
    }
    let place = one.repository.as_deref().or(one.homepage.as_deref());
    let place = place.filter(|url| is_address(url));
    let author = one.authors.first().map(|author| person(author)["name"].clone());
    let owner = place.and_then(|url| {
        let mut parts = url.split("//").nth(1)?.split('/');
        Some(format!("{}/{}", parts.next()?, parts.next()?))
    });
    let name = author
        .or_else(|| owner.map(Value::from))
        .unwrap_or_else(|| format!("maintainers of the crate {}", one.name).into());
    let page = place.map_or_else(|| format!("https://crates.io/crates/{}", one.name), str::to_owned);
    json!({ "name": name, "url": [page] })
}

/// `A. Name <a@example.com>`, as Cargo.toml has it.
fn person(author: &str) -> Value {
    let (name, mail) = match author.split_once('<') {
        Some((name, mail)) => (name.trim(), Some(mail.trim_end_matches('>').trim())),
        None => (author.trim(), None),
    };
    let mut value = Map::new();
    let shown = if name.is_empty() {
        mail.unwrap_or(author)
    } else {
        name
    };
    value.insert("name".into(), shown.into());
    let mail = mail.filter(|mail| {
        mail.split_once('@')
            .is_some_and(|(a, b)| !a.is_empty() && b.contains('.'))
    });
    if let Some(mail) = mail.filter(|mail| !mail.contains(char::is_whitespace)) {
        value.insert("email".into(), mail.into());
    }
    value.into()
}

/// What its manifest declares; nobody here concluded anything from it.
fn licences(one: &Package) -> Option<Value> {
    if let Some(licence) = &one.licence {
        // An old way to write OR.
        let expression = licence.replace('/', " OR ");
        return Some(json!([{ "expression": expression, "acknowledgement": "declared" }]));
    }
    let file = one.licence_file.as_ref()?;
    Some(json!([{ "license": { "name": format!("as in its file {file}"), "acknowledgement": "declared" } }]))
}

fn references(one: &Package) -> Vec<Value> {
    let mut found = Vec::new();
    for (kind, url) in [("vcs", &one.repository), ("website", &one.homepage)] {
        if let Some(url) = url.as_ref().filter(|url| is_address(url)) {
            found.push(json!({ "type": kind, "url": url }));
        }
    }
    match &one.source {
        Source::CratesIo => {
            let url = format!(
                "https://static.crates.io/crates/{0}/{0}-{1}.crate",
                encoded(&one.name),
                encoded(&one.version)
            );
            for kind in ["distribution", "source-distribution"] {
                let mut reference = json!({ "type": kind, "url": url });
                if let Some(checksum) = &one.checksum {
                    reference["hashes"] = json!([{ "alg": "SHA-256", "content": checksum }]);
                }
                found.push(reference);
            }
        }
        Source::Git(place, commit) => {
            found.push(json!({ "type": "source-distribution", "url": format!("git+{place}#{commit}") }));
        }
        Source::Registry(_) | Source::Path => {}
    }
    found
}

fn is_address(url: &str) -> bool {
    (url.starts_with("https://") || url.starts_with("http://")) && url.chars().all(|c| c.is_ascii_graphic())
}

/// The name in the document of a part that is no crate.
pub(super) fn part_reference(one: &Component) -> String {
    format!("component:{}", one.id)
}

/// A part of the manifest: another's, with its origin, or the maker's own.
pub(super) fn part(product: &Product, one: &Component, owner: &Maker, version: &str) -> Value {
    let mut value = json!({
        "type": if one.origin.is_some() { "library" } else { "application" },
        "bom-ref": part_reference(one),
        "name": one.id.as_str(),
        "description": one.description.as_str(),
        "scope": "required",
    });
    match &one.origin {
        None => {
            value["version"] = version.into();
            value["supplier"] = maker(product, owner);
        }
        Some(origin) => {
            value["version"] = origin.version.as_str().into();
            value["supplier"] = json!({ "name": origin.supplier.as_str() });
            if let Some(page) = &origin.page {
                value["supplier"]["url"] = json!([page.as_str()]);
            }
            if let Some(licence) = &origin.licence {
                value["licenses"] =
                    json!([{ "expression": licence.as_str(), "acknowledgement": "declared" }]);
            }
            if let Some(purl) = &origin.purl {
                value["purl"] = purl.as_str().into();
            }
            if let Some(digest) = &origin.sha256 {
                value["hashes"] = json!([{ "alg": "SHA-256", "content": digest.as_str() }]);
            }
        }
    }
    let cryptography = one.cryptography.iter();
    let properties: Vec<Value> = cryptography
        .map(|algorithm| json!({ "name": "iotsec:cryptography", "value": algorithm.as_str() }))
        .collect();
    if !properties.is_empty() {
        value["properties"] = properties.into();
    }
    value
}
