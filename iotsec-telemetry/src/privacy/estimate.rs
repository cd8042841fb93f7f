//! What noised answers say about all who gave them; for the collector.
//!
//! In thousandths, so that integers do.

use super::{Epsilon, Sensitivity, Weights};

/// A number and how far off it is likely to be, both in thousandths.
///
/// The truth is within twice the standard error 19 times out of 20. Below a few hundred answers the error is larger
/// than most of what there is to learn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// The number. It can be below zero, by chance.
    pub thousandths: i64,
    /// Its standard error from the noise alone.
    pub error_thousandths: u64,
}

/// How many of `all` devices have a label that `seen` answered.
///
/// Without bias. `None` when there are more than 2^32 answers, or fewer than `seen`.
///
/// ```
/// use iotsec_telemetry::{epsilon, privacy::{Weights, estimate}};
///
/// let weights = Weights::new(2, epsilon!(1 / 1))?;
/// let lit = estimate::label(4_000, 10_000, weights).unwrap();
/// assert_eq!((lit.thousandths / 1000, lit.error_thousandths / 1000), (2836, 95));
/// # Ok::<(), iotsec_telemetry::error::MetricError>(())
/// ```
pub fn label(seen: u64, all: u64, weights: Weights) -> Option<Estimate> {
    if seen > all || all > 1 << 32 {
        return None;
    }
    let (truth, other, total) = (weights.truth(), weights.other(), weights.total());
    let gap = truth.checked_sub(other)?;
    let above = i128::from(seen).checked_mul(i128::from(total))?;
    let above = above.checked_sub(i128::from(all).checked_mul(i128::from(other))?)?;
    let thousandths = above.checked_mul(1000)?.checked_div(i128::from(gap))?;
    let thousandths = i64::try_from(thousandths).ok()?;

    let have = u64::try_from(thousandths.checked_div(1000)?.max(0))
        .ok()?
        .min(all);
    let spread = |weight: u64, count: u64| {
        // Down to 32 bits, which leaves the product room.
        let shift = 64u32.saturating_sub(total.leading_zeros()).saturating_sub(32);
        let (weight, total) = (u128::from(weight >> shift), u128::from(total >> shift));
        let both = weight.checked_mul(total.checked_sub(weight)?)?;
        let gap = u128::from(gap >> shift).max(1);
        let spread = both.checked_mul(count.into())?.checked_mul(1_000_000)?;
        spread.checked_div(gap.checked_mul(gap)?)
    };
    let variance = spread(truth, have)?.checked_add(spread(other, all.checked_sub(have)?)?)?;
    Some(Estimate {
        thousandths,
        error_thousandths: u64::try_from(variance.isqrt()).ok()?,
    })
}

/// The sum over all devices, from the sum of `count` noised numbers.
///
/// The standard error is that of the continuous distribution, which is never below the true one and close to it
/// while epsilon is small beside the sensitivity. `None` beyond 64 bits.
///
/// ```
/// use iotsec_telemetry::{epsilon, privacy::{Sensitivity, estimate}};
///
/// let hours = estimate::sum(120_300, 10_000, epsilon!(1 / 2), Sensitivity::of(0, 24)?).unwrap();
/// assert_eq!((hours.thousandths / 1000, hours.error_thousandths / 1000), (120_300, 6788));
/// # Ok::<(), iotsec_telemetry::error::MetricError>(())
/// ```
pub fn sum(sum: i64, count: u64, epsilon: Epsilon, sensitivity: Sensitivity) -> Option<Estimate> {
    // Of one number: 2 (sensitivity d / n)^2.
    let scale = u128::from(sensitivity.get()).checked_mul(epsilon.d().into())?;
    let n = u128::from(epsilon.n());
    let variance = scale.checked_mul(scale)?.checked_mul(2_000_000)?;
    let variance = variance
        .checked_div(n.checked_mul(n)?)?
        .checked_mul(count.into())?;
    Some(Estimate {
        thousandths: sum.checked_mul(1000)?,
        error_thousandths: u64::try_from(variance.isqrt()).ok()?,
    })
}
