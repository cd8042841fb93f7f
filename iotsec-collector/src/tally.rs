//! Noised reports: what they say together.
//!
//! A report of randomized response or discrete Laplace noise says little about one device, and a tally of many says
//! much about all. Three things would spoil that: a report that counts twice, a result over a handful of devices, and
//! two results that differ by one report. So a [`Guard`] lets each report through once, a [`Tally`] with fewer reports
//! than its minimum has no result, and giving the result uses it up.

use std::collections::BTreeSet;

use iotsec_telemetry::privacy::{
    Answer, Mechanism, Metric, REPORT_ID_LEN, Sensitivity, Weights,
    estimate::{self, Estimate},
};

use crate::error::TallyError;

/// The least minimum there can be: with fewer, noise is nearly all that a result has.
pub const LEAST_MINIMUM: u64 = 20;

/// Remembers which reports have come, by their random names.
///
/// One for all tallies of a key: a report that was replayed into another tally would count twice as well. When it is
/// full it lets nothing through any more; begin a new one together with a new key of the collector.
#[derive(Debug)]
pub struct Guard {
    seen: BTreeSet<[u8; REPORT_ID_LEN]>,
    capacity: usize,
}

impl Guard {
    /// For so many reports, about 30 bytes each.
    pub const fn new(capacity: usize) -> Self {
        Self {
            seen: BTreeSet::new(),
            capacity,
        }
    }

    /// Lets a report through that has not come before.
    ///
    /// # Errors
    /// [`TallyError::Repeated`], [`TallyError::Full`].
    pub fn admit(&mut self, id: &[u8; REPORT_ID_LEN]) -> Result<(), TallyError> {
        if self.seen.contains(id) {
            return Err(TallyError::Repeated);
        }
        if self.seen.len() >= self.capacity {
            return Err(TallyError::Full);
        }
        self.seen.insert(*id);
        Ok(())
    }
}

/// The reports of one metric in one period.
///
/// ```
/// use iotsec_collector::{error::TallyError, tally::{Guard, Tally}};
/// # use iotsec_core::crypto::Sha256;
/// # use iotsec_telemetry::{epsilon, privacy::Metric, registry};
/// # use iotsec_telemetry::registry::{Aggregate, Handling, MetricDef, Purpose};
/// # const NIGHT: MetricDef = MetricDef::new(
/// #     1, "lamp.on-at-night", "1", Purpose::Usage, "Tells whether the night mode is worth having",
/// #     Aggregate::RandomizedResponse { answers: &["no", "yes"], epsilon: epsilon!(1 / 1) },
/// # );
/// # registry!(static PRODUCT = [], metrics [NIGHT], handling Handling::new("a@lamps.example", "Lamps Ltd", 90));
/// # let metric = Metric::new(&PRODUCT.hashed(&mut Sha256::new()), &NIGHT).unwrap();
/// let mut guard = Guard::new(1_000_000);
/// let tally = Tally::new(metric, 1000)?;
/// assert_eq!(tally.finish().err(), Some(TallyError::TooFew));
/// # Ok::<(), TallyError>(())
/// ```
#[derive(Debug)]
pub struct Tally {
    metric: Metric,
    minimum: u64,
    reports: u64,
    /// How often each label was answered.
    labels: Vec<u64>,
    sum: i64,
}

/// What all reports say together, with standard errors from the noise alone.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// For each label, in order: how many devices have it.
    Labels(Vec<Estimate>),
    /// The sum over all devices.
    Sum(Estimate),
}

impl Tally {
    /// Begins one that gives no result over fewer than `minimum` reports.
    ///
    /// # Errors
    /// [`TallyError::Minimum`] below [`LEAST_MINIMUM`].
    pub fn new(metric: Metric, minimum: u64) -> Result<Self, TallyError> {
        if minimum < LEAST_MINIMUM {
            return Err(TallyError::Minimum);
        }
        let labels = match metric.mechanism() {
            Mechanism::RandomizedResponse { labels } => usize::from(labels),
            _ => 0,
        };
        Ok(Self {
            metric,
            minimum,
            reports: 0,
            labels: vec![0; labels],
            sum: 0,
        })
    }

    /// Counts a report, once.
    ///
    /// # Errors
    /// [`TallyError`]; the report is not counted.
    pub fn add(&mut self, answer: &Answer, guard: &mut Guard) -> Result<(), TallyError> {
        if *answer.metric() != self.metric {
            return Err(TallyError::OtherMetric);
        }
        match self.metric.mechanism() {
            Mechanism::RandomizedResponse { .. } => {
                let label = usize::try_from(answer.value()).ok();
                let count = label.and_then(|label| self.labels.get_mut(label));
                let count = count.ok_or(TallyError::Overflow)?;
                guard.admit(answer.id())?;
                *count += 1;
            }
            _ => {
                let sum = self.sum.checked_add(answer.value()).ok_or(TallyError::Overflow)?;
                guard.admit(answer.id())?;
                self.sum = sum;
            }
        }
        self.reports += 1;
        Ok(())
    }

    /// Reports that were counted.
    pub const fn reports(&self) -> u64 {
        self.reports
    }

    /// The result, once.
    ///
    /// # Errors
    /// [`TallyError::TooFew`], and then nothing of the reports is left; [`TallyError::Overflow`].
    pub fn finish(self) -> Result<Outcome, TallyError> {
        if self.reports < self.minimum {
            return Err(TallyError::TooFew);
        }
        let epsilon = self.metric.epsilon();
        let outcome = match self.metric.mechanism() {
            Mechanism::RandomizedResponse { labels } => {
                Weights::new(labels, epsilon).ok().and_then(|weights| {
                    let of = |seen: &u64| estimate::label(*seen, self.reports, weights);
                    self.labels
                        .iter()
                        .map(of)
                        .collect::<Option<_>>()
                        .map(Outcome::Labels)
                })
            }
            Mechanism::Laplace { min, max } => Sensitivity::of(min, max).ok().and_then(|sensitivity| {
                estimate::sum(self.sum, self.reports, epsilon, sensitivity).map(Outcome::Sum)
            }),
            _ => None,
        };
        outcome.ok_or(TallyError::Overflow)
    }
}

#[cfg(test)]
mod tests;
