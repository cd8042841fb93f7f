//! MCUboot images that a boot loader must not start in place.

use iotsec::{
    core::hal::{BootControl, Region, Slot, Trial},
    update::mcuboot::{Mode, Trailer, TrailerControl},
};
use iotsec_testkit::{ImageMaker, SimFlash};

use super::{
    End,
    case::{Case, geometry, noise},
    device::{ALIGN, CAPACITY, CLASS, ENTRIES, HEADER, Input, PAGE, SLOT_PAGES, SLOTS, VENDOR, WORD},
    maker::Maker,
};
use crate::tool::Failure;

/// The image that runs, and the newer one.
const OLD: &[u8] = &noise(1);
const NEW: &[u8] = &noise(2);
/// The security counter of both, and of the device.
const COUNTER: u32 = 0x1_0003;

/// Bytes of the signature, with which an image ends.
const SIGNATURE_LEN: usize = 64;

/// Genuine images, which must be started.
pub(super) fn genuine() -> Result<Vec<Case>, Failure> {
    let (maker, real) = (Maker::with_unit(7), Maker::in_software()?);
    let running = Device::new(&maker)?;
    let case = |name, input, end| Case::boot(name, input, end).on("boot_mcuboot");
    Ok(vec![
        case("genuine", running.input(), End::Accepted(0)),
        case(
            "genuine, newer",
            running
                .with(Slot::B, &newer(&maker, COUNTER)?, Trial::Permanent)?
                .input(),
            End::Accepted(1),
        ),
        case(
            "genuine, on trial",
            running
                .with(Slot::B, &newer(&maker, COUNTER)?, Trial::Once)?
                .input(),
            End::Accepted(1),
        ),
        case("genuine", running.input(), End::Accepted(0)).on("single_mcuboot"),
        case("genuine", Device::new(&real)?.input(), End::Accepted(0)).in_software("boot_mcuboot_small"),
    ])
}

/// What must not be started.
pub(super) fn attacks() -> Result<Vec<Case>, Failure> {
    let (maker, stranger) = (Maker::with_unit(7), Maker::with_unit(9));
    let running = Device::new(&maker)?;
    let genuine = older(&maker)?;
    let alone = |name, image: &[u8]| -> Result<Case, Failure> {
        let device = running.with(Slot::A, image, Trial::Permanent)?;
        Ok(Case::boot(name, device.input(), End::Refused).on("boot_mcuboot"))
    };
    // The image in slot A is what starts then.
    let beside = |name, image: &[u8], trial| -> Result<Case, Failure> {
        let device = running.with(Slot::B, image, trial)?;
        Ok(Case::boot(name, device.input(), End::Accepted(0)).on("boot_mcuboot"))
    };
    let other = |maker: ImageMaker, key: &Maker| Ok::<_, Failure>(maker.sign(&*key.key, OLD)?);
    let mut below =
        Case::boot("below the security counter", running.input(), End::Refused).on("boot_mcuboot");
    below.input.counter += 1;
    Ok(vec![
        beside(
            "newer, image changed",
            &changed(&newer(&maker, COUNTER)?),
            Trial::Permanent,
        )?,
        beside(
            "newer, on trial, image changed",
            &changed(&newer(&maker, COUNTER)?),
            Trial::Once,
        )?,
        beside(
            "newer, signed by another key",
            &newer(&stranger, COUNTER)?,
            Trial::Permanent,
        )?,
        beside(
            "newer, below the security counter",
            &newer(&maker, COUNTER - 1)?,
            Trial::Permanent,
        )?,
        // What is signed is in the other slot, whole.
        beside(
            "the other slot's, image changed",
            &changed(&genuine),
            Trial::Permanent,
        )?,
        Case::boot(
            "the other slot's, looked at first",
            running
                .without_trailer(Slot::A, &genuine)?
                .with(Slot::B, &changed(&genuine), Trial::Permanent)?
                .input(),
            End::Accepted(0),
        )
        .on("boot_mcuboot"),
        alone("image changed", &changed(&genuine))?,
        alone("signature changed", &bad_signature(&genuine))?,
        alone("signed by another key", &older(&stranger)?)?,
        alone("payload exchanged", &exchanged(&genuine))?,
        below,
        alone(
            "without a security counter",
            &other(maker_of(1).vendor(VENDOR).class(CLASS), &maker)?,
        )?,
        alone(
            "for another vendor",
            &other(
                maker_of(1).security_counter(COUNTER).vendor([9; 16]).class(CLASS),
                &maker,
            )?,
        )?,
        alone(
            "linked for the other slot",
            &other(for_device(1, COUNTER).rom_fixed(ENTRIES[1]), &maker)?,
        )?,
    ])
}

/// The same with signatures checked in software.
pub(super) fn software() -> Result<Vec<Case>, Failure> {
    let maker = Maker::in_software()?;
    let running = Device::new(&maker)?;
    let genuine = older(&maker)?;
    let holding = |image: &[u8]| running.with(Slot::A, image, Trial::Permanent);
    let case = |name, input| Case::boot(name, input, End::Refused).in_software("boot_mcuboot_small");
    let mut below = running.input();
    below.counter += 1;
    Ok(vec![
        case("signature changed", holding(&bad_signature(&genuine))?.input()),
        case("image changed", holding(&changed(&genuine))?.input()),
        case("below the security counter", below),
    ])
}

/// Attacks on a boot loader that looks once, which must succeed.
pub(super) fn unprotected() -> Result<Case, Failure> {
    let maker = Maker::with_unit(7);
    let device = Device::new(&maker)?.with(Slot::A, &bad_signature(&older(&maker)?), Trial::Permanent)?;
    Ok(Case::boot("signature changed", device.input(), End::Refused).on("single_mcuboot"))
}

fn maker_of(version: u8) -> ImageMaker {
    ImageMaker::new((version, 0, 0)).header(HEADER)
}

fn for_device(version: u8, counter: u32) -> ImageMaker {
    maker_of(version)
        .security_counter(counter)
        .vendor(VENDOR)
        .class(CLASS)
}

fn older(maker: &Maker) -> Result<Vec<u8>, Failure> {
    Ok(for_device(1, COUNTER).sign(&*maker.key, OLD)?)
}

fn newer(maker: &Maker, counter: u32) -> Result<Vec<u8>, Failure> {
    Ok(for_device(2, counter).sign(&*maker.key, NEW)?)
}

fn changed(image: &[u8]) -> Vec<u8> {
    let mut image = image.to_vec();
    image[usize::from(HEADER) + 100] ^= 1;
    image
}

/// The payload is another one, of the same size.
fn exchanged(image: &[u8]) -> Vec<u8> {
    let mut image = image.to_vec();
    let start = usize::from(HEADER);
    image[start..start + NEW.len()].copy_from_slice(&noise(3));
    image
}

fn bad_signature(image: &[u8]) -> Vec<u8> {
    let mut image = image.to_vec();
    let at = image.len() - SIGNATURE_LEN / 2;
    image[at] ^= 1;
    image
}

/// A device with the old image in slot A, confirmed.
struct Device<'k> {
    maker: &'k Maker,
    flash: Vec<u8>,
}

impl<'k> Device<'k> {
    fn new(maker: &'k Maker) -> Result<Self, Failure> {
        let empty = Self {
            maker,
            flash: vec![0xFF; CAPACITY],
        };
        empty.with(Slot::A, &older(maker)?, Trial::Permanent)
    }

    /// With this in a slot, and asked for from the other one.
    fn with(&self, slot: Slot, image: &[u8], trial: Trial) -> Result<Self, Failure> {
        let mut flash = SimFlash::from_image(geometry(), &self.flash);
        let [a, b] = SLOTS.map(trailer);
        let (a, b) = (a?, b?);
        let region = match slot {
            Slot::A => *a.region(),
            Slot::B => *b.region(),
        };
        for page in 0..region.page_count() {
            region.erase_page(&mut flash, page)?;
        }
        let running = Mode::DirectXip {
            running: slot.other(),
        };
        TrailerControl::new(&mut flash, a, b, running).select(slot, trial)?;
        flash.tamper(region.start(), image);
        Ok(Self {
            flash: flash.image().to_vec(),
            ..*self
        })
    }

    /// With this in a slot, and not asked for.
    fn without_trailer(&self, slot: Slot, image: &[u8]) -> Result<Self, Failure> {
        let mut device = self.with(slot, image, Trial::Permanent)?;
        let [start, next] = match slot {
            Slot::A => [SLOTS[0], SLOTS[1]],
            Slot::B => [SLOTS[1], SLOTS[1] + SLOT_PAGES],
        };
        let from = usize::try_from(start * PAGE)? + image.len();
        device.flash[from..usize::try_from(next * PAGE)?].fill(0xFF);
        Ok(device)
    }

    fn input(&self) -> Input {
        let mut input = Input::new(&*self.maker.public, COUNTER);
        input.flash.copy_from_slice(&self.flash);
        input
    }
}

fn trailer(page: u32) -> Result<Trailer, Failure> {
    Ok(Trailer::new(
        Region::new(page * PAGE, PAGE, SLOT_PAGES, WORD)?,
        ALIGN,
    )?)
}

#[cfg(test)]
mod tests {
    use iotsec::{
        core::crypto::{Sha256, Verify},
        update::mcuboot::{Hashes, Loader, McubootError, Reason, Refusal, Selection, select},
    };
    use iotsec_testkit::SimCounter;

    use super::*;

    #[test]
    fn each_forgery_is_refused_for_its_own_reason() {
        let expected = [
            ("newer, image changed", McubootError::Hash),
            ("newer, on trial, image changed", McubootError::Hash),
            ("newer, signed by another key", McubootError::KeyUnknown),
            ("newer, below the security counter", McubootError::Rollback),
            ("the other slot's, image changed", McubootError::Hash),
            ("the other slot's, looked at first", McubootError::Hash),
            ("image changed", McubootError::Hash),
            ("signature changed", McubootError::Signature),
            ("signed by another key", McubootError::KeyUnknown),
            ("payload exchanged", McubootError::Hash),
            ("below the security counter", McubootError::Rollback),
            ("without a security counter", McubootError::Rollback),
            ("for another vendor", McubootError::WrongVendor),
            ("linked for the other slot", McubootError::WrongAddress),
        ];
        let cases = attacks().unwrap();
        assert_eq!(cases.len(), expected.len());
        for (case, (name, reason)) in cases.iter().zip(expected) {
            assert_eq!(case.name, name);
            assert_eq!(refusal(case), Some(Refusal::Image(reason)), "{name}");
        }
    }

    fn refusal(case: &Case) -> Option<Refusal> {
        let maker = Maker::with_unit(7);
        let keys: [&dyn Verify; 1] = [&*maker.public];
        let [a, b] = SLOTS.map(|page| trailer(page).unwrap());
        let loader = Loader {
            vendor: Some(VENDOR),
            class: Some(CLASS),
            rom_a: Some(ENTRIES[0]),
            rom_b: Some(ENTRIES[1]),
            ..Loader::new(a, b, &keys)
        };
        let mut flash = SimFlash::from_image(geometry(), &case.input.flash);
        let mut counter = SimCounter::new().at(u64::from(case.input.counter));
        let mut sha256 = Sha256::new();
        let mut hashes = Hashes {
            sha256: &mut sha256,
            sha512: None,
        };
        match select(&mut flash, &loader, &mut counter, &mut hashes).unwrap() {
            Selection::Recovery { a, .. } => Some(a),
            Selection::Boot(image) => match image.reason() {
                Reason::Fallback(refusal) => Some(refusal),
                Reason::LastResort(_) => Some(Refusal::Image(McubootError::Hash)),
                // Of two versions alike the first is looked at first.
                _ => {
                    flash.tamper(0, &[0; 4]);
                    let selection = select(&mut flash, &loader, &mut counter, &mut hashes).unwrap();
                    let Selection::Recovery { b, .. } = selection else {
                        return None;
                    };
                    Some(b)
                }
            },
        }
    }
}
