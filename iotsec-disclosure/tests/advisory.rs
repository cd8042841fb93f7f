//! What an advisory breaks, and where it says so.

use iotsec_disclosure::{DisclosureError, Firmware, advisory::Advisory, csaf, vex};
use iotsec_product::Product;
use serde_json::{Value, json};

const LOCK: &str = include_str!("../../examples/products/lock/iotsec.toml");
const ADVISORY: &str = include_str!("../samples/lock-advisory.toml");
const VEX: &str = include_str!("../samples/lock-vex.toml");

fn product() -> Product {
    Product::parse(LOCK.as_bytes()).unwrap()
}

fn image() -> Firmware {
    Firmware::of("lock.bin", b"an image")
}

fn bill() -> Value {
    json!({
        "serialNumber": "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79",
        "version": 1,
        "metadata": { "component": { "type": "firmware", "name": "Front door", "bom-ref": "lock", "version": "1.4.0" } },
        "components": [
            { "bom-ref": "pkg:cargo/sha2@0.10.9", "purl": "pkg:cargo/sha2@0.10.9", "version": "0.10.9" },
            { "bom-ref": "pkg:cargo/sha2@0.11.1", "purl": "pkg:cargo/sha2@0.11.1", "version": "0.11.1" },
            { "bom-ref": "pkg:cargo/sha2-asm@0.6.0", "purl": "pkg:cargo/sha2-asm@0.6.0", "version": "0.6.0" },
        ],
    })
}

#[test]
fn every_rule_has_an_advisory_that_breaks_it_and_is_shown_where() {
    let second = "[[vulnerability]]\ncve = \"CVE-2026-12345\"\ndescription = \"again\"\nstanding = []\n";
    for (old, new, rule, line) in [
        (
            "id = \"ELL-2026-001\"",
            "id = \"--\"",
            "advisory.id",
            "id = \"--\"",
        ),
        (
            "status = \"final\"",
            "language = \"english!\"",
            "advisory.language",
            "language = ",
        ),
        (
            "cve = \"CVE-2026-12345\"",
            "cve = \"2026-12345\"",
            "advisory.cve",
            "cve = ",
        ),
        (
            "cve = \"CVE-2026-12345\"\n",
            "",
            "advisory.number",
            "[[vulnerability]]",
        ),
        ("CWE-307", "307", "advisory.cwe", "cwe = "),
        ("/S:U", "/S:X", "advisory.cvss", "cvss = "),
        (
            "2026-12-08T09:00:00Z",
            "2026-11-01T09:00:00Z",
            "advisory.revision",
            "date = 2026-11-01",
        ),
        (
            "version = \"1.4.0\"",
            "version = \"1.3.0\"",
            "advisory.release",
            "version = \"1.3.0\"\nsbom",
        ),
        (
            "names = [\"B. Finder\"]\norganization = \"Example Research\"",
            "",
            "advisory.thanks",
            "[[vulnerability.thanks]]",
        ),
        (
            "releases = [\"1.4.0\"]",
            "releases = [\"1.5.0\"]",
            "advisory.release",
            "releases = [\"1.5.0\"]",
        ),
        (
            "releases = [\"1.4.0\"]",
            "releases = [\"1.4.0\", \"1.3.0\"]",
            "advisory.twice",
            "releases = [\"1.4.0\", \"1.3.0\"]",
        ),
        (
            "releases = [\"1.4.0\"]",
            "releases = []",
            "advisory.empty",
            "releases = []",
        ),
        (
            "is = \"fixed\"",
            "is = \"not-affected\"",
            "advisory.justification",
            "[[vulnerability.standing]]\nreleases = [\"1.4.0\"]",
        ),
        (
            "is = \"fixed\"",
            "is = \"fixed\"\nimpact = \"none\"",
            "advisory.justification",
            "[[vulnerability.standing]]\nreleases = [\"1.4.0\"]",
        ),
        (
            "is = \"fixed\"",
            "is = \"fixed\"\naction = \"none\"",
            "advisory.action",
            "action = \"none\"",
        ),
        (
            "action = \"Let",
            "impact = \"Let",
            "advisory.action",
            "[[vulnerability.standing]]\nreleases = [\"1.3.0\"]",
        ),
        (
            "is = \"fixed\"\n",
            &format!("is = \"fixed\"\n\n{second}"),
            "advisory.number",
            "[[vulnerability]]\ncve = \"CVE-2026-12345\"\ndescription = \"again\"",
        ),
        ("title = \"Front", "titel = \"Front", "advisory.form", "titel"),
        ("cvss =", "cvss = 1 #", "advisory.form", "1 # "),
    ] {
        let text = ADVISORY.replacen(old, new, 1);
        assert_ne!(text, ADVISORY, "{old}");
        let findings = Advisory::parse(text.as_bytes()).unwrap_err();
        let finding = findings.iter().find(|one| one.rule == rule);
        let finding = finding.unwrap_or_else(|| panic!("{rule}: {findings:?}"));
        let at = text.find(line).unwrap();
        let expected = text[..at].lines().count() + usize::from(text[..at].ends_with('\n'));
        assert_eq!(finding.place.unwrap().line, expected, "{rule}: {finding}");
        assert!(finding.remedy.len() > 10, "{finding:?}");
    }
    let empty = ADVISORY.split("[[revision]]").next().unwrap().to_owned()
        + "revision = []\nrelease = []\nvulnerability = []\n";
    let findings = Advisory::parse(empty.as_bytes()).unwrap_err();
    assert_eq!(
        findings.iter().filter(|one| one.rule == "advisory.empty").count(),
        3
    );
}

#[test]
fn hostile_files_get_an_answer() {
    let rule = |bytes: &[u8]| Advisory::parse(bytes).unwrap_err()[0].rule;
    assert_eq!(rule(&vec![b'#'; 300_000]), "advisory.size");
    assert_eq!(rule(b"id = \"\xFF\""), "advisory.text");
    assert_eq!(rule("a.".repeat(50_000).as_bytes()), "advisory.form");
    assert_eq!(
        rule(format!("a = {}", "[".repeat(100_000)).as_bytes()),
        "advisory.form"
    );
}

#[test]
fn an_advisory_says_of_each_release_how_it_stands_and_which_image_it_is() {
    let advisory = Advisory::parse(ADVISORY.as_bytes()).unwrap();
    let file = csaf::document(
        &product(),
        &advisory,
        Some(&image()),
        "2026-12-08".parse().unwrap(),
    )
    .unwrap();
    let found = &file["vulnerabilities"][0];
    assert_eq!(
        found["product_status"],
        json!({ "fixed": ["lock-1:1.4.0"], "known_affected": ["lock-1:1.3.0"] })
    );
    assert_eq!(found["remediations"][0]["category"], "vendor_fix");
    assert_eq!(found["scores"][0]["products"], json!(["lock-1:1.3.0"]));
    let tree = file["product_tree"]["branches"][0]["branches"][0]["branches"]
        .as_array()
        .unwrap();
    let digests: Vec<&str> = tree
        .iter()
        .map(|one| {
            let helper = &one["product"]["product_identification_helper"];
            assert!(helper["sbom_urls"][0].as_str().unwrap().ends_with(".cdx.json"));
            helper["hashes"][0]["file_hashes"][0]["value"].as_str().unwrap()
        })
        .collect();
    let current: String = image().sha256.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(
        digests,
        [advisory.release[0].sha256.as_ref().unwrap().as_str(), &current]
    );
    let tracking = &file["document"]["tracking"];
    assert_eq!(
        (
            &tracking["version"],
            &tracking["initial_release_date"],
            &tracking["current_release_date"]
        ),
        (
            &json!("2"),
            &json!("2026-12-01T09:00:00Z"),
            &json!("2026-12-08T09:00:00Z")
        )
    );

    // The image of another release, under the digest of this one.
    let other = ADVISORY.replace(
        "[[release]]\nversion = \"1.4.0\"",
        &format!(
            "[[release]]\nversion = \"1.4.0\"\nsha256 = \"{}\"",
            "0".repeat(64)
        ),
    );
    let other = Advisory::parse(other.as_bytes()).unwrap();
    let refused = csaf::document(&product(), &other, Some(&image()), "2026-12-08".parse().unwrap());
    assert_eq!(refused, Err(DisclosureError::Image("1.4.0".into())));
    assert!(csaf::document(&product(), &other, None, "2026-12-08".parse().unwrap()).is_ok());
}

#[test]
fn lists_of_a_provider_are_in_order() {
    let entries: Vec<csaf::Entry> = [ADVISORY, VEX]
        .iter()
        .map(|text| csaf::Entry::of(&Advisory::parse(text.as_bytes()).unwrap()))
        .collect();
    assert_eq!(
        csaf::index(&entries),
        "2026/ell-2026-001.json\n2026/ell-2026-002.json\n"
    );
    assert_eq!(
        csaf::changes(&entries),
        "\"2026/ell-2026-001.json\",\"2026-12-08T09:00:00Z\"\n\"2026/ell-2026-002.json\",\"2026-12-02T09:00:00Z\"\n"
    );
    // Example Company - 2019-YH3234 of CSAF 2.0 §5.1.
    let odd = ADVISORY.replacen("ELL-2026-001", "Example Company - 2019-YH3234", 1);
    let odd = Advisory::parse(odd.as_bytes()).unwrap();
    assert_eq!(csaf::file_name(&odd), "example_company_-_2019-yh3234.json");

    let elsewhere = LOCK.replace("csaf/provider-metadata.json", "csaf.json");
    let elsewhere = Product::parse(elsewhere.as_bytes()).unwrap();
    let refused = csaf::provider_metadata(&elsewhere, None, "2026-12-08".parse().unwrap());
    assert_eq!(refused, Err(DisclosureError::Provider));
}

#[test]
fn a_statement_names_the_components_of_the_bill_and_no_others() {
    let statement = |text: &str| Advisory::parse(text.as_bytes()).unwrap();
    let made = |text: &str| {
        vex::document(
            &product(),
            &[statement(text)],
            &bill(),
            "2026-12-08".parse().unwrap(),
        )
    };
    let file = made(VEX).unwrap();
    let link = |name: &str| format!("urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1#{name}");
    let affects = |file: &Value| -> Vec<String> {
        let all = file["vulnerabilities"][0]["affects"].as_array().unwrap().iter();
        all.map(|one| one["ref"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(
        affects(&file),
        [
            link("pkg%3Acargo%2Fsha2%400.10.9"),
            link("pkg%3Acargo%2Fsha2%400.11.1")
        ]
    );
    assert_eq!(
        file["vulnerabilities"][0]["analysis"]["justification"],
        "code_not_reachable"
    );
    let one = made(&VEX.replace("pkg:cargo/sha2", "pkg:cargo/sha2@0.11.1")).unwrap();
    assert_eq!(affects(&one), [link("pkg%3Acargo%2Fsha2%400.11.1")]);

    let md5 = VEX.replace("pkg:cargo/sha2", "pkg:cargo/md5");
    assert_eq!(
        made(&md5),
        Err(DisclosureError::Component("pkg:cargo/md5".into()))
    );
    let absent = md5.replace("vulnerable-code-not-in-execute-path", "component-not-present");
    assert_eq!(affects(&made(&absent).unwrap()), [link("lock")]);
    let untrue = VEX.replace("vulnerable-code-not-in-execute-path", "component-not-present");
    assert_eq!(
        made(&untrue),
        Err(DisclosureError::Present("pkg:cargo/sha2".into()))
    );
    let silent = VEX.replace("1.4.0", "1.3.0");
    assert!(matches!(made(&silent), Err(DisclosureError::Release(..))));

    let both = [
        statement(VEX),
        statement(&VEX.replace("ELL-2026-002", "ELL-2026-003")),
    ];
    let twice = vex::document(&product(), &both, &bill(), "2026-12-08".parse().unwrap());
    assert_eq!(twice, Err(DisclosureError::Twice("CVE-2026-23456".into())));

    let mut bom = bill();
    vex::embed(&[statement(VEX)], &mut bom).unwrap();
    assert_eq!(affects(&bom), ["pkg:cargo/sha2@0.10.9", "pkg:cargo/sha2@0.11.1"]);
    assert_eq!(
        vex::document(
            &product(),
            &[statement(VEX)],
            &json!({}),
            "2026-12-08".parse().unwrap()
        ),
        Err(DisclosureError::Bill)
    );
}
