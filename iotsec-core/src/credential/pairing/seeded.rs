use core::convert::Infallible;

use rand_core::{TryCryptoRng, TryRng};

use crate::{
    crypto::{CryptoError, Kdf},
    secret::Secret,
};

/// Random bytes from a seed that was drawn once, for a library that cannot be told that its source failed.
pub(super) struct Seeded<'k> {
    kdf: &'k dyn Kdf,
    seed: Secret<32>,
    counter: u32,
    error: Option<CryptoError>,
}

impl<'k> Seeded<'k> {
    pub(super) fn new<R: TryCryptoRng + ?Sized>(rng: &mut R, kdf: &'k dyn Kdf) -> Result<Self, CryptoError> {
        Ok(Self {
            kdf,
            seed: Secret::random(rng)?,
            counter: 0,
            error: None,
        })
    }

    /// Whether all that was handed out was random.
    pub(super) const fn check(&self) -> Result<(), CryptoError> {
        match self.error {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}

impl TryRng for Seeded<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        for chunk in out.chunks_mut(32) {
            self.counter = self.counter.wrapping_add(1);
            let parts: [&[u8]; 2] = [b"iotsec/pairing/rng/v1", &self.counter.to_be_bytes()];
            let block = self.kdf.hmac(self.seed.expose(), &parts).unwrap_or_else(|error| {
                self.error = Some(error);
                // Not zeros: whoever draws a scalar draws again for those.
                [1; 32]
            });
            for (to, from) in chunk.iter_mut().zip(Secret::from_bytes(block).expose()) {
                *to = *from;
            }
        }
        Ok(())
    }
}

impl TryCryptoRng for Seeded<'_> {}
