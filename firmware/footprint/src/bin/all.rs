//! All parts together.
#![no_std]
#![no_main]

use footprint::{credential, store, telemetry, update};
use harness::{console, entry, flash::SimulatedFlash, measure, vector};
use iotsec_core::crypto::{Aes256GcmSiv, Ed25519PublicKey};

#[entry]
fn main() -> ! {
    let key = update::key(Ed25519PublicKey::from_bytes, &vector::KEY_ED25519);
    let mut flash = SimulatedFlash::erased();
    let (Some(mut login), Some(root)) = (credential::prepare(), store::root()) else {
        console::fail("not prepared")
    };
    if store::prepare(&mut flash, &root, &Aes256GcmSiv).is_none() {
        console::fail("not prepared")
    }
    update::prepare(&mut flash);
    measure::report(|| {
        update::boot(&key, &mut flash).is_some_and(|running| update::install(&key, &mut flash, running))
            && store::run(&mut flash, &root, &Aes256GcmSiv)
            && credential::run(&mut login)
            && telemetry::run()
    })
}
