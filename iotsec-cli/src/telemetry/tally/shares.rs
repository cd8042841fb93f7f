//! Reports in shares of Prio3, summed by libprio as two servers would.

use std::fmt::Write as _;

use getrandom::SysRng;
use iotsec::{
    core::secret::Secret,
    telemetry::registry::{Aggregate, MetricDef},
};
use iotsec_collector::aggregation::{Aggregation, Report, Total};
use serde_json::{Value, json};

use super::{Counted, Tally};
use crate::{Problem, file, key::unhex_all, telemetry::source};

/// One report of a line: nonce, public share (`-` where there is none), first and second input share.
struct Shares {
    name: String,
    parts: Option<[Vec<u8>; 4]>,
}

pub(super) fn run(tally: &Tally, definition: &MetricDef) -> Result<Counted, Problem> {
    let Some(context) = &tally.context else {
        return Err(Problem::usage(
            format!("{} is reported in shares", definition.name()),
            "say --context, which devices split with",
        ));
    };
    let minimum = usize::try_from(tally.minimum).unwrap_or(usize::MAX);
    // Nobody else has to check with the same.
    let key = Secret::<32>::random(&mut SysRng).map_err(Problem::make("tally"))?;
    let sum = Aggregation::new(definition, context.as_bytes(), *key.expose(), minimum);
    let mut sum = sum.map_err(Problem::make("tally"))?;
    let mut counted = Counted::default();
    for report in read(tally)? {
        counted.reports += 1;
        let Some([nonce, public, leader, helper]) = &report.parts else {
            counted.refuse(
                &report.name,
                &Problem::new(
                    "Shares",
                    format!("{} refused: not four parts in hexadecimal digits", report.name),
                    "give nonce, public share and two input shares",
                ),
            );
            continue;
        };
        let Ok(nonce) = nonce.as_slice().try_into() else {
            let wrong = Problem::new(
                "Shares",
                format!("{} refused: no nonce of 16 bytes", report.name),
                "give nonce, public share and two input shares",
            );
            counted.refuse(&report.name, &wrong);
            continue;
        };
        let added = sum.add(&Report {
            nonce,
            public,
            leader,
            helper,
        });
        if let Err(cause) = added {
            let problem = Problem::coded(format!("{} refused: {cause}", report.name), &cause);
            counted.refuse(&report.name, &problem);
        }
    }
    counted.counted = sum.reports() as u64;
    let total = sum.finish().map_err(|cause| counted.too_few(&cause))?;
    (counted.human, counted.result) = told(definition, &total);
    Ok(counted)
}

fn read(tally: &Tally) -> Result<Vec<Shares>, Problem> {
    let mut reports = Vec::new();
    for path in source::files(&tally.reports)? {
        let bytes = file::read(&path)?;
        let text = String::from_utf8_lossy(&bytes);
        for (at, line) in text.lines().enumerate() {
            let part = |part: &str| {
                if part == "-" {
                    Some(Vec::new())
                } else {
                    unhex_all(part)
                }
            };
            let parts: Option<Vec<_>> = line.split_whitespace().map(part).collect();
            reports.push(Shares {
                name: format!("{}:{}", path.display(), at + 1),
                parts: parts.and_then(|parts| parts.try_into().ok()),
            });
        }
    }
    Ok(reports)
}

fn told(definition: &MetricDef, total: &Total) -> (String, Value) {
    let mut human = String::new();
    match (total, definition.aggregate()) {
        (Total::Buckets(counts), Aggregate::Histogram(buckets)) => {
            let mut rows = Vec::new();
            for (at, count) in counts.iter().enumerate() {
                let edge = |at: Option<usize>| buckets.edges().get(at?).copied();
                let (from, to) = (edge(at.checked_sub(1)), edge(Some(at)));
                let shown = |edge: Option<i64>| edge.map_or(String::new(), |edge| edge.to_string());
                let range = format!("{}..{} {}", shown(from), shown(to), definition.unit());
                let _ = writeln!(human, "{range:<24} {count}");
                rows.push(json!({ "from": from, "to": to, "count": count }));
            }
            (human, rows.into())
        }
        (Total::Sum(sum), _) => {
            let _ = writeln!(human, "{:<24} {sum} {}", "sum", definition.unit());
            (human, json!({ "sum": sum }))
        }
        (Total::Buckets(counts), _) => (human, json!(counts)),
    }
}
