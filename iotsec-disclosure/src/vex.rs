//! VEX in CycloneDX 1.6: what weaknesses mean for a firmware, beside its bill of materials or in it.

use std::collections::BTreeSet;

use iotsec_evidence::report::cyclonedx;
use iotsec_product::Product;
use serde_json::{Value, json};

use crate::{
    DisclosureError, Moment,
    advisory::{Advisory, Justification, Remedy, Standing, State, Vulnerability},
    cvss, sbom,
};

/// A document of its own, that names the firmware and its components in the bill by bom-links.
///
/// ```
/// use iotsec_disclosure::{advisory::Advisory, vex};
/// use iotsec_product::Product;
///
/// let product = Product::parse(include_bytes!("../../examples/products/lock/iotsec.toml")).unwrap();
/// let statement = Advisory::parse(include_bytes!("../samples/lock-vex.toml")).unwrap();
/// let bom = serde_json::json!({
///     "serialNumber": "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79", "version": 1,
///     "metadata": { "component": { "bom-ref": "lock", "version": "1.4.0" } },
///     "components": [{ "bom-ref": "pkg:cargo/sha2@0.11.1", "purl": "pkg:cargo/sha2@0.11.1" }],
/// });
/// let file = vex::document(&product, &[statement], &bom, "2026-12-02".parse().unwrap())?;
/// let found = &file["vulnerabilities"][0];
/// assert_eq!(found["analysis"]["state"], "not_affected");
/// assert_eq!(
///     found["affects"][0]["ref"],
///     "urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1#pkg%3Acargo%2Fsha2%400.11.1"
/// );
/// # Ok::<(), iotsec_disclosure::DisclosureError>(())
/// ```
///
/// # Errors
/// [`DisclosureError::Bill`]: the bill is none; [`DisclosureError::Release`]: an advisory does not say how it stands with
/// the release of the bill; [`DisclosureError::Twice`]: two of them speak of one weakness; [`DisclosureError::Component`]: it names a component that is not in the bill.
pub fn document(
    product: &Product,
    advisories: &[Advisory],
    bom: &Value,
    now: Moment,
) -> Result<Value, DisclosureError> {
    let serial = bom["serialNumber"].as_str().ok_or(DisclosureError::Bill)?;
    let reference = |name: &str| sbom::link(bom, name).ok_or(DisclosureError::Bill);
    let vulnerabilities = vulnerabilities(advisories, bom, reference)?;
    // As the bill's: the same input gives the same document.
    let ids: Vec<&str> = advisories.iter().map(|one| one.id.as_str()).collect();
    let name = format!("vex {serial} {}", ids.join(" "));
    let revisions = advisories.iter().map(|one| one.revision.len()).sum::<usize>();
    let mut component = bom["metadata"]["component"].clone();
    // The bill has the whole of it.
    if let Some(component) = component.as_object_mut() {
        component.retain(|key, _| {
            ["type", "bom-ref", "name", "version", "purl", "hashes"].contains(&key.as_str())
        });
    }
    let content = json!({
        "metadata": { "timestamp": now.to_string(), "tools": sbom::tools(), "component": component },
        "externalReferences": [{ "type": "bom", "url": link_to(bom).ok_or(DisclosureError::Bill)? }],
        "vulnerabilities": vulnerabilities,
    });
    Ok(cyclonedx::document(
        sbom::serial(product, &name),
        revisions.max(1),
        content,
    ))
}

/// The statements, put into the bill itself.
///
/// # Errors
/// As [`document`].
pub fn embed(advisories: &[Advisory], bom: &mut Value) -> Result<(), DisclosureError> {
    let found = vulnerabilities(advisories, bom, |name| Ok(name.to_owned()))?;
    bom["vulnerabilities"] = found.into();
    Ok(())
}

/// The bom-link of a whole bill.
fn link_to(bom: &Value) -> Option<String> {
    let link = sbom::link(bom, "")?;
    Some(link.trim_end_matches('#').to_owned())
}

fn vulnerabilities(
    advisories: &[Advisory],
    bom: &Value,
    reference: impl Fn(&str) -> Result<String, DisclosureError>,
) -> Result<Vec<Value>, DisclosureError> {
    let component = &bom["metadata"]["component"];
    let (Some(version), Some(root)) = (component["version"].as_str(), component["bom-ref"].as_str()) else {
        return Err(DisclosureError::Bill);
    };
    let (mut found, mut numbers) = (Vec::new(), BTreeSet::new());
    for advisory in advisories {
        for one in &advisory.vulnerability {
            if !numbers.insert(one.number()) {
                return Err(DisclosureError::Twice(one.number().to_owned()));
            }
            let standing = one.standing(version).ok_or_else(|| {
                DisclosureError::Release(
                    advisory.id.to_string(),
                    one.number().to_owned(),
                    version.to_owned(),
                )
            })?;
            let mut touched = Vec::new();
            if let Some(purl) = &one.component {
                touched = components(bom, purl.as_str());
                let absent = standing.justification == Some(Justification::ComponentNotPresent);
                match (touched.is_empty(), absent) {
                    (true, false) => return Err(DisclosureError::Component(purl.to_string())),
                    (false, true) => return Err(DisclosureError::Present(purl.to_string())),
                    _ => {}
                }
            }
            if touched.is_empty() {
                touched.push((root.to_owned(), version.to_owned()));
            }
            let mut affects = Vec::new();
            for (name, version) in touched {
                affects.push(json!({
                    "ref": reference(&name)?,
                    "versions": [{ "version": version, "status": status(standing.is) }],
                }));
            }
            found.push(vulnerability(advisory, one, standing, &affects));
        }
    }
    Ok(found)
}

/// References and versions of components with this package URL; of all versions when it has none.
fn components(bom: &Value, purl: &str) -> Vec<(String, String)> {
    let all = bom["components"].as_array().into_iter().flatten();
    let found = all.filter(|one| {
        one["purl"].as_str().is_some_and(|own| {
            let bare = own.split(['?', '#']).next().unwrap_or(own);
            own == purl || bare == purl || bare.rsplit_once('@').is_some_and(|(name, _)| name == purl)
        })
    });
    found
        .filter_map(|one| {
            let version = one["version"].as_str().unwrap_or_default();
            Some((one["bom-ref"].as_str()?.to_owned(), version.to_owned()))
        })
        .collect()
}

fn vulnerability(advisory: &Advisory, one: &Vulnerability, standing: &Standing, affects: &[Value]) -> Value {
    let mut analysis = json!({
        "state": match standing.is {
            State::Affected => "exploitable",
            State::NotAffected => "not_affected",
            State::Fixed => "resolved",
            State::UnderInvestigation => "in_triage",
        },
        "firstIssued": advisory.published().to_string(),
        "lastUpdated": advisory.changed().to_string(),
    });
    if let Some(why) = standing.justification {
        analysis["justification"] = justification(why).into();
    }
    if let Some(detail) = standing.impact.as_ref().or(standing.action.as_ref()) {
        analysis["detail"] = detail.as_str().into();
    }
    let response = match standing.remedy {
        Some(Remedy::VendorFix) => Some("update"),
        Some(Remedy::Workaround | Remedy::Mitigation) => Some("workaround_available"),
        Some(Remedy::NoFixPlanned) => Some("will_not_fix"),
        Some(Remedy::NoneAvailable) => Some("can_not_fix"),
        None => None,
    };
    if let Some(response) = response {
        analysis["response"] = json!([response]);
    }
    let mut value = json!({
        "bom-ref": format!("vulnerability:{}", one.number()),
        "id": one.number(),
        "description": one.description.as_str(),
        "published": advisory.published().to_string(),
        "updated": advisory.changed().to_string(),
        "analysis": analysis,
        "affects": affects,
    });
    if one.cve.is_some() {
        value["source"] =
            json!({ "name": "CVE", "url": format!("https://www.cve.org/CVERecord?id={}", one.number()) });
    }
    let number = one
        .cwe
        .as_ref()
        .and_then(|cwe| cwe.id.as_str().strip_prefix("CWE-")?.parse::<u32>().ok());
    if let Some(number) = number {
        value["cwes"] = json!([number]);
    }
    let vector = one
        .cvss
        .as_ref()
        .and_then(|vector| vector.as_str().parse::<cvss::Vector>().ok());
    if let Some(vector) = vector {
        value["ratings"] = json!([{
            "method": "CVSSv31",
            "score": vector.score().value(),
            "severity": vector.score().severity().to_lowercase(),
            "vector": vector.as_str(),
        }]);
    }
    let advisories: Vec<Value> = one
        .reference
        .iter()
        .map(|reference| json!({ "title": reference.summary.as_str(), "url": reference.url.as_str() }))
        .collect();
    if !advisories.is_empty() {
        value["advisories"] = advisories.into();
    }
    value
}

/// The nearest word of CycloneDX.
const fn justification(why: Justification) -> &'static str {
    match why {
        Justification::ComponentNotPresent => "requires_dependency",
        Justification::VulnerableCodeNotPresent => "code_not_present",
        Justification::VulnerableCodeNotInExecutePath => "code_not_reachable",
        Justification::VulnerableCodeCannotBeControlledByAdversary => "requires_environment",
        Justification::InlineMitigationsAlreadyExist => "protected_by_mitigating_control",
    }
}

const fn status(state: State) -> &'static str {
    match state {
        State::Affected => "affected",
        State::NotAffected | State::Fixed => "unaffected",
        State::UnderInvestigation => "unknown",
    }
}
