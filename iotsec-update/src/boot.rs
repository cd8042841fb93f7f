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
/// `scratch` takes the stored envelope ([`Limits::envelope`] plus integrated payloads is enough). The
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
    // Used where they are: a record is large.
    let mut mounted = Journal::mount(flash, config.layout.journal());
    let (journal, record) = &mut mounted;
    let mut boot = Boot {
        flash,
        config,
        rollback,
        hash,
        scratch,
        journal,
    };
    Ok(match record {
        None => boot.without_journal(),
        Some(record) => match record.state {
            State::Staged | State::Trial => boot.trial(record),
            _ => boot.active(record),
        },
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
}

impl<F: NorFlash, const N: usize> Boot<'_, '_, F, N> {
    fn judge(&mut self, slot: Slot) -> Result<Verified<N>, Refusal> {
        verify(
            self.flash,
            self.config,
            slot,
            self.rollback,
            self.hash,
            self.scratch,
        )
    }

    /// The image that was staged, and no other.
    fn judge_staged(&mut self, slot: Slot, staged: Option<ManifestId>) -> Result<Verified<N>, Refusal> {
        let image = self.judge(slot)?;
        if Some(image.manifest) != staged {
            return Err(Refusal::NotStaged);
        }
        Ok(image)
    }

    /// The active slot, else the other.
    #[inline(never)]
    fn active(&mut self, record: &Record) -> Selection<N> {
        let slot = record.active.slot;
        match self.judge(slot) {
            Ok(image) => {
                self.settle(record, &image);
                Selection::Boot(image)
            }
            Err(refusal) => {
                let other = self.judge(slot.other());
                fall_back(slot, refusal, other)
            }
        }
    }

    /// The staged slot, if its trial boots are not used up; else back.
    #[inline(never)]
    fn trial(&mut self, record: &Record) -> Selection<N> {
        let staged = record.active.slot.other();
        let old = record.active.slot;
        let cause = if record.boots >= self.config.trial_boots.max(1) {
            InstallError::TrialExpired
        } else {
            match self.judge_staged(staged, record.staging) {
                Ok(mut image) => {
                    let boot = record.boots.saturating_add(1);
                    let counted = self.note(&Record {
                        state: State::Trial,
                        boots: boot,
                        ..*record
                    });
                    if counted {
                        image.reason = Reason::Trial { boot };
                        return Selection::Boot(image);
                    }
                    // A trial that cannot be counted might never end. It is no fault of the image, so
                    // nothing is recorded against it.
                    return match self.judge(old) {
                        Ok(image) => Selection::Boot(image),
                        Err(refusal) => fall_back(old, refusal, Ok(image)),
                    };
                }
                Err(refusal) => InstallError::Refused(refusal.code()),
            }
        };
        match self.judge(old) {
            Ok(image) => {
                // If this cannot be written the next boot comes to the same end.
                self.note(&reverted(*record, cause));
                Selection::Boot(image)
            }
            // Nothing to go back to: an image that has not proved itself is better than none.
            Err(refusal) => {
                let image = self.judge_staged(staged, record.staging);
                fall_back(old, refusal, image)
            }
        }
    }

    /// Nothing is known. Of two good images the newer one is taken on trial: it may be one that was
    /// never accepted.
    #[inline(never)]
    fn without_journal(&mut self) -> Selection<N> {
        // Used where they are: to take one out would be to copy it.
        let (mut chosen, mut other) = (self.judge(Slot::A), self.judge(Slot::B));
        let swap = match (&chosen, &other) {
            (Ok(a), Ok(b)) => b.manifest.sequence > a.manifest.sequence,
            (a, b) => a.is_err() && b.is_ok(),
        };
        if swap {
            core::mem::swap(&mut chosen, &mut other);
        }
        match chosen {
            Ok(mut image) => {
                image.reason = Reason::NoJournal;
                if let Ok(older) = &other
                    && image.manifest.sequence > older.manifest.sequence
                {
                    let older = Image {
                        slot: older.slot,
                        manifest: older.manifest,
                    };
                    if self.begin_trial(older, image.manifest) {
                        image.reason = Reason::Trial { boot: 1 };
                    }
                }
                Selection::Boot(image)
            }
            // Neither is good, so nothing was swapped.
            Err(a) => Selection::Recovery {
                a,
                b: other.err().unwrap_or(a),
            },
        }
    }

    /// Finishes an accept that was cut before the security counter was raised. Raised only to the number
    /// of an authenticated image, and only if the journal says that this very image was accepted.
    fn settle(&mut self, record: &Record, image: &Verified<N>) {
        if settles(record, &image.running()) {
            // If this fails the floor stays where it is, and the next boot tries again.
            let _ = settle(self.flash, self.journal, record, self.rollback);
        }
    }

    // A frame of its own: a record is large, and the caller's frame lies under a signature check.
    #[inline(never)]
    fn begin_trial(&mut self, active: Image, staged: ManifestId) -> bool {
        self.note(&Record {
            state: State::Trial,
            boots: 1,
            staging: Some(staged),
            ..Record::initial(active)
        })
    }

    fn note(&mut self, record: &Record) -> bool {
        self.journal.append(self.flash, record).is_ok()
    }
}

/// Whether the journal says that the running image is the accepted one.
pub(crate) fn settles(record: &Record, running: &Running) -> bool {
    record.accepted && record.active.slot == running.slot && record.active.manifest == running.manifest
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

/// The state after going back.
pub(crate) fn reverted(record: Record, cause: InstallError) -> Record {
    let rejected = match cause {
        // The image was damaged, not bad: it may be sent again.
        InstallError::Refused(_) => record.rejected,
        _ => record.staging.or(record.rejected),
    };
    Record {
        state: State::Failed,
        cause: cause.code(),
        boots: 0,
        progress: 0,
        rejected,
        ..record
    }
}

fn fall_back<const N: usize>(
    slot: Slot,
    refusal: Refusal,
    other: Result<Verified<N>, Refusal>,
) -> Selection<N> {
    match (other, slot) {
        (Ok(mut image), _) => {
            image.reason = Reason::Fallback(refusal);
            Selection::Boot(image)
        }
        (Err(other), Slot::A) => Selection::Recovery { a: refusal, b: other },
        (Err(other), Slot::B) => Selection::Recovery { a: other, b: refusal },
    }
}
