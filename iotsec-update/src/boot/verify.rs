//! Judging one slot by its signatures and its bytes.

use embedded_storage::nor_flash::NorFlash;
use iotsec_core::{
    crypto::Digest,
    error::{ErrorCode, Fault},
    hal::{FlashError, Slot},
};

use super::{BootConfig, Measured, Running, Verified};
use crate::{
    Authenticated, Bootable, Envelope, UpdateError,
    admission::Purpose,
    fault,
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
pub fn verify<F: NorFlash, const N: usize>(
    flash: &mut F,
    config: &BootConfig<'_, N>,
    slot: Slot,
    rollback: &mut Rollback<'_>,
    hash: &mut dyn Digest,
    scratch: &mut [u8],
) -> Result<Verified<N>, Refusal> {
    let mut image = Verified::none(slot);
    judge(flash, config, slot, rollback, hash, scratch, &mut image)?;
    Ok(image)
}

/// As [`verify`], into an image that is already where it is wanted.
pub(super) fn judge<F: NorFlash, const N: usize>(
    flash: &mut F,
    config: &BootConfig<'_, N>,
    slot: Slot,
    rollback: &mut Rollback<'_>,
    hash: &mut dyn Digest,
    scratch: &mut [u8],
    image: &mut Verified<N>,
) -> Result<(), Refusal> {
    // Of nothing until the end: what was judged before must not pass for it.
    *image = Verified::none(slot);
    // Read once: what is parsed below is this copy, whatever the flash says at the next reading.
    let envelope = config.layout.slot(slot).load_envelope(flash, scratch)?;
    let authentic = authenticate(config, hash, envelope);
    // Used where it is: to take it out would be to copy it.
    let authentic = authentic.as_ref().map_err(|reason| *reason)?;
    measure(flash, config, rollback, hash, authentic, image)
}

/// What comes after the signatures.
// A frame of its own: the plan does not add up with the stack of a signature check.
#[inline(never)]
fn measure<F: NorFlash, const N: usize>(
    flash: &mut F,
    config: &BootConfig<'_, N>,
    rollback: &mut Rollback<'_>,
    hash: &mut dyn Digest,
    authentic: &Authenticated<'_>,
    image: &mut Verified<N>,
) -> Result<(), Refusal> {
    let mut bootable = Bootable::empty(authentic.envelope.bytes(), authentic.manifest_digest());
    let device = config.device(image.slot);
    let admitted = authentic.plan_boot(device, Purpose::START, hash, bootable.plan_mut());
    if bootable.loads() {
        return Err(Refusal::Components);
    }
    admitted?;
    rollback.check_boot(bootable.sequence_number())?;
    expect(config, &bootable, image)?;
    let proof = bootable.proof().and(fault::slot(image.slot));
    let proof = proof.and(rollback.shortfall(bootable.sequence_again())?);
    // The second look takes what was signed from the plan, where the first one took it from the result: a fault
    // that has the measured digest written over one of them leaves the other.
    let signed = bootable.components();
    let mut proof = proof.and(fault::count(signed.len()));
    let layout = config.layout.slot(image.slot);
    for (part, signed) in image.components().iter().zip(signed) {
        let region = layout.image(part.place).ok_or(Refusal::Components)?;
        hash.reset();
        read_range(flash, region, 0, part.size, &mut |bytes| hash.update(bytes))?;
        let digest = hash.finish();
        if digest != part.digest {
            return Err(Refusal::ImageDigest);
        }
        proof = proof.and(fault::measured(&digest, signed.digest()));
    }
    image.proof = proof;
    Ok(())
}

/// What is running, for an application that was started by a boot loader: authenticates the envelope
/// stored for `slot`, without hashing the image again.
///
/// # Errors
/// [`Refusal`].
pub fn identify<F: NorFlash, const N: usize>(
    flash: &mut F,
    config: &BootConfig<'_, N>,
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
    /// The manifest does not start exactly one component, names one without a region in the slots, or one that
    /// is to be loaded at every boot.
    #[error("components do not fit the slots")]
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
pub(super) fn authenticate<'b, const N: usize>(
    config: &BootConfig<'_, N>,
    hash: &mut dyn Digest,
    envelope: &'b [u8],
) -> Result<Authenticated<'b>, UpdateError> {
    Envelope::parse(envelope, &config.limits)?.authenticate(&config.anchors, hash)
}

pub(super) fn admit<'b, const N: usize>(
    config: &BootConfig<'_, N>,
    slot: Slot,
    hash: &mut dyn Digest,
    authentic: &Authenticated<'b>,
    bootable: &mut Bootable<'b>,
) -> Result<(), UpdateError> {
    authentic.plan_boot(config.device(slot), Purpose::BOOT, hash, bootable.plan_mut())
}

fn id(bootable: &Bootable<'_>) -> ManifestId {
    ManifestId {
        sequence: bootable.sequence_number(),
        digest: *bootable.manifest_digest(),
    }
}

/// Notes what a slot has to hold by its manifest: one component that is started, and those that come with it.
pub(super) fn expect<const N: usize>(
    config: &BootConfig<'_, N>,
    bootable: &Bootable<'_>,
    image: &mut Verified<N>,
) -> Result<(), Refusal> {
    image.manifest = id(bootable);
    let mut started: usize = 0;
    for component in bootable.components() {
        let region = config.layout.slot(image.slot).image(component.place());
        let region = region.filter(|_| component.load().is_none());
        let region = region.ok_or(Refusal::Components)?;
        let size = component.size();
        if size == 0 || size > region.len() {
            return Err(Refusal::ImageSize);
        }
        if component.invoke() {
            started = started.saturating_add(1);
            image.started = image.count;
        }
        let part = image.parts.get_mut(image.count).ok_or(Refusal::Components)?;
        *part = Measured {
            place: component.place(),
            digest: *component.digest(),
            size,
        };
        image.count = image.count.saturating_add(1);
    }
    if started != 1 {
        return Err(Refusal::Components);
    }
    Ok(())
}
