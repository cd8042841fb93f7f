use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use iotsec::core::{
    cbor::{Limits, split_first},
    credential::Attempt,
    crypto::{Ed25519SigningKey, Sign},
    secret::Secret,
};

use crate::bench::{Bench, LAMP};

const MANIFEST: &str = "batch/manifest.cbor";
const LABELS: &str = "batch/labels.csv";
const VERIFY: &str = "provision verify batch --key station/signing.key";

/// A batch with plain labels.
fn station(test: &str, count: u32) -> Bench {
    let bench = Bench::new(test);
    bench.write("iotsec.toml", LAMP.as_bytes());
    mint(&bench, count, "batch");
    bench
}

fn mint(bench: &Bench, count: u32, out: &str) -> String {
    let run = bench.run(&format!(
        "provision batch --manifest iotsec.toml --count {count} --plain-labels --out {out}"
    ));
    assert_eq!(run.status, Some(0), "{run:?}");
    assert!(run.err.starts_with("iotsec: warning: "), "{run:?}");
    run.out
}

fn reason(bench: &Bench) -> String {
    let run = bench.run(VERIFY);
    assert_eq!(run.status, Some(1), "{run:?}");
    run.err
}

fn labels(bench: &Bench, out: &str) -> Vec<(String, String, String)> {
    let text = String::from_utf8(bench.read(&format!("{out}/labels.csv"))).unwrap();
    let (head, lines) = text.split_once('\n').unwrap();
    assert_eq!(head, "serial,password,setup_code");
    let label = |line: &str| {
        let parts: Vec<&str> = line.split(',').collect();
        let [serial, password, code] = parts[..] else {
            panic!("{line}")
        };
        (serial.to_owned(), password.to_owned(), code.to_owned())
    };
    lines.lines().map(label).collect()
}

/// Where each entry ends.
fn entries(manifest: &[u8]) -> Vec<Vec<u8>> {
    let (mut rest, mut entries) = (manifest, Vec::new());
    while !rest.is_empty() {
        let (entry, after) = split_first(rest, &Limits::SMALL).unwrap();
        entries.push(entry.to_vec());
        rest = after;
    }
    entries
}

#[test]
fn three_thousand_units_are_minted_and_every_clause_holds() {
    let bench = station("three_thousand_units_are_minted_and_every_clause_holds", 3000);
    let (status, report) = bench.json(VERIFY);
    assert_eq!((status, &report["units"]), (Some(0), &3000.into()), "{report}");
    let clauses = report["clauses"].as_array().unwrap();
    assert_eq!(clauses.len(), 6);
    for clause in clauses {
        assert_eq!(clause["verdict"], "holds", "{clause}");
    }

    let labels = labels(&bench, "batch");
    let passwords: BTreeSet<_> = labels.iter().map(|(_, password, _)| password).collect();
    let codes: BTreeSet<_> = labels.iter().map(|(_, _, code)| code).collect();
    assert_eq!((passwords.len(), codes.len()), (3000, 3000));
    assert!(passwords.iter().all(|code| Attempt::from_label(code).is_ok()));
    assert!(codes.iter().all(|code| code.len() == 8));
    assert_eq!((&*labels[0].0, &*labels[2999].0), ("L2-000001", "L2-003000"));
}

#[test]
fn a_later_batch_goes_on_behind_the_serial_numbers_of_the_earlier() {
    let bench = station(
        "a_later_batch_goes_on_behind_the_serial_numbers_of_the_earlier",
        5,
    );
    mint(&bench, 5, "later");
    assert_eq!(labels(&bench, "later")[0].0, "L2-000006");
    bench.done("provision verify later --key station/signing.key");
}

#[test]
fn no_secret_stands_in_manifest_registry_or_sealed_files() {
    let bench = station("no_secret_stands_in_manifest_registry_or_sealed_files", 20);
    let manifest = bench.read(MANIFEST);
    let holds = |bytes: &[u8], text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    for (serial, password, code) in labels(&bench, "batch") {
        assert!(holds(&manifest, &serial), "the search must find what is there");
        for name in [
            MANIFEST,
            "station/registry/log",
            "batch/labels.sealed",
            "batch/devices.sealed",
        ] {
            let bytes = bench.read(name);
            for secret in [&password, &password.replace('-', ""), &code] {
                assert!(!holds(&bytes, secret), "{name}");
            }
        }
    }
}

#[test]
fn what_is_sealed_opens_with_the_key_of_its_recipient_alone() {
    let bench = Bench::new("what_is_sealed_opens_with_the_key_of_its_recipient_alone");
    bench.done("key new printer --kind x25519");
    bench.done("key new line --kind p256-ecdh");
    let factory = "[factory]\nlabels = [\"printer.pub\"]\ndevices = [\"line.pub\"]\n";
    bench.write("iotsec.toml", format!("{LAMP}{factory}").as_bytes());
    mint(&bench, 1500, "batch");
    let open = |file: &str, key: &str, out: &str| {
        format!("provision unseal batch/{file} --key {key} --signer batch/signer.pub --out {out}")
    };
    bench.done(&open("labels.sealed", "printer", "l.csv"));
    assert_eq!(bench.read("l.csv"), bench.read(LABELS));
    bench.done(&open("devices.sealed", "line", "d.csv"));
    for (file, key) in [("labels.sealed", "line"), ("devices.sealed", "printer")] {
        assert_eq!(bench.run(&open(file, key, "no.csv")).status, Some(1));
        assert!(!bench.path("no.csv").exists());
    }
    bench.done("provision verify batch --key station/signing.key --unseal printer");
    #[cfg(unix)]
    assert_eq!((bench.mode("l.csv"), bench.mode("d.csv")), (0o600, 0o600));

    // The seed on the line is that of the key in the manifest.
    let devices = String::from_utf8(bench.read("d.csv")).unwrap();
    let seed = devices.lines().nth(1500).unwrap().split(',').nth(3).unwrap();
    let bytes: Vec<u8> = (0..64)
        .step_by(2)
        .map(|at| u8::from_str_radix(&seed[at..at + 2], 16).unwrap())
        .collect();
    let key = Ed25519SigningKey::from_seed(&Secret::from_bytes(bytes.try_into().unwrap()));
    let public: String = key
        .public_key()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let entry = entries(&bench.read(MANIFEST)).pop().unwrap();
    assert!(entry.windows(64).any(|window| window == public.as_bytes()));
}

#[test]
fn a_sealed_file_with_a_frame_changed_moved_or_gone_is_refused() {
    let bench = station(
        "a_sealed_file_with_a_frame_changed_moved_or_gone_is_refused",
        2100,
    );
    let file = "batch/labels.sealed";
    let good = bench.read(file);
    let mut frames = Vec::new();
    let mut at = 8;
    while at < good.len() {
        let length =
            |place: usize| u32::from_be_bytes(good[at + place..at + place + 4].try_into().unwrap()) as usize;
        let end = at + 12 + length(0) + length(4) + length(8);
        frames.push(&good[at..end]);
        at = end;
    }
    assert_eq!(frames.len(), 3);
    let line = "provision verify batch --key station/signing.key --unseal station/recipient.key";
    bench.done(line);
    let mut changed = good.clone();
    *changed.last_mut().unwrap() ^= 1;
    for (bytes, expected) in [
        (changed, "signature does not verify"),
        (
            [&good[..8], frames[1], frames[0], frames[2]].concat(),
            "unit 1025 follows unit 0",
        ),
        (
            [&good[..8], frames[0], frames[2]].concat(),
            "unit 2049 follows unit 1024",
        ),
        (
            [&good[..8], frames[0], frames[1]].concat(),
            "no label for \"L2-002049\"",
        ),
        (good[..good.len() - 1].to_vec(), "it ends within a frame"),
        (b"iotsecS2".to_vec(), "it is no file of sealed units"),
    ] {
        bench.write(file, &bytes);
        let run = bench.run(line);
        assert!(
            run.status == Some(1) && run.err.contains(expected),
            "{expected}: {run:?}"
        );
    }
}

#[test]
fn a_changed_byte_anywhere_in_a_manifest_is_noticed() {
    let bench = station("a_changed_byte_anywhere_in_a_manifest_is_noticed", 2);
    let good = bench.read(MANIFEST);
    // Each byte takes a process of its own: every thirteenth comes to all parts of an entry.
    for at in (0..good.len()).step_by(13) {
        let mut bad = good.clone();
        bad[at] ^= 1;
        bench.write(MANIFEST, &bad);
        let reason = reason(&bench);
        assert!(
            reason.contains("manifest.cbor refused: entry "),
            "byte {at}: {reason}"
        );
    }
    bench.write(MANIFEST, &good);
    bench.done(VERIFY);
}

#[test]
fn a_manifest_with_entries_gone_moved_or_of_another_batch_is_refused() {
    let bench = station(
        "a_manifest_with_entries_gone_moved_or_of_another_batch_is_refused",
        3,
    );
    mint(&bench, 3, "other");
    let own = entries(&bench.read(MANIFEST));
    let other = entries(&bench.read("other/manifest.cbor"));
    for (manifest, expected) in [
        (vec![], "0 entries for 0 units"),
        (vec![&own[0], &own[1]], "2 entries for 3 units"),
        (
            vec![&own[0], &own[2]],
            "unit 2 is missing: unit 3 stands in its place",
        ),
        (
            vec![&own[0], &own[0], &own[1]],
            "unit 2 is missing: unit 1 stands in its place",
        ),
        (vec![&own[0], &other[1], &own[2]], "entry 2 is of another batch"),
    ] {
        let manifest: Vec<u8> = manifest.into_iter().flatten().copied().collect();
        bench.write(MANIFEST, &manifest);
        let reason = reason(&bench);
        assert!(
            reason.contains(&format!("refused: {expected}\nremedy: ")),
            "{reason}"
        );
    }
}

#[test]
fn a_batch_of_another_station_is_refused() {
    let bench = station("a_batch_of_another_station_is_refused", 1);
    bench.done("key new stranger");
    bench.refused(
        "provision verify batch --key stranger.pub",
        "batch/manifest.cbor refused: entry 1: signature does not verify (error 1201)",
    );
    let report = bench.done("provision verify batch");
    assert!(
        report.contains("signed by the key in the batch itself"),
        "{report}"
    );
}

#[test]
fn labels_must_fit_the_manifest() {
    let bench = station("labels_must_fit_the_manifest", 2);
    let good = String::from_utf8(bench.read(LABELS)).unwrap();
    let lines: Vec<&str> = good.lines().collect();
    let (head, one, two) = (lines[0], lines[1], lines[2]);
    let label = one.split(',').nth(1).unwrap();
    let (one_code, two_code) = (&one[one.len() - 8..], &two[two.len() - 8..]);
    // Another first symbol leaves the check symbol wrong.
    let other = if label.starts_with('0') { "1" } else { "0" };
    let mistyped = one.replacen(label, &format!("{other}{}", &label[1..]), 1);
    for (labels, expected) in [
        (one.to_owned(), "no label for \"L2-000002\""),
        (
            format!("{one}\n{one}"),
            "unit 2: this is not the label of \"L2-000002\"",
        ),
        (
            format!("{one}\nL2-000002,{label},{two_code}"),
            "the password of \"L2-000002\" occurs twice",
        ),
        (
            format!("{one}\n{}", two.replace(two_code, one_code)),
            "the set-up code of \"L2-000002\" occurs twice",
        ),
        (
            format!("{one}\n{}", two.replace(two_code, "12345678")),
            "the set-up code of \"L2-000002\" is not allowed",
        ),
        (
            format!("{mistyped}\n{two}"),
            "the password of \"L2-000001\" is refused: ",
        ),
        (format!("{one}\n{two}\n{two}"), "more labels than units"),
        (
            "L2-000001".to_owned(),
            "the password of \"L2-000001\" is refused: ",
        ),
    ] {
        bench.write(LABELS, format!("{head}\n{labels}").as_bytes());
        let reason = reason(&bench);
        assert!(
            reason.contains(&format!("labels.csv refused: {expected}")),
            "{reason}"
        );
    }
}

#[test]
fn a_batch_whose_labels_were_destroyed_still_verifies_and_says_so() {
    let bench = station(
        "a_batch_whose_labels_were_destroyed_still_verifies_and_says_so",
        2,
    );
    fs::remove_file(bench.path(LABELS)).unwrap();
    let report = bench.done(VERIFY);
    assert!(report.contains("no labels here to check"), "{report}");
    assert!(report.contains("open  PSTI Sch. 1 para 1(2)(a)"), "{report}");
}

#[test]
fn a_batch_is_never_overwritten_nor_minted_twice() {
    let bench = station("a_batch_is_never_overwritten_nor_minted_twice", 3);
    let all =
        || [MANIFEST, LABELS, "batch/labels.sealed", "station/registry/log"].map(|name| bench.read(name));
    let before = all();
    let report = mint(&bench, 3, "batch");
    assert!(report.starts_with("3 units were minted already"), "{report}");
    bench.refused(
        "provision batch --manifest iotsec.toml --count 4 --out batch",
        "batch is of a batch of other units, options or keys",
    );
    fs::create_dir(bench.path("taken")).unwrap();
    bench.write("taken/file", b"");
    bench.refused(
        "provision batch --manifest iotsec.toml --count 1 --out taken",
        "taken exists already and is left as it is",
    );
    assert_eq!(before, all());
}

#[cfg(unix)]
#[test]
fn what_is_secret_is_for_its_owner_alone() {
    let bench = station("what_is_secret_is_for_its_owner_alone", 1);
    for name in [
        LABELS,
        "batch/labels.sealed",
        "batch/devices.sealed",
        "station/registry/log",
        "station/registry.key",
        "station/signing.key",
        "station/recipient.key",
    ] {
        assert_eq!(bench.mode(name), 0o600, "{name}");
    }
}

#[test]
fn without_plain_labels_no_password_is_in_the_clear_and_nothing_is_warned_of() {
    let bench = Bench::new("without_plain_labels_no_password_is_in_the_clear_and_nothing_is_warned_of");
    bench.write("iotsec.toml", LAMP.as_bytes());
    bench.done("provision batch --manifest iotsec.toml --count 2 --out batch");
    assert!(!bench.path(LABELS).exists());
    bench.done("provision verify batch --unseal station/recipient.key");
}

#[test]
fn the_manifest_says_what_a_unit_gets() {
    let bench = Bench::new("the_manifest_says_what_a_unit_gets");
    let off = LAMP.replace("\"online\"", "\"offline\"");
    let off = off.replace("setup-code = true", "setup-code = false");
    let off = off.replace("\"factory\"", "\"device\"");
    bench.write("iotsec.toml", off.as_bytes());
    mint(&bench, 2, "batch");
    for (_, password, code) in labels(&bench, "batch") {
        assert_eq!(password.chars().filter(|c| *c != '-').count(), 17);
        assert_eq!(code, "");
    }
    let (_, report) = bench.json(VERIFY);
    assert_eq!(report["device_keys"], 0);
    let codes = LAMP.replace("password = true", "password = false");
    bench.write("iotsec.toml", codes.as_bytes());
    mint(&bench, 2, "codes");
    assert!(
        labels(&bench, "codes")
            .iter()
            .all(|(_, password, code)| password.is_empty() && code.len() == 8)
    );
    bench.done("provision verify codes");
}

#[test]
fn running_numbers_do_not_wrap() {
    let bench = Bench::new("running_numbers_do_not_wrap");
    bench.write(
        "iotsec.toml",
        LAMP.replace("first = 1", "first = 4294967295").as_bytes(),
    );
    let line = "provision batch --manifest iotsec.toml";
    bench.misused(
        &format!("{line} --count 2 --out two"),
        "running numbers end at 4294967295",
    );
    bench.done(&format!("{line} --count 1 --out one"));
    assert_eq!(bench.run(&format!("{line} --count 0 --out none")).status, Some(2));
}

#[test]
fn a_registry_without_its_key_is_refused() {
    let bench = station("a_registry_without_its_key_is_refused", 1);
    fs::remove_file(bench.path("station/registry.key")).unwrap();
    let run = bench.run("provision batch --manifest iotsec.toml --count 1 --out next");
    assert!(
        run.err.contains("the registry is of no use without it"),
        "{run:?}"
    );
}

/// The process is killed at moments spread over its run, until it comes to its end.
#[cfg(unix)]
#[test]
fn a_run_that_is_killed_again_and_again_mints_every_unit_once() {
    let bench = Bench::new("a_run_that_is_killed_again_and_again_mints_every_unit_once");
    bench.write("iotsec.toml", LAMP.as_bytes());
    let line = "provision batch --manifest iotsec.toml --count 20000 --plain-labels --out batch";
    let mut state = 0x2545_F491_u32;
    let mut kills = 0;
    loop {
        let mut run = Command::new(env!("CARGO_BIN_EXE_iotsec"))
            .args(line.split_whitespace())
            .current_dir(bench.path(""))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        // Early moments come first, where directory, keys and registry are made.
        let moment = if kills < 20 {
            Duration::from_micros(u64::from(state >> 8) % 20_000)
        } else {
            Duration::from_millis(u64::from(state >> 8) % 400)
        };
        let begun = Instant::now();
        let ended = loop {
            if let Some(status) = run.try_wait().unwrap() {
                break Some(status);
            }
            if begun.elapsed() >= moment {
                run.kill().unwrap();
                run.wait().unwrap();
                break None;
            }
            std::thread::sleep(Duration::from_micros(200));
        };
        match ended {
            Some(status) => {
                assert!(status.success(), "after {kills} kills");
                break;
            }
            None => kills += 1,
        }
        // Serial numbers were taken once.
        assert!(kills < 2000, "no headway");
    }
    let labels = labels(&bench, "batch");
    let serials: BTreeMap<_, _> = labels.iter().map(|(serial, ..)| (serial.clone(), ())).collect();
    assert_eq!((labels.len(), serials.len()), (20_000, 20_000), "{kills} kills");
    assert_eq!(labels[0].0, "L2-000001");
    assert_eq!(labels[19_999].0, "L2-020000");
    let report = bench.done(VERIFY);
    assert!(report.starts_with("20000 units: "), "{report}");
    // Of what is sealed, all is there once as well.
    bench.done("provision verify batch --unseal station/recipient.key");
    let line =
        "provision unseal batch/devices.sealed --key station/recipient.key --signer batch/signer.pub --out d";
    assert!(bench.done(line).starts_with("20000 units"));
}

#[test]
fn derived_passwords_can_be_printed_again_and_say_what_they_are() {
    let bench = Bench::new("derived_passwords_can_be_printed_again_and_say_what_they_are");
    let derived = LAMP.replace("setup-code = true", "setup-code = true\norigin = \"derived\"");
    bench.write("iotsec.toml", derived.as_bytes());
    mint(&bench, 300, "batch");
    let labels = String::from_utf8(bench.read(LABELS)).unwrap();
    for line in labels.lines().skip(1).step_by(50) {
        let [serial, password, _] = line.split(',').collect::<Vec<_>>().try_into().unwrap();
        let again = bench.done(&format!(
            "provision reprint --manifest iotsec.toml --serial {serial}"
        ));
        assert_eq!(again, format!("{serial},{password}\n"));
    }
    let report = bench.done("provision verify batch --key station/signing.key");
    assert!(
        report.contains("holds PSTI Sch. 1 para 1(3)(c), not from serial number or MAC: derived from the serial number by HKDF"),
        "{report}"
    );
    assert!(
        report.contains("60 bits of HKDF-SHA-256 under a batch key of 256"),
        "{report}"
    );

    let unknown = "no unit \"L2-000301\" has a password that was derived like this";
    bench.refused(
        "provision reprint --manifest iotsec.toml --serial L2-000301",
        unknown,
    );
    // A setting that changes the password does not give a label that opens nothing.
    bench.write(
        "other.toml",
        derived.replace("\"online\"", "\"offline\"").as_bytes(),
    );
    let unknown = unknown.replace("301", "001");
    bench.refused(
        "provision reprint --manifest other.toml --serial L2-000001",
        &unknown,
    );
    bench.write("drawn.toml", LAMP.as_bytes());
    bench.refused(
        "provision reprint --manifest drawn.toml --serial L2-000001",
        "drawn.toml: passwords are drawn, and nobody has them",
    );

    // The key is at the station alone.
    let key = bench.read("station/batch.key");
    let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    bench.done(
        "provision unseal batch/devices.sealed --key station/recipient.key --signer batch/signer.pub --out devices.csv",
    );
    for file in [
        "devices.csv",
        MANIFEST,
        LABELS,
        "station/registry/log",
        "batch/devices.sealed",
    ] {
        let bytes = bench.read(file);
        assert!(!bytes.windows(32).any(|part| part == key), "{file}");
        assert!(!bytes.windows(64).any(|part| part == hex.as_bytes()), "{file}");
    }
    #[cfg(unix)]
    assert_eq!(bench.mode("station/batch.key"), 0o600);
}
