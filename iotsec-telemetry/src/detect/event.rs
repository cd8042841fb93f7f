//! The events that detectors report. Their numbers keep their meaning for ever.

use crate::registry::{Class, EventDef, Field, RESERVED_IDS};

const fn id(offset: u16) -> u16 {
    RESERVED_IDS.saturating_add(offset)
}

/// Failed authentications came faster than a person fails. From [`FailureBurst`](super::FailureBurst).
pub const AUTH_BURST: EventDef = EventDef::new(
    id(0),
    "iotsec.auth-burst",
    Class::Security,
    "Shows that somebody tries passwords on this device",
    &[
        Field::number("interface", "1", 0, 15),
        Field::number("failures", "1", 0, 65535),
    ],
);

/// The device keeps restarting without having been asked to. From [`BootLoop`](super::BootLoop).
pub const BOOT_LOOP: EventDef = EventDef::new(
    id(1),
    "iotsec.boot-loop",
    Class::Critical,
    "Shows that the device cannot stay up, because of an attack or a faulty update",
    &[Field::number("restarts", "1", 0, 255)],
);

/// The software is not what was signed. From [`IntegrityFailures`](super::IntegrityFailures), for a boot check or one
/// that goes on while the device runs.
pub const INTEGRITY: EventDef = EventDef::new(
    id(2),
    "iotsec.integrity",
    Class::Critical,
    "Shows that the software of this device was changed, or wears out",
    &[
        // 255 where it is not known.
        Field::number("component", "1", 0, 255),
        Field::number("error", "1", 0, 65535),
    ],
);

/// Failed authentications go on, too slowly for a burst. From [`SlowFailures`](super::SlowFailures).
pub const AUTH_SLOW: EventDef = EventDef::new(
    id(3),
    "iotsec.auth-slow",
    Class::Security,
    "Shows that somebody tries passwords on this device slowly, so as not to be noticed",
    &[
        Field::number("interface", "1", 0, 15),
        Field::number("failures", "1", 0, 65535),
    ],
);

/// An update was refused. From [`UpdateFailures`](super::UpdateFailures).
pub const UPDATE_REFUSED: EventDef = EventDef::new(
    id(4),
    "iotsec.update-refused",
    Class::Security,
    "Shows that somebody offers software that was not made for this device, or that updates are broken",
    &[
        Field::number("error", "1", 0, 65535),
        Field::number("count", "1", 0, 65535),
    ],
);

/// Updates cannot be fetched. From [`UpdateFailures`](super::UpdateFailures).
pub const UPDATE_UNREACHABLE: EventDef = EventDef::new(
    id(5),
    "iotsec.update-unreachable",
    Class::Security,
    "Shows that somebody, or a fault, keeps this device from its updates",
    &[
        Field::number("error", "1", 0, 65535),
        Field::number("failures", "1", 0, 65535),
    ],
);

/// Something listens that was not declared. From [`NewListeners`](super::NewListeners).
pub const LISTENER: EventDef = EventDef::new(
    id(6),
    "iotsec.listener",
    Class::Security,
    "Shows that a way into this device is open that its maker did not declare",
    &[
        Field::choice("transport", &["tcp", "udp", "raw", "packet", "unix"]),
        Field::number("number", "1", 0, 65535),
    ],
);

/// The clock went back. From [`ClockRollback`](super::ClockRollback).
pub const CLOCK_ROLLBACK: EventDef = EventDef::new(
    id(7),
    "iotsec.clock-rollback",
    Class::Security,
    "Shows that somebody sets the clock back, to bring what has expired back to life, or that it is broken",
    &[Field::number("by", "s", 0, 4_294_967_295)],
);

/// Far more traffic than usual, for several periods. From [`TrafficVolume`](super::TrafficVolume).
pub const TRAFFIC: EventDef = EventDef::new(
    id(8),
    "iotsec.traffic",
    Class::Security,
    "Shows that this device sends or receives far more than usual, as one that was taken over does",
    &[
        Field::number("meter", "1", 0, 15),
        Field::number("deviations", "1", 0, 65535),
    ],
);

/// Connections break more often than usual. From [`Churn`](super::Churn).
pub const RECONNECTS: EventDef = EventDef::new(
    id(9),
    "iotsec.reconnects",
    Class::Security,
    "Shows that connections of this device are cut, by somebody or by a fault",
    &[
        Field::number("usual", "1", 0, 65535),
        Field::number("count", "1", 0, 65535),
    ],
);

/// Servers, or their certificates, are refused more often than usual. From [`Churn`](super::Churn).
pub const TLS_REJECTS: EventDef = EventDef::new(
    id(10),
    "iotsec.tls-rejects",
    Class::Security,
    "Shows that somebody stands between this device and its service, or that a certificate is wrong",
    &[
        Field::number("usual", "1", 0, 65535),
        Field::number("count", "1", 0, 65535),
    ],
);

/// The source of randomness fails. From [`EntropyHealth`](super::EntropyHealth).
pub const ENTROPY: EventDef = EventDef::new(
    id(11),
    "iotsec.entropy",
    Class::Critical,
    "Shows that keys made by this device could be guessed",
    &[
        Field::number("error", "1", 0, 65535),
        Field::number("count", "1", 0, 65535),
    ],
);

/// Storage fails. From [`StorageHealth`](super::StorageHealth).
pub const STORAGE_FAILED: EventDef = EventDef::new(
    id(12),
    "iotsec.storage-failed",
    Class::Security,
    "Shows that this device loses what it stores, or that somebody changed it",
    &[
        Field::number("error", "1", 0, 65535),
        Field::number("count", "1", 0, 65535),
    ],
);

/// Storage wears out. From [`StorageHealth`](super::StorageHealth). For the health of the device, so it needs its
/// owner's consent.
pub const STORAGE_WORN: EventDef = EventDef::new(
    id(13),
    "iotsec.storage-worn",
    Class::Health,
    "Tells when the flash of a device comes to the end of its life",
    &[Field::number("worn", "%", 0, 100)],
);

/// The watchdog had to restart the device. From [`WatchdogResets`](super::WatchdogResets).
pub const WATCHDOG: EventDef = EventDef::new(
    id(14),
    "iotsec.watchdog",
    Class::Security,
    "Shows that the software of this device hangs, because of an attack or a fault",
    &[Field::number("resets", "1", 0, 255)],
);

/// The device changed its mode. From [`Guard`](super::Guard).
pub const MODE: EventDef = EventDef::new(
    id(15),
    "iotsec.mode",
    Class::Critical,
    "Shows that a device limits what it does after an attack or a fault, and when it goes back to normal",
    &[
        Field::choice("mode", &["normal", "least-connectivity", "safe"]),
        // The number of the event that caused it; zero for its owner, or for quiet.
        Field::number("cause", "1", 0, 65535),
    ],
);

/// All of them, in ascending order of their ids.
pub const EVENTS: [EventDef; 16] = [
    AUTH_BURST,
    BOOT_LOOP,
    INTEGRITY,
    AUTH_SLOW,
    UPDATE_REFUSED,
    UPDATE_UNREACHABLE,
    LISTENER,
    CLOCK_ROLLBACK,
    TRAFFIC,
    RECONNECTS,
    TLS_REJECTS,
    ENTROPY,
    STORAGE_FAILED,
    STORAGE_WORN,
    WATCHDOG,
    MODE,
];

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;
    use crate::registry::Registry;

    #[test]
    fn all_of_them_make_a_registry() {
        static ALL: [EventDef; 16] = EVENTS;
        assert!(Registry::new(&ALL).is_ok());
    }

    #[test]
    fn numbers_and_names_stay() {
        let stated: Vec<(u16, &str)> = EVENTS.iter().map(|event| (event.id(), event.name())).collect();
        assert_eq!(
            stated,
            [
                (0xF000, "iotsec.auth-burst"),
                (0xF001, "iotsec.boot-loop"),
                (0xF002, "iotsec.integrity"),
                (0xF003, "iotsec.auth-slow"),
                (0xF004, "iotsec.update-refused"),
                (0xF005, "iotsec.update-unreachable"),
                (0xF006, "iotsec.listener"),
                (0xF007, "iotsec.clock-rollback"),
                (0xF008, "iotsec.traffic"),
                (0xF009, "iotsec.reconnects"),
                (0xF00A, "iotsec.tls-rejects"),
                (0xF00B, "iotsec.entropy"),
                (0xF00C, "iotsec.storage-failed"),
                (0xF00D, "iotsec.storage-worn"),
                (0xF00E, "iotsec.watchdog"),
                (0xF00F, "iotsec.mode"),
            ]
        );
    }
}
