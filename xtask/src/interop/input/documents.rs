//! The schemas that a description writes, and other implementations that read them.

use std::fs;

use iotsec::core::{
    cbor,
    input::document::{Document as _, Problem},
};
use iotsec_testkit::SimRng;
use serde_json::{Value, json};

use crate::{
    interop::{Place, venv::Venv},
    tool::{self, Failure},
};

#[allow(dead_code, unreachable_pub, unused_results)]
#[path = "../../../../examples/validate_config.rs"]
mod example;

use example::{DOCUMENTS, LampConfig};

/// Documents that are made of the good ones.
const TAMPERED: usize = 3000;

pub(super) fn check(place: &Place, python: &Venv) -> Result<(), Failure> {
    let (schema, cddl) = (
        place.work.join("config.schema.json"),
        place.work.join("config.cddl"),
    );
    fs::write(&schema, LampConfig::DESCRIPTION.json_schema().to_string())?;
    fs::write(&cddl, LampConfig::DESCRIPTION.cddl().to_string())?;
    let mut documents = Vec::new();
    for document in DOCUMENTS {
        documents.push(serde_json::from_str::<Value>(document)?);
    }
    let good: Vec<Value> = documents.iter().take(2).cloned().collect();
    let mut random = SimRng::new(8);
    for at in 0..TAMPERED {
        let mut document = good[at % good.len()].clone();
        tamper(&mut document, &mut random);
        documents.push(document);
    }
    let mut lines = String::new();
    for document in &documents {
        let encoded = cbor::to_vec(document, &super::CBOR)?;
        let hex: String = encoded.iter().map(|byte| format!("{byte:02x}")).collect();
        let verdict = match LampConfig::from_cbor(&encoded) {
            Ok(_) => "valid",
            // What only the parser of the type knows.
            Err(error) if matches!(error.problem, Problem::Text(_)) => "text",
            Err(error) if error.problem == Problem::Unknown && error.path.steps().len() > 1 => "unknown",
            Err(_) => "invalid",
        };
        lines.push_str(&json!({ "document": document, "cbor": hex, "verdict": verdict }).to_string());
        lines.push('\n');
    }
    let cases = place.work.join("documents.jsonl");
    fs::write(&cases, lines)?;
    tool::run(
        python
            .script(&place.root, "input_documents.py")
            .args([&schema, &cddl, &cases]),
    )
}

fn tamper(value: &mut Value, random: &mut SimRng) {
    let new = [
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(101),
        json!(1_000_000),
        json!(""),
        json!("cold"),
        json!("https://c.example/"),
        json!("x".repeat(40)),
        json!([]),
        json!([1]),
        json!({}),
        json!({ "name": "y", "level": 5 }),
    ];
    let mut draw = |count: usize| {
        let bound = u64::try_from(count.max(1)).unwrap_or(1);
        usize::try_from(random.below(bound)).unwrap_or(0)
    };
    let (inside, action, choice) = (draw(4) != 0, draw(6), draw(new.len()));
    match value {
        Value::Object(members) if inside && !members.is_empty() => {
            let names: Vec<String> = members.keys().cloned().collect();
            let name = &names[draw(names.len())].clone();
            match action {
                0 => drop(members.remove(name)),
                1 => drop(members.insert(format!("{name}x"), new[choice].clone())),
                _ => tamper(&mut members[name.as_str()], random),
            }
        }
        Value::Array(elements) if inside && !elements.is_empty() => {
            let place = draw(elements.len());
            match action {
                0 => drop(elements.remove(place)),
                1 => elements.extend(vec![elements[place].clone(); choice % 5]),
                _ => tamper(&mut elements[place], random),
            }
        }
        value => *value = new[choice].clone(),
    }
}
