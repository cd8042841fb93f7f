//! Counting the keys that signed.

use iotsec_core::{
    cose::{Algorithm, CoseError, Key, Sign, Signature},
    crypto::{CryptoError, Verify},
};

use super::{
    Trust,
    bundle::{Members, Role, TrustBundle},
    error::TrustError,
};

/// Checks signatures within a budget.
pub(super) struct Quorum<'s, L> {
    load: L,
    scratch: &'s mut [u8],
    checks_left: u8,
}

impl<'s, K: Verify, L: Fn(&Key<'_>) -> Result<K, CryptoError>> Quorum<'s, L> {
    pub(super) fn new(load: L, scratch: &'s mut [u8]) -> Self {
        Self {
            load,
            scratch,
            checks_left: Trust::MAX_CHECKS,
        }
    }

    /// Every key of the bundle can be used.
    pub(super) fn check_keys(&self, bundle: &TrustBundle<'_>) -> Result<(), TrustError> {
        for key in bundle.keys() {
            (self.load)(&key).map_err(|_| TrustError::KeyRefused)?;
        }
        Ok(())
    }

    /// Which keys of `role` signed `message`. Each counts once, however often it signed.
    // A frame of its own, like that of the signature check on updates.
    #[inline(never)]
    pub(super) fn signers(
        &mut self,
        message: &Sign<'_>,
        bundle: &TrustBundle<'_>,
        role: Role,
    ) -> Result<Members, TrustError> {
        let mut signed = Members::default();
        let Some(role) = bundle.members(role) else {
            return Err(TrustError::RoleAbsent);
        };
        for signature in message.signatures() {
            // One that nobody here can check counts for nothing.
            let Ok(signature) = signature else { continue };
            let mut open = role.members;
            open.0 &= !signed.0;
            if let Some(place) = self.signer(&signature, bundle, open)? {
                signed.add(place);
            }
        }
        Ok(signed)
    }

    /// Tries the keys that the kid points at, then the others.
    fn signer(
        &mut self,
        signature: &Signature<'_, '_>,
        bundle: &TrustBundle<'_>,
        open: Members,
    ) -> Result<Option<usize>, TrustError> {
        let key_type = signature.headers().algorithm.and_then(Algorithm::key_type);
        for hinted in [true, false] {
            for (place, key) in bundle.keys().enumerate() {
                let points_here = key.kid().is_some() && key.kid() == signature.headers().kid;
                if !open.contains(place) || points_here != hinted || Some(key.key_type()) != key_type {
                    continue;
                }
                self.checks_left = self
                    .checks_left
                    .checked_sub(1)
                    .ok_or(TrustError::SignatureChecks)?;
                let loaded = (self.load)(&key).map_err(|_| TrustError::KeyRefused)?;
                match signature.verify(&loaded, b"", self.scratch) {
                    Ok(_) => return Ok(Some(place)),
                    // The caller's mistake, which must not look like a forgery.
                    Err(CoseError::Scratch) => return Err(CoseError::Scratch.into()),
                    Err(_) => {}
                }
            }
        }
        Ok(None)
    }
}
