use iotsec_testkit::{SimRng, StuckRng};

use super::*;
use crate::{SequenceNumber, install::ManifestId};

const HOUR: Millis = Millis::from_secs(3600);

fn offer(number: u8, importance: Importance) -> Offer {
    Offer {
        manifest: ManifestId {
            sequence: SequenceNumber(number.into()),
            digest: [number; 32],
        },
        importance,
        away: Millis::from_secs(30),
    }
}

/// A planner with its owner, its clock and its server.
struct World {
    planner: UpdatePlanner,
    rng: SimRng,
    now: Millis,
    conditions: Conditions,
}

impl World {
    fn new(choices: Choices) -> Self {
        Self::with(UpdatePolicy::DEFAULT, choices, 1)
    }

    fn with(policy: UpdatePolicy, choices: Choices, seed: u64) -> Self {
        let mut rng = SimRng::new(seed);
        Self {
            planner: UpdatePlanner::start(policy, choices, Millis(0), &mut rng).unwrap(),
            rng,
            now: Millis(0),
            conditions: Conditions::IDLE,
        }
    }

    fn step(&mut self) -> Step {
        self.planner.next(self.now, &self.conditions).unwrap()
    }

    /// Waits until there is something to do.
    fn wait(&mut self) -> Step {
        for _ in 0..100 {
            match self.step() {
                Step::Wait(until) => {
                    assert!(until > self.now, "waits for what is past");
                    self.now = until;
                }
                step => return step,
            }
        }
        panic!("waits for ever");
    }

    fn checked(&mut self, checked: Checked) {
        self.planner.checked(self.now, checked, &mut self.rng).unwrap();
    }

    fn decide(&mut self, decision: Decision) {
        self.planner.decide(self.now, decision).unwrap();
    }

    fn find(&mut self, found: Offer) {
        assert_eq!(self.wait(), Step::Check);
        self.checked(Checked::Found(found));
    }

    fn hold(&self) -> Hold {
        match self.planner.status(self.now, &self.conditions) {
            Status::Available(_, hold) => hold,
            other => panic!("{other:?}"),
        }
    }
}

fn asking() -> Choices {
    Choices::new(Mode::Ask)
}

#[test]
fn the_first_check_comes_soon_after_the_start_and_then_daily_but_never_all_at_once() {
    let mut firsts = std::collections::BTreeSet::new();
    let mut seconds = std::collections::BTreeSet::new();
    for seed in 0..200 {
        let mut world = World::with(UpdatePolicy::DEFAULT, Choices::DEFAULT, seed);
        assert_eq!(world.wait(), Step::Check);
        assert!(world.now <= Millis::from_secs(300));
        firsts.insert(world.now);
        let first = world.now;
        world.checked(Checked::UpToDate);
        assert_eq!(world.wait(), Step::Check);
        let between = world.now.0 - first.0;
        assert!((18 * HOUR.0..=30 * HOUR.0).contains(&between), "{between}");
        seconds.insert(between);
    }
    assert!(firsts.len() > 190 && seconds.len() > 190, "devices move together");
}

#[test]
fn a_check_that_fails_is_repeated_with_growing_pauses_up_to_the_period() {
    let mut world = World::new(Choices::DEFAULT);
    let mut pauses = std::vec::Vec::new();
    for _ in 0..40 {
        assert_eq!(world.wait(), Step::Check);
        let at = world.now.0;
        world.checked(Checked::Failed);
        let Step::Wait(next) = world.step() else { panic!() };
        pauses.push(next.0 - at);
    }
    assert!((30_000..=60_000).contains(&pauses[0]));
    assert!(pauses[5] >= 16 * 60_000);
    assert!(pauses.iter().all(|pause| *pause <= DAY.0));
    assert!(pauses[39] >= DAY.0 / 2);
    assert_eq!(world.wait(), Step::Check);
    world.checked(Checked::UpToDate);
    assert_eq!(world.wait(), Step::Check);
    let at = world.now.0;
    world.checked(Checked::Failed);
    let Step::Wait(next) = world.step() else { panic!() };
    assert!(next.0 - at <= 60_000, "a success starts the pauses anew");
}

#[test]
fn an_automatic_update_is_announced_and_installed_after_the_time_of_grace() {
    let mut world = World::new(Choices::DEFAULT);
    let offer = offer(7, Importance::Security);
    world.find(offer);
    let found = world.now;
    let from = Millis(found.0 + HOUR.0);
    let notice = Notice::Available {
        offer,
        automatic_from: Some(from),
    };
    assert_eq!(world.step(), Step::Notify(notice));
    assert_eq!(world.hold(), Hold::Until(from));
    assert_eq!(world.wait(), Step::Install(offer));
    assert_eq!(world.now, from);
    assert_eq!(
        world.planner.status(world.now, &Conditions::IDLE),
        Status::Installing(offer)
    );
    world.planner.installed(world.now, &mut world.rng).unwrap();
    assert_eq!(world.wait(), Step::Check);
}

#[test]
fn an_urgent_update_has_no_time_of_grace() {
    let mut world = World::new(Choices::DEFAULT);
    world.find(offer(7, Importance::Urgent));
    assert!(matches!(world.step(), Step::Notify(_)));
    assert!(matches!(world.step(), Step::Install(_)));
}

#[test]
fn nothing_is_installed_while_the_device_is_in_use_or_its_battery_low() {
    let mut world = World::new(Choices::DEFAULT);
    world.conditions = Conditions {
        battery: Some(29),
        powered: false,
        in_use: true,
        now: None,
    };
    world.find(offer(7, Importance::Urgent));
    assert!(matches!(world.step(), Step::Notify(_)));
    assert!(matches!(world.step(), Step::Wait(_)));
    assert_eq!(world.hold(), Hold::InUse);
    world.conditions.in_use = false;
    assert!(matches!(world.step(), Step::Wait(_)));
    assert_eq!(world.hold(), Hold::Battery);
    // The owner's word does not make a battery last.
    world.decide(Decision::Install);
    assert_eq!(world.hold(), Hold::Battery);
    for good in [(Some(30), false), (Some(1), true), (None, false)] {
        let mut world = World {
            planner: world.planner.clone(),
            rng: SimRng::new(2),
            ..world
        };
        (world.conditions.battery, world.conditions.powered) = good;
        assert!(matches!(world.step(), Step::Install(_)), "{good:?}");
    }
}

#[test]
fn an_owner_who_wants_to_be_asked_is_asked_once_and_obeyed() {
    let mut world = World::new(asking());
    let offer = offer(7, Importance::Security);
    world.find(offer);
    let notice = Notice::Available {
        offer,
        automatic_from: None,
    };
    assert_eq!(world.step(), Step::Notify(notice));
    assert!(matches!(world.step(), Step::Wait(_)));
    assert_eq!(world.hold(), Hold::Owner);
    world.decide(Decision::Install);
    assert_eq!(world.step(), Step::Install(offer));
}

#[test]
fn a_declined_update_stays_declined_after_a_restart_and_the_next_one_is_offered() {
    let mut world = World::new(Choices::DEFAULT);
    world.find(offer(7, Importance::Security));
    let _ = world.step();
    assert!(world.planner.take_changed());
    world.decide(Decision::Decline);
    assert!(world.planner.take_changed() && !world.planner.take_changed());
    let stored = world.planner.choices().encode();

    let mut world = World::new(Choices::decode(&stored).unwrap());
    world.find(offer(7, Importance::Security));
    assert!(matches!(world.step(), Step::Wait(_)), "not asked again");
    assert_eq!(world.hold(), Hold::Declined);
    assert_eq!(world.wait(), Step::Check, "a newer one is looked for");
    world.checked(Checked::Found(offer(8, Importance::Routine)));
    assert!(matches!(world.step(), Step::Notify(_)));
    assert!(matches!(world.wait(), Step::Install(_)));
}

#[test]
fn a_postponement_survives_a_restart_and_ends_with_another_notice() {
    let mut world = World::new(asking());
    let offer = offer(7, Importance::Security);
    world.find(offer);
    let _ = world.step();
    world.decide(Decision::Postpone(Millis(10 * HOUR.0)));
    world.now.0 += 4 * HOUR.0;
    assert!(matches!(world.step(), Step::Wait(_)));
    let stored = world.planner.choices().encode();

    let mut world = World::new(Choices::decode(&stored).unwrap());
    world.find(offer);
    let left = 6 * HOUR.0 - world.now.0;
    assert_eq!(world.hold(), Hold::Until(Millis(world.now.0 + left)));
    assert!(matches!(world.wait(), Step::Notify(Notice::Available { .. })));
    assert_eq!(world.now.0, 6 * HOUR.0);
    assert_eq!(world.hold(), Hold::Owner);
}

#[test]
fn a_postponement_ends_although_the_device_starts_anew_every_few_hours() {
    let offer = offer(7, Importance::Security);
    let mut world = World::new(asking());
    world.find(offer);
    let _ = world.step();
    world.decide(Decision::Postpone(Millis(10 * HOUR.0)));
    let mut stored = world.planner.choices().encode();
    let mut restarts = 0;
    loop {
        // What an application does: waits as long as it is told, and stores what has changed.
        let start = world.now.0;
        let notice = loop {
            let step = world.step();
            if world.planner.take_changed() {
                stored = world.planner.choices().encode();
            }
            match step {
                Step::Wait(until) if until.0 - start <= 3 * HOUR.0 => world.now = until,
                Step::Check => world.checked(Checked::Found(offer)),
                step => break matches!(step, Step::Notify(_)),
            }
        };
        if notice {
            break;
        }
        restarts += 1;
        assert!(restarts < 10, "put off for ever");
        world = World::new(Choices::decode(&stored).unwrap());
    }
    assert_eq!(world.hold(), Hold::Owner);
    assert!(restarts >= 3, "{restarts}");
}

#[test]
fn an_owner_cannot_put_updates_off_for_ever_not_even_one_release_after_the_other() {
    let mut world = World::new(asking());
    for number in 7..10 {
        world.find(offer(number, Importance::Security));
        assert!(matches!(world.step(), Step::Notify(_)));
        world.decide(Decision::Postpone(Millis(10 * DAY.0)));
        let end = world.now.0 + 10 * DAY.0;
        let mut step = world.wait();
        while step == Step::Check {
            world.checked(Checked::Found(offer(number, Importance::Security)));
            step = world.wait();
        }
        assert!(matches!(step, Step::Notify(_)) && world.now.0 == end);
        if number < 9 {
            assert_eq!(world.hold(), Hold::Owner);
        }
    }
    // The thirty days are used up.
    let more = world.planner.decide(world.now, Decision::Postpone(Millis(1)));
    assert_eq!(more, Err(PolicyError::Postponement));
    assert!(matches!(world.wait(), Step::Install(_)));
    world.planner.installed(world.now, &mut world.rng).unwrap();
    world.find(offer(20, Importance::Security));
    let _ = world.step();
    assert_eq!(
        world.hold(),
        Hold::Owner,
        "an update that was installed ends the count"
    );
}

#[test]
fn an_installation_that_fails_is_tried_again_later_and_a_lost_link_at_once() {
    let mut world = World::new(Choices::DEFAULT);
    world.find(offer(7, Importance::Urgent));
    let _ = world.step();
    assert!(matches!(world.step(), Step::Install(_)));
    world.planner.interrupted(world.now);
    assert!(matches!(world.step(), Step::Install(_)));
    let failed = world.now;
    world.planner.failed(world.now, &mut world.rng).unwrap();
    assert!(matches!(world.hold(), Hold::Until(_)));
    // Nor does the owner's word make it fail faster.
    world.decide(Decision::Install);
    assert!(matches!(world.wait(), Step::Install(_)));
    assert!(world.now.0 - failed.0 >= 30_000);
}

#[test]
fn the_end_of_support_is_announced_before_and_when_it_comes() {
    let policy = UpdatePolicy {
        support_until: Some(UnixTime(1_900_000_000)),
        ..UpdatePolicy::DEFAULT
    };
    let mut world = World::with(policy, Choices::DEFAULT, 1);
    let mut seen = std::vec::Vec::new();
    for now in [
        1_890_000_000,
        1_895_000_000,
        1_896_000_000,
        1_900_000_000,
        1_900_000_001,
    ] {
        world.conditions.now = Some(UnixTime(now));
        if let Step::Notify(notice) = world.step() {
            seen.push((now, notice));
        }
    }
    let ending = Notice::SupportEnding(UnixTime(1_900_000_000));
    assert_eq!(
        seen,
        [(1_895_000_000, ending), (1_900_000_000, Notice::SupportEnded)]
    );
    // Support has ended; a last update is taken all the same.
    world.find(offer(7, Importance::Urgent));
}

#[test]
fn what_was_not_asked_for_is_refused() {
    let mut world = World::new(Choices::DEFAULT);
    let now = world.now;
    let up_to_date = world.planner.checked(now, Checked::UpToDate, &mut world.rng);
    assert_eq!(up_to_date, Err(PolicyError::State));
    assert_eq!(
        world.planner.decide(now, Decision::Decline),
        Err(PolicyError::State)
    );
    assert_eq!(
        world.planner.installed(now, &mut world.rng),
        Err(PolicyError::State)
    );
    assert_eq!(world.planner.failed(now, &mut world.rng), Err(PolicyError::State));
    assert_eq!(world.wait(), Step::Check);
    world.now.0 -= 1;
    assert_eq!(
        world.planner.next(world.now, &Conditions::IDLE),
        Err(PolicyError::Clock)
    );
    for policy in [
        UpdatePolicy {
            period: Millis(0),
            ..UpdatePolicy::DEFAULT
        },
        UpdatePolicy {
            retry: Millis(0),
            ..UpdatePolicy::DEFAULT
        },
        UpdatePolicy {
            least_battery: 101,
            ..UpdatePolicy::DEFAULT
        },
    ] {
        let refused = UpdatePlanner::start(policy, Choices::DEFAULT, Millis(0), &mut world.rng);
        assert_eq!(refused.err(), Some(PolicyError::Policy));
    }
}

#[test]
fn a_stuck_source_of_random_numbers_moves_the_check_to_an_edge_and_no_further() {
    for byte in [0x00, 0xFF] {
        let mut rng = StuckRng(byte);
        let planner = UpdatePlanner::start(UpdatePolicy::DEFAULT, Choices::DEFAULT, Millis(0), &mut rng);
        let Status::Idle(first) = planner.unwrap().status(Millis(0), &Conditions::IDLE) else {
            panic!()
        };
        assert!(first <= Millis::from_secs(300));
    }
}

#[test]
fn every_changed_byte_of_a_record_is_refused_or_means_something_else() {
    let mut choices = asking();
    choices.set(
        offer(9, Importance::Routine).manifest,
        Decided::Postpone(Millis(5)),
    );
    let record = choices.encode();
    for at in 0..record.len() {
        for value in 0..=u8::MAX {
            let mut other = record;
            other[at] = value;
            match Choices::decode(&other) {
                Ok(read) => assert_eq!(read.encode(), other),
                Err(error) => assert_eq!(error, PolicyError::Record),
            }
        }
        assert_eq!(Choices::decode(&record[..at]), Err(PolicyError::Record));
    }
}
