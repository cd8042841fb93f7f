//! What it costs: flash operations of every call, wear, memory.

use iotsec_telemetry::{
    error::SpoolError,
    spool::{Purge, Quotas, Spool},
};
use iotsec_testkit::{Geometry, Stats, Tear};

use crate::device::{Device, SIZES};

/// A megabyte in pages of 4 KiB, as for two weeks without a connection.
fn large() -> Device {
    let mut device = Device::new(Geometry::nrf52840(256), Tear::Clean);
    device.quotas = Quotas {
        journal: 4,
        critical: 16,
        security: 64,
        health: 64,
        usage: 108,
    };
    device
}

#[derive(Default, Debug)]
struct Worst {
    reads: u64,
    writes: u64,
    erases: u64,
}

impl Worst {
    fn take(&mut self, stats: Stats) {
        self.reads = self.reads.max(stats.reads);
        self.writes = self.writes.max(stats.writes);
        self.erases = self.erases.max(stats.erases);
    }
}

#[test]
fn every_call_takes_a_few_flash_operations_however_much_waits() {
    let mut device = large();
    let (mut record, mut ack, mut refused) = (Worst::default(), Worst::default(), Worst::default());
    let mut running = device.start().unwrap();
    // Every ring is full at the end.
    for serial in 0..12_000 {
        for class in 0..4 {
            let before = running.device.flash.stats();
            let result = running.record(class, serial);
            let stats = running.device.flash.stats() - before;
            if matches!(result, Err(SpoolError::Record(_))) {
                refused.take(stats);
            } else {
                record.take(stats);
            }
        }
    }
    let waiting = running.spool.len();
    drop(running);

    let before = device.flash.stats();
    device.boot += 1;
    let (parts, boot) = (device.parts(), device.boot);
    let mut spool = Spool::mount(&mut device.flash, parts, boot, &crate::device::stored_key()).unwrap();
    let mount = device.flash.stats() - before;
    let consents = device.consents();
    for purpose in 0..2 {
        let before = device.flash.stats();
        let key = crate::device::purpose_key(purpose + 1);
        if purpose == 0 {
            spool
                .unlock::<iotsec_telemetry::consent::Health>(&mut device.flash, &consents, &key)
                .unwrap();
        } else {
            spool
                .unlock::<iotsec_telemetry::consent::Usage>(&mut device.flash, &consents, &key)
                .unwrap();
        }
        let unlock = device.flash.stats() - before;
        println!("unlock: {} reads of {} bytes", unlock.reads, unlock.bytes_read);
        assert!(unlock.reads < 500 && unlock.writes + unlock.erases == 0);
    }
    let before = device.flash.stats();
    while spool.purge_step(&mut device.flash, &consents).unwrap() == Purge::Pending {}
    let purge = device.flash.stats() - before;
    assert_eq!(purge.erases, 0);
    drop(spool);

    let mut running = device.start().unwrap();
    assert_eq!(running.spool.len(), waiting);
    let (mut batch, mut batches) = (Worst::default(), 0);
    loop {
        let before = running.device.flash.stats();
        let Some(arrived) = running.send(SIZES).unwrap() else {
            break;
        };
        batch.take(running.device.flash.stats() - before);
        batches += 1;
        let before = running.device.flash.stats();
        running.ack(arrived).unwrap();
        ack.take(running.device.flash.stats() - before);
    }
    running.device.check(&running.spool);
    running.device.check_criticals();
    println!(
        "{waiting} events wait; mount: {} reads of {} bytes",
        mount.reads, mount.bytes_read
    );
    println!(
        "purge of nothing: {} reads of {} bytes",
        purge.reads, purge.bytes_read
    );
    println!("record: {record:?}, refused: {refused:?}\nbatch: {batch:?}, ack: {ack:?}; {batches} batches");
    assert!(mount.reads < 700 && mount.writes + mount.erases == 0);
    assert!(
        record.reads <= 3 && record.writes <= 2 && record.erases <= 1,
        "{record:?}"
    );
    assert!(
        refused.reads <= 8 && refused.writes <= 6 && refused.erases <= 1,
        "{refused:?}"
    );
    assert!(ack.reads <= 9 && ack.writes <= 9 && ack.erases <= 1, "{ack:?}");
    assert!(
        batch.reads <= 600 && batch.writes + batch.erases == 0,
        "{batch:?}"
    );
    assert_eq!(running.device.repeated, 0);
}

#[test]
fn the_spool_takes_little_memory() {
    let size = size_of::<Spool<'_>>();
    println!("{size} bytes");
    assert!(size <= 1536);
}

/// A device of 64 KiB that records a hundred events a day and sends once an hour, for ten years.
#[test]
fn ten_years_of_usual_events_wear_no_page_out() {
    let mut device = Device::new(Geometry::nrf52840(16), Tear::Clean);
    device.quotas = Quotas {
        journal: 2,
        critical: 2,
        security: 4,
        health: 4,
        usage: 4,
    };
    const DAYS: u32 = 60;
    let before: u32 = device.flash.wear().iter().copied().max().unwrap();
    for day in 0..DAYS {
        // One boot a day.
        let mut running = device.start().unwrap();
        for hour in 0..24 {
            for class in [1, 2, 3, 3] {
                running.record(class, day * 24 + hour).unwrap();
            }
            running.drain().unwrap();
        }
        running.device.check(&running.spool);
        assert_eq!(
            running.spool.loss(iotsec_telemetry::registry::Class::Usage).count,
            0
        );
    }
    let worst = device.flash.wear().iter().copied().max().unwrap() - before;
    let ten_years = worst * 3653 / DAYS;
    println!("{worst} erases of the most worn page in {DAYS} days, {ten_years} in ten years");
    assert!(ten_years < 10_000, "what flash stands as a rule");
}
