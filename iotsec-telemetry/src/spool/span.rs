use crate::loss::{Loss, LossTime};

/// When events were lost, for the first and for the last time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Span {
    first: LossTime,
    last: LossTime,
}

impl Span {
    /// Before anything was lost: what any time replaces.
    pub(super) const NEVER: Self = Self {
        first: LossTime {
            boot: u32::MAX,
            uptime_s: u32::MAX,
        },
        last: LossTime { boot: 0, uptime_s: 0 },
    };

    pub(super) fn add(&mut self, when: LossTime) {
        self.first = self.first.min(when);
        self.last = self.last.max(when);
    }

    pub(super) fn joined(self, other: Self) -> Self {
        Self {
            first: self.first.min(other.first),
            last: self.last.max(other.last),
        }
    }

    /// As an account of `count` events.
    pub(super) fn loss(self, count: u32) -> Loss {
        let known = count > 0 && self.first <= self.last;
        Loss {
            count,
            times: known.then_some((self.first, self.last)),
        }
    }

    pub(super) const fn to_numbers(self) -> [u32; 4] {
        let (first, last) = (self.first, self.last);
        [first.boot, first.uptime_s, last.boot, last.uptime_s]
    }

    pub(super) const fn from_numbers([a, b, c, d]: [u32; 4]) -> Self {
        Self {
            first: LossTime { boot: a, uptime_s: b },
            last: LossTime { boot: c, uptime_s: d },
        }
    }
}
