//! The vectors of the records in `FORMAT.md`, made here and compared with what is written there.

use std::{format, string::String, vec::Vec};

use iotsec_core::hal::Millis;

use super::{BootLoop, Guard, INTEGRITY, Policy, baseline::Baseline};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_records_in_the_format_document_are_what_this_code_makes() {
    let mut baseline = Baseline::new(1000);
    for hour in 0..24 {
        baseline.learn(100 + hour % 7 * 10);
    }
    let learning = baseline.record();
    for hour in 24..1000 {
        baseline.learn(100 + hour % 7 * 10 + hour / 10);
    }
    let mut guard = Guard::started(&Policy::DEFAULT, None, Millis(0));
    assert!(guard.note(&INTEGRITY, Millis(0)).is_some());
    let (boots, _) = BootLoop::started(None, false);
    let made = [
        ("boot-record", hex(&boots.record())),
        ("baseline-record-learning", hex(&learning)),
        ("baseline-record-warm", hex(&baseline.record())),
        ("guard-record", hex(&guard.record())),
    ];

    let document = include_str!("../../FORMAT.md");
    let block = document.split("```vectors-detect\n").nth(1);
    let block = block
        .and_then(|rest| rest.split("```").next())
        .unwrap_or_default();
    let written: Vec<_> = block
        .lines()
        .filter_map(|line| line.split_once(" = "))
        .map(|(name, value)| (name, String::from(value)))
        .collect();
    assert_eq!(written, made);
}
