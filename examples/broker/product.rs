//! What the lamp reports, which lamp and service agree on.

use iotsec::{
    core::{crypto::Sha256, hal::Millis},
    telemetry::{
        consent::Consents,
        error::RecordError,
        queue::Queue,
        registry,
        registry::{Class, EventDef, Field, HashedRegistry},
    },
};

const LOGIN_FAILED: EventDef = EventDef::new(
    1,
    "login.failed",
    Class::Security,
    "Shows attacks on the password",
    &[Field::number("attempts", "1", 1, 255)],
);
registry!(static PRODUCT = [LOGIN_FAILED]);

pub(crate) fn registry() -> HashedRegistry {
    PRODUCT.hashed(&mut Sha256::new())
}

/// Somebody tried passwords.
pub(crate) fn record_attack(
    queue: &mut Queue<16>,
    consents: &Consents,
    attempts: u8,
) -> Result<(), RecordError> {
    queue.record(consents, &LOGIN_FAILED, &[attempts.into()], Millis(0))?;
    Ok(())
}
