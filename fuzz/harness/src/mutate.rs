//! A small deterministic fuzzer for `cargo test`.

use iotsec_testkit::SimRng;

/// Calls `run` with every truncation and every one-bit change of `seed` (about 512 and 4096 of them for
/// one that is longer), and with `rounds` random mixtures of it and `others`; with one in `share` of all these.
pub fn each(seed: &[u8], others: &[Vec<u8>], rounds: u64, share: usize, mut run: impl FnMut(&[u8])) {
    let step = (seed.len() / 512 + 1) * share;
    for len in (0..seed.len()).step_by(step) {
        run(&seed[..len]);
    }
    let mut bytes = seed.to_vec();
    for bit in (0..seed.len() * 8).step_by(step) {
        bytes[bit / 8] ^= 1 << (bit % 8);
        run(&bytes);
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
    let mut rng = SimRng::new(u64::try_from(seed.len()).unwrap_or(0));
    for _ in (0..rounds).step_by(share) {
        let mut bytes = seed.to_vec();
        for _ in 0..=rng.below(4) {
            change(&mut bytes, others, &mut rng);
        }
        run(&bytes);
    }
}

fn change(bytes: &mut Vec<u8>, others: &[Vec<u8>], rng: &mut SimRng) {
    const TELLING: [u8; 12] = [
        0x00, 0x01, 0x17, 0x18, 0x1B, 0x40, 0x58, 0x80, 0xA1, 0xC2, 0xF6, 0xFF,
    ];
    let at = pick(rng, bytes.len() + 1);
    match rng.below(6) {
        0 if at < bytes.len() => bytes[at] = TELLING[pick(rng, TELLING.len())],
        1 if at < bytes.len() => bytes[at] = bytes[at].wrapping_add(1),
        2 if at < bytes.len() => {
            bytes.remove(at);
        }
        3 => bytes.insert(at, TELLING[pick(rng, TELLING.len())]),
        4 if !others.is_empty() => {
            let other = &others[pick(rng, others.len())];
            let from = pick(rng, other.len() + 1);
            bytes.truncate(at);
            bytes.extend_from_slice(&other[from..]);
        }
        _ => {
            // A piece of the input again, as a repeated key or a longer string would be.
            let end = at + pick(rng, bytes.len() - at + 1);
            let piece = bytes[at..end].to_vec();
            bytes.splice(at..at, piece);
        }
    }
}

fn pick(rng: &mut SimRng, bound: usize) -> usize {
    let bound = u64::try_from(bound).unwrap_or(u64::MAX);
    usize::try_from(rng.below(bound)).unwrap_or(0)
}
