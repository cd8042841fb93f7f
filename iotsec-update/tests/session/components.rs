//! Several components in one update: all new or all old.

use iotsec_core::{crypto::Sha256, hal::Slot};
use iotsec_testkit::SimRng;
use iotsec_update::{
    boot::{Connectivity, Destination, Integrity, IntegrityAlert, Reason, Refusal, Remeasure, Round},
    install::{InstallError, State},
    payload::{PayloadError, Plain, Unchecked},
};

use crate::kit::{Device, From, Release, Stop, image, payload, release};

const PAGES: [u32; 3] = [4, 2, 2];

fn three(sequence: u64, from: &[From; 3]) -> Release<3> {
    let images = [
        image(sequence, 3 * 256 + 17),
        image(sequence + 100, 256),
        image(sequence + 200, 301),
    ];
    release(sequence, images, from)
}

fn plain(sequence: u64) -> Release<3> {
    three(sequence, &[From::Plain, From::Plain, From::Plain])
}

fn device(factory: &Release<3>) -> Device<3> {
    Device::new(256, 4, PAGES, factory)
}

#[test]
fn three_components_are_installed_tried_accepted_and_measured() {
    let (old, new) = (plain(0x10), plain(0x20));
    let mut device = device(&old);
    assert_eq!(device.is_whole(&[&old]), 0x10);
    let bytes: usize = new.images.iter().map(Vec::len).sum();
    assert_eq!(device.stage(&new), Ok(bytes));
    let image = device.try_and_accept().unwrap();
    assert_eq!(image.slot(), Slot::B);
    assert_eq!(image.components().len(), 3);
    assert_eq!(image.digest(), &Sha256::of(&[&new.images[0]]));
    assert_eq!(device.is_whole(&[&old, &new]), 0x20);
    assert_eq!(device.counter.value(), 2);
    // And back into slot A.
    let newer = plain(0x30);
    device.stage(&newer).unwrap();
    device.try_and_accept().unwrap();
    assert_eq!(device.is_whole(&[&newer]), 0x30);
    assert_eq!(device.flash.violation(), None);
}

#[test]
fn any_packets_give_the_same_slots() {
    let (old, new) = (plain(0x10), plain(0x20));
    let fresh = device(&old);
    for packet in [1, 3, 255, 256, 257, 4000] {
        let mut device = fresh.clone();
        device.packet = packet;
        device.stage(&new).unwrap();
        device.try_and_accept().unwrap();
        assert_eq!(device.is_whole(&[&new]), 0x20, "{packet}");
    }
}

#[test]
fn what_the_manifest_only_names_is_kept_and_what_it_carries_is_taken_from_it() {
    let old = plain(0x10);
    let images = [image(1, 700), old.images[1].clone(), image(3, 100)];
    let new = release(0x20, images, &[From::Plain, From::Present, From::Integrated]);
    let mut device = device(&old);
    assert_eq!(device.stage(&new), Ok(700), "the rest was on the device");
    device.try_and_accept().unwrap();
    assert_eq!(device.is_whole(&[&new]), 0x20);

    // The same of a component that is not what the manifest says.
    let wrong = [image(5, 300), image(6, 256), old.images[2].clone()];
    let wrong = release(0x30, wrong, &[From::Plain, From::Present, From::Integrated]);
    assert_eq!(
        device.stage(&wrong),
        Err(Stop::Install(InstallError::PayloadDigest))
    );
    assert_eq!(device.is_whole(&[&new]), 0x20);
}

#[test]
fn t8_components_of_two_releases_do_not_boot_together() {
    // Both lie above the security counter.
    let (old, new) = (plain(0x21), plain(0x22));
    let mut device = device(&old);
    device.stage(&new).unwrap();
    device.try_and_accept().unwrap();
    for place in 0..3 {
        let mut mixed = device.clone();
        // One component of the release before is put among those of the new one.
        let start = mixed.layout.slot(Slot::B).images[place].start();
        mixed.flash.tamper(start, &old.images[place]);
        assert_eq!(mixed.verify(Slot::B), Err(Refusal::ImageDigest));
        let image = mixed.started().unwrap();
        assert_eq!(image.slot(), Slot::A);
        assert_eq!(image.reason(), Reason::Fallback(Refusal::ImageDigest));
        assert_eq!(mixed.is_whole(&[&old]), 0x21);
    }
    // The same with the envelope of the release before.
    let mut mixed = device.clone();
    let slot = *mixed.layout.slot(Slot::B);
    let images = new.images.each_ref().map(|image| &image[..]);
    slot.provision(&mut mixed.flash, &old.envelope, images).unwrap();
    assert_eq!(mixed.verify(Slot::B), Err(Refusal::ImageDigest));
}

#[test]
fn an_update_that_fails_in_its_last_component_leaves_all_old() {
    let (old, mut new) = (plain(0x10), plain(0x20));
    let mut device = device(&old);
    let last = new.payloads.get_mut("https://fw.example/32/2").unwrap();
    last[300] ^= 1;
    assert_eq!(
        device.stage(&new),
        Err(Stop::Install(InstallError::PayloadDigest))
    );
    assert_eq!(device.is_whole(&[&old]), 0x10);
    assert_eq!(device.counter.value(), 0);
}

#[test]
fn a_reset_between_components_costs_none_of_those_that_are_complete() {
    let (old, new) = (plain(0x10), plain(0x20));
    let mut device = device(&old);
    let running = device.started().unwrap().running();
    let mut updater = device.updater(running).unwrap();
    let mut session = device
        .start(&mut updater, &new.envelope, Plain::default(), Unchecked)
        .unwrap();
    while session.wanted().is_some_and(|wanted| wanted.place == 0) {
        let wanted = session.wanted().unwrap();
        let rest = &new.payloads[wanted.uri][wanted.offset as usize..];
        updater.write(&mut session, &mut device.flash, rest).unwrap();
    }
    let mut updater = device.updater(running).unwrap();
    let session = device
        .start(&mut updater, &new.envelope, Plain::default(), Unchecked)
        .unwrap();
    let wanted = session.wanted().unwrap();
    assert_eq!((wanted.place, wanted.offset), (1, 0));
    assert_eq!(session.progress().0, 3 * 256 + 17);
    // What was complete is read back all the same before it counts.
    let mut damaged = device.clone();
    let at = damaged.layout.slot(Slot::B).images[0].start() + 99;
    let byte = damaged.flash.image()[at as usize];
    damaged.flash.tamper(at, &[byte ^ 4]);
    assert_eq!(damaged.stage(&new), Err(Stop::Install(InstallError::ReadBack)));
    assert_eq!(damaged.is_whole(&[&old]), 0x10);

    let sent = device.stage(&new).unwrap();
    assert_eq!(sent, 256 + 301);
    device.try_and_accept().unwrap();
    assert_eq!(device.is_whole(&[&new]), 0x20);
}

#[test]
fn components_that_the_slots_have_no_place_for_are_refused_before_anything_is_written() {
    let old = plain(0x10);
    let fresh = device(&old);
    let before = fresh.flash.image().to_vec();
    // Too large for its region, though not for the largest.
    let images = [image(1, 700), image(2, 3 * 256), image(3, 100)];
    let large = release(0x20, images, &[From::Plain, From::Plain, From::Plain]);
    let mut device = fresh.clone();
    assert!(matches!(device.stage(&large), Err(Stop::Admission(_))));
    assert!(device.flash.image() == before);

    // Encoded in a way that the device does not know.
    let encoded = three(0x20, &[From::Plain, From::Plain, From::Authenticated]);
    let mut device = fresh.clone();
    let running = device.started().unwrap().running();
    let mut updater = device.updater(running).unwrap();
    let refused = device.start(&mut updater, &encoded.envelope, Plain::default(), Unchecked);
    assert_eq!(refused.err(), Some(payload(PayloadError::Encoding)));
    assert_eq!(updater.state(), State::Ready);
    assert!(device.flash.image() == before);
}

#[test]
fn a_running_slot_is_measured_again_in_bounded_steps_and_a_changed_bit_is_found() {
    let old = plain(0x10);
    let mut device = device(&old);
    let image = device.started().unwrap();
    let mut hash = Sha256::new();
    let layout = device.layout;
    let mut flash = device.flash.clone();
    let identified = device.config(|config| {
        let scratch = &mut vec![0; 4096];
        Remeasure::identify(&mut flash, config, Slot::A, &mut hash, scratch).unwrap()
    });
    for mut remeasure in [Remeasure::new(&image), identified] {
        let mut rng = SimRng::new(1);
        for _ in 0..3 {
            let mut steps = 0;
            loop {
                let budget = u32::try_from(rng.below(600)).unwrap();
                let before = flash.stats();
                let round = remeasure.step(&mut flash, &layout, &mut hash, budget).unwrap();
                assert!((flash.stats() - before).bytes_read <= 768);
                steps += 1;
                match round {
                    Round::More => {}
                    Round::Same => break,
                    Round::Changed { place } => panic!("component {place}"),
                }
            }
            assert!(steps >= 3);
        }
        for place in 0..3 {
            let mut flash = flash.clone();
            let at = layout.slot(Slot::A).images[place].start() + 50;
            let byte = flash.image()[at as usize];
            flash.tamper(at, &[byte ^ 0x80]);
            let mut remeasure = remeasure.clone();
            let found = loop {
                match remeasure.step(&mut flash, &layout, &mut hash, 256).unwrap() {
                    Round::More => {}
                    round => break round,
                }
            };
            assert_eq!(found, Round::Changed { place });
        }
    }
}

#[test]
fn a_change_while_it_runs_is_told_and_leaves_the_alarm_and_the_repair() {
    let old = plain(0x10);
    let mut device = device(&old);
    let image = device.started().unwrap();
    let (mut hash, layout) = (Sha256::new(), device.layout);
    let mut integrity = Integrity::new(&image);
    let mut round = |integrity: &mut Integrity<3>, flash: &mut _| {
        let steps = (0..40).filter_map(|_| integrity.step(flash, &layout, &mut hash, 256).unwrap());
        steps.collect::<Vec<_>>()
    };
    assert_eq!(round(&mut integrity, &mut device.flash), []);
    let everywhere = [Destination::Alert, Destination::Update, Destination::Any];
    let open = |integrity: &Integrity<3>| everywhere.map(|to| integrity.connectivity().allows(to));
    assert_eq!(open(&integrity), [true; 3]);

    let at = layout.slot(Slot::A).images[1].start() + 50;
    let byte = device.flash.image()[at as usize];
    device.flash.tamper(at, &[byte ^ 1]);
    let told = round(&mut integrity, &mut device.flash);
    assert_eq!(told.first(), Some(&IntegrityAlert::Changed { place: 1 }));
    assert_eq!(integrity.connectivity(), Connectivity::Least);
    assert_eq!(open(&integrity), [true, true, false]);
    // Nor is it over when the byte is as it was.
    device.flash.tamper(at, &[byte]);
    let _ = round(&mut integrity, &mut device.flash);
    assert_eq!(open(&integrity), [true, true, false]);
}
