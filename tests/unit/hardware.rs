//! The hardware of a simulated unit, for one boot.

use iotsec::{
    core::{
        credential::ThrottlePolicy,
        crypto::{Aes256GcmSiv, ChaCha20Poly1305, HkdfSha256},
    },
    device::{Hardware, Memory, Product, Suite},
    store::{IndexEntry, ReplayProtection},
    telemetry::registry::HashedRegistry,
};
use iotsec_testkit::{SimCounter, SimFlash, SimRng, SimRootKey};

/// Calls `boot` with everything that a unit has. Each boot has entropy of its own.
pub(crate) fn boot<T>(
    flash: &mut SimFlash,
    seed: &mut u64,
    events: HashedRegistry,
    boot: impl for<'w> FnOnce(Product<'w>, Hardware<'w, &'w mut SimFlash, SimRng>, Memory<'w>) -> T,
) -> T {
    let (root, mut counter) = (SimRootKey::new(1), SimCounter::new());
    let product = Product {
        store: flash.region().unwrap(),
        events,
        reserve: 4,
        throttle: ThrottlePolicy::DEFAULT,
        suite: Suite {
            storage: &Aes256GcmSiv,
            wire: &ChaCha20Poly1305,
            kdf: &HkdfSha256,
        },
    };
    let rng = SimRng::new(*seed);
    *seed += 1;
    let hardware = Hardware {
        flash,
        rng,
        counter: &mut counter,
        root: &root,
        replay: ReplayProtection::None,
    };
    let (mut index, mut record) = ([IndexEntry::EMPTY; 30], [0; 512]);
    let memory = Memory {
        index: &mut index,
        record: &mut record,
    };
    boot(product, hardware, memory)
}
