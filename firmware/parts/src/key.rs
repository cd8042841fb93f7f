//! What the store holds, as the application and the factory both know it.

use iotsec::store::{KeyDomain, KeyId};

const fn device(number: u16) -> KeyId {
    KeyId::new(KeyDomain::Device, 1, number)
}

/// The verifier of the label's password.
pub const VERIFIER: KeyId = device(1);
/// How often it was guessed.
pub const THROTTLE: KeyId = device(2);
/// What telemetry is sealed under.
pub const TELEMETRY: KeyId = device(3);
