//! A boot loader that starts MCUboot images in place, and one that looks at them once.

use core::hint::black_box;

use iotsec_core::{
    crypto::{Sha256, Verify},
    hal::{Region, Slot},
};
use iotsec_update::mcuboot::{
    self, Admitted, FlashBytes, Hashes, Image, Loader, McubootError, Selection, Startable, Trailer, select,
};

use crate::{
    boot::entry,
    device::{ALIGN, CLASS, ENTRIES, FLASH, Input, PAGE, SLOT_PAGES, SLOTS, VENDOR, WORD},
    driver::{Counter, Flash},
    landmark,
};

/// Decides, and starts what was decided.
pub fn boot(input: &mut Input, key: &dyn Verify) -> ! {
    let (mut flash, mut counter) = (Flash(&mut input.flash), Counter(u64::from(input.counter)));
    let (keys, mut sha256) = ([key], Sha256::new());
    let mut hashes = Hashes {
        sha256: &mut sha256,
        sha512: None,
    };
    let loader = Loader {
        vendor: Some(VENDOR),
        class: Some(CLASS),
        rom_a: Some(entry(Slot::A)),
        rom_b: Some(entry(Slot::B)),
        ..Loader::new(slot(SLOTS[0]), slot(SLOTS[1]), &keys)
    };
    landmark::ready();
    match select(&mut flash, &loader, &mut counter, &mut hashes) {
        Ok(Selection::Boot(image)) => start(&image),
        _ => landmark::refused(),
    }
}

/// What hands over to the image.
#[inline(never)]
fn start(image: &Startable) -> ! {
    let entry = address(image);
    if !image.is_proven() || black_box(entry) != address(black_box(image)) {
        landmark::refused()
    }
    landmark::accepted(entry)
}

fn address(image: &Startable) -> u32 {
    FLASH.wrapping_add(image.entry())
}

/// Looks at slot A once, as an application does before it asks for a start, and starts it.
pub fn boot_once(input: &mut Input, key: &dyn Verify) -> ! {
    landmark::ready();
    match once(input, key) {
        Ok(_) => landmark::accepted(ENTRIES[0]),
        Err(_) => landmark::refused(),
    }
}

#[inline(never)]
fn once(input: &mut Input, key: &dyn Verify) -> Result<Admitted, McubootError> {
    let (mut flash, mut sha256) = (Flash(&mut input.flash), Sha256::new());
    let mut bytes = FlashBytes::new(&mut flash, *slot(SLOTS[0]).region());
    let mut hashes = Hashes {
        sha256: &mut sha256,
        sha512: None,
    };
    let device = mcuboot::Device {
        vendor: Some(VENDOR),
        class: Some(CLASS),
        security_counter: Some(input.counter),
        rom: Some(entry(Slot::A)),
        ..mcuboot::Device::default()
    };
    Image::read(&mut bytes)?
        .verify(&mut bytes, &[key], &mut hashes)?
        .admit(&device)
}

const fn slot(page: u32) -> Trailer {
    let Ok(region) = Region::new(page * PAGE, PAGE, SLOT_PAGES, WORD) else {
        panic!("a region of whole pages")
    };
    match Trailer::new(region, ALIGN) {
        Ok(trailer) => trailer,
        Err(_) => panic!("a trailer of MCUboot's"),
    }
}
