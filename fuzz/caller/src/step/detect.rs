//! Detectors, the guard, retry, and the records of them in a device.

use std::{mem::MaybeUninit, ptr};

use iotsec_ffi::{
    detect::{feed::*, *},
    device::{detection::*, iotsec_device_t, owner::*},
    guard::*,
    record::iotsec_record_t,
    retry::*,
    status::{IOTSEC_OK, iotsec_status_t},
    surface::iotsec_listener_t,
};

use super::{Step, on_copy, plain_call, store::through};
use crate::{Input, board, board::size, world::World};

/// A call that says whether something was found, in no more than there is room for.
fn found(call: impl FnOnce(*mut iotsec_detected_t) -> iotsec_status_t) -> iotsec_status_t {
    let mut detected = MaybeUninit::uninit();
    let status = call(detected.as_mut_ptr());
    if status == IOTSEC_OK {
        // SAFETY: it was written, as the status says; here and below, pointers are to live values that nobody else uses, as
        // large as the length beside them says.
        let detected: iotsec_detected_t = unsafe { detected.assume_init() };
        assert!(usize::from(detected.value_count) <= detected.values.len());
        assert!(detected.event != 0 || detected.value_count == 0);
    }
    status
}

/// A call that gives a record, which is then read or written.
fn recorded(
    input: &mut Input<'_>,
    call: impl FnOnce(*mut iotsec_record_t) -> iotsec_status_t,
) -> iotsec_status_t {
    let mut record = MaybeUninit::uninit();
    match call(record.as_mut_ptr()) {
        // SAFETY: as above.
        IOTSEC_OK => through(unsafe { record.assume_init_ref() }, input),
        status => status,
    }
}

/// A record of the board, or none.
pub(super) fn record(world: &World, input: &mut Input<'_>, id: u64) -> Option<iotsec_record_t> {
    (input.byte() % 4 != 3).then(|| board::record(world.ctx(), id))
}

pub(super) fn or_null<T>(value: Option<&T>) -> *const T {
    value.map_or(ptr::null(), ptr::from_ref)
}

pub(super) const STEPS: &[(&str, Step)] = &[
    ("iotsec_detector_open", |world, input| {
        let record = record(world, input, 0x300);
        let config = iotsec_detector_config_t {
            struct_size: size::<iotsec_detector_config_t>(),
            kind: input.number(),
            number: input.byte().into(),
            ceiling: input.byte().into(),
            period_ms: input.wide() << 8,
            floor_s: input.wide(),
            record: or_null(record.as_ref()),
        };
        // SAFETY: as above.
        unsafe { iotsec_detector_open(world.detector.at(), &raw const config, input.wide()) }
    }),
    ("iotsec_detector_started", |world, input| {
        let (at, restart) = (world.detector.at(), input.number());
        // SAFETY: as above.
        found(|out| unsafe { iotsec_detector_started(at, restart, out) })
    }),
    ("iotsec_detector_happened", |world, input| {
        let (at, now) = (world.detector.at(), input.wide());
        // SAFETY: as above.
        found(|out| unsafe { iotsec_detector_happened(at, now, out) })
    }),
    ("iotsec_detector_counted", |world, input| {
        let (at, units, now) = (world.detector.at(), input.wide(), input.wide());
        let units = u32::try_from(units).unwrap_or(u32::MAX);
        // SAFETY: as above.
        found(|out| unsafe { iotsec_detector_counted(at, units, now, out) })
    }),
    ("iotsec_detector_failed", |world, input| {
        let (at, error, now) = (world.detector.at(), input.wide(), input.wide());
        let error = i32::try_from(error).unwrap_or(-1);
        // SAFETY: as above.
        found(|out| unsafe { iotsec_detector_failed(at, error, now, out) })
    }),
    ("iotsec_detector_refused", |world, input| {
        let (at, error, now) = (world.detector.at(), input.wide(), input.wide());
        let error = i32::try_from(error).unwrap_or(-1);
        // SAFETY: as above.
        found(|out| unsafe { iotsec_detector_refused(at, error, now, out) })
    }),
    plain_call!(detector, iotsec_detector_fetched),
    ("iotsec_detector_changed", |world, input| {
        let (at, component, error) = (world.detector.at(), input.number(), input.wide());
        let (error, now) = (i32::try_from(error).unwrap_or(-1), input.wide());
        // SAFETY: as above.
        found(|out| unsafe { iotsec_detector_changed(at, component, error, now, out) })
    }),
    plain_call!(detector, iotsec_detector_cleared),
    ("iotsec_detector_listens", |world, input| {
        let (at, now, path) = (world.detector.at(), input.wide(), input.piece());
        let listener = iotsec_listener_t {
            kind: input.number(),
            number: input.wide().try_into().unwrap_or(u32::MAX),
            address: [input.byte(); 16],
            address_len: input.byte().into(),
            reserved: 0,
            path: path.as_ptr(),
            path_len: path.len(),
            inode: 0,
        };
        // SAFETY: as above.
        found(|out| unsafe { iotsec_detector_listens(at, &raw const listener, now, out) })
    }),
    plain_call!(detector, iotsec_detector_looked),
    ("iotsec_detector_clock", |world, input| {
        let (at, now, time) = (world.detector.at(), input.wide(), input.wide());
        // SAFETY: as above.
        found(|out| unsafe { iotsec_detector_clock(at, now, time, out) })
    }),
    ("iotsec_detector_proved", |world, input| {
        // SAFETY: as above.
        unsafe { iotsec_detector_proved(world.detector.at(), input.wide(), input.wide()) }
    }),
    ("iotsec_detector_drawn", |world, input| {
        let (at, now, bytes) = (world.detector.at(), input.wide(), input.piece());
        // SAFETY: as above.
        found(|out| unsafe { iotsec_detector_drawn(at, bytes.as_ptr(), bytes.len(), now, out) })
    }),
    ("iotsec_detector_worn", |world, input| {
        let (at, percent) = (world.detector.at(), input.byte());
        // SAFETY: as above.
        found(|out| unsafe { iotsec_detector_worn(at, percent, out) })
    }),
    ("iotsec_detector_tend", |world, input| {
        let (at, now) = (world.detector.at(), input.wide());
        // SAFETY: as above.
        found(|out| unsafe { iotsec_detector_tend(at, now, out) })
    }),
    plain_call!(detector, iotsec_detector_keep),
    ("iotsec_detector_status", |world, _| {
        let mut status = MaybeUninit::uninit();
        // SAFETY: as above.
        unsafe { iotsec_detector_status(world.detector.at(), status.as_mut_ptr()) }
    }),
    plain_call!(detector, iotsec_detector_close),
    ("a copy of a detector", |world, _| {
        let copy = world.detector.copied();
        // SAFETY: as above.
        on_copy(|| unsafe { iotsec_detector_keep(copy) })
    }),
    ("iotsec_guard_open", |world, input| {
        let kept = board::record(world.ctx(), 0x301);
        let mut rules = Vec::new();
        for _ in 0..input.byte() % 5 {
            rules.push(iotsec_rule_t {
                event: input.wide().try_into().unwrap_or(u32::MAX),
                reaction: input.number(),
            });
        }
        let policy = iotsec_guard_policy_t {
            struct_size: size::<iotsec_guard_policy_t>(),
            rule_count: u32::try_from(rules.len()).expect("few"),
            rules: rules.as_ptr(),
            least_quiet_ms: input.wide() << 10,
            safe_quiet_ms: input.wide() << 10,
        };
        let policy = if rules.is_empty() {
            ptr::null()
        } else {
            &raw const policy
        };
        // SAFETY: as above.
        unsafe { iotsec_guard_open(world.guard.at(), &raw const kept, policy, input.wide()) }
    }),
    ("iotsec_guard_note", |world, input| {
        let (at, event, now) = (world.guard.at(), input.wide(), input.wide());
        let event = u16::try_from(event).unwrap_or(u16::MAX);
        // SAFETY: as above.
        found(|out| unsafe { iotsec_guard_note(at, event, now, out) })
    }),
    ("iotsec_guard_tend", |world, input| {
        let (at, is_alarmed, now) = (world.guard.at(), input.number(), input.wide() << 10);
        // SAFETY: as above.
        found(|out| unsafe { iotsec_guard_tend(at, is_alarmed, now, out) })
    }),
    ("iotsec_guard_status", |world, _| {
        let mut status = MaybeUninit::uninit();
        // SAFETY: as above.
        unsafe { iotsec_guard_status(world.guard.at(), status.as_mut_ptr()) }
    }),
    plain_call!(guard, iotsec_guard_close),
    ("a copy of a guard", |world, _| {
        let copy = world.guard.copied();
        // SAFETY: as above.
        on_copy(|| unsafe { iotsec_guard_close(copy) })
    }),
    ("iotsec_device_release_guard", |world, input| {
        let (device, guard, now) = (world.device.at(), world.guard.at(), input.wide());
        let owner = world.owner;
        // SAFETY: as above.
        found(|out| unsafe { iotsec_device_release_guard(device, owner, guard, now, out) })
    }),
    ("iotsec_login_release_guard", |world, input| {
        let (login, guard, now) = (world.login.at(), world.guard.at(), input.wide());
        let text = match input.piece() {
            [] => b"seven small otters",
            piece => piece,
        };
        // SAFETY: as above.
        found(|out| unsafe {
            iotsec_login_release_guard(login, guard, text.as_ptr().cast(), text.len(), now, out)
        })
    }),
    ("iotsec_device_record", |world, input| {
        let (at, key): (*mut iotsec_device_t, _) = (world.device.at(), input.wide() | 1 << 32);
        // SAFETY: as above.
        recorded(input, |out| unsafe { iotsec_device_record(at, key, out) })
    }),
    ("iotsec_device_guard_record", |world, input| {
        let at = world.device.at();
        // SAFETY: as above.
        recorded(input, |out| unsafe { iotsec_device_guard_record(at, out) })
    }),
    ("iotsec_device_baseline_record", |world, input| {
        let (at, kind) = (world.device.at(), input.number());
        // SAFETY: as above.
        recorded(input, |out| unsafe {
            iotsec_device_baseline_record(at, kind, out)
        })
    }),
    ("iotsec_retry_open", |world, input| {
        let (record, entropy) = (record(world, input, 0x302), board::entropy(world.ctx()));
        let policy = iotsec_retry_policy_t {
            struct_size: size::<iotsec_retry_policy_t>(),
            refusals: input.byte().into(),
            first_ms: input.wide(),
            longest_ms: input.wide() << 4,
            stable_ms: input.wide() << 4,
            longest_hint_ms: input.wide() << 8,
            pause_ms: input.wide() << 8,
        };
        let policy = if policy.refusals == 0 {
            ptr::null()
        } else {
            &raw const policy
        };
        let record = or_null(record.as_ref());
        // SAFETY: as above.
        unsafe { iotsec_retry_open(world.retry.at(), record, &raw const entropy, policy, input.wide()) }
    }),
    ("iotsec_retry_status", |world, input| {
        let mut status = MaybeUninit::uninit();
        // SAFETY: as above.
        unsafe { iotsec_retry_status(world.retry.at(), input.wide(), status.as_mut_ptr()) }
    }),
    ("iotsec_retry_begin", |world, input| {
        // SAFETY: as above.
        unsafe { iotsec_retry_begin(world.retry.at(), input.wide() << 8) }
    }),
    ("iotsec_retry_connected", |world, input| {
        // SAFETY: as above.
        unsafe { iotsec_retry_connected(world.retry.at(), input.wide() << 8) }
    }),
    ("iotsec_retry_ended", |world, input| {
        let (failure, after, now) = (input.number(), input.wide(), input.wide() << 8);
        // SAFETY: as above.
        unsafe { iotsec_retry_ended(world.retry.at(), failure, after, now) }
    }),
    ("iotsec_retry_tend", |world, input| {
        // SAFETY: as above.
        unsafe { iotsec_retry_tend(world.retry.at(), input.wide() << 8) }
    }),
    ("iotsec_retry_finish", |world, input| {
        // SAFETY: as above.
        unsafe { iotsec_retry_finish(world.retry.at(), input.wide() << 8) }
    }),
    ("iotsec_retry_repair", |world, input| {
        // SAFETY: as above.
        unsafe { iotsec_retry_repair(world.retry.at(), input.wide() << 8) }
    }),
    plain_call!(retry, iotsec_retry_close),
    ("a copy of a retry", |world, _| {
        let copy = world.retry.copied();
        // SAFETY: as above.
        on_copy(|| unsafe { iotsec_retry_close(copy) })
    }),
];
