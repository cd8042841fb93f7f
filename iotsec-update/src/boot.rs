#![doc = include_str!("../BOOT.md")]

mod integrity;
mod remeasure;
mod verified;
mod verify;

use embedded_storage::nor_flash::NorFlash;
use iotsec_core::{
    crypto::Digest,
    error::{ErrorCode, Fault},
    hal::{Slot, UnixTime},
};

use crate::{
    DeviceIdentity, Limits, TrustAnchors,
    install::InstallError,
    journal::{Image, Journal, ManifestId, Record, State},
    rollback::{Rollback, RollbackError},
    slot::{LayoutError, UpdateLayout},
};
pub use integrity::{Connectivity, Destination, Integrity, IntegrityAlert};
pub use remeasure::{Remeasure, Round};
pub use verified::{Measured, Reason, Running, Verified};
use verify::judge;
pub use verify::{Refusal, identify, verify};

/// What a boot loader knows.
#[derive(Clone, Copy)]
pub struct BootConfig<'a, const N: usize = 1> {
    /// Where everything is.
    pub layout: UpdateLayout<N>,
    /// Whose signatures count.
    pub anchors: TrustAnchors<'a>,
    /// This device, as manifests for slot A see it.
    pub device_a: DeviceIdentity<'a>,
    /// This device, as manifests for slot B see it; differs from `device_a` where images are linked for
    /// one slot.
    pub device_b: DeviceIdentity<'a>,
    /// What an envelope may ask.
    pub limits: Limits,
    /// Boots of a new image that is not accepted before the old one is started again; at least 1.
    pub trial_boots: u8,
    /// Trusted time, if the boot loader has it.
    pub now: Option<UnixTime>,
}

impl<'a, const N: usize> BootConfig<'a, N> {
    /// The same identity for both slots, default limits, three trial boots, no time.
    pub const fn new(layout: UpdateLayout<N>, anchors: TrustAnchors<'a>, device: DeviceIdentity<'a>) -> Self {
        Self {
            layout,
            anchors,
            device_a: device,
            device_b: device,
            limits: Limits::DEFAULT,
            trial_boots: 3,
            now: None,
        }
    }

    const fn device(&self, slot: Slot) -> &DeviceIdentity<'a> {
        match slot {
            Slot::A => &self.device_a,
            Slot::B => &self.device_b,
        }
    }
}

/// Decides what to start.
///
/// Reads the journal to know which slot to look at, then believes nothing but the slot itself: stored
/// envelope, signatures, admission, security counter, and the SHA-256 of the image as it is in flash now.
/// If that fails the other slot is judged in the same way. A trial boot is counted before this returns.
///
/// `scratch` takes the stored envelope, in whole words of the flash ([`Limits::envelope`] plus integrated payloads is
/// enough, rounded up to a word). The
/// journal is written at most once, with at most one page erased.
///
/// *Power loss:* a cut before the count is written repeats this boot; after that, the boot has been
/// counted. Nothing but the journal and the counter is ever written.
///
/// # Errors
/// [`BootError`] when the device can judge nothing: an unfit layout, or a counter that cannot be read.
pub fn select<F: NorFlash, const N: usize>(
    flash: &mut F,
    config: &BootConfig<'_, N>,
    rollback: &mut Rollback<'_>,
    hash: &mut dyn Digest,
    scratch: &mut [u8],
) -> Result<Selection<N>, BootError> {
    config.layout.check(flash)?;
    rollback.floor()?;
    let mut record = None;
    let mut journal = Journal::mount_into(flash, config.layout.journal(), &mut record);
    let mut boot = Boot {
        flash,
        config,
        rollback,
        hash,
        scratch,
        journal: &mut journal,
        image: Verified::none(Slot::A),
    };
    let end = match &mut record {
        None => boot.without_journal(),
        Some(record) if matches!(record.state, State::Staged | State::Trial) => boot.trial(record),
        Some(record) => boot.active(record),
    };
    Ok(match end {
        Ok(()) => Selection::Boot(boot.image),
        Err([a, b]) => Selection::Recovery { a, b },
    })
}

iotsec_core::claim! {
    provisions: ["5.7-1"],
    claims: "Nothing starts but an image whose envelope authenticates and whose digest is the signed one, whichever bit was changed",
    code: [select],
    tests: [
        "iotsec-update::install::attack::t4_any_bit_of_envelope_or_image_changed_between_install_and_boot_is_caught_at_boot",
        "iotsec-update::install::attack::any_bit_of_the_active_image_changed_is_caught_at_boot",
    ],
}

iotsec_core::claim! {
    provisions: ["5.3-2", "5.9-1"],
    claims: "A new image that does not prove itself is given up after its trial boots, and the one before runs again",
    code: [select],
    tests: [
        "iotsec-update::install::boot::t10_an_unaccepted_image_reverts_after_its_trial_boots_and_is_not_tried_again",
    ],
}

/// What [`select`] decided.
#[derive(Debug)]
#[must_use]
pub enum Selection<const N: usize = 1> {
    /// Start this image.
    Boot(Verified<N>),
    /// Neither slot holds an image that may start: enter recovery.
    Recovery {
        /// What is wrong with slot A.
        a: Refusal,
        /// What is wrong with slot B.
        b: Refusal,
    },
}

/// Why a boot loader cannot decide anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum BootError {
    /// The layout does not fit the flash.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// The security counter cannot be read. It is not taken for zero.
    #[error(transparent)]
    Rollback(#[from] RollbackError),
}

impl ErrorCode for BootError {
    fn code(&self) -> u16 {
        match self {
            Self::Layout(error) => error.code(),
            Self::Rollback(error) => error.code(),
        }
    }
    fn fault(&self) -> Fault {
        match self {
            Self::Layout(error) => error.fault(),
            Self::Rollback(error) => error.fault(),
        }
    }
}

struct Boot<'b, 'c, F, const N: usize> {
    flash: &'b mut F,
    config: &'b BootConfig<'b, N>,
    rollback: &'b mut Rollback<'c>,
    hash: &'b mut dyn Digest,
    scratch: &'b mut [u8],
    journal: &'b mut Journal,
    /// The image that was judged last: to hand it around would be to copy it.
    image: Verified<N>,
}

/// The image to start is the one judged last; or what is wrong with slot A and with slot B.
type End = Result<(), [Refusal; 2]>;

impl<F: NorFlash, const N: usize> Boot<'_, '_, F, N> {
    #[inline(never)]
    fn judge(&mut self, slot: Slot) -> Result<(), Refusal> {
        judge(
            self.flash,
            self.config,
            slot,
            self.rollback,
            self.hash,
            self.scratch,
            &mut self.image,
        )
    }

    /// The image that was staged, and no other.
    #[inline(never)]
    fn judge_staged(&mut self, record: &Record) -> Result<(), Refusal> {
        self.judge(record.active.slot.other())?;
        if record.staging.as_ref() != Some(&self.image.manifest) {
            return Err(Refusal::NotStaged);
        }
        Ok(())
    }

    /// The active slot, else the other.
    #[inline(never)]
    fn active(&mut self, record: &Record) -> End {
        let slot = record.active.slot;
        let Err(refusal) = self.judge(slot) else {
            self.settle(record);
            return Ok(());
        };
        let other = self.judge(slot.other());
        self.fall_back(slot, refusal, other)
    }

    /// The staged slot, if its trial boots are not used up; else back.
    #[inline(never)]
    fn trial(&mut self, record: &mut Record) -> End {
        let old = record.active.slot;
        // Why it is gone back, and whether that is to be told of the image.
        let mut cause = InstallError::TRIAL_EXPIRED;
        let (mut is_bad, mut is_counted) = (true, true);
        if record.boots < self.config.trial_boots.max(1) {
            match self.judge_staged(record) {
                Ok(()) => {
                    let boot = record.boots.saturating_add(1);
                    (record.state, record.boots) = (State::Trial, boot);
                    if self.note(record) {
                        self.image.reason = Reason::Trial { boot };
                        return Ok(());
                    }
                    // A trial that cannot be counted might never end. It is no fault of the image, so
                    // nothing is recorded against it.
                    is_counted = false;
                }
                Err(refusal) => (cause, is_bad) = (refusal.code(), false),
            }
        }
        let Err(refusal) = self.judge(old) else {
            if is_counted {
                revert(record, cause, is_bad);
                // If this cannot be written the next boot comes to the same end.
                self.note(record);
            }
            return Ok(());
        };
        // Nothing to go back to: an image that has not proved itself is better than none.
        let staged = self.judge_staged(record);
        self.fall_back(old, refusal, staged)
    }

    /// Nothing is known. Of two good images the newer one is taken on trial: it may be one that was
    /// never accepted.
    #[inline(never)]
    fn without_journal(&mut self) -> End {
        let a = self.judge(Slot::A);
        let mut other = Verified::none(Slot::A);
        core::mem::swap(&mut self.image, &mut other);
        let b = self.judge(Slot::B);
        let is_newer =
            |one: &Verified<N>, other: &Verified<N>| one.manifest.sequence > other.manifest.sequence;
        if b.is_err() || (a.is_ok() && !is_newer(&self.image, &other)) {
            core::mem::swap(&mut self.image, &mut other);
        }
        match (a, b) {
            (Err(a), Err(b)) => return Err([a, b]),
            (Ok(()), Ok(())) if is_newer(&self.image, &other) => {
                let older = Image {
                    slot: other.slot,
                    manifest: other.manifest,
                };
                self.image.reason = Reason::NoJournal;
                if self.begin_trial(older) {
                    self.image.reason = Reason::Trial { boot: 1 };
                }
            }
            _ => self.image.reason = Reason::NoJournal,
        }
        Ok(())
    }

    /// The slot was refused, and the other one was judged after it.
    #[inline(never)]
    fn fall_back(&mut self, slot: Slot, refusal: Refusal, other: Result<(), Refusal>) -> End {
        match (other, slot) {
            (Ok(()), _) => {
                self.image.reason = Reason::Fallback(refusal);
                Ok(())
            }
            (Err(other), Slot::A) => Err([refusal, other]),
            (Err(other), Slot::B) => Err([other, refusal]),
        }
    }

    /// Finishes an accept that was cut before the security counter was raised. Raised only to the number
    /// of an authenticated image, and only if the journal says that this very image was accepted.
    fn settle(&mut self, record: &Record) {
        if settles(record, self.image.slot, &self.image.manifest) {
            // If this fails the floor stays where it is, and the next boot tries again.
            let _ = settle(self.flash, self.journal, record, self.rollback);
        }
    }

    // A frame of its own: a record is large, and the caller's frame lies under a signature check.
    #[inline(never)]
    fn begin_trial(&mut self, active: Image) -> bool {
        let mut record = Record::initial(active);
        (record.state, record.boots) = (State::Trial, 1);
        record.staging = Some(self.image.manifest);
        self.note(&record)
    }

    #[inline(never)]
    fn note(&mut self, record: &Record) -> bool {
        self.journal.append(self.flash, record).is_ok()
    }
}

/// Whether the journal says that the image with this manifest in this slot, which is running, is the accepted one.
pub(crate) fn settles(record: &Record, slot: Slot, manifest: &ManifestId) -> bool {
    record.accepted && record.active.slot == slot && record.active.manifest == *manifest
}

/// Raises the floor to the accepted image, if it lies below.
pub(crate) fn settle<F: NorFlash>(
    flash: &mut F,
    journal: &mut Journal,
    record: &Record,
    rollback: &mut Rollback<'_>,
) -> Result<(), InstallError> {
    let sequence = record.active.manifest.sequence;
    if rollback.is_behind(sequence)? {
        // The record that says so may be one that a cut left hard to read, and the counter cannot go back.
        journal.append(flash, record)?;
        rollback.raise(sequence)?;
    }
    Ok(())
}

/// Goes back, for the reason with this number, which may be that the image is bad.
pub(crate) fn revert(record: &mut Record, cause: u16, is_bad: bool) {
    // One that was damaged may be sent again.
    if is_bad && record.staging.is_some() {
        record.rejected = record.staging;
    }
    record.state = State::Failed;
    record.cause = cause;
    record.boots = 0;
    record.progress = 0;
}
