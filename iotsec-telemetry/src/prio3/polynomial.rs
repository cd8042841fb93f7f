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
        let mut twiddle = F::ONE.factor();
        for at in 0..half {
            each_pair(values, at, half, |low, high| {
                let (sum, difference) = (low.plus(*high), low.minus(*high));
                (*low, *high) = (sum, difference.times(twiddle));
            });
            twiddle = twiddle.times(*inverse);
        }
        half >>= 1;
    }
    half = 1;
    for (step, first) in F::ROOTS.iter().zip(F::ROOTS.iter().skip(1)).take(stages) {
        let mut twiddle = *first;
        for at in 0..half {
            each_pair(values, at, half, |low, high| {
                let turned = high.times(twiddle);
                (*low, *high) = (low.plus(turned), low.minus(turned));
            });
            twiddle = twiddle.times(*step);
        }
        half <<= 1;
    }
}

/// The elements at `at` and `at + half`, and those at every multiple of `2 half` from there.
fn each_pair<F: Field>(values: &mut [F], at: usize, half: usize, mut butterfly: impl FnMut(&mut F, &mut F)) {
    let (mut low, mut high) = (at, at.saturating_add(half));
    while let Ok([first, second]) = values.get_disjoint_mut([low, high]) {
        butterfly(first, second);
        low = high.saturating_add(half);
        high = low.saturating_add(half);
    }
}

/// What turns the product of two results of [`move_halfway`] into the product of the values, once one of them is
/// multiplied by it: `1 / n^2`, as a factor of a factor.
pub(crate) fn halfway_factor<F: Field>(len: usize) -> Factor<F> {
    let mut factor = F::TO_FACTOR;
    let mut left = len;
    while left > 1 {
        factor = factor.times(F::HALF).times(F::HALF);
        left >>= 1;
    }
    factor
}
