use super::*;
use iotsec_testkit::SimRng;
use std::{string::String, vec::Vec};

fn pick(rng: &mut SimRng, alphabet: &str, longest: u64) -> String {
    let letters: Vec<char> = alphabet.chars().collect();
    let len = rng.below(longest) + 1;
    (0..len)
        .map(|_| letters[usize::try_from(rng.below(letters.len().try_into().unwrap())).unwrap()])
        .collect()
}

fn passcode(number: u32) -> Passcode {
    Passcode::new(number).unwrap()
}

#[test]
fn any_label_comes_back_as_it_went_out_and_fits_the_alphanumeric_set() {
    let mut rng = SimRng::new(1);
    let names = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";
    for _ in 0..2000 {
        let (product, serial) = (pick(&mut rng, names, 32), pick(&mut rng, names, 32));
        let fingerprint: [u8; 16] = core::array::from_fn(|_| u8::try_from(rng.below(256)).unwrap());
        let code = std::format!("{:08}", 20_000_000 + rng.below(1_000_000));
        let mut label =
            ProductLabel::new(&product, &serial, KeyFingerprint::from_bytes(fingerprint)).unwrap();
        if rng.below(2) == 0 && label.with_code(&code).is_ok() {
            label = label.with_code(&code).unwrap();
        }
        let mut out = [0; ProductLabel::MAX_LEN];
        let text = label.write(&mut out).unwrap();
        let alphanumeric = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
        assert!(
            text.chars().all(|character| alphanumeric.contains(character)),
            "{text}"
        );
        assert!(ProductLabel::parse(text).unwrap() == label);
    }
}

/// Computed by Python: base 32 of the bytes, zlib's CRC-32.
#[test]
fn a_label_is_the_one_that_another_implementation_writes() {
    let fingerprint = KeyFingerprint::from_bytes(core::array::from_fn(|at| u8::try_from(at * 17).unwrap()));
    let label = ProductLabel::new("LAMP-2", "0042", fingerprint).unwrap();
    let mut out = [0; ProductLabel::MAX_LEN];
    assert_eq!(
        label.write(&mut out).unwrap(),
        "IOTSEC1:LAMP-2/0042/008J4CT4ANK7F24SNAXWSQFEZW/3XSS42F"
    );
    let label = label.with_code("20202021").unwrap();
    assert_eq!(
        label.write(&mut out).unwrap(),
        "IOTSEC1:LAMP-2/0042/008J4CT4ANK7F24SNAXWSQFEZW/20202021/10BN2DP"
    );
}

#[test]
fn no_prefix_and_no_changed_character_of_a_label_is_read() {
    let fingerprint = KeyFingerprint::from_bytes([0xA5; 16]);
    let label =
        ProductLabel::new("LAMP-2", "0042", fingerprint).and_then(|label| label.with_code("20202021"));
    let mut out = [0; ProductLabel::MAX_LEN];
    let text = label.unwrap().write(&mut out).unwrap();
    for len in 0..text.len() {
        assert!(ProductLabel::parse(&text[..len]).is_err());
    }
    assert!(ProductLabel::parse(&std::format!("{text}0")).is_err());
    for at in 0..text.len() {
        for other in 0x20..0x7F_u8 {
            let mut changed = text.as_bytes().to_vec();
            changed[at] = other;
            if changed != text.as_bytes() {
                let changed = String::from_utf8(changed).unwrap();
                assert!(ProductLabel::parse(&changed).is_err(), "{changed}");
            }
        }
    }
    let shown = std::format!("{:?}", ProductLabel::parse(text).unwrap());
    assert!(!shown.contains("2020"), "{shown}");
}

#[test]
fn labels_out_of_bounds_are_not_made() {
    let fingerprint = KeyFingerprint::from_bytes([0; 16]);
    let long = "A".repeat(33);
    for name in ["", "lamp", "LAMP 2", "LAMP/2", "LAMP:2", "Ü", &long] {
        assert_eq!(
            ProductLabel::new(name, "1", fingerprint).err(),
            Some(QrError::Value)
        );
        assert_eq!(
            ProductLabel::new("A", name, fingerprint).err(),
            Some(QrError::Value)
        );
    }
    let label = ProductLabel::new("A", "1", fingerprint).unwrap();
    for code in ["", "1234567", "123456789", "12345678", "11111111", "1234567a"] {
        assert_eq!(label.with_code(code).err(), Some(QrError::Value));
    }
}

#[test]
fn any_network_comes_back_as_it_went_out() {
    let mut rng = SimRng::new(2);
    let special = r#"\;,:"aA1 äx"#;
    for _ in 0..5000 {
        let mut ssid = pick(&mut rng, special, 16);
        while ssid.len() > 32 {
            ssid.pop();
        }
        let password = std::format!("{:>8}", pick(&mut rng, r#"\;,:"aA1 ~!"#, 63));
        let key = if rng.below(4) == 0 {
            WifiKey::Open
        } else {
            WifiKey::password(&password).unwrap()
        };
        let network = WifiNetwork::new(&ssid, key)
            .unwrap()
            .with_hidden(rng.below(2) == 0);
        let mut out = [0; WifiNetwork::MAX_LEN];
        let text = network.write(&mut out).unwrap();
        let read = WifiNetwork::parse(text).unwrap();
        assert_eq!(
            (read.ssid(), read.hidden()),
            (ssid.as_str(), network.hidden()),
            "{text}"
        );
        assert_eq!(read.key().expose(), network.key().expose(), "{text}");
        for len in 0..text.len() {
            if text.is_char_boundary(len) {
                assert!(WifiNetwork::parse(&text[..len]).is_err(), "{}", &text[..len]);
            }
        }
    }
}

#[test]
fn what_others_write_is_read() {
    for (text, ssid, password) in [
        ("WIFI:S:home;T:WPA;P:12345678;H:false;;", "home", Some("12345678")),
        ("WIFI:T:nopass;S:guest;;", "guest", None),
        ("WIFI:T:nopass;S:guest;P:;;", "guest", None),
        ("WIFI:S:guest;;", "guest", None),
        (
            r#"WIFI:T:WPA;S:"foo\;bar\\baz";P:"abcdefgh";;"#,
            r"foo;bar\baz",
            Some("abcdefgh"),
        ),
        (r"WIFI:T:WPA;S:\:\:;P:\:\:\:\:\:\:\:\:;;", "::", Some("::::::::")),
        ("WIFI:T:SAE;R:1;S:home;P:12345678;;", "home", Some("12345678")),
    ] {
        let read = WifiNetwork::parse(text).unwrap();
        assert_eq!((read.ssid(), read.key().expose()), (ssid, password), "{text}");
    }
}

#[test]
fn networks_that_cannot_be_are_refused() {
    for (text, error) in [
        ("wifi:S:a;;", QrError::Prefix),
        ("WIFI:", QrError::Length),
        ("WIFI:;", QrError::Field),
        ("WIFI:T:WPA;S:a;P:1234567;;", QrError::Value),
        ("WIFI:T:WPA;S:a;;", QrError::Field),
        ("WIFI:T:WPA;P:12345678;;", QrError::Field),
        ("WIFI:T:nopass;S:a;P:12345678;;", QrError::Field),
        ("WIFI:T:WEP;S:a;P:12345;;", QrError::Unsupported),
        ("WIFI:T:WPA;S:a;P:12345678;E:PEAP;;", QrError::Unsupported),
        ("WIFI:S:a;S:b;;", QrError::Field),
        ("WIFI:S:a;X:b;;", QrError::Field),
        ("WIFI:S:a;H:yes;;", QrError::Value),
        ("WIFI:S:a;;;", QrError::Length),
        ("WIFI:S:a;; ", QrError::Length),
        ("WIFI:S:a;", QrError::Length),
        ("WIFI:S:a\u{7};;", QrError::Value),
        ("WIFI:S:a:b;;", QrError::Character { position: 8 }),
        (r"WIFI:S:a\b;;", QrError::Character { position: 9 }),
        (r#"WIFI:S:"a"b;;"#, QrError::Character { position: 10 }),
        (r#"WIFI:S:a"b;;"#, QrError::Character { position: 8 }),
        ("WIFI:S:123456789012345678901234567890123;;", QrError::Value),
    ] {
        assert_eq!(WifiNetwork::parse(text).err(), Some(error), "{text}");
    }
    assert!(WifiKey::password(&"a".repeat(64)).is_ok());
    for password in [
        "",
        "1234567",
        "1234567\u{7f}",
        "pässword",
        &"g".repeat(64),
        &"a".repeat(65),
    ] {
        assert_eq!(WifiKey::password(password).err(), Some(QrError::Value));
    }
    let shown = std::format!("{:?}", WifiNetwork::parse("WIFI:T:WPA;S:a;P:12345678;;").unwrap());
    assert!(!shown.contains("1234"), "{shown}");
}

/// From Espressif's esp-matter-mfg-tool and the tests of rs-matter.
#[test]
fn known_matter_codes_are_written_and_read() {
    let payload = MatterPayload::new(0xFFF1, 0x8000, 3840, passcode(20_202_021))
        .unwrap()
        .discovery(2);
    let mut out = [0; MatterPayload::LEN];
    assert_eq!(payload.write(&mut out).unwrap(), "MT:Y.K9042C00KA0648G00");
    for (discriminator, number, expected) in [
        (3840, 20_202_021, "34970112332"),
        (250, 123_456, "00876800071"),
        (2976, 34_567_890, "26318621095"),
    ] {
        let payload = MatterPayload::new(0xFFF1, 0x8000, discriminator, passcode(number)).unwrap();
        let mut out = [0; MatterCode::MAX_LEN];
        assert_eq!(
            MatterCode::of(&payload).unwrap().write(&mut out).unwrap(),
            expected
        );
        let read = MatterCode::parse(expected).unwrap();
        assert_eq!(u16::from(read.short_discriminator()), discriminator >> 8);
        assert_eq!((read.passcode().expose(), read.ids()), (number, None));
    }
}

#[test]
fn any_matter_payload_and_code_comes_back_as_it_went_out() {
    let mut rng = SimRng::new(3);
    for _ in 0..5000 {
        let mut short = |bound: u64| u16::try_from(rng.below(bound)).unwrap();
        let (vendor, product, discriminator) = (short(65_536), short(65_536), short(4096));
        let (discovery, flow) = (short(256), short(3));
        let Ok(passcode) = Passcode::new(u32::try_from(rng.below(99_999_999)).unwrap()) else {
            continue;
        };
        let flow = [
            CommissioningFlow::Standard,
            CommissioningFlow::UserIntent,
            CommissioningFlow::Custom,
        ][usize::from(flow)];
        let payload = MatterPayload::new(vendor, product, discriminator, passcode).unwrap();
        let payload = payload
            .discovery(u8::try_from(discovery).unwrap())
            .with_flow(flow);
        let mut out = [0; MatterPayload::LEN];
        let text = payload.write(&mut out).unwrap();
        let read = MatterPayload::parse(text).unwrap();
        assert_eq!(
            (read.vendor(), read.product(), read.flow()),
            (vendor, product, flow)
        );
        assert_eq!(
            (read.discriminator(), read.discovery_bits()),
            (discriminator, payload.discovery_bits())
        );
        assert!(read.passcode().ct_eq(payload.passcode()));

        let mut out = [0; MatterCode::MAX_LEN];
        let text = MatterCode::of(&payload).unwrap();
        let text = text.write(&mut out).unwrap();
        let read = MatterCode::parse(text).unwrap();
        assert_eq!(
            text.len(),
            if flow == CommissioningFlow::Standard {
                11
            } else {
                21
            }
        );
        assert_eq!(read.ids(), (text.len() == 21).then_some((vendor, product)));
        assert!(read.passcode().ct_eq(payload.passcode()));
        for len in 0..text.len() {
            assert!(MatterCode::parse(&text[..len]).is_err());
        }
    }
}

#[test]
fn matter_texts_that_cannot_be_are_refused() {
    let good = "MT:Y.K9042C00KA0648G00";
    for (text, error) in [
        ("mt:Y.K9042C00KA0648G00", QrError::Prefix),
        ("MT:Y.K9042C00KA0648G0", QrError::Length),
        ("MT:Y.K9042C00KA0648G000", QrError::Unsupported),
        ("MT:Y.K9042C00KA0648g00", QrError::Character { position: 19 }),
        // Version 1; the rest of the first chunk stays.
        ("MT:Z.K9042C00KA0648G00", QrError::Unsupported),
        // More than 24 and 16 bits.
        ("MT:.....42C00KA0648G00", QrError::Value),
        ("MT:Y.K9042C00KA064....", QrError::Value),
    ] {
        assert_eq!(MatterPayload::parse(text).err(), Some(error), "{text}");
    }
    assert!(MatterPayload::parse(good).is_ok());
    for (text, error) in [
        ("", QrError::Length),
        ("34970112333", QrError::Check),
        ("3497011233", QrError::Length),
        ("349701123320", QrError::Length),
        ("84970112332", QrError::Unsupported),
        ("3497011233x", QrError::Character { position: 10 }),
        ("3497011233211111111111", QrError::Length),
    ] {
        assert_eq!(MatterCode::parse(text).err(), Some(error), "{text}");
    }
    for number in [
        0,
        11_111_111,
        99_999_999,
        12_345_678,
        87_654_321,
        100_000_000,
        134_217_727,
    ] {
        assert_eq!(Passcode::new(number).err(), Some(QrError::Value), "{number}");
    }
    let payload = MatterPayload::new(1, 2, 4096, passcode(1));
    assert_eq!(payload.err(), Some(QrError::Value));
}
