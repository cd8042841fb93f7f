//! Documents with bounds.

use iotsec_core::{
    cbor, document,
    input::{
        Hostname, Label, Port, Quantity, Ranged, Url,
        document::{Document, DocumentError, List},
        unit::Second,
    },
};

use crate::Seed;

document! {
    #[derive(Debug, PartialEq)]
    struct Plan<'a> within 512 bytes {
        url: Option<Url<'a>>,
        name: Label<'a, 16>,
        wait: Quantity<Second, -10, 86_400> = 60,
        steps: List<Step<'a>, 0, 3>,
    }

    #[derive(Debug, PartialEq)]
    struct Step<'a> {
        at: Ranged<0, 23>,
        kind: Kind = "on",
        host: Option<Hostname<'a>>,
        ports: Option<List<Port, 1, 2>>,
        last: bool = false,
    }

    enum Kind {
        On = "on",
        Off = "off",
    }
}

/// What is accepted in one form is accepted in the other, once another implementation has rewritten it, and is the
/// same. Errors point into the input.
pub fn document(input: &[u8]) -> bool {
    json(input) | cbor(input)
}

fn json(input: &[u8]) -> bool {
    let mut scratch = vec![0; input.len()];
    let plan = match Plan::from_json(input, &mut scratch) {
        Ok(plan) => plan,
        Err(error) => return refused(&error, input),
    };
    let value: serde_json::Value = serde_json::from_slice(input).expect("what we accept is JSON");
    let other = cbor::to_vec(&value, &LIMITS).expect("integers and texts");
    assert_eq!(Plan::from_cbor(&other).as_ref(), Ok(&plan));
    true
}

fn cbor(input: &[u8]) -> bool {
    let plan = match Plan::from_cbor(input) {
        Ok(plan) => plan,
        Err(error) => return refused(&error, input),
    };
    let value: serde_json::Value = cbor::from_slice(input, &LIMITS).expect("what we accept is CBOR");
    let other = value.to_string();
    // Escapes can make it longer than it may be.
    if other.len() <= 512 {
        let mut scratch = vec![0; other.len()];
        assert_eq!(
            Plan::from_json(other.as_bytes(), &mut scratch).as_ref(),
            Ok(&plan)
        );
    }
    true
}

const LIMITS: cbor::Limits = cbor::Limits {
    depth: 16,
    items: 1024,
    bytes: 4096,
};

fn refused(error: &DocumentError, input: &[u8]) -> bool {
    assert!(usize::try_from(error.offset).is_ok_and(|offset| offset <= input.len()));
    false
}

/// Seeds of [`document`](fn@document).
pub fn document_seeds() -> Vec<Seed> {
    let texts = [
        (
            "valid-all",
            r#"{"url":"https://a.example/x","name":"K\u00fcche","wait":-10,"steps":[{"at":23,"kind":"off","host":"b.example","ports":[443,8883],"last":true},{"at":0}]}"#,
        ),
        ("valid-least", r#"{"name":"x","steps":[]}"#),
        ("near-unknown", r#"{"name":"x","steps":[],"y":1}"#),
        ("near-missing", r#"{"steps":[]}"#),
        ("near-twice", r#"{"name":"x","steps":[],"name":"y"}"#),
        ("near-type", r#"{"name":"x","steps":[{"at":"1"}]}"#),
        ("near-range", r#"{"name":"x","steps":[{"at":24}]}"#),
        ("near-choice", r#"{"name":"x","steps":[{"at":1,"kind":"up"}]}"#),
        (
            "near-many",
            r#"{"name":"x","steps":[{"at":1},{"at":1},{"at":1},{"at":1}]}"#,
        ),
    ];
    let mut seeds: Vec<Seed> = texts.map(|(name, text)| Seed::new(name, text)).into();
    for (name, text) in texts {
        let value: serde_json::Value = serde_json::from_str(text).expect("JSON");
        // The second of two names does not survive.
        if name != "near-twice" {
            seeds.push(Seed::new(
                &format!("{name}-cbor"),
                cbor::to_vec(&value, &LIMITS).expect("integers and texts"),
            ));
        }
    }
    seeds
}
