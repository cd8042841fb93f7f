use iotsec_core::{
    crypto::{DIGEST_LEN, Digest, Kdf},
    hal::{MonotonicCounter, RootKey},
    secret::Secret,
};

use super::error::TrustError;

const DOMAIN: &[u8] = b"iotsec-trust-store/1";

/// What binds the stored bundle to this device and to this moment. Each is optional: TRUST.md says what
/// an attacker who writes to the flash can do without it.
#[derive(Default)]
pub struct Guard<'g> {
    counter: Option<&'g mut dyn MonotonicCounter>,
    seal: Option<Seal<'g>>,
}

impl<'g> Guard<'g> {
    /// Neither counter nor seal.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            counter: None,
            seal: None,
        }
    }

    /// With a counter of its own that follows the version, so that an older bundle cannot be put back.
    #[must_use]
    pub fn with_counter(mut self, counter: &'g mut dyn MonotonicCounter) -> Self {
        self.counter = Some(counter);
        self
    }

    /// With a seal, so that only this device can have written it.
    #[must_use]
    pub const fn with_seal(mut self, seal: Seal<'g>) -> Self {
        self.seal = Some(seal);
        self
    }

    pub(super) fn has_counter(&self) -> bool {
        self.counter.is_some()
    }

    pub(super) fn floor(&mut self) -> Result<u64, TrustError> {
        match &mut self.counter {
            Some(counter) => Ok(counter.read()?),
            None => Ok(0),
        }
    }

    pub(super) fn raise(&mut self, version: u64) -> Result<(), TrustError> {
        match &mut self.counter {
            Some(counter) => Ok(counter.advance_to(version)?),
            None => Ok(()),
        }
    }

    pub(super) fn tag(
        &self,
        head: &[u8],
        message: &[u8],
        hash: &mut dyn Digest,
    ) -> Result<[u8; DIGEST_LEN], TrustError> {
        let Some(seal) = &self.seal else {
            hash.reset();
            hash.update(DOMAIN);
            hash.update(head);
            hash.update(message);
            return Ok(hash.finish());
        };
        let mut key = Secret::zero();
        seal.root.derive(DOMAIN, &mut key)?;
        let tag = seal.kdf.hmac(key.expose(), &[DOMAIN, head, message]);
        Ok(tag.map_err(iotsec_core::cose::CoseError::from)?)
    }
}

impl core::fmt::Debug for Guard<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Guard")
            .field("counter", &self.counter.is_some())
            .field("seal", &self.seal.is_some())
            .finish()
    }
}

/// The device's root key and how to derive from it.
#[derive(Clone, Copy)]
pub struct Seal<'g> {
    /// The root key.
    pub root: &'g dyn RootKey,
    /// HMAC-SHA-256.
    pub kdf: &'g dyn Kdf,
}
