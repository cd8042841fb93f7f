//! Reserved fields, as the header has them: one that a caller fills is refused unless it is zero, one that the library fills
//! is zero.

use std::collections::BTreeSet;

use crate::header::HEADER;

/// Filled by the caller. Of each, the test of the function that takes it sets the field and sees it refused.
const GIVEN: [&str; 13] = [
    "iotsec_about_t",
    "iotsec_argon2id_t",
    "iotsec_attest_claims_t",
    "iotsec_change_t",
    "iotsec_dap_task_t",
    "iotsec_document_t",
    "iotsec_metric_t",
    "iotsec_place_t",
    "iotsec_setup_plan_t",
    "iotsec_telemetry_pages_t",
    "iotsec_trust_config_t",
    "iotsec_update_measured_t",
    "iotsec_update_policy_t",
];

/// Filled by the library, and then given back to it: both.
const GIVEN_BACK: [&str; 2] = ["iotsec_key_t", "iotsec_listener_t"];

/// Filled by the library, and never looked at.
const FILLED: [&str; 12] = [
    "iotsec_boot_t",
    "iotsec_deletion_t",
    "iotsec_detected_t",
    "iotsec_document_value_t",
    "iotsec_json_token_t",
    "iotsec_latest_t",
    "iotsec_planner_step_t",
    "iotsec_retry_status_t",
    "iotsec_server_key_t",
    "iotsec_trust_key_t",
    "iotsec_url_t",
    "iotsec_version_t",
];

/// The structs of the header, by their names, with what stands in them.
fn structs() -> impl Iterator<Item = (&'static str, &'static str)> {
    HEADER.split("typedef struct ").skip(1).filter_map(|rest| {
        let (name, rest) = rest.split_once(" {\n")?;
        Some((name, rest.split_once("\n}")?.0))
    })
}

/// Whether a function takes one that it does not write, or a struct that one takes has one in it.
fn is_given(name: &str) -> bool {
    let pointer = format!("const struct {name} *");
    let member = format!("    struct {name} ");
    HEADER.contains(&pointer) || structs().any(|(outer, body)| body.contains(&member) && is_given(outer))
}

#[test]
fn every_struct_with_a_reserved_field_is_known_as_given_or_filled() {
    let found: BTreeSet<_> = structs()
        .filter(|(_, body)| body.lines().any(|line| line.trim_start().contains(" reserved")))
        .map(|(name, _)| name)
        .collect();
    let known = GIVEN.iter().chain(&GIVEN_BACK).chain(&FILLED);
    assert_eq!(found, known.copied().collect());
    for name in GIVEN.iter().chain(&GIVEN_BACK) {
        assert!(is_given(name), "{name} is given to no function");
    }
    for name in FILLED {
        assert!(!is_given(name), "{name} is given to a function");
    }
}
