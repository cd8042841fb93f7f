//! A page of Markdown.

use std::fmt::Write as _;

use iotsec_product::text::markdown;

use super::{HONEST, Report};
use crate::{
    catalogue::Catalogue,
    judgement::{Standing, Verdict},
};

/// The page.
pub fn page(report: &Report<'_>) -> String {
    let about = &report.product.product;
    let mut text = format!(
        "# Evidence for {}\n\nModel {}, by {}. {HONEST}\n\n| | |\n|---|---|\n",
        markdown(&about.name),
        markdown(&about.model),
        markdown(&about.vendor)
    );
    for (name, value) in report.measured() {
        let _ = writeln!(text, "| {name} | {} |", markdown(value));
    }
    let _ = writeln!(text, "\n| verdict | provisions |\n|---|---|");
    for verdict in Verdict::ALL {
        let _ = writeln!(
            text,
            "| {} | {} |",
            verdict.name(),
            report.judgement.count(verdict)
        );
    }
    gaps(report, &mut text);
    for clause in Catalogue::get().clauses() {
        let mut lines = report.clause(clause).peekable();
        if lines.peek().is_none() {
            continue;
        }
        let _ = write!(
            text,
            "\n## {} {}\n\n| provision | status | verdict | detail |\n|---|---|---|---|\n",
            clause.id, clause.title
        );
        for line in lines {
            let _ = writeln!(
                text,
                "| {} {} | {} | {} | {} |",
                report.number(line),
                line.provision.about,
                line.provision.notation(report.judgement.edition),
                line.verdict.name(),
                markdown(report.judgement.detail(line))
            );
        }
    }
    claims(report, &mut text);
    tests(report, &mut text);
    text
}

fn gaps(report: &Report<'_>, text: &mut String) {
    let _ = writeln!(text, "\n## What is missing\n");
    if report.findings.is_empty() {
        let _ = writeln!(text, "Nothing.");
    }
    for finding in &report.findings {
        let _ = writeln!(
            text,
            "- **{}** ({}): {}. Remedy: {}",
            finding.severity.name(),
            finding.rule,
            markdown(finding.to_string().trim_end_matches('.')),
            markdown(&finding.remedy)
        );
    }
}

fn claims(report: &Report<'_>, text: &mut String) {
    let _ = write!(
        text,
        "\n## Claims\n\n| provisions | claim | worth | tests |\n|---|---|---|---|\n"
    );
    for judged in &report.judgement.claims {
        let why = match &judged.standing {
            Standing::NotLinked(functions) => format!(": {}", functions.join(", ")),
            _ => String::new(),
        };
        let _ = writeln!(
            text,
            "| {} | {} | {}{} | {} |",
            judged.assertion.provisions.join(", "),
            markdown(judged.assertion.says),
            judged.standing.name(),
            markdown(why),
            markdown(judged.assertion.tests.join(", "))
        );
    }
}

fn tests(report: &Report<'_>, text: &mut String) {
    let _ = write!(text, "\n## Tests\n\n| test | end |\n|---|---|\n");
    for (name, outcome) in &report.record.tests {
        let _ = writeln!(text, "| {} | {} |", markdown(name), markdown(outcome.said()));
    }
}
