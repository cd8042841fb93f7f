//! The flash fails without a power cut.

use iotsec_core::{crypto::Sha256, hal::Slot};
use iotsec_testkit::{Geometry, Operation};
use iotsec_update::{
    Updater,
    install::{InstallError, State},
    rollback::Rollback,
};

use crate::{
    altered::{Alter, Altered},
    device::{Device, Maker, Release, wanted},
};

fn releases() -> (Release, Release) {
    (
        Maker::default().release(0x11, 300),
        Maker::default().release(0x21, 400),
    )
}

/// Fails one operation, or all from one on, at every place in an install.
#[test]
fn t14_a_failing_operation_ends_the_update_and_leaves_the_running_slot_alone() {
    let (old, new) = releases();
    let fresh = Device::new(&Geometry::small(40), 2, 3).with_factory(&old);
    let mut tried = 0;
    let mut failed = 0;
    for operation in [Operation::Write, Operation::Erase, Operation::Read] {
        for first in 0.. {
            let mut at_end = true;
            for range in [first..first + 1, first..u64::MAX] {
                let mut device = fresh.clone();
                let running = device.started().unwrap().running();
                let mut updater = device.updater(running).unwrap();
                let before = device.slot_bytes(Slot::A);
                device.flash.fail(operation, range);
                let result = device.stage_with(&mut updater, &new);
                at_end &= result.is_ok();
                if result.is_err() {
                    assert_ne!(updater.state(), State::Staged);
                    assert!(updater.state() != State::Failed || updater.cause().is_some());
                    failed += u32::from(updater.state() == State::Failed);
                }
                device.flash.mend();
                assert!(device.slot_bytes(Slot::A) == before);

                // After a reboot everything is possible again.
                let (image, state) = device.state();
                if result.is_ok() {
                    assert_eq!(state, State::Trial);
                } else {
                    assert_eq!(image.manifest().sequence, old.sequence);
                    device.stage(&new).unwrap();
                    device.try_and_accept().unwrap();
                }
                assert_eq!(device.flash.violation(), None, "{operation:?} {first}");
                tried += 1;
            }
            if at_end {
                break;
            }
        }
    }
    println!("{tried} flash failures, {failed} of them ended in Failed");
    assert!(failed > 20);
}

/// One bit does not leave the erased state.
struct Stuck {
    at: u32,
    bit: u8,
}

impl Alter for Stuck {
    fn alter(&mut self, at: u32, byte: &mut u8) {
        if at == self.at {
            *byte |= self.bit;
        }
    }
}

#[test]
fn t14_a_stuck_bit_is_noticed_at_the_word_it_is_in_and_not_after_the_download() {
    let (old, new) = releases();
    let mut fresh = Device::new(&Geometry::small(40), 2, 3).with_factory(&old);
    let running = fresh.started().unwrap().running();
    let start = fresh.layout.slot(Slot::B).images[0].start();
    for (at, byte) in (0_u32..).zip(&new.image) {
        let bit = 1 << (at % 8);
        let mut flash = Altered {
            inner: fresh.flash.clone(),
            alter: Stuck { at: start + at, bit },
        };
        let mut counter = fresh.counter.clone();
        let mut rollback = Rollback::new(&mut counter, fresh.policy);
        let mut updater =
            Updater::mount(&mut flash, fresh.layout, running, &mut rollback, Sha256::new()).unwrap();
        let accepted = fresh.admit(&new.envelope).unwrap();
        let mut session = updater.start(&mut flash, accepted, &mut rollback).unwrap();
        let result = loop {
            let Some(rest) = new
                .image
                .get(wanted(&session) as usize..)
                .filter(|rest| !rest.is_empty())
            else {
                break Ok(());
            };
            // A word at a time.
            if let Err(error) = updater.write(&mut session, &mut flash, &rest[..rest.len().min(4)]) {
                break Err((error, new.image.len() - rest.len()));
            }
        };
        if byte & bit == 0 {
            let word = at as usize / 4 * 4;
            assert_eq!(result, Err((InstallError::ReadBack, word)), "byte {at}");
            assert_eq!(updater.state(), State::Failed);
        } else {
            assert_eq!(result, Ok(()), "the bit was to stay as it was");
        }
    }
}

#[test]
fn a_boot_loader_that_cannot_write_its_journal_does_not_try_an_image() {
    let (old, new) = releases();
    let mut device = Device::new(&Geometry::small(40), 2, 2).with_factory(&old);
    device.stage(&new).unwrap();
    for operation in [Operation::Write, Operation::Erase] {
        let mut device = device.clone();
        device.flash.fail(operation, 0..u64::MAX);
        for _ in 0..5 {
            assert_eq!(device.started().unwrap().slot(), Slot::A);
        }
        device.flash.mend();
        assert_eq!(device.started().unwrap().slot(), Slot::B, "no fault of the image");
    }
}

#[test]
fn an_accept_that_cannot_be_written_is_no_accept() {
    let (old, new) = releases();
    let mut device = Device::new(&Geometry::small(40), 2, 2).with_factory(&old);
    device.stage(&new).unwrap();
    let image = device.started().unwrap();
    let mut updater = device.updater(image.running()).unwrap();
    device.flash.fail(Operation::Write, 0..1);
    assert!(device.accept(&mut updater).is_err());
    assert_eq!((updater.state(), device.counter.value()), (State::Trial, 0));
    device.accept(&mut updater).unwrap();
    assert_eq!((updater.state(), device.counter.value()), (State::Updated, 2));
}
