//! When updates are looked for and installed, with an owner, a battery and power cuts.
//!
//! SAFETY of every call: pointers are to live values, as large as the length beside them says.

use std::ptr;

use iotsec::update::{
    SequenceNumber,
    install::ManifestId,
    policy::{Choices, Decided, Mode},
};
use iotsec_ffi::{
    security::{
        IOTSEC_OBSERVED_UPDATES_CURRENT, IOTSEC_OBSERVED_UPDATES_DECLINED, IOTSEC_OBSERVED_UPDATES_URGENT,
    },
    status::*,
    update::{freshness::iotsec_manifest_t, planner::*},
};

use crate::{
    board::{Board, Fixed},
    login::zeroed,
    telemetry::{Records, record},
};

const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;

pub(crate) const IDLE: iotsec_conditions_t = iotsec_conditions_t {
    struct_size: size_of::<iotsec_conditions_t>() as u32,
    battery: -1,
    powered: 1,
    in_use: 0,
    now_s: 0,
};
pub(crate) const DEFAULTS: iotsec_update_policy_t = iotsec_update_policy_t {
    struct_size: size_of::<iotsec_update_policy_t>() as u32,
    least_battery: 0,
    first_check_ms: 0,
    period_ms: 0,
    retry_ms: 0,
    grace_ms: 0,
    longest_postponement_ms: 0,
    support_until_s: 0,
    ask: 0,
    reserved: 0,
};
pub(crate) const SECURITY: iotsec_offer_t = iotsec_offer_t {
    struct_size: size_of::<iotsec_offer_t>() as u32,
    importance: IOTSEC_IMPORTANCE_SECURITY,
    away_ms: 30_000,
    manifest: iotsec_manifest_t {
        sequence: 7,
        digest: [7; 32],
    },
};
const URGENT: iotsec_offer_t = iotsec_offer_t {
    importance: IOTSEC_IMPORTANCE_URGENT,
    manifest: iotsec_manifest_t {
        sequence: 8,
        digest: [8; 32],
    },
    ..SECURITY
};

type Change = fn(&mut iotsec_update_policy_t);

/// A planner in memory that never moves, and the record that outlives it.
struct Home {
    board: Board,
    records: Fixed<Records>,
    planner: Fixed<iotsec_planner_t>,
    conditions: iotsec_conditions_t,
}

impl Home {
    fn new() -> Self {
        Self {
            board: Board::new(),
            records: Fixed::new(Records::default()),
            planner: Fixed::new(zeroed()),
            conditions: IDLE,
        }
    }

    fn opened(policy: &iotsec_update_policy_t) -> Self {
        let home = Self::new();
        assert_eq!(home.open(policy), IOTSEC_OK);
        home
    }

    fn open(&self, policy: *const iotsec_update_policy_t) -> iotsec_status_t {
        let (record, entropy) = (record(&self.records, 1), self.board.entropy());
        // SAFETY: see the top; here and below.
        unsafe {
            iotsec_planner_open(
                self.planner.at(),
                &raw const record,
                &raw const entropy,
                policy,
                0,
            )
        }
    }

    fn reboot(&self, policy: &iotsec_update_policy_t) {
        // SAFETY: as above.
        assert_eq!(unsafe { iotsec_planner_close(self.planner.at()) }, IOTSEC_OK);
        assert_eq!(self.open(policy), IOTSEC_OK);
    }

    fn next(&self, now: u64) -> iotsec_planner_step_t {
        let mut step = zeroed();
        // SAFETY: as above.
        let told =
            unsafe { iotsec_planner_next(self.planner.at(), &raw const self.conditions, now, &raw mut step) };
        assert_eq!(told, IOTSEC_OK);
        step
    }

    /// Waits until there is something to do.
    fn wait(&self, now: &mut u64) -> iotsec_planner_step_t {
        loop {
            let step = self.next(*now);
            if step.kind != IOTSEC_PLANNER_WAIT {
                return step;
            }
            assert!(step.at_ms > *now, "waits for what is past");
            *now = step.at_ms;
        }
    }

    fn found(&self, offer: &iotsec_offer_t, now: u64) -> iotsec_status_t {
        // SAFETY: as above.
        unsafe { iotsec_planner_found(self.planner.at(), offer, now) }
    }

    /// Waits for the check, which finds this.
    fn find(&self, offer: &iotsec_offer_t, now: &mut u64) {
        assert_eq!(self.wait(now).kind, IOTSEC_PLANNER_CHECK);
        assert_eq!(self.found(offer, *now), IOTSEC_OK);
    }

    fn checked(&self, check: iotsec_check_t, now: u64) -> iotsec_status_t {
        // SAFETY: as above.
        unsafe { iotsec_planner_checked(self.planner.at(), check, now) }
    }

    fn decide(&self, decision: iotsec_decision_t, postpone_ms: u64, now: u64) -> iotsec_status_t {
        // SAFETY: as above.
        unsafe { iotsec_planner_decide(self.planner.at(), decision, postpone_ms, now) }
    }

    fn call(
        &self,
        call: unsafe extern "C" fn(*mut iotsec_planner_t, u64) -> iotsec_status_t,
        now: u64,
    ) -> iotsec_status_t {
        // SAFETY: as above.
        unsafe { call(self.planner.at(), now) }
    }

    fn status(&self, now: u64) -> iotsec_planner_status_t {
        let mut result = zeroed();
        // SAFETY: as above.
        let told = unsafe {
            iotsec_planner_status(
                self.planner.at(),
                &raw const self.conditions,
                now,
                &raw mut result,
            )
        };
        assert_eq!(told, IOTSEC_OK);
        result
    }

    /// The record, as Rust reads it.
    fn choices(&self) -> Choices {
        Choices::decode(&self.records.kept[&1]).unwrap()
    }
}

#[test]
fn an_update_is_announced_installed_after_the_time_of_grace_and_done_with() {
    let (home, mut now) = (Home::opened(&DEFAULTS), 0);
    assert_eq!(home.status(0).state, IOTSEC_PLANNER_IDLE);
    let first = home.next(0);
    assert_eq!((first.kind, first.saved), (IOTSEC_PLANNER_WAIT, IOTSEC_OK));
    assert!((1..=300_000).contains(&first.at_ms), "{first:?}");
    assert_eq!(home.wait(&mut now).kind, IOTSEC_PLANNER_CHECK);
    assert_eq!(home.status(now).state, IOTSEC_PLANNER_CHECKING);
    assert_eq!(home.found(&SECURITY, now), IOTSEC_OK);
    let told = home.next(now);
    assert_eq!((told.kind, told.offer), (IOTSEC_PLANNER_TELL, SECURITY));
    assert_eq!((told.automatic, told.at_ms), (1, now + HOUR));
    let waiting = home.status(now);
    assert_eq!(
        (waiting.state, waiting.hold, waiting.at_ms),
        (IOTSEC_PLANNER_AVAILABLE, IOTSEC_HOLD_UNTIL, now + HOUR)
    );
    let told = now;
    let step = home.wait(&mut now);
    assert_eq!(
        (step.kind, step.offer, now),
        (IOTSEC_PLANNER_INSTALL, SECURITY, told + HOUR)
    );
    let installing = home.status(now);
    assert_eq!(
        (installing.state, installing.observed),
        (IOTSEC_PLANNER_INSTALLING, IOTSEC_OBSERVED_UPDATES_CURRENT)
    );
    // Lost with the connection, then failed, then done.
    assert_eq!(home.call(iotsec_planner_interrupted, now), IOTSEC_OK);
    assert_eq!(home.wait(&mut now).kind, IOTSEC_PLANNER_INSTALL);
    assert_eq!(home.call(iotsec_planner_failed, now), IOTSEC_OK);
    let failed = now;
    assert_eq!(home.wait(&mut now).kind, IOTSEC_PLANNER_INSTALL);
    assert!((failed + 30_000..=failed + 60_000).contains(&now));
    assert_eq!(home.call(iotsec_planner_installed, now), IOTSEC_OK);
    assert_eq!(home.status(now).state, IOTSEC_PLANNER_IDLE);
    assert_eq!(home.choices(), Choices::DEFAULT);
    assert_eq!(home.wait(&mut now).kind, IOTSEC_PLANNER_CHECK);
    assert_eq!(home.checked(IOTSEC_CHECK_UP_TO_DATE, now), IOTSEC_OK);
    let next = home.next(now).at_ms - now;
    assert!((18 * HOUR..=30 * HOUR).contains(&next), "{next}");
}

#[test]
fn nothing_is_installed_while_the_device_is_in_use_or_its_battery_low() {
    let policy = iotsec_update_policy_t {
        least_battery: 40,
        ..DEFAULTS
    };
    let (mut home, mut now) = (Home::opened(&policy), 0);
    home.find(&URGENT, &mut now);
    assert_eq!(home.next(now).kind, IOTSEC_PLANNER_TELL);
    let mut with = |battery, powered, in_use| {
        home.conditions = iotsec_conditions_t {
            battery,
            powered,
            in_use,
            ..IDLE
        };
        let status = home.status(now);
        assert_eq!(status.observed, IOTSEC_OBSERVED_UPDATES_URGENT);
        (home.next(now).kind, status.hold)
    };
    assert_eq!(with(100, 1, 1), (IOTSEC_PLANNER_WAIT, IOTSEC_HOLD_IN_USE));
    assert_eq!(with(39, 0, 0), (IOTSEC_PLANNER_WAIT, IOTSEC_HOLD_BATTERY));
    assert_eq!(with(40, 0, 0).0, IOTSEC_PLANNER_INSTALL);
}

#[test]
fn what_the_owner_decides_is_kept_over_restarts() {
    let asking = iotsec_update_policy_t { ask: 1, ..DEFAULTS };
    let (home, mut now) = (Home::opened(&asking), 0);
    assert_eq!(home.status(0).ask, 1);
    home.find(&SECURITY, &mut now);
    let told = home.next(now);
    assert_eq!(
        (told.kind, told.automatic, told.at_ms),
        (IOTSEC_PLANNER_TELL, 0, 0)
    );
    assert_eq!(home.status(now).hold, IOTSEC_HOLD_OWNER);
    assert_eq!(home.decide(IOTSEC_DECISION_DECLINE, 0, now), IOTSEC_OK);
    let manifest = ManifestId {
        sequence: SequenceNumber(7),
        digest: [7; 32],
    };
    assert_eq!(home.choices().decided(manifest), Decided::Decline);
    // The policy's mode is for the first time alone.
    home.reboot(&DEFAULTS);
    now = 0;
    assert_eq!(home.status(0).ask, 1);
    home.find(&SECURITY, &mut now);
    assert_eq!(home.next(now).kind, IOTSEC_PLANNER_WAIT, "nobody is told twice");
    let status = home.status(now);
    assert_eq!(
        (status.hold, status.observed),
        (IOTSEC_HOLD_DECLINED, IOTSEC_OBSERVED_UPDATES_DECLINED)
    );
    assert_eq!(home.decide(IOTSEC_DECISION_INSTALL, 0, now), IOTSEC_OK);
    assert_eq!(home.next(now).kind, IOTSEC_PLANNER_INSTALL);
    assert_eq!(home.decide(IOTSEC_DECISION_AUTOMATIC, 0, now), IOTSEC_OK);
    assert_eq!((home.status(now).ask, home.choices().mode), (0, Mode::Automatic));
    assert_eq!(home.decide(IOTSEC_DECISION_ASK, 0, now), IOTSEC_OK);
    home.reboot(&DEFAULTS);
    assert_eq!(home.status(0).ask, 1);
}

#[test]
fn a_postponement_comes_to_its_end_although_the_power_goes_every_few_hours() {
    let asking = iotsec_update_policy_t { ask: 1, ..DEFAULTS };
    let (home, mut now) = (Home::opened(&asking), 0);
    home.find(&SECURITY, &mut now);
    assert_eq!(home.next(now).kind, IOTSEC_PLANNER_TELL);
    assert_eq!(
        home.decide(IOTSEC_DECISION_POSTPONE, 30 * DAY + 1, now),
        IOTSEC_ERR_POLICY_POSTPONEMENT
    );
    assert_eq!(home.decide(IOTSEC_DECISION_POSTPONE, 10 * HOUR, now), IOTSEC_OK);
    let mut days = 0;
    'days: loop {
        home.reboot(&asking);
        days += 1;
        assert!(days < 10, "put off for ever");
        now = 0;
        loop {
            let step = home.next(now);
            match step.kind {
                IOTSEC_PLANNER_WAIT if step.at_ms > 3 * HOUR => break,
                IOTSEC_PLANNER_WAIT => now = step.at_ms,
                IOTSEC_PLANNER_CHECK => assert_eq!(home.found(&SECURITY, now), IOTSEC_OK),
                IOTSEC_PLANNER_TELL => break 'days,
                other => panic!("{other}"),
            }
        }
    }
    assert!(days >= 4, "{days}");
    assert_eq!(home.status(now).hold, IOTSEC_HOLD_OWNER);
}

#[test]
fn the_end_of_support_is_told_before_and_when_it_comes() {
    let policy = iotsec_update_policy_t {
        support_until_s: 2_000_000_000,
        ..DEFAULTS
    };
    let mut home = Home::opened(&policy);
    assert_eq!(home.next(0).kind, IOTSEC_PLANNER_WAIT, "no clock");
    home.conditions.now_s = 2_000_000_000 - 90 * 86_400;
    let told = home.next(0);
    assert_eq!(
        (told.kind, told.time_s),
        (IOTSEC_PLANNER_TELL_SUPPORT_ENDING, 2_000_000_000)
    );
    assert_eq!(home.next(0).kind, IOTSEC_PLANNER_WAIT, "told once");
    home.conditions.now_s = 2_000_000_000;
    assert_eq!(home.next(0).kind, IOTSEC_PLANNER_TELL_SUPPORT_ENDED);
}

#[test]
fn a_record_that_fails_keeps_nobody_from_an_update_and_is_saved_later() {
    let (mut home, mut now) = (Home::opened(&DEFAULTS), 0);
    assert_eq!(home.wait(&mut now).kind, IOTSEC_PLANNER_CHECK);
    home.records.broken = Some(1);
    assert_eq!(home.found(&SECURITY, now), IOTSEC_ERR_FLASH_DRIVER);
    assert_eq!(home.found(&SECURITY, now), IOTSEC_ERR_POLICY_STATE, "it was told");
    let told = home.next(now);
    assert_eq!(
        (told.kind, told.saved),
        (IOTSEC_PLANNER_TELL, IOTSEC_ERR_FLASH_DRIVER)
    );
    assert_eq!(
        home.decide(IOTSEC_DECISION_INSTALL, 0, now),
        IOTSEC_ERR_FLASH_DRIVER
    );
    home.records.broken = None;
    let step = home.next(now);
    assert_eq!((step.kind, step.saved), (IOTSEC_PLANNER_INSTALL, IOTSEC_OK));
    let manifest = ManifestId {
        sequence: SequenceNumber(7),
        digest: [7; 32],
    };
    assert_eq!(home.choices().decided(manifest), Decided::Install);
}

#[test]
fn what_cannot_be_is_refused_and_changes_nothing() {
    let mut home = Home::new();
    let changes: [(Change, iotsec_status_t); 5] = [
        (|policy| policy.least_battery = 101, IOTSEC_ERR_POLICY_POLICY),
        (|policy| policy.least_battery = 256, IOTSEC_ERR_POLICY_POLICY),
        (|policy| policy.ask = 2, IOTSEC_ERR_CONFIG),
        (|policy| policy.struct_size += 8, IOTSEC_ERR_CONFIG),
        (|policy| policy.reserved = 1, IOTSEC_ERR_CONFIG),
    ];
    for (change, refusal) in changes {
        let mut policy = DEFAULTS;
        change(&mut policy);
        assert_eq!(home.open(&raw const policy), refusal);
    }
    // A record of another kind, or of another length: automatic, whatever the policy says.
    let asking = iotsec_update_policy_t { ask: 1, ..DEFAULTS };
    for damaged in [vec![9; 60], vec![1; 8], vec![0; 61]] {
        home.records.kept.insert(1, damaged);
        assert_eq!(home.open(&raw const asking), IOTSEC_OK);
        assert_eq!(home.status(0).ask, 0);
        // SAFETY: see the top.
        assert_eq!(unsafe { iotsec_planner_close(home.planner.at()) }, IOTSEC_OK);
    }
    assert_eq!(home.open(ptr::null()), IOTSEC_OK);
    for early in [iotsec_planner_installed, iotsec_planner_failed] {
        assert_eq!(home.call(early, 0), IOTSEC_ERR_POLICY_STATE);
    }
    assert_eq!(home.call(iotsec_planner_interrupted, 0), IOTSEC_OK);
    assert_eq!(home.checked(IOTSEC_CHECK_UP_TO_DATE, 0), IOTSEC_ERR_POLICY_STATE);
    assert_eq!(home.checked(3, 0), IOTSEC_ERR_CONFIG);
    assert_eq!(home.found(&SECURITY, 0), IOTSEC_ERR_POLICY_STATE);
    for nothing in [
        iotsec_offer_t {
            importance: 0,
            ..SECURITY
        },
        iotsec_offer_t {
            importance: 4,
            ..SECURITY
        },
        iotsec_offer_t {
            struct_size: 48,
            ..SECURITY
        },
        iotsec_offer_t {
            manifest: zeroed(),
            ..SECURITY
        },
    ] {
        assert_eq!(home.found(&nothing, 0), IOTSEC_ERR_CONFIG);
    }
    assert_eq!(
        home.decide(IOTSEC_DECISION_DECLINE, 0, 0),
        IOTSEC_ERR_POLICY_STATE
    );
    assert_eq!(home.decide(IOTSEC_DECISION_DECLINE, 1, 0), IOTSEC_ERR_CONFIG);
    assert_eq!(home.decide(0, 0, 0), IOTSEC_ERR_CONFIG);
    let mut step = zeroed::<iotsec_planner_step_t>();
    let mut next = |conditions: iotsec_conditions_t, now| {
        // SAFETY: see the top.
        unsafe { iotsec_planner_next(home.planner.at(), &raw const conditions, now, &raw mut step) }
    };
    for strange in [
        iotsec_conditions_t { battery: 101, ..IDLE },
        iotsec_conditions_t { battery: -2, ..IDLE },
        iotsec_conditions_t { powered: 2, ..IDLE },
        iotsec_conditions_t { in_use: -1, ..IDLE },
        iotsec_conditions_t {
            struct_size: 8,
            ..IDLE
        },
    ] {
        assert_eq!(next(strange, 0), IOTSEC_ERR_CONFIG);
    }
    assert_eq!(next(IDLE, 10), IOTSEC_OK);
    assert_eq!(next(IDLE, 9), IOTSEC_ERR_POLICY_CLOCK);
    assert_eq!(home.open(ptr::null()), IOTSEC_ERR_STATE, "open already");
}
