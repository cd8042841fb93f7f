//! The device that [`vector`](crate::vector)s are for: its identity, its flash, whom it trusts.

use iotsec_core::{
    crypto::{Ed25519PublicKey, Verify},
    hal::{CounterError, MonotonicCounter, Region},
};
use iotsec_update::{
    ComponentId, DeviceComponent, DeviceIdentity, TrustAnchor, TrustAnchors,
    boot::BootConfig,
    rollback::RollbackPolicy,
    slot::{SlotLayout, UpdateLayout},
};

use crate::{
    console,
    flash::{PAGE, WORD},
    vector,
};

/// Sequence numbers that share a security counter: 256. The image before stays a fallback.
pub const ROLLBACK: RollbackPolicy = match RollbackPolicy::new(8) {
    Ok(policy) => policy,
    Err(_) => panic!("the shift is below 64"),
};

/// Two slots of 8 KiB, each with a page for its envelope, and a journal of three pages.
pub const LAYOUT: UpdateLayout = {
    let a = SlotLayout {
        manifest: region(0, 1),
        images: [region(1, 8)],
    };
    let b = SlotLayout {
        manifest: region(9, 1),
        images: [region(10, 8)],
    };
    match UpdateLayout::new(a, b, region(18, 3)) {
        Ok(layout) => layout,
        Err(_) => panic!("the regions lie behind each other"),
    }
};

/// The encrypted store: eight pages.
pub const STORE: Region = region(24, 8);

const fn region(page: u32, count: u32) -> Region {
    match Region::new(page * PAGE as u32, PAGE as u32, count, WORD as u32) {
        Ok(region) => region,
        Err(_) => panic!("a region of whole pages"),
    }
}

/// Calls `with` with all that a boot loader knows of the device, whose maker signs with Ed25519.
pub fn with_config<R>(with: impl FnOnce(&BootConfig<'_>) -> R) -> R {
    let Ok(key) = Ed25519PublicKey::from_bytes(&vector::KEY_ED25519) else {
        console::fail("the maker's key was refused")
    };
    with_key(&key, with)
}

/// As [`with_config`], for a maker with this key.
pub fn with_key<R>(key: &dyn Verify, with: impl FnOnce(&BootConfig<'_>) -> R) -> R {
    let anchors = [TrustAnchor { key, kid: None }];
    let (Ok(anchors), Ok(id)) = (
        TrustAnchors::new(&anchors, 1),
        ComponentId::from_encoded(vector::COMPONENT),
    ) else {
        console::fail("the device's description was refused")
    };
    let components = [DeviceComponent {
        id,
        capacity: 8 * PAGE as u32,
        slot: None,
    }];
    let device = DeviceIdentity {
        vendor: vector::VENDOR,
        class: vector::CLASS,
        device: None,
        components: &components,
    };
    with(&BootConfig::new(LAYOUT, anchors, device))
}

/// A hardware counter, for as long as there is power.
#[derive(Debug, Default)]
pub struct VolatileCounter(u64);

impl MonotonicCounter for VolatileCounter {
    fn read(&mut self) -> Result<u64, CounterError> {
        Ok(self.0)
    }

    fn advance_to(&mut self, value: u64) -> Result<(), CounterError> {
        self.0 = self.0.max(value);
        Ok(())
    }
}
