//! Random words out of the seed of one debit.

use iotsec_core::{
    crypto::{CryptoError, DIGEST_LEN, Kdf},
    secret::Secret,
};

use super::{DrawError, REPORT_ID_LEN};

/// Bytes of a seed.
pub(super) const SEED_LEN: usize = 16;
/// Words for one answer. A discrete Laplace draw takes 19 on average in its worst case, where every second one
/// is a minus zero that has to be drawn again; more than this many comes with a chance below 2^-128, by the
/// moment generating function of the count with one word in 128 rejected.
const MAX_WORDS: u32 = 2048;
const DOMAIN: &[u8] = b"iotsec/telemetry/draw/v1";

/// HMAC-SHA-256 under the seed, in counter mode: the same seed gives the same words for ever, so an answer needs
/// no place of its own in storage.
pub(super) struct Draws<'k> {
    kdf: &'k dyn Kdf,
    seed: &'k Secret<SEED_LEN>,
    block: Secret<DIGEST_LEN>,
    /// Words taken.
    taken: u32,
}

impl<'k> Draws<'k> {
    pub(super) const fn new(seed: &'k Secret<SEED_LEN>, kdf: &'k dyn Kdf) -> Self {
        Self {
            kdf,
            seed,
            block: Secret::zero(),
            taken: 0,
        }
    }

    /// What names this report and no other; it tells nothing of the words.
    pub(super) fn report_id(&self) -> Result<[u8; REPORT_ID_LEN], CryptoError> {
        let hash = self.kdf.hmac(self.seed.expose(), &[DOMAIN, b"/id"])?;
        let mut id = [0; REPORT_ID_LEN];
        for (to, from) in id.iter_mut().zip(hash) {
            *to = from;
        }
        Ok(id)
    }

    /// 64 random bits.
    fn word(&mut self) -> Result<u64, DrawError> {
        /// Words in a block.
        const WORDS: u32 = 4;
        if self.taken >= MAX_WORDS {
            return Err(DrawError::Work);
        }
        let place = self.taken.checked_rem(WORDS).unwrap_or(0);
        if place == 0 {
            let block = self.taken.to_be_bytes();
            let hash = self.kdf.hmac(self.seed.expose(), &[DOMAIN, b"/words", &block])?;
            *self.block.expose_mut() = hash;
        }
        self.taken = self.taken.saturating_add(1);
        let place = usize::try_from(place).unwrap_or(0);
        let (words, _) = self.block.expose().as_chunks::<8>();
        words
            .get(place)
            .map(|word| u64::from_be_bytes(*word))
            .ok_or(DrawError::Work)
    }

    /// A number below `bound`, which is above zero and at most 2^57, every one with exactly the same chance.
    ///
    /// Words above the largest multiple of `bound` are drawn again: at most one in 128, whatever the answer will
    /// be.
    pub(super) fn below(&mut self, bound: u64) -> Result<u64, DrawError> {
        // 2^64 mod bound.
        let excess = bound.wrapping_neg().checked_rem(bound).ok_or(DrawError::Work)?;
        let highest = u64::MAX.wrapping_sub(excess);
        loop {
            let word = self.word()?;
            if word <= highest {
                return word.checked_rem(bound).ok_or(DrawError::Work);
            }
        }
    }

    /// True with probability exactly exp(-n/d), for `n <= d` and `0 < d` (arXiv 2004.00010, algorithm 1).
    pub(super) fn bernoulli_exp(&mut self, n: u64, d: u64) -> Result<bool, DrawError> {
        let mut k = 1u64;
        loop {
            let bound = d.checked_mul(k).ok_or(DrawError::Work)?;
            if self.below(bound)? >= n {
                return Ok(k & 1 == 1);
            }
            k = k.saturating_add(1);
        }
    }
}
