//! Events as lines, for people's scripts and for other systems.

use std::{collections::BTreeSet, fmt::Write as _};

use iotsec::telemetry::registry::Class;
use iotsec_collector::export::{defender, json, ocsf, otlp, syslog};
use serde_json::{Value, json};

use super::{Decode, Export, ExportFormat, source::Fleet};
use crate::{
    Output, Problem,
    file::{self, Access},
    time::Time,
};

pub(super) fn decode(decode: &Decode) -> Result<Output, Problem> {
    let fleet = Fleet::read(&decode.source, decode.memory.state.as_deref())?;
    let events: Vec<Value> = fleet.arrivals().iter().map(json::event).collect();
    let losses = losses(&fleet);
    let text = lines(events.iter().chain(&losses));
    fleet.remember(&decode.memory)?;
    Ok(said(&fleet, text, json!({ "events": events, "losses": losses })))
}

pub(super) fn run(export: &Export) -> Result<Output, Problem> {
    let fleet = Fleet::read(&export.source, export.memory.state.as_deref())?;
    let arrivals = fleet.arrivals();
    let (text, count) = match export.format {
        ExportFormat::Json => {
            let objects: Vec<Value> = arrivals.iter().map(json::event).collect();
            (lines(&objects), objects.len())
        }
        ExportFormat::Otlp => (format!("{}\n", otlp::request(&arrivals)), arrivals.len()),
        ExportFormat::Ocsf => {
            let objects: Vec<Value> = arrivals.iter().filter_map(ocsf::event).collect();
            (lines(&objects), objects.len())
        }
        ExportFormat::Syslog => {
            let mut text = String::new();
            for arrival in &arrivals {
                let _ = writeln!(text, "{}", syslog::message(arrival, &export.structured_data));
            }
            (text, arrivals.len())
        }
        ExportFormat::Aws => {
            let report_id = export.report_id.or_else(|| Time::now().map(|now| now.0));
            let report_id = report_id
                .ok_or_else(|| Problem::usage("this computer does not know the time", "say --report-id"))?;
            let keys = if export.short {
                defender::Keys::Short
            } else {
                defender::Keys::Long
            };
            let devices: BTreeSet<&str> = arrivals.iter().map(|arrival| arrival.device).collect();
            let reports = devices.into_iter().filter_map(|device| {
                let report = defender::report(device, report_id, &arrivals, keys)?;
                Some(report)
            });
            let reports: Vec<Value> = reports.collect();
            (lines(&reports), reports.len())
        }
    };
    let mut about = json!({ "written": count });
    let Some(path) = &export.out else {
        about["text"] = text.clone().into();
        fleet.remember(&export.memory)?;
        return Ok(said(&fleet, text, about));
    };
    file::create(path, text.as_bytes(), Access::Private)?;
    fleet.remember(&export.memory)?;
    about["file"] = json!(path);
    let human = format!("{}: {count} written, {} bytes\n", path.display(), text.len());
    Ok(said(&fleet, human, about))
}

fn lines<'v>(objects: impl IntoIterator<Item = &'v Value>) -> String {
    objects.into_iter().map(|object| format!("{object}\n")).collect()
}

fn losses(fleet: &Fleet) -> Vec<Value> {
    let lossy = fleet
        .lost
        .iter()
        .filter(|(_, lost)| lost.iter().any(|lost| *lost > 0));
    lossy
        .map(|(device, lost)| {
            let lost = Class::ALL.iter().zip(lost).filter(|(_, lost)| **lost > 0);
            let lost: serde_json::Map<String, Value> = lost
                .map(|(class, lost)| (json::class_name(*class).to_owned(), (*lost).into()))
                .collect();
            json!({ "device": device, "lost": lost })
        })
        .collect()
}

/// With what was refused: on standard error for people, in the object for programs. Exit status 1 if anything was.
pub(super) fn said(fleet: &Fleet, human: String, mut object: Value) -> Output {
    let refused: Vec<Value> = fleet
        .refused
        .iter()
        .map(|(path, problem)| {
            json!({ "file": path, "number": problem.number(), "name": problem.name(), "message": problem.message() })
        })
        .collect();
    let any = !refused.is_empty();
    object["batches"] = fleet.batches.into();
    object["repeated"] = fleet.repeated.into();
    object["forgotten"] = fleet.forgotten.into();
    object["wrong_clocks"] = json!(fleet.wrong_clocks);
    object["refused"] = refused.into();
    let output = Output::new(human, object).with_notes(
        fleet
            .refused
            .iter()
            .map(|(_, problem)| format!("iotsec: {problem}\nremedy: {}\n", problem.remedy()))
            .collect::<String>(),
    );
    if any { output.with_findings() } else { output }
}
