use super::*;

fn seed(number: u64) -> Secret<16> {
    Secret::random(&mut SimRng::new(number)).unwrap()
}

#[test]
fn uniform_numbers_are_even_for_bounds_that_are_no_power_of_two() {
    for bound in [2u64, 3, 7, 24, 100] {
        let mut seen = vec![0; bound as usize];
        for number in 0..N / 100 {
            let seed = seed(number);
            let mut draws = Draws::new(&seed, &Mixer);
            for _ in 0..100 {
                seen[draws.below(bound).unwrap() as usize] += 1;
            }
        }
        let deviate = chi_square(&seen, &vec![N as f64 / bound as f64; bound as usize]);
        assert!(deviate.abs() < Z, "{bound}: {deviate}");
    }
}

#[test]
fn uniform_numbers_are_even_where_a_quarter_of_the_words_is_drawn_again() {
    // Without rejection the lowest third would come twice as often as the others.
    let bound = 3u64 << 62;
    let mut seen = [0; 3];
    for number in 0..N / 100 {
        let seed = seed(number);
        let mut draws = Draws::new(&seed, &Mixer);
        for _ in 0..100 {
            let third = draws.below(bound).unwrap() >> 62;
            seen[third as usize] += 1;
        }
    }
    let deviate = chi_square(&seen, &[N as f64 / 3.0; 3]);
    assert!(deviate < Z, "{deviate}");
}

#[test]
fn a_bernoulli_draw_is_true_with_the_power_of_its_argument() {
    for (n, d) in [(0u64, 1u64), (1, 1), (1, 2), (2, 3), (1, 1000), (999, 1000)] {
        let mut yes = 0;
        for number in 0..N / 50 {
            let seed = seed(number);
            let mut draws = Draws::new(&seed, &Mixer);
            yes += (0..50).filter(|_| draws.bernoulli_exp(n, d).unwrap()).count() as u64;
        }
        let share = (-(n as f64) / d as f64).exp();
        if n == 0 {
            assert_eq!(yes, N);
            continue;
        }
        let seen = [yes, N - yes];
        let deviate = chi_square(&seen, &[share * N as f64, (1.0 - share) * N as f64]);
        assert!(deviate < Z, "exp(-{n}/{d}): {deviate}");
    }
}

#[test]
fn laplace_noise_has_the_discrete_distribution_to_the_tails() {
    for definition in [ONE_HALF, ONE_TWO, TEN, ODD] {
        let metric = metric(&definition);
        let Mechanism::Laplace { max, .. } = metric.mechanism() else {
            unreachable!()
        };
        let rate = f64::from(metric.epsilon().n()) / f64::from(metric.epsilon().d()) / max as f64;
        let fraction = (-rate).exp();
        let chance = |y: i64| (1.0 - fraction) / (1.0 + fraction) * fraction.powi(y.unsigned_abs() as i32);
        // What is beyond is rarer than one in 20,000 and put together.
        let edge = (1..).find(|y| chance(*y) * (N as f64) < 15.0).unwrap();
        let tail = fraction.powi(edge as i32) / (1.0 + fraction) * N as f64;
        let counts = counted(&many(&definition, 0));
        let within = (1 - edge)..edge;
        let mut seen: Vec<u64> = within
            .clone()
            .map(|y| counts.get(&y).copied().unwrap_or(0))
            .collect();
        let mut expected: Vec<f64> = within.map(|y| chance(y) * N as f64).collect();
        for side in [counts.range(edge..), counts.range(..=-edge)] {
            seen.push(side.map(|(_, count)| count).sum());
            expected.push(tail);
        }
        let deviate = chi_square(&seen, &expected);
        std::println!(
            "noise of {:?}: {deviate:.2} deviations of chi square, {Z} at most",
            metric.epsilon()
        );
        assert!(deviate.abs() < Z, "{:?}: {deviate}", metric.epsilon());
    }
}

#[test]
fn a_randomized_response_has_the_weights_that_it_says() {
    for (definition, value) in [(BIT, 0), (BIT, 1), (BIT_HALF, 1), (FIVE, 0), (FIVE, 3)] {
        let metric = metric(&definition);
        let Mechanism::RandomizedResponse { labels } = metric.mechanism() else {
            unreachable!()
        };
        let power = (f64::from(metric.epsilon().n()) / f64::from(metric.epsilon().d())).exp();
        let total = power + f64::from(labels) - 1.0;
        let counts = counted(&many(&definition, value));
        assert!(
            counts
                .keys()
                .all(|answer| (0..i64::from(labels)).contains(answer))
        );
        let seen: Vec<u64> = (0..i64::from(labels))
            .map(|label| counts.get(&label).copied().unwrap_or(0))
            .collect();
        let expected: Vec<f64> = (0..i64::from(labels))
            .map(|label| if label == value { power } else { 1.0 } / total * N as f64)
            .collect();
        let deviate = chi_square(&seen, &expected);
        std::println!("{labels} labels: {deviate:.2} deviations of chi square, {Z} at most");
        assert!(deviate < Z, "{definition:?}: {deviate}");
    }
}

#[test]
fn a_draw_ends_with_an_error_and_not_never() {
    /// Always the highest word, which is drawn again for every bound but a power of two.
    struct Stuck;
    impl Kdf for Stuck {
        fn hkdf(&self, _: &[u8], _: &[u8], _: &[&[u8]], out: &mut [u8]) -> Result<(), CryptoError> {
            out.fill(0xFF);
            Ok(())
        }
        fn hmac(&self, _: &[u8], _: &[&[u8]]) -> Result<[u8; 32], CryptoError> {
            Ok([0xFF; 32])
        }
    }
    for (definition, value) in [(TEN, 5), (FIVE, 1)] {
        let debit = Debit {
            seed: Secret::zero(),
            kdf: &Stuck,
            metric: metric(&definition),
            value,
        };
        assert_eq!(debit.draw().err(), Some(DrawError::Work));
    }
}

#[test]
fn an_estimate_finds_the_truth_within_its_error() {
    let metric = metric(&FIVE);
    let weights = Weights::new(5, metric.epsilon()).unwrap();
    let mut all = Vec::new();
    for (label, count) in [(0, 40_000), (1, 30_000), (2, 0), (3, 20_000), (4, 10_000)] {
        all.extend(answers(&FIVE, label, count, 3 + label as u64));
    }
    let counts = counted(&all);
    for (label, truth) in [(0, 40_000), (1, 30_000), (2, 0), (3, 20_000), (4, 10_000)] {
        let estimate = estimate::label(counts[&label], 100_000, weights).unwrap();
        let off = (estimate.thousandths - truth * 1000).unsigned_abs();
        assert!(off < 4 * estimate.error_thousandths, "{label}: {estimate:?}");
        assert!(
            (100_000..250_000).contains(&estimate.error_thousandths),
            "{estimate:?}"
        );
    }
    assert_eq!(estimate::label(2, 1, weights), None);

    let numbers: Vec<i64> = (0..=10).flat_map(|value| answers(&TEN, value, 1000, 9)).collect();
    let sensitivity = Sensitivity::of(0, 10).unwrap();
    let sum = estimate::sum(numbers.iter().sum(), 11_000, epsilon!(1 / 1), sensitivity).unwrap();
    let off = (sum.thousandths - 55_000 * 1000).unsigned_abs();
    assert!(
        off < 4 * sum.error_thousandths && sum.error_thousandths < 1_500_000,
        "{sum:?}"
    );
}

#[test]
fn standard_errors_are_what_repetition_shows() {
    let weights = Weights::new(2, epsilon!(1 / 1)).unwrap();
    let estimates: Vec<f64> = (0..400)
        .map(|round| {
            let mut all = answers(&BIT, 1, 300, round);
            all.extend(answers(&BIT, 0, 700, round + 1000));
            let seen = all.iter().filter(|answer| **answer == 1).count() as u64;
            estimate::label(seen, 1000, weights).unwrap().thousandths as f64 / 1000.0
        })
        .collect();
    let mean = estimates.iter().sum::<f64>() / 400.0;
    let variance = estimates.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 399.0;
    let said = estimate::label(407, 1000, weights).unwrap().error_thousandths as f64 / 1000.0;
    assert!((mean - 300.0).abs() < 4.0 * said / 20.0, "mean {mean}");
    assert!(
        (variance.sqrt() / said - 1.0).abs() < 0.15,
        "{} against {said}",
        variance.sqrt()
    );
}
