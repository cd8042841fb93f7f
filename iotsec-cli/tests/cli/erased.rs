//! Deletion receipts, checked as an owner or a service checks them.

use iotsec::{
    core::{
        cose::Key,
        crypto::{Ed25519SigningKey, Sha256},
        hal::{Millis, UnixTime},
        secret::Secret,
    },
    erase::{Erased, Reason, Scope},
};
use serde_json::json;

use crate::bench::Bench;

const RESET: Erased<'_> = Erased {
    reason: Reason::Reset,
    scope: Scope::User,
    erasures: 2,
    values: 6,
    scrubbed: true,
    boot: 40,
    uptime: Some(Millis(61_500)),
    time: Some(UnixTime(1_790_000_000)),
    nonce: Some(b"asked at noon"),
};
/// `asked at noon`.
const NONCE: &str = "61736b6564206174206e6f6f6e";

/// Signs with the identity key of the bench's device.
fn sign(bench: &Bench, name: &str, erased: &Erased<'_>) {
    let file = bench.read("lamp");
    let seed = Secret::from_bytes(*Key::parse(&file).unwrap().secret().unwrap());
    let mut out = [0; Erased::MAX_LEN];
    let key = Ed25519SigningKey::from_seed(&seed);
    let receipt = erased.sign(&key, &mut Sha256::new(), &mut out).unwrap();
    bench.write(name, receipt);
}

fn bench(test: &str) -> Bench {
    let bench = Bench::new(test);
    bench.done("key new lamp");
    bench.done("key new other");
    sign(&bench, "receipt", &RESET);
    bench
}

#[test]
fn a_receipt_is_shown_with_what_it_proves() {
    let bench = bench("a_receipt_is_shown_with_what_it_proves");
    let shown = bench.done(&format!("erased verify receipt --key lamp.pub --nonce {NONCE}"));
    for line in [
        "receipt: genuine",
        "reason     reset: the owner gave the device up",
        "scope      everything of the owner's",
        "values     6",
        "scrubbed   yes, even the ciphertext is gone",
        "erasure    number 2 of this device",
        "time       2026-09-21T14:13:20Z",
        "boot       40, 61 s after its begin",
        "nonce      61736b6564206174206e6f6f6e",
        "- it was signed after the nonce was given",
        "- that no copy is left elsewhere, in a service or on a telephone",
    ] {
        assert!(
            shown.lines().any(|shown| shown == line),
            "{line} is not in\n{shown}"
        );
    }
    let fingerprint = bench.done("key show lamp.pub");
    let fingerprint = fingerprint
        .lines()
        .find_map(|line| line.strip_prefix("fingerprint  "));
    assert!(shown.contains(&format!("device     {}\n", fingerprint.unwrap())));
}

#[test]
fn programs_get_every_field() {
    let bench = bench("programs_get_every_field");
    let (status, value) = bench.json(&format!("erased verify receipt --key lamp.pub --nonce {NONCE}"));
    assert_eq!(status, Some(0));
    for (name, expected) in [
        ("genuine", json!(true)),
        ("reason", json!("reset")),
        ("scope", json!("user")),
        ("namespaces", json!(null)),
        ("values", json!(6)),
        ("scrubbed", json!(true)),
        ("erasures", json!(2)),
        ("time", json!(1_790_000_000)),
        ("boot", json!(40)),
        ("uptime_ms", json!(61_500)),
        ("nonce", json!(NONCE)),
    ] {
        assert_eq!(value[name], expected, "{name}");
    }
    assert!(value["proves"].as_array().unwrap().len() >= 2);
}

#[test]
fn what_it_does_not_prove_depends_on_what_it_says() {
    let bench = bench("what_it_does_not_prove_depends_on_what_it_says");
    let without = bench.done("erased verify receipt --key lamp.pub");
    assert!(without.contains("- that it is new: without --nonce it may be a copy of any age\n"));
    let retired = Erased {
        reason: Reason::Retirement,
        scope: Scope::Device,
        scrubbed: false,
        time: None,
        ..RESET
    };
    sign(&bench, "retired", &retired);
    let retired = bench.done("erased verify retired --key lamp.pub");
    assert!(
        retired.contains("- that it has finished: it was signed before its key was destroyed\n"),
        "{retired}"
    );
    assert!(retired.contains("time       not known to the device\n"));
    let some = Erased {
        reason: Reason::Request,
        scope: Scope::Namespaces(&[2, 7]),
        scrubbed: false,
        ..RESET
    };
    sign(&bench, "some", &some);
    let some = bench.done("erased verify some --key lamp.pub");
    assert!(some.contains("scope      namespaces 2, 7 of the owner's data\n"));
    assert!(some.contains("its pages were still to be erased\n"), "{some}");
}

#[test]
fn what_is_not_genuine_is_refused_with_its_number() {
    let bench = bench("what_is_not_genuine_is_refused_with_its_number");
    bench.refused(
        "erased verify receipt --key other.pub",
        "receipt refused: signature does not verify (error 1201)",
    );
    bench.refused(
        "erased verify receipt --key lamp.pub --nonce 0011223344556677",
        "receipt refused: deletion receipt is not for this nonce (error 6205)",
    );
    let mut bytes = bench.read("receipt");
    bytes.push(0);
    bench.write("longer", &bytes);
    let run = bench.run("erased verify longer --key lamp.pub");
    assert_eq!((run.status, run.out.as_str()), (Some(1), ""));
    bench.write("key", b"no receipt");
    assert_eq!(bench.run("erased verify key --key lamp.pub").status, Some(1));
    for wrong in ["00", "001122334455667", "zz11223344556677"] {
        let run = bench.run(&format!("erased verify receipt --key lamp.pub --nonce {wrong}"));
        assert_eq!(run.status, Some(2), "{wrong}");
    }
}
