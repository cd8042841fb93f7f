//! Installing an accepted update into a flash of unknown content, and seeing it through. Must link.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m_rt::entry;
use iotsec_core::{crypto::Sha256, hal::Slot};
use iotsec_update::{
    DeviceIdentity, Envelope, Limits, Policy, SequenceNumber, TrustAnchor, TrustAnchors,
    boot::{self, BootConfig},
    install::{Finish, Updater},
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
    let layout = layout::<1>().ok()?;
    let policy = RollbackPolicy::new(black_box(8)).ok()?;
    let component = [component(input).ok()?; 1];
    let device = DeviceIdentity {
        vendor: black_box([0; 16]),
        class: black_box([1; 16]),
        device: black_box(Some([2; 16])),
        components: black_box(&component),
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
    let mut session = updater.start(&mut flash, accepted, &mut rollback).ok()?;
    while black_box(true) {
        black_box(session.wanted());
        black_box(updater.write(&mut session, &mut flash, input).is_ok());
    }
    if let Ok(Finish::Done(candidate)) = updater.finish(&mut session, &mut flash) {
        black_box(updater.install(&mut flash, candidate).is_ok());
    }
    black_box(updater.accept(&mut flash, &mut rollback).is_ok());
    black_box(updater.reject(&mut flash).is_ok());
    black_box(updater.cancel(&mut flash).is_ok());
    black_box(updater.clean(&mut flash).is_ok());
    Some(())
}
