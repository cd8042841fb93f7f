//! What the boot loader's check leaves.

use core::hint::black_box;

use iotsec_core::{
    crypto::{DIGEST_LEN, WIDE_DIGEST_LEN},
    hal::Slot,
};

use super::{
    super::{Verified, Version},
    Refusal,
};
use crate::fault::{self, Proof};

/// An image that was verified in its slot a moment ago and may be started there. Only [`select`](super::select) makes
/// one; the function that jumps should take it by value, so that one check serves for one start:
///
/// ```compile_fail,E0382
/// use iotsec_update::mcuboot::Startable;
///
/// fn jump(image: Startable) {}
/// fn twice(image: Startable) {
///     jump(image);
///     jump(image);
/// }
/// ```
///
/// It cannot be claimed:
///
/// ```compile_fail,E0451
/// use iotsec_core::hal::Slot;
/// use iotsec_update::mcuboot::Startable;
///
/// fn claim(image: Startable) -> Startable {
///     Startable { slot: Slot::B, ..image }
/// }
/// ```
#[derive(Debug, PartialEq, Eq)]
pub struct Startable {
    pub(super) slot: Slot,
    entry: u32,
    version: Version,
    pub(super) security_counter: u32,
    digest: [u8; WIDE_DIGEST_LEN],
    digest_len: usize,
    key: usize,
    pub(super) is_confirmed: bool,
    pub(super) reason: Reason,
    pub(super) proof: Proof,
}

/// Why a slot was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// It holds the newest image that may start, and that was confirmed.
    Active,
    /// It is started on trial. Unless it confirms itself, this was the only time.
    Trial,
    /// The other slot, with a newer image or one of unknown version, was refused for this reason.
    Fallback(Refusal),
    /// By their trailers neither slot may start. The image is good, but for this.
    LastResort(Refusal),
}

impl Startable {
    /// Of nothing yet, and so not proven.
    pub(super) const fn none(slot: Slot) -> Self {
        Self {
            slot,
            entry: 0,
            version: Version {
                major: 0,
                minor: 0,
                revision: 0,
                build: 0,
            },
            security_counter: 0,
            digest: [0; WIDE_DIGEST_LEN],
            digest_len: 0,
            key: 0,
            is_confirmed: false,
            reason: Reason::Active,
            proof: Proof::NONE,
        }
    }

    /// What the first look found in a slot that begins at `start`.
    pub(super) fn hold(&mut self, verified: &Verified, start: u32) {
        self.entry = start.saturating_add(verified.payload().start);
        self.version = verified.version();
        self.security_counter = verified.security_counter().unwrap_or(0);
        self.digest = *verified.wide_digest();
        self.digest_len = verified.digest().len();
        self.key = verified.key();
    }

    /// Whether every check of this image was made and passed. It always is, unless the core was made to skip an
    /// instruction: ask once more in the function that jumps, and reset if the answer is no.
    ///
    /// One skipped instruction on the way here makes an image that is not proven. What is left to the caller is
    /// where to jump: take it from here before the question and again after it.
    ///
    /// ```
    /// use core::hint::black_box;
    /// use iotsec_update::mcuboot::Startable;
    ///
    /// const FLASH: u32 = 0x0800_0000;
    ///
    /// fn start(image: Startable) {
    ///     let entry = FLASH + image.entry();
    ///     if !image.is_proven() || black_box(entry) != FLASH + black_box(&image).entry() {
    ///         return reset();
    ///     }
    ///     // Jump to what the vector table at `entry` says.
    /// }
    /// # fn reset() {}
    /// ```
    #[must_use]
    #[inline(never)]
    pub fn is_proven(&self) -> bool {
        let proof = Proof::new(self.front(), 0)
            .and(fault::slot(self.slot))
            .and(0)
            .and(fault::mask(self.front()))
            .and(self.security_counter)
            .and(self.entry);
        black_box(self.proof) == proof
    }
    /// The slot to start.
    pub const fn slot(&self) -> Slot {
        self.slot
    }
    /// Where the payload begins, counted from the start of the flash: on a Cortex-M its vector table.
    pub const fn entry(&self) -> u32 {
        self.entry
    }
    /// The version.
    pub const fn version(&self) -> Version {
        self.version
    }
    /// The security counter.
    pub const fn security_counter(&self) -> u32 {
        self.security_counter
    }
    /// The hash of what was signed, 32 or 64 bytes, as it was computed from flash: the measurement for attestation.
    pub fn digest(&self) -> &[u8] {
        self.digest.get(..self.digest_len).unwrap_or(&[])
    }
    /// Which of the keys signed.
    pub const fn key(&self) -> usize {
        self.key
    }
    /// Whether its trailer says that it was confirmed. One that was not has to confirm itself to be started again.
    pub const fn is_confirmed(&self) -> bool {
        self.is_confirmed
    }
    /// Why this slot.
    pub const fn reason(&self) -> Reason {
        self.reason
    }

    pub(super) fn front(&self) -> &[u8; DIGEST_LEN] {
        fault::front(&self.digest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A token with the proof that the second look makes of what it found, which is the same.
    fn proven() -> Startable {
        let mut image = Startable::none(Slot::B);
        (image.entry, image.security_counter) = (0x4200, 7);
        image.digest = [0x1A; WIDE_DIGEST_LEN];
        image.proof = proof(&image, 0);
        image
    }

    fn proof(image: &Startable, shortfall: u32) -> Proof {
        Proof::new(image.front(), 0)
            .and(fault::slot(image.slot))
            .and(shortfall)
            .and(fault::measured(image.front(), image.front()))
            .and(image.security_counter)
            .and(image.entry)
    }

    #[test]
    fn a_token_is_proven_only_for_what_both_looks_found() {
        assert!(proven().is_proven());
        assert!(!Startable::none(Slot::A).is_proven());
        let differs = |change: &dyn Fn(&mut Startable)| {
            let mut image = proven();
            change(&mut image);
            !image.is_proven()
        };
        assert!(differs(&|image| image.slot = Slot::A));
        assert!(differs(&|image| image.entry += 4));
        assert!(differs(&|image| image.security_counter += 1));
        assert!(differs(&|image| image.digest = [0x1B; WIDE_DIGEST_LEN]));
        assert!(differs(&|image| image.proof = Proof::NONE));
        assert!(differs(&|image| image.proof = proof(image, 1)), "below the floor");
        assert!(differs(&|image| {
            let other = [0x1B; DIGEST_LEN];
            image.proof = Proof::new(image.front(), 0)
                .and(fault::slot(image.slot))
                .and(0)
                .and(fault::measured(&other, image.front()))
                .and(image.security_counter)
                .and(image.entry);
        }));
    }
}
