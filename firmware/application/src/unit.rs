//! What the application and the factory, which fills the flash of a unit, know alike.

use iotsec::{
    core::{
        credential::ThrottlePolicy,
        crypto::{Aes256GcmSiv, ChaCha20Poly1305, HkdfSha256, Sha256},
        hal::Region,
    },
    device::{Product, Suite},
};

use super::events;

/// A unit's root key. A product has it in fuses or makes it from what is unique to the chip.
pub const ROOT: [u8; 32] = *b"a root key for firmware tests...";

/// Events in the queue.
pub const EVENTS: usize = 8;
/// Places of it that are kept for critical ones.
pub const RESERVE: usize = 2;
/// Keys in the store, at most.
pub const KEYS: usize = 32;
/// Bytes of one of its records, at most.
pub const RECORD: usize = 320;

/// What all units share, with their store at `store`.
pub fn product(store: Region) -> Product<'static> {
    Product {
        store,
        events: events::EVENTS.hashed(&mut Sha256::new()),
        reserve: RESERVE,
        throttle: ThrottlePolicy::DEFAULT,
        suite: Suite {
            storage: &Aes256GcmSiv,
            wire: &ChaCha20Poly1305,
            kdf: &HkdfSha256,
        },
    }
}
