//! What an attacker, or a statistician, sees of the answers. Floating point is for the tests alone.

#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "statistics of small numbers"
)]

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    vec,
    vec::Vec,
};

use iotsec_core::{
    crypto::{CryptoError, Kdf, Sha256},
    secret::Secret,
};
use iotsec_testkit::SimRng;

use super::{draws::Draws, *};
use crate::{
    epsilon, registry,
    registry::{Aggregate, Handling, HashedRegistry, MetricDef, Purpose},
};

mod attacker;
mod samplers;
mod vectors;

pub(super) const N: u64 = 300_000;
/// Of the normal distribution: a correct sampler fails one comparison in a million.
const Z: f64 = 4.75;

const fn rr(id: u16, answers: &'static [&'static str], epsilon: Epsilon) -> MetricDef {
    let aggregate = Aggregate::RandomizedResponse { answers, epsilon };
    MetricDef::new(id, "a", "1", Purpose::Usage, "An example", aggregate)
}

const fn laplace(id: u16, max: i64, epsilon: Epsilon) -> MetricDef {
    let aggregate = Aggregate::Laplace { min: 0, max, epsilon };
    MetricDef::new(id, "a", "1", Purpose::Usage, "An example", aggregate)
}

pub(super) const BIT: MetricDef = rr(1, &["no", "yes"], epsilon!(1 / 1));
const BIT_HALF: MetricDef = rr(2, &["no", "yes"], epsilon!(1 / 2));
pub(super) const FIVE: MetricDef = rr(3, &["a", "b", "c", "d", "e"], epsilon!(2 / 1));
const ONE_HALF: MetricDef = laplace(4, 1, epsilon!(1 / 2));
const ONE_TWO: MetricDef = laplace(5, 1, epsilon!(2 / 1));
pub(super) const TEN: MetricDef = laplace(6, 10, epsilon!(1 / 1));
const WIDE: MetricDef = laplace(7, 1_000_000, epsilon!(1 / 1));
const ODD: MetricDef = laplace(8, 3, epsilon!(7 / 5));
registry!(
    static METRICS = [],
    metrics [BIT, BIT_HALF, FIVE, ONE_HALF, ONE_TWO, TEN, WIDE, ODD],
    handling Handling::new("privacy@example.com", "Example", 30)
);

pub(super) fn hashed() -> HashedRegistry {
    METRICS.hashed(&mut Sha256::new())
}

pub(super) fn metric(definition: &MetricDef) -> Metric {
    Metric::new(&hashed(), definition).unwrap()
}

/// In place of HMAC, whose bits are as even and a hundred times dearer.
pub(super) struct Mixer;

impl Kdf for Mixer {
    fn hkdf(&self, salt: &[u8], key: &[u8], info: &[&[u8]], out: &mut [u8]) -> Result<(), CryptoError> {
        let [a, b] = info else { unreachable!() };
        for (to, from) in out.iter_mut().zip(self.hmac(key, &[salt, a, b])?) {
            *to = from;
        }
        Ok(())
    }
    fn hmac(&self, key: &[u8], parts: &[&[u8]]) -> Result<[u8; 32], CryptoError> {
        let mut state = 0x9E37_79B9_7F4A_7C15u64;
        for chunk in parts.iter().flat_map(|part| part.chunks(8)).chain(key.chunks(8)) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            state = (state ^ u64::from_le_bytes(word)).wrapping_mul(0xFF51_AFD7_ED55_8CCD);
            state ^= state >> 32;
        }
        let mut rng = SimRng::new(state);
        let mut out = [0; 32];
        rand_core::Rng::fill_bytes(&mut rng, &mut out);
        Ok(out)
    }
}

/// The answers of so many devices, each drawn from a seed of its own.
fn answers(definition: &MetricDef, value: i64, count: u64, seed: u64) -> Vec<i64> {
    let metric = metric(definition);
    let mut rng = SimRng::new(seed);
    let answer = |_| {
        let debit = Debit {
            seed: Secret::random(&mut rng).unwrap(),
            kdf: &Mixer,
            metric,
            value: metric.mechanism().clamped(value),
        };
        debit.answer(&mut Draws::new(&debit.seed, &Mixer)).unwrap()
    };
    (0..count).map(answer).collect()
}

/// [`N`] of them, drawn once for all tests.
fn many(definition: &MetricDef, value: i64) -> Arc<Vec<i64>> {
    type ByMetricAndValue = BTreeMap<(u16, i64), Arc<Vec<i64>>>;
    static DRAWN: Mutex<ByMetricAndValue> = Mutex::new(BTreeMap::new());
    let mut drawn = DRAWN.lock().unwrap();
    let drawn = drawn.entry((definition.id(), value)).or_insert_with(|| {
        let seed = u64::from(definition.id()) * 1000 + value.unsigned_abs();
        Arc::new(answers(definition, value, N, seed))
    });
    drawn.clone()
}

fn counted(answers: &[i64]) -> BTreeMap<i64, u64> {
    let mut counts = BTreeMap::new();
    for answer in answers {
        *counts.entry(*answer).or_default() += 1;
    }
    counts
}

/// Bounds of ln(p / q), given how often both events came.
fn log_ratio(p: u64, q: u64, of: u64) -> (f64, f64) {
    let bounds = |count: u64| {
        let share = count as f64 / of as f64;
        let error = Z * (share * (1.0 - share) / of as f64).sqrt();
        ((share - error).max(0.0), share + error)
    };
    let ((p_low, p_high), (q_low, q_high)) = (bounds(p), bounds(q));
    ((p_low / q_high).ln(), (p_high / q_low).ln())
}

/// Pearson's statistic, as the deviate of a normal distribution (Wilson and Hilferty).
fn chi_square(seen: &[u64], expected: &[f64]) -> f64 {
    assert_eq!(seen.len(), expected.len());
    assert!(expected.iter().all(|expected| *expected >= 5.0), "{expected:?}");
    let terms = seen.iter().zip(expected);
    let sum: f64 = terms
        .map(|(seen, want)| (*seen as f64 - want).powi(2) / want)
        .sum();
    let freedom = (seen.len() - 1) as f64;
    let spread = 2.0 / (9.0 * freedom);
    ((sum / freedom).cbrt() - (1.0 - spread)) / spread.sqrt()
}
