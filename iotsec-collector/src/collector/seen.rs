//! Which events of a device have come.

use std::collections::BTreeMap;

use iotsec_telemetry::queue::EventId;

/// Ranges of sequence numbers, both ends included, ascending and with gaps between them.
pub(super) type Ranges = Vec<(u32, u32)>;

pub(super) struct Seen {
    pub(super) boots: BTreeMap<u32, Ranges>,
    /// Boots below are forgotten.
    pub(super) floor: u32,
    pub(super) max_boots: usize,
    pub(super) max_ranges: usize,
}

/// Whether an event has come before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sight {
    New,
    Repeated,
    Forgotten,
}

impl Seen {
    pub(super) fn new(max_boots: usize, max_ranges: usize) -> Self {
        Self {
            boots: BTreeMap::new(),
            floor: 0,
            max_boots: max_boots.max(1),
            max_ranges: max_ranges.max(1),
        }
    }

    pub(super) fn insert(&mut self, id: EventId) -> Sight {
        if id.boot < self.floor {
            return Sight::Forgotten;
        }
        if !put(self.boots.entry(id.boot).or_default(), id.sequence) {
            return Sight::Repeated;
        }
        self.shrink();
        // A boot older than all that there is room for is forgotten at once, and its event came too late.
        if id.boot < self.floor {
            Sight::Forgotten
        } else {
            Sight::New
        }
    }

    fn shrink(&mut self) {
        let ranges = |boots: &BTreeMap<u32, Ranges>| boots.values().map(Vec::len).sum::<usize>();
        while self.boots.len() > self.max_boots
            || (self.boots.len() > 1 && ranges(&self.boots) > self.max_ranges)
        {
            let Some((oldest, _)) = self.boots.pop_first() else {
                return;
            };
            self.floor = oldest.saturating_add(1);
        }
        while let Some(mut only) = self.boots.first_entry()
            && only.get().len() > self.max_ranges
        {
            let ranges = only.get_mut();
            let (lowest, _) = ranges.remove(0);
            ranges[0].0 = lowest;
        }
    }
}

/// True if it was not there.
fn put(ranges: &mut Ranges, sequence: u32) -> bool {
    // The first range that ends at this number or above.
    let at = ranges.partition_point(|(_, last)| *last < sequence);
    if ranges.get(at).is_some_and(|(first, _)| *first <= sequence) {
        return false;
    }
    let follows = at > 0 && ranges[at - 1].1.checked_add(1) == Some(sequence);
    let precedes = ranges
        .get(at)
        .is_some_and(|(first, _)| first.checked_sub(1) == Some(sequence));
    match (follows, precedes) {
        (true, true) => ranges[at - 1].1 = ranges.remove(at).1,
        (true, false) => ranges[at - 1].1 = sequence,
        (false, true) => ranges[at].0 = sequence,
        (false, false) => ranges.insert(at, (sequence, sequence)),
    }
    true
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use iotsec_telemetry::registry::Purpose;
    use iotsec_testkit::SimRng;

    use super::*;

    #[test]
    fn ranges_know_just_what_a_set_knows() {
        let mut rng = SimRng::new(1);
        for _ in 0..200 {
            let (mut ranges, mut set) = (Ranges::new(), BTreeSet::new());
            for _ in 0..200 {
                let sequence = u32::try_from(rng.below(150)).unwrap();
                assert_eq!(put(&mut ranges, sequence), set.insert(sequence));
                assert!(ranges.windows(2).all(|two| two[0].1 + 1 < two[1].0), "{ranges:?}");
            }
            assert_eq!(
                ranges.iter().map(|(a, b)| (b - a + 1) as usize).sum::<usize>(),
                set.len()
            );
        }
        let mut ends = Ranges::new();
        for sequence in [u32::MAX, 0, u32::MAX - 1, 1] {
            assert!(put(&mut ends, sequence) && !put(&mut ends, sequence));
        }
        assert_eq!(ends, [(0, 1), (u32::MAX - 1, u32::MAX)]);
    }

    #[test]
    fn memory_is_bounded_and_what_is_forgotten_is_never_new_again() {
        let mut seen = Seen::new(4, 8);
        let purpose = Purpose::Usage;
        let id = |boot, sequence| EventId {
            purpose,
            boot,
            sequence,
        };
        for boot in 0..100 {
            assert_eq!(seen.insert(id(boot, 0)), Sight::New);
            assert_eq!(seen.insert(id(boot, 0)), Sight::Repeated);
        }
        assert_eq!((seen.boots.len(), seen.floor), (4, 96));
        assert_eq!(seen.insert(id(95, 7)), Sight::Forgotten);
        // A device whose numbers are torn to pieces.
        for step in 0..1000 {
            assert_eq!(seen.insert(id(99, 10 + 2 * step)), Sight::New);
        }
        assert!(seen.boots.values().map(Vec::len).sum::<usize>() <= 8);
        assert_eq!(
            (seen.insert(id(99, 13)), seen.insert(id(99, 2007))),
            (Sight::Repeated, Sight::New)
        );
        assert_eq!(seen.insert(id(98, 1)), Sight::Forgotten);
    }
}
