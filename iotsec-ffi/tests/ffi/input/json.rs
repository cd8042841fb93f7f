//! SAFETY of every call: text is live until the reader is closed, and everything is as long as the length beside it says.

use std::ffi::CString;

use iotsec_ffi::input::json::*;

use super::*;
use crate::{board::Fixed, login::zeroed};

struct Reader(Fixed<iotsec_json_t>);

impl Reader {
    fn open(text: &[u8], limits: Option<iotsec_json_limits_t>) -> Result<Self, (iotsec_status_t, usize)> {
        let (json, mut offset) = (Fixed::<iotsec_json_t>::new(zeroed()), usize::MAX);
        let limits = limits.as_ref().map_or(ptr::null(), ptr::from_ref);
        // SAFETY: see the top.
        match unsafe { iotsec_json_open(json.at(), limits, text.as_ptr(), text.len(), &raw mut offset) } {
            IOTSEC_OK => Ok(Self(json)),
            status => Err((status, offset)),
        }
    }

    fn next(&self) -> iotsec_json_token_t {
        let mut token = zeroed();
        // SAFETY: see the top.
        let status = unsafe { iotsec_json_next(self.0.at(), &raw mut token) };
        assert_eq!(status, IOTSEC_OK);
        token
    }

    fn text(&self) -> Result<String, iotsec_status_t> {
        let (mut out, mut len) = ([0xEEu8; 64], 0);
        // SAFETY: see the top.
        match unsafe { iotsec_json_text(self.0.at(), out.as_mut_ptr().cast(), 64, &raw mut len) } {
            IOTSEC_OK => Ok(String::from_utf8(out[..len].to_vec()).unwrap()),
            status => {
                assert_eq!(out, [0xEE; 64]);
                Err(status)
            }
        }
    }

    fn is(&self, text: &str) -> Result<bool, iotsec_status_t> {
        let (text, mut is_same) = (CString::new(text).unwrap(), 7);
        // SAFETY: see the top.
        match unsafe { iotsec_json_is(self.0.at(), text.as_ptr(), &raw mut is_same) } {
            IOTSEC_OK => Ok(is_same == 1),
            status => Err(status),
        }
    }

    fn pass(&self) -> iotsec_status_t {
        // SAFETY: see the top.
        unsafe { iotsec_json_pass(self.0.at()) }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        // SAFETY: see the top.
        assert_eq!(unsafe { iotsec_json_close(self.0.at()) }, IOTSEC_OK);
    }
}

#[test]
fn a_document_is_read_part_by_part() {
    let text = br#" {"n\u0061me": "caf\u00e9", "levels": [1, -2, 3.5e1, [], {}], "on": true, "off": false, "x": null} "#;
    let reader = Reader::open(text, None).unwrap();
    let expected = [
        (IOTSEC_JSON_OBJECT, 0, 0),
        (IOTSEC_JSON_NAME, 0, 4),
        (IOTSEC_JSON_TEXT, 0, 5),
        (IOTSEC_JSON_NAME, 0, 6),
        (IOTSEC_JSON_ARRAY, 0, 0),
        (IOTSEC_JSON_INTEGER, 1, 1),
        (IOTSEC_JSON_INTEGER, -2, 2),
        (IOTSEC_JSON_REAL, 0, 5),
        (IOTSEC_JSON_ARRAY, 0, 0),
        (IOTSEC_JSON_ARRAY_END, 0, 0),
        (IOTSEC_JSON_OBJECT, 0, 0),
        (IOTSEC_JSON_OBJECT_END, 0, 0),
        (IOTSEC_JSON_ARRAY_END, 0, 0),
        (IOTSEC_JSON_NAME, 0, 2),
        (IOTSEC_JSON_BOOL, 1, 0),
        (IOTSEC_JSON_NAME, 0, 3),
        (IOTSEC_JSON_BOOL, 0, 0),
        (IOTSEC_JSON_NAME, 0, 1),
        (IOTSEC_JSON_NULL, 0, 0),
        (IOTSEC_JSON_OBJECT_END, 0, 0),
        (IOTSEC_JSON_END, 0, 0),
        (IOTSEC_JSON_END, 0, 0),
    ];
    let mut before = None;
    for (at, expected) in expected.into_iter().enumerate() {
        let token = reader.next();
        assert_eq!((token.kind, token.number, token.len), expected, "part {at}");
        if token.kind != IOTSEC_JSON_END {
            assert!(before < Some(token.offset) && token.offset as usize <= text.len());
            before = Some(token.offset);
        }
        match at {
            1 => assert_eq!(
                (reader.text(), reader.is("name"), reader.is("nam")),
                (Ok("name".into()), Ok(true), Ok(false))
            ),
            2 => assert_eq!((reader.text(), reader.is("café")), (Ok("café".into()), Ok(true))),
            6 => assert_eq!(
                (reader.text(), reader.is("-2")),
                (Ok("-2".into()), Err(IOTSEC_ERR_STATE))
            ),
            7 => assert_eq!(reader.text(), Ok("3.5e1".into())),
            0 | 4 | 14 | 18.. => assert_eq!(
                (reader.text(), reader.is("")),
                (Err(IOTSEC_ERR_STATE), Err(IOTSEC_ERR_STATE))
            ),
            _ => {}
        }
    }
}

#[test]
fn what_is_of_no_interest_is_passed_over() {
    let reader = Reader::open(br#"{"a": {"b": [1, "]}"]}, "c": 7, "d": [[2], 3]}"#, None).unwrap();
    assert_eq!(reader.next().kind, IOTSEC_JSON_OBJECT);
    assert_eq!(reader.pass(), IOTSEC_ERR_STATE, "a name comes next");
    assert_eq!(reader.next().kind, IOTSEC_JSON_NAME);
    assert_eq!(reader.pass(), IOTSEC_OK);
    assert_eq!(reader.text(), Err(IOTSEC_ERR_STATE));
    assert_eq!((reader.next().kind, reader.is("c")), (IOTSEC_JSON_NAME, Ok(true)));
    assert_eq!(reader.next().number, 7);
    assert_eq!(reader.next().kind, IOTSEC_JSON_NAME);
    assert_eq!(reader.next().kind, IOTSEC_JSON_ARRAY);
    assert_eq!(reader.pass(), IOTSEC_OK);
    assert_eq!(reader.next().number, 3);
    assert_eq!(reader.pass(), IOTSEC_ERR_STATE, "the array is at its end");
    assert_eq!(reader.next().kind, IOTSEC_JSON_ARRAY_END);
    assert_eq!(reader.next().kind, IOTSEC_JSON_OBJECT_END);
    assert_eq!(reader.pass(), IOTSEC_ERR_STATE);
    assert_eq!(reader.next().kind, IOTSEC_JSON_END);
    let reader = Reader::open(b"[1]", None).unwrap();
    assert_eq!(reader.pass(), IOTSEC_OK, "the document itself");
    assert_eq!(reader.next().kind, IOTSEC_JSON_END);
}

#[test]
fn the_nesting_is_known_as_deep_as_may_be() {
    let limits = iotsec_json_limits_t {
        struct_size: size_of::<iotsec_json_limits_t>() as u32,
        bytes: 1000,
        depth: 32,
        values: 64,
        names: 1,
    };
    // Objects and arrays by turns, and a name after each of them is closed.
    let text = format!("{}1{}", r#"{"a":["#.repeat(16), "]}".repeat(16));
    let reader = Reader::open(text.as_bytes(), Some(limits)).unwrap();
    for _ in 0..16 {
        for kind in [IOTSEC_JSON_OBJECT, IOTSEC_JSON_NAME, IOTSEC_JSON_ARRAY] {
            assert_eq!(reader.next().kind, kind);
        }
    }
    assert_eq!(reader.next().number, 1);
    for _ in 0..16 {
        for kind in [IOTSEC_JSON_ARRAY_END, IOTSEC_JSON_OBJECT_END] {
            assert_eq!(reader.next().kind, kind);
        }
    }
    assert_eq!(reader.next().kind, IOTSEC_JSON_END);
    let deeper = format!("[{text}]");
    assert_eq!(
        Reader::open(deeper.as_bytes(), Some(limits)).err().unwrap().0,
        IOTSEC_ERR_INPUT_DEPTH
    );
    for wrong in [
        iotsec_json_limits_t { depth: 33, ..limits },
        iotsec_json_limits_t {
            values: 65536,
            ..limits
        },
        iotsec_json_limits_t {
            names: u32::MAX,
            ..limits
        },
        iotsec_json_limits_t {
            struct_size: 4,
            ..limits
        },
    ] {
        assert_eq!(
            Reader::open(b"1", Some(wrong)).err(),
            Some((IOTSEC_ERR_CONFIG, usize::MAX))
        );
    }
}

#[test]
fn a_document_that_is_wrong_anywhere_is_not_opened() {
    for (text, status, offset) in [
        (&b""[..], IOTSEC_ERR_INPUT_EMPTY, 0),
        (br#"{"a": 1,}"#, IOTSEC_ERR_INPUT_CHARACTER, 8),
        (br#"{"a": 1, "\u0061": 2}"#, IOTSEC_ERR_INPUT_DUPLICATE, 9),
        (b"[1] 2", IOTSEC_ERR_INPUT_TRAILING, 4),
        (b"[1", IOTSEC_ERR_INPUT_TRUNCATED, 2),
        (b"9007199254740993", IOTSEC_ERR_INPUT_RANGE, 0),
        (b"\"\xFF\"", IOTSEC_ERR_INPUT_UTF8, 1),
        (b"[[[[[[[[[1]]]]]]]]]", IOTSEC_ERR_INPUT_DEPTH, 8),
    ] {
        assert_eq!(Reader::open(text, None).err(), Some((status, offset)));
    }
}

#[test]
fn a_text_that_does_not_fit_says_its_length_and_stays_readable() {
    let reader = Reader::open(br#""ab\n\u00e9""#, None).unwrap();
    assert_eq!(reader.next().len, 5);
    for size in 0..5 {
        let (mut out, mut len) = ([0xEEu8; 5], 0);
        // SAFETY: see the top.
        let status = unsafe { iotsec_json_text(reader.0.at(), out.as_mut_ptr().cast(), size, &raw mut len) };
        assert_eq!((status, len, out), (IOTSEC_ERR_SHORT_BUFFER, 5, [0xEE; 5]));
    }
    assert_eq!(reader.text(), Ok("ab\né".into()));
    // An open one is not opened again, nor read once it is closed.
    let mut offset = usize::MAX;
    // SAFETY: see the top.
    let again = unsafe { iotsec_json_open(reader.0.at(), ptr::null(), b"1".as_ptr(), 1, &raw mut offset) };
    assert_eq!((again, offset), (IOTSEC_ERR_STATE, usize::MAX));
    let at = reader.0.at();
    // SAFETY: see the top.
    unsafe {
        assert_eq!(iotsec_json_close(at), IOTSEC_OK);
        assert_eq!(iotsec_json_next(at, &mut zeroed()), IOTSEC_ERR_STATE);
        assert_eq!(iotsec_json_pass(at), IOTSEC_ERR_STATE);
        assert_eq!(iotsec_json_close(at), IOTSEC_ERR_STATE);
        assert_eq!(
            iotsec_json_open(at, ptr::null(), b"1".as_ptr(), 1, ptr::null_mut()),
            IOTSEC_OK
        );
    }
}
