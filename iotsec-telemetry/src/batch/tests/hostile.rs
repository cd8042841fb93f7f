//! Plaintexts that a broken or captured device could seal under its own key.

use super::*;
use crate::varint;

/// Seals any plaintext, whatever it holds.
fn seal(plain: &[u8]) -> Vec<u8> {
    let (secret, mut out) = (secret(), [0; MAX_LEN + 64]);
    let salt = [3; SALT_LEN];
    let batch_key = key(&secret).of_message(DOMAIN, &salt).unwrap();
    let nonce = [4; NONCE_LEN];
    Encrypt0::seal(
        &ChaCha20Poly1305,
        &batch_key,
        &nonce,
        &salt,
        DOMAIN,
        plain,
        &mut out,
    )
    .unwrap()
    .to_vec()
}

fn plain_of(message: &[u8]) -> Vec<u8> {
    let parsed = Encrypt0::parse(
        message,
        &iotsec_core::cbor::Limits {
            depth: 3,
            items: 16,
            bytes: 4096,
        },
    )
    .unwrap();
    let secret = secret();
    let batch_key = key(&secret)
        .of_message(DOMAIN, parsed.headers().kid.unwrap().try_into().unwrap())
        .unwrap();
    let mut plain = [0; MAX_LEN];
    parsed
        .open(&ChaCha20Poly1305, &batch_key, DOMAIN, &mut plain)
        .unwrap()
        .to_vec()
}

/// A batch of 256 bytes with these items after the losses.
fn with_segments(write: impl FnOnce(&mut Writer<'_>)) -> Result<Vec<String>, DecodeError> {
    let mut plain = vec![0; SizeClass::B256.plain_len()];
    let mut writer = Writer::new(&mut plain);
    writer
        .array(7)
        .unwrap()
        .uint(1)
        .unwrap()
        .bytes(registry().hash())
        .unwrap();
    writer.uint(0).unwrap().uint(6).unwrap().null().unwrap();
    writer.array(0).unwrap();
    write(&mut writer);
    opened(&seal(&plain))
}

/// Numbers as they stand in a segment: codes are one more, and zero announces a gap.
fn segment(writer: &mut Writer<'_>, start: [u64; 3], numbers: &[u64]) {
    writer.array(4).unwrap();
    for value in start {
        writer.uint(value).unwrap();
    }
    writer
        .embedded(|w| numbers.iter().try_for_each(|number| varint::write(w, *number)))
        .unwrap();
}

#[test]
fn a_batch_made_by_hand_is_read() {
    let read = with_segments(|w| {
        w.array(2).unwrap();
        segment(w, [2, 9, 100], &[1]);
        segment(w, [0, 0, 5], &[2, 60, 0, 3, 5]);
    });
    let read = read.unwrap();
    let starts = [
        "case.opened { id: EventId { purpose: Security, boot: 4, sequence: 9 }, uptime_s: 100",
        "login.failed { id: EventId { purpose: Security, boot: 6, sequence: 0 }, uptime_s: 5",
        "case.opened { id: EventId { purpose: Security, boot: 6, sequence: 4 }, uptime_s: 65",
    ];
    for (read, start) in read.iter().zip(starts) {
        assert!(read.starts_with(start), "{read}");
    }
}

#[test]
fn every_rule_of_a_segment_is_kept() {
    const MAX: u64 = 0xFFFF_FFFF;
    let one = |start: [u64; 3], numbers: &[u64]| {
        with_segments(|w| {
            w.array(1).unwrap();
            segment(w, start, numbers);
        })
    };
    assert!(one([0, 0, 0], &[1]).is_ok());
    assert!(one([0, 0, 0], &[1, 1, 0, 1, 1]).is_ok());
    // Declared, and for health.
    assert_eq!(one([0, 0, 0], &[3]).unwrap_err(), DecodeError::Purpose);
    let cases: &[([u64; 3], &[u64])] = &[
        ([7, 0, 0], &[1]),                   // before the first boot
        ([0, MAX + 1, 0], &[1]),             // sequence number too large
        ([0, 0, MAX + 1], &[1]),             // time too large
        ([0, 0, 0], &[]),                    // no event
        ([0, 0, 0], &[0, 1, 1]),             // a gap before the first event
        ([0, 0, 0], &[1, 1]),                // a time without an event
        ([0, 0, 0], &[1, 1, 0]),             // a gap without its length
        ([0, 0, 0], &[1, 1, 0, 1]),          // a gap without an event
        ([0, 0, 0], &[1, 1, 0, 0, 1]),       // a gap of nothing
        ([0, 0, 0], &[1, 1, 0, 1, 0, 1, 1]), // two gaps
        ([0, MAX, 0], &[1, 1, 1]),           // sequence numbers run over
        ([0, 0, 0], &[1, 1, 0, u64::MAX, 1]),
        ([0, 0, MAX], &[1, 1, 1]), // times run over
        ([0, 0, 0], &[1, u64::MAX, 1]),
        ([0, 0, 0], &[9]), // beyond the bounds of the event
        ([0, 0, 0], &[u64::MAX]),
    ];
    for (index, (start, numbers)) in cases.iter().enumerate() {
        assert!(one(*start, numbers).is_err(), "case {index}");
    }
    for (first, second) in [(0, 0), (0, 1), (1, 1)] {
        let read = with_segments(|w| {
            w.array(2).unwrap();
            segment(w, [first, 0, 0], &[1]);
            segment(w, [second, 5, 9], &[1]);
        });
        assert_eq!(
            read.unwrap_err(),
            DecodeError::Range,
            "boots {first} and {second} ago"
        );
    }
    let outside = with_segments(|w| {
        w.array(1).unwrap();
        segment(w, [0, 0, 0], &[1]);
        w.uint(0).unwrap().uint(1).unwrap();
    });
    assert_eq!(outside.unwrap_err(), DecodeError::Padding);
}

#[test]
fn a_length_that_is_no_size_class_and_unknown_versions_are_refused() {
    let good = plain_of(&sealed(Sizes::fixed(SizeClass::B256), &mut SimRng::new(1)));
    assert!(opened(&seal(&good)).is_ok());
    assert_eq!(
        opened(&seal(&good[..good.len() - 1])).unwrap_err(),
        DecodeError::SizeClass
    );
    let mut longer = good.clone();
    longer.push(0);
    assert_eq!(opened(&seal(&longer)).unwrap_err(), DecodeError::SizeClass);
    let mut version = good.clone();
    version[1] = 2;
    assert_eq!(opened(&seal(&version)).unwrap_err(), DecodeError::Version);
    let mut padding = good.clone();
    *padding.last_mut().unwrap() = 1;
    assert_eq!(opened(&seal(&padding)).unwrap_err(), DecodeError::Padding);
}

#[test]
fn a_message_stretched_to_a_larger_class_is_refused() {
    let good = sealed(Sizes::fixed(SizeClass::B192), &mut SimRng::new(1));
    let limits = iotsec_core::cbor::Limits {
        depth: 3,
        items: 16,
        bytes: 4096,
    };
    let parsed = Encrypt0::parse(&good, &limits).unwrap();
    let (salt, nonce) = (parsed.headers().kid.unwrap(), parsed.headers().iv.unwrap());
    let ciphertext = &good[good.len() - SizeClass::B192.plain_len() - 16..];
    let stretched = |filler: usize| {
        let mut out = [0; 512];
        let mut writer = Writer::new(&mut out);
        writer
            .tag(16)
            .unwrap()
            .array(3)
            .unwrap()
            .bytes(&[0xA1, 1, 0x18, 24])
            .unwrap();
        writer.map(if filler == 0 { 2 } else { 3 }).unwrap();
        writer
            .uint(4)
            .unwrap()
            .bytes(salt)
            .unwrap()
            .uint(5)
            .unwrap()
            .bytes(nonce)
            .unwrap();
        if filler > 0 {
            // An unprotected header that nobody knows is ignored, and outside the authentication.
            writer.uint(9).unwrap().bytes(&vec![0; filler]).unwrap();
        }
        writer.bytes(ciphertext).unwrap();
        writer.finish().unwrap().to_vec()
    };
    assert_eq!(stretched(0), good);
    let longer = stretched(256 - 192 - 3);
    assert_eq!(longer.len(), 256);
    assert_eq!(opened(&longer).unwrap_err(), DecodeError::SizeClass);
}

#[test]
fn hostile_plaintexts_are_read_or_refused_and_never_panic() {
    let good = plain_of(&sealed(Sizes::fixed(SizeClass::B256), &mut SimRng::new(2)));
    let used = good.len() - good.iter().rev().take_while(|byte| **byte == 0).count();
    let (mut rng, mut refused) = (SimRng::new(3), 0);
    for round in 0..20_000 {
        let mut bad = good.clone();
        for _ in 0..=rng.below(3) {
            let at = rng.below(if round % 2 == 0 { used } else { bad.len() } as u64) as usize;
            bad[at] = rng.below(256) as u8;
        }
        refused += u32::from(opened(&seal(&bad)).is_err());
    }
    for _ in 0..2000 {
        let noise: Vec<u8> = (0..good.len()).map(|_| rng.below(256) as u8).collect();
        assert!(opened(&seal(&noise)).is_err());
        let mut message = vec![0; 256];
        message.fill_with(|| rng.below(256) as u8);
        assert!(opened(&message).is_err());
    }
    assert!(refused > 10_000);
}
