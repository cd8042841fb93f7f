//! Deterministic CBOR: checker, reader, sequences, serde documents.

use std::collections::BTreeMap;

use iotsec_core::cbor::{
    self, CborError, DocumentError, Key, Kind, Limits, Reader, Type, Writer, check_sequence, from_slice,
    split_first, to_vec,
};
use serde::{Deserialize, Serialize};

use crate::{
    Seed,
    model::{self, Value},
};

/// As much as the checker can be allowed, so that only the encoding decides.
const GENEROUS: Limits = Limits {
    depth: 16,
    items: u16::MAX,
    bytes: u32::MAX,
};

/// The checker agrees with the model about what is deterministic and about every limit; what it accepts
/// has one encoding and no valid prefix.
pub fn check(input: &[u8]) -> bool {
    let expected = model::decode(input).filter(|value| value.items() <= usize::from(GENEROUS.items));
    let found = cbor::check(input, &GENEROUS);
    assert_eq!(found.is_ok(), expected.is_some(), "{found:?}, model {expected:?}");
    let Some(value) = expected else {
        offset_within(found, input);
        return false;
    };

    let small = Limits::SMALL;
    let fits = input.len() <= 1024 && value.items() <= 64 && value.depth() <= 4;
    let found = cbor::check(input, &small);
    assert_eq!(found.is_ok(), fits, "{found:?}");
    if let Err(error) = found {
        assert!(
            matches!(error.kind, Kind::Depth | Kind::Items | Kind::Bytes),
            "{error:?}"
        );
    }

    let end = input.len() - 1;
    for prefix in [&input[..end], &input[..end / 2]] {
        let error = cbor::check(prefix, &GENEROUS).expect_err("no prefix of an item is an item");
        assert_eq!(error.kind, Kind::Truncated);
    }
    let trailing: Vec<u8> = input.iter().copied().chain([0]).collect();
    let error = cbor::check(&trailing, &GENEROUS).expect_err("one item");
    assert_eq!((error.kind, place(error)), (Kind::Trailing, input.len()));

    assert_eq!(value.encode(), input, "one encoding");

    // ciborium is lenient, so it accepts what the strict checker does.
    let lenient: Result<ciborium::Value, _> = ciborium::from_reader(input);
    let lenient = lenient.expect("strict CBOR is CBOR");
    let mut again = Vec::new();
    ciborium::into_writer(&lenient, &mut again).expect("a vector has room");
    assert_eq!(again, input, "one encoding");
    true
}

/// The reader hands out the values that the model sees, each by the one method of its type; a method
/// that fails does not move; and the writer makes the same bytes of them.
pub fn reader(input: &[u8]) -> bool {
    let mut reader = match Reader::new(input, &GENEROUS) {
        Ok(reader) => reader,
        Err(error) => {
            offset_within(Err(error), input);
            return false;
        }
    };
    let mut whole = reader.clone();
    assert_eq!(whole.skip(), Ok(input));
    assert!(whole.is_at_end() && whole.finish().is_ok() && whole.peek().is_err());

    let expected = model::decode(input).expect("the reader checks as the model does");
    let mut buffer = vec![0; input.len()];
    let mut writer = Writer::new(&mut buffer);
    walk(&mut reader, &expected, &mut writer);
    assert!(reader.is_at_end());
    assert_eq!(writer.finish(), Ok(input));
    true
}

fn walk(reader: &mut Reader<'_>, expected: &Value, writer: &mut Writer<'_>) {
    let kind = reader.peek().expect("there is an item");
    let mut skipped = reader.clone();
    let encoded = skipped.skip().expect("a checked item can be skipped");
    assert_eq!(model::decode(encoded).as_ref(), Some(expected));
    refuses_other_types(reader, kind);
    match (kind, expected) {
        (Type::Uint, Value::Uint(value)) => {
            assert_eq!(reader.clone().int().ok(), i64::try_from(*value).ok());
            assert_eq!(reader.clone().uint_as::<u8>().ok(), u8::try_from(*value).ok());
            assert_eq!(reader.uint(), Ok(*value));
            writer.uint(*value).expect("room");
        }
        (Type::Nint, Value::Nint(value)) => match i64::try_from(*value) {
            Ok(value) => {
                assert_eq!(reader.int(), Ok(-1 - value));
                writer.int(-1 - value).expect("room");
            }
            // Below i64: only as encoded bytes.
            Err(_) => {
                assert_eq!(reader.clone().int().map_err(|e| e.kind), Err(Kind::Range));
                writer.raw(reader.skip().expect("checked")).expect("room");
            }
        },
        (Type::Bytes, Value::Bytes(value)) => {
            embedded(reader, value);
            assert_eq!(reader.bytes(), Ok(value.as_slice()));
            writer.bytes(value).expect("room");
        }
        (Type::Text, Value::Text(value)) => {
            assert_eq!(reader.text(), Ok(value.as_str()));
            writer.text(value).expect("room");
        }
        (Type::Array, Value::Array(elements)) => {
            let len = reader.array().expect("an array");
            assert_eq!(len, count(elements.len()));
            writer.array(len).expect("room");
            for element in elements {
                walk(reader, element, writer);
            }
        }
        (Type::Map, Value::Map(entries)) => {
            let len = reader.map().expect("a map");
            assert_eq!(len, count(entries.len()));
            writer.map(len).expect("room");
            for (key, value) in entries {
                named(reader, key);
                walk(reader, key, writer);
                walk(reader, value, writer);
            }
        }
        (Type::Tag, Value::Tag(tag, tagged)) => {
            assert_eq!(reader.tag(), Ok(*tag));
            writer.tag(*tag).expect("room");
            walk(reader, tagged, writer);
        }
        (Type::Bool, Value::Bool(value)) => {
            assert_eq!(reader.bool(), Ok(*value));
            writer.bool(*value).expect("room");
        }
        (Type::Null, Value::Null) => {
            assert_eq!(reader.null(), Ok(()));
            writer.null().expect("room");
        }
        (kind, expected) => panic!("{kind:?} is not {expected:?}"),
    }
    assert_eq!(reader.offset(), skipped.offset());
}

/// A method for another type fails with `Kind::Type` and does not move.
fn refuses_other_types(reader: &Reader<'_>, kind: Type) {
    type Method = fn(&mut Reader<'_>) -> Result<(), CborError>;
    let methods: [(Type, Method); 9] = [
        (Type::Uint, |r| r.uint().map(drop)),
        (Type::Nint, |r| r.int().map(drop)),
        (Type::Bytes, |r| r.bytes().map(drop)),
        (Type::Text, |r| r.text().map(drop)),
        (Type::Array, |r| r.array().map(drop)),
        (Type::Map, |r| r.map().map(drop)),
        (Type::Tag, |r| r.tag().map(drop)),
        (Type::Bool, |r| r.bool().map(drop)),
        (Type::Null, |r| r.null()),
    ];
    for (wanted, method) in methods {
        // `int` reads both signs.
        if wanted == kind || (wanted, kind) == (Type::Nint, Type::Uint) {
            continue;
        }
        let mut probe = reader.clone();
        let error = method(&mut probe).expect_err("another type");
        assert_eq!((error.kind, place(error)), (Kind::Type, reader.offset()));
        assert_eq!(probe.offset(), reader.offset());
    }
}

/// A byte string can be read as CBOR exactly when its content is, and then ends with it.
fn embedded(reader: &Reader<'_>, content: &[u8]) {
    let mut outer = reader.clone();
    let found = outer.embedded(&GENEROUS);
    assert_eq!(found.is_ok(), cbor::check(content, &GENEROUS).is_ok());
    match found {
        Ok(mut inner) => assert_eq!(inner.skip(), Ok(content)),
        Err(_) => assert_eq!(outer.offset(), reader.offset()),
    }
}

fn named(reader: &Reader<'_>, key: &Value) {
    let found = reader.clone().key();
    match key {
        Value::Uint(n) if i64::try_from(*n).is_ok() => {
            assert_eq!(found.ok(), i64::try_from(*n).ok().map(Key::Int));
        }
        Value::Nint(n) if i64::try_from(*n).is_ok() => {
            assert_eq!(found.ok(), i64::try_from(*n).ok().map(|n| Key::Int(-1 - n)));
        }
        Value::Text(text) => assert_eq!(found, Ok(Key::Text(text))),
        _ => assert_eq!(found.map_err(|e| e.kind), Err(Kind::UnknownKey)),
    }
}

/// Checking a sequence as a whole and splitting it item by item agree with the model.
pub fn sequence(input: &[u8]) -> bool {
    let expected = model::decode_sequence(input);
    let within = expected
        .as_ref()
        .is_some_and(|values| values.iter().map(Value::items).sum::<usize>() <= usize::from(GENEROUS.items));
    let found = check_sequence(input, &GENEROUS);
    assert_eq!(found.is_ok(), within, "{found:?}");
    offset_within(found, input);

    let mut rest = input;
    let mut values = Vec::new();
    let split = loop {
        if rest.is_empty() {
            break Ok(());
        }
        match split_first(rest, &GENEROUS) {
            Ok((item, after)) => {
                assert_eq!([item, after].concat(), rest);
                values.push(model::decode(item).expect("one item"));
                rest = after;
            }
            Err(error) => break Err(error),
        }
    };
    assert_eq!(split.is_ok().then_some(values), expected);

    if let Ok(mut reader) = Reader::sequence(input, &GENEROUS) {
        for value in expected.iter().flatten() {
            let item = reader.skip().expect("as many items");
            assert_eq!(model::decode(item).as_ref(), Some(value));
        }
        assert!(reader.is_at_end());
    }
    found.is_ok()
}

/// What a document of the host tool looks like: every shape that serde has, except a float.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    name: String,
    serial: u64,
    offsets: Vec<i32>,
    labels: BTreeMap<String, bool>,
    state: State,
    nested: Option<Box<Document>>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum State {
    Fresh,
    Owned { by: String },
    Retired(u8, i8),
}

/// Nothing but strict CBOR reaches serde; what is read can be written, and reads back the same.
pub fn document(input: &[u8]) -> bool {
    let limits = Limits {
        depth: 8,
        items: 256,
        bytes: 4096,
    };
    let strict = cbor::check(input, &limits);
    let found = from_slice::<Document>(input, &limits);
    if let Err(error) = strict {
        assert_eq!(found, Err(DocumentError::Encoding(error)));
        return false;
    }
    if let Ok(value) = from_slice::<ciborium::Value>(input, &limits) {
        let again = to_vec(&value, &limits).expect("what was read can be written");
        assert_eq!(again, input, "a document has one encoding");
    }
    let Ok(document) = found else {
        return false;
    };
    let again = to_vec(&document, &limits).expect("what was read can be written");
    assert_eq!(from_slice::<Document>(&again, &limits).as_ref(), Ok(&document));
    true
}

fn offset_within(found: Result<(), CborError>, input: &[u8]) {
    if let Err(error) = found {
        assert!(place(error) <= input.len(), "{error:?} of {}", input.len());
    }
}

fn place(error: CborError) -> usize {
    usize::try_from(error.offset()).expect("hosts have at least 32 bits")
}

fn count(len: usize) -> u64 {
    u64::try_from(len).expect("hosts have at most 64 bits")
}

/// Values of every kind, and each rule just broken.
#[must_use]
pub fn seeds() -> Vec<Seed> {
    let mut deep = vec![0x81; 16];
    deep.push(0x80);
    let valid: [(&str, &[u8]); 8] = [
        ("uint", &[0x1B, 0, 0, 0, 1, 0, 0, 0, 0]),
        ("nint-below-i64", &[0x3B, 0x80, 0, 0, 0, 0, 0, 0, 0]),
        ("text", b"\x66h\xC3\xA9llo"),
        ("bytes-with-cbor", &[0x43, 0xA1, 0x01, 0x02]),
        ("array", &[0x85, 0x01, 0x20, 0xF4, 0xF5, 0xF6]),
        (
            "map",
            &[
                0xA4, 0x01, 0x02, 0x20, 0x18, 0x64, 0x61, b'a', 0x80, 0x62, b'a', b'a', 0xA0,
            ],
        ),
        (
            "map-with-container-key",
            &[0xA2, 0x81, 0x01, 0x00, 0x81, 0x02, 0x00],
        ),
        ("tag", &[0xD2, 0x84, 0x40, 0xA0, 0x40, 0x40]),
    ];
    let near: [(&str, &[u8]); 13] = [
        ("bignum-tag", &[0xC2, 0x41, 0x01]),
        ("not-shortest", &[0x18, 0x17]),
        ("not-shortest-length", &[0x58, 0x01, 0x00]),
        ("indefinite-array", &[0x9F, 0x01, 0xFF]),
        ("unsorted", &[0xA2, 0x02, 0x00, 0x01, 0x00]),
        ("duplicate", &[0xA2, 0x01, 0x00, 0x01, 0x00]),
        (
            "longer-key-first",
            &[0xA2, 0x62, b'a', b'a', 0x00, 0x61, b'b', 0x00],
        ),
        ("bad-utf8", &[0x61, 0xFF]),
        ("float", &[0xF9, 0x3C, 0x00]),
        ("undefined", &[0xF7]),
        ("simple-in-two-bytes", &[0xF8, 0x14]),
        (
            "huge-array",
            &[0x9B, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
        ),
        ("trailing", &[0x01, 0x01]),
    ];
    let mut seeds: Vec<Seed> = valid
        .iter()
        .map(|(name, bytes)| Seed::new(&format!("valid-{name}"), *bytes))
        .chain(
            near.iter()
                .map(|(name, bytes)| Seed::new(&format!("near-{name}"), *bytes)),
        )
        .collect();
    seeds.push(Seed::new("near-too-deep", deep.clone()));
    seeds.push(Seed::new("valid-deep", &deep[1..]));
    seeds
}

/// Sequences.
#[must_use]
pub fn sequence_seeds() -> Vec<Seed> {
    vec![
        Seed::new("valid-empty", []),
        Seed::new("valid-three", [0x82, 0x01, 0x02, 0x61, b'a', 0xF6]),
        Seed::new("near-cut", [0x01, 0x82, 0x01]),
        Seed::new("near-second-not-shortest", [0x01, 0x18, 0x01]),
    ]
}

/// Documents of the type that the target reads.
#[must_use]
pub fn document_seeds() -> Vec<Seed> {
    let limits = Limits {
        bytes: 4096,
        items: 256,
        depth: 8,
    };
    let leaf = |state| Document {
        name: "lamp".to_owned(),
        serial: 42,
        offsets: vec![-1, 70_000],
        labels: BTreeMap::from([("a".to_owned(), true), ("bb".to_owned(), false)]),
        state,
        nested: None,
    };
    let nested = Document {
        nested: Some(Box::new(leaf(State::Fresh))),
        ..leaf(State::Owned { by: "me".to_owned() })
    };
    let encode = |document: &Document| to_vec(document, &limits).expect("a document within the limits");
    let good = encode(&leaf(State::Retired(7, -7)));
    let unknown_field = to_vec(&BTreeMap::from([("nome", 1)]), &limits).expect("a small map");
    vec![
        Seed::new("valid-nested", encode(&nested)),
        Seed::new("near-trailing", [good.as_slice(), &[0]].concat()),
        Seed::new("near-cut", &good[..good.len() - 1]),
        Seed::new("near-unknown-field", unknown_field),
        Seed::new("near-bignum-key", [0xA2, 0x01, 0x00, 0xC2, 0x41, 0x01, 0x00]),
        Seed::new("valid-flat", good),
    ]
}
