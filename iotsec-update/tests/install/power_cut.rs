//! The power goes at every step.

use iotsec_core::hal::Slot;
use iotsec_testkit::{Geometry, Outcome, StepUnit, Sweep, Tear};
use iotsec_update::{
    boot::Reason,
    install::{InstallError, State},
};

use crate::device::{Device, Maker, Release, Stop};

const OLD: u64 = 0x11;
const NEW: u64 = 0x21;

/// Old and new release, and a device of each geometry that runs the old one.
fn devices() -> Vec<(&'static str, Device, Release, Release)> {
    let shapes = |pages| Geometry::table(pages);
    let mut devices = Vec::new();
    for (index, (name, _)) in shapes(1).into_iter().enumerate() {
        let pages = Device::pages(&shapes(1)[index].1, 2, 2);
        let geometry = shapes(pages as usize)[index].1.clone();
        let page = geometry.pages(0, 1).unwrap().page_size() as usize;
        // Over the page boundary where pages are small, and not a number of words.
        let len = match name {
            "serial NOR" => 301,
            _ => (page + page / 2).min(1501),
        };
        let (old, new) = (
            Maker::default().release(OLD, len - 9),
            Maker::default().release(NEW, len),
        );
        let device = Device::new(&geometry, 2, 2).with_factory(&old);
        devices.push((name, device, old, new));
    }
    devices
}

fn small() -> (Device, Release, Release) {
    let (_, device, old, new) = devices().pop().unwrap();
    (device, old, new)
}

/// Few steps in all, for sweeps over every pair of them.
fn tiny(old: &Release) -> Device {
    let shape = |pages: u32| Geometry::new(&vec![256; pages as usize], 8);
    Device::new(&shape(Device::pages(&shape(1), 1, 2)), 1, 2).with_factory(old)
}

/// A clone of `device` after `work`.
fn after(device: &Device, work: impl FnOnce(&mut Device)) -> Device {
    let mut device = device.clone();
    work(&mut device);
    device
}

/// What holds at every moment: an authentic image starts, and it is whole.
fn starts(device: &mut Device, releases: &[&Release]) -> (iotsec_update::boot::Verified, State) {
    let (image, state) = device.state();
    let release = releases
        .iter()
        .find(|release| release.sequence == image.manifest().sequence);
    let release = release.expect("one of the releases");
    assert_eq!(device.image(image.slot(), release.image.len()), release.image);
    (image, state)
}

/// From wherever the device is to `Updated` with `new`.
fn completes(device: &mut Device, new: &Release) {
    let image = device.started().unwrap();
    let state = device.updater(image.running()).unwrap().state();
    if state != State::Trial && image.manifest().sequence != new.sequence {
        let mut updater = device.updater(image.running()).unwrap();
        if updater.state() != State::Staged {
            device.stage_with(&mut updater, new).unwrap();
        }
        device.try_and_accept().unwrap();
    } else if state == State::Trial {
        let mut updater = device.updater(image.running()).unwrap();
        device.accept(&mut updater).unwrap();
    }
    let (image, state) = device.state();
    assert_eq!((image.manifest().sequence, state), (new.sequence, State::Updated));
    assert_eq!(image.reason(), Reason::Active);
    assert_eq!(device.counter.value(), NEW >> 4);
}

fn check_install(device: &mut Device, old: &Release, new: &Release, staged: bool) {
    assert_eq!(device.counter.value(), 0);
    let before = device.slot_bytes(Slot::A);
    let (image, state) = starts(device, &[old, new]);
    if staged {
        assert_eq!(state, State::Trial);
        assert!(matches!(image.reason(), Reason::Trial { .. }));
    }
    if state != State::Trial {
        assert_eq!(image.manifest().sequence, old.sequence);
    }
    assert_eq!(device.counter.value(), 0, "raised before it was accepted");
    assert!(
        device.slot_bytes(Slot::A) == before,
        "the running slot was written"
    );
    completes(device, new);
}

#[test]
fn an_install_cut_anywhere_boots_and_completes() {
    let mut total = 0;
    for (name, device, old, new) in devices() {
        let mut points = 0;
        // Single bytes make a long sweep; the other ways to tear are tried on the rest.
        let tears = [Tear::Torn, Tear::EccPoison, Tear::Unstable];
        let tears = if name == "serial NOR" { &tears[..1] } else { &tears };
        for tear in tears.iter().copied() {
            points += Sweep::new().quick(5).full(3).each_cut(
                || torn(&device, tear),
                |device| device.stage(&new),
                |device, outcome| check_install(device, &old, &new, outcome.result.is_ok()),
            );
        }
        println!("install, {name}: {points} cut points");
        total += points;
    }
    println!("install: {total} cut points");
    assert!(total > 3000);
}

/// A copy that tears so: torn bits at every byte, the rarer ways at every word.
fn torn(device: &Device, tear: Tear) -> Device {
    let mut device = device.clone();
    let blank = iotsec_testkit::SimFlash::new(Geometry::small(1));
    let flash = std::mem::replace(&mut device.flash, blank).with_tear(tear);
    let unit = if tear == Tear::Torn {
        StepUnit::Byte
    } else {
        StepUnit::Word
    };
    device.flash = flash.with_unit(unit);
    device
}

#[test]
fn an_install_after_an_update_cut_anywhere_boots_and_completes() {
    // Slot B is active now, slot A holds the image before it, and the journal is in use.
    let (device, _, first) = small();
    let next = Maker::default().release(NEW + 1, 450);
    let device = after(&device, |device| {
        device.stage(&first).unwrap();
        device.try_and_accept().unwrap();
    });
    let points = Sweep::new().full(4).each_cut(
        || device.clone(),
        |device| device.stage(&next),
        |device, outcome| {
            let (_, state) = starts(device, &[&first, &next]);
            assert!(outcome.result.is_err() || state == State::Trial);
            assert_eq!(device.counter.value(), NEW >> 4);
            completes(device, &next);
        },
    );
    println!("second install: {points} cut points");
}

#[test]
fn an_install_of_many_pages_cut_anywhere_resumes_where_it_was() {
    let shape = |pages: u32| Geometry::new(&vec![256; pages as usize], 8);
    let old = Maker::default().release(OLD, 90);
    let new = Maker::default().release(NEW, 5 * 1024 + 3);
    let device = Device::new(&shape(Device::pages(&shape(1), 21, 2)), 21, 2).with_factory(&old);
    let (mut resumed, mut again) = (0, 0);
    for tear in [Tear::Torn, Tear::EccPoison, Tear::Unstable] {
        let points = Sweep::new().quick(7).full(1).each_cut(
            || torn(&device, tear),
            |device| device.stage(&new),
            |device, outcome| {
                let (image, state) = device.state();
                if state == State::Writing {
                    let mut updater = device.updater(image.running()).unwrap();
                    let in_place = device.begin(&mut updater, &new.envelope).unwrap();
                    resumed += u32::from(in_place > 0);
                    // 64 progress records' worth of bytes, and the page under way.
                    let written = device.written_before_cut(&new);
                    assert!(in_place + 64 * 16 + 2 * 256 >= written, "{in_place} of {written}");
                    again += 1;
                }
                check_install(device, &old, &new, outcome.result.is_ok());
            },
        );
        println!("install of many pages, {tear:?}: {points} cut points");
    }
    assert!(resumed > again / 2, "{resumed} of {again}");
}

#[test]
fn an_accept_cut_anywhere_is_accepted_or_still_on_trial() {
    let mut total = 0;
    for (name, device, old, new) in devices() {
        let device = after(&device, |device| device.stage(&new).unwrap());
        let points = Sweep::new().full(21).each_cut(
            || torn(&device, Tear::Torn),
            Device::try_and_accept,
            |device, outcome| {
                let behind = device.counter.value();
                assert!(behind == 0 || behind == NEW >> 4);
                let (image, state) = starts(device, &[&old, &new]);
                assert_eq!(image.slot(), Slot::B);
                match (outcome.result, state) {
                    (Ok(_), State::Trial) => panic!("an acknowledged accept was lost"),
                    (_, State::Updated) => assert_eq!(device.counter.value(), NEW >> 4, "repaired"),
                    (_, State::Trial) => assert_eq!(device.counter.value(), 0),
                    (_, state) => panic!("{state:?}"),
                }
                completes(device, &new);
            },
        );
        println!("accept, {name}: {points} cut points");
        total += points;
    }
    println!("accept: {total} cut points");
}

#[test]
fn a_reject_and_revert_cut_anywhere_ends_with_the_old_image() {
    let mut total = 0;
    for (name, device, old, new) in devices() {
        let device = after(&device, |device| device.stage(&new).unwrap());
        let reject_and_revert = |device: &mut Device| -> Result<(), Stop> {
            let image = device.started()?;
            if image.slot() == Slot::B {
                let mut updater = device.updater(image.running())?;
                updater.reject(&mut device.flash)?;
            }
            let back = device.started()?;
            let mut updater = device.updater(back.running())?;
            if updater.state() == State::Failed {
                device.clean(&mut updater)?;
            }
            Ok(())
        };
        let check = |device: &mut Device, outcome: Outcome<Result<(), Stop>>| {
            assert_eq!(device.counter.value(), 0);
            let (image, state) = starts(device, &[&old, &new]);
            if outcome.result.is_ok() {
                assert_eq!((image.slot(), state), (Slot::A, State::Ready));
            }
            reject_and_revert(device).unwrap();
            let (image, state) = starts(device, &[&old]);
            assert_eq!((image.reason(), state), (Reason::Active, State::Ready));
            assert_eq!(
                device.stage(&new),
                Err(Stop::Install(InstallError::AlreadyRejected))
            );
            assert_eq!(device.counter.value(), 0);
        };
        let points = Sweep::new()
            .full(14)
            .each_cut(|| torn(&device, Tear::Torn), reject_and_revert, check);
        println!("reject and revert, {name}: {points} cut points");
        total += points;
    }
    println!("reject and revert: {total} cut points");
}

#[test]
fn an_expiring_trial_cut_anywhere_ends_with_the_old_image_and_is_never_boundless() {
    let mut total = 0;
    for (name, device, old, new) in devices() {
        let device = after(&device, |device| device.stage(&new).unwrap());
        let expire = |device: &mut Device| -> Result<u32, Stop> {
            let mut trials = 0;
            while device.started()?.slot() == Slot::B {
                trials += 1;
                assert!(trials <= 3, "tried too often");
            }
            Ok(trials)
        };
        let points = Sweep::new().quick(3).full(11).each_cut(
            || torn(&device, Tear::Torn),
            expire,
            |device, _| {
                starts(device, &[&old, &new]);
                expire(device).unwrap();
                let (image, state) = starts(device, &[&old]);
                assert_eq!((image.reason(), state), (Reason::Active, State::Failed));
                assert_eq!(device.counter.value(), 0);
                let mut updater = device.updater(image.running()).unwrap();
                assert_eq!(updater.rejected().map(|id| id.sequence), Some(new.sequence));
                device.clean(&mut updater).unwrap();
                let again = device.stage_with(&mut updater, &new);
                assert_eq!(again, Err(Stop::Install(InstallError::AlreadyRejected)));
            },
        );
        println!("expiring trial, {name}: {points} cut points");
        total += points;
    }
    println!("expiring trial: {total} cut points");
}

#[test]
fn two_cuts_in_one_install_still_boot_and_complete() {
    let (old, new) = (
        Maker::default().release(OLD, 90),
        Maker::default().release(NEW, 101),
    );
    let device = tiny(&old);
    let pairs = Sweep::new().quick(2).two_cuts(
        || device.clone(),
        |device| device.stage(&new),
        |device| {
            let _ = device.stage(&new);
        },
        |device, outcome| check_install(device, &old, &new, outcome.result.is_ok()),
    );
    println!("install: {pairs} pairs of cuts");
}

#[test]
fn two_cuts_in_one_accept_or_revert_still_boot_and_complete() {
    let (old, new) = (
        Maker::default().release(OLD, 90),
        Maker::default().release(NEW, 101),
    );
    let mut device = tiny(&old);
    device.trial_boots = 9;
    let device = after(&device, |device| device.stage(&new).unwrap());
    let accept = |device: &mut Device| {
        let image = device.started()?;
        let mut updater = device.updater(image.running())?;
        Ok::<(), Stop>(device.accept(&mut updater)?)
    };
    let mut pairs = Sweep::new().quick(2).two_cuts(
        || device.clone(),
        accept,
        |device| {
            let _ = accept(device);
        },
        |device, outcome| {
            let (_, state) = starts(device, &[&new]);
            assert!(outcome.result.is_err() || state == State::Updated);
            completes(device, &new);
        },
    );
    let reject = |device: &mut Device| {
        let image = device.started()?;
        let mut updater = device.updater(image.running())?;
        if updater.state() == State::Trial {
            updater.reject(&mut device.flash)?;
        }
        device.started()?;
        Ok::<(), Stop>(())
    };
    pairs += Sweep::new().quick(2).two_cuts(
        || device.clone(),
        reject,
        |device| {
            let _ = reject(device);
        },
        |device, _| {
            reject(device).unwrap();
            let (image, state) = starts(device, &[&old]);
            assert_eq!((image.slot(), state), (Slot::A, State::Failed));
        },
    );
    println!("accept and reject: {pairs} pairs of cuts");
}
