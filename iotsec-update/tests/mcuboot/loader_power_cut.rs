//! The power goes at every step of an update that the boot loader starts in place.

use iotsec_core::{
    crypto::Sha256,
    hal::{Slot, Trial},
};
use iotsec_testkit::{SimFlash, StepUnit, Sweep, Tear};
use iotsec_update::mcuboot::{Reason, Refusal, Selection, Startable};

use super::device::{Device, Release, release};

const LEN: usize = 300;

fn old() -> Release {
    release((1, 0, 0), 1, LEN)
}

fn new() -> Release {
    release((2, 0, 0), 2, LEN)
}

/// What happened while there was power.
#[derive(Clone, Copy, Debug, Default)]
struct Log {
    /// Starts of the new image without its being confirmed.
    trials: u32,
    /// It began to confirm itself.
    confirming: bool,
    /// It was told that it is confirmed.
    confirmed: bool,
    /// It ended as it should.
    done: bool,
}

/// The power is gone, or a word that was torn cannot be used.
struct Stop;

const SHAPES: [(u32, u32, u32, u8); 4] = [
    (256, 4, 8, 0xFF),
    (512, 1, 8, 0xFF),
    (256, 8, 16, 0x00),
    (1024, 32, 32, 0xFF),
];
const TEARS: [Tear; 4] = [Tear::Clean, Tear::Torn, Tear::EccPoison, Tear::Unstable];

fn device(shape: (u32, u32, u32, u8), tear: Tear, factory: &Release) -> Device {
    let (page, word, align, erased) = shape;
    let mut device = Device::with_erased(page, word, align, erased).with_factory(factory);
    assert_eq!(device.starts(), (Slot::A, Reason::Active));
    torn(device, tear)
}

fn torn(mut device: Device, tear: Tear) -> Device {
    let blank = SimFlash::new(device.flash.geometry().clone());
    let flash = std::mem::replace(&mut device.flash, blank);
    let unit = if tear == Tear::Torn {
        StepUnit::Byte
    } else {
        StepUnit::Word
    };
    device.flash = flash.with_tear(tear).with_unit(unit);
    device
}

/// A boot, if the power lasts until the image runs.
fn boot(device: &mut Device, log: &mut Log) -> Result<Startable, Stop> {
    let selection = device.select();
    if device.flash.is_off() {
        return Err(Stop);
    }
    let Ok(Selection::Boot(image)) = selection else {
        panic!("nothing starts: {selection:?}, {log:?}");
    };
    assert!(image.is_proven());
    let is_last = matches!(image.reason(), Reason::LastResort(_));
    if is(&image, &new()) && !image.is_confirmed() && !is_last {
        log.trials += 1;
    }
    Ok(image)
}

fn is(image: &Startable, release: &Release) -> bool {
    let version = image.version();
    (version.major, version.minor, version.revision) == release.version
}

/// The running application receives an image into the other slot and asks for it.
fn install(device: &mut Device, running: Slot, release: &Release) -> Result<(), Stop> {
    let region = *device.trailer(running.other()).region();
    let word = usize::try_from(region.word_size()).unwrap();
    for page in (0..region.page_count()).rev() {
        region.erase_page(&mut device.flash, page).map_err(|_| Stop)?;
    }
    let mut bytes = release.bytes.clone();
    bytes.resize(bytes.len().next_multiple_of(word), region.erased());
    for (index, chunk) in bytes.chunks(64).enumerate() {
        let at = u32::try_from(index * 64).unwrap();
        region.write(&mut device.flash, at, chunk).map_err(|_| Stop)?;
    }
    device
        .ask(running.other(), running, Trial::Once)
        .map_err(|_| Stop)
}

fn confirm(device: &mut Device, running: Slot, log: &mut Log) -> Result<(), Stop> {
    log.confirming = true;
    device.ask(running, running, Trial::Permanent).map_err(|_| Stop)?;
    log.confirmed = true;
    Ok(())
}

/// A whole update, from the old image to the boot that raises the counter.
fn update(device: &mut Device, log: &mut Log) -> Result<(), Stop> {
    let running = boot(device, log)?.slot();
    install(device, running, &new())?;
    let image = boot(device, log)?;
    assert_eq!((image.slot(), image.reason()), (running.other(), Reason::Trial));
    confirm(device, image.slot(), log)?;
    boot(device, log)?;
    log.done = true;
    Ok(())
}

/// What holds after every cut, at this boot and those after it.
fn keeps(device: &mut Device, log: &mut Log, releases: [&Release; 2]) {
    let floor = device.counter.value();
    for _ in 0..3 {
        let Ok(image) = boot(device, log) else {
            panic!("there is power");
        };
        let release = releases.iter().find(|release| is(&image, release)).unwrap();
        let signed = release.bytes.len() - 4 - 36 - 36 - 68;
        assert_eq!(image.digest(), Sha256::of(&[&release.bytes[..signed]]));
        assert!(u64::from(release.counter) >= floor, "rolled back");
        assert!(device.counter.value() >= floor);
        assert!(
            log.confirming || device.counter.value() < u64::from(new().counter),
            "raised too early"
        );
        if log.confirmed {
            assert!(
                is(&image, &new()),
                "an acknowledged confirmation was lost: {image:?}"
            );
            assert_eq!(image.reason(), Reason::Active);
        }
        if let Reason::LastResort(_) = image.reason() {
            // Only where the old image is no choice: the confirmation was seen once, and the counter says so.
            assert_eq!(device.counter.value(), u64::from(new().counter));
        }
        assert!(log.trials <= 1, "a trial was started again: {log:?}");
    }
}

/// From wherever it is to the new image, confirmed, and its counter.
fn completes(device: &mut Device) {
    let mut log = Log::default();
    for _ in 0..4 {
        let Ok(image) = boot(device, &mut log) else {
            panic!("there is power");
        };
        let slot = image.slot();
        if !is(&image, &new()) {
            assert!(install(device, slot, &new()).is_ok());
        } else if let Reason::LastResort(_) = image.reason() {
            return;
        } else {
            // A flag that a cut left between two values cannot be set. Once it was read as set the counter says so;
            // until then the image before is started, and asks anew.
            confirm(device, slot, &mut log).ok();
            let (started, reason) = device.starts();
            let stays = matches!(reason, Reason::Active | Reason::LastResort(_));
            if started == slot && stays && device.counter.value() == u64::from(new().counter) {
                return;
            }
        }
    }
    panic!("no end of it: {log:?}");
}

#[test]
fn an_update_cut_anywhere_always_boots_and_completes() {
    let (old, mut total) = (old(), 0);
    for shape in SHAPES {
        for tear in TEARS {
            let device = device(shape, tear, &old);
            total += Sweep::new().quick(3).full(11).each_cut(
                || device.clone(),
                |device| {
                    let mut log = Log::default();
                    let _ = update(device, &mut log);
                    log
                },
                |device, outcome| {
                    let mut log = outcome.result;
                    assert_eq!(log.done, outcome.completed);
                    keeps(device, &mut log, [&old, &new()]);
                    completes(device);
                },
            );
        }
    }
    println!("MCUboot update: {total} cut points");
    assert!(total > 1_500);
}

#[test]
fn the_next_update_into_the_first_slot_cut_anywhere_always_boots_and_completes() {
    // Version 1.0.0 was first, 1.5.0 runs confirmed from slot B; slot A is written over.
    let (first, old) = (release((1, 0, 0), 1, LEN), release((1, 5, 0), 1, LEN));
    let mut total = 0;
    for shape in SHAPES {
        for tear in TEARS {
            let mut device = device(shape, Tear::Torn, &first);
            device.stage(Slot::B, &old);
            assert_eq!(device.starts(), (Slot::B, Reason::Trial));
            device.ask(Slot::B, Slot::B, Trial::Permanent).unwrap();
            assert_eq!(device.starts(), (Slot::B, Reason::Active));
            let device = torn(device, tear);
            total += Sweep::new().quick(5).full(11).each_cut(
                || device.clone(),
                |device| {
                    let mut log = Log::default();
                    let _ = update(device, &mut log);
                    log
                },
                |device, outcome| {
                    let mut log = outcome.result;
                    keeps(device, &mut log, [&old, &new()]);
                    completes(device);
                },
            );
        }
    }
    println!("MCUboot second update: {total} cut points");
}

#[test]
fn a_trial_that_does_not_confirm_itself_cut_anywhere_ends_with_the_old_image() {
    let (old, mut total) = (old(), 0);
    for shape in SHAPES {
        for tear in TEARS {
            let mut device = device(shape, tear, &old);
            device.stage(Slot::B, &new());
            total += Sweep::new().rounds(8).full(700).each_cut(
                || device.clone(),
                |device| {
                    let mut log = Log::default();
                    for _ in 0..2 {
                        if boot(device, &mut log).is_err() {
                            break;
                        }
                    }
                    log
                },
                |device, outcome| {
                    let mut log = outcome.result;
                    keeps(device, &mut log, [&old, &new()]);
                    let (slot, reason) = device.starts();
                    assert_eq!((slot, device.counter.value()), (Slot::A, 1));
                    assert!(
                        matches!(
                            reason,
                            Reason::Fallback(
                                Refusal::NotConfirmed | Refusal::TrailerDamaged | Refusal::Trailer(_)
                            )
                        ),
                        "{reason:?}"
                    );
                    completes(device);
                },
            );
        }
    }
    println!("MCUboot revert: {total} cut points");
}

#[test]
fn a_confirmation_and_the_counter_cut_anywhere_are_kept_or_not_made() {
    let (old, mut total, mut seen) = (old(), 0, [0; 3]);
    for shape in SHAPES {
        for tear in TEARS {
            let mut device = device(shape, tear, &old);
            device.stage(Slot::B, &new());
            assert_eq!(device.starts(), (Slot::B, Reason::Trial));
            total += Sweep::new().rounds(30).full(600).each_cut(
                || device.clone(),
                |device| {
                    let mut log = Log {
                        trials: 1,
                        ..Log::default()
                    };
                    if confirm(device, Slot::B, &mut log).is_ok() {
                        let _ = boot(device, &mut log);
                    }
                    log
                },
                |device, outcome| {
                    let mut log = outcome.result;
                    keeps(device, &mut log, [&old, &new()]);
                    let image = device.boots();
                    let index = match (image.slot(), image.reason()) {
                        (Slot::A, _) => 0,
                        (Slot::B, Reason::Active) => 1,
                        (Slot::B, _) => 2,
                    };
                    seen[index] += 1;
                    completes(device);
                },
            );
        }
    }
    println!("MCUboot confirmation: {total} cut points");
    // Not made, made, and such that it reads one way and another: then only the counter tells.
    assert!(seen.iter().all(|count| *count > 0), "{seen:?}");
}

#[test]
fn a_second_cut_while_it_goes_on_changes_nothing() {
    let (old, mut total) = (old(), 0);
    for tear in TEARS {
        let device = device(SHAPES[0], tear, &old);
        total += Sweep::new()
            .stride(if tear == Tear::Torn { 41 } else { 13 })
            .two_cuts(
                || device.clone(),
                |device| {
                    let mut log = Log::default();
                    let _ = update(device, &mut log);
                    log
                },
                |device| {
                    let mut log = Log::default();
                    if let Ok(image) = boot(device, &mut log) {
                        if is(&image, &new()) {
                            let _ = confirm(device, image.slot(), &mut log);
                        } else {
                            let _ = install(device, image.slot(), &new());
                        }
                    }
                },
                |device, outcome| {
                    if !outcome.result.confirmed {
                        // What the second run did is not known here.
                        device.boots();
                    } else {
                        let mut log = outcome.result;
                        keeps(device, &mut log, [&old, &new()]);
                    }
                    completes(device);
                },
            );
    }
    println!("MCUboot update: {total} pairs of cuts");
}
