//! What is usual, learned from what was seen, by somebody who may be lied to.

mod record;

/// Bytes of the stored record (`FORMAT.md`, "Baseline record").
pub const BASELINE_RECORD_LEN: usize = record::LEN;

/// Periods until a baseline is used: a week of hours, so that every hour of every day was among them.
const WARM_UP: u16 = 168;
/// After the first day of warm-up one terrible hour counts as six deviations, or it would widen the scale for ever.
const FIRST_DAY: u16 = 24;
const UNUSUAL: u32 = 6;
/// A new value counts for a 64th, so that the mean follows over some days, and a day's ups and downs are deviations.
const WEIGHT_SHIFT: u32 = 6;
/// The mean follows a warm baseline by no more than a 256th of its scale in a period.
const STEP_SHIFT: u32 = 8;
/// The mean stays within so many scales of what it was when warm-up ended.
const DRIFT: u32 = 4;
/// One, in Q16.16.
const ONE: u32 = 1 << 16;

/// An exponentially weighted mean and absolute deviation, in Q16.16, that cannot be led astray.
///
/// - **Warm-up**: for the first 168 periods it learns and judges nothing. No value counts for more than the `ceiling` that
///   the maker gives for the product, so that an attacker who is there from the beginning does not become usual.
/// - **Frozen**: the caller teaches it no value that raised an alarm or is part of one.
/// - **Capped**: afterwards mean and deviation move by at most a 256th of the *scale* in each period, and all in all the mean
///   by four scales and the deviation to twice the scale. The scale is the deviation that was learned in warm-up, or a
///   sixteenth of the mean, or one unit, whichever is most. With periods of an hour, whoever raises a
///   device's traffic as slowly as can be needs 43 days for the four scales, and gets no further.
///
/// After an update that changes what is usual, begin with a new one.
///
/// State: 20 bytes. Values are whole units up to 65,535; larger ones count as that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Baseline {
    seen: u16,
    ceiling: u16,
    mean: u32,
    deviation: u32,
    /// As they were when warm-up ended.
    first_mean: u32,
    scale: u32,
}

impl Baseline {
    /// Knows nothing yet.
    pub(super) const fn new(ceiling: u16) -> Self {
        Self {
            seen: 0,
            ceiling,
            mean: 0,
            deviation: 0,
            first_mean: 0,
            scale: 0,
        }
    }

    /// As it was stored, if the record is as written and fits the ceiling; otherwise a new one.
    pub(super) fn restored(ceiling: u16, record: Option<&[u8; BASELINE_RECORD_LEN]>) -> Self {
        record
            .and_then(|bytes| record::decode(bytes, ceiling))
            .unwrap_or(Self::new(ceiling))
    }

    /// What [`restored`](Self::restored) takes.
    pub(super) fn record(&self) -> [u8; BASELINE_RECORD_LEN] {
        record::encode(self)
    }

    /// Whether it has seen enough to judge.
    pub(super) const fn is_warm(&self) -> bool {
        self.seen >= WARM_UP
    }

    /// Learns one value that was nothing unusual.
    pub(super) fn learn(&mut self, value: u32) {
        let value = fixed(value);
        if self.is_warm() {
            self.follow(value);
            return;
        }
        let mut value = value.min(u32::from(self.ceiling) << 16);
        if self.seen >= FIRST_DAY {
            value = value.min(self.mean.saturating_add(self.width().saturating_mul(UNUSUAL)));
        }
        self.seen = self.seen.saturating_add(1);
        // The first values count in full, each for one in so many as were seen.
        let weight = u32::from(self.seen).min(1 << WEIGHT_SHIFT);
        let away = value.abs_diff(self.mean);
        self.mean = towards(self.mean, value, share(away, weight));
        if self.seen > 1 {
            let change = share(away.abs_diff(self.deviation), weight);
            self.deviation = towards(self.deviation, away, change);
        }
        if self.is_warm() {
            self.first_mean = self.mean;
            self.scale = self.width();
            self.deviation = self.scale;
        }
    }

    /// The deviation, and no less than what chance and rounding make.
    fn width(&self) -> u32 {
        self.deviation.max(self.mean >> 4).max(ONE)
    }

    /// As slowly as an attacker may lead it, and no further.
    fn follow(&mut self, value: u32) {
        let step = self.scale >> STEP_SHIFT;
        let away = value.abs_diff(self.mean);
        let change = (away >> WEIGHT_SHIFT).min(step);
        let drift = self.scale.saturating_mul(DRIFT);
        // Not `clamp`, which panics on bounds that the compiler cannot know to be in order.
        self.mean = towards(self.mean, value, change)
            .max(self.first_mean.saturating_sub(drift))
            .min(self.first_mean.saturating_add(drift));
        let change = (away.abs_diff(self.deviation) >> WEIGHT_SHIFT).min(step);
        self.deviation = towards(self.deviation, away, change)
            .max(self.scale)
            .min(self.scale.saturating_mul(2));
    }

    /// How many deviations a value lies above the mean, with 8 bits after the point; negative below it.
    pub(super) fn deviations(&self, value: u32) -> i32 {
        let value = fixed(value);
        let away = u64::from(value.abs_diff(self.mean)) << 8;
        let deviations = away.checked_div(u64::from(self.deviation.max(1)));
        let deviations = deviations
            .and_then(|some| i32::try_from(some).ok())
            .unwrap_or(i32::MAX);
        if value < self.mean {
            deviations.saturating_neg()
        } else {
            deviations
        }
    }

    /// The mean, in whole units.
    pub(super) fn mean(&self) -> u16 {
        u16::try_from(self.mean >> 16).unwrap_or(u16::MAX)
    }
}

/// A value in Q16.16.
fn fixed(value: u32) -> u32 {
    value.min(u32::from(u16::MAX)) << 16
}

/// One in `weight` of it; `weight` is not zero.
fn share(value: u32, weight: u32) -> u32 {
    value.checked_div(weight).unwrap_or(value)
}

/// `from`, moved by `change` in the direction of `to`.
const fn towards(from: u32, to: u32, change: u32) -> u32 {
    if to >= from {
        from.saturating_add(change)
    } else {
        from.saturating_sub(change)
    }
}

#[cfg(test)]
mod tests;
