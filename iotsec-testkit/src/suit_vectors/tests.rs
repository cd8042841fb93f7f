use std::{fs, path::PathBuf};

use serde_json::json;

use super::*;

/// A folder with one good vector, as the index of this repository has it.
fn folder(name: &str) -> (PathBuf, Value) {
    let suit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/suit");
    let entries = array(&suit, &fs::read(suit.join("index.json")).unwrap()).unwrap();
    let entry = entries
        .into_iter()
        .find(|entry| entry["file"].as_str().unwrap().contains("p01_"))
        .unwrap();
    let folder = std::env::temp_dir().join(format!("iotsec-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    for part in ["oracle", "keys", "payloads"] {
        fs::create_dir_all(folder.join(part)).unwrap();
        for file in fs::read_dir(suit.join(part)).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), folder.join(part).join(file.file_name())).unwrap();
        }
    }
    (folder, entry)
}

fn difference(folder: &Path, entry: &Value) -> Option<String> {
    let index = folder.join("index.json");
    fs::write(&index, json!([entry]).to_string()).unwrap();
    let lines = answer(&index).unwrap();
    lines.into_iter().find_map(|line| line.difference)
}

#[test]
fn a_wrong_answer_is_a_difference_in_either_direction() {
    let (folder, good) = folder("directions");
    assert_eq!(difference(&folder, &good), None);
    for (field, value) in [
        ("auth", json!("reject")),
        ("process", json!("reject")),
        ("process", json!("reject-for-update")),
        ("trusted_keys", json!(["ed25519_b"])),
        ("trusted_keys", json!(["hmac:000102"])),
        ("threshold", json!(2)),
        ("why", json!("must meet threshold 2")),
        ("state", json!({"seq": 11})),
        ("len", json!(285)),
        ("sha256", json!("00")),
    ] {
        let mut entry = good.clone();
        entry[field] = value.clone();
        assert!(difference(&folder, &entry).is_some(), "{field}: {value}");
    }
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn words_that_are_not_known_are_a_difference() {
    let (folder, good) = folder("words");
    for (field, value) in [
        ("auth", json!("maybe")),
        ("process", json!("accept-sometimes")),
        ("process", json!("")),
        ("process", Value::Null),
        ("state", json!({"phase": "moon"})),
        ("file", json!("oracle/absent.suit")),
    ] {
        let mut entry = good.clone();
        entry[field] = value.clone();
        assert!(difference(&folder, &entry).is_some(), "{field}: {value}");
    }
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_payload_that_differs_is_refused() {
    let (folder, mut entry) = folder("payload");
    let payload = folder.join("payloads/app_v2.bin");
    let mut bytes = fs::read(&payload).unwrap();
    bytes[4999] ^= 1;
    fs::write(&payload, &bytes).unwrap();
    assert!(difference(&folder, &entry).is_some());
    entry["process"] = json!("reject");
    assert_eq!(difference(&folder, &entry), None);
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn an_error_that_is_named_must_be_the_one() {
    let (folder, mut entry) = folder("errors");
    entry["trusted_keys"] = json!(["ed25519_b"]);
    for field in ["auth", "process"] {
        entry[field] = json!("reject");
    }
    for (error, right) in [
        (json!("Threshold"), true),
        (json!(2022), true),
        (json!("Thresh"), false),
        (json!("Unsigned"), false),
        (json!(2021), false),
        (Value::Null, false),
    ] {
        entry["error"] = error.clone();
        assert_eq!(difference(&folder, &entry).is_none(), right, "{error}");
    }
    // And there must be one.
    entry["trusted_keys"] = json!(["ed25519_a"]);
    entry["auth"] = json!("accept");
    entry["process"] = json!("accept");
    entry["error"] = json!("Threshold");
    assert!(difference(&folder, &entry).is_some());
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn limits_are_those_of_the_entry() {
    let (folder, mut entry) = folder("limits");
    entry["limits"] = json!({"envelope": 4096});
    assert_eq!(difference(&folder, &entry), None);
    for limits in [
        json!({"envelope": 100}),
        json!({"blocks": 256}),
        json!({"patience": 1}),
    ] {
        entry["limits"] = limits.clone();
        assert!(difference(&folder, &entry).is_some(), "{limits}");
    }
    fs::remove_dir_all(folder).unwrap();
}
