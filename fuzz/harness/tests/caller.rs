//! That the fuzzer calls what the header declares.

use std::collections::BTreeSet;

use iotsec_fuzz_caller::called;

const HEADER: &str = include_str!("../../../iotsec-ffi/include/iotsec.h");

/// Functions that no step calls, and why.
const WITHOUT_A_STEP: [(&str, &str); 0] = [];

/// The functions of the header: a declaration begins at the start of a line, and its name ends at the parenthesis.
fn declared() -> BTreeSet<&'static str> {
    HEADER
        .lines()
        .filter(|line| line.starts_with(|first: char| first.is_ascii_lowercase()))
        .filter(|line| !line.starts_with("static ") && !line.starts_with("typedef "))
        .filter_map(|line| line.split_once('(')?.0.rsplit([' ', '*']).next())
        .filter(|name| name.starts_with("iotsec_"))
        .collect()
}

#[test]
fn every_function_of_the_header_is_called_or_an_exception() {
    let (declared, called) = (declared(), called().collect::<BTreeSet<_>>());
    assert!(declared.len() > 200, "{}", declared.len());
    let excepted: BTreeSet<&str> = WITHOUT_A_STEP.iter().map(|(name, _)| *name).collect();
    let missing: Vec<_> = declared
        .iter()
        .filter(|name| !called.contains(*name) && !excepted.contains(*name))
        .collect();
    assert!(missing.is_empty(), "without a step: {missing:?}");
    let stale: Vec<_> = excepted
        .iter()
        .filter(|name| called.contains(*name) || !declared.contains(*name))
        .collect();
    assert!(stale.is_empty(), "no exceptions any more: {stale:?}");
    let strange: Vec<_> = called.difference(&declared).collect();
    assert!(strange.is_empty(), "not in the header: {strange:?}");
}

#[test]
fn every_call_has_a_number_of_its_own() {
    let numbers: Vec<Vec<u8>> = called().map(iotsec_fuzz_caller::number).collect();
    let different: BTreeSet<&Vec<u8>> = numbers.iter().collect();
    let names: BTreeSet<&str> = called().collect();
    assert_eq!(different.len(), names.len());
}
