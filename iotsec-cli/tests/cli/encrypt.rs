use crate::bench::Bench;

const CIPHERS: [&str; 4] = ["a128ctr", "a256ctr", "a128gcm", "chacha20poly1305"];

#[test]
fn every_recipient_decrypts_and_nobody_else_does() {
    let bench = Bench::new("every_recipient_decrypts_and_nobody_else_does");
    bench.done("key new lamp --kind x25519 --kid lamp");
    bench.done("key new lock --kind p256-ecdh");
    bench.done("key new other --kind x25519");
    bench.write("image", b"an image that nobody is to read");
    for alg in CIPHERS {
        bench.done(&format!(
            "update encrypt --recipient lamp.pub --recipient lock.pub --alg {alg} --in image --out {alg}.bin --info {alg}.info"
        ));
        let payload = bench.read(&format!("{alg}.bin"));
        assert!(
            !payload
                .windows(8)
                .any(|part| b"an image that nobody".windows(8).any(|p| p == part))
        );
        for key in ["lamp", "lock"] {
            bench.done(&format!(
                "update decrypt --key {key} --info {alg}.info --in {alg}.bin --out {alg}.{key}"
            ));
            assert_eq!(bench.read(&format!("{alg}.{key}")), bench.read("image"));
        }
        bench.refused(
            &format!("update decrypt --key other --info {alg}.info --in {alg}.bin --out out"),
            &format!("{alg}.info refused: not encrypted for this key (error 1120)"),
        );
    }
}

#[test]
fn the_same_image_is_never_encrypted_the_same_way() {
    let bench = Bench::new("the_same_image_is_never_encrypted_the_same_way");
    bench.done("key new lamp --kind x25519");
    bench.write("image", &[0; 64]);
    for name in ["a", "b"] {
        bench.done(&format!(
            "update encrypt --recipient lamp.pub --in image --out {name} --info {name}.info"
        ));
    }
    assert_ne!(bench.read("a"), bench.read("b"));
    assert_ne!(bench.read("a.info"), bench.read("b.info"));
}

#[test]
fn a_changed_payload_is_refused_where_the_cipher_tells() {
    let bench = Bench::new("a_changed_payload_is_refused_where_the_cipher_tells");
    bench.done("key new lamp --kind x25519");
    bench.write("image", b"an image");
    bench.done(
        "update encrypt --recipient lamp.pub --alg chacha20poly1305 --in image --out payload --info info",
    );
    let mut payload = bench.read("payload");
    payload[3] ^= 1;
    bench.write("changed", &payload);
    bench.refused(
        "update decrypt --key lamp --info info --in changed --out out",
        "changed refused: authenticated decryption failed (error 1202)",
    );
    bench.done("update encrypt --recipient lamp.pub --in image --out ctr --info ctr.info");
    let said = bench.done("update decrypt --key lamp --info ctr.info --in ctr --out out");
    assert!(said.contains("not checked"), "{said}");
}

#[test]
fn keys_that_sign_and_keys_that_decrypt_are_not_mixed_up() {
    let bench = Bench::new("keys_that_sign_and_keys_that_decrypt_are_not_mixed_up");
    bench.done("key new maker");
    bench.done("key new lamp --kind x25519 --kid lamp-1");
    bench.done("key new lock --kind p256-ecdh");
    bench.write("image", b"an image");
    for (key, text) in [
        ("lamp", "type         x25519\nkid          \"lamp-1\"\n"),
        ("lock.pub", "type         p256-ecdh\n"),
    ] {
        assert!(bench.done(&format!("key show {key}")).starts_with(text));
    }
    bench.refused(
        "update encrypt --recipient maker.pub --in image --out payload --info info",
        "maker.pub is not a COSE_Key that payloads are encrypted to: algorithm does not fit the key (error 1103)",
    );
    bench.done("update encrypt --recipient lamp.pub --in image --out payload --info info");
    bench.refused(
        "update decrypt --key lamp.pub --info info --in payload --out out",
        "lamp.pub holds a public key only",
    );
    bench.refused(
        "update encrypt --recipient lamp.pub --in image --out payload --info other",
        "payload exists already and is left as it is",
    );
}
