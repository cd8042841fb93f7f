//! Time for a device that has no clock.
//!
//! Certificates end, and whether one has ended is a question of time. A device whose clock no battery keeps knows only
//! that it is later than some moments: [`TimeFloor`](iotsec_core::hal::TimeFloor) remembers the latest of them, and
//! [`TrustedTime`] keeps it over a reboot. It is at least the time
//!
//! - when the firmware was built,
//! - that was stored last,
//! - of everything signed that came in: manifests, statements of what is latest.
//!
//! [`TimePolicy`] says what a device does without a clock; there is no policy that does not look. [`CertificateTime`] is
//! what a verifier is told.
//!
//! A device without a clock starts like this: connect under [`TimePolicy::Floor`], ask for a statement of what is
//! latest (which answers a challenge, so it is not older than the question) or a time over the verified connection,
//! [raise](TrustedTime::raise) the floor, and count seconds from there.

mod error;
mod storage;
mod trusted;

use iotsec_core::hal::UnixTime;

pub use error::TimeError;
pub use storage::TimeStorage;
pub use trusted::{ClockEvent, Moment, TimePolicy, TrustedTime};

/// When a certificate has to be valid.
///
/// ```
/// use iotsec_core::hal::UnixTime;
/// use iotsec_net::time::CertificateTime;
///
/// // The clock is known to be right.
/// let exact = CertificateTime::exact(UnixTime(1_800_000_000));
/// assert_eq!(exact.earliest(), exact.latest());
/// // It is later than the last update was signed, and that is at most a year ago.
/// let floor = CertificateTime::at_least(UnixTime(1_790_000_000), 365 * 86_400);
/// assert_eq!(floor.latest(), UnixTime(1_821_536_000));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CertificateTime {
    earliest: UnixTime,
    latest: UnixTime,
}

impl CertificateTime {
    /// It is exactly this late.
    pub const fn exact(now: UnixTime) -> Self {
        Self {
            earliest: now,
            latest: now,
        }
    }

    /// It is `floor` or later, by at most `max_age` seconds. A chain is good if there is a moment in between at which
    /// all of it is valid: what ended before the floor is refused, and what begins after the last moment is.
    pub const fn at_least(floor: UnixTime, max_age: u64) -> Self {
        Self {
            earliest: floor,
            latest: UnixTime(floor.0.saturating_add(max_age)),
        }
    }

    /// It is not earlier.
    pub const fn earliest(&self) -> UnixTime {
        self.earliest
    }

    /// It is not later.
    pub const fn latest(&self) -> UnixTime {
        self.latest
    }

    /// The first moment that is possible for something that began at `begin`.
    #[cfg(feature = "certificate")]
    pub(crate) fn since(&self, begin: UnixTime) -> UnixTime {
        begin.max(self.earliest).min(self.latest)
    }
}
