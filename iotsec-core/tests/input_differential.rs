//! Random and mutated inputs, read by us and by others.

use std::net::{Ipv4Addr, Ipv6Addr};

use ciborium::Value;
use iotsec_core::{
    cbor,
    input::{Base64, Base64Url, Encoding, Hex, Ipv4, Ipv6, Port, Ranged},
};
use iotsec_testkit::SimRng;
use rand_core::Rng as _;

const LIMITS: cbor::Limits = cbor::Limits {
    depth: 16,
    items: 1024,
    bytes: 4096,
};

/// Whether ciborium reads all of it as one value of the types that we have, with sorted keys, and writes it the same:
/// what deterministic encoding means, said in other words than ours.
fn is_deterministic(mut input: &[u8]) -> bool {
    let whole = input;
    let value: Value = match ciborium::from_reader(&mut input) {
        Ok(value) => value,
        Err(_) => return false,
    };
    let mut again = Vec::new();
    ciborium::into_writer(&value, &mut again).unwrap();
    input.is_empty() && again == whole && is_ours(&value)
}

fn is_ours(value: &Value) -> bool {
    match value {
        Value::Integer(_) | Value::Bytes(_) | Value::Text(_) | Value::Bool(_) | Value::Null => true,
        Value::Array(elements) => elements.iter().all(is_ours),
        Value::Tag(tag, value) => ![2, 3].contains(tag) && is_ours(value),
        Value::Map(entries) => {
            let encode = |key| {
                let mut out = Vec::new();
                ciborium::into_writer(key, &mut out).unwrap();
                out
            };
            let keys: Vec<Vec<u8>> = entries.iter().map(|(key, _)| encode(key)).collect();
            keys.is_sorted_by(|a, b| a < b)
                && entries.iter().all(|(key, value)| is_ours(key) && is_ours(value))
        }
        _ => false,
    }
}

/// A value of any shape, keys in order more often than not.
fn value(random: &mut SimRng, depth: u32) -> Value {
    let number = random.next_u64() >> (random.next_u32() % 64);
    let len = random.next_u32() % 4;
    match random.next_u32() % if depth == 0 { 6 } else { 10 } {
        0 => Value::from(number),
        1 => Value::from(-1 - i128::from(number)).to_owned(),
        2 => Value::Bytes(vec![0xA5; len as usize * 9]),
        3 => Value::Text("aé\u{10FFFF}".repeat(len as usize)),
        4 => Value::Bool(number.is_multiple_of(2)),
        5 => Value::Null,
        6 => Value::Tag(number % 8, Box::new(value(random, depth - 1))),
        7 => Value::Array((0..len).map(|_| value(random, depth - 1)).collect()),
        _ => {
            let key = |random: &mut SimRng, at: u32| match random.next_u32() % 8 {
                0 => value(random, 0),
                _ => Value::from(at),
            };
            Value::Map(
                (0..len)
                    .map(|at| (key(random, at), value(random, depth - 1)))
                    .collect(),
            )
        }
    }
}

#[test]
fn what_ciborium_calls_deterministic_is_what_we_accept() {
    let mut random = SimRng::new(9);
    let (mut accepted, mut refused) = (0, 0);
    let mut compare = |bytes: &[u8]| {
        let ours = cbor::check(bytes, &LIMITS);
        assert_eq!(ours.is_ok(), is_deterministic(bytes), "{ours:?} {bytes:02x?}");
        *if ours.is_ok() { &mut accepted } else { &mut refused } += 1;
    };
    for _ in 0..3000 {
        let mut bytes = Vec::new();
        ciborium::into_writer(&value(&mut random, 4), &mut bytes).unwrap();
        compare(&bytes);
        for _ in 0..8 {
            let mut other = bytes.clone();
            let at = random.next_u32() as usize % other.len();
            match random.next_u32() % 4 {
                0 => other[at] ^= 1 << (random.next_u32() % 8),
                1 => other.truncate(at),
                2 => other.insert(at, random.next_u32().to_le_bytes()[0]),
                _ => drop(other.splice(at..at, bytes.iter().copied().take(4))),
            }
            compare(&other);
        }
    }
    // Every input of up to two bytes, and every head with a byte behind it.
    for first in 0..=u8::MAX {
        compare(&[first]);
        for second in 0..=u8::MAX {
            compare(&[first, second]);
        }
    }
    println!("CBOR: {accepted} accepted, {refused} refused, by both");
    assert!(accepted > 2000 && refused > 50_000, "{accepted} {refused}");
}

/// Characters that numbers, addresses and encodings are made of, and some that they are not.
fn text(random: &mut SimRng, alphabet: &str, most: u32) -> String {
    let alphabet: Vec<char> = alphabet.chars().collect();
    let len = random.next_u32() % (most + 1);
    (0..len)
        .map(|_| alphabet[random.next_u32() as usize % alphabet.len()])
        .collect()
}

#[test]
fn addresses_are_those_of_the_standard_library() {
    let mut random = SimRng::new(4);
    let mut accepted = [0; 2];
    for round in 0..60_000_u32 {
        let (mut v4, mut v6) = match round % 3 {
            0 => (
                text(&mut random, "0123456789....x ", 15),
                text(&mut random, "0af::::.1", 20),
            ),
            _ => (
                Ipv4Addr::from_bits(random.next_u32()).to_string(),
                Ipv6Addr::from_bits(u128::from(random.next_u64()) << (random.next_u32() % 96)).to_string(),
            ),
        };
        if round % 3 == 2 {
            for text in [&mut v4, &mut v6] {
                let at = random.next_u32() as usize % (text.len() + 1);
                match random.next_u32() % 3 {
                    0 => text.insert(at, ['0', ':', '.', 'f'][random.next_u32() as usize % 4]),
                    1 => text.truncate(at),
                    _ => drop(text.drain(at.min(text.len().saturating_sub(1))..(at + 1).min(text.len()))),
                }
            }
        }
        let (ours, theirs) = (Ipv4::parse(v4.as_bytes()), v4.parse::<Ipv4Addr>());
        assert_eq!(ours.ok().map(|ours| ours.addr()), theirs.ok(), "{v4}");
        accepted[0] += usize::from(ours.is_ok());
        let (ours, theirs) = (Ipv6::parse(v6.as_bytes()), v6.parse::<Ipv6Addr>());
        assert_eq!(ours.ok().map(|ours| ours.addr()), theirs.ok(), "{v6}");
        accepted[1] += usize::from(ours.is_ok());
    }
    println!("addresses: {accepted:?} of 60000 accepted, by both");
    assert!(
        accepted
            .iter()
            .all(|accepted| (20_000..60_000).contains(accepted)),
        "{accepted:?}"
    );
}

#[test]
fn numbers_are_those_of_the_standard_library_in_their_shortest_form() {
    let mut random = SimRng::new(5);
    let mut accepted = 0;
    for _ in 0..40_000 {
        let text = text(&mut random, "0123456789-+ _", 6);
        let shortest = |number: &i64| number.to_string() == text;
        let theirs = text.parse::<i64>().ok().filter(shortest);
        let ours = Ranged::<{ i64::MIN }, { i64::MAX }>::parse(text.as_bytes());
        assert_eq!(ours.ok().map(|ours| ours.get()), theirs, "{text}");
        let port = theirs
            .and_then(|number| u16::try_from(number).ok())
            .filter(|port| *port != 0);
        assert_eq!(
            Port::parse(text.as_bytes()).ok().map(|port| port.get()),
            port,
            "{text}"
        );
        accepted += usize::from(ours.is_ok());
    }
    assert!(accepted > 1000, "{accepted}");
}

#[test]
fn encodings_are_read_back_and_every_other_text_is_refused() {
    const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    // Written from RFC 4648 §4, bit by bit, with no table of ours.
    let encode = |bytes: &[u8]| -> String {
        let bits: String = bytes.iter().map(|byte| format!("{byte:08b}")).collect();
        let padded = format!("{bits:0<width$}", width = bits.len().div_ceil(6) * 6);
        let symbols =
            (0..padded.len() / 6).map(|at| usize::from_str_radix(&padded[at * 6..][..6], 2).unwrap());
        let text: String = symbols.map(|symbol| char::from(BASE64[symbol])).collect();
        format!("{text:=<width$}", width = text.len().div_ceil(4) * 4)
    };
    let mut random = SimRng::new(7);
    for _ in 0..4000 {
        let bytes = random.next_u64().to_le_bytes();
        let bytes = &bytes[..random.next_u32() as usize % 9];
        let right = encode(bytes);
        assert_eq!(Encoding::Base64.decode(right.as_bytes(), &mut [0; 16]), Ok(bytes));
        let mut wrong = right.clone().into_bytes();
        if wrong.is_empty() {
            continue;
        }
        let at = random.next_u32() as usize % wrong.len();
        wrong[at] = b"A=z+ -"[random.next_u32() as usize % 6];
        let mut out = [0; 16];
        let read = Encoding::Base64.decode(&wrong, &mut out);
        let again = read.map(encode).ok();
        assert!(again.is_none_or(|again| again.as_bytes() == wrong), "{wrong:?}");
    }
    let bytes: [u8; 8] = [0xFB, 0xEF, 0xBE, 0, 1, 2, 3, 4];
    assert_eq!(
        Base64::<8>::parse(encode(&bytes).as_bytes()).unwrap().bytes(),
        &bytes
    );
    let url = encode(&bytes).replace('+', "-").replace('/', "_");
    assert_eq!(
        Base64Url::<8>::parse(url.trim_end_matches('=').as_bytes())
            .unwrap()
            .bytes(),
        &bytes
    );
    assert_eq!(Hex::<8>::parse(b"fbefbe0001020304").unwrap().bytes(), &bytes);
}
