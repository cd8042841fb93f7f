use serde_json::{Value, json};

use crate::bench::Bench;

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
