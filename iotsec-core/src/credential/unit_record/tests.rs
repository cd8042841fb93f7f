use std::{string::String, vec, vec::Vec};

use iotsec_testkit::SimRng;

use super::*;

const SEED: [u8; 32] = [9; 32];

fn label(seed: u64, exposure: Exposure) -> String {
    let password = DevicePassword::generate(exposure, &mut SimRng::new(seed)).unwrap();
    password.label().as_str().into()
}

fn bytes(record: &UnitRecord<'_>) -> Vec<u8> {
    record.write(&mut [0; UnitRecord::MAX_LEN]).unwrap().to_vec()
}

/// Head and checksum around any content.
fn around(content: &[u8]) -> Vec<u8> {
    let len = u16::try_from(content.len()).unwrap().to_be_bytes();
    let mut out = [MAGIC.as_slice(), &len, content].concat();
    out.extend(crc32(&out).to_be_bytes());
    out
}

#[test]
fn the_documented_example_is_what_is_written() {
    let record = UnitRecord::new("L2-000001", &[7; 16]).with_setup_code("20202021");
    let content = [
        b"\xA3\x01\x69L2-000001\x02\x50".as_slice(),
        &[7; 16],
        b"\x04\x6820202021",
    ]
    .concat();
    let whole = bytes(&record);
    assert_eq!(whole, around(&content));
    assert_eq!(whole[..12], *b"iotsecU1\x00\x28\xA3\x01");
    // As `zlib.crc32` of Python says.
    assert_eq!(whole[50..], [0x13, 0xEC, 0xB4, 0xA8]);
}

#[test]
fn whatever_a_unit_has_comes_back() {
    for exposure in [Exposure::Online, Exposure::Offline] {
        let label = label(3, exposure);
        let (serial, der) = ("S".repeat(32), vec![0x30; UnitRecord::MAX_CERTIFICATE]);
        let full = UnitRecord::new(&serial, &[1; 16])
            .with_password(&label)
            .with_setup_code("00000007")
            .with_device_key(match exposure {
                Exposure::Online => UnitKey::Ed25519(&SEED),
                Exposure::Offline => UnitKey::P256(&SEED),
            })
            .with_certificate(&der);
        let written = bytes(&full);
        assert!(written.len() <= UnitRecord::MAX_LEN);
        let read = UnitRecord::parse(&written).unwrap();
        assert_eq!((read.serial(), read.batch()), (&*serial, &[1; 16]));
        assert_eq!(read.password().unwrap().label().as_str(), label);
        assert_eq!(read.setup_code(), Some("00000007"));
        assert_eq!(read.certificate(), Some(&*der));
        let kind = match read.device_key().unwrap() {
            UnitKey::Ed25519(&SEED) => Exposure::Online,
            UnitKey::P256(&SEED) => Exposure::Offline,
            other => panic!("{other:?}"),
        };
        assert_eq!(kind, exposure);
        assert_eq!(bytes(&read), written);
    }
    let written = bytes(&UnitRecord::new("7", &[1; 16]));
    let read = UnitRecord::parse(&written).unwrap();
    assert!(read.password().is_none() && read.setup_code().is_none());
    assert!(read.device_key().is_none() && read.certificate().is_none());
}

#[test]
fn every_changed_bit_and_every_cut_is_noticed() {
    let label = label(5, Exposure::Online);
    let whole = bytes(&UnitRecord::new("L2-000001", &[7; 16]).with_password(&label));
    for at in 0..whole.len() {
        assert!(UnitRecord::parse(&whole[..at]).is_err(), "cut at {at}");
        for bit in 0..8 {
            let mut changed = whole.clone();
            changed[at] ^= 1 << bit;
            assert!(UnitRecord::parse(&changed).is_err(), "bit {bit} of byte {at}");
        }
    }
    for (behind, expected) in [
        (vec![0xFF; 300], None),
        (vec![0], Some(UnitRecordError::Damaged)),
        (vec![0xFF, 0xFE], Some(UnitRecordError::Damaged)),
    ] {
        assert_eq!(
            UnitRecord::parse(&[whole.clone(), behind].concat()).err(),
            expected
        );
    }
}

#[test]
fn content_with_unknown_missing_or_repeated_keys_is_refused() {
    let kind = |content: &[u8]| match UnitRecord::parse(&around(content)) {
        Err(UnitRecordError::Cbor(error)) => error.kind,
        other => panic!("{other:?}"),
    };
    let batch = [b"\x02\x50".as_slice(), &[7; 16]].concat();
    let with = |front: &[u8], behind: &[u8]| [front, &batch, behind].concat();
    assert_eq!(kind(&with(b"\xA1", b"")), Kind::MissingKey);
    assert_eq!(kind(b"\xA1\x01\x61A"), Kind::MissingKey);
    assert_eq!(kind(&with(b"\xA3\x01\x61A", b"\x08\x00")), Kind::UnknownKey);
    let two = [b"\x05\x58\x20".as_slice(), &SEED, b"\x07\x58\x20", &SEED].concat();
    assert_eq!(kind(&with(b"\xA4\x01\x61A", &two)), Kind::UnknownKey);
    assert_eq!(kind(&with(b"\xA3\x01\x61A\x01\x61A", b"")), Kind::Duplicate);
    assert_eq!(kind(&with(b"\xA2\x01\x61A", b"\x00")), Kind::Trailing);
    assert_eq!(kind(b"\xA2\x02\x4F123456789012345\x04\x00"), Kind::Length);
    assert!(UnitRecord::parse(&around(&with(b"\xA2\x01\x61A", b""))).is_ok());
}

#[test]
fn what_the_generator_never_draws_becomes_no_password() {
    let good = label(7, Exposure::Online);
    assert!(password_of(&good).is_some());
    let mut others: Vec<String> = ["", "-", "é", "0000-0000-0000-0", "AAAA-BBBB-CCCC-D", "K2M4-P6R8"]
        .map(String::from)
        .to_vec();
    // The spellings that people may type, and labels do not have.
    others.extend([
        good.to_lowercase(),
        good.replace('-', ""),
        std::format!("{good}-"),
    ]);
    for other in others {
        assert!(password_of(&other).is_none(), "{other}");
        let record = UnitRecord::new("A", &[0; 16]).with_password(&other);
        assert_eq!(
            record.write(&mut [0; 256]).err(),
            Some(UnitRecordError::Value),
            "{other}"
        );
    }
    for (serial, code) in [
        ("", "00000007"),
        ("A B", "00000007"),
        ("A", "11111111"),
        ("A", "0000007"),
    ] {
        let record = UnitRecord::new(serial, &[0; 16]).with_setup_code(code);
        assert_eq!(record.write(&mut [0; 256]).err(), Some(UnitRecordError::Value));
    }
}

#[test]
fn nothing_of_a_unit_but_its_serial_number_is_shown() {
    let record = UnitRecord::new("L2-000001", &[7; 16])
        .with_setup_code("20202021")
        .with_device_key(UnitKey::P256(&SEED));
    assert_eq!(
        std::format!("{record:?}"),
        "UnitRecord { serial: \"L2-000001\", .. }"
    );
}

#[test]
fn a_buffer_that_is_too_small_is_refused_and_not_overrun() {
    let record = UnitRecord::new("L2-000001", &[7; 16]);
    let len = bytes(&record).len();
    for size in 0..len {
        let error = record.write(&mut vec![0; size]).unwrap_err();
        assert!(
            matches!(error, UnitRecordError::Cbor(error) if error.kind == Kind::BufferFull),
            "{size}"
        );
    }
    assert!(record.write(&mut vec![0; len]).is_ok());
}
