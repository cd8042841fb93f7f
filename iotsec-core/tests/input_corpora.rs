//! Inputs that others collected: RFC 8949, appendix A, and the Big List of Naughty Strings.

use iotsec_core::cbor::{self, Kind};
use iotsec_core::input::{
    DeviceSerial, Email, Encoding, Host, Hostname, InputError, Ipv4, Ipv6, Label, MacAddr, MqttFilter,
    MqttTopic, Port, Psk, Ranged, SemVer, Ssid, TimeZone, Url, json,
};

const LIMITS: cbor::Limits = cbor::Limits {
    depth: 16,
    items: 1024,
    bytes: 4096,
};

/// RFC 8949, appendix A: each encoding, and why it is refused where it is.
const APPENDIX_A: &[(&str, Option<Kind>)] = {
    const INTEGER: Option<Kind> = None;
    const BIGNUM: Option<Kind> = Some(Kind::Unsupported);
    const FLOAT: Option<Kind> = Some(Kind::Unsupported);
    const SIMPLE: Option<Kind> = Some(Kind::Unsupported);
    const LONG: Option<Kind> = Some(Kind::Indefinite);
    &[
        ("00", INTEGER),
        ("01", INTEGER),
        ("0a", INTEGER),
        ("17", INTEGER),
        ("1818", INTEGER),
        ("1819", INTEGER),
        ("1864", INTEGER),
        ("1903e8", INTEGER),
        ("1a000f4240", INTEGER),
        ("1b000000e8d4a51000", INTEGER),
        ("1bffffffffffffffff", INTEGER),
        ("c249010000000000000000", BIGNUM),
        ("3bffffffffffffffff", INTEGER),
        ("c349010000000000000000", BIGNUM),
        ("20", INTEGER),
        ("29", INTEGER),
        ("3863", INTEGER),
        ("3903e7", INTEGER),
        ("f90000", FLOAT),
        ("f98000", FLOAT),
        ("f93c00", FLOAT),
        ("fb3ff199999999999a", FLOAT),
        ("f93e00", FLOAT),
        ("f97bff", FLOAT),
        ("fa47c35000", FLOAT),
        ("fa7f7fffff", FLOAT),
        ("fb7e37e43c8800759c", FLOAT),
        ("f90001", FLOAT),
        ("f90400", FLOAT),
        ("f9c400", FLOAT),
        ("fbc010666666666666", FLOAT),
        ("f97c00", FLOAT),
        ("f97e00", FLOAT),
        ("f9fc00", FLOAT),
        ("fa7f800000", FLOAT),
        ("fa7fc00000", FLOAT),
        ("faff800000", FLOAT),
        ("fb7ff0000000000000", FLOAT),
        ("fb7ff8000000000000", FLOAT),
        ("fbfff0000000000000", FLOAT),
        ("f4", None),
        ("f5", None),
        ("f6", None),
        ("f7", SIMPLE),
        ("f0", SIMPLE),
        ("f8ff", SIMPLE),
        ("c074323031332d30332d32315432303a30343a30305a", None),
        ("c11a514b67b0", None),
        ("c1fb41d452d9ec200000", FLOAT),
        ("d74401020304", None),
        ("d818456449455446", None),
        ("d82076687474703a2f2f7777772e6578616d706c652e636f6d", None),
        ("40", None),
        ("4401020304", None),
        ("60", None),
        ("6161", None),
        ("6449455446", None),
        ("62225c", None),
        ("62c3bc", None),
        ("63e6b0b4", None),
        ("64f0908591", None),
        ("80", None),
        ("83010203", None),
        ("8301820203820405", None),
        ("98190102030405060708090a0b0c0d0e0f101112131415161718181819", None),
        ("a0", None),
        ("a201020304", None),
        ("a26161016162820203", None),
        ("826161a161626163", None),
        ("a56161614161626142616361436164614461656145", None),
        ("5f42010243030405ff", LONG),
        ("7f657374726561646d696e67ff", LONG),
        ("9fff", LONG),
        ("9f018202039f0405ffff", LONG),
        ("9f01820203820405ff", LONG),
        ("83018202039f0405ff", LONG),
        ("83019f0203ff820405", LONG),
        ("9f0102030405060708090a0b0c0d0e0f101112131415161718181819ff", LONG),
        ("bf61610161629f0203ffff", LONG),
        ("826161bf61626163ff", LONG),
        ("bf6346756ef563416d7421ff", LONG),
    ]
};

#[test]
fn appendix_a_of_rfc_8949_is_read_but_for_what_is_not_deterministic_or_not_needed() {
    let mut accepted = 0;
    for (hex, refusal) in APPENDIX_A {
        let mut bytes = [0; 64];
        let bytes = Encoding::Hex.decode(hex.as_bytes(), &mut bytes).unwrap();
        assert_eq!(
            cbor::check(bytes, &LIMITS).err().map(|error| error.kind),
            *refusal,
            "{hex}"
        );
        accepted += usize::from(refusal.is_none());
        // Ciborium reads all of it, which says that it is copied rightly, and it writes what we accept the same.
        let value: ciborium::Value = match ciborium::from_reader(bytes) {
            Ok(value) => value,
            // Its values have no simple values but the usual.
            Err(_) if ["f0", "f8ff"].contains(hex) => continue,
            Err(error) => panic!("{hex}: {error}"),
        };
        if refusal.is_none() {
            let mut again = Vec::new();
            ciborium::into_writer(&value, &mut again).unwrap();
            assert_eq!(again, bytes, "{hex}");
        }
    }
    assert_eq!((accepted, APPENDIX_A.len()), (42, 81));
    println!("appendix A: {accepted} of {} accepted", APPENDIX_A.len());
}

/// Each parser, and how many of the strings it accepts.
type Parser = (&'static str, fn(&[u8]) -> Result<(), InputError>, usize);

/// Another number is another list, or a parser that changed: look at what came in.
const NAUGHTY: &[Parser] = &[
    // Words such as "null" and "NaN", which a host in a local network may be called, and words for serial numbers.
    ("hostname", |input| Hostname::parse(input).map(drop), 38),
    ("host", |input| Host::parse(input).map(drop), 38),
    ("ipv4", |input| Ipv4::parse(input).map(drop), 0),
    ("ipv6", |input| Ipv6::parse(input).map(drop), 0),
    ("mac", |input| MacAddr::parse(input).map(drop), 0),
    ("port", |input| Port::parse(input).map(drop), 1),
    ("url", |input| Url::parse(input).map(drop), 0),
    ("email", |input| Email::parse(input).map(drop), 0),
    // "COM1" is a zone called COM, an hour west: POSIX lets anybody name one.
    ("time zone", |input| TimeZone::parse(input).map(drop), 7),
    ("semver", |input| SemVer::parse(input).map(drop), 1),
    ("serial", |input| DeviceSerial::parse(input).map(drop), 51),
    (
        "integer",
        |input| Ranged::<{ i64::MIN }, { i64::MAX }>::parse(input).map(drop),
        3,
    ),
    // People may call a device what they like, but for what cannot be seen.
    ("label", |input| Label::<64>::parse(input).map(drop), 405),
    ("topic", |input| MqttTopic::parse(input).map(drop), 484),
    ("filter", |input| MqttFilter::parse(input).map(drop), 484),
    // Octets, and printable ASCII.
    ("ssid", |input| Ssid::parse(input).map(drop), 236),
    ("psk", |input| Psk::parse(input).map(drop), 233),
    ("json", |input| json::check(input, &json::Limits::SMALL), 21),
];

#[test]
fn naughty_strings_are_refused_or_harmless() {
    let strings = naughty_strings::BLNS;
    assert_eq!(strings.len(), 515);
    let mut found = Vec::new();
    for (name, parse, _) in NAUGHTY {
        let accepted = strings
            .iter()
            .filter(|string| parse(string.as_bytes()).is_ok())
            .count();
        println!("naughty strings: {accepted} of {} are a {name}", strings.len());
        found.push((*name, accepted));
    }
    let known: Vec<_> = NAUGHTY.iter().map(|(name, _, count)| (*name, *count)).collect();
    assert_eq!(found, known);
    // As a text in a document each comes back as it was.
    for string in strings {
        let document = serde_json::to_string(string).unwrap();
        let text = json::parse(document.as_bytes(), &json::Limits::SMALL)
            .unwrap()
            .text()
            .unwrap();
        assert_eq!(text.decode(&mut vec![0; text.max_len()]), Ok(*string));
        let mut out = vec![0; string.len() + 9];
        let mut writer = cbor::Writer::new(&mut out);
        writer.text(string).unwrap();
        assert_eq!(
            cbor::Reader::new(writer.finish().unwrap(), &LIMITS)
                .unwrap()
                .text(),
            Ok(*string)
        );
    }
}
