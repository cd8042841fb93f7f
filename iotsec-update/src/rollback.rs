//! The sequence number and the security counter.
//!
//! They are two things. The *sequence number* orders the manifests of a device: one per release, and it
//! lives in flash, in the signed envelope of the running image and in the journal. The *security counter*
//! lives in hardware that does not go back ([`MonotonicCounter`]), often fuses of which there are few; it
//! is the floor below which nothing boots, whatever happened to the flash.
//!
//! The counter is the sequence number shifted right by a number of bits that the maker chooses once for
//! the product. With a shift of 8, releases 0x0100 to 0x01FF all have security counter 1 and can be
//! swapped freely by the boot loader; release 0x0200, made because a hole was closed, has counter 2, and
//! once it is accepted nothing below boots any more. With a shift of 0 every accepted release raises
//! the floor, and the image before it is no fallback any longer.
//!
//! The counter rises when a trial is accepted, at no other time: first the journal says that the image is
//! accepted, then the counter is advanced. A cut between the two is repaired at the next boot. The other
//! order could leave a device whose only accepted image lies below its own floor.

use core::hint::black_box;

use iotsec_core::{
    error::{ErrorCode, Fault},
    hal::{CounterError, MonotonicCounter, UnixTime},
};

use crate::{Policy, SequenceNumber};

/// What the hardware counter holds: the least that may boot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecurityCounter(pub u64);

/// How sequence numbers map to the security counter, and how far they may move.
///
/// ```
/// use iotsec_update::{SequenceNumber, rollback::{RollbackPolicy, SecurityCounter}};
///
/// let policy = RollbackPolicy::new(8)?.with_max_jump(1 << 16);
/// assert_eq!(policy.security_counter(SequenceNumber(0x01FF)), SecurityCounter(1));
/// assert!(RollbackPolicy::new(64).is_err(), "would map everything to zero");
/// # Ok::<(), iotsec_update::rollback::RollbackError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RollbackPolicy {
    shift: u32,
    max_jump: u64,
    reinstall: bool,
}

impl RollbackPolicy {
    /// Shifts by `shift` bits; no reinstallation of the same number; jumps of at most 2^32, which lets
    /// Unix times serve as sequence numbers and keeps one mistaken signature from using up all numbers.
    ///
    /// # Errors
    /// [`RollbackError::Shift`] for 64 and above: all images would be equal.
    pub const fn new(shift: u32) -> Result<Self, RollbackError> {
        if shift >= 64 {
            return Err(RollbackError::Shift);
        }
        Ok(Self {
            shift,
            max_jump: 1 << 32,
            reinstall: false,
        })
    }

    /// How far above the installed sequence number a new one may lie.
    #[must_use]
    pub const fn with_max_jump(mut self, max_jump: u64) -> Self {
        self.max_jump = max_jump;
        self
    }

    /// Whether a manifest with the installed sequence number may be installed again.
    #[must_use]
    pub const fn with_reinstall(mut self, reinstall: bool) -> Self {
        self.reinstall = reinstall;
        self
    }

    /// The security counter of a sequence number.
    pub const fn security_counter(&self, sequence: SequenceNumber) -> SecurityCounter {
        match sequence.0.checked_shr(self.shift) {
            Some(value) => SecurityCounter(value),
            None => SecurityCounter(0),
        }
    }

    /// The same limits for [`admit`](crate::Authenticated::admit).
    pub const fn admission(&self, installed: SequenceNumber, now: Option<UnixTime>) -> Policy {
        Policy {
            installed,
            reinstall: self.reinstall,
            max_jump: self.max_jump,
            now,
            ..Policy::newer_than(installed)
        }
    }
}

/// A [`RollbackPolicy`] with the counter that enforces it.
///
/// ```
/// use iotsec_testkit::SimCounter;
/// use iotsec_update::{SequenceNumber, rollback::{Rollback, RollbackError, RollbackPolicy}};
///
/// let mut counter = SimCounter::new().at(2);
/// let mut rollback = Rollback::new(&mut counter, RollbackPolicy::new(8)?.with_max_jump(0x1000));
/// let installed = SequenceNumber(0x0200);
/// assert_eq!(rollback.check_install(SequenceNumber(0x0201), installed), Ok(()));
/// assert_eq!(rollback.check_install(installed, installed), Err(RollbackError::Same));
/// assert_eq!(rollback.check_install(SequenceNumber(0x1201), installed), Err(RollbackError::Jump));
/// assert_eq!(rollback.check_boot(SequenceNumber(0x01FF)), Err(RollbackError::BelowFloor));
/// # Ok::<(), RollbackError>(())
/// ```
pub struct Rollback<'c> {
    counter: &'c mut dyn MonotonicCounter,
    policy: RollbackPolicy,
}

impl<'c> Rollback<'c> {
    /// Over the hardware counter.
    pub fn new(counter: &'c mut dyn MonotonicCounter, policy: RollbackPolicy) -> Self {
        Self { counter, policy }
    }

    /// The policy.
    pub const fn policy(&self) -> &RollbackPolicy {
        &self.policy
    }

    /// The least that may boot.
    ///
    /// # Errors
    /// [`RollbackError::Counter`]: a counter that cannot be read is not zero.
    pub fn floor(&mut self) -> Result<SecurityCounter, RollbackError> {
        Ok(SecurityCounter(self.counter.read()?))
    }

    /// Checks that an image with this number may boot.
    ///
    /// # Errors
    /// [`RollbackError::BelowFloor`] or [`RollbackError::Counter`].
    pub fn check_boot(&mut self, sequence: SequenceNumber) -> Result<(), RollbackError> {
        if self.policy.security_counter(sequence) < self.floor()? {
            return Err(RollbackError::BelowFloor);
        }
        Ok(())
    }

    /// Checks that a manifest with this number may be installed over `installed`.
    ///
    /// # Errors
    /// [`RollbackError`].
    pub fn check_install(
        &mut self,
        sequence: SequenceNumber,
        installed: SequenceNumber,
    ) -> Result<(), RollbackError> {
        self.check_boot(sequence)?;
        match sequence.0.checked_sub(installed.0) {
            None => Err(RollbackError::Older),
            Some(0) if !self.policy.reinstall => Err(RollbackError::Same),
            Some(jump) if jump > self.policy.max_jump => Err(RollbackError::Jump),
            Some(_) => Ok(()),
        }
    }

    /// Checks that a manifest with this number may be installed by leave of a
    /// [downgrade token](crate::trust::Downgrade).
    ///
    /// # Errors
    /// [`RollbackError::BelowFloor`]: no token lowers the security counter.
    pub fn check_downgrade(&mut self, sequence: SequenceNumber) -> Result<(), RollbackError> {
        self.check_boot(sequence)
    }

    /// How far below the floor an image with this number lies, to decide again by: zero if it may boot.
    #[inline(never)]
    pub(crate) fn shortfall(&mut self, sequence: SequenceNumber) -> Result<u32, RollbackError> {
        let SecurityCounter(floor) = self.floor()?;
        let SecurityCounter(value) = self.policy.security_counter(black_box(sequence));
        Ok(u32::try_from(floor.saturating_sub(value)).unwrap_or(u32::MAX))
    }

    /// Raises the floor to an accepted image. Does nothing when it is there already.
    pub(crate) fn raise(&mut self, sequence: SequenceNumber) -> Result<(), RollbackError> {
        let SecurityCounter(value) = self.policy.security_counter(sequence);
        Ok(self.counter.advance_to(value)?)
    }

    /// Whether the floor lies below an accepted image.
    pub(crate) fn is_behind(&mut self, sequence: SequenceNumber) -> Result<bool, RollbackError> {
        Ok(self.floor()? < self.policy.security_counter(sequence))
    }
}

iotsec_core::claim! {
    provisions: ["5.3-2"],
    claims: "An older update is refused after a reset at any step, by a counter that no rewound flash undoes",
    code: [Rollback::check_install],
    tests: [
        "iotsec-update::install::attack::t5_an_older_update_is_refused_after_a_reset_at_any_step_and_the_counter_never_falls",
        "iotsec-update::install::attack::what_was_accepted_cannot_be_undone_by_rewinding_the_flash",
    ],
}

impl core::fmt::Debug for Rollback<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Rollback")
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

/// Why a number was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum RollbackError {
    /// The hardware counter cannot be read or raised.
    #[error(transparent)]
    Counter(#[from] CounterError),
    /// A shift that maps every sequence number to zero.
    #[error("shift leaves no bits")]
    Shift,
    /// Below the security counter.
    #[error("below the security counter")]
    BelowFloor,
    /// The sequence number is lower than the installed one.
    #[error("older than what is installed")]
    Older,
    /// The sequence number is the installed one, and reinstalling is not allowed.
    #[error("installed already")]
    Same,
    /// The sequence number lies too far ahead.
    #[error("sequence number jumps too far")]
    Jump,
}

impl RollbackError {
    /// The number of a reason that has no other one in it.
    // Apart and out of line: so it is a table of numbers and not a branch for each.
    #[inline(never)]
    const fn number(&self) -> u16 {
        match self {
            Self::Counter(_) => 0,
            Self::Shift => 2601,
            Self::BelowFloor => 2602,
            Self::Older => 2603,
            Self::Same => 2604,
            Self::Jump => 2605,
        }
    }
}

impl ErrorCode for RollbackError {
    fn code(&self) -> u16 {
        match self {
            Self::Counter(error) => error.code(),
            _ => self.number(),
        }
    }
    fn fault(&self) -> Fault {
        match self {
            Self::Counter(error) => error.fault(),
            Self::Shift => Fault::Misuse,
            _ => Fault::Input,
        }
    }
}
