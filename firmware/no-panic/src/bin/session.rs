//! Installing several components whose payloads are patches in chunks, from a state that a cut left, and measuring
//! them again. Must link.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m_rt::entry;
use iotsec_core::{crypto::Sha256, hal::Slot};
use iotsec_update::{
    DeviceIdentity, Envelope, Limits, Policy, SequenceNumber, TrustAnchor, TrustAnchors,
    boot::{self, BootConfig, Remeasure},
    install::{Finish, Updater},
    payload::{Checked, Delta},
    rollback::{Rollback, RollbackPolicy},
};
use no_panic::{KeyInHardware, UnknownCounter, UnknownFlash, component, halt, layout, unknown};

#[entry]
fn main() -> ! {
    let input = [0; 512];
    let _ = black_box(install(unknown(&input)));
    halt()
}

fn install(input: &[u8]) -> Option<()> {
    let layout = layout::<3>().ok()?;
    let policy = RollbackPolicy::new(black_box(8)).ok()?;
    let components = black_box([component(input).ok()?; 3]);
    let device = DeviceIdentity {
        vendor: black_box([0; 16]),
        class: black_box([1; 16]),
        device: black_box(Some([2; 16])),
        components: &components,
    };
    let anchors = black_box([TrustAnchor {
        key: &KeyInHardware,
        kid: None,
    }]);
    let anchors = TrustAnchors::new(&anchors, 1).ok()?;
    let config = black_box(BootConfig::new(layout, anchors, device));
    let (mut flash, mut counter, mut scratch) = (UnknownFlash, UnknownCounter, [0; 512]);
    let mut rollback = Rollback::new(&mut counter, policy);
    let mut hash = Sha256::new();
    let running = boot::identify(&mut flash, &config, black_box(Slot::A), &mut hash, &mut scratch).ok()?;
    let mut updater = Updater::mount(&mut flash, layout, running, &mut rollback, Sha256::new()).ok()?;
    let accepted = Envelope::parse(input, &Limits::DEFAULT)
        .ok()?
        .authenticate(&anchors, &mut hash)
        .ok()?
        .admit(
            &device,
            &black_box(Policy::newer_than(SequenceNumber(0))),
            &mut hash,
        )
        .ok()?;
    let mut chunk = [0; 256];
    let check = Checked::new(&mut chunk, Sha256::new());
    let decoder = Delta::<256>::new();
    let mut session = updater
        .start_with(&mut flash, accepted, &mut rollback, decoder, check)
        .ok()?;
    while black_box(true) {
        black_box(session.wanted());
        black_box(session.progress());
        black_box(updater.write(&mut session, &mut flash, input).is_ok());
    }
    if let Ok(Finish::Done(candidate)) = updater.finish(&mut session, &mut flash) {
        black_box(updater.install(&mut flash, candidate).is_ok());
    }
    let mut remeasure =
        Remeasure::identify(&mut flash, &config, black_box(Slot::B), &mut hash, &mut scratch).ok()?;
    while black_box(true) {
        black_box(
            remeasure
                .step(&mut flash, &layout, &mut hash, black_box(1000))
                .is_ok(),
        );
    }
    Some(())
}
