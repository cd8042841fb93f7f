/// One, in the fixed-point numbers of a [`Cusum`].
const ONE: u32 = 256;
/// How far one value can push the sum: four deviations. A single period, however bad, is no trend.
const CLIP: i32 = 4 * 256;

/// A one-sided cumulative sum (Page 1954): notices that values have become larger, however little, if they stay so.
///
/// Values are in deviations above what is usual, with 8 bits after the point. For each, the sum changes by the value
/// less `slack`, and does not fall below zero; above `limit` it raises the alarm. Values count for four deviations at
/// most, and the sum stops at half a `limit` above it, so that an alarm ends soon after its cause.
///
/// With a slack of 0.5 and a limit of 5, normal noise alone raises an alarm once in 930 values, and a shift by one
/// deviation is noticed after 10 (Lucas and Crosier 1982); a limit of 10 makes that 140,000 and 20.
///
/// State: 8 bytes.
///
/// ```
/// use iotsec_telemetry::detect::Cusum;
///
/// let mut sum = Cusum::new(128, 10 * 256);
/// assert!((0..1000).all(|_| !sum.step(128)));
/// // One deviation above: half of it remains each time.
/// assert_eq!((0..).position(|_| sum.step(256)), Some(20));
/// ```
#[derive(Clone, Debug)]
pub struct Cusum {
    sum: u32,
    slack: u16,
    limit: u16,
}

impl Cusum {
    /// Starts at zero; `slack` and `limit` in 256ths of a deviation.
    pub const fn new(slack: u16, limit: u16) -> Self {
        Self { sum: 0, slack, limit }
    }

    /// Takes the next value, in 256ths of a deviation above what is usual; `true` while the sum is above the limit.
    pub fn step(&mut self, value: i32) -> bool {
        let change = value.clamp(-CLIP, CLIP).saturating_sub(i32::from(self.slack));
        let limit = u32::from(self.limit);
        let most = limit.saturating_add(limit >> 1).max(ONE);
        self.sum = self.sum.saturating_add_signed(change).min(most);
        self.is_alarmed()
    }

    /// Whether the sum is above the limit.
    pub fn is_alarmed(&self) -> bool {
        self.sum > u32::from(self.limit)
    }

    /// Whether the sum is in the lower half of what it takes for an alarm: nothing is suspicious.
    pub fn is_calm(&self) -> bool {
        self.sum <= u32::from(self.limit) >> 1
    }
}

#[cfg(test)]
mod tests {
    use iotsec_testkit::SimRng;

    use super::*;

    /// A standard normal value, with 8 bits after the point: half the sum of 48 even ones.
    fn normal(rng: &mut SimRng) -> i32 {
        let sum: u64 = (0..48).map(|_| rng.below(1 << 9)).sum();
        // Their mean is 255.5; rounded half up.
        (2 * i32::try_from(sum).unwrap() - 48 * 511 + 4) >> 3
    }

    /// Values until the alarm, on average over `runs`, in tenths.
    fn run_length(limit: u16, shift: i32, runs: u64) -> u64 {
        let mut rng = SimRng::new(0xA21);
        let mut values = 0;
        for _ in 0..runs {
            let mut sum = Cusum::new(128, limit);
            loop {
                values += 1;
                if sum.step(normal(&mut rng) + shift) {
                    break;
                }
            }
        }
        values * 10 / runs
    }

    /// Tables of textbooks (Montgomery, Introduction to Statistical Quality Control, after Lucas and Crosier 1982) have
    /// for both sides together, slack 0.5 and limit 5: 465 without a shift, 38.0 for half a deviation, 10.4 for one,
    /// 4.01 for two; one side alone raises half as many false alarms.
    #[test]
    fn run_lengths_are_those_of_the_published_tables() {
        for (shift, published, tolerance) in [(0, 9300, 450), (128, 380, 15), (256, 104, 3), (512, 40, 2)] {
            let measured = run_length(5 * 256, shift, 4_000);
            assert!(
                measured.abs_diff(published) <= tolerance,
                "shift {shift}: {measured} tenths, {published} in tables"
            );
        }
    }

    #[test]
    fn one_terrible_value_is_no_alarm_and_an_alarm_ends_with_its_cause() {
        let mut sum = Cusum::new(128, 10 * 256);
        assert!(!sum.step(i32::MAX));
        assert!((0..100).any(|_| sum.step(i32::MAX)));
        let values_to_calm = (0..).position(|_| {
            sum.step(0);
            sum.is_calm()
        });
        assert_eq!(values_to_calm, Some(10));
        assert!((0..100).all(|_| !sum.step(i32::MIN)));
    }
}
