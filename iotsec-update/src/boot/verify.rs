//! Judging one slot by its signatures and its bytes.

use embedded_storage::nor_flash::NorFlash;
use iotsec_core::{
    crypto::Digest,
    error::{ErrorCode, Fault},
    hal::{FlashError, Slot},
};

use super::{BootConfig, Reason, Running, Verified};
use crate::{
    Authenticated, Bootable, ComponentPlan, Envelope, Policy, SequenceNumber, UpdateError,
    journal::ManifestId,
    rollback::{Rollback, RollbackError},
    slot::{SlotError, read_range},
};

/// Verifies one slot: stored envelope, signatures, admission, security counter, and the image's bytes.
///
/// Also for measuring the running image again, and for a recovery that wants one certain slot.
///
/// # Errors
/// [`Refusal`].
pub fn verify<F: NorFlash>(
    flash: &mut F,
    config: &BootConfig<'_>,
    slot: Slot,
    rollback: &mut Rollback<'_>,
    hash: &mut dyn Digest,
    scratch: &mut [u8],
) -> Result<Verified, Refusal> {
    // Read once: what is parsed below is this copy, whatever the flash says at the next reading.
    let envelope = config.layout.slot(slot).load_envelope(flash, scratch)?;
    let authentic = authenticate(config, hash, envelope);
    // Used where it is: to take it out would be to copy it.
    let authentic = authentic.as_ref().map_err(|reason| *reason)?;
    measure(flash, config, slot, rollback, hash, authentic)
}

/// What comes after the signatures.
// A frame of its own: the plan does not add up with the stack of a signature check.
#[inline(never)]
fn measure<F: NorFlash>(
    flash: &mut F,
    config: &BootConfig<'_>,
    slot: Slot,
    rollback: &mut Rollback<'_>,
    hash: &mut dyn Digest,
    authentic: &Authenticated<'_>,
) -> Result<Verified, Refusal> {
    let mut bootable = Bootable::empty(authentic.envelope.bytes(), authentic.manifest_digest());
    admit(config, slot, hash, authentic, &mut bootable)?;
    let manifest = id(&bootable);
    rollback.check_boot(manifest.sequence)?;
    let component = image(&bootable)?;
    let (size, expected) = (component.size(), *component.digest());

    let region = &config.layout.slot(slot).image;
    if size == 0 || size > region.len() {
        return Err(Refusal::ImageSize);
    }
    hash.reset();
    read_range(flash, region, 0, size, &mut |bytes| hash.update(bytes))?;
    let digest = hash.finish();
    if digest != expected {
        return Err(Refusal::ImageDigest);
    }
    Ok(Verified {
        slot,
        manifest,
        digest,
        size,
        reason: Reason::Active,
    })
}

/// What is running, for an application that was started by a boot loader: authenticates the envelope
/// stored for `slot`, without hashing the image again.
///
/// # Errors
/// [`Refusal`].
pub fn identify<F: NorFlash>(
    flash: &mut F,
    config: &BootConfig<'_>,
    slot: Slot,
    hash: &mut dyn Digest,
    scratch: &mut [u8],
) -> Result<Running, Refusal> {
    let envelope = config.layout.slot(slot).load_envelope(flash, scratch)?;
    let authentic = authenticate(config, hash, envelope)?;
    let mut bootable = Bootable::empty(authentic.envelope.bytes(), authentic.manifest_digest());
    admit(config, slot, hash, &authentic, &mut bootable)?;
    Ok(Running {
        slot,
        manifest: id(&bootable),
    })
}

/// Why a slot may not be started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The stored envelope could not be read.
    #[error(transparent)]
    Slot(#[from] SlotError),
    /// The image could not be read.
    #[error(transparent)]
    Flash(#[from] FlashError),
    /// The stored envelope is not authentic or not safe to boot from.
    #[error(transparent)]
    Manifest(#[from] UpdateError),
    /// Below the security counter, or the counter failed.
    #[error(transparent)]
    Rollback(#[from] RollbackError),
    /// The manifest starts no component, or has more than one.
    #[error("not exactly one component")]
    Components,
    /// The image is empty or does not fit the slot.
    #[error("image size does not fit the slot")]
    ImageSize,
    /// The bytes in flash are not the image that was signed.
    #[error("image digest does not match")]
    ImageDigest,
    /// An authentic image, but not the one that was staged.
    #[error("not the image that was staged")]
    NotStaged,
}

impl ErrorCode for Refusal {
    fn code(&self) -> u16 {
        match self {
            Self::Slot(error) => error.code(),
            Self::Flash(error) => error.code(),
            Self::Manifest(error) => error.code(),
            Self::Rollback(error) => error.code(),
            Self::Components => 2801,
            Self::ImageSize => 2802,
            Self::ImageDigest => 2803,
            Self::NotStaged => 2804,
        }
    }
    fn fault(&self) -> Fault {
        match self {
            Self::Slot(error) => error.fault(),
            Self::Flash(error) => error.fault(),
            Self::Manifest(error) => error.fault(),
            Self::Rollback(error) => error.fault(),
            Self::Components | Self::ImageSize => Fault::Input,
            Self::ImageDigest | Self::NotStaged => Fault::Device,
        }
    }
}

#[inline(never)]
fn authenticate<'b>(
    config: &BootConfig<'_>,
    hash: &mut dyn Digest,
    envelope: &'b [u8],
) -> Result<Authenticated<'b>, UpdateError> {
    Envelope::parse(envelope, &config.limits)?.authenticate(&config.anchors, hash)
}

fn admit<'b>(
    config: &BootConfig<'_>,
    slot: Slot,
    hash: &mut dyn Digest,
    authentic: &Authenticated<'b>,
    bootable: &mut Bootable<'b>,
) -> Result<(), UpdateError> {
    // The number is judged against the counter, which cannot be talked down as the journal can.
    let policy = Policy {
        reinstall: true,
        max_jump: u64::MAX,
        now: config.now,
        ..Policy::newer_than(SequenceNumber(0))
    };
    authentic.plan_boot(config.device(slot), &policy, hash, bootable.plan_mut())
}

fn id(bootable: &Bootable<'_>) -> ManifestId {
    ManifestId {
        sequence: bootable.sequence_number(),
        digest: *bootable.manifest_digest(),
    }
}

/// The one component that a slot holds.
fn image<'p, 'a>(bootable: &'p Bootable<'a>) -> Result<&'p ComponentPlan<'a>, Refusal> {
    match bootable.components() {
        [component] if component.invoke() => Ok(component),
        _ => Err(Refusal::Components),
    }
}
