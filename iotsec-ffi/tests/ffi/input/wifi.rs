//! SAFETY of every call: text and structs are live, and as long as the length beside them says.

use iotsec_ffi::input::wifi::*;

use super::*;
use crate::login::zeroed;

/// An open one.
pub(crate) fn network() -> iotsec_wifi_t {
    parse("WIFI:S:a;;").unwrap()
}

fn parse(text: &str) -> Result<iotsec_wifi_t, iotsec_status_t> {
    let mut wifi = zeroed();
    // SAFETY: see the top.
    match unsafe { iotsec_wifi_parse(text.as_ptr().cast(), text.len(), &raw mut wifi) } {
        IOTSEC_OK => Ok(wifi),
        status => {
            assert_eq!(wifi.ssid_len, 0, "a refusal writes nothing");
            Err(status)
        }
    }
}

fn write(wifi: &iotsec_wifi_t, size: usize) -> Result<String, (iotsec_status_t, usize)> {
    let (mut out, mut len) = (vec![0xEEu8; size], usize::MAX);
    // SAFETY: see the top.
    match unsafe { iotsec_wifi_write(wifi, out.as_mut_ptr().cast(), size, &raw mut len) } {
        IOTSEC_OK => Ok(String::from_utf8(out[..len].to_vec()).unwrap()),
        status => {
            assert!(out.iter().all(|byte| *byte == 0xEE));
            Err((status, len))
        }
    }
}

fn ssid(wifi: &iotsec_wifi_t) -> &[u8] {
    &wifi.ssid[..wifi.ssid_len as usize]
}

fn psk(wifi: &iotsec_wifi_t) -> &[u8] {
    &wifi.psk[..wifi.psk_len as usize]
}

#[test]
fn a_network_is_read_and_written_with_what_has_to_be_escaped() {
    let text = r"WIFI:T:WPA;S:Cafe\;Bar;P:pass\:w\\ord;H:true;;";
    let wifi = parse(text).unwrap();
    assert_eq!(wifi.struct_size as usize, size_of::<iotsec_wifi_t>());
    assert_eq!(
        (ssid(&wifi), psk(&wifi), wifi.is_hidden),
        (&b"Cafe;Bar"[..], &br"pass:w\ord"[..], 1)
    );
    assert_eq!(write(&wifi, IOTSEC_WIFI_TEXT_MAX).unwrap(), text);
    for size in 0..text.len() {
        assert_eq!(write(&wifi, size), Err((IOTSEC_ERR_SHORT_BUFFER, text.len())));
    }
    let open = parse("WIFI:T:nopass;S:guest;;").unwrap();
    assert_eq!((ssid(&open), open.psk_len, open.is_hidden), (&b"guest"[..], 0, 0));
    assert_eq!(write(&open, 40).unwrap(), "WIFI:T:nopass;S:guest;;");
    // The longest there is.
    let longest = iotsec_wifi_t {
        ssid_len: 32,
        psk_len: 63,
        ssid: [b';'; 32],
        psk: [b';'; 64],
        ..wifi
    };
    let text = write(&longest, IOTSEC_WIFI_TEXT_MAX).unwrap();
    assert_eq!(ssid(&parse(&text).unwrap()), [b';'; 32]);
}

#[test]
fn what_is_no_network_is_refused() {
    for (text, status) in [
        ("", IOTSEC_ERR_QR_PREFIX),
        ("WIFI:T:WPA;S:a;P:1234567;;", IOTSEC_ERR_QR_VALUE),
        ("WIFI:T:WEP;S:a;P:12345678;;", IOTSEC_ERR_QR_UNSUPPORTED),
        ("WIFI:T:WPA;S:a;S:b;P:12345678;;", IOTSEC_ERR_QR_FIELD),
        ("WIFI:T:WPA;S:a;P:12345678;", IOTSEC_ERR_QR_LENGTH),
    ] {
        assert_eq!(parse(text).err(), Some(status), "{text}");
    }
    let bytes = [0xFF, 0xFE];
    // SAFETY: see the top.
    let text = unsafe { iotsec_wifi_parse(bytes.as_ptr().cast(), 2, &mut zeroed()) };
    assert_eq!(text, IOTSEC_ERR_TEXT);
    let good = parse("WIFI:T:WPA;S:a;P:12345678;;").unwrap();
    for (wrong, status) in [
        (
            iotsec_wifi_t {
                struct_size: 111,
                ..good
            },
            IOTSEC_ERR_CONFIG,
        ),
        (iotsec_wifi_t { is_hidden: 2, ..good }, IOTSEC_ERR_CONFIG),
        (iotsec_wifi_t { ssid_len: 33, ..good }, IOTSEC_ERR_CONFIG),
        (
            iotsec_wifi_t {
                psk_len: u32::MAX,
                ..good
            },
            IOTSEC_ERR_CONFIG,
        ),
        (iotsec_wifi_t { ssid_len: 0, ..good }, IOTSEC_ERR_QR_VALUE),
        (iotsec_wifi_t { psk_len: 7, ..good }, IOTSEC_ERR_QR_VALUE),
        (
            iotsec_wifi_t {
                ssid: [0xFF; 32],
                ..good
            },
            IOTSEC_ERR_TEXT,
        ),
    ] {
        assert_eq!(write(&wrong, 99), Err((status, usize::MAX)));
    }
}

#[test]
fn a_number_needs_its_unit() {
    let quantity = |text: &str, unit: &std::ffi::CStr, min, max| {
        let (mut value, mut offset) = (-1, usize::MAX);
        // SAFETY: see the top.
        let status = unsafe {
            iotsec_input_quantity(
                text.as_ptr(),
                text.len(),
                unit.as_ptr(),
                min,
                max,
                &raw mut value,
                &raw mut offset,
            )
        };
        match status {
            IOTSEC_OK => Ok(value),
            status => {
                assert_eq!(value, -1);
                Err((status, offset))
            }
        }
    };
    assert_eq!(quantity("250ms", c"ms", 0, 1000), Ok(250));
    assert_eq!(quantity("21 °C", c"°C", 5, 30), Ok(21));
    assert_eq!(quantity("-5 dBm", c"dBm", -90, 0), Ok(-5));
    for (text, unit, status, offset) in [
        ("250", c"ms", IOTSEC_ERR_INPUT_FORM, 3),
        ("250 s", c"ms", IOTSEC_ERR_INPUT_FORM, 5),
        ("1001 ms", c"ms", IOTSEC_ERR_INPUT_RANGE, 0),
        ("ms", c"ms", IOTSEC_ERR_INPUT_EMPTY, 0),
        ("250  ms", c"ms", IOTSEC_ERR_INPUT_CHARACTER, 3),
        ("250", c"", IOTSEC_ERR_CONFIG, usize::MAX),
        ("250", c"0", IOTSEC_ERR_CONFIG, usize::MAX),
        ("250 s", c" s", IOTSEC_ERR_CONFIG, usize::MAX),
    ] {
        assert_eq!(quantity(text, unit, 0, 1000), Err((status, offset)), "{text}");
    }
}
