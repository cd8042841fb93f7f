//! What a device does about what was found.

use iotsec_ffi::{
    device::{detection::*, iotsec_owner_t},
    guard::*,
    login::{iotsec_login_close, iotsec_login_open, iotsec_login_t},
    password::*,
};

use super::*;
use crate::{
    board::Board,
    device::{PASSWORD, Unit},
};

/// A guard in memory that never moves.
struct Guarded(Fixed<iotsec_guard_t>);

impl Guarded {
    fn opened(record: &iotsec_record_t) -> Self {
        let guard = Self(Fixed::new(zeroed()));
        assert_eq!(guard.open(record, ptr::null()), IOTSEC_OK);
        guard
    }

    fn open(&self, record: &iotsec_record_t, policy: *const iotsec_guard_policy_t) -> iotsec_status_t {
        // SAFETY: see the top; here and below.
        unsafe { iotsec_guard_open(self.0.at(), record, policy, 0) }
    }

    fn close(&self) -> iotsec_status_t {
        // SAFETY: as above.
        unsafe { iotsec_guard_close(self.0.at()) }
    }

    fn note(&self, event: u16, uptime_ms: u64) -> Found {
        // SAFETY: as above.
        found(|found| unsafe { iotsec_guard_note(self.0.at(), event, uptime_ms, found) })
    }

    fn tend(&self, is_alarmed: i32, uptime_ms: u64) -> Found {
        // SAFETY: as above.
        found(|found| unsafe { iotsec_guard_tend(self.0.at(), is_alarmed, uptime_ms, found) })
    }

    fn release(&self, unit: &Unit, owner: iotsec_owner_t) -> Found {
        // SAFETY: as above.
        found(|found| unsafe { iotsec_device_release_guard(unit.device.at(), owner, self.0.at(), 0, found) })
    }

    /// Mode and cause.
    fn status(&self) -> (iotsec_mode_t, u32) {
        let mut status: iotsec_guard_status_t = zeroed();
        // SAFETY: as above.
        let told = unsafe { iotsec_guard_status(self.0.at(), &raw mut status) };
        assert_eq!(told, IOTSEC_OK);
        (status.mode, status.cause)
    }
}

fn changed(mode: iotsec_mode_t, cause: u16) -> Found {
    Ok(Some((IOTSEC_DETECTED_MODE, vec![mode.into(), cause.into()])))
}

const LEAST: (iotsec_mode_t, u32) = (IOTSEC_MODE_LEAST_CONNECTIVITY, IOTSEC_DETECTED_INTEGRITY as u32);

#[test]
fn the_mode_outlives_a_reboot_and_quiet_ends_it() {
    let records = Fixed::new(Records::default());
    let record = record(&records, 1);
    let guard = Guarded::opened(&record);
    assert_eq!(guard.note(IOTSEC_DETECTED_AUTH_BURST, 0), Ok(None));
    assert!(records.kept.is_empty(), "nothing changed, nothing is written");
    assert_eq!(
        guard.note(IOTSEC_DETECTED_INTEGRITY, 0),
        changed(IOTSEC_MODE_LEAST_CONNECTIVITY, IOTSEC_DETECTED_INTEGRITY)
    );
    assert_eq!(guard.note(IOTSEC_DETECTED_INTEGRITY, 0), Ok(None));
    guard.close();
    assert_eq!(guard.open(&record, ptr::null()), IOTSEC_OK);
    assert_eq!(guard.status(), LEAST);
    assert_eq!(guard.tend(1, HOUR), Ok(None));
    assert_eq!(guard.tend(0, HOUR), Ok(None));
    assert_eq!(guard.tend(0, 2 * HOUR), changed(IOTSEC_MODE_NORMAL, 0));
    assert_eq!(guard.status(), (IOTSEC_MODE_NORMAL, 0));
}

#[test]
fn a_mode_that_cannot_be_kept_is_in_force_and_is_kept_and_told_later() {
    let mut records = Fixed::new(Records::default());
    let record = record(&records, 1);
    let guard = Guarded::opened(&record);
    records.broken = Some(1);
    assert_eq!(
        guard.note(IOTSEC_DETECTED_BOOT_LOOP, 0),
        Err(IOTSEC_ERR_FLASH_DRIVER)
    );
    assert_eq!(guard.status().0, IOTSEC_MODE_SAFE);
    assert_eq!(guard.tend(0, 1), Err(IOTSEC_ERR_FLASH_DRIVER));
    records.broken = None;
    assert_eq!(
        guard.tend(0, 2),
        changed(IOTSEC_MODE_SAFE, IOTSEC_DETECTED_BOOT_LOOP)
    );
    assert_eq!(guard.tend(0, 3), Ok(None));
    let kept = records.kept[&1].clone();
    for damaged in [vec![0; 9], kept[..8].to_vec(), vec![1; 60]] {
        guard.close();
        records.kept.insert(1, damaged);
        assert_eq!(guard.open(&record, ptr::null()), IOTSEC_OK);
        let cause = IOTSEC_DETECTED_MODE.into();
        assert_eq!(guard.status(), (IOTSEC_MODE_LEAST_CONNECTIVITY, cause));
    }
}

#[test]
fn a_policy_of_the_maker_is_followed_and_one_that_breaks_a_rule_is_refused() {
    let records = Fixed::new(Records::default());
    let record = record(&records, 1);
    let guard = Guarded::opened(&record);
    guard.close();
    let rule = |event: u32, reaction| iotsec_rule_t { event, reaction };
    let rules = [
        rule(7, IOTSEC_REACTION_SAFE),
        rule(IOTSEC_DETECTED_INTEGRITY.into(), IOTSEC_REACTION_REPORT),
        rule(IOTSEC_DETECTED_TRAFFIC.into(), IOTSEC_REACTION_LEAST_CONNECTIVITY),
    ];
    let policy = iotsec_guard_policy_t {
        struct_size: size_of::<iotsec_guard_policy_t>() as u32,
        rule_count: 3,
        rules: rules.as_ptr(),
        least_quiet_ms: 600_000,
        safe_quiet_ms: 0,
    };
    assert_eq!(guard.open(&record, &raw const policy), IOTSEC_OK);
    assert_eq!(guard.note(IOTSEC_DETECTED_INTEGRITY, 0), Ok(None));
    assert_eq!(
        guard.note(IOTSEC_DETECTED_TRAFFIC, 0),
        changed(IOTSEC_MODE_LEAST_CONNECTIVITY, IOTSEC_DETECTED_TRAFFIC)
    );
    assert_eq!(guard.tend(0, 600_000), changed(IOTSEC_MODE_NORMAL, 0));
    assert_eq!(guard.note(7, 600_000), changed(IOTSEC_MODE_SAFE, 7));
    assert_eq!(guard.tend(0, 1000 * HOUR), Ok(None), "only its owner");
    guard.close();
    let refused = |change: fn(&mut [iotsec_rule_t; 3], &mut iotsec_guard_policy_t)| {
        let (mut rules, mut policy) = (rules, policy);
        policy.rules = ptr::null();
        change(&mut rules, &mut policy);
        if policy.rules.is_null() && policy.rule_count == 3 {
            policy.rules = rules.as_ptr();
        }
        guard.open(&record, &raw const policy)
    };
    assert_eq!(refused(|rules, _| rules[1].event = 7), IOTSEC_ERR_POLICY_ORDER);
    assert_eq!(refused(|rules, _| rules[0].event = 65_536), IOTSEC_ERR_CONFIG);
    assert_eq!(refused(|rules, _| rules[0].reaction = 3), IOTSEC_ERR_CONFIG);
    assert_eq!(
        refused(|_, policy| policy.least_quiet_ms = 599_999),
        IOTSEC_ERR_POLICY_QUIET
    );
    assert_eq!(
        refused(|_, policy| policy.safe_quiet_ms = 86_400_001),
        IOTSEC_ERR_POLICY_QUIET
    );
    assert_eq!(
        refused(|_, policy| policy.rule_count = 33),
        IOTSEC_ERR_POLICY_COUNT
    );
    assert_eq!(refused(|_, policy| policy.rule_count = 2), IOTSEC_ERR_NULL);
    assert_eq!(refused(|_, policy| policy.struct_size += 8), IOTSEC_ERR_CONFIG);
    assert_eq!(refused(|_, policy| policy.rule_count = 0), IOTSEC_OK);
}

fn guard_record(unit: &Unit) -> Result<iotsec_record_t, iotsec_status_t> {
    let mut record = zeroed();
    // SAFETY: see the top.
    match unsafe { iotsec_device_guard_record(unit.device.at(), &raw mut record) } {
        IOTSEC_OK => Ok(record),
        refused => Err(refused),
    }
}

fn baseline_record(unit: &Unit, kind: iotsec_detector_kind_t) -> Result<iotsec_record_t, iotsec_status_t> {
    let mut record = zeroed();
    // SAFETY: see the top.
    match unsafe { iotsec_device_baseline_record(unit.device.at(), kind, &raw mut record) } {
        IOTSEC_OK => Ok(record),
        refused => Err(refused),
    }
}

#[test]
fn a_device_keeps_the_mode_over_its_owners_and_the_owner_ends_it() {
    let unit = Unit::owned();
    let guard = Guarded::opened(&guard_record(&unit).unwrap());
    assert_eq!(
        guard.note(IOTSEC_DETECTED_INTEGRITY, 0),
        changed(IOTSEC_MODE_LEAST_CONNECTIVITY, IOTSEC_DETECTED_INTEGRITY)
    );
    let owner = unit.login(PASSWORD, 30_000).unwrap();
    assert_eq!(unit.reset(owner), IOTSEC_OK);
    guard.close();
    unit.reboot();
    let record = guard_record(&unit).unwrap();
    assert_eq!(guard.open(&record, ptr::null()), IOTSEC_OK);
    assert_eq!(guard.status(), LEAST, "a new owner changes nothing");
    unit.set_up(90_000);
    let owner = unit.login(PASSWORD, 200_000).unwrap();
    assert_eq!(
        guard.release(&unit, owner ^ 2),
        Err(IOTSEC_ERR_STATE),
        "nobody's proof"
    );
    guard.close();
    assert_eq!(guard.release(&unit, owner), Err(IOTSEC_ERR_STATE), "no guard");
    assert_eq!(guard.open(&record, ptr::null()), IOTSEC_OK);
    assert_eq!(guard.release(&unit, owner), changed(IOTSEC_MODE_NORMAL, 0));
    assert_eq!(guard.release(&unit, owner), Err(IOTSEC_ERR_STATE), "used up");
    guard.close();
    assert_eq!(guard.open(&record, ptr::null()), IOTSEC_OK);
    assert_eq!(guard.status(), (IOTSEC_MODE_NORMAL, 0));
    // Before it has its identity, a device has no mode.
    assert_eq!(guard_record(&Unit::blank()).err(), Some(IOTSEC_ERR_STATE));
}

#[test]
fn a_device_keeps_what_is_usual_for_its_owner_alone() {
    let unit = Unit::owned();
    assert_eq!(
        baseline_record(&unit, IOTSEC_DETECTOR_CLOCK).err(),
        Some(IOTSEC_ERR_CONFIG)
    );
    assert_eq!(baseline_record(&unit, -1).err(), Some(IOTSEC_ERR_CONFIG));
    let detector: Fixed<iotsec_detector_t> = Fixed::new(zeroed());
    let open = |kind, record: &iotsec_record_t| {
        let config = config(kind, record);
        // SAFETY: see the top; here and below.
        unsafe { iotsec_detector_open(detector.at(), &raw const config, 0) }
    };
    let status = || {
        let mut status: iotsec_detector_status_t = zeroed();
        // SAFETY: as above.
        let told = unsafe { iotsec_detector_status(detector.at(), &raw mut status) };
        assert_eq!(told, IOTSEC_OK);
        status.is_learning
    };
    // SAFETY: as above.
    let close = || unsafe { iotsec_detector_close(detector.at()) };
    for kind in [
        IOTSEC_DETECTOR_TRAFFIC,
        IOTSEC_DETECTOR_RECONNECTS,
        IOTSEC_DETECTOR_TLS_REJECTS,
    ] {
        let record = baseline_record(&unit, kind).unwrap();
        assert_eq!((open(kind, &record), status()), (IOTSEC_OK, 1), "none yet");
        for hour in 0..200 {
            // SAFETY: as above.
            let told = found(|found| unsafe { iotsec_detector_tend(detector.at(), hour * HOUR, found) });
            assert_eq!(told, Ok(None));
        }
        assert_eq!(status(), 0);
        // SAFETY: as above.
        assert_eq!(unsafe { iotsec_detector_keep(detector.at()) }, IOTSEC_OK);
        close();
        assert_eq!((open(kind, &record), status()), (IOTSEC_OK, 0));
        close();
    }
    let record = baseline_record(&unit, IOTSEC_DETECTOR_TRAFFIC).unwrap();
    let owner = unit.login(PASSWORD, 30_000).unwrap();
    assert_eq!(unit.reset(owner), IOTSEC_OK);
    assert_eq!(open(IOTSEC_DETECTOR_TRAFFIC, &record), IOTSEC_ERR_STATE);
    unit.reboot();
    unit.set_up(90_000);
    let record = baseline_record(&unit, IOTSEC_DETECTOR_TRAFFIC).unwrap();
    assert_eq!(
        (open(IOTSEC_DETECTOR_TRAFFIC, &record), status()),
        (IOTSEC_OK, 1),
        "it went with them"
    );
}

#[test]
fn an_owner_with_a_login_and_no_device_ends_the_mode_by_the_password() {
    let (board, kept) = (Board::new(), Fixed::new(crate::login::Records::default()));
    let credential = crate::login::credential(&board, &kept);
    let (entropy, login) = (board.entropy(), Fixed::new(zeroed::<iotsec_login_t>()));
    let context = [c"LAMP".as_ptr()];
    let (mut label, mut len) = ([0u8; IOTSEC_LABEL_MAX], 0);
    // SAFETY: see the top.
    unsafe {
        let generated = iotsec_password_generate(
            &raw const credential,
            &raw const entropy,
            IOTSEC_EXPOSURE_ONLINE,
            label.as_mut_ptr().cast(),
            label.len(),
            &raw mut len,
        );
        assert_eq!(generated, IOTSEC_OK);
        let chosen = iotsec_password_choose(
            &raw const credential,
            &raw const entropy,
            IOTSEC_EXPOSURE_ONLINE,
            IOTSEC_ITERATIONS_MCU,
            PASSWORD.as_ptr().cast(),
            PASSWORD.len(),
            context.as_ptr(),
            1,
        );
        let opened = iotsec_login_open(login.at(), &raw const credential, ptr::null());
        assert_eq!((chosen, opened), (IOTSEC_OK, IOTSEC_OK));
    }
    let records = Fixed::new(Records::default());
    let guard = Guarded::opened(&record(&records, 1));
    assert!(guard.note(IOTSEC_DETECTED_LISTENER, 0).unwrap().is_some());
    let release = |password: &str| {
        let (text, len) = (password.as_ptr().cast(), password.len());
        // SAFETY: see the top.
        found(|found| unsafe {
            iotsec_login_release_guard(login.at(), guard.0.at(), text, len, 5_000, found)
        })
    };
    assert_eq!(release("eight large otters"), Err(IOTSEC_ERR_LOGIN_REFUSED));
    assert_eq!(guard.status().0, IOTSEC_MODE_LEAST_CONNECTIVITY);
    assert_eq!(release(PASSWORD), changed(IOTSEC_MODE_NORMAL, 0));
    // SAFETY: see the top.
    assert_eq!(unsafe { iotsec_login_close(login.at()) }, IOTSEC_OK);
    assert_eq!(release(PASSWORD), Err(IOTSEC_ERR_STATE));
}
