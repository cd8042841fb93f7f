//! A source that gives the same bytes at every run. Never for a product.

use core::convert::Infallible;

use rand_core::{TryCryptoRng, TryRng};

/// A counter stirred by xorshift (Marsaglia 2003): repeatable, and nothing more.
#[derive(Debug)]
pub struct FixedBytes(u64);

impl FixedBytes {
    /// The source that `seed` starts.
    pub const fn new(seed: u64) -> Self {
        Self(seed | 1)
    }
}

impl TryRng for FixedBytes {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok((self.try_next_u64()? >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        Ok(self.0)
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        for chunk in dst.chunks_mut(8) {
            let word = self.try_next_u64()?.to_le_bytes();
            for (to, from) in chunk.iter_mut().zip(word) {
                *to = from;
            }
        }
        Ok(())
    }
}

impl TryCryptoRng for FixedBytes {}
