//! What is recorded arrives, once.

use iotsec_core::{
    crypto::{
        CryptoError, KeyAgreement as _, Sha256, X25519Key,
        hpke::{self, HpkeError},
    },
    hal::{Millis, UnixTime},
    secret::Secret,
};
use iotsec_telemetry::{
    batch::{MAX_LEN, SealTo as _, ServiceKey, ServiceSecret, SizeClass, Sizes},
    error::{BatchError, DecodeError, RecordError, SpoolError},
    registry,
    registry::{Class, EventDef, Handling, Purpose},
    spool::{MAX_REFUSALS, Refusal},
    stream::Stream,
};
use iotsec_testkit::Tear;

use crate::device::{Device, SIZES, UPDATED, small};

fn device() -> Device {
    Device::new(small(), Tear::Torn)
}

#[test]
fn what_was_recorded_in_many_boots_arrives_in_order() {
    let mut device = device();
    for boot in 0u32..4 {
        let mut running = device.start().unwrap();
        for step in 0..4 {
            let class = [3, 0, 2, 1][step as usize];
            running.record(class, boot * 10 + step).unwrap();
        }
    }
    let mut running = device.start().unwrap();
    assert_eq!(running.spool.len(), 16);
    let of_steps = |steps: &[i64]| -> Vec<i64> {
        let boots = 0..4;
        boots
            .flat_map(|boot| steps.iter().map(move |step| boot * 10 + step))
            .collect()
    };
    for (purpose, steps) in Purpose::ALL.into_iter().zip([&[1, 3][..], &[2], &[0]]) {
        let arrived = running.send(SIZES).unwrap().unwrap();
        assert_eq!((arrived.purpose, &arrived.serials), (purpose, &of_steps(steps)));
        assert_eq!(arrived.ids[steps.len()].boot, 2);
        running.ack(arrived).unwrap();
    }
    assert!(running.spool.is_empty());
    assert!(running.send(SIZES).unwrap().is_none());
    drop(running);
    // And not once more after a reboot.
    assert!(device.start().unwrap().send(SIZES).unwrap().is_none());
}

#[test]
fn a_receipt_is_for_its_own_batch() {
    let mut device = device();
    let mut running = device.start().unwrap();
    running.record(1, 1).unwrap();
    let first = running.send(SIZES).unwrap().unwrap();
    running.record(1, 2).unwrap();
    let second = running.send(SIZES).unwrap().unwrap();
    assert_eq!(second.serials, [1, 2]);
    let stale = running.ack(first);
    assert_eq!(stale, Err(SpoolError::Batch(BatchError::StaleReceipt)));
    // Recorded behind the batch, and left by its acknowledgement.
    running.record(1, 3).unwrap();
    running.ack(second).unwrap();
    assert_eq!(running.send(SIZES).unwrap().unwrap().serials, [3]);
}

#[test]
fn small_batches_take_the_most_urgent_first() {
    let mut device = device();
    let mut running = device.start().unwrap();
    for serial in 0..32 {
        running.record(3 - serial as usize % 4, serial * 1000).unwrap();
    }
    let first = running.send(Sizes::fixed(SizeClass::B128)).unwrap().unwrap();
    let criticals = first
        .serials
        .iter()
        .filter(|serial| **serial / 1000 % 4 == 3)
        .count();
    assert_eq!(criticals, first.serials.len().min(8), "criticals first");
    running.ack(first).unwrap();
    let mut batches = 1;
    while let Some(arrived) = running.send(Sizes::fixed(SizeClass::B128)).unwrap() {
        running.ack(arrived).unwrap();
        batches += 1;
    }
    assert!(batches > 1);
    assert_eq!(running.device.repeated, 0);
    assert_eq!(
        running
            .device
            .accounts
            .iter()
            .map(|a| a.arrived.len())
            .sum::<usize>(),
        32
    );
}

#[test]
fn criticals_are_refused_newest_first_and_others_displace_their_oldest() {
    let mut device = device();
    let mut running = device.start().unwrap();
    let mut recorded = [0; 4];
    for serial in 0..200 {
        for (class, recorded) in recorded.iter_mut().enumerate() {
            match running.record(class, serial) {
                Ok(_) => *recorded += 1,
                Err(error) => assert_eq!(error, SpoolError::Record(RecordError::Full)),
            }
        }
    }
    assert!(recorded[0] < 30 && recorded[1..] == [200; 3], "{recorded:?}");
    running.device.check(&running.spool);
    let loss = running.spool.loss(Class::Critical);
    assert_eq!(loss.count, 200 - recorded[0]);
    let (first, last) = loss.times.unwrap();
    assert!(first.boot == 1 && first.uptime_s < last.uptime_s && last.uptime_s <= 200 * 4 * 7);
    let lost = Class::ALL.map(|class| running.spool.loss(class));
    drop(running);

    let mut running = device.start().unwrap();
    assert_eq!(
        Class::ALL.map(|class| running.spool.loss(class)),
        lost,
        "kept over a reboot"
    );
    let arrived = running.send(SIZES).unwrap().unwrap();
    assert_eq!(arrived.lost, [lost[0].count, lost[1].count, 0, 0]);
    running.ack(arrived).unwrap();
    running.drain().unwrap();
    running.device.check(&running.spool);
    assert!(running.spool.is_empty());
    running.device.check_criticals();
    running.record(0, 1).unwrap();
}

#[test]
fn what_is_displaced_while_it_arrives_is_not_lost() {
    let mut device = device();
    let mut running = device.start().unwrap();
    for serial in 0..5 {
        running.record(3, serial).unwrap();
    }
    let arrived = running.send(SIZES).unwrap().unwrap();
    for serial in 5..100 {
        running.record(3, serial).unwrap();
    }
    running.ack(arrived).unwrap();
    running.device.check(&running.spool);
    drop(running);
    let mut running = device.start().unwrap();
    running.drain().unwrap();
    assert!(running.spool.is_empty());
    running.device.check(&running.spool);
}

#[test]
fn events_of_an_earlier_firmware_go_out_under_its_registry() {
    let mut device = device();
    let mut running = device.start().unwrap();
    for class in 0..4 {
        running.record(class, class as u32).unwrap();
    }
    let old = *running.device.registry().hash();
    drop(running);
    device.registry = &UPDATED;
    let mut running = device.start().unwrap();
    for class in 0..4 {
        running.record(class, 10 + class as u32).unwrap();
    }
    let new = *running.device.registry().hash();
    for events in [2, 1, 1] {
        for registry in [old, new] {
            let arrived = running.send(SIZES).unwrap().unwrap();
            assert_eq!((arrived.registry_hash, arrived.serials.len()), (registry, events));
            running.ack(arrived).unwrap();
        }
    }
    assert!(running.spool.is_empty());
    assert_eq!(running.spool.loss(Class::Security).count, 0);
}

#[test]
fn a_poisonous_event_is_set_aside_and_holds_up_nothing_else() {
    let mut device = device();
    let mut running = device.start().unwrap();
    for serial in 0..20 {
        running.record(1, serial).unwrap();
    }
    let (mut refusals, mut set_aside) = (0, 0);
    let mut taken = Vec::new();
    while let Some(arrived) = running.send(SIZES).unwrap() {
        if arrived.serials.contains(&13) {
            refusals += 1;
            assert!(refusals < 20, "endless");
            match running
                .spool
                .refused(&mut running.device.flash, arrived.receipt)
                .unwrap()
            {
                Refusal::Again => {}
                Refusal::SetAside => set_aside += 1,
            }
        } else {
            taken.extend(arrived.serials.clone());
            running.ack(arrived).unwrap();
        }
    }
    assert_eq!(set_aside, 1);
    assert!(refusals >= u32::from(MAX_REFUSALS));
    taken.sort_unstable();
    let expected: Vec<i64> = (0..20).filter(|serial| *serial != 13).collect();
    assert_eq!(taken, expected);
    assert_eq!(running.spool.loss(Class::Security).count, 1);
    assert!(running.spool.is_empty());
    drop(running);
    let running = device.start().unwrap();
    assert_eq!(running.spool.loss(Class::Security).count, 1);
    assert!(running.spool.is_empty());
}

#[test]
fn a_boot_number_that_was_used_is_refused() {
    let mut device = device();
    device.start().unwrap().record(1, 1).unwrap();
    device.boot -= 1;
    assert_eq!(device.start().err(), Some(SpoolError::Boot));
    device.boot += 5;
    assert_eq!(device.start().unwrap().spool.len(), 1);
}

#[test]
fn what_has_expired_is_not_recorded_once_the_date_is_known() {
    const LAST_DAY: Handling = Handling::new("data@lamps.example", "Lamps Ltd", 90).until(2027, 1, 15);
    const OLD: EventDef = EventDef::new(1, "old", Class::Security, "Test", &[]).handled(LAST_DAY);
    const NEW: EventDef = EventDef::new(2, "new", Class::Security, "Test", &[]);
    registry!(static BOTH = [OLD, NEW]);
    let mut device = device();
    device.registry = &BOTH;
    let mut running = device.start().unwrap();
    let midnight = LAST_DAY.last_second().unwrap().0 + 1;
    let mut record = |event, seconds, start: Option<u64>| {
        if let Some(start) = start {
            running.spool.set_clock(Millis(0), UnixTime(start));
        }
        let (flash, now) = (&mut running.device.flash, Millis::from_secs(seconds));
        let recorded = running.spool.record(flash, &running.consents, event, &[], now);
        recorded.err()
    };
    let expired = Some(SpoolError::Record(RecordError::Expired));
    assert_eq!(record(&OLD, 500, None), None);
    assert_eq!(record(&OLD, 999, Some(midnight - 1000)), None);
    assert_eq!(record(&OLD, 1000, None), expired);
    assert_eq!(record(&NEW, 1000, None), None);
    assert_eq!(
        (running.spool.len(), running.spool.loss(Class::Security).count),
        (3, 0)
    );
}

#[test]
fn a_batch_to_a_services_public_key_is_opened_by_its_private_half_alone() {
    let mut device = device();
    let mut running = device.start().unwrap();
    for serial in 0..16 {
        running.record(serial as usize % 2, serial).unwrap();
    }
    let (suite, id) = (hpke::X25519_CHACHA20_POLY1305, *b"2026-key");
    let private = [1, 2].map(|seed| X25519Key::from_scalar(&Secret::from_bytes([seed; 32])));
    let key = ServiceKey::new(suite, private[0].public_key(), id);
    let (mut scratch, mut out, mut plain) = ([1; MAX_LEN], [0; MAX_LEN], [0; MAX_LEN]);
    let sizes = Sizes::fixed(SizeClass::B512);
    let (flash, rng) = (&mut running.device.flash, &mut running.rng);
    let batch = running
        .spool
        .batch(flash, &running.consents, &key, sizes, rng, &mut scratch, &mut out);
    let batch = batch.unwrap().unwrap();
    assert_eq!(batch.bytes().len(), 512);
    let used = key.plain_len(SizeClass::B512);
    assert!(
        scratch[..used].iter().all(|byte| *byte == 0),
        "the plaintext is wiped"
    );

    let registry = running.device.registry.hashed(&mut Sha256::new());
    let other = ServiceSecret::new(suite, &private[1], id).open(batch.bytes(), &mut plain);
    assert_eq!(
        other.err(),
        Some(DecodeError::Hpke(HpkeError::Crypto(CryptoError::Tag)))
    );
    let secret = ServiceSecret::new(suite, &private[0], id);
    let opened = secret.open(batch.bytes(), &mut plain).unwrap();
    let mut serials: Vec<_> = opened
        .read(&registry)
        .unwrap()
        .events()
        .map(|event| event.raw(0))
        .collect();
    serials.sort_unstable();
    assert_eq!(serials, (0..16).map(Some).collect::<Vec<_>>());

    let receipt = batch.into_receipt();
    running.spool.ack(flash, receipt).unwrap();
    assert!(running.spool.is_empty());
}

#[test]
fn a_batch_for_one_purpose_has_no_event_and_no_count_of_another() {
    let mut device = device();
    let mut running = device.start().unwrap();
    for serial in 0..400 {
        let _ = running.record(serial as usize % 4, serial);
    }
    let lost = Class::ALL.map(|class| running.spool.loss(class).count);
    assert!(lost.iter().all(|lost| *lost > 0), "{lost:?}");
    let mut delivered = 0;
    for purpose in [Purpose::Usage, Purpose::Security, Purpose::Health] {
        let stream = Stream::named(purpose);
        let mut batches = 0;
        while let Some(arrived) = running
            .send_for(Some(&stream), Sizes::fixed(SizeClass::B192))
            .unwrap()
        {
            assert!(arrived.ids.iter().all(|id| id.purpose == purpose));
            for (class, (told, lost)) in Class::ALL.into_iter().zip(arrived.lost.into_iter().zip(lost)) {
                assert_eq!(told, if class.purpose() == purpose { lost } else { 0 });
            }
            delivered += arrived.ids.len();
            running.ack(arrived).unwrap();
            batches += 1;
        }
        assert!(batches > 0, "{purpose:?}");
        let left = Class::ALL.map(|class| class.purpose() == purpose && running.spool.len_of(class) > 0);
        assert_eq!(left, [false; 4]);
    }
    assert_eq!(delivered + lost.iter().sum::<u32>() as usize, 400);
    assert!(running.spool.is_empty() && running.send(SIZES).unwrap().is_none());
}
