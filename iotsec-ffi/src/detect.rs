//! Detectors of attacks and faults: each is a few bytes of state that the application feeds.

pub mod feed;
mod kind;

use iotsec::{
    core::hal::{Millis, TimeFloor, UnixTime},
    telemetry::detect::{
        BASELINE_RECORD_LEN, BootLoop, Churn, ClockRollback, EntropyHealth, FailureBurst, Finding,
        IntegrityFailures, NewListeners, SlowFailures, StorageHealth, TrafficPlan, TrafficVolume,
        UpdateFailures, WatchdogResets,
    },
};

pub use self::kind::*;
use crate::{
    argument::{self, Out},
    object::{self, Storage},
    record::{CRecord, iotsec_record_t},
    status::{CallError, Status, iotsec_status_t, status},
    telemetry::{iotsec_value_t, registry::IOTSEC_PURPOSE_SECURITY},
};

/// Words of 8 bytes that a detector takes.
pub const IOTSEC_DETECTOR_WORDS: usize = 24;

/// One detector, in the caller's storage. Start it by `iotsec_detector_open()`, end it by `iotsec_detector_close()`.
///
/// The application tells it what happens; it answers with an event when there is something to report, and is silent while
/// the same thing goes on: whatever an attacker does, a detector with a clock reports at most eight times and once more
/// for each hour. `iotsec_telemetry_record()` takes the event, an `iotsec_guard_t` decides what else is done about it. How
/// often detectors are wrong, and how soon they are right, is measured: `docs/detectors.md`.
///
/// Its state is lost at a reboot, but for what its record keeps. A call that belongs to another kind is refused with
/// `IOTSEC_ERR_STATE`.
#[repr(C)]
pub struct iotsec_detector_t {
    opaque: [u64; IOTSEC_DETECTOR_WORDS],
}

/// What lives in an [`iotsec_detector_t`].
pub(crate) struct Detector {
    watch: Watch,
    record: Option<CRecord>,
}

/// The two that are told of a restart first are there from then on.
enum Watch {
    AuthBurst(FailureBurst),
    AuthSlow(SlowFailures),
    Updates(UpdateFailures),
    BootLoop(Option<BootLoop>),
    Watchdog(Option<WatchdogResets>),
    Integrity(IntegrityFailures),
    Listeners(NewListeners),
    Clock(ClockRollback),
    Traffic(TrafficVolume),
    Churn(Churn),
    Entropy(EntropyHealth),
    Storage(StorageHealth),
}

impl Storage for iotsec_detector_t {
    type Kept = ();
    type Value = Detector;
    const KIND: u32 = 0x4465_7431;
}

/// What a detector is to look at. Members that its kind does not need are not looked at.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct iotsec_detector_config_t {
    /// `sizeof(iotsec_detector_config_t)`.
    pub struct_size: u32,
    /// `IOTSEC_DETECTOR_*`.
    pub kind: iotsec_detector_kind_t,
    /// Of `_AUTH_BURST` and `_AUTH_SLOW` the number of the interface, of `_TRAFFIC` that of the meter, in the product's own
    /// counting: 0 to 15. The event carries it.
    pub number: u32,
    /// Of `_TRAFFIC` what the product needs in one period at most, in the unit that is counted, of `_RECONNECTS` and
    /// `_TLS_REJECTS` how many it must bear in an hour: at most 65535. No higher number is ever learned as usual.
    pub ceiling: u32,
    /// Of `_TRAFFIC` the length of a period: 60 000 (a minute) to 604 800 000 (a week).
    pub period_ms: u64,
    /// Of `_CLOCK` the earliest time that a good clock can say, in seconds since 1970: of the build, of a signature, or kept
    /// over the reboot.
    pub floor_s: u64,
    /// What is kept over a reboot; copied. `_BOOT_LOOP` and `_WATCHDOG` need one, `_TRAFFIC`, `_RECONNECTS` and
    /// `_TLS_REJECTS` may have one, and learn for a week after each reboot if it is null. What they learn says when the owner
    /// is at home: `iotsec_device_baseline_record()`, or a record of `IOTSEC_DOMAIN_USER`.
    pub record: *const iotsec_record_t,
}

/// Something to report, or nothing. A struct that the library fills never grows.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct iotsec_detected_t {
    /// `IOTSEC_DETECTED_*`, or 0 when there is nothing to report.
    pub event: u16,
    /// How many of `values` there are: as many as the event has fields.
    pub value_count: u16,
    /// Zero.
    pub reserved: u32,
    /// For `iotsec_telemetry_record()`.
    pub values: [iotsec_value_t; 2],
}

const _: () = assert!(size_of::<iotsec_detected_t>() == 40);

/// How a detector stands. A struct that the library fills never grows.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct iotsec_detector_status_t {
    /// 1 while what was reported goes on, else 0. `_AUTH_BURST`, `_UPDATES`, `_BOOT_LOOP`, `_WATCHDOG`, `_CLOCK` and
    /// `_STORAGE` do not tell: always 0.
    pub is_alarmed: i32,
    /// 1 while it learns what is usual and judges by its ceiling alone, else 0.
    pub is_learning: i32,
}

const _: () = assert!(size_of::<iotsec_detector_status_t>() == 8);

/// Starts a detector, at every boot, at `uptime_ms` since then. Reads the record of what is usual, if it is given: one that
/// is missing or damaged means that it learns anew.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_detector_open(
    detector: *mut iotsec_detector_t,
    config: *const iotsec_detector_config_t,
    uptime_ms: u64,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let config = argument::sized(config)?;
            let mut record = if config.record.is_null() {
                None
            } else {
                Some(CRecord::new(argument::sized(config.record)?)?)
            };
            object::start(detector, (), |()| {
                let watch = watch(&config, &mut record, Millis(uptime_ms))?;
                Ok(Detector { watch, record })
            })
        }
    })
}

/// To be called every few minutes for each detector, of whatever kind, so that periods end in which nothing happens, and
/// boots that last end a count of restarts; what is found then goes to `found`. Saves the record of restarts when the count
/// ends, and writes nothing else.
///
/// Power loss: the count before or after.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_detector_tend(
    detector: *mut iotsec_detector_t,
    uptime_ms: u64,
    found: *mut iotsec_detected_t,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        told(detector, found, |detector| {
            let now = Millis(uptime_ms);
            let Detector { watch, record } = detector;
            Ok(match watch {
                Watch::AuthSlow(watch) => watch.tend(now),
                Watch::Traffic(watch) => watch.tend(now),
                Watch::Churn(watch) => watch.tend(now),
                Watch::BootLoop(Some(watch)) => {
                    let mut next = watch.clone();
                    if next.stayed_up(now) {
                        needed(record)?.save(&next.record())?;
                    }
                    *watch = next;
                    None
                }
                Watch::Watchdog(Some(watch)) => {
                    let mut next = watch.clone();
                    if next.stayed_up(now) {
                        needed(record)?.save(&next.record())?;
                    }
                    *watch = next;
                    None
                }
                _ => None,
            })
        })
    })
}

/// Saves what `_TRAFFIC`, `_RECONNECTS` and `_TLS_REJECTS` have learned; about once a day. Writes nothing for another kind,
/// and without a record.
///
/// Power loss: what was saved before, or this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_detector_keep(detector: *mut iotsec_detector_t) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        object::enter(detector, |Detector { watch, record }| {
            let learned = match watch {
                Watch::Traffic(watch) => watch.record(),
                Watch::Churn(watch) => watch.record(),
                _ => return Ok(()),
            };
            match record {
                Some(record) => Ok(record.save(&learned)?),
                None => Ok(()),
            }
        })
    })
}

/// How the detector stands. Whether one of those is alarmed that the device reacts to is what `iotsec_guard_tend()` asks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_detector_status(
    detector: *mut iotsec_detector_t,
    result: *mut iotsec_detector_status_t,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let result = argument::out(result)?;
            object::enter(detector, |detector| {
                let (is_alarmed, is_warm) = match &detector.watch {
                    Watch::AuthSlow(watch) => (watch.is_alarmed(), true),
                    Watch::Integrity(watch) => (watch.is_alarmed(), true),
                    Watch::Listeners(watch) => (watch.is_alarmed(), true),
                    Watch::Entropy(watch) => (watch.is_alarmed(), true),
                    Watch::Traffic(watch) => (watch.is_alarmed(), watch.is_warm()),
                    Watch::Churn(watch) => (watch.is_alarmed(), watch.is_warm()),
                    Watch::AuthBurst(_)
                    | Watch::Updates(_)
                    | Watch::BootLoop(_)
                    | Watch::Watchdog(_)
                    | Watch::Clock(_)
                    | Watch::Storage(_) => (false, true),
                };
                result.set(iotsec_detector_status_t {
                    is_alarmed: i32::from(is_alarmed),
                    is_learning: i32::from(!is_warm),
                });
                Ok(())
            })
        }
    })
}

/// Ends a detector. What its record keeps stays; the storage may be used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_detector_close(detector: *mut iotsec_detector_t) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe { object::end(detector) })
}

/// Lets `work` use the detector, and writes what it finds.
///
/// # Safety
/// As [`object::enter`] and [`argument::out`].
unsafe fn told(
    detector: *mut iotsec_detector_t,
    found: *mut iotsec_detected_t,
    work: impl FnOnce(&mut Detector) -> Result<Option<Finding>, Status>,
) -> Result<(), Status> {
    // SAFETY: the caller's word, passed on.
    unsafe {
        let found = argument::out(found)?;
        object::enter(detector, |detector| {
            write_finding(found, work(detector)?.as_ref());
            Ok(())
        })
    }
}

/// Writes a finding, or that there is none.
pub(crate) fn write_finding(found: Out<'_, iotsec_detected_t>, finding: Option<&Finding>) {
    const NOTHING: iotsec_value_t = iotsec_value_t {
        number: 0,
        personal: IOTSEC_PURPOSE_SECURITY,
    };
    let (mut values, mut count) = ([NOTHING; 2], 0u16);
    for (place, number) in values.iter_mut().zip(finding.iter().flat_map(|it| it.numbers())) {
        place.number = number;
        count = count.saturating_add(1);
    }
    found.set(iotsec_detected_t {
        event: finding.map_or(0, |finding| finding.event().id()),
        value_count: count,
        reserved: 0,
        values,
    });
}

fn needed(record: &mut Option<CRecord>) -> Result<&mut CRecord, Status> {
    Ok(record.as_mut().ok_or(CallError::Null)?)
}

fn watch(
    config: &iotsec_detector_config_t,
    record: &mut Option<CRecord>,
    now: Millis,
) -> Result<Watch, Status> {
    let number = || match u8::try_from(config.number) {
        Ok(number @ 0..=15) => Ok(number),
        _ => Err(CallError::Config),
    };
    let ceiling = || u16::try_from(config.ceiling).map_err(|_| CallError::Config);
    let learned = |record: &mut Option<CRecord>| match record {
        Some(record) => Ok::<_, Status>(record.kept::<BASELINE_RECORD_LEN>()?.whole()),
        None => Ok(None),
    };
    Ok(match config.kind {
        IOTSEC_DETECTOR_AUTH_BURST => Watch::AuthBurst(FailureBurst::new(number()?)),
        IOTSEC_DETECTOR_AUTH_SLOW => Watch::AuthSlow(SlowFailures::new(number()?, now)),
        IOTSEC_DETECTOR_UPDATES => Watch::Updates(UpdateFailures::new()),
        IOTSEC_DETECTOR_BOOT_LOOP => {
            needed(record)?;
            Watch::BootLoop(None)
        }
        IOTSEC_DETECTOR_WATCHDOG => {
            needed(record)?;
            Watch::Watchdog(None)
        }
        IOTSEC_DETECTOR_INTEGRITY => Watch::Integrity(IntegrityFailures::new()),
        IOTSEC_DETECTOR_LISTENERS => Watch::Listeners(NewListeners::new()),
        IOTSEC_DETECTOR_CLOCK => Watch::Clock(ClockRollback::new(TimeFloor::new(UnixTime(config.floor_s)))),
        IOTSEC_DETECTOR_TRAFFIC => {
            // As long as `TrafficVolume` takes them.
            if !(60_000..=7 * 86_400_000).contains(&config.period_ms) {
                return Err(CallError::Config.into());
            }
            let plan = TrafficPlan {
                period: Millis(config.period_ms),
                ceiling: ceiling()?,
            };
            let (number, learned) = (number()?, learned(record)?);
            Watch::Traffic(TrafficVolume::new(number, plan, learned.as_ref(), now))
        }
        IOTSEC_DETECTOR_RECONNECTS => {
            let (ceiling, learned) = (ceiling()?, learned(record)?);
            Watch::Churn(Churn::reconnects(ceiling, learned.as_ref(), now))
        }
        IOTSEC_DETECTOR_TLS_REJECTS => {
            let (ceiling, learned) = (ceiling()?, learned(record)?);
            Watch::Churn(Churn::tls_rejects(ceiling, learned.as_ref(), now))
        }
        IOTSEC_DETECTOR_ENTROPY => Watch::Entropy(EntropyHealth::new()),
        IOTSEC_DETECTOR_STORAGE => Watch::Storage(StorageHealth::new()),
        _ => return Err(CallError::Config.into()),
    })
}
