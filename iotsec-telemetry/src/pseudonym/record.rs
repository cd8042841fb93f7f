//! The stored form of a trail (`FORMAT.md`, "Trail record").

use iotsec_core::{
    crypto::{CryptoError, Kdf},
    secret::Secret,
};

use super::{Epoch, MAX_EPOCHS, Pseudonym};
use crate::{
    consent::{Consents, crc32},
    registry::Purpose,
};

/// Bytes of a stored trail (`FORMAT.md`, "Trail record").
pub const TRAIL_RECORD_LEN: usize = 56;

const DOMAIN: &[u8] = b"iotsec/telemetry/trail/v1";
const VERSION: u8 = 1;
const CRC_AT: usize = 52;
/// Far apart in bits, so that decay does not turn one into the other.
const OPEN: u8 = 0x3C;
const ASKED: u8 = 0xC3;

/// The identifiers of one purpose in one life of the device, under one consent.
pub(crate) struct Trail {
    pub(crate) purpose: Purpose,
    /// Whether its deletion was asked for by itself.
    pub(crate) asked: bool,
    pub(crate) life: u32,
    /// The generation of the consent; zero where none is needed.
    pub(crate) grant: u32,
    pub(crate) first: Epoch,
    pub(crate) last: Epoch,
    /// What everything of it comes from. It never leaves.
    pub(crate) root: Secret<32>,
}

impl Trail {
    /// The secret that pseudonyms come from, and that a deletion request tells.
    pub(crate) fn secret(&self, kdf: &dyn Kdf) -> Result<Secret<32>, CryptoError> {
        self.derive(kdf, b"/names", &[])
    }

    /// The identifier in `epoch`.
    pub(crate) fn pseudonym(&self, epoch: Epoch, kdf: &dyn Kdf) -> Result<Pseudonym, CryptoError> {
        Pseudonym::derive(&self.secret(kdf)?, self.purpose, epoch, kdf)
    }

    /// What batches under the pseudonym of `epoch` shift their numbers by.
    pub(crate) fn shifts(&self, kdf: &dyn Kdf, epoch: Epoch) -> Result<Secret<32>, CryptoError> {
        self.derive(kdf, b"/shifts", &epoch.0.to_be_bytes())
    }

    fn derive(&self, kdf: &dyn Kdf, what: &[u8], epoch: &[u8]) -> Result<Secret<32>, CryptoError> {
        let parts = [DOMAIN, what, epoch];
        Ok(Secret::from_bytes(kdf.hmac(self.root.expose(), &parts)?))
    }

    /// Whether identifiers may still come from it.
    pub(crate) fn is_current(&self, life: u32, purpose: Purpose, grant: u32) -> bool {
        !self.asked && (self.life, self.purpose, self.grant) == (life, purpose, grant)
    }

    /// Whether what was sent under it is to be deleted.
    pub(crate) fn is_due(&self, life: u32, consents: &Consents) -> bool {
        self.asked || self.life != life || consents.has_ended(self.purpose, self.grant)
    }

    pub(crate) fn to_bytes(&self) -> Secret<TRAIL_RECORD_LEN> {
        let state = if self.asked { ASKED } else { OPEN };
        let mut bytes = Secret::zero();
        let body = [VERSION, self.purpose.number(), state, 0]
            .into_iter()
            .chain(self.life.to_be_bytes())
            .chain(self.grant.to_be_bytes())
            .chain(self.first.0.to_be_bytes())
            .chain(self.last.0.to_be_bytes())
            .chain(self.root.expose().iter().copied());
        for (to, from) in bytes.expose_mut().iter_mut().zip(body) {
            *to = from;
        }
        let (body, checksum) = bytes.expose_mut().split_at_mut(CRC_AT);
        for (to, from) in checksum.iter_mut().zip(crc32(body).to_be_bytes()) {
            *to = from;
        }
        bytes
    }

    /// `None` for anything but what [`to_bytes`](Self::to_bytes) makes.
    pub(crate) fn from_bytes(bytes: &[u8; TRAIL_RECORD_LEN]) -> Option<Self> {
        let (body, checksum) = bytes.split_at_checked(CRC_AT)?;
        if checksum != crc32(body).to_be_bytes() {
            return None;
        }
        let (&[version, purpose, state, zero], rest) = body.split_first_chunk()?;
        let (life, rest) = rest.split_first_chunk()?;
        let (grant, rest) = rest.split_first_chunk()?;
        let (first, rest) = rest.split_first_chunk()?;
        let (last, root) = rest.split_first_chunk()?;
        let trail = Self {
            purpose: purpose_of(purpose)?,
            asked: match state {
                OPEN => false,
                ASKED => true,
                _ => return None,
            },
            life: u32::from_be_bytes(*life),
            grant: u32::from_be_bytes(*grant),
            first: Epoch(u32::from_be_bytes(*first)),
            last: Epoch(u32::from_be_bytes(*last)),
            root: Secret::from_slice(root).ok()?,
        };
        let consistent = (version, zero) == (VERSION, 0)
            && is_span(trail.first, trail.last)
            && (trail.grant != 0) == trail.purpose.needs_consent();
        consistent.then_some(trail)
    }
}

/// Whether a trail may reach from `first` to `last`.
pub(crate) fn is_span(first: Epoch, last: Epoch) -> bool {
    last.0.checked_sub(first.0).is_some_and(|span| span < MAX_EPOCHS)
}

/// The purpose with this number.
pub(crate) fn purpose_of(number: u8) -> Option<Purpose> {
    Purpose::ALL
        .into_iter()
        .find(|purpose| purpose.number() == number)
}
