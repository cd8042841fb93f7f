use iotsec_core::{
    credential::{
        Attempt, DevicePassword, Exposure, Login, Pepper, StorageError, Throttle, ThrottlePolicy,
        ThrottleStorage, Verifier,
    },
    crypto::HkdfSha256,
};
use iotsec_testkit::{SimRng, SimRootKey};

use super::*;
use crate::detect::{AUTH_BURST, BOOT_LOOP, INTEGRITY, LISTENER, PolicyError, TRAFFIC};

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

fn guard() -> Guard {
    Guard::started(&Policy::DEFAULT, None, Millis(0))
}

fn at(seconds: u64) -> Millis {
    Millis::from_secs(seconds)
}

#[derive(Default)]
struct Memory(Option<[u8; Throttle::LEN]>);

impl ThrottleStorage for Memory {
    fn load(&mut self, record: &mut [u8; Throttle::LEN]) -> Result<Option<usize>, StorageError> {
        Ok(self.0.map(|kept| {
            *record = kept;
            kept.len()
        }))
    }
    fn save(&mut self, record: &[u8; Throttle::LEN]) -> Result<(), StorageError> {
        self.0 = Some(*record);
        Ok(())
    }
}

/// The owner types the password of the label.
fn owner() -> Authenticated {
    let (mut rng, mut storage, root) = (SimRng::new(1), Memory::default(), SimRootKey::new(1));
    let pepper = Pepper::derive(&root, &HkdfSha256).unwrap();
    let password = DevicePassword::generate(Exposure::Online, &mut rng).unwrap();
    let verifier = Verifier::for_device(&password, &pepper, &mut rng).unwrap();
    Throttle::initialise(&mut storage).unwrap();
    let mut login = Login::new(Throttle::new(ThrottlePolicy::DEFAULT), &pepper);
    let attempt = Attempt::from_label(password.label().as_str()).unwrap();
    login.attempt(&mut storage, &verifier, &attempt, at(0)).unwrap()
}

#[test]
fn what_a_stranger_can_cause_from_afar_changes_nothing_by_default() {
    let mut guard = guard();
    let strangers = crate::detect::EVENTS
        .into_iter()
        .filter(|event| ![BOOT_LOOP, INTEGRITY, LISTENER, crate::detect::ENTROPY].contains(event));
    for event in strangers {
        assert_eq!(guard.note(&event, at(0)), None, "{}", event.name());
    }
    assert_eq!(guard.mode(), Mode::Normal);
}

#[test]
fn a_worse_finding_raises_the_mode_and_a_lesser_one_does_not_lower_it() {
    let mut guard = guard();
    let change = guard.note(&LISTENER, at(0)).unwrap();
    assert_eq!(
        (change.mode, change.cause),
        (Mode::LeastConnectivity, LISTENER.id())
    );
    let change = guard.note(&BOOT_LOOP, at(1)).unwrap();
    assert_eq!((change.mode, change.cause), (Mode::Safe, BOOT_LOOP.id()));
    assert_eq!(guard.note(&LISTENER, at(2)), None);
    assert_eq!((guard.mode(), guard.cause()), (Mode::Safe, BOOT_LOOP.id()));
}

#[test]
fn quiet_brings_it_back_and_findings_or_an_alarm_that_goes_on_do_not() {
    let mut guard = guard();
    assert!(guard.note(&LISTENER, at(0)).is_some());
    assert_eq!(guard.tend(false, at(HOUR - 1)), None);
    assert_eq!(guard.note(&LISTENER, at(HOUR - 1)), None);
    assert_eq!(guard.tend(false, at(HOUR)), None);
    assert_eq!(guard.tend(true, at(2 * HOUR)), None);
    assert_eq!(guard.tend(false, at(3 * HOUR - 1)), None);
    // What has no reaction is no reason to stay: a stranger could keep the device offline.
    assert_eq!(guard.note(&AUTH_BURST, at(3 * HOUR - 1)), None);
    assert_eq!(
        guard.tend(false, at(3 * HOUR)).map(|change| change.mode),
        Some(Mode::Normal)
    );
}

#[test]
fn every_mode_survives_a_reboot_and_quiet_begins_anew() {
    for (event, mode) in [(LISTENER, Mode::LeastConnectivity), (BOOT_LOOP, Mode::Safe)] {
        let mut guard = guard();
        assert!(guard.note(&event, at(0)).is_some());
        let mut next = Guard::started(&Policy::DEFAULT, Some(&guard.record()), at(5));
        assert_eq!((next.mode(), next.cause()), (mode, event.id()));
        assert_eq!(next.tend(false, at(HOUR)), None);
        assert!(next.tend(false, at(HOUR + 5)).is_some());
        let last = Guard::started(&Policy::DEFAULT, Some(&next.record()), at(0));
        assert_eq!((last.mode(), last.returns), (Mode::Normal, 1));
    }
}

#[test]
fn a_damaged_record_counts_as_least_connectivity() {
    let record = guard().record();
    for bit in 0..GUARD_RECORD_LEN * 8 {
        let mut changed = record;
        changed[bit / 8] ^= 1 << (bit % 8);
        let guard = Guard::started(&Policy::DEFAULT, Some(&changed), at(0));
        assert_eq!(
            (guard.mode(), guard.cause()),
            (Mode::LeastConnectivity, MODE.id())
        );
    }
}

/// Changes of the mode in `days`, when a finding comes as soon as the mode is normal again.
fn changes(days: u64) -> usize {
    let mut guard = guard();
    let minutes = (0..days * DAY).step_by(60).map(at);
    minutes
        .filter(|now| {
            let noted = guard.mode() == Mode::Normal && guard.note(&LISTENER, *now).is_some();
            noted || guard.tend(false, *now).is_some()
        })
        .count()
}

#[test]
fn whoever_causes_findings_changes_the_mode_a_few_times_and_then_twice_a_day() {
    // Back after 1, 2, 4, 8, 16 hours, then after a day each time.
    assert_eq!(changes(1), 9);
    assert_eq!(changes(101), 10 + 2 * 99 + 1);
}

#[test]
fn a_day_in_normal_mode_is_enough_to_be_forgiven() {
    let mut guard = guard();
    let mut now = 0;
    for wait in [HOUR, 2 * HOUR, 4 * HOUR] {
        assert!(guard.note(&LISTENER, at(now)).is_some());
        now += wait;
        assert_eq!(guard.tend(false, at(now - 1)), None);
        assert!(guard.tend(false, at(now)).is_some());
    }
    now += DAY;
    assert!(guard.note(&LISTENER, at(now)).is_some());
    assert!(guard.tend(false, at(now + HOUR)).is_some());
}

#[test]
fn without_a_way_back_only_the_owner_ends_it() {
    static STRICT: Policy = match Policy::new(
        &[Rule::new(&TRAFFIC, Reaction::SafeMode)],
        Return::ByOwner,
        Return::ByOwner,
    ) {
        Ok(policy) => policy,
        Err(_) => panic!(),
    };
    let mut guard = Guard::started(&STRICT, None, at(0));
    assert!(guard.note(&TRAFFIC, at(0)).is_some());
    assert_eq!(guard.tend(false, at(1000 * DAY)), None);
    let change = guard.release(owner(), at(1000 * DAY)).unwrap();
    assert_eq!((change.mode, guard.mode()), (Mode::Normal, Mode::Normal));
    assert_eq!(guard.release(owner(), at(1000 * DAY)), None);
}

#[test]
fn a_policy_that_breaks_a_rule_is_refused() {
    const HOURLY: Return = Return::AfterQuiet(Millis::from_secs(HOUR));
    const TWICE: &[Rule] = &[
        Rule::new(&TRAFFIC, Reaction::SafeMode),
        Rule::new(&TRAFFIC, Reaction::Report),
    ];
    const MANY: &[Rule] = &[Rule::new(&TRAFFIC, Reaction::Report); 33];
    assert_eq!(Policy::new(TWICE, HOURLY, HOURLY), Err(PolicyError::Order));
    assert_eq!(Policy::new(MANY, HOURLY, HOURLY), Err(PolicyError::Count));
    for quiet in [599, DAY + 1] {
        let quiet = Return::AfterQuiet(at(quiet));
        assert_eq!(Policy::new(&[], quiet, HOURLY), Err(PolicyError::Quiet));
        assert_eq!(Policy::new(&[], HOURLY, quiet), Err(PolicyError::Quiet));
    }
    assert!(Policy::new(&[], HOURLY, HOURLY).is_ok());
}

#[test]
fn no_sequence_lowers_the_mode_without_quiet_or_owner() {
    for seed in 0..50 {
        let (mut rng, mut guard, mut now, mut last) = (SimRng::new(seed), guard(), 0, None);
        for _ in 0..2000 {
            now += rng.below(2 * HOUR);
            let before = guard.mode();
            if rng.below(2) == 0 {
                let event = [LISTENER, BOOT_LOOP, AUTH_BURST][usize::try_from(rng.below(3)).unwrap()];
                let _ = guard.note(&event, at(now));
                if event != AUTH_BURST {
                    last = Some(now);
                }
                assert!(guard.mode() >= before);
            } else {
                let change = guard.tend(false, at(now));
                assert_eq!(change.is_some(), guard.mode() < before);
                assert!(change.is_none() || last.is_some_and(|last| now - last >= HOUR));
            }
        }
    }
}
