//! What people and networks say.

use core::fmt::Display;

use iotsec_core::input::{
    Base32, Base64, Base64Url, DeviceSerial, Email, Hex, Host, Hostname, InputError, Ipv4, Ipv6, Label,
    MacAddr, MqttFilter, MqttTopic, Port, Psk, Quantity, Ranged, SemVer, Ssid, TimeZone, Url,
    json::{self, Limits, Value},
    unit::Millisecond,
};

use crate::Seed;

/// Errors point into the input, and what is accepted is in bounds and says the same when it is written again.
pub fn text(input: &[u8]) -> bool {
    let shown = |kind: &str, value: &dyn Display, parse: fn(&[u8]) -> Result<String, InputError>| {
        let text = value.to_string();
        assert_eq!(parse(text.as_bytes()).as_ref(), Ok(&text), "{kind}");
    };
    let mut accepted = false;
    macro_rules! try_all {
        ($($kind:ty, |$value:ident| $check:expr;)*) => {$(
            match <$kind>::parse(input) {
                Ok($value) => {
                    accepted = true;
                    $check;
                }
                Err(error) => assert!(usize::try_from(error.offset).is_ok_and(|offset| offset <= input.len())),
            }
        )*};
    }
    try_all! {
        Ssid, |value| assert_eq!(value.octets(), input);
        MqttFilter<'_>, |value| assert!(value.as_str().trim_end_matches('#').find('#').is_none());
        Psk, |value| assert_eq!(value.expose().as_bytes(), input);
        MqttTopic<'_>, |value| assert!(!value.as_str().contains(['+', '#', '\0']));
        DeviceSerial<'_>, |value| assert!(!value.as_str().contains(['/', ' ']));
        Label<'_, 32>, |value| assert_eq!(value.as_str().trim(), value.as_str());
    }
    // Nearly every short text is one of those.
    let _ = core::mem::take(&mut accepted);
    try_all! {
        Hostname<'_>, |value| assert!(value.as_str().len() <= 253 && value.as_str().split('.').all(|label| (1..=63).contains(&label.len())));
        Host<'_>, |value| shown("host", &value, |text| Ok(Host::parse(text)?.to_string()));
        Ipv4, |value| assert_eq!(value.to_string().as_bytes(), input);
        Ipv6, |value| shown("ipv6", &value, |text| Ok(Ipv6::parse(text)?.to_string()));
        MacAddr, |value| shown("mac", &value, |text| Ok(MacAddr::parse(text)?.to_string()));
        Port, |value| assert_eq!(value.get().to_string().as_bytes(), input);
        Url<'_>, |value| {
            assert_eq!(value.as_str().as_bytes(), input);
            assert!(!value.path().split('/').any(|segment| matches!(segment, "." | "..")));
            assert!(input.iter().all(u8::is_ascii_graphic));
        };
        Email<'_>, |value| assert_eq!(format!("{}@{}", value.local(), value.domain()).as_bytes(), input);
        TimeZone<'_>, |value| assert!(value.east().abs() <= 24 * 3600);
        SemVer<'_>, |value| assert_eq!(value.to_string().as_bytes(), input);
        Hex<4>, |value| assert_eq!(u32::from_be_bytes(*value.bytes()), u32::from_str_radix(core::str::from_utf8(input).expect("digits"), 16).expect("digits"));
        Base32<4>, |value| assert!(value.bytes().len() == 4 && input.len() == 8);
        Base64<4>, |value| assert!(value.bytes().len() == 4 && input.len() == 8);
        Base64Url<4>, |value| assert!(value.bytes().len() == 4 && input.len() == 6);
        Ranged<-1000, 1000>, |value| assert_eq!(value.to_string().as_bytes(), input);
        Quantity<Millisecond, 0, 1000>, |value| assert!((0..=1000).contains(&value.get()));
    }
    accepted
}

/// What is accepted, serde_json accepts too, and both read the same values.
pub fn json(input: &[u8]) -> bool {
    match json::parse(input, &Limits::SMALL) {
        Ok(ours) => {
            let theirs = serde_json::from_slice(input).expect("what we accept is JSON");
            assert!(same(&ours, &theirs));
            true
        }
        Err(error) => {
            assert!(usize::try_from(error.offset).is_ok_and(|offset| offset <= input.len()));
            false
        }
    }
}

fn same(ours: &Value<'_>, theirs: &serde_json::Value) -> bool {
    match (ours, theirs) {
        (Value::Null { .. }, serde_json::Value::Null) => true,
        (Value::Bool { value, .. }, serde_json::Value::Bool(other)) => value == other,
        (Value::Number(number), serde_json::Value::Number(other)) => match number.integer() {
            Ok(integer) => other.as_i64() == Some(integer) || (integer == 0 && other.as_f64() == Some(0.0)),
            Err(_) => {
                let real = number.real().expect("in range");
                other
                    .as_f64()
                    .is_some_and(|other| (real - other).abs() <= real.abs() * 1e-12)
            }
        },
        (Value::Text(text), serde_json::Value::String(other)) => {
            let mut out = vec![0; text.max_len()];
            text.decode(&mut out).expect("the stated length is enough") == other
        }
        (Value::Array(array), serde_json::Value::Array(others)) => {
            array.count() == others.len() && array.zip(others).all(|(value, other)| same(&value, other))
        }
        (Value::Object(object), serde_json::Value::Object(others)) => {
            let known = |name: &String, other| object.member(name).is_ok_and(|value| same(&value, other));
            object.count() == others.len() && others.iter().all(|(name, other)| known(name, other))
        }
        _ => false,
    }
}

/// Seeds of [`text`].
pub fn text_seeds() -> Vec<Seed> {
    [
        ("valid-hostname", "xn--bcher-kva.example"),
        ("valid-ipv4", "192.0.2.1"),
        ("valid-ipv6", "2001:db8::192.0.2.1"),
        ("valid-mac", "00:00:5e:00:53:01"),
        ("valid-url", "https://a.example:8443/x/%20?y=%2F"),
        ("valid-url-address", "mqtts://[2001:db8::1]/"),
        ("near-filter", "$share/g/a/+/#"),
        ("valid-email", "first.last+tag@example.com"),
        ("valid-zone", "CET-1CEST,M3.5.0,M10.5.0/3"),
        ("valid-zone-quoted", "<+0330>-3:30"),
        ("valid-version", "1.4.0-rc.2+5f3a"),
        ("valid-base64", "AP+lWg=="),
        ("valid-base32", "AD72KWQ="),
        ("valid-quantity", "250 ms"),
        ("near-dots", "https://a.example/%2e%2e/x"),
        ("near-label", "xn--example-\u{202e}"),
    ]
    .map(|(name, text)| Seed::new(name, text))
    .into()
}

/// Seeds of [`json`](fn@json).
pub fn json_seeds() -> Vec<Seed> {
    [
        (
            "valid-values",
            r#"{"a":[1,-2.5e3,true,false,null],"b":{"c":"\ud83d\ude00\n"}}"#,
        ),
        ("valid-blanks", " [ 1 ,\t{ } ]\r\n"),
        ("valid-zero", "-0"),
        ("near-twice", r#"{"a":1,"\u0061":2}"#),
        ("near-surrogate", r#""\ud800""#),
        ("near-large", "[1e309,9007199254740993]"),
        ("near-comma", "[1,]"),
        ("near-deep", "[[[[[[[[[1]]]]]]]]]"),
    ]
    .map(|(name, text)| Seed::new(name, text))
    .into()
}
