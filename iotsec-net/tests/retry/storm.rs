//! Ten thousand devices with the real machine, and a service that has room for 200 handshakes a second.

use iotsec_core::hal::Millis;
use iotsec_testkit::{Storm, StormReport};

use crate::device::{Device, Start};

const DEVICES: u64 = 10_000;
const CAPACITY: u32 = 200;
const CAP: Millis = Millis::from_secs(300);

fn storm(outage: u64, seed: u64, start: Start) -> StormReport {
    let mut fleet: Vec<_> = (0..DEVICES)
        .map(|device| Device::new(seed * DEVICES + device, start))
        .collect();
    let report = Storm::new(Millis::from_secs(outage), CAPACITY).run(&mut fleet);
    assert_eq!(
        report.connected(),
        fleet.len(),
        "after {outage} s with seed {seed} all are back"
    );
    let back = report.back(99).unwrap();
    assert!(
        back <= CAP,
        "after {outage} s with seed {seed} 99 % are back after {} ms",
        back.0
    );
    report
}

#[test]
fn after_ten_minutes_or_more_nobody_is_refused_for_lack_of_room() {
    for (outage, seed) in [(600, 1), (600, 2), (600, 3), (3600, 4)] {
        let report = storm(outage, seed, Start::Loss);
        assert!(report.peak_after <= 100, "seed {seed}: {}", report.peak_after);
        assert_eq!(report.wasted, 0, "seed {seed}");
    }
}

#[test]
fn after_a_minute_the_peak_is_bearable() {
    for seed in 1..=5 {
        let report = storm(60, seed, Start::Loss);
        assert!(report.peak_after <= 350, "seed {seed}: {}", report.peak_after);
        assert!(report.wasted <= 1_100, "seed {seed}: {}", report.wasted);
    }
}

#[test]
fn whatever_the_length_of_the_outage_few_handshakes_are_wasted() {
    for outage in [0, 1, 5, 15, 30, 45, 90, 120, 240] {
        let report = storm(outage, 6, Start::Loss);
        assert!(report.peak_after <= 350, "{outage} s: {}", report.peak_after);
        assert!(report.peak_during <= 350, "{outage} s: {}", report.peak_during);
        assert!(report.wasted <= 1_100, "{outage} s: {}", report.wasted);
    }
}

#[test]
fn power_that_returns_to_a_town_is_no_storm() {
    for seed in 1..=3 {
        let report = storm(0, seed, Start::Power);
        assert!(report.peak_after <= 350, "seed {seed}: {}", report.peak_after);
        assert!(report.wasted <= 100, "seed {seed}: {}", report.wasted);
    }
}
