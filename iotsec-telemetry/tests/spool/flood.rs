//! A million events of no weight, and the few that count.

use iotsec_core::{
    crypto::{ChaCha20Poly1305, HkdfSha256},
    hal::Millis,
    secret::Secret,
};
use iotsec_telemetry::{
    batch::{BatchKey, MAX_LEN},
    queue::Queue,
    registry::Class,
    spool::Quotas,
};
use iotsec_testkit::{Geometry, SimRng, Tear};

use crate::device::{Device, EVENTS, SIZES};

/// How many low events; with `IOTSEC_SWEEP=full` a million of them in flash too, each sealed and read back.
fn in_flash() -> u32 {
    let full = std::env::var_os("IOTSEC_SWEEP").is_some_and(|value| value == "full");
    if full { 1_000_000 } else { 100_000 }
}

#[test]
fn a_million_low_events_cost_the_queue_no_critical_one_and_every_loss_is_counted() {
    const LOW: u32 = 1_000_000;
    let device = Device::new(Geometry::small(2), Tear::Clean);
    let (consents, registry) = (device.consents(), device.registry());
    let mut queue = Queue::<64>::new(registry, 1, 16);
    let secret = Secret::from_bytes([3; 32]);
    let key = BatchKey::new(&secret, &ChaCha20Poly1305, &HkdfSha256);
    let (mut scratch, mut out, mut plain) = ([0; MAX_LEN], [0; MAX_LEN], [0; MAX_LEN]);
    let mut rng = SimRng::new(1);
    let (mut criticals, mut delivered, mut told) = (0, [0; 4], [0; 4]);
    let mut emitted = [0; 4];
    for serial in 0..=LOW {
        let class = 1 + serial as usize % 3;
        let now = Millis::from_secs(u64::from(serial / 10));
        emitted[class] += 1;
        let _ = queue.record(&consents, &EVENTS[class], &[serial.into()], now);
        if serial % 20_000 == 0 {
            emitted[0] += 1;
            queue
                .record(&consents, &EVENTS[0], &[serial.into()], now)
                .unwrap();
        }
        if serial % 100_000 == 0 || serial == LOW {
            loop {
                let sealed = queue.batch(&consents, &key, SIZES, &mut rng, &mut scratch, &mut out);
                let Some(sealed) = sealed.unwrap() else { break };
                let batch = key
                    .open(sealed.bytes(), &mut plain)
                    .unwrap()
                    .read(&registry)
                    .unwrap();
                for event in batch.events() {
                    let class = event.definition().class();
                    delivered[usize::from(class.number())] += 1;
                    criticals += u32::from(class == Class::Critical);
                }
                for class in batch.purpose().classes() {
                    told[usize::from(class.number())] = batch.lost(*class);
                }
                queue.ack(sealed.into_receipt()).unwrap();
            }
        }
    }
    assert_eq!(criticals, 51);
    for (index, class) in Class::ALL.into_iter().enumerate() {
        let waiting = u32::try_from(queue.len_of(class)).unwrap();
        assert_eq!(
            queue.lost(class),
            emitted[index] - delivered[index] - waiting,
            "{class:?}"
        );
        assert_eq!(told[index], queue.lost(class));
    }
    assert!(told[3] > 300_000);
}

#[test]
fn a_flood_of_low_events_costs_the_spool_no_critical_one_and_every_loss_is_counted() {
    let low = in_flash();
    let mut device = Device::new(Geometry::nrf52840(12), Tear::Clean);
    device.quotas = Quotas {
        journal: 2,
        critical: 2,
        security: 2,
        health: 2,
        usage: 4,
    };
    let before = device.flash.stats().erases;
    let mut serial = 0;
    for _ in 0..10 {
        let mut running = device.start().unwrap();
        for _ in 0..low / 10 {
            serial += 1;
            running.record(3, serial).unwrap();
            if serial % (low / 50) == 0 {
                running.record(0, serial).unwrap();
            }
        }
        running.device.check(&running.spool);
    }
    let mut running = device.start().unwrap();
    running.drain().unwrap();
    assert!(running.spool.is_empty());
    running.device.check(&running.spool);
    running.device.check_criticals();
    let [critical, .., usage] = &running.device.accounts;
    assert_eq!((critical.arrived.len(), usage.recorded.len() as u32), (50, low));
    let lost = running.spool.loss(Class::Usage).count;
    assert_eq!(lost, low - usage.arrived.len() as u32);
    assert_eq!(running.device.cut_short(), 0);
    let erases = running.device.flash.stats().erases - before;
    let worst = *running.device.flash.wear().iter().max().unwrap();
    println!("{low} events: {lost} lost, {erases} erases, {worst} of the most worn page");
    // A hundred events a page.
    assert!(erases <= u64::from(low) / 99 + 60, "{erases}");
    assert!(worst <= low / (99 * 4) + 30, "{worst}");
}
