//! What a manifest may say, and where it is told what is wrong.

use iotsec_product::{Product, product::MAX_LEN, schema, source};

const SAMPLE: &str = include_str!("../../examples/products/lamp/iotsec.toml");
const BASE: &str = "[product]\nname = \"Lamp\"\nmodel = \"l\"\nvendor = \"V\"\n[serial]\nprefix = \"L-\"\n";

fn read(text: &str) -> Product {
    Product::parse(text.as_bytes()).unwrap_or_else(|findings| panic!("{findings:?}"))
}

/// The first finding: where, what, and what to do, which is never empty.
fn refusal(text: &str) -> String {
    let findings = Product::parse(text.as_bytes()).unwrap_err();
    assert!(findings.iter().all(|finding| !finding.remedy.is_empty()));
    findings[0].to_string()
}

#[test]
fn the_sample_reads() {
    let product = read(SAMPLE);
    assert_eq!(product.product.model.as_str(), "lamp-2");
    assert_eq!(product.serial(7), "L2-000007");
    assert_eq!(product.serial(12_345_678), "L2-12345678");
}

#[test]
fn what_is_misspelt_or_out_of_range_is_refused_with_its_place() {
    read(BASE);
    for (more, expected) in [
        ("colour = \"red\"\n", "line 7, column 1: unknown field `colour`"),
        (
            "[credentials]\npassword = true\n",
            "line 7, column 2: unknown field `credentials`",
        ),
        (
            "[credential]\nexposure = \"none\"\n",
            "line 8, column 12: unknown variant `none`",
        ),
        ("digits = 11\n", "line 7, column 1: serial.digits: is 1 to 10"),
        (
            "[credential]\npassword = false\n",
            "line 7, column 2: credential: asks for neither a password nor a set-up code",
        ),
        (
            "[support]\nend = 2031-02-30\nreason = \"r\"\npage = \"https://a.example\"\n",
            "line 8, column 7: ",
        ),
        (
            "[support]\nend = 2031-02-01T00:00:00Z\nreason = \"r\"\npage = \"https://a.example\"\n",
            "line 8, column 7: takes a day",
        ),
        (
            "[support]\nend = 2031-02-01\nreason = \"r\"\npage = \"http://a.example\"\n",
            "line 10, column 8: takes an address that starts with https://",
        ),
        (
            "[[component]]\nid = \"app\"\ndescription = \"d\"\nupdates = [\"ota\"]\n",
            "line 10, column 1: component[0].updates: \"ota\" is no entry of [[update]]",
        ),
        (
            "[[sensor]]\nid = \"eye\"\nkind = \"k\"\ndescription = \"d\"\n[[sensor]]\nid = \"eye\"\nkind = \"k\"\n\
             description = \"d\"\n",
            "line 12, column 1: sensor[1].id: \"eye\" stands twice",
        ),
        (
            "[[decision]]\nid = \"d\"\nquestion = \"q\"\noptions = [\"on\", \"off\"]\ndefault = \"maybe\"\nwhen = \"w\"\n",
            "line 10, column 1: decision[0].options: lacks \"maybe\"",
        ),
        (
            "[[telemetry.events]]\nid = 0\nname = \"\"\nclass = \"security\"\nwhy = \"w\"\n",
            "line 7, column 3: telemetry: ",
        ),
        (
            "[[examination]]\nid = \"e\"\ntelemetry = [\"login.failed\"]\ndescription = \"d\"\n",
            "line 9, column 1: examination[0].telemetry: \"login.failed\" is no event",
        ),
    ] {
        let error = refusal(&format!("{BASE}{more}"));
        assert!(error.starts_with(expected), "{more}: {error}");
    }
}

#[test]
fn what_matter_asks_for_is_checked() {
    let matter = "[credential]\nsetup-code = true\n[matter]\nvendor-id = 0xFFF1\nproduct-id = 0x8000\n\
                  discovery = [\"ble\", \"on-network\"]\n";
    let product = read(&format!("{BASE}{matter}"));
    assert_eq!(product.matter.unwrap().discovery_bits(), 6);
    for (right, wrong, expected) in [
        ("true", "false", "matter: needs credential.setup-code"),
        ("0xFFF1", "0xFFF5", "matter.vendor-id: is"),
        ("0xFFF1", "0", "matter.vendor-id: is"),
        ("0x8000", "0", "matter.vendor-id: is"),
        ("\"ble\", \"on-network\"", "", "matter.discovery: names"),
        ("\"ble\"", "\"nfc\"", "line 12, column 14: unknown variant `nfc`"),
    ] {
        let error = refusal(&format!("{BASE}{matter}").replace(right, wrong));
        assert!(error.contains(expected), "{error}");
    }
    let few = refusal(&format!("{BASE}{matter}iterations = 999\n"));
    assert!(few.contains("matter.iterations: is"), "{few}");
}

#[test]
fn a_prefix_leaves_room_for_the_number_and_cannot_be_mistaken() {
    let with = |prefix: &str| BASE.replace("L-", prefix);
    read(&with(&"L".repeat(22)));
    assert!(refusal(&with("L2")).contains("does not end in a digit"));
    for wrong in ["L,", "-", &"L".repeat(23)] {
        let error = refusal(&with(wrong));
        assert!(error.contains("takes up to 22 letters"), "{error}");
    }
}

#[test]
fn a_hostile_manifest_is_refused_and_not_followed() {
    let huge = format!("{BASE}# {}\n", "x".repeat(MAX_LEN));
    assert!(refusal(&huge).contains("at most"));
    let deep = format!(
        "{BASE}[credential]\npassword = {}{}\n",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    assert!(
        refusal(&deep).starts_with("line 8, column 92: "),
        "{}",
        refusal(&deep)
    );
    let dotted = format!("{BASE}[a{}]\n", ".a".repeat(100_000));
    assert!(
        refusal(&dotted).contains("recursion limit"),
        "{}",
        refusal(&dotted)
    );
    for wrong in [
        "[product]\nname = 1\n",
        "product = []\n",
        "product = 1\n[product]\nname = \"a\"\n",
        "\u{0}",
        "[",
        "=",
    ] {
        refusal(wrong);
    }
    let findings = Product::parse(b"[product]\nname = \"\xFF\"\n").unwrap_err();
    assert!(findings[0].message.contains("not UTF-8 from byte 18 on"));
}

#[test]
fn the_schema_knows_every_section_and_refuses_others() {
    let schema = schema::json();
    assert_eq!(schema["additionalProperties"], false);
    for section in [
        "product",
        "disclosure",
        "personal-data",
        "surface",
        "telemetry",
        "justification",
    ] {
        assert!(!schema["properties"][section].is_null(), "{section}");
    }
    assert_eq!(schema["required"], serde_json::json!(["product", "serial"]));
}

#[test]
fn the_firmware_gets_what_the_manifest_says() {
    let text = format!(
        "{SAMPLE}\n[maker]\nname = \"M\"\naddress = \"A\"\ndomain = \"maker.example\"\ncontact = \"mailto:a@b.example\"\n\
         [support]\nend = 2031-12-31\nreason = \"r\"\npage = \"https://maker.example/s\"\n\
         [[update]]\nid = \"ota\"\ndescription = \"d\"\ndelivery = \"network\"\nguarantees = [\"integrity\"]\n\
         verified-by = \"device\"\ntrust = \"signature\"\ninitiation = \"automatic\"\ncheck.every-hours = 6\n\
         [[telemetry.events]]\nid = 1\nname = \"login.failed\"\nclass = \"security\"\nwhy = \"Shows attacks\"\n\
         fields = [{{ name = \"attempts\", min = 1, max = 255 }}]\n"
    );
    let rust = source::rust(&read(&text));
    for expected in [
        "pub const MODEL: &str = \"lamp-2\";",
        // 2031-12-31T23:59:59Z.
        "pub const SUPPORT_UNTIL: iotsec::core::hal::UnixTime = iotsec::core::hal::UnixTime(1956527999);",
        "period: iotsec::core::hal::Millis::from_secs(21600),",
        "Interface::service(\"set-up\"",
        "pub const LOGIN_FAILED: iotsec::telemetry::registry::EventDef",
        "pub static TELEMETRY = [LOGIN_FAILED], metrics []",
    ] {
        assert!(rust.contains(expected), "{expected}\n{rust}");
    }
}
