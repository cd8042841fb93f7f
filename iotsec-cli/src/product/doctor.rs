//! `iotsec doctor`

use std::{fmt::Write as _, path::PathBuf};

use clap::Args;
use iotsec_evidence::lint;
use iotsec_product::{Finding, Product, Severity, schema};
use serde_json::{Value, json};

use crate::{Output, Problem};

#[derive(Args)]
pub(crate) struct Doctor {
    /// The product manifest.
    #[arg(long, value_name = "FILE", default_value = "iotsec.toml")]
    manifest: PathBuf,
    /// Write the manifest's JSON Schema here instead, for editors.
    #[arg(long, value_name = "FILE")]
    schema: Option<PathBuf>,
}

pub(crate) fn run(doctor: &Doctor) -> Result<Output, Problem> {
    if let Some(out) = &doctor.schema {
        let text = format!("{:#}\n", schema::json());
        let value = json!({ "bytes": text.len() });
        return Output::text(Some(out), "schema", text, value);
    }
    let findings = match Product::read(&doctor.manifest) {
        Ok(product) => [product.placeholders(), lint::check(&product)].concat(),
        Err(findings) => findings,
    };
    let mut human = String::new();
    for finding in &findings {
        let _ = writeln!(
            human,
            "{}: {}: {finding} [{}]\n  remedy: {}",
            doctor.manifest.display(),
            finding.severity.name(),
            finding.rule,
            finding.remedy
        );
    }
    let _ = writeln!(human, "{}", summary(&findings));
    let output = Output::new(
        human,
        json!({ "findings": findings.iter().map(object).collect::<Vec<_>>() }),
    );
    // Advice alone leaves the manifest well.
    let well = findings
        .iter()
        .all(|finding| finding.severity == Severity::Advice);
    Ok(if well { output } else { output.with_findings() })
}

fn summary(findings: &[Finding]) -> String {
    match findings.len() {
        0 => "nothing is wrong with the manifest".into(),
        1 => "1 finding".into(),
        number => format!("{number} findings"),
    }
}

/// For programs.
pub(crate) fn object(finding: &Finding) -> Value {
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
