use rand_core::{CryptoRng, TryCryptoRng};
use spake2plus::{ConfirmV, Context, P256Sha256, Prover, ProverSecret, ShareV, SharedKey};

use super::{
    ANSWER_LEN, CONFIRM_LEN, ContextBytes, PairingCode, PairingError, PairingKeys, PairingNames,
    PairingParameters, SHARE_LEN, record::stretch, seeded::Seeded,
};
use crate::crypto::Kdf;

/// The owner's side, which knows the code. A whole run is at [`PairingWindow`](super::PairingWindow).
pub struct Owner<'a> {
    names: PairingNames<'a>,
    context: ContextBytes,
    secret: ProverSecret<P256Sha256>,
}

impl<'a> Owner<'a> {
    /// Stretches the code, which takes `iterations` times three HMACs.
    ///
    /// # Errors
    /// [`PairingError::Crypto`] from a driver.
    pub fn new(
        code: &PairingCode,
        names: PairingNames<'a>,
        parameters: &PairingParameters,
        kdf: &dyn Kdf,
    ) -> Result<Self, PairingError> {
        Ok(Self {
            names,
            context: ContextBytes::new(parameters),
            secret: stretch(code, names.device, parameters, kdf)?,
        })
    }

    /// Begins a run. The share goes to the device.
    ///
    /// # Errors
    /// [`PairingError::Crypto`] when the source of randomness fails.
    pub fn start<R: TryCryptoRng + ?Sized>(
        &self,
        rng: &mut R,
        kdf: &dyn Kdf,
    ) -> Result<(OwnerWaiting<'a>, [u8; SHARE_LEN]), PairingError> {
        let mut seeded = Seeded::new(rng, kdf)?;
        let (prover, share) = begin(&self.secret, &self.context.with(&self.names), &mut seeded);
        seeded.check()?;
        let waiting = OwnerWaiting {
            names: self.names,
            prover,
        };
        Ok((waiting, share))
    }
}

/// The owner's side, after its share went out.
#[must_use = "the device answers"]
pub struct OwnerWaiting<'a> {
    names: PairingNames<'a>,
    prover: Prover<P256Sha256>,
}

impl OwnerWaiting<'_> {
    /// Takes the device's answer. What comes back goes to the device; it says nothing about the code, for the device
    /// has shown that it knows its half.
    ///
    /// # Errors
    /// [`PairingError::Message`] for a share that is no point; [`PairingError::Refused`] when the device does not know
    /// the record of this code: not this device, another code, or changed messages.
    pub fn finish(
        self,
        answer: &[u8; ANSWER_LEN],
        kdf: &dyn Kdf,
    ) -> Result<([u8; CONFIRM_LEN], PairingKeys), PairingError> {
        let (confirm, shared) = end(self.prover, answer)?;
        Ok((confirm, PairingKeys::derive(&shared, &self.names, kdf)?))
    }
}

pub(super) fn begin<R: CryptoRng>(
    secret: &ProverSecret<P256Sha256>,
    context: &Context<'_>,
    rng: &mut R,
) -> (Prover<P256Sha256>, [u8; SHARE_LEN]) {
    let (prover, share) = Prover::start(secret, context, rng);
    (prover, *share.as_bytes())
}

pub(super) fn end(
    prover: Prover<P256Sha256>,
    answer: &[u8; ANSWER_LEN],
) -> Result<([u8; CONFIRM_LEN], SharedKey<P256Sha256>), PairingError> {
    let malformed = |_| PairingError::Message;
    let (share, confirm) = answer.split_at(SHARE_LEN);
    let share = ShareV::from_bytes(share).map_err(malformed)?;
    let confirm = ConfirmV::from_bytes(confirm).map_err(malformed)?;
    let confirming = prover.receive(&share).map_err(malformed)?;
    let (confirm, shared) = confirming.finish(&confirm).map_err(|_| PairingError::Refused)?;
    Ok((*confirm.as_bytes(), shared))
}

impl core::fmt::Debug for Owner<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Owner")
            .field("names", &self.names)
            .finish_non_exhaustive()
    }
}

impl core::fmt::Debug for OwnerWaiting<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("OwnerWaiting")
            .field("names", &self.names)
            .finish_non_exhaustive()
    }
}
