//! Tests that documents say what the code says.

use std::{collections::BTreeSet, fs, path::Path};

use iotsec_testkit::Geometry;

use crate::{powerset, tool};

fn document(path: &str) -> String {
    fs::read_to_string(tool::root().join(path)).unwrap()
}

#[test]
fn the_readme_lists_every_feature() {
    let readme = document("README.md");
    let (_, section) = readme.split_once("## Features").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    let listed: BTreeSet<String> = rows
        .map(|row| row.split_once('`').unwrap().0.to_owned())
        .collect();
    let features = powerset::features(&tool::root()).unwrap();
    assert_eq!(listed, features.into_iter().map(|(name, _)| name).collect());
}

#[test]
fn the_porting_guide_lists_the_flashes_that_tests_run_on() {
    let guide = document("docs/porting.md");
    let mut rows = Vec::new();
    for (name, flash) in Geometry::table(8) {
        let sectors = (0..flash.sector_count()).map(|sector| flash.sector(sector));
        let page = sectors.map(|(from, to)| to - from).max().unwrap();
        rows.push(format!(
            "| {name} | {page} | {} | 0x{:02X} |",
            flash.word_size(),
            flash.erased()
        ));
    }
    assert!(
        guide.contains(&rows.join("\n")),
        "docs/porting.md should say:\n{}",
        rows.join("\n")
    );
}

/// Names of tests that begin with `letter` and the number of an attack.
fn attacks_in(text: &str, before: &str, letter: char) -> BTreeSet<String> {
    let parts = text.split(before).skip(1);
    parts
        .map(|part| part.split(|c: char| c != '_' && !c.is_ascii_alphanumeric()))
        .filter_map(|mut words| words.next().map(str::to_owned))
        .filter(|name| {
            let number = name.strip_prefix(letter).and_then(|rest| rest.split_once('_'));
            number.is_some_and(|(number, _)| number.parse::<u8>().is_ok())
        })
        .collect()
}

fn sources(folder: &Path, all: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, all);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            all.push(fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn every_attack_has_its_tests_and_they_are_there() {
    for (package, letter, attacks, digits) in [
        ("iotsec-update", 't', 20, 1),
        ("iotsec-store", 'n', 26, 2),
        ("fuzz/harness", 'l', 15, 1),
    ] {
        let table = document(&format!("{package}/ATTACKS.md"));
        for number in 1..=attacks {
            let name = format!("{}{number}", letter.to_ascii_uppercase());
            let row = table
                .lines()
                .find(|line| line.starts_with(&format!("| {name} |")));
            let row = row.unwrap_or_else(|| panic!("no row for {name}"));
            assert!(
                row.contains(&format!("`{letter}{number:0digits$}_")) || row.contains("`cargo xtask "),
                "{row}"
            );
        }
        let mut written = Vec::new();
        for folder in ["src", "tests"] {
            sources(&tool::root().join(package).join(folder), &mut written);
        }
        let written = attacks_in(&written.join("\n"), "fn ", letter);
        assert_eq!(attacks_in(&table, "`", letter), written, "{package}");
    }
}

#[test]
fn links_between_documents_lead_somewhere() {
    let root = tool::root();
    let mut checked = 0;
    for name in ["README.md", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md"]
        .into_iter()
        .map(str::to_owned)
        .chain(
            [
                "architecture",
                "lexicon",
                "dependencies",
                "porting",
                "footprint",
                "performance",
            ]
            .map(|name| format!("docs/{name}.md")),
        )
    {
        let text = document(&name);
        let folder = root.join(&name);
        for link in text.split("](").skip(1).filter_map(|rest| rest.split_once(')')) {
            let target = link.0.split('#').next().unwrap_or_default();
            if target.is_empty() || target.contains("://") {
                continue;
            }
            assert!(folder.parent().unwrap().join(target).exists(), "{name}: {target}");
            checked += 1;
        }
    }
    assert!(checked > 15, "only {checked} links were found");
}
