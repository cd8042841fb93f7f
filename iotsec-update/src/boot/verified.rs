//! What a boot check leaves.

use core::hint::black_box;

use iotsec_core::{crypto::DIGEST_LEN, hal::Slot};

use super::Refusal;
use crate::{
    SequenceNumber,
    fault::{self, Proof},
    journal::ManifestId,
};

/// An image that was verified in its slot a moment ago. Only [`select`](super::select) and [`verify`](super::verify()) make one; the
/// function that jumps should take it by value, so that one check serves for one start:
///
/// ```compile_fail,E0382
/// use iotsec_update::boot::Verified;
///
/// fn jump(image: Verified) {}
/// fn twice(image: Verified) {
///     jump(image);
///     jump(image);
/// }
/// ```
#[derive(Debug, PartialEq, Eq)]
pub struct Verified<const N: usize = 1> {
    pub(super) slot: Slot,
    pub(super) manifest: ManifestId,
    pub(super) parts: [Measured; N],
    pub(super) count: usize,
    /// Which of the parts is started.
    pub(super) started: usize,
    pub(super) reason: Reason,
    pub(super) proof: Proof,
}

/// A component as it was read from flash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measured {
    pub(super) place: usize,
    pub(super) digest: [u8; DIGEST_LEN],
    pub(super) size: u32,
}

impl Measured {
    pub(super) const NONE: Self = Self {
        place: 0,
        digest: [0; DIGEST_LEN],
        size: 0,
    };

    /// Its index among [`DeviceIdentity::components`](crate::DeviceIdentity::components).
    pub const fn place(&self) -> usize {
        self.place
    }
    /// SHA-256 of its bytes in flash: the measurement for attestation.
    pub const fn digest(&self) -> &[u8; DIGEST_LEN] {
        &self.digest
    }
    /// Bytes of it.
    pub const fn size(&self) -> u32 {
        self.size
    }
}

impl<const N: usize> Verified<N> {
    /// Of nothing yet, and so not proven.
    pub(super) const fn none(slot: Slot) -> Self {
        Self {
            slot,
            manifest: ManifestId {
                sequence: SequenceNumber(0),
                digest: [0; DIGEST_LEN],
            },
            parts: [Measured::NONE; N],
            count: 0,
            started: 0,
            reason: Reason::Active,
            proof: Proof::NONE,
        }
    }

    /// Whether every check of this image was made and passed. It always is, unless the core was made to skip an
    /// instruction: ask once more in the function that jumps, and reset if the answer is no.
    ///
    /// One skipped instruction on the way here makes an image that is not proven. What is left to the caller is
    /// where to jump: look it up before the question and again after it.
    ///
    /// ```
    /// use core::hint::black_box;
    /// use iotsec_core::hal::Slot;
    /// use iotsec_update::boot::Verified;
    ///
    /// fn start(image: &Verified) {
    ///     let entry = entry_of(image.slot());
    ///     if !image.is_proven() || black_box(entry) != entry_of(black_box(image).slot()) {
    ///         return reset();
    ///     }
    ///     // Jump to `entry`.
    /// }
    /// # fn entry_of(slot: Slot) -> u32 { match slot { Slot::A => 0x0801_0000, Slot::B => 0x0804_0000 } }
    /// # fn reset() {}
    /// ```
    #[must_use]
    #[inline(never)]
    pub fn is_proven(&self) -> bool {
        let proof = Proof::new(&self.manifest.digest, 0)
            .and(fault::slot(self.slot))
            .and(0);
        // Those that are there: a count that is out of range names none.
        let parts = self.components();
        let proof = proof.and(fault::count(parts.len()));
        let proof = parts
            .iter()
            .fold(proof, |proof, part| proof.and(fault::mask(&part.digest)));
        black_box(self.proof) == proof && !parts.is_empty()
    }
    /// The slot to start.
    pub const fn slot(&self) -> Slot {
        self.slot
    }
    /// The manifest that was authenticated.
    pub const fn manifest(&self) -> ManifestId {
        self.manifest
    }
    /// SHA-256 of the image that is started, as it was read from flash: the measurement for attestation.
    pub fn digest(&self) -> &[u8; DIGEST_LEN] {
        &self.image().digest
    }
    /// Bytes of the image that is started.
    pub fn size(&self) -> u32 {
        self.image().size
    }
    /// The component that is started.
    pub fn image(&self) -> &Measured {
        self.parts.get(self.started).unwrap_or(&Measured::NONE)
    }
    /// All components of the slot.
    pub fn components(&self) -> &[Measured] {
        self.parts.get(..self.count).unwrap_or_default()
    }
    /// Why this slot.
    pub const fn reason(&self) -> Reason {
        self.reason
    }
    /// What the application needs to know about itself to make an [`Updater`](crate::Updater).
    pub const fn running(&self) -> Running {
        Running {
            slot: self.slot,
            manifest: self.manifest,
        }
    }
}

/// Why a slot was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// It is the active one.
    Active,
    /// It is on trial, and this is boot number `boot` of it.
    Trial {
        /// Counted from 1.
        boot: u8,
    },
    /// The other slot was refused, for this reason.
    Fallback(Refusal),
    /// There is no journal, and this is the newer of what is there.
    NoJournal,
}

/// The running image, known by its authenticated manifest. It cannot be claimed:
///
/// ```compile_fail,E0451
/// use iotsec_core::hal::Slot;
/// use iotsec_update::{boot::Running, install::ManifestId};
///
/// fn claim(manifest: ManifestId) -> Running {
///     Running { slot: Slot::A, manifest }
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Running {
    pub(crate) slot: Slot,
    pub(crate) manifest: ManifestId,
}

impl Running {
    /// Its slot.
    pub const fn slot(&self) -> Slot {
        self.slot
    }
    /// Its manifest.
    pub const fn manifest(&self) -> ManifestId {
        self.manifest
    }
}
