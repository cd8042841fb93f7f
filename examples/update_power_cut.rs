//! The power goes at every single flash operation of an update, and never is a lamp left without firmware.
//!
//! ```text
//! cargo run --example update_power_cut
//! ```
//!
//! A cut inside a write tears the word under way, and one inside an erase leaves the page half erased. After each
//! cut the lamp boots, goes on, and has the new release in the end.

#[path = "lamp/device.rs"]
mod device;

use device::{Lamp, Result, policy, sign};
use iotsec::{
    core::crypto::Sha256,
    update::{Updater, install::State, payload::Transport, rollback::Rollback},
};
use iotsec_testkit::{Geometry, each_cut, two_cuts_sampled};

fn release(number: u64, image: &[u8]) -> Result<Vec<u8>> {
    let transport = Transport::plain(image.len().try_into()?);
    sign(number, &[(image, transport)])
}

/// One life of the lamp: boots, and brings the update as far as it gets. Returns the release that it booted.
fn live(lamp: &mut Lamp<1>, envelope: &[u8], payload: &[u8]) -> Result<u64> {
    let running = lamp.boot()?.running();
    let booted = running.manifest().sequence.0;
    let (flash, layout) = (&mut lamp.flash, lamp.config.layout);
    let mut rollback = Rollback::new(&mut lamp.counter, policy()?);
    let mut updater = Updater::mount(flash, layout, running, &mut rollback, Sha256::new())?;
    match updater.state() {
        State::Updated => return Ok(booted),
        State::Trial => {
            updater.accept(flash, &mut rollback)?;
            return Ok(booted);
        }
        _ => {}
    }
    let accepted = Lamp::admit(&lamp.config, envelope, updater.installed())?;
    let mut session = updater.start(flash, accepted, &mut rollback)?;
    while let Some(wanted) = session.wanted() {
        let rest = &payload[usize::try_from(wanted.offset)?..];
        updater.write(&mut session, flash, &rest[..rest.len().min(240)])?;
    }
    Lamp::stage(&mut updater, session, flash)?;
    Ok(booted)
}

fn main() -> Result {
    let image = |number: u32| -> Vec<u8> { (0..375).flat_map(|at| u32::to_le_bytes(at * number)).collect() };
    let (old, new) = (image(3), image(5));
    let (first, second) = (release(1, &old)?, release(2, &new)?);
    let factory = Lamp::new(&Geometry::small(64), 6, &first, [&old])?;
    let fresh = || {
        let mut lamp = factory.clone();
        // Its first boot raises the counter to the release that it left the factory with.
        lamp.boot().expect("boots");
        lamp
    };
    // The whole update: download, reboot into the trial, accept.
    let update = |lamp: &mut Lamp<1>| (0..2).try_for_each(|_| live(lamp, &second, &new).map(drop));

    let (mut stayed, mut moved) = (0, 0);
    let mut check = |lamp: &mut Lamp<1>| {
        let floor = lamp.counter.value();
        match live(lamp, &second, &new).expect("old or new, never neither") {
            1 => stayed += 1,
            _ => moved += 1,
        }
        assert!(lamp.counter.value() >= floor, "the counter never falls");
        update(lamp).expect("goes on");
        let image = lamp.boot().expect("the new one");
        assert_eq!((image.manifest().sequence.0, lamp.counter.value()), (2, 2));
        assert_eq!(*image.digest(), Sha256::of(&[&new]));
    };
    let points = each_cut(fresh, update, |lamp, _| check(lamp));
    println!("{points} places where the power can go, in flash and counter");
    let pairs = two_cuts_sampled(
        29,
        fresh,
        update,
        |lamp| drop(update(lamp)),
        |lamp, _| check(lamp),
    );
    println!("{pairs} pairs of places, the second while the lamp recovers from the first");
    println!("{stayed} times the old release booted, {moved} times the new one, and never none");
    println!("each time the new one was there in the end, and the counter never fell");
    Ok(())
}
