//! When a connection is tried again, so that a fleet does not storm its service.

use iotsec::{
    core::{credential::StorageError, hal::Millis},
    net::retry::{Attempt, Failure, Retry, RetryError, RetryPolicy, RetryStorage, Session},
};
use rand_core::TryRng;

use crate::{
    argument,
    entropy::{CEntropy, iotsec_entropy_t},
    object::{self, Storage},
    record::{CRecord, Kept, iotsec_record_t},
    status::{CallError, Status, iotsec_status_t, status},
};

/// Words of 8 bytes that a retry takes.
pub const IOTSEC_RETRY_WORDS: usize = 32;

/// Decides when one connection is tried again (EN 303 645, provision 5.9-3), in the caller's storage: one for each service.
/// Start it by `iotsec_retry_open()`, end it by `iotsec_retry_close()`.
///
/// Each wait is drawn from a window that doubles up to a longest one, the first after a boot too. An attempt is counted
/// before it is made, so that a boot loop is no storm. What a server asks for is followed, up to a limit. Failures that do not
/// heal by waiting open a breaker: one attempt an hour, until somebody repairs the cause.
///
/// Power loss: an attempt that was begun is counted, or was not made. The whole wait begins anew after a reboot.
#[repr(C)]
pub struct iotsec_retry_t {
    opaque: [u64; IOTSEC_RETRY_WORDS],
}

/// What lives in an [`iotsec_retry_t`].
pub(crate) struct Trying {
    retry: Retry,
    phase: Phase,
    storage: Place,
    entropy: CEntropy,
}

enum Phase {
    Waiting,
    Attempt(Attempt),
    Session(Session),
}

impl Storage for iotsec_retry_t {
    type Kept = ();
    type Value = Trying;
    const KIND: u32 = 0x5265_7431;
}

/// The record, or none: then every boot begins as after a long outage.
struct Place(Option<CRecord>);

impl RetryStorage for Place {
    fn load(&mut self, record: &mut [u8; Retry::LEN]) -> Result<Option<usize>, StorageError> {
        // Nothing of it is as it was written, which counts as a long outage.
        let Some(kept) = &mut self.0 else {
            return Ok(Some(0));
        };
        match kept.kept().map_err(|error| StorageError::of(&error))? {
            Kept::Absent => Ok(None),
            Kept::There(bytes) => {
                *record = bytes;
                Ok(Some(Retry::LEN))
            }
            Kept::Damaged => Ok(Some(0)),
        }
    }

    fn save(&mut self, record: &[u8; Retry::LEN]) -> Result<(), StorageError> {
        match &mut self.0 {
            Some(kept) => kept.save(record).map_err(|error| StorageError::of(&error)),
            None => Ok(()),
        }
    }
}

/// How long to wait, and what counts as calm. What is 0 is as it is by default.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct iotsec_retry_policy_t {
    /// `sizeof(iotsec_retry_policy_t)`.
    pub struct_size: u32,
    /// Refusals until the breaker opens: 1 to 100; 5.
    pub refusals: u32,
    /// The window of the first attempt: a second to ten minutes; a minute. So long that the service bears all devices in it.
    pub first_ms: u64,
    /// The longest window: the first to a day; five minutes.
    pub longest_ms: u64,
    /// A connection counts as good once it has lasted so long: the first window to a day; five minutes.
    pub stable_ms: u64,
    /// What a server asks for is followed so far: the first window to a day; an hour.
    pub longest_hint_ms: u64,
    /// Between attempts while the breaker is open: the longest window to seven days; an hour.
    pub pause_ms: u64,
}

/// Why an attempt failed or a connection ended.
pub type iotsec_retry_failure_t = i32;

/// Nobody answered, or the connection broke. Waiting may help.
pub const IOTSEC_RETRY_UNREACHABLE: iotsec_retry_failure_t = 1;
/// The server is there and has no room, and may have said for how long.
pub const IOTSEC_RETRY_BUSY: iotsec_retry_failure_t = 2;
/// The server says that this device comes too often. The next window is the longest.
pub const IOTSEC_RETRY_TOO_OFTEN: iotsec_retry_failure_t = 3;
/// The server, or its certificate, was refused, or it refused this device. Waiting does not help.
pub const IOTSEC_RETRY_REFUSED: iotsec_retry_failure_t = 4;

/// How a connection stands. A struct that the library fills never grows.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct iotsec_retry_status_t {
    /// Time until `iotsec_retry_begin()` permits an attempt.
    pub wait_ms: u64,
    /// Attempts since the last good connection; counting ends where the window is the longest.
    pub attempts: u32,
    /// Refusals since the last good connection.
    pub refusals: u32,
    /// 1 when the breaker is open, and somebody must see to the credentials or certificates; else 0.
    pub is_open: i32,
    /// Zero.
    pub reserved: u32,
}

const _: () = assert!(size_of::<iotsec_retry_status_t>() == 24);

/// Starts at boot, at `uptime_ms` since then, going on where it was: the first attempt is due within the window that the
/// record says. `record` and `entropy` are copied; a null `record` is for a device that can keep nothing, which then begins
/// each boot with the longest window. `entropy` must differ from device to device. `policy` may be null for the default.
///
/// `IOTSEC_ERR_RETRY_POLICY` when a time or a count is out of bounds.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_retry_open(
    retry: *mut iotsec_retry_t,
    record: *const iotsec_record_t,
    entropy: *const iotsec_entropy_t,
    policy: *const iotsec_retry_policy_t,
    uptime_ms: u64,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        let mut entropy = CEntropy::new(argument::sized(entropy)?)?;
        let mut storage = Place(if record.is_null() {
            None
        } else {
            Some(CRecord::new(argument::sized(record)?)?)
        });
        let policy = policy_of(policy)?;
        object::start(retry, (), |()| {
            let random = drawn(&mut entropy)?;
            let retry = Retry::restore(policy, &mut storage, Millis(uptime_ms), random)?;
            Ok(Trying {
                retry,
                phase: Phase::Waiting,
                storage,
                entropy,
            })
        })
    })
}

/// How long to wait, and how it went.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_retry_status(
    retry: *mut iotsec_retry_t,
    uptime_ms: u64,
    result: *mut iotsec_retry_status_t,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        let result = argument::out(result)?;
        object::enter(retry, |trying| {
            let status = trying.retry.status();
            result.set(iotsec_retry_status_t {
                wait_ms: trying.retry.wait(Millis(uptime_ms)).0,
                attempts: status.attempts.into(),
                refusals: status.refusals.into(),
                is_open: i32::from(status.is_open),
                reserved: 0,
            });
            Ok(())
        })
    })
}

/// Counts an attempt, durably, and permits it: connect then, and say how it ended. One that was begun before and never ended
/// counts as failed. One write.
///
/// `IOTSEC_ERR_RETRY_WAIT` before its time, without a write: `iotsec_retry_status()` says how long. When the count could not
/// be saved, no attempt may be made, and the next is due as after a failure. `IOTSEC_ERR_STATE` while connected.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_retry_begin(retry: *mut iotsec_retry_t, uptime_ms: u64) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        object::enter(retry, |trying| {
            if matches!(trying.phase, Phase::Session(_)) {
                return Err(CallError::State.into());
            }
            let random = drawn(&mut trying.entropy)?;
            let begun = trying
                .retry
                .begin(&mut trying.storage, Millis(uptime_ms), random)?;
            trying.phase = Phase::Attempt(begun);
            Ok(())
        })
    })
}

/// The server accepted the attempt: for MQTT after its CONNACK, not after the handshake. Writes nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_retry_connected(
    retry: *mut iotsec_retry_t,
    uptime_ms: u64,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        object::enter(retry, |trying| match trying.take() {
            Phase::Attempt(attempt) => {
                trying.phase = Phase::Session(trying.retry.connected(attempt, Millis(uptime_ms)));
                Ok(())
            }
            other => trying.refuse(other),
        })
    })
}

/// The attempt failed, or the connection is gone without our doing, for the reason `IOTSEC_RETRY_*`; `after_ms` is what the
/// server asked for of `_BUSY` and `_TOO_OFTEN`, or 0. After a connection that lasted the windows start with the first; a
/// shorter one counts as a failed attempt. The wait stands also when a record could not be saved.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_retry_ended(
    retry: *mut iotsec_retry_t,
    failure: iotsec_retry_failure_t,
    after_ms: u64,
    uptime_ms: u64,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        let after = (after_ms != 0).then_some(Millis(after_ms));
        let failure = match failure {
            IOTSEC_RETRY_UNREACHABLE => Failure::Unreachable,
            IOTSEC_RETRY_BUSY => Failure::Busy { after },
            IOTSEC_RETRY_TOO_OFTEN => Failure::TooOften { after },
            IOTSEC_RETRY_REFUSED => Failure::Refused,
            _ => return Err(CallError::Config.into()),
        };
        let now = Millis(uptime_ms);
        object::enter(retry, |trying| {
            let random = drawn(&mut trying.entropy)?;
            match trying.take() {
                Phase::Attempt(attempt) => {
                    let Trying { retry, storage, .. } = trying;
                    Ok(retry.failed(storage, attempt, failure, now, random)?)
                }
                Phase::Session(session) => {
                    let Trying { retry, storage, .. } = trying;
                    Ok(retry.lost(storage, session, failure, now, random)?)
                }
                other @ Phase::Waiting => trying.refuse(other),
            }
        })
    })
}

/// To be called now and then: once a connection has lasted long enough, the record is cleared, with one write for each
/// connection. Does nothing while not connected.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_retry_tend(retry: *mut iotsec_retry_t, uptime_ms: u64) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        object::enter(retry, |trying| {
            let Trying {
                retry,
                phase,
                storage,
                ..
            } = trying;
            if let Phase::Session(session) = phase {
                retry.tend(storage, session, Millis(uptime_ms))?;
            }
            Ok(())
        })
    })
}

/// The connection was closed by us, with everything done that it was for: as good as one that lasted. For devices that sleep
/// between connections. One write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_retry_finish(retry: *mut iotsec_retry_t, uptime_ms: u64) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        object::enter(retry, |trying| {
            let random = drawn(&mut trying.entropy)?;
            match trying.take() {
                Phase::Session(session) => {
                    let Trying { retry, storage, .. } = trying;
                    Ok(retry.finish(storage, session, Millis(uptime_ms), random)?)
                }
                other => trying.refuse(other),
            }
        })
    })
}

/// Closes the breaker and starts with the first window: there are new credentials, another trust anchor, a new address.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_retry_repair(retry: *mut iotsec_retry_t, uptime_ms: u64) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        object::enter(retry, |trying| {
            let random = drawn(&mut trying.entropy)?;
            Ok(trying
                .retry
                .repair(&mut trying.storage, Millis(uptime_ms), random)?)
        })
    })
}

/// Ends it. The record stays; the storage may be used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_retry_close(retry: *mut iotsec_retry_t) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe { object::end(retry) })
}

impl Trying {
    const fn take(&mut self) -> Phase {
        core::mem::replace(&mut self.phase, Phase::Waiting)
    }

    /// A step out of order changes nothing.
    fn refuse(&mut self, phase: Phase) -> Result<(), Status> {
        self.phase = phase;
        Err(CallError::State.into())
    }
}

fn drawn(entropy: &mut CEntropy) -> Result<u32, Status> {
    Ok(entropy.try_next_u32().map_err(|_| CallError::Callback)?)
}

/// # Safety
/// As [`argument::sized`], or null.
unsafe fn policy_of(policy: *const iotsec_retry_policy_t) -> Result<RetryPolicy, Status> {
    if policy.is_null() {
        return Ok(RetryPolicy::DEFAULT);
    }
    // SAFETY: the caller's word, passed on.
    let given = unsafe { argument::sized(policy) }?;
    let first = argument::millis_or(given.first_ms, RetryPolicy::DEFAULT.window(0));
    let longest = argument::millis_or(given.longest_ms, RetryPolicy::DEFAULT.window(u8::MAX).max(first));
    let mut policy = RetryPolicy::new(first, longest)?;
    if given.stable_ms != 0 {
        policy = policy.with_stable(Millis(given.stable_ms))?;
    }
    if given.longest_hint_ms != 0 {
        policy = policy.with_longest_hint(Millis(given.longest_hint_ms))?;
    }
    let (refusals, pause) = policy.breaker();
    let refusals = match given.refusals {
        0 => refusals,
        refusals => u8::try_from(refusals).map_err(|_| RetryError::Policy)?,
    };
    Ok(policy.with_breaker(refusals, argument::millis_or(given.pause_ms, pause))?)
}
