//! What a device is to others: its key, the request for a certificate over it, and how it gets a new one.
//!
//! A device key is any [`Sign`](crate::crypto::Sign): in memory, in the encrypted store, in a secure element.
//! Ed25519 where both ends are ours, P-256 where a cloud, Matter or a secure element asks for it.
//!
//! 1. The device makes its key, and [`CertificationRequest::write`] asks for a certificate over it.
//! 2. The maker's CA answers; [`CertificateKey::of`] tells whether the answer is for this key.
//! 3. Years later, [`Rotation`] does the same beside the old key, which stays until the new one was accepted.
//!
//! Where the boot chain measures each image before it starts it, [`DiceLayer`] derives a key from a secret of the
//! hardware and these measurements: other code, other key.
//!
//! Machines authenticate with these keys and never with passwords (EN 303 645 5.1-2A).
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

mod certificate;
mod der;
mod dice;
mod error;
mod hkdf512;
mod public;
mod request;
mod rotation;
mod subject;

pub use certificate::CertificateKey;
pub use dice::{DiceInputs, DiceLayer, DiceMode, dice_id};
pub use error::IdentityError;
pub use public::SubjectPublicKey;
pub use request::CertificationRequest;
pub use rotation::{
    Accepted, IdentityKey, IdentityPlace, IdentityStorage, ImportIdentity, Rotation, RotationError,
    RotationStatus, Trial,
};
pub use subject::Subject;

pub use crate::credential::StorageError;

#[cfg(all(test, feature = "p256"))]
mod tests;
