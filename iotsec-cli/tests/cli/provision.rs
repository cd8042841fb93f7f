use std::{collections::BTreeSet, fs};

use iotsec::core::{
    cbor::{Limits, split_first},
    credential::Attempt,
};

use crate::bench::Bench;

const MANIFEST: &str = "batch/manifest.cborseq";
const LABELS: &str = "batch/labels.tsv";
const VERIFY: &str = "provision verify batch --key station.pub";

/// A station with its key and a batch.
fn station(test: &str, count: u32) -> Bench {
    let bench = Bench::new(test);
    bench.done("key new station");
    mint(&bench, count, "batch");
    bench
}

fn mint(bench: &Bench, count: u32, out: &str) {
    bench.done(&format!(
        "provision batch --product lamp-2 --serial-prefix L2- --count {count} --key station --out {out}"
    ));
}

fn reason(bench: &Bench) -> String {
    let run = bench.run(VERIFY);
    assert_eq!(run.status, Some(1), "{run:?}");
    run.err
}

/// Where each entry ends.
fn entries(manifest: &[u8]) -> Vec<Vec<u8>> {
    let (mut rest, mut entries) = (manifest, Vec::new());
    while !rest.is_empty() {
        let (entry, after) = split_first(rest, &Limits::SMALL).unwrap();
        entries.push(entry.to_vec());
        rest = after;
    }
    entries
}

#[test]
fn a_thousand_units_are_minted_and_verify() {
    let bench = station("a_thousand_units_are_minted_and_verify", 1000);
    let report = bench.done(VERIFY);
    assert!(
        report.contains("1000 units: signatures, completeness"),
        "{report}"
    );
    assert!(
        report.contains("1000 labels: check symbols hold, all different"),
        "{report}"
    );

    let labels = String::from_utf8(bench.read(LABELS)).unwrap();
    let codes: BTreeSet<_> = labels
        .lines()
        .map(|line| line.split_once('\t').unwrap().1)
        .collect();
    assert_eq!(codes.len(), 1000);
    assert!(codes.iter().all(|code| Attempt::from_label(code).is_ok()));
    assert!(labels.starts_with("L2-000001\t") && labels.contains("\nL2-001000\t"));
}

#[test]
fn no_password_stands_in_the_manifest() {
    let bench = station("no_password_stands_in_the_manifest", 20);
    let manifest = bench.read(MANIFEST);
    let labels = String::from_utf8(bench.read(LABELS)).unwrap();
    for line in labels.lines() {
        let (serial, code) = line.split_once('\t').unwrap();
        let holds = |text: &str| {
            manifest
                .windows(text.len())
                .any(|window| window == text.as_bytes())
        };
        assert!(holds(serial), "the search must find what is there");
        assert!(!holds(code) && !holds(&code.replace('-', "")));
    }
}

#[test]
fn a_changed_byte_anywhere_in_a_manifest_is_noticed() {
    let bench = station("a_changed_byte_anywhere_in_a_manifest_is_noticed", 2);
    let good = bench.read(MANIFEST);
    // Each byte takes a process of its own: every seventh comes to all parts of an entry.
    for at in (0..good.len()).step_by(7) {
        let mut bad = good.clone();
        bad[at] ^= 1;
        bench.write(MANIFEST, &bad);
        let reason = reason(&bench);
        assert!(
            reason.contains("manifest.cborseq refused: entry "),
            "byte {at}: {reason}"
        );
    }
    bench.write(MANIFEST, &good);
    bench.done(VERIFY);
}

#[test]
fn a_manifest_with_entries_gone_moved_or_of_another_batch_is_refused() {
    let bench = station(
        "a_manifest_with_entries_gone_moved_or_of_another_batch_is_refused",
        3,
    );
    mint(&bench, 3, "other");
    let own = entries(&bench.read(MANIFEST));
    let other = entries(&bench.read("other/manifest.cborseq"));
    for (manifest, expected) in [
        (vec![], "0 entries for 0 units"),
        (vec![&own[0], &own[1]], "2 entries for 3 units"),
        (
            vec![&own[0], &own[2]],
            "unit 2 is missing: unit 3 stands in its place",
        ),
        (
            vec![&own[0], &own[0], &own[1]],
            "unit 2 is missing: unit 1 stands in its place",
        ),
        (vec![&own[0], &other[1], &own[2]], "entry 2 is of another batch"),
    ] {
        let manifest: Vec<u8> = manifest.into_iter().flatten().copied().collect();
        bench.write(MANIFEST, &manifest);
        let reason = reason(&bench);
        assert!(
            reason.contains(&format!("refused: {expected}\nremedy: ")),
            "{reason}"
        );
    }
}

#[test]
fn a_batch_of_another_station_is_refused() {
    let bench = station("a_batch_of_another_station_is_refused", 1);
    bench.done("key new stranger");
    bench.refused(
        "provision verify batch --key stranger.pub",
        "batch/manifest.cborseq refused: entry 1: signature does not verify (error 1201)",
    );
}

#[test]
fn labels_must_fit_the_manifest() {
    let bench = station("labels_must_fit_the_manifest", 2);
    let good = String::from_utf8(bench.read(LABELS)).unwrap();
    let lines: Vec<&str> = good.lines().collect();
    let code = lines[0].split_once('\t').unwrap().1;
    // Another first symbol leaves the check symbol wrong.
    let other = if code.starts_with('0') { "1" } else { "0" };
    let mistyped = lines[0].replacen(code, &format!("{other}{}", &code[1..]), 1);
    for (labels, expected) in [
        (lines[0].to_owned(), "no label for \"L2-000002\", and 0 more"),
        (
            format!("{}\n{}", lines[0], lines[0]),
            "line 2: \"L2-000001\" is not in the manifest, or labelled twice",
        ),
        (
            format!("{}\nL2-000002\t{code}", lines[0]),
            "line 2: the code of \"L2-000002\" occurs twice",
        ),
        (format!("{mistyped}\n{}", lines[1]), "line 1, \"L2-000001\": "),
        ("L2-000001".to_owned(), "line 1 has no code"),
    ] {
        bench.write(LABELS, labels.as_bytes());
        let reason = reason(&bench);
        assert!(
            reason.contains(&format!("labels.tsv refused: {expected}")),
            "{reason}"
        );
    }
}

#[test]
fn a_batch_whose_labels_were_destroyed_still_verifies_and_says_so() {
    let bench = station(
        "a_batch_whose_labels_were_destroyed_still_verifies_and_says_so",
        2,
    );
    fs::remove_file(bench.path(LABELS)).unwrap();
    let report = bench.done(VERIFY);
    assert!(
        report.contains("labels.tsv is not there: labels not checked"),
        "{report}"
    );
}

#[test]
fn a_batch_is_never_overwritten() {
    let bench = station("a_batch_is_never_overwritten", 1);
    let before = (bench.read(MANIFEST), bench.read(LABELS));
    bench.refused(
        "provision batch --product p --serial-prefix s --count 1 --key station --out batch",
        "batch exists already and is left as it is",
    );
    assert_eq!(before, (bench.read(MANIFEST), bench.read(LABELS)));
}

#[cfg(unix)]
#[test]
fn labels_are_for_their_owner_alone() {
    let bench = station("labels_are_for_their_owner_alone", 1);
    assert_eq!(bench.mode(LABELS), 0o600);
}

#[test]
fn offline_guessing_gets_longer_passwords() {
    let bench = station("offline_guessing_gets_longer_passwords", 1);
    bench.done("provision batch --product p --serial-prefix s --count 1 --offline --key station --out off");
    let symbols = |name: &str| {
        let text = String::from_utf8(bench.read(name)).unwrap();
        let code = text.trim_end().split_once('\t').unwrap().1;
        code.chars().filter(|c| *c != '-').count()
    };
    assert_eq!((symbols(LABELS), symbols("off/labels.tsv")), (13, 17));
}

#[test]
fn running_numbers_do_not_wrap() {
    let bench = station("running_numbers_do_not_wrap", 1);
    let line = "provision batch --product p --serial-prefix s --key station --out end --first 4294967295";
    bench.misused(&format!("{line} --count 2"), "running numbers end at 4294967295");
    bench.done(&format!("{line} --count 1"));
    assert_eq!(bench.run(&format!("{line} --count 0")).status, Some(2));
}
