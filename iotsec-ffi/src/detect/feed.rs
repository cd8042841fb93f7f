//! What detectors are told.

use iotsec::{
    core::hal::{Millis, UnixTime},
    telemetry::detect::{BootLoop, Listening, Transport, WatchdogResets},
};

use super::{
    Detector, IOTSEC_RESTART_ASKED, IOTSEC_RESTART_UNASKED, IOTSEC_RESTART_WATCHDOG, Watch,
    iotsec_detected_t, iotsec_detector_t, iotsec_restart_t, needed, told,
};
use crate::{
    argument, object,
    status::{CallError, Status, iotsec_status_t, status},
    surface::{
        IOTSEC_INTERFACE_PACKET, IOTSEC_INTERFACE_RAW, IOTSEC_INTERFACE_TCP, IOTSEC_INTERFACE_UDP,
        IOTSEC_INTERFACE_UNIX, iotsec_listener_t,
    },
};

/// Tells `_BOOT_LOOP` and `_WATCHDOG` how this boot came about, `IOTSEC_RESTART_*`: once, as early as can be, since the next
/// reset may come soon. Both may be told the same. Saves their record; one that is missing or damaged counts as no restarts.
/// Told twice, it is refused with `IOTSEC_ERR_STATE`; when the record cannot be read or saved, nothing was told.
///
/// Power loss: this boot is counted or not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_detector_started(
    detector: *mut iotsec_detector_t,
    restart: iotsec_restart_t,
    found: *mut iotsec_detected_t,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        let (is_asked, is_watchdog) = match restart {
            IOTSEC_RESTART_UNASKED => (false, false),
            IOTSEC_RESTART_ASKED => (true, false),
            IOTSEC_RESTART_WATCHDOG => (false, true),
            _ => return Err(CallError::Config.into()),
        };
        told(detector, found, |Detector { watch, record }| match watch {
            Watch::BootLoop(place @ None) => {
                let record = needed(record)?;
                let (watch, finding) = BootLoop::started(record.kept()?.whole().as_ref(), is_asked);
                record.save(&watch.record())?;
                *place = Some(watch);
                Ok(finding)
            }
            Watch::Watchdog(place @ None) => {
                let record = needed(record)?;
                let (watch, finding) = WatchdogResets::started(record.kept()?.whole().as_ref(), is_watchdog);
                record.save(&watch.record())?;
                *place = Some(watch);
                Ok(finding)
            }
            _ => Err(CallError::State.into()),
        })
    })
}

/// Counts one more of what `_AUTH_BURST`, `_AUTH_SLOW`, `_RECONNECTS` or `_TLS_REJECTS` looks at, at `uptime_ms`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_detector_happened(
    detector: *mut iotsec_detector_t,
    uptime_ms: u64,
    found: *mut iotsec_detected_t,
) -> iotsec_status_t {
    let now = Millis(uptime_ms);
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        told(detector, found, |detector| match &mut detector.watch {
            Watch::AuthBurst(watch) => Ok(watch.failed(now)),
            Watch::AuthSlow(watch) => Ok(watch.failed(now)),
            Watch::Churn(watch) => Ok(watch.happened(now)),
            _ => Err(CallError::State.into()),
        })
    })
}

/// Counts `units` of traffic for `_TRAFFIC`, at `uptime_ms`, in a unit of the product's own, such as KiB, of which a period
/// has at most some thousands.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_detector_counted(
    detector: *mut iotsec_detector_t,
    units: u32,
    uptime_ms: u64,
    found: *mut iotsec_detected_t,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        told(detector, found, |detector| match &mut detector.watch {
            Watch::Traffic(watch) => Ok(watch.count(units, Millis(uptime_ms))),
            _ => Err(CallError::State.into()),
        })
    })
}

/// Tells `_UPDATES` of an update that could not be fetched, `_ENTROPY` of a source of randomness and `_STORAGE` of storage
/// that failed. `error` is the status of the call that failed, or a number of the product's own: 1 to 65535.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_detector_failed(
    detector: *mut iotsec_detector_t,
    error: iotsec_status_t,
    uptime_ms: u64,
    found: *mut iotsec_detected_t,
) -> iotsec_status_t {
    let now = Millis(uptime_ms);
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        told(detector, found, |detector| {
            let error = error_of(error)?;
            match &mut detector.watch {
                Watch::Updates(watch) => Ok(watch.download_failed(error, now)),
                Watch::Entropy(watch) => Ok(watch.failed(error, now)),
                Watch::Storage(watch) => Ok(watch.failed(error, now)),
                _ => Err(CallError::State.into()),
            }
        })
    })
}

/// Tells `_UPDATES` of an update that a check refused; `error` is the status that said so.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_detector_refused(
    detector: *mut iotsec_detector_t,
    error: iotsec_status_t,
    uptime_ms: u64,
    found: *mut iotsec_detected_t,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        told(detector, found, |detector| {
            let error = error_of(error)?;
            match &mut detector.watch {
                Watch::Updates(watch) => Ok(watch.refused(error, Millis(uptime_ms))),
                _ => Err(CallError::State.into()),
            }
        })
    })
}

/// Tells `_UPDATES` that the server was asked, and that what it has was fetched or is here already.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_detector_fetched(detector: *mut iotsec_detector_t) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        object::enter(detector, |detector| match &mut detector.watch {
            Watch::Updates(watch) => {
                watch.fetched();
                Ok(())
            }
            _ => Err(CallError::State.into()),
        })
    })
}

/// Tells `_INTEGRITY` that a measurement differs from what was signed, in the component of this number from 0 to 254, or -1
/// if it is not known; `error` is what said so: `cause` of `iotsec_integrity_step_t`, the status of `iotsec_boot_verify()`, or
/// `refusal` of `iotsec_boot_t`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_detector_changed(
    detector: *mut iotsec_detector_t,
    component: i32,
    error: iotsec_status_t,
    uptime_ms: u64,
    found: *mut iotsec_detected_t,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        told(detector, found, |detector| {
            let (error, component) = (error_of(error)?, component_of(component)?);
            match &mut detector.watch {
                Watch::Integrity(watch) => Ok(watch.found(component, error, Millis(uptime_ms))),
                _ => Err(CallError::State.into()),
            }
        })
    })
}

/// Ends what goes on: tells `_UPDATES` that an update passed all checks, `_INTEGRITY` that a whole round of measurements
/// found nothing, `_ENTROPY` that the source works again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_detector_cleared(detector: *mut iotsec_detector_t) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        object::enter(detector, |detector| {
            match &mut detector.watch {
                Watch::Updates(watch) => watch.accepted(),
                Watch::Integrity(watch) => watch.intact(),
                Watch::Entropy(watch) => watch.recovered(),
                _ => return Err(CallError::State.into()),
            }
            Ok(())
        })
    })
}

/// Shows `_LISTENERS` a socket that `iotsec_surface_audit()` found to listen undeclared, wider than declared, or although it
/// should be closed. It is reported when it is first shown, and again when it comes back after it was gone: after each
/// audit call `iotsec_detector_looked()`. The event has the port, the protocol or the EtherType, of a path a number made of
/// it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_detector_listens(
    detector: *mut iotsec_detector_t,
    listener: *const iotsec_listener_t,
    uptime_ms: u64,
    found: *mut iotsec_detected_t,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        let listener = argument::copied(listener)?;
        told(detector, found, |detector| {
            let socket = listening(&listener)?;
            match &mut detector.watch {
                // Whoever calls this has asked the table before.
                Watch::Listeners(watch) => Ok(watch.saw(socket, [].as_slice(), Millis(uptime_ms))),
                _ => Err(CallError::State.into()),
            }
        })
    })
}

/// Ends a look of `_LISTENERS`: what was not shown since the last is gone, and would be new.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_detector_looked(detector: *mut iotsec_detector_t) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        object::enter(detector, |detector| match &mut detector.watch {
            Watch::Listeners(watch) => {
                watch.looked();
                Ok(())
            }
            _ => Err(CallError::State.into()),
        })
    })
}

/// Tells `_CLOCK` what the clock says at `uptime_ms`, in seconds since 1970; every few minutes, and after each correction.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_detector_clock(
    detector: *mut iotsec_detector_t,
    uptime_ms: u64,
    time_s: u64,
    found: *mut iotsec_detected_t,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        told(detector, found, |detector| match &mut detector.watch {
            Watch::Clock(watch) => Ok(watch.read(Millis(uptime_ms), UnixTime(time_s))),
            _ => Err(CallError::State.into()),
        })
    })
}

/// Tells `_CLOCK` that somebody proved what time it is: a signature, a verified server, the owner. A clock that was ahead
/// may go back to it, but not before the floor.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_detector_proved(
    detector: *mut iotsec_detector_t,
    uptime_ms: u64,
    time_s: u64,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        object::enter(detector, |detector| match &mut detector.watch {
            Watch::Clock(watch) => {
                watch.proved(Millis(uptime_ms), UnixTime(time_s));
                Ok(())
            }
            _ => Err(CallError::State.into()),
        })
    })
}

/// Shows `_ENTROPY` `len` bytes of the source, as raw as they can be had and used for nothing else: they leave traces here.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_detector_drawn(
    detector: *mut iotsec_detector_t,
    bytes: *const u8,
    len: usize,
    uptime_ms: u64,
    found: *mut iotsec_detected_t,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        let bytes = argument::bytes(bytes, len)?;
        told(detector, found, |detector| match &mut detector.watch {
            Watch::Entropy(watch) => Ok(watch.drawn(bytes, Millis(uptime_ms))),
            _ => Err(CallError::State.into()),
        })
    })
}

/// Tells `_STORAGE` how much of its life is used up, in per cent: erasures of the page that was erased most, by how many it
/// is made for. The event is for the health of the device, and needs its owner's consent.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_detector_worn(
    detector: *mut iotsec_detector_t,
    percent: u8,
    found: *mut iotsec_detected_t,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        told(detector, found, |detector| match &mut detector.watch {
            Watch::Storage(watch) => Ok(watch.worn(percent)),
            _ => Err(CallError::State.into()),
        })
    })
}

fn error_of(error: iotsec_status_t) -> Result<u16, CallError> {
    let error = u16::try_from(error).map_err(|_| CallError::Config)?;
    if error == 0 {
        Err(CallError::Config)
    } else {
        Ok(error)
    }
}

fn component_of(component: i32) -> Result<Option<u8>, CallError> {
    match component {
        -1 => Ok(None),
        0..=254 => Ok(u8::try_from(component).ok()),
        _ => Err(CallError::Config),
    }
}

/// # Safety
/// The path of `given` is null, or as long as it says.
unsafe fn listening(given: &iotsec_listener_t) -> Result<Listening, Status> {
    argument::zero(given.reserved)?;
    let transport = match given.kind {
        IOTSEC_INTERFACE_TCP => Transport::Tcp,
        IOTSEC_INTERFACE_UDP => Transport::Udp,
        IOTSEC_INTERFACE_RAW => Transport::Raw,
        IOTSEC_INTERFACE_PACKET => Transport::Packet,
        IOTSEC_INTERFACE_UNIX => {
            // SAFETY: the caller's word, passed on.
            let path = unsafe { argument::bytes(given.path, given.path_len) }?;
            return Ok(Listening::named(path));
        }
        _ => return Err(CallError::Config.into()),
    };
    let number = u16::try_from(given.number).map_err(|_| CallError::Config)?;
    Ok(Listening { transport, number })
}
