//! A first manifest, what is wrong with one, and the forms that are filled from it.

use serde_json::{Value, json};

use crate::bench::Bench;

const LOCK: &str = include_str!("../../../examples/products/lock/iotsec.toml");
const CONSTANTS: &str = include_str!("../../../examples/products/lock/product.rs");

#[test]
fn a_first_manifest_is_sound_but_for_what_only_the_maker_knows() {
    let bench = Bench::new("a_first_manifest_is_sound_but_for_what_only_the_maker_knows");
    bench.done("new");
    let (status, value) = bench.json("doctor");
    let findings = value["findings"].as_array().unwrap();
    let others: Vec<&Value> = findings
        .iter()
        .filter(|finding| finding["rule"] != "manifest.example")
        .collect();
    assert_eq!(status, Some(1));
    assert!(
        others.iter().all(|finding| finding["severity"] == "advice"),
        "{others:?}"
    );
    let first = String::from_utf8(bench.read("iotsec.toml")).unwrap();
    let marked = first.lines().filter(|line| line.contains("EXAMPLE")).count();
    assert_eq!(findings.len() - others.len(), marked);

    // Once more, nothing is overwritten.
    bench.refused("new", "iotsec.toml exists already and is left as it is");
    bench.write("iotsec.toml", first.replace("EXAMPLE", "Well-known").as_bytes());
    let (_, value) = bench.json("doctor");
    let findings = value["findings"].as_array().unwrap();
    assert!(
        findings
            .iter()
            .all(|finding| finding["rule"] != "manifest.example"),
        "{findings:?}"
    );
}

#[test]
fn what_is_wrong_has_line_column_and_remedy() {
    let bench = Bench::new("what_is_wrong_has_line_column_and_remedy");
    bench.write("lock.toml", LOCK.as_bytes());
    assert_eq!(
        bench.done("doctor --manifest lock.toml"),
        "nothing is wrong with the manifest\n"
    );
    bench.write(
        "lock.toml",
        LOCK.replace("risk = true", "risk = false").as_bytes(),
    );
    let run = bench.run("doctor --manifest lock.toml");
    let line = LOCK
        .lines()
        .position(|line| line.starts_with("notice = {"))
        .unwrap()
        + 1;
    let expected = format!("lock.toml: warning: line {line}, column 1: update[0].notice: ");
    assert!(
        run.out.starts_with(&expected) && run.out.ends_with("1 finding\n"),
        "{run:?}"
    );
    assert_eq!(run.status, Some(1));

    bench.write("lock.toml", LOCK.replace("[support]", "[suport]").as_bytes());
    let (status, value) = bench.json("doctor --manifest lock.toml");
    let finding = &value["findings"][0];
    assert_eq!((status, &finding["severity"]), (Some(1), &json!("error")));
    assert!(
        finding["message"]
            .as_str()
            .unwrap()
            .starts_with("unknown field `suport`"),
        "{finding}"
    );
    bench.done("doctor --schema schema.json");
    let schema: Value = serde_json::from_slice(&bench.read("schema.json")).unwrap();
    assert_eq!(schema["title"], "Product manifest of iotsec");
}

#[test]
fn the_forms_are_filled_from_the_manifest() {
    let bench = Bench::new("the_forms_are_filled_from_the_manifest");
    bench.write("lock.toml", LOCK.as_bytes());
    let (status, value) = bench.json("evidence applies --manifest lock.toml");
    assert_eq!(status, Some(0));
    let provisions = value["provisions"].as_array().unwrap();
    assert_eq!(provisions.len(), 78);
    // It can be updated, so nothing is to be isolated or replaced; no secret leaves it; it forms no sums over homes.
    let away: Vec<&str> = provisions
        .iter()
        .filter(|one| one["applies"] == false)
        .filter_map(|one| one["provision"].as_str())
        .collect();
    assert_eq!(away, ["5.3-14", "5.3-15A", "5.3-15B", "5.5-6", "5.5-7", "6-7"]);
    let (_, value) = bench.json("evidence applies --manifest lock.toml --edition v2");
    assert_eq!(value["standard"], "ETSI EN 303 645 V2.1.1 (2020-06)");

    let run = bench.run("evidence ics --manifest lock.toml --out ics.md");
    assert_eq!(run.status, Some(1), "{run:?}");
    let page = String::from_utf8(bench.read("ics.md")).unwrap();
    assert!(
        page.contains("| N | A connector for the tester of the battery"),
        "{page}"
    );
    bench.done("evidence ixit --manifest lock.toml --out ixit.md");
    let page = String::from_utf8(bench.read("ixit.md")).unwrap();
    assert_eq!(page.matches("\n## IXIT ").count(), 29);
}

#[test]
fn the_firmware_is_told_when_its_constants_are_of_another_manifest() {
    let bench = Bench::new("the_firmware_is_told_when_its_constants_are_of_another_manifest");
    bench.write("lock.toml", LOCK.as_bytes());
    assert_eq!(bench.done("constants --manifest lock.toml"), CONSTANTS);
    bench.write("product.rs", CONSTANTS.as_bytes());
    bench.done("constants --manifest lock.toml --compare product.rs");
    bench.write(
        "lock.toml",
        LOCK.replace("every-hours = 24", "every-hours = 12").as_bytes(),
    );
    bench.refused(
        "constants --manifest lock.toml --compare product.rs",
        "product.rs is not made of lock.toml",
    );
}

#[test]
fn what_the_maker_publishes_is_made_of_the_manifest() {
    let bench = Bench::new("what_the_maker_publishes_is_made_of_the_manifest");
    bench.write("lock.toml", LOCK.as_bytes());
    bench.done("disclose --manifest lock.toml --out public --time 2026-11-29");
    let read = |name: &str| String::from_utf8(bench.read(&format!("public/{name}"))).unwrap();
    let fields = read("security.txt");
    assert_eq!(
        fields,
        "Contact: mailto:security@locks.example.com\n\
         Contact: https://locks.example.com/security/report\n\
         Expires: 2027-05-28T00:00:00Z\n\
         Encryption: https://locks.example.com/security/key.asc\n\
         Acknowledgments: https://locks.example.com/security/thanks\n\
         Preferred-Languages: en, de\n\
         Canonical: https://locks.example.com/.well-known/security.txt\n\
         Policy: https://locks.example.com/security/policy\n\
         CSAF: https://locks.example.com/.well-known/csaf/provider-metadata.json\n"
    );
    let policy = read("disclosure-policy.md");
    for time in [
        "| within 2 days | we acknowledge",
        "| every 7 days until it is resolved |",
        "| within 60 days |",
    ] {
        assert!(policy.contains(time), "{policy}");
    }
    let statement = read("statement-of-compliance.md");
    // The particulars of Schedule 4.
    for particular in [
        "Manufacturer: Example Locks Limited, 1 Example Street",
        "Authorised representative: Example Locks Europe GmbH",
        "prepared by or on behalf of the manufacturer",
        "ETSI EN 303 645 V2.1.1 (2020-06)",
        "- 5.1-1, for Schedule 1 paragraph 1",
        "- 5.1-2, for Schedule 1 paragraph 1",
        "- 5.2-1, for Schedule 1 paragraph 2",
        "- 5.3-13, for Schedule 1 paragraph 3",
        "security updates until 2034-12-31",
        "A. Example, Head of product security",
        "Example Town, 2026-11-29",
    ] {
        assert!(statement.contains(particular), "{particular}\n{statement}");
    }
    let page = read("consumer.md");
    for told in [
        "until 2034-12-31",
        "Updates install themselves.",
        "**magnetic contact**: Whether the door is open",
        "When the door was opened, and by whose key",
        "login.failed: Shows attacks on passwords. Sent always.",
        "Hold the button for ten seconds",
        "keep your home network safe",
        "mqtt.locks.example.com, port 8883",
        "Step by step: <https://locks.example.com/lock-1/set-up>",
        "How to check each point: <https://locks.example.com/lock-1/check>",
    ] {
        assert!(page.contains(told), "{told}\n{page}");
    }
    // What is published already is not overwritten.
    let again = bench.run("disclose --manifest lock.toml --out public");
    assert_eq!(again.status, Some(1), "{again:?}");
    let without = LOCK.split("[maker.signatory]").next().unwrap().to_owned() + "[serial]\nprefix = \"LK-\"\n";
    bench.write("bare.toml", without.as_bytes());
    bench.refused(
        "disclose --manifest bare.toml --out other",
        "the manifest has no [disclosure]",
    );
    assert!(!bench.path("other").exists());
}
