//! What the application reports, as it and its service both know it.

use iotsec::telemetry::{
    registry,
    registry::{Class, EventDef, Field},
};

/// A count that the host asks to be recorded.
pub const MARKED: EventDef = EventDef::new(
    1,
    "mark.set",
    Class::Security,
    "Shows that no event is lost that was kept",
    &[Field::number("mark", "1", 0, 65_535)],
);
registry!(
    /// What the application reports.
    pub static EVENTS = [MARKED]
);
