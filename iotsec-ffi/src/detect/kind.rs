//! What detectors look at, and the events that come of it.

use iotsec::telemetry::detect::EVENTS;

/// What a detector looks at.
pub type iotsec_detector_kind_t = i32;

/// Failed authentications that come quickly: 5 in a minute. Fed by `iotsec_detector_happened()`.
pub const IOTSEC_DETECTOR_AUTH_BURST: iotsec_detector_kind_t = 1;
/// Failed authentications that go on slowly: a sum over hours. Fed by `iotsec_detector_happened()`.
pub const IOTSEC_DETECTOR_AUTH_SLOW: iotsec_detector_kind_t = 2;
/// Updates that are refused, each; updates out of reach, from the third in a row on. Fed by `iotsec_detector_refused()`,
/// `_failed()`, `_fetched()` and `_cleared()`.
pub const IOTSEC_DETECTOR_UPDATES: iotsec_detector_kind_t = 3;
/// Restarts that nobody asked for: 3 in a row. Fed by `iotsec_detector_started()`.
pub const IOTSEC_DETECTOR_BOOT_LOOP: iotsec_detector_kind_t = 4;
/// Restarts by the watchdog, each. Fed by `iotsec_detector_started()`.
pub const IOTSEC_DETECTOR_WATCHDOG: iotsec_detector_kind_t = 5;
/// Software that is not what was signed, each. Fed by `iotsec_detector_changed()` and `_cleared()`.
pub const IOTSEC_DETECTOR_INTEGRITY: iotsec_detector_kind_t = 6;
/// Sockets that were not declared. Fed by `iotsec_detector_listens()` and `_looked()`.
pub const IOTSEC_DETECTOR_LISTENERS: iotsec_detector_kind_t = 7;
/// A clock that goes back by more than two minutes, at once or in small steps, or before its floor. Fed by
/// `iotsec_detector_clock()` and `_proved()`.
pub const IOTSEC_DETECTOR_CLOCK: iotsec_detector_kind_t = 8;
/// Far more traffic than usual, for three periods. Fed by `iotsec_detector_counted()`.
pub const IOTSEC_DETECTOR_TRAFFIC: iotsec_detector_kind_t = 9;
/// Connections that break more often than usual: a sum over hours. Attempts that fail while a service is away are none.
/// Fed by `iotsec_detector_happened()`.
pub const IOTSEC_DETECTOR_RECONNECTS: iotsec_detector_kind_t = 10;
/// Servers, and certificates, that are refused more often than usual. Fed by `iotsec_detector_happened()`.
pub const IOTSEC_DETECTOR_TLS_REJECTS: iotsec_detector_kind_t = 11;
/// A source of randomness that fails, by its own word or by the health tests of NIST SP 800-90B, section 4.4. Fed by
/// `iotsec_detector_drawn()`, `_failed()` and `_cleared()`.
pub const IOTSEC_DETECTOR_ENTROPY: iotsec_detector_kind_t = 12;
/// Storage that fails, each; storage that wears out, at 80, 90, 95 and 100 %. Fed by `iotsec_detector_failed()` and
/// `_worn()`.
pub const IOTSEC_DETECTOR_STORAGE: iotsec_detector_kind_t = 13;

/// How a boot came about.
pub type iotsec_restart_t = i32;

/// Nobody asked for it: power returned, or the software stopped.
pub const IOTSEC_RESTART_UNASKED: iotsec_restart_t = 0;
/// It was asked for, as the one into an update.
pub const IOTSEC_RESTART_ASKED: iotsec_restart_t = 1;
/// The watchdog made it.
pub const IOTSEC_RESTART_WATCHDOG: iotsec_restart_t = 2;

/// Failed authentications came faster than a person fails: interface, failures.
pub const IOTSEC_DETECTED_AUTH_BURST: u16 = 0xF000;
/// The device keeps restarting: restarts.
pub const IOTSEC_DETECTED_BOOT_LOOP: u16 = 0xF001;
/// The software is not what was signed: component, or 255, and the error.
pub const IOTSEC_DETECTED_INTEGRITY: u16 = 0xF002;
/// Failed authentications go on slowly: interface, failures.
pub const IOTSEC_DETECTED_AUTH_SLOW: u16 = 0xF003;
/// An update was refused: error, count.
pub const IOTSEC_DETECTED_UPDATE_REFUSED: u16 = 0xF004;
/// Updates cannot be fetched: error, failures.
pub const IOTSEC_DETECTED_UPDATE_UNREACHABLE: u16 = 0xF005;
/// Something listens that was not declared: transport (0 TCP, 1 UDP, 2 raw, 3 packet, 4 a path), number.
pub const IOTSEC_DETECTED_LISTENER: u16 = 0xF006;
/// The clock went back: by how many seconds.
pub const IOTSEC_DETECTED_CLOCK_ROLLBACK: u16 = 0xF007;
/// Far more traffic than usual: meter, deviations.
pub const IOTSEC_DETECTED_TRAFFIC: u16 = 0xF008;
/// Connections break more often than usual: how many are usual, how many there were.
pub const IOTSEC_DETECTED_RECONNECTS: u16 = 0xF009;
/// Servers are refused more often than usual: how many are usual, how many there were.
pub const IOTSEC_DETECTED_TLS_REJECTS: u16 = 0xF00A;
/// The source of randomness fails: error, count.
pub const IOTSEC_DETECTED_ENTROPY: u16 = 0xF00B;
/// Storage fails: error, count.
pub const IOTSEC_DETECTED_STORAGE_FAILED: u16 = 0xF00C;
/// Storage wears out: per cent. For the health of the device, so it needs its owner's consent.
pub const IOTSEC_DETECTED_STORAGE_WORN: u16 = 0xF00D;
/// The watchdog had to restart the device: resets.
pub const IOTSEC_DETECTED_WATCHDOG: u16 = 0xF00E;
/// The device changed its mode (`iotsec_guard_t`): `IOTSEC_MODE_*`, and the number of the event that caused it, or zero.
pub const IOTSEC_DETECTED_MODE: u16 = 0xF00F;

/// The bits of all of these events, for `detectors` of `iotsec_telemetry_config_t`.
pub const IOTSEC_DETECTED_ALL: u32 = 0xFFFF;

const _: () = {
    let mut events = EVENTS.as_slice();
    let mut id = IOTSEC_DETECTED_AUTH_BURST;
    while let [event, rest @ ..] = events {
        assert!(event.id() == id);
        id = id.saturating_add(1);
        events = rest;
    }
    assert!(id == IOTSEC_DETECTED_MODE + 1);
};
