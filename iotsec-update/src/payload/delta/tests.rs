use std::{vec, vec::Vec};

use iotsec_core::hal::FlashError;

use super::*;

/// A base of 100 bytes and an image that needs all of a patch: the base is read forwards and backwards.
fn base() -> Vec<u8> {
    (0..100).map(|byte: u8| byte.wrapping_mul(37)).collect()
}

fn number(value: i64) -> Vec<u8> {
    let sign = if value < 0 { 0x40 } else { 0 };
    let mut rest = value.unsigned_abs();
    let mut bytes = vec![sign | (rest & 0x3F) as u8];
    rest >>= 6;
    while rest > 0 {
        *bytes.last_mut().unwrap() |= 0x80;
        bytes.push((rest & 0x7F) as u8);
        rest >>= 7;
    }
    bytes
}

fn chunk(diff: &[u8], extra: &[u8], seek: i64) -> Vec<u8> {
    let size = |bytes: &[u8]| number(bytes.len().try_into().unwrap());
    [
        size(diff),
        diff.to_vec(),
        size(extra),
        extra.to_vec(),
        number(seek),
    ]
    .concat()
}

/// An uncompressed patch for an image of `size` bytes.
fn stored(size: i64, chunks: &[Vec<u8>]) -> Vec<u8> {
    [vec![0], number(size), number(0), chunks.concat()].concat()
}

fn patch_transport(payload: usize, base_size: u32) -> Transport<'static> {
    Transport {
        encoding: Encoding::Delta {
            base: &[0; 32],
            base_size,
        },
        ..Transport::plain(payload.try_into().unwrap())
    }
}

fn decode(
    transport: &Transport<'_>,
    size: u32,
    payload: &[u8],
    base: &[u8],
) -> Result<Vec<u8>, PayloadError> {
    let mut decoder = Delta::<256>::new();
    decoder.begin(transport, size)?;
    let mut image = vec![0; size as usize + 10];
    let mut source = base;
    let step = decoder.decode(payload, &mut image, &mut source)?;
    assert_eq!(step.taken, payload.len());
    decoder.end()?;
    image.truncate(step.given);
    Ok(image)
}

fn apply(patch: &[u8], size: u32) -> Result<Vec<u8>, PayloadError> {
    decode(&patch_transport(patch.len(), 100), size, patch, &base())
}

fn refused(patch: &[u8], size: u32, error: PayloadError) {
    assert_eq!(apply(patch, size), Err(error));
}

#[test]
fn chunks_add_insert_and_move_both_ways() {
    let patch = stored(
        12,
        &[
            chunk(&[], &[], 50),
            chunk(&[0, 1, 0, 255], b"new", -54),
            chunk(&[0, 0, 0], b"!!", -3),
        ],
    );
    let base = base();
    let mut image = base[50..54].to_vec();
    image[1] += 1;
    image[3] = image[3].wrapping_sub(1);
    image.extend_from_slice(b"new");
    image.extend_from_slice(&base[..3]);
    image.extend_from_slice(b"!!");
    assert_eq!(apply(&patch, 12), Ok(image));
    assert_eq!(apply(&stored(0, &[])[..2], 0), Ok(vec![]));
}

// A patch that lies (T19): each lie has an error of its own.

#[test]
fn a_difference_beyond_the_declared_size_is_refused() {
    refused(&stored(3, &[chunk(&[0; 4], &[], 0)]), 3, PayloadError::PatchDiff);
    let second = stored(3, &[chunk(&[0; 2], &[], 0), chunk(&[0; 2], &[], 0)]);
    refused(&second, 3, PayloadError::PatchDiff);
}

#[test]
fn an_insertion_beyond_the_declared_size_is_refused() {
    refused(
        &stored(3, &[chunk(&[0; 2], b"ab", 0)]),
        3,
        PayloadError::PatchExtra,
    );
}

#[test]
fn a_size_other_than_the_signed_one_is_refused() {
    let patch = stored(3, &[chunk(&[0; 3], &[], 0)]);
    assert!(apply(&patch, 3).is_ok());
    assert_eq!(Delta::<256>::announced(&patch), Ok(3));
    refused(&patch, 2, PayloadError::PatchSize);
    refused(&patch, 4, PayloadError::PatchSize);
    refused(&stored(-3, &[]), 3, PayloadError::PatchNumber);
    refused(&stored(0x1_0000_0003, &[]), 3, PayloadError::PatchNumber);
}

#[test]
fn t19_a_move_before_the_base_is_refused() {
    let patch = stored(3, &[chunk(&[0], &[], -2), chunk(&[0; 2], &[], 0)]);
    refused(&patch, 3, PayloadError::PatchSeek);
}

#[test]
fn a_move_behind_the_base_is_refused_even_at_the_end() {
    assert!(apply(&stored(1, &[chunk(&[0], &[], 99)]), 1).is_ok());
    refused(&stored(1, &[chunk(&[0], &[], 100)]), 1, PayloadError::PatchSeek);
    refused(
        &stored(1, &[chunk(&[0], &[], 0xFFFF_FFFF)]),
        1,
        PayloadError::PatchSeek,
    );
}

#[test]
fn t19_a_copy_beyond_the_base_is_refused() {
    let patch = stored(100, &[chunk(&[], b"x", 2), chunk(&[0; 99], &[], 0)]);
    refused(&patch, 100, PayloadError::PatchBase);
    // Before anything of it was given.
    let mut decoder = Delta::<256>::new();
    decoder.begin(&patch_transport(patch.len(), 100), 100).unwrap();
    let mut out = [0; 100];
    let head = decoder.decode(&patch[..8], &mut out, &mut base().as_slice());
    assert_eq!(head.map(|step| step.given), Ok(1));
    let refused = decoder.decode(&patch[8..], &mut out, &mut base().as_slice());
    assert_eq!(refused, Err(PayloadError::PatchBase));
}

#[test]
fn a_base_shorter_than_the_signed_one_is_refused() {
    let patch = stored(1, &[chunk(&[0], &[], 0)]);
    let refused = decode(&patch_transport(patch.len(), 100), 1, &patch, &base()[..99]);
    assert_eq!(refused, Err(PayloadError::BaseSize));
    // A longer one is read no further than the signed size.
    let refused = decode(&patch_transport(patch.len(), 0), 1, &patch, &base());
    assert_eq!(refused, Err(PayloadError::PatchBase));
}

#[test]
fn a_base_that_cannot_be_read_is_the_devices_fault() {
    struct Broken;
    impl Base for Broken {
        fn size(&self) -> u32 {
            100
        }
        fn read(&mut self, _: u32, _: &mut [u8]) -> Result<(), FlashError> {
            Err(FlashError::Driver)
        }
    }
    let patch = stored(1, &[chunk(&[0], &[], 0)]);
    let mut decoder = Delta::<256>::new();
    decoder.begin(&patch_transport(patch.len(), 100), 1).unwrap();
    let broken = decoder.decode(&patch, &mut [0; 1], &mut Broken);
    assert_eq!(broken, Err(PayloadError::Base(FlashError::Driver)));
}

#[test]
fn chunks_that_make_nothing_are_no_way_to_keep_a_device_busy() {
    let idle = |count: usize| vec![chunk(&[], &[], 0); count];
    let patch = |count| {
        stored(
            2,
            &[
                idle(count),
                vec![chunk(&[0], &[], 0)],
                idle(count),
                vec![chunk(&[0], &[], 0)],
            ]
            .concat(),
        )
    };
    assert!(apply(&patch(4), 2).is_ok());
    refused(&patch(5), 2, PayloadError::PatchIdle);
    // As a run of zeros in CRLE, 2^32 − 1 of them in six bytes.
    let bomb = [vec![0x02], number(2), vec![1, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0]].concat();
    refused(&bomb, 2, PayloadError::PatchIdle);
}

#[test]
fn t19_a_bomb_gives_no_more_than_the_signed_size() {
    // A heatshrink stream of repetitions only: 2^14 bytes for every 30 bits.
    let mut decoder = Delta::<32768>::new();
    let transport = Transport {
        encoding: Encoding::Heatshrink {
            window: 15,
            lookahead: 14,
        },
        ..Transport::plain(400)
    };
    decoder.begin(&transport, 1000).unwrap();
    let bomb = [0b0111_1111; 400];
    let mut out = vec![0; 5000];
    let refused = decoder.decode(&bomb, &mut out, &mut &b""[..]);
    assert_eq!(refused, Err(PayloadError::TooLong));
    assert_eq!(out[1000..], [0; 4000]);
}

#[test]
fn bytes_behind_the_end_are_refused() {
    let mut patch = stored(1, &[chunk(&[0], &[], 0)]);
    patch.push(0);
    refused(&patch, 1, PayloadError::TooLong);
    // Within the compressed stream: a run of two zeros where one ends the patch.
    let run = |zeros: u8| [vec![0x02], number(1), vec![0, 4, 0, 0, 1, b'x', 1, zeros, 0]].concat();
    assert_eq!(apply(&run(1), 1), Ok(b"x".to_vec()));
    refused(&run(2), 1, PayloadError::TooLong);
}

#[test]
fn a_patch_cut_short_is_refused() {
    let patch = stored(5, &[chunk(&[0; 2], b"ab", -1), chunk(&[0], &[], 0)]);
    assert!(apply(&patch, 5).is_ok());
    for len in 0..patch.len() {
        refused(&patch[..len], 5, PayloadError::TooShort);
    }
}

#[test]
fn unknown_types_compressions_formats_and_runs_are_refused() {
    for (bytes, error) in [
        (&[0x10, 1][..], PayloadError::PatchType),
        (&[0x20, 1], PayloadError::PatchType),
        (&[0x80, 1], PayloadError::PatchType),
        (&[0x01, 1], PayloadError::PatchCompression),
        (&[0x03, 1], PayloadError::PatchCompression),
        (&[0x0F, 1], PayloadError::PatchCompression),
        (&[0x00, 1, 7], PayloadError::PatchFormat),
        (&[0x02, 1, 2], PayloadError::PatchRun),
        (&[0x04, 1, 0x54], PayloadError::Window),
        (&[0x04, 1, 0x45], PayloadError::Window),
        (&[0x00, 1, 0, 0x40], PayloadError::PatchNumber),
        (&[0x00, 1, 0, 0x80, 0x00], PayloadError::PatchNumber),
        (&[0x02, 1, 1, 0x81, 0x00], PayloadError::PatchNumber),
    ] {
        refused(bytes, 1, error);
    }
}

#[test]
fn encryption_is_not_ours_to_undo() {
    let encrypted = Transport {
        encryption: Some(b""),
        ..Transport::plain(3)
    };
    assert_eq!(
        Delta::<256>::new().begin(&encrypted, 3),
        Err(PayloadError::Encoding)
    );
}

// Going on after a reset.

struct Case {
    transport: Transport<'static>,
    payload: Vec<u8>,
    image: Vec<u8>,
}

/// A plain image, a compressed one, and a patch in each compression.
fn cases() -> Vec<Case> {
    let base = base();
    let chunks = [
        chunk(&[], &[], 20),
        chunk(&[0; 70], b"some new text, new text", -90),
        chunk(&[1; 5], &[9; 80], 0),
    ];
    let mut image: Vec<u8> = base[20..90].to_vec();
    image.extend_from_slice(b"some new text, new text");
    image.extend(base[..5].iter().map(|byte| byte.wrapping_add(1)));
    image.extend_from_slice(&[9; 80]);
    let size = i64::try_from(image.len()).unwrap();
    let inner = [number(0), chunks.concat()].concat();
    let heatshrink = |bytes: &[u8]| {
        let config = heatshrink::Config::new(8, 7).unwrap();
        let mut out = vec![0; 1000];
        heatshrink::encode(bytes, &mut out, &config).unwrap().to_vec()
    };
    // Everything but the 79 equal bytes at the end of the last extra part and the final 0.
    let (scattered, run) = inner.split_at(inner.len() - 80);
    assert!(scattered.len() < 128);
    let mut runs = vec![0, u8::try_from(scattered.len()).unwrap()];
    runs.extend_from_slice(scattered);
    runs.extend_from_slice(&[1, 79, run[0], 0, 1, 0]);
    let patch = |kind: u8, extra: &[u8], body: &[u8]| [&[kind][..], &number(size), extra, body].concat();
    let payloads = [
        patch(0, &[], &inner),
        patch(2, &[], &runs),
        patch(4, &[0x44], &heatshrink(&inner)),
    ];
    let mut cases: Vec<_> = payloads
        .into_iter()
        .map(|payload| Case {
            transport: patch_transport(payload.len(), 100),
            payload,
            image: image.clone(),
        })
        .collect();
    let packed = heatshrink(&image);
    cases.push(Case {
        transport: Transport {
            encoding: Encoding::Heatshrink {
                window: 8,
                lookahead: 7,
            },
            ..Transport::plain(packed.len().try_into().unwrap())
        },
        payload: packed,
        image: image.clone(),
    });
    cases.push(Case {
        transport: Transport::plain(image.len().try_into().unwrap()),
        payload: image.clone(),
        image,
    });
    cases
}

fn begun(case: &Case) -> Delta<256> {
    let mut decoder = Delta::new();
    decoder
        .begin(&case.transport, case.image.len().try_into().unwrap())
        .unwrap();
    decoder
}

fn state_of(decoder: &Delta<256>) -> (Vec<u8>, u32) {
    let mut state = [0; Delta::<256>::MAX_STATE];
    let saved = decoder.save(&mut state).unwrap();
    // A byte less is no room.
    assert_eq!(decoder.save(&mut [0; 320][..saved.len - 1]), None);
    (state[..saved.len].to_vec(), saved.payload_offset)
}

#[test]
fn goes_on_after_every_byte_of_input_and_output() {
    for case in cases() {
        let base = base();
        let (mut decoder, mut image) = (begun(&case), Vec::new());
        let mut resumed = 0;
        let mut at = 0;
        while at < case.payload.len() || image.len() < case.image.len() {
            let end = case.payload.len().min(at + 1);
            let mut out = [0];
            let step = decoder
                .decode(&case.payload[at..end], &mut out, &mut base.as_slice())
                .unwrap();
            at += step.taken;
            image.extend_from_slice(&out[..step.given]);
            let (state, offset) = state_of(&decoder);
            assert_eq!(usize::try_from(offset), Ok(at));
            decoder = begun(&case);
            assert_eq!(decoder.restore(&state), Ok(offset));
            assert_eq!(state_of(&decoder), (state, offset));
            resumed += 1;
        }
        assert_eq!(decoder.end(), Ok(()));
        assert_eq!(image, case.image);
        assert!(resumed >= case.image.len());
    }
}

#[test]
fn a_state_of_another_payload_or_with_a_bit_flipped_is_refused_or_stays_in_bounds() {
    let base = base();
    let (mut tried, mut refused) = (0, 0);
    for case in cases() {
        let mut decoder = begun(&case);
        let half = case.payload.len() / 2;
        let mut out = vec![0; case.image.len()];
        decoder
            .decode(&case.payload[..half], &mut out, &mut base.as_slice())
            .unwrap();
        let (state, _) = state_of(&decoder);
        for bit in 0..state.len() * 8 {
            let mut hostile = state.clone();
            hostile[bit / 8] ^= 1 << (bit % 8);
            tried += 1;
            let mut decoder = begun(&case);
            let Ok(offset) = decoder.restore(&hostile) else {
                refused += 1;
                continue;
            };
            let rest = &case.payload[usize::try_from(offset).unwrap()..];
            let before = decoder.given;
            let mut out = vec![0; case.image.len() + 10];
            if let Ok(step) = decoder.decode(rest, &mut out, &mut base.as_slice()) {
                assert!(before as usize + step.given <= case.image.len());
            }
        }
        for other in cases() {
            if other.transport.encoding != case.transport.encoding {
                assert_eq!(begun(&other).restore(&state), Err(PayloadError::State));
            }
        }
        for len in 0..state.len() {
            assert_eq!(begun(&case).restore(&state[..len]), Err(PayloadError::State));
        }
        assert_eq!(
            begun(&case).restore(&[state, vec![0]].concat()),
            Err(PayloadError::State)
        );
    }
    assert!(refused * 4 > tried / 3, "{refused} of {tried}");
}

#[test]
fn memory_is_the_window_and_little_more() {
    // The decoder and the longest state; the rest is a stack buffer of 64 bytes.
    assert!(size_of::<Delta<256>>() <= 256 + 100);
    let mut case = cases().remove(2);
    case.transport = patch_transport(case.payload.len(), 100);
    let mut decoder = begun(&case);
    decoder
        .decode(&case.payload[..20], &mut [0; 10], &mut base().as_slice())
        .unwrap();
    assert!(state_of(&decoder).0.len() > 256);
}
