//! Parsers through C pointers: the same answers as in Rust, the place of a refusal, and nothing written on one.
//!
//! SAFETY of every call: text and buffers are live and as long as the length beside them says.

pub(crate) mod document;
mod json;
pub(crate) mod wifi;

use std::ptr;

use iotsec::core::{error::ErrorCode, input};
use iotsec_ffi::{input::*, status::*};

fn check(kind: iotsec_input_kind_t, text: &[u8]) -> (iotsec_status_t, Option<usize>) {
    let mut offset = usize::MAX;
    // SAFETY: see the top.
    let status = unsafe { iotsec_input_check(kind, text.as_ptr(), text.len(), &mut offset) };
    // SAFETY: see the top.
    let without = unsafe { iotsec_input_check(kind, text.as_ptr(), text.len(), ptr::null_mut()) };
    assert_eq!(status, without);
    (status, Some(offset).filter(|offset| *offset != usize::MAX))
}

fn decode(kind: iotsec_input_kind_t, text: &[u8], bytes: &mut [u8]) -> (iotsec_status_t, usize) {
    let mut len = usize::MAX;
    // SAFETY: see the top.
    let status = unsafe {
        iotsec_input_decode(
            kind,
            text.as_ptr(),
            text.len(),
            bytes.as_mut_ptr(),
            bytes.len(),
            &mut len,
            ptr::null_mut(),
        )
    };
    (status, len)
}

#[test]
fn every_kind_takes_a_good_text_and_says_where_a_bad_one_goes_wrong() {
    for (kind, good, bad, offset) in [
        (
            IOTSEC_INPUT_SSID,
            &b"Home"[..],
            &b"a name of more than thirty-two bytes"[..],
            32,
        ),
        (IOTSEC_INPUT_PSK, b"correct horse", b"short", 5),
        (IOTSEC_INPUT_HOSTNAME, b"lamp-7.local", b"lamp_7.local", 4),
        (IOTSEC_INPUT_HOST, b"[2001:db8::1]", b"[2001:db8::g]", 11),
        (IOTSEC_INPUT_IPV4, b"192.0.2.1", b"192.0.2.01", 8),
        (
            IOTSEC_INPUT_ZONE_NAME,
            b"America/Argentina/Ushuaia",
            b"../../etc/passwd",
            0,
        ),
        (IOTSEC_INPUT_IPV6, b"::1", b"::1%eth0", 3),
        (IOTSEC_INPUT_MAC, b"00:00:5e:00:53:01", b"00:00:5e:00:53-01", 14),
        (IOTSEC_INPUT_PORT, b"8883", b"65536", 0),
        (IOTSEC_INPUT_URL, b"https://a.example/b", b"http://a.example/b", 0),
        (IOTSEC_INPUT_MQTT_TOPIC, b"lamps/7", b"lamps/+", 6),
        (IOTSEC_INPUT_MQTT_FILTER, b"lamps/+", b"lamps/a+", 7),
        (IOTSEC_INPUT_EMAIL, b"a@b.example", b"a@@b.example", 2),
        (
            IOTSEC_INPUT_TIME_ZONE,
            b"CET-1CEST,M3.5.0,M10.5.0/3",
            b"CET-25",
            4,
        ),
        (IOTSEC_INPUT_VERSION, b"1.4.0", b"1.04.0", 2),
        (IOTSEC_INPUT_SERIAL, b"LMP-0042", b"LMP 0042", 3),
        (IOTSEC_INPUT_LABEL, b"Kitchen", b"Kit\x07chen", 3),
        (IOTSEC_INPUT_HEX, b"00fF", b"00fg", 3),
        (IOTSEC_INPUT_BASE32, b"MZXW6===", b"MZXW1===", 4),
        (IOTSEC_INPUT_BASE64, b"Zm9vYg==", b"Zm9v!g==", 4),
        (IOTSEC_INPUT_BASE64URL, b"Zm9vYg", b"Zm9vYh", 5),
    ] {
        assert_eq!(check(kind, good), (IOTSEC_OK, None), "kind {kind}");
        let (status, at) = check(kind, bad);
        assert!((1601..1620).contains(&status), "kind {kind}: {status}");
        assert_eq!(at, Some(offset), "kind {kind}");
    }
    for kind in [0, 22, -1, i32::MAX] {
        assert_eq!(check(kind, b"x"), (IOTSEC_ERR_CONFIG, None));
    }
}

#[test]
fn the_number_of_a_refusal_is_that_of_the_rust_error() {
    let error = input::Hostname::parse(b"lamp..local").unwrap_err();
    let (status, at) = check(IOTSEC_INPUT_HOSTNAME, b"lamp..local");
    assert_eq!(
        (status, at),
        (i32::from(error.code()), usize::try_from(error.offset).ok())
    );
}

#[test]
fn texts_that_stand_for_bytes_are_decoded() {
    let mut bytes = [0; 16];
    for (kind, text, expected) in [
        (IOTSEC_INPUT_IPV4, &b"192.0.2.1"[..], &[192, 0, 2, 1][..]),
        (
            IOTSEC_INPUT_IPV6,
            b"2001:db8::1",
            &[0x20, 1, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
        ),
        (IOTSEC_INPUT_MAC, b"00:00:5e:00:53:01", &[0, 0, 0x5E, 0, 0x53, 1]),
        (IOTSEC_INPUT_HEX, b"00fF", &[0, 0xFF]),
        (IOTSEC_INPUT_BASE32, b"MZXW6===", b"foo"),
        (IOTSEC_INPUT_BASE64, b"Zm9vYg==", b"foob"),
        (IOTSEC_INPUT_BASE64URL, b"Zm9vYg", b"foob"),
    ] {
        let (status, len) = decode(kind, text, &mut bytes);
        assert_eq!((status, &bytes[..len]), (IOTSEC_OK, expected), "kind {kind}");
        let mut short = [0xEE; 16];
        let (status, needed) = decode(kind, text, &mut short[..expected.len() - 1]);
        assert_eq!(
            (status, needed),
            (IOTSEC_ERR_SHORT_BUFFER, expected.len()),
            "kind {kind}"
        );
        assert_eq!(short, [0xEE; 16], "kind {kind}");
    }
    assert_eq!(
        decode(IOTSEC_INPUT_EMAIL, b"a@b.example", &mut bytes).0,
        IOTSEC_ERR_CONFIG
    );
    let (status, len) = decode(IOTSEC_INPUT_HEX, b"0x", &mut bytes);
    assert_eq!((status, len), (IOTSEC_ERR_INPUT_CHARACTER, usize::MAX));
}

#[test]
fn integers_keep_their_bounds() {
    let read = |text: &[u8], min, max| {
        let (mut value, mut offset) = (7, 0);
        // SAFETY: see the top.
        let status =
            unsafe { iotsec_input_integer(text.as_ptr(), text.len(), min, max, &mut value, &mut offset) };
        (status, value)
    };
    assert_eq!(read(b"-5", -5, 5), (IOTSEC_OK, -5));
    assert_eq!(read(b"6", -5, 5), (IOTSEC_ERR_INPUT_RANGE, 7));
    assert_eq!(read(b"-6", -5, 5), (IOTSEC_ERR_INPUT_RANGE, 7));
    assert_eq!(
        read(b"9223372036854775807", i64::MIN, i64::MAX),
        (IOTSEC_OK, i64::MAX)
    );
    assert_eq!(
        read(b"9223372036854775808", i64::MIN, i64::MAX).0,
        IOTSEC_ERR_INPUT_RANGE
    );
    for text in [&b"05"[..], b"+5", b" 5", b"5 ", b"0x5", b"", b"-"] {
        let (status, value) = read(text, -5, 5);
        assert!((1601..1620).contains(&status) && value == 7, "{text:?}: {status}");
    }
}

#[test]
fn the_parts_of_a_url_are_found_in_its_text() {
    let read = |text: &'static str| {
        let mut url = std::mem::MaybeUninit::<iotsec_url_t>::zeroed();
        // SAFETY: see the top.
        let status =
            unsafe { iotsec_input_url(text.as_ptr(), text.len(), url.as_mut_ptr(), ptr::null_mut()) };
        assert_eq!(status, IOTSEC_OK, "{text}");
        // SAFETY: all of its fields are integers.
        let url = unsafe { url.assume_init() };
        let part = |offset: u16, len: u16| &text[usize::from(offset)..][..usize::from(len)];
        (
            (url.scheme, url.host_kind, url.port),
            part(url.host_offset, url.host_len),
            part(url.path_offset, url.path_len),
            part(url.query_offset, url.query_len),
        )
    };
    assert_eq!(
        read("https://updates.example.com:8443/lamp/7?since=3"),
        (
            (IOTSEC_URL_HTTPS, IOTSEC_INPUT_HOSTNAME, 8443),
            "updates.example.com",
            "/lamp/7",
            "since=3"
        )
    );
    assert_eq!(
        read("coaps://[2001:db8::1]"),
        ((IOTSEC_URL_COAPS, IOTSEC_INPUT_IPV6, 5684), "2001:db8::1", "", "")
    );
    assert_eq!(
        read("mqtts://192.0.2.1:8884"),
        ((IOTSEC_URL_MQTTS, IOTSEC_INPUT_IPV4, 8884), "192.0.2.1", "", "")
    );
    assert_eq!(
        read("wss://a.example?x"),
        ((IOTSEC_URL_WSS, IOTSEC_INPUT_HOSTNAME, 443), "a.example", "", "x")
    );
}

#[test]
fn versions_and_topics_are_read() {
    let mut version = iotsec_version_t {
        major: 0,
        minor: 0,
        patch: 0,
        pre_len: 0,
        reserved: 0,
    };
    let text = b"1.4.10-rc.2+5f3a";
    // SAFETY: see the top.
    let status = unsafe { iotsec_input_version(text.as_ptr(), text.len(), &mut version, ptr::null_mut()) };
    assert_eq!(status, IOTSEC_OK);
    assert_eq!(
        (version.major, version.minor, version.patch, version.pre_len),
        (1, 4, 10, 4)
    );

    let matches = |filter: &[u8], topic: &[u8]| {
        let mut matches = 7;
        // SAFETY: see the top.
        let status = unsafe {
            iotsec_input_mqtt_matches(
                filter.as_ptr(),
                filter.len(),
                topic.as_ptr(),
                topic.len(),
                &mut matches,
                ptr::null_mut(),
            )
        };
        (status, matches)
    };
    assert_eq!(matches(b"lamps/+/state", b"lamps/7/state"), (IOTSEC_OK, 1));
    assert_eq!(matches(b"lamps/+/state", b"lamps/7/mode"), (IOTSEC_OK, 0));
    assert_eq!(
        matches(b"lamps/+/state", b"lamps/+/state"),
        (IOTSEC_ERR_INPUT_CHARACTER, 7)
    );
    assert_eq!(matches(b"lamps+", b"lamps/7").1, 7);
}
