//! `iotsec doctor`

use std::{fmt::Write as _, path::PathBuf};

use clap::Args;
use iotsec_evidence::{lint, report::json::finding};
use iotsec_product::{Finding, Product, Severity, schema};
use serde_json::json;

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
    for one in &findings {
        let _ = write!(human, "{}: {}", doctor.manifest.display(), told(one));
    }
    let _ = writeln!(human, "{}", summary(&findings));
    let output = Output::new(
        human,
        json!({ "findings": findings.iter().map(finding).collect::<Vec<_>>() }),
    );
    Ok(if is_well(&findings) {
        output
    } else {
        output.with_findings()
    })
}

fn summary(findings: &[Finding]) -> String {
    match findings.len() {
        0 => "nothing is wrong with the manifest".into(),
        1 => "1 finding".into(),
        number => format!("{number} findings"),
    }
}

/// A finding for people, in two lines.
pub(crate) fn told(finding: &Finding) -> String {
    format!(
        "{}: {finding} [{}]\n  remedy: {}\n",
        finding.severity.name(),
        finding.rule,
        finding.remedy
    )
}

/// Advice alone leaves a product well.
pub(crate) fn is_well(findings: &[Finding]) -> bool {
    findings
        .iter()
        .all(|finding| finding.severity == Severity::Advice)
}
