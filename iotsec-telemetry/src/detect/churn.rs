use iotsec_core::hal::Millis;

use super::{
    BASELINE_RECORD_LEN, Cusum, Finding, RECONNECTS, TLS_REJECTS, baseline::Baseline, pace::Repeats,
    period::Periods,
};
use crate::registry::EventDef;

const PERIOD: Millis = Millis::from_secs(3600);
/// Half a standard deviation, so that a shift by one is found soonest.
const SLACK: u16 = 128;
/// With a limit of 5, chance alone raises an alarm every 39 days of hours; with 10 once in 16 years.
const LIMIT: u16 = 10 * 256;

/// Notices that something which happens now and then happens more often: connections that break, servers that are
/// refused.
///
/// Events are counted by the hour. How many are usual is learned for a week and then followed slowly, up to a bound
/// (`FORMAT.md`, "Baseline record"); a [`Cusum`] over the deviations, with slack 0.5 and limit 10, notices a small
/// increase that lasts and a large one after three hours. Before the week is over, `ceiling` counts as usual. What goes on
/// is reported again after twice as many hours. Hours of an alarm are not learned.
///
/// State: 80 bytes. The baseline is kept with [`record`](Self::record), about once a day.
///
/// *Power loss:* a record that was not kept, or is not as written, means a new week.
///
/// ```
/// use iotsec_core::hal::Millis;
/// use iotsec_telemetry::detect::{Churn, RECONNECTS};
///
/// let mut broken = Churn::reconnects(2, None, Millis(0));
/// let mut findings = (0..600u64).filter_map(|minute| broken.happened(Millis::from_secs(minute * 60)));
/// assert_eq!(findings.next().unwrap().event(), &RECONNECTS);
/// ```
#[derive(Clone, Debug)]
pub struct Churn {
    event: &'static EventDef,
    ceiling: u16,
    sum: Cusum,
    periods: Periods,
    baseline: Baseline,
    repeats: Repeats,
}

impl Churn {
    /// For connections that break. `ceiling` is how many a product must bear in an hour: no higher number is learned as
    /// usual.
    ///
    /// Attempts that fail while a service is away are none: an outage is nobody's attack on this device.
    pub fn reconnects(ceiling: u16, record: Option<&[u8; BASELINE_RECORD_LEN]>, now: Millis) -> Self {
        Self::new(&RECONNECTS, ceiling, record, now)
    }

    /// For servers, and certificates, that were refused.
    pub fn tls_rejects(ceiling: u16, record: Option<&[u8; BASELINE_RECORD_LEN]>, now: Millis) -> Self {
        Self::new(&TLS_REJECTS, ceiling, record, now)
    }

    fn new(
        event: &'static EventDef,
        ceiling: u16,
        record: Option<&[u8; BASELINE_RECORD_LEN]>,
        now: Millis,
    ) -> Self {
        Self {
            event,
            ceiling,
            sum: Cusum::new(SLACK, LIMIT),
            periods: Periods::new(PERIOD, now),
            baseline: Baseline::restored(ceiling, record),
            repeats: Repeats::new(),
        }
    }

    /// Counts one at `now`.
    pub fn happened(&mut self, now: Millis) -> Option<Finding> {
        let finding = self.tend(now);
        self.periods.add(1);
        finding
    }

    /// To be called now and then, so that hours end in which nothing happens.
    pub fn tend(&mut self, now: Millis) -> Option<Finding> {
        let mut finding = None;
        while let Some(count) = self.periods.finished(now) {
            finding = self.judge(count, now).or(finding);
        }
        finding
    }

    fn judge(&mut self, count: u32, now: Millis) -> Option<Finding> {
        let alarmed = self.sum.step(self.deviations(count));
        if !alarmed {
            // While it may become an alarm, the upper half of the sum, nothing is learned either.
            if self.sum.is_calm() {
                self.baseline.learn(count);
                self.repeats.clear();
            }
            return None;
        }
        self.repeats.seen(0, now)?;
        let usual = if self.baseline.is_warm() {
            self.baseline.mean()
        } else {
            self.ceiling
        };
        Some(Finding::new(
            self.event,
            usual,
            u16::try_from(count).unwrap_or(u16::MAX),
        ))
    }

    /// Standard deviations above what is usual, with 8 bits after the point.
    fn deviations(&self, count: u32) -> i32 {
        if self.baseline.is_warm() {
            // A standard deviation is 1.25 absolute ones, where values are spread normally.
            let deviations = self.baseline.deviations(count);
            return deviations.saturating_sub(deviations.checked_div(5).unwrap_or_default());
        }
        let count = i32::try_from(count.min(u32::from(u16::MAX))).unwrap_or(i32::MAX);
        count.saturating_sub(self.ceiling.into()).saturating_mul(256)
    }

    /// Whether it happens too often now.
    pub fn is_alarmed(&self) -> bool {
        self.sum.is_alarmed()
    }

    /// Whether the week of learning is over.
    pub const fn is_warm(&self) -> bool {
        self.baseline.is_warm()
    }

    /// What the next boot needs.
    pub fn record(&self) -> [u8; BASELINE_RECORD_LEN] {
        self.baseline.record()
    }
}
