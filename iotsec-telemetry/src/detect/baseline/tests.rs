use iotsec_testkit::SimRng;
use std::vec::Vec;

use super::*;

/// Scales between the mean in warm-up and the alarm line of six deviations, at most.
const CAP: u64 = 4 + 6 * 2;

/// A number below `bound`.
fn below(rng: &mut SimRng, bound: u64) -> u32 {
    u32::try_from(rng.below(bound)).unwrap()
}

fn warm(ceiling: u16, mut values: impl FnMut() -> u32) -> Baseline {
    let mut baseline = Baseline::new(ceiling);
    while !baseline.is_warm() {
        baseline.learn(values());
    }
    baseline
}

/// The largest value that is six deviations above the mean and no more.
fn line(baseline: &Baseline) -> u32 {
    let line = u64::from(baseline.mean) + 6 * u64::from(baseline.deviation);
    u32::try_from(line >> 16).unwrap()
}

#[test]
fn mean_and_deviation_are_learned() {
    let mut rng = SimRng::new(1);
    // Evenly from 100 to 300: the mean is 200, the absolute deviation 50.
    let baseline = warm(1000, || 100 + below(&mut rng, 201));
    assert!((180..=220).contains(&(baseline.mean >> 16)), "{baseline:?}");
    assert!((40..=60).contains(&(baseline.deviation >> 16)), "{baseline:?}");
    assert!(baseline.deviations(200).abs() < 256);
    assert!(baseline.deviations(800) > 6 * 256);
    assert!(baseline.deviations(0) < -2 * 256);
}

#[test]
fn a_warm_baseline_follows_what_becomes_usual_slowly() {
    let mut rng = SimRng::new(2);
    let mut baseline = warm(1000, || 100 + below(&mut rng, 201));
    let before = baseline.mean;
    for _ in 0..24 {
        baseline.learn(250 + below(&mut rng, 51));
    }
    let moved = baseline.mean - before;
    assert!(
        moved > baseline.scale / 32 && moved <= baseline.scale * 24 / 256,
        "{moved}"
    );
}

/// The attacker knows the state, and stays just below the alarm line for as long as it takes.
#[test]
fn whoever_poisons_it_slowly_gets_no_further_than_the_cap_and_no_faster() {
    let mut rng = SimRng::new(3);
    let mut baseline = warm(1000, || 100 + below(&mut rng, 201));
    let (first, scale) = (baseline.first_mean, baseline.scale);
    let mut lines = Vec::new();
    for _ in 0..20_000 {
        let before = baseline.clone();
        baseline.learn(line(&baseline));
        assert!(baseline.mean - before.mean <= scale / 256);
        assert!(baseline.deviation.abs_diff(before.deviation) <= scale / 256);
        lines.push(line(&baseline));
    }
    // The line is reached, after more than the 43 days, and never passed.
    let cap = u32::try_from((u64::from(first) + CAP * u64::from(scale)) >> 16).unwrap();
    assert_eq!(lines.iter().max(), Some(&cap));
    assert!(lines.iter().position(|line| *line == cap).unwrap() >= 1000);
}

#[test]
fn silence_does_not_make_the_line_so_low_that_everything_is_an_alarm() {
    let mut rng = SimRng::new(4);
    let mut baseline = warm(1000, || 100 + below(&mut rng, 201));
    for _ in 0..20_000 {
        baseline.learn(0);
    }
    let first = u64::from(baseline.first_mean);
    let lowest = (first.saturating_sub(4 * u64::from(baseline.scale)) + 6 * u64::from(baseline.scale)) >> 16;
    assert!(u64::from(line(&baseline)) >= lowest, "{baseline:?}");
}

#[test]
fn no_sequence_passes_the_cap_and_every_record_comes_back() {
    for seed in 0..50 {
        let mut rng = SimRng::new(seed);
        let ceiling = u16::try_from(rng.below(1 << 16)).unwrap();
        let mut baseline = Baseline::new(ceiling);
        for _ in 0..3_000 {
            let value = match rng.below(3) {
                0 => below(&mut rng, 1 << 32),
                1 => below(&mut rng, 1 + u64::from(ceiling)),
                _ => 0,
            };
            baseline.learn(value);
            assert_eq!(Baseline::restored(ceiling, Some(&baseline.record())), baseline);
        }
        let cap = u64::from(baseline.first_mean) + CAP * u64::from(baseline.scale);
        assert!(u64::from(baseline.mean) + 6 * u64::from(baseline.deviation) <= cap);
    }
}

#[test]
fn an_attacker_who_is_there_from_the_beginning_does_not_become_usual() {
    let baseline = warm(50, || 60_000);
    assert_eq!(baseline.mean(), 50);
    assert!(baseline.deviations(60_000) > 6 * 256);
}

#[test]
fn a_record_with_any_bit_changed_begins_anew() {
    let mut rng = SimRng::new(5);
    let record = warm(1000, || below(&mut rng, 900)).record();
    for bit in 0..BASELINE_RECORD_LEN * 8 {
        let mut changed = record;
        changed[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(
            Baseline::restored(1000, Some(&changed)),
            Baseline::new(1000),
            "bit {bit}"
        );
    }
}

#[test]
fn a_record_that_no_learning_makes_begins_anew_whatever_its_checksum() {
    let mut rng = SimRng::new(6);
    let good = warm(1000, || 100 + below(&mut rng, 900));
    let refused = |change: &dyn Fn(&mut Baseline)| {
        let mut bad = good.clone();
        change(&mut bad);
        Baseline::restored(1000, Some(&bad.record())) == Baseline::new(1000)
    };
    assert!(!refused(&|_| ()));
    assert!(refused(&|bad| bad.seen += 1));
    assert!(refused(&|bad| bad.seen = 5));
    assert!(refused(&|bad| bad.mean = u32::MAX));
    assert!(refused(&|bad| bad.deviation = bad.scale - 1));
    assert!(refused(&|bad| bad.deviation = bad.scale * 2 + 1));
    assert!(refused(&|bad| bad.scale = 0));
    // A product whose ceiling was lowered does not take what was learned under the old one.
    assert_eq!(Baseline::restored(100, Some(&good.record())), Baseline::new(100));
}

#[test]
fn one_terrible_hour_in_warm_up_does_not_widen_the_scale_for_ever() {
    let mut hour = 0;
    let baseline = warm(10_000, || {
        hour += 1;
        if hour == 160 { 3000 } else { 20 + hour % 40 }
    });
    assert!(baseline.scale >> 16 < 20, "{baseline:?}");
    assert!(baseline.deviations(200) > 6 * 256);
}
