//! When a device's boots began, as far as it can be believed.

use std::collections::BTreeMap;

use iotsec_core::hal::UnixTime;

/// When an event happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// At this time, by the clock of the device.
    Known(UnixTime),
    /// The device says this time, which cannot be.
    Unbelievable(UnixTime),
    /// The device did not know the time in that boot: there is its boot number and the uptime.
    Unknown,
}

/// What a device may say about the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Believable {
    /// Seconds that an event may be in the future of this collector.
    pub ahead_s: u64,
    /// Before this, no device existed.
    pub not_before: UnixTime,
}

impl Default for Believable {
    /// Five minutes ahead, as far as clocks that are kept by NTP and time zones of log systems get along; not before
    /// 2025.
    fn default() -> Self {
        Self {
            ahead_s: 300,
            not_before: UnixTime(1_735_689_600),
        }
    }
}

pub(super) struct Clocks {
    pub(super) started: BTreeMap<u32, UnixTime>,
    pub(super) max_boots: usize,
    believable: Believable,
}

impl Clocks {
    pub(super) fn new(max_boots: usize, believable: Believable) -> Self {
        Self {
            started: BTreeMap::new(),
            max_boots: max_boots.max(1),
            believable,
        }
    }

    /// Takes when the seconds of a boot are counted from, which must have reached `uptime_s` by `now`. False if that cannot be.
    pub(super) fn learn(&mut self, boot: u32, started: UnixTime, uptime_s: u32, now: UnixTime) -> bool {
        let reached = started.0.saturating_add(uptime_s.into());
        let latest = now.0.saturating_add(self.believable.ahead_s);
        if reached < self.believable.not_before.0 || reached > latest {
            return false;
        }
        self.started.insert(boot, started);
        while self.started.len() > self.max_boots {
            self.started.pop_first();
        }
        true
    }

    pub(super) fn when(&self, boot: u32, uptime_s: u32) -> When {
        let started = self.started.get(&boot);
        started.map_or(When::Unknown, |started| {
            When::Known(UnixTime(started.0.saturating_add(uptime_s.into())))
        })
    }
}
