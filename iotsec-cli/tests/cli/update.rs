use std::{fs, path::Path};

use iotsec::update::{Envelope, Limits};

use crate::bench::Bench;

const CREATE: &str = "update create --vendor-domain example.com --model lamp-2";
const VERIFY: &str = "update verify --vendor-domain example.com --model lamp-2";

/// A maker with a key, an operator with another, and an image.
fn maker(test: &str) -> Bench {
    let bench = Bench::new(test);
    bench.done("key new maker --kid maker-1");
    bench.done("key new operator --kind p256");
    let image: Vec<u8> = (0..5000u32).map(|i| i.to_le_bytes()[i as usize % 3]).collect();
    bench.write("app.bin", &image);
    bench
}

fn release(bench: &Bench, place: &str) {
    bench.done(&format!(
        "{CREATE} --sequence 2 --payload app.bin {place} --key maker --out 2.suit"
    ));
}

#[test]
fn what_is_created_verifies() {
    let bench = maker("what_is_created_verifies");
    release(&bench, "--uri https://fw.example.com/2.bin");
    let report = bench.done(&format!(
        "{VERIFY} 2.suit --key maker.pub --payload app.bin --installed 1"
    ));
    for expected in [
        "2.suit: accepted",
        "signed     by at least 1 of 1 trusted keys",
        "sequence   2, above 1 installed",
        "component  [h'00'] of 5000 bytes",
        "payload    app.bin: size and digest are as signed",
    ] {
        assert!(report.contains(expected), "{report}");
    }
    let report = bench.done(&format!("{VERIFY} 2.suit --key maker.pub"));
    let expected = "payload    not checked: to be fetched from \"https://fw.example.com/2.bin\"";
    assert!(report.contains(expected), "{report}");
}

#[test]
fn identifiers_and_names_say_the_same() {
    let bench = maker("identifiers_and_names_say_the_same");
    release(&bench, "--uri https://fw.example.com/2.bin");
    // Python: uuid5(NAMESPACE_DNS, "example.com"), uuid5(vendor, "lamp-2")
    bench.done(
        "update verify 2.suit --key maker.pub --vendor cfbff0d1-9375-5685-968c-48ce8b15ae17 \
         --class 09208fa2-31fa-5e77-9f1f-a7e4ea720185",
    );
}

#[test]
fn an_integrated_payload_travels_in_the_envelope() {
    let bench = maker("an_integrated_payload_travels_in_the_envelope");
    release(&bench, "--integrated");
    let report = bench.done(&format!("{VERIFY} 2.suit --key maker.pub"));
    assert!(
        report.contains("carried in the envelope, size and digest are as signed"),
        "{report}"
    );

    // The outer map is not signed, so a changed payload is found by its digest alone.
    let mut bytes = bench.read("2.suit");
    *bytes.last_mut().unwrap() ^= 1;
    bench.write("2.suit", &bytes);
    bench.refused(
        &format!("{VERIFY} 2.suit --key maker.pub"),
        "2.suit refused: payload digest does not match (error 2709)",
    );
}

#[test]
fn an_integrated_payload_must_fit_the_device() {
    let bench = maker("an_integrated_payload_must_fit_the_device");
    bench.write("big.bin", &vec![1; 70_000]);
    let create = format!("{CREATE} --sequence 2 --payload big.bin --integrated --key maker --out big.suit");
    bench.misused(
        &create,
        "a payload of 70000 bytes does not go into an envelope for devices with room for 65536",
    );
    assert!(!bench.path("big.suit").exists());
    bench.done(&format!("{create} --max-integrated 100000"));
    let verify = format!("{VERIFY} big.suit --key maker.pub");
    bench.refused(&verify, "big.suit refused: envelope too large (error 2002)");
    bench.done(&format!("{verify} --max-integrated 100000"));
}

#[test]
fn each_wrong_update_is_refused_with_its_own_reason() {
    let bench = maker("each_wrong_update_is_refused_with_its_own_reason");
    release(&bench, "--uri https://fw.example.com/2.bin");
    let mut image = bench.read("app.bin");
    image[4000] ^= 0x40;
    bench.write("changed.bin", &image);
    bench.write("short.bin", &image[..4999]);
    image.push(0);
    bench.write("long.bin", &image);
    let key = "--key maker.pub";
    let names = "--vendor-domain example.com --model lamp-2";
    for (arguments, reason) in [
        (
            format!("{names} {key} --payload changed.bin"),
            "changed.bin refused: payload digest does not match (error 2709)",
        ),
        (
            format!("{names} {key} --payload short.bin"),
            "short.bin refused: payload not complete (error 2708)",
        ),
        (
            format!("{names} {key} --payload long.bin"),
            "long.bin refused: payload longer than the manifest says (error 2707)",
        ),
        (
            format!("{names} --key operator.pub"),
            "2.suit refused: too few trusted signatures (error 2022)",
        ),
        (
            format!("{names} {key} --key operator.pub --threshold 2"),
            "2.suit refused: too few trusted signatures (error 2022)",
        ),
        (
            format!("--vendor-domain example.org --model lamp-2 {key}"),
            "2.suit refused: made for another vendor (error 2071)",
        ),
        (
            format!("--vendor-domain example.com --model lamp-3 {key}"),
            "2.suit refused: made for another class of device (error 2072)",
        ),
        (
            format!("{names} {key} --installed 3"),
            "2.suit refused: older than what is installed (error 2041)",
        ),
        (
            format!("{names} {key} --installed 2"),
            "2.suit refused: already installed (error 2042)",
        ),
        (
            format!("{names} {key} --component 01"),
            "2.suit refused: component unknown to this device (error 2044)",
        ),
        (
            format!("{names} {key} --capacity 4999"),
            "2.suit refused: image larger than its place (error 2088)",
        ),
    ] {
        bench.refused(&format!("update verify 2.suit {arguments}"), reason);
    }
}

#[test]
fn a_changed_manifest_and_an_unsigned_one_are_refused() {
    let bench = maker("a_changed_manifest_and_an_unsigned_one_are_refused");
    release(&bench, "--uri https://fw.example.com/2.bin");
    let mut bytes = bench.read("2.suit");
    let at = bytes.windows(5).position(|window| window == b"2.bin").unwrap();
    bytes[at] = b'3';
    bench.write("changed.suit", &bytes);
    bench.refused(
        &format!("{VERIFY} changed.suit --key maker.pub"),
        "changed.suit refused: signed digest is of another manifest (error 2023)",
    );
    let shown = bench.done("update inspect changed.suit");
    assert!(shown.contains("of manifest, which it does NOT have"), "{shown}");
    bench.write("empty.suit", b"");
    bench.refused(
        &format!("{VERIFY} empty.suit --key maker.pub"),
        "empty.suit refused: input ends inside an item at byte 0 (error 1001)",
    );
}

#[test]
fn several_signers_reach_a_threshold() {
    let bench = maker("several_signers_reach_a_threshold");
    let create = format!("{CREATE} --sequence 9 --payload app.bin --uri https://fw.example.com/9.bin");
    bench.done(&format!("{create} --key maker --key operator --out both.suit"));
    let verify = format!("{VERIFY} both.suit --key maker.pub --key operator.pub");
    bench.done(&format!("{verify} --threshold 2"));
    bench.done(&verify);
    for threshold in [0, 3] {
        let run = bench.run(&format!("{verify} --threshold {threshold}"));
        assert_eq!(run.status, Some(2));
        assert!(run.err.contains("cannot be used"), "{}", run.err);
    }
    bench.misused(
        &format!("{create} --key maker --key maker --out twice.suit"),
        "one key signs twice: a device counts it once",
    );
    bench.refused(
        &format!("{create} --key maker.pub --out public.suit"),
        "maker.pub holds a public key only",
    );
}

#[test]
fn eight_signers_with_the_longest_names_fit() {
    let bench = maker("eight_signers_with_the_longest_names_fit");
    let (mut keys, mut trusted) = (String::new(), String::new());
    for n in 0..8 {
        bench.done(&format!("key new k{n} --kid {}{n}", "k".repeat(63)));
        keys += &format!(" --key k{n}");
        trusted += &format!(" --key k{n}.pub");
    }
    let place = "--component 6170706c69636174696f6e/01 --uri https://fw.example.com/2.bin";
    bench.done(&format!(
        "{CREATE} --sequence 2 --payload app.bin {place} {keys} --out 2.suit"
    ));
    bench.done(&format!(
        "{VERIFY} 2.suit --component 6170706c69636174696f6e/01 --threshold 8 {trusted}"
    ));
}

#[test]
fn an_envelope_is_never_overwritten_and_nothing_is_made_of_bad_arguments() {
    let bench = maker("an_envelope_is_never_overwritten_and_nothing_is_made_of_bad_arguments");
    release(&bench, "--integrated");
    let before = bench.read("2.suit");
    let create = format!("{CREATE} --payload app.bin --key maker");
    bench.refused(
        &format!("{create} --sequence 3 --integrated --out 2.suit"),
        "2.suit exists already and is left as it is",
    );
    assert_eq!(before, bench.read("2.suit"));

    bench.write("nothing.bin", b"");
    bench.misused(
        &format!("{CREATE} --payload nothing.bin --key maker --sequence 3 --integrated --out 3.suit"),
        "the payload has 1 to 4294967295 bytes",
    );
    for bad in [
        "--sequence 0 --integrated",
        "--sequence 3",
        "--sequence 3 --integrated --uri https://fw.example.com/3.bin",
        "--sequence 3 --integrated --vendor cfbff0d1-9375-5685-968c-48ce8b15ae17",
        "--sequence 3 --integrated --component 0",
    ] {
        assert_eq!(
            bench.run(&format!("{create} {bad} --out 3.suit")).status,
            Some(2),
            "{bad}"
        );
    }
    assert!(!bench.path("3.suit").exists());
}

#[test]
fn inspection_shows_what_an_update_is_and_that_nothing_was_checked() {
    let bench = maker("inspection_shows_what_an_update_is_and_that_nothing_was_checked");
    release(&bench, "--uri https://fw.example.com/2.bin");
    let shown = bench.done("update inspect 2.suit");
    let digest = iotsec::core::crypto::Sha256::of(&[&bench.read("app.bin")]);
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    for expected in [
        "NOT AUTHENTICATED",
        "block 1: COSE_Sign1, algorithm Ed25519 (-19), key identifier \"maker-1\"",
        "of manifest, which it has",
        "sequence number: 2",
        "component 0: [h'00']",
        "class = 09208fa2-31fa-5e77-9f1f-a7e4ea720185",
        &format!("digest = SHA-256 {digest}"),
        "size = 5000 bytes",
        "uri = \"https://fw.example.com/2.bin\"",
    ] {
        assert!(shown.contains(expected), "{expected}\n{shown}");
    }
}

#[test]
fn control_characters_of_a_hostile_file_do_not_reach_the_terminal() {
    let bench = maker("control_characters_of_a_hostile_file_do_not_reach_the_terminal");
    release(&bench, "--uri https://fw.example.com/2.bin");
    let mut bytes = bench.read("2.suit");
    for text in [&b"https"[..], b"maker-1"] {
        let at = bytes
            .windows(text.len())
            .position(|window| window == text)
            .unwrap();
        bytes[at..at + 4].copy_from_slice(b"\x1b[2J");
    }
    bench.write("2.suit", &bytes);
    let shown = bench.done("update inspect 2.suit");
    assert!(shown.contains(r"\u{1b}[2J"), "{shown}");
    assert!(!shown.contains('\x1b'));
}

#[test]
fn every_vector_can_be_inspected_or_is_refused_with_a_number() {
    let bench = Bench::new("every_vector_can_be_inspected_or_is_refused_with_a_number");
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/suit");
    let mut readable = 0;
    for folder in ["oracle", "negative"] {
        for file in fs::read_dir(vectors.join(folder)).unwrap() {
            let path = file.unwrap().path();
            let bytes = fs::read(&path).unwrap();
            bench.write("vector.suit", &bytes);
            let run = bench.run("update inspect vector.suit");
            let path = path.display();
            match run.status {
                Some(0) => {
                    readable += 1;
                    assert!(run.out.contains("NOT AUTHENTICATED"), "{path}");
                }
                Some(1) => {
                    assert!(
                        run.err.contains("refused: ") && run.err.contains("(error 1"),
                        "{path}: {run:?}"
                    );
                    let parsed = Envelope::parse(&bytes, &Limits::DEFAULT);
                    assert!(parsed.is_err(), "{path}: a device reads it, and it is not shown");
                }
                _ => panic!("{path}: {run:?}"),
            }
        }
    }
    assert!(readable > 20, "only {readable} could be read");
}

#[test]
fn the_oracle_envelopes_are_judged_as_their_index_says() {
    let bench = Bench::new("the_oracle_envelopes_are_judged_as_their_index_says");
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/suit");
    let hex = fs::read_to_string(vectors.join("keys/ed25519_a.pub.hex")).unwrap();
    let hex = hex.trim();
    let x: Vec<u8> = (0..64)
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect();
    let mut out = [0; iotsec::core::cose::Key::MAX_LEN];
    let key = iotsec::core::cose::Key::ed25519(x.as_slice().try_into().unwrap());
    bench.write("a.pub", key.write(&mut out).unwrap());
    let device =
        "--vendor-domain iotsec.example --model sensor-rev-b --key a.pub --component 00 --component 01";
    for name in [
        "p01_ed25519_fully_specified",
        "p10_severed_text_present",
        "p13_integrated_payload",
    ] {
        let file = format!("{name}.suit");
        bench.write(&file, &fs::read(vectors.join("oracle").join(&file)).unwrap());
        // Only a debug build trusts the key of the vectors.
        let accepted = bench.run(&format!("update verify {file} {device} --installed 9"));
        assert!(accepted.err.contains("a key that everyone has"), "{accepted:?}");
        assert_eq!(accepted.status, Some(if cfg!(debug_assertions) { 0 } else { 1 }));
        let refused = bench.run(&format!("update verify {file} {device} --installed 99"));
        assert_eq!(refused.status, Some(1));
        let reason = format!("{file} refused: older than what is installed (error 2041)");
        assert!(
            refused.err.contains(&reason) || !cfg!(debug_assertions),
            "{refused:?}"
        );
    }
}
