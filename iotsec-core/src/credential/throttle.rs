use crate::hal::Millis;

mod record;
mod storage;
mod unlock;

use super::stretch::Scheme;
use crate::error::{ErrorCode, Fault};
use record::Record;
pub use storage::{StorageError, ThrottleStorage};
pub use unlock::{PhysicalPresence, Unlock};

/// Counts guesses, and counts them first.
///
/// [`begin`](Self::begin) stores one more failure and reads it back; only then is there a [`Permit`],
/// which a comparison costs. A success takes the count back to zero. So whoever cuts the power at the
/// right moment loses an attempt, and never gains one.
///
/// | failures stored | next guess |
/// |---|---|
/// | fewer than 5 | at once |
/// | 5, 6, 7 … | 1 s, 2 s, 4 s … after the last one, at most 15 minutes |
/// | 100 | only after an [`Unlock`] |
///
/// The last permitted guess can still succeed. With the default policy a stranger gets 100 guesses, in
/// no less than 21 hours (EN 303 645 5.1-5; NIST SP 800-63B-4 §3.2.2 has the limit of 100).
///
/// No clock is needed. The record holds the uptime of the last guess; after a reboot uptime starts at
/// zero and the whole delay runs again from there, so that a reboot never shortens it. An owner who
/// unplugs the device waits longer.
///
/// A throttle keeps one budget. Give every interface that a stranger can reach its own record, so that
/// guessing over the network does not lock the owner out at the local port.
///
/// # Power loss
/// | cut | record afterwards | lost |
/// |---|---|---|
/// | before or during the save of `begin` | old or new, as [`ThrottleStorage`] promises | no comparison was made; the attempt may be counted |
/// | after it, before the comparison | one more failure | the attempt is counted |
/// | after a right comparison, before or during the save of `succeed` | still one more failure, or zero | the attempt may be counted; the next right one clears it |
/// | during `initialise` | missing, or new | run it again |
/// | during `release` | old or new | run it again |
///
/// # Bytes
/// Integers are big-endian; `vectors/credential` has examples. All of it must be as described, else the record is damaged and nobody gets in.
///
/// | offset | size | content |
/// |---:|---:|---|
/// | 0 | 1 | version, 1 |
/// | 1 | 1 | failures since the last success, 0 to 100 |
/// | 2 | 2 | zero |
/// | 4 | 8 | uptime of the last failure in milliseconds; zero without failures |
/// | 12 | 4 | CRC-32 (ISO-HDLC) of bytes 0 to 11 |
///
/// The checksum finds damage. Against somebody who can write to flash the record needs the store, which
/// authenticates it and notices a rollback.
#[derive(Debug)]
pub struct Throttle {
    policy: ThrottlePolicy,
    /// The record that was seen to be from an earlier boot. Without this, uptime could pass the stored
    /// value and the wait start again; it would be too long, never too short.
    from_earlier_boot: Option<Record>,
}

impl Throttle {
    /// Bytes of the record.
    pub const LEN: usize = Record::LEN;

    /// A throttle for this boot. Keep it while the device runs; one made anew for every guess is as safe,
    /// but may make the owner wait longer after a reboot.
    pub const fn new(policy: ThrottlePolicy) -> Self {
        Self {
            policy,
            from_earlier_boot: None,
        }
    }

    /// Writes the first record, in the factory. A record that is missing later on is an error and not a
    /// new start, so this must not run in the field.
    ///
    /// # Errors
    /// [`ThrottleError::AlreadyInitialised`] when there is a record in whatever state; storage errors.
    pub fn initialise<S: ThrottleStorage + ?Sized>(storage: &mut S) -> Result<(), ThrottleError> {
        match Record::load(storage) {
            Err(ThrottleError::Missing) => Record::CLEAR.save(storage),
            Err(ThrottleError::Storage(error)) => Err(error.into()),
            Ok(_) | Err(_) => Err(ThrottleError::AlreadyInitialised),
        }
    }

    /// What the next guess would meet. Writes nothing.
    ///
    /// # Errors
    /// [`ThrottleError::Missing`], [`ThrottleError::Damaged`], or storage errors.
    pub fn status<S: ThrottleStorage + ?Sized>(
        &mut self,
        storage: &mut S,
        now: Millis,
    ) -> Result<ThrottleStatus, ThrottleError> {
        let record = Record::load(storage)?;
        let remaining = self.remaining(&record, now);
        Ok(ThrottleStatus {
            failures: record.failures,
            left: self.policy.limit.saturating_sub(record.failures),
            remaining,
        })
    }

    /// Counts a guess as failed, durably, and permits one comparison for it.
    ///
    /// # Errors
    /// [`ThrottleError::Wait`] and [`ThrottleError::Locked`] by policy, without a write; everything else
    /// means that the count could not be kept, and no comparison may happen.
    pub fn begin<S: ThrottleStorage + ?Sized>(
        &mut self,
        storage: &mut S,
        now: Millis,
    ) -> Result<Permit, ThrottleError> {
        let status = self.status(storage, now)?;
        if status.left == 0 {
            return Err(ThrottleError::Locked);
        }
        if status.remaining > Millis(0) {
            return Err(ThrottleError::Wait {
                remaining: status.remaining,
            });
        }
        let counted = Record {
            failures: status.failures.saturating_add(1),
            at: now,
        };
        counted.save(storage)?;
        Ok(Permit(()))
    }

    /// Takes the count back to zero after a right password.
    ///
    /// # Errors
    /// Storage errors. The count then stands, and nobody is let in: a device that cannot write would
    /// not count the next guess either.
    pub fn succeed<S: ThrottleStorage + ?Sized>(
        &mut self,
        storage: &mut S,
        matched: Matched,
    ) -> Result<Authenticated, ThrottleError> {
        Record::CLEAR.save(storage)?;
        Ok(matched.authenticated())
    }

    /// Clears the count, whatever state the record is in: at the limit, damaged or missing.
    ///
    /// # Errors
    /// Storage errors.
    pub fn release<S: ThrottleStorage + ?Sized>(
        &mut self,
        storage: &mut S,
        unlock: Unlock,
    ) -> Result<(), ThrottleError> {
        unlock.spend();
        Record::CLEAR.save(storage)
    }

    fn remaining(&mut self, record: &Record, now: Millis) -> Millis {
        // Uptime cannot lie before the last guess unless the device was started again since.
        if now < record.at {
            self.from_earlier_boot = Some(*record);
        }
        let elapsed = if self.from_earlier_boot == Some(*record) {
            now
        } else {
            now.since(record.at)
        };
        self.policy.delay(record.failures).since(elapsed)
    }
}

crate::claim! {
    provisions: ["5.1-5"],
    claims: "A guess is counted in flash before it is compared, wherever the power is cut, and not compared where it cannot be counted",
    code: [Throttle::begin],
    tests: [
        "iotsec-core::credential_login::the_count_reaches_flash_before_the_comparison_at_every_cut",
        "iotsec-core::credential_login::no_comparison_without_a_durable_count",
    ],
}

crate::claim! {
    provisions: ["5.1-5"],
    claims: "Guesses come ever more slowly, whatever is rebooted, and after a hundred only a person at the device or another credential opens it",
    code: [Throttle::begin],
    tests: [
        "iotsec-core::credential_login::guesses_never_come_faster_than_the_policy_says_whatever_an_attacker_does",
        "iotsec-core::credential_login::a_burst_of_wrong_guesses_is_slowed_down_and_a_reboot_does_not_help",
        "iotsec-core::credential_login::after_a_hundred_failures_only_presence_or_another_credential_opens",
    ],
}

/// What the next guess would meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThrottleStatus {
    /// Failures since the last success.
    pub failures: u8,
    /// Guesses left before the lock.
    pub left: u8,
    /// Time until the next guess is taken.
    pub remaining: Millis,
}

/// How many guesses, and how fast. The bounds of [`new`](Self::new) keep every policy within the law.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThrottlePolicy {
    limit: u8,
    longest: Millis,
}

impl ThrottlePolicy {
    /// 100 guesses, at most 15 minutes between them.
    pub const DEFAULT: Self = Self {
        limit: MAX_LIMIT,
        longest: Millis::from_secs(900),
    };

    /// `limit` guesses in all, 1 to 100, and a longest delay of `longest`, one minute to one day.
    ///
    /// # Errors
    /// [`ThrottleError::Policy`] outside these bounds.
    pub const fn new(limit: u8, longest: Millis) -> Result<Self, ThrottleError> {
        let delay_allowed = longest.0 >= Millis::from_secs(60).0 && longest.0 <= Millis::from_secs(86_400).0;
        if limit == 0 || limit > MAX_LIMIT || !delay_allowed {
            return Err(ThrottleError::Policy);
        }
        Ok(Self { limit, longest })
    }

    /// The delay after so many failures: min(2^(n-5) s, longest), none below 5.
    pub fn delay(&self, failures: u8) -> Millis {
        let Some(exponent) = failures.checked_sub(FREE_FAILURES) else {
            return Millis(0);
        };
        let seconds = 1u64.checked_shl(u32::from(exponent)).unwrap_or(u64::MAX);
        Millis::from_secs(seconds).min(self.longest)
    }
}

impl Default for ThrottlePolicy {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// One guess that is already counted. A comparison takes it by value.
#[derive(Debug)]
#[must_use = "the guess is already counted as a failure"]
pub struct Permit(());

impl Permit {
    pub(super) fn matched(self, scheme: Scheme) -> Matched {
        let Self(()) = self;
        Matched(scheme)
    }
}

/// The password was right; the count still says otherwise, until [`Throttle::succeed`].
#[derive(Debug)]
#[must_use = "the guess is still counted as a failure"]
pub struct Matched(Scheme);

impl Matched {
    fn authenticated(self) -> Authenticated {
        let Self(scheme) = self;
        Authenticated(scheme)
    }
}

/// Somebody proved to know the password. Not `Clone`: one proof, one action.
///
/// ```compile_fail,E0423
/// use iotsec_core::credential::{Authenticated, Scheme};
///
/// let forged = Authenticated(Scheme::Generated);
/// ```
#[derive(Debug)]
#[must_use = "the proof is for the action that it permits"]
pub struct Authenticated(Scheme);

impl Authenticated {
    /// Of what kind the password was. After [`Scheme::Generated`], the preset of the unit, a product may
    /// ask for a new one before anything else.
    pub const fn scheme(&self) -> Scheme {
        self.0
    }

    fn spend(self) {
        let Self(_) = self;
    }
}

/// Why no guess is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ThrottleError {
    /// Too soon after the last one.
    #[error("too many failures, wait {} ms", remaining.0)]
    Wait {
        /// Until the next guess is taken.
        remaining: Millis,
    },
    /// The limit is reached; [`Throttle::release`] opens it again.
    #[error("too many failures, locked")]
    Locked,
    /// There is no record. The factory did not write it, or somebody removed it.
    #[error("throttle record missing")]
    Missing,
    /// The record is not one that this code wrote.
    #[error("throttle record damaged")]
    Damaged,
    /// There is a record already.
    #[error("throttle already initialised")]
    AlreadyInitialised,
    /// The record read back is not the one saved.
    #[error("throttle record not kept by storage")]
    NotSaved,
    /// Limit or delay outside the bounds of [`ThrottlePolicy::new`].
    #[error("throttle policy out of bounds")]
    Policy,
    /// The storage failed, with its own number.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl ErrorCode for ThrottleError {
    fn code(&self) -> u16 {
        match self {
            Self::Wait { .. } => 1331,
            Self::Locked => 1332,
            Self::Missing => 1333,
            Self::Damaged => 1334,
            Self::AlreadyInitialised => 1335,
            Self::NotSaved => 1336,
            Self::Policy => 1337,
            Self::Storage(error) => error.code(),
        }
    }

    fn fault(&self) -> Fault {
        match self {
            Self::Wait { .. } | Self::Locked => Fault::Input,
            Self::Missing | Self::Damaged | Self::NotSaved => Fault::Device,
            Self::AlreadyInitialised | Self::Policy => Fault::Misuse,
            Self::Storage(error) => error.fault(),
        }
    }
}

/// NIST SP 800-63B-4 §3.2.2: no more than 100 consecutive failures.
const MAX_LIMIT: u8 = 100;

/// Slips of the hand that cost nothing.
const FREE_FAILURES: u8 = 5;
