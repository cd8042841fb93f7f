//! The device's own records of what detectors and a guard keep.

use core::ffi::c_void;

use iotsec::{
    core::hal::Millis,
    device::Baseline,
    telemetry::detect::{BASELINE_RECORD_LEN, GUARD_RECORD_LEN, Guard, Policy},
};

use super::{Held, Life, iotsec_device_t};
use crate::{
    argument,
    detect::{
        IOTSEC_DETECTOR_RECONNECTS, IOTSEC_DETECTOR_TLS_REJECTS, IOTSEC_DETECTOR_TRAFFIC,
        iotsec_detector_kind_t,
    },
    object,
    record::{IOTSEC_RECORD_ABSENT, iotsec_key_id_t, iotsec_record_t},
    status::{CallError, IOTSEC_OK, Status, iotsec_status_t, status},
};

/// Makes an `iotsec_record_t` for `iotsec_guard_open()`: the mode of the device, which reboots, erasures and new owners do
/// not change. The device must stay open and where it is as long as the record is used; the record fails before the device
/// is provisioned, when it waits to be given up, and when it is retired.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_device_guard_record(
    device: *mut iotsec_device_t,
    record: *mut iotsec_record_t,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let record = argument::out(record)?;
            object::enter(device, |held| held.guard().map(drop))?;
            record.set(iotsec_record_t::new(0, device.cast(), load_guard, save_guard)?);
        }
        Ok(())
    })
}

/// Makes an `iotsec_record_t` for a detector: what is usual for `kind`, `IOTSEC_DETECTOR_TRAFFIC`, `_RECONNECTS` or
/// `_TLS_REJECTS`, one of each. It is the owner's and goes with them, since it says when they are at home. The device must
/// stay open and where it is as long as the record is used; the record fails in every state but `IOTSEC_DEVICE_OWNED`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_device_baseline_record(
    device: *mut iotsec_device_t,
    kind: iotsec_detector_kind_t,
    record: *mut iotsec_record_t,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let record = argument::out(record)?;
            let id = iotsec_key_id_t::try_from(kind).map_err(|_| CallError::Config)?;
            baseline_of(id)?;
            object::enter(device, |held| Ok(held.owned().map(drop)?))?;
            let (load, save) = (load_baseline, save_baseline);
            record.set(iotsec_record_t::new(id, device.cast(), load, save)?);
        }
        Ok(())
    })
}

fn baseline_of(id: iotsec_key_id_t) -> Result<Baseline, CallError> {
    match iotsec_detector_kind_t::try_from(id) {
        Ok(IOTSEC_DETECTOR_TRAFFIC) => Ok(Baseline::Traffic),
        Ok(IOTSEC_DETECTOR_RECONNECTS) => Ok(Baseline::Reconnects),
        Ok(IOTSEC_DETECTOR_TLS_REJECTS) => Ok(Baseline::TlsRejects),
        _ => Err(CallError::Config),
    }
}

impl Held {
    /// The guard as the device keeps it. Which policy it would have matters to nobody here.
    fn guard(&mut self) -> Result<Guard, Status> {
        Ok(match &mut self.life {
            Life::Provisioned(device) => device.guard(&Policy::DEFAULT, Millis(0))?,
            Life::Setup(setup) => setup.device_mut().guard(&Policy::DEFAULT, Millis(0))?,
            Life::Owned(device) => device.guard(&Policy::DEFAULT, Millis(0))?,
            _ => return Err(CallError::State.into()),
        })
    }

    fn keep_guard(&mut self, guard: &Guard) -> Result<(), Status> {
        let kept = match &mut self.life {
            Life::Provisioned(device) => device.keep_guard(guard),
            Life::Setup(setup) => setup.device_mut().keep_guard(guard),
            Life::Owned(device) => device.keep_guard(guard),
            _ => return Err(CallError::State.into()),
        };
        Ok(kept?)
    }
}

unsafe extern "C" fn load_guard(
    ctx: *mut c_void,
    _: iotsec_key_id_t,
    bytes: *mut u8,
    size: usize,
    len: *mut usize,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: `ctx` is the device that the record was made of, and the rest is the caller's word; here and below.
        unsafe {
            let out = argument::buffer(bytes, size, len)?;
            object::enter(ctx.cast::<iotsec_device_t>(), |held| {
                out.copy(&held.guard()?.record())
            })
        }
    })
}

unsafe extern "C" fn save_guard(
    ctx: *mut c_void,
    _: iotsec_key_id_t,
    bytes: *const u8,
    len: usize,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: as above.
        unsafe {
            let bytes = argument::bytes(bytes, len)?;
            let bytes = <&[u8; GUARD_RECORD_LEN]>::try_from(bytes).map_err(|_| CallError::Size)?;
            object::enter(ctx.cast::<iotsec_device_t>(), |held| {
                held.keep_guard(&Guard::started(&Policy::DEFAULT, Some(bytes), Millis(0)))
            })
        }
    })
}

unsafe extern "C" fn load_baseline(
    ctx: *mut c_void,
    id: iotsec_key_id_t,
    bytes: *mut u8,
    size: usize,
    len: *mut usize,
) -> iotsec_status_t {
    let mut is_there = true;
    let status = status(|| {
        // SAFETY: as above.
        unsafe {
            let out = argument::buffer(bytes, size, len)?;
            object::enter(ctx.cast::<iotsec_device_t>(), |held| {
                match held.owned()?.baseline(baseline_of(id)?)? {
                    Some(baseline) => out.copy(&baseline),
                    None => {
                        is_there = false;
                        Ok(())
                    }
                }
            })
        }
    });
    if status == IOTSEC_OK && !is_there {
        return IOTSEC_RECORD_ABSENT;
    }
    status
}

unsafe extern "C" fn save_baseline(
    ctx: *mut c_void,
    id: iotsec_key_id_t,
    bytes: *const u8,
    len: usize,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: as above.
        unsafe {
            let bytes = argument::bytes(bytes, len)?;
            let bytes = <&[u8; BASELINE_RECORD_LEN]>::try_from(bytes).map_err(|_| CallError::Size)?;
            object::enter(ctx.cast::<iotsec_device_t>(), |held| {
                Ok(held.owned()?.keep_baseline(baseline_of(id)?, bytes)?)
            })
        }
    })
}
