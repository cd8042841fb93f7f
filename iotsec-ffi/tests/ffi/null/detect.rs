use iotsec_ffi::{
    about::*,
    detect::{feed::*, *},
    device::detection::*,
    guard::*,
    retry::*,
};

use super::*;

pub(super) fn calls(calls: &mut Calls) {
    call!(calls, iotsec_detector_open, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &crate::detect::config(IOTSEC_DETECTOR_AUTH_BURST, ptr::null())),
        0
    ));
    call!(calls, iotsec_detector_close, |t, b| (t.mutable(0, &mut zeroed())));
    call!(calls, iotsec_detector_keep, |t, b| (t.mutable(0, &mut zeroed())));
    call!(calls, iotsec_detector_fetched, |t, b| (t
        .mutable(0, &mut zeroed())));
    call!(calls, iotsec_detector_cleared, |t, b| (t
        .mutable(0, &mut zeroed())));
    call!(calls, iotsec_detector_looked, |t, b| (t
        .mutable(0, &mut zeroed())));
    call!(calls, iotsec_detector_proved, |t, b| (
        t.mutable(0, &mut zeroed()),
        0,
        0
    ));
    call!(calls, iotsec_detector_status, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.mutable(1, &mut zeroed())
    ));
    call!(calls, iotsec_detector_tend, |t, b| (
        t.mutable(0, &mut zeroed()),
        0,
        t.mutable(1, &mut zeroed())
    ));
    call!(calls, iotsec_detector_started, |t, b| (
        t.mutable(0, &mut zeroed()),
        IOTSEC_RESTART_ASKED,
        t.mutable(1, &mut zeroed())
    ));
    call!(calls, iotsec_detector_happened, |t, b| (
        t.mutable(0, &mut zeroed()),
        0,
        t.mutable(1, &mut zeroed())
    ));
    call!(calls, iotsec_detector_counted, |t, b| (
        t.mutable(0, &mut zeroed()),
        1,
        0,
        t.mutable(1, &mut zeroed())
    ));
    call!(calls, iotsec_detector_failed, |t, b| (
        t.mutable(0, &mut zeroed()),
        1,
        0,
        t.mutable(1, &mut zeroed())
    ));
    call!(calls, iotsec_detector_refused, |t, b| (
        t.mutable(0, &mut zeroed()),
        1,
        0,
        t.mutable(1, &mut zeroed())
    ));
    call!(calls, iotsec_detector_changed, |t, b| (
        t.mutable(0, &mut zeroed()),
        0,
        1,
        0,
        t.mutable(1, &mut zeroed())
    ));
    call!(calls, iotsec_detector_listens, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &crate::surface::TELNET),
        0,
        t.mutable(2, &mut zeroed())
    ));
    call!(calls, iotsec_detector_clock, |t, b| (
        t.mutable(0, &mut zeroed()),
        0,
        0,
        t.mutable(1, &mut zeroed())
    ));
    call!(calls, iotsec_detector_drawn, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &0),
        1,
        0,
        t.mutable(2, &mut zeroed())
    ));
    call!(calls, iotsec_detector_worn, |t, b| (
        t.mutable(0, &mut zeroed()),
        1,
        t.mutable(1, &mut zeroed())
    ));
    call!(calls, iotsec_guard_open, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &b.telemetry.device_records),
        t.shared(2, &no_rules()),
        0
    ));
    call!(calls, iotsec_guard_note, |t, b| (
        t.mutable(0, &mut zeroed()),
        IOTSEC_DETECTED_INTEGRITY,
        0,
        t.mutable(1, &mut zeroed())
    ));
    call!(calls, iotsec_guard_tend, |t, b| (
        t.mutable(0, &mut zeroed()),
        0,
        0,
        t.mutable(1, &mut zeroed())
    ));
    call!(calls, iotsec_device_release_guard, |t, b| (
        t.mutable(0, &mut zeroed()),
        1,
        t.mutable(1, &mut zeroed()),
        0,
        t.mutable(2, &mut zeroed())
    ));
    call!(calls, iotsec_login_release_guard, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.mutable(1, &mut zeroed()),
        t.shared(2, b"green kettle").cast(),
        12,
        0,
        t.mutable(3, &mut zeroed())
    ));
    call!(calls, iotsec_guard_status, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.mutable(1, &mut zeroed())
    ));
    call!(calls, iotsec_guard_close, |t, b| (t.mutable(0, &mut zeroed())));
    call!(calls, iotsec_device_guard_record, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.mutable(1, &mut zeroed())
    ));
    call!(calls, iotsec_device_baseline_record, |t, b| (
        t.mutable(0, &mut zeroed()),
        IOTSEC_DETECTOR_TRAFFIC,
        t.mutable(1, &mut zeroed())
    ));
    call!(calls, iotsec_retry_open, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &b.telemetry.device_records),
        t.shared(2, &b.entropy),
        t.shared(
            3,
            &iotsec_retry_policy_t {
                struct_size: size_of::<iotsec_retry_policy_t>() as u32,
                ..zeroed()
            }
        ),
        0
    ));
    call!(calls, iotsec_retry_status, |t, b| (
        t.mutable(0, &mut zeroed()),
        0,
        t.mutable(1, &mut zeroed())
    ));
    call!(calls, iotsec_retry_begin, |t, b| (t.mutable(0, &mut zeroed()), 0));
    call!(calls, iotsec_retry_connected, |t, b| (
        t.mutable(0, &mut zeroed()),
        0
    ));
    call!(calls, iotsec_retry_tend, |t, b| (t.mutable(0, &mut zeroed()), 0));
    call!(calls, iotsec_retry_finish, |t, b| (
        t.mutable(0, &mut zeroed()),
        0
    ));
    call!(calls, iotsec_retry_repair, |t, b| (
        t.mutable(0, &mut zeroed()),
        0
    ));
    call!(calls, iotsec_retry_ended, |t, b| (
        t.mutable(0, &mut zeroed()),
        IOTSEC_RETRY_BUSY,
        0,
        0
    ));
    call!(calls, iotsec_retry_close, |t, b| (t.mutable(0, &mut zeroed())));
    call!(calls, iotsec_about_json, |t, b| (
        t.shared(0, &crate::about::ABOUT),
        t.mutable(1, &mut [0u8; 64]).cast(),
        64,
        t.mutable(2, &mut 0)
    ));
    call!(calls, iotsec_device_about_json, |t, b| (
        t.mutable(0, &mut zeroed()),
        1,
        t.shared(1, &crate::about::ABOUT),
        t.mutable(2, &mut [0u8; 64]).cast(),
        64,
        t.mutable(3, &mut 0)
    ));
}

fn no_rules() -> iotsec_guard_policy_t {
    iotsec_guard_policy_t {
        struct_size: size_of::<iotsec_guard_policy_t>() as u32,
        rule_count: 0,
        rules: ptr::null(),
        least_quiet_ms: 600_000,
        safe_quiet_ms: 0,
    }
}
