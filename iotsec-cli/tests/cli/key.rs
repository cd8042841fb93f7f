use iotsec::core::{
    cose::Key,
    crypto::{Ed25519SigningKey, Sha256, Sign},
    secret::Secret,
};

use crate::bench::{Bench, LAMP};

/// A key file around a secret of the test's choice.
fn key_file(seed: [u8; 32]) -> Vec<u8> {
    let signer = Ed25519SigningKey::from_seed(&Secret::from_bytes(seed));
    let x: [u8; 32] = signer.public_key().try_into().unwrap();
    let mut out = [0; Key::MAX_LEN];
    Key::ed25519(&x)
        .with_secret(&seed)
        .write(&mut out)
        .unwrap()
        .to_vec()
}

#[test]
fn both_kinds_of_key_are_made_and_shown() {
    let bench = Bench::new("both_kinds_of_key_are_made_and_shown");
    for (kind, bytes) in [("ed25519", 32), ("p256", 65)] {
        bench.done(&format!("key new {kind} --kind {kind} --kid maker-1"));
        let private = bench.done(&format!("key show {kind}"));
        let public = bench.done(&format!("key show {kind}.pub"));
        assert!(private.contains("kid          \"maker-1\""), "{private}");
        assert_eq!(
            private.replace("private      in this file", "private      not in this file"),
            public
        );
        let (private, public) = (bench.read(kind), bench.read(&format!("{kind}.pub")));
        let (private, public) = (Key::parse(&private).unwrap(), Key::parse(&public).unwrap());
        assert!(private.secret().is_some() && public.secret().is_none());
        assert_eq!((private.x(), private.y()), (public.x(), public.y()));
        let shown = bench.done(&format!("key show {kind}.pub"));
        let shown = shown
            .lines()
            .find_map(|line| line.strip_prefix("public       "))
            .unwrap()
            .len();
        assert_eq!(shown, 2 * bytes);
    }
}

#[test]
fn two_keys_are_never_the_same() {
    let bench = Bench::new("two_keys_are_never_the_same");
    bench.done("key new a");
    bench.done("key new b");
    assert_ne!(bench.read("a"), bench.read("b"));
}

#[cfg(unix)]
#[test]
fn a_private_key_is_for_its_owner_alone() {
    let bench = Bench::new("a_private_key_is_for_its_owner_alone");
    bench.done("key new maker");
    assert_eq!(bench.mode("maker"), 0o600);
}

#[test]
fn a_key_never_replaces_another() {
    let bench = Bench::new("a_key_never_replaces_another");
    bench.done("key new maker");
    let before = (bench.read("maker"), bench.read("maker.pub"));
    bench.refused("key new maker", "maker exists already and is left as it is");
    assert_eq!(before, (bench.read("maker"), bench.read("maker.pub")));

    bench.write("other.pub", b"something");
    bench.refused("key new other", "other.pub exists already and is left as it is");
    assert!(!bench.path("other").exists(), "half a key is left");
}

#[test]
fn what_is_no_key_is_refused() {
    let bench = Bench::new("what_is_no_key_is_refused");
    bench.write("text", b"ssh-ed25519 AAAA");
    let run = bench.run("key show text");
    assert_eq!(run.status, Some(1));
    assert!(run.err.contains("text is not a COSE_Key"), "{}", run.err);
    assert_eq!(bench.run("key show missing").status, Some(1));
    let long = "k".repeat(65);
    assert_eq!(bench.run(&format!("key new a --kid {long}")).status, Some(2));
}

#[test]
fn a_key_goes_to_other_tools_and_back() {
    let bench = Bench::new("a_key_goes_to_other_tools_and_back");
    for kind in ["ed25519", "p256"] {
        bench.done(&format!("key new {kind} --kind {kind} --kid maker-1"));
        for format in ["pem", "der"] {
            let (private, public) = (format!("{kind}.{format}"), format!("{kind}-pub.{format}"));
            bench.done(&format!(
                "key export {kind} --private --format {format} --out {private}"
            ));
            bench.done(&format!("key export {kind} --format {format} --out {public}"));
            bench.done(&format!("key import {private} back-{private} --kid maker-1"));
            bench.done(&format!("key import {public} back-{public} --kid maker-1"));
            assert_eq!(bench.read(&format!("back-{private}")), bench.read(kind));
            for back in [format!("back-{private}.pub"), format!("back-{public}")] {
                assert_eq!(bench.read(&back), bench.read(&format!("{kind}.pub")));
            }
            // The other tool's file serves as it is.
            let (_, shown) = bench.json(&format!("key show {public}"));
            let (_, own) = bench.json(&format!("key show {kind}.pub"));
            assert_eq!(shown["fingerprint"], own["fingerprint"]);
            #[cfg(unix)]
            assert_eq!(
                (bench.mode(&private), bench.mode(&format!("back-{private}"))),
                (0o600, 0o600)
            );
        }
        bench.refused(
            &format!("key export {kind}.pub --private --out none.pem"),
            &format!("{kind}.pub holds a public key only"),
        );
    }
}

#[test]
fn what_another_tool_wrote_is_refused_unless_it_is_a_key() {
    let bench = Bench::new("what_another_tool_wrote_is_refused_unless_it_is_a_key");
    bench.write(
        "x.pem",
        b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
    );
    for line in ["key import x.pem x", "key show x.pem"] {
        bench.refused(line, "x.pem holds no Ed25519 or P-256 key");
    }
    assert!(!bench.path("x").exists());
}

#[test]
fn only_a_debug_build_trusts_a_key_that_everyone_has() {
    let bench = Bench::new("only_a_debug_build_trusts_a_key_that_everyone_has");
    bench.done("key new maker");
    bench.write("app.bin", &[1; 300]);
    let device = "--vendor-domain example.com --model lamp-2";
    bench.done(&format!(
        "update create {device} --sequence 2 --payload app.bin --integrated --key maker --out 2.suit"
    ));
    bench.write(
        "published",
        &key_file(Sha256::of(&[b"iotsec test vector key ed25519_a"])),
    );
    let run = bench.run(&format!(
        "update verify 2.suit {device} --key maker.pub --key published"
    ));
    assert!(
        run.err.contains("published holds a key that everyone has"),
        "{}",
        run.err
    );
    assert_eq!(run.status, Some(if cfg!(debug_assertions) { 0 } else { 1 }));
}

#[test]
fn the_keys_in_the_source_of_mcuboot_and_in_the_manifest_draft_are_known() {
    let bench = Bench::new("the_keys_in_the_source_of_mcuboot_and_in_the_manifest_draft_are_known");
    let bytes = |hex: &str| -> [u8; 32] {
        std::array::from_fn(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap())
    };
    let x = bytes("d4b31ba49a3add3f825d10ca7f31b50b0de87f37ccc49f1a403a5c1320ffb4e0");
    let mut out = [0; Key::MAX_LEN];
    bench.write("mcuboot", Key::ed25519(&x).write(&mut out).unwrap());
    let draft = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../vectors/suit/keys/p256_ietf_example.pub.hex"
    );
    let point = std::fs::read_to_string(draft).unwrap();
    let (x, y) = (bytes(&point[2..66]), bytes(&point[66..130]));
    bench.write("draft", Key::p256(&x, &y).write(&mut out).unwrap());
    for (key, origin) in [
        ("mcuboot", "it is in the source of MCUboot"),
        ("draft", "it is the example of draft-ietf-suit-manifest"),
    ] {
        let run = bench.run(&format!(
            "trust init --vendor-domain example.com --model lamp-2 --root {key} --update {key} --key none --out none"
        ));
        let told = format!("{key} holds a key that everyone has: {origin}");
        assert!(run.err.contains(&told), "{}", run.err);
    }
}

#[test]
fn only_a_debug_build_signs_with_a_key_that_everyone_has() {
    let bench = Bench::new("only_a_debug_build_signs_with_a_key_that_everyone_has");
    bench.write(
        "published",
        &key_file(Sha256::of(&[b"iotsec test vector key ed25519_a"])),
    );
    bench.write("constant", &key_file([7; 32]));
    bench.write("iotsec.toml", LAMP.as_bytes());
    for key in ["published", "constant"] {
        let line = format!("provision batch --manifest iotsec.toml --count 1 --key {key} --out batch-{key}");
        let run = bench.run(&line);
        let reason = format!("{key} holds a key that everyone has");
        assert!(run.err.contains(&reason), "{}", run.err);
        if cfg!(debug_assertions) {
            assert_eq!(run.status, Some(0));
            assert!(run.err.starts_with("iotsec: warning: "), "{}", run.err);
        } else {
            assert_eq!(run.status, Some(1));
            assert!(!bench.path(&format!("batch-{key}")).exists());
        }
    }
}

#[test]
fn a_private_half_that_does_not_belong_to_the_public_one_does_not_sign() {
    let bench = Bench::new("a_private_half_that_does_not_belong_to_the_public_one_does_not_sign");
    bench.done("key new maker");
    let mut bytes = bench.read("maker");
    *bytes.last_mut().unwrap() ^= 1;
    bench.write("mixed", &bytes);
    bench.write("iotsec.toml", LAMP.as_bytes());
    let run = bench.run("provision batch --manifest iotsec.toml --count 1 --key mixed --out batch");
    assert_eq!(run.status, Some(1));
    assert!(run.err.contains("public key refused"), "{}", run.err);
}
