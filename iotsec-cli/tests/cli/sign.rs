//! Signatures that are added later, and those that are made elsewhere.

use iotsec::core::{
    cose::Key,
    crypto::{Ed25519SigningKey, P256SigningKey, Sign},
    secret::Secret,
};

use crate::bench::Bench;

const DEVICE: &str = "--vendor-domain example.com --model lamp-2";

/// An envelope that nobody has signed yet, and three keys.
fn release(test: &str) -> Bench {
    let bench = Bench::new(test);
    bench.done("key new maker --kid maker-1");
    bench.done("key new operator --kind p256 --kid operator-1");
    bench.done("key new stranger");
    bench.write("app.bin", &[7; 3000]);
    let out = bench.done(&format!(
        "update create {DEVICE} --sequence 2 --payload app.bin --integrated --unsigned --out new.suit"
    ));
    assert!(out.contains("not signed yet"), "{out}");
    bench
}

/// Stands for a signer that has the key and nothing of ours.
fn elsewhere(bench: &Bench, key: &str, message: &[u8]) -> [u8; 64] {
    let file = bench.read(key);
    let key = Key::parse(&file).unwrap();
    let secret = Secret::from_bytes(*key.secret().unwrap());
    let mut signature = [0; 64];
    if key.y().is_some() {
        let signer = P256SigningKey::from_scalar(&secret).unwrap();
        signer.sign(message, &mut signature).unwrap();
    } else {
        Ed25519SigningKey::from_seed(&secret)
            .sign(message, &mut signature)
            .unwrap();
    }
    signature
}

#[test]
fn an_envelope_is_signed_by_one_after_the_other() {
    let bench = release("an_envelope_is_signed_by_one_after_the_other");
    bench.refused(
        &format!("update verify new.suit {DEVICE} --key maker.pub"),
        "new.suit refused: envelope is not signed (error 2021)",
    );
    let out = bench.done("update sign new.suit --key maker --out one.suit");
    assert!(
        out.contains("1 signature(s)") && out.contains("\"maker-1\""),
        "{out}"
    );
    bench.done("update sign one.suit --key operator --out two.suit");
    let verify = format!("update verify two.suit {DEVICE} --key maker.pub --key operator.pub --threshold 2");
    bench.done(&verify);
    bench.done("update sign new.suit --key maker --key operator --out both.suit");
    // P-256 signatures are deterministic here, so the order of signing is all that could differ.
    assert_eq!(bench.read("two.suit"), bench.read("both.suit"));
    bench.refused(
        "update sign two.suit --key maker --out three.suit",
        "two.suit bears a signature of this key already",
    );
    assert!(!bench.path("three.suit").exists());
}

#[test]
fn a_signed_envelope_is_that_which_create_signs_itself() {
    let bench = release("a_signed_envelope_is_that_which_create_signs_itself");
    bench.done(&format!(
        "update create {DEVICE} --sequence 2 --payload app.bin --integrated --key maker --out own.suit"
    ));
    bench.done("update sign new.suit --key maker --out signed.suit");
    assert_eq!(bench.read("own.suit"), bench.read("signed.suit"));
}

#[test]
fn a_signature_made_elsewhere_is_taken_when_it_verifies() {
    let bench = release("a_signature_made_elsewhere_is_taken_when_it_verifies");
    for (key, kind) in [("maker", "ed25519"), ("operator", "p256")] {
        bench.done(&format!(
            "update sign new.suit --kind {kind} --vector-to-sign {key}.tbs"
        ));
        bench.done(&format!(
            "update sign new.suit --public {key}.pub --vector-to-sign {key}.same"
        ));
        let message = bench.read(&format!("{key}.tbs"));
        assert_eq!(message, bench.read(&format!("{key}.same")));
        // Sig_structure = ["Signature1", protected, external_aad, payload]
        assert!(message.starts_with(b"\x84\x6aSignature1"), "{message:02x?}");

        let mut signature = elsewhere(&bench, key, &message);
        bench.write("good.sig", &signature);
        signature[40] ^= 1;
        bench.write("bad.sig", &signature);
        bench.write("short.sig", &signature[..63]);
        let sign = format!("update sign new.suit --public {key}.pub --out {key}.suit");
        for bad in ["bad", "short"] {
            bench.refused(
                &format!("{sign} --signature {bad}.sig"),
                "new.suit refused: signature does not verify (error 1201)",
            );
            assert!(!bench.path(&format!("{key}.suit")).exists());
        }
        bench.done(&format!("{sign} --signature good.sig"));
        bench.done(&format!("update verify {key}.suit {DEVICE} --key {key}.pub"));
        // What one signer made is nothing for another.
        bench.refused(
            "update sign new.suit --public stranger.pub --signature good.sig --out none.suit",
            "new.suit refused: signature does not verify (error 1201)",
        );
    }
    // The kid comes from the public key file, unless another one is given.
    let (_, shown) = bench.json("update inspect maker.suit");
    assert!(shown.to_string().contains("maker-1"), "{shown}");
}

#[test]
fn nobody_signs_the_digest_of_another_manifest() {
    let bench = release("nobody_signs_the_digest_of_another_manifest");
    let mut bytes = bench.read("new.suit");
    let at = bytes.windows(8).position(|window| window == b"#payload").unwrap();
    bytes[at + 1] = b'P';
    bench.write("changed.suit", &bytes);
    for how in [
        "--key maker --out out.suit",
        "--kind p256 --vector-to-sign out.suit",
    ] {
        bench.refused(
            &format!("update sign changed.suit {how}"),
            "changed.suit refused: signed digest is of another manifest (error 2023)",
        );
    }
    assert!(!bench.path("out.suit").exists());
}

#[test]
fn a_signing_line_that_asks_for_two_ways_or_none_is_refused() {
    let bench = release("a_signing_line_that_asks_for_two_ways_or_none_is_refused");
    bench.write("a.sig", &[0; 64]);
    for line in [
        "--out out.suit",
        "--key maker",
        "--key maker --vector-to-sign out.suit",
        "--key maker --signature a.sig --public maker.pub --out out.suit",
        "--signature a.sig --out out.suit",
        "--vector-to-sign out.suit",
        "--vector-to-sign out.suit --kind p256 --out other.suit",
        "--pkcs11-module lib.so --out out.suit",
    ] {
        assert_eq!(
            bench.run(&format!("update sign new.suit {line}")).status,
            Some(2),
            "{line}"
        );
    }
    assert!(!bench.path("out.suit").exists());
}

#[test]
fn a_token_that_cannot_be_opened_is_told() {
    let bench = release("a_token_that_cannot_be_opened_is_told");
    let run = bench.run("update sign new.suit --pkcs11-module ./none.so --pkcs11-key maker --out out.suit");
    assert_eq!(run.status, Some(1));
    assert!(run.err.contains("token: library cannot be loaded"), "{}", run.err);
}

#[test]
fn a_large_payload_that_is_carried_stays_with_its_envelope() {
    let bench = release("a_large_payload_that_is_carried_stays_with_its_envelope");
    bench.write("big.bin", &vec![3; 200_000]);
    bench.done(&format!(
        "update create {DEVICE} --sequence 2 --payload big.bin --integrated --max-integrated 300000 \
         --unsigned --out big.suit"
    ));
    bench.done("update sign big.suit --key maker --out signed.suit");
    bench.done(&format!(
        "update verify signed.suit {DEVICE} --max-integrated 300000 --key maker.pub"
    ));
}
