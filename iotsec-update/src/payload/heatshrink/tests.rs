use std::{vec, vec::Vec};

use super::*;

/// Bytes with repetitions in them, the same for the same seed.
fn sample(seed: u32, len: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9) | 1;
    let mut next = |below: u32| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state % below
    };
    let mut bytes = Vec::new();
    while bytes.len() < len {
        if bytes.len() > 8 && next(3) == 0 {
            let back = 1 + next(500) as usize % bytes.len();
            for _ in 0..next(200) {
                bytes.push(bytes[bytes.len() - back.min(bytes.len())]);
            }
        } else {
            for _ in 0..next(20) {
                let [byte, ..] = next(1 + seed % 256).to_le_bytes();
                bytes.push(byte);
            }
        }
    }
    bytes.truncate(len);
    bytes
}

fn encoded(bytes: &[u8], window: u8, lookahead: u8) -> Vec<u8> {
    let config = heatshrink::Config::new(window, lookahead).unwrap();
    let mut out = vec![0; bytes.len() * 2 + 16];
    heatshrink::encode(bytes, &mut out, &config).unwrap().to_vec()
}

fn decoder(window: u8, lookahead: u8) -> Heatshrink<32768> {
    let mut decoder = Heatshrink::new();
    decoder.start(window, lookahead).unwrap();
    decoder
}

const PARAMETERS: [(u8, u8); 6] = [(4, 3), (5, 4), (8, 4), (8, 7), (11, 4), (15, 14)];

#[test]
fn decodes_what_another_implementation_encodes_at_any_split() {
    for (seed, (window, lookahead)) in (1..).zip(PARAMETERS.repeat(8)) {
        let plain = sample(seed * 7, 50 * seed as usize);
        let packed = encoded(&plain, window, lookahead);
        for (take, give) in [(usize::MAX, usize::MAX), (1, 7), (5, 1), (1, 1), (3, 64)] {
            let mut decoder = decoder(window, lookahead);
            let (mut offered, mut out) = (0, Vec::new());
            let mut rest = &packed[..0];
            while out.len() < plain.len() {
                if rest.is_empty() {
                    let end = packed.len().min(offered + take.min(packed.len()));
                    rest = &packed[offered..end];
                    offered = end;
                }
                let mut room = vec![0; give.min(plain.len() - out.len())];
                let given = decoder.decode(&mut rest, &mut room);
                out.extend_from_slice(&room[..given]);
                assert!(given > 0 || !rest.is_empty() || offered < packed.len());
            }
            assert_eq!(out, plain);
            assert!(rest.is_empty() && offered == packed.len());
            assert!(decoder.is_finished());
        }
    }
}

#[test]
fn goes_on_from_every_saved_state() {
    for (seed, (window, lookahead)) in (1..).zip([(4, 3), (8, 7), (11, 4)]) {
        let plain = sample(seed, 900);
        let packed = encoded(&plain, window, lookahead);
        let mut decoder = decoder(window, lookahead);
        let (mut rest, mut out) = (packed.as_slice(), Vec::new());
        let mut state = vec![0; 4096];
        while out.len() < plain.len() {
            let mut byte = [0];
            assert_eq!(decoder.decode(&mut rest, &mut byte), 1);
            out.push(byte[0]);
            let mut store = Store::new(&mut state);
            decoder.save(&mut store).unwrap();
            let len = store.len();
            decoder = Heatshrink::new();
            let mut load = Load::new(&state[..len]);
            assert_eq!(decoder.restore(&mut load), Ok((window, lookahead)));
            load.finish().unwrap();
        }
        assert_eq!(out, plain);
    }
}

#[test]
fn what_lies_before_the_beginning_is_zeros() {
    let mut decoder = decoder(8, 4);
    let mut out = [9; 16];
    // 0, distance 256, length 16; then nothing but the filling.
    let packed = [0b0111_1111, 0b1111_1000];
    assert_eq!(decoder.decode(&mut &packed[..], &mut out), 16);
    assert_eq!(out, [0; 16]);
    assert!(decoder.is_finished());
}

#[test]
fn more_than_the_filling_is_no_end() {
    let mut out = [0; 4];
    for (bytes, finished) in [
        (&[0xA0, 0x80][..], true), // a literal 'A', filled up with seven zeros
        (&[0xA0, 0x81], false),
        (&[0xA0, 0xC0], false),
        (&[0xA0, 0x80, 0x00], false),
        (&[0xA0], false),
    ] {
        let mut decoder = decoder(8, 7);
        decoder.decode(&mut &bytes[..], &mut out);
        assert_eq!(decoder.is_finished(), finished, "{bytes:02x?}");
    }
}

#[test]
fn windows_beyond_memory_or_format_are_refused() {
    let mut small = Heatshrink::<256>::new();
    assert_eq!(small.start(8, 7), Ok(()));
    for (window, lookahead) in [(9, 4), (3, 3), (8, 8), (8, 2), (0, 0), (255, 254)] {
        assert_eq!(small.start(window, lookahead), Err(PayloadError::Window));
    }
    let mut large = Heatshrink::<65536>::new();
    assert_eq!(large.start(16, 7), Err(PayloadError::Window));
}

#[test]
fn states_that_no_decoder_wrote_are_refused() {
    let mut good = vec![0; 64];
    let mut store = Store::new(&mut good);
    decoder(4, 3).save(&mut store).unwrap();
    let len = store.len();
    good.truncate(len);
    let refused = |index: usize, value: u8| {
        let mut state = good.clone();
        state[index] = value;
        let result = Heatshrink::<32768>::new().restore(&mut Load::new(&state));
        assert_eq!(result, Err(PayloadError::State), "byte {index} = {value}");
    };
    // Window, lookahead, bits held, bits that are not held, what comes next, distance, length, head.
    for (index, value) in [
        (0, 16),
        (1, 4),
        (2, 16),
        (3, 1),
        (5, 3),
        (5, 4),
        (5, 5),
        (6, 1),
        (8, 1),
        (10, 16),
    ] {
        refused(index, value);
    }
    assert!(Heatshrink::<32768>::new().restore(&mut Load::new(&good)).is_ok());
    assert!(Heatshrink::<8>::new().restore(&mut Load::new(&good)).is_err());
    assert!(
        Heatshrink::<32768>::new()
            .restore(&mut Load::new(&good[..len - 1]))
            .is_err()
    );
}
