//! The device that is made here: its identity, its flash, whom it trusts.

use harness::{console, vector};
// In 256 KB of flash nine of each image count more than the instructions of a verification.
#[cfg(not(board = "lm3s6965evb"))]
use iotsec_core::crypto::Ed25519PublicKey as MakerKey;
#[cfg(board = "lm3s6965evb")]
use iotsec_core::crypto::Ed25519SmallPublicKey as MakerKey;
use iotsec_core::hal::Region;
use iotsec_update::{
    ComponentId, DeviceComponent, DeviceIdentity, TrustAnchor, TrustAnchors,
    boot::BootConfig,
    rollback::RollbackPolicy,
    slot::{SlotLayout, UpdateLayout},
};

use crate::{
    flash::MAP,
    map::{COMPONENTS, Pages},
};

/// Every release that is accepted raises the security counter.
pub const ROLLBACK: RollbackPolicy = match RollbackPolicy::new(0) {
    Ok(policy) => policy,
    Err(_) => panic!("the shift is below 64"),
};

/// The slots and the journal.
pub const LAYOUT: UpdateLayout = match UpdateLayout::new(slot(0), slot(1), region(MAP.journal())) {
    Ok(layout) => layout,
    Err(_) => panic!("the regions lie behind each other"),
};

/// The encrypted store.
pub const STORE: Region = region(MAP.store());

const fn slot(number: usize) -> SlotLayout {
    SlotLayout {
        manifest: region(MAP.manifest(number)),
        images: [region(MAP.image(number))],
    }
}

const fn region(pages: Pages) -> Region {
    match Region::new(pages.first * MAP.page, MAP.page, pages.count, MAP.word) {
        Ok(region) => region,
        Err(_) => panic!("a region of whole pages"),
    }
}

/// Calls `with` with all that a boot loader knows of the device.
pub fn with_config<R>(with: impl FnOnce(&BootConfig<'_>) -> R) -> R {
    let (mut with, mut answer) = (Some(with), None);
    configure(&mut |config| answer = with.take().map(|with| with(config)));
    match answer {
        Some(answer) => answer,
        None => console::fail("nobody has asked"),
    }
}

// Once for all that is done with it: each copy is half a kilobyte.
#[inline(never)]
fn configure(with: &mut dyn FnMut(&BootConfig<'_>)) {
    let Ok(key) = MakerKey::from_bytes(&vector::KEY_ED25519) else {
        console::fail("the maker's key was refused")
    };
    let anchors = [TrustAnchor { key: &key, kid: None }];
    let (Ok(anchors), Ok(a), Ok(b)) = (
        TrustAnchors::new(&anchors, 1),
        ComponentId::from_encoded(&COMPONENTS[0]),
        ComponentId::from_encoded(&COMPONENTS[1]),
    ) else {
        console::fail("the device's description was refused")
    };
    const ROOM: [u32; 2] = [MAP.room(0), MAP.room(1)];
    let [components_a, components_b] = [(a, ROOM[0]), (b, ROOM[1])].map(|(id, capacity)| {
        [DeviceComponent {
            id,
            capacity,
            slot: None,
        }]
    });
    let device = DeviceIdentity {
        vendor: vector::VENDOR,
        class: vector::CLASS,
        device: None,
        components: &components_a,
    };
    let mut config = BootConfig::new(LAYOUT, anchors, device);
    config.device_b.components = &components_b;
    with(&config);
}
