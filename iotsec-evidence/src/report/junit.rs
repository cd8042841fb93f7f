//! JUnit's XML, which build servers show: a suite for each clause, with a case for each provision.

use std::fmt::Write as _;

use super::{Report, escaped, time};
use crate::{catalogue::Catalogue, judgement::Verdict, outcome::Outcome};

/// The file.
pub fn xml(report: &Report<'_>) -> String {
    let model = escaped(report.product.product.model.as_str());
    let mut text = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"{model}\">\n");
    for clause in Catalogue::get().clauses() {
        let lines: Vec<_> = report.clause(clause).collect();
        if lines.is_empty() {
            continue;
        }
        let cases = lines.iter().map(|line| {
            let detail = report.judgement.detail(line);
            let end = match line.verdict {
                Verdict::Evidenced | Verdict::Answered => End::Well,
                Verdict::NotMet | Verdict::NotApplicable => End::Skipped(detail),
                Verdict::Broken | Verdict::Open if detail.is_empty() => {
                    End::Failed("nothing shows it".into())
                }
                Verdict::Broken | Verdict::Open => End::Failed(detail),
            };
            (format!("{} {}", report.number(line), line.provision.about), end)
        });
        let name = format!("{} {}", clause.id, clause.title);
        suite(&mut text, report, &name, &cases.collect::<Vec<_>>());
    }
    let tests = report.record.tests.iter().map(|(name, outcome)| {
        let end = match outcome {
            Outcome::Passed => End::Well,
            Outcome::Skipped(_) => End::Skipped(outcome.said()),
            Outcome::Failed | Outcome::Missing | Outcome::Unfinished(_) => End::Failed(outcome.said()),
        };
        (name.clone(), end)
    });
    suite(&mut text, report, "tests", &tests.collect::<Vec<_>>());
    text.push_str("</testsuites>\n");
    text
}

enum End {
    Well,
    Skipped(String),
    Failed(String),
}

fn suite(text: &mut String, report: &Report<'_>, name: &str, cases: &[(String, End)]) {
    let count = |is: fn(&End) -> bool| cases.iter().filter(|(_, end)| is(end)).count();
    let _ = writeln!(
        text,
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\" timestamp=\"{}\">",
        escaped(name),
        cases.len(),
        count(|end| matches!(end, End::Failed(_))),
        count(|end| matches!(end, End::Skipped(_))),
        // Its schema takes no time zone.
        time(report.record.time.0).trim_end_matches('Z')
    );
    for (case, end) in cases {
        let _ = write!(
            text,
            "    <testcase classname=\"{}\" name=\"{}\"",
            escaped(name),
            escaped(case)
        );
        let _ = match end {
            End::Well => writeln!(text, "/>"),
            End::Skipped(why) => writeln!(text, "><skipped message=\"{}\"/></testcase>", escaped(why)),
            End::Failed(why) => writeln!(text, "><failure message=\"{}\"/></testcase>", escaped(why)),
        };
    }
    text.push_str("  </testsuite>\n");
}
