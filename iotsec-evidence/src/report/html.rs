//! One page that needs nothing else: no script, no font, no picture from elsewhere.

use std::fmt::Write as _;

use super::{HONEST, Report, escaped};
use crate::{
    catalogue::Catalogue,
    judgement::{Judged, Line, Standing, Verdict},
    outcome::Outcome,
};

const STYLE: &str = include_str!("html/style.css");

/// The page.
pub fn page(report: &Report<'_>) -> String {
    let about = &report.product.product;
    let (name, model, vendor) = (
        escaped(about.name.as_str()),
        escaped(about.model.as_str()),
        escaped(about.vendor.as_str()),
    );
    let mut text = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>Evidence for {name} ({model})</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <header>\n<h1>Evidence for {name}</h1>\n<p>Model {model}, by {vendor}</p>\n<p class=\"note\">{HONEST}</p>\n</header>\n<main>\n",
    );
    counts(report, &mut text);
    navigation(report, &mut text);
    measured(report, &mut text);
    missing(report, &mut text);
    for clause in Catalogue::get().clauses() {
        let lines: Vec<&Line> = report.clause(clause).collect();
        if lines.is_empty() {
            continue;
        }
        let _ = writeln!(
            text,
            "<section id=\"c{}\">\n<h2>{} {}</h2>",
            clause.id,
            clause.id,
            escaped(&clause.title)
        );
        for line in lines {
            provision(report, line, &mut text);
        }
        text.push_str("</section>\n");
    }
    tests(report, &mut text);
    text.push_str("</main>\n</body>\n</html>\n");
    text
}

fn class(name: &str) -> String {
    name.replace(' ', "-")
}

fn counts(report: &Report<'_>, text: &mut String) {
    text.push_str("<ul class=\"counts\">\n");
    for verdict in Verdict::ALL {
        let _ = writeln!(
            text,
            "<li class=\"{}\"><b>{}</b>{}</li>",
            class(verdict.name()),
            report.judgement.count(verdict),
            verdict.name()
        );
    }
    text.push_str("</ul>\n");
}

fn navigation(report: &Report<'_>, text: &mut String) {
    text.push_str("<nav aria-label=\"Contents\"><a href=\"#measured\">What was measured</a> <a href=\"#missing\">What is missing</a>");
    for clause in Catalogue::get().clauses() {
        if report.clause(clause).next().is_some() {
            let _ = write!(
                text,
                " <a href=\"#c{}\">{} {}</a>",
                clause.id,
                clause.id,
                escaped(&clause.title)
            );
        }
    }
    text.push_str(" <a href=\"#tests\">Tests</a></nav>\n");
}

fn measured(report: &Report<'_>, text: &mut String) {
    text.push_str("<section id=\"measured\">\n<h2>What was measured</h2>\n<dl>\n");
    for (name, value) in report.measured() {
        let _ = writeln!(text, "<dt>{}</dt><dd>{}</dd>", escaped(name), escaped(&value));
    }
    text.push_str("</dl>\n</section>\n");
}

fn missing(report: &Report<'_>, text: &mut String) {
    text.push_str("<section id=\"missing\">\n<h2>What is missing</h2>\n");
    if report.findings.is_empty() {
        text.push_str("<p>Nothing.</p>\n");
    }
    for finding in &report.findings {
        let _ = writeln!(
            text,
            "<div class=\"row\"><span class=\"mark {0}\">{0}</span> {1} <code>{2}</code><p class=\"detail\">{3}</p></div>",
            finding.severity.name(),
            escaped(&finding.to_string()),
            finding.rule,
            escaped(&finding.remedy)
        );
    }
    text.push_str("</section>\n");
}

fn provision(report: &Report<'_>, line: &Line, text: &mut String) {
    let _ = writeln!(
        text,
        "<details{}>\n<summary><span class=\"head\"><b>{}</b><span>{} <small>{}</small></span><span class=\"mark {}\">{}</span></span></summary>",
        // What has to be done is seen at once.
        if matches!(line.verdict, Verdict::Open | Verdict::Broken) {
            " open"
        } else {
            ""
        },
        escaped(report.number(line)),
        escaped(&line.provision.about),
        escaped(&line.provision.notation(report.judgement.edition)),
        class(line.verdict.name()),
        line.verdict.name()
    );
    if !line.reason.is_empty() {
        let _ = writeln!(text, "<p class=\"detail\">{}</p>", escaped(&line.reason));
    }
    text.push_str("<ul class=\"plain\">\n");
    for judged in report.judgement.about(line) {
        claim(judged, text);
    }
    text.push_str("</ul>\n</details>\n");
}

fn claim(judged: &Judged<'_>, text: &mut String) {
    let mut why = match &judged.standing {
        Standing::NotLinked(functions) => format!("not in the firmware: {}", functions.join(", ")),
        Standing::Broken(tests) => {
            let ends: Vec<String> = tests
                .iter()
                .map(|(test, end)| format!("{test} {}", end.said()))
                .collect();
            ends.join("; ")
        }
        Standing::Answered => format!("answered for by {}", judged.assertion.by.unwrap_or("nobody")),
        Standing::Proven => judged.assertion.tests.join(", "),
    };
    if let Some(tool) = judged.assertion.tool {
        let _ = write!(why, " (done by `{tool}`)");
    }
    let _ = writeln!(
        text,
        "<li>{} <span class=\"{}\">({})</span><br><small>{}</small></li>",
        escaped(judged.assertion.says),
        class(judged.standing.name()),
        judged.standing.name(),
        escaped(&why)
    );
}

fn tests(report: &Report<'_>, text: &mut String) {
    let _ = writeln!(
        text,
        "<section id=\"tests\">\n<h2>Tests</h2>\n<details>\n<summary>{} tests</summary>\n<ul class=\"plain\">",
        report.record.tests.len()
    );
    for (name, outcome) in &report.record.tests {
        let class = if *outcome == Outcome::Passed {
            "passed"
        } else {
            "broken"
        };
        let _ = writeln!(
            text,
            "<li><code>{}</code> <span class=\"{class}\">{}</span></li>",
            escaped(name),
            escaped(&outcome.said())
        );
    }
    text.push_str("</ul>\n</details>\n</section>\n");
}
