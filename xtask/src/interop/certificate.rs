//! The verifier of certificates against x509-limbo, the test suite of the authors of pyca/cryptography.
//!
//! What a device must not accept and does is a failure, unless it is listed here with its reason. What it refuses and
//! might accept is the policy of a device, and listed by its error.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use iotsec::{
    core::{error::ErrorCode, hal::UnixTime, input::Host},
    net::{
        certificate::{
            CertificateError, Revocation, RevocationList, ServerPolicy, SignatureVerificationAlgorithm,
            TrustAnchor, Wildcards, verify_server_chain,
        },
        time::CertificateTime,
    },
};
use serde_json::Value;
use webpki::ring;

use super::{Place, Venv};
use crate::tool::{self, Failure};

/// What the suite's own code needs.
const PACKAGES: &[&str] = &[
    "cryptography==46.0.3",
    "pydantic==2.13.0",
    "requests",
    "pyyaml",
    "Jinja2",
];

/// What is accepted although the suite would not, and why.
const ACCEPTED: &[(&str, &[&str])] = &[
    (
        "key identifiers help to find a path and prove nothing: names and signatures do",
        &[
            "rfc5280::aki::cross-signed-root-missing-aki",
            "rfc5280::aki::intermediate-missing-aki",
            "rfc5280::aki::leaf-missing-aki",
            "rfc5280::ski::intermediate-missing-ski",
            "rfc5280::ski::root-missing-ski",
            "webpki::aki::root-with-aki-all-fields",
            "webpki::aki::root-with-aki-authoritycertissuer",
            "webpki::aki::root-with-aki-authoritycertserialnumber",
            "webpki::aki::root-with-aki-missing-keyidentifier",
            "webpki::aki::root-with-aki-ski-mismatch",
        ],
    ),
    (
        "the common name is not read: the alternative names are right",
        &[
            "webpki::cn::case-mismatch",
            "webpki::cn::ipv4-hex-mismatch",
            "webpki::cn::ipv4-leading-zeros-mismatch",
            "webpki::cn::ipv6-non-rfc5952-mismatch",
            "webpki::cn::ipv6-uncompressed-mismatch",
            "webpki::cn::ipv6-uppercase-mismatch",
            "webpki::cn::not-in-san",
            "webpki::cn::punycode-not-in-san",
            "webpki::cn::utf8-vs-punycode-mismatch",
        ],
    ),
    (
        "public suffixes are not known here; wildcards are off unless the maker, whose CA it is, turns them on",
        &[
            "webpki::san::public-suffix-multi-label-wildcard-san",
            "webpki::san::public-suffix-private-namespace-wildcard-san",
        ],
    ),
    (
        "what is written in a form that the profile forbids means the same",
        &[
            "crl::crlnumber-critical",
            "crl::crlnumber-missing",
            "rfc5280::nc::invalid-dnsname-leading-period",
            "webpki::eku::ee-critical-eku",
            "webpki::san::san-critical-with-nonempty-subject",
        ],
    ),
    (
        "nothing is decided by it: policies, places of issuers' certificates, purposes of anchors",
        &[
            "rfc5280::pc::ica-noncritical-pc",
            "webpki::eku::root-has-eku",
            "webpki::malformed-aia",
        ],
    ),
    (
        "the length of a chain is bounded by four and not by the caller",
        &[
            "pathlen::max-chain-depth-0-exhausted",
            "pathlen::max-chain-depth-1-exhausted",
        ],
    ),
];

/// Those of ring: the suite has RSA and P-384 as well.
const ALGORITHMS: &[&dyn SignatureVerificationAlgorithm] = &[
    ring::ECDSA_P256_SHA256,
    ring::ECDSA_P256_SHA384,
    ring::ECDSA_P384_SHA256,
    ring::ECDSA_P384_SHA384,
    ring::ED25519,
    ring::RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
    ring::RSA_PSS_2048_8192_SHA384_LEGACY_KEY,
    ring::RSA_PSS_2048_8192_SHA512_LEGACY_KEY,
    ring::RSA_PKCS1_2048_8192_SHA256,
    ring::RSA_PKCS1_2048_8192_SHA384,
    ring::RSA_PKCS1_2048_8192_SHA512,
];

pub(super) fn check(place: &Place, checkout: Option<&Path>) -> Result<(), Failure> {
    let Some(checkout) = checkout else {
        println!(
            "x509-limbo: NOT RUN, it is on no package registry: git clone https://github.com/C2SP/x509-limbo, and say \
             --x509-limbo FOLDER"
        );
        return Ok(());
    };
    let python = Venv::new(&place.root.join("target/interop/venv-limbo"), PACKAGES)?;
    let cases = place.work.join("limbo.jsonl");
    let mut make = python.script(&place.root, "x509_limbo.py");
    tool::run(
        make.arg(&cases)
            .env("PYTHONPATH", checkout)
            .env("PYTHONWARNINGS", "ignore"),
    )?;
    judge(&fs::read_to_string(cases)?)
}

fn judge(cases: &str) -> Result<(), Failure> {
    let (mut accepted, mut refused, mut known) = (0, 0, 0);
    let mut strict: BTreeMap<u16, Vec<String>> = BTreeMap::new();
    let mut wrong = Vec::new();
    for line in cases.lines() {
        let case: Value = serde_json::from_str(line)?;
        let id = case["id"].as_str().ok_or("a case without a name")?.to_owned();
        let is_good = case["good"].as_bool().ok_or("a case without an answer")?;
        let answer = verify(&case)?;
        match (answer, is_good) {
            (Ok(()), true) => accepted += 1,
            (Err(_), false) => refused += 1,
            (Err(code), true) => strict.entry(code).or_default().push(id),
            (Ok(()), false) if ACCEPTED.iter().any(|(_, known)| known.contains(&id.as_str())) => known += 1,
            (Ok(()), false) => wrong.push(id),
        }
    }
    let stricter: usize = strict.values().map(Vec::len).sum();
    println!(
        "x509-limbo: {accepted} accepted and {refused} refused as they should be, {stricter} refused by a device's \
         policy, {known} accepted for a reason"
    );
    for (code, cases) in strict {
        println!("  refused with {code}: {}", cases.join(", "));
    }
    if !wrong.is_empty() {
        return Err(format!("x509-limbo: accepted and should not be: {wrong:#?}").into());
    }
    let listed: usize = ACCEPTED.iter().map(|(_, cases)| cases.len()).sum();
    if known < listed || accepted == 0 {
        return Err(format!("x509-limbo: {listed} cases are listed as accepted, and {known} were").into());
    }
    for (reason, cases) in ACCEPTED {
        println!("  accepted, {}: {reason}", cases.len());
    }
    Ok(())
}

/// The number of the error, if the case is refused.
fn verify(case: &Value) -> Result<Result<(), u16>, Failure> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let time = CertificateTime::exact(UnixTime(case["time"].as_u64().unwrap_or(now)));
    let certificates = |name: &str| -> Result<Vec<Vec<u8>>, Failure> {
        let list = case[name].as_array().ok_or("a case without certificates")?;
        list.iter()
            .map(|one| bytes(one.as_str().unwrap_or_default()))
            .collect()
    };
    let (anchors, chain, lists) = (
        certificates("anchors")?,
        certificates("chain")?,
        certificates("lists")?,
    );
    let mut code = 0;
    let mut trusted = Vec::new();
    for anchor in &anchors {
        match TrustAnchor::from_der(anchor, time) {
            Ok(anchor) => trusted.push(anchor),
            Err(error) => code = error.code(),
        }
    }
    if trusted.is_empty() {
        return Ok(Err(code));
    }
    let name = case["name"].as_str().unwrap_or_default();
    let bracketed = format!("[{name}]");
    let name = if case["address"].as_bool() == Some(true) && name.contains(':') {
        &bracketed
    } else {
        name
    };
    let host = match Host::parse(name.as_bytes()) {
        Ok(host) => host,
        Err(error) => return Ok(Err(error.code())),
    };
    let policy = ServerPolicy::new(&trusted, ALGORITHMS)?;
    let mut policy = policy.with_ip().with_wildcards(Wildcards::LeftmostLabel);
    let lists: Result<Vec<_>, CertificateError> =
        lists.iter().map(|list| RevocationList::from_der(list)).collect();
    let lists = match lists {
        Ok(lists) => lists,
        Err(error) => return Ok(Err(error.code())),
    };
    if !lists.is_empty() {
        policy = policy.with_revocation(Revocation::new(&lists)?);
    }
    let chain: Vec<&[u8]> = chain.iter().map(Vec::as_slice).collect();
    let answer = verify_server_chain(&chain, &host, time, &policy);
    Ok(answer.map(|_| ()).map_err(|error| error.code()))
}

fn bytes(hex: &str) -> Result<Vec<u8>, Failure> {
    let pairs = hex.as_bytes().chunks(2);
    let byte = |pair| Ok(u8::from_str_radix(std::str::from_utf8(pair)?, 16)?);
    pairs.map(byte).collect()
}
