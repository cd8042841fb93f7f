//! The chapters about firmware.

use std::collections::BTreeSet;

use iotsec::{
    core::{
        crypto::Sha256,
        error::ErrorCode,
        hal::{Millis, Region},
    },
    device::{Booted, DeviceError},
    guideline::Guideline,
    update::{
        boot::{Destination, Integrity, IntegrityAlert, Reason, Verified},
        install::{Clean, Finish, State},
    },
};
use iotsec_testkit::SimFlash;

use crate::{
    story::Story,
    world::{CLASS, Result, World, open_spool, rollback_policy, sign_release},
};

/// Made by cbor2 and pyca/cryptography, not by this SDK.
const ENVELOPE: &[u8] = include_bytes!("../../../vectors/suit/oracle/p01_ed25519_fully_specified.suit");
pub const APP_V2: &[u8] = include_bytes!("../../../vectors/suit/payloads/app_v2.bin");
const TAMPERED: &[u8] = include_bytes!("../../../vectors/suit/negative/a01_manifest_bit_flip.suit");
const WRONGLY_SIGNED: &[u8] = include_bytes!("../../../vectors/suit/negative/a04_untrusted_key.suit");
/// UUID 5 of "lamp-rev-a" under the vendor.
const OTHER_CLASS: [u8; 16] = *b"\x6e\x92\x4f\xdf\x72\x3d\x50\xa8\xa0\x6e\xde\xee\xf7\x3d\x57\x25";

/// One run of the firmware's update task: takes the envelope, streams what is missing, stages the image.
/// Returns how many bytes were already in place.
fn install(world: &mut World, running: &Verified, envelope: &[u8], payload: &[u8]) -> Result<u32> {
    world.with_boot(|world, config| {
        world.run(|unit| {
            let Booted::Owned(mut device) = unit else {
                return Err("not owned".into());
            };
            let mut upkeep = device.upkeep(config, rollback_policy()?, running.running(), Sha256::new())?;
            while matches!(upkeep.state(), State::Updated | State::Failed | State::Rejected) {
                while upkeep.clean()? == Clean::More {}
            }
            let mut session = upkeep.start(envelope, None)?;
            let (in_place, _) = session.progress();
            while let Some(wanted) = session.wanted() {
                // What a radio packet holds.
                let rest = &payload[usize::try_from(wanted.offset)?..];
                upkeep.write(&mut session, &rest[..rest.len().min(200)])?;
            }
            let candidate = loop {
                if let Finish::Done(candidate) = upkeep.finish(&mut session)? {
                    break candidate;
                }
            };
            upkeep.install(candidate)?;
            Ok(in_place)
        })
    })
}

/// The new firmware finds that it works.
fn accept(world: &mut World, running: &Verified) -> Result {
    world.with_boot(|world, config| {
        world.run(|unit| {
            let Booted::Owned(mut device) = unit else {
                return Err("not owned".into());
            };
            let mut upkeep = device.upkeep(config, rollback_policy()?, running.running(), Sha256::new())?;
            Ok(upkeep.accept()?)
        })
    })
}

pub fn update(story: &mut Story, world: &mut World) -> Result {
    story.chapter("An update arrives, made by another implementation, and the power goes in the middle");
    let running = world.power_on()?;
    story.say(format!(
        "envelope of {} bytes, image of {} bytes, running firmware {}",
        ENVELOPE.len(),
        APP_V2.len(),
        running.manifest().sequence.0
    ));
    world.flash.cut_after(1250);
    let cut = install(world, &running, ENVELOPE, APP_V2);
    if cut.is_ok() {
        return Err("the power cut came too late".into());
    }
    let running = world.power_on()?;
    story.say(format!(
        "power cut; boots firmware {} from slot {:?} as before",
        running.manifest().sequence.0,
        running.slot()
    ));
    let in_place = install(world, &running, ENVELOPE, APP_V2)?;
    story.say(format!(
        "resumed: {in_place} of {} bytes were in place and are hashed again; the rest is fetched",
        APP_V2.len()
    ));
    let counter = world.counter.value();

    let trial = world.power_on()?;
    let Reason::Trial { boot } = trial.reason() else {
        return Err("no trial boot".into());
    };
    story.say(format!(
        "trial boot {boot} of firmware {} from slot {:?}",
        trial.manifest().sequence.0,
        trial.slot()
    ));
    accept(world, &trial)?;
    story.say(format!(
        "accepted; security counter {counter} -> {}",
        world.counter.value()
    ));
    story.exercised(
        Guideline::KeepUpdated,
        format!("SUIT draft-37, Ed25519; resumed at byte {in_place} after a power cut; trial, accept"),
    );
    Ok(())
}

/// The numbers of the refusals.
pub fn bad_updates(story: &mut Story, world: &mut World) -> Result<BTreeSet<u16>> {
    story.chapter("Four updates that must not be installed");
    let running = world.power_on()?;
    let old = sign_release(CLASS, 9, APP_V2, "https://fw.example/old.bin")?;
    let other = sign_release(OTHER_CLASS, 12, APP_V2, "https://fw.example/lamp.bin")?;
    let offers: [(&str, &[u8], &[u8]); 4] = [
        ("tampered", TAMPERED, APP_V2),
        ("wrongly signed", WRONGLY_SIGNED, APP_V2),
        ("for another device", &other, APP_V2),
        ("older than installed", &old, APP_V2),
    ];
    let mut codes = BTreeSet::new();
    for (what, envelope, payload) in offers {
        let error = install(world, &running, envelope, payload)
            .err()
            .ok_or(format!("{what}: accepted"))?;
        let error = error
            .downcast_ref::<DeviceError>()
            .ok_or("not refused by the device")?;
        story.refused(what, error);
        codes.insert(error.code());
    }
    if codes.len() != offers.len() {
        return Err("two refusals give the same reason".into());
    }
    let after = world.power_on()?;
    if after.manifest() != running.manifest() {
        return Err("a refused update changed what runs".into());
    }
    Ok(codes)
}

pub fn corrupted_image(story: &mut Story, world: &mut World) -> Result {
    story.chapter("A genuine update is corrupted in flash before it starts");
    let running = world.power_on()?;
    let release = sign_release(CLASS, 11, APP_V2, "https://fw.example/app_v3.bin")?;
    install(world, &running, &release, APP_V2)?;
    let staging = world.slots.slot(running.slot().other()).images[0];
    let at = staging.start() + 1234;
    let byte = world.flash.image()[usize::try_from(at)?];
    world.flash.tamper(at, &[byte ^ 0x10]);
    let booted = world.power_on()?;
    let (state, cause) = world.with_boot(|world, config| {
        world.run(|unit| {
            let Booted::Owned(mut device) = unit else {
                return Err("not owned".into());
            };
            let upkeep = device.upkeep(config, rollback_policy()?, booted.running(), Sha256::new())?;
            Ok((upkeep.state(), upkeep.cause()))
        })
    })?;
    if state != State::Failed || booted.manifest() != running.manifest() {
        return Err(format!("the corrupted image was not noticed: {state:?}").into());
    }
    story.say(format!(
        "one bit of firmware 11 changed: its digest does not fit, {state:?} with error {}",
        cause.ok_or("no cause")?
    ));
    story.say(format!(
        "reverted: firmware {} runs from slot {:?}",
        booted.manifest().sequence.0,
        booted.slot()
    ));
    changed_while_it_runs(story, world, &booted)?;
    story.exercised(
        Guideline::SoftwareIntegrity,
        "every boot hashes the image against its signed manifest; one flipped bit reverted; one flipped while the \
         image runs was noticed, and cut the device off from all but help",
    );
    Ok(())
}

/// The image is measured again while it runs, a kibibyte at a time.
fn changed_while_it_runs(story: &mut Story, world: &mut World, running: &Verified) -> Result {
    let (layout, spool, mut hash) = (world.slots, world.spool, Sha256::new());
    let mut integrity = Integrity::new(running);
    let mut flash = world.flash.clone();
    let at = layout.slot(running.slot()).images[0].start() + 700;
    let byte = flash.image()[usize::try_from(at)?];
    flash.tamper(at, &[byte ^ 0x04]);
    let mut steps = 0;
    let alert = loop {
        steps += 1;
        match integrity.step(&mut flash, &layout, &mut hash, 1024)? {
            // That the boot loader had to fall back is told first.
            Some(IntegrityAlert::Changed { place }) => break IntegrityAlert::Changed { place },
            _ if steps > 100 => return Err("a changed image was not noticed".into()),
            _ => {}
        }
    };
    if integrity.connectivity().allows(Destination::Any) {
        return Err("a changed device talks to everybody".into());
    }
    world.run(|unit| {
        let Booted::Owned(mut device) = unit else {
            return Err("not owned".into());
        };
        let mut spool = open_spool(&mut device, spool)?;
        device.record_integrity_in(&mut spool, &alert, Millis::from_secs(1))?;
        Ok(())
    })?;
    story.say(format!(
        "one bit changes while it runs: noticed after {steps} steps of 1 KiB, an alert is queued, connectivity {:?}",
        integrity.connectivity()
    ));
    Ok(())
}

/// Pages of the store, not blank, that are the same in both images.
pub fn same_store_pages(before: &SimFlash, after: &SimFlash, store: Region) -> usize {
    let range = |flash: &SimFlash, page: u32| -> Vec<u8> {
        let start = usize::try_from(store.start() + page * store.page_size()).unwrap_or(0);
        let end = start + usize::try_from(store.page_size()).unwrap_or(0);
        flash.image()[start..end].to_vec()
    };
    // The first page holds the key of the device domain, which stays.
    (1..store.page_count())
        .map(|page| (range(before, page), range(after, page)))
        .filter(|(old, new)| old == new && old.iter().any(|byte| *byte != store.erased()))
        .count()
}
