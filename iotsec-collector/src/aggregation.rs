//! Shares of Prio3, checked and summed by libprio (VDAF, draft-irtf-cfrg-vdaf-18).
//!
//! Both aggregators in one process: for tests, for trying metrics out, and for a maker who has no second server yet and
//! says so. Then the maker could know each value, and what protects people is that this code does not keep it. In
//! production each of two organisations runs one aggregator, such as a DAP service, and only the sums meet.

use std::collections::BTreeSet;

use iotsec_telemetry::{
    prio3::NONCE_LEN,
    registry::{Aggregate, MetricDef},
};
use prio::{
    codec::ParameterizedDecode,
    vdaf::{
        Aggregator, Collector, VdafError, VerifyTransition,
        prio3::{Prio3Count, Prio3Histogram, Prio3Sum, optimal_chunk_length},
    },
};

use crate::{error::AggregationError, tally::LEAST_MINIMUM};

/// What a device sends to the two servers, opened.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// Random and never used again; here it also tells repetitions.
    pub nonce: &'a [u8; NONCE_LEN],
    /// For both.
    pub public: &'a [u8],
    /// For the first server.
    pub leader: &'a [u8],
    /// For the second.
    pub helper: &'a [u8],
}

/// The sum of one metric over the reports of a period.
///
/// ```
/// use iotsec_collector::{aggregation::Aggregation, error::AggregationError};
/// use iotsec_telemetry::registry::{Aggregate, MetricDef, Purpose};
///
/// const RESTARTS: MetricDef = MetricDef::new(
///     1, "restarts", "1", Purpose::Security, "Shows devices that are attacked or broken", Aggregate::Sum { max: 255 },
/// );
/// let aggregation = Aggregation::new(&RESTARTS, b"context", [9; 32], 100)?;
/// assert_eq!(aggregation.finish().err(), Some(AggregationError::TooFew));
/// # Ok::<(), AggregationError>(())
/// ```
#[derive(Debug)]
pub struct Aggregation {
    vdaf: Kind,
    context: Vec<u8>,
    verify_key: [u8; 32],
    minimum: usize,
    seen: BTreeSet<[u8; NONCE_LEN]>,
}

#[derive(Debug)]
enum Kind {
    Count(Prio3Count, Shares<Prio3Count>),
    Sum(Prio3Sum, Shares<Prio3Sum>),
    Histogram(Prio3Histogram, Shares<Prio3Histogram>),
}

/// The sums of both servers so far.
type Shares<V> = [<V as prio::vdaf::Vdaf>::AggregateShare; 2];

/// What all reports say together. There is no noise in it: who publishes it adds some.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Total {
    /// How many said yes, or the sum.
    Sum(u64),
    /// How many are in each bucket.
    Buckets(Vec<u64>),
}

impl Aggregation {
    /// Begins one that gives no result over fewer than `minimum` reports. `context` is what devices split with, and
    /// `verify_key` is random and shared by the two servers, and unknown to devices.
    ///
    /// # Errors
    /// [`AggregationError::Metric`] for a metric of another kind, [`AggregationError::Minimum`].
    pub fn new(
        metric: &MetricDef,
        context: &[u8],
        verify_key: [u8; 32],
        minimum: usize,
    ) -> Result<Self, AggregationError> {
        if u64::try_from(minimum).unwrap_or(u64::MAX) < LEAST_MINIMUM {
            return Err(AggregationError::Minimum);
        }
        let wrong = |_: VdafError| AggregationError::Metric;
        let vdaf = match metric.aggregate() {
            Aggregate::Count => {
                let vdaf = Prio3Count::new_count(2).map_err(wrong)?;
                let shares = empty(&vdaf);
                Kind::Count(vdaf, shares)
            }
            Aggregate::Sum { max } => {
                let vdaf = Prio3Sum::new_sum(2, max).map_err(wrong)?;
                let shares = empty(&vdaf);
                Kind::Sum(vdaf, shares)
            }
            Aggregate::Histogram(buckets) => {
                let len = buckets.edges().len() + 1;
                let vdaf = Prio3Histogram::new_histogram(2, len, optimal_chunk_length(len)).map_err(wrong)?;
                let shares = empty(&vdaf);
                Kind::Histogram(vdaf, shares)
            }
            Aggregate::RandomizedResponse { .. } | Aggregate::Laplace { .. } => {
                return Err(AggregationError::Metric);
            }
        };
        Ok(Self {
            vdaf,
            context: context.to_vec(),
            verify_key,
            minimum,
            seen: BTreeSet::new(),
        })
    }

    /// Checks a report as both servers do, and adds it to their sums.
    ///
    /// # Errors
    /// [`AggregationError::Repeated`]; [`AggregationError::Invalid`] when the shares do not decode, do not belong
    /// together, or are of a value that the metric does not have. Nothing is added.
    pub fn add(&mut self, report: &Report<'_>) -> Result<(), AggregationError> {
        if self.seen.contains(report.nonce) {
            return Err(AggregationError::Repeated);
        }
        let (key, context) = (&self.verify_key, &self.context);
        let added = match &mut self.vdaf {
            Kind::Count(vdaf, sums) => add(vdaf, sums, key, context, report),
            Kind::Sum(vdaf, sums) => add(vdaf, sums, key, context, report),
            Kind::Histogram(vdaf, sums) => add(vdaf, sums, key, context, report),
        };
        added.ok_or(AggregationError::Invalid)?;
        self.seen.insert(*report.nonce);
        Ok(())
    }

    /// Reports that were added.
    pub fn reports(&self) -> usize {
        self.seen.len()
    }

    /// The result, once.
    ///
    /// # Errors
    /// [`AggregationError::TooFew`], and then nothing of the reports is left.
    pub fn finish(self) -> Result<Total, AggregationError> {
        let count = self.seen.len();
        if count < self.minimum {
            return Err(AggregationError::TooFew);
        }
        let wide = |buckets: Vec<u128>| buckets.into_iter().map(|n| u64::try_from(n).ok()).collect();
        let total = match self.vdaf {
            Kind::Count(vdaf, sums) => vdaf.unshard(&(), sums, count).ok().map(Total::Sum),
            Kind::Sum(vdaf, sums) => vdaf.unshard(&(), sums, count).ok().map(Total::Sum),
            Kind::Histogram(vdaf, sums) => {
                let buckets = vdaf.unshard(&(), sums, count).ok().and_then(wide);
                buckets.map(Total::Buckets)
            }
        };
        total.ok_or(AggregationError::Invalid)
    }
}

/// What libprio's VDAFs here have in common.
trait OneRound: Aggregator<32, NONCE_LEN, AggregationParam = ()> {}
impl<V: Aggregator<32, NONCE_LEN, AggregationParam = ()>> OneRound for V {}

fn empty<V: OneRound>(vdaf: &V) -> [V::AggregateShare; 2] {
    [(), ()].map(|()| vdaf.aggregate_init(&()))
}

/// Both servers check first; then both add, or neither.
fn add<V: OneRound>(
    vdaf: &V,
    sums: &mut [V::AggregateShare; 2],
    key: &[u8; 32],
    context: &[u8],
    report: &Report<'_>,
) -> Option<()> {
    use prio::vdaf::Aggregatable as _;
    let public = V::PublicShare::get_decoded_with_param(vdaf, report.public).ok()?;
    let (mut states, mut shares) = (Vec::new(), Vec::new());
    for (server, bytes) in [report.leader, report.helper].into_iter().enumerate() {
        let input = V::InputShare::get_decoded_with_param(&(vdaf, server), bytes).ok()?;
        let begun = vdaf.verify_init(key, context, server, &(), report.nonce, &public, &input);
        let (state, share) = begun.ok()?;
        states.push(state);
        shares.push(share);
    }
    let message = vdaf.verifier_shares_to_message(context, &(), shares).ok()?;
    let mut outputs = Vec::new();
    for state in states {
        match vdaf.verify_next(context, state, message.clone()).ok()? {
            VerifyTransition::Finish(output) => outputs.push(output),
            VerifyTransition::Continue(..) => return None,
        }
    }
    let mut added = sums.clone();
    for (sum, output) in added.iter_mut().zip(&outputs) {
        sum.accumulate(output).ok()?;
    }
    *sums = added;
    Some(())
}

#[cfg(test)]
mod tests {
    use iotsec_telemetry::{
        consent::Consents,
        prio3::{Measurement, Prio3},
        registry::{Buckets, Purpose},
        value::Value,
    };
    use iotsec_testkit::SimRng;

    use super::*;

    const RESTARTS: MetricDef = metric(Aggregate::Sum { max: 255 });
    const ATTACKED: MetricDef = metric(Aggregate::Count);
    const EDGES: Buckets = Buckets::new(&[1, 4, 12]);
    const HOURS: MetricDef = metric(Aggregate::Histogram(EDGES));

    const fn metric(aggregate: Aggregate) -> MetricDef {
        MetricDef::new(
            1,
            "m",
            "1",
            Purpose::Security,
            "Shows devices that are attacked",
            aggregate,
        )
    }

    fn report(metric: &MetricDef, value: Value<'_>, device: u8, use_it: impl FnOnce(&Report<'_>)) {
        let (vdaf, consents) = (Prio3::of(metric).unwrap(), Consents::off());
        let measurement = Measurement::new(metric, value, &consents, None).unwrap();
        let (nonce, mut rng) = ([device; NONCE_LEN], SimRng::new(device.into()));
        let mut buffer = vec![0; vdaf.shares_len()];
        let shares = vdaf
            .split(measurement, b"context", &nonce, &mut rng, &mut buffer)
            .unwrap();
        use_it(&Report {
            nonce: &nonce,
            public: shares.public(),
            leader: shares.leader(),
            helper: shares.helper(),
        });
    }

    fn total(metric: &MetricDef, value: fn(u8) -> Value<'static>) -> Total {
        let mut aggregation = Aggregation::new(metric, b"context", [9; 32], 100).unwrap();
        for device in 0..100 {
            report(metric, value(device), device, |report| {
                aggregation.add(report).unwrap();
                assert_eq!(aggregation.add(report), Err(AggregationError::Repeated));
            });
        }
        assert_eq!(aggregation.reports(), 100);
        aggregation.finish().unwrap()
    }

    #[test]
    fn sums_of_what_devices_split_are_those_of_their_values() {
        assert_eq!(
            total(&RESTARTS, |device| (device % 7).into()),
            Total::Sum((0..100).map(|n| n % 7).sum())
        );
        assert_eq!(
            total(&ATTACKED, |device| (device % 10 == 0).into()),
            Total::Sum(10)
        );
        let hours = total(&HOURS, |device| Value::bucket((device % 20).into(), EDGES));
        assert_eq!(hours, Total::Buckets(vec![5, 15, 40, 40]));
    }

    #[test]
    fn a_share_that_was_changed_or_exchanged_is_not_added_and_too_few_give_nothing() {
        let mut aggregation = Aggregation::new(&RESTARTS, b"context", [9; 32], 20).unwrap();
        report(&RESTARTS, 3u8.into(), 1, |good| {
            let mut leader = good.leader.to_vec();
            leader[8] ^= 1;
            let changed = Report {
                leader: &leader,
                ..*good
            };
            assert_eq!(aggregation.add(&changed), Err(AggregationError::Invalid));
            let cut = Report {
                helper: &good.helper[1..],
                ..*good
            };
            assert_eq!(aggregation.add(&cut), Err(AggregationError::Invalid));
            report(&RESTARTS, 3u8.into(), 2, |other| {
                let mixed = Report {
                    helper: other.helper,
                    ..*good
                };
                assert_eq!(aggregation.add(&mixed), Err(AggregationError::Invalid));
            });
            // What was refused leaves no trace.
            aggregation.add(good).unwrap();
        });
        assert_eq!(aggregation.reports(), 1);
        assert_eq!(aggregation.finish(), Err(AggregationError::TooFew));
        let minimum = Aggregation::new(&RESTARTS, b"", [9; 32], 19);
        assert_eq!(minimum.err(), Some(AggregationError::Minimum));
    }
}
