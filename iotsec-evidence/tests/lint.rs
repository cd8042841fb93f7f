//! Every rule, with a change to a sound manifest that breaks it.

use std::collections::BTreeSet;

use iotsec_evidence::{catalogue::Catalogue, lint};
use iotsec_product::Product;

const LOCK: &str = include_str!("../../examples/products/lock/iotsec.toml");

fn findings(text: &str) -> Vec<iotsec_product::Finding> {
    let product = Product::parse(text.as_bytes()).unwrap_or_else(|findings| panic!("{findings:?}"));
    lint::check(&product)
}

fn names(text: &str) -> BTreeSet<&'static str> {
    findings(text).iter().map(|finding| finding.rule).collect()
}

/// Without the sections of this name.
fn without(section: &str) -> String {
    let headers = [
        format!("[{section}]"),
        format!("[[{section}]]"),
        format!("[{section}."),
        format!("[[{section}."),
    ];
    let mut out = String::new();
    let mut skipping = false;
    for line in LOCK.lines() {
        if line.starts_with('[') {
            skipping = headers.iter().any(|header| line.starts_with(header.as_str()));
        }
        if !skipping {
            out += line;
            out += "\n";
        }
    }
    assert_ne!(out, LOCK, "{section}");
    out
}

fn with(right: &str, wrong: &str) -> String {
    assert!(LOCK.contains(right), "{right}");
    LOCK.replacen(right, wrong, 1)
}

/// Each rule, and manifests that break it.
fn broken() -> Vec<(&'static str, Vec<String>)> {
    vec![
        (
            "password.universal",
            vec![with("origin = \"per-device\"", "origin = \"per-model\"")],
        ),
        (
            "password.generation",
            vec![with("generation = \"12 symbols", "# \"12 symbols")],
        ),
        (
            "password.machine",
            vec![with(
                "who = \"user\"\nfactor = \"password\"",
                "who = \"machine\"\nfactor = \"password\"",
            )],
        ),
        (
            "authentication.guarantees",
            vec![with(
                "guarantees = [\"integrity\", \"authenticity\", \"confidentiality\"]\ncryptography = [\"TLS 1.3\", \"PBKDF2",
                "guarantees = [\"integrity\"]\ncryptography = [\"TLS 1.3\", \"PBKDF2",
            )],
        ),
        (
            "authentication.change",
            vec![with("change = \"In the app, under Account", "# \"")],
        ),
        (
            "authentication.brute-force",
            vec![
                with("brute-force = \"Guesses", "# \""),
                with("brute-force = \"Twenty", "# \""),
            ],
        ),
        (
            "parameter.guarantees",
            vec![
                with(
                    "after start, never leaves the chip\"\nguarantees = [\"confidentiality\", \"integrity\"]",
                    "after start\"\nguarantees = [\"integrity\"]",
                ),
                with(
                    "by signed trust bundles\"\nguarantees = [\"integrity\", \"authenticity\"]",
                    "by signed trust bundles\"\nguarantees = [\"authenticity\"]",
                ),
            ],
        ),
        ("parameter.identity", vec![with("identity = \"Lies in", "# \"")]),
        (
            "parameter.source",
            vec![with("storage = \"store\"", "storage = \"image\"")],
        ),
        (
            "parameter.unique",
            vec![with("unique = true\nidentity", "unique = false\nidentity")],
        ),
        (
            "parameter.missing",
            vec![
                with(
                    "use = [\"update-verification\", \"boot-verification\"]",
                    "use = [\"update-verification\"]",
                ),
                with(
                    "use = [\"update-verification\", \"boot-verification\"]",
                    "use = [\"boot-verification\"]",
                ),
            ],
        ),
        (
            "channel.cryptography",
            vec![
                with("\"AES-128-GCM\", \"X25519\"", "\"RC4\""),
                with(
                    "cryptography = [\"TLS 1.3\", \"AES-128-GCM\"",
                    "cryptography = [\"TLS 1.0\", \"AES-128-GCM\"",
                ),
                with(
                    "cryptography = [\"Ed25519\", \"SHA-256\"]\nrefuses",
                    "cryptography = [\"RSA with SHA-1\"]\nrefuses",
                ),
            ],
        ),
        (
            "channel.confidentiality",
            vec![
                with(
                    "unique = true\nidentity",
                    "unique = true\ntravels = [\"cloud\"]\nidentity",
                )
                .replacen(
                    "guarantees = [\"integrity\", \"authenticity\", \"confidentiality\", \"replay",
                    "guarantees = [\"integrity\", \"replay",
                    1,
                ),
            ],
        ),
        (
            "service.open",
            vec![with(
                "authentication = \"password\"\nconfigures = true",
                "authentication = \"none\"\nconfigures = true",
            )],
        ),
        (
            "debug.protection",
            vec![
                with("kind = \"swd\"", "kind = \"swd\"\nphases = [\"owned\"]"),
                with("physical-protection =", "# ").replace("\"5.6-4B\" =", "# "),
            ],
        ),
        (
            "component.update",
            vec![with("updates = [\"over-the-air\"]", ""), without("component")],
        ),
        (
            "update.simple",
            vec![with("initiation = \"automatic\"", "initiation = \"service\"")],
        ),
        (
            "update.automatic",
            vec![
                with("automatic = true,", "automatic = false,"),
                with("automatic-by-default = true", "automatic-by-default = false"),
                with("can-postpone = true", "can-postpone = false"),
            ],
        ),
        (
            "update.check",
            vec![
                with("check = {", "# {"),
                with("at-start = true", "at-start = false"),
                with("every-hours = 24", "every-hours = 1000"),
            ],
        ),
        (
            "update.guarantees",
            vec![
                with(
                    "guarantees = [\"integrity\", \"authenticity\", \"replay-protection\"]",
                    "guarantees = [\"integrity\"]",
                ),
                with("cryptography = [\"Ed25519\", \"SHA-256\"]\nrefuses", "refuses"),
                with("verified-by = \"device\"", "verified-by = \"service\""),
                with("refuses-rollback = true", ""),
            ],
        ),
        (
            "update.notice",
            vec![
                with("notice = {", "# {"),
                with("risk = true", "risk = false"),
                with("disruption = true", "disruption = false"),
                with("can-disable = true", "can-disable = false"),
            ],
        ),
        (
            "replacement.missing",
            vec![with("reason = \"security\"", "reason = \"other\"")],
        ),
        ("component.agility", vec![with("cryptography-changes =", "# ")]),
        (
            "boot.guarantees",
            vec![with(
                "guarantees = [\"integrity\", \"authenticity\"]\ndetection",
                "guarantees = []\ndetection",
            )],
        ),
        (
            "data.transit",
            vec![with(
                "interfaces = [\"cloud\", \"updates\", \"alerts\", \"app\"",
                "interfaces = [\"updates\"",
            )],
        ),
        (
            "data.consent",
            vec![
                with("basis = \"consent\"", "basis = \"contract\""),
                without("personal-data.consent"),
            ],
        ),
        ("data.anonymisation", vec![with("anonymisation =", "# ")]),
        ("telemetry.examination", vec![without("examination")]),
        ("telemetry.handling", vec![without("telemetry.handling")]),
        (
            "deletion.coverage",
            vec![
                with(
                    "erases = [\"personal-data\", \"configuration\", \"keys\"]",
                    "erases = [\"personal-data\", \"keys\"]",
                ),
                with("target = \"service\"", "target = \"app\""),
            ],
        ),
        (
            "deletion.confirmation",
            vec![with("confirmation = \"A green light", "# \"")],
        ),
        ("disclosure.missing", vec![without("disclosure")]),
        (
            "disclosure.english",
            vec![with("languages = [\"en\", \"de\"]", "languages = [\"de\"]")],
        ),
        (
            "vulnerability.process",
            vec![without("vulnerability-type"), without("monitoring")],
        ),
        ("support.missing", vec![without("support")]),
        ("update.procedure", vec![without("update-procedure")]),
        (
            "keys.life",
            vec![
                with("\"retirement\", \"compromise\"", "\"retirement\""),
                without("key-management"),
            ],
        ),
        ("implementation.review", vec![without("implementation")]),
        (
            "development.topics",
            vec![with("topic = \"archival\"", "topic = \"review\"")],
        ),
        (
            "resilience.missing",
            vec![with("against = \"power\"", "against = \"network\"")],
        ),
        (
            "decision.secure",
            vec![with("default = \"no\"", "default = \"yes\"")],
        ),
        (
            "guide.missing",
            vec![
                with("sensors =", "# "),
                with("personal-data = \"https", "# \"https"),
                with("setup-check =", "# "),
                without("guide"),
            ],
        ),
        (
            "input.unchecked",
            vec![with(
                "sources = [\"app\", \"set-up\", \"phone\"]",
                "sources = [\"app\", \"set-up\"]",
            )],
        ),
        (
            "confirmation.missing",
            vec![with("secure-management =", "# "), without("confirmation")],
        ),
    ]
}

#[test]
fn a_complete_manifest_has_no_finding() {
    assert_eq!(findings(LOCK), []);
}

#[test]
fn every_rule_catches_what_breaks_it_and_names_it() {
    for (rule, manifests) in broken() {
        for text in manifests {
            let all = findings(&text);
            let Some(found) = all.iter().find(|finding| finding.rule == rule) else {
                panic!("{rule} is not found: {all:?}");
            };
            assert!(
                !found.message.is_empty() && !found.remedy.is_empty() && !found.at.is_empty(),
                "{found:?}"
            );
        }
    }
}

#[test]
fn no_rule_is_without_a_manifest_that_breaks_it() {
    let rules: BTreeSet<&str> = lint::rules().map(|rule| rule.name).collect();
    let tried: BTreeSet<&str> = broken().iter().map(|(rule, _)| *rule).collect();
    assert_eq!(rules, tried);
    assert_eq!(rules.len(), lint::rules().count(), "a name stands twice");
}

#[test]
fn a_rule_belongs_to_provisions_that_there_are() {
    for rule in lint::rules() {
        assert!(!rule.provisions.is_empty(), "{}", rule.name);
        for number in rule.provisions {
            assert!(
                Catalogue::get().provision(number).is_some(),
                "{}: {number}",
                rule.name
            );
        }
    }
}

#[test]
fn a_reason_excuses_a_recommendation_and_nothing_else() {
    let reason = "[justification]\n\"5.3-5\" = \"Updates are brought by a technician\"\n";
    let excused = with("at-start = true", "at-start = false").replacen("[justification]\n", reason, 1);
    assert_eq!(findings(&excused), []);
    let reason = "[justification]\n\"5.3-7\" = \"It is slow\"\n";
    let right = "guarantees = [\"integrity\", \"authenticity\", \"replay-protection\"]";
    let excused = with(right, "guarantees = []").replacen("[justification]\n", reason, 1);
    assert_eq!(names(&excused), BTreeSet::from(["update.guarantees"]));
}

#[test]
fn a_finding_says_where_it_is() {
    let text = with("at-start = true", "at-start = false");
    let found = findings(&text);
    assert_eq!(found.len(), 1, "{found:?}");
    let line = text
        .lines()
        .position(|line| line.starts_with("check = "))
        .unwrap()
        + 1;
    assert_eq!(found[0].place.map(|place| place.line), Some(line));
    assert_eq!(names(&text), BTreeSet::from(["update.check"]));
}
