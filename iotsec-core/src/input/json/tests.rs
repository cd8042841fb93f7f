use std::{format, string::String, vec, vec::Vec};

use super::*;
use crate::input::{InputError, InputKind};

fn kind(document: &[u8]) -> Option<InputKind> {
    check(document, &Limits::LARGE).err().map(|error| error.kind)
}

#[test]
fn documents_are_json_and_nothing_else() {
    for document in [
        "null",
        " true\r\n",
        "0",
        "-0",
        "-1.5e-7",
        "1E400e".get(..3).unwrap(),
        "\"\"",
        "[]",
        "{}",
        "[[],{}]",
        r#"{"":{"":[1]}}"#,
        r#"["\"\\\/\b\f\n\r\t\u00e9\uD83D\uDE00"]"#,
        "[1 , 2\t]",
        "\"\u{7f}\u{feff}\u{10ffff}\"",
        "0.0e99999999999",
        r#"{"a":1,"A":2,"\u0061b":3}"#,
        "9007199254740991",
        "1.79769313486231579999e308",
        "1e308",
        "-0.001797e311",
        "5e-323",
    ] {
        assert_eq!(kind(document.as_bytes()), None, "{document}");
    }
    for (document, kind, offset) in [
        ("", InputKind::Empty, 0),
        (" ", InputKind::Truncated, 1),
        ("nul", InputKind::Truncated, 3),
        ("nulL", InputKind::Character, 0),
        ("True", InputKind::Character, 0),
        ("NaN", InputKind::Character, 0),
        ("null null", InputKind::Trailing, 5),
        ("[1,]", InputKind::Character, 3),
        ("[,1]", InputKind::Character, 1),
        ("[1 2]", InputKind::Character, 3),
        ("[1", InputKind::Truncated, 2),
        ("[1}", InputKind::Character, 2),
        ("{\"a\":1]", InputKind::Character, 6),
        ("{\"a\"}", InputKind::Character, 4),
        ("{\"a\":}", InputKind::Character, 5),
        ("{\"a\":1,}", InputKind::Character, 7),
        ("{a:1}", InputKind::Character, 1),
        ("{'a':1}", InputKind::Character, 1),
        ("{\"a\"", InputKind::Truncated, 4),
        ("]", InputKind::Character, 0),
        ("/**/1", InputKind::Character, 0),
        ("01", InputKind::Form, 0),
        ("-01", InputKind::Form, 0),
        ("+1", InputKind::Character, 0),
        (".5", InputKind::Character, 0),
        ("1.", InputKind::Truncated, 2),
        ("1.e1", InputKind::Character, 2),
        ("1e", InputKind::Truncated, 2),
        ("-", InputKind::Truncated, 1),
        ("0x1", InputKind::Trailing, 1),
        ("1.7976931348623158e308", InputKind::Range, 0),
        ("0.2e309", InputKind::Range, 0),
        ("1e309", InputKind::Range, 0),
        ("-1e309", InputKind::Range, 0),
        ("1e-400", InputKind::Range, 0),
        ("9007199254740992", InputKind::Range, 0),
        ("-99999999999999999999999", InputKind::Range, 0),
        ("\"", InputKind::Truncated, 1),
        ("\"\t\"", InputKind::Character, 1),
        ("\"\\x\"", InputKind::Character, 1),
        ("\"\\u12\"", InputKind::Character, 1),
        ("\"\\u12", InputKind::Truncated, 1),
        ("\"\\ud800\"", InputKind::Character, 1),
        ("\"\\udc00\\ud800\"", InputKind::Character, 1),
        ("\"\\ud800\\u0041\"", InputKind::Character, 1),
        ("\u{feff}1", InputKind::Character, 0),
        ("\u{a0}1", InputKind::Character, 0),
        (r#"{"a":{"a":1},"b":"a","a":2}"#, InputKind::Duplicate, 21),
    ] {
        let error = check(document.as_bytes(), &Limits::LARGE).unwrap_err();
        assert_eq!(error, InputError::new(kind, offset), "{document:?}");
    }
    assert_eq!(kind(b"\"\xFF\""), Some(InputKind::Utf8));
}

#[test]
fn each_limit_has_its_error() {
    let limits = Limits {
        bytes: 20,
        depth: 2,
        values: 4,
        names: 2,
    };
    for (document, kind) in [
        ("[[1]]", None),
        ("[[[1]]]", Some(InputKind::Depth)),
        ("[1,2,3]", None),
        ("[1,2,3,4]", Some(InputKind::Count)),
        (r#"{"a":1,"b":2}"#, None),
        (r#"{"a":1,"b":2,"c":3}"#, Some(InputKind::Count)),
        ("                    1", Some(InputKind::TooLong)),
    ] {
        assert_eq!(
            check(document.as_bytes(), &limits).err().map(|error| error.kind),
            kind,
            "{document}"
        );
    }
    // Deeper than the stack of the checker, whatever the limits say.
    let deep = "[".repeat(100_000);
    let limits = Limits {
        depth: u8::MAX,
        ..Limits::LARGE
    };
    assert_eq!(
        check(deep.as_bytes(), &limits).unwrap_err(),
        InputError::new(InputKind::Depth, 32)
    );
}

#[test]
fn a_document_that_is_made_to_take_long_is_given_up() {
    // Each object begins with another one, over which every later name has to be looked for.
    let around = |inner: &str| {
        let mut object = format!("{{\"a\":{inner}");
        for name in 0..100 {
            object.push_str(&format!(",\"{name}\":0"));
        }
        object + "}"
    };
    let document = (0..16).fold(String::from("0"), |inner, _| around(&inner));
    assert_eq!(kind(document.as_bytes()), None);
    let limits = Limits {
        bytes: u32::try_from(document.len()).unwrap(),
        names: 101,
        ..Limits::LARGE
    };
    let given_up = check(document.as_bytes(), &limits).unwrap_err();
    assert_eq!(given_up.kind, InputKind::Count);
    assert_eq!(check(around("0").as_bytes(), &limits), Ok(()));
}

/// What serde_json makes of it, where that is stricter or lets the last of two names win.
fn same(ours: &Value<'_>, theirs: &serde_json::Value) -> bool {
    match (ours, theirs) {
        (Value::Null { .. }, serde_json::Value::Null) => true,
        (Value::Bool { value, .. }, serde_json::Value::Bool(other)) => value == other,
        (Value::Number(number), serde_json::Value::Number(other)) => {
            number
                .integer()
                .is_ok_and(|integer| other.as_i64() == Some(integer))
                || number.real().is_ok_and(|real| {
                    other
                        .as_f64()
                        .is_some_and(|other| (real - other).abs() <= real.abs() * 1e-12)
                })
        }
        (Value::Text(text), serde_json::Value::String(other)) => {
            let mut out = vec![0; text.max_len()];
            text.decode(&mut out).unwrap() == other
        }
        (Value::Array(array), serde_json::Value::Array(others)) => {
            array.count() == others.len() && array.zip(others).all(|(value, other)| same(&value, other))
        }
        (Value::Object(object), serde_json::Value::Object(others)) => {
            object.count() == others.len()
                && others
                    .iter()
                    .all(|(name, other)| same(&object.member(name).unwrap(), other))
        }
        _ => false,
    }
}

/// Documents of all shapes, from a seed.
fn document(random: &mut iotsec_testkit::SimRng, depth: u32, out: &mut String) {
    use rand_core::Rng as _;
    let texts = [
        "a",
        "\\n",
        "\\u00e9",
        "\\ud83d\\ude00",
        "é",
        " ",
        "\\\\",
        "\\\"",
        ",",
        "]",
        "{",
        ":",
    ];
    let text = |random: &mut iotsec_testkit::SimRng| -> String {
        let len = random.next_u32() % 4;
        (0..len)
            .map(|_| texts[random.next_u32() as usize % texts.len()])
            .collect()
    };
    match random.next_u32() % if depth == 0 { 5 } else { 8 } {
        0 => out.push_str("null"),
        1 => out.push_str("true"),
        2 => out.push_str(&format!("{}", i64::from(random.next_u32()) - (1 << 31))),
        3 => out.push_str(&format!(
            "{}.{}e{}",
            random.next_u32() % 9,
            random.next_u32(),
            random.next_u32() % 40
        )),
        4 => out.push_str(&format!("\"{}\"", text(random))),
        5 => {
            let len = random.next_u32() % 4;
            out.push('[');
            for at in 0..len {
                out.push_str(if at > 0 { " , " } else { "" });
                document(random, depth - 1, out);
            }
            out.push_str("\n]");
        }
        _ => {
            let len = random.next_u32() % 4;
            out.push_str("{ ");
            for at in 0..len {
                out.push_str(if at > 0 { "," } else { "" });
                out.push_str(&format!("\"{at}{}\"\t:", text(random)));
                document(random, depth - 1, out);
            }
            out.push('}');
        }
    }
}

#[test]
fn values_are_those_that_serde_json_reads() {
    let mut random = iotsec_testkit::SimRng::new(5);
    for _ in 0..3_000 {
        let mut text = String::new();
        document(&mut random, 4, &mut text);
        let theirs: serde_json::Value = serde_json::from_str(&text).unwrap();
        let ours = parse(text.as_bytes(), &Limits::LARGE).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert!(same(&ours, &theirs), "{text}");
    }
}

#[test]
fn every_prefix_fails_and_no_flipped_bit_makes_what_serde_json_refuses_pass() {
    let mut random = iotsec_testkit::SimRng::new(6);
    for _ in 0..60 {
        let mut text = String::from("[");
        document(&mut random, 3, &mut text);
        text.push(']');
        let bytes = text.into_bytes();
        for end in 0..bytes.len() {
            assert!(check(&bytes[..end], &Limits::LARGE).is_err());
        }
        for bit in 0..bytes.len() * 8 {
            let mut flipped: Vec<u8> = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            if let Ok(ours) = parse(&flipped, &Limits::LARGE) {
                let theirs: serde_json::Value = serde_json::from_slice(&flipped).unwrap();
                assert!(same(&ours, &theirs));
            }
        }
    }
}

#[test]
fn asking_for_another_type_or_name_tells_where() {
    let object = parse(br#"{"a": 1.0, "b": [true]}"#, &Limits::SMALL)
        .unwrap()
        .object()
        .unwrap();
    let at = |kind, offset| Some(InputError::new(kind, offset));
    assert_eq!(
        object.member("a").unwrap().integer().err(),
        at(InputKind::Type, 6)
    );
    assert_eq!(object.member("a").unwrap().text().err(), at(InputKind::Type, 6));
    assert_eq!(
        object.member("b").unwrap().object().err(),
        at(InputKind::Type, 16)
    );
    assert_eq!(object.member("c").err(), at(InputKind::MissingName, 0));
    assert_eq!(object.only(&["a"]).err(), at(InputKind::UnknownName, 11));
    assert_eq!(object.only(&["b", "a", "c"]), Ok(()));
    let text = parse(br#""abc""#, &Limits::SMALL).unwrap().text().unwrap();
    assert_eq!(text.decode(&mut [0; 2]).err(), at(InputKind::BufferFull, 0));
    assert_eq!(
        (text.as_plain(), format!("{text:?}")),
        (Some("abc"), String::from("Text(..)"))
    );
}
