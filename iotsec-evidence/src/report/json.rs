//! For programs of the maker.

use iotsec_product::Finding;
use serde_json::{Value, json};

use super::{HONEST, Report, hex, time};
use crate::{claims::Origin, judgement::Verdict};

/// The whole report as one object.
pub fn object(report: &Report<'_>) -> Value {
    let (about, record) = (&report.product.product, report.record);
    let counts: serde_json::Map<String, Value> = Verdict::ALL
        .iter()
        .map(|verdict| (verdict.name().into(), report.judgement.count(*verdict).into()))
        .collect();
    json!({
        "note": HONEST,
        "standard": report.judgement.edition.cited(),
        "product": { "name": about.name.as_str(), "model": about.model.as_str(), "vendor": about.vendor.as_str() },
        "manifest": record.manifest_sha256().map(|digest| json!({ "sha256": hex(&digest) })),
        "firmware": record.firmware().map(|firmware| json!({
            "name": firmware.name,
            "bytes": firmware.bytes,
            "sha256": hex(&firmware.sha256),
            "names_inlined": firmware.debugged,
        })),
        "time": { "started": time(record.time.0), "finished": time(record.time.1) },
        "tools": record.tools,
        "counts": counts,
        "guidelines": report.judgement.guidelines(),
        "provisions": report.judgement.lines.iter().map(|line| json!({
            "provision": report.number(line),
            "about": line.provision.about,
            "status": line.provision.notation(report.judgement.edition),
            "verdict": line.verdict.name(),
            "detail": report.judgement.detail(line),
            "claims": line.claims,
        })).collect::<Vec<_>>(),
        "claims": report.judgement.claims.iter().map(|judged| json!({
            "provisions": judged.assertion.provisions,
            "claims": judged.assertion.says,
            "by": match judged.assertion.origin {
                Origin::Sdk => "sdk",
                Origin::Maker(_) => "maker",
            },
            "code": judged.assertion.code,
            "tests": judged.assertion.tests,
            "person": judged.assertion.by,
            "standing": judged.standing.name(),
        })).collect::<Vec<_>>(),
        "tests": record.tests.iter().map(|(name, outcome)| json!({ "test": name, "end": outcome.said() })).collect::<Vec<_>>(),
        "programs": record.programs.iter().map(|program| json!({
            "package": program.package,
            "target": program.target,
            "sha256": hex(&program.sha256),
        })).collect::<Vec<_>>(),
        "findings": report.findings.iter().map(finding).collect::<Vec<_>>(),
    })
}

/// A finding, as every command of the host tool shows it.
pub fn finding(finding: &Finding) -> Value {
    json!({
        "rule": finding.rule,
        "severity": finding.severity.name(),
        "at": finding.at,
        "line": finding.place.map(|place| place.line),
        "column": finding.place.map(|place| place.column),
        "message": finding.message,
        "remedy": finding.remedy,
    })
}
