use iotsec::update::payload::{Decode, Delta, Encoding, Transport};

use super::*;

/// The same numbers for the same seed (xorshift32).
struct Random(u32);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0 as usize % bound.max(1)
    }

    fn bytes(&mut self, len: usize, values: usize) -> Vec<u8> {
        (0..len)
            .map(|_| u8::try_from(self.below(values)).unwrap())
            .collect()
    }
}

fn decoded(encoding: Encoding<'_>, payload: &[u8], base: &[u8], size: usize) -> Vec<u8> {
    let transport = Transport {
        encoding,
        ..Transport::plain(u32::try_from(payload.len()).unwrap())
    };
    let mut decoder = Box::new(Delta::<32768>::new());
    decoder.begin(&transport, u32::try_from(size).unwrap()).unwrap();
    let mut out = vec![0; size];
    let mut base = base;
    let step = decoder.decode(payload, &mut out, &mut base).unwrap();
    assert_eq!((step.taken, step.given), (payload.len(), size));
    decoder.end().unwrap();
    out
}

fn applied(old: &[u8], new: &[u8], compression: Compression) -> usize {
    let made = patch(old, new, compression);
    let encoding = Encoding::Delta {
        base: &[0; 32],
        base_size: u32::try_from(old.len()).unwrap(),
    };
    assert_eq!(decoded(encoding, &made, old, new.len()), new);
    made.len()
}

const USUAL: Shrink = Shrink {
    window: 8,
    lookahead: 7,
};

#[test]
fn patches_of_random_edits_make_the_new_image() {
    for seed in 1..60 {
        let mut random = Random(0x9E37_79B9_u32.wrapping_mul(seed));
        let len = random.below(3000);
        let values = [2, 16, 256][random.below(3)];
        let old = random.bytes(len, values);
        let mut new = old.clone();
        for _ in 0..random.below(6) {
            let at = random.below(new.len());
            let end = new.len().min(at + random.below(200));
            match random.below(4) {
                0 => drop(new.drain(at..end)),
                1 => drop(new.splice(at..at, random.bytes(100, values))),
                2 => new[at..end]
                    .iter_mut()
                    .for_each(|byte| *byte = byte.wrapping_add(4)),
                _ => new.rotate_left(at),
            }
        }
        applied(&old, &new, Compression::None);
        applied(&old, &new, Compression::Heatshrink(USUAL));
    }
}

#[test]
fn empty_and_tiny_images_have_patches() {
    for (old, new) in [
        (&b""[..], &b""[..]),
        (b"", b"a"),
        (b"a", b""),
        (b"a", b"a"),
        (b"ab", b"ba"),
        (b"abcdefgh", b"h"),
    ] {
        applied(old, new, Compression::None);
        applied(old, new, Compression::Heatshrink(USUAL));
    }
}

#[test]
fn a_small_change_makes_a_small_patch() {
    let mut random = Random(7);
    let old = random.bytes(20_000, 256);
    let mut new = old.clone();
    new[9_000..9_005].copy_from_slice(b"1.0.1");
    // A repetition of 128 bytes takes 16 bits.
    assert!(applied(&old, &new, Compression::Heatshrink(USUAL)) < 2 * 20_000 / 128 + 40);
    let shifted = [&old[..5_000], b"inserted", &old[5_000..]].concat();
    assert!(applied(&old, &shifted, Compression::Heatshrink(USUAL)) < 2 * 20_000 / 128 + 60);
    let moved = [&old[11_000..], &old[..11_000]].concat();
    assert!(applied(&old, &moved, Compression::Heatshrink(USUAL)) < 2 * 20_000 / 128 + 60);
}

#[test]
fn streams_of_every_parameter_decode() {
    for window in 4..=15 {
        for lookahead in 3..window {
            let mut random = Random(u32::from(window) << 8 | u32::from(lookahead));
            let mut image = random.bytes(700, 4);
            image.extend(std::iter::repeat_n(0xFF, 400));
            image.extend(random.bytes(100, 256));
            let packed = Shrink { window, lookahead }.encode(&image);
            let encoding = Encoding::Heatshrink { window, lookahead };
            assert_eq!(decoded(encoding, &packed, &[], image.len()), image);
            assert!(packed.len() < image.len() * 3 / 4);
        }
    }
}
