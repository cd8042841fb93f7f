//! Patches, compressed images, and the saved states of their decoder.

use iotsec_update::payload::{Decode, Delta, Encoding, PayloadError, Transport};

use crate::Seed;

/// Whatever the payload, the image is the same when it arrives whole and when it arrives in small pieces
/// with a reset, and with it the decoder's state, after each; it is never longer than it was announced;
/// and what a false state makes stays within it too.
///
/// The input is a byte that picks the encoding, the size of the image, the size of the pieces, the length
/// of the payload, the payload, and a state. Accepted is what makes a whole image.
pub fn delta(input: &[u8]) -> bool {
    let [kind, low, high, piece, length, rest @ ..] = input else {
        return false;
    };
    let size = u16::from_le_bytes([*low, *high]) % 2048;
    let (payload, state) = rest.split_at(rest.len().min(usize::from(*length) * 4));
    let base: Vec<u8> = (0..=255).cycle().take(600).collect();
    let transport = Transport {
        encoding: match kind % 4 {
            0 => Encoding::Plain,
            1 => Encoding::Heatshrink {
                window: (kind >> 2) & 15,
                lookahead: 3 + (kind >> 6),
            },
            _ => Encoding::Delta {
                base: &[0; 32],
                base_size: 600,
            },
        },
        ..Transport::plain(payload.len().try_into().expect("a short payload"))
    };
    let job = Job {
        transport,
        payload,
        base: &base,
        size: size.into(),
    };
    let whole = job.whole();
    assert_eq!(whole, job.pieces(usize::from(piece % 16) + 1));
    job.resume(state);
    whole.is_ok()
}

struct Job<'a> {
    transport: Transport<'a>,
    payload: &'a [u8],
    base: &'a [u8],
    size: u32,
}

impl Job<'_> {
    fn begin(&self) -> Result<Delta<256>, PayloadError> {
        let mut decoder = Delta::new();
        decoder.begin(&self.transport, self.size)?;
        Ok(decoder)
    }

    fn whole(&self) -> Result<Vec<u8>, PayloadError> {
        let mut decoder = self.begin()?;
        let mut image = vec![0; 2100];
        let mut base = self.base;
        let step = decoder.decode(self.payload, &mut image, &mut base)?;
        assert!(step.given <= usize::try_from(self.size).expect("small"));
        decoder.end()?;
        image.truncate(step.given);
        Ok(image)
    }

    fn pieces(&self, len: usize) -> Result<Vec<u8>, PayloadError> {
        let mut decoder = self.begin()?;
        let (mut image, mut base) = (Vec::new(), self.base);
        let (mut out, mut state) = (vec![0; 17 - len], [0; Delta::<256>::MAX_STATE]);
        let mut at = 0;
        loop {
            let end = self.payload.len().min(at + len);
            let step = decoder.decode(&self.payload[at..end], &mut out, &mut base)?;
            image.extend_from_slice(&out[..step.given]);
            at += step.taken;
            let saved = decoder.save(&mut state).expect("room for the longest state");
            decoder = self.begin()?;
            let offset = decoder.restore(&state[..saved.len]).expect("its own state");
            assert_eq!(usize::try_from(offset), Ok(at));
            if at == self.payload.len() && step.given < out.len() {
                decoder.end()?;
                return Ok(image);
            }
        }
    }

    /// A state that somebody made up: refused, or the decoder keeps its bounds.
    fn resume(&self, state: &[u8]) {
        let Ok(mut decoder) = self.begin() else { return };
        let Ok(offset) = decoder.restore(state) else {
            return;
        };
        let rest = self.payload.get(usize::try_from(offset).expect("32 bits")..);
        let mut out = vec![0; 2100];
        let mut base = self.base;
        let rest = rest.expect("a place in the payload");
        if let Ok(step) = decoder.decode(rest, &mut out, &mut base) {
            assert!(step.given <= usize::try_from(self.size).expect("small"));
            let _ = decoder.end();
        }
    }
}

/// A payload of at most 1020 bytes, filled up so that the state begins where it should.
fn recipe(kind: u8, size: u16, payload: &[u8], state: &[u8]) -> Vec<u8> {
    let [low, high] = size.to_le_bytes();
    let length = u8::try_from(payload.len() / 4).expect("a short payload");
    assert!(payload.len().is_multiple_of(4) || state.is_empty());
    let length = length + u8::from(!payload.len().is_multiple_of(4));
    [&[kind, low, high, 3, length], payload, state].concat()
}

/// Patches in each compression, a compressed and a plain image, and the same with something wrong.
pub fn seeds() -> Vec<Seed> {
    // Six bytes of the base, the last one higher, and two more; a second chunk from further on.
    let chunks = [0, 6, 0, 0, 0, 0, 0, 1, 2, b'!', b'\n', 50, 4, 0, 0, 0, 0, 0, 0];
    let stored = [&[0, 12][..], &chunks].concat();
    let runs = [&[2, 12, 0, 19][..], &chunks].concat();
    let zeros = [2, 8, 1, 255, 255, 255, 255, 15, 0];
    // Literals of the same chunks.
    let mut bits: Vec<u8> = chunks
        .iter()
        .flat_map(|byte| {
            (0..9)
                .rev()
                .map(move |bit| u8::from(bit == 8 || byte >> bit & 1 == 1))
        })
        .collect();
    bits.resize(bits.len().next_multiple_of(8), 0);
    let packed: Vec<u8> = bits
        .chunks(8)
        .map(|eight| eight.iter().fold(0, |byte, bit| byte << 1 | bit))
        .collect();
    let shrunk = [&[4, 12, 0x44][..], &packed].concat();
    let state = [&[2, 9, 12][..], &[0; 3], &[6], &[0; 30]].concat();
    let heatshrink = 1 | 8 << 2;
    vec![
        Seed::new("valid-stored", recipe(2, 12, &stored, &[])),
        Seed::new("valid-runs", recipe(2, 12, &runs, &[])),
        Seed::new("valid-shrunk", recipe(2, 12, &shrunk, &[])),
        Seed::new("valid-image", recipe(0, 4, b"word", &state)),
        Seed::new("valid-compressed", recipe(heatshrink, 19, &packed, &[])),
        Seed::new("near-size", recipe(2, 13, &stored, &[])),
        Seed::new("near-cut", recipe(2, 12, &stored[..20], &state)),
        Seed::new("near-idle", recipe(2, 8, &zeros, &[])),
        Seed::new("near-window", recipe(2, 12, &[4, 12, 0x54, 0], &[])),
    ]
}
