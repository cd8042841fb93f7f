//! Randomized response over any number of labels.

use super::{DrawError, Epsilon, draws::Draws};
use crate::error::MetricError;

/// Labels of one metric at most: an answer is one byte.
pub const MAX_LABELS: u16 = 256;
/// The weight of every answer but the true one.
const OTHER: u64 = 1 << 32;
/// Fraction bits while *e*^ε is computed.
const BITS: u32 = 40;
/// ε is divided by 2^HALVINGS, so that it is at most 1, and the result squared as often.
const HALVINGS: u32 = 4;

/// How likely each answer is, in whole numbers: the true label has the weight `truth`, each other one `other`.
///
/// The device draws by these numbers and the service estimates by them, so they agree to the last bit.
///
/// ```
/// use iotsec_telemetry::{epsilon, privacy::Weights};
///
/// let weights = Weights::new(2, epsilon!(1 / 1))?;
/// let truth = weights.truth() * 1000 / weights.total();
/// assert_eq!(truth, 731); // e / (e + 1)
/// # Ok::<(), iotsec_telemetry::error::MetricError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weights {
    truth: u64,
    labels: u16,
}

impl Weights {
    /// The weights for a choice of `labels` under `epsilon`.
    ///
    /// The quotient `truth / other` is at most *e*^ε, and above *e*^(ε - 2^-28): every step below rounds down.
    /// Two true labels differ in nothing but which of the answers has the weight `truth`, and `total` is the
    /// same for both. So no answer is more than `truth / other` times likelier under one than under the other,
    /// which is ε-local differential privacy with no error term.
    ///
    /// # Errors
    /// [`MetricError::Bounds`] unless there are 2 to [`MAX_LABELS`] labels.
    pub fn new(labels: u16, epsilon: Epsilon) -> Result<Self, MetricError> {
        if !(2..=MAX_LABELS).contains(&labels) {
            return Err(MetricError::Bounds);
        }
        // At most e^16 * 2^40, which is below 2^64, and at least 2^40.
        let power = exp_floor(epsilon).ok_or(MetricError::Bounds)?;
        Ok(Self {
            truth: power >> (BITS - 32),
            labels,
        })
    }

    /// The weight of the true label.
    pub const fn truth(&self) -> u64 {
        self.truth
    }

    /// The weight of each other label.
    pub const fn other(&self) -> u64 {
        OTHER
    }

    /// All weights together.
    pub fn total(&self) -> u64 {
        let others = u64::from(self.labels).saturating_sub(1).saturating_mul(OTHER);
        self.truth.saturating_add(others)
    }

    /// How many labels there are.
    pub const fn labels(&self) -> u16 {
        self.labels
    }

    /// An answer in place of `label`. One draw, and the same work for every label and every answer.
    pub(super) fn draw(&self, draws: &mut Draws<'_>, label: u16) -> Result<u16, DrawError> {
        let at = draws.below(self.total())?;
        // Zero for the truth, and 1, 2, … for the labels that follow it around the circle.
        let lie = at
            .checked_sub(self.truth)
            .map_or(0, |at| (at >> 32).saturating_add(1));
        let answer = u64::from(label).saturating_add(lie);
        let answer = answer.checked_rem(self.labels.into()).ok_or(DrawError::Work)?;
        u16::try_from(answer).map_err(|_| DrawError::Work)
    }
}

/// *e*^ε in units of 2^-BITS, never above it.
///
/// The series has positive terms only, and a square of a lower bound is one too, so rounding down each time and
/// leaving out the small terms leaves a lower bound.
fn exp_floor(epsilon: Epsilon) -> Option<u64> {
    let one = 1u64 << BITS;
    let d = u64::from(epsilon.d()) << HALVINGS;
    let (mut sum, mut term, mut k) = (one, one, 1u64);
    while term > 0 {
        // term <= 2^40 and n < 2^18.
        let divisor = d.checked_mul(k)?;
        term = term.checked_mul(epsilon.n().into())?.checked_div(divisor)?;
        sum = sum.checked_add(term)?;
        k = k.checked_add(1)?;
    }
    for _ in 0..HALVINGS {
        let square = u128::from(sum).checked_mul(sum.into())?;
        sum = u64::try_from(square >> BITS).ok()?;
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_never_above_the_power_and_close_below_it() {
        for (n, d) in [
            (1, 10_000),
            (1, 100),
            (1, 3),
            (1, 2),
            (1, 1),
            (3, 2),
            (2, 1),
            (7, 2),
            (16, 1),
        ] {
            let epsilon = Epsilon::new(n, d).unwrap();
            let weights = Weights::new(2, epsilon).unwrap();
            #[expect(clippy::cast_precision_loss, reason = "53 bits are enough to compare")]
            let got = (weights.truth() as f64 / weights.other() as f64).ln();
            let want = f64::from(n) / f64::from(d);
            assert!(got <= want + 1e-14, "{n}/{d}: {got}");
            assert!(got >= want - f64::from(2).powi(-28), "{n}/{d}: {got}");
        }
    }

    #[test]
    fn weights_know_two_to_256_labels() {
        let epsilon = Epsilon::new(1, 1).unwrap();
        assert_eq!(Weights::new(1, epsilon), Err(MetricError::Bounds));
        assert_eq!(Weights::new(257, epsilon), Err(MetricError::Bounds));
        assert!(Weights::new(256, Epsilon::new(16, 1).unwrap()).unwrap().total() < 1 << 57);
    }
}
