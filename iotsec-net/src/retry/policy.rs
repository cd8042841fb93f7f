use iotsec_core::hal::Millis;

use super::{RetryError, record::Record};

/// How long to wait, and what counts as calm. The bounds of the constructors keep every policy harmless.
///
/// | part | default | bounds |
/// |---|---:|---|
/// | window of the first attempt | 60 s | 1 s to 10 min |
/// | longest window | 300 s | the first window to 1 day |
/// | stable period | 300 s | the first window to 1 day |
/// | longest hint | 1 h | the first window to 1 day |
/// | refusals until the breaker opens | 5 | 1 to 100 |
/// | pause of the open breaker | 1 h | the longest window to 7 days |
///
/// With the default, 10,000 devices that lose a service of 200 handshakes a second at the same moment come back
/// with a handful of handshakes wasted, whatever the length of the outage, and 99 % of them within 300 s.
/// `cargo bench --bench reconnect` prints it beside what others do.
///
/// The pause of the breaker is short enough that a server's mistake of an afternoon does not cost the night, and long
/// enough that 10,000 devices with a revoked certificate come four times a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    first: Millis,
    longest: Millis,
    stable: Millis,
    longest_hint: Millis,
    refusals: u8,
    pause: Millis,
}

impl RetryPolicy {
    /// First window 60 s, longest 300 s.
    pub const DEFAULT: Self = Self {
        first: Millis::from_secs(60),
        longest: Millis::from_secs(300),
        stable: Millis::from_secs(300),
        longest_hint: Millis::from_secs(3600),
        refusals: 5,
        pause: Millis::from_secs(3600),
    };

    /// The first attempt within `first`, later ones within windows that double up to `longest`. The longest window
    /// is about the time that a fleet takes to come back after a long outage.
    ///
    /// # Errors
    /// [`RetryError::Policy`] outside the bounds of the table above.
    pub const fn new(first: Millis, longest: Millis) -> Result<Self, RetryError> {
        let first_allowed = first.0 >= FLOOR.0 && first.0 <= LONGEST_FIRST.0;
        if !first_allowed || longest.0 < first.0 || longest.0 > DAY.0 {
            return Err(RetryError::Policy);
        }
        Ok(Self {
            first,
            longest,
            stable: later(Self::DEFAULT.stable, first),
            longest_hint: later(Self::DEFAULT.longest_hint, first),
            refusals: Self::DEFAULT.refusals,
            pause: later(Self::DEFAULT.pause, longest),
        })
    }

    /// For a service of a known size: the first window is long enough for all `devices` at `handshakes` a second,
    /// with a fifth to spare, and at least a second.
    ///
    /// ```
    /// use iotsec_core::hal::Millis;
    /// use iotsec_net::retry::{RetryError, RetryPolicy};
    ///
    /// let policy = RetryPolicy::for_fleet(10_000, 200, Millis::from_secs(300))?;
    /// assert_eq!(policy, RetryPolicy::DEFAULT);
    /// // Ten minutes would not be enough: this fleet needs more servers, or a longer wait said in so many words.
    /// assert_eq!(
    ///     RetryPolicy::for_fleet(1_000_000, 200, Millis::from_secs(3600)),
    ///     Err(RetryError::Policy),
    /// );
    /// # Ok::<(), RetryError>(())
    /// ```
    ///
    /// # Errors
    /// [`RetryError::Policy`] when the window that follows, or `longest`, is out of bounds.
    pub fn for_fleet(devices: u32, handshakes: u32, longest: Millis) -> Result<Self, RetryError> {
        // 1.2 times the ideal drain, in milliseconds: devices / handshakes * 1.2 * 1000.
        let spread = u64::from(devices).saturating_mul(1200);
        match spread.checked_div(u64::from(handshakes)) {
            Some(first) => Self::new(later(Millis(first), FLOOR), longest),
            None => Err(RetryError::Policy),
        }
    }

    /// A connection counts as good once it has lasted so long.
    ///
    /// # Errors
    /// [`RetryError::Policy`] outside the bounds of the table above.
    pub const fn with_stable(self, stable: Millis) -> Result<Self, RetryError> {
        if stable.0 < self.first.0 || stable.0 > DAY.0 {
            return Err(RetryError::Policy);
        }
        Ok(Self { stable, ..self })
    }

    /// What a server asks for is followed up to `longest_hint`.
    ///
    /// # Errors
    /// [`RetryError::Policy`] outside the bounds of the table above.
    pub const fn with_longest_hint(self, longest_hint: Millis) -> Result<Self, RetryError> {
        if longest_hint.0 < self.first.0 || longest_hint.0 > DAY.0 {
            return Err(RetryError::Policy);
        }
        Ok(Self { longest_hint, ..self })
    }

    /// After `refusals` in a row the breaker opens, and the next attempt is half a `pause` to a whole one away.
    ///
    /// # Errors
    /// [`RetryError::Policy`] outside the bounds of the table above.
    pub const fn with_breaker(self, refusals: u8, pause: Millis) -> Result<Self, RetryError> {
        let refusals_allowed = refusals > 0 && refusals <= Record::MOST_REFUSALS;
        if !refusals_allowed || pause.0 < self.longest.0 || pause.0 > DAY.0.saturating_mul(7) {
            return Err(RetryError::Policy);
        }
        Ok(Self {
            refusals,
            pause,
            ..self
        })
    }

    /// What [`with_breaker`](Self::with_breaker) set: refusals in a row, and the longest pause.
    ///
    /// ```
    /// use iotsec_core::hal::Millis;
    /// use iotsec_net::retry::RetryPolicy;
    ///
    /// assert_eq!(RetryPolicy::DEFAULT.breaker(), (5, Millis::from_secs(3600)));
    /// ```
    pub const fn breaker(&self) -> (u8, Millis) {
        (self.refusals, self.pause)
    }

    /// The window before the attempt number `level`, counted from zero: `first` doubled so many times, at most
    /// `longest`.
    pub fn window(&self, level: u8) -> Millis {
        let factor = 1_u64.checked_shl(u32::from(level)).unwrap_or(u64::MAX);
        Millis(self.first.0.saturating_mul(factor)).min(self.longest)
    }

    /// The level from which on the window is the longest. Counting further would only wear flash.
    pub(super) fn last_level(&self) -> u8 {
        (0..Record::HIGHEST_LEVEL)
            .find(|level| self.window(*level) == self.longest)
            .unwrap_or(Record::HIGHEST_LEVEL)
    }

    pub(super) const fn stable(&self) -> Millis {
        self.stable
    }

    pub(super) const fn is_open(&self, refusals: u8) -> bool {
        refusals >= self.refusals
    }

    /// Until the first attempt of a boot, or after a connection that was good.
    pub(super) fn first_delay(&self, random: u32) -> Millis {
        spread(Millis(0), self.first, random)
    }

    /// Full jitter over the window, above a floor.
    pub(super) fn delay(&self, level: u8, random: u32) -> Millis {
        spread(FLOOR, self.window(level).since(FLOOR), random)
    }

    /// What the server asked for, and after it as much again or the window, so that those who were told the same
    /// do not come at once.
    pub(super) fn hinted_delay(&self, level: u8, hint: Millis, random: u32) -> Millis {
        let hint = hint.min(self.longest_hint);
        spread(later(hint, FLOOR), later(hint, self.window(level)), random)
    }

    /// The second half of the pause.
    pub(super) fn pause(&self, random: u32) -> Millis {
        let half = Millis(self.pause.0.checked_div(2).unwrap_or_default());
        spread(half, half, random)
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self::DEFAULT
    }
}

const fn later(one: Millis, other: Millis) -> Millis {
    if one.0 < other.0 { other } else { one }
}

/// Evenly from `least` to `least + span`.
fn spread(least: Millis, span: Millis, random: u32) -> Millis {
    let steps = span.0.saturating_add(1);
    let part = u64::from(random).saturating_mul(steps) >> u32::BITS;
    Millis(least.0.saturating_add(part))
}

/// No two attempts of a device lie closer: a small random number must not become a loop.
const FLOOR: Millis = Millis::from_secs(1);
/// A person stands beside a device that was just switched on.
const LONGEST_FIRST: Millis = Millis::from_secs(600);
/// Whoever waits longer does not notice that the service is back.
const DAY: Millis = Millis::from_secs(86_400);
