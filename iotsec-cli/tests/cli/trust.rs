//! Trust bundles from the first to the next, and what is signed under them.

use iotsec::{
    core::crypto::{PublicKey, Sha256},
    update::{
        DeviceIdentity,
        trust::{Role, Trust, TrustBundle},
    },
};
use serde_json::json;

use crate::bench::Bench;

const TARGET: &str = "--vendor-domain example.com --model lamp-2";

/// Keys for every role, and the first bundle: two of three root keys sign.
fn made(test: &str) -> Bench {
    let bench = Bench::new(test);
    for key in ["root1", "root2", "root3", "build", "fresh", "rescue"] {
        bench.done(&format!("key new {key} --kid {key}"));
    }
    bench.done(&format!(
        "trust init {TARGET} --root root1.pub --root root2.pub --root root3.pub --root-threshold 2 \
         --update build.pub --freshness fresh.pub --recovery rescue.pub --expires 2999-12-31 \
         --key root1 --key root2 --out 1.trust"
    ));
    bench
}

/// The device reads the bundle of a file after those before it; its version.
fn device_at(bench: &Bench, files: &[&str]) -> u64 {
    let messages: Vec<_> = files.iter().map(|file| bench.read(file)).collect();
    let (mut hash, mut scratch) = (Sha256::new(), vec![0; TrustBundle::MAX_LEN]);
    let (_, value) = bench.json(&format!("trust inspect {}", files[0]));
    let id = |name: &str| {
        uuid::Uuid::parse_str(value[name].as_str().unwrap())
            .unwrap()
            .into_bytes()
    };
    let device = DeviceIdentity {
        vendor: id("vendor"),
        class: id("class"),
        device: None,
        components: &[],
    };
    let load = PublicKey::from_cose;
    let mut trust = Trust::factory(&messages[0], &device, load, &mut hash, &mut scratch).unwrap();
    for message in &messages[1..] {
        let step = trust
            .rotate(message, &device, load, &mut hash, &mut scratch)
            .unwrap();
        trust = step.unwrap().into_trust();
    }
    assert!(trust.keys(Role::Update, None, load).is_ok());
    trust.bundle().version()
}

#[test]
fn a_first_bundle_is_made_and_shown() {
    let bench = made("a_first_bundle_is_made_and_shown");
    assert_eq!(device_at(&bench, &["1.trust"]), 1);
    let shown = bench.done("trust inspect 1.trust");
    assert!(
        shown.contains("version  1\nexpires  2999-12-31 (32503679999)"),
        "{shown}"
    );
    assert!(shown.contains("root: 2 of 3"), "{shown}");
    assert_eq!(shown.matches("has signed").count(), 2, "{shown}");
    assert!(shown.contains("by its own root: accepted"), "{shown}");
    let (status, value) = bench.json("trust inspect 1.trust");
    assert_eq!(status, Some(0));
    assert_eq!(value["kind"], "bundle");
    assert_eq!(value["roles"]["root"]["threshold"], 2);
    assert_eq!(value["roles"]["update"]["keys"][0]["signed"], false);
    assert_eq!(value["own_root"], json!({ "accepted": true }));
    assert_eq!(value["next"], json!(null));
    let (_, key) = bench.json("key show build.pub");
    assert_eq!(
        value["roles"]["update"]["keys"][0]["fingerprint"],
        key["fingerprint"]
    );
}

#[test]
fn too_few_signers_are_refused_and_may_sign_one_after_the_other() {
    let bench = made("too_few_signers_are_refused_and_may_sign_one_after_the_other");
    bench.done("key new build2");
    let rotate = "trust rotate 1.trust --update build2.pub --key root1";
    bench.refused(
        &format!("{rotate} --out 2.trust"),
        "trust bundle cannot be made: too few signatures by the present root (error 2220)",
    );
    assert!(!bench.path("2.trust").exists());
    let started = bench.done(&format!("{rotate} --unfinished --out 2.part"));
    assert!(started.contains("UNFINISHED"), "{started}");
    let run = bench.run("trust sign 2.part --key root1 --out 2.trust");
    assert!(run.err.contains("root1 has signed 2.part already"), "{run:?}");
    bench.done("trust sign 2.part --key root3 --out 2.trust");
    assert_eq!(device_at(&bench, &["1.trust", "2.trust"]), 2);
    let shown = bench.done("trust inspect 2.trust --under 1.trust");
    assert!(shown.contains("as the next bundle: accepted"), "{shown}");
    let shown = bench.done("trust inspect 2.part --under 1.trust");
    assert!(
        shown.contains("as the next bundle: refused: too few signatures by the present root (error 2220)"),
        "{shown}"
    );
}

#[test]
fn every_root_key_can_be_exchanged() {
    let bench = made("every_root_key_can_be_exchanged");
    bench.done("key new next1");
    bench.done("key new next2 --kind p256");
    let rotate = "trust rotate 1.trust --root next1.pub --root next2.pub";
    bench.refused(
        &format!("{rotate} --key root1 --key root2 --out 2.trust"),
        "trust bundle cannot be made: too few signatures by its own root (error 2221)",
    );
    bench.done(&format!(
        "{rotate} --key root1 --key root2 --key next1 --key next2 --out 2.trust"
    ));
    bench.done("trust rotate 2.trust --no-expiry --key next1 --key next2 --out 3.trust");
    assert_eq!(device_at(&bench, &["1.trust", "2.trust", "3.trust"]), 3);
    let (_, value) = bench.json("trust inspect 3.trust --under 1.trust");
    assert_eq!(
        (&value["next"]["number"], &value["expires"]),
        (&json!(2220), &json!(null))
    );
}

#[test]
fn a_revoked_key_is_out_of_every_role_for_good() {
    let bench = made("a_revoked_key_is_out_of_every_role_for_good");
    bench.done("key new build2");
    let revoke = "trust revoke 1.trust --revoke build.pub";
    bench.refused(
        &format!("{revoke} --key root1 --key root2 --out 2.trust"),
        "the update role needs 1 keys and is left with 0",
    );
    let made = bench.done(&format!(
        "{revoke} --update build2.pub --key root1 --key root2 --out 2.trust"
    ));
    assert!(
        made.contains("counts no more: what it signed and still runs will not boot"),
        "{made}"
    );
    assert_eq!(device_at(&bench, &["1.trust", "2.trust"]), 2);
    let (_, key) = bench.json("key show build.pub");
    let (_, value) = bench.json("trust inspect 2.trust");
    assert_eq!(value["revoked"], json!([key["fingerprint"]]));
    bench.refused(
        "trust rotate 2.trust --update build.pub --key root1 --key root2 --out 3.trust",
        "trust bundle cannot be made: key is revoked (error 2211)",
    );

    // A root key does not sign its own successor; the other two do.
    bench.refused(
        "trust revoke 2.trust --revoke root1.pub --key root1 --key root2 --out 3.trust",
        "trust bundle cannot be made: too few signatures by the present root (error 2220)",
    );
    let (_, root) = bench.json("key show root1.pub");
    let fingerprint = root["fingerprint"].as_str().unwrap();
    bench.done(&format!(
        "trust revoke 2.trust --revoke {fingerprint} --key root2 --key root3 --out 3.trust"
    ));
    assert_eq!(device_at(&bench, &["1.trust", "2.trust", "3.trust"]), 3);
}

#[test]
fn tls_anchors_travel_along_and_can_be_left_out() {
    let bench = made("tls_anchors_travel_along_and_can_be_left_out");
    bench.write("ca.der", &[&[0x30, 0x82][..], &[7; 300]].concat());
    bench.write("ca.pem", b"-----BEGIN CERTIFICATE-----");
    let spki = "5a".repeat(32);
    let keys = "--key root1 --key root2";
    bench.refused(
        &format!("trust rotate 1.trust --tls-cert ca.pem {keys} --out 2.trust"),
        "ca.pem is not a certificate in DER",
    );
    bench.done(&format!(
        "trust rotate 1.trust --tls-cert ca.der --tls-spki {spki} {keys} --out 2.trust"
    ));
    let (_, value) = bench.json("trust inspect 2.trust");
    assert_eq!(value["tls"][1], json!({ "kind": "spki-sha256", "value": spki }));
    assert_eq!(value["tls"][0]["kind"], "certificate");
    bench.done(&format!("trust rotate 2.trust {keys} --out 3.trust"));
    let (_, value) = bench.json("trust inspect 3.trust");
    assert_eq!(value["tls"].as_array().unwrap().len(), 2);
    bench.done(&format!("trust rotate 3.trust --no-tls {keys} --out 4.trust"));
    let (_, value) = bench.json("trust inspect 4.trust");
    assert_eq!(value["tls"], json!([]));
}

#[test]
fn statements_and_tokens_are_signed_by_their_role_over_genuine_envelopes() {
    let bench = made("statements_and_tokens_are_signed_by_their_role_over_genuine_envelopes");
    bench.write("app.bin", &[5; 500]);
    for sequence in [2, 3] {
        bench.done(&format!(
            "update create {TARGET} --sequence {sequence} --payload app.bin --integrated --key build --out {sequence}.suit"
        ));
    }
    bench.done(&format!(
        "update create {TARGET} --sequence 4 --payload app.bin --integrated --key rescue --out 4.suit"
    ));
    let nonce = "0f".repeat(16);
    let latest = |envelope: &str, key: &str| {
        format!("trust latest --trust 1.trust --envelope {envelope} --nonce {nonce} --key {key} --out latest")
    };
    bench.refused(
        &latest("4.suit", "fresh"),
        "4.suit refused: too few trusted signatures (error 2022)",
    );
    bench.refused(
        &latest("3.suit", "rescue"),
        "rescue does not have the freshness role in this bundle",
    );
    bench.done(&latest("3.suit", "fresh"));
    let (_, value) = bench.json("trust inspect latest --under 1.trust");
    assert_eq!(
        (&value["kind"], &value["sequence"]),
        (&json!("latest"), &json!(3))
    );
    assert_eq!(
        (&value["nonce"], &value["signed"]),
        (&json!(nonce), &json!({ "accepted": true }))
    );

    let device = "00112233-4455-6677-8899-aabbccddeeff";
    let downgrade = |from: &str, to: &str| {
        format!(
            "trust downgrade --trust 1.trust --device {device} --from {from} --to {to} --key rescue --out back"
        )
    };
    bench.misused(
        &downgrade("2.suit", "3.suit"),
        "3.suit has sequence 3, which is not below 2 of 2.suit",
    );
    bench.done(&downgrade("3.suit", "2.suit"));
    let (_, token) = bench.json("trust inspect back --under 1.trust");
    assert_eq!(
        (&token["kind"], &token["device"]),
        (&json!("downgrade"), &json!(device))
    );
    assert_eq!(token["from"], value["manifest"]);
    assert_eq!(token["signed"], json!({ "accepted": true }));
    // A token is no bundle.
    bench.refused(
        "trust rotate back --key root1 --out 2.trust",
        "back refused: not this kind of document, or another version of it (error 2201)",
    );
}

#[test]
fn a_wrong_bundle_is_told_what_to_do() {
    let bench = made("a_wrong_bundle_is_told_what_to_do");
    let init = format!("trust init {TARGET} --root root1.pub --update build.pub");
    bench.refused(
        &format!("{init} --root-threshold 2 --key root1 --out x"),
        "trust bundle cannot be made: threshold of zero or out of reach (error 2209)",
    );
    bench.misused(
        &format!("{init} --recovery-threshold 1 --key root1 --out x"),
        "--recovery-threshold without --recovery",
    );
    bench.misused(
        &format!("{init} --key root1 --key root1 --out x"),
        "one key signs twice: a device counts it once",
    );
    bench.refused(
        &format!("trust init {TARGET} --root root1.pub --key root1 --out x"),
        "trust bundle cannot be made: unknown role, or a required one is missing (error 2207)",
    );
    bench.refused(
        &format!("{init} --key root1 --out 1.trust"),
        "1.trust exists already and is left as it is",
    );
    bench.misused(
        &format!("{init} --expires 2020-01-01 --key root1 --out x"),
        "the bundle would have expired already",
    );
    bench.write("half", &bench.read("1.trust")[..200]);
    let run = bench.run("trust inspect half");
    assert_eq!(run.status, Some(1));
    assert!(run.err.contains("half refused"), "{run:?}");
    let (status, value) = bench.json(&format!("{init} --root-threshold 2 --key root1 --out x"));
    assert_eq!((status, &value["error"]["number"]), (Some(1), &json!(2209)));
    assert_eq!(value["error"]["name"], "Threshold");
}
