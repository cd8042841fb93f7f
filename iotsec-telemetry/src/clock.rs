use iotsec_core::hal::{Millis, UnixTime};

use crate::registry::{EventDef, Registry};

/// What a queue knows of the time: seconds of this boot, and once it was told, what time that is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Clock {
    uptime: u32,
    started: Option<u32>,
}

impl Clock {
    /// Takes `now` in whole seconds, and not to be earlier than before.
    pub(crate) fn advance(&mut self, now: Millis) -> u32 {
        let seconds = now.0.checked_div(1000).and_then(|s| u32::try_from(s).ok());
        self.uptime = self.uptime.max(seconds.unwrap_or(u32::MAX));
        self.uptime
    }

    /// Learns the wall-clock time at `uptime`.
    pub(crate) fn set(&mut self, uptime: Millis, now: UnixTime) {
        let seconds = uptime.0.checked_div(1000).unwrap_or_default();
        self.started = now.0.checked_sub(seconds).and_then(|s| u32::try_from(s).ok());
    }

    /// Seconds of this boot, as far as it was told.
    pub(crate) const fn uptime(&self) -> u32 {
        self.uptime
    }

    /// Unix time at which this boot began.
    pub(crate) const fn started(&self) -> Option<u32> {
        self.started
    }

    /// The time now, where it is known.
    pub(crate) fn now(&self) -> Option<UnixTime> {
        let started = u64::from(self.started?);
        Some(UnixTime(started.saturating_add(self.uptime.into())))
    }
}

impl Registry {
    /// True when the last day of `event` is over at `now`, and never while the time is unknown.
    pub(crate) fn has_expired(&self, event: &EventDef, now: Option<UnixTime>) -> bool {
        now.is_some_and(|now| self.handling_of(event).has_expired(now))
    }
}
