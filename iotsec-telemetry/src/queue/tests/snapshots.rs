use super::*;

fn filled(consents: &Consents, boot: u32) -> Queue<32> {
    let mut queue = queue::<32>(boot, 4);
    for (serial, event) in (0u32..24).zip(DEFINITIONS.iter().cycle()) {
        let now = Millis::from_secs(u64::from(serial) * 300);
        queue.record(consents, event, &[serial.into()], now).unwrap();
    }
    queue
}

fn snapshot(queue: &Queue<32>, least: Class) -> Vec<u8> {
    let mut out = vec![0; Queue::<32>::SNAPSHOT_MAX_LEN];
    queue.snapshot(least, &mut out).unwrap().to_vec()
}

#[test]
fn events_keep_their_identity_and_time_over_reboots() {
    let (consents, mut rng) = (all_granted(&mut Ram::default()), SimRng::new(1));
    let mut first = filled(&consents, 1);
    let mut second = queue::<32>(2, 4);
    second
        .restore(&consents, &snapshot(&first, Class::Usage))
        .unwrap();
    second.set_clock(Millis(0), UnixTime(1_800_000_000));
    second
        .record(&consents, &TAMPERED, &[99.into()], Millis(0))
        .unwrap();

    let mut all = |queue: &mut Queue<32>| -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(delivery) = deliver(queue, &consents, SIZES, &mut rng) {
            queue.ack(delivery.receipt).unwrap();
            events.extend(delivery.events);
        }
        events
    };
    let (before, mut after) = (all(&mut first), all(&mut second));
    // Behind the twelve of security that came back.
    let new = after.remove(12);
    let facts =
        |events: &[Event]| -> Vec<_> { events.iter().map(|e| (e.id(), e.uptime_s(), e.raw(0))).collect() };
    assert_eq!((before.len(), facts(&before)), (24, facts(&after)));
    assert!(
        after.iter().all(|event| event.time().is_none()),
        "the clock is of this boot"
    );
    let first_of_boot = EventId {
        purpose: Purpose::Security,
        boot: 2,
        sequence: 0,
    };
    assert_eq!(new.id(), first_of_boot);
    assert!(new.time().is_some());
}

#[test]
fn only_the_classes_asked_for_are_written() {
    let consents = all_granted(&mut Ram::default());
    let mut after = queue::<32>(2, 4);
    after
        .restore(&consents, &snapshot(&filled(&consents, 1), Class::Security))
        .unwrap();
    assert_eq!(Class::ALL.map(|class| after.len_of(class)), [6, 6, 0, 0]);
}

#[test]
fn what_was_withdrawn_or_granted_anew_meanwhile_does_not_come_back() {
    let mut storage = Ram::default();
    let mut consents = all_granted(&mut storage);
    let old = snapshot(&filled(&consents, 1), Class::Usage);
    let mut unaware = queue::<32>(1, 4);
    consents
        .withdraw::<Health, 32>(None, &mut unaware, &mut storage)
        .unwrap();
    consents
        .withdraw::<Usage, 32>(None, &mut unaware, &mut storage)
        .unwrap();
    consents.grant::<Usage>(2, None, &mut storage).unwrap();

    // After a power cut, from what storage holds.
    let consents = Consents::load(&mut storage);
    let mut after = queue::<32>(2, 4);
    let restored = after.restore(&consents, &old).unwrap();
    assert_eq!((restored.kept, restored.purged), (12, 12));
    assert_eq!(Class::ALL.map(|class| after.len_of(class)), [6, 6, 0, 0]);
}

#[test]
fn a_smaller_queue_keeps_the_most_urgent_and_counts_the_rest() {
    let consents = all_granted(&mut Ram::default());
    let mut after = queue::<8>(2, 2);
    after
        .restore(&consents, &snapshot(&filled(&consents, 1), Class::Usage))
        .unwrap();
    assert_eq!(Class::ALL.map(|class| after.len_of(class)), [6, 2, 0, 0]);
    assert_eq!(Class::ALL.map(|class| after.lost(class)), [0, 4, 6, 6]);
}

#[test]
fn events_of_another_registry_are_counted_as_lost() {
    crate::registry!(static UPDATED = [TAMPERED, REFUSED, WORN]);
    let consents = all_granted(&mut Ram::default());
    let mut after = Queue::<32>::new(UPDATED.hashed(&mut Sha256::new()), 2, 4);
    let restored = after
        .restore(&consents, &snapshot(&filled(&consents, 1), Class::Usage))
        .unwrap();
    assert_eq!((restored.kept, restored.unreadable), (0, 24));
    assert_eq!(Class::ALL.map(|class| after.lost(class)), [6; 4]);
}

#[test]
fn a_snapshot_of_this_boot_or_into_a_used_queue_is_refused() {
    let consents = all_granted(&mut Ram::default());
    let old = snapshot(&filled(&consents, 5), Class::Usage);
    for boot in [4, 5] {
        assert_eq!(
            queue::<32>(boot, 4).restore(&consents, &old),
            Err(SnapshotError::Boot)
        );
    }
    assert_eq!(
        filled(&consents, 6).restore(&consents, &old),
        Err(SnapshotError::InUse)
    );
}

#[test]
fn the_longest_snapshot_fits() {
    const LAST: [Field; 1] = [Field::number("n", "1", i64::MIN / 2, i64::MAX / 2)];
    const WIDE: EventDef = EventDef::new(1, "wide", Class::Critical, "Test", &LAST);
    crate::registry!(static PRODUCT = [WIDE]);
    let registry = PRODUCT.hashed(&mut Sha256::new());
    let consents = Consents::off();
    let mut record = vec![0; Queue::<4>::SNAPSHOT_MAX_LEN];
    let mut len = 0;
    // One event a boot, so that every event has a segment of its own.
    for boot in [1, 2, 3, u32::MAX] {
        let mut queue = Queue::<4>::new(registry, boot, 4);
        if len > 0 {
            queue.restore(&consents, &record[..len]).unwrap();
        }
        queue.next_sequence = [MAX_SEQUENCE - 1; 3];
        for class in Class::ALL {
            let uptime_s = u32::MAX;
            queue.lost.add(class, u32::MAX, LossTime { boot: 0, uptime_s });
        }
        let now = Millis(u64::MAX);
        queue
            .record(&consents, &WIDE, &[(i64::MAX / 2).into()], now)
            .unwrap();
        len = queue.snapshot(Class::Usage, &mut record).unwrap().len();
    }
    assert!(len <= record.len() && len > 4 * 24);
}

#[test]
fn hostile_snapshots_change_nothing_and_never_panic() {
    let consents = all_granted(&mut Ram::default());
    let good = snapshot(&filled(&consents, 1), Class::Usage);
    let mut rng = SimRng::new(11);
    let mut refused = 0;
    let try_one = |bytes: &[u8]| {
        let mut after = queue::<32>(2, 4);
        let result = after.restore(&consents, bytes);
        if result.is_err() {
            assert!(after.is_empty());
            assert_eq!(after.lost, Losses::default());
        }
        u32::from(result.is_err())
    };
    for len in 0..good.len() {
        assert_eq!(try_one(&good[..len]), 1);
    }
    for bit in 0..good.len() * 8 {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        refused += try_one(&bad);
    }
    for _ in 0..20_000 {
        let mut bad = good.clone();
        for _ in 0..=rng.below(4) {
            let at = rng.below(bad.len() as u64) as usize;
            bad[at] = rng.below(256) as u8;
        }
        refused += try_one(&bad);
    }
    assert!(refused > 10_000);
    let version = {
        let mut bad = good.clone();
        bad[1] = 2;
        bad
    };
    let error = queue::<32>(2, 4).restore(&consents, &version);
    assert_eq!(error, Err(SnapshotError::Decode(DecodeError::Version)));
}
