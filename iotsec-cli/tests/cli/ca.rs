//! The authority and the requests that OpenSSL makes.

use std::process::Command;

use iotsec::core::{
    crypto::{Ed25519SigningKey, P256SigningKey, Sign},
    identity::{CertificateKey, CertificationRequest, Subject},
    secret::Secret,
};

use crate::bench::{Bench, LAMP};

const SIGN: &str = "ca sign-csr device.csr --out device.crt";

/// A station with an authority and ten minted units, `L2-000001` to `L2-000010`.
fn station(test: &str, kind: &str) -> Bench {
    let bench = Bench::new(test);
    bench.write("iotsec.toml", LAMP.as_bytes());
    bench.done("provision batch --manifest iotsec.toml --count 10 --out batch --station station");
    bench.done(&format!("ca init --organization Example --kind {kind}"));
    bench
}

fn openssl(bench: &Bench, line: &str) -> String {
    let output = Command::new("openssl")
        .args(line.split_whitespace())
        .current_dir(bench.path(""))
        .output()
        .expect("openssl is there: apt-get install openssl");
    assert!(output.status.success(), "openssl {line}\n{output:?}");
    String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap()
}

/// A key and a request of OpenSSL's making.
fn request(bench: &Bench, key: &str, subject: &str, more: &str) {
    openssl(bench, &format!("genpkey {key} -out device.key"));
    openssl(
        bench,
        &format!("req -new -key device.key -subj {subject} {more} -out device.csr"),
    );
}

const ED25519: &str = "-algorithm ed25519";
const P256: &str = "-algorithm EC -pkeyopt ec_paramgen_curve:P-256";

#[test]
fn openssl_makes_requests_and_verifies_what_comes_back() {
    for authority in ["ed25519", "p256"] {
        let bench = station(&format!("openssl_verifies_{authority}"), authority);
        let shown = openssl(&bench, "x509 -in station/ca.crt -noout -text");
        for text in [
            "CA:TRUE, pathlen:0",
            "Certificate Sign, CRL Sign",
            "Dec 31 23:59:59 9999 GMT",
        ] {
            assert!(shown.contains(text), "{text}\n{shown}");
        }
        for (unit, key) in [(1, ED25519), (2, P256)] {
            request(
                &bench,
                key,
                &format!("/serialNumber=L2-00000{unit}/CN=anything"),
                "",
            );
            let out = format!("{unit}.crt");
            bench.done(&format!(
                "ca sign-csr device.csr --serial L2-00000{unit} --out {out}"
            ));
            openssl(
                &bench,
                &format!("verify -x509_strict -CAfile station/ca.crt {out}"),
            );
            let shown = openssl(&bench, &format!("x509 -in {out} -noout -text -nameopt RFC2253"));
            for text in [
                &format!("serialNumber=L2-00000{unit}")[..],
                "O=Example",
                "CA:FALSE",
                "Digital Signature",
                "Dec 31 23:59:59 9999 GMT",
                "Authority Key Identifier",
            ] {
                assert!(shown.contains(text), "{text}\n{shown}");
            }
            assert!(!shown.contains("anything"), "{shown}");
            let key = openssl(&bench, "pkey -in device.key -pubout");
            assert_eq!(openssl(&bench, &format!("x509 -in {out} -noout -pubkey")), key);
        }
        assert_eq!(bench.mode("station/ca.key"), 0o600);
    }
}

#[test]
fn a_request_of_the_device_code_is_signed_and_the_answer_is_for_its_key() {
    let bench = station("a_request_of_the_device_code_is_signed", "ed25519");
    let secret = Secret::from_bytes(*b"the key of a device in one test.");
    let keys: [Box<dyn Sign>; 2] = [
        Box::new(Ed25519SigningKey::from_seed(&secret)),
        Box::new(P256SigningKey::from_scalar(&secret).unwrap()),
    ];
    for (unit, key) in (1..).zip(&keys) {
        let serial = format!("L2-00000{unit}");
        let mut out = [0; CertificationRequest::MAX_LEN];
        let der = CertificationRequest::write(&Subject::new(&serial).unwrap(), key.as_ref(), &mut out);
        bench.write("device.csr", der.unwrap());
        bench.done(&format!(
            "ca sign-csr device.csr --serial {serial} --out {unit}.crt"
        ));
        openssl(
            &bench,
            &format!("x509 -in {unit}.crt -outform DER -out {unit}.der"),
        );
        let certificate = bench.read(&format!("{unit}.der"));
        CertificateKey::of(&certificate)
            .unwrap()
            .must_be(key.as_ref())
            .unwrap();
    }
}

#[test]
fn a_request_for_another_unit_or_for_none_is_refused() {
    let bench = station("a_request_for_another_unit_or_for_none_is_refused", "ed25519");
    request(&bench, ED25519, "/serialNumber=L2-000001", "");
    bench.refused(
        &format!("{SIGN} --serial L2-000002"),
        "device.csr refused: it is of \"L2-000001\", and the unit is \"L2-000002\"",
    );
    request(&bench, ED25519, "/serialNumber=L2-000011", "");
    bench.refused(
        &format!("{SIGN} --serial L2-000011"),
        "device.csr refused: no batch of this station has this serial number",
    );
    bench.done(&format!("{SIGN} --serial L2-000011 --unminted"));
    for (subject, expected) in [
        ("/CN=L2-000001", "its subject has no serialNumber"),
        (
            "/serialNumber=L2-000001/serialNumber=L2-000002",
            "its subject has several serialNumbers",
        ),
        (
            "/serialNumber=L2-000001,x",
            "its serialNumber is no text that serial numbers are made of",
        ),
    ] {
        request(&bench, ED25519, subject, "");
        let line = "ca sign-csr device.csr --out other.crt --serial L2-000001";
        bench.refused(line, &format!("device.csr refused: {expected}"));
    }
}

#[test]
fn one_key_has_one_unit_and_one_unit_one_key() {
    let bench = station("one_key_has_one_unit_and_one_unit_one_key", "ed25519");
    request(&bench, ED25519, "/serialNumber=L2-000001", "");
    bench.done(&format!("{SIGN} --serial L2-000001"));
    // Whoever lost the answer asks again.
    bench.done("ca sign-csr device.csr --serial L2-000001 --out again.crt");
    // The same key for another unit.
    openssl(
        &bench,
        "req -new -key device.key -subj /serialNumber=L2-000002 -out device.csr",
    );
    let line = "ca sign-csr device.csr --out other.crt";
    bench.refused(
        &format!("{line} --serial L2-000002"),
        "device.csr refused: another unit has this key",
    );
    // Another key for the same unit.
    request(&bench, P256, "/serialNumber=L2-000001", "");
    bench.refused(
        &format!("{line} --serial L2-000001"),
        "device.csr refused: the unit has a certificate with another key",
    );
}

#[test]
fn a_key_that_the_batch_made_is_no_key_of_a_device() {
    let bench = station("a_key_that_the_batch_made_is_no_key_of_a_device", "ed25519");
    bench.done(
        "provision unseal batch/devices.sealed --key station/recipient.key --signer batch/signer.pub --out devices.csv",
    );
    let devices = String::from_utf8(bench.read("devices.csv")).unwrap();
    let seed = devices.lines().nth(1).unwrap().split(',').nth(3).unwrap();
    let key = Ed25519SigningKey::from_seed(&Secret::from_slice(&bytes(seed)).unwrap());
    let mut out = [0; CertificationRequest::MAX_LEN];
    let der = CertificationRequest::write(&Subject::new("L2-000002").unwrap(), &key, &mut out);
    bench.write("device.csr", der.unwrap());
    bench.refused(
        &format!("{SIGN} --serial L2-000002"),
        "device.csr refused: another unit has this key",
    );
}

#[test]
fn weak_and_published_keys_are_refused() {
    let bench = station("weak_and_published_keys_are_refused", "ed25519");
    let line = format!("{SIGN} --serial L2-000001");
    for (key, expected) in [
        (
            "-algorithm RSA -pkeyopt rsa_keygen_bits:1024",
            "1.2.840.113549.1.1.1",
        ),
        (
            "-algorithm RSA -pkeyopt rsa_keygen_bits:2048",
            "1.2.840.113549.1.1.1",
        ),
        (
            "-algorithm EC -pkeyopt ec_paramgen_curve:P-192",
            "1.2.840.10045.2.1",
        ),
        (
            "-algorithm EC -pkeyopt ec_paramgen_curve:secp256k1",
            "1.2.840.10045.2.1",
        ),
        ("-algorithm ed448", "1.3.101.113"),
    ] {
        request(&bench, key, "/serialNumber=L2-000001", "");
        bench.refused(
            &line,
            &format!("device.csr refused: its key is neither Ed25519 nor P-256 (algorithm {expected})"),
        );
    }
    // The seed of all ones is among the first that anybody tries.
    let key = Ed25519SigningKey::from_seed(&Secret::from_bytes([1; 32]));
    let mut out = [0; CertificationRequest::MAX_LEN];
    let der = CertificationRequest::write(&Subject::new("L2-000001").unwrap(), &key, &mut out).unwrap();
    bench.write("device.csr", der);
    let run = bench.run(&line);
    assert!(
        run.err.contains("everyone has the private half of its key"),
        "{run:?}"
    );
    // The neutral element, with which anybody's signature verifies.
    let mut small = der.to_vec();
    let at = small
        .windows(32)
        .position(|part| part == key.public_key())
        .unwrap();
    small[at..at + 32].fill(0);
    small[at] = 1;
    bench.write("device.csr", &small);
    bench.refused(
        &line,
        "device.csr refused: its Ed25519 key is no strong point of the curve",
    );
}

#[test]
fn a_request_to_be_a_ca_is_refused_and_other_wishes_are_named() {
    let bench = station("a_request_to_be_a_ca_is_refused", "ed25519");
    let line = format!("{SIGN} --serial L2-000001");
    for (extension, expected) in [
        ("basicConstraints=critical,CA:TRUE", "CA:TRUE"),
        (
            "keyUsage=digitalSignature,keyCertSign",
            "the right to sign certificates or revocation lists",
        ),
        (
            "keyUsage=cRLSign",
            "the right to sign certificates or revocation lists",
        ),
    ] {
        request(
            &bench,
            P256,
            "/serialNumber=L2-000001",
            &format!("-addext {extension}"),
        );
        bench.refused(&line, &format!("device.csr refused: it asks for {expected}"));
    }
    request(
        &bench,
        P256,
        "/serialNumber=L2-000001",
        "-addext subjectAltName=DNS:bank.example -addext basicConstraints=CA:FALSE",
    );
    let report = bench.done(&line);
    assert!(report.contains("not granted  2.5.29.17\n"), "{report}");
    assert!(!openssl(&bench, "x509 -in device.crt -noout -text").contains("bank.example"));
}

#[test]
fn a_changed_bit_anywhere_in_a_request_is_noticed() {
    for (test, key) in [("ed25519", ED25519), ("p256", P256)] {
        let bench = station(&format!("a_changed_bit_in_a_request_{test}"), "ed25519");
        request(&bench, key, "/serialNumber=L2-000001", "-outform DER");
        let good = bench.read("device.csr");
        // Each byte takes a process of its own: every third comes to all parts of a request.
        for at in (0..good.len()).step_by(3) {
            let mut bad = good.clone();
            bad[at] ^= 1 << (at % 8);
            bench.write("device.csr", &bad);
            let run = bench.run(&format!("{SIGN} --serial L2-000001 --unminted"));
            assert_eq!(run.status, Some(1), "byte {at}: {run:?}");
            assert!(
                run.err.starts_with("iotsec: device.csr refused: "),
                "byte {at}: {run:?}"
            );
        }
        for cut in (0..good.len()).step_by(7) {
            bench.write("device.csr", &good[..cut]);
            bench.refused(
                &format!("{SIGN} --serial L2-000001"),
                "device.csr refused: not one certificate request in DER or PEM",
            );
        }
        bench.write("device.csr", &[&good[..], &[0]].concat());
        bench.refused(
            &format!("{SIGN} --serial L2-000001"),
            "device.csr refused: not one certificate request in DER or PEM",
        );
        bench.write("device.csr", &good);
        bench.done(&format!("{SIGN} --serial L2-000001"));
    }
}

#[test]
fn an_authority_is_made_once_and_must_be_there() {
    let bench = Bench::new("an_authority_is_made_once_and_must_be_there");
    request(&bench, ED25519, "/serialNumber=L2-000001", "");
    let line = format!("{SIGN} --serial L2-000001 --unminted");
    bench.refused(&line, "station/ca.key is not there");
    bench.done("ca init --organization Example");
    let before = bench.read("station/ca.crt");
    bench.refused(
        "ca init --organization Other",
        "station/ca.crt exists already and is left as it is",
    );
    assert_eq!(bench.read("station/ca.crt"), before);
    // The key of another authority.
    bench.done("ca init --organization Other --station other");
    bench.write("station/ca.crt", &bench.read("other/ca.crt"));
    bench.refused(&line, "station/ca.crt refused: it is not for the key in ca.key");
    bench.write("station/ca.crt", &before);
    let (status, value) = bench.json(&line);
    assert_eq!((status, &value["serial"]), (Some(0), &"L2-000001".into()));
    assert_eq!(value["not_granted"], serde_json::json!([]));
}

#[test]
fn a_station_with_an_authority_certifies_the_keys_that_it_makes() {
    for kind in ["ed25519", "p256"] {
        let bench = Bench::new(&format!("a_station_with_an_authority_certifies_{kind}"));
        bench.write("iotsec.toml", LAMP.as_bytes());
        bench.done(&format!("ca init --organization Example --kind {kind}"));
        let line = "provision batch --manifest iotsec.toml --count 3 --out batch --station station";
        let report = bench.done(line);
        assert!(report.contains("each device key has a certificate"), "{report}");
        bench.done("provision verify batch --key station/signing.key");
        bench.done(
            "provision unseal batch/devices.sealed --key station/recipient.key --signer batch/signer.pub --out devices.csv",
        );
        let manifest = bench.read("batch/manifest.cbor");
        let devices = String::from_utf8(bench.read("devices.csv")).unwrap();
        let mut seen = std::collections::BTreeSet::new();
        for device in devices.lines().skip(1) {
            let [serial, _, _, seed, certificate] = device.split(',').collect::<Vec<_>>().try_into().unwrap();
            let key = Ed25519SigningKey::from_seed(&Secret::from_slice(&bytes(seed)).unwrap());
            let certificate = bytes(certificate);
            CertificateKey::of(&certificate).unwrap().must_be(&key).unwrap();
            // The signed entry has the digest.
            let digest = iotsec::core::crypto::Sha256::of(&[&certificate]);
            let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            assert!(manifest.windows(64).any(|part| part == digest.as_bytes()));
            bench.write("unit.der", &certificate);
            openssl(&bench, "x509 -inform DER -in unit.der -out unit.crt");
            openssl(&bench, "verify -x509_strict -CAfile station/ca.crt unit.crt");
            let shown = openssl(
                &bench,
                "x509 -in unit.crt -noout -subject -serial -nameopt RFC2253",
            );
            assert!(shown.contains(&format!("serialNumber={serial}")), "{shown}");
            assert!(seen.insert(shown.lines().nth(1).unwrap().to_owned()), "{shown}");
        }
        assert_eq!(seen.len(), 3);
        // Another authority does not go on with the batch.
        std::fs::remove_file(bench.path("station/ca.crt")).unwrap();
        std::fs::remove_file(bench.path("station/ca.key")).unwrap();
        bench.refused(line, "batch is of a batch of other units, options or keys");
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits = (0..hex.len()).step_by(2);
    digits
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect()
}
