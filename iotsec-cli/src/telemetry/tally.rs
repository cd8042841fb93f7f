//! Anonymous reports of one metric, and what they say together.

use std::{fmt::Write as _, path::Path};

use iotsec::telemetry::{
    privacy::{Answer, Metric, estimate::Estimate},
    registry::{Aggregate, HashedRegistry, MetricDef},
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

pub(super) fn run(tally: &Tally) -> Result<Output, Problem> {
    let mut registries = Registries::new();
    let hash = source::add(&mut registries, &tally.registry)?;
    let registry = registries
        .find(&hash)
        .ok_or_else(|| Problem::new("Bug", "a registry was lost", "report it to the maintainers"))?;
    let definition = find(registry, &tally.metric)?;
    let metric = Metric::new(registry, definition).map_err(Problem::make("tally"))?;
    let mut reports = Vec::new();
    for path in source::files(&tally.reports)? {
        read(&path, &mut reports)?;
    }

    let mut sum = Sum::new(metric, tally.minimum).map_err(Problem::make("tally"))?;
    let (mut guard, mut refused, mut notes) = (Guard::new(reports.len()), Vec::new(), String::new());
    for (name, report) in &reports {
        let counted = Answer::read(report, registry)
            .map_err(|cause| Problem::coded(format!("{name} refused: {cause}"), &cause))
            .and_then(|answer| {
                let added = sum.add(&answer, &mut guard);
                added.map_err(|cause| Problem::coded(format!("{name} refused: {cause}"), &cause))
            });
        if let Err(problem) = counted {
            let _ = writeln!(notes, "iotsec: {problem}");
            refused.push(json!({ "report": name, "name": problem.name(), "message": problem.message() }));
        }
    }
    let counted = sum.reports();
    let few = |cause| {
        let message = format!("{counted} of {} reports count: {cause}", reports.len());
        Problem::coded(message, &cause)
    };
    let (human, result) = told(definition, &sum.finish().map_err(few)?);
    let epsilon = metric.epsilon();
    let human = format!(
        "{}, {}: {counted} reports, epsilon {}/{}\n{human}",
        definition.name(),
        definition.why(),
        epsilon.n(),
        epsilon.d()
    );
    let output = Output::new(
        human,
        json!({
            "registry": hex(&hash),
            "metric": definition.name(),
            "reports": counted,
            "epsilon": [epsilon.n(), epsilon.d()],
            "result": result,
            "refused": refused,
        }),
    );
    if refused.is_empty() {
        return Ok(output);
    }
    Ok(output.with_notes(notes).with_findings())
}

/// A metric that is noised on the device, by its name or number.
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
