//! Polynomials by their values at roots of unity (VDAF §6.1.3.2).

use super::field::{Factor, Field};

/// From the values of a polynomial at the n-th roots of unity, n times its values halfway between them: at
/// `w, w^3, w^5, …` with w the root of order 2n. The length n is a power of two for which the field has roots.
///
/// To coefficients by decimation in frequency, which leaves them in bit-reversed order, and back by decimation
/// in time, which wants them so.
#[inline(never)]
pub(crate) fn move_halfway<F: Field>(values: &mut [F]) {
    let stages = usize::try_from(values.len().trailing_zeros()).unwrap_or_default();
    let mut half = values.len() >> 1;
    for inverse in F::INVERSE_ROOTS.iter().take(stages).rev() {
        let one = F::ONE.factor_by(&F::TO_FACTOR);
        stage(values, half, one, inverse, Decimation::Frequency);
        half >>= 1;
    }
    half = 1;
    for (step, first) in F::ROOTS.iter().zip(F::ROOTS.iter().skip(1)).take(stages) {
        stage(values, half, *first, step, Decimation::Time);
        half <<= 1;
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Decimation {
    Frequency,
    Time,
}

/// The butterflies of elements that are `half` apart, with twiddles from `twiddle` on.
#[inline(never)]
fn stage<F: Field>(
    values: &mut [F],
    half: usize,
    mut twiddle: Factor<F>,
    step: &Factor<F>,
    decimation: Decimation,
) {
    for at in 0..half {
        let (mut low, mut high) = (at, at.saturating_add(half));
        while let Ok([first, second]) = values.get_disjoint_mut([low, high]) {
            if decimation == Decimation::Time {
                second.multiply(&twiddle);
            }
            let mut difference = *first;
            difference.subtract(second);
            first.add(second);
            *second = difference;
            if decimation == Decimation::Frequency {
                second.multiply(&twiddle);
            }
            low = high.saturating_add(half);
            high = low.saturating_add(half);
        }
        twiddle.multiply(step);
    }
}

/// What turns the product of two results of [`move_halfway`] into the product of the values, once one of them is
/// multiplied by it: `1 / n^2`, as a factor of a factor.
pub(crate) fn halfway_factor<F: Field>(len: usize) -> Factor<F> {
    let mut factor = F::TO_FACTOR;
    let mut left = len;
    while left > 1 {
        factor.multiply(&F::HALF);
        factor.multiply(&F::HALF);
        left >>= 1;
    }
    factor
}
