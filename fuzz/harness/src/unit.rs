//! What the factory gives one unit.

use iotsec_core::credential::{DevicePassword, Exposure, UnitKey, UnitRecord};
use iotsec_testkit::SimRng;

use crate::Seed;

/// A record has one encoding: what is read is written again as it was. The same holds for any content in a frame whose
/// checksum fits, which chance would not find.
pub fn record(input: &[u8]) -> bool {
    let framed = input
        .get(10..)
        .and_then(|rest| rest.get(..rest.len().checked_sub(4)?));
    if let Some(content) = framed {
        comes_back(&frame(content));
    }
    comes_back(input)
}

fn comes_back(input: &[u8]) -> bool {
    let Ok(record) = UnitRecord::parse(input) else {
        return false;
    };
    let mut out = [0; UnitRecord::MAX_LEN];
    let written = record.write(&mut out).expect("what is read is written");
    let (front, behind) = input.split_at(written.len());
    assert_eq!(written, front);
    assert!(behind.iter().all(|byte| *byte == 0xFF));
    assert!((1..=32).contains(&record.serial().len()));
    assert!(record.setup_code().is_none_or(|code| code.len() == 8));
    if let Some(password) = record.password() {
        let label = password.label();
        assert!(
            written
                .windows(label.as_str().len())
                .any(|part| part == label.as_str().as_bytes())
        );
    }
    true
}

fn frame(content: &[u8]) -> Vec<u8> {
    let len = u16::try_from(content.len()).unwrap_or(u16::MAX).to_be_bytes();
    let mut out = [b"iotsecU1".as_slice(), &len, content].concat();
    let check = out.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            let carry = if crc & 1 == 0 { 0 } else { 0xEDB8_8320 };
            crc >> 1 ^ carry
        })
    });
    out.extend((!check).to_be_bytes());
    out
}

/// Seeds of [`record`].
pub fn record_seeds() -> Vec<Seed> {
    let password = |exposure| {
        let drawn = DevicePassword::generate(exposure, &mut SimRng::new(1)).expect("a good source");
        drawn.label().as_str().to_owned()
    };
    let (short, long) = (password(Exposure::Online), password(Exposure::Offline));
    let batch = [7; 16];
    let write = |record: UnitRecord<'_>| {
        let mut out = [0; UnitRecord::MAX_LEN];
        record.write(&mut out).expect("in bounds").to_vec()
    };
    let least = UnitRecord::new("7", &batch);
    let full = UnitRecord::new("L2-000001", &batch)
        .with_password(&long)
        .with_setup_code("20202021")
        .with_device_key(UnitKey::Ed25519(&[9; 32]))
        .with_certificate(&[0x30, 0]);
    let other = UnitRecord::new("L2-000002", &batch)
        .with_password(&short)
        .with_device_key(UnitKey::P256(&[9; 32]));
    let erased = [write(other), vec![0xFF; 20]].concat();
    let followed = [write(least), vec![0]].concat();
    let wrong = write(other);
    let content = wrong[10..wrong.len() - 4].to_vec();
    let at = content.len() - 1;
    vec![
        Seed::new("near-followed", followed),
        Seed::new("near-cut-content", frame(&content[..at])),
        Seed::new("near-text-key", frame(b"\xA1\x61a\x00")),
        Seed::new("near-pattern", frame(&pattern(&content, &short))),
        Seed::new("valid-least", write(least)),
        Seed::new("valid-full", write(full)),
        Seed::new("valid-erased-behind", erased),
    ]
}

/// With a password that the generator does not draw, whose check symbol fits.
fn pattern(content: &[u8], label: &str) -> Vec<u8> {
    let at = content
        .windows(label.len())
        .position(|part| part == label.as_bytes());
    let mut out = content.to_vec();
    if let Some(at) = at {
        out[at..at + label.len()].copy_from_slice(b"0000-0000-0000-0");
    }
    out
}
