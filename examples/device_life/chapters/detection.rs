//! The chapter about what the device notices, and does about it.

use std::collections::BTreeSet;

use iotsec::{
    core::{
        credential::Attempt,
        crypto::{ChaCha20Poly1305, HkdfSha256, Sha256},
        hal::{Millis, TimeFloor, UnixTime},
    },
    device::{Baseline, Booted},
    telemetry::{
        batch::{BatchKey, SizeClass, Sizes},
        detect::{
            AUTH_BURST, CLOCK_ROLLBACK, Churn, ClockRollback, Finding, Guard, INTEGRITY, Mode, Policy,
            PolicyError, Reaction, Return, Rule, UpdateFailures,
        },
        spool::Spool,
    },
};

use super::{Maker, Owner};
use crate::{
    story::Story,
    world::{EVENTS, OwnedDevice, Result, World, open_spool},
};

/// A sensor that measures without a clock and without a cloud can afford to be alone when somebody guesses its password or
/// turns its clock back. What a stranger far away can cause, as broken connections, it only reports.
const POLICY: std::result::Result<Policy, PolicyError> = Policy::new(
    &[
        Rule::new(&AUTH_BURST, Reaction::LeastConnectivity),
        Rule::new(&INTEGRITY, Reaction::LeastConnectivity),
        Rule::new(&CLOCK_ROLLBACK, Reaction::LeastConnectivity),
    ],
    Return::ByOwner,
    Return::ByOwner,
);
pub(super) static SENSOR: Policy = match POLICY {
    Ok(policy) => policy,
    Err(_) => Policy::DEFAULT,
};
/// When the firmware was built.
const BUILT: TimeFloor = TimeFloor::new(UnixTime(1_790_000_000));
/// Broken connections that a sensor at the edge of a building has in an hour.
const USUAL: u16 = 2;

pub fn noticed(
    story: &mut Story,
    world: &mut World,
    owner: &Owner,
    maker: &Maker,
    refusals: &BTreeSet<u16>,
) -> Result {
    story.chapter("Somebody keeps at it: the device notices, reports, and withdraws");
    let region = world.spool;
    world.power_on()?;
    world.run(|unit| {
        let Booted::Owned(mut device) = unit else {
            return Err("not owned".into());
        };
        let mut spool = open_spool(&mut device, region)?;
        let mut guard = device.guard(&SENSOR, Millis(0))?;

        // The update task hands on why an update was refused.
        let mut updates = UpdateFailures::new();
        for (second, code) in (10..).zip(refusals) {
            let now = Millis::from_secs(second);
            if let Some(finding) = updates.refused(*code, now) {
                report(story, &mut device, &mut spool, &mut guard, &finding, now)?;
            }
        }
        // The connection's task counts what breaks: every two minutes, for six hours.
        let kept = device.baseline(Baseline::Reconnects)?;
        let mut broken = Churn::reconnects(USUAL, kept.as_ref(), Millis(0));
        for minute in (0..360).step_by(2) {
            let now = Millis::from_secs(60 * minute);
            if let Some(finding) = broken.happened(now) {
                report(story, &mut device, &mut spool, &mut guard, &finding, now)?;
            }
        }
        device.keep_baseline(Baseline::Reconnects, &broken.record())?;
        if guard.mode() != Mode::Normal {
            return Err("a stranger could switch it off".into());
        }
        // Whoever reads the clock shows it to the detector.
        let mut clock = ClockRollback::new(BUILT);
        for (second, said) in [
            (22_000, 1_800_000_000),
            (22_060, 1_800_000_060),
            (22_120, 1_799_000_000),
        ] {
            let now = Millis::from_secs(second);
            if let Some(finding) = clock.read(now, UnixTime(said)) {
                report(story, &mut device, &mut spool, &mut guard, &finding, now)?;
            }
        }
        if guard.mode() != Mode::LeastConnectivity {
            return Err("nothing was done about it".into());
        }
        Ok(())
    })?;

    world.power_on()?;
    let sealed = world.run(|unit| {
        let Booted::Owned(mut device) = unit else {
            return Err("not owned".into());
        };
        let mut spool = open_spool(&mut device, region)?;
        let mut guard = device.guard(&SENSOR, Millis(0))?;
        if guard.mode() != Mode::LeastConnectivity || device.baseline(Baseline::Reconnects)?.is_none() {
            return Err("a reboot made it forget".into());
        }
        story.say(format!(
            "after a reboot it is still in {:?}, and knows what is usual; its owner looks into it",
            guard.mode()
        ));
        let now = Millis::from_secs(9_500);
        let proof = device.login(&Attempt::from_text(owner.password)?, now)?;
        let change = guard.release(proof, now).ok_or("it was not released")?;
        device.keep_guard(&guard)?;
        let finding = change.finding();
        device.record_in(&mut spool, finding.event(), finding.values(), now)?;

        let (mut scratch, mut out) = ([0; 512], [0; 512]);
        let sizes = Sizes::up_to(SizeClass::B512);
        let batch = device.batch_of(&mut spool, sizes, &mut scratch, &mut out)?;
        let batch = batch.ok_or("nothing to send")?;
        let bytes = batch.bytes().to_vec();
        let receipt = batch.into_receipt();
        device.acknowledge_in(&mut spool, receipt)?;
        Ok(bytes)
    })?;
    let key = BatchKey::new(&maker.enrolment.telemetry, &ChaCha20Poly1305, &HkdfSha256);
    let mut plain = [0; 512];
    let batch = key
        .open(&sealed, &mut plain)?
        .read(&EVENTS.hashed(&mut Sha256::new()))?;
    let names: BTreeSet<_> = batch.events().map(|event| event.definition().name()).collect();
    story.say(format!(
        "in normal mode again; the service reads: {}",
        names.iter().copied().collect::<Vec<_>>().join(", ")
    ));
    for name in [
        "iotsec.integrity",
        "iotsec.update-refused",
        "iotsec.reconnects",
        "iotsec.clock-rollback",
        "iotsec.mode",
    ] {
        if !names.contains(name) {
            return Err(format!("{name} was not reported").into());
        }
    }
    Ok(())
}

/// What is done about every finding, whichever detector made it.
pub(super) fn report(
    story: &Story,
    device: &mut OwnedDevice<'_>,
    spool: &mut Spool<'_>,
    guard: &mut Guard,
    finding: &Finding,
    now: Millis,
) -> Result {
    device.record_in(spool, finding.event(), finding.values(), now)?;
    let Some(change) = guard.note(finding.event(), now) else {
        story.say(format!(
            "after {:>5} s  {:<24} reported",
            now.0 / 1000,
            finding.event().name()
        ));
        return Ok(());
    };
    // First what holds over a reboot.
    device.keep_guard(guard)?;
    device.record_in(spool, change.finding().event(), change.finding().values(), now)?;
    story.say(format!(
        "after {:>5} s  {:<24} reported, and from now on {:?}",
        now.0 / 1000,
        finding.event().name(),
        change.mode
    ));
    Ok(())
}
