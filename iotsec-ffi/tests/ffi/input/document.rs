//! SAFETY of every call: tables are constants, buffers live, and everything is as long as the length beside it says.

use std::ffi::{CStr, c_char};

use iotsec_ffi::input::document::*;

use super::*;
use crate::login::zeroed;

pub(crate) const fn field(name: &'static CStr, kind: iotsec_document_kind_t) -> iotsec_document_field_t {
    iotsec_document_field_t {
        name: name.as_ptr(),
        kind,
        presence: IOTSEC_DOCUMENT_REQUIRED,
        min: 0,
        max: 0,
        fallback: 0,
        input: 0,
        count: 0,
        choices: ptr::null(),
        fields: ptr::null(),
    }
}

pub(crate) fn document(fields: &[iotsec_document_field_t]) -> iotsec_document_t {
    iotsec_document_t {
        struct_size: size_of::<iotsec_document_t>() as u32,
        bytes: 512,
        fields: fields.as_ptr(),
        field_count: fields.len() as u32,
        reserved: 0,
    }
}

/// Where a lamp reports to.
struct Lamp {
    _modes: Box<[*const c_char; 2]>,
    _server: Box<[iotsec_document_field_t; 2]>,
    _element: Box<iotsec_document_field_t>,
    fields: Vec<iotsec_document_field_t>,
}

impl Lamp {
    fn new() -> Self {
        let modes = Box::new([c"quiet".as_ptr(), c"loud".as_ptr()]);
        let server = Box::new([
            iotsec_document_field_t {
                max: 254,
                min: 1,
                input: IOTSEC_INPUT_HOSTNAME,
                ..field(c"host", IOTSEC_DOCUMENT_TEXT)
            },
            iotsec_document_field_t {
                presence: IOTSEC_DOCUMENT_DEFAULT,
                min: 1,
                max: 65535,
                fallback: 8883,
                ..field(c"port", IOTSEC_DOCUMENT_INTEGER)
            },
        ]);
        let element = Box::new(iotsec_document_field_t {
            name: ptr::null(),
            count: 2,
            fields: server.as_ptr(),
            ..field(c"", IOTSEC_DOCUMENT_OBJECT)
        });
        let fields = vec![
            iotsec_document_field_t {
                min: 1,
                max: 3,
                count: 1,
                fields: &raw const *element,
                ..field(c"servers", IOTSEC_DOCUMENT_LIST)
            },
            iotsec_document_field_t {
                presence: IOTSEC_DOCUMENT_DEFAULT,
                fallback: 1,
                count: 2,
                choices: modes.as_ptr(),
                ..field(c"mode", IOTSEC_DOCUMENT_CHOICE)
            },
            iotsec_document_field_t {
                presence: IOTSEC_DOCUMENT_OPTIONAL,
                min: 1,
                max: 32,
                input: IOTSEC_INPUT_LABEL,
                ..field(c"room", IOTSEC_DOCUMENT_TEXT)
            },
            iotsec_document_field_t {
                presence: IOTSEC_DOCUMENT_OPTIONAL,
                ..field(c"on", IOTSEC_DOCUMENT_BOOL)
            },
        ];
        Self {
            _modes: modes,
            _server: server,
            _element: element,
            fields,
        }
    }
}

/// What a refused document says: status, byte, and steps.
type Refused = (iotsec_status_t, u32, Vec<u8>);

fn read_into(
    fields: &[iotsec_document_field_t],
    written: (iotsec_document_form_t, &[u8]),
    scratch: &mut [u8],
    room: usize,
) -> Result<Vec<iotsec_document_value_t>, Refused> {
    read_by(&document(fields), written, scratch, room)
}

fn read_by(
    document: &iotsec_document_t,
    (form, bytes): (iotsec_document_form_t, &[u8]),
    scratch: &mut [u8],
    room: usize,
) -> Result<Vec<iotsec_document_value_t>, Refused> {
    let mut len = usize::MAX;
    let (mut values, mut place): (Vec<iotsec_document_value_t>, iotsec_document_place_t) =
        (vec![zeroed(); room], zeroed());
    place.offset = u32::MAX;
    // SAFETY: see the top.
    let status = unsafe {
        iotsec_document_read(
            form,
            document,
            bytes.as_ptr(),
            bytes.len(),
            scratch.as_mut_ptr(),
            scratch.len(),
            values.as_mut_ptr(),
            room,
            &raw mut len,
            &raw mut place,
        )
    };
    if status == IOTSEC_OK {
        values.truncate(len);
        return Ok(values);
    }
    if status == IOTSEC_ERR_SHORT_BUFFER {
        assert!(len > room);
        return Err((status, len as u32, vec![]));
    }
    assert_eq!(len, usize::MAX);
    Err((
        status,
        place.offset,
        place.steps[..place.step_count as usize].to_vec(),
    ))
}

fn json(fields: &[iotsec_document_field_t], text: &str) -> Result<Vec<iotsec_document_value_t>, Refused> {
    read_into(fields, (IOTSEC_DOCUMENT_JSON, text.as_bytes()), &mut [0; 64], 16)
}

fn text(value: &iotsec_document_value_t) -> &[u8] {
    // SAFETY: the document and the scratch of the tests outlive the look.
    unsafe { std::slice::from_raw_parts(value.text, value.text_len) }
}

const JSON: &str = r#"{"servers": [{"host": "a.example"}, {"host": "b.example", "port": 443}], "room": "K\u00fcche", "on": true}"#;

/// The same in CBOR, in the order of deterministic encoding.
fn cbor() -> Vec<u8> {
    let mut out = vec![0xA3];
    let name = |out: &mut Vec<u8>, text: &str| {
        out.push(0x60 | text.len() as u8);
        out.extend_from_slice(text.as_bytes());
    };
    name(&mut out, "on");
    out.push(0xF5);
    name(&mut out, "room");
    name(&mut out, "Küche");
    name(&mut out, "servers");
    out.extend_from_slice(&[0x82, 0xA1]);
    name(&mut out, "host");
    name(&mut out, "a.example");
    out.push(0xA2);
    name(&mut out, "host");
    name(&mut out, "b.example");
    name(&mut out, "port");
    out.extend_from_slice(&[0x19, 1, 0xBB]);
    out
}

fn judge(values: &[iotsec_document_value_t]) {
    assert_eq!(values.len(), 4 + 2 + 2 * 2);
    let [servers, mode, room, on, ..] = values else {
        panic!("too few");
    };
    assert_eq!((servers.is_present, servers.count), (1, 2));
    let element = |at: usize| &values[servers.first as usize + at];
    let member = |at: usize, field: usize| &values[element(at).first as usize + field];
    assert_eq!(
        (text(member(0, 0)), text(member(1, 0))),
        (&b"a.example"[..], &b"b.example"[..])
    );
    assert_eq!(
        [member(0, 1), member(1, 1)].map(|port| (port.is_present, port.number)),
        [(0, 8883), (1, 443)]
    );
    assert_eq!((mode.is_present, mode.number), (0, 1));
    assert_eq!((room.is_present, text(room)), (1, "Küche".as_bytes()));
    assert_eq!((on.is_present, on.number), (1, 1));
    assert!(on.text.is_null() && element(0).count == 2);
}

#[test]
fn json_and_cbor_give_the_same_values_by_one_table() {
    let (lamp, cbor) = (Lamp::new(), cbor());
    let mut scratch = [0; 64];
    for written in [
        (IOTSEC_DOCUMENT_JSON, JSON.as_bytes()),
        (IOTSEC_DOCUMENT_CBOR, cbor.as_slice()),
    ] {
        judge(&read_into(&lamp.fields, written, &mut scratch, 10).unwrap());
        for room in 0..10 {
            assert_eq!(
                read_into(&lamp.fields, written, &mut scratch, room),
                Err((IOTSEC_ERR_SHORT_BUFFER, 10, vec![]))
            );
        }
        // Every one that is cut off is refused.
        for len in 0..written.1.len() {
            assert!(read_into(&lamp.fields, (written.0, &written.1[..len]), &mut scratch, 10).is_err());
        }
    }
    // Only the text with an escape needs scratch.
    let refused = read_into(
        &lamp.fields,
        (IOTSEC_DOCUMENT_JSON, JSON.as_bytes()),
        &mut [0; 5],
        10,
    );
    assert_eq!(refused, Err((IOTSEC_ERR_DOCUMENT_BUFFER_FULL, 81, vec![2])));
    let optional = json(
        &lamp.fields,
        r#"{"servers": [{"host": "a.example"}], "mode": "quiet"}"#,
    )
    .unwrap();
    assert_eq!((optional[1].is_present, optional[1].number), (1, 0));
    assert_eq!(optional[2], zeroed());
}

#[test]
fn what_is_wrong_has_an_error_and_a_place() {
    let lamp = Lamp::new();
    for (text, status, offset, steps) in [
        ("[]", IOTSEC_ERR_DOCUMENT_TYPE, 0, &[][..]),
        ("{", IOTSEC_ERR_INPUT_TRUNCATED, 1, &[]),
        ("{}", IOTSEC_ERR_DOCUMENT_MISSING, 0, &[0]),
        (r#"{"servers": []}"#, IOTSEC_ERR_DOCUMENT_TOO_FEW, 12, &[0]),
        (r#"{"server": 1}"#, IOTSEC_ERR_DOCUMENT_UNKNOWN, 1, &[]),
        (
            r#"{"on": true, "on": true}"#,
            IOTSEC_ERR_DOCUMENT_DUPLICATE,
            13,
            &[],
        ),
        (r#"{"on": 1}"#, IOTSEC_ERR_DOCUMENT_TYPE, 7, &[3]),
        (r#"{"mode": "shrill"}"#, IOTSEC_ERR_DOCUMENT_CHOICE, 9, &[1]),
        (r#"{"room": ""}"#, IOTSEC_ERR_INPUT_TOO_SHORT, 10, &[2]),
        (
            r#"{"servers": [{"host": "a.example", "port": 0}]}"#,
            IOTSEC_ERR_DOCUMENT_RANGE,
            43,
            &[0, 0, 1],
        ),
        (
            r#"{"servers": [{"host": "a_.example"}]}"#,
            IOTSEC_ERR_INPUT_CHARACTER,
            24,
            &[0, 0, 0],
        ),
        (
            r#"{"servers": [{"host": "a"}, {"host": "b"}, {"host": "c"}, {"host": "d"}]}"#,
            IOTSEC_ERR_DOCUMENT_TOO_MANY,
            58,
            &[0],
        ),
        (
            r#"{"servers": [{}]}"#,
            IOTSEC_ERR_DOCUMENT_MISSING,
            13,
            &[0, 0, 0],
        ),
    ] {
        assert_eq!(
            json(&lamp.fields, text),
            Err((status, offset, steps.to_vec())),
            "{text}"
        );
    }
    let long = format!(r#"{{"room": "{}"}}"#, "a".repeat(500));
    assert_eq!(
        json(&lamp.fields, &long).unwrap_err().0,
        IOTSEC_ERR_INPUT_TOO_LONG
    );
    // A key of CBOR that is a number.
    let number = read_into(
        &lamp.fields,
        (IOTSEC_DOCUMENT_CBOR, &[0xA1, 1, 0xF5]),
        &mut [],
        10,
    );
    assert_eq!(number, Err((IOTSEC_ERR_DOCUMENT_UNKNOWN, 1, vec![])));
}

#[test]
fn a_member_that_a_kind_does_not_need_is_refused() {
    type Change = fn(&mut iotsec_document_field_t);
    const MIN: Change = |it| it.min = -1;
    const MAX: Change = |it| it.max = 9;
    const INPUT: Change = |it| it.input = IOTSEC_INPUT_HOSTNAME;
    const COUNT: Change = |it| it.count = 1;
    const CHOICES: Change = |it| it.choices = ptr::dangling();
    const FIELDS: Change = |it| it.fields = ptr::dangling();
    const FALLBACK: Change = |it| it.fallback = 1;
    let (choices, inner) = ([c"on".as_ptr()], field(c"i", IOTSEC_DOCUMENT_BOOL));
    let element = iotsec_document_field_t {
        name: ptr::null(),
        ..inner
    };
    let choice = iotsec_document_field_t {
        count: 1,
        choices: choices.as_ptr(),
        ..field(c"n", IOTSEC_DOCUMENT_CHOICE)
    };
    let of = |kind, fields| iotsec_document_field_t {
        count: 1,
        fields,
        ..field(c"n", kind)
    };
    let list = iotsec_document_field_t {
        max: 9,
        ..of(IOTSEC_DOCUMENT_LIST, &raw const element)
    };
    let kinds: [(iotsec_document_field_t, &str, &[Change]); 6] = [
        (
            field(c"n", IOTSEC_DOCUMENT_BOOL),
            "true",
            &[MIN, MAX, INPUT, COUNT, CHOICES, FIELDS, FALLBACK],
        ),
        (
            field(c"n", IOTSEC_DOCUMENT_INTEGER),
            "0",
            &[INPUT, COUNT, CHOICES, FIELDS, FALLBACK],
        ),
        (
            field(c"n", IOTSEC_DOCUMENT_TEXT),
            "\"\"",
            &[COUNT, CHOICES, FIELDS, FALLBACK],
        ),
        (choice, "\"on\"", &[MIN, MAX, INPUT, FIELDS, FALLBACK]),
        (
            of(IOTSEC_DOCUMENT_OBJECT, &raw const inner),
            r#"{"i": true}"#,
            &[MIN, MAX, INPUT, CHOICES, FALLBACK],
        ),
        (list, "[true]", &[INPUT, CHOICES, FALLBACK]),
    ];
    for (good, value, changes) in kinds {
        let text = format!(r#"{{"n": {value}}}"#);
        assert!(json(&[good], &text).is_ok(), "kind {}", good.kind);
        for (at, change) in changes.iter().enumerate() {
            let mut stray = good;
            change(&mut stray);
            let refused = json(&[stray], &text).unwrap_err();
            assert_eq!(refused.0, IOTSEC_ERR_CONFIG, "kind {}, {at}", good.kind);
        }
    }
    let stray = iotsec_document_field_t {
        input: IOTSEC_INPUT_HOSTNAME,
        ..element
    };
    let list = iotsec_document_field_t {
        fields: &raw const stray,
        ..list
    };
    assert_eq!(json(&[list], r#"{"n": []}"#).unwrap_err().0, IOTSEC_ERR_CONFIG);
}

#[test]
fn a_table_that_breaks_its_rules_is_refused_before_the_document() {
    let bools = [
        field(c"a", IOTSEC_DOCUMENT_BOOL),
        field(c"b", IOTSEC_DOCUMENT_BOOL),
    ];
    assert!(json(&bools, r#"{"a": true, "b": false}"#).is_ok());
    let refused = |fields: &[iotsec_document_field_t]| json(fields, "not a document").unwrap_err();
    let integer = iotsec_document_field_t {
        max: 10,
        ..field(c"n", IOTSEC_DOCUMENT_INTEGER)
    };
    let list = iotsec_document_field_t {
        max: 10,
        count: 1,
        ..field(c"n", IOTSEC_DOCUMENT_LIST)
    };
    let named = field(c"x", IOTSEC_DOCUMENT_BOOL);
    let long = CString49::new();
    let config = (IOTSEC_ERR_CONFIG, u32::MAX, vec![]);
    assert_eq!(refused(&[]), config);
    assert_eq!(refused(&[bools[0]; 65]), config);
    let reserved = iotsec_document_t {
        reserved: 1,
        ..document(&bools)
    };
    let good = (IOTSEC_DOCUMENT_JSON, &br#"{"a": true, "b": false}"#[..]);
    assert_eq!(read_by(&reserved, good, &mut [0; 64], 16), Err(config.clone()));
    for field in [
        field(c"", IOTSEC_DOCUMENT_BOOL),
        field(c"a b", IOTSEC_DOCUMENT_BOOL),
        field(c"ä", IOTSEC_DOCUMENT_BOOL),
        iotsec_document_field_t {
            name: long.at(),
            ..bools[0]
        },
        field(c"a", 0),
        field(c"a", 7),
        iotsec_document_field_t { min: 11, ..integer },
        iotsec_document_field_t {
            max: 1 << 53,
            ..integer
        },
        iotsec_document_field_t {
            presence: IOTSEC_DOCUMENT_DEFAULT,
            fallback: 11,
            ..integer
        },
        iotsec_document_field_t {
            presence: 3,
            ..integer
        },
        iotsec_document_field_t {
            presence: IOTSEC_DOCUMENT_DEFAULT,
            fallback: 2,
            ..bools[0]
        },
        iotsec_document_field_t {
            presence: IOTSEC_DOCUMENT_DEFAULT,
            max: 3,
            ..field(c"t", IOTSEC_DOCUMENT_TEXT)
        },
        iotsec_document_field_t {
            max: 3,
            input: 22,
            ..field(c"t", IOTSEC_DOCUMENT_TEXT)
        },
        iotsec_document_field_t {
            min: -1,
            ..field(c"t", IOTSEC_DOCUMENT_TEXT)
        },
        field(c"c", IOTSEC_DOCUMENT_CHOICE),
        field(c"o", IOTSEC_DOCUMENT_OBJECT),
        // The element of a list has no name.
        iotsec_document_field_t {
            fields: &raw const named,
            ..list
        },
        iotsec_document_field_t { max: 256, ..list },
    ] {
        let status = refused(&[field]).0;
        assert!(
            status == IOTSEC_ERR_CONFIG || status == IOTSEC_ERR_NULL && field.max == 256,
            "{field:?}: {status}"
        );
    }
    assert_eq!(refused(&[bools[0], bools[0]]), config);
    // Pointers in the table.
    for field in [
        list,
        iotsec_document_field_t {
            name: ptr::null(),
            ..bools[0]
        },
        iotsec_document_field_t {
            count: 2,
            ..field(c"c", IOTSEC_DOCUMENT_CHOICE)
        },
        iotsec_document_field_t {
            count: 2,
            ..field(c"o", IOTSEC_DOCUMENT_OBJECT)
        },
    ] {
        assert_eq!(refused(&[field]).0, IOTSEC_ERR_NULL, "{field:?}");
    }
    assert_eq!(read_into(&bools, (3, b"{}"), &mut [], 4).unwrap_err(), config);
}

#[test]
fn objects_and_lists_are_as_deep_as_they_may_be() {
    let nest = |depth: usize| {
        let mut levels = vec![Box::new(field(c"a", IOTSEC_DOCUMENT_BOOL))];
        for _ in 1..depth {
            let inner = &raw const **levels.last().unwrap();
            levels.push(Box::new(iotsec_document_field_t {
                count: 1,
                fields: inner,
                ..field(c"a", IOTSEC_DOCUMENT_OBJECT)
            }));
        }
        let text = format!("{}true{}", r#"{"a":"#.repeat(depth), "}".repeat(depth));
        json(&[**levels.last().unwrap()], &text)
    };
    let deepest = nest(IOTSEC_DOCUMENT_DEPTH_MAX).unwrap();
    assert_eq!((deepest.len(), deepest[7].number), (8, 1));
    assert_eq!(nest(9).unwrap_err().0, IOTSEC_ERR_CONFIG);
}

/// A name of one letter too many.
struct CString49(std::ffi::CString);

impl CString49 {
    fn new() -> Self {
        Self(std::ffi::CString::new("a".repeat(49)).unwrap())
    }

    fn at(&self) -> *const c_char {
        self.0.as_ptr()
    }
}
