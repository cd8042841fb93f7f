//! Who has signed so far, recorded twice.

use core::hint::black_box;

use iotsec_core::{
    cose::{Algorithm, CoseError, Headers, Mac0, Sign1, Signature, Verified},
    crypto::{DIGEST_LEN, KeyType, Verify},
};

use super::TrustAnchors;
use crate::{
    error::UpdateError,
    fault::{Proof, mask},
};

/// One signature or MAC, whatever block it stands in.
pub(super) trait Vote {
    fn headers(&self) -> &Headers<'_>;
    /// The type of key that can check it.
    fn key_type(&self) -> Option<KeyType>;
    fn verify<'p>(
        &self,
        key: &dyn Verify,
        message: &'p [u8],
        scratch: &mut [u8],
    ) -> Result<Verified<'p>, CoseError>;
}

/// Which trust anchors have signed.
///
/// `signed` and `confirmed` say the same in different forms. They are written after separate checks and read
/// by separate decisions, so that a fault in one of them is noticed by the other.
pub(super) struct Tally<'t> {
    anchors: &'t TrustAnchors<'t>,
    message: &'t [u8],
    checks_left: u8,
    /// Bit 0 for the first anchor, and so on.
    signed: u8,
    /// The same bits over a mask, which is another one for every manifest: what an earlier call left on the
    /// stack does not fit.
    confirmed: u32,
    digest: &'t [u8; DIGEST_LEN],
}

/// One bit for each of [`TrustAnchors::MAX`] anchors.
const BITS: [u8; TrustAnchors::MAX] = [1, 2, 4, 8, 16, 32, 64, 128];
/// "Signature1", protected headers of up to 96 bytes, and the digest.
const SCRATCH: usize = 160;

impl<'t> Tally<'t> {
    pub(super) fn new(
        anchors: &'t TrustAnchors<'t>,
        message: &'t [u8],
        digest: &'t [u8; DIGEST_LEN],
        checks: u8,
    ) -> Self {
        Self {
            anchors,
            message,
            checks_left: checks,
            signed: 0,
            confirmed: black_box(mask(digest)),
            digest,
        }
    }

    /// Tries the keys that the vote's kid points at, then the others. A key counts once.
    pub(super) fn count(&mut self, vote: &dyn Vote) -> Result<(), UpdateError> {
        let key_type = vote.key_type();
        for hinted in [true, false] {
            for (bit, anchor) in BITS.iter().zip(self.anchors.anchors) {
                let points_here = anchor.kid.is_some() && anchor.kid == vote.headers().kid;
                if self.signed & bit != 0 || points_here != hinted || Some(anchor.key.key_type()) != key_type
                {
                    continue;
                }
                if !self.check(vote, anchor.key)? {
                    continue;
                }
                self.signed |= bit;
                // A check that a fault made pass does not pass twice.
                if !self.check(black_box(vote), black_box(anchor.key))? {
                    return Err(UpdateError::Unproven);
                }
                self.confirmed ^= u32::from(black_box(*bit));
                return Ok(());
            }
        }
        Ok(())
    }

    fn check(&mut self, vote: &dyn Vote, key: &dyn Verify) -> Result<bool, UpdateError> {
        self.checks_left = self
            .checks_left
            .checked_sub(1)
            .ok_or(UpdateError::SignatureChecks)?;
        Ok(verifies(vote, key, self.message))
    }

    /// The first decision.
    pub(super) fn reached(&self) -> bool {
        // The threshold is never zero, and is compared with what was counted, not counted down.
        self.signed.count_ones() >= u32::from(self.anchors.threshold) && self.anchors.threshold > 0
    }

    /// Who signed, by both records.
    pub(super) fn signers(&self) -> u8 {
        let [.., confirmed] = self.bits().to_be_bytes();
        self.signed & confirmed
    }

    /// The second decision, not taken here: without enough confirmed signatures the proof fits no manifest.
    #[inline(never)]
    pub(super) fn proof(&self) -> Proof {
        let bits = black_box(self.bits());
        let missing = u32::from(black_box(self.anchors.threshold)).saturating_sub(bits.count_ones());
        let foreign = bits >> BITS.len();
        Proof::new(self.digest, missing | foreign)
    }

    #[cfg(test)]
    pub(super) fn set(&mut self, signed: u8, confirmed: u32) {
        self.signed = signed;
        self.confirmed = confirmed ^ mask(self.digest);
    }

    fn bits(&self) -> u32 {
        self.confirmed ^ mask(self.digest)
    }
}

#[inline(never)]
fn verifies(vote: &dyn Vote, key: &dyn Verify, message: &[u8]) -> bool {
    let mut scratch = [0; SCRATCH];
    vote.verify(key, message, &mut scratch)
        .is_ok_and(|verified| verified.payload() == message)
}

impl Vote for Sign1<'_> {
    fn headers(&self) -> &Headers<'_> {
        self.headers()
    }
    fn key_type(&self) -> Option<KeyType> {
        self.headers().algorithm.and_then(Algorithm::key_type)
    }
    fn verify<'p>(
        &self,
        key: &dyn Verify,
        message: &'p [u8],
        scratch: &mut [u8],
    ) -> Result<Verified<'p>, CoseError> {
        self.verify_detached(key, message, b"", scratch)
    }
}

impl Vote for Signature<'_, '_> {
    fn headers(&self) -> &Headers<'_> {
        self.headers()
    }
    fn key_type(&self) -> Option<KeyType> {
        self.headers().algorithm.and_then(Algorithm::key_type)
    }
    fn verify<'p>(
        &self,
        key: &dyn Verify,
        message: &'p [u8],
        scratch: &mut [u8],
    ) -> Result<Verified<'p>, CoseError> {
        self.verify_detached(key, message, b"", scratch)
    }
}

impl Vote for Mac0<'_> {
    fn headers(&self) -> &Headers<'_> {
        self.headers()
    }
    fn key_type(&self) -> Option<KeyType> {
        // The check looks at the algorithm.
        Some(KeyType::HmacSha256)
    }
    fn verify<'p>(
        &self,
        key: &dyn Verify,
        message: &'p [u8],
        scratch: &mut [u8],
    ) -> Result<Verified<'p>, CoseError> {
        self.verify_detached(key, message, b"", scratch)
    }
}
