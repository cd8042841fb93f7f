//! What is shown when everything is there, and that each part that goes is named.

use std::collections::BTreeSet;

use iotsec_evidence::{
    applicability::Facts,
    catalogue::{Addressee, Catalogue, Edition},
    claims::{self, Origin},
    ics::Support,
    judgement::{Judgement, Standing, Verdict, is_idle},
    outcome::Outcome,
    record::{Firmware, Record, Subject},
    report::{Report, cyclonedx, html, json, junit, markdown, sarif},
};
use iotsec_product::Product;

const LOCK: &str = include_str!("../../examples/products/lock/iotsec.toml");

fn product(text: &str) -> Product {
    Product::parse(text.as_bytes()).unwrap_or_else(|findings| panic!("{findings:?}"))
}

/// A firmware that has every function, for which every test passed.
fn whole(text: &str) -> Record {
    let product = product(text);
    let mut record = Record::new(
        Subject::Product {
            manifest: text.into(),
            firmware: Firmware {
                name: "lock.elf".into(),
                bytes: 8,
                sha256: [7; 32],
                debugged: true,
            },
            component: None,
        },
        1_800_000_000,
    );
    for assertion in claims::of(&product) {
        for function in assertion.code {
            record.functions.insert(function.into(), true);
        }
        for test in assertion.tests {
            record.tests.insert(test.into(), Outcome::Passed);
        }
    }
    record
}

/// Messages of a rule.
fn found(product: &Product, record: &Record, rule: &str) -> Vec<String> {
    let judgement = Judgement::of(product, record, Edition::V3_1_3);
    let findings = judgement.findings(product);
    findings
        .into_iter()
        .filter(|finding| finding.rule == rule)
        .map(|finding| finding.message)
        .collect()
}

#[test]
fn what_has_code_and_tests_is_evidenced_and_the_rest_says_who_answers() {
    let (product, record) = (product(LOCK), whole(LOCK));
    for edition in Edition::ALL {
        let judgement = Judgement::of(&product, &record, edition);
        assert_eq!(judgement.count(Verdict::Broken), 0);
        for line in &judgement.lines {
            let on_paper = line.provision.addressee == Addressee::Manufacturer
                && !line.provision.modes.iter().any(|mode| mode == "code");
            let shown = judgement.about(line).any(|judged| {
                judged.standing == Standing::Proven && !(on_paper && judged.assertion.origin == Origin::Sdk)
            });
            let excused = matches!(line.verdict, Verdict::NotMet | Verdict::NotApplicable);
            assert_eq!(
                line.verdict == Verdict::Evidenced,
                shown && !excused,
                "{}",
                line.provision.id
            );
        }
        assert_eq!(judgement.guidelines(), (1..=13).collect::<Vec<u8>>());
        let statement = judgement.statement();
        assert_eq!(statement.lines.len(), judgement.lines.len());
        let yes = judgement.count(Verdict::Evidenced) + judgement.count(Verdict::Answered);
        assert_eq!(statement.count(Support::Yes), yes);
    }
}

/// Every test of every claim of the SDK that has a part in the lock.
#[test]
fn each_test_that_goes_is_named_with_its_claim() {
    let (product, whole) = (product(LOCK), whole(LOCK));
    let facts = Facts::of(&product);
    let mut gone = 0;
    for assertion in claims::of(&product) {
        let excused = assertion.provisions.iter().all(|number| {
            product
                .justification
                .keys()
                .any(|reason| reason.as_str() == *number)
        });
        if assertion.origin != Origin::Sdk || excused || is_idle(&assertion, &facts) {
            continue;
        }
        for test in &assertion.tests {
            let mut record = whole.clone();
            record.tests.remove(*test);
            let messages = found(&product, &record, "evidence.test-missing");
            assert!(
                messages
                    .iter()
                    .any(|message| message.contains(test) && message.contains(assertion.says)),
                "{test}: {messages:?}"
            );
            gone += 1;
        }
    }
    assert!(gone > 100, "{gone}");
}

/// A provision that one claim alone shows is open without its code; otherwise the claim is out, and the others stand.
#[test]
fn code_that_was_not_linked_shows_nothing_and_is_named() {
    let (product, whole) = (product(LOCK), whole(LOCK));
    let before = Judgement::of(&product, &whole, Edition::V3_1_3);
    let functions: BTreeSet<&String> = whole.functions.keys().collect();
    let mut opened = BTreeSet::new();
    for function in functions {
        let mut record = whole.clone();
        record.functions.insert(function.clone(), false);
        let after = Judgement::of(&product, &record, Edition::V3_1_3);
        for (was, is) in before.lines.iter().zip(&after.lines) {
            if is.verdict == Verdict::Open && was.verdict != Verdict::Open {
                let messages = found(&product, &record, "evidence.not-linked");
                assert!(
                    messages
                        .iter()
                        .any(|message| message.starts_with(&is.provision.id)
                            && message.contains(function.as_str())),
                    "{function}: {messages:?}"
                );
                opened.insert(is.provision.id.as_str());
            }
        }
    }
    assert!(opened.len() > 6, "{opened:?}");
}

#[test]
fn nothing_linked_is_nothing_shown_but_by_people_and_tools() {
    let (product, mut record) = (product(LOCK), whole(LOCK));
    record.functions.values_mut().for_each(|there| *there = false);
    let judgement = Judgement::of(&product, &record, Edition::V3_1_3);
    for line in judgement
        .lines
        .iter()
        .filter(|line| line.verdict == Verdict::Evidenced)
    {
        assert!(
            judgement
                .about(line)
                .any(|judged| judged.assertion.code.is_empty() && judged.standing == Standing::Proven),
            "{}",
            line.provision.id
        );
    }
}

/// A tool writes the policy; that it is published, somebody has to say.
#[test]
fn what_is_prepared_for_the_manufacturer_is_not_shown_to_be_done() {
    let without: String = LOCK
        .split("[[claim]]\n")
        .filter(|part| !part.starts_with("provision = \"5.2-1\""))
        .collect::<Vec<_>>()
        .join("[[claim]]\n");
    let (product, record) = (product(&without), whole(LOCK));
    let messages = found(&product, &record, "evidence.unanswered");
    assert!(
        messages
            .iter()
            .any(|message| message.starts_with("5.2-1 is prepared, and nobody says")),
        "{messages:?}"
    );
}

#[test]
fn each_reason_that_goes_is_named() {
    let record = whole(LOCK);
    let reasons: Vec<String> = product(LOCK)
        .justification
        .keys()
        .map(ToString::to_string)
        .collect();
    assert!(!reasons.is_empty());
    for reason in reasons {
        let mut lines: Vec<&str> = LOCK.lines().collect();
        lines.retain(|line| !line.starts_with(&format!("{reason:?} =")));
        let product = product(&lines.join("\n"));
        assert!(!product.justification.keys().any(|key| key.as_str() == reason));
        let judgement = Judgement::of(&product, &record, Edition::V3_1_3);
        let line = judgement
            .lines
            .iter()
            .find(|line| line.provision.id == reason)
            .unwrap();
        // A reason for not following what the firmware follows is not missed.
        if line.verdict == Verdict::Evidenced || line.verdict == Verdict::NotApplicable {
            continue;
        }
        let all = [
            found(&product, &record, "ics.unjustified"),
            found(&product, &record, "evidence.not-linked"),
        ];
        assert!(
            all.concat().iter().any(|message| message.contains(&reason)),
            "{reason}"
        );
    }
}

#[test]
fn every_report_names_every_provision() {
    let (product, mut record) = (product(LOCK), whole(LOCK));
    let test = record.tests.keys().next().unwrap().clone();
    record.tests.insert(test.clone(), Outcome::Failed);
    for edition in Edition::ALL {
        let report = Report::new(&product, &record, edition);
        let pages = [
            html::page(&report),
            markdown::page(&report),
            junit::xml(&report),
            json::object(&report).to_string(),
            cyclonedx::attestations(&report).to_string(),
        ];
        for page in pages {
            for provision in Catalogue::get().provisions() {
                if let Some(number) = provision.number(edition) {
                    assert!(page.contains(number), "{number}");
                }
            }
        }
        let gaps = sarif::object(&report, "iotsec.toml");
        let results = gaps["runs"][0]["results"].as_array().unwrap();
        assert_eq!(results.len(), report.findings.len());
        assert!(
            results
                .iter()
                .any(|result| result["message"]["text"].as_str().unwrap().contains(&test))
        );
    }
}

/// A manifest is somebody's text.
#[test]
fn markup_in_a_manifest_stays_text() {
    let hostile = LOCK.replacen(
        "name = \"Front door\"",
        "name = \"<script>alert('&')</script>\"",
        1,
    );
    let (product, record) = (product(&hostile), whole(&hostile));
    let report = Report::new(&product, &record, Edition::V3_1_3);
    for page in [html::page(&report), junit::xml(&report)] {
        assert!(!page.contains("<script"), "markup got through");
    }
}
