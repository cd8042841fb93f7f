//! What happens to events when the consent that they were recorded under ends.

use iotsec_telemetry::{
    consent::{Health, Usage},
    error::{RecordError, SpoolError},
    registry::{Class, Purpose},
    spool::{Purge, Spool},
    stream::Stream,
};
use iotsec_testkit::{Sweep, Tear};

use crate::device::{Device, SIZES, purpose_key, small, stored_key};

/// Events of all classes in flash.
fn filled(tear: Tear) -> Device {
    let mut device = Device::new(small(), tear);
    let mut running = device.start().unwrap();
    for serial in 0..12 {
        for class in 0..4 {
            let _ = running.record(class, serial);
        }
    }
    drop(running);
    device
}

/// The pages of the class usage, which come last.
fn usage_pages(device: &Device) -> &[u8] {
    &device.flash.image()[9 * 512..]
}

fn is_erased(device: &Device) -> bool {
    usage_pages(device).iter().all(|byte| *byte == 0xFF)
}

#[test]
fn withdrawal_forgets_at_once_and_then_erases_the_pages() {
    let mut device = filled(Tear::Torn);
    let mut storage = device.storage.clone();
    let mut running = device.start().unwrap();
    assert!(running.spool.len_of(Class::Usage) > 0);
    let usage = Stream::named(Purpose::Usage);
    let arrived = running.send_for(Some(&usage), SIZES).unwrap().unwrap();
    let others = running.spool.len() - u64::from(running.spool.len_of(Class::Usage));
    running
        .spool
        .withdraw::<Usage>(&mut running.consents, None, &mut storage)
        .unwrap();
    assert_eq!(running.spool.len_of(Class::Usage), 0);
    assert_eq!(running.spool.loss(Class::Usage).count, 0);
    assert_eq!(
        running.record(3, 1),
        Err(SpoolError::Record(RecordError::NotConsented))
    );
    assert_eq!(running.send(SIZES).err(), Some(SpoolError::Unpurged));
    running.record(0, 1).unwrap();
    let mut erases = 0;
    loop {
        let (step, stats) = running
            .device
            .flash
            .measure(|flash| running.spool.purge_step(flash, &running.consents));
        assert!(stats.erases <= 1);
        erases += stats.erases;
        if step.unwrap() == Purge::Done {
            break;
        }
    }
    assert_eq!(erases, 2);
    assert!(is_erased(running.device));
    // The batch that was under way says nothing of the class any more.
    running.ack(arrived).unwrap();
    assert_eq!(running.spool.len(), others + 1);
    assert_eq!(running.spool.loss(Class::Usage).count, 0);
    running.drain().unwrap();
    assert!(running.spool.is_empty());
}

#[test]
fn an_interrupted_purge_goes_on_before_anything_is_sent() {
    for tear in [Tear::Torn, Tear::EccPoison, Tear::Unstable, Tear::Clean] {
        let mut prepared = filled(tear);
        let mut consents = prepared.consents();
        {
            let mut storage = prepared.storage.clone();
            let mut running = prepared.start().unwrap();
            running
                .spool
                .withdraw::<Usage>(&mut consents, None, &mut storage)
                .unwrap();
            drop(running);
            prepared.storage = storage;
        }
        Sweep::new().full(16).two_cuts(
            || prepared.clone(),
            |device| device.start().map(drop),
            |device| _ = device.start().map(drop),
            |device, _| {
                device.boot += 1;
                let (consents, parts, boot) = (device.consents(), device.parts(), device.boot);
                let mut spool = Spool::mount(&mut device.flash, parts, boot, &stored_key()).unwrap();
                spool
                    .unlock::<Health>(&mut device.flash, &consents, &purpose_key(1))
                    .unwrap();
                drop(spool);
                let mut running = device.start().unwrap();
                assert!(is_erased(running.device));
                running.drain().unwrap();
                let arrived = |class: usize| running.device.accounts[class].arrived.len();
                assert!(arrived(1) > 0 && arrived(2) > 0 && arrived(3) == 0);
            },
        );
    }
}

#[test]
fn a_later_grant_finds_nothing_of_an_earlier_one() {
    let mut device = filled(Tear::Torn);
    let mut consents = device.consents();
    let mut storage = device.storage.clone();
    {
        let mut running = device.start().unwrap();
        running
            .spool
            .withdraw::<Usage>(&mut consents, None, &mut storage)
            .unwrap();
        consents.grant::<Usage>(2, None, &mut storage).unwrap();
        running.consents = consents;
        // The key is that of the earlier grant: whoever keeps it for the later one does not get the events back.
        assert_eq!(running.record(3, 7), Err(SpoolError::Locked));
        assert_eq!(
            running
                .spool
                .purge_step(&mut running.device.flash, &running.consents),
            Err(SpoolError::Locked)
        );
        running
            .spool
            .unlock::<Usage>(&mut running.device.flash, &running.consents, &purpose_key(2))
            .unwrap();
        assert_eq!(running.spool.len_of(Class::Usage), 0);
        running.record(3, 7).unwrap();
    }
    device.storage = storage;
    let mut running = device.start().unwrap();
    let usage = Stream::named(Purpose::Usage);
    let usage = running.send_for(Some(&usage), SIZES).unwrap().unwrap();
    assert_eq!(usage.serials, [7]);
}

#[test]
fn without_its_key_nothing_of_a_purpose_can_be_read() {
    let mut device = filled(Tear::Torn);
    device.boot += 1;
    let (consents, parts, boot) = (device.consents(), device.parts(), device.boot);
    let mut spool = Spool::mount(&mut device.flash, parts, boot, &stored_key()).unwrap();
    spool
        .unlock::<Health>(&mut device.flash, &consents, &purpose_key(1))
        .unwrap();
    spool
        .unlock::<Usage>(&mut device.flash, &consents, &purpose_key(9))
        .unwrap();
    assert_eq!(spool.len_of(Class::Usage), 0);
    assert!(spool.len_of(Class::Health) > 0);
    assert!(!is_erased(&device));
}
