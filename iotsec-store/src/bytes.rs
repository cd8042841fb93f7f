//! Putting fields together and taking them apart.

/// Fills `out` with the parts, one behind the other, and zero bytes behind them.
#[inline(never)]
pub(crate) fn join(mut out: &mut [u8], parts: &[&[u8]]) {
    for part in parts {
        let len = part.len().min(out.len());
        let (place, rest) = out.split_at_mut(len);
        for (to, from) in place.iter_mut().zip(*part) {
            *to = *from;
        }
        out = rest;
    }
    out.fill(0);
}

/// The `N` bytes from `at` on; zeros where there are none.
pub(crate) fn at<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let part = bytes.get(at..).and_then(<[u8]>::first_chunk);
    part.copied().unwrap_or([0; N])
}

/// FNV-1a of 32 bits, which tells whether flash was read alike, and proves nothing about who wrote.
pub(crate) fn digest(bytes: &[u8]) -> u32 {
    let step = |sum: u32, byte: &u8| (sum ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
    bytes.iter().fold(0x811C_9DC5, step)
}
