//! Patches made by detools, from `vectors/delta`.

use std::{fs, path::PathBuf};

use iotsec_core::error::ErrorCode;
use iotsec_update::payload::{Decode, Delta, Encoding, PayloadError, Transport};
use serde_json::Value;

fn file(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../vectors/delta");
    fs::read(path.join(name)).unwrap()
}

fn cases(list: &str) -> Vec<Value> {
    let index: Value = serde_json::from_slice(&file("index.json")).unwrap();
    index[list].as_array().unwrap().clone()
}

/// What a device makes of a patch that arrives in pieces of `take` bytes, with room for `give` at a time.
fn apply(base: &[u8], patch: &[u8], size: usize, take: usize, give: usize) -> Result<Vec<u8>, PayloadError> {
    let transport = Transport {
        encoding: Encoding::Delta {
            base: &[0; 32],
            base_size: base.len().try_into().unwrap(),
        },
        ..Transport::plain(patch.len().try_into().unwrap())
    };
    let mut decoder = Delta::<256>::new();
    decoder.begin(&transport, size.try_into().unwrap())?;
    let (mut image, mut source) = (Vec::new(), base);
    let mut room = vec![0; give];
    for piece in patch.chunks(take) {
        let mut rest = piece;
        loop {
            let step = decoder.decode(rest, &mut room, &mut source)?;
            image.extend_from_slice(&room[..step.given]);
            rest = &rest[step.taken..];
            if step.given < give {
                assert!(rest.is_empty());
                break;
            }
        }
    }
    decoder.end()?;
    Ok(image)
}

#[test]
fn patches_by_detools_make_their_image_in_pieces_of_any_size() {
    let cases = cases("applied");
    assert!(cases.len() > 30);
    for case in cases {
        let read = |key: &str| file(case[key].as_str().unwrap());
        let (base, image, patch) = (read("from"), read("to"), read("patch"));
        for (take, give) in [(usize::MAX, 8192), (1, 1), (1, 64), (7, 5), (256, 256), (64, 1)] {
            let made = apply(&base, &patch, image.len(), take, give);
            assert_eq!(
                made.as_ref(),
                Ok(&image),
                "{} in pieces of {take}, {give}",
                case["name"]
            );
        }
    }
}

#[test]
fn patches_of_other_kinds_are_refused_each_with_its_number() {
    let cases = cases("refused");
    assert!(cases.len() >= 8);
    for case in cases {
        let read = |key: &str| file(case[key].as_str().unwrap());
        let refused = apply(&read("from"), &read("patch"), read("to").len(), 64, 256).unwrap_err();
        assert_eq!(u64::from(refused.code()), case["error"], "{}", case["name"]);
    }
}

#[test]
fn a_patch_cut_short_or_with_a_byte_more_is_refused() {
    for case in cases("applied") {
        let read = |key: &str| file(case[key].as_str().unwrap());
        let (base, image, mut patch) = (read("from"), read("to"), read("patch"));
        for len in [0, patch.len() / 2, patch.len() - 1] {
            let refused = apply(&base, &patch[..len], image.len(), 64, 256);
            assert_eq!(refused, Err(PayloadError::TooShort), "{}", case["name"]);
        }
        patch.push(0);
        let refused = apply(&base, &patch, image.len(), 64, 256);
        assert_eq!(refused, Err(PayloadError::TooLong), "{}", case["name"]);
    }
}
