//! Judging one slot twice.
//!
//! The first look is that of the application: read, hash, verify, admit. The second one reads header, protected area
//! and signature anew, checks the signature over the digest that the image names, and the counter as it reads now. It
//! decides by itself, and leaves a proof that fits only what both looks found alike. `crate::fault` says why.

use core::hint::black_box;

use embedded_storage::nor_flash::NorFlash;
use iotsec_core::hal::{MonotonicCounter, Slot};

use super::{
    super::{Device, FlashBytes, Hashes, Image, McubootError, TrailerError},
    Loader, Refusal, Startable,
};
use crate::fault::{self, Proof};

/// What is in the slot of `image`, and whether it may start.
#[inline(never)]
pub(super) fn first<F: NorFlash>(
    flash: &mut F,
    loader: &Loader<'_>,
    counter: &mut dyn MonotonicCounter,
    hashes: &mut Hashes<'_>,
    image: &mut Startable,
) -> Result<(), Refusal> {
    let device = device(loader, image.slot, counter.read()?)?;
    let trailer = loader.trailer(image.slot);
    let start = trailer.region().start();
    let mut bytes = FlashBytes::new(flash, *trailer.region());
    let read = Image::read(&mut bytes)?;
    if read.end() > trailer.room() {
        return Err(TrailerError::Overlap.into());
    }
    let verified = read.verify(&mut bytes, loader.keys, hashes)?;
    verified.fits(&device)?;
    image.hold(&verified, start);
    Ok(())
}

/// The same once more. Only this makes a proof.
#[inline(never)]
pub(super) fn second<F: NorFlash>(
    flash: &mut F,
    loader: &Loader<'_>,
    counter: &mut dyn MonotonicCounter,
    hashes: &mut Hashes<'_>,
    image: &mut Startable,
) -> Result<(), Refusal> {
    let slot = black_box(image.slot);
    let floor = counter.read()?;
    let region = *loader.trailer(slot).region();
    let mut bytes = FlashBytes::new(flash, region);
    let signed = Image::read(&mut bytes)?.look_again(&mut bytes, loader.keys, hashes)?;
    signed.fits(&device(loader, slot, floor)?)?;
    let value = signed.security_counter().unwrap_or(0);
    let shortfall = floor.saturating_sub(u64::from(value));
    image.proof = Proof::new(image.front(), 0)
        .and(fault::slot(slot))
        .and(u32::try_from(shortfall).unwrap_or(u32::MAX))
        .and(fault::measured(fault::front(signed.wide_digest()), image.front()))
        .and(black_box(value))
        .and(region.start().saturating_add(signed.payload().start));
    if !image.is_proven() {
        return Err(Refusal::Unproven);
    }
    Ok(())
}

/// This device, as images for `slot` see it.
fn device(loader: &Loader<'_>, slot: Slot, floor: u64) -> Result<Device<'static>, McubootError> {
    // No image has a counter that reaches such a floor.
    let floor = u32::try_from(floor).map_err(|_| McubootError::Rollback)?;
    Ok(Device {
        vendor: loader.vendor,
        class: loader.class,
        security_counter: Some(floor),
        rom: match slot {
            Slot::A => loader.rom_a,
            Slot::B => loader.rom_b,
        },
        ..Device::default()
    })
}
