//! A boot loader that starts MCUboot images in place.

use core::hint::black_box;

use harness::{
    device::VolatileCounter,
    flash::{PAGE, SimulatedFlash, WORD},
    vector,
};
use iotsec_core::{
    crypto::{Sha256, Verify},
    hal::Region,
};
use iotsec_update::mcuboot::{Hashes, Loader, Selection, Startable, Trailer, select};

/// Two slots of eight pages.
const SLOTS: [Trailer; 2] = [slot(0), slot(8)];

const fn slot(page: u32) -> Trailer {
    let Ok(region) = Region::new(page * PAGE as u32, PAGE as u32, 8, WORD as u32) else {
        panic!("a region of whole pages")
    };
    match Trailer::new(region, 8) {
        Ok(trailer) => trailer,
        Err(_) => panic!("a trailer of MCUboot's"),
    }
}

/// A confirmed image is in the first slot when the device is switched on, and nothing in the second.
pub fn prepare(flash: &mut SimulatedFlash) {
    flash.preload(0, &vector::IMAGE_MCUBOOT);
    let end = SLOTS[0].region().len();
    flash.preload(
        end - vector::TRAILER_CONFIRMED.len() as u32,
        &vector::TRAILER_CONFIRMED,
    );
}

/// Chooses, authenticates, measures 4 KiB, checks and raises the counter.
#[inline(never)]
pub fn boot(key: &dyn Verify, flash: &mut SimulatedFlash) -> bool {
    let keys = [key];
    let [a, b] = SLOTS;
    let loader = Loader {
        vendor: Some(vector::VENDOR),
        class: Some(vector::CLASS),
        ..Loader::new(a, b, &keys)
    };
    let (mut counter, mut sha256) = (VolatileCounter::default(), Sha256::new());
    let mut hashes = Hashes {
        sha256: &mut sha256,
        sha512: None,
    };
    match select(flash, &loader, &mut counter, &mut hashes) {
        Ok(Selection::Boot(image)) => is_started(&image),
        _ => false,
    }
}

/// What the function that jumps asks.
#[inline(never)]
fn is_started(image: &Startable) -> bool {
    let entry = image.entry();
    image.is_proven() && black_box(entry) == black_box(image).entry()
}
