//! An update made by another implementation: admitted, installed, tried, accepted, and left again when the flash
//! decays.

use harness::{
    console::{self, require},
    device::{LAYOUT, ROLLBACK, VolatileCounter, with_config},
    flash::SimulatedFlash,
    vector,
};
use iotsec_core::{crypto::Sha256, hal::Slot};
use iotsec_update::{
    Accepted, Envelope, Limits, SequenceNumber, UpdateError,
    boot::{self, BootConfig, Reason, Refusal, Running, Selection},
    install::{Finish, InstallError, State, Updater},
    rollback::Rollback,
};

// Each step has a stack frame of its own, so that what one needs is free again for the next.

#[inline(never)]
pub(crate) fn refuses_every_flipped_bit() {
    let mut envelope = vector::ENVELOPE_ED25519;
    with_config(|config| {
        require(admit(config, &envelope).is_ok(), "a genuine envelope was refused");
        for at in 0..envelope.len() {
            let bit = 1 << (at % 8);
            envelope[at] ^= bit;
            require(
                admit(config, &envelope).is_err(),
                "an envelope with a flipped bit was accepted",
            );
            envelope[at] ^= bit;
        }
    });
    console::number(
        "update: genuine envelope accepted, flipped bits refused: ",
        envelope.len() as u32,
    );
}

#[inline(never)]
pub(crate) fn leaves_the_factory(flash: &mut SimulatedFlash, counter: &mut VolatileCounter) {
    let slot = LAYOUT.slot(Slot::A);
    let provisioned = slot.provision(flash, &vector::ENVELOPE_BEFORE, [&vector::IMAGE_BEFORE]);
    require(provisioned.is_ok(), "the first image could not be put in place");
    let running = select(flash, counter, Slot::A, Reason::NoJournal);
    require(
        running.manifest().sequence == SequenceNumber(9),
        "another image was started",
    );
    console::text("update: first image verified in slot A\n");
}

#[inline(never)]
pub(crate) fn installs(flash: &mut SimulatedFlash, counter: &mut VolatileCounter) {
    let running = select(flash, counter, Slot::A, Reason::NoJournal);
    match with_config(|config| install(config, flash, counter, running)) {
        Ok(State::Staged) => console::text("update: installed in slot B and read back\n"),
        Ok(_) => console::fail("the update is not staged"),
        Err(_) => console::fail("the update could not be installed"),
    }
}

#[inline(never)]
pub(crate) fn boots_on_trial_and_is_accepted(flash: &mut SimulatedFlash, counter: &mut VolatileCounter) {
    let running = select(flash, counter, Slot::B, Reason::Trial { boot: 1 });
    let mut rollback = Rollback::new(counter, ROLLBACK);
    let accepted = Updater::mount(flash, LAYOUT, running, &mut rollback, Sha256::new())
        .and_then(|mut updater| updater.accept(flash, &mut rollback));
    require(accepted.is_ok(), "the update could not be accepted");
    select(flash, counter, Slot::B, Reason::Active);
    console::text("update: tried, accepted, started for good\n");
}

#[inline(never)]
pub(crate) fn falls_back_from_a_corrupted_image(flash: &mut SimulatedFlash, counter: &mut VolatileCounter) {
    let last = LAYOUT.slot(Slot::B).images[0].start() + vector::IMAGE.len() as u32 - 1;
    flash.flip_bit(last);
    select(flash, counter, Slot::A, Reason::Fallback(Refusal::ImageDigest));
    console::text("update: corrupted image refused, slot A started\n");
}

fn admit<'e>(config: &BootConfig<'_>, envelope: &'e [u8]) -> Result<Accepted<'e>, UpdateError> {
    let mut hash = Sha256::new();
    Envelope::parse(envelope, &Limits::DEFAULT)?
        .authenticate(&config.anchors, &mut hash)?
        .admit(
            &config.device_b,
            &ROLLBACK.admission(SequenceNumber(vector::SEQUENCE_NUMBER - 1), None),
            &mut hash,
        )
}

fn install(
    config: &BootConfig<'_>,
    flash: &mut SimulatedFlash,
    counter: &mut VolatileCounter,
    running: Running,
) -> Result<State, InstallError> {
    let Ok(accepted) = admit(config, &vector::ENVELOPE_ED25519) else {
        console::fail("a genuine envelope was refused")
    };
    let mut rollback = Rollback::new(counter, ROLLBACK);
    let mut updater = Updater::mount(flash, LAYOUT, running, &mut rollback, Sha256::new())?;
    let mut session = updater.start(flash, accepted, &mut rollback)?;
    while let Some(wanted) = session.wanted() {
        let at = wanted.offset as usize;
        let end = vector::IMAGE.len().min(at + 256);
        updater.write(&mut session, flash, &vector::IMAGE[at..end])?;
    }
    let candidate = loop {
        if let Finish::Done(candidate) = updater.finish(&mut session, flash)? {
            break candidate;
        }
    };
    updater.install(flash, candidate)?;
    Ok(updater.state())
}

/// Plays the boot loader, and ends the run unless it decides as expected.
#[inline(never)]
fn select(flash: &mut SimulatedFlash, counter: &mut VolatileCounter, slot: Slot, reason: Reason) -> Running {
    let mut scratch = [0; 512];
    let mut rollback = Rollback::new(counter, ROLLBACK);
    let selected =
        with_config(|config| boot::select(flash, config, &mut rollback, &mut Sha256::new(), &mut scratch));
    match selected {
        Ok(Selection::Boot(verified)) if verified.slot() == slot && verified.reason() == reason => {
            verified.running()
        }
        Ok(Selection::Boot(_)) => console::fail("the boot loader starts the wrong slot"),
        _ => console::fail("the boot loader starts nothing"),
    }
}
