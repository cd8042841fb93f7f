use iotsec_core::hal::Millis;

use super::{BASELINE_RECORD_LEN, Finding, TRAFFIC, baseline::Baseline, pace::Repeats, period::Periods};

/// Deviations above the mean that are unusual, in 256ths. For traffic that is spread normally 6 absolute deviations are
/// 4.8 standard deviations.
const UNUSUAL: i32 = 6 * 256;
/// Periods in a row: an update, or a first synchronisation, is over by then.
const IN_A_ROW: u8 = 3;

/// How traffic is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrafficPlan {
    /// The length of a period, from a minute to a week.
    pub period: Millis,
    /// What this product needs in one period at most, in the unit that the application counts in: its maker knows. Three
    /// periods above it are reported from the first day, and nothing above it is ever learned as usual.
    pub ceiling: u16,
}

/// Notices that a device sends or receives far more than usual for three periods in a row.
///
/// The application counts in a unit of its own, such as KiB, of which a period has at most some thousands. What is usual is
/// learned for 168 periods, a week of hours, and then followed slowly. How far somebody can push it is bounded: `FORMAT.md`,
/// "Baseline record". What goes on is reported again after twice as many periods.
///
/// State: 60 bytes at most. The baseline is kept with [`record`](Self::record), about once a day.
///
/// *Power loss:* a record that was not kept, or is not as written, means warm-up again, under the ceiling.
///
/// ```
/// use iotsec_core::hal::Millis;
/// use iotsec_telemetry::detect::{TrafficPlan, TrafficVolume};
///
/// const PLAN: TrafficPlan = TrafficPlan { period: Millis::from_secs(3600), ceiling: 500 };
/// let mut sent = TrafficVolume::new(0, PLAN, None, Millis(0));
/// let mut findings = 0;
/// for hour in 0..200 {
///     let kib = if hour < 190 { 20 + hour % 5 } else { 400 };
///     let now = Millis::from_secs(hour * 3600 + 60);
///     findings += u32::from(sent.count(kib as u32, now).is_some());
/// }
/// assert_eq!(findings, 3); // after 3, 4 and 6 hours of it
/// let kept = sent.record();
/// let sent = TrafficVolume::new(0, PLAN, Some(&kept), Millis(0));
/// assert!(sent.is_warm());
/// ```
#[derive(Clone, Debug)]
pub struct TrafficVolume {
    meter: u8,
    /// Periods in a row that were unusual.
    unusual: u8,
    ceiling: u16,
    periods: Periods,
    baseline: Baseline,
    repeats: Repeats,
}

impl TrafficVolume {
    /// For meter number `meter` of the product, 0 to 15, such as what is sent.
    pub fn new(
        meter: u8,
        plan: TrafficPlan,
        record: Option<&[u8; BASELINE_RECORD_LEN]>,
        now: Millis,
    ) -> Self {
        Self {
            meter: meter.min(15),
            unusual: 0,
            ceiling: plan.ceiling,
            periods: Periods::new(plan.period, now),
            baseline: Baseline::restored(plan.ceiling, record),
            repeats: Repeats::new(),
        }
    }

    /// Counts traffic at `now`.
    pub fn count(&mut self, units: u32, now: Millis) -> Option<Finding> {
        let finding = self.tend(now);
        self.periods.add(units);
        finding
    }

    /// To be called now and then, so that periods end without traffic too.
    pub fn tend(&mut self, now: Millis) -> Option<Finding> {
        let mut finding = None;
        while let Some(units) = self.periods.finished(now) {
            finding = self.judge(units, now).or(finding);
        }
        finding
    }

    fn judge(&mut self, units: u32, now: Millis) -> Option<Finding> {
        let deviations = self.baseline.deviations(units);
        let is_unusual = if self.baseline.is_warm() {
            deviations > UNUSUAL
        } else {
            units > u32::from(self.ceiling)
        };
        if !is_unusual {
            self.baseline.learn(units);
            self.unusual = 0;
            self.repeats.clear();
            return None;
        }
        // Nothing is learned from it: what is unusual now must not become usual.
        self.unusual = self.unusual.saturating_add(1);
        if self.unusual < IN_A_ROW {
            return None;
        }
        self.repeats.seen(0, now)?;
        let deviations = u16::try_from(deviations >> 8).unwrap_or(u16::MAX);
        Some(Finding::new(&TRAFFIC, self.meter, deviations))
    }

    /// Whether it is unusual now, for three periods or more.
    pub const fn is_alarmed(&self) -> bool {
        self.unusual >= IN_A_ROW
    }

    /// Whether warm-up is over.
    pub const fn is_warm(&self) -> bool {
        self.baseline.is_warm()
    }

    /// What the next boot needs.
    pub fn record(&self) -> [u8; BASELINE_RECORD_LEN] {
        self.baseline.record()
    }
}

iotsec_core::claim! {
    provisions: ["5.10-1"],
    claims: "More traffic than is usual, or than the maker allows, becomes an event",
    code: [TrafficVolume::tend],
    tests: [
        "iotsec-telemetry::iotsec_telemetry::detect::traffic_volume::tests::two_hours_are_an_update_and_three_are_not",
        "iotsec-telemetry::iotsec_telemetry::detect::traffic_volume::tests::more_than_the_maker_allows_is_reported_in_the_first_week",
    ],
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: TrafficPlan = TrafficPlan {
        period: Millis::from_secs(3600),
        ceiling: 500,
    };

    /// Reports when `units(hour)` is sent in each hour.
    fn reports(meter: &mut TrafficVolume, hours: core::ops::Range<u64>, units: impl Fn(u64) -> u32) -> usize {
        hours
            .filter(|hour| {
                let (in_it, after) = (hour * 3600 + 1, (hour + 1) * 3600);
                let counted = meter.count(units(*hour), Millis::from_secs(in_it));
                counted.or(meter.tend(Millis::from_secs(after))).is_some()
            })
            .count()
    }

    fn usual(hour: u64) -> u32 {
        20 + u32::try_from(hour % 5).unwrap()
    }

    #[test]
    fn what_is_alarming_is_never_learned() {
        let mut meter = TrafficVolume::new(0, PLAN, None, Millis(0));
        assert_eq!(reports(&mut meter, 0..200, usual), 0);
        let before = meter.record();
        // Two months of it: it is reported ever more rarely, and does not become usual.
        assert_eq!(reports(&mut meter, 200..1640, |_| 400), 11);
        assert!(meter.is_alarmed());
        assert_eq!(meter.record(), before);
        assert_eq!(reports(&mut meter, 1640..2000, usual), 0);
        assert!(!meter.is_alarmed());
    }

    #[test]
    fn two_hours_are_an_update_and_three_are_not() {
        let mut meter = TrafficVolume::new(0, PLAN, None, Millis(0));
        assert_eq!(reports(&mut meter, 0..200, usual), 0);
        assert_eq!(reports(&mut meter, 200..202, |_| 5000), 0);
        assert_eq!(reports(&mut meter, 202..203, usual), 0);
        assert_eq!(reports(&mut meter, 203..206, |_| 5000), 1);
    }

    #[test]
    fn more_than_the_maker_allows_is_reported_in_the_first_week() {
        let mut meter = TrafficVolume::new(0, PLAN, None, Millis(0));
        assert_eq!(reports(&mut meter, 0..3, |_| 501), 1);
        assert!(!meter.is_warm());
    }
}
