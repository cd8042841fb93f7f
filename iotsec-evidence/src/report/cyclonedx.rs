//! CycloneDX 1.6: the provisions as a standard, and attestations to them.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{HONEST, Report, hex, time};
use crate::{
    catalogue::{Catalogue, Edition},
    claims::Origin,
    judgement::{Standing, Verdict},
    outcome::Outcome,
};

/// Names of what this tool makes lie in it.
const NAMESPACE: Uuid = Uuid::from_bytes([
    0x5d, 0x1b, 0x3c, 0x0e, 0x43, 0x27, 0x4f, 0x0b, 0x8c, 0x61, 0x21, 0x5e, 0x70, 0x64, 0x9a, 0xd2,
]);

/// A document of CycloneDX 1.6: `content` is an object with what is in it.
pub fn document(serial: Uuid, version: impl Into<Value>, mut content: Value) -> Value {
    content["$schema"] = "http://cyclonedx.org/schema/bom-1.6.schema.json".into();
    content["bomFormat"] = "CycloneDX".into();
    content["specVersion"] = "1.6".into();
    content["serialNumber"] = serial.urn().to_string().into();
    content["version"] = version.into();
    content
}

/// An edition of EN 303 645 as `definitions.standards`: numbers and status are the standard's, sentences are ours.
pub fn standard(edition: Edition) -> Value {
    let bytes = [b"standard", edition.cited().as_bytes()].concat();
    let content = json!({ "definitions": { "standards": [definition(edition)] } });
    document(Uuid::new_v5(&NAMESPACE, &bytes), 1, content)
}

fn definition(edition: Edition) -> Value {
    let version = match edition {
        Edition::V2_1_1 => "2.1.1",
        Edition::V3_1_3 => "3.1.3",
    };
    let catalogue = Catalogue::get();
    let clauses = catalogue.clauses().iter().map(|clause| {
        json!({ "bom-ref": requirement(edition, &clause.id), "identifier": clause.id, "title": clause.title })
    });
    let mut numbers = Vec::new();
    let provisions = catalogue.provisions().iter().filter_map(|provision| {
        let number = provision.number(edition)?;
        // V2.1.1 has one number where V3.1.3 has two.
        if numbers.contains(&number) {
            return None;
        }
        numbers.push(number);
        Some(json!({
            "bom-ref": requirement(edition, number),
            "identifier": number,
            "title": format!("{number} ({})", provision.notation(edition)),
            "text": provision.about,
            "parent": requirement(edition, &provision.clause),
        }))
    });
    let requirements: Vec<Value> = clauses.chain(provisions).collect();
    json!({
        "bom-ref": format!("en-303-645-{version}"),
        "name": "ETSI EN 303 645",
        "version": version,
        "description": "Cyber security for consumer internet of things: baseline requirements, paraphrased",
        "owner": "ETSI",
        "requirements": requirements,
    })
}

fn requirement(edition: Edition, number: &str) -> String {
    let year = match edition {
        Edition::V2_1_1 => "2020",
        Edition::V3_1_3 => "2024",
    };
    format!("en-303-645-{year}/{number}")
}

/// What was claimed and shown of a product, as `declarations`.
pub fn attestations(report: &Report<'_>) -> Value {
    let (about, record, edition) = (&report.product.product, report.record, report.judgement.edition);
    let firmware = record.firmware();
    let digest = firmware.map(|firmware| firmware.sha256).unwrap_or_default();
    let mut component = json!({
        "type": "firmware",
        "bom-ref": "product",
        "name": about.model.as_str(),
        "description": about.name.as_str(),
        "manufacturer": { "name": about.vendor.as_str() },
    });
    if let Some(software) = &report.product.software {
        component["version"] = software.version.as_str().into();
    }
    if firmware.is_some() {
        component["hashes"] = json!([{ "alg": "SHA-256", "content": hex(&digest) }]);
    }
    let bytes = [
        &digest[..],
        &record.manifest_sha256().unwrap_or_default(),
        edition.cited().as_bytes(),
    ]
    .concat();
    let content = json!({
        "metadata": {
            "timestamp": time(record.time.1),
            "tools": { "components": [{
                "type": "application",
                "name": "iotsec",
                "version": env!("CARGO_PKG_VERSION"),
            }]},
            "component": component,
        },
        "definitions": { "standards": [definition(edition)] },
        "declarations": {
            "assessors": [{ "bom-ref": "maker", "thirdParty": false, "organization": { "name": about.vendor.as_str() } }],
            "attestations": [{ "summary": HONEST, "assessor": "maker", "map": map(report) }],
            "claims": claims(report),
            "evidence": evidence(report),
            "targets": { "components": [{
                "type": "firmware",
                "bom-ref": "target",
                "name": about.model.as_str(),
            }]},
        },
    });
    document(Uuid::new_v5(&NAMESPACE, &bytes), 1, content)
}

fn map(report: &Report<'_>) -> Vec<Value> {
    let mut numbers = Vec::new();
    let lines = report.judgement.lines.iter().filter_map(|line| {
        let number = report.number(line);
        if numbers.contains(&number) {
            return None;
        }
        numbers.push(number);
        let (mut claims, mut counter) = (Vec::new(), Vec::new());
        for n in &line.claims {
            match report.judgement.claims.get(*n).map(|judged| &judged.standing) {
                Some(Standing::Proven | Standing::Answered) => claims.push(claim(*n)),
                Some(Standing::Broken(_)) => counter.push(claim(*n)),
                Some(Standing::NotLinked(_)) | None => {}
            }
        }
        let (score, confidence) = match line.verdict {
            Verdict::Evidenced => (1.0, 1.0),
            Verdict::Answered => (1.0, 0.5),
            // Nothing is to be met.
            Verdict::NotApplicable => (1.0, 1.0),
            Verdict::NotMet | Verdict::Broken | Verdict::Open => (0.0, 1.0),
        };
        let detail = report.judgement.detail(line);
        let rationale = format!("{}: {detail}", line.verdict.name());
        Some(json!({
            "requirement": requirement(report.judgement.edition, number),
            "claims": claims,
            "counterClaims": counter,
            "conformance": { "score": score, "rationale": rationale.trim_end_matches(": ") },
            "confidence": { "score": confidence },
        }))
    });
    lines.collect()
}

fn claim(n: usize) -> String {
    format!("claim-{n}")
}

fn claims(report: &Report<'_>) -> Vec<Value> {
    let stands = report
        .judgement
        .claims
        .iter()
        .enumerate()
        .filter(|(_, judged)| !matches!(judged.standing, Standing::NotLinked(_)));
    let all = stands.map(|(n, judged)| {
        let (proofs, failures): (Vec<&str>, Vec<&str>) = judged
            .assertion
            .tests
            .iter()
            .partition(|test| *report.record.outcome(test) == Outcome::Passed);
        let by = match (judged.assertion.origin, judged.assertion.by) {
            (Origin::Sdk, _) => "claimed by iotsec, beside its code".to_owned(),
            (Origin::Maker(_), Some(by)) => format!("answered for by {by}"),
            (Origin::Maker(_), None) => "claimed by the maker".to_owned(),
        };
        json!({
            "bom-ref": claim(n),
            "target": "target",
            "predicate": judged.assertion.says,
            "reasoning": format!("{}; {by}", judged.standing.name()),
            "evidence": proofs.iter().map(|test| proof(test)).collect::<Vec<_>>(),
            "counterEvidence": failures.iter().map(|test| proof(test)).collect::<Vec<_>>(),
        })
    });
    all.collect()
}

fn proof(test: &str) -> String {
    format!("test/{test}")
}

/// Each test that a claim above names.
fn evidence(report: &Report<'_>) -> Vec<Value> {
    let mut named: Vec<&str> = report
        .judgement
        .claims
        .iter()
        .filter(|judged| !matches!(judged.standing, Standing::NotLinked(_)))
        .flat_map(|judged| judged.assertion.tests.iter().copied())
        .collect();
    named.sort_unstable();
    named.dedup();
    let all = named.into_iter().map(|test| {
        let outcome = report.record.outcome(test).said();
        json!({
            "bom-ref": proof(test),
            "propertyName": "test",
            "description": format!("{test} {outcome}"),
            "created": time(report.record.time.1),
        })
    });
    all.collect()
}
