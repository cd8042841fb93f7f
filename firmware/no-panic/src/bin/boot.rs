//! Choosing what to boot, and verifying it, over a flash of unknown content. Must link.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m_rt::entry;
use iotsec_core::crypto::Sha256;
use iotsec_update::{
    DeviceIdentity, TrustAnchor, TrustAnchors,
    boot::{self, BootConfig},
    rollback::{Rollback, RollbackPolicy},
};
use no_panic::{KeyInHardware, UnknownCounter, UnknownFlash, component, halt, layout, unknown};

#[entry]
fn main() -> ! {
    let input = [0; 512];
    if let (Ok(layout), Ok(component), Ok(policy)) = (
        layout::<2>(),
        component(unknown(&input)),
        RollbackPolicy::new(black_box(8)),
    ) {
        let components = [component; 2];
        let device = DeviceIdentity {
            vendor: black_box([0; 16]),
            class: black_box([1; 16]),
            device: black_box(Some([2; 16])),
            components: black_box(&components),
        };
        let anchors = black_box(
            [TrustAnchor {
                key: &KeyInHardware,
                kid: Some(unknown(&input)),
            }; 3],
        );
        if let Ok(anchors) = TrustAnchors::new(black_box(&anchors), black_box(2)) {
            let config = black_box(BootConfig::new(layout, anchors, device));
            let (mut counter, mut scratch) = (UnknownCounter, [0; 512]);
            let mut rollback = Rollback::new(&mut counter, policy);
            let mut hash = Sha256::new();
            black_box(
                boot::select(&mut UnknownFlash, &config, &mut rollback, &mut hash, &mut scratch).is_ok(),
            );
        }
    }
    halt()
}
