//! Which image the boot loader starts in place, and why.

use iotsec_core::{
    crypto::Sha256,
    hal::{Slot, Trial},
};
use iotsec_testkit::{ImageMaker, Operation};
use iotsec_update::{
    boot::BootError,
    mcuboot::{
        Flag, Magic, McubootError, Reason, Refusal, Selection, Standing, TrailerError, TrailerState, Version,
    },
    slot::LayoutError,
};

use super::{
    device::{CLASS, Device, MAKER, PAGES, Release, VENDOR, key, maker, payload, release},
    trailers::EMPTY,
};

const LEN: usize = 700;

fn old() -> Release {
    release((1, 0, 0), 1, LEN)
}

fn new() -> Release {
    release((2, 0, 0), 2, LEN)
}

/// The old image confirmed in slot A, and the new one in slot B as it came.
fn updated() -> Device {
    let mut device = Device::small().with_factory(&old());
    device.put(Slot::B, &new().bytes);
    device
}

/// Slot B has been tried and is confirmed.
fn confirmed() -> Device {
    let mut device = updated();
    device.ask(Slot::B, Slot::A, Trial::Once).unwrap();
    assert_eq!(device.starts(), (Slot::B, Reason::Trial));
    device.ask(Slot::B, Slot::B, Trial::Permanent).unwrap();
    device
}

/// Writes the fields of a trailer as whoever has a programmer does.
fn forge(device: &mut Device, slot: Slot, state: TrailerState) {
    let region = *device.trailer(slot).region();
    let end = region.start() + region.len();
    let magic = device.flash.image()[4096 - 16..4096].to_vec();
    match state.magic {
        Magic::Good => device.flash.tamper(end - 16, &magic),
        Magic::Bad => device.flash.tamper(end - 16, &magic[..8]),
        Magic::Unset => {}
    }
    for (flag, back) in [(state.image_ok, 24), (state.copy_done, 32)] {
        match flag {
            Flag::Set => device.flash.tamper(end - back, &[1]),
            Flag::Bad => device.flash.tamper(end - back, &[3]),
            Flag::Unset => {}
        }
    }
}

/// The table of the module's documentation, row by row, written a second time.
fn expected(state: &TrailerState) -> (Slot, Reason) {
    let back = |refusal| (Slot::A, Reason::Fallback(refusal));
    match (state.magic, state.image_ok, state.copy_done) {
        (Magic::Unset, ..) => (Slot::A, Reason::Active),
        (Magic::Bad, ..) => back(Refusal::TrailerDamaged),
        (Magic::Good, Flag::Set, _) => (Slot::B, Reason::Active),
        (Magic::Good, Flag::Bad, _) => back(Refusal::TrailerDamaged),
        (Magic::Good, Flag::Unset, Flag::Unset) => (Slot::B, Reason::Trial),
        (Magic::Good, Flag::Unset, Flag::Set) => back(Refusal::NotConfirmed),
        (Magic::Good, Flag::Unset, Flag::Bad) => back(Refusal::TrailerDamaged),
    }
}

#[test]
fn every_row_of_the_table_of_trailers_is_kept() {
    let flags = [Flag::Set, Flag::Bad, Flag::Unset];
    let mut rows = 0;
    for magic in [Magic::Good, Magic::Bad, Magic::Unset] {
        for (image_ok, copy_done) in flags.iter().flat_map(|ok| flags.map(|done| (*ok, done))) {
            let state = TrailerState {
                magic,
                image_ok,
                copy_done,
                ..EMPTY
            };
            let mut device = updated();
            forge(&mut device, Slot::B, state);
            assert_eq!(device.b.read(&mut device.flash), Ok(state));
            let before = device.flash.image().to_vec();
            assert_eq!(device.starts(), expected(&state), "{state:?}");
            // Written is copy_done of a trial, and nothing else.
            let changed: Vec<usize> = (0..before.len())
                .filter(|at| before[*at] != device.flash.image()[*at])
                .collect();
            let noted = match expected(&state).1 {
                Reason::Trial => vec![8192 - 32],
                _ => vec![],
            };
            assert_eq!(changed, noted, "{state:?}");
            // And where there is nothing else a good image is started whatever its trailer says.
            let mut alone = updated();
            forge(&mut alone, Slot::B, state);
            alone.put(Slot::A, &[]);
            let reason = match (Standing::of(&state), expected(&state).1) {
                (Standing::Confirmed | Standing::Requested, reason) => reason,
                (Standing::Idle, _) => Reason::LastResort(Refusal::NotRequested),
                (_, Reason::Fallback(refusal)) => Reason::LastResort(refusal),
                (_, reason) => panic!("{reason:?}"),
            };
            assert_eq!(alone.starts(), (Slot::B, reason), "{state:?}");
            rows += 1;
        }
    }
    assert_eq!(rows, 27);
}

#[test]
fn the_newer_of_two_confirmed_images_starts_and_of_two_alike_the_first() {
    for (a, b, slot) in [
        ((1, 0, 0), (1, 0, 1), Slot::B),
        ((1, 0, 256), (1, 0, 255), Slot::A),
        ((1, 2, 0), (1, 1, 9), Slot::A),
        ((1, 255, 65535), (2, 0, 0), Slot::B),
        ((3, 0, 0), (3, 0, 0), Slot::A),
    ] {
        let mut device = Device::small().with_factory(&release(a, 1, LEN));
        device.put(Slot::B, &release(b, 1, LEN).bytes);
        device.ask(Slot::B, Slot::A, Trial::Permanent).unwrap();
        assert_eq!(device.starts(), (slot, Reason::Active), "{a:?} {b:?}");
    }
}

#[test]
fn the_token_says_what_was_checked() {
    let mut device = Device::small();
    let image = maker((4, 5, 6), 9)
        .header(128)
        .sign(&key(MAKER), &payload((4, 5, 6), 99));
    device.put(Slot::B, &image.unwrap());
    device.ask(Slot::B, Slot::A, Trial::Once).unwrap();
    let Ok(Selection::Boot(image)) = device.select_with(&[8, MAKER]) else {
        panic!("nothing starts");
    };
    assert!(image.is_proven() && !image.is_confirmed());
    assert_eq!(
        (image.slot(), image.entry(), image.key()),
        (Slot::B, 4096 + 128, 1)
    );
    let version = Version {
        major: 4,
        minor: 5,
        revision: 6,
        build: 0,
    };
    assert_eq!((image.version(), image.security_counter()), (version, 9));
    let signed = 128 + 99 + 4 + 8 + 20 + 20;
    assert_eq!(
        image.digest(),
        Sha256::of(&[&device.flash.image()[4096..4096 + signed]])
    );
}

#[test]
fn an_image_on_trial_starts_once_and_stays_only_if_it_is_confirmed() {
    let mut device = updated();
    assert_eq!(device.starts(), (Slot::A, Reason::Active), "nobody asked");
    device.ask(Slot::B, Slot::A, Trial::Once).unwrap();
    let trial = device.clone();

    assert_eq!(device.starts(), (Slot::B, Reason::Trial));
    for _ in 0..3 {
        let back = (Slot::A, Reason::Fallback(Refusal::NotConfirmed));
        assert_eq!(device.starts(), back, "it did not confirm itself");
    }
    // The image is still there to be looked at, and can be asked for again.
    assert!(device.flash.image()[4096..].starts_with(&new().bytes));
    device.ask(Slot::B, Slot::A, Trial::Once).unwrap();
    assert_eq!(device.starts(), (Slot::B, Reason::Trial));

    let mut device = trial.clone();
    assert_eq!(device.starts(), (Slot::B, Reason::Trial));
    device.ask(Slot::B, Slot::B, Trial::Permanent).unwrap();
    for _ in 0..3 {
        assert_eq!(device.starts(), (Slot::B, Reason::Active));
    }

    // The note of its start was cut: it is not started, and can be asked for again.
    let mut device = trial.clone();
    device.flash.tamper(8192 - 32, &[3]);
    assert_eq!(device.starts().0, Slot::A);
    device.ask(Slot::B, Slot::A, Trial::Once).unwrap();
    assert_eq!(device.starts(), (Slot::B, Reason::Trial));

    // Withdrawn before it was started.
    let mut device = trial;
    device.ask(Slot::A, Slot::A, Trial::Permanent).unwrap();
    assert_eq!(device.starts(), (Slot::A, Reason::Active));
}

#[test]
fn an_image_asked_for_without_a_trial_stays() {
    let mut device = updated();
    device.ask(Slot::B, Slot::A, Trial::Permanent).unwrap();
    for _ in 0..2 {
        assert_eq!(device.starts(), (Slot::B, Reason::Active));
    }
}

#[test]
fn the_counter_rises_at_the_boot_after_the_confirmation_and_not_before() {
    let mut device = updated();
    device.ask(Slot::B, Slot::A, Trial::Once).unwrap();
    assert_eq!(device.boots().slot(), Slot::B);
    assert_eq!(device.counter.value(), 0, "on trial");
    device.ask(Slot::B, Slot::B, Trial::Permanent).unwrap();
    assert_eq!(device.counter.value(), 0, "the application does not raise it");
    assert_eq!(device.boots().slot(), Slot::B);
    assert_eq!(device.counter.value(), 2);
    assert_eq!(device.boots().slot(), Slot::B);
    assert_eq!(device.counter.advances(), 1);

    // One that reverted leaves the counter where the old image has it.
    let mut device = updated();
    device.ask(Slot::B, Slot::A, Trial::Once).unwrap();
    let slots = [device.boots().slot(), device.boots().slot()];
    assert_eq!((slots, device.counter.value()), ([Slot::B, Slot::A], 1));

    // One that starts for want of another does not raise it.
    let mut device = updated();
    device.put(Slot::A, &[]);
    assert_eq!(device.boots().slot(), Slot::B);
    assert_eq!(device.counter.value(), 0);
}

#[test]
fn a_counter_that_cannot_rise_does_not_stop_the_device_and_one_that_cannot_be_read_does() {
    let mut device = confirmed();
    device.counter = device.counter.with_limit(1);
    assert_eq!(device.starts(), (Slot::B, Reason::Active));
    assert_eq!(device.counter.value(), 0);
    device.counter.set_unreadable(true);
    assert!(matches!(device.select(), Err(BootError::Rollback(_))));
}

#[test]
fn an_image_below_the_security_counter_does_not_start_from_either_slot() {
    let too_old = Refusal::Image(McubootError::Rollback);
    let mut device = confirmed();
    assert_eq!(device.boots().slot(), Slot::B);
    // The old image is no fallback any more.
    device.put(Slot::B, &[]);
    let empty = Refusal::Image(McubootError::Magic);
    assert_eq!(device.refuses(), (too_old, empty));
    // Nor is it in the other slot, whatever version it claims to be.
    device.put(Slot::A, &[]);
    device.stage(Slot::B, &release((9, 0, 0), 1, LEN));
    assert_eq!(device.refuses(), (empty, too_old));
    // One without a counter is as old as can be.
    let uncounted = ImageMaker::new((9, 0, 0)).vendor(VENDOR).class(CLASS);
    device.put(Slot::B, &uncounted.sign(&key(MAKER), b"image").unwrap());
    assert_eq!(device.refuses(), (empty, too_old));
    // A counter beyond all images refuses all.
    device.counter = device.counter.at(1 << 32);
    device.stage(Slot::B, &release((9, 0, 0), u32::MAX, LEN));
    assert_eq!(device.refuses(), (too_old, too_old));
    // The same counter is not below.
    device.counter = device.counter.at(u64::from(u32::MAX));
    assert_eq!(device.boots().slot(), Slot::B);
}

#[test]
fn whatever_byte_of_the_newer_image_is_changed_the_other_one_starts() {
    let before = confirmed();
    let size = new().bytes.len();
    let signature = size - 64;
    for at in 0..size {
        // A signature check takes long: of the payload some.
        if (64..32 + LEN).contains(&at) && at % 16 != 0 {
            continue;
        }
        let mut device = before.clone();
        let byte = device.flash.image()[4096 + at];
        device
            .flash
            .tamper(u32::try_from(4096 + at).unwrap(), &[byte ^ 1 << (at % 8)]);
        let image = device.boots();
        assert_eq!(image.slot(), Slot::A, "byte {at}");
        assert!(
            matches!(image.reason(), Reason::Fallback(Refusal::Image(_))) || (20..28).contains(&at),
            "byte {at}: {:?}",
            image.reason()
        );
        if at >= signature {
            let refusal = Refusal::Image(McubootError::Signature);
            assert_eq!(image.reason(), Reason::Fallback(refusal), "byte {at}");
        }
        assert_eq!(device.counter.value(), 1);
    }
}

#[test]
fn two_bad_images_are_told_apart_and_nothing_starts() {
    let mut device = updated();
    device.ask(Slot::B, Slot::A, Trial::Once).unwrap();
    device.flash.tamper(100, &[0]);
    device
        .flash
        .tamper(4096 + u32::try_from(new().bytes.len()).unwrap() - 1, &[0]);
    let image = Refusal::Image;
    assert_eq!(
        device.refuses(),
        (image(McubootError::Hash), image(McubootError::Signature))
    );
    // And it stays so: nothing was written.
    assert_eq!(device.b.read(&mut device.flash).unwrap().copy_done, Flag::Unset);
}

#[test]
fn an_image_that_is_not_for_this_device_or_not_by_its_maker_does_not_start() {
    let device = Device::small().with_factory(&old());
    let maker = |counter| ImageMaker::new((2, 0, 0)).security_counter(counter);
    let cases: [(ImageMaker, u8, McubootError); 9] = [
        (
            maker(2).vendor([9; 16]).class(CLASS),
            MAKER,
            McubootError::WrongVendor,
        ),
        (maker(2).class(CLASS), MAKER, McubootError::WrongVendor),
        (
            maker(2).vendor(VENDOR).class([9; 16]),
            MAKER,
            McubootError::WrongClass,
        ),
        (maker(2).vendor(VENDOR), MAKER, McubootError::WrongClass),
        (maker(2).vendor(VENDOR).class(CLASS), 8, McubootError::KeyUnknown),
        (
            maker(2).vendor(VENDOR).class(CLASS).rom_fixed(0x1000),
            MAKER,
            McubootError::WrongAddress,
        ),
        (
            maker(2).vendor(VENDOR).class(CLASS).rom_fixed(0),
            MAKER,
            McubootError::WrongAddress,
        ),
        (
            maker(2)
                .vendor(VENDOR)
                .class(CLASS)
                .entry(0x40, &[1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]),
            MAKER,
            McubootError::Dependency,
        ),
        (
            ImageMaker::new((2, 0, 0)).vendor(VENDOR).class(CLASS),
            MAKER,
            McubootError::Rollback,
        ),
    ];
    for (maker, signer, reason) in cases {
        let mut device = device.clone();
        device.put(
            Slot::B,
            &maker.sign(&key(signer), &payload((2, 0, 0), LEN)).unwrap(),
        );
        device.ask(Slot::B, Slot::A, Trial::Once).unwrap();
        let refusal = Reason::Fallback(Refusal::Image(reason));
        assert_eq!(device.starts(), (Slot::A, refusal), "{maker:?}");
        let state = device.b.read(&mut device.flash).unwrap();
        assert_eq!(state.copy_done, Flag::Unset, "not started, so not noted");
    }
}

#[test]
fn an_image_starts_only_from_the_slot_that_it_is_linked_for() {
    let linked = |address| {
        let image = maker((2, 0, 0), 1).rom_fixed(address);
        image.sign(&key(MAKER), &payload((2, 0, 0), LEN)).unwrap()
    };
    let rom = [Some(0x0800_0000), Some(0x0800_1000)];
    for (slot, address) in [(Slot::A, 0x0800_0000), (Slot::B, 0x0800_1000)] {
        let mut device = Device::small();
        device.rom = rom;
        device.put(slot, &linked(address));
        device.ask(slot, slot.other(), Trial::Once).unwrap();
        assert_eq!(device.boots().slot(), slot);
        // The same image in the other slot.
        let mut device = Device::small();
        device.rom = rom;
        device.put(slot.other(), &linked(address));
        device.ask(slot.other(), slot, Trial::Once).unwrap();
        let (empty, wrong) = (McubootError::Magic, McubootError::WrongAddress);
        let expected = match slot {
            Slot::A => (empty, wrong),
            Slot::B => (wrong, empty),
        };
        assert_eq!(
            device.refuses(),
            (Refusal::Image(expected.0), Refusal::Image(expected.1))
        );
    }
}

#[test]
fn an_image_beyond_its_slot_or_into_its_trailer_does_not_start() {
    let overhead = new().bytes.len() - LEN;
    // The trailer of this device begins 40 bytes before the end: magic, two flags and what MCUboot notes of a swap.
    let room = 4096 - 40 - overhead;
    let mut device = Device::small().with_factory(&old());
    device.put(Slot::B, &release((2, 0, 0), 2, room).bytes);
    forge(
        &mut device,
        Slot::B,
        TrailerState {
            magic: Magic::Good,
            ..EMPTY
        },
    );
    assert_eq!(device.starts(), (Slot::B, Reason::Trial), "the largest that fits");

    let magic = device.flash.image()[4096 - 16..4096].to_vec();
    for (len, refusal) in [
        (room + 1, Refusal::Trailer(TrailerError::Overlap)),
        (room + 24, Refusal::Trailer(TrailerError::Overlap)),
        (room + 41, Refusal::Image(McubootError::Size)),
        (5000, Refusal::Image(McubootError::Size)),
    ] {
        let mut device = Device::small().with_factory(&old());
        let mut image = release((2, 0, 0), 2, len).bytes;
        image.truncate(4096);
        device.put(Slot::B, &image);
        // Where the trailer is, whatever the image has there.
        device.flash.tamper(8192 - 16, &magic);
        let (slot, reason) = device.starts();
        let damaged = Reason::Fallback(Refusal::TrailerDamaged);
        assert_eq!(slot, Slot::A);
        assert!(
            reason == Reason::Fallback(refusal) || reason == damaged,
            "{len}: {reason:?}"
        );
    }
}

#[test]
fn an_image_of_zero_or_unbounded_size_does_not_start() {
    for (at, value) in [(12, 0_u32), (12, u32::MAX), (12, 1 << 31), (8, 0xFFFF_FFFF)] {
        let mut device = confirmed();
        device.flash.tamper(4096 + at, &value.to_le_bytes());
        assert_eq!(device.boots().slot(), Slot::A);
    }
}

#[test]
fn a_start_that_cannot_be_noted_is_not_made() {
    let mut device = updated();
    device.ask(Slot::B, Slot::A, Trial::Once).unwrap();
    device.flash.fail(Operation::Write, 0..u64::MAX);
    let (slot, reason) = device.starts();
    assert_eq!(slot, Slot::A);
    assert!(
        matches!(reason, Reason::Fallback(Refusal::Trailer(TrailerError::Flash(_)))),
        "{reason:?}"
    );
    // Unless there is nothing else.
    device.flash.tamper(100, &[0]);
    let (slot, reason) = device.starts();
    assert_eq!(slot, Slot::B);
    assert!(
        matches!(reason, Reason::LastResort(Refusal::Trailer(_))),
        "{reason:?}"
    );
    device.flash.mend();
    assert_eq!(device.starts(), (Slot::B, Reason::Trial));
}

#[test]
fn a_trailer_that_cannot_be_read_counts_as_bad() {
    for back in [16, 24, 32] {
        let mut device = confirmed();
        device.flash.poison(8192 - back);
        let (slot, reason) = device.starts();
        assert_eq!(slot, Slot::A);
        assert!(
            matches!(reason, Reason::Fallback(Refusal::Trailer(TrailerError::Flash(_)))),
            "{reason:?}"
        );
    }
    // That of the running slot, too, and nothing is lost.
    let mut device = Device::small().with_factory(&old());
    device.flash.poison(4096 - 16);
    let (slot, reason) = device.starts();
    assert_eq!(slot, Slot::A);
    assert!(
        matches!(reason, Reason::LastResort(Refusal::Trailer(_))),
        "{reason:?}"
    );
}

#[test]
fn slots_that_overlap_or_lie_beyond_the_flash_are_no_slots() {
    let mut device = updated();
    device.b = device.a;
    assert!(matches!(
        device.select(),
        Err(BootError::Layout(LayoutError::Overlap))
    ));
    let mut device = updated();
    let beyond = Device::new(2048, 4, 8);
    device.b = beyond.b;
    assert!(matches!(
        device.select(),
        Err(BootError::Layout(LayoutError::Flash(_)))
    ));
    assert_eq!(PAGES * 2048, beyond.b.region().start());
}

#[test]
fn every_shape_of_trailer_takes_an_update_through() {
    for (page, word, align, erased) in [
        (256, 1, 8, 0xFF),
        (4096, 4, 8, 0xFF),
        (2048, 8, 8, 0x00),
        (512, 8, 16, 0xFF),
        (1024, 16, 16, 0xFF),
        (8192, 32, 32, 0x00),
    ] {
        let mut device =
            Device::with_erased(page, word, align, erased).with_factory(&release((1, 0, 0), 1, 300));
        device.stage(Slot::B, &release((2, 0, 0), 2, 300));
        assert_eq!(device.starts(), (Slot::B, Reason::Trial));
        let back = (Slot::A, Reason::Fallback(Refusal::NotConfirmed));
        assert_eq!(device.clone().starts(), back);
        device.ask(Slot::B, Slot::B, Trial::Permanent).unwrap();
        assert_eq!(device.starts(), (Slot::B, Reason::Active));
        assert_eq!((device.counter.value(), device.flash.violation()), (2, None));
    }
}
