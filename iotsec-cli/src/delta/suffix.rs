//! Where in a file the longest part of another one stands.

use std::cmp::Ordering;

/// The suffixes of a file in order.
pub(super) struct Suffixes<'a> {
    bytes: &'a [u8],
    order: Vec<u32>,
}

impl<'a> Suffixes<'a> {
    /// Sorts by the first 2, 4, 8, … bytes, until all differ: the rank of a suffix by its first `step`
    /// bytes and that of the suffix `step` bytes on order it by twice as many.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        // As callers have checked: no image is larger.
        let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let mut order: Vec<u32> = (0..len).collect();
        let mut rank: Vec<u32> = bytes.iter().map(|byte| u32::from(*byte) + 1).collect();
        let mut step = 1;
        let mut keyed: Vec<(u64, u32)> = Vec::with_capacity(bytes.len());
        loop {
            let after = |at: u32| rank.get(at as usize + step).copied().unwrap_or(0);
            keyed.clear();
            keyed.extend(
                order
                    .iter()
                    .map(|at| ((u64::from(rank[*at as usize]) << 32) | u64::from(after(*at)), *at)),
            );
            keyed.sort_unstable();
            let mut distinct = 0;
            let mut before = None;
            for (place, (key, at)) in keyed.iter().enumerate() {
                order[place] = *at;
                if before != Some(*key) {
                    distinct += 1;
                    before = Some(*key);
                }
                rank[*at as usize] = distinct;
            }
            if distinct == len || step >= bytes.len() {
                return Self { bytes, order };
            }
            step *= 2;
        }
    }

    /// Position and length of the longest part of the file that `wanted` begins with.
    pub(super) fn longest(&self, wanted: &[u8]) -> (usize, usize) {
        let place = self
            .order
            .partition_point(|at| self.bytes[*at as usize..].cmp(wanted) == Ordering::Less);
        let candidates = [place.checked_sub(1), Some(place)];
        let at = candidates
            .iter()
            .flatten()
            .filter_map(|place| self.order.get(*place));
        at.map(|at| (*at as usize, common(&self.bytes[*at as usize..], wanted)))
            .max_by_key(|(_, len)| *len)
            .unwrap_or((0, 0))
    }
}

/// Bytes that both begin with.
pub(super) fn common(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}
