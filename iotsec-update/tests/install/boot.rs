//! What starts, and why.

use iotsec_core::{
    crypto::Sha256,
    error::ErrorCode,
    hal::{CounterError, Slot},
};
use iotsec_testkit::{Geometry, SimBootControl};
use iotsec_update::{
    boot::{self, BootError, Reason, Refusal, Selection},
    install::{InstallError, State},
    rollback::{RollbackError, RollbackPolicy},
    slot::SlotError,
};

use crate::device::{Device, Maker, Release, Stop, with_config};

fn device(old: &Release) -> Device {
    Device::new(&Geometry::small(40), 2, 2).with_factory(old)
}

fn releases() -> (Release, Release) {
    (
        Maker::default().release(0x11, 300),
        Maker::default().release(0x21, 400),
    )
}

/// Flips a bit of the image in `slot`.
fn corrupt(device: &mut Device, slot: Slot) {
    let at = device.layout.slot(slot).images[0].start() + 17;
    let byte = device.flash.image()[at as usize];
    device.flash.tamper(at, &[byte ^ 4]);
}

fn provision(device: &mut Device, slot: Slot, release: &Release) {
    let layout = *device.layout.slot(slot);
    layout
        .provision(&mut device.flash, &release.envelope, [&release.image])
        .unwrap();
}

#[test]
fn a_factory_device_boots_its_one_image_and_writes_nothing() {
    let (old, _) = releases();
    let mut device = device(&old);
    let before = device.flash.image().to_vec();
    let (image, state) = device.state();
    assert_eq!(
        (image.slot(), image.reason(), state),
        (Slot::A, Reason::NoJournal, State::Ready)
    );
    assert_eq!(image.manifest().sequence, old.sequence);
    assert_eq!(image.digest(), &Sha256::of(&[&old.image]));
    assert_eq!(image.size(), 300);
    assert!(device.flash.image() == before);
    assert_eq!(device.counter.value(), 0, "nothing was accepted yet");
}

#[test]
fn an_empty_device_enters_recovery_with_the_reasons() {
    let mut device = Device::new(&Geometry::small(40), 2, 2);
    let empty = Refusal::Slot(SlotError::Empty);
    assert_eq!(device.started(), Err(Stop::Recovery(empty, empty)));
    let (old, new) = releases();
    provision(&mut device, Slot::A, &old);
    provision(&mut device, Slot::B, &new);
    corrupt(&mut device, Slot::A);
    device.counter = device.counter.clone().at(3);
    let below = Refusal::Rollback(RollbackError::BelowFloor);
    assert_eq!(device.started(), Err(Stop::Recovery(below, below)));
    device.counter = device.counter.clone().at(0);
    corrupt(&mut device, Slot::B);
    assert_eq!(
        device.started(),
        Err(Stop::Recovery(Refusal::ImageDigest, Refusal::ImageDigest))
    );
}

#[test]
fn without_a_journal_the_newer_of_two_images_is_taken_on_trial() {
    let (old, new) = releases();
    for (slot, first, second) in [(Slot::B, &old, &new), (Slot::A, &new, &old)] {
        let mut device = device(first);
        provision(&mut device, Slot::B, second);
        let (image, state) = device.state();
        assert_eq!(
            (image.slot(), image.reason(), state),
            (slot, Reason::Trial { boot: 1 }, State::Trial)
        );
        device.started().unwrap();
        device.started().unwrap();
        let image = device.started().unwrap();
        assert_eq!((image.slot(), image.reason()), (slot.other(), Reason::Active));
        assert_eq!(device.counter.value(), 0);
    }
    // Equal images in both, as some factories leave it, are no trial.
    let mut device = device(&old);
    provision(&mut device, Slot::B, &old);
    let (image, state) = device.state();
    assert_eq!(
        (image.slot(), image.reason(), state),
        (Slot::A, Reason::NoJournal, State::Ready)
    );
}

#[test]
fn t10_an_unaccepted_image_reverts_after_its_trial_boots_and_is_not_tried_again() {
    let (old, new) = releases();
    for trials in [0, 1, 3, 255] {
        let mut device = device(&old);
        device.trial_boots = trials;
        device.stage(&new).unwrap();
        for boot in 1..=trials.max(1) {
            let image = device.started().unwrap();
            assert_eq!((image.slot(), image.reason()), (Slot::B, Reason::Trial { boot }));
        }
        for _ in 0..3 {
            let image = device.started().unwrap();
            assert_eq!((image.slot(), image.reason()), (Slot::A, Reason::Active));
        }
        let (image, state) = device.state();
        let mut updater = device.updater(image.running()).unwrap();
        assert_eq!(
            (state, updater.cause()),
            (State::Failed, Some(InstallError::TrialExpired.code()))
        );
        assert_eq!(device.counter.value(), 0);
        assert_eq!(
            device.stage(&new),
            Err(Stop::Install(InstallError::AlreadyRejected))
        );
        // Another manifest may be, and this one after an explicit word.
        let next = Maker::default().release(0x22, 100);
        let mut other = device.clone();
        other.stage(&next).unwrap();
        other.try_and_accept().unwrap();
        updater = device.updater(image.running()).unwrap();
        updater.forget_rejected(&mut device.flash).unwrap();
        device.stage_with(&mut updater, &new).unwrap();
        device.try_and_accept().unwrap();
    }
}

#[test]
fn a_broken_active_image_falls_back_and_the_updater_repairs_it() {
    let (old, new) = releases();
    let mut device = device(&old);
    device.policy = RollbackPolicy::new(8).unwrap();
    device.stage(&new).unwrap();
    device.try_and_accept().unwrap();
    corrupt(&mut device, Slot::B);
    let (image, state) = device.state();
    assert_eq!(
        (image.slot(), image.reason()),
        (Slot::A, Reason::Fallback(Refusal::ImageDigest))
    );
    assert_eq!(state, State::Ready);
    let running = device.slot_bytes(Slot::A);
    // What was installed before may be installed again, into the broken slot.
    device.stage(&new).unwrap();
    assert!(device.slot_bytes(Slot::A) == running);
    let image = device.try_and_accept().unwrap();
    assert_eq!(image.slot(), Slot::B);
}

#[test]
fn with_every_release_raising_the_floor_the_image_before_is_no_fallback() {
    let (old, new) = releases();
    let mut device = device(&old);
    device.policy = RollbackPolicy::new(0).unwrap();
    device.stage(&new).unwrap();
    device.try_and_accept().unwrap();
    assert_eq!(device.counter.value(), 0x21);
    corrupt(&mut device, Slot::B);
    let below = Refusal::Rollback(RollbackError::BelowFloor);
    assert_eq!(device.started(), Err(Stop::Recovery(below, Refusal::ImageDigest)));
}

#[test]
fn an_image_on_trial_keeps_running_when_there_is_nothing_to_go_back_to() {
    let (old, new) = releases();
    let mut device = device(&old);
    device.stage(&new).unwrap();
    corrupt(&mut device, Slot::A);
    for _ in 0..3 {
        assert!(matches!(device.started().unwrap().reason(), Reason::Trial { .. }));
    }
    for _ in 0..3 {
        let image = device.started().unwrap();
        assert_eq!(
            (image.slot(), image.reason()),
            (Slot::B, Reason::Fallback(Refusal::ImageDigest))
        );
    }
    // It is still on trial, so it can still be accepted.
    let (image, state) = device.state();
    assert_eq!(state, State::Trial);
    let mut updater = device.updater(image.running()).unwrap();
    device.accept(&mut updater).unwrap();
    assert_eq!(device.started().unwrap().reason(), Reason::Active);
}

#[test]
fn t6_a_counter_that_cannot_be_read_stops_everything_and_is_not_zero() {
    let unreadable = RollbackError::Counter(CounterError::Unreadable);
    let (old, new) = releases();
    let mut device = device(&old);
    let running = device.started().unwrap().running();
    let mut updater = device.updater(running).unwrap();
    device.counter.set_unreadable(true);
    let refused = Stop::Install(InstallError::Rollback(unreadable));
    assert_eq!(device.begin(&mut updater, &new.envelope), Err(refused));
    assert_eq!(device.started(), Err(Stop::Boot(BootError::Rollback(unreadable))));
    assert_eq!(
        device.updater(running).err(),
        Some(InstallError::Rollback(unreadable))
    );

    device.counter.set_unreadable(false);
    device.stage(&new).unwrap();
    let image = device.started().unwrap();
    let mut updater = device.updater(image.running()).unwrap();
    device.counter.set_unreadable(true);
    assert_eq!(
        device.accept(&mut updater),
        Err(InstallError::Rollback(unreadable))
    );
    assert_eq!(updater.state(), State::Trial, "not half accepted");
    device.counter.set_unreadable(false);
    assert_eq!(device.state().1, State::Trial);
    assert_eq!(device.counter.value(), 0);
}

#[test]
fn an_exhausted_counter_is_reported_and_the_device_lives_on() {
    let (old, new) = releases();
    let mut device = device(&old);
    device.counter = device.counter.clone().with_limit(1);
    device.stage(&new).unwrap();
    let exhausted = InstallError::Rollback(RollbackError::Counter(CounterError::Exhausted));
    assert_eq!(device.try_and_accept(), Err(Stop::Install(exhausted)));
    let (image, state) = device.state();
    assert_eq!((image.reason(), state), (Reason::Active, State::Updated));
    let mut updater = device.updater(image.running()).unwrap();
    assert_eq!(
        device.accept(&mut updater),
        Err(exhausted),
        "said again when asked again"
    );
    device.stage(&Maker::default().release(0x22, 50)).unwrap();
}

#[test]
fn a_counter_left_behind_is_raised_at_the_next_boot_after_the_record_was_written_afresh() {
    let (old, new) = releases();
    let mut device = device(&old);
    device.counter = device.counter.clone().with_limit(1);
    device.stage(&new).unwrap();
    assert!(device.try_and_accept().is_err());
    device.counter = device.counter.clone().with_limit(u64::MAX);
    let before = device.flash.stats();
    device.started().unwrap();
    assert_eq!((device.flash.stats() - before).writes, 1);
    assert_eq!(device.counter.value(), 2);
    let before = device.flash.stats();
    device.started().unwrap();
    assert_eq!((device.flash.stats() - before).writes, 0, "once is enough");
}

#[test]
fn a_foreign_boot_loader_is_told_and_its_choice_is_understood() {
    let (old, new) = releases();
    let mut device = device(&old);
    let mut loader = SimBootControl::new();
    let identify = |device: &mut Device, slot| {
        with_config(device.layout, 1, |config| {
            boot::identify(
                &mut device.flash,
                config,
                slot,
                &mut Sha256::new(),
                &mut [0; 1024],
            )
            .unwrap()
        })
    };
    let running = identify(&mut device, loader.reboot());
    let mut updater = device.updater(running).unwrap();
    device.stage_with(&mut updater, &new).unwrap();
    updater.tell(&mut loader).unwrap();

    // Tried once, not accepted: back, and remembered as rejected.
    let mut unaccepted = device.clone();
    let mut other = loader.clone();
    let running = identify(&mut unaccepted, other.reboot());
    assert_eq!(running.slot(), Slot::B);
    let updater = unaccepted.updater(running).unwrap();
    assert_eq!(updater.state(), State::Trial);
    updater.tell(&mut other).unwrap();
    let running = identify(&mut unaccepted, other.reboot());
    assert_eq!(running.slot(), Slot::A);
    let updater = unaccepted.updater(running).unwrap();
    assert_eq!(updater.state(), State::Failed);
    assert_eq!(updater.rejected().map(|id| id.sequence), Some(new.sequence));
    updater.tell(&mut other).unwrap();
    assert_eq!(other.pending(), None, "not tried again");

    // Tried and accepted.
    let running = identify(&mut device, loader.reboot());
    let mut updater = device.updater(running).unwrap();
    device.accept(&mut updater).unwrap();
    updater.tell(&mut loader).unwrap();
    assert_eq!((loader.permanent(), loader.reboot()), (Slot::B, Slot::B));
    assert_eq!(device.counter.value(), 2);
}

#[test]
fn a_scratch_buffer_too_small_is_a_reason_and_not_a_panic() {
    let (old, _) = releases();
    let mut device = device(&old);
    let small = Refusal::Slot(SlotError::BufferTooSmall);
    let layout = device.layout;
    with_config(layout, 1, |config| {
        let mut rollback = iotsec_update::rollback::Rollback::new(&mut device.counter, device.policy);
        let selection = boot::select(
            &mut device.flash,
            config,
            &mut rollback,
            &mut Sha256::new(),
            &mut [0; 32],
        );
        let Ok(Selection::Recovery { a, .. }) = selection else {
            panic!("{selection:?}")
        };
        assert_eq!(a, small);
    });
}
