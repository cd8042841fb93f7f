//! Trust anchors, thresholds and the signature check.
//!
//! The signature covers a digest, and the digest covers the manifest with the head of its byte string
//! (draft-ietf-suit-manifest-37 §8.3). Both are checked before one byte of the manifest is parsed.
//!
//! ```text
//! SUIT_Authentication = [bstr .cbor SUIT_Digest, * bstr .cbor COSE_Sign1_Tagged]  ; detached payload
//! ```

#[cfg(test)]
mod tests;

use iotsec_core::{
    cbor::Reader,
    cose::{Algorithm, CoseError, Sign1},
    crypto::{DIGEST_LEN, Digest, Verify},
};

use crate::{
    digest,
    envelope::{Envelope, Limits},
    error::UpdateError,
};

/// A public key whose signature counts.
#[derive(Clone, Copy)]
pub struct TrustAnchor<'a> {
    /// The key. Its type decides which algorithms it accepts.
    pub key: &'a dyn Verify,
    /// The key identifier that its signer uses: a hint for the order of trying, and no more.
    pub kid: Option<&'a [u8]>,
}

/// Keys of which a number of different ones must have signed.
///
/// ```
/// use iotsec_core::{
///     crypto::{Ed25519PublicKey, Ed25519SigningKey, Sign},
///     secret::Secret,
/// };
/// use iotsec_update::{TrustAnchor, TrustAnchors, UpdateError};
///
/// let maker = Ed25519SigningKey::from_seed(&Secret::from_bytes([1; 32]));
/// let maker = Ed25519PublicKey::from_bytes(maker.public_key())?;
/// let anchor = TrustAnchor { key: &maker, kid: Some(b"maker-2026") };
/// assert!(TrustAnchors::new(&[anchor], 1).is_ok());
/// // One key is one key, whatever names it goes by.
/// let alias = TrustAnchor { key: &maker, kid: Some(b"operator") };
/// assert_eq!(TrustAnchors::new(&[anchor, alias], 2).err(), Some(UpdateError::TrustAnchors));
/// # Ok::<(), iotsec_core::crypto::CryptoError>(())
/// ```
#[derive(Clone, Copy)]
pub struct TrustAnchors<'a> {
    anchors: &'a [TrustAnchor<'a>],
    threshold: u8,
}

impl<'a> TrustAnchors<'a> {
    /// Keys at most.
    pub const MAX: usize = 8;

    /// Any `threshold` of `anchors`.
    ///
    /// # Errors
    /// [`UpdateError::TrustAnchors`] when `threshold` is zero or above the number of anchors, when two
    /// anchors are the same key, and for more than [`MAX`](Self::MAX) anchors.
    pub fn new(anchors: &'a [TrustAnchor<'a>], threshold: u8) -> Result<Self, UpdateError> {
        let same =
            |a: &dyn Verify, b: &dyn Verify| a.key_type() == b.key_type() && a.public_key() == b.public_key();
        let mut rest = anchors;
        let mut twice = false;
        while let Some((first, others)) = rest.split_first() {
            twice |= others.iter().any(|other| same(first.key, other.key));
            rest = others;
        }
        if twice || threshold == 0 || usize::from(threshold) > anchors.len() || anchors.len() > Self::MAX {
            return Err(UpdateError::TrustAnchors);
        }
        Ok(Self { anchors, threshold })
    }
}

impl core::fmt::Debug for TrustAnchors<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("TrustAnchors")
            .field("anchors", &self.anchors.len())
            .field("threshold", &self.threshold)
            .finish()
    }
}

/// An envelope whose manifest was signed by enough trusted keys. Only [`Envelope::authenticate`] makes
/// one. The manifest is genuine; whether it is safe here and now is for
/// [`admit`](Authenticated::admit) to say.
#[derive(Clone, Debug)]
pub struct Authenticated<'a> {
    pub(crate) envelope: Envelope<'a>,
    pub(crate) manifest: Reader<'a>,
    pub(crate) manifest_digest: [u8; DIGEST_LEN],
}

impl<'a> Authenticated<'a> {
    /// The encoded manifest, for display. It was not parsed.
    ///
    /// # Errors
    /// None in practice: the envelope was checked to hold a byte string.
    pub fn manifest(&self) -> Result<&'a [u8], UpdateError> {
        Ok(self.manifest.clone().bytes()?)
    }

    /// SHA-256 of the manifest: its identity.
    pub const fn manifest_digest(&self) -> &[u8; DIGEST_LEN] {
        &self.manifest_digest
    }
}

/// The tag of COSE_Sign1.
const SIGN1: u64 = 18;
/// "Signature1", a protected header of up to 256 bytes, and the digest.
const SCRATCH: usize = 320;

impl<'a> Envelope<'a> {
    /// Checks that enough different trusted keys signed this manifest.
    ///
    /// Blocks by unknown keys or with unknown algorithms are passed over: they count for nothing.
    ///
    /// # Errors
    /// [`UpdateError::Unsigned`] without any block, [`UpdateError::Threshold`] with too few good ones
    /// (or [`UpdateError::Method`] or [`UpdateError::Cose`] when the only block cannot be read), [`UpdateError::Blocks`] and
    /// [`UpdateError::SignatureChecks`] beyond the limits, [`UpdateError::DigestAlgorithm`] unless the
    /// digest is SHA-256, and [`UpdateError::ManifestDigest`] when another manifest was signed.
    // A frame of its own: neither what admission needs nor what the caller holds adds up with the 8 KB of a
    // signature check.
    #[inline(never)]
    pub fn authenticate(
        self,
        anchors: &TrustAnchors<'_>,
        hash: &mut dyn Digest,
    ) -> Result<Authenticated<'a>, UpdateError> {
        let mut wrapper = self.authentication.clone().embedded(&self.limits.cbor(1))?;
        let blocks = wrapper.array()?.saturating_sub(1);
        let mut digest_reader = wrapper.clone().embedded(&self.limits.cbor(1))?;
        let signed = wrapper.bytes()?;
        let digest = digest::read(&mut digest_reader)?;
        if blocks == 0 {
            return Err(UpdateError::Unsigned);
        }
        if blocks > u64::from(self.limits.blocks) {
            return Err(UpdateError::Blocks);
        }

        let mut tally = Tally::new(anchors, &self.limits);
        let mut malformed = None;
        for _ in 0..blocks {
            match parse_block(wrapper.bytes()?, &self.limits) {
                Ok(block) => tally.count(&block, signed)?,
                Err(error) => malformed = Some(error),
            }
        }
        if !tally.reached() {
            return Err(match malformed {
                Some(error) if blocks == 1 => error,
                _ => UpdateError::Threshold,
            });
        }

        let manifest_digest = digest::of(hash, self.manifest.encoded);
        if !digest::equal(&manifest_digest, digest) {
            return Err(UpdateError::ManifestDigest);
        }
        let manifest = self.manifest.reader.clone();
        Ok(Authenticated {
            envelope: self,
            manifest,
            manifest_digest,
        })
    }
}

fn parse_block<'b>(block: &'b [u8], limits: &Limits) -> Result<Sign1<'b>, UpdateError> {
    // COSE_Sign has one level more than COSE_Sign1.
    let mut reader = Reader::new(block, &limits.cbor(6))?;
    if !reader.clone().tag().is_ok_and(|tag| tag == SIGN1) {
        return Err(UpdateError::Method);
    }
    Ok(Sign1::read(&mut reader)?)
}

/// Which trust anchors have signed so far.
struct Tally<'t> {
    anchors: &'t TrustAnchors<'t>,
    signed: [bool; TrustAnchors::MAX],
    checks_left: u8,
}

impl<'t> Tally<'t> {
    fn new(anchors: &'t TrustAnchors<'t>, limits: &Limits) -> Self {
        Self {
            anchors,
            signed: [false; TrustAnchors::MAX],
            checks_left: limits.signature_checks,
        }
    }

    /// Tries the keys that the block's kid points at, then the others. A key counts once.
    fn count(&mut self, block: &Sign1<'_>, message: &[u8]) -> Result<(), UpdateError> {
        let key_type = block.headers().algorithm.and_then(Algorithm::key_type);
        for hinted in [true, false] {
            let anchors = self.anchors.anchors.iter().zip(&mut self.signed);
            for (anchor, signed) in anchors {
                let points_here = anchor.kid.is_some() && anchor.kid == block.headers().kid;
                if *signed || points_here != hinted || Some(anchor.key.key_type()) != key_type {
                    continue;
                }
                self.checks_left = self
                    .checks_left
                    .checked_sub(1)
                    .ok_or(UpdateError::SignatureChecks)?;
                if verifies(block, anchor.key, message) {
                    *signed = true;
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn reached(&self) -> bool {
        let signed = self.signed.iter().filter(|signed| **signed).count();
        // The threshold is never zero, and is compared with what was counted, not counted down.
        signed >= usize::from(self.anchors.threshold) && self.anchors.threshold > 0
    }
}

fn verifies(block: &Sign1<'_>, key: &dyn Verify, message: &[u8]) -> bool {
    let mut scratch = [0; SCRATCH];
    let checked: Result<_, CoseError> = block.verify_detached(key, message, b"", &mut scratch);
    checked.is_ok_and(|verified| verified.payload() == message)
}
