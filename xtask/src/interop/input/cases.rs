//! Random and mutated inputs, judged by Python.

use std::{collections::BTreeMap, fs};

use serde_json::Value;

use super::judge;
use crate::{
    interop::{Place, venv::Venv},
    tool::{self, Failure},
};

/// Of each kind.
const CASES: &str = "4000";

pub(super) fn check(place: &Place, python: &Venv) -> Result<(), Failure> {
    let path = place.work.join("cases.jsonl");
    tool::run(python.script(&place.root, "input_cases.py").arg(&path).arg(CASES))?;
    let mut counts: BTreeMap<String, [usize; 2]> = BTreeMap::new();
    let mut wrong = Vec::new();
    for line in fs::read_to_string(&path)?.lines() {
        let case: Value = serde_json::from_str(line)?;
        let (kind, hex) = (
            case["kind"].as_str().unwrap_or_default(),
            case["hex"].as_str().unwrap_or_default(),
        );
        let mut input = vec![0; hex.len() / 2];
        iotsec::core::input::Encoding::Hex.decode(hex.as_bytes(), &mut input)?;
        let (ours, theirs) = (judge(kind, &input), case["valid"].as_bool().unwrap_or_default());
        let [accepted, refused] = counts.entry(kind.to_owned()).or_default();
        *if theirs { accepted } else { refused } += 1;
        if ours.is_ok() != theirs {
            wrong.push(format!("{kind} {:?}: {ours:?}", String::from_utf8_lossy(&input)));
        }
    }
    for (kind, [accepted, refused]) in &counts {
        println!("{kind}: {accepted} accepted and {refused} refused by Python, and by us");
        if *accepted < 200 || *refused < 200 {
            return Err(format!("{kind}: too few of one sort").into());
        }
    }
    if counts.len() < 12 {
        return Err("not every kind was tried".into());
    }
    match wrong.len() {
        0 => Ok(()),
        count => Err(format!(
            "{count} are judged otherwise: {:#?}",
            wrong.get(..20).unwrap_or(&wrong)
        )
        .into()),
    }
}
