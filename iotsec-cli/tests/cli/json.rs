use iotsec::core::{
    crypto::Ed25519SigningKey,
    identity::{CertificationRequest, Subject},
    secret::Secret,
};
use serde_json::{Value, json};

use crate::bench::{Bench, LAMP};

/// Every key of an error, and no other.
fn error(value: &Value) -> &serde_json::Map<String, Value> {
    let error = value["error"].as_object().unwrap();
    let keys: Vec<&str> = error.keys().map(String::as_str).collect();
    assert_eq!(keys, ["message", "name", "number", "remedy"]);
    assert!(!error["remedy"].as_str().unwrap().is_empty());
    error
}

#[test]
fn a_refusal_has_the_number_the_name_and_the_remedy_of_its_reason() {
    let bench = Bench::new("a_refusal_has_the_number_the_name_and_the_remedy_of_its_reason");
    bench.done("key new maker");
    bench.write("app.bin", &[5; 500]);
    let target = "--vendor-domain example.com --model lamp-2";
    bench.done(&format!(
        "update create {target} --sequence 2 --payload app.bin --integrated --key maker --out 2.suit"
    ));
    let verify = format!("update verify 2.suit {target} --key maker.pub");
    let (status, value) = bench.json(&verify);
    assert_eq!((status, &value["accepted"]), (Some(0), &json!(true)));

    let (status, value) = bench.json(&format!("{verify} --installed 3"));
    assert_eq!(status, Some(1));
    let error = error(&value);
    assert_eq!(error["number"], 2041);
    assert_eq!(error["name"], "Rollback");
    assert_eq!(error["message"], "2.suit refused: older than what is installed");
}

#[test]
fn every_command_answers_in_json() {
    let bench = Bench::new("every_command_answers_in_json");
    bench.write("old.bin", &[5; 900]);
    bench.write("new.bin", &[6; 950]);
    bench.write("iotsec.toml", LAMP.as_bytes());
    let derived = LAMP.replace("[credential]", "[credential]\norigin = \"derived\"");
    bench.write("derived.toml", derived.as_bytes());
    let key = Ed25519SigningKey::from_seed(&Secret::from_bytes(*b"the key of a device in one test."));
    let mut request = [0; CertificationRequest::MAX_LEN];
    let request = CertificationRequest::write(&Subject::new("LAMP-1").unwrap(), &key, &mut request);
    bench.write("lamp.csr", request.unwrap());
    let target = "--vendor-domain example.com --model lamp-2";
    let device = "cfbff0d1-9375-5685-968c-48ce8b15ae17";
    let uri = "https://fw.example.com/new";
    for line in [
        "key new maker",
        "key new other",
        "key new third",
        "key new lamp --kind x25519",
        "key show maker",
        "key show lamp.pub",
        "key export maker --private --out maker.pem",
        "key import maker.pem again",
        &format!(
            "update create {target} --sequence 1 --payload old.bin --integrated --key maker --out 1.suit"
        ),
        &format!("update create {target} --sequence 2 --payload new.bin --uri {uri} --unsigned --out u.suit"),
        "update sign u.suit --public maker.pub --vector-to-sign tbs",
        "update sign u.suit --key maker --out 2.suit",
        "update inspect 2.suit",
        &format!("update verify 2.suit {target} --key maker.pub"),
        &format!("update plan 2.suit {target} --key maker.pub"),
        "update delta --from old.bin --to new.bin --out patch",
        "update compress new.bin --out packed",
        "update apply --from old.bin --patch patch --out made",
        "update encrypt --recipient lamp.pub --in new.bin --out sealed --info info",
        "update decrypt --key lamp --info info --in sealed --out opened",
        &format!(
            "trust init {target} --root maker.pub --update maker.pub --update other.pub --freshness maker.pub \
             --recovery maker.pub --key maker --out 1.trust"
        ),
        "trust rotate 1.trust --root maker.pub --root third.pub --root-threshold 2 --key maker --unfinished --out 2u",
        "trust sign 2u --key third --out 2.trust",
        "trust revoke 1.trust --revoke other.pub --key maker --out 2b.trust",
        "trust inspect 2.trust --under 1.trust",
        "trust latest --trust 1.trust --envelope 2.suit --nonce 00112233445566778899aabbccddeeff --key maker --out l",
        &format!(
            "trust downgrade --trust 1.trust --device {device} --from 2.suit --to 1.suit --key maker --out d"
        ),
        "provision batch --manifest iotsec.toml --count 2 --key maker --out batch",
        "provision verify batch --key maker.pub --unseal station/recipient.key",
        "provision unseal batch/labels.sealed --key station/recipient.key --signer maker.pub --out labels.csv",
        "provision batch --manifest derived.toml --count 2 --station second --out derived",
        "provision reprint --manifest derived.toml --station second --serial L2-000002",
        "ca init --organization Example",
        "ca sign-csr lamp.csr --serial LAMP-1 --unminted --out lamp.crt",
    ] {
        let (status, value) = bench.json(line);
        assert_eq!(status, Some(0), "{line}: {value}");
        assert!(value.as_object().unwrap().len() > 1, "{line}: {value}");
    }
}

#[test]
fn failures_without_a_number_say_so() {
    let bench = Bench::new("failures_without_a_number_say_so");
    let (status, value) = bench.json("key show missing");
    assert_eq!((status, &error(&value)["number"]), (Some(1), &Value::Null));
    assert_eq!(error(&value)["name"], "File");
    for wrong in ["key", "key new", "update nothing", "--nothing"] {
        let (status, value) = bench.json(wrong);
        assert_eq!(status, Some(2), "{wrong}");
        assert_eq!(error(&value)["name"], "Usage", "{wrong}");
    }
}

#[test]
fn the_flag_may_stand_before_the_command() {
    let bench = Bench::new("the_flag_may_stand_before_the_command");
    let run = bench.run("--json key new maker");
    let value: Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(value["public"], "maker.pub");
}
