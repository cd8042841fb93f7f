//! Detectors: a few bytes of state and integer steps, fed by the application.
//!
//! Each answers with a [`Finding`] when there is something to report, and is silent while the same thing
//! goes on, so that an attacker cannot use it to flood the queue. The events are declared here; a
//! product that uses a detector lists its event in its own registry.
//!
//! ```
//! use iotsec_core::{crypto::Sha256, hal::Millis};
//! use iotsec_telemetry::{consent::Consents, detect::{AUTH_BURST, BOOT_LOOP, FailureBurst}, queue::Queue};
//!
//! iotsec_telemetry::registry!(static PRODUCT = [AUTH_BURST, BOOT_LOOP]);
//! let (consents, registry) = (Consents::off(), PRODUCT.hashed(&mut Sha256::new()));
//! let mut queue = Queue::<8>::new(registry, 1, 4);
//!
//! let mut web = FailureBurst::new(0);
//! for second in 0..5 {
//!     let now = Millis::from_secs(second);
//!     if let Some(finding) = web.failed(now) {
//!         queue.record(&consents, finding.event(), finding.values(), now).unwrap();
//!     }
//! }
//! assert_eq!(queue.len(), 1);
//! ```

use crate::{
    registry::{Class, EventDef, Field, RESERVED_IDS},
    value::Value,
};

mod boot_loop;
mod failure_burst;

pub use boot_loop::{BOOT_RECORD_LEN, BootLoop};
pub use failure_burst::FailureBurst;

/// Failed authentications came faster than a person fails. From [`FailureBurst`].
pub const AUTH_BURST: EventDef = EventDef::new(
    RESERVED_IDS,
    "iotsec.auth-burst",
    Class::Security,
    "Shows that somebody tries passwords on this device",
    &[
        Field::number("interface", "1", 0, 15),
        Field::number("failures", "1", 0, 65535),
    ],
);

/// The device keeps restarting without having been asked to. From [`BootLoop`].
pub const BOOT_LOOP: EventDef = EventDef::new(
    RESERVED_IDS.saturating_add(1),
    "iotsec.boot-loop",
    Class::Critical,
    "Shows that the device cannot stay up, because of an attack or a faulty update",
    &[Field::number("restarts", "1", 0, 255)],
);

/// The software is not what was signed. From a boot check, or from one that goes on while the device runs.
pub const INTEGRITY: EventDef = EventDef::new(
    RESERVED_IDS.saturating_add(2),
    "iotsec.integrity",
    Class::Critical,
    "Shows that the software of this device was changed, or wears out",
    &[
        // 255 where it is not known.
        Field::number("component", "1", 0, 255),
        Field::number("error", "1", 0, 65535),
    ],
);

/// Something to report.
#[derive(Clone, Copy)]
pub struct Finding {
    event: &'static EventDef,
    values: [Value<'static>; 2],
}

impl Finding {
    /// The event to record.
    pub const fn event(&self) -> &'static EventDef {
        self.event
    }

    /// Its values.
    pub fn values(&self) -> &[Value<'static>] {
        self.values.get(..self.event.fields().len()).unwrap_or_default()
    }
}
