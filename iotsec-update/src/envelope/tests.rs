use std::{boxed::Box, vec, vec::Vec};

use iotsec_core::cose::CoseError;

use super::*;
use crate::forge::{
    Forge,
    Item::{self, Bytes, Int, Map, Tag},
};

fn parse(bytes: &[u8]) -> Result<(), UpdateError> {
    Envelope::parse(bytes, &Limits::DEFAULT).map(|_| ())
}

fn of(entries: Vec<(i64, Item)>) -> Vec<u8> {
    Tag(107, Box::new(Map(entries))).encode()
}

#[test]
fn known_keys_with_byte_strings_are_an_envelope() {
    let string = || Bytes(vec![1]);
    assert_eq!(parse(&of(vec![(2, string()), (3, string())])), Ok(()));
    let all = [2, 3, 14, 15, 16, 18, 20, 23].map(|key| (key, string()));
    assert_eq!(parse(&of(all.to_vec())), Ok(()));
    for unknown in [1, 4, 7, 17, 22, 24, 99] {
        let mut entries = vec![(2, string()), (3, string()), (unknown, string())];
        entries.sort_by_key(|(key, _)| *key);
        let error = parse(&of(entries)).unwrap_err();
        assert!(
            matches!(error, UpdateError::Cose(CoseError::Encoding(error)) if error.kind == Kind::UnknownKey),
            "{unknown}"
        );
    }
    for wrong in [
        of(vec![(2, string())]),
        of(vec![(3, string())]),
        of(vec![(2, Int(1)), (3, string())]),
        of(vec![(3, string()), (2, string())]),
        of(vec![]),
    ] {
        assert!(matches!(
            parse(&wrong),
            Err(UpdateError::Cose(CoseError::Encoding(_)))
        ));
    }
}

#[test]
fn only_tag_107_is_an_envelope() {
    let good = Forge::default().envelope();
    assert_eq!(parse(&good), Ok(()));
    assert_eq!(parse(&good[2..]), Err(UpdateError::NotAnEnvelope));
    for tag in [106, 108, 1070] {
        let other = Tag(tag, Box::new(Map(vec![(2, Bytes(vec![])), (3, Bytes(vec![]))])));
        assert_eq!(parse(&other.encode()), Err(UpdateError::NotAnEnvelope));
    }
    let mut trailing = good;
    trailing.push(0);
    assert!(matches!(
        parse(&trailing),
        Err(UpdateError::Cose(CoseError::Encoding(_)))
    ));
}

#[test]
fn integrated_payloads_are_counted_apart() {
    let with = |len| {
        Forge {
            payload: Some(("#app", vec![0; len])),
            ..Forge::default()
        }
        .envelope()
    };
    let limits = Limits {
        envelope: 4096,
        integrated: 5003,
        ..Limits::DEFAULT
    };
    let parse = |bytes: &[u8]| Envelope::parse(bytes, &limits).map(|_| ());
    // A head of three bytes is counted in.
    assert_eq!(parse(&with(5000)), Ok(()));
    assert_eq!(parse(&with(5001)), Err(UpdateError::IntegratedSize));
    let large = Forge {
        elements: vec![(23, Bytes(vec![0; 4096]))],
        ..Forge::default()
    };
    assert_eq!(parse(&large.envelope()), Err(UpdateError::EnvelopeSize));
    assert_eq!(parse(&with(9099)), Err(UpdateError::EnvelopeSize));
}
