//! A boot loader.

use core::hint::black_box;

use iotsec_core::{
    crypto::{Sha256, Verify},
    hal::{Region, Slot},
};
use iotsec_update::{
    ComponentId, DeviceComponent, DeviceIdentity, TrustAnchor, TrustAnchors,
    boot::{self, BootConfig, Selection, Verified},
    rollback::{Rollback, RollbackPolicy},
    slot::{SlotLayout, UpdateLayout},
};

use crate::{
    device::{CLASS, COMPONENT, ENTRIES, Input, JOURNAL, JOURNAL_PAGES, PAGE, SHIFT, SLOTS, VENDOR, WORD},
    driver::{Counter, Flash},
    landmark,
};

/// Decides, and starts what was decided.
pub fn boot(input: &mut Input, key: &dyn Verify) -> ! {
    let (mut scratch, mut hash) = ([0; 512], Sha256::new());
    let (mut flash, mut counter) = (Flash(&mut input.flash), Counter(u64::from(input.counter)));
    let mut rollback = Rollback::new(&mut counter, ROLLBACK);
    landmark::ready();
    match with_config(key, |config| {
        boot::select(&mut flash, config, &mut rollback, &mut hash, &mut scratch)
    }) {
        Ok(Selection::Boot(image)) => start(&image),
        _ => landmark::refused(),
    }
}

/// What hands over to the image.
#[inline(never)]
fn start(image: &Verified) -> ! {
    let entry = entry(image.slot());
    if !image.is_proven() || black_box(entry) != self::entry(black_box(image).slot()) {
        landmark::refused()
    }
    landmark::accepted(entry)
}

/// Where the image in a slot begins.
pub(crate) const fn entry(slot: Slot) -> u32 {
    let [a, b] = ENTRIES;
    match slot {
        Slot::A => a,
        Slot::B => b,
    }
}

/// Sequence numbers and the security counter.
pub(crate) const ROLLBACK: RollbackPolicy = match RollbackPolicy::new(SHIFT) {
    Ok(policy) => policy,
    Err(_) => panic!("the shift is below 64"),
};

/// Slots and journal.
pub(crate) const LAYOUT: UpdateLayout =
    match UpdateLayout::new(slot(SLOTS[0]), slot(SLOTS[1]), region(JOURNAL, JOURNAL_PAGES)) {
        Ok(layout) => layout,
        Err(_) => panic!("the regions lie behind each other"),
    };

const fn slot(page: u32) -> SlotLayout {
    SlotLayout {
        manifest: region(page, 1),
        images: [region(page + 1, 1)],
    }
}

const fn region(page: u32, count: u32) -> Region {
    match Region::new(page * PAGE, PAGE, count, WORD) {
        Ok(region) => region,
        Err(_) => panic!("a region of whole pages"),
    }
}

/// Calls `with` with all that a boot loader knows of the device.
pub(crate) fn with_config<R>(key: &dyn Verify, with: impl FnOnce(&BootConfig<'_>) -> R) -> R {
    let anchors = [TrustAnchor { key, kid: None }];
    let (Ok(anchors), Ok(id)) = (
        TrustAnchors::new(&anchors, 1),
        ComponentId::from_encoded(COMPONENT),
    ) else {
        landmark::refused()
    };
    let components = [DeviceComponent {
        id,
        capacity: PAGE,
        slot: None,
    }];
    let device = DeviceIdentity {
        vendor: VENDOR,
        class: CLASS,
        device: None,
        components: &components,
    };
    with(&BootConfig::new(LAYOUT, anchors, device))
}
