//! Decisions that hold although an instruction was skipped.
//!
//! A branch can be skipped, and with it the refusal that it led to. So each check is made twice, and the second
//! time decides nothing: it adds to a [`Proof`], a value that fits only when all of them were made and passed.
//! Whoever acts on the result compares the proof, which is one more decision, on a value that memory left over
//! from something else does not have. `cargo xtask fault-injection` tries every instruction.

use core::hint::black_box;

#[cfg(feature = "mcuboot")]
use iotsec_core::crypto::WIDE_DIGEST_LEN;
use iotsec_core::{crypto::DIGEST_LEN, hal::Slot};

/// What only the checks make, one after the other.
// The compiler sees that a second check repeats the first one, and would leave it out: hence every `black_box`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Proof(u32);

/// Far from zero, from all ones, and from any address.
const SEAL: u32 = 0xC3A5_5A3D;

impl Proof {
    /// Of nothing.
    pub(crate) const NONE: Self = Self(0);

    /// That the manifest with this digest was signed, unless there is a doubt: then of nothing.
    pub(crate) fn new(manifest: &[u8; DIGEST_LEN], doubt: u32) -> Self {
        Self(mask(manifest) ^ SEAL ^ doubt)
    }

    /// Whether it is the proof that the manifest with this digest was signed.
    pub(crate) fn fits(self, manifest: &[u8; DIGEST_LEN]) -> bool {
        black_box(self) == Self::new(manifest, 0)
    }

    /// That also this was checked.
    #[must_use]
    pub(crate) fn and(self, evidence: u32) -> Self {
        Self(black_box(self.0).rotate_left(5) ^ evidence)
    }
}

/// The evidence for a slot.
pub(crate) const fn slot(slot: Slot) -> u32 {
    match slot {
        Slot::A => 0x5A96_3C0F,
        Slot::B => 0xA569_C3F0,
    }
}

/// The evidence that what was measured is what was signed. It is that of the signed digest alone only if they are
/// equal.
#[inline(never)]
pub(crate) fn measured(measured: &[u8; DIGEST_LEN], signed: &[u8; DIGEST_LEN]) -> u32 {
    let (measured, signed) = (black_box(measured), black_box(signed));
    let (words, _) = measured.as_chunks::<4>();
    let (expected, _) = signed.as_chunks::<4>();
    let differences = words.iter().zip(expected).fold(0, |all, (a, b)| {
        all | (u32::from_be_bytes(*a) ^ u32::from_be_bytes(*b))
    });
    mask(signed) ^ differences
}

/// The part of a wide digest that evidence is made of.
#[cfg(feature = "mcuboot")]
pub(crate) fn front(digest: &[u8; WIDE_DIGEST_LEN]) -> &[u8; DIGEST_LEN] {
    digest.first_chunk().unwrap_or(&[0; DIGEST_LEN])
}

/// The evidence for a number.
pub(crate) fn number(number: u64) -> u32 {
    let [a, b, c, d, e, f, g, h] = black_box(number).to_be_bytes();
    u32::from_be_bytes([a, b, c, d]).rotate_left(16) ^ u32::from_be_bytes([e, f, g, h])
}

/// The evidence for a number of parts.
pub(crate) fn count(parts: usize) -> u32 {
    u32::try_from(black_box(parts)).unwrap_or(u32::MAX)
}

/// The start of a digest, to tell one from another.
pub(crate) fn mask(digest: &[u8; DIGEST_LEN]) -> u32 {
    let [a, b, c, d, ..] = *digest;
    u32::from_be_bytes([a, b, c, d])
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: [u8; DIGEST_LEN] = [0x4D; DIGEST_LEN];
    const IMAGE: [u8; DIGEST_LEN] = [0x1A; DIGEST_LEN];

    #[test]
    fn a_proof_is_of_one_manifest_and_of_no_doubt() {
        assert!(Proof::new(&MANIFEST, 0).fits(&MANIFEST));
        assert!(!Proof::new(&MANIFEST, 1).fits(&MANIFEST));
        assert!(!Proof::new(&IMAGE, 0).fits(&MANIFEST));
        assert!(!Proof::NONE.fits(&MANIFEST));
    }

    #[test]
    fn evidence_needs_every_byte_to_be_the_same() {
        assert_eq!(measured(&IMAGE, &IMAGE), mask(&IMAGE));
        for at in 0..DIGEST_LEN {
            let mut other = IMAGE;
            other[at] ^= 1;
            assert_ne!(measured(&other, &IMAGE), mask(&IMAGE), "byte {at}");
        }
    }

    #[test]
    fn every_check_counts_and_so_does_their_order() {
        let proof = Proof::new(&MANIFEST, 0);
        let both = proof.and(slot(Slot::A)).and(mask(&IMAGE));
        assert_ne!(both, proof);
        assert_ne!(both, proof.and(slot(Slot::A)));
        assert_ne!(both, proof.and(slot(Slot::B)).and(mask(&IMAGE)));
        assert_ne!(both, proof.and(mask(&IMAGE)).and(slot(Slot::A)));
    }
}
