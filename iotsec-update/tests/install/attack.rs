//! Someone else writes the flash, or sends the envelopes.

use std::collections::HashMap;

use iotsec_core::{
    crypto::Sha256,
    error::ErrorCode,
    hal::{Region, Slot},
};
use iotsec_testkit::{Geometry, SimRng, each_cut_sampled};
use iotsec_update::{
    UpdateError, Updater,
    boot::{self, Reason, Refusal, Selection},
    install::{Finish, InstallError, State},
    rollback::{Rollback, RollbackError},
    slot::SlotError,
};

use crate::{
    altered::{Alter, Altered},
    device::{Device, Maker, Release, Stop, with_config},
};

fn device(old: &Release) -> Device {
    Device::new(&Geometry::small(40), 2, 2).with_factory(old)
}

fn releases() -> (Release, Release) {
    (
        Maker::default().release(0x11, 300),
        Maker::default().release(0x21, 400),
    )
}

fn flip(device: &mut Device, at: u32, bit: u32) {
    let byte = device.flash.image()[at as usize];
    device.flash.tamper(at, &[byte ^ (1 << bit)]);
}

#[test]
fn t4_any_bit_of_envelope_or_image_changed_between_install_and_boot_is_caught_at_boot() {
    let (old, new) = releases();
    let mut staged = device(&old);
    staged.stage(&new).unwrap();
    let slot = *staged.layout.slot(Slot::B);
    let manifest = slot.manifest.start()..slot.manifest.start() + 16 + new.envelope.len() as u32;
    let image = slot.images[0].start()..slot.images[0].start() + 400;
    let mut rng = SimRng::new(1);
    let mut tried = 0;
    for at in manifest.chain(image) {
        let mut device = staged.clone();
        flip(&mut device, at, u32::try_from(rng.below(8)).unwrap());
        let (image, state) = device.state();
        assert_eq!(
            (image.slot(), image.reason()),
            (Slot::A, Reason::Active),
            "byte {at:#x}"
        );
        assert_eq!(state, State::Failed);
        let updater = device.updater(image.running()).unwrap();
        assert!(
            updater
                .cause()
                .is_some_and(|cause| cause != InstallError::TrialExpired.code())
        );
        assert_eq!(
            updater.rejected(),
            None,
            "damage is not held against the manifest"
        );
        tried += 1;
    }
    // And between two trial boots.
    let mut device = staged.clone();
    device.started().unwrap();
    flip(&mut device, slot.images[0].start() + 100, 3);
    assert_eq!(device.started().unwrap().slot(), Slot::A);
    println!("{tried} bytes changed");
}

#[test]
fn any_bit_of_the_active_image_changed_is_caught_at_boot() {
    let (old, _) = releases();
    let factory = device(&old);
    let slot = *factory.layout.slot(Slot::A);
    for at in (0..300).step_by(7) {
        let mut device = factory.clone();
        flip(&mut device, slot.images[0].start() + at, at % 8);
        let refused = device.started();
        let empty = Refusal::Slot(SlotError::Empty);
        assert_eq!(refused, Err(Stop::Recovery(Refusal::ImageDigest, empty)));
    }
}

#[test]
fn t2_a_truncated_envelope_is_refused_at_every_length() {
    let (old, new) = releases();
    let fresh = device(&old);
    for len in 0..new.envelope.len() {
        assert!(fresh.admit(&new.envelope[..len]).is_err(), "{len}");
    }
}

#[test]
fn t9_envelopes_of_strangers_and_for_other_devices_never_start_an_update() {
    let (old, new) = releases();
    let mut device = device(&old);
    let stranger = Maker {
        seed: 9,
        ..Maker::default()
    };
    let other_class = Maker {
        class: [0xDD; 16],
        ..Maker::default()
    };
    let before = device.flash.image().to_vec();
    let refused = device.stage(&stranger.release(0x21, 400));
    assert_eq!(refused, Err(Stop::Admission(UpdateError::Threshold)));
    assert!(matches!(
        device.stage(&other_class.release(0x21, 400)),
        Err(Stop::Admission(_))
    ));
    assert!(device.flash.image() == before);
    // Written straight into the slot by someone with a programmer, neither boots.
    for release in [stranger.release(0x21, 400), other_class.release(0x21, 400)] {
        let mut device = device.clone();
        let slot = *device.layout.slot(Slot::B);
        slot.provision(&mut device.flash, &release.envelope, [&release.image])
            .unwrap();
        assert_eq!(device.started().unwrap().slot(), Slot::A);
    }
    // Nor does the manifest of one release with the image of another.
    let slot = *device.layout.slot(Slot::B);
    slot.provision(&mut device.flash, &new.envelope, [&old.image])
        .unwrap();
    assert_eq!(device.started().unwrap().slot(), Slot::A);
}

#[test]
fn another_authentic_image_put_in_place_of_the_staged_one_is_not_tried() {
    let (old, new) = releases();
    let newer = Maker::default().release(0x22, 390);
    let mut device = device(&old);
    device.stage(&new).unwrap();
    let slot = *device.layout.slot(Slot::B);
    slot.provision(&mut device.flash, &newer.envelope, [&newer.image])
        .unwrap();
    let (image, state) = device.state();
    assert_eq!((image.slot(), state), (Slot::A, State::Failed));
    let updater = device.updater(image.running()).unwrap();
    assert_eq!(updater.cause(), Some(Refusal::NotStaged.code()));
}

#[test]
fn t5_an_older_update_is_refused_after_a_reset_at_any_step_and_the_counter_never_falls() {
    let (old, new) = releases();
    let floor = Maker::default().release(0x13, 200);
    let mut accepted = device(&old);
    accepted.stage(&floor).unwrap();
    accepted.try_and_accept().unwrap();
    let points = each_cut_sampled(
        3,
        || accepted.clone(),
        |device| {
            device.stage(&new)?;
            device.try_and_accept().map(|_| ())
        },
        |device, _| {
            let counter = device.counter.value();
            let mut replay = device.clone();
            let (image, state) = replay.state();
            let mut updater = replay.updater(image.running()).unwrap();
            match state {
                State::Failed | State::Updated => replay.clean(&mut updater).unwrap(),
                State::Writing | State::Candidate => {
                    updater.cancel(&mut replay.flash).unwrap();
                    replay.clean(&mut updater).unwrap();
                }
                _ => {}
            }
            for stale in [&old, &floor] {
                let refused = replay.begin(&mut updater, &stale.envelope);
                assert!(matches!(refused, Err(Stop::Install(_))), "{refused:?}");
            }
            assert!(device.counter.value() >= counter);
            assert!(device.counter.value() >= 1);
        },
    );
    println!("replay: {points} cut points");
}

#[test]
fn what_was_accepted_cannot_be_undone_by_rewinding_the_flash() {
    let (old, new) = releases();
    let mut device = device(&old);
    let rewound = device.clone();
    device.stage(&new).unwrap();
    device.try_and_accept().unwrap();
    // All flash as it was on the first day; the counter is not in flash.
    device.flash = rewound.flash.clone();
    let refused = device.started();
    let empty = Refusal::Slot(SlotError::Empty);
    let below = Refusal::Rollback(RollbackError::BelowFloor);
    assert_eq!(refused, Err(Stop::Recovery(below, empty)));
}

#[test]
fn t16_a_journal_with_any_bits_changed_never_starts_what_is_not_authentic() {
    let (old, new) = releases();
    let mut staged = device(&old);
    staged.stage(&new).unwrap();
    let mut trial = staged.clone();
    trial.started().unwrap();
    let mut updated = trial.clone();
    updated.try_and_accept().unwrap();
    let journal = staged.layout.journal();
    let mut rng = SimRng::new(3);
    let mut tried = 0;
    for (prepared, floor) in [(&staged, 0), (&trial, 0), (&updated, 2)] {
        for at in 0..journal.len() {
            for bits in [1 << rng.below(8), rng.below(256)] {
                let mut device = prepared.clone();
                let at = journal.start() + at;
                let byte = device.flash.image()[at as usize] ^ bits.to_le_bytes()[0];
                device.flash.tamper(at, &[byte]);
                lives(&mut device, &old, &new, floor);
                tried += 1;
            }
        }
        for _ in 0..200 {
            let mut device = prepared.clone();
            let from = u32::try_from(rng.below(u64::from(journal.len()))).unwrap();
            let len = rng.below(u64::from(journal.len() - from));
            let noise: Vec<u8> = (0..len).map(|_| rng.below(256).to_le_bytes()[0]).collect();
            device.flash.tamper(journal.start() + from, &noise);
            lives(&mut device, &old, &new, floor);
            tried += 1;
        }
    }
    println!("{tried} damaged journals");
}

/// Boots something authentic, mounts, and leaves the counter between `floor` and what is in the slots.
fn lives(device: &mut Device, old: &Release, new: &Release, floor: u64) {
    let (image, _) = device.state();
    let release = if image.manifest().sequence == old.sequence {
        old
    } else {
        new
    };
    assert_eq!(image.manifest().sequence, release.sequence);
    assert_eq!(device.image(image.slot(), release.image.len()), release.image);
    assert!((floor..=new.sequence.0 >> 4).contains(&device.counter.value()));
}

#[test]
fn a_journal_from_another_device_cannot_raise_the_counter_beyond_an_authentic_image() {
    let (old, new) = releases();
    let far = Maker::default().release(0xFFF1, 400);
    let mut donor = device(&old);
    donor.stage(&far).unwrap();
    donor.try_and_accept().unwrap();
    let journal = donor.layout.journal();
    let region = journal.start() as usize..(journal.start() + journal.len()) as usize;
    let accepted_far = donor.flash.image()[region].to_vec();

    // The victim never saw that release.
    let mut victim = device(&old);
    victim.stage(&new).unwrap();
    victim.flash.tamper(journal.start(), &accepted_far);
    let image = victim.started().unwrap();
    assert_eq!((image.slot(), image.reason()), (Slot::B, Reason::Active));
    victim.updater(image.running()).unwrap();
    assert_eq!(victim.counter.value(), 0);
}

/// Somebody else's: from the second reading of a place on, other bytes come.
struct Liar {
    region: Region,
    seen: HashMap<u32, u32>,
    /// Readings that are honest.
    honest: u32,
}

impl Alter for Liar {
    fn alter(&mut self, at: u32, byte: &mut u8) {
        if (self.region.start()..self.region.start() + self.region.len()).contains(&at) {
            let seen = self.seen.entry(at).or_default();
            *seen += 1;
            if *seen > self.honest {
                *byte ^= 0x20;
            }
        }
    }
}

fn liar(device: &Device, region: Region, honest: u32) -> Altered<Liar> {
    Altered {
        inner: device.flash.clone(),
        alter: Liar {
            region,
            seen: HashMap::new(),
            honest,
        },
    }
}

#[test]
fn t15_a_boot_judges_what_it_read_and_reads_it_once() {
    let (old, _) = releases();
    let mut device = device(&old);
    let slot = *device.layout.slot(Slot::A);
    let layout = device.layout;
    for region in [slot.manifest, slot.images[0]] {
        let mut flash = liar(&device, region, 1);
        with_config(layout, 1, |config| {
            let mut rollback = Rollback::new(&mut device.counter, device.policy);
            let selection = boot::select(
                &mut flash,
                config,
                &mut rollback,
                &mut Sha256::new(),
                &mut [0; 1024],
            );
            let Ok(Selection::Boot(image)) = selection else {
                panic!("{selection:?}")
            };
            assert_eq!(image.digest(), &Sha256::of(&[&old.image]));
            // The next look is lied to, and refuses.
            let refused = boot::verify(
                &mut flash,
                config,
                Slot::A,
                &mut rollback,
                &mut Sha256::new(),
                &mut [0; 1024],
            );
            assert!(refused.is_err());
        });
        let most = flash.alter.seen.values().max().copied();
        assert!(most <= Some(2), "once for each look");
    }
}

#[test]
fn t15_storage_that_changes_between_writing_and_reading_back_fails_the_update() {
    let (old, new) = releases();
    let mut device = device(&old);
    let running = device.started().unwrap().running();
    let slot = *device.layout.slot(Slot::B);
    let end = slot.images[0].start() + 399;
    let places = [
        Region::new(slot.manifest.start(), 256, 1, 4).unwrap(),
        Region::new(slot.images[0].start() + 40, 4, 1, 4).unwrap(),
        Region::new(end - 3, 4, 1, 1).unwrap(),
    ];
    for region in places {
        let mut flash = liar(&device, region, 0);
        let mut rollback = Rollback::new(&mut device.counter, device.policy);
        let layout = device.layout;
        let mut updater = Updater::mount(&mut flash, layout, running, &mut rollback, Sha256::new()).unwrap();
        let accepted = with_config(layout, 1, |config| {
            iotsec_update::Envelope::parse(&new.envelope, &config.limits)
                .and_then(|envelope| envelope.authenticate(&config.anchors, &mut Sha256::new()))
                .and_then(|envelope| {
                    let policy = device_policy();
                    envelope.admit(&config.device_a, &policy, &mut Sha256::new())
                })
                .unwrap()
        });
        let mut session = updater.start(&mut flash, accepted, &mut rollback).unwrap();
        let error = loop {
            let step = match session.wanted() {
                Some(wanted) => {
                    let rest = &new.image[wanted.offset as usize..];
                    updater.write(&mut session, &mut flash, rest).map(|_| ())
                }
                None => updater.finish(&mut session, &mut flash).map(|step| {
                    assert_eq!(step, Finish::More, "passed");
                }),
            };
            if let Err(error) = step {
                break error;
            }
        };
        assert_eq!(error, InstallError::ReadBack);
        assert_eq!(updater.state(), State::Failed);
    }
}

fn device_policy() -> iotsec_update::Policy {
    iotsec_update::Policy::newer_than(iotsec_update::SequenceNumber(0))
}
