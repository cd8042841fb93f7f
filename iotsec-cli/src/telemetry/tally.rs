//! Anonymous reports of one metric, and what they say together.

#[cfg(feature = "prio")]
mod shares;

use std::{fmt::Write as _, path::Path};

use iotsec::{
    core::error::ErrorCode,
    telemetry::{
        privacy::{Answer, Metric, estimate::Estimate},
        registry::{Aggregate, HashedRegistry, MetricDef},
    },
};
use iotsec_collector::{
    registries::Registries,
    tally::{Guard, Outcome, Tally as Sum},
};
use serde_json::{Value, json};

use super::{Tally, source};
use crate::{
    Output, Problem, file,
    key::{hex, unhex_all},
};

/// What became of the reports, and what they say.
#[derive(Default)]
struct Counted {
    reports: usize,
    counted: u64,
    human: String,
    result: Value,
    /// The numerator and denominator, where devices noise.
    epsilon: Option<[u32; 2]>,
    notes: String,
    refused: Vec<Value>,
}

impl Counted {
    fn refuse(&mut self, name: &str, problem: &Problem) {
        let _ = writeln!(self.notes, "iotsec: {problem}");
        let refused = json!({ "report": name, "name": problem.name(), "message": problem.message() });
        self.refused.push(refused);
    }

    fn too_few<E: std::fmt::Display + std::fmt::Debug + ErrorCode>(&self, cause: &E) -> Problem {
        let message = format!("{} of {} reports count: {cause}", self.counted, self.reports);
        Problem::coded(message, cause)
    }
}

pub(super) fn run(tally: &Tally) -> Result<Output, Problem> {
    let mut registries = Registries::new();
    let hash = source::add(&mut registries, &tally.registry)?;
    let registry = registries
        .find(&hash)
        .ok_or_else(|| Problem::new("Bug", "a registry was lost", "report it to the maintainers"))?;
    let definition = find(registry, &tally.metric)?;
    let counted = match definition.aggregate() {
        Aggregate::RandomizedResponse { .. } | Aggregate::Laplace { .. } => {
            noised(tally, registry, definition)?
        }
        _ => in_shares(tally, definition)?,
    };
    let epsilon = counted
        .epsilon
        .map_or(String::new(), |[n, d]| format!(", epsilon {n}/{d}"));
    let human = format!(
        "{}, {}: {} reports{epsilon}\n{}",
        definition.name(),
        definition.why(),
        counted.counted,
        counted.human
    );
    let is_whole = counted.refused.is_empty();
    let output = Output::new(
        human,
        json!({
            "registry": hex(&hash),
            "metric": definition.name(),
            "reports": counted.counted,
            "epsilon": counted.epsilon,
            "result": counted.result,
            "refused": counted.refused,
        }),
    );
    if is_whole {
        return Ok(output);
    }
    Ok(output.with_notes(counted.notes).with_findings())
}

#[cfg(feature = "prio")]
fn in_shares(tally: &Tally, definition: &MetricDef) -> Result<Counted, Problem> {
    shares::run(tally, definition)
}

#[cfg(not(feature = "prio"))]
fn in_shares(_: &Tally, definition: &MetricDef) -> Result<Counted, Problem> {
    Err(Problem::usage(
        format!(
            "{} is reported in shares, which this build does not sum",
            definition.name()
        ),
        "build iotsec-cli with the feature prio, which brings libprio (licence MPL-2.0 among others)",
    ))
}

fn noised(tally: &Tally, registry: &HashedRegistry, definition: &MetricDef) -> Result<Counted, Problem> {
    let metric = Metric::new(registry, definition).map_err(Problem::make("tally"))?;
    let mut reports = Vec::new();
    for path in source::files(&tally.reports)? {
        read(&path, &mut reports)?;
    }
    let mut sum = Sum::new(metric, tally.minimum).map_err(Problem::make("tally"))?;
    let mut guard = Guard::new(reports.len());
    let mut counted = Counted {
        reports: reports.len(),
        epsilon: Some([metric.epsilon().n(), metric.epsilon().d()]),
        ..Counted::default()
    };
    for (name, report) in &reports {
        let added = Answer::read(report, registry)
            .map_err(|cause| Problem::coded(format!("{name} refused: {cause}"), &cause))
            .and_then(|answer| {
                let added = sum.add(&answer, &mut guard);
                added.map_err(|cause| Problem::coded(format!("{name} refused: {cause}"), &cause))
            });
        if let Err(problem) = added {
            counted.refuse(name, &problem);
        }
    }
    counted.counted = sum.reports();
    let outcome = sum.finish().map_err(|cause| counted.too_few(&cause))?;
    (counted.human, counted.result) = told(definition, &outcome);
    Ok(counted)
}

/// A metric, by its name or number.
fn find(registry: &HashedRegistry, said: &str) -> Result<&'static MetricDef, Problem> {
    let metrics = registry.registry().metrics();
    let is_it = |metric: &&MetricDef| metric.name() == said || metric.id().to_string() == said;
    metrics.iter().find(is_it).ok_or_else(|| {
        let names: Vec<_> = metrics.iter().map(MetricDef::name).collect();
        let remedy = format!("the registry declares: {}", names.join(", "));
        Problem::usage(format!("no metric {said:?} in the registry"), remedy)
    })
}

/// What a file holds: one report, or one in hexadecimal digits on each line.
fn read(path: &Path, reports: &mut Vec<(String, Vec<u8>)>) -> Result<(), Problem> {
    let bytes = file::read(path)?;
    let text = std::str::from_utf8(&bytes).ok();
    let lines = text.map(|text| text.lines().map(|line| unhex_all(line.trim())));
    let lines: Option<Option<Vec<_>>> = lines.map(Iterator::collect);
    match lines.flatten() {
        Some(lines) => {
            let named = |(at, report)| (format!("{}:{}", path.display(), at + 1), report);
            reports.extend(lines.into_iter().enumerate().map(named));
        }
        None => reports.push((path.display().to_string(), bytes)),
    }
    Ok(())
}

fn told(definition: &MetricDef, outcome: &Outcome) -> (String, Value) {
    let mut human = String::new();
    match (outcome, definition.aggregate()) {
        (Outcome::Labels(estimates), Aggregate::RandomizedResponse { answers, .. }) => {
            let mut labels = Vec::new();
            for (label, estimate) in answers.iter().zip(estimates) {
                let _ = writeln!(human, "{label:<24} {}", shown(*estimate));
                let mut object = numbers(*estimate);
                object["label"] = json!(label);
                labels.push(object);
            }
            (human, labels.into())
        }
        (Outcome::Sum(estimate), _) => {
            let _ = writeln!(human, "{:<24} {} {}", "sum", shown(*estimate), definition.unit());
            (human, numbers(*estimate))
        }
        _ => (human, Value::Null),
    }
}

fn numbers(estimate: Estimate) -> Value {
    json!({ "thousandths": estimate.thousandths, "error_thousandths": estimate.error_thousandths })
}

/// As a decimal fraction with its standard error.
fn shown(estimate: Estimate) -> String {
    let sign = if estimate.thousandths < 0 { "-" } else { "" };
    let size = estimate.thousandths.unsigned_abs();
    let error = estimate.error_thousandths;
    format!(
        "{sign}{}.{:03} ± {}.{:03}",
        size / 1000,
        size % 1000,
        error / 1000,
        error % 1000
    )
}
