use std::process::Command;

use embedded_storage::nor_flash::NorFlash;
use iotsec_core::hal::{BootControl, MonotonicCounter, Slot, Trial};

use super::*;
use crate::{Geometry, SimBootControl, SimCounter, SimFlash, Tear};

fn flash() -> SimFlash {
    SimFlash::new(Geometry::small(2))
}

/// Three words and one sector erase: eight steps.
fn work(flash: &mut SimFlash) -> bool {
    flash
        .write(0, &[0; 12])
        .and_then(|()| flash.erase(256, 512))
        .is_ok()
}

/// The message of a sweep that fails.
fn failure(sweep: impl FnOnce() -> u64) -> String {
    let cause = catch_unwind(AssertUnwindSafe(sweep)).expect_err("the sweep passed");
    cause.downcast_ref::<String>().cloned().unwrap_or_default()
}

#[test]
fn every_step_and_the_end_are_tried_once() {
    let mut seen = Vec::new();
    let points = each_cut(flash, work, |flash, outcome| {
        assert!(!flash.is_off());
        assert_eq!(outcome.completed, outcome.result);
        seen.push(outcome.cut_at);
    });
    assert_eq!(points, 9);
    assert_eq!(seen, [8, 0, 1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(each_cut_sampled(3, flash, work, |_, _| {}), 4);
    let clean = || flash().with_tear(Tear::Clean);
    assert_eq!(each_cut(clean, work, |_, _| {}), 5);
}

#[test]
fn every_pair_of_cuts_is_tried_once() {
    let mut pairs = std::collections::BTreeMap::new();
    // A recovery of two steps: 9 first cuts, each with cuts 0, 1 and the end.
    let recover = |flash: &mut SimFlash| {
        flash.write(20, &[0; 8]).ok();
    };
    let tried = two_cuts(flash, work, recover, |flash, outcome| {
        *pairs
            .entry((outcome.cut_at, flash.stats().bytes_written))
            .or_insert(0) += 1;
    });
    assert_eq!(tried, 27);
    // The uncut pair is also the run that measures.
    assert_eq!(pairs.values().sum::<u64>(), 28);
    assert_eq!(pairs.len(), 27);
    assert_eq!(two_cuts_sampled(4, flash, work, recover, |_, _| {}), 3 * 2);
}

#[test]
fn each_round_tears_differently() {
    let mut images = std::collections::BTreeSet::new();
    let points = Sweep::new()
        .seed(3)
        .rounds(8)
        .each_cut(flash, work, |flash, outcome| {
            if outcome.cut_at == 1 {
                images.insert(flash.image().to_vec());
            }
        });
    assert_eq!(points, 72);
    assert!(images.len() >= 6, "{} of 8", images.len());
}

#[test]
fn counters_and_boot_choices_on_the_same_supply_are_cut_too() {
    let setup = || {
        let flash = flash();
        let counter = SimCounter::new().powered_by(flash.power());
        let boot = SimBootControl::new().powered_by(flash.power());
        (flash, counter, boot)
    };
    let mut seen = std::collections::BTreeSet::new();
    let points = Sweep::new().seed(1).rounds(16).each_cut(
        setup,
        |(flash, counter, boot)| {
            flash.write(0, &[0; 4]).ok()?;
            counter.advance_to(7).ok()?;
            boot.select(Slot::B, Trial::Once).ok()
        },
        |(flash, counter, boot), outcome| {
            assert_eq!(outcome.completed, outcome.result.is_some());
            let pending = boot.pending().is_some();
            let value = counter.read().unwrap();
            assert!(!pending || value == 7, "the boot choice comes after the counter");
            assert!(value == 0 || flash.image()[..4] == [0; 4]);
            seen.insert((outcome.cut_at, value, pending));
        },
    );
    assert_eq!(points, 16 * 4);
    let expected = [
        (0, 0, false),
        (1, 0, false),
        (1, 7, false),
        (2, 7, false),
        (2, 7, true),
        (3, 7, true),
    ];
    assert_eq!(seen, expected.into());
}

#[test]
fn a_failing_check_says_how_to_repeat_it() {
    let message = failure(|| {
        Sweep::new().seed(0xABC).each_cut(flash, work, |_, outcome| {
            assert_ne!(outcome.cut_at, 2, "lost the record");
        })
    });
    assert!(message.contains("lost the record"), "{message}");
    assert!(message.contains("IOTSEC_SEED=0xabc IOTSEC_CUT=2,-"), "{message}");
}

#[test]
fn a_broken_flash_rule_fails_the_sweep_though_the_code_ignores_it() {
    let message = failure(|| {
        each_cut(
            flash,
            |flash| flash.write(1, &[0; 4]).is_err(),
            |_, outcome| assert!(outcome.result),
        )
    });
    assert!(message.contains("NotAligned"), "{message}");
}

#[test]
fn a_panicking_operation_is_reported_with_its_cut() {
    let message = failure(|| {
        each_cut(
            flash,
            |flash| flash.write(0, &[0; 8]).expect("never fails"),
            |_, _| {},
        )
    });
    assert!(
        message.contains("never fails") && message.contains("IOTSEC_CUT=0,-"),
        "{message}"
    );
}

/// Not run by itself: [`a_replay_runs_the_named_cut_and_no_other`] starts it in another process, because
/// the variables belong to the whole process.
#[test]
#[ignore = "started by another test"]
fn replayed() {
    let recover = |flash: &mut SimFlash| {
        flash.write(20, &[0; 8]).ok();
    };
    two_cuts(flash, work, recover, |flash, outcome| {
        panic!("cut {} digest {:?}", outcome.cut_at, &flash.image()[..28]);
    });
}

#[test]
fn a_replay_runs_the_named_cut_and_no_other() {
    let replay = |seed: &str, cut: &str| {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "sweep::tests::replayed", "--nocapture"])
            .env("IOTSEC_SEED", seed)
            .env("IOTSEC_CUT", cut)
            .output()
            .unwrap();
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let first = replay("0x77", "2,1");
    assert!(first.contains("cut 2 digest"), "{first}");
    assert!(first.contains("IOTSEC_SEED=0x77 IOTSEC_CUT=2,1"), "{first}");
    let digest = |text: &str| {
        text.lines()
            .find(|line| line.contains("digest"))
            .map(str::to_owned)
    };
    assert_eq!(digest(&first), digest(&replay("0x77", "2,1")));
    assert!(replay("119", "-").contains("cut 8 digest"));
    assert!(replay("many", "1").contains("IOTSEC_SEED is no number"));
}
