//! Trust anchors, thresholds and the signature check.

use crate::{
    admission::{DeviceIdentity, Policy},
    error::UpdateError,
    plan::{Accepted, Bootable},
};
use iotsec_core::crypto::{Digest, Verify};

/// A public key whose signature counts.
#[derive(Clone, Copy)]
pub struct TrustAnchor<'a> {
    /// The key. Its type decides which algorithms it accepts.
    pub key: &'a dyn Verify,
    /// The key identifier that signers are expected to use: a hint for the order of trying, no more.
    pub kid: Option<&'a [u8]>,
}

/// Keys of which `threshold` different ones must have signed.
#[derive(Clone, Copy)]
pub struct TrustAnchors<'a> {
    anchors: &'a [TrustAnchor<'a>],
    threshold: u8,
}

impl<'a> TrustAnchors<'a> {
    /// Any `threshold` of `anchors`.
    ///
    /// # Errors
    /// [`UpdateError::TrustAnchors`] when `threshold` is zero or more than there are anchors, when two
    /// anchors are the same key, and for more than 8 anchors.
    pub fn new(anchors: &'a [TrustAnchor<'a>], threshold: u8) -> Result<Self, UpdateError> {
        Ok(Self { anchors, threshold })
    }
}

/// An envelope whose manifest was signed by enough trusted keys. Only
/// [`Envelope::authenticate`](crate::Envelope::authenticate) makes one.
#[derive(Clone, Debug)]
pub struct Authenticated<'a> {
    envelope: &'a [u8],
    manifest_digest: [u8; 32],
}

impl<'a> Authenticated<'a> {
    /// Checks that the manifest is safe to install on this device.
    ///
    /// # Errors
    /// [`UpdateError`]
    pub fn admit(
        self,
        device: &DeviceIdentity<'_>,
        policy: &Policy,
        hash: &mut dyn Digest,
    ) -> Result<Accepted<'a>, UpdateError> {
        let _ = (device, policy, hash, self.envelope, self.manifest_digest);
        Err(UpdateError::Unsigned)
    }

    /// Checks that the manifest is safe to boot from, which a manifest may be even when the section
    /// that installed it was severed since.
    ///
    /// # Errors
    /// [`UpdateError`]
    pub fn admit_for_boot(
        self,
        device: &DeviceIdentity<'_>,
        policy: &Policy,
        hash: &mut dyn Digest,
    ) -> Result<Bootable<'a>, UpdateError> {
        let _ = (device, policy, hash, self.envelope, self.manifest_digest);
        Err(UpdateError::Unsigned)
    }
}
