#![expect(clippy::cast_possible_truncation, reason = "test numbers are small")]

use std::{vec, vec::Vec};

use iotsec_core::{
    crypto::{ChaCha20Poly1305, HkdfSha256, Sha256},
    error::ErrorCode,
    hal::{Millis, UnixTime},
    secret::Secret,
};
use iotsec_testkit::{FailingRng, SimRng, StuckRng};

use super::*;
use crate::{
    batch::{BatchKey, Event, SizeClass},
    consent::{CONSENT_RECORD_LEN, ConsentStorage, Health, Usage},
    error::{DecodeError, SnapshotError, StorageError},
    registry::{Field, Handling},
};

mod model;
mod snapshots;

const SERIAL: &[Field] = &[Field::number("serial", "1", 0, 0xFFFF_FFFF)];
const TAMPERED: EventDef = EventDef::new(1, "tampered", Class::Critical, "Test", SERIAL);
const REFUSED: EventDef = EventDef::new(2, "refused", Class::Security, "Test", SERIAL);
const WORN: EventDef = EventDef::new(3, "worn", Class::Health, "Test", SERIAL);
const USED: EventDef = EventDef::new(4, "used", Class::Usage, "Test", SERIAL);
crate::registry!(static PRODUCT = [TAMPERED, REFUSED, WORN, USED]);
/// In the order of their classes.
const DEFINITIONS: [EventDef; 4] = [TAMPERED, REFUSED, WORN, USED];

fn registry() -> HashedRegistry {
    PRODUCT.hashed(&mut Sha256::new())
}

fn queue<const N: usize>(boot: u32, reserve: usize) -> Queue<N> {
    Queue::new(registry(), boot, reserve)
}

#[derive(Default)]
struct Ram {
    record: Option<[u8; CONSENT_RECORD_LEN]>,
    broken: bool,
}

impl ConsentStorage for Ram {
    fn load(&mut self, record: &mut [u8; CONSENT_RECORD_LEN]) -> Result<bool, StorageError> {
        if let Some(stored) = self.record {
            *record = stored;
        }
        Ok(self.record.is_some())
    }
    fn store(&mut self, record: &[u8; CONSENT_RECORD_LEN]) -> Result<(), StorageError> {
        if self.broken {
            return Err(StorageError::unspecified());
        }
        self.record = Some(*record);
        Ok(())
    }
}

fn all_granted(storage: &mut Ram) -> Consents {
    let mut consents = Consents::load(storage);
    consents.grant::<Health>(1, None, storage).unwrap();
    consents.grant::<Usage>(1, None, storage).unwrap();
    consents
}

/// Seals a batch, opens and reads it as the service does.
struct Delivery {
    purpose: Purpose,
    events: Vec<Event>,
    lost: [u32; 4],
    receipt: Receipt,
}

fn deliver<const N: usize>(
    queue: &mut Queue<N>,
    consents: &Consents,
    sizes: Sizes,
    rng: &mut SimRng,
) -> Option<Delivery> {
    let secret = Secret::from_bytes([7; 32]);
    let key = BatchKey::new(&secret, &ChaCha20Poly1305, &HkdfSha256);
    let (mut scratch, mut out, mut plain) = ([0; 2048], [0; 2048], [0; 2048]);
    let sealed = queue
        .batch(consents, &key, sizes, rng, &mut scratch, &mut out)
        .unwrap()?;
    assert!(scratch.iter().all(|byte| *byte == 0), "the plaintext is wiped");
    let opened = key.open(sealed.bytes(), &mut plain).unwrap();
    let batch = opened.read(&registry()).unwrap();
    let events: Vec<_> = batch.events().collect();
    assert_eq!(events.len(), sealed.events());
    Some(Delivery {
        purpose: batch.purpose(),
        events,
        lost: Class::ALL.map(|class| batch.lost(class)),
        receipt: sealed.into_receipt(),
    })
}

fn serials(events: &[Event]) -> Vec<i64> {
    events.iter().map(|event| event.raw(0).unwrap()).collect()
}

const SIZES: Sizes = Sizes::up_to(SizeClass::B2048);

#[test]
fn a_flood_of_a_million_low_events_displaces_no_critical_one() {
    let (consents, mut rng) = (all_granted(&mut Ram::default()), SimRng::new(1));
    let mut queue = queue::<64>(1, 16);
    let (mut delivered, mut low) = (Vec::new(), 0u32);
    for i in 0..1_000_000u32 {
        let now = Millis(i.into());
        queue.record(&consents, &USED, &[i.into()], now).unwrap();
        if i % 20_000 == 0 {
            queue.record(&consents, &TAMPERED, &[i.into()], now).unwrap();
        }
        if i % 100_000 == 99_999 {
            while let Some(delivery) = deliver(&mut queue, &consents, SIZES, &mut rng) {
                match delivery.purpose {
                    Purpose::Security => delivered.extend(delivery.events),
                    _ => low += delivery.events.len() as u32,
                }
                queue.ack(delivery.receipt).unwrap();
            }
        }
    }
    let expected: Vec<i64> = (0..50).map(|i| i * 20_000).collect();
    assert_eq!(serials(&delivered), expected);
    assert_eq!(queue.lost(Class::Critical), 0);
    assert_eq!(queue.lost(Class::Usage) + low, 1_000_000);
}

#[test]
fn criticals_take_every_place_but_not_each_others() {
    let consents = all_granted(&mut Ram::default());
    let mut queue = queue::<8>(1, 2);
    for serial in 0..8u32 {
        let class = &DEFINITIONS[1 + serial as usize % 3];
        let _ = queue.record(&consents, class, &[serial.into()], Millis(0));
    }
    assert_eq!(queue.len(), 6, "two places are reserved");
    for serial in 100..108u32 {
        queue
            .record(&consents, &TAMPERED, &[serial.into()], Millis(0))
            .unwrap();
    }
    assert_eq!(queue.len_of(Class::Critical), 8);
    let full = queue.record(&consents, &TAMPERED, &[108.into()], Millis(0));
    assert_eq!(full, Err(RecordError::Full));
    let full = queue.record(&consents, &REFUSED, &[109.into()], Millis(0));
    assert_eq!(full, Err(RecordError::Full));
    assert_eq!(queue.lost(Class::Critical), 1);
    let events = deliver(&mut queue, &consents, SIZES, &mut SimRng::new(2))
        .unwrap()
        .events;
    assert_eq!(
        serials(&events),
        (100..108).collect::<Vec<_>>(),
        "the oldest stay"
    );
}

#[test]
fn nothing_is_recorded_or_sent_before_consent_or_after_withdrawal() {
    let (mut storage, mut rng) = (Ram::default(), SimRng::new(3));
    let mut consents = Consents::load(&mut storage);
    let mut queue = queue::<8>(1, 2);
    for event in [&WORN, &USED] {
        let refused = queue.record(&consents, event, &[1.into()], Millis(0));
        assert_eq!(refused, Err(RecordError::NotConsented));
    }
    assert!(deliver(&mut queue, &consents, SIZES, &mut rng).is_none());

    consents.grant::<Usage>(1, None, &mut storage).unwrap();
    assert!(
        queue.record(&consents, &WORN, &[1.into()], Millis(0)).is_err(),
        "granted for usage only"
    );
    for serial in 0..20u32 {
        queue
            .record(&consents, &USED, &[serial.into()], Millis(0))
            .unwrap();
    }
    assert!(queue.lost(Class::Usage) > 0);

    // The storage fails, and withdrawal counts all the same.
    storage.broken = true;
    let failed = consents.withdraw::<Usage, 8>(None, &mut queue, &mut storage);
    assert!(failed.is_err());
    assert!(queue.is_empty());
    assert!(deliver(&mut queue, &consents, SIZES, &mut rng).is_none());
    queue.record(&consents, &REFUSED, &[2.into()], Millis(0)).unwrap();
    let delivery = deliver(&mut queue, &consents, SIZES, &mut rng).unwrap();
    assert_eq!(serials(&delivery.events), [2]);
    assert_eq!(delivery.lost, [0; 4], "not even how much there was");
}

#[test]
fn a_withdrawal_while_a_batch_is_under_way_leaves_nothing_to_tell() {
    let (mut storage, mut rng) = (Ram::default(), SimRng::new(12));
    let mut consents = all_granted(&mut storage);
    let mut queue = queue::<2>(1, 0);
    for serial in 0..5u32 {
        queue
            .record(&consents, &USED, &[serial.into()], Millis(0))
            .unwrap();
    }
    let delivery = deliver(&mut queue, &consents, SIZES, &mut rng).unwrap();
    assert_eq!(delivery.lost, [0, 0, 0, 3]);
    consents
        .withdraw::<Usage, 2>(None, &mut queue, &mut storage)
        .unwrap();
    queue.ack(delivery.receipt).unwrap();
    assert!(deliver(&mut queue, &consents, SIZES, &mut rng).is_none());
}

#[test]
fn a_queue_that_missed_a_withdrawal_still_sends_nothing() {
    let mut storage = Ram::default();
    let mut consents = all_granted(&mut storage);
    let (mut queue, mut other) = (queue::<8>(1, 2), queue::<8>(1, 2));
    queue.record(&consents, &USED, &[1.into()], Millis(0)).unwrap();
    consents
        .withdraw::<Usage, 8>(None, &mut other, &mut storage)
        .unwrap();
    consents.grant::<Usage>(2, None, &mut storage).unwrap();
    assert!(deliver(&mut queue, &consents, SIZES, &mut SimRng::new(4)).is_none());
}

#[test]
fn a_batch_is_repeated_until_its_own_receipt_comes_back() {
    let (consents, mut rng) = (Consents::off(), SimRng::new(5));
    let mut queue = queue::<8>(9, 2);
    for serial in 0..3u32 {
        queue
            .record(&consents, &REFUSED, &[serial.into()], Millis(0))
            .unwrap();
    }
    let first = deliver(&mut queue, &consents, SIZES, &mut rng).unwrap();
    let second = deliver(&mut queue, &consents, SIZES, &mut rng).unwrap();
    let ids = |delivery: &Delivery| delivery.events.iter().map(Event::id).collect::<Vec<_>>();
    assert_eq!(ids(&first), ids(&second));
    assert_eq!(queue.ack(first.receipt), Err(BatchError::StaleReceipt));
    queue.record(&consents, &REFUSED, &[3.into()], Millis(0)).unwrap();
    queue.ack(second.receipt).unwrap();
    let third = deliver(&mut queue, &consents, SIZES, &mut rng).unwrap();
    assert_eq!(
        ids(&third),
        [EventId {
            purpose: Purpose::Security,
            boot: 9,
            sequence: 3
        }]
    );
}

#[test]
fn what_is_displaced_after_it_was_sent_is_lost_only_without_a_receipt() {
    for acknowledged in [true, false] {
        let (consents, mut rng) = (Consents::off(), SimRng::new(6));
        let mut queue = queue::<4>(1, 0);
        for serial in 0..4u32 {
            queue
                .record(&consents, &REFUSED, &[serial.into()], Millis(0))
                .unwrap();
        }
        let delivery = deliver(&mut queue, &consents, SIZES, &mut rng).unwrap();
        for serial in 4..6u32 {
            queue
                .record(&consents, &REFUSED, &[serial.into()], Millis(0))
                .unwrap();
        }
        if acknowledged {
            queue.ack(delivery.receipt).unwrap();
            assert_eq!(queue.len(), 2);
        }
        let next = deliver(&mut queue, &consents, SIZES, &mut rng).unwrap();
        assert_eq!(next.lost[1], if acknowledged { 0 } else { 2 });
        assert_eq!(serials(&next.events).last(), Some(&5));
    }
}

#[test]
fn losses_alone_are_worth_a_batch_until_it_is_acknowledged() {
    let (consents, mut rng) = (Consents::off(), SimRng::new(7));
    let mut queue = queue::<2>(1, 0);
    for serial in 0..5u32 {
        queue
            .record(&consents, &REFUSED, &[serial.into()], Millis(0))
            .unwrap();
    }
    let delivery = deliver(&mut queue, &consents, SIZES, &mut rng).unwrap();
    assert_eq!(delivery.lost, [0, 3, 0, 0]);
    queue.ack(delivery.receipt).unwrap();
    assert!(deliver(&mut queue, &consents, SIZES, &mut rng).is_none());
}

#[test]
fn a_batch_that_cannot_be_sealed_leaves_all_as_it_was() {
    let consents = Consents::off();
    let mut queue = queue::<4>(1, 0);
    queue.record(&consents, &REFUSED, &[1.into()], Millis(0)).unwrap();
    let secret = Secret::from_bytes([7; 32]);
    let key = BatchKey::new(&secret, &ChaCha20Poly1305, &HkdfSha256);
    let (mut scratch, mut out) = ([0; 2048], [0; 2048]);
    let stuck = queue.batch(&consents, &key, SIZES, &mut StuckRng(5), &mut scratch, &mut out);
    assert_eq!(stuck.unwrap_err().code(), 1205);
    let failing = &mut FailingRng::after(0);
    let failed = queue.batch(&consents, &key, SIZES, failing, &mut scratch, &mut out);
    assert_eq!(failed.unwrap_err().code(), 1205);
    assert!(out.iter().all(|byte| *byte == 0));
    let small = queue.batch(
        &consents,
        &key,
        SIZES,
        &mut SimRng::new(1),
        &mut scratch,
        &mut out[..2047],
    );
    assert_eq!(small.unwrap_err(), BatchError::Buffer);
    assert_eq!(queue.len(), 1);
}

#[test]
fn time_is_uptime_until_the_clock_is_known() {
    let (consents, mut rng) = (Consents::off(), SimRng::new(8));
    let mut queue = queue::<4>(1, 0);
    queue
        .record(&consents, &REFUSED, &[1.into()], Millis(61_999))
        .unwrap();
    let before = deliver(&mut queue, &consents, SIZES, &mut rng).unwrap();
    assert_eq!((before.events[0].uptime_s(), before.events[0].time()), (61, None));
    queue.set_clock(Millis::from_secs(100), UnixTime(1_800_000_100));
    let after = deliver(&mut queue, &consents, SIZES, &mut rng).unwrap();
    assert_eq!(after.events[0].time(), Some(UnixTime(1_800_000_061)));
}

#[test]
fn debug_shows_numbers_of_events_and_none_of_their_values() {
    let consents = Consents::off();
    let mut queue = queue::<4>(1, 0);
    queue
        .record(&consents, &REFUSED, &[0x00C0_FFEE.into()], Millis(0))
        .unwrap();
    let code = 0x00C0_FFEEu64 * 4 + 1;
    let text = std::format!("{queue:?}");
    assert!(text.contains("waiting: [0, 1, 0, 0]"));
    assert!(!text.contains(&std::format!("{code}")));
}

#[test]
fn what_has_expired_is_not_recorded_once_the_date_is_known() {
    const LAST_DAY: Handling = Handling::new("data@lamps.example", "Lamps Ltd", 90).until(2027, 1, 15);
    const OLD: EventDef = EventDef::new(1, "old", Class::Security, "Test", &[]).handled(LAST_DAY);
    const NEW: EventDef = EventDef::new(2, "new", Class::Security, "Test", &[]);
    crate::registry!(static BOTH = [OLD, NEW]);
    let consents = Consents::off();
    let mut queue = Queue::<4>::new(BOTH.hashed(&mut Sha256::new()), 1, 1);
    let midnight = LAST_DAY.expires().unwrap().end().0 + 1;
    let mut record = |event, seconds, start: Option<u64>| {
        if let Some(start) = start {
            queue.set_clock(Millis(0), UnixTime(start));
        }
        queue
            .record(&consents, event, &[], Millis::from_secs(seconds))
            .err()
    };
    assert_eq!(record(&OLD, 500, None), None);
    assert_eq!(record(&OLD, 999, Some(midnight - 1000)), None);
    assert_eq!(record(&OLD, 1000, None), Some(RecordError::Expired));
    assert_eq!(record(&NEW, 1000, None), None);
    assert_eq!((queue.len(), queue.lost(Class::Security)), (3, 0));
}

/// One batch for `purpose`, opened: serials, losses, receipt.
fn deliver_for(
    queue: &mut Queue<16>,
    consents: &Consents,
    purpose: Purpose,
    sizes: Sizes,
) -> Option<(Vec<i64>, [u32; 4], Receipt)> {
    let secret = Secret::from_bytes([7; 32]);
    let key = BatchKey::new(&secret, &ChaCha20Poly1305, &HkdfSha256);
    let (mut scratch, mut out, mut plain) = ([0; 2048], [0; 2048], [0; 2048]);
    let mut rng = SimRng::new(3);
    let stream = Stream::named(purpose);
    let sealed = queue.batch_for(&stream, consents, &key, sizes, &mut rng, &mut scratch, &mut out);
    let sealed = sealed.unwrap()?;
    let batch = key.open(sealed.bytes(), &mut plain).unwrap();
    let batch = batch.read(&registry()).unwrap();
    let events: Vec<_> = batch.events().collect();
    assert!(
        events
            .iter()
            .all(|event| event.definition().class().purpose() == purpose)
    );
    let lost = Class::ALL.map(|class| batch.lost(class));
    Some((serials(&events), lost, sealed.into_receipt()))
}

#[test]
fn a_batch_for_one_purpose_has_no_event_and_no_count_of_another() {
    let consents = all_granted(&mut Ram::default());
    let mut queue = queue::<16>(1, 2);
    for serial in 0..40u32 {
        let event = &DEFINITIONS[serial as usize % 4];
        let _ = queue.record(&consents, event, &[serial.into()], Millis(0));
    }
    let lost = Class::ALL.map(|class| queue.lost(class));
    assert!(lost[2] > 0 && lost[3] > 0, "{lost:?}");
    let purposes = [Purpose::Usage, Purpose::Security, Purpose::Health];
    let mut delivered = Vec::new();
    for purpose in purposes {
        let small = Sizes::fixed(SizeClass::B128);
        let mut batches = 0;
        while let Some((serials, told, receipt)) = deliver_for(&mut queue, &consents, purpose, small) {
            for (class, (told, lost)) in Class::ALL.into_iter().zip(told.into_iter().zip(lost)) {
                assert_eq!(told, if class.purpose() == purpose { lost } else { 0 });
            }
            delivered.extend(serials);
            queue.ack(receipt).unwrap();
            batches += 1;
        }
        assert!(batches > 0 || lost[3] == 0, "{purpose:?}");
        let rest = Class::ALL.map(|class| class.purpose() == purpose && queue.len_of(class) > 0);
        assert_eq!(rest, [false; 4]);
    }
    // Everything has arrived once, and there is nothing left to tell for all together either.
    let count = delivered.len();
    delivered.sort_unstable();
    delivered.dedup();
    assert_eq!((delivered.len(), queue.len()), (count, 0));
    assert_eq!(count + lost.iter().sum::<u32>() as usize, 40);
    assert!(deliver(&mut queue, &consents, SIZES, &mut SimRng::new(1)).is_none());
}

#[test]
fn the_receipt_of_one_purpose_leaves_the_others_waiting() {
    let consents = all_granted(&mut Ram::default());
    let mut queue = queue::<16>(1, 2);
    for (serial, event) in DEFINITIONS.iter().enumerate() {
        queue
            .record(&consents, event, &[(serial as u32).into()], Millis(0))
            .unwrap();
    }
    let (_, _, first) = deliver_for(&mut queue, &consents, Purpose::Health, SIZES).unwrap();
    // Another purpose's batch takes the place of one that was not acknowledged.
    let (serials, _, second) = deliver_for(&mut queue, &consents, Purpose::Security, SIZES).unwrap();
    assert_eq!(serials, [0, 1]);
    assert_eq!(queue.ack(first), Err(BatchError::StaleReceipt));
    queue.ack(second).unwrap();
    assert_eq!(Class::ALL.map(|class| queue.len_of(class)), [0, 0, 1, 1]);
}
