use iotsec::core::{
    cose::Key,
    crypto::{Ed25519SigningKey, Sha256, Sign},
    secret::Secret,
};

use crate::bench::Bench;

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
        assert!(private.contains("kid     \"maker-1\""), "{private}");
        assert_eq!(
            private.replace("private in this file", "private not in this file"),
            public
        );
        let (private, public) = (bench.read(kind), bench.read(&format!("{kind}.pub")));
        let (private, public) = (Key::parse(&private).unwrap(), Key::parse(&public).unwrap());
        assert!(private.secret().is_some() && public.secret().is_none());
        assert_eq!((private.x(), private.y()), (public.x(), public.y()));
        let shown = bench.done(&format!("key show {kind}.pub"));
        let shown = shown
            .lines()
            .find_map(|line| line.strip_prefix("public  "))
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
    bench.misused(&format!("key new a --kid {long}"), "--kid takes 1 to 64 bytes");
}

#[test]
fn only_a_debug_build_signs_with_a_key_that_everyone_has() {
    let bench = Bench::new("only_a_debug_build_signs_with_a_key_that_everyone_has");
    bench.write(
        "published",
        &key_file(Sha256::of(&[b"iotsec test vector key ed25519_a"])),
    );
    bench.write("constant", &key_file([7; 32]));
    for key in ["published", "constant"] {
        let line = format!(
            "provision batch --product lamp --serial-prefix L --count 1 --key {key} --out batch-{key}"
        );
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
    let run = bench.run("provision batch --product lamp --serial-prefix L --count 1 --key mixed --out batch");
    assert_eq!(run.status, Some(1));
    assert!(run.err.contains("public key refused"), "{}", run.err);
}
