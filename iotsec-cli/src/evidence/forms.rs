//! The forms of an assessment, from the manifest alone or with what was measured.

use std::{fmt::Write as _, path::PathBuf};

use clap::Args;
use iotsec_evidence::{
    applicability::Facts,
    catalogue::Catalogue,
    ics::{Statement, Support},
    ixit, report,
};
use serde_json::{Value, json};

use super::EditionName;
use crate::{Output, Problem, product};

#[derive(Args)]
pub(crate) struct Form {
    /// The product manifest.
    #[arg(long, value_name = "FILE")]
    manifest: PathBuf,
    /// The edition of EN 303 645.
    #[arg(long, value_enum, default_value = "v3")]
    edition: EditionName,
    /// Write it here as Markdown, in place of standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) fn applies(form: &Form) -> Result<Output, Problem> {
    let product = product::read(&form.manifest)?;
    let (facts, edition) = (Facts::of(&product), form.edition.into());
    let (mut human, mut list, mut count) = (String::new(), Vec::new(), 0_usize);
    for provision in Catalogue::get().provisions() {
        let Some(number) = provision.number(edition) else {
            continue;
        };
        let answer = facts.applies(provision, edition);
        count = count.saturating_add(usize::from(answer.holds()));
        let mark = if answer.holds() { "applies" } else { "not" };
        let _ = writeln!(
            human,
            "{number:<8} {:<12} {mark:<8} {}",
            provision.notation(edition),
            answer.why()
        );
        list.push(json!({
            "provision": number,
            "status": provision.notation(edition),
            "applies": answer.holds(),
            "why": answer.why(),
        }));
    }
    let _ = writeln!(
        human,
        "{count} of {} provisions of {} apply",
        list.len(),
        edition.cited()
    );
    Output::text(
        form.out.as_deref(),
        "provisions",
        human,
        json!({ "standard": edition.cited(), "applies": count, "provisions": list }),
    )
}

pub(super) fn ics(form: &Form) -> Result<Output, Problem> {
    let product = product::read(&form.manifest)?;
    let statement = Statement::of(&product, form.edition.into());
    let findings = statement.findings(&product);
    let mut value = statement.to_json();
    value["findings"] = Value::Array(findings.iter().map(report::json::finding).collect());
    let page = statement.to_markdown(&product);
    let output = Output::text(form.out.as_deref(), "statement", page, value)?;
    let open = statement.count(Support::Open);
    Ok(if findings.is_empty() {
        output
    } else {
        output
            .with_notes(format!(
                "{open} lines are open, {} findings; --json lists them\n",
                findings.len()
            ))
            .with_findings()
    })
}

iotsec::core::claim! {
    provisions: ["5.0-1"],
    claims: "A recommendation that is not met and has no reason written down is a finding, and the command fails for it",
    tool: "iotsec evidence ics",
    tests: [
        "iotsec-evidence::forms::a_line_of_the_statement_is_a_claim_a_reason_or_open",
        "iotsec-cli::cli::product::the_forms_are_filled_from_the_manifest",
    ],
}

pub(super) fn tables(form: &Form) -> Result<Output, Problem> {
    let product = product::read(&form.manifest)?;
    let tables = ixit::of(&product);
    Output::text(
        form.out.as_deref(),
        "tables",
        ixit::to_markdown(&product, &tables),
        json!({ "tables": ixit::to_json(&tables) }),
    )
}
