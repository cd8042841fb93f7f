//! The first meeting of a device and its owner, over a channel that anybody can read and change.
//!
//! The owner knows the set-up code on the label; the device knows a record made of it in the factory, which does not
//! say what the code is. SPAKE2+ (RFC 9383, P256-SHA256-HKDF-SHA256-HMAC-SHA256) shows each that the other knows its
//! half, and gives both the same keys. Whoever listens learns nothing to try codes on; whoever takes part tries one
//! code a run, and the device counts.
//!
//! ```text
//! device → owner   parameters                    PairingParameters, from the device or its label
//! owner  → device  owner's name, shareP          65 bytes
//! device → owner   shareV ‖ confirmV             97 bytes; the attempt is counted before they are computed
//! owner  → device  confirmP                      32 bytes
//! both             PairingKeys
//! ```
//!
//! | what | value |
//! |---|---|
//! | PBKDF2 password | each with its length in 8 bytes, little-endian: code, nothing, device's name (RFC 9383 §3.2; the owner is not known yet) |
//! | w0s ‖ w1s | PBKDF2-HMAC-SHA-256 of it, 80 bytes |
//! | context | `iotsec/pairing/v1` ‖ iterations in 4 bytes ‖ salt |
//! | identities | owner's name, device's name; both in the transcript, and again in the keys |
//! | keys | HKDF-SHA-256(K_shared, info = `iotsec/pairing/keys/v1` ‖ length and name of the owner ‖ length and name of the device, each length in 2 bytes) |
//!
//! What is written here has no panic that a message could reach. Some remain in the arithmetic that it stands on, which
//! `xtask/src/no_panic.rs` lists, each with the reason why nothing reaches it.
//!
//! A [`PairingWindow`] is open for minutes, after somebody was at the device or before it has its first owner; 20
//! failures close it, and so does a success. That number survives reboots, in a record of a [`Throttle`](super::Throttle).

mod code;
mod error;
mod matter;
mod owner;
mod record;
mod seeded;
mod window;

use spake2plus::{Context, P256Sha256};

pub use code::PairingCode;
pub use error::PairingError;
pub use matter::MatterVerifier;
pub use owner::{Owner, OwnerWaiting};
pub use record::{PairingParameters, PairingRecord};
pub use window::{DeviceWaiting, PairingWindow};

use crate::{crypto::Kdf, secret::Secret};

/// Bytes of `shareP`, an uncompressed point.
pub const SHARE_LEN: usize = 65;
/// Bytes of what the device answers: `shareV ‖ confirmV`.
pub const ANSWER_LEN: usize = SHARE_LEN + CONFIRM_LEN;
/// Bytes of `confirmP`.
pub const CONFIRM_LEN: usize = 32;
/// Most bytes of a name.
pub const MAX_NAME: usize = 64;

/// Who meets whom. The owner's name is whatever its application is known by, such as the fingerprint of its key; the
/// device's is on its label. Each is 1 to 64 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PairingNames<'a> {
    owner: &'a [u8],
    device: &'a [u8],
}

impl<'a> PairingNames<'a> {
    /// Takes both names.
    ///
    /// # Errors
    /// [`PairingError::Name`] when one is empty or longer than 64 bytes.
    pub fn new(owner: &'a [u8], device: &'a [u8]) -> Result<Self, PairingError> {
        check_name(owner)?;
        check_name(device)?;
        Ok(Self { owner, device })
    }
}

fn check_name(name: &[u8]) -> Result<(), PairingError> {
    if (1..=MAX_NAME).contains(&name.len()) {
        Ok(())
    } else {
        Err(PairingError::Name)
    }
}

/// What both ends hold after a pairing, and nobody else. Wiped on drop.
#[derive(Debug)]
pub struct PairingKeys {
    owner_to_device: Secret<32>,
    device_to_owner: Secret<32>,
    exporter: Secret<32>,
}

impl PairingKeys {
    fn derive(
        shared: &spake2plus::SharedKey<P256Sha256>,
        names: &PairingNames<'_>,
        kdf: &dyn Kdf,
    ) -> Result<Self, PairingError> {
        let len = |name: &[u8]| u16::try_from(name.len()).unwrap_or(u16::MAX).to_be_bytes();
        let (owner, device) = (len(names.owner), len(names.device));
        let info: [&[u8]; 5] = [KEYS, &owner, names.owner, &device, names.device];
        let mut out = Secret::<96>::zero();
        kdf.hkdf(b"", shared.as_bytes(), &info, out.expose_mut())?;
        let mut keys = Self {
            owner_to_device: Secret::zero(),
            device_to_owner: Secret::zero(),
            exporter: Secret::zero(),
        };
        let places = [
            &mut keys.owner_to_device,
            &mut keys.device_to_owner,
            &mut keys.exporter,
        ];
        for (place, bytes) in places.into_iter().zip(out.expose().as_chunks::<32>().0) {
            *place.expose_mut() = *bytes;
        }
        Ok(keys)
    }

    /// For what the owner sends. An AEAD's nonces must not repeat under it.
    pub const fn owner_to_device(&self) -> &Secret<32> {
        &self.owner_to_device
    }
    /// For what the device sends.
    pub const fn device_to_owner(&self) -> &Secret<32> {
        &self.device_to_owner
    }
    /// For anything else that both derive.
    pub const fn exporter(&self) -> &Secret<32> {
        &self.exporter
    }
}

/// What the transcript begins with, beside the names.
struct ContextBytes([u8; CONTEXT.len() + PairingParameters::LEN]);

impl ContextBytes {
    fn new(parameters: &PairingParameters) -> Self {
        let mut bytes = [0; CONTEXT.len() + PairingParameters::LEN];
        let source = CONTEXT.iter().chain(parameters.as_bytes());
        for (to, from) in bytes.iter_mut().zip(source) {
            *to = *from;
        }
        Self(bytes)
    }

    const fn with<'a>(&'a self, names: &PairingNames<'a>) -> Context<'a> {
        Context {
            context: &self.0,
            prover_id: names.owner,
            verifier_id: names.device,
        }
    }
}

const CONTEXT: &[u8] = b"iotsec/pairing/v1";
const KEYS: &[u8] = b"iotsec/pairing/keys/v1";

#[cfg(test)]
mod tests;
