//! SARIF 2.1.0: what is missing, at its place in the manifest, for code hosts and editors.

use std::collections::BTreeMap;

use iotsec_product::{Finding, Severity};
use serde_json::{Value, json};

use super::{HONEST, Report};

/// The file. `manifest` is the name of the manifest, relative to where the reader looks.
pub fn object(report: &Report<'_>, manifest: &str) -> Value {
    let rules: BTreeMap<&str, &Finding> = report
        .findings
        .iter()
        .map(|finding| (finding.rule, finding))
        .collect();
    let names: Vec<&str> = rules.keys().copied().collect();
    json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "iotsec evidence",
                "version": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "fullDescription": { "text": HONEST },
                "rules": rules.values().map(|finding| json!({
                    "id": finding.rule,
                    "shortDescription": { "text": finding.rule },
                    "help": { "text": finding.remedy },
                })).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "results": report.findings.iter().map(|finding| result(finding, &names, manifest)).collect::<Vec<_>>(),
        }],
    })
}

fn result(finding: &Finding, names: &[&str], manifest: &str) -> Value {
    // What is missing has no line: readers want one all the same.
    let (line, column) = finding.place.map_or((1, 1), |place| (place.line, place.column));
    let place = json!({
        "artifactLocation": { "uri": manifest },
        "region": { "startLine": line, "startColumn": column, "endLine": line },
    });
    json!({
        "ruleId": finding.rule,
        "ruleIndex": names.iter().position(|name| *name == finding.rule),
        "level": match finding.severity {
            Severity::Advice => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        },
        "message": { "text": format!("{}\nRemedy: {}", finding.message, finding.remedy) },
        "locations": [{ "physicalLocation": place }],
    })
}
