//! What is claimed of the code, as `cargo xtask claims` reads it from beside the code.

use std::collections::BTreeSet;

use iotsec_evidence::catalogue::Catalogue;
use serde_json::Value;

const CLAIMS: &str = include_str!("../data/claims.json");

fn claims() -> Vec<Value> {
    let claims: Vec<Value> = serde_json::from_str(CLAIMS).unwrap();
    assert!(!claims.is_empty());
    claims
}

fn texts<'c>(claim: &'c Value, name: &str) -> Vec<&'c str> {
    let all = claim[name].as_array().unwrap();
    all.iter().map(|one| one.as_str().unwrap()).collect()
}

#[test]
fn a_claim_says_something_in_short_about_provisions_that_there_are() {
    let mut sentences = BTreeSet::new();
    for claim in claims() {
        let sentence = claim["claims"].as_str().unwrap();
        assert!((20..=200).contains(&sentence.chars().count()), "{sentence}");
        assert!(!sentence.ends_with('.'), "{sentence}");
        assert!(sentences.insert(sentence.to_owned()), "twice: {sentence}");
        let provisions = texts(&claim, "provisions");
        assert!(!provisions.is_empty(), "{sentence}");
        for id in provisions {
            assert!(Catalogue::get().provision(id).is_some(), "{id}: {sentence}");
        }
    }
}

#[test]
fn a_claim_has_code_or_a_tool_and_tests() {
    for claim in claims() {
        let code = texts(&claim, "code");
        assert_ne!(code.is_empty(), claim["tool"].is_null(), "{claim}");
        let package = claim["package"].as_str().unwrap().replace('-', "_");
        for function in code {
            assert!(
                function
                    .strip_prefix(&package)
                    .is_some_and(|rest| rest.starts_with("::")),
                "{function}"
            );
        }
        assert!(claim["feature"].is_null() || claim["tool"].is_null(), "{claim}");
        assert!(claim["file"].as_str().is_some_and(|file| file.ends_with(".rs")));
        let tests = texts(&claim, "tests");
        assert!((1..=4).contains(&tests.len()), "{claim}");
        assert!(tests.iter().all(|test| test.split("::").count() >= 3), "{claim}");
    }
}

#[test]
fn every_guideline_has_a_claim() {
    let claims = claims();
    let provisions: BTreeSet<&str> = claims
        .iter()
        .flat_map(|claim| texts(claim, "provisions"))
        .collect();
    let known = provisions.iter().filter_map(|id| Catalogue::get().provision(id));
    let guidelines: BTreeSet<u8> = known
        .flat_map(|provision| provision.guidelines.iter().copied())
        .collect();
    assert_eq!(guidelines, (1..=13).collect());
}
