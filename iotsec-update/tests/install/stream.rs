//! Bytes on their way into the slot.

use iotsec_core::{error::ErrorCode, hal::Slot};
use iotsec_testkit::{Geometry, SimRng};
use iotsec_update::{
    UpdateError,
    boot::Reason,
    install::{InstallError, State},
    rollback::RollbackError,
    slot::{LayoutError, SlotLayout, UpdateLayout},
};

use crate::device::{Device, Maker, Release, Stop, wanted};

fn device(geometry: fn(usize) -> Geometry, image: u32, old: &Release) -> Device {
    let pages = Device::pages(&geometry(1), image, 2) as usize;
    Device::new(&geometry(pages), image, 2).with_factory(old)
}

fn releases(len: usize) -> (Release, Release) {
    (
        Maker::default().release(0x11, 200),
        Maker::default().release(0x21, len),
    )
}

#[test]
fn t3_any_chunks_give_the_same_slot() {
    let mut tried = 0;
    for (name, _) in Geometry::table(1) {
        let geometry = move |pages| {
            let mut table = Geometry::table(pages).into_iter();
            table.find(|(other, _)| *other == name).unwrap().1
        };
        for len in [1, 3, 255, 256, 257, 500] {
            let (old, new) = releases(len);
            let pages = Device::pages(&geometry(1), 2, 2) as usize;
            let fresh = Device::new(&geometry(pages), 2, 2).with_factory(&old);
            let mut expected = None;
            for chunk in [1, 2, 3, 5, 16, 255, 256, 257, 499, 500] {
                let mut device = fresh.clone();
                device.chunk = chunk;
                device.stage(&new).unwrap();
                assert_eq!(
                    device.image(Slot::B, len),
                    new.image,
                    "{name}, {len} in chunks of {chunk}"
                );
                let bytes = device.slot_bytes(Slot::B);
                assert!(
                    *expected.get_or_insert_with(|| bytes.clone()) == bytes,
                    "{name}, {len}, {chunk}"
                );
                tried += 1;
            }
            // Random chunks, some of them empty.
            for seed in 0..10 {
                let mut rng = SimRng::new(seed);
                let mut device = fresh.clone();
                let running = device.started().unwrap().running();
                let mut updater = device.updater(running).unwrap();
                let mut session = device.start(&mut updater, &new.envelope).unwrap();
                while let Some(wanted) = session.wanted() {
                    let rest = &new.image[wanted.offset as usize..];
                    let offer = usize::try_from(rng.below(rest.len() as u64 + 1)).unwrap();
                    let taken = updater.write(&mut session, &mut device.flash, &rest[..offer]);
                    assert!(taken.unwrap() <= offer);
                }
                let candidate = device.finish(&mut updater, &mut session).unwrap();
                updater.install(&mut device.flash, candidate).unwrap();
                assert!(
                    expected.as_deref() == Some(&device.slot_bytes(Slot::B)[..]),
                    "{name}, {len}"
                );
                tried += 1;
            }
            assert_eq!(fresh.flash.violation(), None);
        }
    }
    println!("{tried} ways to cut a payload into chunks");
}

#[test]
fn a_reset_costs_at_most_a_page_and_the_bytes_in_place_are_checked_again() {
    let (old, new) = releases(20_000);
    let mut device = device(Geometry::nrf52840, 5, &old);
    let running = device.started().unwrap().running();
    let mut updater = device.updater(running).unwrap();
    let mut session = device.start(&mut updater, &new.envelope).unwrap();
    device
        .send(&mut updater, &mut session, &new.image[..15_000])
        .unwrap();
    assert_eq!(session.progress(), (15_000, 20_000));
    let at = device.layout.slot(Slot::B).images[0].start() + 5000;

    // Undisturbed, only the page that was not full is sent again.
    let mut good = device.clone();
    let mut updater = good.updater(running).unwrap();
    assert_eq!(good.begin(&mut updater, &new.envelope), Ok(3 * 4096));
    good.stage_with(&mut updater, &new).unwrap();
    good.try_and_accept().unwrap();

    // A bit that changed meanwhile is found at the end.
    let byte = device.flash.image()[at as usize];
    device.flash.tamper(at, &[byte ^ 1]);
    let failed = device.stage(&new);
    assert_eq!(failed, Err(Stop::Install(InstallError::PayloadDigest)));
    let (image, state) = device.state();
    assert_eq!((image.slot(), state), (Slot::A, State::Failed));
}

#[test]
fn after_finish_began_a_reset_costs_nothing() {
    let (old, new) = releases(5000);
    let mut device = device(Geometry::nrf52840, 2, &old);
    let running = device.started().unwrap().running();
    let mut updater = device.updater(running).unwrap();
    let mut session = device.start(&mut updater, &new.envelope).unwrap();
    device.send(&mut updater, &mut session, &new.image).unwrap();
    for _ in 0..3 {
        let _ = updater.finish(&mut session, &mut device.flash).unwrap();
    }
    let mut updater = device.updater(running).unwrap();
    let mut session = device.start(&mut updater, &new.envelope).unwrap();
    assert_eq!((session.wanted(), session.progress()), (None, (5000, 5000)));
    let _ = device.finish(&mut updater, &mut session).unwrap();
    // And again from `Candidate`.
    let mut updater = device.updater(running).unwrap();
    assert_eq!(updater.state(), State::Candidate);
    let mut session = device.start(&mut updater, &new.envelope).unwrap();
    assert_eq!(session.wanted(), None);
    let candidate = device.finish(&mut updater, &mut session).unwrap();
    updater.install(&mut device.flash, candidate).unwrap();
    device.try_and_accept().unwrap();
}

#[test]
fn t13_an_image_fills_the_slot_to_the_last_byte_and_not_one_more() {
    for (len, fits) in [(512, true), (513, false), (511, true)] {
        let (old, new) = releases(len);
        let mut device = device(Geometry::small, 2, &old);
        let result = device.stage(&new);
        if fits {
            result.unwrap();
            device.try_and_accept().unwrap();
            assert_eq!(device.image(Slot::B, len), new.image);
        } else {
            assert_eq!(result, Err(Stop::Admission(UpdateError::Capacity)));
            assert_eq!(device.state().1, State::Ready);
        }
    }
}

#[test]
fn t13_impossible_sizes_and_numbers_of_components_are_refused_before_anything_is_written() {
    let (old, _) = releases(1);
    let claims = |size| Maker {
        size: Some(size),
        ..Maker::default()
    };
    let two = Maker {
        components: 2,
        ..Maker::default()
    };
    for (release, expected) in [
        (
            claims(u32::MAX).release(0x21, 9),
            Stop::Admission(UpdateError::Capacity),
        ),
        (
            claims(0x8000_0000).release(0x21, 9),
            Stop::Admission(UpdateError::Capacity),
        ),
        (
            claims(0).release(0x21, 9),
            Stop::Admission(UpdateError::ImageSize),
        ),
        (two.release(0x21, 9), Stop::Install(InstallError::Components)),
    ] {
        let mut device = device(Geometry::small, 2, &old);
        let before = device.flash.image().to_vec();
        assert_eq!(device.stage(&release), Err(expected));
        assert!(device.flash.image() == before, "{expected:?}");
    }
}

#[test]
fn a_slot_smaller_than_what_was_admitted_refuses_by_itself() {
    let (old, new) = releases(513);
    let mut device = device(Geometry::small, 2, &old);
    let running = device.started().unwrap().running();
    let mut updater = device.updater(running).unwrap();
    // Admitted against a wider layout: admission and updater do not rely on each other.
    let wide = Device::new(&Geometry::small(40), 3, 2);
    let accepted = wide.admit(&new.envelope).unwrap();
    let mut rollback = iotsec_update::rollback::Rollback::new(&mut device.counter, device.policy);
    let refused = updater.start(&mut device.flash, accepted, &mut rollback);
    assert_eq!(refused.err(), Some(InstallError::ImageSize));
}

#[test]
fn a_payload_that_is_too_long_too_short_or_wrong_ends_as_it_should() {
    let (old, new) = releases(400);
    let fresh = device(Geometry::small, 2, &old);
    let begin = |device: &mut Device| {
        let running = device.started().unwrap().running();
        let mut updater = device.updater(running).unwrap();
        let session = device.start(&mut updater, &new.envelope).unwrap();
        assert_eq!(wanted(&session), 0);
        (updater, session)
    };

    let mut device = fresh.clone();
    let (mut updater, mut session) = begin(&mut device);
    device
        .send(&mut updater, &mut session, &new.image[..399])
        .unwrap();
    assert_eq!(
        device.finish(&mut updater, &mut session),
        Err(InstallError::Incomplete)
    );
    assert_eq!(updater.state(), State::Writing);
    device.send(&mut updater, &mut session, &new.image).unwrap();
    let _ = device.finish(&mut updater, &mut session).unwrap();

    let mut device = fresh.clone();
    let (mut updater, mut session) = begin(&mut device);
    device
        .send(&mut updater, &mut session, &new.image[..399])
        .unwrap();
    assert_eq!(
        updater.write(&mut session, &mut device.flash, b"xy"),
        Err(InstallError::PayloadLength)
    );
    assert_eq!(updater.cause(), Some(InstallError::PayloadLength.code()));

    for at in [0, 199, 399] {
        let mut device = fresh.clone();
        let (mut updater, mut session) = begin(&mut device);
        let mut wrong = new.image.clone();
        wrong[at] ^= 0x10;
        device.send(&mut updater, &mut session, &wrong).unwrap();
        assert_eq!(
            device.finish(&mut updater, &mut session),
            Err(InstallError::PayloadDigest)
        );
        assert_eq!(
            updater.write(&mut session, &mut device.flash, &[]),
            Err(InstallError::State(State::Failed))
        );
        let (image, state) = device.state();
        assert_eq!((image.slot(), state), (Slot::A, State::Failed));
        // The same manifest may be sent again.
        device.stage(&new).unwrap();
        device.try_and_accept().unwrap();
    }
}

#[test]
fn only_the_newest_session_goes_on() {
    let (old, new) = releases(400);
    let mut device = device(Geometry::small, 2, &old);
    let running = device.started().unwrap().running();
    let mut updater = device.updater(running).unwrap();
    let mut first = device.start(&mut updater, &new.envelope).unwrap();
    device.send(&mut updater, &mut first, &new.image[..100]).unwrap();
    let mut second = device.start(&mut updater, &new.envelope).unwrap();
    let refused = Err(InstallError::State(State::Writing));
    assert_eq!(updater.write(&mut first, &mut device.flash, b"x"), refused);
    assert_eq!(device.finish(&mut updater, &mut first).err(), refused.err());
    device.send(&mut updater, &mut second, &new.image).unwrap();
    let candidate = device.finish(&mut updater, &mut second).unwrap();
    // Nothing may be written behind a candidate's back.
    let refused = Err(InstallError::State(State::Candidate));
    assert_eq!(updater.write(&mut second, &mut device.flash, b""), refused);
    updater.install(&mut device.flash, candidate).unwrap();
    device.try_and_accept().unwrap();
}

#[test]
fn every_verb_is_refused_in_every_state_that_is_not_its_own() {
    let (old, new) = releases(300);
    let other = Maker::default().release(0x31, 300);
    let mut device = device(Geometry::small, 2, &old);
    let running = device.started().unwrap().running();
    let mut updater = device.updater(running).unwrap();
    let state = |state| Err(InstallError::State(state));

    assert_eq!(device.accept(&mut updater), state(State::Ready));
    assert_eq!(updater.reject(&mut device.flash), state(State::Ready));
    assert_eq!(updater.cancel(&mut device.flash), state(State::Ready));

    let mut session = device.start(&mut updater, &new.envelope).unwrap();
    assert_eq!(
        device.begin(&mut updater, &other.envelope),
        Err(Stop::Install(InstallError::Busy))
    );
    assert_eq!(device.clean(&mut updater), state(State::Writing));
    assert_eq!(device.accept(&mut updater), state(State::Writing));
    updater.cancel(&mut device.flash).unwrap();
    assert_eq!(updater.cause(), Some(InstallError::Cancelled.code()));
    assert_eq!(
        updater.write(&mut session, &mut device.flash, b"x"),
        Err(InstallError::State(State::Failed))
    );
    assert_eq!(
        device.finish(&mut updater, &mut session),
        Err(InstallError::State(State::Failed))
    );
    let refused = device.begin(&mut updater, &new.envelope);
    assert_eq!(refused, Err(Stop::Install(InstallError::State(State::Failed))));
    device.clean(&mut updater).unwrap();
    assert_eq!((updater.state(), updater.cause()), (State::Ready, None));

    // A candidate of one manifest does not install another.
    let mut twin = device.clone();
    let mut twin_updater = twin.updater(running).unwrap();
    let mut session = twin.start(&mut twin_updater, &other.envelope).unwrap();
    twin.send(&mut twin_updater, &mut session, &other.image).unwrap();
    let foreign = twin.finish(&mut twin_updater, &mut session).unwrap();
    device.stage_with(&mut updater, &new).unwrap();
    assert_eq!(updater.install(&mut device.flash, foreign), state(State::Staged));

    // Given up before it was tried, it may be installed again.
    updater.reject(&mut device.flash).unwrap();
    assert_eq!((updater.state(), updater.rejected()), (State::Failed, None));
    assert_eq!(device.started().unwrap().reason(), Reason::Active);
    device.stage(&new).unwrap();
    let tried = device.started().unwrap();
    let mut updater = device.updater(tried.running()).unwrap();
    assert_eq!(device.clean(&mut updater), state(State::Trial));
    updater.reject(&mut device.flash).unwrap();
    assert_eq!(device.clean(&mut updater), state(State::Rejected));
    assert_eq!(device.accept(&mut updater), state(State::Rejected));
}

#[test]
fn a_clean_that_was_broken_off_does_not_pass_for_clean() {
    let (old, new) = releases(300);
    let mut device = device(Geometry::small, 2, &old);
    let running = device.started().unwrap().running();
    let mut updater = device.updater(running).unwrap();
    // One page of three is erased, and filled again by an update that is broken off too.
    let _ = updater.clean(&mut device.flash).unwrap();
    device.begin(&mut updater, &new.envelope).unwrap();
    updater.cancel(&mut device.flash).unwrap();
    device.clean(&mut updater).unwrap();
    device.stage_with(&mut updater, &new).unwrap();
    device.try_and_accept().unwrap();
    assert_eq!(device.flash.violation(), None);
}

#[test]
fn a_factory_cut_short_leaves_no_half_manifest() {
    let (old, _) = releases(1);
    let fresh = Device::new(&Geometry::small(40), 2, 2);
    let slot = *fresh.layout.slot(Slot::A);
    iotsec_testkit::each_cut(
        || fresh.clone(),
        |device| slot.provision(&mut device.flash, &old.envelope, [&old.image]),
        |device, outcome| {
            let mut buffer = [0; 1024];
            match slot.load_envelope(&mut device.flash, &mut buffer) {
                Ok(envelope) => assert_eq!(envelope, old.envelope),
                Err(_) => assert!(outcome.result.is_err()),
            }
        },
    );
}

#[test]
fn numbers_are_judged_against_what_runs_and_against_the_counter() {
    let old = Maker::default().release(0x31, 200);
    let mut device = device(Geometry::small, 2, &old);
    device.policy = device.policy.with_max_jump(0x100);
    for (number, reason) in [
        (0x30, RollbackError::Older),
        (0x31, RollbackError::Same),
        (0x132, RollbackError::Jump),
        (u64::MAX, RollbackError::Jump),
    ] {
        let release = Maker::default().release(number, 100);
        let refused = device.stage(&release);
        assert_eq!(
            refused,
            Err(Stop::Install(InstallError::Rollback(reason))),
            "{number:#x}"
        );
        assert_eq!(device.state().1, State::Ready);
    }
    device.policy = device.policy.with_reinstall(true);
    device.stage(&old).unwrap();
    device.try_and_accept().unwrap();
    assert_eq!(device.counter.value(), 3);
}

#[test]
fn t13_layouts_that_overlap_or_are_too_small_are_refused() {
    let region = |start, pages| iotsec_core::hal::Region::new(start, 256, pages, 4).unwrap();
    let slot = |start| SlotLayout {
        manifest: region(start, 2),
        images: [region(start + 512, 4)],
    };
    let layout = |a, b, journal| UpdateLayout::new(a, b, journal).map(|_| ());
    assert_eq!(layout(slot(0), slot(2048), region(4096, 2)), Ok(()));
    for (a, b, journal) in [
        (slot(0), slot(1024), region(4096, 2)),
        (slot(0), slot(0), region(4096, 2)),
        (slot(0), slot(2048), region(256, 2)),
        (slot(0), slot(2048), region(3072, 2)),
    ] {
        assert_eq!(layout(a, b, journal), Err(LayoutError::Overlap));
    }
    assert_eq!(
        layout(slot(0), slot(2048), region(4096, 1)),
        Err(LayoutError::Journal)
    );
    let tiny = SlotLayout {
        manifest: region(0, 1),
        images: [region(512, 1)],
    };
    assert_eq!(
        layout(tiny, slot(2048), region(4096, 2)),
        Err(LayoutError::Manifest)
    );
    let wide = iotsec_core::hal::Region::new(4096, 4096, 2, 512).unwrap();
    assert_eq!(layout(slot(0), slot(2048), wide), Err(LayoutError::Word));
    let (old, _) = releases(1);
    let mut device = device(Geometry::small, 2, &old);
    device.layout = UpdateLayout::new(slot(0), slot(2048), region(1 << 20, 2)).unwrap();
    assert!(matches!(
        device.boot(),
        Err(iotsec_update::boot::BootError::Layout(LayoutError::Flash(_)))
    ));
}

#[test]
fn an_updater_takes_no_more_memory_than_documented() {
    let size = size_of::<iotsec_update::Updater<()>>();
    println!("{size} bytes");
    assert!(size <= 720);
    // Pointers and lengths are half as long on a microcontroller.
    let session = size_of::<iotsec_update::install::Session<'static>>();
    println!("{session} bytes");
    assert!(session <= 720);
}
