//! The list of targets.

use crate::{
    boot, caller, cbor, certificate, cose, credential, dap, deletion, delta, detect, document, encryption,
    erased, https, identity, input, mqtt, privacy, qr, spool, store, suit, surface, telemetry, trust, unit,
};

/// One decoder under test.
#[derive(Clone, Copy)]
pub struct Target {
    /// Name of the fuzz target and of its corpus directory.
    pub name: &'static str,
    /// Checks the invariants on one input. True when the decoder accepted it.
    pub run: fn(&[u8]) -> bool,
    /// Inputs to start from, some valid and some that just miss.
    pub seeds: fn() -> Vec<Seed>,
    /// Folders of test vectors, from the root of the repository, that are replayed too.
    pub vectors: &'static [&'static str],
}

/// A file of a corpus.
pub struct Seed {
    /// File name.
    pub name: String,
    /// Contents.
    pub bytes: Vec<u8>,
}

impl Seed {
    /// Names some bytes.
    pub fn new(name: &str, bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            name: name.to_owned(),
            bytes: bytes.into(),
        }
    }
}

/// Runs the target called `name` on one input, for the fuzz binaries.
pub fn run(name: &str, input: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name);
    (target.expect("a target of the list").run)(input);
}

/// Every target.
pub const TARGETS: &[Target] = &[
    target("cbor_check", cbor::check, cbor::seeds, &[]),
    target("cbor_reader", cbor::reader, cbor::seeds, &[]),
    target("cbor_sequence", cbor::sequence, cbor::sequence_seeds, &[]),
    target("cbor_document", cbor::document, cbor::document_seeds, &[]),
    target("c_calls", caller::sequence, caller::seeds, &[]),
    target("cose_sign1", cose::sign1, cose::sign1_seeds, &[]),
    target("cose_encrypt0", cose::encrypt0, cose::encrypt0_seeds, &[]),
    target("cose_key", cose::key, cose::key_seeds, &[]),
    target(
        "credential_label",
        credential::label,
        credential::label_seeds,
        &[],
    ),
    target(
        "credential_verifier",
        credential::verifier,
        credential::verifier_seeds,
        &[],
    ),
    target(
        "credential_throttle",
        credential::throttle,
        credential::throttle_seeds,
        &[],
    ),
    target(
        "identity_request",
        identity::request,
        identity::request_seeds,
        &[],
    ),
    target(
        "identity_certificate",
        identity::certificate,
        identity::certificate_seeds,
        &[],
    ),
    target("attest_token", identity::token, identity::token_seeds, &[]),
    target("credential_unit", unit::record, unit::record_seeds, &[]),
    target("qr_label", qr::label, qr::label_seeds, &[]),
    target("qr_wifi", qr::wifi, qr::wifi_seeds, &[]),
    target("qr_matter", qr::matter, qr::matter_seeds, &[]),
    target("surface_sockets", surface::sockets, surface::socket_seeds, &[]),
    target("surface_unlock", surface::unlock, surface::unlock_seeds, &[]),
    target("input_text", input::text, input::text_seeds, &[]),
    target("input_json", input::json, input::json_seeds, &[]),
    target("mqtt_conversation", mqtt::conversation, mqtt::seeds, &[]),
    target(
        "certificate_chain",
        certificate::chain,
        certificate::chain_seeds,
        &[],
    ),
    target(
        "certificate_anchor",
        certificate::anchor,
        certificate::anchor_seeds,
        &[],
    ),
    target(
        "certificate_list",
        certificate::list,
        certificate::list_seeds,
        &[],
    ),
    target(
        "input_document",
        document::document,
        document::document_seeds,
        &[],
    ),
    target("https_response", https::response, https::response_seeds, &[]),
    target("erase_receipt", erased::receipt, erased::receipt_seeds, &[]),
    target("store_image", store::image, store::image_seeds, &[]),
    target("store_tampered", store::tampered, store::tampered_seeds, &[]),
    target("update_delta", delta::delta, delta::seeds, &[]),
    target("update_boot", boot::boot, boot::seeds, &[]),
    target("update_decrypt", encryption::payload, encryption::seeds, &[]),
    target("trust_bundle", trust::bundle, trust::bundle_seeds, &TRUST),
    target(
        "trust_statement",
        trust::statement,
        trust::statement_seeds,
        &TRUST,
    ),
    target("trust_store", trust::store, trust::store_seeds, &[]),
    target("suit_envelope", suit::envelope, suit::seeds, &SUIT),
    target("suit_manifest", suit::manifest, suit::seeds, &SUIT),
    target(
        "telemetry_sealed",
        telemetry::sealed,
        telemetry::sealed_seeds,
        &[],
    ),
    target(
        "deletion_request",
        deletion::request,
        deletion::request_seeds,
        &[],
    ),
    target(
        "deletion_receipt",
        deletion::receipt,
        deletion::receipt_seeds,
        &[],
    ),
    target("telemetry_trail", deletion::trail, deletion::trail_seeds, &[]),
    target("telemetry_batch", telemetry::batch, telemetry::batch_seeds, &[]),
    target(
        "telemetry_snapshot",
        telemetry::snapshot,
        telemetry::snapshot_seeds,
        &[],
    ),
    target(
        "telemetry_consent",
        telemetry::consent,
        telemetry::consent_seeds,
        &[],
    ),
    target("telemetry_spool", spool::image, spool::image_seeds, &[]),
    target(
        "telemetry_spool_tampered",
        spool::tampered,
        spool::tampered_seeds,
        &[],
    ),
    target("privacy_report", privacy::report, privacy::report_seeds, &[]),
    target("privacy_ledger", privacy::ledger, privacy::ledger_seeds, &[]),
    target("detect_guard", detect::guard, detect::guard_seeds, &[]),
    target("detect_baseline", detect::baseline, detect::baseline_seeds, &[]),
    target("dap_configs", dap::configs, dap::configs_seeds, &[]),
    target("dap_task", dap::task, dap::task_seeds, &[]),
];

const TRUST: [&str; 1] = ["vectors/trust"];
const SUIT: [&str; 2] = ["vectors/suit/oracle", "vectors/suit/negative"];

const fn target(
    name: &'static str,
    run: fn(&[u8]) -> bool,
    seeds: fn() -> Vec<Seed>,
    vectors: &'static [&'static str],
) -> Target {
    Target {
        name,
        run,
        seeds,
        vectors,
    }
}
