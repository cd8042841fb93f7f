//! When to try again, so that a fleet does not storm its service.
//!
//! A service that comes back is met by everybody who lost it. What [`Retry`] does about it (EN 303 645 5.9-3):
//!
//! - **Full jitter.** Each wait is drawn evenly from a window that doubles up to a longest one.
//! - **The first attempt is jittered too**: after a boot, and after a connection was lost. Power returns to a whole
//!   town at the same moment, and a broker drops its connections at the same moment.
//! - **Only a connection that lasts counts as good.** The window stays what it was when the server accepts and then
//!   hangs up.
//! - **An attempt is counted before it is made**, durably, so that a boot loop is no storm.
//! - **What the server asks for is followed**, up to a limit, and jittered: it told the same to everybody.
//! - **Failures that do not heal by waiting** (credentials or certificates refused) open a breaker: one attempt an hour,
//!   until somebody [repairs](Retry::repair) the cause.
//!
//! Time comes in as [`Millis`] since boot, randomness as 32 bits. They must differ from device to device: from the
//! hardware's source of randomness, never from uptime or a seed that all devices share.
//!
//! ```
//! use iotsec_core::hal::Millis;
//! use iotsec_net::retry::{Failure, Forgetful, Retry, RetryError, RetryPolicy};
//!
//! # let mut random = || 0x8000_0000;
//! # let connect = || Ok::<(), ()>(());
//! let mut storage = Forgetful; // a product implements `RetryStorage` on its key store
//! let mut retry = Retry::restore(RetryPolicy::DEFAULT, &mut storage, Millis(0), random())?;
//! # let mut now = Millis(0);
//! # assert!(retry.wait(now) > Millis(0));
//! # assert!(matches!(retry.begin(&mut storage, now, random()), Err(RetryError::Wait { .. })));
//! now = retry.due(); // sleep, or do something else, until then
//! let attempt = retry.begin(&mut storage, now, random())?;
//! match connect() {
//!     Ok(()) => {
//!         let session = retry.connected(attempt, now);
//!         // … and when the connection is gone:
//!         retry.lost(&mut storage, session, Failure::Unreachable, now, random())?;
//!     }
//!     Err(()) => retry.failed(&mut storage, attempt, Failure::Unreachable, now, random())?,
//! }
//! assert!(retry.wait(now) > Millis(0));
//! # Ok::<(), RetryError>(())
//! ```

mod error;
mod policy;
mod record;
#[cfg(feature = "tls")]
mod tls;

use iotsec_core::hal::Millis;

pub use error::RetryError;
pub use policy::RetryPolicy;
use record::Record;
pub use record::{Forgetful, RetryStorage};

/// Decides when one connection is tried again.
///
/// A device with several services keeps one machine, and one record, for each.
///
/// | state | next |
/// |---|---|
/// | waiting | [`begin`](Self::begin) once [`wait`](Self::wait) is zero |
/// | attempt under way | [`connected`](Self::connected) or [`failed`](Self::failed) |
/// | connected | [`tend`](Self::tend) now and then; [`lost`](Self::lost) or [`finish`](Self::finish) |
///
/// A token that is dropped stands for a failure: the next wait was drawn when the attempt began.
///
/// # Power loss
/// | cut | record afterwards | lost |
/// |---|---|---|
/// | during `begin` | old or new, as [`RetryStorage`] promises | the attempt was not made; it may be counted |
/// | after `begin` | the attempt is counted | the next boot waits in the window that follows it |
/// | during `tend`, `lost`, `finish` of a good connection | old or clear | the next boot may wait longer |
/// | during `failed` or `lost` after a refusal | old or new | one refusal may not be counted |
/// | during `repair` | old or clear | repair again |
///
/// After a reboot the whole wait begins anew: uptime starts at zero, and a reboot never shortens a wait on average.
///
/// # Bytes
/// | offset | size | content |
/// |---:|---:|---|
/// | 0 | 1 | version, 1 |
/// | 1 | 1 | attempts since the last good connection, 0 to 17; counting ends where the window is the longest |
/// | 2 | 1 | refusals since the last good connection, 0 to 100 |
/// | 3 | 1 | zero |
/// | 4 | 4 | complement of the above |
///
/// A record that is missing is a new device; any other that is not as described counts as a long outage.
#[derive(Debug)]
pub struct Retry {
    policy: RetryPolicy,
    record: Record,
    /// Whether the record stands in the storage as it is here.
    is_stored: bool,
    due: Millis,
}

/// An attempt that is already counted. Not `Clone`: one attempt, one outcome.
#[derive(Debug)]
#[must_use = "report how the attempt ended"]
pub struct Attempt(());

impl Attempt {
    fn end(self) {
        let Self(()) = self;
    }
}

/// A connection that stands.
#[derive(Debug)]
#[must_use = "report how the connection ended"]
pub struct Session {
    since: Millis,
}

impl Session {
    fn end(self) {
        let Self { .. } = self;
    }
}

/// Why an attempt failed or a connection ended, as far as it decides what to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Failure {
    /// Nobody answered, or the connection broke. Waiting may help.
    Unreachable,
    /// The server is there and has no room, and may have said for how long. At least so long is waited.
    Busy {
        /// What the server asked for, such as `Retry-After` (RFC 9110 §10.2.3).
        after: Option<Millis>,
    },
    /// The server says that this device comes too often. The next window is the longest.
    TooOften {
        /// What the server asked for.
        after: Option<Millis>,
    },
    /// The server, or its certificate, was refused, or it refused this device. Waiting does not help.
    Refused,
}

/// What an owner or a maker may want to know about a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RetryStatus {
    /// Attempts since the last good connection; counting ends where the window is the longest.
    pub attempts: u8,
    /// Refusals since the last good connection.
    pub refusals: u8,
    /// The breaker is open: somebody must see to the credentials or certificates.
    pub is_open: bool,
}

impl Retry {
    /// Bytes of the record.
    pub const LEN: usize = Record::LEN;

    /// The machine at boot, going on where it was. The first attempt is due within the window that the record says.
    ///
    /// # Errors
    /// [`RetryError::Storage`]. [`Forgetful`] is for a device that would rather be late than offline.
    pub fn restore<S: RetryStorage + ?Sized>(
        policy: RetryPolicy,
        storage: &mut S,
        now: Millis,
        random: u32,
    ) -> Result<Self, RetryError> {
        let (record, is_stored) = Record::load(storage)?;
        let mut machine = Self {
            policy,
            record,
            is_stored,
            due: now,
        };
        machine.schedule(now, random, None);
        Ok(machine)
    }

    /// When the next attempt may begin.
    pub const fn due(&self) -> Millis {
        self.due
    }

    /// How long until then.
    pub const fn wait(&self, now: Millis) -> Millis {
        self.due.since(now)
    }

    /// Counts, and whether the breaker is open.
    pub const fn status(&self) -> RetryStatus {
        RetryStatus {
            attempts: self.record.level,
            refusals: self.record.refusals,
            is_open: self.policy.is_open(self.record.refusals),
        }
    }

    /// Counts an attempt, durably, and permits it. Should it never be reported how it ended, the next one is due as
    /// after a failure.
    ///
    /// # Errors
    /// [`RetryError::Wait`] before its time, without a write. [`RetryError::Storage`] when the count could not be
    /// kept; then no attempt may be made, and the next `begin` is due as after a failure.
    pub fn begin<S: RetryStorage + ?Sized>(
        &mut self,
        storage: &mut S,
        now: Millis,
        random: u32,
    ) -> Result<Attempt, RetryError> {
        let remaining = self.wait(now);
        if remaining > Millis(0) {
            return Err(RetryError::Wait { remaining });
        }
        let last = self.policy.last_level();
        self.count(Record {
            level: self.record.level.saturating_add(1).min(last),
            ..self.record
        });
        self.schedule(now, random, None);
        self.store(storage)?;
        Ok(Attempt(()))
    }

    /// The server accepted: for MQTT after CONNACK, not after the handshake. Clears nothing yet.
    pub fn connected(&mut self, attempt: Attempt, now: Millis) -> Session {
        attempt.end();
        Session { since: now }
    }

    /// The attempt failed. Draws the next wait from here on.
    ///
    /// # Errors
    /// [`RetryError::Storage`] when a refusal could not be kept. The wait stands.
    pub fn failed<S: RetryStorage + ?Sized>(
        &mut self,
        storage: &mut S,
        attempt: Attempt,
        failure: Failure,
        now: Millis,
        random: u32,
    ) -> Result<(), RetryError> {
        attempt.end();
        self.note(storage, failure, now, random)
    }

    /// Looks whether a connection has lasted long enough, and if so clears the record. Costs one write per
    /// connection; call it as often as is convenient.
    ///
    /// # Errors
    /// [`RetryError::Storage`]; the next call tries again.
    pub fn tend<S: RetryStorage + ?Sized>(
        &mut self,
        storage: &mut S,
        session: &Session,
        now: Millis,
    ) -> Result<bool, RetryError> {
        let is_good = self.is_good(session, now);
        if is_good {
            self.count(Record::CLEAR);
            self.store(storage)?;
        }
        Ok(is_good)
    }

    /// The connection is gone without our doing. After a good one the windows start with the first; a shorter one
    /// counts as a failed attempt.
    ///
    /// # Errors
    /// [`RetryError::Storage`] when the record could not be kept. The wait stands.
    pub fn lost<S: RetryStorage + ?Sized>(
        &mut self,
        storage: &mut S,
        session: Session,
        failure: Failure,
        now: Millis,
        random: u32,
    ) -> Result<(), RetryError> {
        if self.is_good(&session, now) {
            self.count(Record::CLEAR);
        }
        session.end();
        self.note(storage, failure, now, random)
    }

    /// The connection was closed by us, with everything done that it was for: as good as one that lasted. For devices
    /// that sleep between connections.
    ///
    /// # Errors
    /// [`RetryError::Storage`] when the record could not be kept. The wait stands.
    pub fn finish<S: RetryStorage + ?Sized>(
        &mut self,
        storage: &mut S,
        session: Session,
        now: Millis,
        random: u32,
    ) -> Result<(), RetryError> {
        session.end();
        self.count(Record::CLEAR);
        self.schedule(now, random, None);
        self.store(storage)
    }

    /// Closes the breaker and starts with the first window: new credentials, another trust anchor, a new address.
    ///
    /// # Errors
    /// [`RetryError::Storage`] when the record could not be kept. The wait stands.
    pub fn repair<S: RetryStorage + ?Sized>(
        &mut self,
        storage: &mut S,
        now: Millis,
        random: u32,
    ) -> Result<(), RetryError> {
        self.count(Record::CLEAR);
        self.schedule(now, random, None);
        self.store(storage)
    }

    fn is_good(&self, session: &Session, now: Millis) -> bool {
        now.since(session.since) >= self.policy.stable()
    }

    fn note<S: RetryStorage + ?Sized>(
        &mut self,
        storage: &mut S,
        failure: Failure,
        now: Millis,
        random: u32,
    ) -> Result<(), RetryError> {
        let Record { level, refusals } = self.record;
        let (record, hint) = match failure {
            Failure::Unreachable => (self.record, None),
            Failure::Busy { after } => (self.record, after),
            Failure::TooOften { after } => {
                let level = self.policy.last_level();
                (Record { level, refusals }, after)
            }
            Failure::Refused => {
                let refusals = refusals.saturating_add(1).min(Record::MOST_REFUSALS);
                (Record { level, refusals }, None)
            }
        };
        self.count(record);
        self.schedule(now, random, hint);
        self.store(storage)
    }

    fn count(&mut self, record: Record) {
        self.is_stored &= self.record == record;
        self.record = record;
    }

    fn store<S: RetryStorage + ?Sized>(&mut self, storage: &mut S) -> Result<(), RetryError> {
        if !self.is_stored {
            self.record.save(storage)?;
            self.is_stored = true;
        }
        Ok(())
    }

    fn schedule(&mut self, now: Millis, random: u32, hint: Option<Millis>) {
        let Record { level, refusals } = self.record;
        let delay = match hint {
            _ if self.policy.is_open(refusals) => self.policy.pause(random),
            Some(hint) => self.policy.hinted_delay(level, hint, random),
            None if level == 0 => self.policy.first_delay(random),
            None => self.policy.delay(level, random),
        };
        self.due = Millis(now.0.saturating_add(delay.0));
    }
}

iotsec_core::claim! {
    provisions: ["5.9-3"],
    claims: "Attempts to connect are drawn from windows that double and are counted in flash before they are made, reboots included",
    code: [Retry::begin],
    tests: [
        "iotsec-net::retry::machine::windows_double_up_to_the_longest_and_no_wait_is_below_a_second",
        "iotsec-net::retry::machine::a_boot_loop_does_not_start_over",
        "iotsec-net::retry::power_cut::an_attempt_is_in_flash_before_it_is_made_at_every_cut",
    ],
}

iotsec_core::claim! {
    provisions: ["5.9-3"],
    claims: "After an outage of ten minutes or more a fleet comes back without a server having to refuse a device",
    code: [Retry::begin],
    tests: ["iotsec-net::retry::storm::after_ten_minutes_or_more_nobody_is_refused_for_lack_of_room"],
}
