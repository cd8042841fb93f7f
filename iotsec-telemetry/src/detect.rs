//! Detectors: a few bytes of state and integer steps, fed by the application.
//!
//! | detector | notices | with |
//! |---|---|---|
//! | [`FailureBurst`] | failed authentications, quickly | leaky bucket: 5 in a minute |
//! | [`SlowFailures`] | failed authentications, slowly | cumulative sum over hours |
//! | [`UpdateFailures`] | updates refused; updates out of reach | each; the third in a row |
//! | [`BootLoop`], [`WatchdogResets`] | restarts nobody asked for | 3 in a row; each |
//! | [`IntegrityFailures`] | software that is not what was signed | each |
//! | [`NewListeners`] | sockets that were not declared | set of those seen |
//! | [`ClockRollback`] | a clock that goes back | 120 s behind the latest time, or before a floor |
//! | [`TrafficVolume`] | far more traffic than usual | 6 deviations for 3 periods |
//! | [`Churn`] | broken connections, refused servers | cumulative sum over hours |
//! | [`EntropyHealth`] | a source of randomness that fails | health tests of SP 800-90B |
//! | [`StorageHealth`] | storage that fails, or wears out | each; 80, 90, 95, 100 % |
//!
//! Each answers with a [`Finding`] when there is something to report, and is silent while the same thing
//! goes on: whatever an attacker does, a detector with a clock reports at most eight times and once more for each
//! hour. The events are declared here; a product that uses a detector lists its event in its own registry. A [`Guard`]
//! decides by the maker's [`Policy`] what else is done about a finding, and when that ends.
//!
//! Baselines are learned in a week, not from what is alarming, and not faster nor further than a cap, so that
//! nobody can make an attack usual. How often detectors are wrong, and how soon they are right, is measured:
//! `docs/detectors.md`.
//!
//! ```
//! use iotsec_core::{crypto::Sha256, hal::Millis};
//! use iotsec_telemetry::{consent::Consents, detect::{AUTH_BURST, BOOT_LOOP, FailureBurst}, queue::Queue};
//!
//! iotsec_telemetry::registry!(static PRODUCT = [AUTH_BURST, BOOT_LOOP]);
//! let (consents, registry) = (Consents::off(), PRODUCT.hashed(&mut Sha256::new()));
//! let mut queue = Queue::<8>::new(registry, 1, 4);
//!
//! let mut web = FailureBurst::new(0);
//! for second in 0..5 {
//!     let now = Millis::from_secs(second);
//!     if let Some(finding) = web.failed(now) {
//!         queue.record(&consents, finding.event(), finding.values(), now).unwrap();
//!     }
//! }
//! assert_eq!(queue.len(), 1);
//! ```

use crate::{
    registry::EventDef,
    value::{Content, Value},
};

mod baseline;
mod boot_loop;
mod churn;
mod clock_rollback;
mod cusum;
mod error;
mod event;
mod failing;
mod failure_burst;
mod guard;
mod kept_count;
mod new_listeners;
mod pace;
mod period;
mod record;
mod slow_failures;
mod traffic_volume;
mod update_failures;
mod watchdog_resets;

pub use baseline::BASELINE_RECORD_LEN;
pub use boot_loop::{BOOT_RECORD_LEN, BootLoop};
pub use churn::Churn;
pub use clock_rollback::ClockRollback;
pub use cusum::Cusum;
pub use error::{EntropyError, PolicyError};
pub use event::{
    AUTH_BURST, AUTH_SLOW, BOOT_LOOP, CLOCK_ROLLBACK, ENTROPY, EVENTS, INTEGRITY, LISTENER, MODE, RECONNECTS,
    STORAGE_FAILED, STORAGE_WORN, TLS_REJECTS, TRAFFIC, UPDATE_REFUSED, UPDATE_UNREACHABLE, WATCHDOG,
};
pub use failing::{EntropyHealth, IntegrityFailures, StorageHealth};
pub use failure_burst::FailureBurst;
pub use guard::{Change, GUARD_RECORD_LEN, Guard, Mode, Policy, Reaction, Return, Rule};
pub use new_listeners::{DeclaredSockets, Listening, NewListeners, Transport};
pub use slow_failures::SlowFailures;
pub use traffic_volume::{TrafficPlan, TrafficVolume};
pub use update_failures::UpdateFailures;
pub use watchdog_resets::{WATCHDOG_RECORD_LEN, WatchdogResets};

/// Something to report.
#[derive(Clone, Copy)]
pub struct Finding {
    event: &'static EventDef,
    values: [Value<'static>; 2],
}

impl Finding {
    /// Of an event with two fields.
    fn new(
        event: &'static EventDef,
        first: impl Into<Value<'static>>,
        second: impl Into<Value<'static>>,
    ) -> Self {
        Self {
            event,
            values: [first.into(), second.into()],
        }
    }

    /// Of an event with one field.
    fn single(event: &'static EventDef, value: impl Into<Value<'static>>) -> Self {
        Self::new(event, value, 0u8)
    }

    /// The event to record.
    pub const fn event(&self) -> &'static EventDef {
        self.event
    }

    /// Its values.
    pub fn values(&self) -> &[Value<'static>] {
        self.values.get(..self.event.fields().len()).unwrap_or_default()
    }

    /// The same as numbers, for a boundary across which a [`Value`] does not go.
    ///
    /// ```
    /// use iotsec_core::hal::Millis;
    /// use iotsec_telemetry::detect::IntegrityFailures;
    ///
    /// let finding = IntegrityFailures::new().found(Some(3), 2401, Millis(0)).unwrap();
    /// assert!(finding.numbers().eq([3, 2401]));
    /// ```
    pub fn numbers(&self) -> impl Iterator<Item = i64> {
        self.values().iter().map(|value| match value.content {
            Content::Number(number) => number,
            // No detector fills one.
            Content::Bucket { .. } => 0,
        })
    }
}

#[cfg(test)]
mod sizes;
#[cfg(test)]
mod vectors;
