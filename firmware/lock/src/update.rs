//! An update, by the policy of the manifest: looked for, told, installed, tried, kept.

use core::hint::black_box;

use harness::{entropy::FixedBytes, vector};
use iotsec::{
    core::{
        crypto::Sha256,
        hal::{Millis, Slot},
    },
    update::{
        SequenceNumber,
        boot::{self, Integrity, Selection, Verified},
        install::{Finish, ManifestId, State},
        policy::{Checked, Choices, Conditions, Decision, Importance, Offer, Step, UpdatePlanner},
        rollback::Rollback,
    },
};

use crate::{
    product,
    unit::{Board, LAYOUT, ROLLBACK, with_config},
};

/// Signed for this vendor and class, by the key of the vectors: a test of `iotsec-product` makes and compares them.
static FIRST: &[u8] = include_bytes!("../data/release1.suit");
static SECOND: &[u8] = include_bytes!("../data/release2.suit");

/// The boot loader chooses, authenticates and measures an image.
#[inline(never)]
pub fn boot(board: &mut Board<'_>) -> Option<Verified> {
    let mut rollback = Rollback::new(&mut board.counter, ROLLBACK);
    let (flash, mut scratch) = (&mut *board.flash, [0; 512]);
    let selected =
        with_config(|config| boot::select(flash, config, &mut rollback, &mut Sha256::new(), &mut scratch));
    match selected.ok()? {
        Selection::Boot(image) => Some(image),
        Selection::Recovery { .. } => None,
    }
}

#[inline(never)]
pub fn updated(board: &mut Board<'_>) -> Option<()> {
    LAYOUT
        .slot(Slot::A)
        .provision(board.flash, FIRST, [&vector::IMAGE_BEFORE])
        .ok()?;
    let running = boot(board)?;
    measured(board, &running)?;
    planned()?;
    board.owned(|mut lock| {
        with_config(|config| {
            let mut upkeep = lock
                .upkeep(config, ROLLBACK, running.running(), Sha256::new())
                .ok()?;
            let mut session = upkeep.start(black_box(SECOND), None).ok()?;
            while let Some(wanted) = session.wanted() {
                let rest = vector::IMAGE.get(wanted.offset as usize..)?;
                let part = rest.get(..256).unwrap_or(rest);
                upkeep.write(&mut session, black_box(part)).ok()?;
            }
            loop {
                if let Finish::Done(candidate) = upkeep.finish(&mut session).ok()? {
                    return upkeep.install(candidate).ok();
                }
            }
        })
    })?;
    let trial = boot(board)?;
    board.owned(|mut lock| {
        with_config(|config| {
            let mut upkeep = lock
                .upkeep(config, ROLLBACK, trial.running(), Sha256::new())
                .ok()?;
            // The old release again is refused.
            if upkeep.state() != State::Trial {
                return None;
            }
            upkeep.accept().ok()?;
            upkeep.start(black_box(FIRST), None).is_err().then_some(())
        })
    })
}

/// The image is measured while it runs.
fn measured(board: &mut Board<'_>, running: &Verified) -> Option<()> {
    let (mut integrity, mut hash) = (Integrity::new(running), Sha256::new());
    for _ in 0..8 {
        if integrity
            .step(board.flash, &LAYOUT, &mut hash, 1024)
            .ok()?
            .is_some()
        {
            return None;
        }
    }
    Some(())
}

/// After the look at start, the notice and the grace.
fn planned() -> Option<()> {
    let (mut now, mut rng) = (Millis(0), FixedBytes::new(9));
    let mut planner = UpdatePlanner::start(product::UPDATE_POLICY, Choices::DEFAULT, now, &mut rng).ok()?;
    let mut told = false;
    loop {
        match planner.next(now, &Conditions::IDLE).ok()? {
            Step::Wait(until) => now = until,
            Step::Check => {
                let manifest = ManifestId {
                    sequence: SequenceNumber(2),
                    digest: Sha256::of(&[SECOND]),
                };
                let (importance, away) = (Importance::Security, Millis::from_secs(60));
                let offer = Offer {
                    manifest,
                    importance,
                    away,
                };
                planner.checked(now, Checked::Found(offer), &mut rng).ok()?;
            }
            // The owner wants it an hour later.
            Step::Notify(_) if !told => {
                told = true;
                let later = Decision::Postpone(Millis::from_secs(black_box(3600)));
                planner.decide(now, later).ok()?;
            }
            Step::Notify(_) => {}
            Step::Install(_) => return told.then_some(()),
        }
    }
}
