use std::println;

use iotsec_core::crypto::Aes256GcmSiv;
use iotsec_testkit::SimCounter;

use super::*;
use crate::privacy::ledger::tests::Ram;

#[test]
fn no_answer_tells_more_than_epsilon_and_the_likeliest_tells_no_less() {
    for definition in [BIT, BIT_HALF, FIVE] {
        let epsilon = metric(&definition).epsilon();
        let claim = f64::from(epsilon.n()) / f64::from(epsilon.d());
        let zero = counted(&many(&definition, 0));
        let one = counted(&many(&definition, 1));
        for (answer, exact) in [(0, true), (1, true), (2, false)] {
            let (Some(p), Some(q)) = (zero.get(&answer), one.get(&answer)) else {
                continue;
            };
            let (low, high) = if answer == 1 {
                log_ratio(*q, *p, N)
            } else {
                log_ratio(*p, *q, N)
            };
            let claim = if exact { claim } else { 0.0 };
            println!("{N} answers, claim {claim}: between {low:.4} and {high:.4}");
            assert!(
                low <= claim && claim <= high,
                "{definition:?}: {low} to {high} for {claim}"
            );
            assert!(high - low < 0.15);
        }
    }
}

#[test]
fn no_noised_number_tells_more_than_epsilon_and_the_likeliest_tells_no_less() {
    for definition in [ONE_HALF, ONE_TWO, TEN, ODD] {
        let metric = metric(&definition);
        let Mechanism::Laplace { max, .. } = metric.mechanism() else {
            unreachable!()
        };
        let claim = f64::from(metric.epsilon().n()) / f64::from(metric.epsilon().d());
        let least = many(&definition, 0);
        let most = many(&definition, max);
        // All of epsilon shows at and beyond the bounds, less of it between them.
        let up_to = |answers: &[i64], edge: i64| answers.iter().filter(|y| **y <= edge).count() as u64;
        for edge in -2..=max + 2 {
            let (p, q) = (up_to(&least, edge), up_to(&most, edge));
            let (low, high) = log_ratio(p, q, N);
            assert!(low <= claim, "{definition:?} up to {edge}: at least {low}");
            assert!(
                edge > 0 || high >= claim,
                "{definition:?} up to {edge}: at most {high}"
            );
            if edge == 0 {
                println!("{N} answers, claim {claim}: between {low:.4} and {high:.4}");
            }
            let (low, high) = log_ratio(N - q, N - p, N);
            assert!(low <= claim, "{definition:?} above {edge}: at least {low}");
            assert!(
                edge < max || high >= claim,
                "{definition:?} above {edge}: at most {high}"
            );
        }
        for answer in -2..=max + 2 {
            let count = |answers: &[i64]| answers.iter().filter(|y| **y == answer).count() as u64;
            let (p, q) = (count(&least), count(&most));
            assert!(
                log_ratio(p, q, N).0 <= claim && log_ratio(q, p, N).0 <= claim,
                "{answer}"
            );
        }
    }
}

#[test]
fn values_outside_the_bounds_tell_no_more_than_the_bounds() {
    assert_eq!(answers(&TEN, i64::MAX, 200, 5), answers(&TEN, 10, 200, 5));
    assert_eq!(answers(&TEN, i64::MIN, 200, 5), answers(&TEN, 0, 200, 5));
    assert_eq!(answers(&FIVE, 77, 200, 5), answers(&FIVE, 4, 200, 5));
    assert_eq!(answers(&FIVE, -1, 200, 5), answers(&FIVE, 0, 200, 5));
}

#[test]
fn low_bits_and_support_of_an_answer_say_nothing_about_the_value() {
    // Two values a millionth of the sensitivity apart: whatever tells them apart is a fault of the arithmetic.
    let (zero, one) = (many(&WIDE, 0), many(&WIDE, 1));
    let mut widest = 0.0f64;
    for modulus in [2i64, 3, 4, 5, 8, 16, 64, 256] {
        for rest in 0..modulus {
            let count =
                |answers: &[i64]| answers.iter().filter(|y| y.rem_euclid(modulus) == rest).count() as u64;
            let (low, high) = log_ratio(count(&zero), count(&one), N);
            widest = high.max(-low).max(widest);
            assert!(low <= 0.0 && 0.0 <= high, "{rest} mod {modulus}: {low} to {high}");
        }
    }
    println!(
        "from {N} answers, low bits tell less than {widest:.4} of epsilon, and no more than nothing for certain"
    );
    // Every answer that one value gives, the other gives too.
    for (definition, max) in [(ONE_HALF, 1), (ONE_TWO, 1), (ODD, 3)] {
        let least = counted(&many(&definition, 0));
        let most = counted(&many(&definition, max));
        for (this, that) in [(&least, &most), (&most, &least)] {
            let often = this.iter().filter(|(_, count)| **count >= 200);
            for (answer, count) in often {
                assert!(
                    that.get(answer).is_some_and(|that| *that > 0),
                    "{answer}: {count} and 0"
                );
            }
        }
        // No gaps.
        let dense = |counts: &BTreeMap<i64, u64>| (-4..=5).all(|answer| counts.contains_key(&answer));
        assert!(dense(&least) && dense(&most), "{definition:?}");
    }
}

#[test]
fn a_year_of_reports_about_one_bit_says_no_more_than_one() {
    const DEVICES: u64 = 10_000;
    let registry = hashed();
    let metric = metric(&BIT);
    let allowance = Allowance {
        per_metric: epsilon!(1 / 1),
        in_all: epsilon!(1 / 1),
        renewals: 0,
    };
    let secret = Secret::from_bytes([3; 32]);
    let key = || LedgerKey::new(&secret, &Aes256GcmSiv, &Mixer);
    let mut rng = SimRng::new(40);
    let mut right = 0;
    for device in 0..DEVICES {
        let bit = (device & 1) as i64;
        let (mut storage, mut counter) = (Ram::default(), SimCounter::new());
        let mut ledger = Ledger::format(key(), allowance, &mut storage, &mut counter).unwrap();
        let mut ones = 0;
        for day in 0..365 {
            if day % 100 == 99 {
                ledger = Ledger::load(key(), allowance, &mut storage, &mut counter).unwrap();
            }
            let debit = ledger
                .debit(&metric, bit, &mut storage, &mut counter, &mut rng)
                .unwrap();
            ones += Answer::read(debit.draw().unwrap().bytes(), &registry)
                .unwrap()
                .value();
        }
        right += u64::from(i64::from(ones > 182) == bit);
    }
    let accuracy = right as f64 / DEVICES as f64;
    let allowed = 1f64.exp() / (1.0 + 1f64.exp());
    println!(
        "after 365 reports one bit is guessed in {accuracy:.4} of {DEVICES} devices; one report allows {allowed:.4}"
    );
    assert!(accuracy <= allowed + 0.01, "{accuracy}");
    assert!(accuracy >= allowed - 0.02, "{accuracy}");
}
