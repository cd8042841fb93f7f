//! The stored form of a baseline.

use super::{Baseline, DRIFT, ONE, WARM_UP};
use crate::detect::record;

const VERSION: u8 = 1;
/// Version, periods, four numbers, checksum.
pub(super) const LEN: usize = 23;

pub(super) fn encode(baseline: &Baseline) -> [u8; LEN] {
    let numbers = [
        baseline.mean,
        baseline.deviation,
        baseline.first_mean,
        baseline.scale,
    ];
    let fields = core::iter::once(VERSION)
        .chain(baseline.seen.to_be_bytes())
        .chain(numbers.into_iter().flat_map(u32::to_be_bytes));
    record::close(fields)
}

/// Nothing but what [`Baseline::learn`] can have made under this ceiling.
pub(super) fn decode(bytes: &[u8; LEN], ceiling: u16) -> Option<Baseline> {
    let (seen, rest) = record::short(record::open(bytes, VERSION)?)?;
    let (mean, rest) = record::number(rest)?;
    let (deviation, rest) = record::number(rest)?;
    let (first_mean, rest) = record::number(rest)?;
    let (scale, []) = record::number(rest)? else {
        return None;
    };
    let baseline = Baseline {
        seen,
        ceiling,
        mean,
        deviation,
        first_mean,
        scale,
    };
    let most = u32::from(ceiling) << 16;
    let possible = if seen < WARM_UP {
        first_mean == 0 && scale == 0 && mean <= most && deviation <= most
    } else {
        seen == WARM_UP
            && first_mean <= most
            && (ONE..=most.max(ONE)).contains(&scale)
            && mean.abs_diff(first_mean) <= scale.saturating_mul(DRIFT)
            && (scale..=scale.saturating_mul(2)).contains(&deviation)
    };
    possible.then_some(baseline)
}
