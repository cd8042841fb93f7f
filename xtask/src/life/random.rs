//! Random numbers that a seed repeats.

/// SplitMix64 (Steele, Lea, Flood 2014).
#[derive(Clone, Copy, Debug)]
pub(super) struct Random(u64);

impl Random {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ z >> 31
    }

    /// The seed of another sequence.
    pub(super) const fn fork(mut self, number: u64) -> u64 {
        self.next() ^ number.wrapping_mul(0xD605_1F3B_2C5A_7E9D)
    }

    /// Below `bound`.
    pub(super) const fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// From 1 on, each power of two up to `2^bits` as likely as the others.
    pub(super) const fn scaled(&mut self, bits: u64) -> u64 {
        let top = 1 << self.below(bits);
        top + self.below(top)
    }
}
