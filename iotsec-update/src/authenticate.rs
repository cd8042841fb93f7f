//! Trust anchors, thresholds and the signature check.
//!
//! The signature covers a digest, and the digest covers the manifest with the head of its byte string
//! (draft-ietf-suit-manifest-37 §8.3). Both are checked before one byte of the manifest is parsed.
//!
//! ```text
//! SUIT_Authentication = [bstr .cbor SUIT_Digest, * bstr .cbor Block]               ; detached payload
//! Block = COSE_Sign1_Tagged / COSE_Sign_Tagged / COSE_Mac0_Tagged                  ; 18, 98, 17
//! ```
//!
//! # Faults
//!
//! A pulse on the supply can make a core skip an instruction. Every decision here is therefore made twice,
//! from values that are computed apart: each good signature is checked a second time, who signed is recorded
//! in two forms, and the digest is compared again when the manifest is admitted. One skipped instruction does
//! not make an unsigned manifest pass.

mod tally;
#[cfg(test)]
mod tests;

use iotsec_core::{
    cbor::Reader,
    cose::{Mac0, Sign, Sign1},
    crypto::{DIGEST_LEN, Digest, Verify},
};

use crate::{
    command::count,
    digest,
    envelope::{Envelope, Limits},
    error::UpdateError,
    fault::Proof,
};
use tally::Tally;

/// A key whose signature counts.
///
/// A public key, such as an `Ed25519PublicKey` of `iotsec_core::crypto`, or, where the maker
/// chooses so, a [`SymmetricKey`](iotsec_core::crypto::SymmetricKey): it checks only the blocks that
/// [`TrustAnchors::with_mac0`] lets in, and every device that has it can sign for all others.
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
///
/// Anchors of different types make a hybrid: with one Ed25519 and one ML-DSA or HSS-LMS key and a threshold of
/// two, a forger has to break both.
#[derive(Clone, Copy)]
pub struct TrustAnchors<'a> {
    anchors: &'a [TrustAnchor<'a>],
    threshold: u8,
    // What is not named by the application is not linked.
    sign: Option<ReadBlock>,
    mac0: Option<ReadBlock>,
}

/// Reads one block and lets the tally count it.
type ReadBlock = fn(Reader<'_>, &mut Tally<'_>) -> Result<(), UpdateError>;

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
        Ok(Self {
            anchors,
            threshold,
            sign: None,
            mac0: None,
        })
    }

    /// Reads blocks of COSE_Sign (tag 98) too: several signatures in one block. Without this they count for
    /// nothing, and their code is not linked.
    #[must_use]
    pub fn with_sign(mut self) -> Self {
        self.sign = Some(read_sign);
        self
    }

    /// Reads blocks of COSE_Mac0 (tag 17) too, for anchors that are a
    /// [`SymmetricKey`](iotsec_core::crypto::SymmetricKey). Anchors that are public keys never check a MAC.
    ///
    /// Whoever can check a MAC can make one: an attacker who opens one device signs for every device with the
    /// same key.
    #[must_use]
    pub fn with_mac0(mut self) -> Self {
        self.mac0 = Some(read_mac0);
        self
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
    /// The digest that was signed.
    pub(crate) manifest_digest: [u8; DIGEST_LEN],
    signers: u8,
    pub(crate) proof: Proof,
}

impl<'a> Authenticated<'a> {
    /// The encoded manifest, for display. It was not parsed.
    ///
    /// # Errors
    /// None in practice: the envelope was checked to hold a byte string.
    pub fn manifest(&self) -> Result<&'a [u8], UpdateError> {
        Ok(self.envelope.manifest().bytes()?)
    }

    /// SHA-256 of the manifest: its identity.
    pub const fn manifest_digest(&self) -> &[u8; DIGEST_LEN] {
        &self.manifest_digest
    }

    /// Who signed: bit 0 for the first trust anchor, and so on. At least the threshold of them are set.
    pub const fn signers(&self) -> u8 {
        self.signers
    }

    /// The second decision, on what the first one did not look at: the proof of enough signatures, and the
    /// digest of the very bytes that will be parsed.
    #[inline(never)]
    pub(crate) fn check_again(&self, hash: &mut dyn Digest) -> Result<(), UpdateError> {
        let parsed_next = self.envelope.manifest().skip()?;
        let manifest_digest = digest::of(hash, parsed_next);
        if !digest::equal(&manifest_digest, &self.manifest_digest) || !self.proof.fits(&manifest_digest) {
            return Err(UpdateError::Unproven);
        }
        Ok(())
    }
}

const SIGN1: u64 = 18;
const SIGN: u64 = 98;
const MAC0: u64 = 17;

impl<'a> Envelope<'a> {
    /// Checks that enough different trusted keys signed this manifest.
    ///
    /// Blocks by unknown keys or with unknown algorithms are passed over: they count for nothing. A signature
    /// that is good is checked twice, against faults, and both count against
    /// [`Limits::signature_checks`].
    ///
    /// # Errors
    /// [`UpdateError::Unsigned`] without any block, [`UpdateError::Threshold`] with too few good ones
    /// (or [`UpdateError::Method`] or [`UpdateError::Cose`] when the only block cannot be read), [`UpdateError::Blocks`] and
    /// [`UpdateError::SignatureChecks`] beyond the limits, [`UpdateError::DigestAlgorithm`] unless the
    /// digest is SHA-256, [`UpdateError::ManifestDigest`] when another manifest was signed, and
    /// [`UpdateError::Unproven`] when a check that was passed does not hold a second time.
    // A frame of its own: neither what admission needs nor what the caller holds adds up with the 8 KB of a
    // signature check.
    #[inline(never)]
    pub fn authenticate(
        self,
        anchors: &TrustAnchors<'_>,
        hash: &mut dyn Digest,
    ) -> Result<Authenticated<'a>, UpdateError> {
        let mut wrapper = self.authentication().embedded(&self.limits.cbor(1))?;
        let blocks = count(wrapper.array()?).saturating_sub(1);
        let mut digest_reader = wrapper.embedded(&self.limits.cbor(1))?;
        let signed = digest_reader.rest();
        let digest = *digest::read(&mut digest_reader)?;
        if blocks == 0 {
            return Err(UpdateError::Unsigned);
        }
        if blocks > usize::from(self.limits.blocks) {
            return Err(UpdateError::Blocks);
        }

        let mut tally = Tally::new(anchors, signed, &digest, self.limits.signature_checks);
        let mut malformed = None;
        for _ in 0..blocks {
            match read_block(wrapper.bytes()?, anchors, &self.limits, &mut tally) {
                Ok(()) => {}
                Err(error @ (UpdateError::SignatureChecks | UpdateError::Unproven)) => return Err(error),
                Err(error) => malformed = Some(error),
            }
        }
        if !tally.reached() {
            return Err(match malformed {
                Some(error) if blocks == 1 => error,
                _ => UpdateError::Threshold,
            });
        }
        if !digest::equal(&digest::of(hash, self.manifest().skip()?), &digest) {
            return Err(UpdateError::ManifestDigest);
        }

        let authenticated = Authenticated {
            envelope: self,
            manifest_digest: digest,
            signers: tally.signers(),
            proof: tally.proof(),
        };
        authenticated.check_again(hash)?;
        Ok(authenticated)
    }
}

iotsec_core::claim! {
    provisions: ["5.3-7", "5.3-10"],
    claims: "An update counts only with enough signatures by different trusted keys, and nothing of its manifest is parsed before",
    code: [Envelope::authenticate],
    tests: [
        "iotsec-update::iotsec_update::authenticate::tests::only_distinct_keys_count_towards_the_threshold",
        "iotsec-update::iotsec_update::authenticate::tests::the_manifest_is_not_parsed_before_it_is_authentic",
    ],
}

iotsec_core::claim! {
    provisions: ["5.3-7"],
    claims: "Updates are signed with Ed25519 or ECDSA P-256, and what RFC 8032 and FIPS 186 forbid is no signature",
    code: [Envelope::authenticate],
    tests: [
        "iotsec-update::iotsec_update::authenticate::tests::keys_of_both_types_sign_together",
        "iotsec-core::crypto_vectors::ed25519_signs_and_verifies_as_rfc_8032_says_and_refuses_what_it_forbids",
        "iotsec-core::crypto_vectors::p256_signs_and_verifies_as_rfc_6979_says_and_refuses_what_fips_186_forbids",
    ],
}

fn read_block(
    block: &[u8],
    anchors: &TrustAnchors<'_>,
    limits: &Limits,
    tally: &mut Tally<'_>,
) -> Result<(), UpdateError> {
    // COSE_Sign has one level more than COSE_Sign1.
    let reader = Reader::new(block, &limits.cbor(6))?;
    let read = match reader.clone().tag() {
        Ok(SIGN1) => return read_sign1(reader, tally),
        Ok(SIGN) => anchors.sign,
        Ok(MAC0) => anchors.mac0,
        _ => None,
    };
    read.ok_or(UpdateError::Method)?(reader, tally)
}

// A frame of its own: what was read of the block is large.
#[inline(never)]
fn read_sign1(mut reader: Reader<'_>, tally: &mut Tally<'_>) -> Result<(), UpdateError> {
    tally.count(&Sign1::read(&mut reader)?)
}

fn read_mac0(mut reader: Reader<'_>, tally: &mut Tally<'_>) -> Result<(), UpdateError> {
    tally.count(&Mac0::read(&mut reader)?)
}

fn read_sign(mut reader: Reader<'_>, tally: &mut Tally<'_>) -> Result<(), UpdateError> {
    // A signature that nobody here can check spoils only itself.
    for signature in Sign::read(&mut reader)?.signatures().flatten() {
        tally.count(&signature)?;
    }
    Ok(())
}
