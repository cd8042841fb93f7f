//! The list of targets.

use crate::{cbor, cose, credential};

/// One decoder under test.
#[derive(Clone, Copy)]
pub struct Target {
    /// Name of the fuzz target and of its corpus directory.
    pub name: &'static str,
    /// Checks the invariants on one input. True when the decoder accepted it.
    pub run: fn(&[u8]) -> bool,
    /// Inputs to start from, some valid and some that just miss.
    pub seeds: fn() -> Vec<Seed>,
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
    Target {
        name: "cbor_check",
        run: cbor::check,
        seeds: cbor::seeds,
    },
    Target {
        name: "cbor_reader",
        run: cbor::reader,
        seeds: cbor::seeds,
    },
    Target {
        name: "cbor_sequence",
        run: cbor::sequence,
        seeds: cbor::sequence_seeds,
    },
    Target {
        name: "cbor_document",
        run: cbor::document,
        seeds: cbor::document_seeds,
    },
    Target {
        name: "cose_sign1",
        run: cose::sign1,
        seeds: cose::sign1_seeds,
    },
    Target {
        name: "cose_encrypt0",
        run: cose::encrypt0,
        seeds: cose::encrypt0_seeds,
    },
    Target {
        name: "cose_key",
        run: cose::key,
        seeds: cose::key_seeds,
    },
    Target {
        name: "credential_label",
        run: credential::label,
        seeds: credential::label_seeds,
    },
    Target {
        name: "credential_verifier",
        run: credential::verifier,
        seeds: credential::verifier_seeds,
    },
    Target {
        name: "credential_throttle",
        run: credential::throttle,
        seeds: credential::throttle_seeds,
    },
];
