//! The discrete Laplace distribution (Canonne, Kamath, Steinke, arXiv 2004.00010, algorithm 2).

use super::{DrawError, Epsilon, Sensitivity, draws::Draws};

/// Noise y with probability proportional to exp(-|y| ε / sensitivity), exactly.
///
/// How long it takes depends on the noise, though not on the value that it is added to: whoever measures it to
/// the microsecond learns something of the noise. Reports are to be sent on a schedule.
pub(super) fn draw(
    draws: &mut Draws<'_>,
    epsilon: Epsilon,
    sensitivity: Sensitivity,
) -> Result<i64, DrawError> {
    // The scale is t / s.
    let t = sensitivity
        .get()
        .checked_mul(epsilon.d().into())
        .ok_or(DrawError::Work)?;
    let s = u64::from(epsilon.n());
    loop {
        let rest = draws.below(t)?;
        if !draws.bernoulli_exp(rest, t)? {
            continue;
        }
        let mut whole = 0u64;
        while draws.bernoulli_exp(1, 1)? {
            whole = whole.saturating_add(1);
        }
        let size = t.checked_mul(whole).and_then(|whole| whole.checked_add(rest));
        let size = size.and_then(|size| size.checked_div(s));
        let size = size.and_then(|size| i64::try_from(size).ok());
        let size = size.ok_or(DrawError::Work)?;
        let negative = draws.below(2)? == 1;
        // Zero has one sign only, or it would come twice as often as it should.
        if negative && size == 0 {
            continue;
        }
        return Ok(if negative { size.saturating_neg() } else { size });
    }
}
