use std::{format, string::String, string::ToString as _, vec, vec::Vec};

use rand_core::Rng as _;
use serde_json::{Value as Json, json};

use super::*;
use crate::{
    cbor, document,
    error::{ErrorCode as _, Fault},
    input::{
        Base64, Email, Hex, Host, Hostname, InputKind, Ipv4, Label, MacAddr, Port, Psk, Quantity, Ranged,
        SemVer, Ssid, TimeZone, Url,
        unit::{Celsius, Second},
    },
};

document! {
    /// What a heating is told.
    ///
    /// By its "owner".
    #[derive(Debug, PartialEq)]
    struct Heating<'a> within 2048 bytes {
        /// Where it reports to.
        broker: Url<'a>,
        /// Between two reports.
        interval: Quantity<Second, 10, 86_400> = 300,
        rooms: List<Room<'a>, 1, 3>,
        network: Option<Network>,
        away as "away-from-home": bool = false,
        zone: TimeZone<'a> = "UTC0",
    }

    #[derive(Debug, PartialEq)]
    struct Room<'a> {
        name: Label<'a, 16>,
        target: Quantity<Celsius, -5, 30>,
        mode: Mode = "auto",
        sensors: Option<List<Hex<2>, 0, 2>>,
    }

    #[derive(Debug, PartialEq)]
    struct Network {
        ssid: Ssid,
        gateway: Option<Ipv4>,
        port: Port,
    }

    /// How a room decides.
    enum Mode {
        /// By itself.
        Auto = "auto",
        Manual = "manual",
    }
}

fn good() -> Json {
    json!({
        "broker": "mqtts://broker.example.com/heating",
        "interval": 60,
        "rooms": [
            { "name": "Küche", "target": 21, "mode": "manual", "sensors": ["00ff", "ABCD"] },
            { "name": "Bad", "target": -5 },
        ],
        "network": { "ssid": "at \"home\"", "gateway": "192.168.0.1", "port": 8883 },
        "away-from-home": true,
    })
}

/// JSON with the names of each object in the order of deterministic CBOR, so that both are read in the same order.
fn to_json(value: &Json) -> String {
    match value {
        Json::Object(members) => {
            let mut names: Vec<&String> = members.keys().collect();
            names.sort_by_key(|name| (name.len(), name.as_bytes()));
            let members: Vec<String> = names
                .into_iter()
                .map(|name| format!("{}: {}", Json::from(name.as_str()), to_json(&members[name])))
                .collect();
            format!("{{{}}}", members.join(", "))
        }
        Json::Array(elements) => format!("[{}]", elements.iter().map(to_json).collect::<Vec<_>>().join(",")),
        value => value.to_string(),
    }
}

fn to_cbor(value: &Json) -> Vec<u8> {
    let limits = cbor::Limits {
        depth: 16,
        items: u16::MAX,
        bytes: 1 << 20,
    };
    cbor::to_vec(value, &limits).unwrap()
}

/// What both forms say of a document.
fn both(value: &Json) -> Result<(), (Problem, String)> {
    let (json, cbor) = (to_json(value), to_cbor(value));
    let mut scratch = vec![0; json.len()];
    let ours = Heating::from_json(json.as_bytes(), &mut scratch);
    let other = Heating::from_cbor(&cbor);
    let says = |error: DocumentError| (error.problem, error.path.names(Heating::DESCRIPTION).to_string());
    match (ours, other) {
        (Ok(ours), Ok(other)) => {
            assert_eq!(ours, other, "{json}");
            Ok(())
        }
        (Err(ours), Err(other)) => {
            assert!(usize::try_from(ours.offset).unwrap() < json.len(), "{json}");
            assert!(usize::try_from(other.offset).unwrap() < cbor.len(), "{json}");
            assert_eq!(says(ours), says(other), "{json}");
            Err(says(ours))
        }
        (ours, other) => panic!("{json}: {ours:?}, {other:?}"),
    }
}

#[test]
fn a_document_is_the_same_from_json_and_cbor() {
    assert_eq!(both(&good()), Ok(()));
    let json = to_json(&good());
    let mut scratch = [0; 64];
    let read = Heating::from_json(json.as_bytes(), &mut scratch).unwrap();
    assert_eq!(read.broker().port().get(), 8883);
    assert_eq!((read.interval().get(), *read.away()), (60, true));
    assert_eq!(read.zone().as_str(), "UTC0");
    let rooms: Vec<_> = read.rooms().iter().collect();
    assert_eq!(
        (rooms.len(), read.rooms().len(), read.rooms().is_empty()),
        (2, 2, false)
    );
    assert_eq!(
        (rooms[0].name().as_str(), *rooms[0].mode()),
        ("Küche", Mode::Manual)
    );
    assert_eq!((rooms[1].target().get(), *rooms[1].mode()), (-5, Mode::Auto));
    assert_eq!(read.rooms().element(1), Some(rooms[1]));
    assert_eq!(read.rooms().element(2), None);
    let sensors = rooms[0].sensors().as_ref().unwrap();
    assert!(
        sensors
            .iter()
            .map(|sensor| *sensor.bytes())
            .eq([[0, 0xFF], [0xAB, 0xCD]])
    );
    let network = read.network().as_ref().unwrap();
    assert_eq!(network.ssid().as_str(), Some("at \"home\""));
    assert_eq!((network.port().get(), network.gateway().is_some()), (8883, true));
}

/// The document with another value at a pointer (RFC 6901); `None` takes it out.
fn with(pointer: &str, value: Option<Json>) -> Json {
    let mut document = good();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match (document.pointer_mut(parent).unwrap(), value) {
        (Json::Object(members), Some(value)) => drop(members.insert(name.into(), value)),
        (Json::Object(members), None) => drop(members.remove(name).unwrap()),
        (Json::Array(elements), Some(value)) => elements.insert(name.parse().unwrap(), value),
        (Json::Array(elements), None) => drop(elements.remove(name.parse().unwrap())),
        _ => unreachable!(),
    }
    document
}

#[test]
fn what_is_wrong_has_an_error_of_its_own_and_the_way_to_it() {
    use Problem::{Choice, Missing, Range, Text, TooFew, TooMany, Type, Unknown};
    let room = || Some(json!({ "name": "x", "target": 1 }));
    for (document, problem, path) in [
        (with("/colour", Some(json!(1))), Unknown, ""),
        (with("/Broker", Some(json!(1))), Unknown, ""),
        (with("/rooms/0/colour", Some(json!([]))), Unknown, "rooms[0]"),
        (with("/network/", Some(json!(null))), Unknown, "network"),
        (with("/broker", None), Missing, "broker"),
        (with("/rooms/1/target", None), Missing, "rooms[1].target"),
        (with("/network/port", None), Missing, "network.port"),
        (with("/broker", Some(json!(1))), Type, "broker"),
        (with("/broker", Some(json!(null))), Type, "broker"),
        (with("/network", Some(json!(null))), Type, "network"),
        (with("/network", Some(json!([]))), Type, "network"),
        (with("/rooms", Some(json!({}))), Type, "rooms"),
        (with("/interval", Some(json!("60"))), Type, "interval"),
        (
            with("/interval", Some(json!([[[[[[[[[[]]]]]]]]]]))),
            Type,
            "interval",
        ),
        (with("/away-from-home", Some(json!(0))), Type, "away-from-home"),
        (with("/rooms/0/mode", Some(json!(0))), Type, "rooms[0].mode"),
        (with("/interval", Some(json!(9))), Range, "interval"),
        (with("/interval", Some(json!(86_401))), Range, "interval"),
        (with("/network/port", Some(json!(0))), Range, "network.port"),
        (with("/network/port", Some(json!(65_536))), Range, "network.port"),
        (with("/rooms/1/target", Some(json!(-6))), Range, "rooms[1].target"),
        (with("/rooms", Some(json!([]))), TooFew, "rooms"),
        (
            with("/rooms", Some(json!([room(), room(), room(), room()]))),
            TooMany,
            "rooms",
        ),
        (
            with("/rooms/0/mode", Some(json!("AUTO"))),
            Choice,
            "rooms[0].mode",
        ),
        (
            with("/broker", Some(json!("http://a.b"))),
            Text(InputKind::Scheme),
            "broker",
        ),
        (
            with("/rooms/0/name", Some(json!(""))),
            Text(InputKind::Empty),
            "rooms[0].name",
        ),
        (
            with("/rooms/0/sensors/1", Some(json!("0"))),
            Text(InputKind::TooShort),
            "rooms[0].sensors[1]",
        ),
        (
            with("/network/gateway", Some(json!("192.168.0.01"))),
            Text(InputKind::Form),
            "network.gateway",
        ),
    ] {
        assert_eq!(both(&document), Err((problem, path.into())), "{document}");
    }
    for document in [
        with("/interval", None),
        with("/network", None),
        with("/rooms/0/sensors", Some(json!([]))),
        with("/rooms/1", None),
        with("/rooms/2", room()),
    ] {
        assert_eq!(both(&document), Ok(()), "{document}");
    }
}

#[test]
fn errors_say_where_and_nothing_of_the_document() {
    let mut scratch = [0; 64];
    for (json, problem, offset, path) in [
        (
            r#"{"broker": "mqtts://a b"}"#,
            Problem::Text(InputKind::Character),
            21,
            "/0",
        ),
        // Behind an escape there is no way back to the byte.
        (
            r#"{"broker": "mqtts:\/\/a b"}"#,
            Problem::Text(InputKind::Character),
            11,
            "/0",
        ),
        (
            r#"{"broker": "mqtts://a","broker": 1}"#,
            Problem::Duplicate,
            23,
            "",
        ),
        (
            r#"{"broker": "mqtts://a","brok\u0065r": 1}"#,
            Problem::Duplicate,
            23,
            "",
        ),
        (r#"{ "secret": 1}"#, Problem::Unknown, 2, ""),
        (r#"{"interval": 60.0}"#, Problem::Type, 13, "/1"),
        (r#"{"interval": 6e1}"#, Problem::Type, 13, "/1"),
        (
            r#"{"interval": 9007199254740992}"#,
            Problem::Json(InputKind::Range),
            13,
            "",
        ),
        ("[]", Problem::Type, 0, ""),
        (" {}", Problem::Missing, 1, "/0"),
        ("{} ,", Problem::Json(InputKind::Trailing), 3, ""),
        ("", Problem::Json(InputKind::Empty), 0, ""),
    ] {
        let error = Heating::from_json(json.as_bytes(), &mut scratch).unwrap_err();
        assert_eq!(
            (error.problem, error.offset, error.path.to_string()),
            (problem, offset, path.into()),
            "{json}"
        );
        let text = format!("{error} {error:?}");
        assert!(!text.contains("secret") && !text.contains("mqtts"), "{text}");
    }
    for (cbor, problem, offset) in [
        (&[0xA1, 0x01, 0x02][..], Problem::Unknown, 1),
        (&[0xA1, 0x41, b'a', 0x02], Problem::Unknown, 1),
        (&[0xA1, 0x80, 0x02], Problem::Unknown, 1),
        (&[0x80], Problem::Type, 0),
        (&[0xA2, 0x61, b'a', 1, 0x61, b'a', 1], Problem::Duplicate, 4),
        (&[0xBF, 0xFF], Problem::Cbor(cbor::Kind::Indefinite), 0),
        (&[0xA0, 0x00], Problem::Cbor(cbor::Kind::Trailing), 1),
        (&[], Problem::Cbor(cbor::Kind::Truncated), 0),
        (
            b"\xA1\x68interval\x1B\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF",
            Problem::Range,
            10,
        ),
        (
            b"\xA1\x68interval\xFB\x40\x4E\0\0\0\0\0\0",
            Problem::Cbor(cbor::Kind::Unsupported),
            10,
        ),
    ] {
        let error = Heating::from_cbor(cbor).unwrap_err();
        assert_eq!((error.problem, error.offset), (problem, offset), "{cbor:02x?}");
    }
    let long = format!("{}{}", to_json(&good()), " ".repeat(2048));
    let error = Heating::from_json(long.as_bytes(), &mut scratch).unwrap_err();
    assert_eq!(error.problem, Problem::Json(InputKind::TooLong));
}

#[test]
fn texts_with_escapes_need_room() {
    let json = r#"{"name": "K\u00fcche", "target": 1}"#;
    assert_eq!(
        Room::from_json(json.as_bytes(), &mut [0; 6])
            .unwrap()
            .name()
            .as_str(),
        "Küche"
    );
    let error = Room::from_json(json.as_bytes(), &mut [0; 5]).unwrap_err();
    assert_eq!(
        (error.problem, error.fault(), error.code()),
        (Problem::BufferFull, Fault::Misuse, 1629)
    );
}

#[test]
fn every_strict_prefix_fails_and_no_flipped_bit_panics() {
    let (json, cbor) = (to_json(&good()), to_cbor(&good()));
    let mut scratch = vec![0; json.len()];
    for end in 0..json.len() {
        assert!(Heating::from_json(&json.as_bytes()[..end], &mut scratch).is_err());
    }
    for end in 0..cbor.len() {
        assert!(Heating::from_cbor(&cbor[..end]).is_err());
    }
    let mut accepted = 0;
    for (at, bytes) in [json.clone().into_bytes(), cbor.clone()].into_iter().enumerate() {
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let mut scratch = vec![0; flipped.len()];
            let read = match at {
                0 => Heating::from_json(&flipped, &mut scratch).is_ok(),
                _ => Heating::from_cbor(&flipped).is_ok(),
            };
            accepted += usize::from(read);
        }
    }
    // A letter for another letter, a number for another number.
    assert!(accepted > 0);
}

#[test]
fn both_forms_agree_on_documents_that_were_tampered_with() {
    let mut random = iotsec_testkit::SimRng::new(13);
    let values = [
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(4_294_967_296_u64),
        json!(9_007_199_254_740_991_u64),
        json!(""),
        json!("auto"),
        json!("a\u{0}\"\\\u{10ffff}"),
        json!("mqtts://[::1]:1/x?y"),
        json!([]),
        json!([1, "2", [3]]),
        json!({}),
        json!({ "name": "x", "target": 1 }),
        json!({ "ssid": "y", "port": 1 }),
    ];
    let (mut accepted, mut refused) = (0, std::collections::BTreeSet::new());
    for _ in 0..4000 {
        let mut document = good();
        for _ in 0..=random.next_u32() % 3 {
            let value = values[random.next_u32() as usize % values.len()].clone();
            tamper(&mut document, value, &mut random);
        }
        match both(&document) {
            Ok(()) => accepted += 1,
            Err((problem, path)) => drop(refused.insert(format!("{problem} {path}"))),
        }
    }
    assert!(
        accepted > 100 && refused.len() > 40,
        "{accepted} {}",
        refused.len()
    );
}

/// Changes one place, wherever it is.
fn tamper(value: &mut Json, new: Json, random: &mut iotsec_testkit::SimRng) {
    let inside = !random.next_u32().is_multiple_of(4);
    match value {
        Json::Object(members) if inside && !members.is_empty() => {
            let place = random.next_u32() as usize % members.len();
            let name = members.keys().nth(place).unwrap().clone();
            match random.next_u32() % 8 {
                0 => drop(members.remove(&name)),
                1 => drop(members.insert(format!("{name}x"), new)),
                _ => tamper(members.get_mut(&name).unwrap(), new, random),
            }
        }
        Json::Array(elements) if inside && !elements.is_empty() => {
            let place = random.next_u32() as usize % elements.len();
            match random.next_u32() % 8 {
                0 => drop(elements.remove(place)),
                1 => elements.push(new),
                _ => tamper(&mut elements[place], new, random),
            }
        }
        value => *value = new,
    }
}

document! {
    /// Every kind of field.
    struct Everything<'a> {
        hostname: Hostname<'a>,
        host: Host<'a>,
        mac: MacAddr,
        email: Email<'a>,
        version: SemVer<'a>,
        key: Base64<3>,
        secret: Psk,
        level: Ranged<0, 0>,
    }
}

#[test]
fn a_default_that_its_type_refuses_is_the_makers_mistake() {
    document! { #[derive(Debug)] struct Wrong<'a> { zone: TimeZone<'a> = "Europe/Berlin" } }
    for error in [
        Wrong::from_json(b"{}", &mut []).unwrap_err(),
        Wrong::from_cbor(&[0xA0]).unwrap_err(),
    ] {
        assert_eq!((error.problem, error.fault()), (Problem::Default, Fault::Misuse));
    }
    assert_eq!(
        Wrong::from_json(b"{\"zone\":\"UTC0\"}", &mut [])
            .unwrap()
            .zone()
            .as_str(),
        "UTC0"
    );
}

#[test]
fn declarations_are_checked() {
    const fn field(
        name: &'static str,
        shape: Shape,
        optional: bool,
        default: Option<Default>,
    ) -> FieldDescription {
        FieldDescription::new(name, "", shape, optional, default)
    }
    const INTEGER: Shape = Shape::Integer {
        min: 1,
        max: 2,
        unit: "",
    };
    const TEXT: Shape = Shape::Text {
        min: 1,
        max: 2,
        format: "",
        pattern: "",
    };
    const DEEP: [Shape; 8] = {
        const fn around(element: &'static Shape) -> Shape {
            Shape::List {
                element,
                min: 0,
                max: 1,
            }
        }
        const A: Shape = around(&Shape::Bool);
        const B: Shape = around(&A);
        const C: Shape = around(&B);
        const D: Shape = around(&C);
        const E: Shape = around(&D);
        const F: Shape = around(&E);
        const G: Shape = around(&F);
        const H: Shape = around(&G);
        [A, B, C, D, E, F, G, H]
    };
    macro_rules! check {
        ($($field:expr),*) => {{
            const FIELDS: &[FieldDescription] = &[$($field),*];
            Description::new("Test", "", FIELDS, 100).err()
        }};
    }
    assert_eq!(check!(field("a", DEEP[6], false, None)), None);
    assert_eq!(
        check!(field("a", DEEP[7], false, None)),
        Some(DeclarationError::Depth)
    );
    assert_eq!(check!(), Some(DeclarationError::Count));
    for name in ["", "a b", "ü", "a\"", "a.b"] {
        let fields = vec![field(name, INTEGER, false, None)].leak();
        assert_eq!(
            Description::new("Test", "", fields, 1).err(),
            Some(DeclarationError::Name),
            "{name}"
        );
    }
    let a = || field("a", INTEGER, false, None);
    let fields = vec![a(), field("b", INTEGER, false, None), a()].leak();
    assert_eq!(
        Description::new("Test", "", fields, 1).err(),
        Some(DeclarationError::Duplicate)
    );
    for (shape, literal, right) in [
        (INTEGER, "2", true),
        (INTEGER, "3", false),
        (INTEGER, "-1", false),
        (INTEGER, "\"1\"", false),
        (TEXT, "\"ab\"", true),
        (TEXT, "\"\"", false),
        (TEXT, "\"abc\"", false),
        (Shape::Bool, "true", true),
        (Shape::Bool, "1", false),
        (Shape::Choice(&["a", "b"]), "\"b\"", true),
        (Shape::Choice(&["a", "b"]), "\"c\"", false),
        (DEEP[0], "1", false),
    ] {
        let default = Default::from_literal(literal).unwrap();
        let fields = vec![field("a", shape, false, Some(default))].leak();
        let expected = (!right).then_some(DeclarationError::Default);
        assert_eq!(
            Description::new("Test", "", fields, 1).err(),
            expected,
            "{shape:?} {literal}"
        );
    }
    let fields = vec![field("a", Shape::Bool, true, Some(Default::Bool(true)))].leak();
    assert_eq!(
        Description::new("Test", "", fields, 1).err(),
        Some(DeclarationError::Presence)
    );
    for (literal, default) in [
        ("-1_000", Some(Default::Integer(-1000))),
        ("0", Some(Default::Integer(0))),
        ("false", Some(Default::Bool(false))),
        ("\"ü\"", Some(Default::Text("ü"))),
        ("\"a\\n\"", None),
        ("1.5", None),
        ("0x10", None),
        ("1u8", None),
        ("'a'", None),
        ("-", None),
        ("b\"a\"", None),
    ] {
        assert_eq!(Default::from_literal(literal).ok(), default, "{literal}");
    }
}

#[test]
fn a_schema_says_what_the_parser_knows() {
    let schema: Json = serde_json::from_str(&Heating::DESCRIPTION.json_schema().to_string()).unwrap();
    assert_eq!(schema["description"], "What a heating is told. By its \"owner\".");
    assert_eq!(schema["required"], json!(["broker", "rooms"]));
    assert_eq!(
        schema["properties"]["interval"],
        json!({
            "description": "Between two reports.",
            "type": "integer", "minimum": 10, "maximum": 86_400, "x-unit": "s", "default": 300,
        })
    );
    let room = &schema["properties"]["rooms"]["items"];
    assert_eq!(
        room["properties"]["mode"],
        json!({ "enum": ["auto", "manual"], "default": "auto" })
    );
    assert_eq!(room["additionalProperties"], json!(false));
    assert_eq!(
        room["properties"]["sensors"]["items"],
        json!({ "type": "string", "minLength": 4, "maxLength": 4, "pattern": "^([0-9A-Fa-f]*)$" })
    );
    let schema: Json = serde_json::from_str(&Everything::DESCRIPTION.json_schema().to_string()).unwrap();
    assert_eq!(schema["required"].as_array().unwrap().len(), 8);
    assert_eq!(schema["properties"]["key"]["minLength"], 4);
    let cddl = Heating::DESCRIPTION.cddl().to_string();
    assert_eq!(
        cddl,
        r#"; What a heating is told.
; By its "owner".
Heating = {
  ; Where it reports to.
  "broker": (tstr .size (1..2048)) .and (tstr .regexp "[A-Za-z]+://[!-~]+"),
  ; Between two reports.
  ; unit: s
  ? "interval": (10..86400) .default 300,
  "rooms": [1*3 {
    "name": tstr .size (1..16),
    ; unit: °C
    "target": -5..30,
    ? "mode": ("auto" / "manual") .default "auto",
    ? "sensors": [0*2 ((tstr .size (4..4)) .and (tstr .regexp "[0-9A-Fa-f]*"))],
  }],
  ? "network": {
    "ssid": tstr .size (1..32),
    ? "gateway": (tstr .size (7..15)) .and (tstr .regexp "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])([.](25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])){3}"),
    "port": 1..65535,
  },
  ? "away-from-home": (bool) .default false,
  ? "zone": ((tstr .size (4..64)) .and (tstr .regexp "[!-~]+")) .default "UTC0",
}
"#
    );
    assert!(
        Everything::DESCRIPTION
            .cddl()
            .to_string()
            .contains("\"level\": 0,\n")
    );
}
