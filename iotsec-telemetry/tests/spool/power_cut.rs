//! The power goes at every step of everything that writes.

use iotsec_telemetry::error::SpoolError;
use iotsec_testkit::{Geometry, Sweep, Tear};

use crate::device::{Device, small};

const TEARS: [Tear; 4] = [Tear::Torn, Tear::Clean, Tear::EccPoison, Tear::Unstable];

/// So full that every class opens and displaces pages, with something acknowledged and a journal in use.
fn used(geometry: Geometry, tear: Tear) -> Device {
    let mut device = Device::new(geometry, tear);
    let mut serial = 0;
    for boot in 0..2 {
        let mut running = device.start().unwrap();
        for round in 0..10 {
            for class in 0..4 {
                serial += 1;
                let _ = running.record(class, serial);
            }
            if round % 5 == 2 && boot == 0 {
                running.drain().unwrap();
            }
        }
    }
    device
}

/// One boot: records of all classes and an acknowledgement, until the power goes.
fn live(device: &mut Device, rounds: u32) -> Result<(), SpoolError> {
    let mut running = device.start()?;
    for serial in 0..rounds {
        for class in [3, 0, 1, 2] {
            match running.record(class, 1000 + serial) {
                Ok(_) | Err(SpoolError::Record(_)) => {}
                Err(error) => return Err(error),
            }
        }
        if serial % 3 == 1 {
            running.drain()?;
        }
    }
    Ok(())
}

/// What holds after every cut: nothing acknowledged is missing, every count is exact, and it goes on.
fn check(device: &mut Device) {
    let mut running = device.start().unwrap();
    running.device.check(&running.spool);
    for class in 0..4 {
        let _ = running.record(class, 1);
    }
    running.drain().unwrap();
    assert!(running.spool.is_empty());
    running.device.check(&running.spool);
    running.device.check_criticals();
    running.record(0, 2).unwrap();
    drop(running);
    // What was acknowledged does not come back.
    let mut running = device.start().unwrap();
    assert_eq!(running.spool.len(), 1);
    let before = running.device.repeated;
    running.drain().unwrap();
    assert_eq!(running.device.repeated, before);
    running.device.check(&running.spool);
    assert!(running.device.flash.most_erases() <= 1);
}

#[test]
fn a_power_cut_at_every_write_loses_no_acknowledged_event_and_keeps_the_counts_exact() {
    let mut total = 0;
    for tear in TEARS {
        let prepared = used(small(), tear);
        total += Sweep::new().quick(3).full(8).each_cut(
            || prepared.clone(),
            |device| live(device, 12),
            |device, outcome| {
                assert_eq!(outcome.completed, outcome.result.is_ok());
                check(device);
            },
        );
    }
    println!("{total} cut points");
    assert!(total > 400);
}

#[test]
fn a_power_cut_on_every_kind_of_flash_loses_nothing() {
    let mut total = 0;
    for (name, geometry) in Geometry::table(22) {
        let prepared = used(geometry, Tear::Torn);
        let points = Sweep::new().quick(17).each_cut(
            || prepared.clone(),
            |device| live(device, 6),
            |device, _| check(device),
        );
        println!("{name}: {points}");
        total += points;
    }
    assert!(total > 100);
}

#[test]
fn a_second_cut_during_the_recovery_loses_nothing_either() {
    let mut pairs = 0;
    for tear in TEARS {
        let prepared = used(small(), tear);
        pairs += Sweep::new().quick(13).full(2).two_cuts(
            || prepared.clone(),
            |device| live(device, 5),
            |device| _ = live(device, 3),
            |device, _| check(device),
        );
    }
    println!("{pairs} pairs of cuts");
    assert!(pairs > 200);
}

/// The order of events in which tweedegolf/sequential-storage#136 lost an item: two writes are cut short, each in a
/// boot of its own, and a third is acknowledged.
#[test]
fn an_event_recorded_after_two_torn_writes_is_kept() {
    let mut triples = 0;
    for tear in TEARS {
        for class in 0..4 {
            let mut prepared = Device::new(small(), tear);
            prepared.start().unwrap().record(class, 1).unwrap();
            let one = |device: &mut Device, serial| device.start()?.record(class, serial).map(drop);
            triples += Sweep::new().two_cuts(
                || prepared.clone(),
                |device| one(device, 2),
                |device| _ = one(device, 3),
                |device, _| {
                    one(device, 4).unwrap();
                    one(device, 5).unwrap();
                    check(device);
                    let missing = device.accounts[class]
                        .recorded
                        .difference(&device.accounts[class].arrived);
                    assert_eq!(missing.count(), 0);
                },
            );
        }
    }
    println!("{triples} pairs of torn writes");
    assert!(triples > 100);
}

/// The last bit of a head that was being written reads right now and then: what is recorded behind it must not depend on
/// that.
#[test]
fn a_page_whose_head_reads_right_by_luck_is_opened_again() {
    for seed in 0..32 {
        let mut device = Device::new(small(), Tear::Clean);
        device.flash.power().reseed(seed);
        let mut running = device.start().unwrap();
        for serial in 0..9 {
            running.record(1, serial).unwrap();
        }
        // An erase and the five words of the head; the event behind it comes too late.
        running.device.flash.cut_after(6);
        assert!(running.record(1, 9).is_err());
        drop(running);
        device.flash.power_on();
        let page = 5 * 512;
        assert!(
            device.flash.image()[page..page + 80]
                .iter()
                .any(|byte| *byte != 0xFF)
        );
        assert!(
            device.flash.image()[page + 80..page + 512]
                .iter()
                .all(|byte| *byte == 0xFF)
        );
        device.flash.make_unstable(page as u32 + 20, 1);
        for serial in 0..4 {
            device.start().unwrap().record(1, 10 + serial).unwrap();
        }
        check(&mut device);
        let missing = device.accounts[1]
            .recorded
            .difference(&device.accounts[1].arrived);
        assert_eq!(missing.count(), 0);
    }
}
