//! What detectors and the guard keep over a reboot, as anybody could have written it.

use iotsec_core::hal::Millis;
use iotsec_telemetry::detect::{
    BASELINE_RECORD_LEN, GUARD_RECORD_LEN, Guard, IntegrityFailures, MODE, Mode, Policy, TrafficPlan,
    TrafficVolume,
};

use crate::Seed;

const PLAN: TrafficPlan = TrafficPlan {
    period: Millis::from_secs(3600),
    ceiling: 500,
};

/// A record that is not as written counts as least connectivity, and one that is brings back what it says.
pub fn guard(input: &[u8]) -> bool {
    let Ok(record) = <[u8; GUARD_RECORD_LEN]>::try_from(input) else {
        return false;
    };
    let mut guard = Guard::started(&Policy::DEFAULT, Some(&record), Millis(0));
    let as_written = guard.record() == record;
    if !as_written {
        assert_eq!(
            (guard.mode(), guard.cause()),
            (Mode::LeastConnectivity, MODE.id())
        );
    }
    // Quiet leads back to normal mode, whatever was read.
    for day in 1..=3 {
        let change = guard.tend(false, Millis::from_secs(day * 86_400));
        assert!(change.is_none_or(|change| change.mode == Mode::Normal));
    }
    assert_eq!(guard.mode(), Mode::Normal);
    let written = guard.record();
    assert_eq!(
        Guard::started(&Policy::DEFAULT, Some(&written), Millis(0)).record(),
        written
    );
    as_written
}

/// A record that is not as written is a new baseline. One that is cannot make the detector blind: what is far beyond the
/// ceiling is found within a day.
pub fn baseline(input: &[u8]) -> bool {
    let Ok(record) = <[u8; BASELINE_RECORD_LEN]>::try_from(input) else {
        return false;
    };
    let mut traffic = TrafficVolume::new(0, PLAN, Some(&record), Millis(0));
    let as_written = traffic.record() == record;
    if !as_written {
        assert_eq!(
            traffic.record(),
            TrafficVolume::new(0, PLAN, None, Millis(0)).record()
        );
    }
    let found = (1..=24).any(|hour| traffic.count(1_000_000, Millis::from_secs(hour * 3600)).is_some());
    assert!(found, "a flood that is not seen");
    as_written
}

fn changed(record: &[u8]) -> Vec<u8> {
    let mut record = record.to_vec();
    if let Some(byte) = record.last_mut() {
        *byte ^= 1;
    }
    record
}

/// Records of the guard.
#[must_use]
pub fn guard_seeds() -> Vec<Seed> {
    let mut guard = Guard::started(&Policy::DEFAULT, None, Millis(0));
    let quiet = guard.record();
    let finding = IntegrityFailures::new().found(Some(0), 2401, Millis(0));
    let _ = finding.and_then(|finding| guard.note(finding.event(), Millis(0)));
    let alarmed = guard.record();
    vec![
        Seed::new("valid-normal", quiet),
        Seed::new("valid-alarmed", alarmed),
        Seed::new("near-changed", changed(&alarmed)),
        Seed::new("near-erased", [0xFF; GUARD_RECORD_LEN]),
    ]
}

/// Records of a baseline.
#[must_use]
pub fn baseline_seeds() -> Vec<Seed> {
    let mut traffic = TrafficVolume::new(0, PLAN, None, Millis(0));
    let new = traffic.record();
    for hour in 1..=100 {
        let _ = traffic.count(40, Millis::from_secs(hour * 3600));
    }
    let warm = traffic.record();
    vec![
        Seed::new("valid-new", new),
        Seed::new("valid-warm", warm),
        Seed::new("near-changed", changed(&warm)),
        Seed::new("near-erased", [0xFF; BASELINE_RECORD_LEN]),
    ]
}
