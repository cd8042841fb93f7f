//! Flash that somebody wrote, or that decayed.

use iotsec_telemetry::{consent::Consents, registry::Class, spool::Spool};
use iotsec_testkit::{Geometry, SimFlash, SimRng, Tear};
use rand_core::TryRng;

use crate::device::{Device, SIZES, small, stored_key};

fn filled() -> Device {
    let mut device = Device::new(small(), Tear::Clean);
    for boot in 0..2 {
        let mut running = device.start().unwrap();
        for serial in 0..9 {
            for class in 0..4 {
                let _ = running.record(class, boot * 100 + serial);
            }
        }
        if boot == 0 {
            running.drain().unwrap();
        }
    }
    device
}

/// Whatever is in flash: what comes out was recorded, at most once each boot, and what does not is counted or gone.
fn try_out(device: &mut Device) -> usize {
    let recorded = device.accounts.clone();
    let Ok(mut running) = device.start() else {
        return 0;
    };
    let batches = running.drain().unwrap();
    assert!(batches < 20);
    assert!(running.spool.is_empty());
    for (before, account) in recorded.iter().zip(&running.device.accounts) {
        assert!(
            account.arrived.is_subset(&before.recorded),
            "an event was made up"
        );
    }
    // It goes on.
    let id = running.record(1, 5).unwrap();
    assert_eq!(running.send(SIZES).unwrap().unwrap().ids, [id]);
    running
        .device
        .accounts
        .iter()
        .map(|account| account.arrived.len())
        .sum()
}

#[test]
fn every_flipped_byte_costs_events_or_nothing_and_never_makes_one_up() {
    let prepared = filled();
    let mut whole = prepared.clone();
    let all = try_out(&mut whole);
    let mut rng = SimRng::new(5);
    let mut missing = 0;
    for at in (0..prepared.flash.image().len()).step_by(7) {
        let mut device = prepared.clone();
        let byte = device.flash.image()[at] ^ (1 << rng.below(8));
        device.flash.tamper(at as u32, &[byte]);
        let left = try_out(&mut device);
        missing += usize::from(left < all);
    }
    assert!(missing > 50, "{missing}");
}

#[test]
fn a_slot_that_decays_is_counted_as_lost() {
    let prepared = filled();
    let page = 512 * 5;
    // Slots of the page of class security that the acknowledgement has not reached.
    let mut counted = 0;
    for slot in 0..9 {
        let mut device = prepared.clone();
        device.flash.tamper(page + 80 + slot * 48 + 5, &[0x55]);
        let mut running = device.start().unwrap();
        let before = running.spool.loss(Class::Security).count;
        running.drain().unwrap();
        running.device.check(&running.spool);
        counted += running.spool.loss(Class::Security).count - before;
    }
    assert!(counted > 0);
}

#[test]
fn pages_that_are_swapped_or_put_back_bring_no_event_twice() {
    let prepared = filled();
    let image = prepared.flash.image().to_vec();
    let page = |number: usize| image[number * 512..][..512].to_vec();
    for from in 0..11 {
        for to in 0..11 {
            let mut device = prepared.clone();
            device.flash.tamper(to as u32 * 512, &page(from));
            device.flash.tamper(from as u32 * 512, &page(to));
            try_out(&mut device);
        }
    }
    // An old page in the place of the one that followed it.
    let mut device = prepared.clone();
    for _ in 0..3 {
        let mut running = device.start().unwrap();
        for serial in 0..12 {
            running.record(1, serial).unwrap();
        }
        running.drain().unwrap();
    }
    let later = device.clone();
    for number in 0..11 {
        let mut device = later.clone();
        device.flash.tamper(number as u32 * 512, &page(number));
        let repeated = device.repeated;
        try_out(&mut device);
        if (4..11).contains(&number) {
            assert_eq!(device.repeated, repeated, "page {number}");
        }
    }
}

#[test]
fn random_bytes_are_an_empty_spool() {
    let mut rng = SimRng::new(9);
    for _ in 0..50 {
        let mut device = Device::new(small(), Tear::Clean);
        let mut image = vec![0; 512 * 11];
        rng.try_fill_bytes(&mut image).unwrap();
        device.flash = SimFlash::from_image(small(), &image);
        let mut running = device.start().unwrap();
        assert!(running.spool.is_empty());
        assert!(running.send(SIZES).unwrap().is_none());
        for class in 0..4 {
            running.record(class, 3).unwrap();
        }
        assert_eq!(running.drain(), Ok(3));
        let arrived = running
            .device
            .accounts
            .iter()
            .map(|account| account.arrived.len());
        assert_eq!(arrived.collect::<Vec<_>>(), [1; 4]);
    }
}

#[test]
fn a_driver_that_fails_is_an_error_and_not_a_loss() {
    let mut device = filled();
    device.flash.fail(iotsec_testkit::Operation::Read, 0..u64::MAX);
    assert!(device.start().is_err());
    device.flash.mend();
    let mut running = device.start().unwrap();
    running.device.flash.fail(iotsec_testkit::Operation::Write, 0..1);
    assert!(running.record(1, 1).is_err());
    running.device.flash.mend();
    running.record(1, 2).unwrap();
    running.drain().unwrap();
    running.device.check(&running.spool);
    running.device.check_criticals();
}

#[test]
fn what_is_stored_shows_neither_events_nor_keys() {
    const SERIAL: u32 = 0x1234_5678;
    let mut device = filled();
    device.start().unwrap().record(1, SERIAL).unwrap();
    // The code as it stands in a slot before that is sealed: four events are declared, and this is the second.
    let code = (u64::from(SERIAL) * 4 + 1).to_le_bytes();
    assert!(!device.flash.contains(&code[..4]));
    assert!(!device.flash.contains(stored_key().expose()));
    let parts = device.parts();
    let mut flash = SimFlash::new(Geometry::nrf52840(11));
    let parts = iotsec_telemetry::spool::SpoolParts {
        region: flash.region().unwrap(),
        ..parts
    };
    let spool = Spool::mount(&mut flash, parts, 1, &stored_key()).unwrap();
    let text = format!("{spool:?} {parts:?} {:?}", Consents::off());
    assert!(!text.contains("81, 81"), "{text}");
}
