//! Random sources for tests. None of them may go into a product.

use core::convert::Infallible;

use rand_core::{TryCryptoRng, TryRng};

/// The same bytes for the same seed, evenly spread and entirely predictable: SplitMix64.
///
/// It claims to be a [`TryCryptoRng`] because the code under test demands one.
///
/// ```
/// use iotsec_testkit::SimRng;
/// use rand_core::Rng;
///
/// assert_eq!(SimRng::new(7).next_u64(), SimRng::new(7).next_u64());
/// assert_ne!(SimRng::new(7).next_u64(), SimRng::new(8).next_u64());
/// ```
#[derive(Clone, Debug)]
pub struct SimRng(u64);

impl SimRng {
    /// Begins the sequence of `seed`.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(mix(seed))
    }

    /// A number below `bound`, which must not be zero.
    ///
    /// # Panics
    /// When `bound` is zero.
    pub const fn below(&mut self, bound: u64) -> u64 {
        // The bias is at most bound / 2^64, of no account in a test.
        self.next() % bound
    }

    pub(crate) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0)
    }
}

impl TryRng for SimRng {
    type Error = Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let [a, b, c, d, ..] = self.next().to_le_bytes();
        Ok(u32::from_le_bytes([a, b, c, d]))
    }
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.next())
    }
    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        for chunk in dst.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

impl TryCryptoRng for SimRng {}

/// A dead source that gives one byte for ever.
#[derive(Clone, Copy, Debug, Default)]
pub struct StuckRng(pub u8);

impl TryRng for StuckRng {
    type Error = Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_ne_bytes([self.0; 4]))
    }
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from_ne_bytes([self.0; 8]))
    }
    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        dst.fill(self.0);
        Ok(())
    }
}

impl TryCryptoRng for StuckRng {}

/// A source that works for a number of calls and then reports failure.
#[derive(Clone, Debug)]
pub struct FailingRng {
    rng: SimRng,
    calls: u32,
}

impl FailingRng {
    /// Answers `calls` calls, then fails.
    #[must_use]
    pub const fn after(calls: u32) -> Self {
        Self {
            rng: SimRng::new(0),
            calls,
        }
    }

    fn call(&mut self) -> Result<&mut SimRng, EntropyFailure> {
        self.calls = self.calls.checked_sub(1).ok_or(EntropyFailure)?;
        Ok(&mut self.rng)
    }
}

/// What [`FailingRng`] answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("simulated entropy failure")]
pub struct EntropyFailure;

impl TryRng for FailingRng {
    type Error = EntropyFailure;
    fn try_next_u32(&mut self) -> Result<u32, EntropyFailure> {
        let Ok(value) = self.call()?.try_next_u32();
        Ok(value)
    }
    fn try_next_u64(&mut self) -> Result<u64, EntropyFailure> {
        let Ok(value) = self.call()?.try_next_u64();
        Ok(value)
    }
    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), EntropyFailure> {
        let Ok(()) = self.call()?.try_fill_bytes(dst);
        Ok(())
    }
}

impl TryCryptoRng for FailingRng {}

/// The seed of `IOTSEC_SEED`, decimal or 0x-hexadecimal, or a fixed one.
///
/// # Panics
/// When the variable is set to something else: a replay with another seed would mislead.
pub(crate) fn default_seed() -> u64 {
    let Ok(text) = std::env::var("IOTSEC_SEED") else {
        return 0x1075_EC00;
    };
    let parsed = match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16),
        None => text.parse(),
    };
    parsed.unwrap_or_else(|_| panic!("IOTSEC_SEED is no number: {text}"))
}

/// The finalizer of SplitMix64.
pub(crate) const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
