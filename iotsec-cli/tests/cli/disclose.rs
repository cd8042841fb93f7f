//! What is published about a build and about weaknesses: files in, files out.

use std::fs;

use serde_json::{Value, json};

use crate::bench::Bench;

const LOCK: &str = include_str!("../../../examples/products/lock/iotsec.toml");
const ADVISORY: &str = include_str!("../../../iotsec-disclosure/samples/lock-advisory.toml");
const CASE: &str = include_str!("../../../iotsec-disclosure/samples/lock-case.toml");

fn bench(test: &str) -> Bench {
    let bench = Bench::new(test);
    bench.write("iotsec.toml", LOCK.as_bytes());
    bench.write("lock.bin", b"an image");
    bench.write("advisory.toml", ADVISORY.as_bytes());
    bench.write("case.toml", CASE.as_bytes());
    bench
}

fn value(bench: &Bench, name: &str) -> Value {
    serde_json::from_slice(&bench.read(name)).unwrap()
}

/// A firmware that needs no registry: it links one crate, with a feature, and is built by another.
fn workspace(bench: &Bench) {
    let package = |name: &str, more: &str| {
        format!(
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2021\"\nlicense = \"MIT\"\n{more}"
        )
    };
    for (name, manifest) in [
        (
            "app",
            package(
                "app",
                "[features]\nradio = [\"driver/radio\"]\n[dependencies]\ndriver = { path = \"../driver\" }\n\
                 [build-dependencies]\ngenerator = { path = \"../generator\" }\n",
            ) + "[workspace]\nmembers = [\"../driver\", \"../generator\"]\n",
        ),
        (
            "driver",
            package("driver", "workspace = \"../app\"\n[features]\nradio = []\n"),
        ),
        ("generator", package("generator", "workspace = \"../app\"\n")),
    ] {
        fs::create_dir_all(bench.path(&format!("{name}/src"))).unwrap();
        bench.write(&format!("{name}/Cargo.toml"), manifest.as_bytes());
        bench.write(&format!("{name}/src/lib.rs"), b"");
    }
    let lock = "version = 4\n\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\ndependencies = [\n \"driver\",\n \"generator\",\n]\n\n\
                [[package]]\nname = \"driver\"\nversion = \"0.1.0\"\n\n[[package]]\nname = \"generator\"\nversion = \"0.1.0\"\n";
    bench.write("app/Cargo.lock", lock.as_bytes());
}

#[test]
fn a_bill_of_materials_has_what_cargo_links_and_vex_points_into_it() {
    let bench = bench("a_bill_of_materials_has_what_cargo_links");
    workspace(&bench);
    let line = "disclose sbom --manifest iotsec.toml --firmware lock.bin --cargo-manifest app/Cargo.toml --features radio \
                --time 2026-12-08";
    let said = bench.done(&format!("{line} --out sbom.json"));
    assert!(
        said.starts_with("sbom.json: bill of materials, 2 crates linked and 1 used to build, "),
        "{said}"
    );
    let bom = value(&bench, "sbom.json");
    let found = |name: &str| -> Value {
        let all = bom["components"].as_array().unwrap();
        all.iter().find(|one| one["name"] == name).unwrap().clone()
    };
    assert_eq!(
        (&found("driver")["scope"], &found("generator")["scope"]),
        (&json!("required"), &json!("excluded"))
    );
    assert_eq!(
        found("driver")["properties"],
        json!([{ "name": "iotsec:cargo:feature", "value": "radio" }])
    );
    // The same input, the same bytes.
    bench.done(&format!("{line} --out again.json"));
    assert_eq!(bench.read("sbom.json"), bench.read("again.json"));

    bench.done("disclose vex --manifest iotsec.toml --sbom sbom.json --advisory advisory.toml --time 2026-12-08 --out vex.json");
    let vex = value(&bench, "vex.json");
    let serial = bom["serialNumber"]
        .as_str()
        .unwrap()
        .trim_start_matches("urn:uuid:");
    let affected = vex["vulnerabilities"][0]["affects"][0]["ref"].as_str().unwrap();
    assert!(
        affected.starts_with(&format!("urn:cdx:{serial}/1#pkg%3Ageneric%2F")),
        "{affected}"
    );
    assert_eq!(vex["vulnerabilities"][0]["analysis"]["state"], "resolved");
    bench.done(&format!("{line} --advisory advisory.toml --out with-vex.json"));
    let inside = value(&bench, "with-vex.json");
    assert_eq!(
        inside["vulnerabilities"][0]["affects"][0]["ref"],
        bom["metadata"]["component"]["bom-ref"]
    );

    bench.refused(
        "disclose sbom --manifest iotsec.toml --firmware lock.bin --cargo-manifest none/Cargo.toml",
        "cargo refused none/Cargo.toml: error: manifest path `none/Cargo.toml` does not exist",
    );
    bench.write("advisory.toml", ADVISORY.replace("1.4.0", "1.5.0").as_bytes());
    bench.refused(
        "disclose vex --manifest iotsec.toml --sbom sbom.json --advisory advisory.toml",
        "ELL-2026-001 does not say how it stands with CVE-2026-12345 in release 1.4.0",
    );
}

#[test]
fn an_advisory_becomes_a_folder_that_a_provider_publishes() {
    let bench = bench("an_advisory_becomes_a_folder");
    let line = "disclose csaf --manifest iotsec.toml --advisory advisory.toml --time 2026-12-08T10:00:00Z";
    bench.refused(&format!("{line} --out csaf"), "release 1.4.0 has no digest");
    assert!(!bench.path("csaf").exists());
    bench.done(&format!("{line} --firmware lock.bin --out csaf"));
    let file = bench.read("csaf/white/2026/ell-2026-001.json");
    let digest = String::from_utf8(bench.read("csaf/white/2026/ell-2026-001.json.sha256")).unwrap();
    assert_eq!(
        digest,
        iotsec_disclosure::csaf::checksum("ell-2026-001.json", &file)
    );
    let document = value(&bench, "csaf/white/2026/ell-2026-001.json");
    assert_eq!(
        document["document"]["references"][0]["url"],
        "https://locks.example.com/.well-known/csaf/white/2026/ell-2026-001.json"
    );
    assert_eq!(bench.read("csaf/white/index.txt"), b"2026/ell-2026-001.json\n");
    assert_eq!(
        value(&bench, "csaf/provider-metadata.json")["role"],
        "csaf_provider"
    );

    bench.refused(
        &format!("{line} --advisory advisory.toml --firmware lock.bin --out twice"),
        "two advisories have the id ELL-2026-001",
    );
    bench.write("advisory.toml", ADVISORY.replace("action = ", "# ").as_bytes());
    let line_number = ADVISORY
        .lines()
        .position(|line| line == "[[vulnerability.standing]]")
        .unwrap()
        + 1;
    bench.refused(
        &format!("{line} --firmware lock.bin --out other"),
        &format!(
            "advisory.toml refused: line {line_number}, column 1: vulnerability[0].standing[0]: says that a release is \
             affected, and not what to do"
        ),
    );
}

#[test]
fn a_case_file_tells_people_and_programs_what_is_late() {
    let bench = bench("a_case_file_tells_people_and_programs");
    let line = "disclose case --manifest iotsec.toml --case case.toml";
    bench.done(&format!("{line} --time 2026-12-02 --out first"));
    let run = bench.run(&format!("{line} --time 2026-12-05 --out second"));
    assert_eq!(
        (run.status, run.err.as_str()),
        (Some(1), "overdue: notification\n")
    );
    let page = String::from_utf8(bench.read("second/case.md")).unwrap();
    assert!(
        page.contains("**Overdue: notification, since 2026-12-04T08:30:00Z**"),
        "{page}"
    );
    assert_eq!(
        value(&bench, "second/case.json")["overdue"],
        json!(["notification"])
    );
}

#[test]
fn a_signature_needs_the_program_and_the_key() {
    let bench = bench("a_signature_needs_the_program_and_the_key");
    let line = "disclose --manifest iotsec.toml --out public --sign-with somebody@locks.example.com";
    let run = bench.run(&format!("{line} --gpg ./no-such-program"));
    assert!(
        run.err.starts_with("iotsec: ./no-such-program cannot be run: ")
            && run.err.contains("remedy: install GnuPG"),
        "{run:?}"
    );
    assert_eq!(run.status, Some(1));
    // A program that knows no key, and one that says that it has one and does not sign.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let program = |name: &str, script: &str| {
            bench.write(name, format!("#!/bin/sh\n{script}\n").as_bytes());
            fs::set_permissions(bench.path(name), fs::Permissions::from_mode(0o755)).unwrap();
        };
        program("empty", "exit 2");
        bench.refused(
            &format!("{line} --gpg ./empty"),
            "./empty has no private key somebody@locks.example.com",
        );
        program(
            "mute",
            "case \"$*\" in *list-secret-keys*) printf 'sec:u:\\nfpr:::::::::0123:\\n';; *) echo 'gpg: no pinentry' >&2; exit 2;; esac",
        );
        bench.refused(
            &format!("{line} --gpg ./mute"),
            "./mute did not sign: gpg: no pinentry",
        );
        program(
            "two",
            "printf 'sec:u:\\nfpr:::::::::0123:\\nsec:u:\\nfpr:::::::::4567:\\n'",
        );
        bench.refused(
            &format!("{line} --gpg ./two"),
            "./two has several private keys somebody@locks.example.com",
        );
    }
    assert!(!bench.path("public").exists());
}

#[test]
fn the_pages_come_with_a_mud_file_where_the_manifest_has_one() {
    let bench = bench("the_pages_come_with_a_mud_file");
    bench.done("disclose --manifest iotsec.toml --out public --time 2026-12-08");
    let mud = value(&bench, "public/mud.json");
    assert_eq!(mud["ietf-mud:mud"]["is-supported"], true);
    bench.done("surface mud --manifest iotsec.toml --time 2026-12-08 --out mud.json");
    assert_eq!(bench.read("public/mud.json"), bench.read("mud.json"));
    // After the last day of support the network is told.
    bench.done("disclose --manifest iotsec.toml --out late --time 2035-01-01");
    assert_eq!(
        value(&bench, "late/mud.json")["ietf-mud:mud"]["is-supported"],
        false
    );
    bench.write(
        "iotsec.toml",
        LOCK.split("[surface.mud]").collect::<Vec<_>>()[0].as_bytes(),
    );
    bench.done("disclose --manifest iotsec.toml --out without");
    assert!(!bench.path("without/mud.json").exists());
}

#[test]
fn who_follows_the_guide_has_every_document() {
    let guide = fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../docs/guides/disclosure.md"
    ))
    .unwrap();
    let bench = bench("who_follows_the_disclosure_guide");
    workspace(&bench);
    fs::rename(bench.path("app"), bench.path("firmware")).unwrap();
    for name in ["driver", "generator"] {
        let file = format!("{name}/Cargo.toml");
        let manifest = String::from_utf8(bench.read(&file)).unwrap();
        bench.write(&file, manifest.replace("../app", "../firmware").as_bytes());
    }
    // What it says to write.
    let files = guide
        .split("```toml\n")
        .skip(1)
        .map(|block| block.split("```").next().unwrap());
    for (name, text) in ["advisory.toml", "vex.toml", "case.toml"].iter().zip(files) {
        // The firmware of this test has another crate than that of the sample.
        bench.write(
            name,
            text.replace("pkg:cargo/sha2", "pkg:generic/driver").as_bytes(),
        );
    }
    let text = guide.replace("\\\n", " ");
    let commands = text
        .split("```console\n")
        .skip(1)
        .map(|block| block.split("```").next().unwrap());
    let mut count = 0;
    for command in commands.flat_map(str::lines) {
        bench.done(command.strip_prefix("iotsec ").unwrap());
        count += 1;
    }
    assert_eq!(count, 5);
    for name in [
        "lock-1-1.4.0.cdx.json",
        "lock-1-1.4.0.vex.json",
        "csaf/white/2026/ell-2026-001.json.sha256",
        "csaf-with-vex/white/2026/ell-2026-002.json",
        "case-1/case.md",
    ] {
        assert!(bench.path(name).exists(), "{name}");
    }
    // The samples that validators of others judge are those of the guide.
    for sample in [
        ADVISORY,
        CASE,
        include_str!("../../../iotsec-disclosure/samples/lock-vex.toml"),
    ] {
        let (_, text) = sample.split_once('\n').unwrap();
        assert!(guide.contains(text), "{text}");
    }
}

/// What the commands refuse as unknown, their schemas do not have either.
#[test]
fn what_makers_write_has_a_schema() {
    let bench = Bench::new("what_makers_write_has_a_schema");
    for (file, title, has) in [
        ("advisory", "Advisory of iotsec", "vulnerability"),
        ("case", "Case of iotsec", "aware"),
    ] {
        let shown = bench.done(&format!("disclose schema {file}"));
        bench.done(&format!("disclose schema {file} --out {file}.json"));
        assert_eq!(bench.read(&format!("{file}.json")), shown.as_bytes());
        let schema: Value = serde_json::from_str(&shown).unwrap();
        assert_eq!(schema["title"], title);
        assert_eq!(schema["additionalProperties"], false);
        assert!(schema["properties"][has].is_object(), "{schema}");
    }
}
